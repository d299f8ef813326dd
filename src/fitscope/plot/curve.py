"""The response curve: what the model answers along its single input, with the data."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from fitscope.plot.theme import INK, MUTED, class_colour, draw_points, legend, shown
from fitscope.records import Dataset, ResponseCurve

__all__ = ["response_curve"]


def response_curve(record: ResponseCurve, dataset: Dataset, *, ax: Axes) -> Axes:
    """Draws the curve over the samples.

    Samples of two classes lie at 0 and 1, those of the test part a little further out.
    """
    x = dataset.inputs()[:, 0]
    targets = np.concatenate([dataset.y, dataset.y_test]).astype(np.float64)
    if dataset.task == "regression":
        draw_points(ax, dataset, x, targets * dataset.y_scale + dataset.y_mean)
        ax.set_ylabel(shown(dataset.target_name))
    else:
        two = len(dataset.classes) == 2
        out = np.where(np.arange(len(x)) < len(dataset.y), 0.0, 0.06)
        draw_points(ax, dataset, x, targets + (2 * targets - 1) * out if two else -0.05 - out)
        ax.axhline(0.5, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
        ax.set_ylabel(shown(record.names[0]) if two else "probability")
    for i, name in enumerate(record.names):
        single = len(record.names) == 1
        look: dict[str, Any] = {"color": INK if single else class_colour(i), "linewidth": 1.8}
        label = shown(name) if single else f"_{name}"  # a class's curve has its points' colour
        ax.plot(record.x, record.y[:, i], label=label, zorder=4, **look)
    ax.set_xlabel(shown(dataset.feature_names[0]))
    ax.set_xlim(record.x[0], record.x[-1])
    ax.grid(axis="y")
    legend(ax)
    return ax
