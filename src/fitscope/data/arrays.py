"""Arrays and data frames in memory -> raw data, checked."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscope.encoding import as_table
from fitscope.errors import DataError
from fitscope.rawdata import RawData, Target, input_columns, raw_of, target_of
from fitscope.specs import DataSpec

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["raw_arrays"]


def raw_arrays(
    X: Any, y: Any, *, sample_weight: Any = None, **settings: Any
) -> tuple[DataSpec, RawData]:
    """The spec and the raw data of arrays, with the arguments of `dataset_from_arrays`."""
    spec, table = DataSpec(name="arrays", **settings), as_table(X)
    target = _all_of(_targets(y)) if table is None else _target(y)
    raw = _raw_from_arrays(spec, X, target) if table is None else _raw_of(spec, table, target)
    if raw.y.ndim == 2 and (spec.task != "regression" or spec.standardize):
        raise DataError(
            f"y has {raw.y.shape[1]} columns: several targets need task='regression', and no "
            "`standardize`, which scales a single one."
        )
    if sample_weight is None:
        return spec, raw
    weights = _weights(sample_weight, len(target.is_kept))
    return spec, replace(raw, weights=weights[target.is_kept])


def _raw_of(spec: DataSpec, table: "pa.Table", target: Target) -> RawData:
    """Columns by name as a table, without the rows that have no target."""
    _check_shapes(table.shape, target)
    inputs = input_columns(
        table.column_names,
        target=None,
        features=spec.features,
        drop=spec.drop or (),
        categories=spec.categories or (),
        source="X",
    )
    return raw_of(table.select(inputs), target, "y")


def _raw_from_arrays(spec: DataSpec, X: Any, target: Target) -> RawData:
    """Numbers as they are."""
    names = [str(name) for name in getattr(X, "columns", ())]
    X = _inputs(X)
    _check_shapes(X.shape, target)
    for setting in ("features", "categories", "drop"):
        if getattr(spec, setting) is not None:
            raise DataError(
                f"`{setting}` names columns, and X is an array of numbers; give a data frame, or a "
                "dict of columns."
            )
    if not np.isfinite(X).all():
        bad = np.argwhere(~np.isfinite(X)).tolist()
        raise DataError(
            f"X has missing or infinite values, {len(bad)} in all; the first is in row "
            f"{bad[0][0] + 1}, column {bad[0][1] + 1}."
        )
    return RawData(X, target.y, tuple(names or [f"x{i + 1}" for i in range(X.shape[1])]))


def _check_shapes(shape: tuple[int, ...], target: Target) -> None:
    y_shape = (*target.is_kept.shape, *target.y.shape[1:])
    is_fit = len(shape) == 2 and len(y_shape) in (1, 2) and shape[0] == y_shape[0]
    if not is_fit or 0 in shape[1:] + y_shape[1:]:
        raise DataError(f"X must be (n, d) and y (n,); got {shape} and {y_shape}.")


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


def _target(y: Any) -> Target:
    """The targets of a table's rows, of which those without one are left out, as of a file."""
    import pyarrow as pa

    values = _array(y)
    try:
        column = pa.array(values, from_pandas=True) if values.ndim == 1 else None
    except (pa.ArrowException, OverflowError):  # several kinds of values
        column = None
    return _all_of(_targets(y)) if column is None else target_of(pa.chunked_array([column]), "y")


def _all_of(y: np.ndarray) -> Target:
    """Targets of which none may be missing."""
    return Target(y, np.ones(y.shape[:1], dtype=bool), {})


def _targets(y: Any) -> np.ndarray:
    """Targets as an array of text, truth values or numbers; (n, 1) is (n,)."""
    y = _array(y)
    if y.dtype == object and y.ndim == 1:  # what a data frame gives
        values = y.tolist()
        gaps = [v is None or (isinstance(v, float) and math.isnan(v)) for v in values]
        if any(gaps):
            raise DataError(f"`y` is missing in row {gaps.index(True) + 1}.")
        if len({isinstance(value, str) for value in values}) > 1:
            raise DataError("`y` mixes text with other values; make it all text or all numbers.")
        y = np.array(values)
    if y.dtype.kind not in "biufU":
        raise DataError(f"`y` must hold text, truth values or numbers; its type is {y.dtype}.")
    return np.asarray(y)


def _array(y: Any) -> np.ndarray:
    """Targets as numpy has them; (n, 1) is (n,)."""
    try:
        y = np.asarray(y)
    except ValueError as error:
        raise DataError(f"y must be (n,): {str(error).rstrip('.')}.") from None
    return np.asarray(y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y)
