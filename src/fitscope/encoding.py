"""Rows of a table -> inputs (n, d), by a `Preprocessing`; what was odd about them, in sentences."""

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

from fitscope.cells import (
    PARTS,
    check_finite,
    check_names,
    content,
    date_parts,
    dated,
    is_time,
    numbers,
    plain_column,
    seconds,
    texts,
    whole,
)
from fitscope.errors import DataError
from fitscope.preprocessing import (
    CategoryColumn,
    Column,
    DateColumn,
    NumberColumn,
    Preprocessing,
)

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Encoded", "as_table", "encoded", "inputs_of"]

_SHOWN = 3  # values that a sentence names


class Encoded(NamedTuple):
    """Inputs in their own units, and one sentence for each thing that training did not know."""

    X: np.ndarray  # (n, d)
    remarks: tuple[str, ...]


def encoded(table: "pa.Table", how: Preprocessing, *, source: str = "The table") -> Encoded:
    """The inputs (n, d) that the rows of a table make: what scikit-learn's transformers made.

    Numbers as they are, with the training part's median where one is missing; an input for each
    known text; dates in parts. A text that training never saw counts as "other" where rare ones
    do, and else is 0 for every text.

    Args:
        table: any rows that have the columns; others are not looked at.
        how: the recipes.
        source: what messages call the table.

    Raises:
        UnknownNameError: a column is not there.
        DataError: a column holds another kind of values, or infinite ones.

    Example:
        >>> from fitscope.preprocessing import CategoryColumn
        >>> colour = CategoryColumn(name="colour", n_missing=0, values=("blue", "red"), rare=())
        >>> found = encoded(as_table({"colour": ["red", "teal"]}), Preprocessing(columns=(colour,)))
        >>> found.X.tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """
    check_names(how.names, table.column_names, source)
    X = np.empty((table.num_rows, len(how.inputs)))
    remarks: list[str] = []
    wrong: list[str] = []
    at = 0
    for recipe in how.columns:
        n = len(recipe.inputs)
        try:
            column = plain_column(table[recipe.name], how.missing)
            remarks += _fill(X[:, at : at + n], recipe, column)
        except _WrongKindError as error:
            wrong.append(str(error))
        at += n
    if wrong:
        raise DataError(f"{source} does not fit: {'; '.join(wrong)}.")
    check_finite(X, how.inputs, source)
    return Encoded(X, tuple(remarks))


def inputs_of(X: Any, how: Preprocessing | None) -> Any:
    """What `Run.predict` was given, as inputs where it is a table; what is odd is a warning.

    Raises:
        UnknownNameError: a column is not there.
        DataError: a column holds another kind of values, or infinite ones.
    """
    table = as_table(X) if how else None
    if how is None or table is None:
        return X
    found = encoded(table, how, source="X")
    for remark in found.remarks:
        warnings.warn(remark, stacklevel=5)  # where `Run.predict` was called
    return found.X


class _WrongKindError(Exception):
    """A column holds what its recipe cannot take; the text says what."""


def _fill(out: Float64[np.ndarray, "n c"], recipe: Column, column: "pa.ChunkedArray") -> list[str]:
    """Writes the inputs of one column, and says what was odd."""
    if isinstance(recipe, CategoryColumn):
        return _fill_category(out, recipe, column)
    if isinstance(recipe, NumberColumn):
        values, fills = numbers(column, recipe.words), np.array([recipe.fill])
        if values is None:
            raise _WrongKindError(f"`{recipe.name}` must be numbers, but is {content(column)}")
        values = values[:, None]
    else:
        moments, fills = _moments(recipe, column), np.array(recipe.fills)
        values = date_parts(moments)[:, [PARTS.index(part) for part in recipe.parts]]
    is_missing = np.isnan(values[:, 0])
    k = len(fills)
    out[:, :k] = np.where(is_missing[:, None], fills, values)
    out[:, k:] = is_missing[:, None]
    return _missing_remark(recipe, is_missing)


def _moments(recipe: DateColumn, column: "pa.ChunkedArray") -> Float64[np.ndarray, " n"]:
    """Seconds since 1970, or since midnight where nothing but the hour is asked for."""
    found = dated(column)
    moments = None if found is None else seconds(found)
    has_day = found is not None and not is_time(found.type)
    if moments is None or not (has_day or recipe.parts == ("hour",)):
        raise _WrongKindError(
            f"`{recipe.name}` must be dates such as 2020-01-31, but is {content(column)}"
        )
    return moments


def _missing_remark(
    recipe: NumberColumn | DateColumn, is_missing: Bool[np.ndarray, " n"]
) -> list[str]:
    n = int(is_missing.sum())
    if not n:
        return []
    fill = f"{recipe.fill:g}" if isinstance(recipe, NumberColumn) else "the median date"
    known = "as in training" if recipe.flag else "though training never saw it missing"
    rows = "1 row" if n == 1 else f"{n:,} rows"
    return [f"`{recipe.name}` is missing in {rows}; it counts as {fill}, {known}."]


def _fill_category(
    out: Float64[np.ndarray, "n c"], recipe: CategoryColumn, column: "pa.ChunkedArray"
) -> list[str]:
    """1 at each text's own input; the rest is rare, or never seen, which is said."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = texts(column)
    if found is None:
        raise _WrongKindError(f"`{recipe.name}` must be text, but is {content(column)}")
    known = pa.array([*recipe.values, *recipe.rare], pa.string())
    place = pc.index_in(found, value_set=known)
    if place.null_count:  # "3.0" may be what training had as "3"
        place = pc.coalesce(place, pc.index_in(whole(found), value_set=whole(known)))
    place = place.fill_null(-1).to_numpy()
    k = len(recipe.values)
    out[:] = 0.0
    rows = np.flatnonzero((place >= 0) & (place < k))
    out[rows, place[rows]] = 1.0
    out[:, k:] = ((place < 0) | (place >= k))[:, None]
    unseen = pc.unique(found.filter(pa.array(place < 0))).to_pylist()
    return [_unseen_remark(recipe, unseen, int((place < 0).sum()))] if unseen else []


def _unseen_remark(recipe: CategoryColumn, unseen: list[str], n_rows: int) -> str:
    then = "counts as `other`" if recipe.rare else "counts as none of the known ones"
    rows = "1 row" if n_rows == 1 else f"{n_rows:,} rows"
    if unseen == [""]:
        return f"`{recipe.name}` is missing in {rows}, which training never saw; it {then}."
    shown = ", ".join(value or "(missing)" for value in unseen[:_SHOWN])
    shown += ", ..." * (len(unseen) > _SHOWN)
    values = "1 value" if len(unseen) == 1 else f"{len(unseen):,} values"
    return f"`{recipe.name}` has {values} that training never saw, in {rows}: {shown}; it {then}."


def as_table(X: Any) -> "pa.Table | None":
    """A table of named columns as pyarrow has it: also a data frame, or columns by name.

    None for what has no named columns, such as an array. A data frame is one of pandas, polars
    or any other library that knows Arrow's interface; its row names are no column.

    Raises:
        DataError: it has named columns that are no table.
    """
    import pyarrow as pa

    is_pandas = hasattr(X, "columns") and hasattr(X, "iloc")
    is_frame = is_pandas or (hasattr(X, "columns") and hasattr(X, "__arrow_c_stream__"))
    if not (is_frame or isinstance(X, dict)):
        return None
    try:
        if is_pandas:
            named = X.rename(columns=str)
            return pa.Table.from_pandas(named, preserve_index=False)
        return pa.table(X)
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")[:200]
        raise DataError(f"X is no table: {reason}.") from None
