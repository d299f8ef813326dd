"""Runs of every kind for the tests of the lab's page, and how they get there and back."""

import base64
import functools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

import fitscope as fs
from fitscope.records import Dataset, Run
from fitscope.runfile import run_bytes


def values(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Two inputs and a value that the first decides."""
    X = np.random.RandomState(0).normal(size=(n, 2))
    return X, 10 * X[:, 0]


# By inputs and task: epochs -> run.
KINDS: dict[str, Callable[[int], Run]] = {
    "1-D classes": lambda epochs: fs.fit("threshold-sgd", epochs=epochs),
    "1-D several classes": lambda epochs: fs.fit((np.arange(12.0), [0, 1, 2] * 4), epochs=epochs),
    "1-D values": lambda epochs: fs.fit("sine-10", epochs=epochs),
    "2-D classes": lambda epochs: fs.fit("gates-xor-hidden", epochs=epochs),
    "2-D several classes": lambda epochs: fs.fit(
        "blobs", epochs=epochs, n_samples=60, hidden=[4, 3]
    ),
    "2-D values": lambda epochs: fs.fit(values(), epochs=epochs),
    "many inputs, classes": lambda epochs: fs.fit("breast-cancer", epochs=epochs),
    "many inputs, several classes": lambda epochs: fs.fit("iris", epochs=epochs, hidden=[3]),
    "many inputs, values": lambda epochs: fs.fit("diabetes", epochs=epochs),
}


def weighted() -> Dataset:
    """80 points of two classes, which count more the further they lie to the right."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(80, 2))
    weights = np.exp(X[:, 0])
    return fs.dataset_from_arrays(X, X.sum(1) > 0, sample_weight=weights, test_fraction=0.25)


def text_of(run: Run, *, data: bool = True) -> str:
    """The run file as the page gets it here."""
    return base64.b64encode(run_bytes(run, data=data)).decode()


def array_of(text: str | list[str], dtype: type = np.float64) -> np.ndarray:
    """The array, or the columns, that the page sent as bytes."""
    if isinstance(text, list):
        return np.array([array_of(one, dtype) for one in text]).T
    return np.frombuffer(base64.b64decode(text), dtype)


def inputs(run: Run) -> np.ndarray:
    """All samples as the network sees them."""
    return np.concatenate([run.dataset.X, run.dataset.X_test])


def reshaped(run: Run, hidden: list[int], activation: str, seed: int = 0, size: float = 1) -> Run:
    """The same recording with another network, whose parameters are drawn."""
    e = run.experiment.override(hidden=hidden, activation=activation)
    p = e.network.n_parameters(run.dataset.d, run.dataset.k)
    params = size * np.random.default_rng(seed).normal(size=(len(run.steps), p))
    return replace(run, experiment=e, params=params.astype(np.float32))


@functools.cache
def some_runs() -> dict[str, Run]:
    """One run of every kind: few and many inputs, two and more classes, values; scaled or not."""
    return {
        "binary": fs.fit("rings-3", epochs=40, n_samples=300, test_fraction=0.25),
        "scaled": fs.fit("breast-cancer", epochs=20, hidden=[5], activation="tanh"),
        "multiclass": fs.fit("iris", epochs=30, hidden=[4, 3], standardize=False),
        "regression": fs.fit("diabetes", epochs=20, hidden=[4], activation="relu", batch_size=50),
        "curve": fs.fit("sine-10", epochs=10, loss="smooth_l1"),
        "neuron": fs.fit("threshold-sgd", epochs=5),
    }
