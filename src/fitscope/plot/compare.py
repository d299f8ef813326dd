"""Several runs on one set of axes: their losses, their paths, their boundaries."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

from fitscope.analysis import BoundaryComparison, Compared, LossComparison, PathComparison
from fitscope.plot.canvas import draw_points, figure_of, legend, new_axes, plain, styled
from fitscope.plot.theme import RUN_COLOURS, RUN_DASHES, Inks, inks_of, shown
from fitscope.plot.web import add_points, escaped, log_axis, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["compare", "compare_plotly"]

Comparison = LossComparison | PathComparison | BoundaryComparison
_DASHES = {"solid": "solid", "dashed": "dash", "dashdot": "dashdot", "dotted": "dot"}  # plotly's
_ENDS = "hollow: where a path starts; filled: where it ends"


def compare(record: Comparison, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws each run in a colour and a dash of its own, scikit-learn's model in ink."""
    with styled(theme) as inks:
        n = len(record.models) if isinstance(record, BoundaryComparison) else 0
        ax = ax or new_axes(width=5.4, height=4.2 + 0.19 * n)
        if isinstance(record, LossComparison):
            _losses(record, ax, inks)
        elif isinstance(record, PathComparison):
            _paths(record, ax, inks)
        else:
            _boundaries(record, ax, inks)
        return figure_of(ax)


def compare_plotly(record: Comparison, *, theme: str = "light") -> "go.Figure":
    """The same, with the numbers at the pointer."""
    if isinstance(record, LossComparison):
        fig = _losses_plotly(record, theme)
    elif isinstance(record, PathComparison):
        fig = _paths_plotly(record, theme)
    else:
        fig = _boundaries_plotly(record, theme)
    low = -0.36 if isinstance(record, PathComparison) else -0.24
    below = {"y": low, "yanchor": "top"}  # where long names have room to wrap
    return fig.update_layout(legend=below, margin_t=56)


def _losses(record: LossComparison, ax: Axes, inks: Inks) -> None:
    for i, name in enumerate(record.names):
        ax.plot(record.at[i], _finite(record.losses[i]), label=plain(name, 48), **_line(i))
    if record.reference is not None:
        name = plain(record.reference.name, 48)
        ax.axhline(record.reference_loss, color=inks.ink, ls=(0, (2, 2)), lw=1.4, label=name)
    ax.set_xlabel(record.axis)
    ax.set_ylabel(textwrap.fill(plain(record.label, 80), 38))
    ax.set_xlim(0, max(1, *(int(at[-1]) for at in record.at)))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:,.10g}"))
    if record.log_scale:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(bottom=0)
    ax.grid(axis="y")
    legend(ax, record.title)


def _losses_plotly(record: LossComparison, theme: str) -> "go.Figure":
    fig = new_figure(theme, title=record.title, x=record.axis, height=500)
    label = "<br>".join(escaped(line) for line in textwrap.wrap(record.label, 40))
    fig.update_yaxes(title_text=label)
    for i, name in enumerate(record.names):
        places = {"x": record.at[i], "y": _finite(record.losses[i])}
        fig.add_scatter(mode="lines", line=_line_plotly(i), name=escaped(name), **places)
    if record.reference is not None:
        line = {"color": inks_of(theme).ink, "dash": "dot", "width": 1.6}
        ends = [0, max(int(at[-1]) for at in record.at)]
        level, name = [record.reference_loss] * 2, escaped(record.reference.name)
        fig.add_scatter(x=ends, y=level, mode="lines", line=line, name=name)
    drawn = np.concatenate(record.losses)
    fig.update_yaxes(**(log_axis(drawn) if record.log_scale else {"rangemode": "tozero"}))
    return fig.update_layout(hovermode="x unified")


def _paths(record: PathComparison, ax: Axes, inks: Inks) -> None:
    if len(record.levels):
        look: dict[str, Any] = {"colors": inks.muted, "linewidths": 0.7, "alpha": 0.7}
        lines = ax.contour(record.w, record.b, record.surface, record.levels, **look)
        ax.clabel(lines, fmt="%.2g", fontsize=7)
    for i, (name, path) in enumerate(zip(record.names, record.paths, strict=True)):
        ax.plot(path[:, 0], path[:, 1], label=plain(name, 48), **_line(i))
        (x, y), colour = path.T, RUN_COLOURS[i % len(RUN_COLOURS)]
        look = {"edgecolors": colour, "s": 34, "zorder": 4}
        ax.scatter(x[:1], y[:1], color=inks.paper, **look)
        ax.scatter(x[-1:], y[-1:], color=colour, **look)
    if record.reference is not None and record.reference_at is not None:
        name = plain(record.reference.name, 48)
        w, b = record.reference_at
        ax.scatter(w, b, s=90, marker="*", color=inks.ink, zorder=5, label=name)
    note = f"lines: {plain(record.label, 80)}\n{_ENDS}"
    ax.set(xlabel=f"{plain(record.axes[0], 60)}\n{note}", ylabel=record.axes[1])
    ax.set(xlim=record.w[[0, -1]], ylim=record.b[[0, -1]])
    legend(ax, record.title)


def _paths_plotly(record: PathComparison, theme: str) -> "go.Figure":
    inks = inks_of(theme)
    note = f"<br><sub>lines: {escaped(record.label, 80)}<br>{_ENDS}</sub>"
    fig = new_figure(theme, title=record.title, y=record.axes[1], height=620)
    fig.update_xaxes(title_text=escaped(record.axes[0]) + note, range=record.w[[0, -1]])
    fig.update_yaxes(range=record.b[[0, -1]])
    _contours(fig, record, inks)
    for i, (name, path) in enumerate(zip(record.names, record.paths, strict=True)):
        colour, (x, y) = RUN_COLOURS[i % len(RUN_COLOURS)], path.T
        fig.add_scatter(x=x, y=y, mode="lines", line=_line_plotly(i), name=escaped(name))
        ends = {"x": x[[0, -1]] if len(x) else x, "y": y[[0, -1]] if len(y) else y}
        marker = {"color": [inks.paper, colour], "size": 10, "line": {"color": colour, "width": 2}}
        look: dict[str, Any] = {"mode": "markers", "marker": marker, "showlegend": False}
        fig.add_scatter(text=["start", "end"], hovertemplate="%{text}: %{x:.4g}, %{y:.4g}", **look)
        fig.data[-1].update(name=escaped(name), **ends)
    if record.reference is not None and record.reference_at is not None:
        at = {"x": record.reference_at[:1], "y": record.reference_at[1:]}
        marker = {"color": inks.ink, "size": 14, "symbol": "star"}
        name = escaped(record.reference.name)
        fig.add_scatter(mode="markers", marker=marker, name=name, **at)
    return fig


def _contours(fig: "go.Figure", record: PathComparison, inks: Inks) -> None:
    """The lines of equal loss; plotly wants equal distances, so it gets the levels' numbers."""
    n = len(record.levels)
    levels = record.levels if n else np.array([0.0])
    z = np.interp(record.surface, levels, np.arange(len(levels)), left=-0.5, right=n - 0.5)
    steps = {"start": 0, "end": n - 1, "size": 1, "coloring": "none"}
    hover = "w %{x:.4g}<br>b %{y:.4g}<br>loss %{customdata:.3g}<extra></extra>"
    line = {"color": inks.muted, "width": 0.8}
    places = {"x": record.w, "y": record.b, "z": z, "customdata": record.surface}
    fig.add_contour(contours=steps, line=line, hovertemplate=hover, showlegend=False, **places)


def _boundaries(record: BoundaryComparison, ax: Axes, inks: Inks) -> None:
    d, points = record.dataset, record.dataset.inputs()
    draw_points(ax, d, points[:, 0], points[:, 1], inks=inks)
    lines = []
    for i, (model, logits) in enumerate(zip(record.models, record.logits, strict=True)):
        look = _line_of_model(record, i, inks)
        if logits.min() < 0 <= logits.max():
            style = {"colors": look["color"], "linestyles": [look["linestyle"]], "zorder": 4}
            ax.contour(record.x, record.y, logits, [0.0], linewidths=look["linewidth"], **style)
        lines.append(Line2D([], [], label=plain(_judgement(model), 72), **look))
    names = [plain(name) for name in d.feature_names]
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.set(xlim=record.x[[0, -1]], ylim=record.y[[0, -1]])
    legend(ax, record.title)
    _legend_below(ax, lines)


def _legend_below(ax: Axes, lines: list[Line2D]) -> None:
    """A second legend, under the name of the abscissa, for what has long names."""
    above = ax.get_legend()
    to_points = figure_of(ax).dpi_scale_trans
    below = ax.transAxes + ScaledTranslation(0, -40 / 72, to_points)
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, 0), "borderaxespad": 0}
    ax.legend(handles=lines, bbox_transform=below, frameon=False, fontsize=9, **place)
    if above is not None:
        ax.add_artist(above).set_clip_on(False)  # or the layout would leave no room for it


def _boundaries_plotly(record: BoundaryComparison, theme: str) -> "go.Figure":
    d, points, inks = record.dataset, record.dataset.inputs(), inks_of(theme)
    x, y = d.feature_names
    fig = new_figure(theme, title=record.title, x=x, y=y, height=620)
    fig.update_xaxes(range=record.x[[0, -1]]).update_yaxes(range=record.y[[0, -1]])
    add_points(fig, d, points[:, 0], points[:, 1])
    half = {"start": 0, "end": 0, "size": 1, "coloring": "none"}
    for i, (model, logits) in enumerate(zip(record.models, record.logits, strict=True)):
        look = _line_of_model(record, i, inks)
        dash = _DASHES.get(str(look["linestyle"]), "dot")
        line = {"color": look["color"], "dash": dash, "width": 2.4}
        off: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False, "legendgroup": str(i)}
        fig.add_contour(x=record.x, y=record.y, z=logits, contours=half, line=line, **off)
        name = escaped(_judgement(model), 70)
        fig.add_scatter(x=[None], y=[None], mode="lines", line=line, name=name, legendgroup=str(i))
    return fig


def _judgement(model: Compared) -> str:
    """A model by name, with its numbers on the judged part."""
    return f"{shown(model.name)}: {model.accuracy:.1%} right, log-loss {model.log_loss:.3f}"


def _line_of_model(record: BoundaryComparison, i: int, inks: Inks) -> dict[str, Any]:
    if record.has_reference and i == len(record.models) - 1:
        return {"color": inks.ink, "linestyle": (0, (2, 2)), "linewidth": 1.8}
    return _line(i)


def _line(i: int) -> dict[str, Any]:
    """Colour and dash of run i; the dashes change with the colours, then repeat."""
    dash = RUN_DASHES[i % len(RUN_DASHES)]
    return {"color": RUN_COLOURS[i % len(RUN_COLOURS)], "linestyle": dash, "linewidth": 1.8}


def _line_plotly(i: int) -> dict[str, Any]:
    look = _line(i)
    return {"color": look["color"], "dash": _DASHES[look["linestyle"]], "width": 2.2}


def _finite(losses: np.ndarray) -> np.ndarray:
    """Gaps where a loss is not finite."""
    return np.where(np.isfinite(losses), losses, np.nan)
