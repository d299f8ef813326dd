"""Parameter paths: every parameter over the updates, the norm of the gradient below."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from fitscope.analysis import ParameterPaths
from fitscope.plot.canvas import figure, legend, plain, styled
from fitscope.plot.theme import Inks, class_colour, inks_of
from fitscope.plot.web import panels

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["parameter_paths", "parameter_paths_plotly"]

MAX_NAMED = 12  # paths with a colour and a name of their own
_GRADIENT = "norm of the gradient"


def parameter_paths(
    record: ParameterPaths, *, log_steps: bool = False, theme: str = "light"
) -> Figure:
    """Draws each parameter over the updates; more than 12 share the colour of their layer.

    Args:
        record: what is drawn.
        log_steps: whether the updates stand at log10(1 + updates), which has room for the start.
        theme: "light" or "dark".
    """
    with styled(theme) as inks:
        both = bool(len(record.gradient_steps))
        fig = figure(5.4, 5.2 if both else 3.6)
        shares: dict[str, Any] = {"height_ratios": [2, 1]} if both else {}
        axes = fig.subplots(1 + both, 1, sharex=True, squeeze=False, **shares)[:, 0]
        if len(record.names) <= MAX_NAMED:
            _draw_named(axes[0], record, log_steps)
        else:
            _draw_layers(axes[0], record, log_steps, inks)
        axes[0].set_ylabel("parameter")
        axes[0].axhline(0, color=inks.muted, linewidth=0.8, zorder=0.5)
        legend(axes[0], "\n".join(filter(None, [record.title, record.note])))
        if both:
            norms = np.where(np.isfinite(record.gradient_norms), record.gradient_norms, np.nan)
            axes[1].plot(_places(record.gradient_steps, log_steps), norms, color=inks.ink, lw=1.2)
            axes[1].set(ylabel=_GRADIENT.replace(" of", "\nof"))
            if _decades(record):
                axes[1].set_yscale("log")
                each = (1, 2, 5) if _decades(record) < 1.5 else (1,)
                axes[1].yaxis.set_major_locator(LogLocator(subs=each))
                axes[1].yaxis.set_minor_formatter(NullFormatter())
        for ax in axes:
            ax.grid()
            ax.set_axisbelow(True)
            ax.yaxis.set_major_formatter("{x:g}")
        _dress_steps(axes[-1], record, log_steps)
        return fig


def parameter_paths_plotly(
    record: ParameterPaths, *, log_steps: bool = False, theme: str = "light"
) -> "go.Figure":
    """The same, with names and values at the pointer."""
    both = bool(len(record.gradient_steps))
    shares: dict[str, Any] = {"row_heights": [0.66, 0.34], "vertical_spacing": 0.06} if both else {}
    options: dict[str, Any] = {"shared_xaxes": True, **shares}
    title = record.title + (f" ({record.note})" if record.note else "")
    fig = panels(theme, 1 + both, 1, title=title, height=620 if both else 480, **options)
    _add_paths(fig, record, log_steps, inks_of(theme))
    if both:
        _add_gradient(fig, record, log_steps, inks_of(theme))
    if log_steps:
        ticks, texts = _log_ticks(record)
        fig.update_xaxes(tickvals=ticks, ticktext=texts)
    else:
        fig.update_xaxes(tickformat=",")
    fig.update_xaxes(title_text=_steps_label(log_steps), row=1 + both, col=1)
    last = float(_places(record.steps[-1:], log_steps)[0])
    return fig.update_xaxes(range=[0, max(last, 0.3)]).update_layout(hovermode="closest")


def _add_paths(fig: "go.Figure", record: ParameterPaths, log_steps: bool, inks: Inks) -> None:
    """One trace a parameter; those of a layer share an entry of the legend."""
    named = len(record.names) <= MAX_NAMED
    opacity = _opacity(record)
    for values, name, (colour, dash) in zip(
        record.values.T, record.names, _styles(record), strict=True
    ):
        ink = colour if named else _faint(colour, opacity)
        line = {"color": ink, "width": 1.9 if named else 1, "dash": "dash" if dash else "solid"}
        look: dict[str, Any] = {"mode": "lines", "line": line, "name": name}
        where = _along(record.steps, log_steps, f"{name}: ")
        fig.add_scatter(y=_finite(values), showlegend=named, row=1, col=1, **look, **where)
    for name, colour, dash in [] if named else _keys(record, inks):
        line = {"color": colour, "width": 2, "dash": "dash" if dash else "solid"}
        fig.add_scatter(x=[None], y=[None], mode="lines", line=line, name=name, row=1, col=1)
    fig.update_yaxes(title_text="parameter", row=1, col=1)


def _add_gradient(fig: "go.Figure", record: ParameterPaths, log_steps: bool, inks: Inks) -> None:
    look: dict[str, Any] = {"line": {"color": inks.ink, "width": 1.5}, "showlegend": False}
    told = {**_along(record.gradient_steps, log_steps), "name": _GRADIENT, "mode": "lines"}
    fig.add_scatter(y=_finite(record.gradient_norms), row=2, col=1, **look, **told)
    fig.update_yaxes(title_text=_GRADIENT, row=2, col=1)
    if _decades(record):
        each = "D2" if _decades(record) < 1.5 else 1
        fig.update_yaxes(type="log", dtick=each, row=2, col=1)


def _along(steps: np.ndarray, log_steps: bool, name: str = "") -> dict[str, Any]:
    """Abscissae, and what stands at the pointer."""
    at = "%{customdata:,}" if log_steps else "%{x:,}"
    hover = f"{name}%{{y:.4g}} after {at} updates<extra></extra>"
    known = {"customdata": steps} if log_steps else {}
    return {"x": _places(steps, log_steps), "hovertemplate": hover, **known}


def _keys(record: ParameterPaths, inks: Inks) -> list[tuple[str, str, bool]]:
    """Name, colour and dash of what the legend explains where paths share colours."""
    shown = [int(i) - 1 for i in np.unique(record.layers)]
    found = [(record.layer_names[i], class_colour(i), False) for i in shown]
    return [*found, ("biases", inks.muted, True)]


def _styles(record: ParameterPaths) -> list[tuple[str, bool]]:
    """Colour and whether dashed, which biases are: each its own, or that of the layer."""
    is_bias = record.is_bias.tolist()
    if len(record.names) > MAX_NAMED:
        return [(class_colour(int(i) - 1), b) for i, b in zip(record.layers, is_bias, strict=True)]
    own = [is_bias[:i].count(bias) for i, bias in enumerate(is_bias)]
    return [(class_colour(i), bias) for i, bias in zip(own, is_bias, strict=True)]


def _draw_named(ax: Axes, record: ParameterPaths, log_steps: bool) -> None:
    x = _places(record.steps, log_steps)
    styles = _styles(record)
    for values, name, (colour, dash) in zip(record.values.T, record.names, styles, strict=True):
        style: dict[str, Any] = {"color": colour, "linestyle": (0, (4, 2)) if dash else "-"}
        ax.plot(x, _finite(values), linewidth=1.6, label=plain(name), **style)


def _draw_layers(ax: Axes, record: ParameterPaths, log_steps: bool, inks: Inks) -> None:
    """All paths as one collection, thin; the legend names the layers."""
    x = _places(record.steps, log_steps)
    paths = [np.column_stack([x, _finite(values)]) for values in record.values.T]
    styles = _styles(record)
    look: dict[str, Any] = {"linewidths": 0.8, "alpha": _opacity(record)}
    colours = [colour for colour, _ in styles]
    dashes = [(0, (4, 2)) if dash else "-" for _, dash in styles]
    ax.add_collection(LineCollection(paths, colors=colours, linestyles=dashes, **look))
    ax.autoscale_view()
    for name, colour, dash in _keys(record, inks):
        style: dict[str, Any] = {"color": colour, "linestyle": (0, (4, 2)) if dash else "-"}
        ax.add_line(Line2D([], [], linewidth=1.8, label=name, **style))


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _opacity(record: ParameterPaths) -> float:
    """The more paths share a colour, the fainter they are."""
    n = len(record.names)
    return 1.0 if n <= MAX_NAMED else 0.75 * min(1.0, (50 / n) ** 0.5)


def _faint(colour: str, opacity: float) -> str:
    """A colour that lets others through; a browser draws it far faster than a faint trace."""
    red, green, blue = (round(255 * part) for part in to_rgb(colour))
    return f"rgba({red}, {green}, {blue}, {opacity:.2f})"


def _decades(record: ParameterPaths) -> float:
    """How many powers of ten the norms span; 0 where one is 0, which has no place on a log axis."""
    norms = record.gradient_norms[np.isfinite(record.gradient_norms)]
    if not len(norms) or norms.min() <= 0:
        return 0.0
    return float(max(np.log10(norms.max()) - np.log10(norms.min()), 0.1))


def _places(steps: np.ndarray, log_steps: bool) -> np.ndarray:
    return np.log10(1.0 + steps) if log_steps else steps


def _log_ticks(record: ParameterPaths) -> tuple[np.ndarray, list[str]]:
    """Where 0, 1, 10, 100, ... updates stand, and those numbers."""
    last = int(record.steps[-1])
    ticks = [0, *(10**k for k in range(10) if 10**k <= last)]
    return np.log10(1.0 + np.array(ticks)), [f"{tick:,}" for tick in ticks]


def _steps_label(log_steps: bool) -> str:
    return "updates (log scale)" if log_steps else "updates"


def _dress_steps(ax: Axes, record: ParameterPaths, log_steps: bool) -> None:
    ax.set_xlabel(_steps_label(log_steps))
    ax.set_xlim(0, max(float(_places(record.steps[-1:], log_steps)[0]), 0.3))
    if log_steps:
        ax.set_xticks(*_log_ticks(record))
    else:
        ax.xaxis.set_major_formatter("{x:,.10g}")
