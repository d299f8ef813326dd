"""Which inputs matter: coefficients or permutation importances as bars."""

import textwrap

import numpy as np
from matplotlib.axes import Axes

from fitscope.plot.theme import CLASS_COLOURS, MUTED, shown
from fitscope.records import Importance

__all__ = ["importance"]

MAX_BARS = 15


def importance(record: Importance, *, ax: Axes) -> Axes:
    """Draws the largest ones as bars: warm to the right of zero, cool to its left."""
    values, names = record.values[:MAX_BARS], record.names[:MAX_BARS]
    values = np.where(np.isfinite(values), values, 0.0)  # a diverged run has no bar to draw
    colours = [CLASS_COLOURS[int(value >= 0)] for value in values]
    ax.barh(range(len(values)), values, color=colours, height=0.7)
    ax.set_yticks(range(len(values)), [shown(name) for name in names])
    ax.invert_yaxis()
    ax.axvline(0, color=MUTED, linewidth=0.8)
    more = len(record.names) - len(values)
    label = textwrap.fill(record.what, 40) + (
        f"\nthe {len(values)} largest of {len(record.names)}" if more else ""
    )
    ax.set_xlabel(label)
    ax.grid(axis="x")
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax
