"""What the commands print: rows, JSON, a progress bar."""

import dataclasses
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscope.preprocessing import Choice, Preprocessing

if TYPE_CHECKING:
    from fitscope.analysis import Summary
    from fitscope.ladder import Search
    from fitscope.records import Run

__all__ = [
    "print_choices",
    "print_json",
    "print_rows",
    "print_search",
    "print_summary",
    "progress_bar",
]

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


def print_search(found: "Search") -> None:
    """How each model did on the held-out folds, and what it means."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from fitscope.ladder import standard_error

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("model", "l2", found.loss_name, found.score_name):
        table.add_column(name, justify="left" if name == "model" else "right")
    for rung in (found.baseline, *found.rungs, found.boosting):
        means = [f"{v.mean():.4g} +- {standard_error(v):.2g}" for v in (rung.losses, rung.scores)]
        style = "bold" if rung is found.rungs[found.chosen] else None
        table.add_row(rung.name, "" if rung.l2 is None else f"{rung.l2:g}", *means, style=style)
    console = Console(highlight=False)
    console.print(table)
    console.print("\n".join(found.sentences), markup=False)
    console.print(f"Judged by the {found.loss_name}.\n")


def _facts(found: "Search") -> dict[str, Any]:
    """A search as JSON has it."""
    every = (found.baseline, *found.rungs, found.boosting)
    return {
        "chosen": found.rungs[found.chosen].name,
        "loss": found.loss_name,
        "score": found.score_name,
        "models": [
            {
                "name": rung.name,
                "hidden": rung.hidden,
                "l2": rung.l2,
                "losses": rung.losses.tolist(),
                "scores": rung.scores.tolist(),
            }
            for rung in every
        ],
        "sentences": found.sentences,
    }


def print_summary(
    run: "Run",
    *,
    step: int,
    json: bool,
    files: Mapping[str, Path] | None = None,
    search: "Search | None" = None,
) -> None:
    """A run's summary, and the files that were written."""
    from fitscope.analysis import summary

    facts = summary(run, step=step)
    if json:
        found = {name: str(path) for name, path in (files or {}).items()}
        how = run.dataset.preprocessing
        columns = {"columns": [row._asdict() for row in how.choices()]} if how else {}
        told = {"search": _facts(search)} if search else {}
        print_json({**dataclasses.asdict(facts), **columns, **told, "files": found})
        return
    print(facts.title)
    print_rows(_summary_rows(facts))
    for name, path in (files or {}).items():
        print(f"{name.capitalize() + ':':8}{path}")


def _summary_rows(facts: "Summary") -> dict[str, str]:
    """The short table of a run."""
    test = "" if facts.test_loss is None else f", test {facts.test_loss:.4g}"
    rows = {
        "data": facts.data,
        "network": facts.network,
        "parameters": f"{facts.n_parameters:,}",
        "updates": f"{facts.step:,} of {facts.n_planned:,}",
        "loss": f"train {facts.train_loss:.4g}{test} ({facts.loss})"
        if facts.train_loss is not None
        else "recorded at the ends of epochs only, and this run has no data",
    }
    for name in dict.fromkeys(key.split("_", 1)[1] for key in facts.scores):
        parts = [p for p in ("train", "test") if f"{p}_{name}" in facts.scores]
        rows[name] = ", ".join(f"{p} {facts.scores[f'{p}_{name}']:.4g}" for p in parts)
    rows |= {"outcome": facts.outcome, "time": f"{facts.train_s:.3g} s", "engine": facts.engine}
    if facts.formula:
        rows["learned"] = facts.formula
    if facts.truth:
        rows["true"] = facts.truth
    return rows | {f"note {i}": note for i, note in enumerate(facts.notes, start=1)}
