"""Where is the model right, and where wrong?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from fitscope.analysis.needs import Part, needs_classes, needs_finite, needs_regression, part_of
from fitscope.errors import DataError
from fitscope.network import answers, decided
from fitscope.records import Label, Run

__all__ = ["Confusion", "FitScatter", "Residuals", "confusion", "fit_scatter", "residuals"]


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of true (rows) against predicted (columns) classes.

    Attributes:
        counts: samples by true and predicted class.
        classes: the labels, in the order of rows and columns.
        part: "training" or "test".
        title: how many are right, and at which moment.
    """

    counts: Int64[np.ndarray, "c c"]
    classes: tuple[Label, ...]
    part: str
    title: str = ""


@dataclass(frozen=True, eq=False)
class FitScatter:
    """A regression's true and predicted values, in the target's units.

    Attributes:
        true: the target of each sample.
        predicted: the model's answer to it.
        part: "training" or "test".
        title: which moment it is.
    """

    true: Float64[np.ndarray, " n"]
    predicted: Float64[np.ndarray, " n"]
    part: str
    title: str = ""


@dataclass(frozen=True, eq=False)
class Residuals:
    """What a regression leaves unexplained, in the target's units.

    Attributes:
        predicted: the model's answer to each sample.
        residual: the target minus that answer.
        edges: borders of the histogram's bins.
        counts: residuals in each bin.
        target: the target's name.
        part: "training" or "test".
        title: mean and deviation of the residuals, and the moment.
    """

    predicted: Float64[np.ndarray, " n"]
    residual: Float64[np.ndarray, " n"]
    edges: Float64[np.ndarray, " b1"]
    counts: Int64[np.ndarray, " b"]
    target: str
    part: str
    title: str


def confusion(run: Run, *, step: int = -1, part: Part | None = None) -> Confusion:
    """Counts of true against predicted classes, on the test part where there is one.

    Args:
        run: a run with classes, and its data.
        step: which moment; -1 is the end.
        part: train or test; default: test where there is one.

    Raises:
        DataError: the run is a regression, was saved without its data, has no such part or
            answers that are not finite.
        UnknownNameError: `part` is neither train nor test.

    Example:
        >>> import fitscope as fs
        >>> confusion(fs.fit("gates-and"), part="test").counts.tolist()
        [[75, 0], [0, 25]]
    """
    from sklearn.metrics import confusion_matrix

    d = run.dataset
    needs_classes(d, "confusion")
    name, X, y = part_of(d, "confusion", part)
    logits = answers(run, X, step=step)
    needs_finite(logits, "confusion")
    counts = confusion_matrix(y, decided(logits), labels=range(len(d.classes)))
    title = f"{np.trace(counts):,} of {len(y):,} right, {run.moment(step)}"
    return Confusion(counts, d.classes, name, title)


def fit_scatter(run: Run, *, step: int = -1, part: Part | None = None) -> FitScatter:
    """True and predicted values, on the test part where there is one.

    Args:
        run: a regression with its data.
        step: which moment; -1 is the end.
        part: train or test; default: test where there is one.

    Raises:
        DataError: the run has classes, was saved without its data, or has no such part.
        UnknownNameError: `part` is neither train nor test.
    """
    true, predicted, name = _pairs(run, "fit_scatter", step, part)
    return FitScatter(true, predicted, name, run.moment(step))


def residuals(run: Run, *, step: int = -1, part: Part | None = None, n_bins: int = 24) -> Residuals:
    """What is left of each target, residual = true - predicted, with a histogram.

    A model that found all structure leaves a band around 0 without one.

    Args:
        run: a regression with its data.
        step: which moment; -1 is the end.
        part: train or test; default: test where there is one.
        n_bins: of the histogram, of equal width over all residuals.

    Raises:
        DataError: the run has classes, was saved without its data, has no such part or answers
            that are not finite, or `n_bins` is out of range.
        UnknownNameError: `part` is neither train nor test.

    Example:
        >>> import fitscope as fs
        >>> record = residuals(fs.fit("diabetes", epochs=100), part="train")
        >>> len(record.residual), int(record.counts.sum())
        (353, 353)
    """
    if not 2 <= n_bins <= 1000:
        raise DataError(f"`n_bins` must be from 2 to 1000; got {n_bins}.")
    true, predicted, name = _pairs(run, "residuals", step, part)
    needs_finite(predicted, "residuals")
    residual = true - predicted
    edges = _edges(residual, n_bins)
    counts = np.histogram(residual, edges)[0].astype(np.int64)
    title = f"mean {residual.mean():.3g}, deviation {residual.std():.3g}, {run.moment(step)}"
    return Residuals(predicted, residual, edges, counts, run.dataset.target_name, name, title)


def _pairs(
    run: Run, view: str, step: int, part: Part | None
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"], str]:
    """True and predicted values in the target's units, and the part's name."""
    d = run.dataset
    needs_regression(d, view)
    name, X, y = part_of(d, view, part)
    true = y.astype(np.float64) * d.y_scale + d.y_mean
    return true, run.predict(X * d.scale + d.mean, step=step), name


def _edges(values: Float64[np.ndarray, " n"], n_bins: int) -> Float64[np.ndarray, " b"]:
    """Borders of equal bins over all values; equal values get bins around them, too."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = 0.5 * max(1.0, abs(low))
        low, high = low - half, high + half
    return np.linspace(low, high, n_bins + 1)
