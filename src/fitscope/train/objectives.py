"""What a solver makes small: the loss of all samples with its derivatives, in float64.

By the fused engine, and by plain PyTorch, the slow reference.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from fitscope.evaluation import RELATIVE_FLOOR
from fitscope.network import forward, layers
from fitscope.records import Dataset
from fitscope.specs import NetworkSpec, TrainingSpec
from fitscope.train import curvature, fused, kernels
from fitscope.train.passes import Passes, Threads

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "FusedLinear",
    "FusedNetwork",
    "Objective",
    "Point",
    "PyTorch",
    "fused_objective",
    "is_compiled",
    "is_right",
]

_KINDS = {
    ("cross_entropy", "binary"): curvature.BINARY,
    ("cross_entropy", "multiclass"): curvature.SOFTMAX,
    ("mse", "regression"): curvature.SQUARED,
}
_LARGE = 3e7  # samples x squared parameters, where a Hessian takes milliseconds


_NONE = np.empty((0, 0))


class Point(NamedTuple):
    """The mean loss at some parameters and its derivatives, without a penalty.

    Attributes:
        loss: the mean loss of the training part.
        grad: its gradient (p,).
        hess: its Hessian; empty where it was not asked for.
    """

    loss: float
    grad: Float64[np.ndarray, " p"]
    hess: Float64[np.ndarray, "q q"] = _NONE


class FusedLinear:
    """Cross-entropy or squared error of a linear model.

    Args:
        dataset: what to train on.
        loss: its name.
        workers: number of threads.
    """

    def __init__(self, dataset: Dataset, loss: str, workers: int) -> None:
        self._kind = np.int64(_KINDS[loss, dataset.task])
        self._d, self._k, self._threads = dataset.d, dataset.k, Threads(workers)
        self._kept: dict[tuple[int, int, bool], Passes] = {}
        self._rows = -(-(self._d + 1) // 4) * 4  # of a tile, with those of zeros
        w_train, w_test = map(fused.weight_array, dataset.weights_by_part)
        self._train = dataset.X, dataset.y.astype(np.float32), w_train
        self._test = dataset.X_test, dataset.y_test.astype(np.float32), w_test
        self._seen: tuple[bytes, bool] = b"", False

    def at(
        self, params: Float64[np.ndarray, " p"], *, hessian: bool = False, exact: bool = True
    ) -> Point:
        """Loss and derivatives on the training part.

        Unless it is to be `exact`, a large Hessian of cross-entropy is summed in float32 within
        tiles, in half the time: each number is right to 1e-6 of its row's and column's.
        """
        size = len(self._train[0]) * (self._rows * self._k) ** 2
        exact = bool(exact or self._kind == curvature.SQUARED or size < _LARGE)
        wanted = curvature.HESSIAN if hessian else curvature.GRADIENT
        sums, grad, hess = self._sums(params, self._train, wanted, exact or not hessian)
        self._seen = params.tobytes(), bool(sums[1] == 0)
        grad = _flat(grad[:, : self._d + 1])
        n = len(self._train[0])
        whole = hess.ravel()[self._places] / n if hessian else _NONE
        return Point(float(sums[0] / n), grad / n, whole)

    def test_loss(self, params: Float64[np.ndarray, " p"]) -> float:
        """The mean loss on the test part."""
        return float(self._sums(params, self._test, curvature.LOSS)[0][0] / len(self._test[0]))

    def separates(self, params: Float64[np.ndarray, " p"]) -> bool:
        """Whether every training sample is on its own side, and none on a border."""
        if params.tobytes() != self._seen[0]:
            self.at(params)
        return self._seen[1]

    def _sums(
        self, params: np.ndarray, part: tuple[np.ndarray, ...], wanted: int, exact: bool = True
    ) -> list[Any]:
        """Sums over samples, as `curvature.linear` writes them."""
        X, y, w = part
        W = np.zeros((self._k, self._rows))
        (weights, bias) = layers(params, [self._d, self._k])[0]
        W[:, : self._d], W[:, self._d] = weights, bias

        def add(first: int, last: int, room: curvature.Room, sums: tuple[np.ndarray, ...]) -> None:
            curvature.linear(self._kind, np.int64(wanted), W, X, y, w, first, last, room, sums)

        return self._passes(len(X), wanted, exact).total(add)

    def _passes(self, n: int, wanted: int, exact: bool) -> Passes:
        kind, k, q = (n, wanted, exact), self._k, self._rows
        if kind in self._kept:
            return self._kept[kind]
        n_pairs = k * (k + 1) // 2 if wanted == curvature.HESSIAN else 0
        shapes = (2,), (k, q), (n_pairs, q, q)
        room = functools.partial(self._room, exact)
        self._kept[kind] = Passes(n, shapes, room, self._threads)
        return self._kept[kind]

    def _room(self, exact: bool) -> curvature.Room:
        heights = self._rows, self._k, self._k, 4
        A, Z, D, V = (np.zeros((rows, curvature.TILE + 8)) for rows in heights)
        kind = np.float64 if exact else np.float32
        H, B = (np.zeros((rows, curvature.TILE + 8), kind) for rows in (self._rows, 4))
        return curvature.Room(A, H, B, Z, D, V, np.ones(curvature.TILE + 8))

    @functools.cached_property
    def _places(self) -> np.ndarray:
        """Where the lower triangles of all pairs have each number of the Hessian (p, p)."""
        k, q = self._k, self._rows
        answer, row = map(_flat, np.indices((k, self._d + 1)))
        a, b = np.maximum.outer(answer, answer), np.minimum.outer(answer, answer)
        i, j = np.maximum.outer(row, row), np.minimum.outer(row, row)
        return np.asarray((a * (a + 1) // 2 + b) * q * q + i * q + j)


def _flat(rows: np.ndarray) -> np.ndarray:
    """Weights and bias of each answer (k, d + 1) in PyTorch's order: all weights first."""
    return np.concatenate([rows[:, :-1].ravel(), rows[:, -1]])


class FusedNetwork:
    """Any loss of any network, by the kernels of the fused engine with float64 to compute in.

    Args:
        network: the network.
        dataset: what to train on.
        training: names the loss.
        workers: number of threads.
    """

    def __init__(
        self, network: NetworkSpec, dataset: Dataset, training: TrainingSpec, workers: int
    ) -> None:
        self._sizes = network.layer_sizes(dataset.d, dataset.k)
        loss = fused.LOSSES[str(training.loss), dataset.task]
        activation = fused.ACTIVATIONS[network.activation]
        sizes = np.array(self._sizes, dtype=np.int64)
        self._net = kernels.Net(sizes, activation, loss, RELATIVE_FLOOR)
        self._p = network.n_parameters(dataset.d, dataset.k)
        self._activation, self._dataset = network.activation, dataset
        w_train, w_test = dataset.weights_by_part
        train = fused.samples_of(dataset.X, dataset.y, w_train)
        test = fused.samples_of(dataset.X_test, dataset.y_test, w_test)
        threads, room = Threads(workers), functools.partial(self._work, len(train.y))
        self._train, self._test = (
            (samples, Passes(samples.X.shape[1], ((1,), (self._p,)), room, threads))
            for samples in (train, test)
        )

    def at(
        self, params: Float64[np.ndarray, " p"], *, hessian: bool = False, exact: bool = True
    ) -> Point:
        """Loss and derivatives on the training part."""
        if hessian:
            raise NotImplementedError("newton is for linear models")
        return self._mean(params, *self._train)

    def test_loss(self, params: Float64[np.ndarray, " p"]) -> float:
        """The mean loss on the test part."""
        return self._mean(params, *self._test).loss

    def separates(self, params: Float64[np.ndarray, " p"]) -> bool:
        """Whether every training sample is on its own side, and none on a border."""
        X, y = _counted(self._dataset)
        return is_right(forward(params, X, sizes=self._sizes, activation=self._activation), y)

    def _mean(self, params: np.ndarray, samples: kernels.Samples, passes: Passes) -> Point:
        n = samples.X.shape[1]
        own_order = np.empty(0, np.int64)

        def add(first: int, last: int, work: kernels.Work, sums: tuple[np.ndarray, ...]) -> None:
            loss, grad = sums
            share = (last - first) / n
            value = curvature.network(params, self._net, samples, own_order, first, last, work)
            loss[:], grad[:] = share * value, share * work.grad

        loss, grad = passes.total(add)
        return Point(float(loss[0]), grad)

    def _work(self, n_targets: int) -> kernels.Work:
        """Room for a tile of float64 in half a megabyte."""
        rows = sum(self._sizes) + 1
        tile = max(64, min(1024, 2**15 // rows))
        heights = rows, rows, n_targets, 2
        A, D, y, softmax = (np.zeros((height, tile)) for height in heights)
        return kernels.Work(A, D, y, np.ones(tile), softmax, np.empty(self._p))


class PyTorch:
    """The same by PyTorch alone: autograd for the gradient, and twice for the Hessian.

    Args:
        network: the network.
        dataset: what to train on.
        training: names the loss.
        device: "cpu" or "cuda".
    """

    def __init__(
        self, network: NetworkSpec, dataset: Dataset, training: TrainingSpec, device: str
    ) -> None:
        import torch

        from fitscope.train.torch_loop import loss_function

        self._sizes = network.layer_sizes(dataset.d, dataset.k)
        self._activation, self._device = network.activation, device
        self._loss = loss_function(training.loss, dataset.task)
        kind = torch.float64 if dataset.task == "regression" else torch.int64
        w_train, w_test = dataset.weights_by_part
        self._train, self._test = (
            (
                torch.from_numpy(X).to(device).double(),
                torch.from_numpy(y).to(device, kind),
                None if w is None else torch.from_numpy(w).to(device).double(),
            )
            for X, y, w in (
                (dataset.X, dataset.y, w_train),
                (dataset.X_test, dataset.y_test, w_test),
            )
        )

    def at(
        self, params: Float64[np.ndarray, " p"], *, hessian: bool = False, exact: bool = True
    ) -> Point:
        """Loss and derivatives on the training part."""
        import torch

        flat = self._tensor(params).requires_grad_()
        loss = self._value(flat, *self._train)
        (grad,) = torch.autograd.grad(loss, flat)
        hess = _NONE
        if hessian:
            found = torch.autograd.functional.hessian(  # type: ignore[no-untyped-call]
                lambda v: self._value(v, *self._train), flat
            )
            hess = found.cpu().numpy()
        return Point(loss.item(), grad.cpu().numpy(), hess)

    def test_loss(self, params: Float64[np.ndarray, " p"]) -> float:
        """The mean loss on the test part."""
        return float(self._value(self._tensor(params), *self._test))

    def separates(self, params: Float64[np.ndarray, " p"]) -> bool:
        """Whether every training sample is on its own side, and none on a border."""
        X, y, w = self._train
        counted = slice(None) if w is None else w > 0
        answers = self._answers(self._tensor(params), X[counted])
        return is_right(answers.cpu().numpy(), y[counted].cpu().numpy())

    def _value(self, flat: "Tensor", X: "Tensor", y: "Tensor", w: "Tensor | None") -> "Tensor":
        return self._loss(self._answers(flat, X), y, w)

    def _answers(self, flat: "Tensor", X: "Tensor") -> "Tensor":
        """The network's answers (n, k), from its flat parameters."""
        import torch

        found = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
        activation = found.get(self._activation, lambda z: z)
        at, a, last = 0, X, len(self._sizes) - 2
        for layer, (n_in, n_out) in enumerate(zip(self._sizes, self._sizes[1:], strict=False)):
            W = flat[at : at + n_in * n_out].reshape(n_out, n_in)
            at += n_in * n_out
            z = torch.nn.functional.linear(a, W, flat[at : at + n_out])
            at += n_out
            a = z if layer == last else activation(z)
        return a

    def _tensor(self, params: np.ndarray) -> "Tensor":
        import torch

        return torch.tensor(params, dtype=torch.float64, device=self._device)


Objective = FusedLinear | FusedNetwork | PyTorch


def fused_objective(
    network: NetworkSpec, dataset: Dataset, training: TrainingSpec, workers: int
) -> FusedLinear | FusedNetwork:
    """The compiled one: in one pass for linear models, by backpropagation for any network.

    Args:
        network: the network.
        dataset: what to train on.
        training: names the loss.
        workers: number of threads.
    """
    is_known = (str(training.loss), dataset.task) in _KINDS and dataset.n_targets == 1
    if not network.hidden and is_known:
        return FusedLinear(dataset, str(training.loss), workers)
    return FusedNetwork(network, dataset, training, workers)


def _counted(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of the training samples whose weight is above 0."""
    w, _ = dataset.weights_by_part
    return (dataset.X, dataset.y) if w is None else (dataset.X[w > 0], dataset.y[w > 0])


def is_right(answers: Float64[np.ndarray, "n k"], y: np.ndarray) -> bool:
    """Whether the answer to the own class is above all others, for every sample."""
    if answers.shape[1] == 1:
        return bool(np.all(np.where(y == 1, answers[:, 0], -answers[:, 0]) > 0))
    rows = np.arange(len(y))
    others = answers.copy()
    others[rows, y] = -np.inf
    return bool(np.all(answers[rows, y] > others.max(axis=1)))


def is_compiled() -> bool:
    """Whether the compiled code lies on disk."""
    folder = curvature.linear.stats.cache_path  # type: ignore[attr-defined]
    return folder is not None and any(Path(folder).glob("curvature.*.nbi"))
