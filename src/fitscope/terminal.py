"""What the commands print: rows, JSON, a progress bar."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fitscope.preprocessing import Choice, Preprocessing

__all__ = ["print_choices", "print_json", "print_rows", "progress_bar"]

Advance = Callable[[int, int, str], None]
_MOST_PLAIN = 8  # columns of numbers that are shown one by one


def print_rows(rows: Mapping[str, str]) -> None:
    """Names and texts in two columns, the texts wrapped to the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, text in rows.items():
        table.add_row(Text(name, style="bold", no_wrap=True), Text(text))
    Console(highlight=False).print(table)


def print_choices(how: Preprocessing | None) -> None:
    """What is done with each column of a table; many numbers that stay as they are share a row."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if how is None:
        return
    choices = how.choices()
    plain = [choice for choice in choices if choice.what == "as it is"]
    if len(plain) > _MOST_PLAIN:
        rest = tuple(choice for choice in choices if choice.what != "as it is")
        name = f"{len(plain):,} columns" + " more" * bool(rest)
        choices = (*rest, Choice(name, "number", "as they are", 0, len(plain)))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("column", "kind", "what is done"):
        table.add_column(name)
    for name in ("missing", "inputs"):
        table.add_column(name, justify="right")
    for choice in choices:
        table.add_row(*map(Text, choice[:3]), *(f"{number:,}" for number in choice[3:]))
    Console(highlight=False).print(table)


def print_json(facts: Mapping[str, Any]) -> None:
    """One JSON object on stdout, with null for numbers that JSON does not have."""
    import json

    print(json.dumps(_finite(facts), indent=2, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def progress_bar(title: str, unit: str, first: str = "") -> Iterator[Advance | None]:
    """A progress bar on stderr where that is a terminal; else None.

    Yields:
        A function of (done, planned, what stands behind the unit).
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit + "{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, note=first)
        yield lambda done, total, note: bar.update(task, completed=done, total=total, note=note)
