"""Arrays and data frames in memory -> raw data, checked."""

from dataclasses import replace
from typing import Any

import numpy as np

from fitscope.encoding import as_table
from fitscope.errors import DataError
from fitscope.rawdata import RawData
from fitscope.specs import DataSpec

__all__ = ["raw_arrays"]


def raw_arrays(
    X: Any, y: Any, *, sample_weight: Any = None, **settings: Any
) -> tuple[DataSpec, RawData]:
    """The spec and the raw data of arrays, with the arguments of `dataset_from_arrays`."""
    spec, raw = DataSpec(name="arrays", **settings), _raw_from_arrays(X, _targets(y))
    if raw.y.ndim == 2 and (spec.task != "regression" or spec.standardize):
        raise DataError(
            f"y has {raw.y.shape[1]} columns: several targets need task='regression', and no "
            "`standardize`, which scales a single one."
        )
    weights = None if sample_weight is None else _weights(sample_weight, len(raw.y))
    return spec, replace(raw, weights=weights)


def _raw_from_arrays(X: Any, y: np.ndarray) -> RawData:
    """Numbers as they are; columns by name as a table."""
    names, table = [str(name) for name in getattr(X, "columns", ())], as_table(X)
    X = _inputs(X) if table is None else np.empty((table.num_rows, 0))
    shape = X.shape if table is None else (table.num_rows, table.num_columns)
    if (
        len(shape) != 2
        or y.ndim not in (1, 2)
        or shape[0] != len(y)
        or 0 in shape[1:] + y.shape[1:]
    ):
        raise DataError(f"X must be (n, d) and y (n,); got {shape} and {y.shape}.")
    if not np.isfinite(X).all():
        bad = np.argwhere(~np.isfinite(X)).tolist()
        raise DataError(
            f"X has missing or infinite values, {len(bad)} in all; the first is in row "
            f"{bad[0][0] + 1}, column {bad[0][1] + 1}."
        )
    if table is not None:
        return RawData(X, y, (), table=table)
    return RawData(X, y, tuple(names or [f"x{i + 1}" for i in range(X.shape[1])]))


def _weights(sample_weight: Any, n: int) -> np.ndarray:
    """Weights as float64, none of them negative."""
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError):
        weights = np.empty(0)
    if weights.shape != (n,) or not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise DataError(f"`sample_weight` must be {n} finite numbers, none of them negative.")
    return weights


def _inputs(X: Any) -> np.ndarray:
    """Inputs as float64, or as the float32 that they are; a single axis is a single input."""
    try:
        X = np.asarray(X)
        if X.dtype.kind == "c":
            raise TypeError("complex numbers have no order")
        X = X if X.dtype == np.float32 else X.astype(np.float64)  # a copy costs as a step does
    except (TypeError, ValueError) as error:
        raise DataError(f"X must be an array of numbers: {str(error).rstrip('.')}.") from None
    return np.asarray(X[:, None] if X.ndim == 1 else X)


def _targets(y: Any) -> np.ndarray:
    """Targets as an array of text, truth values or numbers; (n, 1) is (n,)."""
    try:
        y = np.asarray(y)
    except ValueError as error:
        raise DataError(f"y must be (n,): {str(error).rstrip('.')}.") from None
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.dtype == object and y.ndim == 1:  # what a data frame gives
        values = y.tolist()
        if None in values:
            raise DataError(f"`y` is missing in row {values.index(None) + 1}.")
        if len({isinstance(value, str) for value in values}) > 1:
            raise DataError("`y` mixes text with other values; make it all text or all numbers.")
        y = np.array(values)
    if y.dtype.kind not in "biufU":
        raise DataError(f"`y` must hold text, truth values or numbers; its type is {y.dtype}.")
    return np.asarray(y)
