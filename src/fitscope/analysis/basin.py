"""From which starts does a model with two parameters learn?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64

from fitscope.analysis.needs import (
    check_choice,
    check_grid,
    check_range,
    checked_loss,
    grid_axes,
    loss_label,
    needs_classes,
    needs_data,
    needs_fit,
)
from fitscope.errors import DataError
from fitscope.evaluation import mean_loss
from fitscope.network import decided
from fitscope.outcomes import Outcome
from fitscope.records import Dataset, Run
from fitscope.train import Ends, ends_of
from fitscope.train.plan import Plan, plan_with
from fitscope.train.single import run_plan

__all__ = ["BasinMap", "basin_map"]


@dataclass(frozen=True, eq=False)
class BasinMap:
    """What training reaches from every start on a grid over the weight and the bias.

    Attributes:
        x: weights w to start from.
        y: biases b to start from.
        values: `values[i, j]` is reached from w = x[j], b = y[i]: the training loss, or the
            accuracy on the training part; nan where the training diverged.
        accuracy: on the training part, likewise; None for a regression.
        ends: (w, b) at the end from there.
        succeeds: which starts end as well as the best: within 0.01 of its accuracy, or for a
            regression within 1 % of its loss.
        reach: "loss" or "accuracy".
        label: what the values are, with their unit.
        limits: the values from the best to the worst, and for the loss as far as that of a model
            that answers with the mean and has learned nothing; 0 and 1 for the accuracy.
        log_scale: whether these are so wide apart that a log scale helps.
        path: (w, b) after each recorded step of the training from the run's own start.
        title: what is shown.
        note: from what share of the starts the training succeeds, and how many diverge.
    """

    x: Float64[np.ndarray, " g"]
    y: Float64[np.ndarray, " g"]
    values: Float64[np.ndarray, "g g"]
    accuracy: Float64[np.ndarray, "g g"] | None
    ends: Float32[np.ndarray, "g g 2"]
    succeeds: Bool[np.ndarray, "g g"]
    reach: str
    label: str
    limits: tuple[float, float]
    log_scale: bool
    path: Float32[np.ndarray, "t 2"]
    title: str
    note: str

    @property
    def share(self) -> float:
        """The share of the starts that end as well as the best."""
        return float(self.succeeds.mean())


def basin_map(
    run: Run,
    *,
    n_grid: int = 100,
    x_range: Sequence[float] | None = None,
    y_range: Sequence[float] | None = None,
    reach: Literal["loss", "accuracy"] = "loss",
    loss: str | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> BasinMap:
    """The loss or the accuracy at the end of a training from every start on a grid of (w, b).

    Every training is the run's own, but for its start and, where asked for, its loss. The grid
    spans the run's path (its start, where it diverged) and the mirror image of that through the
    origin, with a margin of 12 %.

    Args:
        run: a run of one neuron on one input, with its data.
        n_grid: starts along each side.
        x_range: the least and the largest weight to start from.
        y_range: the least and the largest bias to start from.
        reach: whether the loss or the accuracy is shown.
        loss: another loss to train with, such as "mse"; default: the run's own.
        progress: is called with (starts done, starts planned); True ends it.

    Raises:
        DataError: the run has more parameters than two, or no data; a range is none; the loss
            does not suit the task; it was interrupted.
        UnknownNameError: `reach` is neither.
        EngineError: only the PyTorch engine can train this.

    Example:
        >>> import fitscope as fs
        >>> run = fs.fit("bad-start")
        >>> basin_map(run, n_grid=10).share, basin_map(run, n_grid=10, loss="mse").share < 0.6
        (1.0, True)
    """
    _check(run, n_grid, reach)
    planned = _planned(run, checked_loss(run, loss))
    own = run
    if planned.experiment.training.loss != run.experiment.training.loss:
        own = run_plan(planned, lambda *_: False, keep_bytes=64_000_000)
    x, y = _axes(own, n_grid, x_range, y_range)
    starts = np.stack([np.tile(x, n_grid), np.repeat(y, n_grid)], axis=1, dtype=np.float32)
    found = ends_of(planned, starts, progress=progress)
    if found.n_interrupted:
        done = f"{len(starts) - found.n_interrupted:,} of {len(starts):,} starts"
        raise DataError(f"basin_map was interrupted after {done}; a smaller `n_grid` is faster.")
    losses = np.where(found.diverged, np.nan, found.train_loss.astype(np.float64))
    scores = _accuracies(run.dataset, found) if run.dataset.classes else None
    values = losses if scores is None or reach == "loss" else scores
    succeeds = _succeed(losses, scores)
    shape, is_loss = (n_grid, n_grid), reach == "loss"
    limits = _limits(planned, losses) if is_loss else (0.0, 1.0)
    return BasinMap(
        x=x,
        y=y,
        values=values.reshape(shape),
        accuracy=None if scores is None else scores.reshape(shape),
        ends=found.params.reshape(*shape, 2),
        succeeds=succeeds.reshape(shape),
        reach=reach,
        label=loss_label(planned) if is_loss else f"accuracy, trained on {loss_label(planned)}",
        limits=limits,
        log_scale=limits[1] > 10 * limits[0] > 0,
        path=own.params,
        title=f"{len(starts):,} starts, up to {planned.n_updates:,} updates from each",
        note=_note(losses, scores, succeeds),
    )


def _check(run: Run, n_grid: int, reach: str) -> None:
    needs_fit(run, "basin_map")
    if run.layer_sizes != [1, 1]:
        shape = "-".join(map(str, run.layer_sizes))
        raise DataError(f"basin_map needs one neuron with one input; this run is {shape}.")
    needs_data(run.dataset, "basin_map")
    check_grid(n_grid)
    check_choice("reach", reach, ["loss", "accuracy"])
    if reach == "accuracy":
        needs_classes(run.dataset, "basin_map by accuracy")


def _planned(run: Run, loss: str) -> Plan:
    """The run's training again, from its own start, with that loss."""
    start = [float(value) for value in run.params[0]]
    e = run.experiment.override(loss=loss, init=start)
    return plan_with(e, run.dataset, engine="auto", device="cpu")


def _axes(
    own: Run,
    n_grid: int,
    x_range: Sequence[float] | None,
    y_range: Sequence[float] | None,
) -> tuple[Float64[np.ndarray, " g"], Float64[np.ndarray, " g"]]:
    """The weights and biases to start from."""
    path = own.params[:1] if own.outcome is Outcome.DIVERGED else own.params
    seen = np.concatenate([path, np.ones((1, 2))])  # no narrower than from -1 to 1
    axes = grid_axes(np.concatenate([seen, -seen]), n_grid)
    ranges = {"x_range": x_range, "y_range": y_range}
    for name, given in ranges.items():
        if given is not None:
            check_range(name, given)
    x, y = (
        axis if given is None else np.linspace(given[0], given[1], n_grid)
        for axis, given in zip(axes, ranges.values(), strict=True)
    )
    return x, y


def _accuracies(d: Dataset, found: Ends) -> Float64[np.ndarray, " r"]:
    """The accuracy on the training part at each end; nan where there is none."""
    inputs = d.X[:, 0].astype(np.float64)
    ends = found.params.astype(np.float64)
    scores = np.full(len(ends), np.nan)
    for i in np.flatnonzero(~found.diverged):
        scores[i] = np.mean(decided((inputs * ends[i, 0] + ends[i, 1])[:, None]) == d.y)
    return scores


def _succeed(
    losses: Float64[np.ndarray, " r"], scores: Float64[np.ndarray, " r"] | None
) -> Bool[np.ndarray, " r"]:
    if np.isnan(losses).all():
        return np.zeros(len(losses), dtype=bool)
    if scores is not None:
        return np.asarray(scores >= np.nanmax(scores) - 0.01)
    return np.asarray(losses <= 1.01 * np.nanmin(losses))


def _limits(planned: Plan, losses: Float64[np.ndarray, " r"]) -> tuple[float, float]:
    """The least loss, and the largest or that of answering with the mean."""
    d = planned.dataset
    mean = np.average(d.y.astype(np.float64), weights=d.weights_by_part[0])
    answer = np.log(mean / (1 - mean)) if d.classes else mean
    loss = str(planned.experiment.training.loss)
    unlearned = mean_loss(loss, d.task, np.full((len(d.y), 1), answer), d.y, d.weights_by_part[0])
    there = losses[np.isfinite(losses)]
    return float(np.min(there, initial=unlearned)), float(np.max(there, initial=unlearned))


def _note(
    losses: Float64[np.ndarray, " r"],
    scores: Float64[np.ndarray, " r"] | None,
    succeeds: Bool[np.ndarray, " r"],
) -> str:
    """The share that succeeds, and that which diverges."""
    n_diverged, share = int(np.isnan(losses).sum()), _percent(succeeds.mean())
    if n_diverged == len(losses):
        return f"from {_percent(1.0)} of these starts it diverges"
    reached = f"accuracy {np.nanmax(scores):.2f}" if scores is not None else "the least loss"
    note = f"from {share} of these starts it reaches {reached}"
    return note + (f"; from {_percent(n_diverged / len(losses))} it diverges" if n_diverged else "")


def _percent(share: float) -> str:
    """A share in whole percent, in which a few are not none, and nearly all not all."""
    if share == 1:
        return "every one"
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if share > 0.99 else f"{100 * share:.0f} %"
