"""The loss curves: training and test on the same axis."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from fitscope.plot.theme import INK, MUTED, legend, shown
from fitscope.records import LossCurves

__all__ = ["loss_curves"]


def loss_curves(record: LossCurves, *, ax: Axes) -> Axes:
    """Draws both losses over the epochs, on a log scale where the record says that it helps."""
    ax.plot(record.epochs, record.train, color=INK, linewidth=1.8, label="train")
    if len(record.test):
        style = (0, (4, 2))
        ax.plot(
            record.epochs, record.test, color=MUTED, linewidth=1.8, linestyle=style, label="test"
        )
    ax.set_xlabel("epochs (passes over the training data)")
    ax.set_ylabel(textwrap.fill(shown(record.label, 66), 34))
    ax.set_xlim(0, max(1, int(record.epochs[-1])))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:,.10g}"))
    if record.log_scale:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(bottom=0)
    ax.grid(axis="y")
    legend(ax)
    return ax
