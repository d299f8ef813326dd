"""Where the model is right and where wrong: the confusion matrix, and predicted against true."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from fitscope.plot.theme import ACCENT, LINE, MAX_POINTS, MUTED, shown
from fitscope.records import Confusion, FitScatter

__all__ = ["confusion", "fit_scatter"]

_COUNTS = LinearSegmentedColormap.from_list("counts", ["#f4f7fb", ACCENT])


def confusion(record: Confusion, *, ax: Axes) -> Axes:
    """Draws the counts as a table, tinted by the share of the true class."""
    counts = record.counts
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap=_COUNTS, vmin=0, vmax=1)
    size = 11 if len(counts) <= 5 else 8
    for i, j in np.ndindex(counts.shape):
        colour = "white" if share[i, j] > 0.6 else LINE
        ax.text(j, i, f"{counts[i, j]:,}", ha="center", va="center", color=colour, fontsize=size)
    names = [shown(label, 16) for label in record.classes]
    long = max(map(len, names)) > 6
    ax.set_xticks(range(len(names)), names, rotation=30 if long and len(names) > 3 else 0)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("predicted")
    ax.set_ylabel(f"true ({record.part} part)")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def fit_scatter(record: FitScatter, *, ax: Axes) -> Axes:
    """Draws predicted against true values with the line where both agree."""
    every = max(1, -(-len(record.true) // MAX_POINTS))
    both = np.concatenate([record.true, record.predicted])
    low, high = float(both.min()), float(both.max())
    ax.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    style: dict[str, Any] = {"color": ACCENT, "edgecolors": "white", "linewidths": 0.5}
    ax.scatter(record.true[::every], record.predicted[::every], s=20, **style)
    ax.set_xlabel(f"true ({record.part} part)")
    ax.set_ylabel("predicted")
    ax.grid()
    ax.set_axisbelow(True)
    return ax
