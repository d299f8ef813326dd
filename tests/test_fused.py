"""fused.py: the same steps as PyTorch, and what comes with them: blocks, endings, repeats."""

import dataclasses
import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import fitscope as fs
from fitscope import analysis
from fitscope.errors import EngineError
from fitscope.network import build_module, flat_parameters, start_parameters
from fitscope.train import fused, single
from fitscope.train.torch_loop import batches, loss_function, optimizer_for

TASKS = {
    "binary": ("cross_entropy", "mse"),
    "multiclass": ("cross_entropy", "mse"),
    "regression": ("mse", "smooth_l1", "relative"),
}
OPTIMIZERS = {
    "sgd": {"optimizer": "sgd", "lr": 0.1},
    "decay": {"optimizer": "sgd", "lr": 0.1, "weight_decay": 0.1},
    "momentum": {"optimizer": "sgd", "lr": 0.02, "momentum": 0.9},
    "nesterov": {"optimizer": "sgd", "lr": 0.02, "momentum": 0.9, "nesterov": True},
    "adam": {"optimizer": "adam", "lr": 0.01, "weight_decay": 0.01},
    "adamw": {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.1},
    "rmsprop": {"optimizer": "rmsprop", "lr": 0.01, "weight_decay": 0.01},
}
BATCHES = {
    "full": {},
    "ordered": {"batch_size": 6, "shuffle": False},
    "shuffled": {"batch_size": 6, "shuffle": True},
    "uneven": {"batch_size": 7, "shuffle": True},
}
ACTIVATIONS = ("sigmoid", "tanh", "relu", "identity")
DEPTHS = ([], [3], [5, 4], [4, 3, 2])


def toy(task):
    """24 + 6 samples with three inputs, overlapping classes or a noisy line."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(30, 3))
    z = X @ [1.0, -2.0, 0.5] + rng.normal(size=30)
    y = {"binary": z > 0, "multiclass": np.digitize(z, [-1, 1]), "regression": 0.5 * z + 1}[task]
    return fs.dataset_from_arrays(X, y, task=task, test_fraction=0.2)


def both(data, **settings):
    """The same experiment by both engines."""
    return tuple(fs.fit(data, engine=engine, **settings) for engine in ("fused", "torch"))


def epochs_for(n_updates, batch_size=24, **_):
    """Epochs over 24 samples that make so many updates."""
    return -(-n_updates // -(-24 // batch_size))


def exact_parameters(run, nudge=None):
    """What PyTorch makes of the run's experiment in float64, after each update.

    With a generator as `nudge`, from inputs that are off by up to a rounding of float32.
    """
    e, data = run.experiment, run.dataset
    rng = torch.Generator().manual_seed(e.training.seed)
    start_parameters(e.network, run.layer_sizes, rng)  # so that the shuffles come next
    module = build_module(e.network, run.layer_sizes, run.params[0]).double()
    off = 0 if nudge is None else nudge.uniform(-(2.0**-24), 2.0**-24, data.X.shape)
    X, y = torch.from_numpy(data.X * (1.0 + off)).double(), torch.from_numpy(data.y)
    y = y.double() if data.task == "regression" else y.long()
    loss_of = loss_function(e.training.loss, data.task)
    optimizer, rows = optimizer_for(e.training, module), [flat_parameters(module)]
    for _ in range(e.training.epochs):
        for batch in batches(len(X), e.training, rng):
            optimizer.zero_grad()
            loss_of(module(X[batch]), y[batch]).backward()
            optimizer.step()
            rows.append(flat_parameters(module))
    return rows


def assert_same_steps(ours, theirs, *, at, rtol):
    """Parameters after `at` updates agree, relative to the largest of them.

    Where they do not, it is because rounding grew: then PyTorch is as far from its own answer in
    float64, or that answer moves as far when its inputs are off by a rounding. Up to five times
    as far is let pass, since these distances are luck.
    """
    scale = np.abs(theirs.params[at]).max()
    if np.abs(ours.params[at] - theirs.params[at]).max() > rtol * scale:
        exact = exact_parameters(theirs)[at]
        nudged = [exact_parameters(theirs, np.random.default_rng(i))[at] for i in range(4)]
        lost = max(np.abs(other - exact).max() for other in (theirs.params[at], *nudged))
        assert_allclose(ours.params[at], exact, rtol=0, atol=rtol * scale + 5 * lost)


CASES = [
    pytest.param(
        (task, loss, optimizer, depth, turn),
        id=f"{task}-{loss}-{optimizer}-{depth}",
        marks=() if optimizer == "adam" and depth == 1 else pytest.mark.slow,
    )
    for turn, (task, loss, optimizer, depth) in enumerate(
        (task, loss, optimizer, depth)
        for task, losses in TASKS.items()
        for loss in losses
        for optimizer in OPTIMIZERS
        for depth in range(len(DEPTHS))
    )
]


@pytest.mark.parametrize("case", CASES)
def test_fused_takes_the_same_steps_as_torch(case):
    """After 1 and 10 updates, for every activation and every way to batch.

    Both add up in float32, in another order: 1e-6 is some ten roundings of an update of the size
    of the parameters, and ten updates may add up to ten times that. Losses of few samples with
    noise follow the parameters tenfold.
    """
    task, loss, optimizer, depth, _ = case
    data = toy(task)
    for activation, batching in itertools.product(ACTIVATIONS, BATCHES.values()):
        settings = {**OPTIMIZERS[optimizer], **batching, "epochs": epochs_for(10, **batching)}
        ours, theirs = both(
            data, loss=loss, hidden=DEPTHS[depth], activation=activation, **settings
        )
        assert_same_steps(ours, theirs, at=1, rtol=1e-6)
        assert_same_steps(ours, theirs, at=10, rtol=1e-5)
        for name in ("batch_loss", "train_loss", "test_loss"):
            assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_fused_is_still_with_torch_after_200_updates(case):
    """The same table, each row with one activation and one way to batch in turn.

    1e-4 relative, as the contract says: rounding is stirred up by momentum and by kinks.
    """
    task, loss, optimizer, depth, turn = case
    batching = list(BATCHES.values())[(turn + turn // 4) % 4]
    settings = {**OPTIMIZERS[optimizer], **batching, "epochs": epochs_for(200, **batching)}
    ours, theirs = both(
        toy(task), loss=loss, hidden=DEPTHS[depth], activation=ACTIVATIONS[turn % 4], **settings
    )
    assert_same_steps(ours, theirs, at=200, rtol=1e-4)
    assert ours.outcome == theirs.outcome


# The end loss of the sines moves by a thousandth when the start moves by one rounding: Adam at
# 0.01 still swings after thousands of steps.
END = dict.fromkeys(fs.experiments(), 1e-3) | {"sine-10": 5e-3, "sine-10-flipped": 5e-3}


SLOW_WITH_TORCH = [name for name in END if "rings" in name or "sine" in name or "hidden" in name]


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow if n in SLOW_WITH_TORCH else ()) for n in END],
)
def test_every_built_in_experiment_ends_as_with_torch(name):
    """The loss at the end agrees to 1e-3, and so do the parameters after 1,000 updates, to 1e-4."""
    ours, theirs = both(name)
    assert (ours.engine, theirs.engine) == ("fused", "torch")
    assert ours.outcome == theirs.outcome
    assert len(ours.batch_loss) == len(theirs.batch_loss)
    assert ours.train_loss[-1] == pytest.approx(theirs.train_loss[-1], rel=END[name])
    if "sine" not in name:
        at = min(1000, len(ours.params) - 1)
        assert_same_steps(ours, theirs, at=at, rtol=1e-4)


@settings(deadline=None, max_examples=30)
@given(
    hidden=st.lists(st.integers(1, 9), max_size=3),
    activation=st.sampled_from(ACTIVATIONS),
    n=st.integers(4, 40),
    d=st.integers(1, 6),
    classes=st.integers(2, 4),
    batch_size=st.one_of(st.none(), st.integers(1, 50)),
    size=st.sampled_from([1e-3, 1.0, 1e4]),
    seed=st.integers(0, 99),
)
def test_any_network_on_any_data_starts_as_with_torch(
    hidden, activation, n, d, classes, batch_size, size, seed
):
    """Inputs from a thousandth to ten thousand, which saturate every unit; a constant feature.

    Gradients of saturated units are differences of nearly equal numbers, so ten roundings of the
    inputs' size are let pass.
    """
    rng = np.random.default_rng(seed)
    X, y = size * rng.normal(size=(n, d)), rng.integers(classes, size=n)
    assume(len(np.unique(y)) == classes)
    X[:, 0] = size
    ours, theirs = both(
        (X, y), hidden=hidden, activation=activation, batch_size=batch_size, seed=seed,
        optimizer="sgd", lr=0.01, epochs=2, test_fraction=0, standardize=False,
    )  # fmt: skip
    assert ours.outcome == theirs.outcome
    scale = max(1.0, np.abs(theirs.params).max())
    roundings = 10 * 2.0**-24 * size * 0.01  # of the inputs' size, times the learning rate
    assert_allclose(ours.params, theirs.params, rtol=0, atol=1e-5 * scale + roundings)


def _alone(y, **changes):
    """A data set that no door would let in: one sample, or a single class."""
    data = toy("binary")
    rows = len(y)
    return dataclasses.replace(data, X=data.X[:rows], y=np.array(y, np.int32), n_train=rows)


@pytest.mark.parametrize("y", [[1], [0, 0, 0], [1, 1]])
def test_one_sample_and_equal_labels_train_as_with_torch(y):
    """The mean over one sample, and a loss that only wants one answer."""
    ours, theirs = both(_alone(y), hidden=[2], epochs=30)
    assert_same_steps(ours, theirs, at=30, rtol=1e-5)
    assert ours.train_loss[-1] < ours.train_loss[0]


@pytest.mark.parametrize(
    ("optimizer", "lr", "settings"),
    [("sgd", 30.0, {}), ("sgd", 5.0, {"batch_size": 5}), ("sgd", 3.0, {"momentum": 0.9})],
)
def test_divergence_stops_where_torch_stops(optimizer, lr, settings):
    """The update at which the loss is no longer finite is the same, give or take 2."""
    ours, theirs = both(
        toy("regression"), hidden=[6], activation="relu", optimizer=optimizer, lr=lr, epochs=300,
        **settings,
    )  # fmt: skip
    assert ours.outcome is theirs.outcome is fs.Outcome.DIVERGED
    assert abs(len(ours.batch_loss) - len(theirs.batch_loss)) <= 2
    assert not np.isfinite([*ours.batch_loss[-1:], *ours.train_loss[-1:]]).all()
    assert np.isfinite(ours.batch_loss[:-1]).all()


@pytest.mark.parametrize("settings", [{}, {"batch_size": 7}])
def test_the_stop_rule_stops_where_torch_stops(settings):
    """At the same epoch, with the same number of losses."""
    ours, theirs = both("gaussians", stop_below=0.25, n_samples=100, epochs=500, **settings)
    assert ours.outcome is theirs.outcome is fs.Outcome.STOPPED
    assert len(ours.train_loss) == len(theirs.train_loss)
    assert ours.steps[-1] == theirs.steps[-1] == len(ours.batch_loss)
    assert ours.train_loss[-1] < 0.25 <= ours.train_loss[-2]


@pytest.mark.parametrize("settings", [{}, {"batch_size": 7}, {"batch_size": 7, "shuffle": False}])
@pytest.mark.parametrize("in_block", [1, 2, 5])
def test_blocks_leave_no_trace(monkeypatch, settings, in_block):
    """However many updates are made in one go, the run is the same to the bit."""
    whole = fs.fit(toy("binary"), hidden=[3], epochs=9, **settings)
    monkeypatch.setattr(fused, "_updates_in_block", lambda *_: in_block)
    assert fs.fit(toy("binary"), hidden=[3], epochs=9, **settings) == whole


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rings-3", "gates-xor-hidden"])
def test_the_same_experiment_gives_the_same_bits(name):
    """Again, and in another process, which finds the compiled code on disk."""
    run = fs.fit(name, epochs=40)
    assert fs.fit(name, epochs=40) == run
    code = f"import fitscope as fs; print(fs.fit({name!r}, epochs=40).params.tobytes().hex())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == run.params.tobytes().hex()


def test_tiles_leave_no_trace(monkeypatch):
    """Split into tiles of 64 samples, sums agree to the rounding of float32 sums: 1e-6."""
    whole = fs.fit("rings-3", epochs=20)
    monkeypatch.setattr(fused, "MAX_TILE", 64)
    assert_allclose(fs.fit("rings-3", epochs=20).params, whole.params, atol=1e-6)


@pytest.mark.parametrize("keep_bytes", [200, 1000, 10_000])
def test_thinning_keeps_the_steps_that_torch_keeps(keep_bytes):
    """The same budget, the same steps."""
    ours, theirs = both("gates-and", keep_bytes=keep_bytes)
    assert ours.steps.tolist() == theirs.steps.tolist()


@pytest.mark.slow
def test_a_million_samples_lose_nothing_that_matters():
    """Loss and gradient of 1e6 samples agree with float64 to 1e-6.

    Within a tile, each of the vector's lanes adds up 128 numbers or fewer in float32; tiles are
    added up in float64.
    """
    rng = np.random.default_rng(3)
    X = rng.normal(size=(1_000_000, 2)).astype(np.float32)
    y = (X[:, 0] + 0.3 * X[:, 1] + rng.normal(size=len(X)) > 0).astype(int)
    settings = {"optimizer": "sgd", "lr": 1.0, "epochs": 1, "test_fraction": 0}
    run = fs.fit((X, y), engine="fused", standardize=False, **settings)
    W, b = run.params[0, :2].astype(float), float(run.params[0, 2])
    z = X.astype(float) @ W + b
    error = 1 / (1 + np.exp(-z)) - y
    assert run.batch_loss[0] == pytest.approx(np.mean(np.logaddexp(0, z) - z * y), rel=1e-6)
    step = run.params[0].astype(float) - run.params[1]
    assert_allclose(step, [*(error @ X / len(X)), error.mean()], atol=1e-6)


def test_asking_to_stop_ends_the_training_between_blocks():
    """As Ctrl-C does; what was recorded is whole."""
    run = fs.fit("rings-3", epochs=100_000, progress=lambda done, planned, loss: done > 5)
    assert run.outcome is fs.Outcome.INTERRUPTED
    assert 5 < run.steps[-1] < 100_000
    assert len(run.batch_loss) == run.steps[-1] == len(run.train_loss) - 1


def test_cuda_is_not_for_the_fused_engine():
    """Asked for by name, it says what is missing."""
    with pytest.raises(EngineError, match="The fused engine computes on the CPU only; choose the"):
        fs.fit("moons", engine="fused", device="cuda")


def test_compiling_is_said_once(monkeypatch, logged):
    """A person who waits ten seconds is told why; a second fit says nothing."""
    monkeypatch.setattr(fused, "is_compiled", lambda: False)
    single.say_whether_it_compiles.cache_clear()
    fs.fit("bad-start", epochs=1)
    fs.fit("bad-start", epochs=1)
    (message,) = logged
    assert message.startswith("Compiling the fused engine, once on this machine")
    monkeypatch.undo()
    assert fused.is_compiled()


def test_a_wide_network_goes_to_torch_and_says_why():
    """By itself; asked for by name, the fused engine trains it too."""
    data = fs.dataset(fs.experiment("rings-3").data)
    wide = {"hidden": [128, 128], "epochs": 1}
    run = fs.fit(data, **wide)
    assert run.engine == "torch"
    assert run.engine_reason == "PyTorch is faster for a network this wide"
    assert analysis.summary(run).engine == f"torch: {run.engine_reason}"
    run.save("wide.safetensors")
    assert fs.load("wide.safetensors") == run
    asked = fs.fit(data, engine="torch", hidden=[2], epochs=1)
    assert asked.engine_reason == ""
    assert fs.fit(data, engine="fused", **wide).engine == "fused"


@pytest.mark.slow
def test_fresh_code_gives_the_bits_of_code_from_disk(monkeypatch, tmp_path):
    """A process that compiles and one that finds the code there train alike."""
    code = "import fitscope as fs; print(fs.fit('rings-3', epochs=300).params.tobytes().hex())"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    fresh, cached = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert fresh.stdout == cached.stdout
    assert "Compiling the fused engine" in fresh.stderr
    assert "Compiling" not in cached.stderr
