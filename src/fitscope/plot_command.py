"""`fitscope plot`: a view of a run as a file, or the list of views."""

import inspect
import re
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from fitscope.errors import DataError, OutputError, UnknownNameError
from fitscope.flags import Json
from fitscope.terminal import print_json, print_rows, progress_bar

if typing.TYPE_CHECKING:
    from fitscope.plot import View
    from fitscope.records import Run

__all__ = ["plot"]

SUFFIXES = (".png", ".svg", ".pdf", ".html", ".gif", ".mp4")


def plot(
    run: str | None = None,
    name: Annotated[str | None, Parameter(name="view")] = None,
    /,
    *,
    out: Annotated[str | None, Parameter(name=["--out", "-o"])] = None,
    step: int | None = None,
    frames: int | None = None,
    spacing: str = "log",
    list_: Annotated[bool, Parameter(name="--list", negative="")] = False,
    json: Json = False,
    **options: str,
) -> None:
    """Draw a view of a run to a file, or list the views.

    Args:
        run: a run file, or the folder that `fit` wrote.
        name: a view.
        out: a .png, .svg, .pdf, .html (to zoom and turn), .gif or .mp4 file; default: VIEW.png
            beside the run.
        step: number of updates made; -1 is the end.
        frames: of a film over the steps, in a .gif, .mp4 or .html; default of the first two: 60.
        spacing: of a film's steps: log or even.
        list_: list the views.
        json: print one JSON object.
        **options: of the view, such as --theme dark, --features x1,x2, --classes true or, with a
            value that begins with a hyphen, --x-range=-5,5.
    """
    from fitscope.plot import VIEWS

    views = {name: view for name, view in VIEWS.items() if view.of == "run"}
    if list_:
        _list(views, json=json)
        return
    if run is None or name is None:
        raise UnknownNameError(
            "Name a run and a view: fitscope plot RUN VIEW. `fitscope plot --list` lists the views."
        )
    from fitscope.plot import view
    from fitscope.runfile import load

    chosen = view(name, "run")
    path = Path(out) if out is not None else _folder(run) / f"{name}.png"
    for key in options:
        if key in ("ax", "progress"):  # what a command line cannot give
            raise UnknownNameError(f"`{key}` is an option of {name} in Python only.")
    given = {
        key.replace("-", "_"): _parts(chosen, key.replace("-", "_"), text)
        for key, text in options.items()
    }
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(f"A picture is one of {', '.join(SUFFIXES)}; got {path}.")
    if path.suffix.lower() in (".gif", ".mp4") or frames is not None:
        if step is not None:
            raise DataError("A film shows all steps; leave out `step`.")
        _film(load(run), name, path, n_frames=frames or 60, spacing=spacing, **given)
    else:
        moment = {} if step is None else {"step": step}
        _still(load(run), chosen, path, {**given, **moment})
    if json:
        print_json({"view": name, "file": str(path)})
    else:
        print(f"{name} written to {path}.")


def _list(views: "dict[str, View]", *, json: bool) -> None:
    rows = {name: view.about for name, view in views.items()}
    if json:
        print_json(rows)
        return
    print_rows(rows)
    print("\nDraw one with: fitscope plot RUN VIEW -o FILE.png")


def _folder(run: str) -> Path:
    """Where a run lies."""
    return Path(run) if Path(run).is_dir() else Path(run).parent


def _parts(view: "View", name: str, text: str) -> Any:
    """The text of an option; split at its commas where the view wants several values.

    Other runs are given as their files.
    """
    if name == "others":
        from fitscope.runfile import load

        return [load(path) for path in text.split(",")]
    option = view.options().get(name)
    wanted = () if option is None else (option.annotation, *typing.get_args(option.annotation))
    kinds = [typing.get_origin(kind) for kind in wanted]
    if any(text in typing.get_args(kind) for kind in wanted):
        return text  # a word such as all
    several = any(inspect.isclass(kind) and issubclass(kind, Sequence) for kind in kinds if kind)
    parts = re.split(r",(?![^\[]*\])", text)  # not within w1[2,1]
    return parts if several and (len(parts) > 1 or str not in wanted) else text


def _still(run: "Run", view: "View", path: Path, options: dict[str, Any]) -> None:
    from fitscope.plot import save_figure

    backend: Any = "plotly" if path.suffix.lower() == ".html" else "matplotlib"
    save_figure(view.figure(run, backend, **options), path)


def _film(run: "Run", name: str, path: Path, *, n_frames: int, **options: Any) -> None:
    """Draws the film under a progress bar."""
    from fitscope.plot import save_movie

    with progress_bar(name, "frames") as advance:

        def progress(done: int, planned: int) -> None:
            if advance:
                advance(done, planned, "")

        save_movie(run, name, path, n_frames=n_frames, progress=progress, **options)
