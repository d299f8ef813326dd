"""The lines of a script that turn a table's columns into inputs, as a `Preprocessing` does."""

import re
from collections.abc import Sequence
from typing import Any

from fitscope.cells import MISSING
from fitscope.export.source import listing, literal, nested
from fitscope.preprocessing import CategoryColumn, Column, DateColumn, NumberColumn, Preprocessing

__all__ = [
    "WHOLE",
    "cell_code",
    "cell_constants",
    "cell_imports",
    "date_function",
    "has_codes",
    "missing_code",
    "words_of",
]

WHOLE = '''\
def whole(text):
    """3 for 3.0, which gaps make of it."""
    return re.sub(r"^(-?\\d+)\\.0+$", r"\\1", text)'''
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
    return ("import re",) * has_codes(how) + ("from datetime import datetime, timezone",) * dated


def cell_constants(how: Preprocessing) -> tuple[str, ...]:
    """COLUMNS, what is done with each, and MISSING and NO_NUMBER, the cells that say nothing."""
    lines = [nested({column.name: _facts(column) for column in how.columns}, "COLUMNS = ")]
    if how.n_unlabelled or how.missing or _kinds(how) != [CategoryColumn]:
        lines += missing_code(how, how.target_words)
    return tuple(lines)


def missing_code(how: Preprocessing, words: Sequence[str] = ()) -> list[str]:
    """MISSING, texts that stand for no value, and NO_NUMBER, if there are more between numbers.

    Args:
        how: the recipes, which have some of these.
        words: others.
    """
    missing = how.missing or MISSING
    plain = [word for word in missing if word and " " not in word]
    others = [literal(word) for word in missing if word not in plain]
    code = [listing("MISSING", [*others, f"*{literal(' '.join(plain))}.split()"])]
    more = [literal(word) for word in words_of(how, words)]
    return code + [listing("NO_NUMBER", ["*MISSING", *more])] * bool(more)


def words_of(how: Preprocessing, words: Sequence[str] = ()) -> list[str]:
    """The texts that say "missing" between numbers alone: some columns' own, and further ones."""
    own = [word for c in how.columns if isinstance(c, NumberColumn) for word in c.words]
    known = set(how.missing or MISSING)
    return [word for word in dict.fromkeys([*words, *own]) if word not in known]


def has_codes(how: Preprocessing) -> bool:
    """Whether a known text is a whole number, which a cell may have with a fraction of 0."""
    return any(
        re.fullmatch(r"-?\d+(\.0+)?", value)
        for column in how.columns
        if isinstance(column, CategoryColumn)
        for value in column.values
    )


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
    name = "NO_NUMBER" if words_of(how, how.target_words) else "MISSING"
    is_missing = f"is_missing = cell in {name}"
    gap = ('cell = "" if cell in MISSING else cell',) * bool(how.missing)
    same = ('cell = cell if cell in how["values"] else whole(cell)',) * has_codes(how)
    code: dict[type, tuple[str, ...]] = {
        CategoryColumn: (
            'if "values" in how:  # an input for each known text; the rare ones share one',
            *gap,
            *same,
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
    kinds = _kinds(how)
    for kind in kinds:
        test, *inner = code[kind]
        if kind is not CategoryColumn and is_missing not in lines:
            lines.append(is_missing)
        lines += inner if kind is kinds[-1] else [test, *(f"    {line}" for line in inner)]
    function = [
        "def inputs_of(name, cell):",
        '    """What a cell of the table is for the network: one or more numbers."""',
        *(f"    {line}" for line in lines),
    ]
    before = [WHOLE] * has_codes(how) + [date_function(how)] * (DateColumn in kinds)
    return "\n\n\n".join([*before, "\n".join(function)])


def _kinds(how: Preprocessing) -> list[type]:
    """The kinds of columns that there are."""
    known = (CategoryColumn, DateColumn, NumberColumn)
    return [kind for kind in known if any(isinstance(column, kind) for column in how.columns)]


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
