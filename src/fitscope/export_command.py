"""`fitscope export`: a run as a page, a film, a table, a script, or a model for other programs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from cyclopts import Parameter

from fitscope.errors import OutputError
from fitscope.flags import Json
from fitscope.terminal import print_json, progress_bar

if TYPE_CHECKING:
    from fitscope.records import Run

__all__ = ["export"]

Name = Literal["html", "pytorch", "sklearn", "onnx", "state_dict", "gif", "csv"]


def export(
    run: str,
    /,
    *,
    to: Name | None = None,
    out: Annotated[str | None, Parameter(name=["--out", "-o"])] = None,
    json: Json = False,
) -> None:
    """Write a run as a page, a film, a table, a script, or a model for other programs.

    Args:
        run: a run file, or the folder that `fit` wrote.
        to: html, a page to play; pytorch or sklearn, a script; onnx, or state_dict, the weights
            by PyTorch's names; gif; csv, a table of all steps (Parquet by its file's name).
            Default: what the ending of the file says.
        out: the file, ending in .html, .py, .onnx, .safetensors, .gif, .csv or .parquet; default:
            beside the run, with its name.
        json: print one JSON object.
    """
    from fitscope.runfile import load

    kind, path = _kind_and_path(Path(run), to, out)
    loaded = load(run)
    if path.exists() and any(path.samefile(own) for own in _own_files(Path(run))):
        raise OutputError(f"{path} is the run itself; name another file.")
    _KINDS[kind].write(loaded, path, run)
    if json:
        print_json({"to": kind, "file": str(path)})
    else:
        print(f"{_KINDS[kind].what} written to {path}.")


def _kind_and_path(run: Path, to: Name | None, out: str | None) -> tuple[Name, Path]:
    """What to write and where; a file's name must agree with what it is."""
    if out is None:
        if to is None:
            raise OutputError(
                f"Say what to write with --to ({', '.join(_KINDS)}), or where with --out."
            )
        beside, kind = _beside(run), _KINDS[to]
        return to, beside.with_name(f"{beside.name}{kind.added}{kind.endings[0]}")
    path = Path(out)
    named = [name for name, kind in _KINDS.items() if path.suffix.lower() in kind.endings]
    if to is None and not named:
        endings = dict.fromkeys(ending for kind in _KINDS.values() for ending in kind.endings)
        raise OutputError(f"An export is one of {', '.join(endings)}; got {path}.")
    name = to or named[0]
    if name not in named:
        raise OutputError(
            f"What --to {name} writes ends in {' or '.join(_KINDS[name].endings)}; got {path}."
        )
    return name, path


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


def _write_sklearn(run: "Run", path: Path, source: str) -> None:
    from fitscope.export import sklearn_script
    from fitscope.runfile import write_atomically

    write_atomically(path, sklearn_script(run).encode())


def _write_onnx(run: "Run", path: Path, source: str) -> None:
    from fitscope.export import onnx_model
    from fitscope.runfile import write_atomically

    write_atomically(path, onnx_model(run).SerializeToString())


def _write_state_dict(run: "Run", path: Path, source: str) -> None:
    from fitscope.export import state_dict_bytes
    from fitscope.runfile import write_atomically

    write_atomically(path, state_dict_bytes(run))


class _Kind(NamedTuple):
    """What a file is called, its endings, what is added to a run's name, and who writes it."""

    what: str
    endings: tuple[str, ...]
    added: str
    write: Callable[["Run", Path, str], None]


# Of several with one ending, the first is meant where only a file is named.
_KINDS: dict[Name, _Kind] = {
    "html": _Kind("Page", (".html",), "", _write_html),
    "pytorch": _Kind("PyTorch script", (".py",), "", _write_pytorch),
    "sklearn": _Kind("scikit-learn script", (".py",), "-sklearn", _write_sklearn),
    "onnx": _Kind("ONNX model", (".onnx",), "", _write_onnx),
    "state_dict": _Kind("state_dict", (".safetensors",), "-state_dict", _write_state_dict),
    "gif": _Kind("Film", (".gif",), "", _write_gif),
    "csv": _Kind("Table of all recorded steps", (".csv", ".parquet"), "", _write_table),
}
