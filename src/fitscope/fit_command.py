"""`fitscope fit`: train, or find out which model is worth it, and write run and report."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from fitscope.errors import OutputError
from fitscope.flags import NO_FLAGS, AnySetting, Json, given
from fitscope.specs import experiment
from fitscope.terminal import print_choices, print_search, print_summary, progress_bar

if TYPE_CHECKING:
    from fitscope.ladder import Search
    from fitscope.records import Run
    from fitscope.specs import Experiment
    from fitscope.terminal import Advance
    from fitscope.train import Progress

__all__ = ["INTERRUPTED", "fit"]

INTERRUPTED = 130  # the exit status of a command that Ctrl-C ended


def fit(
    source: str,
    /,
    *,
    out: Annotated[str | None, Parameter(name=["--out", "-o"])] = None,
    report: bool = True,
    data: Annotated[bool, Parameter(name="--data")] = True,
    engine: Literal["auto", "fused", "torch"] = "auto",
    device: Literal["cpu", "cuda"] = "cpu",
    search: Annotated[bool, Parameter(negative="")] = False,
    flags: AnySetting = NO_FLAGS,
    json: Json = False,
) -> int:
    """Train, and write a folder with run.safetensors and report.html.

    Args:
        source: a built-in experiment, a data set, a .toml file, or a .csv or .parquet table.
        out: folder for the run and its report, which replace older ones; default: a new one
            under runs/.
        report: write report.html.
        data: keep the samples in the run file.
        engine: what trains: fused is compiled, torch the PyTorch loop; auto takes the faster.
        device: where the torch engine computes.
        search: try a linear model, one hidden layer and two by cross-validation, say which is
            worth it, and train that one; it chooses engine and device itself.
        flags: settings that replace the experiment's own.
        json: print one JSON object.
    """
    e = experiment(source, **given(flags))
    with _output_folder(out, source) as folder:
        where: dict[str, str] = {"engine": engine, "device": device}
        found = _searched(source, flags, where, json=json) if search else None
        run = found.run if found else _trained(e, source, **where, json=json)
        files = {"run": folder / "run.safetensors"}
        run.save(files["run"], data=data)
        (folder / "report.html").unlink(missing_ok=True)  # that of an older run
        if report:
            from fitscope.export import save_report

            files["report"] = folder / "report.html"
            save_report(run, files["report"])
    print_summary(run, step=-1, json=json, files=files, search=found)
    return INTERRUPTED if run.outcome.name == "INTERRUPTED" else 0


def _trained(e: "Experiment", source: str, *, engine: str, device: str, json: bool) -> "Run":
    """Trains, after what becomes of a table's columns is shown."""
    from fitscope.train import fit as train
    from fitscope.train.plan import plan

    planned = plan(e, {}, engine=engine, device=device)
    if not json:
        print_choices(planned.dataset.preprocessing)
    with progress_bar(e.title or source, "updates", ": starting") as advance:
        return train(planned, progress=_losses_to(advance))


def _searched(source: str, flags: Any, where: dict[str, str], *, json: bool) -> "Search":
    """Finds out which model is worth it, and shows how each did."""
    from fitscope.ladder import search

    asked = {name: value for name, value in where.items() if value not in ("auto", "cpu")}
    with progress_bar(source, "trainings") as advance:
        told = (lambda done, planned: advance(done, planned, "")) if advance else None
        found = search(source, progress=told, **given(flags), **asked)
    if not json:
        print_choices(found.run.dataset.preprocessing)
        print_search(found)
    return found


@contextmanager
def _output_folder(out: str | None, source: str) -> Iterator[Path]:
    """A folder that can be written: the named one, or the first free one under runs/.

    That it cannot be written is said here, before training. What is still empty is removed.
    """
    folder = base = Path(
        out or Path("runs") / (re.sub(r"[^\w.-]+", "-", Path(source).stem) or "run")
    )
    number = 1
    while out is None and folder.exists():
        number += 1
        folder = base.with_name(f"{base.name}-{number}")
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        _make_writable(folder)
        yield folder
    finally:
        with suppress(OSError):  # a folder with something in it stays
            for path in new:
                path.rmdir()


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"Cannot write to the folder {folder}: {error.strerror}.") from None


def _losses_to(advance: "Advance | None") -> "Progress | None":
    """What `fit` tells its progress to, from what moves a bar."""
    if advance is None:
        return None
    return lambda done, planned, loss: advance(done, planned, f", batch loss {loss:.4g}")
