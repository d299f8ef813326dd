"""What the API answers, field by field; `answers.json_answer` writes it."""

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Basin",
    "Catalogue",
    "Code",
    "Column",
    "DatasetOffer",
    "LessonOffer",
    "LessonPart",
    "LessonText",
    "ListedTable",
    "Many",
    "Optimum",
    "Progress",
    "Reference",
    "SavedRun",
    "SavedRuns",
    "Table",
    "Tables",
    "Thumbnail",
    "plain",
]

Number = float | None  # null where it is no finite number


def plain(value: Any) -> Any:
    """A value as JSON has it: null for numbers that are none."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class DatasetOffer(BaseModel):
    """A data set: what it is, and its settings with their defaults."""

    about: str
    settings: dict[str, Any]


class LessonOffer(BaseModel):
    """A lesson in the list of lessons."""

    number: int
    title: str
    about: str


class Catalogue(BaseModel):
    """Everything that there is to choose from."""

    version: str
    experiments: dict[str, Any]
    datasets: dict[str, DatasetOffer]
    fields: dict[str, Any] = Field(alias="schema", description="JSON schema of every setting")
    losses: dict[str, list[str]]
    limits: dict[str, float]
    lessons: list[LessonOffer]


class Thumbnail(BaseModel):
    """Places of some samples, and their classes."""

    x: list[float]
    y: list[float]
    c: list[int | None]


class Progress(BaseModel):
    """How far a job is."""

    done: int
    planned: int
    loss: Number


class Many(BaseModel):
    """Columns, one entry a net; further ones are scores, such as `train_accuracy`."""

    model_config = ConfigDict(extra="allow")
    seeds: list[int]
    train_loss: list[Number]
    test_loss: list[Number]
    outcomes: list[str]
    n_updates: list[int]
    planned: int = Field(description="how many were asked for")


class Basin(BaseModel):
    """What training reaches from each start: `loss[i][j]` from `w[j]`, `b[i]`."""

    w: list[float]
    b: list[float]
    loss: list[list[Number]]
    accuracy: list[list[Number]] | None
    ends: list[list[list[Number]]]
    succeeds: list[list[bool]]
    share: float
    label: str
    limits: list[float]
    log_scale: bool
    path: list[list[Number]]
    title: str
    note: str


class Reference(BaseModel):
    """scikit-learn's LogisticRegression as it stands, judged."""

    name: str
    params: list[float]
    accuracy: float
    log_loss: Number
    part: str


class Optimum(BaseModel):
    """The best parameters without a hidden layer; null where there are none."""

    params: list[float] | None
    loss: Number
    scores: dict[str, Number]
    note: str
    loss_name: str
    separable: bool
    reference: Reference | None


class Code(BaseModel):
    """The same run in four languages."""

    command: str
    python: str
    toml: str
    pytorch: str


class Column(BaseModel):
    """A column of a table."""

    name: str
    kind: str = Field(description="number, text, truth, date or other")
    n_different: int
    n_missing: int
    is_taken: bool = Field(description="whether it is an input unless others are named")


class Table(BaseModel):
    """A table, and the column that it suggests to predict."""

    path: str
    rows: int
    columns: list[Column]
    target: str


class ListedTable(BaseModel):
    """A table in the list of tables."""

    path: str
    bytes: int
    when: str


class Tables(BaseModel):
    """The tables of the workspace."""

    tables: list[ListedTable]


class SavedRun(BaseModel):
    """A saved run; a file that cannot be understood has a `problem` in place of the rest."""

    name: str
    when: str
    bytes: int
    title: str | None
    data: str | None
    shape: list[int] | None
    loss: Number
    outcome: str | None
    problem: str | None


class SavedRuns(BaseModel):
    """The saved runs of the workspace."""

    runs: list[SavedRun]


class LessonPart(BaseModel):
    """One step of a lesson, and how it sets the page."""

    title: str
    html: str
    lab: dict[str, Any] | None


class LessonText(BaseModel):
    """A lesson, step by step."""

    number: int
    title: str
    steps: list[LessonPart]
