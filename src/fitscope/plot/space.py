"""The samples in the space of a hidden layer's units, with the net's decision as a plane."""

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitscope.analysis import HiddenSpace
from fitscope.plot.canvas import colour_bar, draw_points, figure, legend, plain, styled
from fitscope.plot.theme import Inks, class_colour, class_name, inks_of, thinned
from fitscope.plot.web import add_note, add_points, escaped, panels, scene

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["hidden_space", "hidden_space_plotly"]

_COLUMNS = 4
_MOST_SCENES = 12  # browsers keep some 16 spatial pictures at a time
_SYMBOLS = ("circle", "square", "diamond", "cross", "x")  # those that plotly has in space


def hidden_space(record: HiddenSpace, *, theme: str = "light") -> Figure:
    """Draws a point a sample in panels of one, two or three axes; one axis alone as a strip.

    The test part is hollow. The box around three axes is what the activation can answer.
    """
    with styled(theme) as inks:
        n, m = len(record.panels), len(record.panels[0])
        columns = min(n, _COLUMNS)
        rows = -(-n // columns)
        fig = (
            figure(2.4 * columns, 2.3 * rows + 0.7) if n > 1 else figure(4.8, 4.4 if m > 1 else 3.0)
        )
        draw = (_draw_strip, _draw_plane, _draw_cube)[m - 1]
        for i in range(n):
            ax = fig.add_subplot(rows, columns, i + 1, projection="3d" if m == 3 else None)
            draw(ax, record, i, inks)
        title = "\n".join(filter(None, (record.title, *record.note.split("; "))))
        if n == 1:
            legend(ax, title)
            return fig
        handles, names = ax.get_legend_handles_labels()
        style: dict[str, Any] = {"frameon": False, "alignment": "left", "title": title}
        fig.legend(handles, names, loc="outside upper left", ncols=5, fontsize=9, **style)
        return fig


def _draw_strip(ax: Axes, record: HiddenSpace, panel: int, inks: Inks) -> None:
    (i,), d = record.panels[panel], record.dataset
    draw_points(ax, d, record.answers[:, i], _spread(record), inks=inks)
    for place in record.borders[panel][:, 0]:
        ax.axvline(place, color=inks.ink, linewidth=1.4)
    ax.set(xlabel=record.names[i], xlim=_limits(record, i))
    if d.classes:
        ax.set_yticks(range(len(d.classes)), [plain(class_name(d, label)) for label in d.classes])
    else:
        ax.set_ylabel(plain(d.target_name))


def _draw_plane(ax: Axes, record: HiddenSpace, panel: int, inks: Inks) -> None:
    i, j = record.panels[panel]
    _draw_samples(ax, record, (i, j), inks)
    ax.plot(*record.borders[panel].T, color=inks.ink, linewidth=1.4)
    ax.set(xlabel=record.names[i], ylabel=record.names[j])
    ax.set(xlim=_limits(record, i), ylim=_limits(record, j))
    ax.set_aspect("equal" if record.bounded else "auto")


def _draw_cube(ax: Any, record: HiddenSpace, panel: int, inks: Inks) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator
    from mpl_toolkits.mplot3d import art3d  # type: ignore[import-untyped]

    axes, corners = record.panels[panel], record.borders[panel]
    small = len(record.panels) > 1
    _draw_samples(ax, record, axes, inks)
    if record.bounded:
        ax.add_collection3d(art3d.Line3DCollection(_edges(record, axes), colors=inks.muted, lw=0.7))
    if len(corners):
        look: dict[str, Any] = {"facecolor": inks.muted, "edgecolor": inks.ink, "alpha": 0.3}
        ax.add_collection3d(art3d.Poly3DCollection([corners], **look))
    for letter, unit in zip("xyz", axes, strict=True):
        axis = getattr(ax, f"{letter}axis")
        axis.pane.fill = False
        ends = FixedLocator([float(record.low[unit]), float(record.high[unit])])
        axis.set_major_locator(ends if small and record.bounded else MaxNLocator(4))
        axis.set_tick_params(pad=-3 if small else 0, labelsize=7 if small else 9)
        axis.set_label_text(record.names[unit])
        axis.labelpad = -8 if small else 3
        ax.set(**{f"{letter}lim": _limits(record, unit)})
    ax.set_box_aspect(None, zoom=0.85)


def _draw_samples(ax: Any, record: HiddenSpace, axes: tuple[int, ...], inks: Inks) -> None:
    """The samples by class, or a regression's by value."""
    d, where = record.dataset, record.answers[:, axes].T
    if d.classes:
        draw_points(ax, d, where[0], where[1], z=where[2] if len(where) == 3 else None, inks=inks)
        return
    kept = thinned(where.shape[1])
    dots = ax.scatter(*where[:, kept], c=d.targets()[kept], s=16, cmap="cividis")
    if len(record.panels) == 1:
        colour_bar(ax, dots, d.target_name)


def hidden_space_plotly(record: HiddenSpace, *, theme: str = "light") -> "go.Figure":
    """The same, to be turned; of many panels the first twelve."""
    shown, m, inks = record.panels[:_MOST_SCENES], len(record.panels[0]), inks_of(theme)
    columns = min(len(shown), _COLUMNS)
    rows = -(-len(shown) // columns)
    kind = [[{"type": "scene" if m == 3 else "xy"}] * columns for _ in range(rows)]
    height = 560 if len(shown) == 1 else 260 * rows + 100
    space = {"horizontal_spacing": 0.02, "vertical_spacing": 0.03}
    fig = panels(theme, rows, columns, title=record.title, height=height, specs=kind, **space)
    left_out = f"{len(shown)} of {len(record.panels)} here" * (len(shown) < len(record.panels))
    note = "; ".join(filter(None, (record.note, left_out)))
    if note:
        add_note(fig, note)
    add = (_add_strip, _add_plane, _add_cube)[m - 1]
    for i in range(len(shown)):
        cell = {"row": i // columns + 1, "col": i % columns + 1}
        add(fig, record, i, inks.ink, cell)
    if m == 3:
        for i, axes in enumerate(shown, start=1):
            look = scene(theme, *(record.names[unit] for unit in axes))
            for axis, unit in zip(("xaxis", "yaxis", "zaxis"), axes, strict=True):
                look[axis]["range"] = _limits(record, unit)
                look[axis]["nticks"] = 5 if len(shown) == 1 else 3
            far = 1.0 if len(shown) == 1 else 1.3
            eye = {"x": 1.5 * far, "y": -1.6 * far, "z": 0.8 * far}
            look |= {"aspectmode": "cube", "camera_eye": eye}
            fig.update_layout({f"scene{i if i > 1 else ''}": look})
        fig.update_layout(margin={"l": 8, "r": 8, "b": 8})
    return fig


def _add_strip(
    fig: "go.Figure", record: HiddenSpace, panel: int, ink: str, cell: dict[str, Any]
) -> None:
    (i,), d, y = record.panels[panel], record.dataset, _spread(record)
    ends = np.array([y.min(), y.max()])
    place = record.borders[panel][:, 0]
    line: dict[str, Any] = {"mode": "lines", "line": {"color": ink}, "hoverinfo": "skip"}
    x = np.repeat(place, 2)
    fig.add_scatter(x=x, y=ends[: len(x)], showlegend=False, **line, **cell)
    add_points(fig, d, record.answers[:, i], y, **cell)
    fig.update_xaxes(title_text=record.names[i], range=_limits(record, i))
    fig.update_yaxes(title_text=escaped(d.target_name))
    if d.classes:
        fig.update_yaxes(tickvals=list(range(len(d.classes))), ticktext=_kinds(record))


def _add_plane(
    fig: "go.Figure", record: HiddenSpace, panel: int, ink: str, cell: dict[str, Any]
) -> None:
    i, j = record.panels[panel]
    x, y = record.borders[panel].T
    line: dict[str, Any] = {"mode": "lines", "line": {"color": ink}, "hoverinfo": "skip"}
    fig.add_scatter(x=x, y=y, showlegend=False, **line, **cell)
    if record.dataset.classes:
        add_points(fig, record.dataset, record.answers[:, i], record.answers[:, j], **cell)
    else:
        values = _by_value(record)
        where = dict(zip("xy", record.answers[:, (i, j)][values.pop("kept")].T, strict=True))
        fig.add_scatter(**where, **values, **cell)
    fig.update_xaxes(title_text=record.names[i], range=_limits(record, i))
    fig.update_yaxes(title_text=record.names[j], range=_limits(record, j))
    if record.bounded:
        fig.update_yaxes(scaleanchor="x", constrain="domain").update_xaxes(constrain="domain")


def _add_cube(
    fig: "go.Figure", record: HiddenSpace, panel: int, ink: str, cell: dict[str, Any]
) -> None:
    axes, corners = record.panels[panel], record.borders[panel]
    quiet: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False, **cell}
    edges = _edges(record, axes) if record.bounded else np.empty((0, 2, 3))
    outline = np.concatenate([edges, np.full((len(edges), 1, 3), np.nan)], axis=1)
    lines = (outline.reshape(-1, 3), 2), (np.concatenate([corners, corners[:1]]), 4)
    for places, width in lines:
        where = dict(zip("xyz", places.T, strict=True))
        fig.add_scatter3d(**where, mode="lines", line={"color": ink, "width": width}, **quiet)
    fan = np.arange(1, max(len(corners) - 1, 1))
    faces = {"i": np.zeros_like(fan), "j": fan, "k": fan + 1}
    where = dict(zip("xyz", corners.T, strict=True))
    fig.add_mesh3d(**where, **faces, color=ink, opacity=0.2, flatshading=True, **quiet)
    _add_cloud(fig, record, panel, cell)


def _add_cloud(fig: "go.Figure", record: HiddenSpace, panel: int, cell: dict[str, Any]) -> None:
    """The samples in space by class, or a regression's by value."""
    d, places = record.dataset, record.answers[:, record.panels[panel]]
    if not d.classes:
        values = _by_value(record)
        where = dict(zip("xyz", places[values.pop("kept")].T, strict=True))
        fig.add_scatter3d(**where, **values, **cell)
        return
    kept = thinned(len(places))
    test = np.arange(len(places)) >= len(d.y)
    for index, name in enumerate(_kinds(record)):
        own = kept & (d.targets() == index)
        symbol = _SYMBOLS[index % len(_SYMBOLS)]
        hollow = f"{symbol}-open" if symbol in _SYMBOLS[:3] else "circle-open"
        for part, suffix, shape in ((own & ~test, "", symbol), (own & test, ", test", hollow)):
            if part.any():
                where = dict(zip("xyz", places[part].T, strict=True))
                mark = {"color": class_colour(index), "size": 3.5, "symbol": shape}
                look = {"mode": "markers", "marker": mark, "name": name + suffix}
                fig.add_scatter3d(**where, **look, showlegend=panel == 0, **cell)


def _by_value(record: HiddenSpace) -> dict[str, Any]:
    """Which samples of a regression are drawn, and how."""
    d = record.dataset
    kept = thinned(len(record.answers))
    bar = {"title": {"text": escaped(d.target_name), "side": "right"}, "outlinewidth": 0}
    marker = {"color": d.targets()[kept], "colorscale": "Cividis", "colorbar": bar, "size": 4}
    return {"kept": kept, "mode": "markers", "marker": marker, "showlegend": False}


def _kinds(record: HiddenSpace) -> list[str]:
    return [escaped(class_name(record.dataset, label)) for label in record.dataset.classes]


def _spread(record: HiddenSpace) -> np.ndarray:
    """Ordinates in a strip: a regression's target, or the class, spread so that samples show."""
    d = record.dataset
    values = d.targets()
    golden = np.arange(len(values)) * 0.6180339887 % 1.0  # even over any run of samples
    return values + 0.6 * (golden - 0.5) if d.classes else values


def _limits(record: HiddenSpace, axis: int) -> tuple[float, float]:
    low, high = float(record.low[axis]), float(record.high[axis])
    margin = 0.04 * (high - low) if record.bounded else 0.0
    return low - margin, high + margin


def _edges(record: HiddenSpace, axes: tuple[int, ...]) -> np.ndarray:
    """The twelve edges (12, 2, 3) of the box that the activation cannot leave."""
    corners = np.array(list(itertools.product((0, 1), repeat=3)))
    pairs = [(a, b) for a, b in itertools.combinations(corners, 2) if np.abs(a - b).sum() == 1]
    low, high = record.low[list(axes)], record.high[list(axes)]
    return np.asarray(np.where(np.array(pairs) == 1, high, low))
