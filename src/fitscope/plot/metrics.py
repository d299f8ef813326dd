"""The table of scores: the model's numbers beside those of a baseline."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitscope.analysis import Metrics
from fitscope.plot.canvas import figure_of, new_axes, plain, styled
from fitscope.plot.theme import inks_of
from fitscope.plot.web import escaped, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["metrics", "metrics_plotly"]

_UP, _DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"
_MISSING = "\N{EN DASH}"


def metrics(record: Metrics, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws the table; a number of the model's that beats the baseline is bold."""
    with styled(theme) as inks:
        lines = textwrap.wrap(_remarks(record), 88)
        n = len(record.names)
        ax = ax or new_axes(width=5.6, height=0.27 * (n + 3 + len(lines)) + 0.2)
        ax.set(xlim=(0, 1), ylim=(n + 0.6 + 0.8 * len(lines), -1.9))
        ax.set_axis_off()
        ax.set_title(record.title, loc="left")
        for i, name in enumerate(_names(record)):
            ax.text(0, i, name, va="center", color=inks.ink)
        for x, head, texts, wins in _columns(record):
            part, of = head
            ax.text(x, -1.5, part, ha="right", va="center", color=inks.ink)
            ax.text(x, -0.85, of, ha="right", va="center", color=inks.muted)
            colour = inks.ink if of == "model" else inks.muted
            for i, (text, wins_here) in enumerate(zip(texts, wins, strict=True)):
                weight = "bold" if wins_here else "normal"
                ax.text(x, i, text, ha="right", va="center", color=colour, fontweight=weight)
        ax.hlines([-0.45, n - 0.45], 0, 1, colors=inks.muted, linewidth=0.8)
        for i, line in enumerate(lines):
            ax.text(0, n + 0.15 + 0.8 * i, plain(line, 100), va="center", size=8, color=inks.muted)
        return figure_of(ax)


def metrics_plotly(record: Metrics, *, theme: str = "light") -> "go.Figure":
    """The same as a table whose numbers can be copied."""
    inks, n = inks_of(theme), len(record.names)
    lines = textwrap.wrap(_remarks(record), 56)
    fig = new_figure(theme, height=30 * n + 160 + 18 * len(lines))
    columns = _columns(record)
    bold = [
        [f"<b>{t}</b>" if w else t for t, w in zip(texts, wins, strict=True)]
        for _, _, texts, wins in columns
    ]
    colours = [inks.ink, *(inks.ink if of == "model" else inks.muted for _, (_, of), *_ in columns)]
    look = {"align": ["left", *["right"] * len(columns)], "line_color": inks.grid, "height": 30}
    heads = ["", *(f"{part}<br>{of}" if part else of for _, (part, of), *_ in columns)]
    ground = {"fill_color": inks.paper, "font_size": 12}
    fig.add_table(
        columnwidth=[2.0, *[1.0] * len(columns)],
        header={"values": heads, "font_color": inks.muted, **look, **ground},
        cells={"values": [_names(record), *bold], "font_color": colours, **look, **ground},
    )
    text = "<br>".join(escaped(line, 90) for line in lines)
    place = {"x": 0, "y": 0, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top"}
    look = {"showarrow": False, "align": "left", "yshift": -8, "font_size": 12}
    fig.add_annotation(text=text, font_color=inks.muted, **place, **look)
    margin = {"t": 48, "b": 16 + 18 * len(lines), "l": 10, "r": 10}
    return fig.update_layout(title_text=escaped(record.title), margin=margin)


def _names(record: Metrics) -> list[str]:
    """The rows' names, each with the direction that is better."""
    arrows = [_UP if higher else _DOWN for higher in record.higher_is_better]
    return [f"{name} {arrow}" for name, arrow in zip(record.names, arrows, strict=True)]


def _columns(record: Metrics) -> list[tuple[float, tuple[str, str], list[str], np.ndarray]]:
    """Right end, two lines of head, texts, and which are bold: for each column of numbers."""
    better = np.where(record.higher_is_better, 1, -1)[:, None]
    wins = better * (record.model - record.baseline) > 0
    ends = 1 - 0.157 * np.arange(2 * len(record.parts))[::-1]
    columns = []
    for j, part in enumerate(record.parts):
        model, baseline = record.model[:, j], record.baseline[:, j]
        columns.append((float(ends[2 * j]), (part, "model"), _texts(model), wins[:, j]))
        never = np.zeros_like(wins[:, j])
        columns.append((float(ends[2 * j + 1]), ("", "baseline"), _texts(baseline), never))
    return columns


def _texts(values: np.ndarray) -> list[str]:
    """Three decimals where they say something."""
    return [_text(float(value)) for value in values]


def _text(value: float) -> str:
    if np.isnan(value):
        return _MISSING
    if value and not 0.001 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"


def _remarks(record: Metrics) -> str:
    """What the arrows and the baseline mean, and what is undefined."""
    said = f"{_UP} larger is better, {_DOWN} smaller. Baseline: {record.baseline_name}."
    return " ".join([said, *record.notes])
