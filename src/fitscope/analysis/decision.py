"""What does the model answer over the plane of two inputs?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from fitscope.analysis.needs import check_grid, feature_indices, grid_axes, needs_data
from fitscope.errors import DataError
from fitscope.records import Dataset, Label, Run

__all__ = ["DecisionField", "decision_field"]


@dataclass(frozen=True, eq=False)
class DecisionField:
    """The model's answer on a grid over two inputs, in the data's units.

    Attributes:
        x: places along the first of the two inputs.
        y: places along the second.
        values: `values[i, j]` belongs to `x[j], y[i]`: the probability of `label`, the index of
            the likeliest class where `label` is None, or a regression's value.
        label: the class whose probability it is.
        features: which two inputs, as columns of the data.
        near: the samples that lie near the slice; all of them where there are two inputs only.
        dataset: the data.
        title: what is shown, and at which moment.
        note: where the slice lies, and how many samples lie near it; "" for two inputs.
    """

    x: Float64[np.ndarray, " g"]
    y: Float64[np.ndarray, " g"]
    values: Float64[np.ndarray, "g g"]
    label: Label | None
    features: tuple[int, int]
    near: Bool[np.ndarray, " n"]
    dataset: Dataset
    title: str
    note: str


def decision_field(
    run: Run,
    *,
    step: int = -1,
    features: Sequence[str | int] | None = None,
    label: Label | None = None,
    classes: bool = False,
    n_grid: int = 200,
) -> DecisionField:
    """The probability of the second class, the likeliest class, or the value on a grid.

    The grid spans the data with a margin of 12 % on each side. With more than two inputs it is
    a slice: all others stand at their medians. A sample is near the slice if each of its other
    inputs is within half a standard deviation of that.

    Args:
        run: a run with two inputs or more, and its data.
        step: which moment; -1 is the end.
        features: which two inputs, by name or number from 0; default: the first two.
        label: the class whose probability is shown; default: the second of two, else which class
            is likeliest.
        classes: show which class is likeliest, also where there are two.
        n_grid: points along each side.

    Raises:
        DataError: the run has one input, no data or no such class.
        UnknownNameError: there is no such input.

    Example:
        >>> import fitscope as fs
        >>> field = decision_field(fs.fit("gates-and"), n_grid=3)
        >>> (field.values > 0.5).tolist()  # the last row is the largest x2
        [[False, False, False], [False, False, True], [False, True, True]]
    """
    d = run.dataset
    if d.d < 2:
        raise DataError(f"decision_field needs two inputs; this run has {d.d}.")
    needs_data(d, "decision_field")
    check_grid(n_grid)
    label = _checked_label(d, label, classes=classes)
    i, j = feature_indices(d, features if features is not None else (0, 1), 2)
    points = d.inputs()
    x, y = grid_axes(points[:, [i, j]], n_grid)
    others = [c for c in range(d.d) if c not in (i, j)]
    middle = np.median(points[:, others], axis=0)
    grid = np.empty((n_grid, n_grid, d.d))
    grid[..., i], grid[..., j], grid[..., others] = x, y[:, None], middle
    values = _answers(run, grid.reshape(-1, d.d), step, label).reshape(n_grid, n_grid)
    far = np.abs(points[:, others] - middle) > 0.5 * points[:, others].std(axis=0)
    near = ~far.any(axis=1)
    return DecisionField(x, y, values, label, (i, j), near, d, run.moment(step), _note(d, near))


def _checked_label(d: Dataset, label: Label | None, *, classes: bool) -> Label | None:
    """The class whose probability is shown; None for the likeliest class, or for values."""
    if classes and label is not None:
        raise DataError(f"`classes` shows all classes; leave out `label`, which is {label!r}.")
    if label is None:
        return d.classes[1] if len(d.classes) == 2 and not classes else None
    found = [known for known in d.classes if known == label or str(known) == label]
    if not found:
        known = ", ".join(map(str, d.classes)) or "none: it is a regression"
        raise DataError(f"`label` must be one of the run's classes ({known}); got {label!r}.")
    return found[0]


def _answers(
    run: Run, grid: Float64[np.ndarray, "n d"], step: int, label: Label | None
) -> Float64[np.ndarray, " n"]:
    if run.dataset.task == "regression":
        return run.predict(grid, step=step)
    p = run.predict_proba(grid, step=step)
    if label is not None:
        return p[:, run.dataset.classes.index(label)]
    likeliest = p[:, 1] >= 0.5 if p.shape[1] == 2 else p.argmax(axis=1)
    return np.asarray(likeliest, dtype=np.float64)


def _note(d: Dataset, near: Bool[np.ndarray, " n"]) -> str:
    n = d.d - 2
    if not n:
        return ""
    others = "1 other input at its median" if n == 1 else f"{n} other inputs at their medians"
    return f"{others}; {near.sum():,} of {len(near):,} points lie near this slice"
