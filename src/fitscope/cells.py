"""The columns of a table as numbers, texts and moments; what they hold, in words."""

import contextlib
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np
from jaxtyping import Float64

from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.preprocessing import Part

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "MISSING",
    "MOSTLY",
    "PARTS",
    "check_finite",
    "check_names",
    "content",
    "date_parts",
    "dated",
    "has_comma",
    "is_coded",
    "is_date",
    "is_number",
    "is_text",
    "is_time",
    "listed",
    "looks_numeric",
    "missing_words",
    "numbers",
    "odd_words",
    "plain_column",
    "seconds",
    "texts",
    "typed",
    "whole",
]

PARTS: tuple[Part, ...] = get_args(Part)
MOSTLY = 0.9  # share of a column that makes it one of numbers
# What a text says that stands for no value: the words that pyarrow takes for it between numbers.
MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("N/A", "NA", "NULL", "NaN", "n/a", "nan", "null"),
)
_DAY_S = 86400
_EXACT = 2.0**53  # whole numbers below it are exact in float64
_ODD_WORDS = 3


def check_names(wanted: Sequence[str], names: Sequence[str], source: str) -> None:
    """Refuses names of columns that are not there; the nearest one is asked for.

    Raises:
        UnknownNameError: a column is not there.
    """
    missing = [name for name in wanted if name not in set(names)]
    if missing:
        hint = near_miss(missing[0], names)
        raise UnknownNameError(
            f"{source} has no column {listed(missing)}; it has {listed(names)}.{hint}"
        )


def check_finite(X: Float64[np.ndarray, "n d"], names: Sequence[str], source: str) -> None:
    """Refuses numbers that are missing or infinite; the first five are named.

    Raises:
        DataError: there are some.
    """
    bad = np.argwhere(~np.isfinite(X))
    if not len(bad):
        return
    cells = [
        f"column `{names[column]}`, row {row + 1} is "
        + ("missing" if np.isnan(X[row, column]) else "infinite")
        for row, column in bad[:5].tolist()
    ]
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    raise DataError(
        f"{source} has values that are no numbers: {'; '.join(cells)}{more}. "
        "Fill them in or remove those rows (the first row of data is row 1)."
    )


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, at most twelve."""
    shown = ", ".join(f"`{name}`" for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def plain_column(column: "pa.ChunkedArray", missing: Sequence[str] = MISSING) -> "pa.ChunkedArray":
    """The column without its dictionary, and text in the one form that everything takes.

    Args:
        column: any column of a table.
        missing: texts that stand for no value.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_coded(column):
        is_words = is_text(column.type.value_type)
        kind = pa.string() if is_words else column.type.value_type
        chunks = [chunk.dictionary.cast(kind).take(chunk.indices) for chunk in column.chunks]
        column = pa.chunked_array(chunks, kind)
    if not is_text(column.type):
        return column
    column = column.cast(pa.string())
    return pc.if_else(pc.is_in(column, value_set=pa.array(missing, pa.string())), None, column)


def missing_words(column: "pa.ChunkedArray", words: Sequence[str] = ()) -> dict[str, int]:
    """The words of a column that stand for no value, and in how many rows.

    Args:
        column: any column of a table.
        words: texts that do so besides the usual ones.

    Example:
        >>> import pyarrow as pa
        >>> missing_words(pa.chunked_array([["a", "NA", "", "NA"]]))
        {'NA': 2}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = plain_column(column, ())
    if not is_text(column.type):
        return {}
    said = pa.array([*MISSING[1:], *words], pa.string())
    counts = pc.value_counts(column.filter(pc.is_in(column, value_set=said)))
    return {item["values"]: item["counts"] for item in counts.to_pylist()}


def is_coded(column: "pa.ChunkedArray") -> bool:
    """Whether a column is one of categories by its type, as pandas and polars have them."""
    import pyarrow.types as t

    return bool(t.is_dictionary(column.type))


def is_number(kind: "pa.DataType") -> bool:
    """Whether a type is one of numbers or truth values."""
    import pyarrow.types as t

    return bool(
        t.is_integer(kind) or t.is_floating(kind) or t.is_boolean(kind) or t.is_decimal(kind)
    )


def is_text(kind: "pa.DataType") -> bool:
    """Whether a type is text."""
    import pyarrow.types as t

    return bool(t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind))


def is_date(kind: "pa.DataType") -> bool:
    """Whether a type is a date, a date with a time, or a time of day."""
    import pyarrow.types as t

    return bool(t.is_date(kind) or t.is_timestamp(kind) or t.is_time(kind))


def is_time(kind: "pa.DataType") -> bool:
    """Whether a type is a time of day."""
    import pyarrow.types as t

    return bool(t.is_time(kind))


def texts(column: "pa.ChunkedArray") -> "pa.ChunkedArray | None":
    """A column as text, "" where a value is missing; None where it is neither text nor numbers.

    Whole numbers are so spelled among fractions too, since gaps make fractions of them.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    if not (is_text(column.type) or is_number(column.type) or t.is_null(column.type)):
        return None
    found = column.cast(pa.string())
    if t.is_floating(column.type):
        wide = column.cast(pa.float64())
        is_whole = pc.and_(pc.equal(pc.floor(wide), wide), pc.less(pc.abs(wide), _EXACT))
        integers = pc.if_else(is_whole, wide, None).cast(pa.int64()).cast(pa.string())
        found = pc.if_else(pc.is_nan(wide), None, pc.coalesce(integers, found))
    return found.fill_null("")


def whole(found: "pa.ChunkedArray | pa.Array") -> "pa.ChunkedArray | pa.Array":
    """Texts in which a whole number has no fraction: "3" for "3.0".

    Example:
        >>> import pyarrow as pa
        >>> whole(pa.array(["3.0", "07.0", "2.5", "v1.0"])).to_pylist()
        ['3', '07', '2.5', 'v1.0']
    """
    import pyarrow.compute as pc

    return pc.replace_substring_regex(found, r"^(-?\d+)\.0+$", r"\1")


def typed(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Text as the truth values, numbers or dates that it says in every row; else as it is.

    Numbers with leading zeros are codes and stay text.

    Example:
        >>> import pyarrow as pa
        >>> [str(typed(pa.chunked_array([[cell]])).type) for cell in ("true", "2", "12:30", "007")]
        ['bool', 'double', 'time64[us]', 'string']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    present = column.drop_null()
    if numbers(present[:1]) is None and dated(present[:1]) is None:  # a cell tells most texts
        return column
    low = pc.utf8_lower(pc.utf8_trim_whitespace(present))
    is_truth = pc.is_in(low, value_set=pa.array(["true", "false"]))
    n_truth = pc.sum(is_truth).as_py()
    if n_truth is None or pc.any(pc.match_substring_regex(low, r"^0\d+$")).as_py():
        return column
    values = numbers(column) if n_truth in (0, len(low)) else None
    if values is None:
        found = dated(column)
        return column if found is None else found
    kind = pa.bool_() if n_truth else pa.float64()
    return pa.chunked_array([pa.array(values, from_pandas=True).cast(kind)])


def numbers(
    column: "pa.ChunkedArray", words: Sequence[str] = ()
) -> Float64[np.ndarray, " n"] | None:
    """A column as float64, NaN where a value is missing; None where it is no numbers.

    Args:
        column: numbers, truth values, or text that holds them.
        words: texts that count as missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    if is_text(column.type):
        low = pc.utf8_lower(pc.utf8_trim_whitespace(column))
        column = pc.if_else(pc.is_in(column, value_set=pa.array(["", *words])), None, low)
        for word, digit in (("true", "1"), ("false", "0")):
            column = pc.if_else(pc.equal(column, word), digit, column)
    elif not (is_number(column.type) or t.is_null(column.type)):
        return None
    if t.is_boolean(column.type):
        column = column.cast(pa.int8())
    try:
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    except pa.ArrowInvalid:
        return None


def seconds(column: "pa.ChunkedArray") -> Float64[np.ndarray, " n"] | None:
    """Dates as seconds since 1970 in UTC, NaN where one is missing; None where they are none.

    Of times of day it is the seconds since midnight.
    """
    import pyarrow as pa
    import pyarrow.types as t

    found = dated(column)
    if found is None or t.is_null(found.type):
        return None if found is None else np.full(len(column), np.nan)
    zone = found.type.tz if t.is_timestamp(found.type) else None
    fine = pa.time64("us") if is_time(found.type) else pa.timestamp("us", zone)
    micros = found.cast(fine, safe=False).cast(pa.int64())
    return np.asarray(micros.cast(pa.float64(), safe=False).to_numpy() / 1e6, dtype=np.float64)


def dated(column: "pa.ChunkedArray") -> "pa.ChunkedArray | None":
    """Dates as they are, text as dates or times of day; None where some is none."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    if not is_text(column.type):
        return column if is_date(column.type) or t.is_null(column.type) else None
    column = pc.if_else(pc.equal(column, ""), None, column)
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        with contextlib.suppress(pa.ArrowInvalid):
            return column.cast(kind)
    is_clock = pc.match_substring_regex(column, r"^\d\d:\d\d(:\d\d(\.\d+)?)?$")
    if not pc.all(is_clock).as_py():
        return None
    with contextlib.suppress(pa.ArrowInvalid):  # 25:00 is no time
        moments = pc.binary_join_element_wise("1970-01-01", column, " ").cast(pa.timestamp("us"))
        return moments.cast(pa.time64("us"))
    return None


def date_parts(moments: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n 5"]:
    """The `PARTS` of moments in seconds since 1970; Monday is weekday 1, half past six hour 6.5.

    Example:
        >>> date_parts(np.array([1.5 * 86400])).tolist()  # noon of 2 January 1970, a Friday
        [[1970.0, 1.0, 2.0, 5.0, 12.0]]
    """
    is_missing = np.isnan(moments)
    whole = np.where(is_missing, 0.0, moments)
    day = np.floor(whole / _DAY_S)
    days = day.astype("int64").astype("datetime64[D]")
    years, months = days.astype("datetime64[Y]"), days.astype("datetime64[M]")
    columns = [
        years.astype("int64") + 1970,
        (months - years).astype("int64") + 1,
        (days - years).astype("int64") + 1,
        (day + 3) % 7 + 1,  # 1970-01-01 was a Thursday
        (whole - day * _DAY_S) / 3600,
    ]
    parts = np.stack(columns, axis=1).astype(np.float64)
    parts[is_missing] = np.nan
    return parts


def content(column: "pa.ChunkedArray") -> str:
    """What a column holds, with an example: text such as 'red'."""
    import pyarrow.types as t

    if t.is_null(column.type) or column.null_count == len(column):
        return "empty"
    text = is_text(column.type)
    present = column.drop_null().to_pylist()
    odd = [value for value in present if not looks_numeric(value)] if text else []
    example = (odd or present)[0]
    kind = "text" if text else str(column.type)
    if text and has_comma(example):
        kind = "numbers with a comma, which only a point is taken for,"
    return f"{kind} such as {str(example)!r}"


def odd_words(column: "pa.ChunkedArray", *, more_than: int = 0) -> tuple[str, ...]:
    """The few texts between numbers that say "missing", as "?" does; none where there are none.

    Args:
        column: text.
        more_than: so many different numbers are too few, and may be labels.

    Example:
        >>> import pyarrow as pa
        >>> odd_words(pa.chunked_array([["1.5", "2", "3"] * 5 + ["?"]]))
        ('?',)
    """
    import pyarrow.compute as pc

    counts = {
        str(item["values"]): item["counts"]
        for item in pc.value_counts(column.drop_null()).to_pylist()
    }
    counts.pop("", None)
    odd = [value for value in counts if not looks_numeric(value) and value.lower() != "nan"]
    n_odd = sum(counts[value] for value in odd)
    n = sum(counts.values())
    is_way = 0 < len(odd) <= _ODD_WORDS and n - n_odd >= MOSTLY * n
    is_way = is_way and len(counts) - len(odd) > more_than
    if not is_way or any(re.search(r"\d", value) for value in odd):  # "3+" is a value
        return ()
    return tuple(sorted(odd)) if numbers(column, odd) is not None else ()


def has_comma(value: object) -> bool:
    """Whether a text is a number with a comma for its point."""
    return re.fullmatch(r"\s*-?[\d.]*\d,\d+\s*", str(value)) is not None


def looks_numeric(value: object) -> bool:
    """Whether a text is a finite number."""
    try:
        return math.isfinite(float(str(value)))
    except ValueError:
        return False
