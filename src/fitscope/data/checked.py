"""Arrays that an estimator has checked -> Dataset: weighted, scaled, a part held out."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Num

from fitscope.catalogue import Task
from fitscope.errors import DataError
from fitscope.records import Dataset, Label
from fitscope.specs import DataSpec

__all__ = ["TOO_LARGE", "Scaling", "as_float32", "checked_dataset", "of_mean_one"]

TOO_LARGE = "Values beyond 3e38 do not fit into float32; rescale them."

Column = Float64[np.ndarray, " c"]


class Scaling(NamedTuple):
    """What is subtracted from inputs and targets, and what they are divided by."""

    mean: Column
    scale: Column
    y_mean: Any  # a number, or one for each of several targets
    y_scale: Any

    @classmethod
    def of(cls, data: Dataset) -> "Scaling":
        """That of data which was scaled before."""
        return cls(data.mean, data.scale, data.y_mean, data.y_scale)


def checked_dataset(
    X: Float64[np.ndarray, "n d"],
    y: Num[np.ndarray, " n *t"],
    *,
    task: Task,
    labels: tuple[Label, ...],
    names: tuple[str, ...],
    weights: Float64[np.ndarray, " n"] | None,
    as_given: bool,
    standardize: bool,
    scaling: Scaling | None,
    held_out: float,
    seed: int,
) -> Dataset:
    """Finite numbers as data for `fit`.

    Means and deviations count each sample by its weight, so that a sample of weight 2 is the same
    as two samples.

    Args:
        X: inputs.
        y: class indices, or values, one column a target.
        task: what is predicted.
        labels: of the classes; none for regression.
        names: of the inputs.
        weights: of the samples; None counts all alike.
        as_given: leave the weights as they are; else their mean becomes 1.
        standardize: whether inputs, and a regression's targets, are scaled.
        scaling: that of an earlier training, which goes on.
        held_out: share of the samples held out, stratified by class.
        seed: of the split.

    Raises:
        DataError: all weights are 0, or a value is too large for float32.
        ValueError: the samples cannot be split.
    """
    train, test = _split(y, task, held_out, seed)
    w = None if weights is None or not weights[train].any() else weights[train]
    if weights is not None:
        ordered = weights[np.concatenate([train, test])]
        weights = as_float32(ordered) if as_given else of_mean_one(weights, train, test)
    if scaling is None:
        scaling = _scaling(X[train], y[train], w, task, standardize=standardize)
    X = as_float32((X - scaling.mean) / scaling.scale)
    if task == "regression":
        y = as_float32((y - scaling.y_mean) / scaling.y_scale)
    y = y if task == "regression" else y.astype(np.int32)
    return Dataset(
        spec=DataSpec(
            name="arrays",
            task=task,
            standardize=standardize,
            test_fraction=held_out,
            split_seed=seed % 2**32,
        ),
        task=task,
        X=X[train],
        y=y[train],
        X_test=X[test],
        y_test=y[test],
        feature_names=names,
        target_name="y",
        classes=labels,
        n_train=len(train),
        n_test=len(test),
        **scaling._asdict(),
        weights=weights,
        n_targets=1 if y.ndim == 1 else y.shape[1],
    )


def of_mean_one(weights: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """The weights, 1 on average of the training part, so that a learning rate keeps its meaning."""
    total = weights[train].sum()
    if not total > 0:
        raise DataError("`sample_weight` is 0 for every training sample: nothing is left to learn.")
    weights = weights * (len(train) / total)
    return np.concatenate([weights[train], weights[test]]).astype(np.float32)


def _split(y: np.ndarray, task: Task, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    everything = np.arange(len(y))
    if not held_out:
        return everything, everything[:0]
    from sklearn.model_selection import train_test_split

    strata = None if task == "regression" else y
    train, test = train_test_split(
        everything, test_size=held_out, random_state=seed % 2**32, stratify=strata
    )
    return train, test


def _scaling(
    X: np.ndarray, y: np.ndarray, w: np.ndarray | None, task: Task, *, standardize: bool
) -> Scaling:
    """Weighted means and deviations; 0 and 1 where not wanted."""
    mean, scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
    y_mean: Any = 0.0
    y_scale: Any = 1.0
    if standardize:
        mean, scale = _moments(X, w)
        if task == "regression":
            y_mean, y_scale = _moments(y, w)
    if np.ndim(y_mean) == 0:
        y_mean, y_scale = float(y_mean), float(y_scale)
    return Scaling(mean, scale, y_mean, y_scale)


def _moments(values: np.ndarray, w: np.ndarray | None) -> tuple[Any, Any]:
    """Mean and deviation of each column; 1 for a constant one."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.average(values, axis=0, weights=w)
        scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=w))
    constant = scale <= 1e-14 * np.abs(mean)  # but for the rounding of the mean
    return mean, np.where(constant | (scale == 0), 1.0, scale)


def as_float32(values: np.ndarray) -> np.ndarray:
    """Values in float32, refused where they are too large for it."""
    with np.errstate(over="ignore", invalid="ignore"):
        small = np.asarray(values, dtype=np.float32)
    if not np.isfinite(small).all():
        raise DataError(TOO_LARGE)
    return small
