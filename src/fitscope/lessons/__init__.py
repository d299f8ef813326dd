"""The five lessons: text with code, as steps for the lab, or as notebooks opened in Jupyter."""

import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from fitscope.errors import MissingExtraError, OutputError, UnknownNameError
from fitscope.lessons.steps import LessonStep, steps_of

__all__ = [
    "Lesson",
    "LessonStep",
    "jupyter",
    "lesson_steps",
    "lesson_text",
    "lessons",
    "open_notebook",
    "write_notebook",
]

_INSTALL = 'pip install "fitscope[lessons]" jupyterlab'
_PAGES = ("jupyterlab", "notebook")  # what opens a notebook in a browser, the better first


class Lesson(NamedTuple):
    """What stands at the head of a lesson: its title, and what it is about in one line."""

    title: str
    about: str


def lessons() -> Mapping[int, Lesson]:
    """Number -> title and subject of every lesson.

    Example:
        >>> lessons()[1].title
        'One neuron: gates'
    """
    return {number: _lesson(lesson_text(number)) for number in _files()}


def lesson_text(number: int) -> str:
    """A lesson as it is kept: MyST Markdown, its code in cells, without outputs.

    Raises:
        UnknownNameError: there is no such lesson.
    """
    files = _files()
    if number not in files:
        raise UnknownNameError(f"There is no lesson {number}; there are lessons 1 to {len(files)}.")
    place = resources.files("fitscope.lessons") / files[number]
    return place.read_text(encoding="utf-8")


def lesson_steps(number: int) -> list[LessonStep]:
    """A lesson section by section: its text as HTML, and how the lab stands beside it.

    Raises:
        UnknownNameError: there is no such lesson.

    Example:
        >>> step = lesson_steps(1)[0]
        >>> step.title, step.lab["experiment"]
        ('One neuron: gates', 'gates-and')
    """
    return steps_of(lesson_text(number))


def write_notebook(number: int, path: str | Path) -> bool:
    """Makes a lesson a notebook that has not been run yet; a file that is there stays as it is.

    Returns:
        Whether it was written.

    Raises:
        UnknownNameError: there is no such lesson.
        MissingExtraError: jupytext is not installed.
        OutputError: the file cannot be written.
    """
    text, path = lesson_text(number), Path(path)
    if path.exists():
        return False
    if find_spec("jupytext") is None:
        raise MissingExtraError(
            f"A lesson becomes a notebook by jupytext, which is not installed: {_INSTALL}"
        )
    import jupytext

    notebook = jupytext.writes(jupytext.reads(text, fmt="md:myst"), fmt="ipynb")
    try:
        path.write_text(notebook, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from None
    return True


def jupyter() -> str:
    """The installed program that opens notebooks, as `python -m` takes it.

    Raises:
        MissingExtraError: there is none.
    """
    found = [page for page in _PAGES if find_spec(page)]
    if not found:
        raise MissingExtraError(
            f"A lesson opens in Jupyter, which is not installed ({_INSTALL}); "
            "`--no-open` writes the notebook for another program."
        )
    return found[0]


def open_notebook(path: str | Path) -> int:
    """Opens a notebook in Jupyter, and stays until that is ended.

    Returns:
        Its exit status.

    Raises:
        MissingExtraError: Jupyter is not installed.
    """
    process = subprocess.Popen([sys.executable, "-m", jupyter(), str(path)])  # noqa: S603
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # Jupyter has heard it too, and asks whether to end


def _files() -> dict[int, str]:
    """Number -> file name."""
    names = [file.name for file in resources.files("fitscope.lessons").iterdir()]
    found = [re.fullmatch(r"(\d+)-.+\.md", name) for name in sorted(names)]
    return {int(match[1]): match[0] for match in found if match}


def _lesson(text: str) -> Lesson:
    """What its head says."""
    (title,) = re.findall(r"^# \d+\. (.+)$", text, re.MULTILINE)[:1]
    (about,) = re.findall(r"^about: (.+)$", text, re.MULTILINE)[:1]
    return Lesson(title, about)
