"""Where is the model right, and where wrong?"""

import numpy as np

from fitscope.errors import DataError
from fitscope.records import Confusion, Dataset, FitScatter, Run

__all__ = ["confusion", "fit_scatter"]


def confusion(run: Run, *, step: int = -1) -> Confusion:
    """Counts of true against predicted classes, on the test part where there is one.

    Raises:
        DataError: the run is a regression, or was saved without its data.
    """
    from sklearn.metrics import confusion_matrix

    d = run.dataset
    if d.task == "regression":
        raise DataError("confusion needs classes; this run is a regression.")
    part, X, y = _judged_part(d)
    labels = np.array(d.classes)
    counts = confusion_matrix(labels[y], run.predict(X, step=step), labels=labels)
    return Confusion(counts, d.classes, part)


def fit_scatter(run: Run, *, step: int = -1) -> FitScatter:
    """True and predicted values, on the test part where there is one.

    Raises:
        DataError: the run has classes, or was saved without its data.
    """
    d = run.dataset
    if d.task != "regression":
        raise DataError("fit_scatter needs a regression; this run has classes.")
    part, X, y = _judged_part(d)
    true = y.astype(np.float64) * d.y_scale + d.y_mean
    return FitScatter(true, run.predict(X, step=step), part)


def _judged_part(d: Dataset) -> tuple[str, np.ndarray, np.ndarray]:
    """The part a model is judged on, with its inputs in the data's units."""
    part, X, y = d.judged_part()
    if not len(X):
        raise DataError("This needs the data; the run was saved without it.")
    return part, X * d.scale + d.mean, y
