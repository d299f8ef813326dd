"""How do several runs on the same data differ: their losses, their paths, their boundaries?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64, Int64

from fitscope.analysis.models import (
    Compared,
    Model,
    judged,
    losses_at,
    model_of,
    reference_model,
    spread,
)
from fitscope.analysis.needs import (
    check_choice,
    check_grid,
    checked_loss,
    grid_axes,
    loss_label,
    needs_data,
    needs_inputs,
    needs_plain,
)
from fitscope.errors import DataError
from fitscope.evaluation import mean_loss
from fitscope.records import Dataset, Run
from fitscope.specs import FLAT_FIELDS

__all__ = [
    "BoundaryComparison",
    "LossComparison",
    "PathComparison",
    "compare",
]

What = Literal["losses", "paths", "boundaries"]
_MOST_EPOCHS = 400  # evaluated again, where the runs' own losses cannot be compared


@dataclass(frozen=True, eq=False)
class LossComparison:
    """The losses of several runs on the training part.

    Attributes:
        names: of the runs.
        at: epochs, or updates, of each run's losses.
        losses: each run's losses, all of one kind.
        axis: what `at` counts.
        label: the loss by name and unit.
        log_scale: whether a log scale helps.
        reference: scikit-learn's model; None without it.
        reference_loss: its loss, of the same kind; NaN without it.
        title: which runs these are.
    """

    names: tuple[str, ...]
    at: tuple[Int64[np.ndarray, " _"], ...]
    losses: tuple[Float64[np.ndarray, " _"], ...]
    axis: str
    label: str
    log_scale: bool
    reference: Compared | None
    reference_loss: float
    title: str


@dataclass(frozen=True, eq=False)
class PathComparison:
    """The paths of several runs over one loss surface.

    Attributes:
        names: of the runs.
        paths: (w, b) after each recorded step, as the network has them.
        w: places along the weight.
        b: places along the offset.
        surface: `surface[i, j]` is the loss on the training part at `w[j], b[i]`.
        levels: losses at which a line is worth drawing, rising.
        axes: what w and b are.
        label: the loss by name and unit.
        reference: scikit-learn's model; None without it.
        reference_at: where it lies, as (w, b) of the network; None without it.
        title: which runs these are.
    """

    names: tuple[str, ...]
    paths: tuple[Float64[np.ndarray, "_ 2"], ...]
    w: Float64[np.ndarray, " g"]
    b: Float64[np.ndarray, " g"]
    surface: Float64[np.ndarray, "g g"]
    levels: Float64[np.ndarray, " l"]
    axes: tuple[str, str]
    label: str
    reference: Compared | None
    reference_at: Float64[np.ndarray, "2"] | None
    title: str


@dataclass(frozen=True, eq=False)
class BoundaryComparison:
    """Where several models are undecided, over two inputs in the data's units.

    Attributes:
        models: the runs' ends, and scikit-learn's model last where it was asked for.
        x: places along the first input.
        y: places along the second.
        logits: `logits[m, i, j]` is model m's answer at `x[j], y[i]`; 0 is a probability of 0.5.
            Cut off at a billion, where those of a run that diverged have no end.
        has_reference: whether the last model is scikit-learn's.
        dataset: the data.
        title: which runs these are.
    """

    models: tuple[Compared, ...]
    x: Float64[np.ndarray, " g"]
    y: Float64[np.ndarray, " g"]
    logits: Float64[np.ndarray, "m g g"]
    has_reference: bool
    dataset: Dataset
    title: str


def compare(
    run: Run,
    *,
    others: Sequence[Run] = (),
    what: What = "losses",
    names: Sequence[str] | None = None,
    reference: bool | None = None,
    n_grid: int = 120,
) -> LossComparison | PathComparison | BoundaryComparison:
    """Several runs on the same data on one set of axes, at their ends.

    `losses` are those on the training part, epoch by epoch, or update by update where a run's
    epochs have another number of them. Where the runs were trained by different losses, all are
    judged by the first run's, computed again at up to 400 recorded epochs. `paths` are those of
    (w, b) over the first run's loss. `boundaries` are the lines of probability 0.5.

    The reference is scikit-learn's `LogisticRegression()` as people use it, fitted to the same
    training part (scaled alike). Its penalty, C = 1, keeps it finite where a line separates the
    classes and the unpenalised optimum does not exist; so its loss is a bit above the least.

    Args:
        run: the first run.
        others: more runs on the same data, scaled alike.
        what: losses, paths (of models with two parameters) or boundaries (of two classes over
            two inputs).
        names: of all runs; default: the settings in which they differ.
        reference: whether to add scikit-learn's model, which needs two classes; default: only
            where there are no others to compare with.
        n_grid: points along each side of a surface or a plane.

    Raises:
        DataError: there is nothing to compare with, the data differ, `names` has another length,
            or the runs lack the inputs, classes or parameters that the picture needs.
        UnknownNameError: there is no such `what`.

    Source: ours.

    Example:
        >>> import fitscope as fs
        >>> record = compare(fs.fit("gates-and"), others=[fs.fit("gates-and", lr=0.1)])
        >>> record.names, [round(float(loss[-1]), 3) for loss in record.losses]
        (('lr 0.5', 'lr 0.1'), [0.177, 0.384])
    """
    check_choice("what", what, get_args(What))
    check_grid(n_grid, most=500)
    runs = [run, *others]
    _check_same_data(runs)
    binary = run.dataset.task == "binary"
    wanted = reference if reference is not None else binary and not others
    if wanted and not binary:
        raise DataError("The reference needs two classes; `reference` must be left out here.")
    if not wanted and not others:
        raise DataError("compare needs something to compare with; give it in `others`.")
    called = _names(runs) if names is None else tuple(names)
    if len(called) != len(runs):
        raise DataError(f"`names` must have {len(runs)} names, one a run; got {len(called)}.")
    if wanted:
        needs_data(run.dataset, "compare with a reference")
    model = reference_model(run.dataset) if wanted else None
    if what == "losses":
        return _losses(runs, called, model)
    if what == "paths":
        return _paths(runs, called, model, n_grid)
    return _boundaries(runs, called, model, n_grid)


def _check_same_data(runs: list[Run]) -> None:
    first = runs[0].dataset
    for i, run in enumerate(runs[1:], start=2):
        d = run.dataset
        same = d.task == first.task and d.classes == first.classes and d.d == first.d
        if len(d.X) and len(first.X):
            same = same and np.array_equal(d.inputs(), first.inputs())
            same = same and np.array_equal(d.targets(), first.targets())
        else:
            same = same and d.spec == first.spec
        if not same:
            raise DataError(
                f"compare needs runs on the same data, scaled alike; run {i} has other samples "
                "than run 1."
            )


def _names(runs: list[Run]) -> tuple[str, ...]:
    """What differs between the runs' settings; their numbers where nothing does."""
    if len(runs) == 1:
        return ("this run",)
    settings = [
        {
            name: getattr(getattr(run.experiment, part), field)
            for name, (part, field) in FLAT_FIELDS.items()
        }
        for run in runs
    ]
    differing = [n for n in settings[0] if any(s[n] != settings[0][n] for s in settings)]
    found = tuple(", ".join(_setting(name, s[name]) for name in differing) for s in settings)
    numbered = tuple(f"run {i}" for i in range(1, len(runs) + 1))
    if len(set(found)) < len(found):
        found = tuple(", ".join(filter(None, two)) for two in zip(numbered, found, strict=True))
    return found


def _setting(name: str, value: object) -> str:
    """A setting and its value, as in "lr 0.1"."""
    if isinstance(value, list):
        return f"{name} {','.join(map(str, value)) or 'none'}"
    if isinstance(value, bool):
        return f"{name} {'on' if value else 'off'}"
    value = f"{value:g}" if isinstance(value, float) else value
    return f"{name} {'full' if name == 'batch_size' and value is None else value}"


def _title(runs: list[Run]) -> str:
    return runs[0].moment() if len(runs) == 1 else f"{len(runs)} runs"


def _losses(runs: list[Run], names: tuple[str, ...], model: Model | None) -> LossComparison:
    first, d = runs[0], runs[0].dataset
    alike = {run.loss for run in runs} == {first.loss}
    loss = first.loss if alike and not model else checked_loss(first, None)
    by_update = len({run.updates_per_epoch for run in runs}) > 1
    by_update = by_update or any(run.attached for run in runs)
    at, losses = [], []
    for run in runs:
        updates, values = _recorded(run) if alike else _evaluated(run, d, loss)
        at.append(updates // (1 if by_update else run.updates_per_epoch))
        losses.append(values)
    reference_loss = (
        mean_loss(loss, d.task, model.logits(d.X), d.y, d.weights_by_part[0]) if model else np.nan
    )
    every = np.append(np.concatenate(losses), reference_loss)
    every = every[np.isfinite(every)]
    wide = len(every) and every.min() > 0 and every.max() > 10 * every.min()
    return LossComparison(
        names=names,
        at=tuple(at),
        losses=tuple(losses),
        axis="updates" if by_update else "epochs (passes over the training data)",
        label=loss_label(first) + ("" if alike else ", for all runs"),
        log_scale=bool(wide),
        reference=judged(model, d) if model else None,
        reference_loss=reference_loss,
        title=f"loss on the training part, {_title(runs)}",
    )


def _recorded(run: Run) -> tuple[Int64[np.ndarray, " e"], Float64[np.ndarray, " e"]]:
    """Updates, and the losses that the training left behind."""
    return run.loss_steps.astype(np.int64), run.train_loss.astype(np.float64)


def _evaluated(
    run: Run, d: Dataset, loss: str
) -> tuple[Int64[np.ndarray, " e"], Float64[np.ndarray, " e"]]:
    """Updates, and a loss computed from the parameters recorded at the ends of epochs."""
    needs_data(d, "compare of runs with different losses")
    needs_plain(run, "compare of runs with different losses")
    rows = np.flatnonzero(run.steps % run.updates_per_epoch == 0)
    rows = rows[spread(len(rows), _MOST_EPOCHS)]
    return run.steps[rows].astype(np.int64), losses_at(run, run.params[rows], [loss])[0]


def _paths(
    runs: list[Run], names: tuple[str, ...], model: Model | None, n_grid: int
) -> PathComparison:
    for i, run in enumerate(runs, start=1):
        needs_plain(run, "compare of paths")
        n = run.params.shape[1]
        if n != 2:
            raise DataError(f"compare of paths needs models of two parameters; run {i} has {n}.")
    first, d = runs[0], runs[0].dataset
    needs_data(d, "compare of paths")
    paths = tuple(_path(run) for run in runs)
    reference_at = None if model is None else np.asarray(model.params, dtype=np.float64)
    seen = [*paths, *([] if reference_at is None else [reference_at[None]])]
    w, b = grid_axes(np.concatenate(seen), n_grid)
    surface = _surface(first, w, b)
    scaled = f" (of the scaled {d.feature_names[0]})" if d.scale[0] != 1 or d.mean[0] else ""
    return PathComparison(
        names=names,
        paths=paths,
        w=w,
        b=b,
        surface=surface,
        levels=_levels(surface),
        axes=(f"weight w{scaled}", "offset b"),
        label=loss_label(first),
        reference=judged(model, d) if model else None,
        reference_at=reference_at,
        title=f"paths on one loss surface, {_title(runs)}",
    )


def _path(run: Run) -> Float64[np.ndarray, "t 2"]:
    """(w, b) at recorded steps, those that are finite, at most some 2000 of them."""
    kept = run.params[spread(len(run.params), 2000)].astype(np.float64)
    return np.asarray(kept[np.isfinite(kept).all(axis=1)])


def _surface(
    run: Run, w: Float64[np.ndarray, " g"], b: Float64[np.ndarray, " g"]
) -> Float64[np.ndarray, "g g"]:
    """The run's loss on the training part at w[j], b[i]."""
    pairs = np.stack(np.meshgrid(w, b), axis=-1).reshape(-1, 2)
    found = losses_at(run, pairs, [checked_loss(run, None)])
    return found.reshape(len(b), len(w))


def _levels(surface: Float64[np.ndarray, "g g"]) -> Float64[np.ndarray, " l"]:
    """Levels of equal ratio where the loss varies more than tenfold, else of equal distance."""
    found = np.asarray(surface[np.isfinite(surface) & (surface > 0)])
    if not len(found):
        return found
    low, high = float(found.min()), float(found.max())
    if high > 10 * low:
        return np.geomspace(max(low, 1e-6 * high), high, 15)[1:-1]
    return np.linspace(low, high, 12)[1:-1]


def _boundaries(
    runs: list[Run], names: tuple[str, ...], model: Model | None, n_grid: int
) -> BoundaryComparison:
    d = runs[0].dataset
    if d.task != "binary":
        raise DataError(f"compare of boundaries needs two classes; this run is {d.task}.")
    needs_inputs(d, "compare of boundaries", 2)
    needs_data(d, "compare of boundaries")
    for run in runs:
        needs_plain(run, "compare of boundaries")
    models = [model_of(run, name) for run, name in zip(runs, names, strict=True)]
    models += [model] if model else []
    x, y = grid_axes(d.inputs(), n_grid)
    places = (np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2) - d.mean) / d.scale
    logits = [np.clip(one.logits(places).reshape(n_grid, n_grid), -1e9, 1e9) for one in models]
    compared = tuple(judged(one, d) for one in models)
    title = f"where the probability is 0.5, {_title(runs)}"
    return BoundaryComparison(compared, x, y, np.array(logits), model is not None, d, title)
