"""What the plotly drawings share: figures in the house style, samples, legends."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fitscope.plot.theme import (
    FIELD_COLOURS,
    MANY_POINTS,
    class_colour,
    inks_of,
    samples_by_class,
    shown,
)
from fitscope.records import Dataset

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "FIELD_SCALE",
    "SYMBOLS",
    "add_note",
    "add_points",
    "escaped",
    "keep_shape",
    "log_axis",
    "new_figure",
    "panels",
    "scene",
]

SYMBOLS = (  # plotly's names of theme.CLASS_MARKERS
    *("circle", "square", "triangle-up", "diamond", "triangle-down"),
    *("cross", "x", "triangle-left", "triangle-right", "star"),
)
FIELD_SCALE = [[i / 4, colour] for i, colour in enumerate(FIELD_COLOURS)]
_MARKS = {"itemsizing": "constant"}  # in the legend, however small they are in the picture
_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'


def new_figure(
    theme: str, *, title: str = "", x: str = "", y: str = "", height: int = 460
) -> "go.Figure":
    """An empty figure with one pair of axes, named; height in pixels."""
    import plotly.graph_objects as go

    fig = _dressed(go.Figure(), theme, title, height)
    return fig.update_xaxes(title_text=escaped(x)).update_yaxes(title_text=escaped(y))


def panels(
    theme: str, rows: int, columns: int, *, title: str = "", height: int = 460, **options: Any
) -> "go.Figure":
    """An empty figure with rows and columns of axes; `options` go to `make_subplots`."""
    from plotly.subplots import make_subplots

    return _dressed(make_subplots(rows=rows, cols=columns, **options), theme, title, height)


def _dressed(fig: "go.Figure", theme: str, title: str, height: int) -> "go.Figure":
    """The house style: a title and a legend above the axes, hairlines, no boxes.

    The layout is set whole: by single properties it costs 20 ms, a third of a slider's move.
    """
    inks = inks_of(theme)
    axis: dict[str, Any] = {
        "gridcolor": inks.grid,
        "linecolor": inks.muted,
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "tickcolor": inks.muted,
        "tickfont": {"color": inks.muted},
        "automargin": True,
    }
    own = fig.layout.to_plotly_json()
    axes = [key for key in own if key.startswith(("xaxis", "yaxis"))] or ["xaxis", "yaxis"]
    for annotation in own.get("annotations", ()):  # the titles of panels
        annotation["font"] = {"size": 13}
    above = {"x": 0.02, "y": 1, "yanchor": "top"}
    fig.layout = {
        **own,
        **{key: {**own.get(key, {}), **axis} for key in axes},
        "template": "none",
        # below the buttons, which on a phone reach over it
        "title": {"text": escaped(title, 90), "font": {"size": 15}, "pad": {"t": 30}, **above},
        "font": {"family": _FONT, "size": 13, "color": inks.ink},
        "paper_bgcolor": inks.paper,
        "plot_bgcolor": inks.paper,
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", **_MARKS},
        "margin": {"l": 64, "r": 24, "t": 96, "b": 56},
        "height": height,
        "hoverlabel": {"font": {"family": _FONT}, "namelength": -1},
        "modebar": {"remove": ["select", "lasso", "zoomin", "zoomout", "autoscale"]},
    }
    return fig


def add_note(fig: "go.Figure", note: str) -> "go.Figure":
    """A second line under the title, small; `note` is escaped, and may have <br> in it."""
    text = f"{fig.layout.title.text}<br><sub>{note}</sub>"
    return fig.update_layout(title={"text": text, "pad_t": 42}, margin_t=112)


def keep_shape(fig: "go.Figure") -> "go.Figure":
    """One scale for both axes."""
    return fig.update_yaxes(scaleanchor="x", constrain="domain").update_xaxes(constrain="domain")


def log_axis(values: np.ndarray) -> dict[str, Any]:
    """What an axis needs to be logarithmic, with whole numbers at 1, 2 and 5 or at the decades."""
    drawn = values[np.isfinite(values) & (values > 0)]
    wide = len(drawn) > 0 and drawn.max() > 1000 * drawn.min()
    return {"type": "log", "tickformat": "~g", "dtick": 1 if wide else "D2"}


def scene(theme: str, x: str, y: str, z: str) -> dict[str, Any]:
    """The layout of a 3-D scene whose axes are named."""
    inks = inks_of(theme)
    axis = {"gridcolor": inks.grid, "color": inks.muted, "showbackground": False}
    names = {"xaxis": x, "yaxis": y, "zaxis": z}
    return {key: {**axis, "title": {"text": escaped(n)}} for key, n in names.items()}


def escaped(text: object, width: int = 48) -> str:
    """A text that plotly shows as it is: no markup, formula or template; cut where it is long."""
    cut = shown(text, width).replace("&", "&amp;").replace("<", "&lt;")
    return cut.replace("$", "&#36;").replace("%{", "&#37;{")


def add_points(
    fig: "go.Figure",
    dataset: Dataset,
    x: np.ndarray,
    y: np.ndarray,
    *,
    edge: str | None = None,
    showlegend: bool = True,
    **cell: Any,
) -> None:
    """Samples by class (colour and marker) or plain; those of the test part are hollow.

    Args:
        fig: where to draw.
        dataset: whose samples they are, training first.
        x: abscissae of all samples.
        y: ordinates of all samples.
        edge: colour around a filled marker, which sets it off from a field.
        showlegend: whether the legend names the classes.
        **cell: `row` and `col` of a panel.
    """
    size = 7 if len(x) <= MANY_POINTS else 5
    for index, written, train, test in samples_by_class(dataset):
        name = escaped(written)
        symbol, colour = SYMBOLS[index % len(SYMBOLS)], class_colour(index)
        line = {"color": edge, "width": 0.5 if edge else 0}
        filled = {"color": colour, "symbol": symbol, "size": size, "line": line}
        hollow = {**filled, "symbol": f"{symbol}-open", "line": {"color": colour, "width": 1.3}}
        group = {"mode": "markers", "legendgroup": name, **cell}
        if train.any():
            fig.add_scatter(
                x=x[train], y=y[train], marker=filled, name=name, showlegend=showlegend, **group
            )
        if test.any():
            of_test = f"{name}, test"
            fig.add_scatter(
                x=x[test], y=y[test], marker=hollow, name=of_test, showlegend=False, **group
            )
    if len(dataset.y_test):
        look = {"color": fig.layout.xaxis.tickfont.color, "symbol": "circle-open", "size": size}
        nowhere: dict[str, Any] = {"x": [None], "y": [None], "mode": "markers", **cell}
        fig.add_scatter(marker=look, name="test", showlegend=showlegend, **nowhere)
