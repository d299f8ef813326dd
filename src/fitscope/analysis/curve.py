"""What does the model answer along its single input?"""

import numpy as np

from fitscope.errors import DataError
from fitscope.records import ResponseCurve, Run

__all__ = ["response_curve"]


def response_curve(run: Run, *, step: int = -1, n_grid: int = 600) -> ResponseCurve:
    """The probability of the second class (of each, where there are more), or the value.

    The curve spans the data with a margin of 3 % on each side.

    Args:
        run: a run with one input and its data.
        step: which moment; -1 is the end.
        n_grid: number of points.

    Raises:
        DataError: the run has not one input, or was saved without its data.
    """
    d = run.dataset
    if d.d != 1:
        raise DataError(f"response_curve needs one input; this run has {d.d}.")
    points = d.inputs()
    if not len(points):
        raise DataError("response_curve needs the data; this run was saved without it.")
    low, high = float(points.min()), float(points.max())
    margin = 0.03 * ((high - low) or 1.0)
    x = np.linspace(low - margin, high + margin, n_grid)
    if d.task == "regression":
        return ResponseCurve(x, run.predict(x[:, None], step=step)[:, None], ("model",))
    p = run.predict_proba(x[:, None], step=step)
    names = tuple(f"P({d.target_name} = {label})" for label in d.classes)
    return ResponseCurve(x, p[:, 1:], names[1:]) if len(names) == 2 else ResponseCurve(x, p, names)
