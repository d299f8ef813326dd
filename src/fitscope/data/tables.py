"""Tables: CSV and Parquet files through pyarrow, checked, to numbers and labels."""

import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from fitscope.errors import (
    DataError,
    InputFileError,
    OutputError,
    UnknownNameError,
    near_miss,
)
from fitscope.records import RawData

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["feature_matrix", "raw_from_table", "read_table", "write_table"]

_HEAD_BYTES = 65536
_SUFFIXES = (".csv", ".txt", ".parquet", ".pq")
_PARQUET_MAGIC, _PARQUET_SUFFIXES = b"PAR1", (".parquet", ".pq")


def read_table(path: str | Path, *, as_text: bool = False) -> "pa.Table":
    """Reads a CSV or Parquet file; which one it is must agree with its name.

    A CSV needs a header line. Commas, semicolons, tabs and bars are recognised as separators;
    a byte order mark and Windows line ends do no harm.

    Args:
        path: the file.
        as_text: keep the cells of a CSV as they were written ("0042"); a Parquet file's have
            their types anyway.

    Raises:
        InputFileError: the file is not there, is a folder, is empty or cannot be read.
        DataError: it is no table of that kind, or its column names are unusable.
    """
    path = Path(path)
    head = _head(path)
    if b"\0" in head and not head.startswith(_PARQUET_MAGIC):
        raise DataError(
            f"{path} is no table that can be read here; save it as CSV in UTF-8, or as Parquet."
        )
    parquet = path.suffix.lower() in _PARQUET_SUFFIXES
    if head.startswith(_PARQUET_MAGIC) != parquet:
        kind, suffix = (
            ("a Parquet file", ".parquet") if not parquet else ("no Parquet file", ".csv")
        )
        raise DataError(f"{path} is {kind} by its content; rename it to end in {suffix}.")
    table = _read_parquet(path) if parquet else _read_csv(path, head, as_text=as_text)
    _check_columns(path, table, named=parquet)
    return table


def write_table(table: "pa.Table", path: "str | Path | BinaryIO") -> None:
    """Writes a table as CSV, or as Parquet where the name ends so; an open file gets CSV.

    Raises:
        OutputError: the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    suffix = Path(path).suffix.lower() if isinstance(path, str | Path) else ".csv"
    if suffix not in _SUFFIXES:
        raise OutputError(f"Cannot write {path}: a table's name ends in .csv or .parquet.")
    try:
        if suffix in _PARQUET_SUFFIXES:
            pyarrow.parquet.write_table(table, path)
        else:
            pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(quoting_style="needed"))
    except BrokenPipeError:  # a reader that has seen enough is no failure
        raise
    except (pa.ArrowException, OSError) as error:
        raise OutputError(f"Cannot write {path}: {_reason(error)}.") from None


def raw_from_table(
    table: "pa.Table", *, target: str | None, features: Sequence[str] | None, source: str
) -> RawData:
    """Numbers (n, d) and the target's labels or values (n,) out of a table.

    Args:
        table: the table.
        target: the column to predict.
        features: the columns to predict from; None takes all other numeric ones and notes
            which were left out.
        source: what messages call the table.

    Raises:
        UnknownNameError: a named column is not there.
        DataError: no rows, no usable column, text in a feature, missing or infinite values.
    """
    names = table.column_names
    if target is None:
        raise DataError(f"Name the column to predict with `target`. {source} has {_list(names)}.")
    _check_names([target], names, source)
    if table.num_rows < 2:
        raise DataError(f"{source} has {table.num_rows} rows of data; at least 2 are needed.")
    notes: list[str] = []
    if features is None:
        others = [name for name in names if name != target]
        features = [name for name in others if _is_number(table[name])]
        notes += [
            f"Left out column `{name}`: {_content(table[name])}. To use it, turn it into numbers."
            for name in others
            if name not in features
        ]
        if not features:
            why = " ".join([f"{source} has no numeric column besides `{target}`.", *notes])
            raise DataError(why)
    if len(set(features)) < len(features):
        raise DataError(f"`features` names a column twice: {_list(features)}.")
    if not features or target in features:
        what = f"`{target}` is the target and" if features else "`features` names no column, which"
        raise DataError(f"{what} cannot be learned from; choose other `features`.")
    X = feature_matrix(table, features, source=source)
    constant = [n for n, spread in zip(features, np.ptp(X, axis=0), strict=True) if spread == 0]
    notes += [f"Column `{name}` is constant and tells the model nothing." for name in constant]
    notes += [
        f"Column `{name}` only counts the rows; choose `features` without it."
        for name, steps in zip(features, np.diff(X, axis=0).T, strict=True)
        if len(steps) > 2 and (steps == 1).all()  # 1, 2, 3, ... is no property of a sample
    ]
    return RawData(
        X, _labels(table[target], target, source), tuple(features), target, notes=(*notes,)
    )


def feature_matrix(table: "pa.Table", features: Sequence[str], *, source: str) -> np.ndarray:
    """The named columns as numbers, (n, d) float64.

    Raises:
        UnknownNameError: a column is not there.
        DataError: a column is no numbers, or values are missing or infinite; all are named.
    """
    _check_names(features, table.column_names, source)
    text = [name for name in features if not _is_number(table[name])]
    if text:
        found = "; ".join(f"`{name}` is {_content(table[name])}" for name in text)
        raise DataError(f"Features must be numbers, but in {source} {found}.")
    X = np.empty((table.num_rows, len(features)))
    for i, name in enumerate(features):
        X[:, i] = _numbers(table[name])
    bad = np.argwhere(~np.isfinite(X))
    if len(bad):
        cells = [_cell(features[column], row, X[row, column]) for row, column in bad[:5].tolist()]
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise DataError(
            f"{source} has values that are no numbers: {'; '.join(cells)}{more}. "
            "Fill them in or remove those rows (the first row of data is row 1)."
        )
    return X


def _head(path: Path) -> bytes:
    """The first bytes of a file that can be read and is not empty."""
    if path.is_dir():
        raise InputFileError(f"{path} is a folder; give a CSV or Parquet file.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputFileError(f"Cannot read {path}: {_reason(error)}.") from None
    if not head:
        raise InputFileError(f"{path} is empty (0 bytes).")
    return head


def _read_parquet(path: Path) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            table = file.read()
        table.validate(full=True)
        table.column_names  # noqa: B018 names that are no text fail here
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is a damaged Parquet file: {_reason(error)}.") from None
    return table


def _read_csv(path: Path, head: bytes, *, as_text: bool) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.csv

    if len(head.strip().splitlines()) == 1 and len(head) < _HEAD_BYTES:
        raise DataError(f"{path} has a header and no rows.")
    first_line = re.split(rb"[\r\n]", head.lstrip(b"\xef\xbb\xbf\r\n"), maxsplit=1)[0]
    bare = re.sub(rb'"[^"]*"', b"", first_line)
    delimiter = max(b",", b";", b"\t", b"|", key=bare.count).decode()
    options = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    try:
        kinds = None
        if as_text:
            with pyarrow.csv.open_csv(path, parse_options=options) as start:
                kinds = dict.fromkeys(start.schema.names, pa.string())
        convert = pyarrow.csv.ConvertOptions(column_types=kinds)
        table = pyarrow.csv.read_csv(path, parse_options=options, convert_options=convert)
        columns = zip(table.column_names, table.schema.types, strict=True)
        strange = [name for name, kind in columns if pa.types.is_binary(kind)]
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text in its first line; save it as UTF-8.") from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a regular CSV table: {_reason(error)}.") from None
    if strange:
        raise DataError(f"{path} is not UTF-8 text in column {_list(strange)}; save it as UTF-8.")
    return table


def _check_columns(path: Path, table: "pa.Table", *, named: bool) -> None:
    """Refuses column names that are missing, double, or numbers where a header should be."""
    names = table.column_names
    if not named and all(re.fullmatch(r"\s*[-+]?[\d.]+(e[-+]?\d+)?\s*", n, re.I) for n in names):
        raise DataError(
            f"The first line of {path} holds numbers, {', '.join(names[:4])}; "
            "it must hold the names of the columns."
        )
    if "" in names:
        raise DataError(
            f"{path} has a column without a name, the {names.index('') + 1}. in order; name it or "
            "remove it (tables saved with their row numbers have one)."
        )
    double = sorted(name for name, n in Counter(names).items() if n > 1)
    if double:
        raise DataError(f"{path} has more than one column named {_list(double)}; rename them.")
    if table.num_rows == 0:
        raise DataError(f"{path} has a header and no rows.")


def _check_names(wanted: Sequence[str], names: Sequence[str], source: str) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        hint = near_miss(missing[0], names)
        raise UnknownNameError(
            f"{source} has no column {_list(missing)}; it has {_list(names)}.{hint}"
        )


def _is_number(column: "pa.ChunkedArray") -> bool:
    import pyarrow.types as t

    kind = column.type
    return bool(
        t.is_integer(kind) or t.is_floating(kind) or t.is_boolean(kind) or t.is_decimal(kind)
    )


def _numbers(column: "pa.ChunkedArray") -> np.ndarray:
    """A numeric column as float64, with NaN where a value is missing."""
    import pyarrow as pa
    import pyarrow.types as t

    if t.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())


def _labels(column: "pa.ChunkedArray", name: str, source: str) -> np.ndarray:
    """The target's values, complete: text, truth values or numbers."""
    import pyarrow.types as t

    if t.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    text = t.is_string(column.type) or t.is_large_string(column.type)
    if not text and not _is_number(column):
        raise DataError(f"`{name}` is {_content(column)}; a target is text or numbers.")
    if t.is_decimal(column.type):
        y = _numbers(column)
    else:
        y = np.array(column.to_pylist(), dtype=object if column.null_count else None)
    missing = [value is None or value == "" or _is_nan(value) for value in y.tolist()]
    if any(missing):
        row = missing.index(True)
        raise DataError(
            f"{source}: {_cell(name, row, None)} ({sum(missing)} in all). Remove those rows (the "
            "first row of data is row 1)."
        )
    return y


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _content(column: "pa.ChunkedArray") -> str:
    """What a column that is no numbers holds, with an example: text such as 'red'."""
    import pyarrow.types as t

    if t.is_null(column.type):
        return "empty"
    text = (
        t.is_string(column.type) or t.is_large_string(column.type) or t.is_dictionary(column.type)
    )
    present = column.drop_null()
    odd = [v for v in present.to_pylist() if not _looks_numeric(v)] if text else []
    example = (odd or present.to_pylist() or [None])[0]
    kind = "text" if text else str(column.type)
    if text and re.fullmatch(r"\s*-?[\d.]*\d,\d+\s*", str(example)):
        kind = "numbers with a comma, which only a point is taken for,"
    return f"{kind} such as {str(example)!r}"


def _looks_numeric(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _cell(name: str, row: int, value: float | None) -> str:
    what = "missing" if value is None or np.isnan(value) else "infinite"
    return f"column `{name}`, row {row + 1} is {what}"


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _reason(error: Exception) -> str:
    """The library's own reason in one line, without its stop."""
    number = getattr(error, "errno", None)  # pyarrow's own text repeats the path
    text = os.strerror(number) if number else str(error)
    return " ".join(text.split()).rstrip(".")[:200]
