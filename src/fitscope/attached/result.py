"""What was recorded of a loop -> Run."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from fitscope.attached.evaluation import Evaluation
from fitscope.outcomes import Outcome
from fitscope.own import Attached, Layout
from fitscope.records import Dataset, Run, Trajectory
from fitscope.specs import Experiment, NetworkSpec, TrainingSpec
from fitscope.train.single import judged, versions_of

__all__ = ["Facts", "run_of"]

_OPTIMIZERS = {"SGD": "sgd", "Adam": "adam", "AdamW": "adamw", "RMSprop": "rmsprop"}
MOST_WRITTEN = 10_000  # numbers of a start that are written into the experiment
MOST_EPOCHS = 10_000_000  # the most that an experiment can say


@dataclass(frozen=True)
class Facts:
    """What is known of a loop before it begins.

    Attributes:
        title: of the run.
        data: the samples.
        optimizer: whose steps are recorded.
        evaluation: of the module.
        lr: the optimizer's learning rate, which a schedule may change.
        rule: its settings in the words of an experiment.
    """

    title: str
    data: Dataset
    optimizer: torch.optim.Optimizer
    evaluation: Evaluation
    lr: float
    rule: dict[str, Any]

    @classmethod
    def of(
        cls, title: str, data: Dataset, optimizer: torch.optim.Optimizer, evaluation: Evaluation
    ) -> "Facts":
        """The facts, with the optimizer's settings as they are now."""
        lr = float(optimizer.param_groups[0].get("lr", 0.0))
        return cls(title, data, optimizer, evaluation, lr, _rule(optimizer))


def run_of(facts: Facts, recorded: Trajectory, notes: tuple[str, ...] = ()) -> Run:
    """The recording with its losses, as a Run.

    Args:
        facts: what was known before.
        recorded: the recording.
        notes: what else a person should know; with any, the module is no longer the one that was
            recorded, and gives no answers.
    """
    evaluation, stack = facts.evaluation, facts.evaluation.stack
    at, losses, problems = evaluation.losses(recorded.params)
    _, params, buffers = evaluation.split(recorded.params)
    outcome = recorded.outcome
    if not problems and not np.isfinite(losses[:, 0]).all():
        outcome = Outcome.DIVERGED
    params = np.ascontiguousarray(stack.params(params) if stack else params)
    run = Run(
        params=params,
        steps=recorded.steps,
        batch_loss=np.zeros(0, np.float32),
        train_loss=np.ascontiguousarray(losses[:, 0]),
        test_loss=np.ascontiguousarray(losses[:, 1] if losses.shape[1] > 1 else losses[:0, 0]),
        outcome=outcome,
        train_s=recorded.train_s,
        experiment=_experiment(facts, params, int(recorded.steps[-1])),
        dataset=replace(facts.data, notes=(*facts.data.notes, *problems, *notes)),
        metrics={},
        engine="own loop",
        device=next(evaluation.module.parameters()).device.type,
        versions=versions_of("torch"),
        attached=_attached(facts),
        own_loss_steps=recorded.steps[at],
        buffers=None if stack else np.ascontiguousarray(buffers),
        own_module=None if stack or notes else evaluation.module,
    )
    return _scored(run)


def _scored(run: Run) -> Run:
    """The run with its scores, or without, where its module does not answer any more."""
    try:
        return judged(run)
    except Exception as error:  # whatever a module of somebody's own raises
        said = " ".join(str(error).split())[:200].rstrip(".")
        note = f"The model no longer answers after the loop: {said}."
        return replace(run, dataset=replace(run.dataset, notes=(*run.dataset.notes, note)))


def _experiment(facts: Facts, params: np.ndarray, n_steps: int) -> Experiment:
    """The loop in the words of an experiment, as far as they go."""
    stack, judge = facts.evaluation.stack, facts.evaluation.judge
    network = NetworkSpec()
    if stack:
        start = params[0]
        is_written = len(start) <= MOST_WRITTEN and bool(np.isfinite(start).all())
        init: Any = [float(value) for value in start] if is_written else "torch"
        network = stack.spec.model_copy(update={"init": init})
    loss = None if judge.own else judge.name
    epochs = min(max(1, n_steps), MOST_EPOCHS)
    training = TrainingSpec(loss=loss, epochs=epochs, **facts.rule)
    return Experiment(title=facts.title, data=facts.data.spec, network=network, training=training)


def _rule(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The optimizer's settings, of the first group, where it is one of those that we name."""
    name, group = _OPTIMIZERS.get(type(optimizer).__name__), optimizer.param_groups[0]
    lr, decay = float(group.get("lr", 0.0)), float(group.get("weight_decay", 0.0))
    if name is None or not 0 < lr <= 1e6 or not 0 <= decay <= 1e6:
        return {}
    found = {"optimizer": name, "lr": lr, "weight_decay": decay}
    momentum = float(group.get("momentum", 0.0)) if name == "sgd" else 0.0
    if 0 < momentum < 1:
        found |= {"momentum": momentum, "nesterov": bool(group.get("nesterov", False))}
    return found


def _attached(facts: Facts) -> Attached:
    evaluation = facts.evaluation
    return Attached(
        module=type(evaluation.module).__name__,
        optimizer=type(facts.optimizer).__name__,
        lr=facts.lr,
        loss=evaluation.judge.name,
        own_loss=evaluation.judge.own,
        layout=None if evaluation.stack else _layout(evaluation),
    )


def _layout(evaluation: Evaluation) -> Layout:
    kept, X = evaluation.kept, evaluation.inputs
    return Layout(
        parameters=kept.parameters,
        buffers=kept.buffers,
        frozen=kept.frozen if evaluation.is_complete else (),
        complete=evaluation.is_complete,
        input_shape=tuple(X.shape[1:]),
        input_type=str(X.dtype).removeprefix("torch."),
        outputs=evaluation.judge.outputs,
        n_outputs=evaluation.n_outputs,
        frozen_digest=kept.frozen_digest if evaluation.is_complete else "",
        number_type=evaluation.number_type,
    )
