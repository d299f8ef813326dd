"""RawData: data as it comes, before it is split and scaled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from fitscope.catalogue import Task
from fitscope.cells import (
    check_names,
    content,
    is_number,
    is_text,
    listed,
    missing_words,
    numbers,
    odd_words,
    plain_column,
)
from fitscope.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FEW_INTEGERS", "RawData", "Target", "input_columns", "raw_of", "target_of"]

FEW_INTEGERS = 20  # up to so many different whole numbers are read as classes


@dataclass(frozen=True)
class RawData:
    """Data as it comes, before it is split and scaled: what generators and tables return.

    `y` holds class labels or values. A generator that draws its own test set gives it as
    `X_test, y_test`; `task` is None where it is to be read off `y`. `y` (n, t) holds several
    targets of a regression; `weights` say how much each sample counts. Of a table, `table` has the
    columns that may be inputs, `X` none, until the training part has told what to make of them.
    """

    X: Float[np.ndarray, "n d"]  # float64, or the float32 that was given
    y: np.ndarray  # (n,) or (n, t)
    feature_names: tuple[str, ...]
    target_name: str = "y"
    task: Task | None = None
    X_test: Float64[np.ndarray, "m d"] | None = None
    y_test: np.ndarray | None = None  # (m,)
    truth: Float64[np.ndarray, " p"] | None = None
    notes: tuple[str, ...] = ()
    weights: Float64[np.ndarray, " n"] | None = None
    table: "pa.Table | None" = None
    n_unlabelled: int = 0  # rows of the table that are left out, since they have no target
    target_words: Mapping[str, int] = field(default_factory=dict)  # that say so, in how many rows


class Target(NamedTuple):
    """What is to be predicted, of the rows that say it.

    Attributes:
        y: labels or values.
        is_kept: which of all rows these are.
        words: texts of the others that stand for no value, and in how many rows.
    """

    y: np.ndarray
    is_kept: np.ndarray
    words: Mapping[str, int]


def target_of(column: "pa.ChunkedArray", name: str) -> Target:
    """The target that a column holds.

    Raises:
        DataError: it holds neither text nor numbers.
    """
    plain = plain_column(column)
    words = odd_words(plain, more_than=FEW_INTEGERS) if is_text(plain.type) else ()
    is_kept = ~_is_missing(plain, words)
    y = _labels(plain if is_kept.all() else _taken(plain, is_kept), name, are_numbers=bool(words))
    return Target(y, is_kept, missing_words(column, words))


def raw_of(rows: "pa.Table", target: Target, name: str) -> RawData:
    """The columns that may be inputs, and what is to be predicted, where it is known."""
    n_missing = int((~target.is_kept).sum())
    return RawData(
        np.empty((len(target.y), 0)),
        target.y,
        (),
        name,
        table=_taken(rows, target.is_kept) if n_missing else rows,
        n_unlabelled=n_missing,
        target_words=target.words,
        notes=_counters(rows),
    )


def input_columns(
    names: Sequence[str],
    *,
    target: str | None,
    features: Sequence[str] | None,
    drop: Sequence[str],
    categories: Sequence[str],
    source: str,
) -> list[str]:
    """The columns that may be inputs, in order; the arguments are those of `raw_from_table`.

    Raises:
        UnknownNameError: a named column is not there.
        DataError: none is left, or the lists contradict themselves or each other.
    """
    own = [] if target is None else [target]
    check_names([*own, *(features or ()), *categories, *drop], names, source)
    _check_asked(target, features, drop, categories)
    inputs = [name for name in (features or names) if name not in {*own, *drop}]
    if not inputs:
        besides = f" besides `{target}`" if own else ""
        raise DataError(f"{source} has no column{besides} to learn from.")
    return inputs


def _check_asked(
    target: str | None,
    features: Sequence[str] | None,
    drop: Sequence[str],
    categories: Sequence[str],
) -> None:
    """Refuses lists of columns that contradict themselves or each other."""
    if features is not None and len(set(features)) < len(features):
        raise DataError(f"`features` names a column twice: {listed(features)}.")
    if features is not None and (not features or target in features):
        what = f"`{target}` is the target and" if features else "`features` names no column, which"
        raise DataError(f"{what} cannot be learned from; choose other `features`.")
    for name in (*drop, *categories):
        if name == target:
            raise DataError(
                f"`{target}` is the target; `drop` and `categories` name other columns."
            )
        if name in drop and (name in categories or name in (features or ())):
            raise DataError(f"`drop` leaves `{name}` out, which is named as an input as well.")
        if features is not None and name not in features and name in categories:
            raise DataError(f"`categories` names `{name}`, which is not one of the `features`.")


def _taken(rows: Any, is_kept: np.ndarray) -> Any:
    """The rows of a table or a column that are kept."""
    import pyarrow as pa

    return rows.filter(pa.array(is_kept))


def _is_missing(column: "pa.ChunkedArray", words: Sequence[str]) -> np.ndarray:
    """Where a target is missing: null, one of the words, or no number."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    found = pc.is_null(column, nan_is_null=t.is_floating(column.type))
    if words:
        found = pc.or_(found, pc.is_in(column, value_set=pa.array(words)))
    return np.asarray(found.to_numpy(), dtype=bool)


def _counters(table: "pa.Table") -> tuple[str, ...]:
    """A note on each column that goes 1, 2, 3, ... and so is no property of a sample."""
    import pyarrow.types as t

    notes = []
    for name in table.column_names:
        column = plain_column(table[name])
        if is_number(column.type) and not t.is_boolean(column.type) and not column.null_count:
            with np.errstate(invalid="ignore"):  # infinite ones are refused by name later
                steps = np.diff(np.asarray(numbers(column)))
            if len(steps) > 2 and (steps == 1).all():
                notes.append(f"Column `{name}` only counts the rows; choose `features` without it.")
    return tuple(notes)


def _labels(column: "pa.ChunkedArray", name: str, *, are_numbers: bool) -> np.ndarray:
    """The target's values: text, truth values or numbers."""
    import pyarrow.types as t

    if not (is_text(column.type) or is_number(column.type)):
        raise DataError(f"`{name}` is {content(column)}; a target is text or numbers.")
    if are_numbers or t.is_decimal(column.type):
        return np.asarray(numbers(column))
    return np.array(column.to_pylist())
