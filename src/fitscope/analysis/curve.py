"""What does the model answer along its single input?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import RANGES, check_grid, needs_data, needs_inputs, needs_plain
from fitscope.errors import DataError
from fitscope.network import input_layer, layers
from fitscope.records import Dataset, Run

__all__ = ["ResponseCurve", "StepApproximation", "response_curve"]

_MAX_MOMENTS = 12  # curves in one picture


@dataclass(frozen=True, eq=False)
class StepApproximation:
    """A network whose hidden units are replaced by steps, along its single input.

    Attributes:
        steps: its answer with the output layer that was trained with the smooth units.
        refitted: its answer with the output layer fitted to the steps by least squares.
        rmse_smooth: root mean squared error on the training part of the network as it is.
        rmse_steps: the same of `steps`.
        rmse_refitted: the same of `refitted`.
    """

    steps: Float64[np.ndarray, " g"]
    refitted: Float64[np.ndarray, " g"]
    rmse_smooth: float
    rmse_steps: float
    rmse_refitted: float


@dataclass(frozen=True, eq=False)
class ResponseCurve:
    """The model's answer along its single input, in the data's units.

    Attributes:
        x: places along the input.
        y: one column a curve: moment by moment, and class by class where there are more than two.
        names: of the curves.
        quantity: what the curves tell: a probability, or the target.
        steps: the recorded steps that are shown, ascending.
        dataset: the data.
        title: what is shown, and at which moment.
        logit: of a single neuron between two classes, at one moment: w x + b.
        thresholds: where a weighted sum is 0: of that neuron, or of the hidden units that
            `approximation` replaces; a weight of 0 has none.
        approximation: the network made of steps, where it was asked for.
        note: the logit as a formula; "" where there is none.
    """

    x: Float64[np.ndarray, " g"]
    y: Float64[np.ndarray, "g c"]
    names: tuple[str, ...]
    quantity: str
    steps: tuple[int, ...]
    dataset: Dataset
    title: str
    logit: Float64[np.ndarray, " g"] | None
    thresholds: Float64[np.ndarray, " h"]
    approximation: StepApproximation | None
    note: str


def response_curve(
    run: Run,
    *,
    step: int = -1,
    steps: Sequence[int] | None = None,
    step_approximation: bool = False,
    n_grid: int = 600,
) -> ResponseCurve:
    """The probability of the second class (of each, where there are more), or the value.

    The curve spans the data with a margin of 3 % on each side. A single neuron between two
    classes also has its logit w x + b, which is 0 at x = -b/w, where the probability is 0.5.

    Args:
        run: a run with one input and its data.
        step: which moment; -1 is the end.
        steps: several moments, instead of `step`.
        step_approximation: for a regression with one hidden layer: also where each unit's
            weighted sum is 0, and the network with each unit replaced by a step there.
        n_grid: number of points.

    Raises:
        DataError: the run has not one input, or was saved without its data; a step is outside
            the run; its units cannot be replaced by steps.

    Example:
        >>> import fitscope as fs
        >>> curve = response_curve(fs.fit("bad-start"))
        >>> curve.note
        'dashed: logit 14.9 x - 3.61, 0 at x = 0.243'
    """
    d = run.dataset
    needs_inputs(d, "response_curve", 1)
    needs_data(d, "response_curve")
    check_grid(n_grid, most=100_000)
    rows = _rows(run, step, steps)
    moments = tuple(int(run.steps[row]) for row in rows)
    points = d.inputs()
    low, high = float(points.min()), float(points.max())
    margin = 0.03 * ((high - low) or 1.0)
    x = np.linspace(low - margin, high + margin, n_grid)
    y = np.concatenate([_answers(run, x, moment) for moment in moments], axis=1)
    names, quantity = _names(d, moments)
    title = run.moment(moments[-1])
    title = title if len(moments) == 1 else f"{len(moments)} moments, the last {title}"
    approximation, logit, thresholds, note = None, None, np.zeros(0), ""
    if step_approximation:
        _check_steps(run, moments)
        approximation, thresholds = _approximation(run, x, moments[-1]), _zeros(run, moments[-1])
    elif d.task == "binary" and run.is_linear and len(moments) == 1:
        W, b = input_layer(run, moments[-1])
        logit, thresholds = _weighted_sums(x, W, b)[:, 0], _zeros(run, moments[-1])
        note = _note(float(W[0, 0]), float(b[0]), thresholds)
    curves = (x, y, names, quantity, moments, d, title)
    return ResponseCurve(*curves, logit, thresholds, approximation, note)


def _rows(run: Run, step: int, steps: Sequence[int] | None) -> list[int]:
    """The rows of the recording that are shown, each once, ascending."""
    if steps is None:
        return [run.row(step)]
    if step != -1:
        raise DataError("Give `step` or `steps`, not both.")
    if not 1 <= len(steps) <= _MAX_MOMENTS:
        raise DataError(f"`steps` must be 1 to {_MAX_MOMENTS} step numbers; got {len(steps)}.")
    return sorted({run.row(one) for one in steps})


def _answers(run: Run, x: Float64[np.ndarray, " g"], step: int) -> Float64[np.ndarray, "g c"]:
    """The curves of one moment, one a column."""
    if run.dataset.task == "regression":
        return np.asarray(run.predict(x[:, None], step=step)[:, None])
    p = run.predict_proba(x[:, None], step=step)
    return p[:, 1:] if p.shape[1] == 2 else p


def _names(d: Dataset, moments: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The name of each curve, and what they all tell."""
    if d.task == "regression":
        curves, quantity = ["model"], d.target_name
    else:
        curves = [f"P({d.target_name} = {label})" for label in d.classes]
        curves = curves[1:] if len(curves) == 2 else curves
        quantity = curves[0] if len(curves) == 1 else "probability"
    if len(moments) == 1:
        return tuple(curves), quantity
    several = [f"{curve}, " if len(curves) > 1 else "" for curve in curves]
    return tuple(f"{curve}step {at:,}" for at in moments for curve in several), quantity


@np.errstate(all="ignore")  # the parameters of a diverged run may be inf
def _weighted_sums(
    x: Float64[np.ndarray, " n"], W: Float64[np.ndarray, "h 1"], b: Float64[np.ndarray, " h"]
) -> Float64[np.ndarray, "n h"]:
    return np.asarray(x[:, None] * W[:, 0] + b)


@np.errstate(all="ignore")
def _zeros(run: Run, step: int) -> Float64[np.ndarray, " h"]:
    """Where the weighted sum of each unit of the first layer is 0, in the data's units."""
    W, b = input_layer(run, step)
    zeros = -b / W[:, 0]
    return np.asarray(zeros[np.isfinite(zeros)] + 0.0)  # no -0


def _note(w: float, b: float, thresholds: Float64[np.ndarray, " h"]) -> str:
    """The logit as a formula, and where it is 0."""
    sign = "-" if b < 0 else "+"
    zero = f"0 at x = {thresholds[0]:.3g}" if len(thresholds) else "nowhere 0"
    return f"dashed: logit {w:.3g} x {sign} {abs(b):.3g}, {zero}"


def _check_steps(run: Run, moments: tuple[int, ...]) -> None:
    needs_plain(run, "step_approximation")
    network, task = run.experiment.network, run.dataset.task
    if task != "regression" or len(network.hidden) != 1:
        raise DataError(
            "step_approximation needs a regression with one hidden layer; this run is "
            f"{task} with {len(network.hidden)} hidden layers."
        )
    if network.activation not in RANGES:
        raise DataError(
            "step_approximation needs sigmoid or tanh units, which level off; "
            f"{network.activation} units do not."
        )
    if len(moments) > 1:
        raise DataError("step_approximation shows one moment; give `step` instead of `steps`.")


@np.errstate(all="ignore")
def _approximation(run: Run, x: Float64[np.ndarray, " g"], step: int) -> StepApproximation:
    """The network of steps, with the trained output layer and with one fitted to it."""
    d, (lowest, highest) = run.dataset, RANGES[run.experiment.network.activation]
    W, b = input_layer(run, step)
    W_out, b_out = layers(run.params[run.row(step)].astype(np.float64), run.layer_sizes)[1]
    trained = np.append(W_out[0], b_out) * d.y_scale
    trained[-1] += d.y_mean
    x_train = d.inputs()[: len(d.X), 0]
    y_train = d.y.astype(np.float64) * d.y_scale + d.y_mean

    def features(z: np.ndarray) -> np.ndarray:
        return np.column_stack([np.where(z > 0, highest, lowest), np.ones(len(z))])

    steps = features(_weighted_sums(x_train, W, b))
    refitted = np.linalg.lstsq(steps, y_train, rcond=None)[0]
    smooth = run.predict(x_train[:, None], step=step)
    along = features(_weighted_sums(x, W, b))
    return StepApproximation(
        along @ trained,
        along @ refitted,
        _rmse(smooth, y_train),
        _rmse(steps @ trained, y_train),
        _rmse(steps @ refitted, y_train),
    )


def _rmse(y: np.ndarray, true: np.ndarray) -> float:
    return float(np.sqrt(np.mean((y - true) ** 2)))
