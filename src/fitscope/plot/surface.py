"""The loss surface: the loss over a plane of parameters, with the path that the training took."""

import textwrap
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from fitscope.analysis import LossSurface
from fitscope.errors import DataError
from fitscope.plot.canvas import colour_bar, figure, figure_of, legend, plain, styled
from fitscope.plot.theme import HIGHLIGHT, LINE, Inks
from fitscope.plot.web import escaped, panels, scene

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["loss_surface", "loss_surface_plotly"]

Kind = Literal["contour", "3d"]
_N_LEVELS = 24
_LEAST = 1e-6  # of the largest loss: what lies below is drawn alike on a log scale


class _Heights(NamedTuple):
    """One panel's losses as they are drawn: finite, and above 0 on a log scale."""

    values: np.ndarray  # (g, g), NaN where not finite
    path: np.ndarray  # (t,) on the surface
    low: float
    high: float
    log: bool

    def lifted(self, record: LossSurface) -> np.ndarray:
        """How high the path is drawn, a hundredth above the surface; NaN out of the picture."""
        low, high = self.up(np.array([self.low, self.high]))
        up = self.up(np.clip(self.path, self.low, self.high)) + 0.01 * (high - low)
        return np.where(_in_view(record, record.path), up, np.nan)

    def up(self, loss: np.ndarray) -> np.ndarray:
        """How high a loss is drawn: itself, or its decimal logarithm."""
        return np.asarray(np.log10(loss) if self.log else loss)


def loss_surface(
    record: LossSurface,
    *,
    kind: Kind = "contour",
    log: bool | None = None,
    ax: Axes | None = None,
    theme: str = "light",
) -> Figure:
    """Draws the surface and the path on it: hollow where it starts, filled where it ends.

    Args:
        record: the surface; several losses stand side by side.
        kind: "contour" or "3d".
        log: whether the loss is on a log scale; default: where it varies more than tenfold.
        ax: where to draw a single loss; for "3d", axes with that projection.
        theme: "light" or "dark".

    Raises:
        DataError: `ax` cannot hold the picture.
    """
    with styled(theme) as inks:
        n = len(record.losses)
        if ax is not None and n > 1:
            raise DataError(f"`ax` holds the surface of one loss; this record has {n}.")
        if ax is not None and (ax.name == "3d") != (kind == "3d"):
            raise DataError(f"`ax` must be made for the kind {kind}; it is {ax.name}.")
        projection = "3d" if kind == "3d" else None
        if ax is None:
            fig = figure(4.8 * n + 0.4, 4.3)
            all_axes = [fig.add_subplot(1, n, i + 1, projection=projection) for i in range(n)]
        else:
            all_axes = [ax]
        for i, one in enumerate(all_axes):
            (_draw_contour if kind == "contour" else _draw_3d)(one, record, i, log, inks)
        legend(all_axes[0], record.title)
        return figure_of(all_axes[0])


def _draw_contour(ax: Axes, record: LossSurface, i: int, log: bool | None, inks: Inks) -> None:
    shape = _heights(record, i, log)
    norm = LogNorm(shape.low, shape.high) if shape.log else Normalize(shape.low, shape.high)
    spaced = np.geomspace if shape.log else np.linspace
    levels = spaced(shape.low, shape.high, _N_LEVELS)
    z = np.ma.masked_invalid(np.clip(shape.values, shape.low, shape.high))
    image = ax.contourf(record.x, record.y, z, levels, norm=norm, cmap="viridis")
    colour_bar(ax, image, record.labels[i])
    if image.colorbar is not None:
        image.colorbar.set_ticks(_ticks(shape), labels=[f"{tick:g}" for tick in _ticks(shape)])
    halo = [withStroke(linewidth=3.4, foreground="white")]
    ax.plot(*record.path.T, color=HIGHLIGHT, linewidth=1.6, label="path", path_effects=halo)
    dot: dict[str, Any] = {"color": HIGHLIGHT, "linestyle": "none", "marker": "o", "markersize": 7}
    hollow: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 1.8}
    ax.plot(*record.path[:1].T, label="start", **dot, **hollow)
    ax.plot(*record.path[-1:].T, label="end", markeredgecolor="white", **dot)
    star = {**dot, "marker": "*", "markersize": 13, "color": "white", "markeredgecolor": LINE}
    for x, y, _ in _optimum_in_view(record, i):
        ax.plot(x, y, label="optimum", **star)
    names = [plain(name, 60) for name in record.axis_names]
    note = textwrap.fill(record.notes[i], 50)
    ax.set(xlim=record.x[[0, -1]], ylim=record.y[[0, -1]], ylabel=names[1])
    ax.set_xlabel(f"{names[0]}\n{note}")
    ax.spines[["left", "bottom"]].set_color(inks.muted)


def _draw_3d(ax: Any, record: LossSurface, i: int, log: bool | None, inks: Inks) -> None:
    shape = _heights(record, i, log)
    ax.computed_zorder = False  # else the path vanishes behind the surface that it lies on
    low, high = (float(shape.up(np.asarray(end))) for end in (shape.low, shape.high))
    z = shape.up(np.clip(shape.values, shape.low, shape.high))
    X, Y = np.meshgrid(record.x, record.y)
    fine: dict[str, Any] = {"rcount": 80, "ccount": 80, "linewidth": 0, "antialiased": False}
    ax.plot_surface(X, Y, z, cmap="viridis", vmin=low, vmax=high, zorder=1, **fine)
    lifted = shape.lifted(record)
    line: dict[str, Any] = {"color": HIGHLIGHT, "zorder": 3}
    ax.plot(*record.path.T, lifted, linewidth=2, label="path", **line)
    dot = {**line, "linestyle": "none", "marker": "o", "markersize": 7}
    ax.plot(*record.path[:1].T, lifted[:1], label="start", markerfacecolor="white", **dot)
    ax.plot(*record.path[-1:].T, lifted[-1:], label="end", markeredgecolor="white", **dot)
    star = {**dot, "marker": "*", "markersize": 13, "color": "white", "markeredgecolor": LINE}
    for x, y, loss in _optimum_in_view(record, i):
        ax.plot(x, y, float(shape.up(np.asarray(loss))), label="optimum", **star)
    ax.set(xlim=record.x[[0, -1]], ylim=record.y[[0, -1]], zlim=(low, high))
    names = [plain(name, 60) for name in (*record.axis_names, record.labels[i])]
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.set_zlabel(names[2], labelpad=8)
    ax.set_zticks(shape.up(np.array(_ticks(shape))), [f"{tick:g}" for tick in _ticks(shape)])
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
    ax.set_box_aspect((1, 1, 0.75), zoom=0.9)
    note = textwrap.fill(record.notes[i], 62)
    ax.text2D(0, -0.02, note, transform=ax.transAxes, va="top", color=inks.ink)


def loss_surface_plotly(
    record: LossSurface,
    *,
    kind: Kind = "contour",
    log: bool | None = None,
    theme: str = "light",
) -> "go.Figure":
    """The same, with the parameters and the loss at the pointer; a 3-D surface can be turned."""
    n = len(record.losses)
    specs = [[{"type": "scene" if kind == "3d" else "xy"}] * n]
    gap = 0.2 if kind == "contour" else 0.02
    fig = panels(theme, 1, n, title=record.title, height=560, specs=specs, horizontal_spacing=gap)
    fig.update_layout(margin_b=96 if kind == "contour" else 64, width=520 * n if n > 1 else None)
    for i in range(n):
        shape = _heights(record, i, log)
        add = _add_contour if kind == "contour" else _add_3d
        add(fig, record, i, shape)
        if kind == "3d":
            look = scene(theme, *record.axis_names, record.labels[i])
            ticks = {"tickvals": _ticks(shape), "ticktext": [f"{t:g}" for t in _ticks(shape)]}
            look["zaxis"] |= {"type": "log" if shape.log else "linear", **ticks}
            camera = {"eye": {"x": 1.0, "y": -2.2, "z": 1.1}, "center": {"x": 0, "y": 0, "z": -0.2}}
            fig.update_scenes(aspectmode="cube", camera=camera, **look, row=1, col=i + 1)
    return fig


def _add_contour(fig: "go.Figure", record: LossSurface, i: int, shape: _Heights) -> None:
    cell: dict[str, Any] = {"row": 1, "col": i + 1}
    low, high = (float(shape.up(np.asarray(end))) for end in (shape.low, shape.high))
    size = (high - low) / _N_LEVELS
    levels = {"start": low, "end": high, "size": size}
    bar = _bar(fig, record, i, shape)
    z = shape.up(np.clip(shape.values, shape.low, shape.high))
    field: dict[str, Any] = {"z": z, "text": record.values[i], "hovertemplate": _hover(record)}
    look = {"contours": levels, "line_width": 0, "colorscale": "Viridis", "colorbar": bar}
    fig.add_contour(x=record.x, y=record.y, zmin=low, zmax=high, **field, **look, **cell)
    x, y = record.path.T
    halo = {"color": "white", "width": 4.5}
    quiet: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False, **cell}
    fig.add_scatter(x=x, y=y, mode="lines", line=halo, **quiet)
    seen = {"showlegend": i == 0, **_told(record, i), **cell}
    line = {"color": HIGHLIGHT, "width": 2}
    fig.add_scatter(x=x, y=y, mode="lines", line=line, name="path", **seen)
    for name, at, marker in _ends(size=11):
        place = {"x": x[at], "y": y[at], "customdata": seen["customdata"][at]}
        fig.add_scatter(mode="markers", marker=marker, name=name, **{**seen, **place})
    best = _optimum_in_view(record, i)
    star = {"symbol": "star", "size": 16, "color": "white", "line": {"color": LINE, "width": 1}}
    told = {"name": "optimum", "showlegend": i == 0 and len(best) > 0}
    fig.add_scatter(x=best[:, 0], y=best[:, 1], mode="markers", marker=star, **told, **cell)
    names = [escaped(name, 60) for name in record.axis_names]
    fig.update_xaxes(
        title_text=f"{names[0]}<br>{_small(record.notes[i])}", range=record.x[[0, -1]], **cell
    )
    fig.update_yaxes(title_text=names[1], range=record.y[[0, -1]], **cell)


def _add_3d(fig: "go.Figure", record: LossSurface, i: int, shape: _Heights) -> None:
    cell: dict[str, Any] = {"row": 1, "col": i + 1}
    z = np.clip(shape.values, shape.low, shape.high)
    low, high = (float(shape.up(np.asarray(end))) for end in (shape.low, shape.high))
    colours: dict[str, Any] = {"surfacecolor": shape.up(z), "cmin": low, "cmax": high}
    look = {"colorscale": "Viridis", "showscale": False, "opacity": 0.92}
    hover = _hover(record).replace("%{text", "%{z")
    fig.add_surface(x=record.x, y=record.y, z=z, hovertemplate=hover, **colours, **look, **cell)
    x, y = record.path.T
    lifted = shape.lifted(record)
    on_top = 10**lifted if shape.log else lifted
    seen = {"showlegend": i == 0, **_told(record, i), **cell}
    line = {"color": HIGHLIGHT, "width": 6}
    fig.add_scatter3d(x=x, y=y, z=on_top, mode="lines", line=line, name="path", **seen)
    for name, at, marker in _ends(size=5):
        place = {"x": x[at], "y": y[at], "z": on_top[at], "customdata": seen["customdata"][at]}
        fig.add_scatter3d(mode="markers", marker=marker, name=name, **{**seen, **place})
    best = _optimum_in_view(record, i).T
    star = {"symbol": "diamond", "size": 6, "color": "white", "line": {"color": LINE, "width": 1}}
    told = {"name": "optimum", "showlegend": i == 0 and best.size > 0}
    fig.add_scatter3d(x=best[0], y=best[1], z=best[2], mode="markers", marker=star, **told, **cell)
    where = {"xref": "paper", "x": i / len(record.losses), "yref": "paper", "y": 0}
    look = {"xanchor": "left", "yanchor": "top", "align": "left", "showarrow": False}
    fig.add_annotation(text=_small(record.notes[i]), **where, **look)


def _heights(record: LossSurface, i: int, log: bool | None) -> _Heights:
    """What is drawn of a loss: its range over the surface, and whether on a log scale."""
    values = np.where(np.isfinite(record.values[i]), record.values[i], np.nan)
    finite = values[np.isfinite(values)]
    high = float(finite.max(initial=0.0)) or 1.0
    low = float(finite.min(initial=high))
    if log is None:
        log = high > 10 * low
    low = max(low, _LEAST * high) if log else low
    if high <= low * (1 + 1e-9):
        low, high = 0.9 * low, 1.1 * high
    return _Heights(values, record.projected_loss[i], low, high, log)


def _ticks(shape: _Heights) -> list[float]:
    """Round losses for the scale; on a log scale 1, 2, 5, or fewer where that is too many."""
    if shape.log:
        first, last = int(np.floor(np.log10(shape.low))), int(np.ceil(np.log10(shape.high)))
        for digits, every in (((1, 2, 5), 1), ((1,), 1), ((1,), 1 + (last - first) // 8)):
            places = [n * 10.0**i for i in range(first, last + 1, every) for n in digits]
            ticks = [place for place in places if shape.low <= place <= shape.high]
            if 2 <= len(ticks) <= 9:
                return ticks
    even = MaxNLocator(6).tick_values(shape.low, shape.high)
    return [float(place) for place in even if shape.low <= place <= shape.high]


def _bar(fig: "go.Figure", record: LossSurface, i: int, shape: _Heights) -> dict[str, Any]:
    """The colour bar of a panel, to its right."""
    right = fig.layout[f"xaxis{i + 1 if i else ''}"].domain[1]
    title = {"text": escaped(record.labels[i]), "side": "right"}
    bar: dict[str, Any] = {"title": title, "outlinewidth": 0, "thickness": 14, "x": right + 0.01}
    ticks = _ticks(shape)
    at = shape.up(np.array(ticks))
    return bar | {"tickvals": at, "ticktext": [f"{tick:g}" for tick in ticks]}


def _hover(record: LossSurface) -> str:
    x, y = (escaped(name) for name in record.axis_names)
    return f"{x}: %{{x:.4g}}<br>{y}: %{{y:.4g}}<br>loss: %{{text:.4g}}<extra></extra>"


def _told(record: LossSurface, i: int) -> dict[str, Any]:
    """What the pointer tells of a place of the path: the step, its own loss, how far off it is."""
    data = np.column_stack([record.steps, record.path_loss[i], record.distance])
    text = "after %{customdata[0]:,} updates<br>loss: %{customdata[1]:.4g}"
    if record.plane != "exact":
        text += "<br>%{customdata[2]:.2g} away from the plane"
    return {"customdata": data, "hovertemplate": text + "<extra></extra>"}


def _ends(size: int) -> list[tuple[str, slice, dict[str, Any]]]:
    """The markers of both ends: the start hollow, the end filled."""
    hollow = {"color": "white", "size": size, "line": {"color": HIGHLIGHT, "width": 2.5}}
    filled = {"color": HIGHLIGHT, "size": size, "line": {"color": "white", "width": 1}}
    return [("start", slice(0, 1), hollow), ("end", slice(-1, None), filled)]


def _small(note: str) -> str:
    """A note in lines of small print."""
    return "<br>".join(f"<sub>{line}</sub>" for line in textwrap.wrap(note, 60))


def _optimum_in_view(record: LossSurface, i: int) -> np.ndarray:
    """x, y and loss of the optimum: one row, or none where it is not in the picture."""
    best = record.optima[i : i + 1]
    return np.asarray(best[_in_view(record, best[:, :2])])


def _in_view(record: LossSurface, places: np.ndarray) -> np.ndarray:
    """Which places (m, 2) lie within the picture."""
    low, high = [record.x[0], record.y[0]], [record.x[-1], record.y[-1]]
    return np.asarray(((places >= low) & (places <= high)).all(axis=1))
