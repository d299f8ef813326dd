"""How good are the probabilities: do they rank the samples, and do they come true?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float64, Int64

from fitscope.analysis.needs import Part, check_choice, needs_classes, needs_finite, part_of
from fitscope.errors import DataError
from fitscope.records import Dataset, Run

__all__ = [
    "Calibration",
    "PrecisionRecall",
    "RocCurve",
    "calibration",
    "precision_recall",
    "roc_curve",
]

Strategy = Literal["uniform", "quantile"]
_FEW = 10  # a share of fewer samples than this is a rough guess


@dataclass(frozen=True, eq=False)
class RocCurve:
    """What every threshold on the probability finds, and what it takes wrongly.

    Each tuple has one entry for a curve: the second of two classes, or every class that occurs
    against the rest.

    Attributes:
        false_positive: share of the other samples that reach the threshold, from 0 to 1.
        true_positive: share of the class's own samples that reach it.
        thresholds: on the probability, falling; the first is inf, which nothing reaches.
        area: under each curve; 0.5 is chance, 1 a perfect ranking.
        half: both shares at the threshold 0.5; None for more than two classes.
        classes: which class each curve is for, as an index.
        dataset: the data.
        part: "training" or "test".
        title: which moment it is.
        note: which classes do not occur; "" where all do.
    """

    false_positive: tuple[Float64[np.ndarray, " _"], ...]
    true_positive: tuple[Float64[np.ndarray, " _"], ...]
    thresholds: tuple[Float64[np.ndarray, " _"], ...]
    area: Float64[np.ndarray, " c"]
    half: tuple[float, float] | None
    classes: tuple[int, ...]
    dataset: Dataset
    part: str
    title: str
    note: str


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """How many of a class are found, and how many of those found belong to it.

    Each tuple has one entry for a curve, as in `RocCurve`.

    Attributes:
        recall: share of the class's samples that reach the threshold, from 1 to 0.
        precision: share of the samples reaching it that are of the class; 1 where none does.
        average: mean precision, weighted by how much recall each threshold adds.
        share: of the class among all samples: the precision of a guess.
        classes: which class each curve is for, as an index.
        dataset: the data.
        part: "training" or "test".
        title: which moment it is.
        note: which classes do not occur; "" where all do.
    """

    recall: tuple[Float64[np.ndarray, " _"], ...]
    precision: tuple[Float64[np.ndarray, " _"], ...]
    average: Float64[np.ndarray, " c"]
    share: Float64[np.ndarray, " c"]
    classes: tuple[int, ...]
    dataset: Dataset
    part: str
    title: str
    note: str


@dataclass(frozen=True, eq=False)
class Calibration:
    """Whether what is said to happen in 7 of 10 cases does.

    Each tuple has one entry for a curve, as in `RocCurve`, which has one value for each bin with
    samples in it.

    Attributes:
        predicted: mean probability in the bin.
        observed: share of the bin's samples that are of the class.
        counts: samples in the bin.
        brier: mean of (probability - 1 or 0)^2; 0 is perfect.
        classes: which class each curve is for, as an index.
        dataset: the data.
        part: "training" or "test".
        title: which moment it is.
        note: a warning where bins have few samples, and which classes do not occur.
    """

    predicted: tuple[Float64[np.ndarray, " _"], ...]
    observed: tuple[Float64[np.ndarray, " _"], ...]
    counts: tuple[Int64[np.ndarray, " _"], ...]
    brier: Float64[np.ndarray, " c"]
    classes: tuple[int, ...]
    dataset: Dataset
    part: str
    title: str
    note: str


@dataclass(frozen=True, eq=False)
class _Rest:
    """Every class that gets a curve against the rest, on one part."""

    dataset: Dataset
    part: str
    y: np.ndarray  # (n,), class indices
    p: Float64[np.ndarray, "n c"]
    classes: tuple[int, ...]
    note: str

    def __iter__(self) -> Iterator[tuple[Bool[np.ndarray, " n"], Float64[np.ndarray, " n"]]]:
        """For each of them, which samples are its own, and its probabilities."""
        return ((self.y == c, self.p[:, c]) for c in self.classes)


def roc_curve(run: Run, *, step: int = -1, part: Part | None = None) -> RocCurve:
    """True against false positives over all thresholds, with the area under the curve.

    For two classes the point of the threshold 0.5, at which the model decides, is part of it;
    for more, each class stands against the rest.

    Args:
        run: a run with classes, and its data.
        step: which moment; -1 is the end.
        part: train or test; default: test where there is one.

    Raises:
        DataError: the run is a regression, was saved without its data, has no such part, only
            one class in it, or answers that are not finite.
        UnknownNameError: `part` is neither train nor test.

    Source: Fawcett (2006), An introduction to ROC analysis.

    Example:
        >>> import fitscope as fs
        >>> record = roc_curve(fs.fit("gates-and"))
        >>> record.area.tolist(), record.half
        ([1.0], (0.0, 1.0))
    """
    from sklearn import metrics as sk

    rest = _against_the_rest(run, "roc_curve", step, part)
    curves = [sk.roc_curve(own, p, drop_intermediate=True) for own, p in rest]
    area = np.array([sk.auc(false, true) for false, true, _ in curves])
    half = None
    if len(run.dataset.classes) == 2:
        own, p = next(iter(rest))
        half = (float(np.mean(p[~own] >= 0.5)), float(np.mean(p[own] >= 0.5)))
    false, true, thresholds = zip(*curves, strict=True)
    title = run.moment(step)
    d = run.dataset
    return RocCurve(
        false, true, thresholds, area, half, rest.classes, d, rest.part, title, rest.note
    )


def precision_recall(run: Run, *, step: int = -1, part: Part | None = None) -> PrecisionRecall:
    """Precision against recall over all thresholds, with the average precision.

    average = sum over thresholds of (recall[i] - recall[i + 1]) precision[i]. Where one class is
    rare it shows more than the ROC curve, whose false positives are a share of a large class.

    Args:
        run: a run with classes, and its data.
        step: which moment; -1 is the end.
        part: train or test; default: test where there is one.

    Raises:
        DataError: as for `roc_curve`.
        UnknownNameError: `part` is neither train nor test.

    Source: Davis and Goadrich (2006), The relationship between precision-recall and ROC curves.

    Example:
        >>> import fitscope as fs
        >>> record = precision_recall(fs.fit("gates-and"))
        >>> record.average.round(6).tolist(), record.share.tolist()
        ([1.0], [0.25])
    """
    from sklearn import metrics as sk

    rest = _against_the_rest(run, "precision_recall", step, part)
    curves = [sk.precision_recall_curve(own, p, drop_intermediate=True) for own, p in rest]
    precision, recall, _ = zip(*curves, strict=True)
    average = np.array([float(sk.average_precision_score(own, p)) for own, p in rest])
    share = np.array([float(own.mean()) for own, _ in rest])
    d, title = run.dataset, run.moment(step)
    return PrecisionRecall(
        recall, precision, average, share, rest.classes, d, rest.part, title, rest.note
    )


def calibration(
    run: Run,
    *,
    step: int = -1,
    part: Part | None = None,
    n_bins: int = 10,
    strategy: Strategy = "uniform",
) -> Calibration:
    """Probabilities in bins, against the share of samples that turn out to be of the class.

    Args:
        run: a run with classes, and its data.
        step: which moment; -1 is the end.
        part: train or test; default: test where there is one.
        n_bins: of the probability, from 0 to 1.
        strategy: uniform for bins of equal width, quantile for bins of equally many samples.

    Raises:
        DataError: as for `roc_curve`, or `n_bins` is out of range.
        UnknownNameError: `part` is neither train nor test, or there is no such strategy.

    Source: Niculescu-Mizil and Caruana (2005), Predicting good probabilities with supervised
    learning; Brier (1950).

    Example:
        >>> import fitscope as fs
        >>> record = calibration(fs.fit("gaussians"))
        >>> int(record.counts[0].sum()), round(float(record.brier[0]), 2)
        (1000, 0.05)
    """
    from sklearn.calibration import calibration_curve

    if not 2 <= n_bins <= 100:
        raise DataError(f"`n_bins` must be from 2 to 100; got {n_bins}.")
    check_choice("strategy", strategy, get_args(Strategy))
    rest = _against_the_rest(run, "calibration", step, part)
    observed, predicted = zip(
        *(calibration_curve(own, p, n_bins=n_bins, strategy=strategy) for own, p in rest),
        strict=True,
    )
    counts = tuple(_bin_counts(p, n_bins, strategy) for _, p in rest)
    brier = np.array([np.mean((p - own) ** 2) for own, p in rest])
    few = any((found < _FEW).any() for found in counts)
    notes = [f"bins of fewer than {_FEW} samples are rough guesses" if few else "", rest.note]
    note, d, title = "; ".join(filter(None, notes)), run.dataset, run.moment(step)
    return Calibration(predicted, observed, counts, brier, rest.classes, d, rest.part, title, note)


def _bin_counts(
    p: Float64[np.ndarray, " n"], n_bins: int, strategy: str
) -> Int64[np.ndarray, " b"]:
    """Samples in each bin of `calibration_curve` that has any."""
    borders = np.linspace(0, 1, n_bins + 1)
    borders = np.percentile(p, borders * 100) if strategy == "quantile" else borders
    return np.unique(np.searchsorted(borders[1:-1], p), return_counts=True)[1].astype(np.int64)


def _against_the_rest(run: Run, view: str, step: int, part: Part | None) -> _Rest:
    """Checks the run, and sets its classes against each other."""
    d = run.dataset
    needs_classes(d, view)
    name, X, y = part_of(d, view, part)
    p = run.predict_proba(X * d.scale + d.mean, step=step)
    needs_finite(p, view)
    occurs = np.unique(y).tolist()
    if len(occurs) == 1:
        only = d.classes[occurs[0]]
        raise DataError(
            f"{view} needs samples of two classes, but the {name} part has one only, {only}."
        )
    classes = tuple(occurs) if len(d.classes) > 2 else (1,)
    missing = [str(label) for i, label in enumerate(d.classes) if i not in occurs]
    note = f"no sample of {', '.join(missing)} in this part" if missing else ""
    return _Rest(d, name, y, p, classes, note)
