"""The lines of a PyTorch script that make a data set, one function a generator."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from fitscope.export.source import listing
from fitscope.specs import DataSpec

__all__ = ["MAKERS", "DataCode", "rows_text"]


class DataCode(NamedTuple):
    """What makes the samples in a script.

    Attributes:
        about: what they are, for a comment.
        code: makes `X` (n, d) and `y` (n,), or their parts where it `has_parts`.
        settings: constant -> setting of the data set.
        constants: lines that define further ones.
        imports: import statements, beside those of torch and numpy.
        has_parts: `code` makes the training part and, where there is one, the test part itself.
        is_scaled: what it makes is standardised already where the run wants it so.
        helper: a function that `code` calls, if it needs one.
        is_tensor: `X` (n, d) and `y` (n, 1) are tensors already.
    """

    about: str
    code: str
    settings: Mapping[str, str] = {}
    constants: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    has_parts: bool = False
    is_scaled: bool = False
    helper: str = ""
    is_tensor: bool = False


_PLAIN = {"N_SAMPLES": "n_samples", "DATA_SEED": "seed"}
_NOISY = {"N_SAMPLES": "n_samples", "NOISE": "noise", "DATA_SEED": "seed"}
_CLASSES = {"N_SAMPLES": "n_samples", "N_CLASSES": "n_classes"} | _NOISY


def _gates(spec: DataSpec) -> DataCode:
    sign = {"and": "&", "or": "|", "xor": "^"}[str(spec.gate)]
    code = f"""\
rng = np.random.RandomState(DATA_SEED)
corners = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
bits = np.repeat(corners, [(N_SAMPLES + 3 - i) // 4 for i in range(4)], axis=0)
X = bits + rng.normal(0, NOISE, bits.shape)
y = bits[:, 0] {sign} bits[:, 1]
order = rng.permutation(N_SAMPLES)  # until here they stand corner by corner
X, y = X[order], y[order]"""
    about = (
        f"Two bits, blurred by noise, and the {spec.gate} of them: every corner of the unit square "
        "gets a quarter of the samples."
    )
    return DataCode(about, code, _NOISY)


def _gaussians(spec: DataSpec) -> DataCode:
    code = """\
rng = np.random.RandomState(DATA_SEED)
y = np.repeat([0, 1], [(N_SAMPLES + 1) // 2, N_SAMPLES // 2])
X = 2 * y[:, None] + rng.normal(0, NOISE, (N_SAMPLES, 2))"""
    about = "Two round clouds: class 0 around (0, 0), class 1 around (2, 2)."
    return DataCode(about, code, _NOISY)


def _threshold(spec: DataSpec) -> DataCode:
    code = """\
rng = torch.Generator().manual_seed(DATA_SEED)
x = torch.arange(-2, 2, 4 / N_SAMPLES)[:N_SAMPLES, None]  # (n, 1): a row a sample


def noisy_labels():
    z = W * x + B + NOISE * torch.randn(N_SAMPLES, 1, generator=rng)
    return (z > 0).float()


X_train, y_train = x, noisy_labels()
torch.rand(44, generator=rng)  # skips what the published run drew between its two sets
X_test, y_test = x, noisy_labels()"""
    about = (
        "Points evenly over [-2, 2), of class 1 where W x + B plus noise is above 0. The test part "
        "has the same points with noise of its own."
    )
    settings = _NOISY | {"W": "w", "B": "b"}
    return DataCode(about, code, settings, has_parts=True, is_tensor=True)


def _step(spec: DataSpec) -> DataCode:
    code = """\
x = (2 * np.arange(N_SAMPLES) - N_SAMPLES) / N_SAMPLES
X = x[:, None]  # (n, 1): a row a sample
y = x.astype(np.float32) > np.float32(0.2)  # as float32, in which x = 0.2 is not above it"""
    about = "Points evenly over [-1, 1), of class 1 where x > 0.2, without noise."
    return DataCode(about, code, {"N_SAMPLES": "n_samples"})


def _rings(spec: DataSpec) -> DataCode:
    code = """\
rng = np.random.RandomState(DATA_SEED)
n_disc, n_ring = (N_SAMPLES + 1) // 2, N_SAMPLES // 2
u = rng.rand(n_disc, 4)  # a row: radius and angle of a point in the disc, and of one in the ring
radius = np.concatenate([u[:, 0], 3 + u[:n_ring, 2]])
angle = 2 * np.pi * np.concatenate([u[:, 1], u[:n_ring, 3]])
X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
y = np.repeat([0, 1], [n_disc, n_ring])"""
    about = "Class 0 is a disc of radius 1, class 1 a ring around it, from radius 3 to 4."
    return DataCode(about, code, _PLAIN)


def _polynomial(spec: DataSpec) -> DataCode:
    noise = " + NOISE * torch.randn(N_SAMPLES, 1, generator=rng)" if spec.noise else ""
    code = f"""\
rng = torch.Generator().manual_seed(DATA_SEED)
w = 5 * torch.randn(DEGREE, 1, generator=rng)
b = 5 * torch.randn(1, generator=rng)
torch.rand(DEGREE + 1, generator=rng)  # skips what the published run drew for its start,
torch.randn(5, generator=rng)  # and for a look at five samples
x = torch.randn(N_SAMPLES, generator=rng)
X = torch.stack([x**i for i in range(1, DEGREE + 1)], dim=1)
y = X @ w + b{noise}"""
    about = (
        "A polynomial of x with random coefficients w and b. The powers of x are the inputs, and "
        "in them it is linear."
    )
    settings = {"DEGREE": "degree"} | (_NOISY if spec.noise else _PLAIN)
    return DataCode(about, code, settings, is_tensor=True)


def _sine(spec: DataSpec) -> DataCode:
    wave = "np.sin(-3 * x) * np.exp(x / 8)" if spec.flipped else "np.sin(3 * x) * np.exp(-x / 8)"
    code = f"""\
x = np.arange(-10, 10, 20 / N_SAMPLES)[:N_SAMPLES]
X = x[:, None]  # (n, 1): a row a sample
y = {wave}"""
    about = f"A damped sine{', mirrored,' * bool(spec.flipped)} at points evenly over [-10, 10)."
    if not spec.noise:
        return DataCode(about, code, {"N_SAMPLES": "n_samples"})
    code += "\ny += NOISE * np.random.RandomState(DATA_SEED).normal(size=N_SAMPLES)"
    return DataCode(about, code, _NOISY)


def _moons(spec: DataSpec) -> DataCode:
    return DataCode(
        "Two interleaved half circles.",
        "X, y = make_moons(N_SAMPLES, noise=NOISE, random_state=DATA_SEED)",
        _NOISY,
        imports=("from sklearn.datasets import make_moons",),
    )


def _circles(spec: DataSpec) -> DataCode:
    code = """\
X, y = make_circles(N_SAMPLES, noise=NOISE, factor=0.5, random_state=DATA_SEED)
y = 1 - y  # class 0 is the inner circle"""
    about = "A circle of radius 0.5 inside one of radius 1."
    return DataCode(about, code, _NOISY, imports=("from sklearn.datasets import make_circles",))


def _blobs(spec: DataSpec) -> DataCode:
    return DataCode(
        "Round clouds around random centres, one a class.",
        "X, y = "
        "make_blobs(N_SAMPLES, centers=N_CLASSES, cluster_std=NOISE, random_state=DATA_SEED)",
        _CLASSES,
        imports=("from sklearn.datasets import make_blobs",),
    )


def _spirals(spec: DataSpec) -> DataCode:
    code = """\
rng = np.random.RandomState(DATA_SEED)
i = np.arange(N_SAMPLES)
y = i % N_CLASSES
s = (1 + i // N_CLASSES) / (1 + (N_SAMPLES - 1) // N_CLASSES)  # how far out on its arm
angle = 2 * np.pi * (1.25 * s + y / N_CLASSES)
X = 4 * s[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
X += rng.normal(0, NOISE, X.shape)"""
    about = "Spiral arms of one and a quarter turns around the same middle, one a class."
    return DataCode(about, code, _CLASSES)


def _points(spec: DataSpec) -> DataCode:
    code = "rows = np.array(POINTS)\nX, y = rows[:, :2], rows[:, 2]"
    classes = np.unique([row[-1] for row in spec.points or []])
    if (classes != range(len(classes))).any():
        code += "\ny = np.searchsorted(np.unique(y), y)  # the classes, counted from 0 without gaps"
    constants = (listing("POINTS", rows_text(spec.points or [])),)
    return DataCode("Points set by hand: x1, x2, class.", code, {}, constants)


def rows_text(rows: list[list[float]]) -> list[str]:
    """Each row as a Python list, with all digits and without the point of whole numbers."""
    return [f"[{', '.join(repr(x).removesuffix('.0') for x in row)}]" for row in rows]


MAKERS: Mapping[str, Callable[[DataSpec], DataCode]] = {
    "gates": _gates,
    "gaussians": _gaussians,
    "threshold": _threshold,
    "step": _step,
    "rings": _rings,
    "polynomial": _polynomial,
    "sine": _sine,
    "moons": _moons,
    "circles": _circles,
    "blobs": _blobs,
    "spirals": _spirals,
    "points": _points,
}
