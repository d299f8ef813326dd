"""The loss curves: training and test, and the batches, on the same axis."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from fitscope.analysis import LossCurves
from fitscope.plot.canvas import figure_of, legend, new_axes, plain, styled
from fitscope.plot.theme import ACCENT, HIGHLIGHT, inks_of
from fitscope.plot.web import log_axis, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["loss_curves", "loss_curves_plotly"]

_BATCH = "batch (before its update)"
_FAINT = 0.3


def loss_curves(record: LossCurves, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws both losses over the epochs; after a marked moment they are faint."""
    with styled(theme) as inks:
        ax = ax or new_axes()
        few: dict[str, Any] = {"marker": "o", "markersize": 3} if len(record.epochs) <= 12 else {}
        for losses, name, style in _curves(record):
            colour = inks.ink if name == "train" else inks.muted
            look: dict[str, Any] = {"color": colour, "linewidth": 1.8, "linestyle": style, **few}
            done, rest = _parts(record, losses)
            ax.plot(*done, label=name, **look)
            if record.cursor is not None:
                ax.plot(*rest, alpha=_FAINT, **look)
        if len(record.batch):
            dots: dict[str, Any] = {"color": ACCENT, "linewidths": 0, "zorder": 1.5}
            ax.scatter(record.batch_epochs, record.batch, s=5, alpha=0.5, **dots)
            ax.scatter([], [], s=16, label=_BATCH, **dots)
        if record.cursor is not None:
            ax.axvline(record.cursor, color=HIGHLIGHT, linewidth=0.9)
        _dress_axes(ax, record)
        legend(ax, record.title)
        return figure_of(ax)


def loss_curves_plotly(record: LossCurves, *, theme: str = "light") -> "go.Figure":
    """The same, with the losses at the pointer."""
    inks = inks_of(theme)
    fig = new_figure(theme, title=record.title, x=record.axis, y=record.label)
    if len(record.batch):
        dots = {"color": ACCENT, "size": 3.5, "opacity": 0.5}
        told: dict[str, Any] = {"name": _BATCH, "legendrank": 1001, "hoverinfo": "skip"}
        fig.add_scatter(x=record.batch_epochs, y=record.batch, mode="markers", marker=dots, **told)
    for losses, name, _style in _curves(record):
        look = {"color": inks.ink if name == "train" else inks.muted, "width": 2}
        line = {**look, "dash": "solid" if name == "train" else "dash"}
        (x, y), (rest_x, rest_y) = _parts(record, losses)
        fig.add_scatter(x=x, y=y, mode="lines", name=name, line=line)
        quiet: dict[str, Any] = {"showlegend": False, "opacity": _FAINT, "legendgroup": name}
        fig.add_scatter(x=rest_x, y=rest_y, mode="lines", name=f"{name}, later", line=line, **quiet)
    low, high = _range(record)
    marked = record.cursor is not None
    fig.add_scatter(
        x=[record.cursor] * 2 if marked else [],
        y=[low, high] if marked else [],
        mode="lines",
        name="moment",
        line={"color": HIGHLIGHT, "width": 1},
        showlegend=False,
        hoverinfo="skip",
    )
    drawn = np.concatenate([record.train, record.test])
    kind = log_axis(drawn) if record.log_scale else {"rangemode": "tozero"}
    sides = [0, max(1, int(record.epochs[-1]))]
    fig.update_yaxes(**kind).update_xaxes(range=sides, tickformat=",")
    return fig.update_layout(hovermode="x unified")


def _curves(record: LossCurves) -> list[tuple[np.ndarray, str, Any]]:
    """Losses, name and line of each curve there is."""
    found: list[tuple[np.ndarray, str, Any]] = [(record.train, "train", "-")]
    return [*found, (record.test, "test", (0, (4, 2)))] if len(record.test) else found


def _parts(record: LossCurves, losses: np.ndarray) -> tuple[Any, Any]:
    """A curve up to the marked moment, and from the last epoch before it on."""
    epochs = record.epochs[: len(losses)]
    if record.cursor is None:
        return (epochs, losses), (epochs[:0], losses[:0])
    n = int(np.searchsorted(epochs, record.cursor, "right"))
    return (epochs[:n], losses[:n]), (epochs[n - 1 :], losses[n - 1 :])


def _range(record: LossCurves) -> tuple[float, float]:
    """The smallest and the largest loss that an axis can show."""
    drawn = np.concatenate([record.train, record.test, record.batch]).astype(np.float64)
    drawn = drawn[np.isfinite(drawn) & ((drawn > 0) | (not record.log_scale))]
    low = float(np.min(drawn, initial=np.inf)) if record.log_scale else 0.0
    return (low, float(np.max(drawn))) if len(drawn) else (0.0, 1e-9)


def _dress_axes(ax: Axes, record: LossCurves) -> None:
    ax.set_xlabel(record.axis)
    ax.set_ylabel(textwrap.fill(plain(record.label, 66), 34))
    ax.set_xlim(0, max(1, int(record.epochs[-1])))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:,.10g}"))
    if record.log_scale:
        ax.set_yscale("log")
        low, high = _range(record)
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(0, 1.08 * _range(record)[1])
    ax.grid(axis="y")
