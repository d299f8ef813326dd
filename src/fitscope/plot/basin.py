"""The basin map: what training reaches from every start, with the run's own path on top."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from fitscope.analysis import BasinMap
from fitscope.plot.canvas import colour_bar, figure_of, legend, new_axes, styled
from fitscope.plot.theme import DIVERGED, HIGHLIGHT
from fitscope.plot.web import escaped, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["basin_map", "basin_map_plotly"]

AXES = ("weight w at the start", "bias b at the start")


def basin_map(record: BasinMap, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws each start in the colour of what it reaches; the bright ones learn.

    A start from which the training diverges is grey.
    """
    with styled(theme):
        ax = ax or new_axes(height=4.0)
        scale = (LogNorm if record.log_scale else Normalize)(*record.limits)
        (left, right), (bottom, top) = _edges(record.x), _edges(record.y)
        place: dict[str, Any] = {"extent": (left, right, bottom, top), "origin": "lower"}
        colours = colormaps[_colours(record)].with_extremes(bad=DIVERGED)
        image = ax.imshow(
            record.values, cmap=colours, norm=scale, interpolation="nearest", aspect="auto", **place
        )
        colour_bar(ax, image, record.label)
        if record.log_scale:
            _plain_ticks(image.colorbar.ax)  # type: ignore[union-attr]
        halo: dict[str, Any] = {"color": HIGHLIGHT, "markeredgecolor": "white"}
        w, b = record.path.T
        ax.plot(w, b, color="white", linewidth=2.8)
        ax.plot(w, b, color=HIGHLIGHT, linewidth=1.4, label="the run")
        ax.plot(w[:1], b[:1], "o", markersize=10, label="start", **halo)
        ax.plot(w[-1:], b[-1:], "s", markersize=6, label="end", **halo)
        if np.isnan(record.values).any():
            ax.plot([], [], "s", color=DIVERGED, markersize=7, label="diverged")
        ax.set(xlabel=f"{AXES[0]}\n{record.note}", ylabel=AXES[1])
        ax.set(xlim=(left, right), ylim=(bottom, top))
        ax.xaxis.set_major_locator(MaxNLocator(5))
        legend(ax, record.title)
        return figure_of(ax)


def basin_map_plotly(record: BasinMap, *, theme: str = "light") -> "go.Figure":
    """The same, with start, value and end at the pointer."""
    fig = new_figure(theme, title=record.title, y=AXES[1], height=540)
    fig.update_xaxes(title_text=f"{AXES[0]}<br><sub>{record.note}</sub>", range=_edges(record.x))
    fig.update_yaxes(range=_edges(record.y))
    limits = record.limits
    bar: dict[str, Any] = {"outlinewidth": 0, "thickness": 14}
    shown = np.log10(record.values) if record.log_scale else record.values
    if record.log_scale:
        ticks = [m * 10.0**e for e in range(-9, 10) for m in (1, 2, 5)]
        bar |= {"tickvals": np.log10(ticks), "ticktext": [f"{tick:g}" for tick in ticks]}
        limits = np.log10(limits[0]), np.log10(limits[1])
    bar["title"] = {"text": escaped(record.label), "side": "right"}
    told = np.dstack([record.values, record.ends])
    hover = (
        "from w = %{x:.3g}, b = %{y:.3g}<br>to w = %{customdata[1]:.3g}, b = %{customdata[2]:.3g}"
        f"<br>{escaped(record.label)}: %{{customdata[0]:.3g}}<extra></extra>"
    )
    where: dict[str, Any] = {"x": record.x, "y": record.y, "customdata": told}
    fig.add_heatmap(
        z=shown,
        colorscale="Cividis",
        reversescale=record.reach == "loss",
        zmin=limits[0],
        zmax=limits[1],
        colorbar=bar,
        hovertemplate=hover,
        **where,
    )
    lost = np.where(np.isnan(record.values), 1.0, np.nan)
    grey = [[0, DIVERGED], [1, DIVERGED]]
    there = "from w = %{x:.3g}, b = %{y:.3g}<br>it diverges<extra></extra>"
    fig.add_heatmap(z=lost, colorscale=grey, showscale=False, hovertemplate=there, **where)
    _add_path(fig, record)
    return fig


def _add_path(fig: "go.Figure", record: BasinMap) -> None:
    w, b = record.path.T
    fig.add_scatter(x=w, y=b, mode="lines", line={"color": HIGHLIGHT, "width": 2.5}, name="the run")
    for name, at, symbol in (("start", 0, "circle"), ("end", -1, "square")):
        look: dict[str, Any] = {"color": HIGHLIGHT, "size": 9 if at else 14, "symbol": symbol}
        look |= {"line": {"color": "white", "width": 1.5}}
        fig.add_scatter(x=w[[at]], y=b[[at]], mode="markers", marker=look, name=name)
    square: dict[str, Any] = {"color": DIVERGED, "size": 10, "symbol": "square"}
    is_there = bool(np.isnan(record.values).any())
    named: dict[str, Any] = {"name": "diverged", "showlegend": is_there}
    fig.add_scatter(x=[None], y=[None], mode="markers", marker=square, **named)


def _colours(record: BasinMap) -> str:
    """Bright is good."""
    return "cividis_r" if record.reach == "loss" else "cividis"


def _edges(axis: np.ndarray) -> tuple[float, float]:
    """Where the cells around the first and the last place end."""
    half = (axis[1] - axis[0]) / 2
    return float(axis[0] - half), float(axis[-1] + half)


def _plain_ticks(ax: Axes) -> None:
    """Numbers such as 0.05 along a log scale."""
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
