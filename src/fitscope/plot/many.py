"""Pictures of many nets: their losses, how many succeed, and the starts that fail."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from fitscope.analysis import FinalLosses, StartMap, SuccessShare
from fitscope.plot.canvas import figure_of, legend, new_axes, plain, styled
from fitscope.plot.theme import ACCENT, HIGHLIGHT, thinned
from fitscope.plot.web import escaped, log_axis, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "final_losses",
    "final_losses_plotly",
    "start_map",
    "start_map_plotly",
    "success_share",
    "success_share_plotly",
]

STRIP = 0.7  # of the height that a value of the setting has


def final_losses(record: FinalLosses, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws a strip of points for each value of the setting, with its median marked."""
    with styled(theme):
        ax = ax or _rows(len(record.values))
        kept = _kept(record.group)
        at = record.group[kept] + STRIP * record.place[kept]
        look: dict[str, Any] = {"s": 14, "color": ACCENT, "alpha": 0.6, "linewidths": 0}
        ax.scatter(record.losses[kept], at, label="a net", **look)
        rows = np.arange(len(record.values))
        line: dict[str, Any] = {"colors": HIGHLIGHT, "linewidth": 2.2, "label": "median"}
        ax.vlines(record.median, rows - STRIP / 2, rows + STRIP / 2, **line)
        _name_rows(ax, record, _numbers(record))
        ax.set_xlabel(textwrap.fill(plain(record.label, 90), 48))
        if record.log_scale:
            ax.set_xscale("log")
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=12))
            ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
            ax.xaxis.set_minor_formatter(NullFormatter())
        else:
            ax.set_xlim(0, 1.05 * np.max(record.losses, initial=1e-9))
        legend(ax, record.title)
        return figure_of(ax)


def final_losses_plotly(record: FinalLosses, *, theme: str = "light") -> "go.Figure":
    """The same, with the losses at the pointer."""
    fig = _web_rows(theme, record, record.label, _numbers(record))
    kept = _kept(record.group)
    at = record.group[kept] + STRIP * record.place[kept]
    look = {"color": ACCENT, "size": 6, "opacity": 0.6}
    hover = "%{x:.4g}<extra></extra>"
    fig.add_scatter(
        x=record.losses[kept], y=at, mode="markers", marker=look, name="a net", hovertemplate=hover
    )
    ends = np.arange(len(record.values))[:, None] + np.array([-STRIP / 2, STRIP / 2, np.nan])
    line = {"color": HIGHLIGHT, "width": 3}
    x = np.repeat(record.median, 3)
    fig.add_scatter(
        x=x, y=ends.ravel(), mode="lines", line=line, name="median", hovertemplate=hover
    )
    fig.update_xaxes(**(log_axis(record.losses) if record.log_scale else {"rangemode": "tozero"}))
    return fig


def success_share(record: SuccessShare, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws the share that succeeds for each value of the setting, with its 95 % interval."""
    with styled(theme) as inks:
        ax = ax or _rows(len(record.values))
        rows = np.arange(len(record.values))
        line: dict[str, Any] = {"colors": inks.muted, "linewidth": 1.6}
        ax.hlines(rows, 100 * record.low, 100 * record.high, label="95 % interval", **line)
        ax.plot(100 * record.share, rows, "o", color=ACCENT, markersize=7, label="share")
        _name_rows(ax, record, _counts(record))
        ax.set(xlim=(-2, 102), xlabel=f"{_share_of(record)} (%)")
        legend(ax, record.title)
        return figure_of(ax)


def success_share_plotly(record: SuccessShare, *, theme: str = "light") -> "go.Figure":
    """The same, with share and interval at the pointer."""
    fig = _web_rows(theme, record, f"{_share_of(record)} (%)", _counts(record))
    share, low, high = 100 * record.share, 100 * record.low, 100 * record.high
    bars = {"type": "data", "symmetric": False, "array": high - share, "arrayminus": share - low}
    hover = "%{x:.1f} %, from %{customdata[0]:.1f} to %{customdata[1]:.1f} %<extra></extra>"
    fig.add_scatter(
        x=share,
        y=np.arange(len(share)),
        mode="markers",
        marker={"color": ACCENT, "size": 10},
        error_x={**bars, "thickness": 2, "width": 0},
        name="share, with its 95 % interval",
        customdata=np.stack([low, high], axis=1),
        hovertemplate=hover,
        showlegend=True,
    )
    return fig.update_xaxes(range=(-2, 102))


def start_map(record: StartMap, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws every start: a point where it leads to success, a cross where it does not."""
    with styled(theme):
        ax = ax or new_axes(height=4.0)
        for name, own, colour, marker in _fates(record):
            x, y = record.points[own].T
            look: dict[str, Any] = {"color": colour, "marker": marker, "alpha": 0.8}
            ax.scatter(x, y, s=26, linewidths=1.4 if marker == "x" else 0, label=name, **look)
        ax.set(xlabel=plain(record.axes[0], 66), ylabel=plain(record.axes[1], 66))
        ax.grid()
        ax.set_axisbelow(True)
        legend(ax, record.title)
        return figure_of(ax)


def start_map_plotly(record: StartMap, *, theme: str = "light") -> "go.Figure":
    """The same, with the net's number at the pointer."""
    x, y = (escaped(name, 66) for name in record.axes)
    fig = new_figure(theme, title=record.title, height=540)
    fig.update_xaxes(title_text=x).update_yaxes(title_text=y)
    for name, own, colour, marker in _fates(record):
        symbol = "circle" if marker == "o" else "x-thin"
        look: dict[str, Any] = {"color": colour, "symbol": symbol, "size": 8, "opacity": 0.8}
        look |= {"line": {"color": colour, "width": 2 if marker == "x" else 0}}
        points = record.points[own]
        fig.add_scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="markers",
            marker=look,
            name=escaped(name),
            showlegend=True,
            customdata=record.nets[own],
            hovertemplate="net %{customdata}: %{x:.3g}, %{y:.3g}<extra></extra>",
        )
    return fig


def _rows(n: int) -> Any:
    """Axes with room for n rows of two lines."""
    return new_axes(width=5.6, height=1.5 + 0.5 * max(2, n))


def _name_rows(ax: Axes, record: FinalLosses | SuccessShare, numbers: list[str]) -> None:
    """A row for each value, the first on top."""
    names = [_two(plain(v, 24), n) for v, n in zip(record.values, numbers, strict=True)]
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.4, -0.6), ylabel=plain(record.by))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.set_axisbelow(True)


def _web_rows(
    theme: str, record: FinalLosses | SuccessShare, x: str, numbers: list[str]
) -> "go.Figure":
    """A row for each value, the first on top."""
    names = [_two(escaped(v), n, "<br>") for v, n in zip(record.values, numbers, strict=True)]
    fig = new_figure(theme, title=record.title, height=170 + 60 * max(2, len(names)))
    lines = [escaped(line) for line in textwrap.wrap(x, 36)]
    fig.update_xaxes(title_text="<br>".join(lines)).update_layout(margin_b=40 + 20 * len(lines))
    rows = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False}
    return fig.update_yaxes(title_text=escaped(record.by), range=(len(names) - 0.4, -0.6), **rows)


def _two(value: str, numbers: str, between: str = "\n") -> str:
    """A value and the numbers below it; the numbers alone where there is no setting."""
    return f"{value}{between}{numbers}" if value else numbers


def _numbers(record: FinalLosses) -> list[str]:
    """How many nets a strip has, their median, and how many diverged."""
    found = zip(record.count, record.median, record.n_diverged, strict=True)
    return [
        f"{n:,} net{'' if n == 1 else 's'}"
        + (f", median {median:.3g}" if n else "")
        + (f", {lost:,} diverged" if lost else "")
        for n, median, lost in found
    ]


def _counts(record: SuccessShare) -> list[str]:
    """Such as "57 of 60"."""
    return [f"{k:,} of {n:,}" for k, n in zip(record.n_successes, record.count, strict=True)]


def _share_of(record: SuccessShare) -> str:
    return f"share of nets whose {record.label}"


def _fates(record: StartMap) -> list[tuple[str, np.ndarray, str, str]]:
    """Name, nets, colour and marker of those that succeed and of those that fail."""
    kept = thinned(len(record.nets))
    n = int(record.succeeds.sum())
    return [
        (f"{record.label} ({n:,})", kept & record.succeeds, ACCENT, "o"),
        (f"it does not ({len(record.nets) - n:,})", kept & ~record.succeeds, HIGHLIGHT, "x"),
    ]


def _kept(group: np.ndarray) -> np.ndarray:
    """Which nets are drawn: all, or every so manieth of each group."""
    return np.asarray(np.argsort(group, kind="stable")[thinned(len(group))])
