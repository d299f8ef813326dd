"""functions.py, losses.py, kernels.py: values against libraries, gradients against differences."""

import numpy as np
import pytest
from numba import njit
from numpy.testing import assert_allclose
from scipy.special import expit

from fitscope.evaluation import mean_loss
from fitscope.network import layers
from fitscope.train import functions, fused, kernels, losses


def over_rows(function):
    """The compiled function of a number, over an array."""

    @njit
    def apply(z, a):
        for s in range(z.size):
            a[s] = function(z[s])
        return a

    return lambda z: apply(z, np.empty_like(z))


@pytest.mark.parametrize(("function", "exact"), [("sigmoid", expit), ("tanh", np.tanh)])
def test_activations_are_exact_over_all_float32(function, exact):
    """Every 1021st of all floats: within 2e-7, a third of what is asked for."""
    z = np.arange(0, 2**32, 1021, dtype=np.uint64).astype(np.uint32).view(np.float32)
    z = z[~np.isnan(z)]
    a = over_rows(getattr(functions, function))(z)
    assert np.abs(a - exact(z.astype(np.float64))).max() < 2e-7


@pytest.mark.parametrize(
    ("function", "low", "middle", "high"), [("sigmoid", 0, 0.5, 1), ("tanh", -1, 0, 1)]
)
def test_activations_have_exact_limits(function, low, middle, high):
    """At both ends and at 0; what is not a number stays so."""
    z = np.array([-np.inf, -3e38, 0, 3e38, np.inf, np.nan], np.float32)
    a = over_rows(getattr(functions, function))(z)
    assert a[:5].tolist() == [low, low, middle, high, high]
    assert np.isnan(a[5])


@pytest.mark.parametrize(
    ("function", "exact", "start", "end", "rel"),
    [
        ("exp", np.exp, -87, 88, 5e-6),
        ("expm1", np.expm1, -1, 1, 4e-7),
        ("log1p", np.log1p, 1e-30, 1, 4e-7),
        ("log", np.log, 1, 1e30, 4e-7),
    ],
)
def test_exponentials_and_logarithms_are_nearly_exact(function, exact, start, end, rel):
    """Relative to the answer; e^z loses as much as z has digits before the point."""
    z = np.linspace(start, end, 100_001, dtype=np.float32)
    a = over_rows(getattr(functions, function))(z)
    assert_allclose(a, exact(z.astype(np.float64)), rtol=rel, atol=1e-7)


@pytest.mark.parametrize("function", ["exp", "expm1", "log1p", "log", "sigmoid", "tanh"])
def test_float64_is_that_of_the_library(function):
    """The build for tests is exact, so that its gradients can be told from finite differences."""
    exact = {"sigmoid": expit}.get(function) or getattr(np, function)
    z = np.linspace(0.01, 0.99, 99)
    assert_allclose(over_rows(getattr(functions, function))(z), exact(z), rtol=1e-14)


@njit
def loss_of(params, net, samples, work):
    """The mean loss of all samples, and the gradient in `work`."""
    order, n = np.empty(0, np.int64), samples.X.shape[1]
    return kernels.loss(params, net, samples, order, 0, n, work, True, False)


LOSSES = {
    losses.BINARY_CROSS_ENTROPY: ("cross_entropy", "binary", 1),
    losses.BINARY_MSE: ("mse", "binary", 1),
    losses.CROSS_ENTROPY: ("cross_entropy", "multiclass", 4),
    losses.CLASS_MSE: ("mse", "multiclass", 4),
    losses.MSE: ("mse", "regression", 1),
    losses.SMOOTH_L1: ("smooth_l1", "regression", 1),
    losses.RELATIVE: ("relative", "regression", 1),
}
SEVERAL = {kind: (name, task, 3) for kind, (name, task, _) in LOSSES.items() if task[0] == "r"}
CASES = [*LOSSES.items(), *SEVERAL.items()]


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("activation", range(4))
@pytest.mark.parametrize("hidden", [[], [3], [7, 5]])
@pytest.mark.parametrize(("loss", "about"), CASES)
def test_gradients_are_those_of_finite_differences(loss, about, hidden, activation, weighted):
    """In float64, from the same source: to 1e-6, since a step of 1e-6 loses half the digits.

    300 samples are more than a tile of 128, and 5 inputs more than the four rows added at a time.
    """
    name, task, k = about
    rng = np.random.default_rng(1)
    sizes = np.array([5, *hidden, k])
    n_parameters = int(((sizes[:-1] + 1) * sizes[1:]).sum())
    X, params = rng.normal(size=(5, 300)), rng.normal(size=n_parameters)
    y = rng.normal(size=(k, 300))
    if task != "regression":
        y = rng.integers(max(2, k), size=(1, 300)) * 1.0
    w = rng.uniform(0, 2, 300) if weighted else np.empty(0)
    samples = kernels.Samples(X, y, w)
    net = kernels.Net(sizes, activation, loss, 0.01)
    work = fused._work(net, n_parameters, 128, len(y), np.float64)
    value = loss_of(params, net, samples, work)
    gradient = work.grad.copy()
    a = X.T
    for layer, (W, b) in enumerate(layers(params, sizes.tolist())):
        z = a @ W.T + b
        f = (expit, np.tanh, lambda z: np.maximum(z, 0), lambda z: z)[activation]
        a = f(z) if layer < len(hidden) else z
    target = y.T if task == "regression" else y[0].astype(int)
    target = target[:, 0] if task == "regression" and k == 1 else target
    expected = mean_loss(name, task, a, target, w if weighted else None)
    assert value == pytest.approx(expected, rel=1e-12)
    h = 1e-6
    for i in range(n_parameters):
        above, below = params.copy(), params.copy()
        above[i] += h
        below[i] -= h
        slope = (loss_of(above, net, samples, work) - loss_of(below, net, samples, work)) / (2 * h)
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-7)
