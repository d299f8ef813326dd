"""What does the model answer over the plane of its two inputs?"""

import numpy as np

from fitscope.errors import DataError
from fitscope.records import DecisionField, Run

__all__ = ["decision_field"]


def decision_field(run: Run, *, step: int = -1, n_grid: int = 200) -> DecisionField:
    """The probability of the second class, the likeliest class, or the value on a grid.

    The grid spans the data with a margin of 12 % on each side.

    Args:
        run: a run with two inputs and its data.
        step: which moment; -1 is the end.
        n_grid: points along each side.

    Raises:
        DataError: the run has not two inputs, or was saved without its data.
    """
    d = run.dataset
    if d.d != 2:
        raise DataError(f"decision_field needs two inputs; this run has {d.d}.")
    points = d.inputs()
    if not len(points):
        raise DataError("decision_field needs the data; this run was saved without it.")
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.12 * np.where(high > low, high - low, 1.0)
    x, y = np.linspace(low - margin, high + margin, n_grid).T
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    if d.task == "regression":
        values = run.predict(grid, step=step)
    elif len(d.classes) == 2:
        values = run.predict_proba(grid, step=step)[:, 1]
    else:
        values = run.predict_proba(grid, step=step).argmax(axis=1).astype(np.float64)
    return DecisionField(x, y, values.reshape(n_grid, n_grid))
