"""The specification: plain PyTorch, one update after the other, everything recorded."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fitscope.evaluation import RELATIVE_FLOOR
from fitscope.network import flat_parameters
from fitscope.outcomes import Outcome
from fitscope.records import Dataset, Trajectory
from fitscope.specs import TrainingSpec
from fitscope.train.memory import Memory
from fitscope.train.recorder import Recorder, Watch

__all__ = ["batches", "loss_function", "optimizer_for", "train"]


def train(
    module: nn.Module,
    dataset: Dataset,
    training: TrainingSpec,
    rng: torch.Generator,
    *,
    keep_bytes: int,
    device: str,
    watch: Watch,
    memory: Memory,
) -> Trajectory:
    """Trains `module` in place and records it.

    Args:
        module: the network at its start.
        dataset: what to train on.
        training: loss, optimizer, batches, when to stop; `loss` is named.
        rng: draws the shuffles, one permutation an epoch.
        keep_bytes: budget of the recorded parameters.
        device: "cpu" or "cuda".
        watch: is told (updates done, batch loss, the parameters if it asks) after each update;
            True ends the training.
        memory: of an earlier training, which this one goes on with; changed.

    Returns:
        What was recorded, and how it ended.
    """
    module = module.to(device)
    (X, y, w), held_out = _parts(dataset, device)
    loss_of = loss_function(training.loss, dataset.task)
    optimizer = _remembering(optimizer_for(training, module), memory)
    per_epoch = training.updates_per_epoch(len(X))
    is_full, best_of = per_epoch == 1, per_epoch if training.patience else None
    record = Recorder(flat_parameters(module), keep_bytes=keep_bytes, best_of=best_of)

    def whole_set_loss() -> Tensor:
        """Records the losses of both parts; a full batch's next update begins with this one."""
        with torch.set_grad_enabled(is_full):
            loss = loss_of(module(X), y, w)
        record.train_loss.append(loss.item())
        if len(dataset.X_test):
            record.epoch(_loss_on(held_out, module, loss_of), lambda: flat_parameters(module))
        return loss

    def ended(outcome: Outcome) -> Trajectory:
        memory.optimizer = optimizer.state_dict()
        return record.trajectory(flat_parameters(module), outcome)

    whole = whole_set_loss()
    for batch, ends_epoch in _updates(len(X), training, rng):
        own = None if w is None else w[batch]
        loss = whole if is_full else loss_of(module(X[batch]), y[batch], own)
        record.batch_loss.append(loss.item())
        if not math.isfinite(record.batch_loss[-1]):
            return ended(Outcome.DIVERGED)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        record.step(lambda: flat_parameters(module))
        stop = watch(record.n_steps, record.batch_loss[-1], lambda: flat_parameters(module))
        whole = whole_set_loss() if ends_epoch else whole
        outcome = _verdict(record, training) if ends_epoch else None
        if outcome is not None:
            return ended(outcome)
        if stop and record.n_steps < training.n_updates(len(X)):
            return ended(Outcome.INTERRUPTED)
    return ended(Outcome.FINISHED)


def _loss_on(part: "_Part", module: nn.Module, loss_of: Callable[..., Tensor]) -> float:
    """The loss on all samples of a part."""
    X, y, w = part
    with torch.no_grad():
        return loss_of(module(X), y, w).item()


def _updates(
    n: int, training: TrainingSpec, rng: torch.Generator
) -> Iterator[tuple[Tensor | slice, bool]]:
    """The samples of every update of every epoch, and whether it is the last of its epoch."""
    for _epoch in range(training.epochs):
        *first, last = batches(n, training, rng)
        yield from ((batch, False) for batch in first)
        yield last, True


def _verdict(record: Recorder, training: TrainingSpec) -> Outcome | None:
    """Whether the losses after an epoch end the training."""
    train_loss = record.train_loss[-1]
    if not math.isfinite(train_loss):
        return Outcome.DIVERGED
    if training.stop_below is not None and train_loss < training.stop_below:
        return Outcome.STOPPED
    if training.patience is None:
        return None
    waited = len(record.test_loss) - 1 - int(np.argmin(record.test_loss))
    return Outcome.STOPPED_EARLY if waited >= training.patience else None


def batches(n: int, training: TrainingSpec, rng: torch.Generator) -> Iterator[Tensor | slice]:
    """The samples of each update of one epoch; the last batch may be smaller.

    A full batch is never shuffled and draws nothing.
    """
    size = training.batch_size or n
    if size >= n:
        yield slice(None)
    elif training.shuffle:
        yield from torch.randperm(n, generator=rng).split(size)  # type: ignore[no-untyped-call]
    else:
        for first in range(0, n, size):
            yield slice(first, first + size)


def loss_function(name: str | None, task: str) -> Callable[..., Tensor]:
    """The mean loss over samples, of outputs (n, k), targets (n,) or (n, t), and weights (n,).

    cross_entropy = -log p[y], in nats, computed on logits: two classes with one logit, more
    with the softmax. mse = (out - y)^2; for classes `out` is the probability and y is 0 or 1.
    smooth_l1 = e^2/2 where e = |out - y| < 1, else e - 1/2 (Huber 1964).
    relative = |out - y| / max(|y|, 0.01).
    Several targets count alike. Weights, whose mean over the training part is 1, multiply the
    losses of the samples before the mean is taken; None weighs all alike.
    """
    losses = _losses(name, task)

    def mean_loss(out: Tensor, y: Tensor, w: Tensor | None = None) -> Tensor:
        if w is None:
            return losses(out, y, "mean")
        return (w * losses(out, y, "none").reshape(len(w), -1).mean(1)).mean()

    return mean_loss


def _losses(name: str | None, task: str) -> Callable[[Tensor, Tensor, str], Tensor]:
    """The losses of the samples, or their mean, as `reduction` says."""
    if name == "cross_entropy" and task == "binary":
        return lambda out, y, reduction: F.binary_cross_entropy_with_logits(
            out[:, 0], y.to(out.dtype), reduction=reduction
        )
    if name == "cross_entropy":
        return lambda out, y, reduction: F.cross_entropy(out, y, reduction=reduction)
    if name == "mse" and task == "binary":
        return lambda out, y, reduction: F.mse_loss(
            torch.sigmoid(out[:, 0]), y.to(out.dtype), reduction=reduction
        )
    if name == "mse" and task == "multiclass":
        return lambda out, y, reduction: F.mse_loss(
            torch.softmax(out, 1),
            F.one_hot(y, out.shape[1]).to(out.dtype),
            reduction=reduction,
        )
    if name == "mse":
        return lambda out, y, reduction: F.mse_loss(_like(out, y), y, reduction=reduction)
    if name == "smooth_l1":
        return lambda out, y, reduction: F.smooth_l1_loss(_like(out, y), y, reduction=reduction)
    return lambda out, y, reduction: _relative(_like(out, y), y, reduction)


def _relative(out: Tensor, y: Tensor, reduction: str) -> Tensor:
    losses = (out - y).abs() / y.abs().clamp_min(RELATIVE_FLOOR)
    return losses.mean() if reduction == "mean" else losses


def _like(out: Tensor, y: Tensor) -> Tensor:
    """The outputs in the shape of the targets: (n,) for one of them."""
    return out if y.ndim == 2 else out[:, 0]


def optimizer_for(training: TrainingSpec, module: nn.Module) -> torch.optim.Optimizer:
    """PyTorch's own optimizer with the settings of `training`, the rest at PyTorch's defaults."""
    params, lr, decay = list(module.parameters()), training.lr, training.weight_decay
    if training.optimizer == "sgd":
        momentum, nesterov = training.momentum, training.nesterov
        return torch.optim.SGD(params, lr, momentum, weight_decay=decay, nesterov=nesterov)
    if training.optimizer == "adam":
        return torch.optim.Adam(params, lr, weight_decay=decay)
    if training.optimizer == "adamw":
        return torch.optim.AdamW(params, lr, weight_decay=decay)
    return torch.optim.RMSprop(params, lr, weight_decay=decay)


def _remembering(optimizer: torch.optim.Optimizer, memory: Memory) -> torch.optim.Optimizer:
    """The optimizer with what it remembers of an earlier training; its settings are the new."""
    if memory.optimizer is not None:
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({**memory.optimizer, "param_groups": groups})
    return optimizer


_Part = tuple[Tensor, Tensor, Tensor | None]


def _parts(dataset: Dataset, device: str) -> tuple[_Part, _Part]:
    """Inputs, targets as PyTorch's losses want them (int64 classes, float32 values), weights."""

    def part(X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> _Part:
        targets = torch.from_numpy(y if y.dtype == np.float32 else y.astype(np.int64))
        w = None if weights is None else torch.from_numpy(weights).to(device)
        return torch.from_numpy(X).to(device), targets.to(device), w

    w_train, w_test = dataset.weights_by_part
    return part(dataset.X, dataset.y, w_train), part(dataset.X_test, dataset.y_test, w_test)
