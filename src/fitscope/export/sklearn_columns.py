"""The lines of a scikit-learn script that turn a table's columns into inputs."""

import sys
from typing import Any

from fitscope.export.columns_code import (
    WHOLE,
    cell_imports,
    date_function,
    has_codes,
    missing_code,
)
from fitscope.export.source import nested
from fitscope.preprocessing import CategoryColumn, Column, DateColumn, NumberColumn, Preprocessing

__all__ = ["column_imports", "column_transformer", "example_row"]

_NOTHING = ("None", "NaT", "<NA>")  # the text of what a data frame has in gaps
# Numbers as pyarrow writes them, which made the texts that training saw: true, 1, 0.00001, 1e-7.
_TEXTS = '''\
def text_of(cell):
    """A cell as text, "" where there is none; true for True, 1 for 1.0, 0.00001 for 1e-5."""
    text = str(cell)
    if text in (MISSING if isinstance(cell, str) else ("None", "nan", "NaT", "<NA>")):
        return ""
    if isinstance(cell, (bool, np.bool_)):
        return text.lower()
    if not isinstance(cell, (float, np.floating)):
        return text
    if cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if 1e-6 <= abs(cell) < 1e10:
        return np.format_float_positional(cell, trim="-")
    return np.format_float_scientific(cell, trim="-", exp_digits=1)


AS_TEXTS


def texts(known):
    """An input for each known text; unknown ones share that of the rare ones, if there are any."""
    encoder = OneHotEncoder(
        categories=[known],
        min_frequency=2,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    return make_pipeline(FunctionTransformer(as_texts, kw_args={"known": known}), encoder)'''
_AS_TEXTS = """\
def as_texts(X, known):
    return np.array([[text_of(cell)] for (cell,) in np.asarray(X)], dtype=object)"""
_AS_CODES = '''\
def as_texts(X, known):
    """Cells as text; one that is not known as the same whole number that is, if there is one."""
    same = {whole(text): text for text in known} | {text: text for text in known}
    texts = [text_of(cell) for (cell,) in np.asarray(X)]
    found = [same.get(text, same.get(whole(text), text)) for text in texts]
    return np.array(found, dtype=object)[:, None]'''
_NUMBERS = '''\
def number(cell):
    """A cell as a number, nan where there is none; true and false count as 1 and 0."""
    if str(cell) in NO_NUMBER:
        return np.nan
    return float({"true": 1, "false": 0}.get(str(cell).strip().lower(), cell))


def as_numbers(X):
    return np.array([[number(cell)] for (cell,) in np.asarray(X, dtype=object)])


imputer = SimpleImputer(strategy="median", add_indicator=True)
numbers = make_pipeline(FunctionTransformer(as_numbers), imputer)'''
_DATES = '''\
def as_parts(X, parts, flag):
    """The parts of dates, and whether each is missing."""
    cells = [str(cell) for (cell,) in np.asarray(X, dtype=object)]
    dates = [parts if cell in NO_NUMBER else date_parts(cell) for cell in cells]
    found = [[date[part] for part in parts] for date in dates]
    return np.array([row + [cell in NO_NUMBER] * flag for row, cell in zip(found, cells)], float)


def dates(parts, flag):
    return FunctionTransformer(as_parts, kw_args={"parts": parts, "flag": flag})'''


def column_imports(how: Preprocessing) -> tuple[list[str], list[str]]:
    """Import lines of Python's own, and those of scikit-learn but for preprocessing."""
    own = list(cell_imports(how))
    own += [""] * bool(own)
    others = ["from sklearn.compose import ColumnTransformer"]
    others += ["from sklearn.impute import SimpleImputer"] * _has(how, NumberColumn)
    return own, others


def _has(how: Preprocessing, kind: type) -> bool:
    return any(isinstance(column, kind) for column in how.columns)


def column_transformer(how: Preprocessing) -> list[str]:
    """A ColumnTransformer `columns`, fitted on a few rows that have what training saw."""
    has_more = _has(how, NumberColumn) or _has(how, DateColumn)
    functions = ["\n".join(missing_code(how, _NOTHING)[: 1 + has_more])]
    functions += [WHOLE] * has_codes(how)
    functions += [_texts(how)] * _has(how, CategoryColumn)
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


def _texts(how: Preprocessing) -> str:
    """The functions of text: a cell that is no known one may be the same whole number."""
    code = _TEXTS.replace("AS_TEXTS", _AS_CODES if has_codes(how) else _AS_TEXTS)
    return code if how.missing else code.replace("MISSING if isinstance", "() if isinstance")


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
