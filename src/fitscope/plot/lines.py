"""The lines of the first layer's units over the data, and the regions between them."""

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from fitscope.analysis import HiddenLines
from fitscope.plot.canvas import (
    colour_bar,
    draw_points,
    figure_of,
    legend,
    new_axes,
    plain,
    styled,
)
from fitscope.plot.theme import LINE, class_colour, class_name, keeps_shape, thinned, tint
from fitscope.plot.web import add_points, escaped, keep_shape, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["hidden_lines", "hidden_lines_plotly"]

_NOBODY = tint(LINE, 0.07)  # the ground of a region without samples
_BEHIND = "#ffffffcc"  # the ground of a text
_TICK = 0.018  # in sides of the window
_MOST_UNITS, _MOST_REGIONS = 5, 16  # where regions are labelled


def hidden_lines(record: HiddenLines, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws lines, regions and samples; ticks on a line point to where its unit is on.

    A region is tinted as the class that most of its samples have (a regression's as their mean)
    and says which units are on in it, as in 110, and its samples by class, as in 5 / 0.
    """
    with styled(theme) as inks:
        ax = ax or new_axes(height=4.2)
        polygons = [polygon for polygon in record.polygons if len(polygon)]
        colours = [c for c, p in zip(_shades(record), record.polygons, strict=True) if len(p)]
        ax.add_collection(PolyCollection(polygons, facecolors=colours, zorder=0.5))
        seen = ~np.isnan(record.lines).any(axis=(1, 2))
        for pieces, width in ((record.lines[seen], 1.5), (_ticks(record), 0.8)):
            ax.add_collection(LineCollection(list(pieces), colors=LINE, linewidths=width, zorder=2))
        d, (x, y) = record.dataset, record.dataset.inputs().T
        if d.classes:
            draw_points(ax, d, x, y, inks=inks, edge="white")
        else:
            kept, values = thinned(len(x)), record.dataset.targets()
            look: dict[str, Any] = {"edgecolors": "white", "linewidths": 0.5, "zorder": 3}
            dots = ax.scatter(x[kept], y[kept], c=values[kept], s=20, cmap="cividis", **look)
            colour_bar(ax, dots, d.target_name)
        box = {"facecolor": _BEHIND, "edgecolor": "none", "boxstyle": "round,pad=0.2"}
        style: dict[str, Any] = {"ha": "center", "va": "center", "color": LINE, "bbox": box}
        for region in _labelled(record):
            text = f"{_pattern(record, region)}\n{_samples(record, region)}"
            x, y = record.centres[region]
            ax.text(x, y, plain(text), fontsize=8.5, zorder=5, **style)
        for name, (x, y) in _names(record):
            ax.text(x, y, plain(name), fontsize=9, weight="bold", zorder=4, **style)
        ax.set(
            xlim=record.x[[0, -1]],
            ylim=record.y[[0, -1]],
            aspect="equal" if keeps_shape(record.x, record.y) else "auto",
        )
        about = f"\n{record.note};\nticks point to where a unit is on"
        ax.set(xlabel=plain(d.feature_names[0]) + about, ylabel=plain(d.feature_names[1]))
        legend(ax, record.title)
        return figure_of(ax)


def hidden_lines_plotly(record: HiddenLines, *, theme: str = "light") -> "go.Figure":
    """The same, with the pattern and the samples of the region at the pointer."""
    d, (x, y) = record.dataset, record.dataset.inputs().T
    fig = new_figure(theme, title=record.title, y=d.feature_names[1], height=560)
    about = f"<br><sub>{record.note}; ticks point to where a unit is on</sub>"
    fig.update_xaxes(title_text=escaped(d.feature_names[0]) + about, range=record.x[[0, -1]])
    fig.update_yaxes(range=record.y[[0, -1]])
    _add_regions(fig, record)
    seen = ~np.isnan(record.lines).any(axis=(1, 2))
    quiet: dict[str, Any] = {"showlegend": False, "hoverinfo": "skip"}
    for pieces, width in ((record.lines[seen], 2.2), (_ticks(record), 1.2)):
        apart = np.concatenate([pieces, np.full((len(pieces), 1, 2), np.nan)], axis=1)
        along, up = apart.reshape(-1, 2).T
        line = {"color": LINE, "width": width}
        fig.add_scatter(x=along, y=up, mode="lines", line=line, **quiet)
    if d.classes:
        add_points(fig, d, x, y, edge="white")
    else:
        kept, values = thinned(len(x)), record.dataset.targets()
        bar = {"title": {"text": escaped(d.target_name), "side": "right"}, "outlinewidth": 0}
        look = {"color": values[kept], "colorscale": "Cividis", "colorbar": bar, "size": 7}
        fig.add_scatter(x=x[kept], y=y[kept], mode="markers", marker=look, showlegend=False)
    regions = _labelled(record)
    texts = [f"<b>{_pattern(record, r)}</b>\n{_samples(record, r)}" for r in regions]
    names = _names(record)
    _add_texts(fig, record.centres[regions], texts, size=44)
    _add_texts(fig, [place for _, place in names], [f"<b>{name}</b>" for name, _ in names], size=20)
    return keep_shape(fig) if keeps_shape(record.x, record.y) else fig


def _add_regions(fig: "go.Figure", record: HiddenLines) -> None:
    """The grid's cells in their region's colour, which tell its pattern and samples."""
    shades, d, h = _shades(record), record.dataset, len(record.names)
    scale = [[(i + end) / len(shades), c] for i, c in enumerate(shades) for end in (0, 1)]
    mean = record.means.round(3)
    bits = record.patterns[:, :15] @ 10.0 ** np.arange(min(h, 15))[::-1]  # 110 as a number
    told = np.column_stack([bits, record.counts] if d.classes else [bits, record.counts, mean])
    told = told.astype(np.float32) if h <= 7 else told  # a smaller file; the digits still fit
    kinds = [escaped(class_name(d, label)) for label in d.classes] or ["samples"]
    lines = [f"units on: %{{customdata[0]:0{h}d}}"] if h <= 15 else []
    lines += [f"{kind}: %{{customdata[{i}]}}" for i, kind in enumerate(kinds, start=1)]
    lines += [] if d.classes else [f"mean {escaped(d.target_name)}: %{{customdata[2]:.4~g}}"]
    cells = np.where(record.cells < 0, np.nan, record.cells).astype(np.float32)
    fig.add_heatmap(
        x=record.x,
        y=record.y,
        z=cells,
        zmin=-0.5,
        zmax=len(shades) - 0.5,
        colorscale=scale,
        showscale=False,
        customdata=told[record.cells],
        hovertemplate="<br>".join(lines) + "<extra></extra>",
    )


def _add_texts(fig: "go.Figure", places: Any, texts: list[str], *, size: int) -> None:
    """Texts on a light ground, so that they can be read on top of samples."""
    x, y = np.reshape(places, (-1, 2)).T
    fig.add_scatter(
        x=x,
        y=y,
        text=[text.replace("\n", "<br>") for text in texts],
        mode="markers+text",
        marker={"size": size, "symbol": "square", "color": "white", "opacity": 0.8},
        textfont={"color": LINE, "size": 12},
        showlegend=False,
        hoverinfo="skip",
    )


def _shades(record: HiddenLines) -> list[str]:
    """The colour of each region."""
    n = record.counts.sum(axis=1)
    if record.dataset.classes:
        most = record.counts.argmax(axis=1)
        full = [class_colour(int(index)) for index in most]
    else:
        values = record.dataset.targets()
        share = (record.means - values.min()) / (np.ptp(values) or 1.0)
        full = [to_hex(colour) for colour in mpl.colormaps["cividis"](share)]
    return [tint(colour, 0.28) if n[i] else _NOBODY for i, colour in enumerate(full)]


def _ticks(record: HiddenLines) -> np.ndarray:
    """Short strokes (m, 2, 2) along the lines, each to the side where the unit is on."""
    low, span = _window(record)
    strokes = [np.empty((0, 2, 2))]
    for ends, w in zip((record.lines - low) / span, record.W * span, strict=True):
        if np.isnan(ends).any():
            continue
        n = max(2, int(np.linalg.norm(ends[1] - ends[0]) / 0.05))
        share = (np.arange(n)[:, None] + 0.5) / n
        foot = ends[0] + share * (ends[1] - ends[0])
        strokes.append(np.stack([foot, foot + _TICK * w / np.linalg.norm(w)], axis=1))
    return np.asarray(low + np.concatenate(strokes) * span)


def _names(record: HiddenLines) -> list[tuple[str, np.ndarray]]:
    """Each line's name near one of its ends, away from labels and the names before it."""
    low, span = _window(record)
    taken = [*((record.centres[_labelled(record)] - low) / span), np.full(2, 0.5)]
    found = []
    for name, ends in zip(record.names, (record.lines - low) / span, strict=True):
        if not np.isnan(ends).any():
            shares = np.array([0.03, 0.97, 0.1, 0.9])[:, None]
            places = np.clip(ends[0] + shares * (ends[1] - ends[0]), 0.035, 0.965)
            free = [min(np.linalg.norm(place - other) for other in taken) for place in places]
            taken.append(places[int(np.argmax(np.minimum(free, 0.2)))])
            found.append((name, low + taken[-1] * span))
    return found


def _labelled(record: HiddenLines) -> list[int]:
    """The regions with room for a label, where there are few."""
    if len(record.names) > _MOST_UNITS or record.n_visible > _MOST_REGIONS:
        return []
    found = []
    for region in range(len(record.patterns)):
        longest = max(map(len, (_pattern(record, region), *_samples(record, region).split("\n"))))
        if record.room[region] > max(0.04, 0.006 * longest):
            found.append(region)
    return found


def _pattern(record: HiddenLines, region: int) -> str:
    return "".join("01"[int(on)] for on in record.patterns[region])


def _samples(record: HiddenLines, region: int) -> str:
    counts = " / ".join(f"{n:,}" for n in record.counts[region])
    if record.dataset.classes:
        return counts
    return f"n = {counts}" + (f"\n{record.means[region]:.3g}" if record.counts[region, 0] else "")


def _window(record: HiddenLines) -> tuple[np.ndarray, np.ndarray]:
    low = np.array([record.x[0], record.y[0]])
    return low, np.array([record.x[-1], record.y[-1]]) - low
