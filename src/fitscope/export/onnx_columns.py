"""The nodes of an ONNX model that turn a table's columns into inputs."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fitscope.export.onnx_graph import Graph
from fitscope.preprocessing import CategoryColumn, Column, NumberColumn, Preprocessing

if TYPE_CHECKING:
    from onnx import ValueInfoProto

__all__ = ["column_inputs", "encoded_columns"]

_DAY_S = 86400.0


def column_inputs(how: Preprocessing) -> "list[ValueInfoProto]":
    """One input a column, (n,): text as strings, all else as doubles."""
    from onnx import TensorProto, helper

    return [
        helper.make_tensor_value_info(
            column.name,
            TensorProto.STRING if column.kind == "category" else TensorProto.DOUBLE,
            ["n"],
        )
        for column in how.columns
    ]


def encoded_columns(graph: Graph, how: Preprocessing) -> str:
    """The inputs (n, d) that the columns make, as `encoding.encoded` has them."""
    blocks = [block for column in how.columns for block in _blocks(graph, column, how.missing)]
    return graph.node("Concat", *blocks, axis=1) if len(blocks) > 1 else blocks[0]


def _blocks(graph: Graph, column: Column, missing: Sequence[str]) -> list[str]:
    """Inputs of one column, each (n, c)."""
    x = column.name
    if isinstance(column, CategoryColumn):
        return _one_hot(graph, column, missing)
    rows = graph.node("Unsqueeze", x, graph.constant(np.array([1])))
    is_missing = graph.node("IsNaN", rows)
    if isinstance(column, NumberColumn):
        values, fills = rows, [column.fill]
    else:
        parts = _date_parts(graph, rows)
        values = graph.node("Concat", *(parts[part] for part in column.parts), axis=1)
        fills = list(column.fills)
    filled = graph.node("Where", is_missing, graph.constant(np.array([fills])), values)
    return [filled, *[_as_double(graph, is_missing)] * column.flag]


def _one_hot(graph: Graph, column: CategoryColumn, missing: Sequence[str]) -> list[str]:
    """A 1 at the text's place; what is rare or unknown has a 1 of its own, or none."""
    same = _spellings(column, missing)
    found = graph.node(
        "OneHotEncoder", column.name, domain="ai.onnx.ml", cats_strings=list(same), zeros=1
    )
    known = _as_double(graph, found)
    if len(same) > len(column.values):
        places = [column.values.index(value) for value in same.values()]
        known = graph.node("MatMul", known, graph.constant(np.eye(len(column.values))[places]))
    if not column.rare:
        return [known]
    total = graph.node("ReduceSum", known, graph.constant(np.array([1])), keepdims=1)
    return [known, graph.node("Sub", graph.constant(np.array(1.0)), total)]


def _spellings(column: CategoryColumn, missing: Sequence[str]) -> dict[str, str]:
    """Every text that is a known one: itself, what stands for no value, and 3.0 for 3."""
    more = dict.fromkeys(missing, "") if "" in column.values else {}
    for value in column.values:
        if re.fullmatch(r"-?\d+(\.0+)?", value):
            whole = value.partition(".")[0]
            more |= dict.fromkeys((whole, f"{whole}.0"), value)
    rare = set(column.rare)
    own = {value: value for value in column.values}
    return own | {text: value for text, value in more.items() if text not in {*own, *rare}}


def _as_double(graph: Graph, x: str) -> str:
    from onnx import TensorProto

    return graph.node("Cast", x, to=TensorProto.DOUBLE)


def _date_parts(graph: Graph, moment: str) -> dict[str, str]:
    """Year, month, day of year, weekday and hour of seconds since 1970, all (n, 1).

    Source:
        Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), `civil_from_days`:
        years begin in March, so that the leap day is the last one.
    """
    calendar = _Calendar(graph)
    day = calendar.whole(moment, _DAY_S)
    z = calendar.add(day, 719468.0)
    era = calendar.whole(z, 146097.0)
    doe = calendar.less(z, era, 146097.0)
    leap = calendar.whole(doe, 1460.0)
    leap = graph.node("Sub", leap, calendar.whole(doe, 36524.0))
    leap = graph.node("Add", leap, calendar.whole(doe, 146096.0))
    yoe = calendar.whole(graph.node("Sub", doe, leap), 365.0)
    start = calendar.days_before(yoe)
    doy = graph.node("Sub", doe, start)  # day of the year that begins in March, from 0
    mp = calendar.whole(calendar.add(calendar.times(doy, 5.0), 2.0), 153.0)
    is_after = calendar.is_at_least(mp, 10.0)  # January and February are of the next year
    month = graph.node("Sub", calendar.add(mp, 3.0), calendar.times(is_after, 12.0))
    year = graph.node("Add", graph.node("Add", yoe, calendar.times(era, 400.0)), is_after)
    before = calendar.add(year, -1.0)  # days before 1 January of the year, counted as `z` is
    first = graph.node("Add", calendar.times(before, 365.0), calendar.leap_days(before))
    first = calendar.add(first, 306.0)
    return {
        "year": year,
        "month": month,
        "day of year": calendar.add(graph.node("Sub", z, first), 1.0),
        "weekday": calendar.add(calendar.rest(calendar.add(day, 3.0), 7.0), 1.0),
        "hour": calendar.divided(calendar.rest(moment, _DAY_S), 3600.0),
    }


class _Calendar:
    """Arithmetic with numbers that stand in the graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def _with(self, kind: str, x: str, number: float) -> str:
        return self.graph.node(kind, x, self.graph.constant(np.array(number)))

    def add(self, x: str, number: float) -> str:
        return self._with("Add", x, number)

    def times(self, x: str, number: float) -> str:
        return self._with("Mul", x, number)

    def divided(self, x: str, number: float) -> str:
        return self._with("Div", x, number)

    def whole(self, x: str, number: float) -> str:
        """How often the number goes into x, rounded down."""
        return self.graph.node("Floor", self.divided(x, number))

    def rest(self, x: str, number: float) -> str:
        """What is left of x then."""
        return self.less(x, self.whole(x, number), number)

    def less(self, x: str, n: str, number: float) -> str:
        """X - n times the number."""
        return self.graph.node("Sub", x, self.times(n, number))

    def is_at_least(self, x: str, number: float) -> str:
        return _as_double(self.graph, self._with("GreaterOrEqual", x, number))

    def leap_days(self, year: str) -> str:
        """Leap days in the years 1 to this one."""
        found = self.graph.node("Sub", self.whole(year, 4.0), self.whole(year, 100.0))
        return self.graph.node("Add", found, self.whole(year, 400.0))

    def days_before(self, yoe: str) -> str:
        """Days in so many years of an era of 400."""
        leap = self.graph.node("Sub", self.whole(yoe, 4.0), self.whole(yoe, 100.0))
        return self.graph.node("Add", self.times(yoe, 365.0), leap)
