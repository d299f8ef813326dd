"""The lines of a scikit-learn script that turn a table's columns into inputs."""

import sys
from typing import Any

from fitscope.export.columns_code import date_function
from fitscope.export.source import literal, nested
from fitscope.preprocessing import CategoryColumn, Column, DateColumn, NumberColumn, Preprocessing

__all__ = ["column_imports", "column_transformer", "example_row"]

_TEXTS = '''\
def text_of(cell):
    """A cell as text, "" where there is none."""
    if cell is None or cell != cell:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def as_texts(X):
    return np.array([[text_of(cell)] for (cell,) in np.asarray(X, dtype=object)], dtype=object)


def texts(known):
    """An input for each known text; unknown ones share that of the rare ones, if there are any."""
    encoder = OneHotEncoder(
        categories=[known],
        min_frequency=2,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    return make_pipeline(FunctionTransformer(as_texts), encoder)'''
_NUMBERS = '''\
def as_numbers(X):
    """Cells as numbers, nan where there is none."""
    cells = np.asarray(X, dtype=object)
    return np.array([[np.nan if str(cell) in MISSING else float(cell)] for (cell,) in cells])


imputer = SimpleImputer(strategy="median", add_indicator=True)
numbers = make_pipeline(FunctionTransformer(as_numbers), imputer)'''
_DATES = '''\
def as_parts(X, parts, flag):
    """The parts of dates, and whether each is missing."""
    cells = [str(cell) for (cell,) in np.asarray(X, dtype=object)]
    dates = [parts if cell in MISSING else date_parts(cell) for cell in cells]
    found = [[date[part] for part in parts] for date in dates]
    return np.array([row + [cell in MISSING] * flag for row, cell in zip(found, cells)], float)


def dates(parts, flag):
    return FunctionTransformer(as_parts, kw_args={"parts": parts, "flag": flag})'''


def column_imports(how: Preprocessing) -> tuple[list[str], list[str]]:
    """Import lines of Python's own, and those of scikit-learn but for preprocessing."""
    own = ["from datetime import datetime, timezone", ""] * _has(how, DateColumn)
    others = ["from sklearn.compose import ColumnTransformer"]
    others += ["from sklearn.impute import SimpleImputer"] * _has(how, NumberColumn)
    return own, others


def _has(how: Preprocessing, kind: type) -> bool:
    return any(isinstance(column, kind) for column in how.columns)


def column_transformer(how: Preprocessing) -> list[str]:
    """A ColumnTransformer `columns`, fitted on a few rows that have what training saw."""
    words = [word for c in how.columns if isinstance(c, NumberColumn) for word in c.words]
    missing = ", ".join(map(literal, ["", "None", "nan", "NaT", "<NA>", *words]))
    functions = [_TEXTS] * _has(how, CategoryColumn)
    if _has(how, NumberColumn) or _has(how, DateColumn):
        functions.append(f"MISSING = {{{missing}}}")
    functions += [_NUMBERS] * _has(how, NumberColumn)
    functions += [date_function(how), _DATES] * _has(how, DateColumn)
    parts = [f'    ("{i}", {_transformer(column)}, [{i}]),' for i, column in enumerate(how.columns)]
    return [
        *"\n\n\n".join(functions).split("\n"),
        "",
        "",
        "# What training saw, in short: every known text twice, a rare one once, medians, gaps.",
        *nested([_seen(column) for column in how.columns], "SEEN = ").split("\n"),
        "n_rows = max(map(len, SEEN))",
        "rows = [column + column[:1] * (n_rows - len(column)) for column in SEEN]",
        "transformers = [",
        *parts,
        "]",
        "columns = ColumnTransformer(transformers).fit(np.array(rows, dtype=object).T)",
    ]


def _transformer(column: Column) -> str:
    """What turns one column into its inputs."""
    if isinstance(column, NumberColumn):
        return "numbers"
    if isinstance(column, DateColumn):
        parts = dict(zip(column.parts, column.fills, strict=True))
        return f"dates({_flat(parts)}, {column.flag})"
    return f"texts({_flat([*column.values, *column.rare[:1]])})"


def _seen(column: Column) -> list[Any]:
    if isinstance(column, CategoryColumn):
        return [*column.values, *column.values, *column.rare[:1]]
    if isinstance(column, DateColumn):
        return ["2020-01-31"]
    return [column.fill, *[None] * column.flag]


def example_row(how: Preprocessing) -> str:
    """A row of the table, as a list of Python."""
    return _flat([_seen(column)[0] for column in how.columns])


def _flat(value: object) -> str:
    """A value on one line, however long."""
    return nested(value, width=sys.maxsize)
