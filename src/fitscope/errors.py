"""Every error that fitscope raises on purpose, each also the builtin that it resembles.

FitscopeError
├── ExperimentError    (ValueError)   a setting is unknown, of the wrong type or out of range
├── UnknownNameError   (LookupError)  no experiment, data set, column or engine of that name
├── DataError          (ValueError)   a table or an array cannot be used as data
├── EngineError        (RuntimeError) the asked-for engine or device cannot run this here
├── MissingExtraError  (ImportError)  something optional is asked for and not installed
├── RunFileError       (ValueError)   a run file is damaged, foreign or too new
├── InputFileError     (OSError)      a file to read is not there or cannot be read
└── OutputError        (OSError)      a file or folder cannot be written
"""

import difflib
from collections.abc import Iterable, Sequence

__all__ = [
    "DataError",
    "EngineError",
    "ExperimentError",
    "FitscopeError",
    "InputFileError",
    "MissingExtraError",
    "OutputError",
    "RunFileError",
    "UnknownNameError",
    "near_miss",
]


class FitscopeError(Exception):
    """The root of all errors that fitscope raises on purpose; its text is for the user."""


class ExperimentError(FitscopeError, ValueError):
    """One or more settings of an experiment are wrong; all of them are listed.

    Attributes:
        problems: one sentence for each wrong setting.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        lines = [f"{len(problems)} settings are wrong:", *(f"  - {p}" for p in problems)]
        super().__init__(problems[0] if len(problems) == 1 else "\n".join(lines))

    def __reduce__(self) -> tuple[type["ExperimentError"], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)  # the default would pass the text, not the list


class UnknownNameError(FitscopeError, LookupError):
    """No built-in experiment, data set, column or engine has that name."""


class DataError(FitscopeError, ValueError):
    """A table or an array cannot be used as data."""


class EngineError(FitscopeError, RuntimeError):
    """The engine or the device that was asked for cannot run this here."""


class MissingExtraError(FitscopeError, ImportError):
    """Something optional is asked for and not installed; the text has the line that installs it."""

    @classmethod
    def of(cls, what: str, extra: str) -> "MissingExtraError":
        """The error of something that needs an extra of fitscope, which is named as its package.

        Example:
            >>> print(MissingExtraError.of("Writing a run as ONNX", "onnx"))
            Writing a run as ONNX needs the package onnx: pip install "fitscope[onnx]"
        """
        return cls(f'{what} needs the package {extra}: pip install "fitscope[{extra}]"')


class RunFileError(FitscopeError, ValueError):
    """A run file is damaged, not a run file, or written by a newer fitscope."""


class InputFileError(FitscopeError, OSError):
    """A file to read is not there or cannot be read."""


class OutputError(FitscopeError, OSError):
    """A file or folder cannot be written."""


def near_miss(name: str, known: Iterable[str]) -> str:
    """A question that names the nearest known name, or "" where none is near.

    Example:
        >>> near_miss("tahn", ["sigmoid", "tanh"])
        ' Did you mean `tanh`?'
    """
    written = {word.lower(): word for word in known}
    hits = difflib.get_close_matches(name.lower(), written, n=1, cutoff=0.6)
    return f" Did you mean `{written[hits[0]]}`?" if hits else ""
