"""A view over the steps of a run: a GIF, an MP4, or a plotly figure with a slider."""

import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from fitscope.errors import DataError, OutputError
from fitscope.plot.canvas import styled
from fitscope.plot.files import page_of
from fitscope.plot.theme import inks_of
from fitscope.plot.views import Backend, View, view
from fitscope.records import Run
from fitscope.runfile import write_atomically

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["frame_steps", "movie", "save_movie"]

Progress = Callable[[int, int], object]
MAX_FRAMES = 1000
GRID = 80  # points a side of a field in a plotly movie, which keeps every frame
LAST_S = 2.0  # how long a film rests on its end


def frame_steps(run: Run, n_frames: int, *, spacing: str = "log") -> list[int]:
    """At most n recorded steps, from the start to the end.

    Args:
        run: a run.
        n_frames: how many.
        spacing: "log", since most happens early, or "even".

    Raises:
        DataError: there are fewer than 2 or more than 1,000 frames, or no such spacing.

    Example:
        >>> import fitscope as fs
        >>> frame_steps(fs.fit("bad-start"), 5)
        [0, 1, 9, 79, 700]
    """
    if not 2 <= n_frames <= MAX_FRAMES:
        raise DataError(f"`n_frames` must be from 2 to {MAX_FRAMES:,}; got {n_frames}.")
    if spacing not in ("log", "even"):
        raise DataError(f"`spacing` must be log or even; got {spacing!r}.")
    last = int(run.steps[-1])
    if spacing == "even" or last < 2:
        wanted = np.linspace(0, last, n_frames)
    else:
        wanted = np.append(0, np.geomspace(last, 1, n_frames - 1)[::-1])
    rows = np.searchsorted(run.steps, np.round(wanted), "right") - 1
    return [int(step) for step in np.unique(run.steps[rows])]


def save_movie(
    run: Run,
    name: str,
    path: str | Path,
    *,
    n_frames: int = 60,
    spacing: str = "log",
    fps: int = 12,
    progress: Progress | None = None,
    **options: Any,
) -> None:
    """Writes a view over the steps to a .gif, an .mp4 or an .html file.

    The axes are the same in all frames, and the film rests on its last one.

    Args:
        run: a run.
        name: a view that has a `step`.
        path: where to write; .mp4 needs ffmpeg, .html plays in a browser.
        n_frames: how many, at most.
        spacing: of the steps: "log" or "even".
        fps: frames a second.
        progress: is called with (frames drawn, frames planned).
        **options: of the view.

    Raises:
        DataError: the view has no steps, or does not apply to this run.
        OutputError: the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".gif", ".mp4", ".html"):
        raise OutputError(f"A movie is a .gif, an .mp4 or an .html file; got {path}.")
    if suffix == ".mp4" and not shutil.which("ffmpeg"):
        raise OutputError("An .mp4 needs ffmpeg, which is not on this machine; save a .gif.")
    if not 1 <= fps <= 60:
        raise DataError(f"`fps` must be from 1 to 60; got {fps}.")
    if suffix == ".html":
        fig = movie(
            run, name, n_frames=n_frames, spacing=spacing, fps=fps, progress=progress, **options
        )
        write_atomically(path, page_of(fig).encode())
        return
    steps = frame_steps(run, n_frames, spacing=spacing)
    figures = _figures(
        run, view(name, "run"), "matplotlib", steps=steps, progress=progress, options=options
    )
    _share_limits(figures)
    with styled(options.get("theme", "light")):
        images = (_pixels(fig) for fig in figures)
        write_atomically(path, _gif(images, fps) if suffix == ".gif" else _mp4(images, fps))


def movie(
    run: Run,
    name: str,
    *,
    n_frames: int = 60,
    spacing: str = "log",
    fps: int = 12,
    progress: Progress | None = None,
    **options: Any,
) -> "go.Figure":
    """A view over the steps as one plotly figure with a slider and a play button.

    Args:
        run: a run.
        name: a view that has a `step`.
        n_frames: how many, at most.
        spacing: of the steps: "log" or "even".
        fps: frames a second.
        progress: is called with (frames drawn, frames planned).
        **options: of the view.

    Raises:
        DataError: the view has no steps, or does not apply to this run.
    """
    chosen = view(name, "run")
    if "n_grid" in chosen.options():
        options = {"n_grid": GRID, **options}
    steps = frame_steps(run, n_frames, spacing=spacing)
    figures = _figures(run, chosen, "plotly", steps=steps, progress=progress, options=options)
    fig = figures[0]
    for axis, both in _ranges(figures).items():
        fig.layout[axis].range = both
    moved = [i for i, trace in enumerate(fig.data) if any(one.data[i] != trace for one in figures)]
    fig.frames = [
        {
            "name": str(step),
            "data": [one.data[i] for i in moved],
            "traces": moved,
            "layout": _changing(one),
        }
        for step, one in zip(steps, figures, strict=True)
    ]
    return _with_controls(fig, steps, fps, options.get("theme", "light"))


def _figures(
    run: Run,
    chosen: View,
    backend: Backend,
    *,
    steps: list[int],
    progress: Progress | None,
    options: dict[str, Any],
) -> list[Any]:
    """The picture of every frame."""
    if "step" not in chosen.options():
        raise DataError(f"{chosen.name} does not change with the step, so it has no movie.")
    for name in ("step", "ax"):
        if name in options:
            raise DataError(f"A movie sets `{name}` itself; leave it out.")
    figures = []
    for step in steps:
        figures.append(chosen.figure(run, backend, step=step, **options))
        if progress:
            progress(len(figures), len(steps))
    return figures


def _share_limits(figures: Sequence[Figure]) -> None:
    """Gives the axes of all figures the limits that show everything."""
    for together in zip(*(fig.axes for fig in figures), strict=False):
        for axis in ("x", "y", "z"):
            if not hasattr(together[0], f"set_{axis}lim"):
                continue
            limits = np.array([getattr(ax, f"get_{axis}lim")() for ax in together])
            falls = limits[0, 0] > limits[0, 1]
            low, high = limits.min(), limits.max()
            for ax in together:
                getattr(ax, f"set_{axis}lim")((high, low) if falls else (low, high))


def _pixels(fig: Figure) -> Image.Image:
    canvas = FigureCanvasAgg(fig)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Image.fromarray(pixels).convert("RGB")


def _gif(images: Iterator[Image.Image], fps: int) -> bytes:
    first, *rest = [image.quantize(dither=Image.Dither.NONE) for image in images]
    durations = [1000 // fps] * len(rest) + [int(1000 * LAST_S)]
    buffer = io.BytesIO()
    first.save(
        buffer, "GIF", save_all=True, append_images=rest, duration=durations, loop=0, disposal=1
    )
    return buffer.getvalue()


def _mp4(images: Iterator[Image.Image], fps: int) -> bytes:
    """The frames through ffmpeg, with sizes made even as H.264 wants them."""
    frames = list(images)
    frames += [frames[-1]] * int(fps * LAST_S)
    width, height = frames[0].size
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "movie.mp4"
        command = [
            *("ffmpeg", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"),
            *("-s", f"{width}x{height}", "-r", str(fps), "-i", "-"),
            *("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", str(out)),
        ]
        raw = b"".join(frame.tobytes() for frame in frames)
        ran = subprocess.run(command, input=raw, capture_output=True, check=False)  # noqa: S603
        if ran.returncode:
            raise OutputError(f"ffmpeg failed: {ran.stderr.decode(errors='replace').strip()[:300]}")
        return out.read_bytes()


def _changing(fig: "go.Figure") -> dict[str, Any]:
    """What changes in a layout from frame to frame: title, notes and lines."""
    found = {"title": fig.layout.title, "annotations": fig.layout.annotations}
    titles = {axis: {"title": fig.layout[axis].title} for axis in _axes(fig)}
    return {**found, "shapes": fig.layout.shapes, **titles}


def _axes(fig: "go.Figure") -> list[str]:
    return [name for name in fig.to_dict()["layout"] if name.startswith(("xaxis", "yaxis"))]


def _ranges(figures: Sequence["go.Figure"]) -> dict[str, list[float]]:
    """For each axis without a range of its own, one that shows the lines of all frames."""
    ends: dict[str, list[float]] = {}
    for fig in figures:
        for trace in (trace for trace in fig.data if trace.type == "scatter"):
            for letter in ("x", "y"):
                axis = f"{letter}axis{(trace[letter + 'axis'] or letter)[1:]}"
                values = _finite(trace[letter], is_log=fig.layout[axis].type == "log")
                if len(values) and not fig.layout[axis].range:
                    ends.setdefault(axis, []).extend((float(values.min()), float(values.max())))
    return {axis: _padded(min(both), max(both)) for axis, both in ends.items()}


def _finite(values: Any, *, is_log: bool) -> np.ndarray:
    """The numbers of a trace that can be drawn, as its axis counts them."""
    try:
        found = np.asarray([] if values is None else values, dtype=np.float64)
    except (TypeError, ValueError):  # names along the axis
        return np.empty(0)
    found = np.log10(found[found > 0]) if is_log else found
    return found[np.isfinite(found)]


def _padded(low: float, high: float) -> list[float]:
    margin = 0.05 * ((high - low) or 1.0)
    return [low - margin, high + margin]


def _with_controls(fig: "go.Figure", steps: list[int], fps: int, theme: str) -> "go.Figure":
    """A play button, a pause button and a slider, one under the other below the picture."""
    inks = inks_of(theme)
    frame = {"duration": 1000 // fps, "redraw": True}
    play = {"frame": frame, "fromcurrent": True, "transition": {"duration": 0}}
    stop = {"frame": {"duration": 0, "redraw": True}, "mode": "immediate"}
    buttons = [
        {"label": "play", "method": "animate", "args": [None, play]},
        {"label": "pause", "method": "animate", "args": [[None], stop]},
    ]
    marks = [
        {"label": f"{step:,}", "method": "animate", "args": [[str(step)], stop]} for step in steps
    ]
    look = {"bgcolor": inks.grid, "font": {"color": inks.ink}, "bordercolor": inks.grid}
    place = {"type": "buttons", "direction": "left", "x": 0, "xanchor": "left", "yanchor": "top"}
    below = fig.layout.margin.b + 14
    menu = {"buttons": buttons, "showactive": False, "pad": {"t": below}, "y": 0, **place, **look}
    slider: dict[str, Any] = {
        "steps": marks,
        "x": 0,
        "len": 1,
        "pad": {"t": below + 46},
        "currentvalue": {"prefix": "step ", "font": {"color": inks.ink}},
        "font": {"color": inks.muted},
        "bgcolor": inks.muted,
        "tickcolor": inks.muted,
    }
    more = 140  # pixels that both need
    fig.update_layout(updatemenus=[menu], sliders=[slider])
    return fig.update_layout(height=(fig.layout.height or 460) + more, margin_b=below + more)
