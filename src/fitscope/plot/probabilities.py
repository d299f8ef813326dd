"""How good the probabilities are: ROC, precision and recall, calibration."""

from typing import TYPE_CHECKING, Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitscope.analysis import Calibration, PrecisionRecall, RocCurve
from fitscope.plot.canvas import figure, figure_of, legend, new_axes, plain, styled
from fitscope.plot.theme import CLASS_MARKERS, HIGHLIGHT, class_colour, class_name, inks_of
from fitscope.plot.web import SYMBOLS, escaped, new_figure, panels

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "calibration",
    "calibration_plotly",
    "precision_recall",
    "precision_recall_plotly",
    "roc_curve",
    "roc_curve_plotly",
]

Curves = RocCurve | PrecisionRecall | Calibration
_DASHES = (0, (4, 3))
_RANGE = (-0.02, 1.02)


def roc_curve(record: RocCurve, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws a curve for each class, chance as the diagonal, and where the model decides."""
    with styled(theme) as inks:
        ax = ax or new_axes(height=_height(record, 4.5))
        ax.plot([0, 1], [0, 1], color=inks.muted, linewidth=1, linestyle=_DASHES, label="chance")
        for i, (x, y) in enumerate(zip(record.false_positive, record.true_positive, strict=True)):
            name = plain(_name(record, i, "AUC", record.area[i]), 52)
            ax.plot(x, y, color=_colour(record, i), linewidth=1.8, label=name)
        if record.half is not None:
            look: dict[str, Any] = {"color": HIGHLIGHT, "s": 46, "zorder": 4, "clip_on": False}
            ax.scatter(*record.half, edgecolors=inks.paper, label="threshold 0.5", **look)
        _name_axes(
            ax, record, "AUC", "false positives (share of the others)", "true positives (share)"
        )
        return figure_of(ax)


def roc_curve_plotly(record: RocCurve, *, theme: str = "light") -> "go.Figure":
    """The same, with the threshold at the pointer."""
    axes = {"x": "false positives (share of the others)", "y": "true positives (share)"}
    fig = _square(theme, record, "AUC", **axes)
    line = {"color": inks_of(theme).muted, "dash": "dash", "width": 1}
    fig.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, name="chance", hoverinfo="skip")
    hover = "threshold %{text}<br>%{x:.3f}, %{y:.3f}"
    for i, (x, y) in enumerate(zip(record.false_positive, record.true_positive, strict=True)):
        name = escaped(_name(record, i, "AUC", record.area[i]), 60)
        line = {"color": _colour(record, i), "width": 2}
        look: dict[str, Any] = {"mode": "lines", "line": line, "hovertemplate": hover}
        texts = [f"{t:.3g}" for t in record.thresholds[i]]
        fig.add_scatter(x=x, y=y, text=texts, name=name, **look)
    if record.half is not None:
        marker = {"color": HIGHLIGHT, "size": 10}
        at = {"x": [record.half[0]], "y": [record.half[1]]}
        fig.add_scatter(mode="markers", marker=marker, name="threshold 0.5", **at)
    return fig


def precision_recall(
    record: PrecisionRecall, *, ax: Axes | None = None, theme: str = "light"
) -> Figure:
    """Draws a curve for each class over the dashed line of a guess."""
    with styled(theme):
        ax = ax or new_axes(height=_height(record, 4.5))
        for i, (x, y) in enumerate(zip(record.recall, record.precision, strict=True)):
            colour, guess = _colour(record, i), record.share[i]
            ax.plot([0, 1], [guess, guess], color=colour, linewidth=1, linestyle=_DASHES)
            name = plain(_name(record, i, "average precision", record.average[i]), 52)
            look: dict[str, Any] = {"color": colour, "linewidth": 1.8, "drawstyle": "steps-post"}
            ax.plot(x, y, label=name, **look)
        _name_axes(ax, record, "average precision", "recall (dashed: a guess)", "precision")
        return figure_of(ax)


def precision_recall_plotly(record: PrecisionRecall, *, theme: str = "light") -> "go.Figure":
    """The same, with recall and precision at the pointer."""
    fig = _square(theme, record, "average precision", x="recall (dashed: a guess)", y="precision")
    for i, (x, y) in enumerate(zip(record.recall, record.precision, strict=True)):
        colour, guess = _colour(record, i), float(record.share[i])
        line = {"color": colour, "width": 1, "dash": "dash"}
        off: dict[str, Any] = {"showlegend": False, "hoverinfo": "skip"}
        fig.add_scatter(x=[0, 1], y=[guess, guess], mode="lines", line=line, **off)
        name = escaped(_name(record, i, "average precision", record.average[i]), 70)
        line = {"color": colour, "width": 2, "shape": "hv"}
        fig.add_scatter(x=x, y=y, mode="lines", line=line, name=name)
    return fig


def calibration(record: Calibration, *, theme: str = "light") -> Figure:
    """Draws observed shares over predicted probabilities, and below how many samples each has."""
    with styled(theme) as inks:
        fig = figure(4.8, _height(record, 5.1))
        ax, below = fig.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        look: dict[str, Any] = {"linestyle": _DASHES, "linewidth": 1, "label": "perfect"}
        ax.plot([0, 1], [0, 1], color=inks.muted, **look)
        for i, (x, y) in enumerate(zip(record.predicted, record.observed, strict=True)):
            colour, marker = _colour(record, i), CLASS_MARKERS[record.classes[i] % 10]
            name = plain(_name(record, i, "Brier score", record.brier[i]), 52)
            ax.plot(x, y, color=colour, marker=marker, markersize=5, label=name)
            below.vlines(x, 0.5, record.counts[i], color=colour, linewidth=2)
            below.scatter(x, record.counts[i], color=colour, marker=marker, s=16)
        most = max(int(counts.max()) for counts in record.counts)
        below.set(yscale="log", ylim=(0.5, 2 * most), ylabel="samples")
        ax.set(ylabel="observed share", xlim=_RANGE, ylim=_RANGE)
        below.set_xlabel(_below(record, "mean predicted probability of a bin", "\n"))
        for one in (ax, below):
            one.grid()
            one.set_axisbelow(True)
        legend(ax, _title(record, "Brier score"))
        return fig


def calibration_plotly(record: Calibration, *, theme: str = "light") -> "go.Figure":
    """The same, with the numbers of a bin at the pointer."""
    rows: dict[str, Any] = {"shared_xaxes": True, "row_heights": [0.75, 0.25]}
    title = _title(record, "Brier score")
    fig = panels(theme, 2, 1, title=title, height=620, vertical_spacing=0.05, **rows)
    line = {"color": inks_of(theme).muted, "dash": "dash", "width": 1}
    look: dict[str, Any] = {"mode": "lines", "line": line, "hoverinfo": "skip"}
    fig.add_scatter(x=[0, 1], y=[0, 1], name="perfect", row=1, col=1, **look)
    for i, (x, y) in enumerate(zip(record.predicted, record.observed, strict=True)):
        name = escaped(_name(record, i, "Brier score", record.brier[i]), 64)
        colour, symbol = _colour(record, i), SYMBOLS[record.classes[i] % len(SYMBOLS)]
        look = {"line": {"color": colour}, "marker": {"symbol": symbol, "size": 8}}
        look["hovertemplate"] = "said %{x:.3f}, came true %{y:.3f}<br>%{text:,} samples"
        texts = record.counts[i]
        fig.add_scatter(x=x, y=y, text=texts, name=name, mode="lines+markers", **look, row=1, col=1)
        fig.add_bar(x=x, y=texts, width=0.015, marker_color=colour, showlegend=False, row=2, col=1)
    fig.update_yaxes(title_text="observed share", range=_RANGE, row=1, col=1)
    fig.update_yaxes(title_text="samples", type="log", dtick=1, row=2, col=1)
    note = _below(record, "mean predicted probability of a bin", "<br>")
    fig.update_xaxes(range=_RANGE).update_xaxes(title_text=note, row=2, col=1)
    return _legend_below(fig, record).update_layout(barmode="overlay")


def _square(theme: str, record: Curves, measure: str, *, x: str, y: str) -> "go.Figure":
    """A plotly figure of shares over shares."""
    fig = new_figure(theme, title=_title(record, measure), y=y, height=560)
    fig.update_xaxes(title_text=_below(record, x, "<br>"), range=_RANGE, constrain="domain")
    fig.update_yaxes(range=_RANGE, scaleanchor="x", constrain="domain")
    return _legend_below(fig, record)


def _legend_below(fig: "go.Figure", record: Curves) -> "go.Figure":
    """Many names stand below the picture, where they do not run into its title."""
    n = len(record.classes)
    if n > 3:
        below = {"y": -0.24, "yanchor": "top"}
        fig.update_layout(legend=below, margin_t=56, height=fig.layout.height + 12 * n)
    return fig


def _name_axes(ax: Axes, record: Curves, measure: str, x: str, y: str) -> None:
    ax.set(xlabel=_below(record, x, "\n"), ylabel=y, xlim=_RANGE, ylim=_RANGE)
    ax.grid()
    ax.set_axisbelow(True)
    legend(ax, _title(record, measure))


def _title(record: Curves, measure: str) -> str:
    """Part and moment; of many curves, what their numbers are."""
    told = f"{measure}, " if len(record.classes) > 1 else ""
    return f"{told}{record.part} part, {record.title}"


def _below(record: Curves, label: str, newline: Literal["\n", "<br>"]) -> str:
    """What stands below the picture: the axis' name and the note."""
    if not record.note:
        return label
    if newline == "<br>":
        return f"{label}<br><sub>{escaped(record.note, 80)}</sub>"
    return f"{label}\n{plain(record.note, 60)}"


def _name(record: Curves, i: int, measure: str, value: float) -> str:
    """A curve's class and number; what that is stands in the title where there are many."""
    told = f"{measure} " if len(record.classes) == 1 else ""
    name = class_name(record.dataset, record.dataset.classes[record.classes[i]])
    return f"{name}: {told}{value:.3f}"


def _height(record: Curves, height: float) -> float:
    """Inches for a picture with a legend of so many rows."""
    return height + 0.1 * len(record.classes)


def _colour(record: Curves, i: int) -> str:
    return class_colour(record.classes[i])
