"""The data sets that can be named, and the settings that each of them takes."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

__all__ = ["DATASETS", "READY", "DatasetInfo", "Task"]

Task = Literal["binary", "multiclass", "regression"]


class DatasetInfo(NamedTuple):
    """One row of the catalogue: what a data set is, and the settings it takes."""

    about: str
    settings: Mapping[str, Any]  # every setting that applies, with its default


_SPLIT = {"test_fraction": 0.0, "split_seed": 0, "standardize": False}
_MADE = {**_SPLIT, "points": None}
_COLUMNS = {"features": None, "categories": None, "drop": None}
_REAL = {
    **{"test_fraction": 0.2, "split_seed": 0, "standardize": True},
    **{"target": None, **_COLUMNS, "task": None},
}

DATASETS: Mapping[str, DatasetInfo] = {
    "gates": DatasetInfo(
        "Two noisy bits and a logic gate of them: and, or, xor.",
        {"n_samples": 500, "noise": 0.05, "seed": 42, "gate": "and", **_MADE},
    ),
    "gaussians": DatasetInfo(
        "Two round clouds of points, centred on (0, 0) and (2, 2).",
        {"n_samples": 1000, "noise": 1.0, "seed": 2020, **_MADE},
    ),
    "threshold": DatasetInfo(
        "Points on a line, class 1 where w x + b + noise > 0, with a fresh test set.",
        {
            **{"n_samples": 400, "noise": 0.1, "seed": 1, "w": 1.0, "b": 0.0},
            **{"standardize": False, "points": None},
        },
    ),
    "step": DatasetInfo(
        "Points on a line from -1 to 1, class 1 where x > 0.2, without noise.",
        {"n_samples": 20, **_MADE},
    ),
    "rings": DatasetInfo(
        "A disc of radius 1 inside a ring of radius 3 to 4.",
        {"n_samples": 2000, "seed": 100, **_MADE},
    ),
    "polynomial": DatasetInfo(
        "A random polynomial of x, with the powers of x as the inputs.",
        {"n_samples": 409 * 32, "noise": 0.0, "seed": 2020, "degree": 4, **_SPLIT},
    ),
    "sine": DatasetInfo(
        "A damped sine, sin(3x) exp(-x/8) on [-10, 10), or its mirror image.",
        {"n_samples": 200, "noise": 0.0, "seed": 0, "flipped": False, **_MADE},
    ),
    "moons": DatasetInfo(
        "Two interleaved half circles (scikit-learn).",
        {"n_samples": 400, "noise": 0.15, "seed": 0, **_MADE},
    ),
    "circles": DatasetInfo(
        "A circle inside a larger one (scikit-learn).",
        {"n_samples": 400, "noise": 0.08, "seed": 0, **_MADE},
    ),
    "spirals": DatasetInfo(
        "Spiral arms wound around each other, one a class.",
        {"n_samples": 400, "noise": 0.1, "seed": 0, "n_classes": 2, **_MADE},
    ),
    "blobs": DatasetInfo(
        "Round clouds of points, one a class (scikit-learn).",
        {"n_samples": 400, "noise": 1.0, "seed": 0, "n_classes": 4, **_MADE},
    ),
    "points": DatasetInfo(
        "Points set by hand, each [x1, x2, class].", {"points": None, "standardize": False}
    ),
    "iris": DatasetInfo("150 iris flowers of three species, 4 measurements each.", _REAL),
    "wine": DatasetInfo("178 wines of three growers, 13 chemical measurements each.", _REAL),
    "breast-cancer": DatasetInfo(
        "569 tumours, benign or malignant, 30 measurements each (Wisconsin).", _REAL
    ),
    "digits": DatasetInfo("1797 handwritten digits of 8 x 8 pixels.", _REAL),
    "diabetes": DatasetInfo(
        "442 patients, 10 measurements each, and how the disease went on.", _REAL
    ),
    "table": DatasetInfo("A CSV or Parquet file of yours: give its `path` and `target`.", _REAL),
    "arrays": DatasetInfo(
        "Arrays given in memory; only a run file holds them.",
        {**_SPLIT, **_COLUMNS, "task": None},
    ),
}

# Those that are there by their name alone.
READY = {name: info for name, info in DATASETS.items() if name not in ("table", "arrays")}
