"""The loss curves: training and test on the same axis."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from fitscope.plot.theme import INK, MUTED, legend, shown
from fitscope.records import LossCurves

__all__ = ["loss_curves"]


def loss_curves(record: LossCurves, *, ax: Axes) -> Axes:
    """Draws both losses over the epochs, on a log scale where the record says that it helps."""
    few: dict[str, Any] = {"marker": "o", "markersize": 3} if len(record.epochs) <= 12 else {}
    ax.plot(record.epochs, record.train, color=INK, linewidth=1.8, label="train", **few)
    if len(record.test):
        style = (0, (4, 2))
        ax.plot(
            record.epochs, record.test, color=MUTED, linewidth=1.8, linestyle=style, label="test"
        )
    ax.set_xlabel("epochs (passes over the training data)")
    ax.set_ylabel(textwrap.fill(shown(record.label, 66), 34))
    ax.set_xlim(0, max(1, int(record.epochs[-1])))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:,.10g}"))
    if record.log_scale:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        drawn = np.concatenate([record.train, record.test])
        ax.set_ylim(0, 1.08 * np.max(drawn[np.isfinite(drawn)], initial=1e-9))
    ax.grid(axis="y")
    legend(ax)
    return ax
