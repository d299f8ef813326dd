"""DataSpec -> Dataset: make or read the data, read off the task, split it, scale it."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fitscope.data import toys
from fitscope.data.arrays import raw_arrays
from fitscope.data.bundled import TARGETS, bundled_table
from fitscope.data.by_hand import points_by_hand, rows_by_hand
from fitscope.data.checked import TOO_LARGE, Scaling, as_float32, checked_dataset, of_mean_one
from fitscope.data.choices import chosen, notes_on
from fitscope.data.tables import feature_matrix, raw_from_table, read_table, write_table
from fitscope.encoding import encoded
from fitscope.errors import DataError
from fitscope.preprocessing import Preprocessing
from fitscope.rawdata import FEW_INTEGERS, RawData
from fitscope.records import Dataset, Label
from fitscope.specs import DataSpec, Experiment, Task, experiment

__all__ = [
    "Scaling",
    "checked_dataset",
    "dataset",
    "dataset_from_arrays",
    "dataset_table",
    "feature_matrix",
    "folds",
    "prepared",
    "raw_arrays",
    "raw_data",
    "read_table",
    "write_table",
]


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
    return prepared(spec, raw_data(spec))


def dataset_from_arrays(X: Any, y: Any, *, sample_weight: Any = None, **settings: Any) -> Dataset:
    """Arrays as data: X (n, d) of numbers or columns by name, y (n,), or (n, t) of values.

    Args:
        X: anything numpy takes, (n,) is one input; or columns by name: a data frame, a pyarrow
            table or a dict, of numbers, truth values, text and dates, as in a table's file.
        y: class labels or values, (n,) or (n, 1); a regression may have several targets, (n, t).
        sample_weight: how much each sample counts in the loss (n,), from 0 on; only ratios
            matter. Scores count all samples alike.
        **settings: of the data set `arrays`: `test_fraction`, `split_seed`, `standardize`,
            `task`; of columns by name also `features`, `categories` and `drop`.

    Raises:
        DataError: shapes do not fit, or values are not finite numbers.
    """
    return prepared(*raw_arrays(X, y, sample_weight=sample_weight, **settings))


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


def prepared(spec: DataSpec, raw: RawData) -> Dataset:
    """Raw data, split and scaled; the statistics are those of the training part."""
    known = _known(spec, raw)
    return _assembled(spec, raw, known, *_split(spec, known.y, known.task))


def folds(spec: DataSpec, raw: RawData, *, n_folds: int, most: int, seed: int) -> list[Dataset]:
    """The training part in parts of a like size: for each, data that trains on the others.

    What is learned of columns and scales is learned anew for each, from the others.

    Args:
        spec: what the data is.
        raw: the same as it comes.
        n_folds: how many; fewer where a class has fewer samples.
        most: how many samples take part, at random where there are more, but of each class its
            share, and at least one a fold.
        seed: of their order.

    Raises:
        DataError: a class has a single sample, or there are fewer than 4 samples.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    known = _known(spec, raw)
    rows = np.random.default_rng(seed).permutation(_split(spec, known.y, known.task)[0])
    is_value = known.task == "regression"
    rows = rows[:most] if is_value else rows[_first_of_each(known.y[rows], most, n_folds)]
    rarest = len(rows) // 2 if is_value else np.unique(known.y[rows], return_counts=True)[1].min()
    n_folds = min(n_folds, int(rarest))
    if n_folds < 2:
        raise DataError(
            "Cross-validation needs two samples of every class in the training part, and four in "
            "all; give more data, or leave the rare class out."
        )
    kind = KFold if is_value else StratifiedKFold
    alone = replace(raw, X_test=None, y_test=None)
    return [
        _assembled(spec, alone, known, rows[train], rows[test])
        for train, test in kind(n_folds).split(rows, known.y[rows])
    ]


def _first_of_each(y: np.ndarray, most: int, least: int) -> np.ndarray:
    """Which samples to take: of each class its share of `most`, in their order, or `least`."""
    before = np.empty(len(y))  # which part of its class comes before a sample
    for label in np.unique(y):
        of = np.flatnonzero(y == label)
        before[of] = np.arange(len(of)) / len(of)
        before[of[:least]] = -1
    n = max(most, int(np.sum(before < 0)))
    return np.sort(np.argsort(before, kind="stable")[:n])


class _Known(NamedTuple):
    """What the target says: the task, its values or class indices, the labels, and why."""

    task: Task
    y: np.ndarray
    classes: tuple[Label, ...]
    note: tuple[str, ...]


def _known(spec: DataSpec, raw: RawData) -> _Known:
    if len(raw.y) < 2:
        raise DataError(f"At least 2 samples are needed; there are {len(raw.y)}.")
    task, note = _task(spec, raw)
    return _Known(task, *_encode(raw, task), note)


def _assembled(
    spec: DataSpec, raw: RawData, known: _Known, train: np.ndarray, test: np.ndarray
) -> Dataset:
    """The rows of both parts as data; the statistics are those of the training part."""
    task, y, classes, note = known
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
        y=as_float32((y - y_mean) / y_scale).astype(kind),
        X_test=_scaled(X_test, mean, scale, spec.standardize),
        y_test=as_float32((y_test - y_mean) / y_scale).astype(kind),
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
        target_words=tuple(sorted(raw.target_words)),
        source=source,
    )
    X, names = encoded(raw.table, how, source=source).X, how.inputs
    is_constant = np.ptp(X[train], axis=0) == 0
    notes = [
        f"Column `{name}` is constant and tells the model nothing."
        for name, is_so in zip(names, is_constant, strict=True)
        if is_so
    ]
    told = (*notes_on(how, raw), *notes, *raw.notes)
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


def _encode(raw: RawData, task: Task) -> tuple[np.ndarray, tuple[Label, ...]]:
    """Labels as class indices with the sorted labels, or values as float64."""
    y, name = raw.y, raw.target_name
    if len(y) and (y == y[0]).all():
        words = ", ".join(f"`{word}` counts as missing" for word in raw.target_words)
        besides = f" ({words})" if words else ""
        raise DataError(
            f"`{name}` has only one value, {y[0]!s}: there is nothing to learn{besides}."
        )
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
        raise DataError(TOO_LARGE)
    return mean, np.where(scale == 0, 1.0, scale)


def _scaled(X: np.ndarray, mean: np.ndarray, scale: np.ndarray, wanted: bool | None) -> np.ndarray:
    """Inputs less their mean, by their scale, in float32; a copy of them where that is not wanted.

    A large array is written once, since new memory costs more than arithmetic.
    """
    if not wanted:
        return as_float32(X).copy() if X.dtype == np.float32 else as_float32(X)
    X = X - mean
    X /= scale
    return as_float32(X)
