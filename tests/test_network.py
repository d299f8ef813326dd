"""network.py: flat parameters, starts, the forward pass and the losses in numpy."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fitscope as fs
from fitscope.evaluation import mean_loss, scores
from fitscope.network import (
    activate,
    activations,
    build_module,
    flat_parameters,
    forward,
    input_layer,
    layers,
    parameter_names,
    probabilities,
    start_parameters,
)
from fitscope.train.torch_loop import loss_function

ACTIVATIONS = ["sigmoid", "tanh", "relu", "identity"]
WIDTHS = st.lists(st.integers(1, 6), max_size=3)


def rng(seed=0):
    """A PyTorch generator."""
    return torch.Generator().manual_seed(seed)


@given(hidden=WIDTHS, d=st.integers(1, 5), k=st.integers(1, 4), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_the_start_is_what_pytorch_would_draw(hidden, d, k, seed):
    """Weights and biases are bit-equal to a stack of nn.Linear made after manual_seed."""
    sizes = [d, *hidden, k]
    own = start_parameters(fs.NetworkSpec(hidden=hidden), sizes, rng(seed))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        linear = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    assert own.tolist() == flat_parameters(torch.nn.Sequential(*linear)).tolist()


@pytest.mark.parametrize(("init", "value"), [("zeros", 0.0), ("ones", 1.0)])
def test_constant_starts_draw_nothing(init, value):
    """Zeros and ones fill every parameter and leave the generator where it was."""
    generator = rng()
    before = generator.get_state()
    start = start_parameters(fs.NetworkSpec(hidden=[3], init=init), [2, 3, 1], generator)
    assert start.tolist() == [value] * 13
    assert torch.equal(generator.get_state(), before)


def test_an_explicit_start_is_taken_as_it_is():
    """The flat list is the start, in PyTorch's order."""
    spec = fs.NetworkSpec(hidden=[1], init=[1, 2, 3, 4, 5])
    module = build_module(spec, [2, 1, 1], start_parameters(spec, [2, 1, 1], rng()))
    assert [p.flatten().tolist() for p in module.parameters()] == [[1, 2], [3], [4], [5]]


def test_a_start_of_the_wrong_length_says_the_right_one_and_how_it_is_made_up():
    """The message has the number wanted, the shape, its parts, and the number got."""
    spec = fs.NetworkSpec(hidden=[3], init=[1.0, 2.0])
    message = r"13 numbers for a 2-3-1 network: \(2 weights \+ 1 bias\) x 3 \+ .* x 1; got 2"
    with pytest.raises(fs.FitscopeError, match=message):
        start_parameters(spec, [2, 3, 1], rng())


def test_building_a_module_draws_no_random_numbers():
    """The global generator is where it was."""
    before = torch.get_rng_state()
    build_module(fs.NetworkSpec(hidden=[4]), [2, 4, 1], np.zeros(17, np.float32))
    assert torch.equal(torch.get_rng_state(), before)


@given(hidden=WIDTHS, d=st.integers(1, 5), k=st.integers(1, 4), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_numpy_forward_agrees_with_the_module(activation, hidden, d, k, seed):
    """Float64 numpy and the float32 module differ by float32 rounding only: 1e-6 relative."""
    spec = fs.NetworkSpec(hidden=hidden, activation=activation)
    sizes = spec.layer_sizes(d, k)
    params = start_parameters(spec, sizes, rng(seed))
    X = np.random.RandomState(seed).normal(size=(20, d)).astype(np.float32)
    own = forward(params, X, sizes=sizes, activation=activation)
    by_torch = build_module(spec, sizes, params)(torch.from_numpy(X)).detach().numpy()
    assert own == pytest.approx(by_torch, rel=1e-6, abs=1e-6)


def test_layers_are_views_in_pytorch_order():
    """Weight row by row, then bias, layer by layer; no copy is made."""
    params = np.arange(13.0)
    (W1, b1), (W2, b2) = layers(params, [2, 3, 1])
    assert W1.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert (b1.tolist(), W2.tolist(), b2.tolist()) == ([6, 7, 8], [[9, 10, 11]], [12])
    assert W2.base is params


def test_every_parameter_has_a_name_of_its_own():
    """Names stand in the order of the flat parameters."""
    names = parameter_names([2, 3, 1])
    assert len(set(names)) == 13
    assert (names[1], names[6], names[-1]) == ("w1[1,2]", "b1[1]", "b2[1]")


@given(z=st.floats(-1e4, 1e4))
def test_two_class_probabilities_add_up_and_never_overflow(z):
    """P(0) + P(1) is 1 for logits up to 1e4, where exp would overflow."""
    p = probabilities(np.array([[z]]))
    assert p.sum() == pytest.approx(1.0, abs=1e-15)
    assert (p >= 0).all()


@pytest.mark.parametrize(
    ("task", "name", "k"),
    [
        ("binary", "cross_entropy", 1),
        ("binary", "mse", 1),
        ("multiclass", "cross_entropy", 3),
        ("multiclass", "mse", 3),
        ("regression", "mse", 1),
        ("regression", "smooth_l1", 1),
        ("regression", "relative", 1),
    ],
)
def test_numpy_losses_are_those_of_the_loop(task, name, k):
    """Both define the same mean, to float64 rounding, also at large logits."""
    random = np.random.RandomState(0)
    logits = random.normal(scale=20, size=(50, k))
    y = random.normal(size=50) if task == "regression" else random.randint(0, max(2, k), 50)
    by_torch = loss_function(name, task)(torch.from_numpy(logits), torch.from_numpy(y)).item()
    assert mean_loss(name, task, logits, y) == pytest.approx(by_torch, rel=1e-12)


def test_a_probability_of_one_half_is_class_1():
    """A logit of exactly 0 is class 1."""
    data = fs.dataset(fs.DataSpec(name="step"))
    assert scores(data, np.zeros((20, 1)), np.ones(20, np.int32)) == {"accuracy": 1.0}


def test_regression_scores_are_in_the_target_units():
    """RMSE is scaled back, R2 has no unit; predicting the mean gives R2 0."""
    data = fs.dataset(fs.DataSpec(name="diabetes"))
    found = scores(data, np.zeros((data.n_train, 1)), data.y)
    assert found["rmse"] == pytest.approx(data.y_scale, rel=1e-6)
    assert found["r2"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_those_of_the_modules_layers(activation):
    """Each hidden layer after its activation, then the output, as PyTorch passes them on."""
    spec, sizes = fs.NetworkSpec(hidden=[4, 3], activation=activation), [2, 4, 3, 2]
    params = start_parameters(spec, sizes, rng())
    X = np.random.RandomState(0).normal(size=(7, 2)).astype(np.float32)
    found = activations(params, X, sizes=sizes, activation=activation)
    passed, expected = torch.tensor(X), []
    for part in build_module(spec, sizes, params):
        passed = part(passed)
        expected.append(passed.detach().numpy())
    expected = [expected[1], expected[3], expected[4]]  # linear, f, linear, f, linear
    assert [a.shape for a in found] == [(7, 4), (7, 3), (7, 2)]
    for own, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, theirs, atol=1e-6)  # float64 against float32
    np.testing.assert_array_equal(found[-1], forward(params, X, sizes=sizes, activation=activation))


def test_activate_is_the_activation_of_pytorch():
    """One number after the other; what overflows in float64 has its limit."""
    z = np.array([-1000.0, -2.0, 0.0, 0.5, 1000.0])
    for name, theirs in (("sigmoid", torch.sigmoid), ("tanh", torch.tanh), ("relu", torch.relu)):
        np.testing.assert_allclose(activate(z, name), theirs(torch.tensor(z)).numpy(), atol=1e-15)
    np.testing.assert_array_equal(activate(z, "identity"), z)


@pytest.mark.parametrize("step", [0, -1])
def test_the_input_layer_takes_the_datas_own_units(step):
    """W x + b of unscaled inputs is what the network computes from scaled ones."""
    run = fs.fit("breast-cancer", hidden=[3], activation="identity", epochs=2)
    d = run.dataset
    W, b = input_layer(run, step)
    params, sizes = run.params[run.row(step)], run.layer_sizes
    inside = activations(params, d.X, sizes=sizes, activation="identity")[0]
    np.testing.assert_allclose((d.X * d.scale + d.mean) @ W.T + b, inside, atol=1e-9)


def test_the_input_layer_of_a_diverged_run_is_no_warning():
    """Its parameters may be inf; they come back as they are."""
    run = fs.fit("sine", hidden=[3], epochs=1, standardize=True)
    run = replace(run, params=np.full_like(run.params, np.inf))
    W, b = input_layer(run)
    assert W.shape == (3, 1)
    assert b.shape == (3,)
