"""How well does the model do, in numbers, and how well would a trivial one?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import Part, needs_finite, part_of
from fitscope.evaluation import mean_loss
from fitscope.network import answers, decided, probabilities
from fitscope.records import Dataset, Run

__all__ = ["Metrics", "metrics"]

_CLASSES = {  # whether a larger number is a better one
    "accuracy": True,
    "balanced accuracy": True,
    "log-loss (nats)": False,
    "Brier score": False,
    "AUC": True,
    "precision": True,
    "recall": True,
    "F1": True,
}
_REGRESSION = {
    "R\N{SUPERSCRIPT TWO}": True,
    "RMSE": False,
    "mean absolute error": False,
    "median absolute error": False,
    "largest error": False,
}
_RARE = 1e-300  # the probability of a class that the training part lacks


@dataclass(frozen=True, eq=False)
class Metrics:
    """A table of numbers, beside those of a baseline that looks at no input.

    Attributes:
        names: what each row is, with its unit.
        higher_is_better: whether a larger number of that row is a better one.
        parts: what each column is, "training" or "test".
        model: the model's numbers; NaN where one is undefined.
        baseline: those of the baseline.
        baseline_name: what the baseline answers.
        title: which moment it is.
        notes: what is undefined and why, one sentence each.
    """

    names: tuple[str, ...]
    higher_is_better: tuple[bool, ...]
    parts: tuple[str, ...]
    model: Float64[np.ndarray, "r c"]
    baseline: Float64[np.ndarray, "r c"]
    baseline_name: str
    title: str
    notes: tuple[str, ...]


def metrics(run: Run, *, step: int = -1, part: Part | None = None) -> Metrics:
    """The scores of a run at a step, on both parts, beside those of a trivial baseline.

    Classes: accuracy, balanced accuracy (the mean recall of the classes that occur), log-loss,
    Brier score, AUC, precision, recall and F1; for more than two classes AUC is the mean over
    classes, each against the rest, and the last three are means over classes. The baseline
    always says the commonest class (of two equally common ones the second), with the class
    frequencies as its probabilities.
    Regression: R2, and errors in the target's units; the baseline always says the mean. Both
    baselines come from the training part.

    The numbers are scikit-learn's but for the log-loss, which is computed on logits: from
    probabilities, it would be cut off where one is rounded to 0.

    Args:
        run: a run with its data.
        step: which moment; -1 is the end.
        part: train or test; default: both.

    Raises:
        DataError: the run was saved without its data, has no such part, or answers that are not
            finite.
        UnknownNameError: `part` is neither train nor test.

    Source: Brier (1950) for the score of that name; the baselines are those of scikit-learn's
    DummyClassifier("prior") and DummyRegressor.

    Example:
        >>> import fitscope as fs
        >>> record = metrics(fs.fit("gates-and"))
        >>> record.parts, record.names[0], record.model[0].tolist(), record.baseline[0].tolist()
        (('training', 'test'), 'accuracy', [1.0, 1.0], [0.75, 0.75])
    """
    d = run.dataset
    both: list[Part] = ["train", "test"] if d.n_test else ["train"]
    found = [part_of(d, "metrics", one) for one in ([part] if part else both)]
    trivial, said = _baseline(d)
    model, baseline = [], []
    for _, X, y in found:
        said_here = answers(run, X, step=step)
        needs_finite(said_here, "metrics")
        model.append(_scores(d, said_here, y))
        baseline.append(_scores(d, np.tile(trivial, (len(y), 1)), y))
    rows = _CLASSES if d.classes else _REGRESSION
    return Metrics(
        names=tuple(rows),
        higher_is_better=tuple(rows.values()),
        parts=tuple(name for name, _, _ in found),
        model=np.array(model).T,
        baseline=np.array(baseline).T,
        baseline_name=said,
        title=run.moment(step),
        notes=tuple(filter(None, (_note(d, name, y) for name, _, y in found))),
    )


def _baseline(d: Dataset) -> tuple[Float64[np.ndarray, " k"], str]:
    """The answer that the baseline always gives, as the network would, and in words."""
    if not d.classes:
        mean = d.y.mean(dtype=np.float64)
        return np.array([mean]), f"always {mean * d.y_scale + d.y_mean:.4g}, the mean"
    shares = np.bincount(d.y, minlength=len(d.classes)) / len(d.y)
    logs = np.log(np.maximum(shares, _RARE))
    commonest = int(shares.argmax()) if d.k > 1 else int(shares[1] >= shares[0])
    said = f"always {d.classes[commonest]}, the commonest class"
    return (logs if d.k > 1 else logs[1:] - logs[:1]), said


def _scores(d: Dataset, answers: Float64[np.ndarray, "n k"], y: np.ndarray) -> list[float]:
    """The numbers of one column."""
    if d.classes:
        return _class_scores(d, answers, y)
    from sklearn import metrics as sk

    true, said = y * np.float64(d.y_scale), answers[:, 0] * d.y_scale
    return [
        float(sk.r2_score(true, said)) if np.ptp(true) > 0 else np.nan,
        float(sk.root_mean_squared_error(true, said)),
        float(sk.mean_absolute_error(true, said)),
        float(sk.median_absolute_error(true, said)),
        float(sk.max_error(true, said)),
    ]


def _class_scores(d: Dataset, logits: Float64[np.ndarray, "n k"], y: np.ndarray) -> list[float]:
    from sklearn import metrics as sk

    p, known = probabilities(logits), range(len(d.classes))
    said = decided(logits)
    mean = "macro" if d.k > 1 else "binary"
    occurs = np.unique(y)
    shares = sk.precision_recall_fscore_support(y, said, average=mean, zero_division=0)
    return [
        float(np.mean(said == y)),
        float(sk.recall_score(y, said, labels=occurs, average="macro", zero_division=0)),
        mean_loss("cross_entropy", d.task, logits, y),
        float(sk.brier_score_loss(y, p, labels=list(known))),
        _auc(y, p, occurs),
        *(float(share) for share in shares[:3]),
    ]


def _auc(y: np.ndarray, p: Float64[np.ndarray, "n c"], occurs: np.ndarray) -> float:
    """The mean over classes that occur, each against the rest; NaN where only one occurs."""
    from sklearn.metrics import roc_auc_score

    if len(occurs) < 2:
        return np.nan
    return float(np.mean([roc_auc_score(y == c, p[:, c]) for c in occurs]))


def _note(d: Dataset, part: str, y: np.ndarray) -> str:
    """What is undefined on a part, and why."""
    if d.classes and len(np.unique(y)) == 1:
        return f"No AUC: the {part} part has one class only, {d.classes[int(y[0])]}."
    if not d.classes and np.ptp(y) == 0:
        return f"No R\N{SUPERSCRIPT TWO}: the target does not vary in the {part} part."
    return ""
