"""The decision field: what the model answers over the plane of two inputs, with the data on top."""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure

from fitscope.analysis import DecisionField
from fitscope.plot.canvas import (
    colour_bar,
    draw_points,
    figure_of,
    legend,
    new_axes,
    plain,
    styled,
)
from fitscope.plot.theme import LINE, class_colour, field_colours, keeps_shape, thinned, tint
from fitscope.plot.web import add_points, escaped, keep_shape, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["decision_field", "decision_field_plotly"]


def decision_field(
    record: DecisionField, *, ax: Axes | None = None, theme: str = "light"
) -> Figure:
    """Draws the field with the 0.5 line (or the class borders) and the samples.

    Probabilities are coloured from the other classes (0) over white (0.5) to the class (1).
    Samples that do not lie near the slice are small and faint.
    """
    with styled(theme) as inks:
        ax = ax or new_axes(height=4.0)
        d, names = record.dataset, _axis_names(record)
        extent = (record.x[0], record.x[-1], record.y[0], record.y[-1])
        place: dict[str, Any] = {"extent": extent, "origin": "lower", "interpolation": "nearest"}
        if record.label is not None:
            shades = LinearSegmentedColormap.from_list("field", _shades(record))
            image = ax.imshow(record.values, cmap=shades, vmin=0, vmax=1, **place)
            if record.values.min() < 0.5 <= record.values.max():
                ax.contour(record.x, record.y, record.values, [0.5], colors=LINE, linewidths=1.4)
        elif d.classes:
            colours = ListedColormap(_tints(len(d.classes)))
            ax.imshow(record.values, cmap=colours, vmin=-0.5, vmax=len(d.classes) - 0.5, **place)
        else:
            image = ax.imshow(record.values, cmap="cividis", **place)
        if record.label is not None or not d.classes:
            colour_bar(ax, image, _meaning(record))
        if not record.near.all():
            far, colours_of_far = _far(record)
            look: dict[str, Any] = {"s": 5, "alpha": 0.5, "linewidths": 0}
            ax.scatter(far[:, 0], far[:, 1], c=colours_of_far, **look)
        draw_points(ax, d, *_near(record).T, inks=inks, edge="white")
        note = f"\n{record.note}" if record.note else ""
        ax.set(xlabel=plain(names[0]) + note, ylabel=plain(names[1]))
        ax.set(
            xlim=extent[:2],
            ylim=extent[2:],
            aspect="equal" if keeps_shape(record.x, record.y) else "auto",
        )
        legend(ax, record.title)
        return figure_of(ax)


def decision_field_plotly(record: DecisionField, *, theme: str = "light") -> "go.Figure":
    """The same, with the answer at the pointer."""
    d, names = record.dataset, _axis_names(record)
    note = f"<br><sub>{record.note.replace('; ', ';<br>')}</sub>" if record.note else ""
    fig = new_figure(theme, title=record.title, y=names[1], height=540)
    fig.update_xaxes(title_text=escaped(names[0]) + note, range=record.x[[0, -1]])
    fig.update_yaxes(range=record.y[[0, -1]])
    where: dict[str, Any] = {"x": record.x, "y": record.y, "z": record.values}
    meaning = escaped(_meaning(record))
    hover = f"%{{x:.3g}}, %{{y:.3g}}<br>{meaning}: %{{z:.3g}}<extra></extra>"
    if record.label is not None:
        bar = {"title": {"text": meaning, "side": "right"}, "outlinewidth": 0, "thickness": 14}
        place = {**where, "zmin": 0, "zmax": 1, "hovertemplate": hover}
        scale = [[i / 4, colour] for i, colour in enumerate(_shades(record))]
        fig.add_heatmap(colorscale=scale, colorbar=bar, **place)
        half = {"start": 0.5, "end": 0.5, "size": 1, "coloring": "none", "showlabels": False}
        line = {"color": LINE, "width": 2}
        fig.add_contour(contours=half, line=line, hoverinfo="skip", showlegend=False, **where)
    elif d.classes:
        tints = _tints(len(d.classes))
        scale = [[(i + end) / len(tints), c] for i, c in enumerate(tints) for end in (0, 1)]
        place = {**where, "zmin": -0.5, "zmax": len(tints) - 0.5, "hoverinfo": "skip"}
        fig.add_heatmap(colorscale=scale, showscale=False, **place)
    else:
        bar = {"title": {"text": meaning, "side": "right"}, "outlinewidth": 0, "thickness": 14}
        fig.add_heatmap(colorscale="Cividis", colorbar=bar, hovertemplate=hover, **where)
    if not record.near.all():
        far, colours = _far(record)
        faint: dict[str, Any] = {"size": 3.5, "color": colours, "opacity": 0.5}
        quiet: dict[str, Any] = {"mode": "markers", "showlegend": False, "hoverinfo": "skip"}
        fig.add_scatter(x=far[:, 0], y=far[:, 1], marker=faint, **quiet)
    add_points(fig, d, *_near(record).T, edge="white")
    return keep_shape(fig) if keeps_shape(record.x, record.y) else fig


def _meaning(record: DecisionField) -> str:
    name = record.dataset.target_name
    return name if record.label is None else f"probability of {name} = {record.label}"


def _axis_names(record: DecisionField) -> list[str]:
    return [record.dataset.feature_names[i] for i in record.features]


def _near(record: DecisionField) -> Float64[np.ndarray, "n 2"]:
    """The place of each sample that lies near the slice; NaN for the others."""
    return np.where(record.near[:, None], record.dataset.inputs()[:, record.features], np.nan)


def _far(record: DecisionField) -> tuple[Float64[np.ndarray, "m 2"], list[str]]:
    """Places and class colours of the samples that do not, thinned."""
    d = record.dataset
    own = ~record.near & thinned(len(record.near))
    colours = [class_colour(int(target) if d.classes else 0) for target in d.targets()[own]]
    return d.inputs()[own][:, record.features], colours


def _shades(record: DecisionField) -> tuple[str, ...]:
    """The colours of the probability that is shown, from 0 to 1."""
    classes = record.dataset.classes
    assert record.label is not None  # noqa: S101 (for the type: it is asked before)
    return field_colours(classes.index(record.label), len(classes))


def _tints(n_classes: int) -> list[str]:
    """A light colour for the ground of each class."""
    return [tint(class_colour(i), 0.35) for i in range(n_classes)]
