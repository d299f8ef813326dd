"""The network: units as circles, weights as lines whose width and colour are size and sign."""

import re
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fitscope.analysis import NetworkDiagram
from fitscope.plot.canvas import figure_of, new_axes, plain, styled
from fitscope.plot.theme import HIGHLIGHT, Inks, class_colour, inks_of, shown
from fitscope.plot.web import escaped, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["network_diagram", "network_diagram_plotly"]

MAX_WRITTEN = 12  # weights whose numbers stand on their lines
_SIGNS: tuple[tuple[str, str, Any], ...] = (
    ("negative", class_colour(0), (0, (3, 1.5))),
    ("positive", class_colour(1), (0, None)),
)
_FAINT = 0.15  # of lines that are not those of the unit pointed out
_N_WIDTHS = 10  # in plotly, where every width is a trace


def network_diagram(
    record: NetworkDiagram, *, ax: Axes | None = None, theme: str = "light"
) -> Figure:
    """Draws units and weights; a unit pointed out keeps its lines, and its formula stands below.

    Widths grow with |weight|, up to the largest of the whole run. Positive weights are warm and
    solid, negative ones cool and dashed.
    """
    with styled(theme) as inks:
        size, (low, high) = _circle(record), _heights(record)
        width = 2.2 + 1.1 * len(record.names) + 0.07 * _longest(record, 0)
        row = (size + (18 if high - low < 8 else 13)) / 72
        ax = ax or new_axes(width, max(2.3, 1.3 + row * (high - low + 1)))
        styles = [_SIGNS[sign] for sign in _is_positive(record)]
        look: dict[str, Any] = {"colors": [colour for _, colour, _ in styles], "zorder": 1}
        look |= {"linestyles": [dash for *_, dash in styles], "linewidths": _widths(record)}
        look |= {"alpha": np.where(_is_own(record), 0.9, _FAINT)}
        ax.add_collection(LineCollection(list(record.positions[record.edges]), **look))
        if len(record.edges) <= MAX_WRITTEN:
            _write_weights(ax, record, inks)
        _draw_units(ax, record, inks)
        ax.set(xticks=[], yticks=[], ylim=(low - 0.75, high + 0.55))
        ax.set_xlim(-0.25, len(record.names) - 0.75)
        ax.spines[:].set_visible(False)
        n_letters = int(9.5 * width)
        formula = plain(_formula(record), 400)
        below = [*_lines(formula, n_letters), *textwrap.wrap(record.note, n_letters)]
        ax.set_xlabel("\n".join(below), fontsize=9)
        handles = [
            Line2D([], [], color=colour, linewidth=2.2, label=f"{sign} weight", linestyle=dash)
            for sign, colour, dash in reversed(_SIGNS)
        ]
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "frameon": False}
        style: dict[str, Any] = {"ncols": 2, "fontsize": 9, "title_fontsize": 10}
        ax.legend(handles=handles, title=record.title, alignment="left", **place, **style)
        return figure_of(ax)


def network_diagram_plotly(record: NetworkDiagram, *, theme: str = "light") -> "go.Figure":
    """The same, with the formula of every unit and the number of every weight at the pointer.

    Widths come in ten sizes, each its own trace, as many at every step.
    """
    inks, (low, high) = inks_of(theme), _heights(record)
    row = 1.25 * _circle(record) + (28 if high - low < 8 else 18)
    below = [*_lines(escaped(_formula(record), 400), 50), f"<sub>{escaped(record.note, 200)}</sub>"]
    height = 190 + row * (high - low + 1.3) + 18 * len(below)
    fig = new_figure(theme, title=record.title, height=int(max(360, height)))
    _add_lines(fig, record)
    _add_numbers(fig, record, inks)
    _add_units(fig, record, inks)
    bare: dict[str, Any] = {"showgrid": False, "showticklabels": False, "showline": False}
    sides = [-0.15, len(record.names) - 0.85]
    fig.update_xaxes(ticks="", title_text="<br>".join(below), range=sides, **bare)
    fig.update_yaxes(ticks="", range=[low - 0.7, high + 0.5], **bare)
    margin = {"l": 26 + 7 * _longest(record, 0), "r": 26 + 7 * _longest(record, -1)}
    return fig.update_layout(margin=margin, hovermode="closest", legend_itemclick=False)


def _circle(record: NetworkDiagram) -> float:
    """Points across a circle, so that the names of hidden units fit in."""
    hidden = [len(name) for column in record.names[1:-1] for name in column]
    return 27.0 if max(hidden, default=0) > 3 else 21.0


def _heights(record: NetworkDiagram) -> tuple[float, float]:
    """Of the lowest and the highest circle."""
    y = record.positions[:, 1]
    lowest = min([float(y.min()), *(place[1] for place in _rest_places(record))])
    return lowest, float(y.max())


def _lines(formula: str, width: int) -> list[str]:
    """A formula in lines that end between terms."""
    kept = re.sub(r"(?<=[+-]) |(?<=\d) (?=[A-Za-z\[])", "\N{NO-BREAK SPACE}", formula)
    return textwrap.wrap(kept, width, break_on_hyphens=False)


def _is_positive(record: NetworkDiagram) -> np.ndarray:
    return np.asarray(record.weights >= 0, dtype=int)


def _widths(record: NetworkDiagram) -> np.ndarray:
    """From 0.5 to 5 points, in proportion to |weight|; 0.5 for a weight that is no number."""
    share = np.nan_to_num(np.abs(record.weights) / record.largest, nan=0.0, posinf=0.0)
    return np.asarray(0.5 + 4.5 * np.minimum(share, 1.0))


def _is_own(record: NetworkDiagram) -> np.ndarray:
    """Which lines lead into the unit that is pointed out; all where none is."""
    if record.unit is None:
        return np.ones(len(record.edges), dtype=bool)
    return np.asarray(record.edges[:, 1] == _pointed_out(record))


def _pointed_out(record: NetworkDiagram) -> int:
    """The number of the unit that is pointed out; -1 where none is."""
    n_inputs = len(record.names[0])
    later = [name for column in record.names[1:] for name in column]
    return -1 if record.unit is None else n_inputs + later.index(record.unit)


def _formula(record: NetworkDiagram) -> str:
    return "" if record.unit is None else record.formulas[record.unit]


def _rest_places(record: NetworkDiagram) -> list[tuple[float, float, int]]:
    """The places of the circles of units that are not drawn, and how many they stand for."""
    x, y = record.positions.T
    return [
        (float(layer), float(y[x == layer].min()) - 1, rest)
        for layer, rest in enumerate(record.left_out)
        if rest
    ]


def _number_places(record: NetworkDiagram) -> np.ndarray:
    """A place on each line: between two layers the share of the way that keeps numbers apart."""
    ends = record.positions[record.edges]  # (w, 2 ends, 2)
    places = ends.mean(axis=1)
    for layer in range(len(record.names) - 1):
        own = ends[:, 0, 0] == layer
        shares = np.linspace(0.25, 0.75, 51)[:, None]
        y = (1 - shares) * ends[own, 0, 1] + shares * ends[own, 1, 1]  # (51, w)
        gaps = np.diff(np.sort(y, axis=1), axis=1).min(axis=1, initial=9.0)
        at = int(np.argmax(gaps.round(6)))
        places[own] = np.column_stack([np.full(own.sum(), layer + shares[at, 0]), y[at]])
    return np.asarray(places)


def _write_weights(ax: Axes, record: NetworkDiagram, inks: Inks) -> None:
    ground = {"boxstyle": "round,pad=0.12", "facecolor": inks.paper, "edgecolor": "none"}
    for (x, y), weight, own in zip(
        _number_places(record), record.weights, _is_own(record), strict=True
    ):
        colour = inks.ink if own else inks.muted
        look: dict[str, Any] = {"fontsize": 7.5, "color": colour, "bbox": ground, "zorder": 2}
        ax.text(x, y, f"{weight:.3g}", ha="center", va="center", **look)


def _draw_units(ax: Axes, record: NetworkDiagram, inks: Inks) -> None:
    """Circles with the names of hidden units in them and all others beside, biases below."""
    chosen = np.arange(len(record.positions)) == _pointed_out(record)
    size, last = _circle(record), len(record.names) - 1
    look: dict[str, Any] = {"facecolors": inks.paper, "zorder": 3, "s": size**2}
    edge: dict[str, Any] = {"edgecolors": np.where(chosen, HIGHLIGHT, inks.ink)}
    edge["linewidths"] = np.where(chosen, 2.4, 1.0)
    ax.scatter(record.positions[:, 0], record.positions[:, 1], **edge, **look)
    place: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False, "zorder": 4}
    aside = size / 2 + 4
    sides = {0: (-aside, "right"), last: (aside, "left")}
    names = [(layer, name) for layer, column in enumerate(record.names) for name in column]
    for (layer, name), where, bias in zip(names, record.positions, record.biases, strict=True):
        shift, side = sides.get(layer, (0, "center"))
        letters: dict[str, Any] = {"fontsize": 9 if layer in sides else min(8.5, 37 / len(name))}
        ax.annotate(plain(name, 24), where, (shift, 0), ha=side, va="center", **letters, **place)
        if layer:
            small: dict[str, Any] = {"fontsize": 7, "color": inks.muted, "ha": "center"}
            ax.annotate(f"{bias:+.3g}", where, (0, -size / 2 - 1), va="top", **small, **place)
    quiet: dict[str, Any] = {"va": "center", "color": inks.muted, "fontsize": 8}
    for x, y, rest in _rest_places(record):
        ax.scatter(x, y, edgecolors=inks.muted, linestyles=":", **look)
        ax.annotate(_more(rest), (x, y), (aside, 0), **quiet, **place)


def _more(rest: int) -> str:
    return f"\N{HORIZONTAL ELLIPSIS} {rest:,} more"


def _add_lines(fig: "go.Figure", record: NetworkDiagram) -> None:
    """The lines, by sign, by whether they are of the unit pointed out, and by width."""
    sizes = np.linspace(0.5, 5.0, _N_WIDTHS)
    size = np.abs(_widths(record)[:, None] - sizes).argmin(axis=1)
    ends = record.positions[record.edges]
    apart = np.concatenate([ends, np.full((len(ends), 1, 2), np.nan)], axis=1)  # (w, 3, 2)
    quiet: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip"}
    for sign, own in ((1, True), (0, True), (1, False), (0, False)):
        name, colour, _ = _SIGNS[sign]
        line = {"color": colour, "dash": "solid" if sign else "6px,3px"}
        for index, width in enumerate(sizes):
            kept = (_is_positive(record) == sign) & (_is_own(record) == own) & (size == index)
            x, y = apart[kept].reshape(-1, 2).T
            look: dict[str, Any] = {"line": {**line, "width": 1.3 * width}, "showlegend": False}
            fig.add_scatter(x=x, y=y, opacity=0.9 if own else _FAINT, **look, **quiet)
        if own:  # an empty trace has no entry in the legend, which these therefore give
            key: dict[str, Any] = {"line": {**line, "width": 3}, "name": f"{name} weight"}
            fig.add_scatter(x=[None], y=[None], **key, **quiet)


def _add_numbers(fig: "go.Figure", record: NetworkDiagram, inks: Inks) -> None:
    """The weight on each line, written where there are few, at the pointer always."""
    x, y = _number_places(record).T
    names = [escaped(name, 24) for column in record.names for name in column]
    hover = [
        f"{names[i]} \N{RIGHTWARDS ARROW} {names[j]}: {w:.6g}"
        for (i, j), w in zip(record.edges, record.weights, strict=True)
    ]
    few = len(record.edges) <= MAX_WRITTEN
    ground = {"color": inks.paper, "size": 25 if few else 8, "opacity": 1 if few else 0}
    numbers: dict[str, Any] = {"text": [f"{w:.3g}" for w in record.weights], "textfont_size": 11}
    look: dict[str, Any] = {"marker": ground, "mode": "markers+text" if few else "markers"}
    shows: dict[str, Any] = {"hovertext": hover, "hoverinfo": "text", "showlegend": False}
    fig.add_scatter(x=x, y=y, name="weights", **look, **(numbers if few else {}), **shows)


def _add_units(fig: "go.Figure", record: NetworkDiagram, inks: Inks) -> None:
    """Circles with names and the formulas at the pointer; biases below; circles of the rest."""
    x, y = record.positions.T
    last = len(record.names) - 1
    chosen = np.arange(len(x)) == _pointed_out(record)
    line = {"color": np.where(chosen, HIGHLIGHT, inks.ink), "width": np.where(chosen, 3, 1.2)}
    circle = {"size": 1.25 * _circle(record), "color": inks.paper, "line": line, "opacity": 1}
    texts = [escaped(name, 24) for column in record.names for name in column]
    formulas = [
        "<br>".join(_lines(escaped(record.formulas[name], 400), 70)) if layer else escaped(name)
        for layer, column in enumerate(record.names)
        for name in column
    ]
    sides = {0: "middle left", last: "middle right"}
    side = [sides.get(int(layer), "middle center") for layer in x]
    look: dict[str, Any] = {"mode": "markers+text", "showlegend": False, "cliponaxis": False}
    told: dict[str, Any] = {"hovertext": formulas, "hoverinfo": "text", "customdata": formulas}
    place: dict[str, Any] = {"x": x, "y": y, "text": texts, "textposition": side}
    place["textfont_size"] = [
        10 if 0 < layer < last and len(t) > 3 else 12 for layer, t in zip(x, texts, strict=True)
    ]
    fig.add_scatter(marker=circle, name="units", **place, **told, **look)
    small: dict[str, Any] = {"textfont": {"size": 10, "color": inks.muted}, "hoverinfo": "skip"}
    numbers = [f"{bias:+.3g}" for bias in record.biases[x > 0]]
    place = {"x": x[x > 0], "y": y[x > 0], "text": numbers, "textposition": "bottom center"}
    fig.add_scatter(
        marker={"size": circle["size"], "opacity": 0}, name="biases", **place, **small, **look
    )
    at = _rest_places(record)
    ring = {**circle, "line": {"color": inks.muted, "width": 1.2}}
    place = {"x": [one[0] for one in at], "y": [one[1] for one in at]}
    place |= {"text": [_more(rest) for *_, rest in at], "textposition": "middle right"}
    fig.add_scatter(marker=ring, name="rest", **place, **small, **look)


def _longest(record: NetworkDiagram, layer: int) -> int:
    """Letters of the longest name of a layer, as it is shown."""
    return max(len(shown(name, 24)) for name in record.names[layer])
