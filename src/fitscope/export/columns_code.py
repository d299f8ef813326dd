"""The lines of a script that turn a table's columns into inputs, as a `Preprocessing` does."""

from typing import Any

from fitscope.export.source import literal, nested
from fitscope.preprocessing import CategoryColumn, Column, DateColumn, NumberColumn, Preprocessing

__all__ = ["cell_code", "cell_constants", "cell_imports", "date_function"]

# How a CSV says that there is no value, as pyarrow reads it.
_MISSING = "#N/A #NA -NaN -nan N/A NA NULL NaN n/a nan null"
_PARTS = {
    "year": "t.year",
    "month": "t.month",
    "day of year": "t.timetuple().tm_yday",
    "weekday": "t.isoweekday()",
    "hour": "t.hour + t.minute / 60 + (t.second + t.microsecond / 1e6) / 3600",
}


def cell_imports(how: Preprocessing) -> tuple[str, ...]:
    """What the functions need."""
    dated = any(isinstance(column, DateColumn) for column in how.columns)
    return ("from datetime import datetime, timezone",) * dated


def cell_constants(how: Preprocessing) -> tuple[str, ...]:
    """COLUMNS, what is done with each, and MISSING, the cells without a number or a date."""
    words = [word for c in how.columns if isinstance(c, NumberColumn) for word in c.words]
    texts = ", ".join(map(literal, dict.fromkeys(["", *words, *how.target_words])))
    lines = [nested({column.name: _facts(column) for column in how.columns}, "COLUMNS = ")]
    if how.n_unlabelled or any(not isinstance(column, CategoryColumn) for column in how.columns):
        lines.append(f'MISSING = {{{texts}, *"{_MISSING}".split()}}')
    return tuple(lines)


def _facts(column: Column) -> dict[str, Any]:
    if isinstance(column, CategoryColumn):
        return {"values": list(column.values), "other": bool(column.rare)}
    if isinstance(column, DateColumn):
        return {"parts": dict(zip(column.parts, column.fills, strict=True)), "flag": column.flag}
    return {"fill": column.fill, "flag": column.flag}


def cell_code(how: Preprocessing) -> str:
    """The function `inputs_of(name, cell)`, with what this table needs and nothing else."""
    flag = ""
    if any(not isinstance(column, CategoryColumn) and column.flag for column in how.columns):
        flag = ' + [float(is_missing)] * how["flag"]'
    code = {
        CategoryColumn: (
            'if "values" in how:  # an input for each known text; the rare ones share one',
            'found = [float(cell == value) for value in how["values"]]',
            'return found + [1 - sum(found)] * how["other"]',
        ),
        DateColumn: (
            'if "parts" in how:',
            'parts = how["parts"] if is_missing else date_parts(cell)',
            f'return [float(parts[part]) for part in how["parts"]]{flag}',
        ),
        NumberColumn: (
            "",
            'cell = how["fill"] if is_missing else {"true": 1, "false": 0}.get(cell.lower(), cell)',
            f"return [float(cell)]{flag}",
        ),
    }
    lines = ["how = COLUMNS[name]"]
    kinds = [kind for kind in code if any(isinstance(column, kind) for column in how.columns)]
    for kind in kinds:
        test, *inner = code[kind]
        if kind is not CategoryColumn and "is_missing = cell in MISSING" not in lines:
            lines.append("is_missing = cell in MISSING")
        lines += inner if kind is kinds[-1] else [test, *(f"    {line}" for line in inner)]
    function = [
        "def inputs_of(name, cell):",
        '    """What a cell of the table is for the network: one or more numbers."""',
        *(f"    {line}" for line in lines),
    ]
    dates = [date_function(how)] * (DateColumn in kinds)
    return "\n\n\n".join([*dates, "\n".join(function)])


def date_function(how: Preprocessing) -> str:
    """The function `date_parts(cell)`, with the parts that this table needs."""
    used = {part for c in how.columns if isinstance(c, DateColumn) for part in c.parts}
    return "\n".join(
        [
            "def date_parts(cell):",
            '    """The parts of a date such as 2020-01-31 10:30, or of a time of day."""',
            '    t = datetime.fromisoformat(cell if "-" in cell else f"1970-01-01 {cell}")',
            "    if t.tzinfo:",
            "        t = t.astimezone(timezone.utc)",
            "    return {",
            *(f'        "{part}": {code},' for part, code in _PARTS.items() if part in used),
            "    }",
        ]
    )
