"""The generators: each is named as its data set and takes that data set's settings.

Random numbers come from `numpy.random.RandomState`, whose stream is frozen by promise, or from
a PyTorch generator where a published figure was drawn by one; global state is never touched.
"""

import numpy as np

from fitscope.rawdata import RawData
from fitscope.specs import Task

__all__ = [
    "blobs",
    "circles",
    "gates",
    "gaussians",
    "moons",
    "polynomial",
    "rings",
    "sine",
    "spirals",
    "step",
    "threshold",
]

_PLANE = ("x1", "x2")


def gates(*, n_samples: int, noise: float, seed: int, gate: str) -> RawData:
    """Two noisy bits and their gate: x = corner + noise * normal, y = gate(corner).

    The samples are spread evenly over the corners (the first ones take the remainder) and then
    shuffled.
    """
    rng = np.random.RandomState(seed)
    corners = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
    truth = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}[gate]
    corner = np.repeat(np.arange(4), [len(part) for part in np.array_split(range(n_samples), 4)])
    X = corners[corner] + rng.normal(0.0, noise, (n_samples, 2))
    order = rng.permutation(n_samples)
    return RawData(X[order], np.array(truth)[corner][order], _PLANE, task="binary")


def gaussians(*, n_samples: int, noise: float, seed: int) -> RawData:
    """Class 0 around (0, 0) and class 1 around (2, 2), with standard deviation `noise`.

    For `noise` 1 the best possible neuron is w = (2, 2), b = -4, right for 92.1 % of the points.
    """
    rng = np.random.RandomState(seed)
    y = _halves(n_samples)
    X = 2.0 * y[:, None] + rng.normal(0.0, noise, (n_samples, 2))
    return RawData(X, y, _PLANE, task="binary")


def threshold(*, n_samples: int, noise: float, seed: int, w: float, b: float) -> RawData:
    """Points evenly over [-2, 2), y = [w x + b + noise * normal > 0]; a fresh test set."""
    import torch

    rng = torch.Generator().manual_seed(seed)
    x = torch.arange(-2, 2, 4 / n_samples)[:n_samples, None]

    def labels() -> np.ndarray:
        z = b + w * x + noise * torch.randn(n_samples, 1, generator=rng)
        return (z > 0).int().numpy()[:, 0]

    y = labels()
    # Between its two sets the published run drew its start (2 words) and its loader's seeds (21
    # of 2 words each) from the same stream: skipping them gives its test set.
    torch.rand(44, generator=rng)
    X = x.double().numpy()
    return RawData(X, y, ("x",), task="binary", X_test=X, y_test=labels())


def step(*, n_samples: int) -> RawData:
    """Points evenly over [-1, 1), y = [x > 0.2], decided in float32 so that x = 0.2 is class 0."""
    i = np.arange(n_samples)
    x = ((2 * i - n_samples) / n_samples).astype(np.float32)  # exact where -1 + 0.1 i drifts
    y = (x > np.float32(0.2)).astype(int)
    return RawData(x[:, None].astype(float), y, ("x",), task="binary")


def rings(*, n_samples: int, seed: int) -> RawData:
    """Class 0: radius uniform in [0, 1); class 1: radius uniform in [3, 4).

    Drawn sample by sample: inner radius, inner angle, outer radius, outer angle.
    """
    rng = np.random.RandomState(seed)
    n_inner = (n_samples + 1) // 2
    u = rng.rand(n_inner, 4)
    radius = np.concatenate([u[:, 0], 3.0 + u[:, 2]])[:n_samples]
    angle = (2.0 * np.pi * np.concatenate([u[:, 1], u[:, 3]]))[:n_samples]
    X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return RawData(X, _halves(n_samples), _PLANE, task="binary")


def polynomial(*, n_samples: int, noise: float, seed: int, degree: int) -> RawData:
    """Samples of w1 x + ... + wD x^D + b: w, b = 5 * normal, x normal; inputs x, ..., x^D."""
    import torch

    rng = torch.Generator().manual_seed(seed)
    w = 5 * torch.randn(degree, 1, generator=rng)
    b = 5 * torch.randn(1, generator=rng)
    # The published run draws its start and looks at 5 samples before it draws its batches.
    torch.rand(degree + 1, generator=rng)
    torch.randn(5, generator=rng)
    x = torch.randn(n_samples, generator=rng)
    X = torch.stack([x**i for i in range(1, degree + 1)], 1)
    y = (X @ w + b)[:, 0] + noise * torch.randn(n_samples, generator=rng)
    names = tuple("x" if i == 1 else f"x^{i}" for i in range(1, degree + 1))
    truth = torch.cat([w[:, 0], b]).double().numpy()
    X64, y64 = X.double().numpy(), y.double().numpy()
    return RawData(X64, y64, names, task="regression", truth=truth)


def sine(*, n_samples: int, noise: float, seed: int, flipped: bool) -> RawData:
    """Points evenly over [-10, 10), y = sin(3x) exp(-x/8), or the same of -x where `flipped`."""
    x = np.arange(-10, 10, 20 / n_samples)[:n_samples]
    s = -x if flipped else x
    y = np.sin(3 * s) * np.exp(-s / 8)
    y = y + noise * np.random.RandomState(seed).normal(size=n_samples)
    return RawData(x[:, None], y, ("x",), task="regression")


def moons(*, n_samples: int, noise: float, seed: int) -> RawData:
    """Two interleaved half circles, by scikit-learn's `make_moons`."""
    from sklearn.datasets import make_moons

    X, y = make_moons(n_samples, noise=noise, random_state=seed)
    return RawData(X, y, _PLANE, task="binary")


def circles(*, n_samples: int, noise: float, seed: int) -> RawData:
    """A circle of radius 0.5 inside one of radius 1, by scikit-learn's `make_circles`."""
    from sklearn.datasets import make_circles

    X, y = make_circles(n_samples, noise=noise, factor=0.5, random_state=seed)
    return RawData(X, 1 - y, _PLANE, task="binary")


def blobs(*, n_samples: int, noise: float, seed: int, n_classes: int) -> RawData:
    """One round cloud a class around random centres, by scikit-learn's `make_blobs`."""
    from sklearn.datasets import make_blobs

    made = make_blobs(n_samples, centers=n_classes, cluster_std=noise, random_state=seed)
    return RawData(made[0], made[1], _PLANE, task=_classes_task(n_classes))


def spirals(*, n_samples: int, noise: float, seed: int, n_classes: int) -> RawData:
    """One arm a class: angle = 1.25 turns * s + its share of a turn, radius = 4 s, s in (0, 1]."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_samples) % n_classes
    s = (1 + np.arange(n_samples) // n_classes) / (1 + (n_samples - 1) // n_classes)
    angle = 2 * np.pi * (1.25 * s + y / n_classes)
    X = 4 * s[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    X = X + rng.normal(0.0, noise, X.shape)
    return RawData(X, y, _PLANE, task=_classes_task(n_classes))


def _classes_task(n_classes: int) -> Task:
    return "binary" if n_classes == 2 else "multiclass"


def _halves(n_samples: int) -> np.ndarray:
    """Labels of two classes, class 0 first and larger by one where n is odd."""
    return (np.arange(n_samples) >= (n_samples + 1) // 2).astype(int)
