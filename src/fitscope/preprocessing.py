"""How the columns of a table become a network's inputs: a record, which a run file keeps as JSON.

Nothing here is learned or applied: `data/choices.py` makes it, `encoding.py` applies it.
"""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "CategoryColumn",
    "Choice",
    "Column",
    "DateColumn",
    "LeftOut",
    "NumberColumn",
    "Part",
    "Preprocessing",
]

Part = Literal["year", "month", "day of year", "weekday", "hour"]
Texts = Annotated[tuple[str, ...], Field(strict=False)]  # JSON has lists
Numbers = Annotated[tuple[float, ...], Field(strict=False)]


class Choice(NamedTuple):
    """What is done with a column, in words: a row of what `fit` shows before it trains."""

    column: str
    kind: str
    what: str
    n_missing: int
    n_inputs: int


class _Recipe(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class _Column(_Recipe):
    """What every column has: its name, and how many of all values were missing."""

    name: str
    n_missing: int = Field(ge=0)


class NumberColumn(_Column):
    """Numbers, or truth values as 0 and 1.

    Attributes:
        fill: what a missing value becomes: the median, of truth values the more frequent one.
        flag: whether a second input says that the value was missing.
        words: texts between the numbers that count as missing, such as "?".
    """

    kind: Literal["number", "truth"]
    fill: float
    flag: bool
    words: Texts = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs that it makes."""
        return (self.name, *[f"{self.name} missing"] * self.flag)

    @property
    def what(self) -> str:
        """What is done, in words."""
        done = "false is 0, true is 1" if self.kind == "truth" else "as it is"
        word = "the more frequent" if self.kind == "truth" else "the median"
        done += f"; missing counts as {self.fill:g}, {word}" * bool(self.n_missing)
        return done + ", and an input says so" * self.flag


class CategoryColumn(_Column):
    """Texts of which each is an input, 1 where the column has it; a missing one is the text "".

    A whole number is the same text with a fraction of 0 and without one.

    Attributes:
        values: the texts with an input of their own.
        rare: texts that training knows, and that share one input.
    """

    kind: Literal["category"] = "category"
    values: Texts
    rare: Texts

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs that it makes."""
        own = [f"{self.name}={value}" if value else f"{self.name} missing" for value in self.values]
        return (*own, *[f"{self.name}: other"] * bool(self.rare))

    @property
    def what(self) -> str:
        """What is done, in words."""
        n = len(self.values)
        done = f"an input for each of {n} values" if n != 1 else "an input for 1 value"
        return done + f", one for the {len(self.rare)} rarer" * bool(self.rare)


class DateColumn(_Column):
    """Dates, taken apart into numbers; with a time zone, in UTC.

    Attributes:
        parts: what is taken of each date; an hour has its minutes as a fraction.
        fills: what each part of a missing date becomes: the median.
        flag: whether another input says that the date was missing.
    """

    kind: Literal["date"] = "date"
    parts: Annotated[tuple[Part, ...], Field(strict=False, min_length=1)]
    fills: Numbers
    flag: bool

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs that it makes."""
        own = [f"{self.name}: {part}" for part in self.parts]
        return (*own, *[f"{self.name} missing"] * self.flag)

    @property
    def what(self) -> str:
        """What is done, in words."""
        done = ", ".join(self.parts)
        done += "; missing counts as the medians" * bool(self.n_missing)
        return done + ", and an input says so" * self.flag

    @model_validator(mode="after")
    def _every_part_has_a_fill(self) -> Self:
        if len(self.fills) != len(self.parts) or len(set(self.parts)) < len(self.parts):
            raise ValueError("every part needs one fill")
        return self


class LeftOut(_Recipe):
    """A column that is no input, and why."""

    name: str
    why: str


Column = Annotated[NumberColumn | CategoryColumn | DateColumn, Field(discriminator="kind")]


class Preprocessing(_Recipe):
    """What turns a row of a table into inputs, learned from the training part alone.

    Attributes:
        columns: the columns that are used, in the order of their inputs.
        left_out: the others that could have been.
        n_unlabelled: rows without a target, which are not part of the data.
        target_words: texts of the target that say so, such as "NA", or "?" between numbers.
        missing: texts that stand for no value in every column; none in files from before.
    """

    columns: Annotated[tuple[Column, ...], Field(strict=False, min_length=1)]
    left_out: Annotated[tuple[LeftOut, ...], Field(strict=False)] = ()
    n_unlabelled: int = Field(0, ge=0)
    target_words: Texts = ()
    missing: Texts = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are used."""
        return tuple(column.name for column in self.columns)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of all inputs."""
        return tuple(name for column in self.columns for name in column.inputs)

    @property
    def is_plain(self) -> bool:
        """Whether the inputs are the columns as they are, and no row was left out."""
        return not self.n_unlabelled and all(
            isinstance(column, NumberColumn) and not (column.n_missing or column.words)
            for column in self.columns
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns whose cells are text, also where a file's reader takes them for numbers."""
        return tuple(column.name for column in self.columns if column.kind == "category")

    def choices(self) -> tuple[Choice, ...]:
        """What is done with each column, in words."""
        used = [Choice(c.name, c.kind, c.what, c.n_missing, len(c.inputs)) for c in self.columns]
        return (*used, *(Choice(c.name, "left out", c.why, 0, 0) for c in self.left_out))

    @model_validator(mode="after")
    def _names_are_one_thing_each(self) -> Self:
        names = self.inputs
        double = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if double:
            raise ValueError(f"two columns make an input called `{double[0]}`; rename one of them")
        return self
