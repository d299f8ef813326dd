"""The learned polynomial and the true one, with the samples, and both as formulas."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitscope.analysis import PolynomialCurve
from fitscope.plot.canvas import draw_points, figure_of, legend, new_axes, plain, styled
from fitscope.plot.theme import HIGHLIGHT, inks_of
from fitscope.plot.web import add_points, escaped, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["polynomial_curve", "polynomial_curve_plotly"]


def polynomial_curve(
    record: PolynomialCurve, *, ax: Axes | None = None, theme: str = "light"
) -> Figure:
    """Draws the true curve as a band, the samples on it, and the learned curve."""
    with styled(theme) as inks:
        ax, d = ax or new_axes(5.6, 3.9), record.dataset
        draw_points(ax, d, d.inputs()[:, 0], d.targets(), inks=inks)
        true, learned = _names(record, 62)
        band: dict[str, Any] = {"color": inks.muted, "alpha": 0.4, "linewidth": 8}
        band["solid_capstyle"] = "butt"
        ax.plot(record.x, record.true, label=true, zorder=2, **band)
        line: dict[str, Any] = {"color": HIGHLIGHT, "linewidth": 1.6}
        ax.plot(record.x, record.learned, label=learned, zorder=4, **line)
        ax.set(xlabel=plain(d.feature_names[0]) + _note(record), ylabel=plain(d.target_name))
        ax.set(xlim=record.x[[0, -1]], ylim=_limits(record))
        ax.grid(axis="y")
        legend(ax, record.title)
        return figure_of(ax)


def polynomial_curve_plotly(record: PolynomialCurve, *, theme: str = "light") -> "go.Figure":
    """The same, with the values at the pointer."""
    d, inks = record.dataset, inks_of(theme)
    fig = new_figure(theme, title=record.title, y=d.target_name, height=560)
    note = _note(record).replace("\n", "<br>")
    fig.update_xaxes(title_text=escaped(d.feature_names[0]) + note, range=record.x[[0, -1]])
    fig.update_yaxes(range=_limits(record))
    true, learned = (escaped(name, 400).replace("\n", "<br>") for name in _names(record, 44))
    curve: dict[str, Any] = {"x": record.x, "mode": "lines"}
    band = {"color": inks.muted, "width": 11}
    fig.add_scatter(y=record.true, name=true, line=band, opacity=0.4, **curve)
    add_points(fig, d, d.inputs()[:, 0], d.targets())
    line = {"color": HIGHLIGHT, "width": 2}
    fig.add_scatter(y=record.learned, name=learned, line=line, **curve)
    return fig.update_layout(legend_orientation="v", margin_t=176)


def _names(record: PolynomialCurve, width: int) -> tuple[str, str]:
    """What the legend says of both curves, in lines that are not too long."""
    made, learned = f"true: {record.true_formula}", f"learned: {record.formula}"
    return textwrap.fill(made, width), textwrap.fill(learned, width)


def _note(record: PolynomialCurve) -> str:
    n = len(record.dataset.X) + len(record.dataset.X_test)
    return f"\n{record.n_outside:,} of {n:,} samples lie outside" if record.n_outside else ""


def _limits(record: PolynomialCurve) -> tuple[float, float]:
    """The range of the true curve and of the samples in the picture, the same at every step."""
    x = record.dataset.inputs()[:, 0]
    inside = (x >= record.x[0]) & (x <= record.x[-1])
    values = np.concatenate([record.true, record.dataset.targets()[inside]])
    margin = 0.05 * (float(np.ptp(values)) or 1.0)
    return float(values.min()) - margin, float(values.max()) + margin
