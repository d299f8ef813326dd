"""The base of all settings: text is parsed, and every problem is told in one error."""

import csv
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from fitscope.errors import ExperimentError, near_miss

__all__ = [
    "Spec",
    "meant_setting",
    "parse_full",
    "parse_init",
    "parse_names",
    "parse_points",
    "parse_widths",
    "shown_value",
    "with_rest",
    "worded",
]


_ELSEWHERE = {  # what other libraries call our settings
    "learning_rate": "lr",
    "learning_rate_init": "lr",
    "hidden_layer_sizes": "hidden",
    "max_iter": "epochs",
    "n_epochs": "epochs",
    "random_state": "seed",
    "solver": "optimizer",
    "alpha": "weight_decay",
    "test_size": "test_fraction",
}
MOST_TOLD = 20  # problems in one error
MAX_FLOAT32 = 3.4028234663852886e38  # beyond it, float32 has only inf


class Spec(BaseModel):
    """A frozen model whose problems come out as one ExperimentError."""

    # defer_build: `--help` shows the fields without paying for their validators
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ExperimentError(_problems(error, type(self))) from None


def meant_setting(name: str, known: Iterable[str]) -> str:
    """A question that names the setting that was meant, or "" where none is near.

    Example:
        >>> meant_setting("learning_rate", ["lr"])
        ' Did you mean `lr`?'
    """
    other = _ELSEWHERE.get(name)
    return f" Did you mean `{other}`?" if other else near_miss(name, known)


def parse_widths(value: Any) -> Any:
    """A list of widths, from a list or from the text "8,8"; "" or "none" is no hidden layer."""
    if isinstance(value, str):
        value = [] if value.strip() in ("", "none", "[]") else value.strip("[] ").split(",")
    value = [value] if isinstance(value, int) else value
    try:
        found = [int(width) for width in value]
        whole = all(isinstance(width, str) or int(width) == width for width in value)
    except (TypeError, ValueError, OverflowError):
        found, whole = [0], False
    if not whole or any(width < 1 for width in found):
        raise ValueError("must be a list of positive integers")
    return found


def parse_names(value: Any) -> Any:
    """A list of column names, from a list or from the text 'a,b' (a comma in one: '"a,b",c')."""
    if not isinstance(value, str):
        return value
    try:
        return next(csv.reader([value], skipinitialspace=True, strict=True))
    except (csv.Error, StopIteration):
        raise ValueError("must be a list of column names") from None


def parse_init(value: Any) -> Any:
    """The word for a start, or a list of numbers, also from the text "1,-2.5"."""
    if isinstance(value, str) and value in ("torch", "zeros", "ones"):
        return value
    try:
        numbers = value.strip("[] ").split(",") if isinstance(value, str) else value
        found = [float(number) for number in numbers]
    except (TypeError, ValueError, OverflowError):
        found = [math.nan]
    if not all(abs(number) <= MAX_FLOAT32 for number in found):  # false for nan, too
        raise ValueError("must be torch, zeros, ones or a list of finite numbers")
    return found


def parse_points(value: Any) -> Any:
    """Rows of numbers, from lists or from the text "0.5,1,1; 2,2,0"; none at all is None."""
    if isinstance(value, str):
        rows = [row.strip() for row in value.split(";")]
        value = [row.split(",") for row in rows if row not in ("", "none")]
    if value is None or not isinstance(value, Iterable):
        return value  # which pydantic explains
    found = []
    for number, row in enumerate(value, start=1):
        try:
            found.append([float(number) for number in row])
        except (TypeError, ValueError, OverflowError):
            found.append([math.nan])
        if isinstance(row, str) or not all(abs(x) <= MAX_FLOAT32 for x in found[-1]):
            raise ValueError(f"must be rows of finite numbers, which row {number} is not")
    return found or None


def parse_full(value: Any) -> Any:
    """The word "full" (or "none") as None, so that a flag can ask for it."""
    return None if value in ("full", "none") else value


def _problems(error: ValidationError, spec: type[Spec]) -> list[str]:
    """One sentence for each thing that pydantic found wrong."""
    found: list[str] = []
    for item in error.errors(include_url=False)[:MOST_TOLD]:
        inner = item.get("ctx", {}).get("error")
        if isinstance(inner, ExperimentError):  # a section that has already explained itself
            found.extend(inner.problems)
        else:
            found.append(_sentence(spec, item))
    return with_rest(list(dict.fromkeys(found)), error.error_count())


def with_rest(told: list[str], n: int) -> list[str]:
    """The first sentences about n problems, and how many more there are."""
    return [*told, f"And {n - MOST_TOLD:,} more."] if n > MOST_TOLD else told


_SHORTER = {
    "Input should be": "must be",
    "List should have": "must have",
    "less than or equal to": "at most",
    "greater than or equal to": "at least",
    " after validation": "",
    ", unable to parse string as a number": "",
    ", unable to interpret input": "",
    "a valid integer, got a number with a fractional part": "a whole number",
    "a valid boolean": "true or false",
    "a valid number": "a number",
    "a dictionary or an instance of": "a",
    "a valid dictionary or instance of": "a table of the fields of",
}
_SECTIONS = {"DataSpec": "data.", "NetworkSpec": "network.", "TrainingSpec": "training."}


def _sentence(spec: type[Spec], item: Mapping[str, Any]) -> str:
    """What is wrong with one field, what was got, and the near miss if there is one."""
    kind, text = item["type"], worded(item)
    if not item["loc"]:  # a rule between fields names them itself
        return f"{text}."
    name = str(item["loc"][0])
    field = f"`{_SECTIONS.get(spec.__name__, '')}{name}`"
    if kind == "extra_forbidden":
        hint = near_miss(name, spec.model_fields) or f" There are {', '.join(spec.model_fields)}."
        return f"{field} is not a setting.{hint}"
    if kind == "missing" or " is not a setting of " in f" {text}" or "is missing" in text:
        return f"{field} {'is missing' if kind == 'missing' else text}."
    hint = near_miss(str(item["input"]), re.findall(r"[\w-]+", text.partition("one of ")[2]))
    return f"{field} {text}; got {shown_value(item['input'])}.{hint}"


def worded(item: Mapping[str, Any]) -> str:
    """What pydantic found wrong, as the rest of a sentence: "must be a whole number"."""
    text = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "literal_error":
        text = "must be one of " + ", ".join(re.findall(r"'([^']*)'", item["ctx"]["expected"]))
    if item["type"] == "int_parsing":
        text = "must be a whole number"
    for said, shorter in _SHORTER.items():
        text = text.replace(said, shorter)
    return text


def shown_value(value: Any) -> str:
    """A value as it stands in a message, cut where it is long."""
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
