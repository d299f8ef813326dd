"""A small picture of each data set: the places and classes of some samples."""

from typing import Any

import numpy as np

from fitscope.catalogue import READY
from fitscope.data import dataset
from fitscope.errors import DataError
from fitscope.records import Dataset
from fitscope.specs import DataSpec

__all__ = ["thumbnails"]

N_POINTS = 150


def thumbnails() -> dict[str, Any]:
    """For each data set `{x, y, c}`: two inputs and the class index.

    Of more than two inputs, the plane along which they vary most. A single input, or a regression,
    stands over its target; a regression has no classes. A data set that is nothing before points
    are set is empty.
    """
    return {name: _thumbnail(name) for name in READY}


def _thumbnail(name: str) -> dict[str, Any]:
    try:
        return _points(dataset(DataSpec(name=name)))
    except DataError:
        if READY[name].settings.get("n_samples") is None and "points" in READY[name].settings:
            return {"x": [], "y": [], "c": []}
        raise


def _points(data: Dataset) -> dict[str, Any]:
    X, targets = data.inputs(), data.targets()
    chosen = np.linspace(0, len(X) - 1, min(len(X), N_POINTS)).round().astype(np.int64)
    over_target = data.d == 1 or not data.classes
    if data.d > 2 and not over_target:
        X = _widest_plane(X)
    y = targets if over_target else X[:, 1]
    classes = targets[chosen].astype(np.int64).tolist() if data.classes else [None] * len(chosen)
    return {"x": _short(X[chosen, 0]), "y": _short(y[chosen]), "c": classes}


def _widest_plane(X: np.ndarray) -> np.ndarray:
    """(n, d) -> (n, 2): the first two principal components of inputs of equal variance."""
    scaled = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)
    directions = np.linalg.svd(scaled, full_matrices=False)[2][:2]
    return np.asarray(scaled @ directions.T)


def _short(values: np.ndarray) -> list[float]:
    """Four digits, which is more than a small picture shows."""
    return [float(f"{value:.4g}") for value in values]
