"""A table of the workspace, described for the page: its columns, and which one to predict."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscope.cells import is_date, is_number, is_text, plain_column
from fitscope.data import read_table
from fitscope.data.choices import is_taken
from fitscope.errors import DataError
from fitscope.lab.limits import Limits

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["checked_table", "table_facts"]

_FEW_TEXTS = 20  # more different texts than this, and than half of the rows, are no classes


def checked_table(path: Path, limits: Limits) -> "pa.Table":
    """The table, if it is one and not too large.

    Raises:
        FitscopeError: it is none, or too large.
    """
    import pyarrow as pa

    if path.suffix.lower() in (".parquet", ".pq"):  # a small file may hold a huge table
        damages = (pa.ArrowException, OSError, UnicodeDecodeError)
        with suppress(*damages):  # which `read_table` has a sentence for
            _check_parquet(path, limits)
    table = read_table(path)
    limits.check_table(table.num_rows, table.num_columns)
    return table


def table_facts(table: "pa.Table", path: str) -> dict[str, Any]:
    """What the page shows of a table, and the target it suggests: the last column that can be one.

    Raises:
        DataError: no column can be predicted.
    """
    columns = [_column(name, table[name]) for name in table.column_names]
    possible = [column for column in columns if _can_be_target(column, table.num_rows)]
    if not possible:
        raise DataError(
            f"No column of {path} can be predicted: each has a single value, or texts that are "
            "different in every row."
        )
    whole = [column for column in possible if not column["n_missing"]]
    return {
        "path": path,
        "rows": table.num_rows,
        "columns": columns,
        "target": (whole or possible)[-1]["name"],
    }


def _check_parquet(path: Path, limits: Limits) -> None:
    """Refuses a huge table before it is whole in memory."""
    import pyarrow as pa
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        about = file.metadata
        limits.check_table(about.num_rows, about.num_columns)
        schema = file.schema_arrow
        texts = [field.name for field in schema if not pa.types.is_primitive(field.type)]
        if not texts:  # numbers are bounded by their count
            return
        n_bytes = 0
        for batch in file.iter_batches(batch_size=64, columns=texts):
            n_bytes += sum(_n_bytes(column) for column in batch.columns)
            limits.check_table_bytes(n_bytes)


def _n_bytes(column: "pa.Array") -> int:
    """Bytes of the values, each written out."""
    import pyarrow as pa

    is_coded = pa.types.is_dictionary(column.type)
    return int((column.dictionary_decode() if is_coded else column).nbytes)


def _column(name: str, column: "pa.ChunkedArray") -> dict[str, Any]:
    import pyarrow.compute as pc

    column = plain_column(column)
    n_missing, kind = column.null_count, _kind(column.type)
    if kind == "text":
        n_missing += pc.sum(pc.equal(column, "")).as_py() or 0
    if kind == "number" and str(column.type) in ("halffloat", "float", "double"):
        n_missing += pc.sum(pc.is_nan(column)).as_py() or 0
    return {
        "name": name,
        "kind": kind,
        "n_different": 0 if kind == "other" else len(pc.unique(column.drop_null())),
        "n_missing": n_missing,
        "is_taken": is_taken(column),
    }


def _kind(kind: "pa.DataType") -> str:
    """What the values are; "other" is nothing that can be learned from, such as a list."""
    import pyarrow.types as t

    if t.is_boolean(kind):
        return "truth"
    if is_number(kind):
        return "number"
    if is_date(kind):
        return "date"
    return "text" if is_text(kind) else "other"


def _can_be_target(column: dict[str, Any], n_rows: int) -> bool:
    n = column["n_different"]
    if column["kind"] in ("date", "other") or n < 2:
        return False
    return column["kind"] != "text" or int(n) <= max(_FEW_TEXTS, n_rows // 2)
