"""Every unit's answer over the inputs, laid out as the network is."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fitscope.analysis import UnitMaps
from fitscope.plot.canvas import figure, plain, styled
from fitscope.plot.theme import CLASS_COLOURS, FIELD
from fitscope.plot.web import FIELD_SCALE, escaped, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["unit_maps", "unit_maps_plotly"]

_MAP = 0.92  # inches: the side of a map
_GAPS = (0.6, 0.3)  # inches between columns, and between rows
_TOP, _MANY = 1.05, 6  # inches for the title; from so many rows on, maps are smaller


def unit_maps(record: UnitMaps, *, theme: str = "light") -> Figure:
    """Draws a column a layer, from the inputs to the output, and a map or a curve a unit.

    Maps are coloured from cool (least) over white to warm (greatest answer). A line between two
    is a weight: as thick as it is large in its layer, warm if positive, cool if negative.
    """
    with styled(theme) as inks:
        width, height = _size(record)
        fig = figure(width, height)
        fig.set_layout_engine("none")
        boxes = _boxes(record)
        _draw_weights(fig, record, boxes)
        for column, maps in enumerate(record.maps):
            for unit in range(len(maps)):
                x, y, across, up = boxes[column][unit]
                ax = fig.add_axes((x, y, across, up))
                _draw_map(ax, record, column, unit, inks.ink)
                ax.set(xticks=[], yticks=[])
                ax.spines[:].set(visible=True, color=inks.muted)
                ax.set_title(plain(record.names[column][unit], 18), fontsize=8, pad=2)
            middle = boxes[column][0][0] + boxes[column][0][2] / 2
            where: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8.5}
            heading = record.headings[column]
            fig.text(middle, 1 - 0.68 / height, heading, color=inks.muted, **where)
        fig.text(0.1 / width, 1 - 0.12 / height, record.title, fontsize=10, va="top")
        fig.text(0.1 / width, 1 - 0.33 / height, _about(record), fontsize=8, va="top")
        return fig


def _draw_map(ax: Any, record: UnitMaps, column: int, unit: int, ink: str) -> None:
    values, (low, high) = record.maps[column][unit], record.ranges[column][unit]
    if values.ndim == 2:
        extent = (record.x[0], record.x[-1], record.y[0], record.y[-1])
        look: dict[str, Any] = {"cmap": FIELD, "vmin": low, "vmax": high, "aspect": "auto"}
        ax.imshow(values, extent=extent, origin="lower", interpolation="nearest", **look)
        return
    margin = 0.06 * ((high - low) or 1.0)
    ax.plot(record.x, values, color=ink, linewidth=1.2)
    ax.set(xlim=record.x[[0, -1]], ylim=(low - margin, high + margin))


def _draw_weights(fig: Figure, record: UnitMaps, boxes: list[list[list[float]]]) -> None:
    for column, W in enumerate(record.weights):
        for (unit, source), share in np.ndenumerate(_shares(W)):
            x, y, width, height = boxes[column][source]
            to_x, to_y, _, to_height = boxes[column + 1][unit]
            ends = [x + width, to_x], [y + height / 2, to_y + to_height / 2]
            look: dict[str, Any] = {"color": CLASS_COLOURS[int(share > 0)], "alpha": 0.75}
            fig.add_artist(Line2D(*ends, linewidth=0.2 + 3 * abs(share), zorder=0, **look))


def unit_maps_plotly(record: UnitMaps, *, theme: str = "light") -> "go.Figure":
    """The same, with the answer at the pointer."""
    _width, height = _size(record)
    fig = new_figure(theme, title=record.title, height=int(96 * height))
    text = f"{escaped(record.title)}<br><sub>{_about(record)}</sub>"
    fig.update_layout(title_text=text)
    boxes = _boxes(record)
    _add_weights(fig, record, boxes)
    number = 1
    for column, maps in enumerate(record.maps):
        middle = boxes[column][0][0] + boxes[column][0][2] / 2
        _add_text(fig, middle, 1 - 0.9 / height, record.headings[column], 12)
        for unit in range(len(maps)):
            number += 1
            _add_map(fig, record, (column, unit), boxes[column][unit], number)
            x, y, across, up = boxes[column][unit]
            name = escaped(record.names[column][unit], 18)
            _add_text(fig, x + across / 2, y + up, name, 11)
    return fig.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False)


def _add_map(
    fig: "go.Figure", record: UnitMaps, which: tuple[int, int], box: list[float], number: int
) -> None:
    """A map or a curve on axes of its own."""
    column, unit = which
    values, (low, high) = record.maps[column][unit], record.ranges[column][unit]
    name = escaped(record.names[column][unit])
    on = {"xaxis": f"x{number}", "yaxis": f"y{number}", "showlegend": False}
    frame = {"showticklabels": False, "ticks": "", "showgrid": False, "mirror": True}
    x, y, across, up = box
    sides = {"xaxis": (x, x + across, f"y{number}"), "yaxis": (y, y + up, f"x{number}")}
    for side, (start, end, anchor) in sides.items():
        look = {"domain": [start, min(end, 1.0)], "anchor": anchor, "showline": True, **frame}
        fig.update_layout({f"{side}{number}": look | {"zeroline": False}})
    if values.ndim == 2:
        place: dict[str, Any] = {"x": record.x, "y": record.y, "zmin": low, "zmax": high}
        hover = f"%{{x:.3g}}, %{{y:.3g}}<br>{name}: %{{z:.3g}}<extra></extra>"
        look = {"colorscale": FIELD_SCALE, "showscale": False, "hovertemplate": hover}
        fig.add_heatmap(z=values, **place, **look, **on)
    else:
        hover = f"%{{x:.3g}}<br>{name}: %{{y:.3g}}<extra></extra>"
        line = {"width": 1.6, "color": fig.layout.font.color}
        fig.add_scatter(x=record.x, y=values, mode="lines", line=line, hovertemplate=hover, **on)
        margin = 0.06 * ((high - low) or 1.0)
        fig.update_layout({f"yaxis{number}": {"range": [low - margin, high + margin]}})


def _add_weights(fig: "go.Figure", record: UnitMaps, boxes: list[list[list[float]]]) -> None:
    """Lines between the maps on axes behind them, in four thicknesses and two colours."""
    hidden: dict[str, Any] = {"visible": False, "range": [0, 1], "domain": [0, 1]}
    fig.update_layout(xaxis=hidden, yaxis=hidden)
    lines: dict[tuple[int, int], tuple[list[Any], list[Any]]] = {
        (sign, size): ([], []) for sign in (0, 1) for size in range(4)
    }
    for column, W in enumerate(record.weights):
        for (unit, source), share in np.ndenumerate(_shares(W)):
            x, y, width, height = boxes[column][source]
            to_x, to_y, _, to_height = boxes[column + 1][unit]
            xs, ys = lines[int(share > 0), min(3, int(4 * abs(share)))]
            xs += [x + width, to_x, None]
            ys += [y + height / 2, to_y + to_height / 2, None]
    for (sign, size), (xs, ys) in lines.items():
        line = {"color": CLASS_COLOURS[sign], "width": 0.4 + size}
        look: dict[str, Any] = {"mode": "lines", "line": line, "opacity": 0.75}
        fig.add_scatter(x=xs, y=ys, hoverinfo="skip", showlegend=False, **look)


def _about(record: UnitMaps) -> str:
    lines = "lines are weights: orange positive, blue negative"
    return "; ".join(filter(None, (lines, record.note)))


def _add_text(fig: "go.Figure", x: float, y: float, text: str, size: int) -> None:
    where: dict[str, Any] = {"x": x, "y": y, "xref": "paper", "yref": "paper", "yanchor": "bottom"}
    fig.add_annotation(text=text, font_size=size, showarrow=False, **where)


def _cells(record: UnitMaps) -> tuple[float, float]:
    """The side of a map, and the height of a row, in inches."""
    side = _MAP if max(map(len, record.maps)) <= _MANY else 0.6 * _MAP
    return side, side + _GAPS[1]


def _size(record: UnitMaps) -> tuple[float, float]:
    """Width and height in inches."""
    side, row = _cells(record)
    width = len(record.maps) * (side + _GAPS[0])
    return max(4.8, width), row * max(map(len, record.maps)) + _TOP


def _boxes(record: UnitMaps) -> list[list[list[float]]]:
    """Left, bottom, width and height of each map, as shares of the picture."""
    (width, height), (side, row) = _size(record), _cells(record)
    wide = width / len(record.maps)
    found = []
    for column, maps in enumerate(record.maps):
        left = (column + 0.5) * wide - side / 2
        top = (height - _TOP) / 2 + len(maps) * row / 2 + 0.12
        bottoms = [top - (unit + 1) * row for unit in range(len(maps))]
        shape = [side / width, side / height]
        found.append([[left / width, bottom / height, *shape] for bottom in bottoms])
    return found


def _shares(W: np.ndarray) -> np.ndarray:
    """Weights as shares of the largest one of their layer; 0 where one is not finite."""
    W = np.nan_to_num(W, posinf=0.0, neginf=0.0)
    return W / (np.abs(W).max(initial=0.0) or 1.0)
