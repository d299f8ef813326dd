"""What is done with each column of a table: its kind is seen, its numbers learned from training."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64
from pydantic import ValidationError

from fitscope.cells import (
    MISSING,
    MOSTLY,
    PARTS,
    content,
    date_parts,
    has_comma,
    is_coded,
    is_date,
    is_number,
    is_text,
    listed,
    looks_numeric,
    missing_words,
    numbers,
    odd_words,
    plain_column,
    seconds,
    texts,
    typed,
    whole,
)
from fitscope.errors import DataError
from fitscope.preprocessing import (
    CategoryColumn,
    Column,
    DateColumn,
    LeftOut,
    NumberColumn,
    Preprocessing,
)
from fitscope.rawdata import RawData

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MOST_CATEGORIES", "chosen", "is_taken", "notes_on"]

MOST_CATEGORIES = 20  # inputs of one column; rarer texts share the last of them
MOST_TEXTS = 1000  # different ones in a column that nobody asked for
MOST_ENCODED = 50_000_000  # values of all inputs, 400 MB
_DATE_LIKE = re.compile(r"\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b")


class _LeaveOutError(Exception):
    """A column tells nothing, or cannot be read; the text says why."""


def chosen(
    table: "pa.Table",
    train: np.ndarray,
    *,
    features: Sequence[str] | None,
    categories: Sequence[str],
    n_unlabelled: int,
    target_words: tuple[str, ...],
    source: str,
) -> Preprocessing:
    """What is done with each column, by scikit-learn's SimpleImputer and OneHotEncoder.

    Args:
        table: the columns that may be inputs, all rows.
        train: the rows that are learned from.
        features: the columns that were asked for; None where all were.
        categories: columns of numbers that are codes.
        n_unlabelled: rows that were left out before, since they have no target.
        target_words: texts of the target that say so.
        source: what messages call the table.

    Raises:
        DataError: no column can be used, or one that was asked for cannot.
    """
    columns: list[Column] = []
    left_out: list[LeftOut] = []
    asked = {*(features or ()), *categories}
    for name in features if features is not None else table.column_names:
        is_code = name in categories
        try:
            columns.append(
                _recipe(name, table[name], train, is_code=is_code, is_asked=name in asked)
            )
        except _LeaveOutError as error:
            if name in asked:
                raise DataError(f"`{name}` of {source} cannot be an input: {error}.") from None
            left_out.append(LeftOut(name=name, why=str(error)))
    if not columns:
        why = "; ".join(f"`{column.name}` is left out: {column.why}" for column in left_out)
        raise DataError(f"{source} has no column that can be learned from. {why}".rstrip() + ".")
    try:
        how = Preprocessing(
            columns=tuple(columns),
            left_out=tuple(left_out),
            n_unlabelled=n_unlabelled,
            target_words=target_words,
            missing=MISSING,
        )
    except ValidationError as error:
        raise DataError(f"In {source} {error.errors()[0]['msg'].partition(', ')[2]}.") from None
    n, d = table.num_rows, len(how.inputs)
    if n * d > MOST_ENCODED and d > len(how.columns):
        raise DataError(
            f"The columns of {source} make {d:,} inputs in {n:,} rows, more than "
            f"{MOST_ENCODED:,} values; choose fewer `features`."
        )
    return how


def is_taken(column: "pa.ChunkedArray") -> bool:
    """Whether a column is an input without being asked for, judged by all of its rows.

    Example:
        >>> import pyarrow as pa
        >>> is_taken(pa.chunked_array([["ann", "bob", "eve"]]))
        False
    """
    try:
        _recipe("", column, np.arange(len(column)), is_code=False, is_asked=False)
    except _LeaveOutError:
        return False
    return True


def _recipe(
    name: str, column: "pa.ChunkedArray", train: np.ndarray, *, is_code: bool, is_asked: bool
) -> Column:
    """The recipe of one column.

    Raises:
        _LeaveOutError: there is none.
    """
    of_categories, column = is_coded(column), plain_column(column)
    if column.null_count == len(column):
        raise _LeaveOutError("empty")
    is_code = is_code or (of_categories and not is_date(column.type))
    is_code = is_code and str(column.type) != "bool"  # which is 0 and 1 anyway
    if is_text(column.type) and not is_code:
        column = typed(column)
    kind = column.type
    if is_text(kind) and not is_code:
        words = odd_words(column)
        if words:
            return _number(name, column, train, words)
        _refuse_commas(column)
    if is_code or is_text(kind):
        return _category(name, column, train, is_asked=is_asked)
    if is_number(kind):
        return _number(name, column, train, ())
    if is_date(kind):
        return _date(name, column, train)
    raise _LeaveOutError(f"{content(column)}, which is neither numbers, text nor dates")


def _number(
    name: str, column: "pa.ChunkedArray", train: np.ndarray, words: tuple[str, ...]
) -> NumberColumn:
    import pyarrow.types as t

    values = numbers(column, words)
    if values is None:
        raise _LeaveOutError(content(column))
    is_truth = t.is_boolean(column.type)
    fill, flag = _imputed(values[train, None], "most_frequent" if is_truth else "median")
    return NumberColumn(
        kind="truth" if is_truth else "number",
        name=name,
        n_missing=int(np.isnan(values).sum()),
        fill=fill[0],
        flag=flag,
        words=words,
    )


def _date(name: str, column: "pa.ChunkedArray", train: np.ndarray) -> DateColumn:
    """Those parts that vary; the month only where the day of the month does not."""
    moments = seconds(column)
    if moments is None or np.isnan(moments[train]).all():
        raise _LeaveOutError("empty in the training part")
    parts = date_parts(moments)
    known_s = moments[train][~np.isnan(moments[train])]
    known = date_parts(known_s)
    varies = np.ptp(known, axis=0) > 0
    days = (known_s // 86400).astype("int64").astype("datetime64[D]")
    is_monthly = len(np.unique(days - days.astype("datetime64[M]"))) == 1
    varies[PARTS.index("day of year" if is_monthly else "month")] = False
    if not varies.any():
        raise _LeaveOutError("always the same date")
    fills, flag = _imputed(parts[train][:, varies], "median")
    return DateColumn(
        name=name,
        n_missing=int(np.isnan(moments).sum()),
        parts=tuple(part for part, is_used in zip(PARTS, varies, strict=True) if is_used),
        fills=tuple(fills),
        flag=flag,
    )


def _imputed(values: Float64[np.ndarray, "n c"], strategy: str) -> tuple[list[float], bool]:
    """What missing values become, and whether there are any."""
    from sklearn.impute import SimpleImputer

    is_missing = np.isnan(values).any(axis=0)
    if np.isnan(values).all():
        raise _LeaveOutError("empty in the training part")
    with np.errstate(invalid="ignore"):  # infinite values are refused by name later
        finite = np.where(np.isinf(values), 0.0, values)
    imputer = SimpleImputer(strategy=strategy).fit(finite)
    return imputer.statistics_.tolist(), bool(is_missing.any())


def _category(
    name: str, column: "pa.ChunkedArray", train: np.ndarray, *, is_asked: bool
) -> CategoryColumn:
    """Its texts; those of a few rows, or beyond the most frequent ones, share an input."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from sklearn.preprocessing import OneHotEncoder

    found = texts(column)
    if found is None:
        raise _LeaveOutError(f"{content(column)}, which is neither numbers nor text")
    if numbers(column) is not None:
        found = whole(found)
    values = found.take(train)
    known = sorted(pc.unique(values).to_pylist())
    _refuse_names(column, known, len(values) - _n_empty(values), is_asked=is_asked)
    places = pc.index_in(values, value_set=pa.array(known, pa.string())).to_numpy()
    encoder = OneHotEncoder(  # of places, which it counts ten times as fast as texts
        handle_unknown="infrequent_if_exist",
        max_categories=MOST_CATEGORIES,
        min_frequency=_few(len(values)),
    ).fit(places[:, None])
    grouped = encoder.infrequent_categories_[0]
    rare = () if grouped is None else tuple(known[place] for place in grouped)
    own = tuple(value for value in known if value not in set(rare))
    if len(own) + bool(rare) < 2:
        shared = "each of its texts is in too few rows"
        raise _LeaveOutError(shared if rare else f"always {own[0]!r}")
    return CategoryColumn(name=name, n_missing=_n_empty(found), values=own, rare=rare)


def _n_empty(found: "pa.ChunkedArray") -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.equal(found, "")).as_py() or 0)


def _few(n: int) -> int:
    """A text in fewer rows than this is rare: 1 in 200, but at least 2 rows and at most 10."""
    return min(10, max(2, n // 200))


def _refuse_names(
    column: "pa.ChunkedArray", known: Sequence[str], n_present: int, *, is_asked: bool
) -> None:
    """Leaves out names, numbers of orders and free text: what is different in most rows."""
    present = [value for value in known if value]
    n = len(present)
    if not n:
        raise _LeaveOutError("empty in the training part")
    is_name = n == n_present or n > max(MOST_CATEGORIES, n_present // 2)
    if is_asked or not (is_name or n > MOST_TEXTS):
        return
    hint = "; dates are read as 2020-01-31" * bool(_DATE_LIKE.match(present[0]))
    how = "different in most rows" if is_name else f"{n:,} different ones"
    raise _LeaveOutError(f"{content(column)}, {how}{hint}; to use it, name it in `features`")


def _refuse_commas(column: "pa.ChunkedArray") -> None:
    """Leaves out numbers with a comma for their point, which would be taken for texts."""
    import pyarrow.compute as pc

    different = [value for value in pc.unique(column.drop_null()).to_pylist() if value]
    n_numbers = sum(has_comma(value) or looks_numeric(value) for value in different)
    if any(map(has_comma, different)) and n_numbers >= MOSTLY * len(different):
        raise _LeaveOutError(f"{content(column)}; write them with a point")


def notes_on(how: Preprocessing, raw: RawData) -> tuple[str, ...]:
    """What a person should know of the choices, one sentence each.

    Args:
        how: the choices.
        raw: the data that they were made for, a table's.
    """
    notes = [f"Left out column `{column.name}`: {column.why}." for column in how.left_out]
    if how.n_unlabelled:
        rows = "1 row has" if how.n_unlabelled == 1 else f"{how.n_unlabelled:,} rows have"
        notes.append(f"{rows} no `{raw.target_name}` and count for nothing.")
    assert raw.table is not None  # noqa: S101 (for the type: only a table has choices)
    for column in how.columns:
        words = column.words if isinstance(column, NumberColumn) else ()
        found = missing_words(raw.table[column.name], words)
        notes += _said_missing(column.name, found, isinstance(column, CategoryColumn))
    return (*notes, *_said_missing(raw.target_name, raw.target_words, raw.y.dtype.kind == "U"))


def _said_missing(name: str, found: Mapping[str, int], is_text: bool) -> list[str]:
    """A note on the words of a column that were taken for no value, if there are any."""
    n = sum(found.values())
    if not n:
        return []
    rows = "1 row" if n == 1 else f"{n:,} rows"
    otherwise = "; if it is a value, write it in another way" * is_text
    return [f"In `{name}`, {listed(sorted(found))} counts as missing, in {rows}{otherwise}."]
