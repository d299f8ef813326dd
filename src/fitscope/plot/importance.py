"""Which inputs matter: coefficients or permutation importances as bars."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fitscope.analysis import Importance
from fitscope.plot.canvas import figure_of, new_axes, plain, styled
from fitscope.plot.theme import CLASS_COLOURS, inks_of
from fitscope.plot.web import escaped, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["importance", "importance_plotly"]

MAX_BARS = 15


def importance(record: Importance, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws the largest ones as bars: warm to the right of zero, cool to its left."""
    with styled(theme) as inks:
        ax = ax or new_axes(height=1.2 + 0.2 * min(len(record.names), MAX_BARS))
        names, values, colours = _bars(record)
        ax.barh(range(len(values)), values, color=colours, height=0.7)
        ax.set_yticks(range(len(values)), [plain(name) for name in names])
        ax.invert_yaxis()
        ax.axvline(0, color=inks.muted, linewidth=0.8)
        ax.set_xlabel("\n".join([textwrap.fill(record.what, 40), *_rest(record)]))
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.grid(axis="x")
        ax.set_axisbelow(True)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        return figure_of(ax)


def importance_plotly(record: Importance, *, theme: str = "light") -> "go.Figure":
    """The same, with the numbers at the pointer."""
    inks = inks_of(theme)
    names, values, colours = _bars(record)
    lines = [*textwrap.wrap(record.what, 44), *_rest(record)]
    fig = new_figure(theme, height=130 + 24 * len(names) + 20 * len(lines))
    what = "<br>".join(map(escaped, lines))
    places: dict[str, Any] = {"x": values, "y": list(range(len(names))), "orientation": "h"}
    hover = "%{customdata}: %{x:.4g}<extra></extra>"
    told: dict[str, Any] = {"customdata": list(map(escaped, names)), "hovertemplate": hover}
    fig.add_bar(marker={"color": colours, "line_width": 0}, width=0.7, **places, **told)
    ticks = [escaped(name, 30) for name in names]
    side: dict[str, Any] = {"autorange": "reversed", "showgrid": False, "showline": False}
    fig.update_yaxes(
        tickvals=list(range(len(names))), ticktext=ticks, tickcolor="rgba(0,0,0,0)", **side
    )
    fig.update_xaxes(title_text=what, zeroline=True, zerolinecolor=inks.muted, zerolinewidth=1)
    return fig.update_layout(margin={"t": 36, "b": 48 + 20 * len(lines)}, showlegend=False)


def _bars(record: Importance) -> tuple[tuple[str, ...], np.ndarray, list[str]]:
    """Names, lengths and colours of the bars that are drawn."""
    values = record.values[:MAX_BARS]
    values = np.where(np.isfinite(values), values, 0.0)  # a diverged run has no bar to draw
    colours = [CLASS_COLOURS[int(value >= 0)] for value in values]
    return record.names[:MAX_BARS], values, colours


def _rest(record: Importance) -> list[str]:
    """That there are more inputs than bars, where there are."""
    n = len(record.names)
    return [f"the {MAX_BARS} largest of {n}"] if n > MAX_BARS else []
