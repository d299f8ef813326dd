"""The fused engine: the steps of `torch_loop`, compiled, and recorded block by block."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from fitscope.evaluation import RELATIVE_FLOOR
from fitscope.outcomes import Outcome
from fitscope.records import Dataset, Trajectory
from fitscope.specs import NetworkSpec, TrainingSpec
from fitscope.train import kernels, layers, losses, optimizers
from fitscope.train.memory import Memory
from fitscope.train.recorder import Recorder, Watch

if TYPE_CHECKING:
    import torch

__all__ = [
    "OUTCOMES",
    "Block",
    "Blocks",
    "Learner",
    "is_compiled",
    "samples_of",
    "train",
    "weight_array",
]

ACTIVATIONS = {
    "sigmoid": layers.SIGMOID,
    "tanh": layers.TANH,
    "relu": layers.RELU,
    "identity": layers.IDENTITY,
}
OPTIMIZERS = {
    "sgd": optimizers.SGD,
    "adam": optimizers.ADAM,
    "adamw": optimizers.ADAMW,
    "rmsprop": optimizers.RMSPROP,
}
LOSSES = {
    ("cross_entropy", "binary"): losses.BINARY_CROSS_ENTROPY,
    ("mse", "binary"): losses.BINARY_MSE,
    ("cross_entropy", "multiclass"): losses.CROSS_ENTROPY,
    ("mse", "multiclass"): losses.CLASS_MSE,
    ("mse", "regression"): losses.MSE,
    ("smooth_l1", "regression"): losses.SMOOTH_L1,
    ("relative", "regression"): losses.RELATIVE,
}
OUTCOMES = {
    kernels.STOPPED: Outcome.STOPPED,
    kernels.STOPPED_EARLY: Outcome.STOPPED_EARLY,
    kernels.DIVERGED: Outcome.DIVERGED,
}
_OWN_ORDER = np.empty((1, 0), np.int64)
MAX_TILE = 2048  # samples computed together; a row of a unit's values is then 8 kB


def train(
    start: Float32[np.ndarray, " p"],
    network: NetworkSpec,
    dataset: Dataset,
    training: TrainingSpec,
    rng: "torch.Generator",
    *,
    keep_bytes: int,
    watch: Watch,
    memory: Memory,
) -> Trajectory:
    """Trains from `start` and records it, as `torch_loop.train` does.

    Args:
        start: flat parameters (p,).
        network: the network.
        dataset: what to train on.
        training: loss, optimizer, batches, when to stop; `loss` is named.
        rng: draws the shuffles, one permutation an epoch.
        keep_bytes: budget of the recorded parameters.
        watch: is told (updates done, batch loss, the parameters if it asks) after each block of
            updates, some fifty times a second; True ends the training.
        memory: of an earlier training, which this one goes on with; changed.

    Returns:
        What was recorded, and how it ended.
    """
    blocks = Blocks(network, dataset, training, start.size)
    net = blocks.begin(start)
    if memory.optimizer is not None:
        net.state.first[:], net.state.second[:] = memory.optimizer
        net.state.before[0] = memory.n_updates
    trajectory = _train(blocks, net, rng, keep_bytes, watch)
    memory.optimizer = net.state.first, net.state.second
    return trajectory


def _train(
    blocks: "Blocks", net: "Learner", rng: "torch.Generator", keep_bytes: int, watch: Watch
) -> Trajectory:
    """The training of a net, block by block."""
    # the losses of the start; on a new machine it compiles, before the record's clock begins
    *recorded, _ = blocks.run(net, _OWN_ORDER, 0)
    best_of = blocks.per_epoch if blocks.training.patience else None
    record = Recorder(net.state.params.copy(), keep_bytes=keep_bytes, best_of=best_of)
    record.block(*recorded)
    for n_updates, orders in blocks.planned(rng):
        *recorded, ending = blocks.run(net, orders, n_updates)
        record.block(*recorded)
        if ending in OUTCOMES:
            return record.trajectory(net.state.params, OUTCOMES[ending])
        last_loss = float(recorded[1][-1])
        stop = watch(record.n_steps, last_loss, net.state.params.copy)
        if stop and record.n_steps < blocks.n_planned:
            return record.trajectory(net.state.params, Outcome.INTERRUPTED)
    return record.trajectory(net.state.params, Outcome.FINISHED)


class Learner(NamedTuple):
    """A net in training: what an update changes, and where it is computed."""

    state: kernels.State
    work: kernels.Work


class Block(NamedTuple):
    """What some updates leave behind, where the next ones will write; and how it stands."""

    rows: Float32[np.ndarray, "u p"]
    batch_loss: Float32[np.ndarray, " u2"]
    train_loss: Float32[np.ndarray, " e"]
    test_loss: Float32[np.ndarray, " e2"]
    ending: int


class Blocks:
    """Trains nets of one experiment, block by block; one of these for each thread.

    Args:
        network: the network.
        dataset: what to train on.
        training: loss, optimizer, batches, when to stop; `loss` is named.
        p: number of parameters.
    """

    def __init__(
        self, network: NetworkSpec, dataset: Dataset, training: TrainingSpec, p: int
    ) -> None:
        self.n, self.training = len(dataset.X), training
        self.n_planned = training.n_updates(self.n)
        self.per_epoch = training.updates_per_epoch(self.n)
        X = np.concatenate([dataset.X, dataset.X_test])
        y = np.concatenate([dataset.y, dataset.y_test])
        samples = samples_of(X, y, dataset.weights)
        n_all = samples.X.shape[1]
        net, rule = _net(network, dataset, training), _rule(training, self.n)
        self._of_all = net, rule
        self._samples = samples
        self._n_tested = 1 if n_all > self.n else 0
        self._work = _work(net, p, max(self.n, n_all - self.n), len(samples.y))
        self.size = _updates_in_block(net, p, rule.batch_size, n_all, self.per_epoch)
        self._rows = np.empty((self.size, p), np.float32)
        self._batch_loss = np.empty(self.size, np.float32)
        self._epoch_losses = np.empty((2, self.size // self.per_epoch + 2), np.float32)

    def begin(self, start: Float32[np.ndarray, " p"]) -> Learner:
        """A net before its first update.

        Nets compute in the same place, one after the other, but each keeps its gradient: that
        of a full batch is taken with the losses that end a block, and used in the next.
        """
        return Learner(_state(start), self._work._replace(grad=np.empty(start.size)))

    def run(self, net: Learner, orders: Int64[np.ndarray, "e n"], n_updates: int) -> Block:
        """Makes updates, or fewer if one ends the training; `orders` are those of their epochs."""
        batch_loss, (train, test) = self._batch_loss[:n_updates], self._epoch_losses
        n_done, n_losses, n_epochs, ending = kernels.train(
            *self._of_all, *net, self._samples, self.n, orders, self._rows, batch_loss, train, test
        )
        n_tests = n_epochs * self._n_tested
        rows = self._rows[:n_done]
        return Block(rows, batch_loss[:n_losses], train[:n_epochs], test[:n_tests], ending)

    def planned(self, rng: "torch.Generator") -> Iterator[tuple[int, Int64[np.ndarray, "e n"]]]:
        """For each block of a whole training the number of updates, and the samples' orders."""
        orders = _orders(self.n, self.training, rng)
        for first in range(0, self.n_planned, self.size):
            n_updates = min(self.size, self.n_planned - first)
            last = first + n_updates - 1
            yield n_updates, orders(first // self.per_epoch, last // self.per_epoch)


def is_compiled() -> bool:
    """Whether the compiled code lies on disk."""
    folder = kernels.train.stats.cache_path  # type: ignore[attr-defined]
    return folder is not None and any(Path(folder).glob("kernels.train-*.nbi"))


def samples_of(X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> kernels.Samples:
    """Samples as the kernels want them: one row a feature, one row a target."""
    rows = np.ascontiguousarray(np.atleast_2d(y.astype(np.float32).T))
    return kernels.Samples(np.ascontiguousarray(X.T), rows, weight_array(weights))


def weight_array(weights: np.ndarray | None) -> Float32[np.ndarray, " n"]:
    """Weights as compiled functions take them: an empty array where all samples count alike."""
    return np.empty(0, np.float32) if weights is None else weights


def _net(network: NetworkSpec, dataset: Dataset, training: TrainingSpec) -> kernels.Net:
    sizes = np.array(network.layer_sizes(dataset.d, dataset.k), dtype=np.int64)
    loss = LOSSES[str(training.loss), dataset.task]
    return kernels.Net(sizes, ACTIVATIONS[network.activation], loss, RELATIVE_FLOOR)


def _rule(training: TrainingSpec, n: int) -> optimizers.Rule:
    return optimizers.Rule(
        OPTIMIZERS[training.optimizer],
        training.lr,
        training.momentum,
        training.nesterov,
        training.weight_decay,
        min(training.batch_size or n, n),
        training.stop_below or 0.0,
        training.patience or 0,
    )


def _state(start: Float32[np.ndarray, " p"]) -> kernels.State:
    first, second = np.zeros_like(start), np.zeros_like(start)
    done, before, epochs, waited = np.zeros((4, 1), np.int64)
    best = np.full(1, np.inf, np.float32)
    return kernels.State(
        done, before, epochs, start.copy(), first, second, np.zeros(1), best, waited
    )


def _work(
    net: kernels.Net, p: int, n: int, n_targets: int = 1, dtype: type = np.float32
) -> kernels.Work:
    """Room for a tile whose two arrays fit into a megabyte, the size of a core's cache."""
    n_rows = int(net.sizes.sum()) + 1
    tile = min(n, MAX_TILE, max(256, 2**17 // n_rows))
    A, D, y, w, softmax = (
        _aligned_rows(rows, tile, dtype) for rows in (n_rows, n_rows, n_targets, 1, 2)
    )
    w[:] = 1
    return kernels.Work(A, D, y, w[0, :tile], softmax, np.empty(p))


def _aligned_rows(n_rows: int, n: int, dtype: type) -> np.ndarray:
    """Zeros (n_rows, n or a little more), each row at the beginning of a cache line.

    A vector that lies across two lines is read twice: a quarter of the speed of a 2-10-1 net. A
    line more than needed keeps rows from falling onto the same places in the cache.
    """
    in_line = 64 // np.dtype(dtype).itemsize
    width = (-(-n // in_line) + 1) * in_line
    room: np.ndarray = np.zeros(n_rows * width + in_line, dtype)
    first = -room.ctypes.data % 64 // room.itemsize
    return room[first : first + n_rows * width].reshape(n_rows, width)


def _updates_in_block(net: kernels.Net, p: int, batch: int, n: int, per_epoch: int) -> int:
    """How many updates take some 20 ms, and whose parameters and orders fit into 8 MB.

    A nanosecond a sample for four multiplications or half an activation, and half a microsecond
    an update, is near enough on any machine.
    """
    n_units = int(net.sizes[1:].sum())
    ns = 500 + (batch + n / per_epoch) * (p / 4 + 2 * n_units)
    return max(1, int(min(2e7 / ns, 2e6 / p, 1e6 * per_epoch / n)))


def _orders(
    n: int, training: TrainingSpec, rng: "torch.Generator"
) -> Callable[[int, int], Int64[np.ndarray, "e n"]]:
    """A function: the orders of the samples in the epochs first..last, drawn as they are needed.

    It is asked for increasing epochs. Batches in the samples' own order get one empty row.
    """
    if not training.shuffle or training.updates_per_epoch(n) == 1:
        return lambda _first, _last: _OWN_ORDER
    import torch

    kept: dict[int, np.ndarray] = {}
    drawn = itertools.count()

    def orders(first: int, last: int) -> Int64[np.ndarray, "e n"]:
        while last not in kept:
            kept[next(drawn)] = torch.randperm(n, generator=rng).numpy()
        for epoch in [epoch for epoch in kept if epoch < first]:
            del kept[epoch]
        return np.stack(list(kept.values()))

    return orders
