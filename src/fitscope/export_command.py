"""`fitscope export`: a run as a page, a PyTorch script, a film or a table."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from fitscope.errors import OutputError
from fitscope.terminal import print_json, progress_bar

if TYPE_CHECKING:
    from fitscope.records import Run

__all__ = ["export"]

Kind = Literal["html", "pytorch", "gif", "csv"]
SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "html": (".html",),
    "pytorch": (".py",),
    "gif": (".gif",),
    "csv": (".csv", ".parquet"),
}


def export(
    run: str,
    /,
    *,
    to: Kind | None = None,
    out: Annotated[str | None, Parameter(name=["--out", "-o"])] = None,
    json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Write a run as a page to play, a PyTorch script, a film, or a table of all steps.

    Args:
        run: a run file, or the folder that `fit` wrote.
        to: html, pytorch, gif or csv (a table, Parquet by its file's name); default: what the
            ending of the file says.
        out: the file, ending in .html, .py, .gif, .csv or .parquet; default: beside the run,
            with its name.
        json: print one JSON object.
    """
    from fitscope.runfile import load

    kind, path = _kind_and_path(Path(run), to, out)
    loaded = load(run)
    if path.exists() and any(path.samefile(own) for own in _own_files(Path(run))):
        raise OutputError(f"{path} is the run itself; name another file.")
    _WRITERS[kind](loaded, path, run)
    if json:
        print_json({"to": kind, "file": str(path)})
    else:
        print(f"{_WHAT[kind]} written to {path}.")


def _kind_and_path(run: Path, to: Kind | None, out: str | None) -> tuple[Kind, Path]:
    """What to write and where; a file's name must agree with what it is."""
    if out is None:
        if to is None:
            raise OutputError(
                f"Say what to write with --to ({', '.join(SUFFIXES)}), or where with --out."
            )
        return to, _beside(run).with_name(f"{_beside(run).name}{SUFFIXES[to][0]}")
    path = Path(out)
    named = [kind for kind, endings in SUFFIXES.items() if path.suffix.lower() in endings]
    if to is None and not named:
        endings = ", ".join(ending for endings in SUFFIXES.values() for ending in endings)
        raise OutputError(f"An export is one of {endings}; got {path}.")
    kind = to or named[0]
    if kind not in named:
        raise OutputError(
            f"What --to {kind} writes ends in {' or '.join(SUFFIXES[kind])}; got {path}."
        )
    return kind, path


def _beside(run: Path) -> Path:
    """A file beside a run, without an ending: named as its folder, or as a run file of its own."""
    if run.is_dir() or run.name == "run.safetensors":
        folder = run if run.is_dir() else run.parent
        return folder / (folder.resolve().name or "run")
    return run.with_suffix("")


def _own_files(run: Path) -> list[Path]:
    return [path for path in (run, run / "run.safetensors") if path.is_file()]


def _write_html(run: "Run", path: Path, source: str) -> None:
    from fitscope.export import save_report

    save_report(run, path)


def _write_pytorch(run: "Run", path: Path, source: str) -> None:
    from fitscope.export import pytorch_script
    from fitscope.runfile import write_atomically

    own = _own_files(Path(source))[0]
    write_atomically(path, pytorch_script(run, run_file=str(own)).encode())


def _write_gif(run: "Run", path: Path, source: str) -> None:
    from fitscope.plot import save_movie

    view = "response_curve" if run.dataset.d == 1 else "decision_field"
    with progress_bar(view, "frames") as advance:

        def progress(done: int, planned: int) -> None:
            if advance:
                advance(done, planned, "")

        save_movie(run, view, path, progress=progress)


def _write_table(run: "Run", path: Path, source: str) -> None:
    from fitscope.data import write_table
    from fitscope.export import trajectory_table

    write_table(trajectory_table(run), path)


_WRITERS: dict[Kind, Callable[["Run", Path, str], None]] = {
    "html": _write_html,
    "pytorch": _write_pytorch,
    "gif": _write_gif,
    "csv": _write_table,
}
_WHAT: dict[Kind, str] = {
    "html": "Page",
    "pytorch": "PyTorch script",
    "gif": "Film",
    "csv": "Table of all recorded steps",
}
