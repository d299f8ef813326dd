"""Full-batch solvers: L-BFGS and Newton's method, recorded iteration by iteration."""

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Float64

from fitscope.network import layers
from fitscope.outcomes import Outcome
from fitscope.records import Dataset, Trajectory
from fitscope.specs import TrainingSpec
from fitscope.train import curvature
from fitscope.train.objectives import Objective, Point
from fitscope.train.recorder import Recorder, Watch
from fitscope.train.threads import one_thread

__all__ = [
    "SINGULAR",
    "Penalised",
    "Reached",
    "comes_to_rest",
    "leads_away",
    "newton_path",
    "solved",
    "train",
]

CONVERGED = 1e-13  # of the objective: a step expected to gain less is not made
QUADRATIC = 1e-5  # of the objective: below it, the last Hessian is good enough
FASTER = 1e-2  # of the gain before: only where convergence is quadratic is it so much less
RUNS_OFF = 1e-9  # of the objective: near a regular optimum, a gain so small moves no sample far
FAR = 0.1  # logits
UNSURE, SURE = 4.0, 10.0  # logits, up to which samples have a say, and from which on hardly one
GAINED = 0.25  # of the expected gain, which a step must have
ROUNDING = 1e-14  # of the objective
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-12, 1e12
FREE = 1e-6  # of the damping: a step is hardly held back
MOST_STEPS = 1000  # of Newton's method, in which it comes to rest if there is an optimum
COARSE = 1e-4  # the same for a Hessian summed in float32, which is then summed in float64
SINGULAR = 1e-13  # of an input's curvature: what no other input explains, if it is so little

Vector = Float64[np.ndarray, " p"]
Matrix = Float64[np.ndarray, "p p"]


class Penalised:
    """The loss plus l2 / 2 times the sum of the squared weights; biases are free.

    Args:
        objective: the loss of the samples.
        l2: strength of the penalty.
        sizes: widths of all layers.
    """

    def __init__(self, objective: Objective, l2: float, sizes: list[int]) -> None:
        self.objective, self.l2, self.sizes = objective, l2, sizes
        self._pull = _pull(l2, sizes)

    @np.errstate(all="ignore")  # far out, where a step without an end leads
    def at(self, params: Vector, *, hessian: bool = False, exact: bool = True) -> Point:
        """Value, gradient and Hessian of the loss with its penalty."""
        found = self.objective.at(params, hessian=hessian, exact=exact)
        if hessian:
            found.hess.flat[:: params.size + 1] += self._pull  # its diagonal
        loss, grad = found.loss + self.penalty(params), found.grad + self._pull * params
        return Point(loss, grad, found.hess)

    def penalty(self, params: Vector) -> float:
        """What the weights add to the loss."""
        return float(0.5 * np.sum(self._pull * params**2))

    def most_curved(self) -> Vector:
        """The Hessian's diagonal (p,) where the model is unsure: elsewhere it is hardly larger."""
        return np.diag(self.at(np.zeros_like(self._pull), hessian=True, exact=False).hess).copy()

    def newton_step(self, point: Point) -> Vector:
        """The step to the lowest point of the quadratic model, without damping."""
        diagonal = np.diag(point.hess)
        hess = self.regular(point.hess)
        return solved(hess, 0.0, diagonal, -point.grad, least=SINGULAR)[0]

    def regular(self, hess: Matrix) -> Matrix:
        """The Hessian with curvature where it has none: along a shift of the logits of all classes.

        That changes no probability, so that the gradient has no part there and a step has none.
        """
        d, k = self.sizes[0], self.sizes[-1]
        if k == 1:
            return hess
        hess, classes = hess.copy(), np.arange(k)
        free = [] if self.l2 else [i + d * classes for i in range(d)]
        for rows in [k * d + classes, *free]:
            hess[np.ix_(rows, rows)] += np.diag(hess)[rows].mean() / k
        return hess


def _pull(l2: float, sizes: list[int]) -> Vector:
    """The penalty's second derivatives: l2 for weights, 0 for biases."""
    pull = np.zeros(sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(sizes)))
    for W, _ in layers(pull, sizes):
        W[...] = l2  # a view
    return pull


class Reached(NamedTuple):
    """An iterate of Newton's method.

    Attributes:
        params: where it is.
        point: the objective there.
        slow: the step to it, if it gained next to nothing and yet as much as the one before.
    """

    params: Vector
    point: Point
    slow: Vector | None = None


class _Damping:
    """How much a step is held back: more after each that failed, less and less after others."""

    def __init__(self) -> None:
        self.value = 0.0
        self._last, self._n_good = FIRST_DAMPING, 0

    def more(self) -> None:
        self.value, self._n_good = 10 * self.value or self._last, 0

    def less(self) -> None:
        if self.value:
            self._last, self._n_good = self.value, self._n_good + 1
            self.value /= 10.0**self._n_good
            self.value *= self.value > LEAST_DAMPING


def newton_path(penalised: Penalised, params: Vector) -> Iterator[Reached]:
    """Newton's iterates, the start first, until no step gains anything.

    A step s solves (H + m D) s = -g. The damping m is 0 until a step fails to gain what the
    quadratic model promises; then it grows until one does, and shrinks again (Levenberg 1944). D
    is the diagonal of H where the model is unsure of all samples, which is about as large as it
    gets: samples on whose side it is too sure, and whose curvature is gone, do not throw the
    parameters far away. At the quadratic end the last Hessian is kept, which saves a pass over it.
    """
    least, exact = COARSE, False
    now = penalised.at(params, hessian=True, exact=exact)
    yield Reached(params, now)
    hess, scale, damping, before = np.empty((0, 0)), np.zeros(params.size), _Damping(), math.inf
    while math.isfinite(now.loss) and damping.value < MOST_DAMPING:
        m = damping.value
        hess = penalised.regular(now.hess) if now.hess.size else hess
        step, n_determined = solved(hess, m, scale, -now.grad, least=least)
        if n_determined and not exact:  # or nearly so: which takes all digits to tell
            least, exact = SINGULAR, True
            now = penalised.at(params, hessian=True)
            continue
        size = abs(now.loss)
        gain = _gain(step, now.grad, m * scale)
        if m < FREE and gain <= CONVERGED * size:
            return
        is_quadratic = gain < FASTER * before
        wanted = gain > QUADRATIC * size or not is_quadratic
        found = penalised.at(params + step, hessian=wanted, exact=exact)
        slack = ROUNDING * size if m == 0 else 0.0
        if not found.loss <= now.loss - GAINED * gain + slack:  # which nan is not, either
            scale = scale if scale.any() else penalised.most_curved()
            damping.more()
            continue
        params, now, before = params + step, found, gain
        is_slow = m < FREE and gain < RUNS_OFF * size and not is_quadratic
        yield Reached(params, now, step if is_slow else None)
        damping.less()


@np.errstate(all="ignore")  # a step along which nothing curves has no end
def _gain(step: Vector, grad: Vector, held: Vector) -> float:
    """What the quadratic model promises of a step."""
    return 0.5 * float(np.sum(held * step**2) - np.sum(grad * step))


def solved(
    hess: Matrix, damping: float, D: Vector, right: Vector, *, least: float
) -> tuple[Vector, int]:
    """(hess + damping diag(D))^-1 right; and how many rows are determined by others.

    Their part of the answer is 0. Of a row, less than `least` is then its own.
    """
    unit = hess.copy()
    unit.flat[:: right.size + 1] += damping * D
    diagonal = np.diag(unit)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    unit, found = unit * scale[:, None] * scale, scale * right
    n_determined = int(curvature.cholesky(unit, found, least))
    return np.asarray(scale * found), n_determined


def leads_away(slow: Vector | None, dataset: Dataset) -> bool:
    """Whether a step of Newton's that gains next to nothing moves a sample's logit far.

    Near a finite optimum none does. Where some samples can be told apart without a mistake, each
    step adds about 1 to their logits for ever.
    """
    if slow is None:
        return False
    return _largest_logit(slow, dataset) > FAR


def _largest_logit(params: Vector, dataset: Dataset) -> float:
    """Of all training samples, by the weights of a linear model; its bias aside."""
    W, _ = layers(params.astype(np.float32), [dataset.d, dataset.k])[0]
    return float(np.abs(dataset.X @ W.T).max())


def comes_to_rest(penalised: Penalised, end: Vector, dataset: Dataset) -> bool:
    """Whether Newton's method does so from where all samples have a say, on the way to `end`."""
    back = end * UNSURE / max(2 * UNSURE, _largest_logit(end, dataset))
    path = newton_path(penalised, back)
    led_away = any(leads_away(at.slow, dataset) for at in itertools.islice(path, MOST_STEPS))
    return not led_away and next(path, None) is None


def train(
    objective: Objective,
    start: Float32[np.ndarray, " p"],
    sizes: list[int],
    dataset: Dataset,
    training: TrainingSpec,
    *,
    keep_bytes: int,
    watch: Watch,
) -> Trajectory:
    """Makes the loss as small as it gets, from `start`, and records every iteration.

    Args:
        objective: the loss of the samples.
        start: flat parameters (p,).
        sizes: widths of all layers.
        dataset: what is trained on.
        training: the solver, the penalty, the most iterations, when to stop; `loss` is named.
        keep_bytes: budget of the recorded parameters.
        watch: is told (iterations done, loss, the parameters if it asks) after each; True ends it.

    Returns:
        What was recorded, and how it ended.
    """
    record = Recorder(start, keep_bytes=keep_bytes)
    course = _Course(Penalised(objective, training.l2, sizes), dataset, training, record, watch)
    solve = _newton if training.optimizer == "newton" else _lbfgs
    params, outcome = solve(course, start.astype(np.float64))
    return record.trajectory(params.astype(np.float32), outcome)


class _Course:
    """A solver's way: what is recorded of it, and what ends it."""

    def __init__(
        self,
        penalised: Penalised,
        dataset: Dataset,
        training: TrainingSpec,
        record: Recorder,
        watch: Watch,
    ) -> None:
        self.penalised, self.dataset, self.training = penalised, dataset, training
        self.record, self._watch = record, watch
        self._may_separate = training.loss == "cross_entropy" and training.l2 == 0
        # a network may first turn units that put every sample right; a linear model is done then
        self._ends_where_right = self._may_separate and len(penalised.sizes) == 2

    def begin(self, params: Vector, value: float) -> None:
        """Records the losses of the start; those after an iteration, likewise."""
        self.record.train_loss.append(value - self.penalised.penalty(params))
        if len(self.dataset.X_test):
            self.record.test_loss.append(self.penalised.objective.test_loss(params))

    def step(self, params: Vector, value: float) -> Outcome | None:
        """Records an iteration that led to `params`; how the training ends with it, if it does."""
        record, training = self.record, self.training
        record.batch_loss.append(record.train_loss[-1])
        record.step(lambda: params.astype(np.float32))
        self.begin(params, value)
        stop = self._watch(record.n_steps, record.batch_loss[-1], lambda: params.astype(np.float32))
        if not math.isfinite(record.train_loss[-1]):
            return Outcome.DIVERGED
        if training.stop_below is not None and record.train_loss[-1] < training.stop_below:
            return Outcome.STOPPED
        if self._ends_where_right and self.penalised.objective.separates(params):
            return Outcome.SEPARABLE
        if record.n_steps == training.epochs:
            return Outcome.FINISHED
        return Outcome.INTERRUPTED if stop else None

    def runs_off(self, slow: Vector | None) -> bool:
        """Whether this is the way to no optimum."""
        return self._ends_where_right and leads_away(slow, self.dataset)

    def at_rest(self, params: Vector, began: Vector | None = None) -> Outcome:
        """What it means that no step gains anything.

        Newton's method notices that there is no optimum, if it `began` where samples have a say.
        """
        if not math.isfinite(self.record.train_loss[-1]):
            return Outcome.DIVERGED
        if self._may_separate and self.penalised.objective.separates(params):
            return Outcome.SEPARABLE
        if not self._ends_where_right:
            return Outcome.CONVERGED
        rests = began is not None and _largest_logit(began, self.dataset) < SURE
        rests = rests or comes_to_rest(self.penalised, params, self.dataset)
        return Outcome.CONVERGED if rests else Outcome.UNBOUNDED


def _newton(course: _Course, start: Vector) -> tuple[Vector, Outcome]:
    """Newton's method, recorded."""
    path = newton_path(course.penalised, start)
    params, now, _ = next(path)
    course.begin(params, now.loss)
    for params, now, slow in path:
        outcome = course.step(params, now.loss)
        if outcome is None and course.runs_off(slow):
            outcome = Outcome.UNBOUNDED
        if outcome is not None:
            return params, outcome
    return params, course.at_rest(params, began=start)


def _lbfgs(course: _Course, start: Vector) -> tuple[Vector, Outcome]:
    """SciPy's L-BFGS-B, until the objective no longer changes."""
    from scipy.optimize import minimize

    last: dict[str, Any] = {}

    def value(x: Vector) -> tuple[float, Vector]:
        found = course.penalised.at(x)
        last.update(params=x.copy(), loss=found.loss)
        return found.loss, found.grad

    def told(intermediate_result: Any) -> None:
        end = intermediate_result.x.copy()
        if not np.array_equal(end, last["params"]):  # the line search went further, and back
            value(end)
        last.update(end=end, outcome=course.step(end, last["loss"]))
        if last["outcome"] is not None:
            raise StopIteration

    course.begin(start, value(start)[0])
    if not math.isfinite(last["loss"]):
        return start, Outcome.DIVERGED
    limits = {"maxiter": course.training.epochs, "maxfun": 10**9, "ftol": 0.0, "gtol": 0.0}
    with one_thread():
        minimize(value, start, jac=True, method="L-BFGS-B", callback=told, options=limits)
    end = last.get("end", start)
    return end, last.get("outcome") or course.at_rest(end)
