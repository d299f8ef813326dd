"""The best parameters of a model without a hidden layer, against other searches."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import fitscope as fs
from fitscope.analysis import optimum
from fitscope.errors import DataError
from fitscope.evaluation import mean_loss
from fitscope.network import forward
from fitscope.records import Run


def _loss(run: Run, name: str, params: np.ndarray) -> float:
    d = run.dataset
    logits = forward(params, d.X, sizes=run.layer_sizes, activation="identity")
    return mean_loss(name, d.task, logits, d.y)


def _of(x: Any, y: Any, **settings: Any) -> Run:
    """A run on arrays, trained for one step."""
    settings = {"epochs": 1, "standardize": False, "test_fraction": 0.0, **settings}
    return fs.fit((np.asarray(x, dtype=float), np.asarray(y)), **settings)


def test_the_threshold_has_the_published_optimum(figures):
    """Maximum likelihood of the noisy threshold: w 16.29, b 0.733, loss 0.0505."""
    best, published = optimum(fs.fit("threshold-sgd")), figures["threshold_sgd"]
    wanted = published["maximum_likelihood"]
    assert best.params == pytest.approx([wanted["w"], wanted["b"]], abs=5e-3)
    assert best.loss == pytest.approx(wanted["loss"], abs=5e-5)
    assert best.score == pytest.approx(0.97)
    assert not best.separable
    assert best.sentence == (
        "The least loss that a model without a hidden layer can have is 0.05048."
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("threshold-sgd", "cross_entropy"),
        ("threshold-sgd", "mse"),
        ("gates-xor", "cross_entropy"),
        ("gaussians", "cross_entropy"),
        ("gaussians", "mse"),
        ("blobs", "cross_entropy"),
        ("blobs", "mse"),
        ("diabetes", "mse"),
        ("diabetes", "smooth_l1"),
        ("polynomial", "smooth_l1"),
    ],
)
def test_no_search_from_the_optimum_finds_a_smaller_loss(name, loss):
    """A simplex or BFGS on the loss itself, begun there and beside it, gains nothing."""
    overrides = {"n_samples": 500} if name == "polynomial" else {}
    run = fs.fit(name, epochs=1, **overrides)
    best = optimum(run, loss=loss)
    assert best.params is not None
    assert best.loss == _loss(run, loss, best.params)
    for shift in (0.0, 0.1):
        found = minimize(lambda v: _loss(run, loss, v), best.params + shift, method="BFGS")
        assert found.fun >= best.loss - 1e-9


def test_least_relative_error_is_no_larger_than_along_any_search():
    """The linear programme's loss is below what simplex searches from several starts reach."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 2))
    run = _of(x, x @ [2.0, -1.0] + 3 + rng.normal(size=40), loss="relative", task="regression")
    best = optimum(run)
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000}
    for start in (np.zeros(3), best.params, np.array([2.0, -1.0, 3.0])):
        found = minimize(
            lambda v: _loss(run, "relative", v), start, method="Nelder-Mead", options=options
        )
        assert found.fun >= best.loss - 1e-9
    assert best.loss == pytest.approx(_loss(run, "relative", best.params))


def test_linear_squared_error_is_least_squares():
    """The noiseless polynomial's optimum is the truth, with R2 1."""
    run = fs.fit("polynomial")
    best = optimum(run, loss="mse")
    assert best.params == pytest.approx(run.dataset.truth, rel=1e-4)
    assert (best.score_name, best.score) == ("r2", pytest.approx(1.0))


@pytest.mark.parametrize("name", ["bad-start", "bad-start-mse"])
def test_separable_classes_have_no_optimum(name):
    """The step can be told apart, so neither loss has a least value; none is made up."""
    best = optimum(fs.fit(name, epochs=1))
    assert (best.params, best.loss, best.score, best.separable) == (None, None, None, True)
    assert best.sentence == (
        "The classes can be told apart by a line, so the loss falls towards 0 as the weights "
        "grow: there is no optimum."
    )


def _perceptron(X: np.ndarray, y: np.ndarray, steps: int = 4_000) -> bool:
    """Whether the perceptron stops making mistakes.

    On separable data it must, after at most R^2 |w|^2 of them: 9 * 384 for places from -2 to 2.
    """
    signed = np.column_stack([X, np.ones(len(X))]) * np.where(y == 1, 1, -1)[:, None]
    w = np.zeros(signed.shape[1])
    for _ in range(steps):
        wrong = signed @ w <= 0
        if not wrong.any():
            return True
        w += signed[wrong][0]
    return False


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_separability_is_that_of_the_perceptron(data):
    """On a small grid of places, with ties and doubles, both answer alike."""
    n, d = data.draw(st.integers(3, 9)), data.draw(st.integers(1, 2))
    place = st.lists(st.integers(-2, 2), min_size=d, max_size=d)
    X = np.array(data.draw(st.lists(place, min_size=n, max_size=n)), dtype=float)
    y = np.array(data.draw(st.lists(st.sampled_from([0, 1]), min_size=n, max_size=n)))
    if len(set(y.tolist())) < 2:
        return
    best = optimum(_of(X, y, task="binary"))
    assert best.separable == _perceptron(X, y)
    assert best.separable <= (best.params is None)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_on_a_line_an_optimum_exists_where_the_classes_overlap(data):
    """One input: it does where neither class lies wholly to one side, touching or not."""
    places = st.lists(st.integers(-4, 4), min_size=1, max_size=5)
    low, high = data.draw(places), data.draw(places)
    X, y = np.array([*low, *high], dtype=float)[:, None], [0] * len(low) + [1] * len(high)
    best = optimum(_of(X, y, task="binary"), loss="cross_entropy")
    all_one = len(set(X[:, 0])) == 1
    overlap = all_one or (max(low) > min(high) and max(high) > min(low))
    assert (best.params is not None) == overlap
    if all_one:
        assert best.params[0] == 0.0
        assert best.params[1] == pytest.approx(np.log(len(high) / len(low)), abs=1e-6)


def test_a_class_that_touches_another_has_no_optimum_either():
    """Where one place holds both classes and the rest lie apart, the weights grow for ever."""
    run = _of([[0.0], [1.0], [1.0], [2.0]], [0, 0, 1, 1])
    best = optimum(run)
    assert best.params is None
    assert not best.separable
    assert best.sentence.startswith("Some samples can be told apart by a line with none on its")
    steep = [_loss(run, "cross_entropy", w * np.array([1.0, -1.0])) for w in (1, 10, 40)]
    assert steep == sorted(steep, reverse=True)
    assert steep[-1] == pytest.approx(np.log(2) / 2)


def test_one_class_of_three_apart_is_enough():
    """Iris: setosa stands apart, the other two mix, so there is no optimum."""
    best = optimum(fs.fit("iris", epochs=1))
    assert best.params is None
    assert not best.separable
    assert "plane" in best.sentence


def test_classes_apart_pair_by_pair_are_separable():
    """Three clouds far from each other; planes for more than two inputs."""
    centres = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0]])
    y = np.repeat([0, 1, 2], 10)
    X = centres[y] + np.random.default_rng(0).normal(size=(30, 3))
    best = optimum(_of(X, y, task="multiclass"))
    assert best.separable
    assert best.sentence.startswith("The classes can be told apart by planes, so")


def test_steeper_and_steeper_is_no_optimum_of_squared_error():
    """Probabilities of xor: no line fits, yet each steeper one is a little better."""
    best = optimum(fs.fit("gates-xor", epochs=1), loss="mse")
    assert best.params is None
    assert not best.separable
    assert best.sentence == "The loss still falls as the weights grow: no optimum was found."


def test_a_constant_input_gets_no_weight():
    """It determines nothing."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=50), np.full(50, 7.0)])
    y = (X[:, 0] + rng.normal(size=50) > 0).astype(int)
    alone, both = optimum(_of(X[:, :1], y)), optimum(_of(X, y))
    assert both.params == pytest.approx([alone.params[0], 0.0, alone.params[1]], abs=1e-6)


def test_what_has_no_optimum_here_is_told_in_one_sentence():
    """A hidden layer, another task's loss, a run without its data."""
    run = fs.fit("rings-3", epochs=1)
    with pytest.raises(DataError, match=r"without a hidden layer; this one has 3\."):
        optimum(run)
    run = fs.fit("gates-and", epochs=1)
    message = r"`loss` must be one of cross_entropy, mse for binary; got 'relative'\."
    with pytest.raises(DataError, match=message):
        optimum(run, loss="relative")
    with pytest.raises(DataError, match="divides by the target, which is standardised"):
        optimum(fs.fit("diabetes", epochs=1), loss="relative")
    run.save("run.safetensors", data=False)
    with pytest.raises(DataError, match="optimum needs the data"):
        optimum(fs.load("run.safetensors"))
