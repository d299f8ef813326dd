"""What the matplotlib drawings share: figures in the house style, samples, legends."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from fitscope.plot.theme import (
    CLASS_MARKERS,
    MANY_POINTS,
    Inks,
    class_colour,
    inks_of,
    samples_by_class,
    shown,
)
from fitscope.records import Dataset

__all__ = [
    "Drawing",
    "colour_bar",
    "draw_points",
    "figure",
    "figure_of",
    "legend",
    "new_axes",
    "plain",
    "styled",
]


class Drawing(Figure):
    """A matplotlib figure that a notebook shows without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110, facecolor="auto")
        return buffer.getvalue()


def _style(inks: Inks) -> dict[Any, Any]:
    """The house style in matplotlib's own settings."""
    return {
        "axes.edgecolor": inks.muted,
        "axes.labelcolor": inks.ink,
        "axes.facecolor": "none",
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.linewidth": 0.8,
        "axes.titlecolor": inks.ink,
        "axes.titlesize": 10,
        "figure.facecolor": inks.paper,
        "savefig.facecolor": "auto",
        "font.family": "DejaVu Sans",
        "font.size": 9.5,
        "grid.color": inks.grid,
        "grid.linewidth": 0.8,
        "svg.fonttype": "none",
        "text.color": inks.ink,
        "xtick.color": inks.muted,
        "ytick.color": inks.muted,
    }


@contextlib.contextmanager
def styled(theme: str) -> Iterator[Inks]:
    """The house style while something is drawn; gives the inks of the theme."""
    inks = inks_of(theme)
    with mpl.rc_context(_style(inks)):
        yield inks


def figure(width: float = 4.8, height: float = 3.5) -> Drawing:
    """An empty figure; sizes in inches. Call it inside `styled`."""
    return Drawing(figsize=(width, height), layout="constrained")


def new_axes(
    width: float = 4.8, height: float = 3.5, *, projection: Literal["3d"] | None = None
) -> Any:
    """Axes alone in a new figure; sizes in inches. Call it inside `styled`."""
    return figure(width, height).add_subplot(projection=projection)


def figure_of(ax: Axes) -> Figure:
    """The whole figure that axes belong to."""
    fig = ax.get_figure(root=True)
    assert isinstance(fig, Figure)  # noqa: S101 (for the type: axes in use have one)
    return fig


def plain(text: object, width: int = 30) -> str:
    """A text that matplotlib shows as it is: never taken for a formula, never hidden."""
    cut = shown(text, width).replace("$", r"\$")
    return "\N{ZERO WIDTH SPACE}" + cut if cut.startswith("_") else cut


def draw_points(
    ax: Axes,
    dataset: Dataset,
    x: np.ndarray,
    y: np.ndarray,
    *,
    z: np.ndarray | None = None,
    inks: Inks,
    edge: str = "none",
) -> None:
    """Samples by class (colour and marker) or plain; those of the test part are hollow.

    Args:
        ax: where to draw.
        dataset: whose samples they are, training first.
        x: abscissae of all samples.
        y: ordinates of all samples.
        z: heights of all samples, where the axes are spatial.
        inks: of the theme.
        edge: colour around a filled marker, which sets it off from a field.
    """
    size, width = (20, 0.5) if len(x) <= MANY_POINTS else (10, 0.25)
    for index, name, train, test in samples_by_class(dataset):
        colour, marker = class_colour(index), CLASS_MARKERS[index % len(CLASS_MARKERS)]
        filled: dict[str, Any] = {"color": colour, "edgecolors": edge, "linewidths": width}
        hollow: dict[str, Any] = {"facecolors": "none", "edgecolors": colour, "linewidths": 1.1}
        for part, style, called in ((train, filled, plain(name)), (test, hollow, "_test")):
            height = {} if z is None else {"zs": z[part]}
            look: dict[str, Any] = {"marker": marker, "label": called, "zorder": 3, **height}
            ax.scatter(x[part], y[part], s=size, **look, **style)
    if len(dataset.y_test):
        ax.scatter([], [], s=20, facecolors="none", edgecolors=inks.muted, label="test")


def colour_bar(ax: Axes, image: ScalarMappable, label: str) -> None:
    """The scale of an image, beside it."""
    bar = figure_of(ax).colorbar(image, ax=ax, pad=0.02)
    bar.set_label(plain(label, 48))
    bar.outline.set_visible(False)


def legend(ax: Axes, title: str = "") -> None:
    """The legend in rows above the axes, out of the way of the data, under a title."""
    handles, names = ax.get_legend_handles_labels()
    if not handles:
        ax.set_title(title, loc="left")
        return
    style: dict[str, Any] = {"frameon": False, "handletextpad": 0.5, "alignment": "left"}
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    n_columns = next(n for n in (5, 4, 3, 2, 1) if n == 1 or _letters(names, n) <= 58)
    made = ax.legend(handles, names, ncols=n_columns, fontsize=9, title=title, **style, **place)
    made.get_title().set_fontsize(10)


def _letters(names: Sequence[str], n_columns: int) -> int:
    """How wide a legend is, with its marks; 58 letters fit above a figure of 4.8 inches."""
    columns = np.array_split(np.array(names, dtype=object), min(n_columns, len(names)))
    return sum(max(len(name) for name in column) + 7 for column in columns)
