"""What was recorded of a loop -> Run."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Facts:
    """What is known of a loop before it begins."""

    title: str
    data: Dataset
    optimizer: torch.optim.Optimizer
    evaluation: Evaluation


def run_of(facts: Facts, recorded: Trajectory) -> Run:
    """The recording with its losses, as a Run."""
    evaluation = facts.evaluation
    at, losses = evaluation.losses(recorded.params)
    _, params, buffers = evaluation.split(recorded.params)
    stack, outcome = evaluation.stack, recorded.outcome
    if not np.isfinite(losses[:, 0]).all():
        outcome = Outcome.DIVERGED
    params = np.ascontiguousarray(stack.params(params) if stack else params)
    device = next(evaluation.module.parameters()).device.type
    run = Run(
        params=params,
        steps=recorded.steps,
        batch_loss=np.zeros(0, np.float32),
        train_loss=np.ascontiguousarray(losses[:, 0]),
        test_loss=np.ascontiguousarray(losses[:, 1] if losses.shape[1] > 1 else losses[:0, 0]),
        outcome=outcome,
        train_s=recorded.train_s,
        experiment=_experiment(facts, params, int(recorded.steps[-1])),
        dataset=facts.data,
        metrics={},
        engine="own loop",
        device=device,
        versions=versions_of("torch"),
        attached=_attached(facts),
        own_loss_steps=recorded.steps[at],
        buffers=None if stack else np.ascontiguousarray(buffers),
        own_module=None if stack else evaluation.module,
    )
    return judged(run)


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
    training = TrainingSpec(loss=loss, epochs=max(1, n_steps), **_rule(facts.optimizer))
    return Experiment(title=facts.title, data=facts.data.spec, network=network, training=training)


def _rule(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The optimizer's settings, of the first group, where it is one of those that we name."""
    name, group = _OPTIMIZERS.get(type(optimizer).__name__), optimizer.param_groups[0]
    lr, decay = float(group["lr"]), float(group.get("weight_decay", 0.0))
    if name is None or not 0 < lr <= 1e6 or not 0 <= decay <= 1e6:
        return {}
    found = {"optimizer": name, "lr": lr, "weight_decay": decay}
    momentum = float(group.get("momentum", 0.0)) if name == "sgd" else 0.0
    if 0 < momentum < 1:
        found |= {"momentum": momentum, "nesterov": bool(group.get("nesterov", False))}
    return found


def _attached(facts: Facts) -> Attached:
    evaluation, group = facts.evaluation, facts.optimizer.param_groups[0]
    return Attached(
        module=type(evaluation.module).__name__,
        optimizer=type(facts.optimizer).__name__,
        lr=float(group.get("lr", 0.0)),
        loss=evaluation.judge.name,
        own_loss=evaluation.judge.own,
        layout=None if evaluation.stack else _layout(evaluation),
    )


def _layout(evaluation: Evaluation) -> Layout:
    kept, X = evaluation.kept, evaluation.inputs
    return Layout(
        parameters=kept.parameters,
        buffers=kept.buffers,
        frozen=kept.frozen,
        complete=kept.complete,
        input_shape=tuple(X.shape[1:]),
        input_type=str(X.dtype).removeprefix("torch."),
        outputs=evaluation.judge.outputs,
        n_outputs=evaluation.n_outputs,
    )
