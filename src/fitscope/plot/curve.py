"""The response curve: what the model answers along its single input, with the data."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitscope.analysis import ResponseCurve
from fitscope.plot.canvas import draw_points, figure_of, legend, new_axes, plain, styled
from fitscope.plot.theme import HIGHLIGHT, Inks, class_colour, inks_of
from fitscope.plot.web import add_note, add_points, escaped, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["response_curve", "response_curve_plotly"]


class _Curve(NamedTuple):
    """One line of the picture; a name that begins with an underscore is not in the legend."""

    name: str
    y: np.ndarray
    colour: str
    strength: float = 1.0
    width: float = 1.8
    dashed: bool = False
    stepped: bool = False


def response_curve(
    record: ResponseCurve, *, line: bool = True, ax: Axes | None = None, theme: str = "light"
) -> Figure:
    """Draws the curves over the samples, from faint to strong where there are several moments.

    Samples of two classes lie at 0 and 1, those of the test part a little further out. With
    `line`, a single neuron's w x + b is drawn too, and where it is 0.
    """
    with styled(theme) as inks:
        ax, d = ax or new_axes(), record.dataset
        low, high = _limits(record)
        draw_points(ax, d, d.inputs()[:, 0], _heights(record), inks=inks)
        hair: dict[str, Any] = {"color": inks.muted, "linewidth": 0.8, "linestyle": (0, (1, 2))}
        if d.classes:
            ax.axhline(0.5, **hair)
        for curve in _curves(record, inks, line):
            look: dict[str, Any] = {"color": curve.colour, "linewidth": curve.width}
            look |= {"linestyle": (0, (5, 3)) if curve.dashed else "-", "alpha": curve.strength}
            look |= {"drawstyle": "steps-mid" if curve.stepped else "default"}
            ax.plot(record.x, curve.y, label=_plain(curve.name), zorder=4, **look)
        if _has_thresholds(record, line):
            ax.plot(*_hairs(record, low, high), label=_hair_name(record), **hair)
        ax.set(xlabel=plain(d.feature_names[0]), ylabel=plain(record.quantity))
        ax.set(xlim=record.x[[0, -1]], ylim=(low, high))
        ax.grid(axis="y")
        legend(ax, "\n".join(_titles(record, line)))
        return figure_of(ax)


def response_curve_plotly(
    record: ResponseCurve, *, line: bool = True, theme: str = "light"
) -> "go.Figure":
    """The same, with the answer at the pointer."""
    d, inks = record.dataset, inks_of(theme)
    low, high = _limits(record)
    fig = new_figure(theme, title=record.title, x=d.feature_names[0], y=record.quantity)
    _title, *notes = [escaped(text, 90) for text in _titles(record, line)]
    if notes:
        add_note(fig, notes[0])
    add_points(fig, d, d.inputs()[:, 0], _heights(record))
    hair = {"color": inks.muted, "width": 1, "dash": "dot"}
    if d.classes:
        fig.add_hline(0.5, line=hair)
    for curve in _curves(record, inks, line):
        look: dict[str, Any] = {"color": curve.colour, "width": 1.3 * curve.width}
        look |= {"dash": "dash" if curve.dashed else "solid"}
        look |= {"shape": "hvh" if curve.stepped else "linear"}
        shown = not curve.name.startswith("_")
        named = {"name": escaped(curve.name.removeprefix("_")), "showlegend": shown}
        place = {"x": record.x, "y": curve.y, "mode": "lines", "opacity": curve.strength}
        fig.add_scatter(line=look, **place, **named)
    if record.approximation is not None:
        fig.update_layout(margin_t=128)  # room for its legend on a narrow page
    if _has_thresholds(record, line):
        x, y = _hairs(record, low, high)
        name = _hair_name(record)
        named = {"name": name.removeprefix("_"), "showlegend": not name.startswith("_")}
        fig.add_scatter(x=x, y=y, mode="lines", line=hair, hoverinfo="skip", **named)
    fig.update_xaxes(range=record.x[[0, -1]])
    return fig.update_yaxes(range=[low, high])


def _curves(record: ResponseCurve, inks: Inks, line: bool) -> Iterator[_Curve]:
    """The lines of the picture, the model's own first."""
    each = record.y.shape[1] // len(record.steps)  # curves of one moment
    strengths = np.linspace(1 if len(record.steps) == 1 else 0.25, 1, len(record.steps))
    for i, name in enumerate(record.names):
        colour = inks.ink if each == 1 else class_colour(i % each)
        shown = name if each == 1 else f"_{name}"  # a class's curve has its points' colour
        if record.approximation is not None:
            shown = f"model, train RMSE {record.approximation.rmse_smooth:.3g}"
        yield _Curve(shown, record.y[:, i], colour, float(strengths[i // each]))
    if each > 1 and len(record.steps) > 1:
        nothing = np.full(len(record.x), np.nan)
        for at, strength in zip(record.steps, strengths, strict=True):
            yield _Curve(f"step {at:,}", nothing, inks.ink, float(strength))
    if line and record.logit is not None:
        yield _Curve("_logit", record.logit, inks.muted, width=1.2, dashed=True)
    if record.approximation is not None:
        net = record.approximation
        steps, refitted = f"{net.rmse_steps:.3g}", f"{net.rmse_refitted:.3g}"
        look: dict[str, Any] = {"width": 1.2, "stepped": True}
        yield _Curve(f"steps, RMSE {steps}", net.steps, class_colour(1), **look)
        yield _Curve(f"refitted, RMSE {refitted}", net.refitted, HIGHLIGHT, **look)


def _heights(record: ResponseCurve) -> np.ndarray:
    """Where the samples lie: at their values, or at 0 and 1, or in a row for more classes."""
    d = record.dataset
    targets = d.targets()
    if not d.classes:
        return targets
    out = np.where(np.arange(len(targets)) < len(d.y), 0.0, 0.06)
    return targets + (2 * targets - 1) * out if len(d.classes) == 2 else -0.05 - out


def _limits(record: ResponseCurve) -> tuple[float, float]:
    """The range of the ordinate, in which a curve may leave the values by their span at most."""
    if record.dataset.classes:
        return (-0.13, 1.13) if len(record.dataset.classes) == 2 else (-0.17, 1.05)
    values = _heights(record)
    least, most = float(values.min()), float(values.max())
    span = (most - least) or 1.0
    curves = record.y[np.isfinite(record.y)]
    low = max(least - span, float(curves.min(initial=least)))
    high = min(most + span, float(curves.max(initial=most)))
    return low - 0.05 * span, high + 0.05 * span


def _has_thresholds(record: ResponseCurve, line: bool) -> bool:
    return record.approximation is not None or (line and record.logit is not None)


def _hairs(record: ResponseCurve, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """An upright line at each threshold, parted by gaps."""
    n = len(record.thresholds)
    return np.repeat(record.thresholds, 3), np.tile([low, high, np.nan], n)


def _hair_name(record: ResponseCurve) -> str:
    return "_threshold" if record.approximation is None else "thresholds -b/w"


def _titles(record: ResponseCurve, line: bool) -> list[str]:
    """The lines of the title."""
    return [record.title, record.note] if line and record.note else [record.title]


def _plain(name: str) -> str:
    """The name for matplotlib, which hides one that begins with an underscore."""
    return name if name.startswith("_") else plain(name, 40)
