"""The scatter plot: the samples by class, training and test told apart."""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitscope.analysis import Scatter
from fitscope.plot.canvas import colour_bar, draw_points, figure_of, legend, new_axes, plain, styled
from fitscope.plot.theme import inks_of, keeps_shape, thinned
from fitscope.plot.web import add_points, escaped, keep_shape, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["scatter", "scatter_plotly"]


def scatter(record: Scatter, *, ax: Axes | None = None, theme: str = "light") -> Figure:
    """Draws the samples; over one input the target is the other axis, over two the colour."""
    with styled(theme) as inks:
        ax = ax or new_axes(height=4.0)
        d, (x, y) = record.dataset, _places(record)
        names = _axis_names(record)
        ax.set(xlabel=plain(names[0]), ylabel=plain(names[1]))
        if d.task == "regression" and len(record.features) == 2:
            values = d.targets()
            style: dict[str, Any] = {"s": 20, "vmin": values.min(), "vmax": values.max()}
            for name, part in _parts(record).items():
                dots = ax.scatter(x[part], y[part], c=values[part], cmap="cividis", **style)
                if name == "test":
                    dots.set(facecolor="none", edgecolor=None, linewidth=1.1)  # None: by value
                    ax.scatter([], [], s=20, facecolors="none", edgecolors=inks.muted, label=name)
            colour_bar(ax, dots, d.target_name)
        else:
            draw_points(ax, d, x, y, inks=inks)
        if d.classes and len(record.features) == 1:
            ax.set_yticks(range(len(d.classes)), [plain(label) for label in d.classes])
        if len(record.features) == 2 and keeps_shape(x, y):
            ax.set_aspect("equal")
        ax.grid()
        ax.set_axisbelow(True)
        legend(ax, record.title)
        return figure_of(ax)


def scatter_plotly(record: Scatter, *, theme: str = "light") -> "go.Figure":
    """The same, with zoom and values at the pointer."""
    d, (x, y), names = record.dataset, _places(record), _axis_names(record)
    fig = new_figure(theme, title=record.title, x=names[0], y=names[1], height=520)
    if len(record.features) == 2 and keeps_shape(x, y):
        keep_shape(fig)
    if d.task == "regression" and len(record.features) == 2:
        bar = {"title": {"text": escaped(d.target_name), "side": "right"}, "outlinewidth": 0}
        fig.update_layout(coloraxis={"colorscale": "Cividis", "colorbar": bar})
        for name, part in _parts(record).items():
            look = {"color": d.targets()[part], "coloraxis": "coloraxis", "size": 7}
            look |= {"symbol": "circle-open" if name == "test" else "circle"}
            group: dict[str, Any] = {"mode": "markers", "name": name, "legendgroup": name}
            fig.add_scatter(x=x[part], y=y[part], marker=look, showlegend=False, **group)
            if d.n_test:  # the legend shows a mark of one colour
                mark = {**look, "color": inks_of(theme).muted, "coloraxis": None}
                fig.add_scatter(x=[None], y=[None], marker=mark, showlegend=True, **group)
        return fig
    add_points(fig, d, x, y)
    if d.classes and len(record.features) == 1:
        labels = [escaped(label) for label in d.classes]
        fig.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels)
    return fig


def _parts(record: Scatter) -> dict[str, Bool[np.ndarray, " n"]]:
    """Which of all samples are drawn for each part that there is."""
    d = record.dataset
    n = len(d.y) + len(d.y_test)
    train = np.arange(n) < len(d.y)
    parts = {"training": train & thinned(n), "test": ~train & thinned(n)}
    return {name: part for name, part in parts.items() if part.any()}


def _places(record: Scatter) -> tuple[np.ndarray, np.ndarray]:
    """Abscissae and ordinates of all samples; classes over one input are set apart by part."""
    points, d = record.dataset.inputs(), record.dataset
    if len(record.features) == 2:
        return points[:, record.features[0]], points[:, record.features[1]]
    apart = np.where(np.arange(len(points)) < len(d.y), 0.0, 0.12) if d.classes else 0.0
    return points[:, record.features[0]], d.targets() + apart


def _axis_names(record: Scatter) -> tuple[str, str]:
    names = [record.dataset.feature_names[i] for i in record.features]
    return (names[0], names[1] if len(names) == 2 else record.dataset.target_name)
