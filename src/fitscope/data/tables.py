"""Tables: CSV and Parquet files through pyarrow, checked, to numbers and labels."""

import io
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from fitscope.cells import (
    check_finite,
    check_names,
    content,
    is_number,
    listed,
    numbers,
    plain_column,
)
from fitscope.errors import DataError, InputFileError, OutputError
from fitscope.rawdata import RawData, input_columns, raw_of, target_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["feature_matrix", "raw_from_table", "read_table", "write_table"]

_HEAD_BYTES = 65536
_SUFFIXES = (".csv", ".txt", ".parquet", ".pq")
_PARQUET_MAGIC, _PARQUET_SUFFIXES = b"PAR1", (".parquet", ".pq")


def read_table(path: str | Path, *, as_text: bool = False, texts: Sequence[str] = ()) -> "pa.Table":
    """Reads a CSV or Parquet file; which one it is must agree with its name.

    A CSV needs a header line. Commas, semicolons, tabs and bars are recognised as separators;
    a byte order mark and Windows line ends do no harm.

    Args:
        path: the file.
        as_text: keep the cells of a CSV as they were written ("0042"); a Parquet file's have
            their types anyway.
        texts: columns of a CSV whose cells alone are kept so; others may not be there.

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
    table = (
        _read_parquet(path) if parquet else _read_csv(path, head, texts=None if as_text else texts)
    )
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
    table: "pa.Table",
    *,
    target: str | None,
    features: Sequence[str] | None,
    drop: Sequence[str] = (),
    categories: Sequence[str] = (),
    source: str,
) -> RawData:
    """The columns that may be inputs, as they are, and the target's labels or values (n,).

    Rows without a target are left out.

    Args:
        table: the table.
        target: the column to predict.
        features: the columns to predict from; None takes all others.
        drop: columns that are no inputs.
        categories: columns of numbers that are codes.
        source: what messages call the table.

    Raises:
        UnknownNameError: a named column is not there.
        DataError: no rows, no column besides the target, or a target that cannot be one.
    """
    names = table.column_names
    if target is None:
        raise DataError(f"Name the column to predict with `target`. {source} has {listed(names)}.")
    inputs = input_columns(
        names, target=target, features=features, drop=drop, categories=categories, source=source
    )
    if table.num_rows < 2:
        raise DataError(f"{source} has {table.num_rows} rows of data; at least 2 are needed.")
    raw = raw_of(table.select(inputs), target_of(table[target], target), target)
    if len(raw.y) < 2:
        raise DataError(f"{source} has {len(raw.y)} rows with a `{target}`; at least 2 are needed.")
    return raw


def feature_matrix(table: "pa.Table", features: Sequence[str], *, source: str) -> np.ndarray:
    """The named columns as numbers, (n, d) float64.

    Raises:
        UnknownNameError: a column is not there.
        DataError: a column is no numbers, or values are missing or infinite; all are named.
    """
    check_names(features, table.column_names, source)
    columns = {name: plain_column(table[name]) for name in features}
    text = [name for name, column in columns.items() if not is_number(column.type)]
    if text:
        found = "; ".join(f"`{name}` is {content(columns[name])}" for name in text)
        raise DataError(f"Features must be numbers, but in {source} {found}.")
    X = np.empty((table.num_rows, len(features)))
    for i, column in enumerate(columns.values()):
        X[:, i] = numbers(column)
    check_finite(X, features, source)
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


def _read_csv(path: Path, head: bytes, *, texts: Sequence[str] | None) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.csv

    if len(head.strip().splitlines()) == 1 and len(head) < _HEAD_BYTES:
        raise DataError(f"{path} has a header and no rows.")
    first_line = re.split(rb"[\r\n]", head.lstrip(b"\xef\xbb\xbf\r\n"), maxsplit=1)[0]
    bare = re.sub(rb'"[^"]*"', b"", first_line)
    delimiter = max(b",", b";", b"\t", b"|", key=bare.count).decode()
    options = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    try:
        kinds = dict.fromkeys(texts or (), pa.string())
        with pyarrow.csv.open_csv(path, parse_options=options) as start:
            names = start.schema.names
        if texts is None:
            kinds = dict.fromkeys(names, pa.string())
        convert = pyarrow.csv.ConvertOptions(column_types=kinds)
        file: Any = path
        if len(names) == 1:  # whose missing cells are empty lines, but for those at either end
            options.ignore_empty_lines = False
            file = io.BytesIO(path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip(b"\r\n"))
        table = pyarrow.csv.read_csv(file, parse_options=options, convert_options=convert)
        columns = zip(table.column_names, table.schema.types, strict=True)
        strange = [name for name, kind in columns if pa.types.is_binary(kind)]
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text in its first line; save it as UTF-8.") from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a regular CSV table: {_reason(error)}.") from None
    if strange:
        raise DataError(f"{path} is not UTF-8 text in column {listed(strange)}; save it as UTF-8.")
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
        raise DataError(f"{path} has more than one column named {listed(double)}; rename them.")
    if table.num_rows == 0:
        raise DataError(f"{path} has a header and no rows.")


def _reason(error: Exception) -> str:
    """The library's own reason in one line, without its stop."""
    number = getattr(error, "errno", None)  # pyarrow's own text repeats the path
    text = os.strerror(number) if number else str(error)
    return " ".join(text.split()).rstrip(".")[:200]
