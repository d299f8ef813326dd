"""The decision field: what the model answers over the plane, with the data on top."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from fitscope.plot.theme import FIELD, LINE, class_colour, colour_bar, draw_points, shown, tint
from fitscope.records import Dataset, DecisionField

__all__ = ["decision_field"]


def decision_field(record: DecisionField, dataset: Dataset, *, ax: Axes) -> Axes:
    """Draws the field with the 0.5 line (or the class borders) and the samples.

    Probabilities are coloured from cool (0) over white (0.5) to warm (1).
    """
    extent = (record.x[0], record.x[-1], record.y[0], record.y[-1])
    n_classes = len(dataset.classes)
    place: dict[str, Any] = {
        "extent": extent,
        "origin": "lower",
        "aspect": "auto",
        "interpolation": "nearest",
    }
    if n_classes > 2:
        colours = ListedColormap([tint(class_colour(i), 0.35) for i in range(n_classes)])
        ax.imshow(record.values, cmap=colours, vmin=-0.5, vmax=n_classes - 0.5, **place)
    elif n_classes == 2:
        image = ax.imshow(record.values, cmap=FIELD, vmin=0, vmax=1, **place)
        colour_bar(ax, image, f"probability of {dataset.target_name} = {dataset.classes[1]}")
        if record.values.min() < 0.5 <= record.values.max():
            ax.contour(record.x, record.y, record.values, [0.5], colors=LINE, linewidths=1.4)
    else:
        image = ax.imshow(record.values, cmap="cividis", **place)
        colour_bar(ax, image, dataset.target_name)
    points = dataset.inputs()
    draw_points(ax, dataset, points[:, 0], points[:, 1], edge="white")
    ax.set_xlabel(shown(dataset.feature_names[0]))
    ax.set_ylabel(shown(dataset.feature_names[1]))
    ax.set_xlim(extent[0], extent[1])
    ax.set_ylim(extent[2], extent[3])
    spread = np.ptp(record.x) / np.ptp(record.y)
    if 0.7 < spread < 1.4:  # inputs of one kind keep their shape: a ring stays round
        ax.set_aspect("equal")
    return ax
