"""Where the model is right, where wrong: confusion matrix, predicted against true, residuals."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from fitscope.analysis import Confusion, FitScatter, Residuals
from fitscope.plot.canvas import figure, figure_of, legend, new_axes, plain, styled
from fitscope.plot.theme import ACCENT, LINE, inks_of, thinned
from fitscope.plot.web import escaped, new_figure, panels

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "confusion",
    "confusion_plotly",
    "fit_scatter",
    "fit_scatter_plotly",
    "residuals",
    "residuals_plotly",
]

_SHARES = ("#f4f7fb", ACCENT)
_COUNTS = LinearSegmentedColormap.from_list("counts", _SHARES)


def confusion(record: Confusion, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws the counts as a table, tinted by the share of the true class."""
    with styled(theme):
        ax = ax or new_axes(height=4.0)
        counts, share = record.counts, _share(record)
        ax.imshow(share, cmap=_COUNTS, vmin=0, vmax=1)
        size = 11 if len(counts) <= 5 else 8
        for i, j in np.ndindex(counts.shape):
            colour = "white" if share[i, j] > 0.6 else LINE
            ax.text(
                j, i, f"{counts[i, j]:,}", ha="center", va="center", color=colour, fontsize=size
            )
        names = [plain(label, 16) for label in record.classes]
        long = max(map(len, names)) > 6
        ax.set_xticks(range(len(names)), names, rotation=30 if long and len(names) > 3 else 0)
        ax.set_yticks(range(len(names)), names)
        ax.set_xlabel("predicted")
        ax.set_ylabel(f"true ({record.part} part)")
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        legend(ax, record.title)
        return figure_of(ax)


def confusion_plotly(record: Confusion, *, theme: str = "light") -> "go.Figure":
    """The same, with the share of the true class at the pointer."""
    labels = {"title": record.title, "x": "predicted", "y": f"true ({record.part} part)"}
    fig = new_figure(theme, height=520, **labels)
    places = list(range(len(record.classes)))
    names = [escaped(label, 16) for label in record.classes]
    fig.add_heatmap(
        z=_share(record),
        text=[[f"{count:,}" for count in row] for row in record.counts.tolist()],
        texttemplate="%{text}",
        colorscale=[[0, _SHARES[0]], [1, _SHARES[1]]],
        zmin=0,
        zmax=1,
        showscale=False,
        hovertemplate="%{text}, a share of %{z:.1%} of the true class<extra></extra>",
    )
    ticks: dict[str, Any] = {"tickvals": places, "ticktext": names, "ticks": "", "showline": False}
    fig.update_xaxes(constrain="domain", **ticks)
    order = {"autorange": "reversed", "scaleanchor": "x", "constrain": "domain"}
    return fig.update_yaxes(**order, **ticks)


def fit_scatter(record: FitScatter, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws predicted against true values with the line where both agree."""
    with styled(theme) as inks:
        ax = ax or new_axes()
        ends, kept = _ends(record), thinned(len(record.true))
        ax.plot(ends, ends, color=inks.muted, linewidth=1, linestyle=(0, (4, 3)))
        style: dict[str, Any] = {"color": ACCENT, "edgecolors": inks.paper, "linewidths": 0.5}
        ax.scatter(record.true[kept], record.predicted[kept], s=20, **style)
        ax.set_xlabel(f"true ({record.part} part)")
        ax.set_ylabel("predicted")
        ax.grid()
        ax.set_axisbelow(True)
        legend(ax, record.title)
        return figure_of(ax)


def fit_scatter_plotly(record: FitScatter, *, theme: str = "light") -> "go.Figure":
    """The same, with both values at the pointer."""
    fig = new_figure(theme, title=record.title, x=f"true ({record.part} part)", y="predicted")
    ends, kept, line = _ends(record), thinned(len(record.true)), {"dash": "dash", "width": 1}
    both: dict[str, Any] = {"showlegend": False}
    line = {**line, "color": inks_of(theme).muted}
    fig.add_scatter(x=ends, y=ends, mode="lines", line=line, hoverinfo="skip", **both)
    marker = {"color": ACCENT, "size": 7, "line": {"color": inks_of(theme).paper, "width": 0.5}}
    places = {"x": record.true[kept], "y": record.predicted[kept]}
    hover = "true %{x:.4g}<br>predicted %{y:.4g}<extra></extra>"
    return fig.add_scatter(mode="markers", marker=marker, hovertemplate=hover, **places, **both)


def residuals(record: Residuals, *, theme: str = "light") -> Figure:
    """Draws residuals against predictions, and beside it how many are of which size."""
    with styled(theme) as inks:
        fig = figure(6.4, 3.7)
        ax, side = fig.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        kept = thinned(len(record.residual))
        style: dict[str, Any] = {"color": ACCENT, "edgecolors": inks.paper, "linewidths": 0.5}
        ax.scatter(record.predicted[kept], record.residual[kept], s=20, **style)
        side.barh(_middles(record), record.counts, 0.94 * np.diff(record.edges), color=ACCENT)
        for one in (ax, side):
            one.axhline(0, color=inks.ink, linewidth=1)
            one.grid(axis="y")
            one.set_axisbelow(True)
        ax.set(xlabel=f"predicted ({record.part} part)")
        ax.set_ylabel(f"{plain(record.target)}: true - predicted")
        side.set_xlabel("samples")
        legend(ax, record.title)
        return fig


def residuals_plotly(record: Residuals, *, theme: str = "light") -> "go.Figure":
    """The same, with the values at the pointer."""
    sides: dict[str, Any] = {"shared_yaxes": True, "column_widths": [0.75, 0.25]}
    fig = panels(theme, 1, 2, title=record.title, horizontal_spacing=0.04, **sides)
    marker = {"color": ACCENT, "size": 7, "line": {"color": inks_of(theme).paper, "width": 0.5}}
    kept = thinned(len(record.residual))
    places = {"x": record.predicted[kept], "y": record.residual[kept], "mode": "markers"}
    hover = "predicted %{x:.4g}<br>residual %{y:.4g}<extra></extra>"
    fig.add_scatter(marker=marker, hovertemplate=hover, row=1, col=1, **places)
    bars = {"x": record.counts, "y": _middles(record), "width": np.diff(record.edges)}
    hover = "around %{y:.4g}: %{x:,}<extra></extra>"
    fig.add_bar(orientation="h", marker_color=ACCENT, hovertemplate=hover, row=1, col=2, **bars)
    fig.update_yaxes(zeroline=True, zerolinecolor=inks_of(theme).ink, zerolinewidth=1.2)
    fig.update_yaxes(title_text=f"{escaped(record.target)}: true - predicted", row=1, col=1)
    name = f"predicted ({record.part} part)"
    fig.update_xaxes(title_text=name, row=1, col=1).update_xaxes(title_text="samples", col=2)
    return fig.update_layout(showlegend=False, bargap=0.06)


def _share(record: Confusion) -> np.ndarray:
    """Of each true class, the share that was given each answer."""
    return np.asarray(record.counts / np.maximum(record.counts.sum(axis=1, keepdims=True), 1))


def _ends(record: FitScatter) -> list[float]:
    """Where the line of equal values begins and ends."""
    both = np.concatenate([record.true, record.predicted])
    return [float(both.min()), float(both.max())]


def _middles(record: Residuals) -> np.ndarray:
    return np.asarray((record.edges[:-1] + record.edges[1:]) / 2)
