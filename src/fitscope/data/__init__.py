"""DataSpec -> Dataset: make or read the data, read off the task, split it, scale it."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fitscope.data import toys
from fitscope.data.bundled import TARGETS, bundled_table
from fitscope.data.by_hand import points_by_hand, rows_by_hand
from fitscope.data.checked import Scaling, checked_dataset, of_mean_one
from fitscope.data.choices import chosen, notes_on
from fitscope.data.tables import (
    FEW_INTEGERS,
    feature_matrix,
    raw_from_table,
    read_table,
    write_table,
)
from fitscope.encoding import as_table, encoded
from fitscope.errors import DataError
from fitscope.preprocessing import Preprocessing
from fitscope.rawdata import RawData
from fitscope.records import Dataset, Label
from fitscope.specs import DataSpec, Experiment, Task, experiment

__all__ = [
    "Scaling",
    "checked_dataset",
    "dataset",
    "dataset_from_arrays",
    "dataset_table",
    "feature_matrix",
    "raw_data",
    "read_table",
    "write_table",
]

_TOO_LARGE = "Values beyond 3e38 do not fit into float32; rescale them."


def dataset(source: "DataSpec | Experiment | str | Path") -> Dataset:
    """The data that a spec describes, split and scaled.

    Args:
        source: a DataSpec, or what `experiment` takes: a name, a file, an Experiment.

    Raises:
        InputFileError: a table cannot be read.
        UnknownNameError: a named column is not there.
        DataError: the data cannot be used; the text says where and what to do.

    Example:
        >>> dataset("rings").X.shape
        (2000, 2)
    """
    spec = source if isinstance(source, DataSpec) else experiment(source).data
    return _prepare(spec, raw_data(spec))


def dataset_from_arrays(X: Any, y: Any, *, sample_weight: Any = None, **settings: Any) -> Dataset:
    """Arrays as data: X (n, d) of numbers or columns by name, y (n,), or (n, t) of values.

    Args:
        X: anything numpy takes, (n,) is one input; or columns by name: a data frame, a pyarrow
            table or a dict, of numbers, truth values, text and dates, as in a table's file.
        y: class labels or values, (n,) or (n, 1); a regression may have several targets, (n, t).
        sample_weight: how much each sample counts in the loss (n,), from 0 on; only ratios
            matter. Scores count all samples alike.
        **settings: of the data set `arrays`: `test_fraction`, `split_seed`, `standardize`,
            `task`.

    Raises:
        DataError: shapes do not fit, or values are not finite numbers.
    """
    spec, raw = DataSpec(name="arrays", **settings), _raw_from_arrays(X, _targets(y))
    if raw.y.ndim == 2 and (spec.task != "regression" or spec.standardize):
        raise DataError(
            f"y has {raw.y.shape[1]} columns: several targets need task='regression', and no "
            "`standardize`, which scales a single one."
        )
    weights = None if sample_weight is None else _weights(sample_weight, len(raw.y))
    return _prepare(spec, replace(raw, weights=weights))


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
    bad = np.argwhere(~np.isfinite(X)).tolist()
    if bad:
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


def raw_data(spec: DataSpec) -> RawData:
    """The data that a spec describes, as it comes: not split, not scaled, nothing added by hand."""
    if spec.name == "arrays":
        raise DataError("This data was given in memory: pass (X, y), or a run's `dataset`.")
    if spec.name == "table" or spec.name in TARGETS:
        codes = spec.categories or ()
        table = read_table(spec.path, texts=codes) if spec.path else bundled_table(spec.name)
        return raw_from_table(
            table,
            target=spec.target or TARGETS.get(spec.name),
            features=spec.features,
            drop=spec.drop or (),
            categories=codes,
            source=spec.path or spec.name,
        )
    if spec.name == "points":
        return points_by_hand(spec.points)
    generator: Callable[..., RawData] = getattr(toys, spec.name)
    taken = inspect.signature(generator).parameters
    return generator(**{name: getattr(spec, name) for name in taken})


def dataset_table(spec: DataSpec) -> Any:
    """The data that a spec describes as a pyarrow table, the target last: what `data -o` writes."""
    import pyarrow as pa

    if spec.name in TARGETS:
        return bundled_table(spec.name)
    raw = raw_data(spec)
    classes = () if raw.task == "regression" else np.unique(raw.y).tolist()
    X, y = _with_rows_by_hand(spec, raw, raw.X, raw.y, classes)
    columns = dict(zip(raw.feature_names, X.T, strict=True))
    return pa.table({**columns, raw.target_name: y})


def _prepare(spec: DataSpec, raw: RawData) -> Dataset:
    """Splits and scales raw data; the statistics are those of the training part."""
    if len(raw.X) < 2:
        raise DataError(f"At least 2 samples are needed; there are {len(raw.X)}.")
    task, note = _task(spec, raw)
    y, classes = _encode(raw.y, task, raw.target_name)
    train, test = _split(spec, y, task)
    raw, how = _with_inputs(spec, raw, train)
    X_test, y_test = raw.X[test], y[test]
    if raw.X_test is not None and raw.y_test is not None:
        X_test, y_test = raw.X_test, np.searchsorted(classes, raw.y_test)
    is_split = len(test) > 0
    X, y = (raw.X[train], y[train]) if is_split else (raw.X, y)
    X, y = _with_rows_by_hand(spec, raw, X, y, classes)
    if len(X) > len(train):
        note += (f"The last {len(X) - len(train)} of the training samples were set by hand.",)
    mean, scale = _statistics(X, spec.standardize)
    is_scaled = spec.standardize and task == "regression"
    y_mean, y_scale = _statistics(y, wanted=True) if is_scaled else (0.0, 1.0)
    kind = np.float32 if task == "regression" else np.int32
    return Dataset(
        spec=spec,
        task=task,
        X=_scaled(X, mean, scale, spec.standardize),
        y=_float32((y - y_mean) / y_scale).astype(kind),
        X_test=_scaled(X_test, mean, scale, spec.standardize),
        y_test=_float32((y_test - y_mean) / y_scale).astype(kind),
        feature_names=raw.feature_names,
        target_name=raw.target_name,
        classes=classes,
        n_train=len(X),
        n_test=len(X_test),
        mean=mean,
        scale=scale,
        y_mean=float(y_mean),
        y_scale=float(y_scale),
        truth=raw.truth,
        notes=(*raw.notes, *note),
        weights=None if raw.weights is None else of_mean_one(raw.weights, train, test),
        n_targets=1 if y.ndim == 1 else y.shape[1],
        preprocessing=how,
    )


def _with_inputs(
    spec: DataSpec, raw: RawData, train: np.ndarray
) -> tuple[RawData, Preprocessing | None]:
    """A table's columns as inputs, which the training part alone decides; other data as it is."""
    if raw.table is None:
        return raw, None
    source = spec.path or ("X" if spec.name == "arrays" else spec.name)
    how = chosen(
        raw.table,
        train,
        features=spec.features,
        categories=spec.categories or (),
        n_unlabelled=raw.n_unlabelled,
        target_words=raw.target_words,
        source=source,
    )
    X, names = encoded(raw.table, how, source=source).X, how.inputs
    is_constant = np.ptp(X[train], axis=0) == 0
    notes = [
        f"Column `{name}` is constant and tells the model nothing."
        for name, is_so in zip(names, is_constant, strict=True)
        if is_so
    ]
    told = (*notes_on(how, raw.target_name), *notes, *raw.notes)
    return replace(raw, X=X, feature_names=names, notes=told), how


def _task(spec: DataSpec, raw: RawData) -> tuple[Task, tuple[str, ...]]:
    """The task: asked for, known, or read off the target, and then why."""
    known = spec.task or raw.task
    if known is not None:
        return known, ()
    values = np.unique(raw.y)
    numeric = raw.y.dtype.kind in "iuf"
    whole = numeric and bool(np.all(raw.y == np.round(raw.y)))
    name, n = raw.target_name, len(values)
    task: Task
    if n == 2:
        task, why = "binary", "two different values"
    elif not numeric:
        task, why = "multiclass", f"{n} different labels"
    elif whole and n <= FEW_INTEGERS:
        task, why = "multiclass", f"{n} different whole numbers"
    else:
        task, why = "regression", f"{n} different numbers"
    if not numeric and n > max(FEW_INTEGERS, len(raw.y) // 2):
        raise DataError(f"`{name}` has {n} different texts in {len(raw.y)} rows: no classes.")
    return task, (f"`{name}` has {why}, so the task is {task}; `task` overrides this.",)


def _encode(y: np.ndarray, task: Task, name: str) -> tuple[np.ndarray, tuple[Label, ...]]:
    """Labels as class indices with the sorted labels, or values as float64."""
    if len(y) and (y == y[0]).all():
        raise DataError(f"`{name}` has only one value, {y[0]!s}: there is nothing to learn.")
    if task == "regression":
        try:
            values = y.astype(np.float64)
        except ValueError:
            raise DataError(f"`{name}` holds text; a regression needs numbers.") from None
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise DataError(f"`{name}` is not a finite number in row {row + 1}.")
        return values, ()
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise DataError(f"`{name}` is not a finite number in row {np.argmin(np.isfinite(y)) + 1}.")
    labels = np.unique(y)
    if task == "binary" and len(labels) != 2:
        raise DataError(f"`{name}` has {len(labels)} classes; a binary task needs 2.")
    return np.searchsorted(labels, y), tuple(labels.tolist())


def _split(spec: DataSpec, y: np.ndarray, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training and the test part, stratified for classes."""
    everything = np.arange(len(y))
    fraction = spec.test_fraction or 0.0
    if fraction == 0:
        return everything, everything[:0]
    from sklearn.model_selection import train_test_split

    n_test = int(np.ceil(fraction * len(y)))
    smallest = 1 if task == "regression" else len(np.unique(y))
    if min(n_test, len(y) - n_test) < smallest:
        raise DataError(
            f"{len(y)} samples cannot be split with `test_fraction` {fraction:g}: each part needs "
            f"at least {smallest}. Give more data or set `test_fraction` to 0."
        )
    if task != "regression" and np.bincount(y).min() < 2:
        raise DataError(
            "A class has a single sample, which cannot be in both parts. Give more data, leave "
            "the class out, or set `test_fraction` to 0."
        )
    train, test = train_test_split(
        everything,
        test_size=fraction,
        random_state=spec.split_seed,
        stratify=None if task == "regression" else y,
    )
    if task != "regression" and len(np.unique(y[train])) < smallest:
        raise DataError(
            f"`test_fraction` {fraction:g} leaves a class out of the training part. Give more data "
            "or a smaller `test_fraction`."
        )
    return train, test


def _with_rows_by_hand(
    spec: DataSpec, raw: RawData, X: np.ndarray, y: np.ndarray, classes: Sequence[Label]
) -> tuple[np.ndarray, np.ndarray]:
    """Samples and, after them, the rows of `points`, which so never move another sample."""
    if spec.points is None or spec.name == "points":
        return X, y
    X_more, y_more = rows_by_hand(spec.points, raw.feature_names, classes)
    return np.concatenate([X, X_more]), np.concatenate([y, y_more])


def _statistics(values: np.ndarray, wanted: bool | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each column; 0 and 1 where not wanted, 1 for a constant."""
    shape = values.shape[1:]
    if not wanted:
        return np.zeros(shape), np.ones(shape)
    constant = np.ptp(values, axis=0) == 0
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.where(constant, values[0], values.mean(axis=0, dtype=np.float64))
        scale = np.where(constant, 0.0, values.std(axis=0, dtype=np.float64))
    if not np.isfinite(scale).all() or not np.isfinite(mean).all():
        raise DataError(_TOO_LARGE)
    return mean, np.where(scale == 0, 1.0, scale)


def _scaled(X: np.ndarray, mean: np.ndarray, scale: np.ndarray, wanted: bool | None) -> np.ndarray:
    """Inputs less their mean, by their scale, in float32; a copy of them where that is not wanted.

    A large array is written once, since new memory costs more than arithmetic.
    """
    if not wanted:
        return _float32(X).copy() if X.dtype == np.float32 else _float32(X)
    X = X - mean
    X /= scale
    return _float32(X)


def _float32(values: np.ndarray) -> np.ndarray:
    """Values in float32, refused where they are too large for it."""
    with np.errstate(over="ignore"):
        small = np.asarray(values, dtype=np.float32)
    if not np.isfinite(small).all():
        raise DataError(_TOO_LARGE)
    return small
