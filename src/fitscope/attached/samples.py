"""The samples that somebody's own loop trains on: as their module takes them, and as a Dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fitscope.errors import DataError
from fitscope.records import Dataset, Label
from fitscope.specs import DataSpec, Task

__all__ = ["Samples", "class_indices", "dataset_of", "samples_of"]

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_TYPES = (*_FLOATS, torch.int32, torch.int64)


@dataclass(frozen=True)
class Samples:
    """Inputs and targets of one part, as the module and its loss take them."""

    X: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.X)


def samples_of(module: nn.Module, X: Any, y: Any, *, what: str = "") -> Samples:
    """Tensors of anything numpy takes, as copies, since a loop may change its own.

    Args:
        module: whose number type arrays of floats get.
        X: inputs, a row a sample.
        y: targets.
        what: what comes before the names in a message, such as "test ".

    Raises:
        DataError: they are no numbers, not finite, or of different lengths.
    """
    kind = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
    takes_indices = any(isinstance(part, nn.Embedding) for part in module.modules())
    inputs = _tensor(X, f"{what}X", kind, keep_whole=takes_indices)
    targets = _tensor(y, f"{what}y", kind, keep_whole=True)
    if inputs.ndim < 1 or targets.ndim < 1 or len(inputs) != len(targets) or not inputs.numel():
        raise DataError(
            f"{what}X must be (n, ...) and {what}y (n,) or (n, k) with the same n; got "
            f"{tuple(inputs.shape)} and {tuple(targets.shape)}."
        )
    return Samples(inputs, targets)


def _tensor(value: Any, name: str, kind: torch.dtype, *, keep_whole: bool) -> Tensor:
    """A tensor of finite numbers."""
    if isinstance(value, Tensor):
        found = value.detach().clone()
    else:
        try:
            array = np.asarray(value)
            array = array.astype(np.float64) if array.dtype == object else array
        except (TypeError, ValueError) as error:
            raise DataError(f"{name} must be an array of numbers: {error}.") from None
        if array.dtype.kind not in "biuf":
            raise DataError(f"{name} must be an array of numbers; its type is {array.dtype}.")
        whole = keep_whole and array.dtype.kind in "biu"
        found = torch.tensor(array.astype(np.int64 if whole else np.float64))
        found = found if whole else found.to(kind)
    if found.dtype == torch.bool or (found.dtype not in _TYPES and not found.is_complex()):
        found = found.long()
    if found.dtype not in _TYPES:
        raise DataError(f"{name} must hold real numbers; its type is {found.dtype}.")
    if not torch.isfinite(found).all():
        raise DataError(f"{name} has missing or infinite values.")
    return found


def dataset_of(
    train: Samples,
    test: Samples | None,
    *,
    task: Task,
    n_outputs: int,
    feature_names: Sequence[str] | None,
    classes: Sequence[Label] | None,
    notes: tuple[str, ...],
) -> Dataset:
    """The samples as a Dataset, nothing split and nothing scaled.

    Inputs of several axes, such as pictures, lie flat; of several targets the first is kept. Of
    one-hot targets the classes are.

    Raises:
        DataError: names do not fit the columns, or targets are none of the classes.
    """
    d = train.X[0].numel()
    names = _checked_names(feature_names, d)
    column = _column if task == "regression" else _class_column
    y, y_test = column(train.y), column(test.y) if test else np.zeros(0)
    labels: tuple[Label, ...] = ()
    if task != "regression":
        y, y_test, labels = _classes(y, y_test, 2 if task == "binary" else n_outputs, classes)
    elif classes is not None:
        raise DataError("`classes` names classes; this run is a regression.")
    n_targets = 1 if task != "regression" else train.y[0].numel()
    if n_targets > 1:
        notes = (*notes, f"There are {n_targets} targets; the samples keep the first.")
    kind = np.int32 if labels else np.float32
    return Dataset(
        spec=DataSpec(name="arrays", task=task),
        task=task,
        X=_flat(train.X, d),
        y=y.astype(kind),
        X_test=_flat(test.X, d) if test else np.zeros((0, d), np.float32),
        y_test=y_test.astype(kind),
        feature_names=names,
        target_name="y" if n_targets == 1 else "y1",
        classes=labels,
        n_train=len(train),
        n_test=len(test) if test else 0,
        mean=np.zeros(d),
        scale=np.ones(d),
        notes=notes,
    )


def _flat(X: Tensor, d: int) -> np.ndarray:
    """A copy, since a loop may change its own tensors."""
    return np.array(X.reshape(len(X), d).float().cpu().numpy(), dtype=np.float32)


def _column(y: Tensor) -> np.ndarray:
    """The targets, or the first of several, as (n,)."""
    return np.array(y.reshape(len(y), -1)[:, 0].cpu().double().numpy())


def class_indices(y: Tensor) -> Tensor | None:
    """Targets (n,) or (n, 1) as they are, one-hot rows by the place of their 1, else None."""
    columns = y.reshape(len(y), -1)
    if columns.shape[1] == 1:
        return columns[:, 0]
    is_one_hot = ((columns == 0) | (columns == 1)).all() and (columns.sum(1) == 1).all()
    return columns.argmax(1) if is_one_hot else None


def _class_column(y: Tensor) -> np.ndarray:
    found = class_indices(y)
    if found is None:
        raise DataError(
            "y must be one class for each sample, (n,), or rows with a single 1 and else 0; got "
            f"{tuple(y.shape)}."
        )
    return _column(found)


def _checked_names(given: Sequence[str] | None, d: int) -> tuple[str, ...]:
    if given is None:
        return tuple(f"x{i + 1}" for i in range(d))
    names = tuple(given) if not isinstance(given, str) else (given,)
    if len(names) != d or len(set(names)) != d or not all(isinstance(n, str) for n in names):
        raise DataError(f"`feature_names` must be {d} different names; got {list(names)[:8]}.")
    return names


def _classes(
    y: np.ndarray, y_test: np.ndarray, n: int, given: Sequence[Label] | None
) -> tuple[np.ndarray, np.ndarray, tuple[Label, ...]]:
    """Class indices of both parts, and the labels."""
    seen = np.unique(y)
    is_index = bool(np.isin(seen, np.arange(n)).all())
    known = np.arange(n, dtype=np.float64) if is_index else seen
    if len(known) != n:
        raise DataError(
            f"y must hold the {n} classes 0 to {n - 1}; it has {len(seen)} different values, from "
            f"{seen[0]:g} to {seen[-1]:g}. Where it is no class, set task='regression'."
        )
    if not np.isin(y_test, known).all():
        raise DataError("The test y has classes that y has not.")
    labels: tuple[Label, ...] = tuple(int(v) if v == int(v) else float(v) for v in known)
    if given is not None:
        labels = tuple(given)
        if len(labels) != n or len(set(labels)) != n:
            raise DataError(f"`classes` must be {n} different labels; got {list(labels)[:8]}.")
    return np.searchsorted(known, y), np.searchsorted(known, y_test), labels
