"""Logistic regression to one objective: Newton's method here, and scikit-learn's solvers."""

import functools
import math
import time
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

import fitscope as fs

PEERS = ("lbfgs", "newton-cholesky", "newton-cg")
WITHIN = 1e-9  # of the least objective
REST = 0.2  # seconds; BLAS's threads look for more work that long, on a core of whoever is next


@dataclass(frozen=True, eq=False)
class Problem:
    """Samples of two classes that overlap, and a penalty."""

    X: np.ndarray
    y: np.ndarray
    l2: float
    least: float  # objective


def problem(n: int, d: int) -> Problem:
    """Normal inputs, a true model with noise, and the least objective."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)).astype(np.float32)
    y = (X @ rng.normal(size=d) / 2 + rng.logistic(size=n) > 0).astype(np.int32)
    l2 = 1e-4
    model = LogisticRegression(C=1 / (n * l2), solver="newton-cholesky", tol=1e-12, max_iter=99)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it cannot do better than rounding lets it
        model.fit(X.astype(np.float64), y)
    return Problem(X, y, l2, objective(X, y, l2, np.append(model.coef_, model.intercept_)))


def objective(X: np.ndarray, y: np.ndarray, l2: float, params: np.ndarray) -> float:
    """Mean cross-entropy and penalty, in float64."""
    *w, b = params.astype(np.float64)
    z = X.astype(np.float64) @ w + b
    return float(np.mean(np.logaddexp(0, z) - z * y) + 0.5 * l2 * np.sum(np.square(w)))


def is_there(p: Problem, params: np.ndarray) -> bool:
    """Whether the objective is within 1e-9 of the least."""
    return objective(p.X, p.y, p.l2, params) <= p.least * (1 + WITHIN)


def our_fit(p: Problem) -> float:
    """Seconds of the whole call."""
    time.sleep(REST)
    began = time.perf_counter()
    run = fs.fit((p.X, p.y), optimizer="newton", l2=p.l2, standardize=False)
    seconds = time.perf_counter() - began
    assert is_there(p, run.params[-1])  # noqa: S101
    return seconds


def sklearn_fit(p: Problem, solver: str) -> float:
    """Seconds of scikit-learn's `fit` with the loosest tolerance that gets there; inf for none."""
    tol = tolerance(p, solver)
    return math.inf if tol is None else _fit(p, solver, tol)[0]


@functools.cache
def tolerance(p: Problem, solver: str) -> float | None:
    """The loosest power of ten that ends within 1e-9 of the least objective, if one does."""
    for tol in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9):
        if is_there(p, _fit(p, solver, tol)[1]):
            return tol
    return None  # lbfgs computes in the float32 of the inputs


def _fit(p: Problem, solver: str, tol: float) -> tuple[float, np.ndarray]:
    """Seconds, and the parameters."""
    model = LogisticRegression(C=1 / (len(p.y) * p.l2), solver=solver, tol=tol, max_iter=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        time.sleep(REST)
        began = time.perf_counter()
        model.fit(p.X, p.y)
        seconds = time.perf_counter() - began
    return seconds, np.append(model.coef_, model.intercept_)


def best_peer(p: Problem) -> str:
    """The solver that takes the least time, of two rounds."""
    times = {solver: min(sklearn_fit(p, solver) for _ in range(2)) for solver in PEERS}
    return min(times, key=lambda solver: times[solver])
