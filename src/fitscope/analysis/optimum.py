"""What are the best parameters of a model without a hidden layer?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import checked_loss, needs_data, needs_plain
from fitscope.errors import DataError
from fitscope.evaluation import RELATIVE_FLOOR, mean_loss, scores
from fitscope.network import forward, layers, probabilities
from fitscope.records import Dataset, Run

__all__ = ["Optimum", "optimum"]


@dataclass(frozen=True, eq=False)
class Optimum:
    """The parameters with the least loss on the training part, where there are such.

    Attributes:
        params: the parameters in the run's order, for scaled inputs; None without an optimum.
        loss: the mean loss there; None without an optimum.
        score: accuracy there, or R2 of a regression; None without an optimum.
        score_name: "accuracy" or "r2".
        loss_name: which loss is least.
        separable: whether lines tell every class apart from all others, without a mistake.
        sentence: the finding in words.
    """

    params: Float64[np.ndarray, " p"] | None
    loss: float | None
    score: float | None
    score_name: str
    loss_name: str
    separable: bool
    sentence: str


def optimum(run: Run, *, loss: str | None = None) -> Optimum:
    """The best parameters of a model without a hidden layer, found by an independent library.

    argmin over W, b of the mean loss of X W' + b on the training part. Cross-entropy is left to
    scikit-learn's LogisticRegression without a penalty, linear squared error to least squares,
    `relative` to a linear programme, the others to scipy's BFGS. Squared error of
    probabilities is not convex: the best of several starts is given, which is no proof. Weight
    decay is ignored. Where parameters tie (several classes, inputs that determine each other),
    one of the best is given.

    Cross-entropy has an optimum only where no weights put some samples on the right side of
    their lines and none on a wrong side. A linear programme decides that (Albert and Anderson
    1984, Biometrika 71): with m_i the margin of sample i (for several classes, over each other
    class), max sum t_i subject to 0 <= t_i <= 1 and t_i <= m_i is the number of margins that can
    be above 0 while none is below: all of them where the classes are separable, 0 where there
    is an optimum. In between, such as for one class of three that stands apart, the loss falls
    for ever too, towards a value above 0.

    Args:
        run: a run without a hidden layer, and its data.
        loss: which loss; default: the run's own.

    Raises:
        DataError: the model has a hidden layer, the run was saved without its data, its samples
            have weights, or the loss does not belong to its task.

    Example:
        >>> import fitscope as fs
        >>> best = optimum(fs.fit("threshold-sgd", epochs=1))
        >>> best.params.round(2).tolist(), round(best.loss, 4)
        ([16.29, 0.73], 0.0505)
    """
    needs_plain(run, "optimum")
    d, name = run.dataset, checked_loss(run, loss)
    if run.experiment.network.hidden:
        widths = ", ".join(map(str, run.experiment.network.hidden))
        raise DataError(f"optimum needs a model without a hidden layer; this one has {widths}.")
    needs_data(d, "optimum")
    if d.weights is not None:
        raise DataError("optimum counts every sample alike; the samples of this run have weights.")
    score_name = "accuracy" if d.classes else "r2"
    mean, scale = _centre(d)
    X = np.asarray((d.X - mean) / scale)
    n_apart, n_margins = _separated(X, d) if d.classes else (0, 0)
    separable = bool(d.classes) and n_apart == n_margins
    sentence = _no_optimum(d, name, separable=separable, partly=n_apart > 0)
    params = None if sentence else _least(name, d, X)
    if params is None:
        sentence = sentence or "The loss still falls as the weights grow: no optimum was found."
        return Optimum(None, None, None, score_name, name, separable, sentence)
    params = _unscaled(params, mean, scale, run.layer_sizes)
    logits = forward(params, d.X, sizes=run.layer_sizes, activation="identity")
    value, score = mean_loss(name, d.task, logits, d.y), scores(d, logits, d.y)[score_name]
    sentence = f"The least loss that a model without a hidden layer can have is {value:.4g}."
    return Optimum(params, value, score, score_name, name, False, sentence)


def _centre(d: Dataset) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, " d"]]:
    """Mean and deviation of each column; a constant one, which has no weight, is left as 0."""
    X = d.X.astype(np.float64)
    spread = X.std(axis=0)
    constant = spread <= 1e-12 * np.abs(X).max(axis=0, initial=0.0)
    return X.mean(axis=0), np.where(constant, np.inf, spread)


def _separated(X: Float64[np.ndarray, "n d"], d: Dataset) -> tuple[int, int]:
    """How many margins can be above 0 while none is below, and how many margins there are."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, hstack

    A = _margins(np.column_stack([X, np.ones(len(X))]), d)
    n, p = A.shape
    if (A @ _witness(X, d) > 0).all():
        return n, n
    margins = csr_array(A)
    rows = hstack([-margins, eye_array(n)], format="csr")  # t - m <= 0
    cost = np.concatenate([np.zeros(p), -np.ones(n)])
    bounds = [(None, None)] * p + [(0.0, 1.0)] * n
    found = linprog(cost, A_ub=rows, b_ub=np.zeros(n), bounds=bounds, method="highs")
    return round(-found.fun), n


def _witness(X: Float64[np.ndarray, "n d"], d: Dataset) -> Float64[np.ndarray, " p"]:
    """Weights, class by class, that may tell all classes apart: a proof without a programme."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e3, solver="newton-cg", tol=1e-3, max_iter=1000).fit(X, d.y)
    return np.column_stack([model.coef_, model.intercept_]).ravel()


def _margins(X1: Float64[np.ndarray, "n d1"], d: Dataset) -> Float64[np.ndarray, "m p"]:
    """Rows whose product with the weights, class by class, is by how much the truth wins."""
    if d.task == "binary":
        return X1 * np.where(d.y == 1, 1.0, -1.0)[:, None]
    width = X1.shape[1]
    parts = []
    for other in range(d.k):
        rows = np.flatnonzero(d.y != other)
        block = np.zeros((len(rows), d.k, width))
        block[np.arange(len(rows)), d.y[rows]] = X1[rows]
        block[:, other] = -X1[rows]
        parts.append(block.reshape(len(rows), d.k * width))
    return np.concatenate(parts)


def _no_optimum(d: Dataset, name: str, *, separable: bool, partly: bool) -> str:
    """Why there is no optimum; "" where that is not known beforehand."""
    line = "line" if d.d <= 2 else "plane"
    if separable:
        by = f"a {line}" if d.task == "binary" else f"{line}s"
        return (
            f"The classes can be told apart by {by}, so the loss falls towards 0 as the weights "
            "grow: there is no optimum."
        )
    if partly and name == "cross_entropy":
        return (
            f"Some samples can be told apart by a {line} with none on its wrong side, so the loss "
            "falls for ever as the weights grow: there is no optimum."
        )
    return ""


def _least(
    name: str, d: Dataset, X: Float64[np.ndarray, "n d"]
) -> Float64[np.ndarray, " p"] | None:
    """The best parameters for standardised inputs; None where a descent ran off to infinity."""
    if name == "cross_entropy":
        return _logistic(X, d)
    X1, y = np.column_stack([X, np.ones(len(X))]), d.y.astype(np.float64)
    if d.classes:
        return _probabilities_squared(X1, d)
    if name == "relative":
        return _least_deviation(X1, y, 1 / np.maximum(np.abs(y), RELATIVE_FLOOR))
    best = np.asarray(np.linalg.lstsq(X1, y)[0])
    return best if name == "mse" else _smooth_l1(X1, y, best)


def _logistic(X: Float64[np.ndarray, "n d"], d: Dataset) -> Float64[np.ndarray, " p"]:
    """Cross-entropy by scikit-learn, without a penalty."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf, solver="newton-cg", tol=1e-10, max_iter=1000)
    model.fit(X, d.y)
    return np.concatenate([model.coef_.ravel(), model.intercept_])


def _least_deviation(
    X1: Float64[np.ndarray, "n d1"], y: Float64[np.ndarray, " n"], weight: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, " d1"]:
    """Least mean of weight |X1 v - y|, by its dual: max u y with u X1 = 0 and |u| <= weight / n.

    On 13,088 samples it took 3 s where the programme as it stands took 265 (2.5 GHz).
    """
    from scipy.optimize import linprog

    bounds = np.column_stack([-weight, weight]) / len(y)
    found = linprog(-y, A_eq=X1.T, b_eq=np.zeros(X1.shape[1]), bounds=bounds, method="highs")
    return np.asarray(-found.eqlin.marginals)


def _smooth_l1(
    X1: Float64[np.ndarray, "n d1"], y: Float64[np.ndarray, " n"], start: Float64[np.ndarray, " d1"]
) -> Float64[np.ndarray, " d1"]:
    def value(v: np.ndarray) -> tuple[float, np.ndarray]:
        error = X1 @ v - y
        size = np.abs(error)
        each = np.where(size < 1, error**2 / 2, size - 0.5)
        return float(each.mean()), np.clip(error, -1, 1) @ X1 / len(y)

    return _descended(value, start)[1]


def _probabilities_squared(X1: Float64[np.ndarray, "n d1"], d: Dataset) -> np.ndarray | None:
    """Squared error of probabilities: the best of ten descents, from 0 and from random starts."""
    width = X1.shape[1]
    target = np.eye(max(2, d.k))[d.y]

    def value(v: np.ndarray) -> tuple[float, np.ndarray]:
        p = probabilities(X1 @ v.reshape(d.k, width).T)
        pull = 2 * (p - target) / p.size
        grad_z = p * (pull - (pull * p).sum(axis=1, keepdims=True))  # by the softmax
        return float(np.mean((p - target) ** 2)), (grad_z[:, -d.k :].T @ X1).ravel()

    rng = np.random.default_rng(0)
    starts = [np.zeros(d.k * width), *rng.normal(size=(9, d.k * width)) * 3]
    least, best = min((_descended(value, start) for start in starts), key=lambda end: end[0])
    if np.abs(best).max() > 1 and value(2 * best)[0] <= least + 1e-12:
        return None  # steeper is no worse
    W1 = best.reshape(d.k, width)
    return np.concatenate([W1[:, :-1].ravel(), W1[:, -1]])


def _descended(
    value: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray
) -> tuple[float, np.ndarray]:
    """Where BFGS ends: the value, and the parameters."""
    from scipy.optimize import minimize

    found = minimize(value, start, jac=True, method="BFGS", options={"gtol": 1e-10})
    return float(found.fun), np.asarray(found.x)


def _unscaled(
    params: Float64[np.ndarray, " p"],
    mean: Float64[np.ndarray, " d"],
    scale: Float64[np.ndarray, " d"],
    sizes: list[int],
) -> Float64[np.ndarray, " p"]:
    """The same model for the inputs as the network sees them."""
    W, b = layers(params, sizes)[0]
    W = W / scale
    return np.concatenate([W.ravel(), b - W @ mean])
