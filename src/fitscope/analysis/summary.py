"""What was trained, on what, and how well?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fitscope.evaluation import evaluate
from fitscope.network import in_data_units, layers
from fitscope.records import Run

__all__ = ["Summary", "summary"]

_OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
_SOLVERS = {"lbfgs": "L-BFGS", "newton": "Newton's method"}
_LOSSES = {
    "cross_entropy": "cross-entropy, nats per sample",
    "mse": "mean squared error",
    "smooth_l1": "smooth L1",
    "relative": "relative error",
}
_MODELS = {
    "binary": "logistic regression",
    "multiclass": "softmax regression",
    "regression": "linear regression",
}


@dataclass(frozen=True)
class Summary:
    """A run in words and numbers, at one step.

    Attributes:
        title: the experiment's title.
        sentence: what was trained, in one sentence.
        data: the data set, its size and its task.
        network: the layers, or the name of the linear model.
        n_parameters: number of weights and biases.
        step: updates made.
        n_updates: updates of the whole run.
        n_planned: updates that its epochs would have made.
        loss: name and unit of the loss.
        train_loss: on the training part at that step; None where the run was saved without its
            data and the step is no end of an epoch.
        test_loss: on the test part; None where there is none, too.
        scores: `train_accuracy`, `test_accuracy`, or `train_rmse`, `train_r2` and so on.
        outcome: how the training ended, as a sentence.
        engine: what trained it.
        train_s: seconds of training.
        formula: a linear model as a formula; "" for others.
        truth: the formula that made the data; "" where there is none.
        notes: what to know about the data.
    """

    title: str
    sentence: str
    data: str
    network: str
    n_parameters: int
    step: int
    n_updates: int
    n_planned: int
    loss: str
    train_loss: float | None
    test_loss: float | None
    scores: Mapping[str, float]
    outcome: str
    engine: str
    train_s: float
    formula: str
    truth: str
    notes: tuple[str, ...]


def summary(run: Run, *, step: int = -1) -> Summary:
    """A run in words and numbers at one step.

    A run that was saved without its data has the losses that were recorded at that epoch, and
    scores at the end only.

    Raises:
        DataError: the step is outside the run.
    """
    d, row = run.dataset, run.row(step)
    at = int(run.steps[row])
    train_loss, test_loss, found = _numbers(run, row)
    loss = _LOSSES.get(run.loss, run.loss)
    scaled = d.task == "regression" and d.spec.standardize
    return Summary(
        title=run.experiment.title,
        sentence=_sentence(run),
        data=_data(run),
        network=_network(run),
        n_parameters=run.params.shape[1],
        step=at,
        n_updates=int(run.steps[-1]),
        n_planned=run.experiment.training.n_updates(run.dataset.n_train),
        loss=loss + (", of the standardised target" if scaled else ""),
        train_loss=train_loss,
        test_loss=test_loss,
        scores=found,
        outcome=run.ending,
        engine=_engine(run),
        train_s=run.train_s,
        formula=_formula(run, run.params[row].astype(np.float64)),
        truth="" if d.truth is None else _linear(d.truth, run),
        notes=d.notes,
    )


def _numbers(run: Run, row: int) -> tuple[float | None, float | None, dict[str, float]]:
    """Training loss, test loss and scores at a recorded step."""
    if len(run.dataset.X) and run.can_answer:
        losses, found = evaluate(run, step=int(run.steps[row]))
        if losses:
            return losses["train"], losses.get("test"), found
    else:
        found = dict(run.metrics) if row == len(run.steps) - 1 else {}
    taken = np.flatnonzero(run.loss_steps == run.steps[row])
    if not len(taken):
        return None, None, found
    test_loss = float(run.test_loss[taken[0]]) if len(run.test_loss) else None
    return float(run.train_loss[taken[0]]), test_loss, found


def _engine(run: Run) -> str:
    """The engine, the device unless it is the CPU, and why it was not the fused engine."""
    name = run.engine if run.device == "cpu" else f"{run.engine} ({run.device})"
    return f"{name}: {run.engine_reason}" if run.engine_reason else name


def _sentence(run: Run) -> str:
    e, d = run.experiment, run.dataset
    t = e.training
    full = (t.batch_size or d.n_train) >= d.n_train
    loss = _LOSSES.get(run.loss, run.loss).split(",")[0]
    if run.attached:
        how = f"{run.steps[-1]:,} {run.attached.optimizer} updates of a loop of its own"
        how += f" (learning rate {run.attached.lr:g}, {loss})"
    elif t.is_solver:
        how = f"{run.steps[-1]:,} steps of {_SOLVERS[t.optimizer]} ({loss}"
        how += f", l2 {t.l2:g})" if t.l2 else ")"
    else:
        how = f"{run.steps[-1]:,} {'full-batch ' * full}{_OPTIMIZERS[t.optimizer]} updates"
        how += "" if full else f" on batches of {t.batch_size}"
        how += f" (learning rate {t.lr:g}, {loss})"
    goal = f"to predict {d.target_name}"
    if d.classes:
        *first, last = [str(label) for label in d.classes[:4]]
        if len(d.classes) > 4:
            first, last = [*first, last], f"{len(d.classes) - 4} more"
        goal = f"to tell {', '.join(first)} and {last} apart"
    name = d.spec.path or d.spec.name
    return (
        f"{_network(run)[0].upper()}{_network(run)[1:]}, {run.params.shape[1]:,} parameters, was "
        f"trained on {name} {goal}, by {how}."
    )


def _data(run: Run) -> str:
    d = run.dataset
    name = d.spec.path or d.spec.name
    size = f"{d.n_train:,} training samples" + (f", {d.n_test:,} test samples" if d.n_test else "")
    inputs = f"{d.d} input{'s' * (d.d != 1)}"
    labels = ", ".join(str(label) for label in d.classes[:6]) + ", ..." * (len(d.classes) > 6)
    task = f"{d.task}, `{d.target_name}`" + (f": {labels}" if labels else "")
    return f"{name}: {size}, {inputs}; {task}"


def _network(run: Run) -> str:
    network = run.experiment.network
    if run.attached and run.attached.layout:
        return f"the module {run.attached.module}"
    if not network.hidden:
        return f"{_MODELS[run.dataset.task]} ({'-'.join(map(str, run.layer_sizes))})"
    return f"a {'-'.join(map(str, run.layer_sizes))} network with {network.activation} units"


@np.errstate(all="ignore")  # the parameters of a diverged run may be inf
def _formula(run: Run, params: np.ndarray) -> str:
    """A linear model of up to 8 inputs with one output, in the data's units."""
    d = run.dataset
    if not run.is_linear or d.k != 1 or d.d > 8:
        return ""
    W, b = in_data_units(layers(params, run.layer_sizes)[0], d)
    return _linear(np.append(W[0], b) * d.y_scale + _last(d.d, d.y_mean), run)


def _last(d: int, value: float | np.ndarray) -> np.ndarray:
    """Zeros, and `value` at the place of the offset."""
    return np.append(np.zeros(d), value)


def _linear(params: np.ndarray, run: Run) -> str:
    """The formula of a linear model: `y = +6.11 x -4.81 x^2 +4.38`."""
    d = run.dataset
    left = d.target_name if d.task == "regression" else f"logit P({d.target_name} = {d.classes[1]})"
    terms = [f"{w:+.4g} {name}" for w, name in zip(params, d.feature_names, strict=False)]
    return f"{left} = {' '.join(terms)} {params[-1]:+.4g}"
