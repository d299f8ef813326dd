"""Every colour, once; and how a figure becomes an SVG that follows the page's light or dark."""

import io
import re
import warnings
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from fitscope.records import Dataset, Label

__all__ = [
    "ACCENT",
    "CLASS_COLOURS",
    "CLASS_MARKERS",
    "FIELD",
    "GRID",
    "INK",
    "LINE",
    "MAX_POINTS",
    "MUTED",
    "class_colour",
    "colour_bar",
    "draw_points",
    "figure",
    "legend",
    "shown",
    "svg",
    "tint",
]

# The inks of text and lines; in an SVG they become the page's CSS variables of these names.
INK, MUTED, GRID = "#1b2129", "#5b6470", "#dde2e8"
_CSS = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--grid)"}

# Class 0 is cool, class 1 is warm, everywhere. Blue and orange stay apart for every kind of
# colour-blind eye and in grey print; the rest continues Okabe and Ito's palette (2008).
CLASS_COLOURS = (
    *("#2f74c0", "#e8871e", "#009e73", "#b8579b", "#c9a800"),
    *("#56b4e9", "#b33b1e", "#7f6bd1", "#7a7a7a", "#4d3b2a"),
)
CLASS_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
ACCENT = "#2f74c0"
FIELD = LinearSegmentedColormap.from_list(  # lighter than the points that lie on it
    "fitscope", ["#7ba6d8", "#c3d7ee", "#ffffff", "#fadfc0", "#f2b46f"]
)
LINE = "#15191f"  # on top of a field, which is light on every page
MAX_POINTS = 2500  # drawn in one picture; more would only lie on top of each other

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.linewidth": 0.8,
    "figure.facecolor": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}


def figure(width: float = 4.8, height: float = 3.5) -> tuple[Figure, Axes]:
    """An empty figure in the house style with one pair of axes; sizes in inches."""
    with mpl.rc_context(_STYLE):
        fig = Figure(figsize=(width, height), layout="constrained")
        return fig, fig.add_subplot()


def svg(fig: Figure, *, label: str) -> str:
    """The figure as an SVG element for a page.

    Its inks follow the page's CSS variables, its text is text, and the same figure gives the
    same element.

    Args:
        fig: a figure made by `figure`.
        label: what a screen reader says.
    """
    buffer = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": label}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the page's font draws what DejaVu lacks
        fig.draw_without_rendering()
        fig.set_layout_engine("none")  # another round would move things by a millionth
        fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for colour, variable in _CSS.items():
        text = text.replace(colour, variable)
    quoted = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", text, count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{quoted}"', 1)


def shown(text: object, width: int = 30) -> str:
    """A text as it stands in a picture: cut where it is long, and never taken for a formula."""
    text = str(text)
    cut = text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return cut.replace("$", r"\$")


def class_colour(index: int) -> str:
    """The colour of a class, repeating after ten."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def tint(colour: str, share: float) -> tuple[float, float, float]:
    """A colour mixed with white; `share` of it is left."""
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def draw_points(
    ax: Axes, dataset: Dataset, x: np.ndarray, y: np.ndarray, *, edge: str = "none"
) -> None:
    """Samples by class (colour and marker) or plain; those of the test part are hollow.

    Args:
        ax: where to draw.
        dataset: whose samples they are, training first.
        x: abscissae of all samples.
        y: ordinates of all samples.
        edge: colour around a filled marker, which sets it off from a field.
    """
    targets = np.concatenate([dataset.y, dataset.y_test])
    test = np.arange(len(x)) >= len(dataset.y)
    kept = np.arange(len(x)) % max(1, -(-len(x) // MAX_POINTS)) == 0
    for index, label in enumerate(dataset.classes or ("data",)):
        own = kept & ((targets == index) | (not dataset.classes))
        colour, marker = class_colour(index), CLASS_MARKERS[index % len(CLASS_MARKERS)]
        filled: dict[str, Any] = {"color": colour, "edgecolors": edge, "linewidths": 0.5}
        hollow: dict[str, Any] = {"facecolors": "none", "edgecolors": colour, "linewidths": 1.1}
        for part, style in ((own & ~test, filled), (own & test, hollow)):
            name = _legend_name(dataset, label) if style is filled else "_test"
            ax.scatter(x[part], y[part], s=20, marker=marker, label=name, zorder=3, **style)
    if test.any():
        ax.scatter([], [], s=20, facecolors="none", edgecolors=MUTED, label="test")
    legend(ax)


def colour_bar(ax: Axes, image: AxesImage, label: str) -> None:
    """The scale of an image, beside it."""
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02)
    bar.set_label(shown(label, 48), color=INK)
    bar.ax.tick_params(color=MUTED, labelcolor=MUTED)
    bar.outline.set_visible(False)


def legend(ax: Axes) -> None:
    """The legend in rows above the axes, out of the way of the data."""
    handles, names = ax.get_legend_handles_labels()
    n_columns = 56 // (max(map(len, names)) + 5)  # 56 letters fit above a figure of 4.8 inches
    style: dict[str, Any] = {"frameon": False, "labelcolor": INK, "handletextpad": 0.5}
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    ax.legend(handles, names, ncols=max(1, min(5, n_columns)), fontsize=9, **style, **place)


def _legend_name(dataset: Dataset, label: Label) -> str:
    """A class as the legend names it: text by itself, a number with what it is a value of."""
    name = shown(label if isinstance(label, str) else f"{dataset.target_name} = {label}")
    return "\N{ZERO WIDTH SPACE}" + name if name.startswith("_") else name  # "_x" would be hidden
