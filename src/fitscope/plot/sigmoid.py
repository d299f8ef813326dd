"""What single neurons answer: curves over one input, a map or a surface over two."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitscope.analysis import SigmoidCurves, SigmoidPlane
from fitscope.plot.canvas import colour_bar, figure_of, legend, new_axes, plain, styled
from fitscope.plot.theme import CLASS_COLOURS, FIELD, LINE, class_colour, inks_of
from fitscope.plot.web import FIELD_SCALE, add_note, escaped, new_figure, scene

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["sigmoid_curves", "sigmoid_curves_plotly", "sigmoid_plane", "sigmoid_plane_plotly"]

Kind = Literal["map", "surface"]


def sigmoid_curves(
    record: SigmoidCurves, *, ax: Axes | None = None, theme: str = "light"
) -> Figure:
    """Draws a curve for each neuron, with a dot on its boundary."""
    with styled(theme) as inks:
        ax = ax or new_axes(height=3.2 + 0.17 * len(record.names))
        ax.axhline(0.5, color=inks.muted, linewidth=0.8, linestyle=(0, (1, 2)))
        for i, name in enumerate(record.names):
            look: dict[str, Any] = {"color": class_colour(i), "zorder": 3}
            dashes = "--" if _is_repeated(i) else "-"
            label = plain(name, 44)
            ax.plot(record.x, record.y[:, i], dashes, label=label, linewidth=1.8, **look)
            ax.plot(record.boundaries[[i]], [0.5], "o", markersize=6, **look)
        ax.set(xlabel="x", ylabel="sigmoid(w x + b)", ylim=(-0.04, 1.04))
        ax.set_xlim(record.x[0], record.x[-1])
        ax.grid(axis="y")
        legend(ax, record.title)
        return figure_of(ax)


def sigmoid_curves_plotly(record: SigmoidCurves, *, theme: str = "light") -> "go.Figure":
    """The same, with the answer at the pointer."""
    inks, height = inks_of(theme), 440 + 12 * len(record.names)
    names = {"x": "x", "y": "sigmoid(w x + b)"}
    fig = new_figure(theme, title=record.title, height=height, **names)
    fig.add_hline(0.5, line={"color": inks.muted, "width": 1, "dash": "dot"})
    for i, name in enumerate(record.names):
        line = {"color": class_colour(i), "width": 2.4, "dash": "dash" if _is_repeated(i) else None}
        y = record.y[:, i]
        fig.add_scatter(x=record.x, y=y, mode="lines", line=line, name=escaped(name))
    dots = {"color": [class_colour(i) for i in range(len(record.names))], "size": 9}
    half = np.full(len(record.names), 0.5)
    place: dict[str, Any] = {"x": record.boundaries, "y": half, "mode": "markers"}
    fig.add_scatter(marker=dots, showlegend=False, **place)
    fig.update_layout(legend={"y": -0.24, "yanchor": "top"}, margin_t=56)
    fig.update_xaxes(range=record.x[[0, -1]], title_standoff=4)
    return fig.update_yaxes(range=[-0.04, 1.04])


def sigmoid_plane(
    record: SigmoidPlane, *, kind: Kind = "map", ax: Axes | None = None, theme: str = "light"
) -> Figure:
    """Draws the answer as colours or, of `kind` "surface", as a height, with the boundary."""
    with styled(theme) as inks:
        ax = ax or new_axes(height=4.2, projection="3d" if kind == "surface" else None)
        x, (ends, others) = record.x, record.boundary.T
        if kind == "map":
            half = (x[1] - x[0]) / 2  # the middle of a cell lies where it belongs
            place: dict[str, Any] = {"extent": (x[0] - half, x[-1] + half) * 2, "origin": "lower"}
            place["interpolation"] = "bilinear"
            image = ax.imshow(record.values, cmap=FIELD, vmin=0, vmax=1, **place)
            ax.plot(ends, others, color=LINE, linewidth=1.4)
            ax.set(xlim=(x[0], x[-1]), ylim=(x[0], x[-1]))
            colour_bar(ax, image, "probability")
        else:
            space: Any = ax
            grid = np.meshgrid(x, x)
            look: dict[str, Any] = {"edgecolor": inks.muted, "linewidth": 0.3, "vmin": 0, "vmax": 1}
            space.plot_surface(*grid, record.values, cmap=FIELD, rcount=26, ccount=26, **look)
            space.plot(ends, others, np.full(len(ends), 0.5), color=LINE, linewidth=2, zorder=5)
            space.set(zlim=(0, 1), zlabel="probability")
            for axis in (space.xaxis, space.yaxis, space.zaxis):
                axis.pane.fill = False
        ax.set(xlabel="x1", ylabel="x2")
        legend(ax, "\n".join(filter(None, (record.title, record.note))))
        return figure_of(ax)


def sigmoid_plane_plotly(
    record: SigmoidPlane, *, kind: Kind = "map", theme: str = "light"
) -> "go.Figure":
    """The same, to be turned, and with the answer at the pointer."""
    x, (ends, others) = record.x, record.boundary.T
    fig = new_figure(theme, title=record.title, x="x1", y="x2", height=520)
    if record.note:
        add_note(fig, record.note)
    bar = {"title": {"text": "probability", "side": "right"}, "outlinewidth": 0, "thickness": 14}
    place: dict[str, Any] = {"x": x, "y": x, "z": record.values, "colorbar": bar}
    place |= {"colorscale": FIELD_SCALE}
    place["hovertemplate"] = "%{x:.3g}, %{y:.3g}: %{z:.3g}<extra></extra>"
    line: dict[str, Any] = {"color": LINE, "width": 2 if kind == "map" else 5}
    line = {"line": line, "mode": "lines", "showlegend": False, "hoverinfo": "skip"}
    if kind == "map":
        fig.add_heatmap(zmin=0, zmax=1, zsmooth="best", **place)
        fig.add_scatter(x=ends, y=others, **line)
        fig.update_xaxes(range=x[[0, -1]], constrain="domain")
        return fig.update_yaxes(range=x[[0, -1]], scaleanchor="x", constrain="domain")
    flat = {"ambient": 0.9, "diffuse": 0.2, "specular": 0.0}
    fig.add_surface(cmin=0, cmax=1, lighting=flat, **place)
    fig.add_scatter3d(x=ends, y=others, z=np.full(len(ends), 0.5), **line)
    axes = scene(theme, "x1", "x2", "probability")
    axes["zaxis"]["range"] = [0, 1]
    camera = {"eye": {"x": 1.1, "y": -1.9, "z": 0.9}}
    return fig.update_layout(scene={**axes, "camera": camera}, margin_t=48)


def _is_repeated(i: int) -> bool:
    """Whether a curve has the colour of an earlier one."""
    return i >= len(CLASS_COLOURS)
