"""What a picture shows, read off its artists or traces."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex


def point_clouds(ax: Axes) -> list[PathCollection]:
    """The samples that were drawn, one collection a class and part."""
    return [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets())]


def is_hollow(drawn: PathCollection) -> bool:
    """Whether only the edges of the points are drawn."""
    face = np.asarray(drawn.get_facecolor())
    return len(face) == 0 or bool(face[0, 3] == 0)


def colour_of(drawn: PathCollection) -> str:
    """The colour that tells the class: of the face, or of the edge where that is empty."""
    return to_hex(drawn.get_edgecolor()[0] if is_hollow(drawn) else drawn.get_facecolor()[0])


def by_colour(ax: Axes) -> dict[str, np.ndarray]:
    """The places of the samples of each colour."""
    found: dict[str, list[np.ndarray]] = {}
    for drawn in point_clouds(ax):
        found.setdefault(colour_of(drawn), []).append(np.asarray(drawn.get_offsets()))
    return {colour: np.concatenate(places) for colour, places in found.items()}


def legend_texts(ax: Axes) -> list[str]:
    """The names in the legend, in order."""
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def traces(fig: Any, kind: str) -> list[Any]:
    """The traces of a plotly figure that are of a kind; without the legend's mark for the test."""
    return [trace for trace in fig.data if trace.type == kind and trace.name != "test"]


def rows(points: np.ndarray) -> set[tuple[float, ...]]:
    """Places that can be compared whatever their order; those that are NaN are left out."""
    points = np.asarray(points, np.float64)
    return {tuple(row) for row in points[np.isfinite(points).all(axis=1)].round(9).tolist()}
