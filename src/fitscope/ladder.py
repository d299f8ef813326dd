"""Which model is worth it: linear, or with hidden layers? Told by cross-validation."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from fitscope.data import folds, prepared, raw_arrays, raw_data
from fitscope.errors import DataError, ExperimentError
from fitscope.evaluation import mean_loss
from fitscope.network import answers, decided
from fitscope.outcomes import Outcome
from fitscope.rawdata import RawData
from fitscope.records import Dataset, Run
from fitscope.specs import FLAT_FIELDS, DataSpec, Experiment, experiment
from fitscope.train import fit
from fitscope.train.plan import plan_with

__all__ = [
    "LADDER",
    "PENALTIES",
    "Judged",
    "Rung",
    "Search",
    "is_better",
    "search",
    "standard_error",
]

LADDER = ((), (16,), (16, 16))
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # of the networks
FINER = tuple(10 ** (-i / 2) for i in range(11))  # of the linear model, which takes milliseconds
N_FOLDS = 5
MOST_ROWS = 20_000  # on which the ladder is climbed; more of them tell it no better
MOST_FOR_NEWTON = 300  # parameters; beyond, its Hessian costs more than L-BFGS's detours
MOST_ITERATIONS = 200
_NAMES = {(): "linear", (16,): "one hidden layer of 16", (16, 16): "two hidden layers of 16"}
Source = str | Path | Experiment | tuple[Any, Any]
Advance = Callable[[int, int], object]


@dataclass(frozen=True, eq=False)
class Rung:
    """One model, judged on each fold by a model that was trained on the others.

    Attributes:
        name: what it is, in words.
        losses: log-loss (nats per sample), or the squared error in the target's units.
        scores: accuracy, or R2; samples count by their weights, where they have some.
        hidden: widths of the hidden layers; None where it is no network.
        l2: the penalty that did best; None likewise.
    """

    name: str
    losses: Float64[np.ndarray, " f"]
    scores: Float64[np.ndarray, " f"]
    hidden: tuple[int, ...] | None = None
    l2: float | None = None


@dataclass(frozen=True, eq=False)
class Search:
    """What cross-validation says of a small ladder of models, and the one that is worth it.

    Attributes:
        rungs: linear, one hidden layer, two; each with its best penalty.
        baseline: the most frequent class at its frequency, or the mean.
        boosting: scikit-learn's gradient boosting, as it comes.
        chosen: which of the rungs is worth it.
        loss_name: "log-loss" or "squared error".
        score_name: "accuracy" or "R2".
        sentences: the finding in words.
        run: the chosen model, trained on the whole training part.
    """

    rungs: tuple[Rung, ...]
    baseline: Rung
    boosting: Rung
    chosen: int
    loss_name: str
    score_name: str
    sentences: tuple[str, ...]
    run: Run


def search(source: Source, *, progress: Advance | None = None, **settings: Any) -> Search:
    """Climbs a small ladder of models by cross-validation, and trains the one that is worth it.

    Linear, one hidden layer of 16 units, two of them (tanh), each with the best of several
    penalties l2, trained to the end by Newton's method or L-BFGS. A rung is worth it where its
    loss on the held-out folds is smaller than that of every lower one by more than a standard
    error of the paired differences (after the rule of one standard error in Breiman et al. 1984).
    Only the training part takes part: what `test_fraction` holds out judges the run at the end.
    Columns are turned into inputs anew for each fold. Where samples have weights, every model is
    trained and judged by them.

    Args:
        source: a table, a data set, an experiment (of which the data counts), or arrays (X, y).
        progress: is called with (trainings done, trainings planned).
        **settings: of the data, such as `target`; and `seed`, of the starts and the folds.

    Raises:
        ExperimentError: a setting is unknown or one that the search chooses itself.
        DataError: the data cannot be used, or a class is too rare for two folds.

    """
    seed = settings.pop("seed", 0)
    known = {"engine": ("", ""), "device": ("", ""), **FLAT_FIELDS}
    taken = [name for name in settings if known.get(name, ("data",))[0] != "data"]
    if taken:
        raise ExperimentError(
            [f"`{name}` is what the search chooses: leave it out." for name in taken]
        )
    spec, raw, title = _raw(source, settings)
    whole = prepared(spec, raw)
    if whole.n_targets > 1:
        raise ExperimentError(["The search is for a single target; give one column of y."])
    parts = folds(spec, raw, n_folds=N_FOLDS, most=MOST_ROWS, seed=seed)
    n_planned = len(parts) * (sum(len(_penalties(hidden)) for hidden in LADDER) + 2)
    done = itertools.count(1)

    def told(judged: Judged) -> Judged:
        if progress is not None:
            progress(next(done), n_planned)
        return judged

    rungs = tuple(_rung(hidden, parts, seed, told) for hidden in LADDER)
    baseline, boosting = _peers(parts, told)
    chosen = _worth_it(rungs)
    best = rungs[chosen]
    e = Experiment(title=title, data=spec).override(**_settings(best.hidden, best.l2, whole, seed))
    sentences = tuple(_sentences(rungs, chosen, baseline, boosting, whole))
    run = fit(plan_with(e, whole, engine="auto", device="cpu"))
    names = ("log-loss", "accuracy") if whole.classes else ("squared error", "R2")
    return Search(rungs, baseline, boosting, chosen, *names, sentences, run)


class Judged(NamedTuple):
    """How a model does on samples that it was not trained on."""

    loss: float
    score: float


def _raw(source: Source, settings: dict[str, Any]) -> tuple[DataSpec, RawData, str]:
    """The data as it comes, what it is, and what to call it."""
    if isinstance(source, tuple):
        if len(source) != 2:
            raise DataError(f"Arrays are given as (X, y); got {len(source)} things.")
        return *raw_arrays(*source, **settings), "arrays"
    e = experiment(source, **settings)
    return e.data, raw_data(e.data), e.title


def _settings(
    hidden: tuple[int, ...] | None, l2: float | None, d: Dataset, seed: int
) -> dict[str, Any]:
    """How a model of the ladder is trained: to the end, by what gets there quickest."""
    is_small = not hidden and d.k * (d.d + 1) <= MOST_FOR_NEWTON
    return {
        "hidden": list(hidden or ()),
        "activation": "tanh",
        "optimizer": "newton" if is_small else "lbfgs",
        "l2": l2,
        "epochs": MOST_ITERATIONS,
        "seed": seed,
    }


def _penalties(hidden: tuple[int, ...]) -> tuple[float, ...]:
    return PENALTIES if hidden else FINER


def _rung(
    hidden: tuple[int, ...], parts: list[Dataset], seed: int, told: Callable[[Judged], Judged]
) -> Rung:
    """A model with the penalty whose mean loss is least."""
    of_each = []
    for l2 in _penalties(hidden):
        judged = [
            told(_judged_run(fit(d, keep_bytes=0, **_settings(hidden, l2, d, seed)))) for d in parts
        ]
        of_each.append(Rung(_NAMES[hidden], *_columns(judged), hidden, l2))
    return min(of_each, key=lambda rung: float(rung.losses.mean()))


def _judged_run(run: Run) -> Judged:
    """A network on the part it was not trained on.

    Raises:
        KeyboardInterrupt: Ctrl-C ended its training; what it learned so far would not be fair.
    """
    if run.outcome is Outcome.INTERRUPTED:
        raise KeyboardInterrupt
    d = run.dataset
    logits = answers(run, d.X_test)
    found = decided(logits) if d.classes else logits[:, 0]
    return Judged(float(run.test_loss[-1]) * float(d.y_scale) ** 2, _score(d, found))


def _score(d: Dataset, found: np.ndarray) -> float:
    """Accuracy, or R2, of answers for the part held out: each sample counts by its weight."""
    w = d.weights_by_part[1]
    w = np.ones(len(d.y_test)) if w is None else w.astype(np.float64)
    if d.classes:
        return _ratio(w @ (found == d.y_test), w.sum())
    y = d.y_test.astype(np.float64)
    spread = w @ (y - _ratio(w @ y, w.sum())) ** 2
    return 1 - _ratio(w @ (found - y) ** 2, spread)


def _ratio(part: Any, whole: Any) -> float:
    """Their ratio; nan where the whole is nothing."""
    return float(part / whole) if whole > 0 else np.nan


def _peers(parts: list[Dataset], told: Callable[[Judged], Judged]) -> tuple[Rung, Rung]:
    """The baseline, and gradient boosting as scikit-learn has it."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if parts[0].classes:
        baseline: Any = DummyClassifier(strategy="prior")
        boosting: Any = HistGradientBoostingClassifier(random_state=0)
        name = "the most frequent class"
    else:
        baseline, boosting = DummyRegressor(), HistGradientBoostingRegressor(random_state=0)
        name = "the mean"
    return (
        Rung(name, *_columns([told(_judged_peer(baseline, d)) for d in parts])),
        Rung("gradient boosting", *_columns([told(_judged_peer(boosting, d)) for d in parts])),
    )


def _judged_peer(model: Any, d: Dataset) -> Judged:
    """A model of scikit-learn's on the part it was not trained on, by the losses of fitscope."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    w_train, w_test = d.weights_by_part
    with threadpool_limits(1):  # as in train/threads.py; what is loaded by now is looked for anew
        model.fit(d.X, d.y, sample_weight=w_train)
    if not d.classes:
        values = np.asarray(model.predict(d.X_test), dtype=np.float64)
        loss = mean_loss("mse", d.task, values[:, None], d.y_test, w_test) * float(d.y_scale) ** 2
        return Judged(loss, _score(d, values))
    p = np.zeros((len(d.y_test), len(d.classes)))
    p[:, model.classes_] = model.predict_proba(d.X_test)  # which has no column for an unseen class
    losses = -np.log(np.clip(p[np.arange(len(p)), d.y_test], 1e-15, None))
    return Judged(
        float(np.mean(losses if w_test is None else w_test * losses)), _score(d, p.argmax(1))
    )


def _columns(judged: list[Judged]) -> tuple[Float64[np.ndarray, " f"], Float64[np.ndarray, " f"]]:
    losses, found = np.array(judged, dtype=np.float64).T
    return losses, found


def _worth_it(rungs: tuple[Rung, ...]) -> int:
    """The lowest rung that no higher one beats by more than a standard error."""
    for i in range(len(rungs)):
        if not any(is_better(higher, rungs[i]) for higher in rungs[i + 1 :]):
            return i
    return len(rungs) - 1


def standard_error(values: Float64[np.ndarray, " f"]) -> float:
    """Of the mean over the folds."""
    return float(values.std(ddof=1) / len(values) ** 0.5)


def is_better(one: Rung, other: Rung) -> bool:
    """Whether the loss of one is smaller by more than a standard error of the differences."""
    gain = other.losses - one.losses
    return bool(gain.mean() > standard_error(gain))


def _sentences(
    rungs: tuple[Rung, ...], chosen: int, baseline: Rung, boosting: Rung, d: Dataset
) -> Iterator[str]:
    """The finding in words, in the order in which it is asked for."""
    best, is_class = rungs[chosen], bool(d.classes)
    told = {rung.name: _amount(rung, is_class=is_class) for rung in (*rungs, baseline, boosting)}
    judge = "held-out folds of the training part"
    if d.weights is not None:
        judge += ", samples counted by weight"
    if not is_better(best, baseline):
        yield (
            f"Nothing here predicts `{d.target_name}`: on {judge}, {best.name} has "
            f"{told[best.name]}, {baseline.name} alone {told[baseline.name]}."
        )
    elif chosen == 0:
        yield (
            f"A linear model is enough: {told[best.name]} on {judge}, where {baseline.name} alone "
            f"has {told[baseline.name]}."
        )
    else:
        article = f"{best.name[0].upper()}{best.name[1:]}"
        verb = "is" if chosen == 1 else "are"
        yield (
            f"{article} {verb} worth it: {told[best.name]} on {judge}, where a linear model has "
            f"{told['linear']} and {baseline.name} alone {told[baseline.name]}."
        )
    more = [f"{higher.name} {told[higher.name]}" for higher in rungs[chosen + 1 :]]
    if more:
        yield f"More gains nothing beyond what chance explains: {'; '.join(more)}."
    if is_better(boosting, best):
        yield (
            f"Gradient boosting does better, {told[boosting.name]}: the data has steps or "
            "interactions that small networks learn slowly."
        )
    else:
        yield f"Gradient boosting, for comparison: {told[boosting.name]}."
    if len(best.losses) < N_FOLDS:
        yield f"Judged on {len(best.losses)} folds only, not on {N_FOLDS}: {_why_few(d)}."


def _why_few(d: Dataset) -> str:
    """What it is that has too few samples for the usual number of folds."""
    if not d.classes:
        return f"there are {d.n_train} samples"
    counts = np.bincount(d.y, minlength=len(d.classes))
    return f"the class {d.classes[counts.argmin()]} has {counts.min()} samples"


def _amount(rung: Rung, *, is_class: bool) -> str:
    """Accuracy or R2, and the standard error of its mean over the folds."""
    mean, error = rung.scores.mean(), standard_error(rung.scores)
    if is_class:
        return f"{100 * mean:.1f} % right (+-{100 * error:.1f})"
    return f"R2 {mean:.3f} (+-{error:.3f})"
