"""What a view needs of a run, each refused with one sentence where it is not there."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64

from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.records import Dataset, Run
from fitscope.specs import LOSSES
from fitscope.train.plan import Plan

__all__ = [
    "RANGES",
    "Part",
    "check_choice",
    "check_grid",
    "check_range",
    "checked_loss",
    "feature_indices",
    "grid_axes",
    "hidden_names",
    "loss_label",
    "needs_classes",
    "needs_data",
    "needs_digits",
    "needs_finite",
    "needs_fit",
    "needs_inputs",
    "needs_one_target",
    "needs_plain",
    "needs_regression",
    "part_of",
]

Part = Literal["train", "test"]
_UNITS = {"cross_entropy": "cross-entropy (nats per sample)", "relative": "relative error"}
RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}  # of what a unit answers
_NUMBERS = {1: "one input", 2: "two inputs"}
_COARSE = 100  # such steps in a standard deviation


def needs_data(dataset: Dataset, view: str) -> None:
    """Raises DataError where the samples were left out."""
    if not len(dataset.X):
        raise DataError(f"{view} needs the data; this run was saved without it.")


def needs_inputs(dataset: Dataset, view: str, n: int) -> None:
    """Raises DataError where the run has not exactly n inputs."""
    if dataset.d != n:
        raise DataError(f"{view} needs {_NUMBERS[n]}; this run has {dataset.d}.")


def needs_one_target(dataset: Dataset, view: str) -> None:
    """Raises DataError where the run predicts several values at once."""
    if dataset.n_targets > 1:
        raise DataError(f"{view} shows one target; this run has {dataset.n_targets}.")


def needs_plain(run: Run, view: str) -> None:
    """Raises DataError where the model is a module that is no plain stack of linear layers."""
    if not run.is_plain and run.attached:
        raise DataError(
            f"{view} needs a plain stack of linear layers with one activation; this run's module, "
            f"{run.attached.module}, is none."
        )


def needs_fit(run: Run, what: str) -> None:
    """Raises DataError where `fit` cannot train again: a loop of somebody's own was recorded."""
    if run.attached:
        raise DataError(
            f"{what} would have to train again; this run was recorded by fs.attach, and only its "
            "own loop gives it again."
        )


def needs_classes(dataset: Dataset, view: str) -> None:
    """Raises DataError where the run is a regression."""
    if not dataset.classes:
        raise DataError(f"{view} needs classes; this run is a regression.")


def needs_regression(dataset: Dataset, view: str) -> None:
    """Raises DataError where the run has classes."""
    if dataset.classes:
        raise DataError(f"{view} needs a regression; this run has classes.")


def check_choice(name: str, value: str, known: Sequence[str]) -> None:
    """Raises UnknownNameError where an option is none of the words it takes."""
    if value not in known:
        words = " or ".join(known) if len(known) == 2 else ", ".join(known)
        hint = near_miss(str(value), known)
        raise UnknownNameError(f"`{name}` must be {words}; got {value!r}.{hint}")


def needs_finite(answers: np.ndarray, view: str) -> None:
    """Raises DataError where a model that diverged answers with what is no number."""
    if not np.isfinite(answers).all():
        raise DataError(
            f"{view} needs finite answers; at this step the model's are not all finite."
        )


def check_grid(n_grid: int, *, most: int = 1000) -> None:
    """Raises DataError where a grid has fewer than 2 or more than `most` points a side."""
    if not 2 <= n_grid <= most:
        raise DataError(f"`n_grid` must be from 2 to {most}; got {n_grid}.")


def check_range(name: str, given: Sequence[float]) -> None:
    """Raises DataError where a range is not two finite numbers, the smaller first."""
    if len(given) != 2 or not (np.isfinite(given).all() and given[0] < given[1]):
        raise DataError(f"`{name}` must be two numbers, the smaller first; got {tuple(given)}.")


def grid_axes(
    points: Float64[np.ndarray, "n 2"], n_grid: int
) -> tuple[Float64[np.ndarray, " g"], Float64[np.ndarray, " g"]]:
    """Places along both axes that span the points with a margin of 12 % on each side."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.12 * np.where(high > low, high - low, 1.0)
    (x_low, y_low), (x_high, y_high) = low - margin, high + margin
    return np.linspace(x_low, x_high, n_grid), np.linspace(y_low, y_high, n_grid)


def hidden_names(run: Run) -> list[tuple[str, ...]]:
    """The name of every hidden unit, by layer: h1, h2, ...; h1[2] where there are more layers."""
    widths = run.experiment.network.hidden
    written = "h{1}" if len(widths) == 1 else "h{0}[{1}]"
    return [
        tuple(written.format(layer, unit) for unit in range(1, width + 1))
        for layer, width in enumerate(widths, start=1)
    ]


def feature_indices(dataset: Dataset, features: Sequence[str | int], n: int) -> list[int]:
    """The columns of n different features, named or counted from 0.

    Raises:
        DataError: they are not n different ones.
        UnknownNameError: the data has no feature of that name.
    """
    names = dataset.feature_names
    if isinstance(features, str):
        raise DataError(f"`features` must be a list of inputs; got {features!r}.")
    found = []
    for feature in features:
        if feature in names:
            found.append(names.index(str(feature)))
        elif str(feature).isdecimal() and int(feature) < dataset.d:
            found.append(int(feature))
        else:
            more = f" and {len(names) - 8} more" if len(names) > 8 else ""
            hint = near_miss(str(feature), names) or f" There are {', '.join(names[:8])}{more}."
            raise UnknownNameError(f"`{feature}` is not an input of this run.{hint}")
    if len(found) != n or len(set(found)) != n:
        raise DataError(f"`features` must name {n} different inputs; got {list(features)}.")
    return found


def part_of(
    dataset: Dataset, view: str, part: str | None
) -> tuple[str, Float32[np.ndarray, "n d"], np.ndarray]:
    """Name, inputs (scaled) and targets of a part; None is the part that the model is judged on.

    Raises:
        DataError: the samples were left out, or there is no test part.
        UnknownNameError: `part` is neither train nor test.
    """
    if part is not None:
        check_choice("part", part, ("train", "test"))
    needs_data(dataset, view)
    name, X, y = dataset.judged_part()
    if part == "train":
        name, X, y = "training", dataset.X, dataset.y
    elif part == "test" and name != "test":
        raise DataError("This run has no test part; set `test_fraction` to hold samples out.")
    return name, X, y


def checked_loss(run: Run, name: str | None) -> str:
    """The name of a loss that the run's answers can be judged by; None is the run's own.

    Raises:
        DataError: it has no meaning for the task, or divides by a standardised target.
    """
    if name is None and run.attached and run.attached.own_loss:
        known = ", ".join(LOSSES[run.dataset.task])
        raise DataError(
            f"This run's loss, {run.loss}, is its loop's own and cannot be computed again; where a "
            f"view takes `loss`, name another: {known}."
        )
    name, task = name or run.loss, run.dataset.task
    if name not in LOSSES[task]:
        raise DataError(
            f"`loss` must be one of {', '.join(LOSSES[task])} for {task}; got {name!r}."
        )
    if name == "relative" and run.dataset.spec.standardize:
        raise DataError("The loss `relative` divides by the target, which is standardised here.")
    return name


def needs_digits(d: Dataset) -> None:
    """Inputs, and the target of a regression, that vary much more than float32 rounds them."""
    columns = [*d.X.T] if d.classes else [*d.X.T, d.y]
    for name, values in zip((*d.feature_names, d.target_name), columns, strict=False):
        step = float(np.spacing(np.abs(values).max()))
        if 0 < values.std(dtype=float) < _COARSE * step:
            raise DataError(
                f"`{name}` varies too little for how far from 0 it lies: float32 holds it in "
                f"steps of {step:g}. Train with standardize=True."
            )


def loss_label(run: Run | Plan, name: str | None = None) -> str:
    """A loss, by default the run's or the plan's own, by name and unit, as it stands on an axis."""
    d = run.dataset
    if name is None and isinstance(run, Run) and run.attached and run.attached.own_loss:
        return f"{run.loss}, the loop's own loss"
    name = name or str(run.experiment.training.loss)
    if d.task == "regression" and name == "smooth_l1":
        return "smooth L1 loss"
    if d.task == "regression" and name == "mse":
        unit = "standardised" if d.spec.standardize else "in its units squared"
        return f"mean squared error ({d.target_name} {unit})"
    return _UNITS.get(name, "mean squared error of the probability")
