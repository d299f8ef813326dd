"""Forward, backward and update of a dense network, compiled: the arithmetic of the fused engine.

Samples run along the inner, vectorised axis, so that a unit's values are a row. For a tile of m
samples, row r of `A` (a, m) holds the values of unit r, the inputs first, then layer by layer, and
row r of `D` the derivative of the mean loss by the unit's weighted sum. Both stay in the
processor's cache.

Sums over samples run in the arrays' type within a tile, spread over the lanes of a vector, and in
float64 over tiles: a mean over a million samples is as exact as one over two thousand.
Every function works in the type of its arrays. float32 trains; float64 is for tests.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from fitscope.train.functions import compiled, entry, part, vectorised
from fitscope.train.layers import activate, activate_backward, add_products, weighted_sum
from fitscope.train.losses import CLASS_MSE, CROSS_ENTROPY, class_losses, losses
from fitscope.train.optimizers import update

__all__ = [
    "DIVERGED",
    "RUNNING",
    "STOPPED",
    "STOPPED_EARLY",
    "Net",
    "Samples",
    "State",
    "Work",
    "loss",
    "train",
]

RUNNING, STOPPED, DIVERGED, STOPPED_EARLY = range(4)
TRAIN, TEST, BATCH = range(3)
# Literals as arguments would each be compiled into a function of their own.
START: Any = np.int64(0)
NEXT: Any = np.int64(1)


class Net(NamedTuple):
    """What is trained."""

    sizes: np.ndarray  # int64: the widths of all layers
    activation: int
    loss: int
    floor: float  # of the loss `relative`


class Samples(NamedTuple):
    """What is learned from: the training part first, then the test part."""

    X: np.ndarray  # (d, n): one row a feature
    y: np.ndarray  # (t, n): 0 or 1, the class index, or the value; one row a target
    w: np.ndarray  # (n,): weights, or empty where all are 1


class State(NamedTuple):
    """What an update changes."""

    done: np.ndarray  # int64 (1,): updates made
    before: np.ndarray  # int64 (1,): updates of earlier trainings, which the optimizer remembers
    epochs: np.ndarray  # int64 (1,): how often the losses of all samples were taken
    params: np.ndarray  # (p,)
    first: np.ndarray  # (p,): momentum, or the mean of the gradients
    second: np.ndarray  # (p,): the mean of their squares
    loss: np.ndarray  # float64 (1,): of all samples, before a full-batch update
    best: np.ndarray  # float32 (1,): the least test loss so far
    waited: np.ndarray  # int64 (1,): epochs since then


class Work(NamedTuple):
    """Where it is computed; one for each thread. The last row of `A` and of `D` is zero."""

    A: np.ndarray  # (a + 1, tile)
    D: np.ndarray  # (a + 1, tile)
    y: np.ndarray  # (t, tile)
    w: np.ndarray  # (tile,): ones, unless the samples have weights
    softmax: np.ndarray  # (2, tile)
    grad: np.ndarray  # float64 (p,)


@vectorised
def _load(samples: Any, order: Any, at: int, m: int, work: Any) -> None:
    """Copies m samples, from `at` on, into the first rows; in `order`, if it is not empty."""
    part()
    _load_rows(samples.X, order, at, m, work.A)
    _load_rows(samples.y, order, at, m, work.y)
    if samples.w.size > 0:
        for s in range(m):
            work.w[s] = samples.w[order[at + s] if order.size > 0 else at + s]


@vectorised
def _load_rows(values: Any, order: Any, at: int, m: int, rows: Any) -> None:
    part()
    if order.size > 0:
        order = order[at : at + m]
        for i in range(values.shape[0]):
            for s in range(m):
                rows[i, s] = values[i, order[s]]
        return
    for i in range(values.shape[0]):
        row = values[i, at : at + m]
        for s in range(m):
            rows[i, s] = row[s]


@vectorised
def _forward(params: Any, net: Any, A: Any, m: int) -> Any:
    """Fills the rows of all units; returns the row of the first output."""
    part()
    sizes = net.sizes
    at, below = START, START
    for layer in range(sizes.size - 1):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        row, biases = below + n_in, at + n_in * n_out
        for unit in range(n_out):
            bias, weights = params[biases + unit], at + unit * n_in
            weighted_sum(A, row + unit, bias, params, weights, NEXT, A, below, n_in, m)
            if layer < sizes.size - 2:
                activate(net.activation, A, row + unit, m)
        at, below = biases + n_out, row
    return below


@vectorised
def _loss(net: Any, work: Any, row: int, n: int, m: int) -> Any:
    """The tile's share of the mean loss of n samples; its derivatives by the outputs, in D."""
    part()
    A, D, y, w, k = work.A, work.D, work.y, work.w, net.sizes[-1]
    scale = 1 / n if net.loss == CROSS_ENTROPY else 1 / (n * k)
    own = y.dtype.type(scale)
    if net.loss in (CROSS_ENTROPY, CLASS_MSE):
        return scale * class_losses(net.loss, A, D, row, k, y[0], w, work.softmax, own, m)
    floor, total = y.dtype.type(net.floor), 0.0
    for target in range(k):
        total += losses(net.loss, A, D, row + target, y[target], w, floor, own, m)
    return scale * total


@vectorised
def _backward(params: Any, net: Any, work: Any, row: int, m: int) -> None:
    """Adds to the gradient what the derivatives by the outputs, from `row` on, make of it."""
    part()
    A, D, grad, sizes = work.A, work.D, work.grad, net.sizes
    end = params.size
    for layer in range(sizes.size - 2, -1, -1):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        biases, below = end - n_out, row - n_in
        weights = biases - n_in * n_out
        for unit in range(n_out):
            at, bias = weights + unit * n_in, biases + unit
            add_products(grad, at, bias, D, row + unit, A, below, n_in, m)
        if layer > 0:
            for i in range(n_in):
                zero = D[D.shape[0] - 1, 0]
                weighted_sum(D, below + i, zero, params, weights + i, n_in, D, row, n_out, m)
                activate_backward(net.activation, A, D, below + i, m)
        end, row = weights, below


@vectorised
def loss(
    params: Any,
    net: Any,
    samples: Any,
    order: Any,
    first: int,
    last: int,
    work: Any,
    backward: bool,
    loaded: bool,
) -> float:
    """The mean loss of the samples first..last - 1; `work.grad` becomes its gradient.

    Args:
        params: flat parameters (p,).
        net: the network and its loss.
        samples: inputs, targets and weights.
        order: the order of the samples (n,); empty for their own.
        first: where in that order to begin.
        last: where to end.
        work: where to compute.
        backward: whether the gradient is wanted.
        loaded: whether the samples still lie in the rows of `work`, from the last call.
    """
    part()
    n, tile, total = last - first, work.w.size, 0.0
    if backward:
        for i in range(work.grad.size):
            work.grad[i] = 0.0
    for at in range(first, last, tile):
        m = min(tile, last - at)
        if not loaded:
            _load(samples, order, at, m, work)
        row = _forward(params, net, work.A, m)
        total += _loss(net, work, row, n, m)
        if backward:
            _backward(params, net, work, row, m)
    return total


@compiled
def _range(subset: int, batch: int, size: int, n: int, n_all: int) -> Any:
    """Where the samples of a subset begin and end."""
    part()
    if subset == TRAIN:
        return 0, n
    if subset == TEST:
        return n, n_all
    return batch * size, min(n, (batch + 1) * size)


@compiled
def _copy(rows: Any, u: int, params: Any) -> None:
    part()
    for i in range(params.size):
        rows[u, i] = params[i]


@compiled
def _verdict(rule: Any, train_loss: Any, state: Any) -> Any:
    """Whether the losses after an epoch end the training."""
    part()
    if not math.isfinite(train_loss):
        return DIVERGED
    if train_loss < rule.stop_below:
        return STOPPED
    return STOPPED_EARLY if 0 < rule.patience <= state.waited[0] else RUNNING


@compiled
def _compare(state: Any, test_loss: Any) -> None:
    """Counts the epochs since the test loss was least."""
    part()
    state.waited[0] += 1
    if test_loss < state.best[0]:
        state.best[0] = test_loss
        state.waited[0] = 0


@entry
def train(
    net: Any,
    rule: Any,
    state: Any,
    work: Any,
    samples: Any,
    n: int,
    orders: Any,
    rows: Any,
    batch_loss: Any,
    train_loss: Any,
    test_loss: Any,
) -> Any:
    """Makes as many updates as `batch_loss` has places, or fewer if one ends the training.

    Before each update, it takes the losses that are then due: at the beginning of an epoch those
    of all samples, and then that of the batch. With no place for an update, only the former.

    Args:
        net: the network and its loss.
        rule: the optimizer, the batches, when to stop.
        state: parameters and what the optimizer remembers; changed.
        work: where to compute.
        samples: inputs, targets and weights, the test part after the training part.
        n: number of training samples.
        orders: a permutation (n,) for every epoch from that of the first update on; one empty
            row where the samples keep their own order.
        rows: receives the parameters after each update (u, p).
        batch_loss: receives the loss of each batch before its update (u,).
        train_loss: receives the loss of all training samples before and after each epoch.
        test_loss: the same of the test samples, if there are any.

    Returns:
        How many updates, batch losses and epochs there were; how it stands.
    """
    n_updates, params, own_order = batch_loss.size, state.params, orders[0][:0]
    per_epoch = (n + rule.batch_size - 1) // rule.batch_size
    full = per_epoch == 1  # then the loss of all samples is that of the next batch
    n_all = samples.X.shape[1]
    stays = full and n_all == n <= work.w.size  # in the rows of `work`
    first_epoch, n_epochs = state.done[0] // per_epoch, 0
    for u in range(n_updates + 1):  # the last turn only takes losses
        epoch, batch = divmod(state.done[0], per_epoch)
        due = batch == 0 and epoch == state.epochs[0]
        for subset in (TRAIN, TEST, BATCH):
            first, last = _range(subset, batch, rule.batch_size, n, n_all)
            own = subset != BATCH
            if first == last or not (due if own else u < n_updates and not full):
                continue
            order = own_order if own else orders[min(epoch - first_epoch, len(orders) - 1)]
            backward = subset == (TRAIN if full else BATCH)
            value = loss(params, net, samples, order, first, last, work, backward, stays and u > 0)
            if subset == TEST:
                test_loss[n_epochs] = value
                _compare(state, test_loss[n_epochs])
            else:
                state.loss[0] = value
            if subset == TRAIN:
                train_loss[n_epochs] = value
        if due:
            state.epochs[0] += 1
            n_epochs += 1
            ending = _verdict(rule, train_loss[n_epochs - 1], state)
            if epoch > 0 and ending != RUNNING:
                return u, u, n_epochs, ending
        if u < n_updates:
            batch_loss[u] = state.loss[0]
            if not math.isfinite(batch_loss[u]):
                return u, u + 1, n_epochs, DIVERGED
            state.done[0] += 1
            update(
                rule, state.before[0] + state.done[0], params, work.grad, state.first, state.second
            )
            _copy(rows, u, params)
    return n_updates, n_updates, n_epochs, RUNNING
