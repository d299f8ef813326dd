"""The specification: plain PyTorch, one update after the other, everything recorded."""

import math
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fitscope.network import RELATIVE_FLOOR, flat_parameters
from fitscope.records import Dataset, Outcome, Trajectory
from fitscope.specs import TrainingSpec

__all__ = ["batches", "loss_function", "optimizer_for", "train"]


def train(
    module: nn.Module,
    dataset: Dataset,
    training: TrainingSpec,
    rng: torch.Generator,
    *,
    keep_every: int,
    device: str,
    watch: Callable[[int, float], bool],
) -> Trajectory:
    """Trains `module` in place and records it.

    Args:
        module: the network at its start.
        dataset: what to train on.
        training: loss, optimizer, batches, when to stop; `loss` is named.
        rng: draws the shuffles, one permutation an epoch.
        keep_every: record the parameters after every so many updates; the start and the end
            are always kept.
        device: "cpu" or "cuda".
        watch: is told (updates done, batch loss) after each update; True ends the training.

    Returns:
        What was recorded, and how it ended.
    """
    module = module.to(device)
    X, y = torch.from_numpy(dataset.X).to(device), _targets(dataset.y, device)
    X_test, y_test = torch.from_numpy(dataset.X_test).to(device), _targets(dataset.y_test, device)
    loss_of = loss_function(training.loss, dataset.task)
    optimizer = optimizer_for(training, module)
    record = _Recorder(module, keep_every)  # starts the clock; PyTorch's first optimizer is slow

    def whole_set_losses() -> float:
        with torch.no_grad():
            record.train_loss.append(loss_of(module(X), y).item())
            if len(X_test):
                record.test_loss.append(loss_of(module(X_test), y_test).item())
        return record.train_loss[-1]

    whole_set_losses()
    for _epoch in range(training.epochs):
        for batch in batches(len(X), training, rng):
            loss = loss_of(module(X[batch]), y[batch])
            record.batch_loss.append(loss.item())
            if not math.isfinite(record.batch_loss[-1]):
                return record.trajectory(Outcome.DIVERGED)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            record.step()
            if watch(record.n_steps, record.batch_loss[-1]):
                return record.trajectory(Outcome.INTERRUPTED)
        train_loss = whole_set_losses()
        if not math.isfinite(train_loss):
            return record.trajectory(Outcome.DIVERGED)
        if training.stop_below is not None and train_loss < training.stop_below:
            return record.trajectory(Outcome.STOPPED)
    return record.trajectory(Outcome.FINISHED)


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


def loss_function(name: str | None, task: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean loss over samples, of the network's outputs (n, k) and the targets (n,).

    cross_entropy = -log p[y], in nats, computed on logits: two classes with one logit, more
    with the softmax. mse = (out - y)^2; for classes `out` is the probability and y is 0 or 1.
    smooth_l1 = e^2/2 where e = |out - y| < 1, else e - 1/2 (Huber 1964).
    relative = |out - y| / max(|y|, 0.01).
    """
    if name == "cross_entropy" and task == "binary":
        return lambda out, y: F.binary_cross_entropy_with_logits(out[:, 0], y.to(out.dtype))
    if name == "cross_entropy":
        return F.cross_entropy
    if name == "mse" and task == "binary":
        return lambda out, y: F.mse_loss(torch.sigmoid(out[:, 0]), y.to(out.dtype))
    if name == "mse" and task == "multiclass":
        return lambda out, y: F.mse_loss(
            torch.softmax(out, 1), F.one_hot(y, out.shape[1]).to(out.dtype)
        )
    if name == "mse":
        return lambda out, y: F.mse_loss(out[:, 0], y)
    if name == "smooth_l1":
        return lambda out, y: F.smooth_l1_loss(out[:, 0], y)
    return lambda out, y: ((out[:, 0] - y).abs() / y.abs().clamp_min(RELATIVE_FLOOR)).mean()


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


class _Recorder:
    """What has been seen so far of one training."""

    def __init__(self, module: nn.Module, keep_every: int) -> None:
        self.module, self.keep_every, self.began = module, keep_every, time.perf_counter()
        self.n_steps = 0
        self.batch_loss: list[float] = []
        self.train_loss: list[float] = []
        self.test_loss: list[float] = []
        self._steps = [0]
        self._rows = [flat_parameters(module)]

    def step(self) -> None:
        self.n_steps += 1
        if self.n_steps % self.keep_every == 0:
            self._keep()

    def trajectory(self, outcome: Outcome) -> Trajectory:
        if self._steps[-1] != self.n_steps:
            self._keep()
        return Trajectory(
            params=np.stack(self._rows),
            steps=np.array(self._steps, dtype=np.int32),
            batch_loss=np.array(self.batch_loss, dtype=np.float32),
            train_loss=np.array(self.train_loss, dtype=np.float32),
            test_loss=np.array(self.test_loss, dtype=np.float32),
            outcome=outcome,
            train_s=time.perf_counter() - self.began,
        )

    def _keep(self) -> None:
        self._steps.append(self.n_steps)
        self._rows.append(flat_parameters(self.module))


def _targets(y: np.ndarray, device: str) -> Tensor:
    """Targets as PyTorch's losses want them: int64 class indices, float32 values."""
    tensor = torch.from_numpy(y)
    return (tensor if y.dtype == np.float32 else tensor.long()).to(device)
