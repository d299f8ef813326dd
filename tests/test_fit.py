"""fit: what goes in, what is recorded, how it ends."""

import signal
import threading

import numpy as np
import pytest
import torch

import fitscope as fs
from fitscope.errors import DataError, EngineError, ExperimentError, UnknownNameError

TINY = {"n_samples": 50}
SPEC = {"n_samples": 100, "epochs": 12, "hidden": [3]}


def test_the_same_experiment_twice_gives_bit_equal_runs():
    """Equal in every recorded array; only the seconds differ."""
    one, two = (fs.fit("gates-and", gate="xor", hidden=[3]) for _ in range(2))
    assert one == two
    assert one.params.tobytes() == two.params.tobytes()


def test_another_seed_gives_another_run():
    """The training's seed decides the start and the shuffles, the data's seed the data."""
    run, other = fs.fit("moons", **SPEC), fs.fit("moons", seed=1, **SPEC)
    assert run.dataset == other.dataset
    assert run.params[0].tolist() != other.params[0].tolist()
    third = fs.fit("moons", data_seed=1, **SPEC)
    assert third.dataset != run.dataset
    assert third.params[0].tolist() == run.params[0].tolist()


def test_fitting_leaves_the_global_random_state_alone():
    """Neither numpy's nor PyTorch's global generator is touched."""
    torch.manual_seed(0)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    fs.fit("moons", batch_size=10, test_fraction=0.2, **SPEC)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.random.get_state()[1].tolist() == numpy_before  # noqa: NPY002


def test_recording_keeps_every_step_the_start_and_the_end():
    """Row 0 is the start, row i the parameters after update i; losses are as DESIGN says."""
    run = fs.fit("moons", batch_size=30, test_fraction=0.2, **SPEC)
    assert run.updates_per_epoch == 3
    assert run.steps.tolist() == list(range(37))
    assert run.params.shape == (37, run.experiment.network.n_parameters(2, 1))
    assert len(run.batch_loss) == 36
    assert len(run.train_loss) == len(run.test_loss) == 13


def test_full_batch_losses_are_the_training_losses():
    """With the whole set as the batch, the loss before update e is the loss after e epochs."""
    run = fs.fit("moons", **SPEC)
    assert run.batch_loss.tolist() == run.train_loss[:-1].tolist()


def test_long_runs_are_thinned_evenly_and_keep_both_ends():
    """Within the budget the stride is even, and the last update is kept whatever the stride."""
    run = fs.fit("moons", n_samples=100, hidden=[3], epochs=100, keep_bytes=4 * 13 * 10)
    assert run.params.nbytes <= 4 * 13 * 10
    assert run.steps.tolist() == [*range(0, 100, 16), 100]
    whole = fs.fit("moons", n_samples=100, hidden=[3], epochs=16)
    assert run.params[1].tolist() == whole.params[-1].tolist()


def test_a_run_that_ends_early_is_kept_whole():
    """What was planned does not thin what was made."""
    run = fs.fit("bad-start", epochs=10_000_000, stop_below=0.3)
    assert run.outcome is fs.Outcome.STOPPED
    assert run.steps.tolist() == list(range(run.steps[-1] + 1))


@pytest.mark.slow
def test_progress_that_answers_true_ends_the_training():
    """As Ctrl-C does: between two updates, with the loss of every whole epoch."""
    run = fs.fit("moons", epochs=500, engine="torch", progress=lambda done, *_: done == 20, **TINY)
    assert run.outcome is fs.Outcome.INTERRUPTED
    assert run.steps[-1] == 20
    assert len(run.train_loss) == 21


def test_asking_to_stop_at_the_last_update_is_too_late():
    """A training that made all its updates has finished."""
    run = fs.fit("moons", epochs=5, progress=lambda done, planned, loss: done == 5, **TINY)
    assert run.outcome is fs.Outcome.FINISHED
    assert len(run.train_loss) == 6


def test_stop_below_ends_after_the_epoch_that_passes_it():
    """The training loss decides, not a batch, and the outcome says so."""
    run = fs.fit("gaussians", stop_below=0.3, batch_size=100)
    assert run.outcome is fs.Outcome.STOPPED
    assert run.ending == "stopped: loss below 0.3"
    assert run.train_loss[-1] < 0.3 <= run.train_loss[-2]
    assert run.steps[-1] == run.updates_per_epoch * (len(run.train_loss) - 1)


def test_divergence_is_an_outcome_with_everything_recorded_so_far():
    """A loss that overflows ends the run; the steps before it are there."""
    run = fs.fit("polynomial", lr=50.0, loss="mse", epochs=20)
    assert run.outcome is fs.Outcome.DIVERGED
    assert f"diverged at step {run.steps[-1]}: the loss is no longer finite" in run.ending
    assert len(run.params) == run.steps[-1] + 1
    assert np.isfinite(run.batch_loss[:-1]).all()
    assert not np.isfinite([run.batch_loss[-1], run.train_loss[-1]]).all()


@pytest.fixture
def on_ctrl_c():
    """Sets what SIGINT does for one test; a runner in the background may have it ignored."""
    before = signal.getsignal(signal.SIGINT)
    yield lambda handler: signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGINT, before)


def _interrupt_at_64(n_done, n_updates, loss):
    if n_done >= 64:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(("engine", "epochs"), [("torch", 500), ("fused", 50_000)])
def test_an_interrupted_run_ends_between_two_updates_and_keeps_them(on_ctrl_c, engine, epochs):
    """What Ctrl-C leaves is a whole run: its last row is its last update."""
    on_ctrl_c(signal.default_int_handler)
    experiment = fs.experiment("moons", n_samples=50, epochs=epochs)
    run = fs.fit(experiment, engine=engine, progress=_interrupt_at_64)
    assert run.outcome is fs.Outcome.INTERRUPTED
    assert run.ending.startswith(f"interrupted at step {run.steps[-1]}")
    assert 64 <= len(run.batch_loss) == run.steps[-1] < epochs
    whole = fs.fit(experiment, engine=engine)
    assert run.params[-1].tolist() == whole.params[run.steps[-1]].tolist()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_ctrl_c_stays_ignored(on_ctrl_c):
    """A process that was told to ignore it, as by nohup, trains to the end."""
    on_ctrl_c(signal.SIG_IGN)
    run = fs.fit("moons", n_samples=50, epochs=100, progress=_interrupt_at_64)
    assert run.outcome is fs.Outcome.FINISHED


def test_fit_works_outside_the_main_thread():
    """A server trains in threads, where no signal handler may be set."""
    found = []
    worker = threading.Thread(target=lambda: found.append(fs.fit("moons", **SPEC)))
    worker.start()
    worker.join()
    assert found == [fs.fit("moons", **SPEC)]


@pytest.mark.parametrize(("engine", "epochs"), [("torch", 200), ("fused", 50_000)])
def test_progress_is_told_the_updates_done_and_planned(engine, epochs):
    """Counts rise to the plan, with a finite batch loss: after each update, or some of them."""
    seen = []
    report = lambda *told: seen.append(told)  # noqa: E731
    fs.fit("moons", n_samples=50, epochs=epochs, engine=engine, progress=report)
    done = [done for done, _, _ in seen]
    assert done == (list(range(1, 201)) if engine == "torch" else sorted(set(done)))
    assert len(done) >= 3
    assert done[-1] == epochs
    assert {planned for _, planned, _ in seen} == {epochs}
    assert all(np.isfinite(loss) for _, _, loss in seen)


def test_arrays_datasets_and_experiments_are_all_sources():
    """(X, y), a Dataset, an Experiment and a name are trained alike."""
    e = fs.experiment("moons", **SPEC)
    by_name, by_experiment = fs.fit("moons", **SPEC), fs.fit(e)
    data = fs.dataset(e.data)
    by_dataset = fs.fit(data, hidden=[3], epochs=12)
    by_arrays = fs.fit((data.X, data.y), hidden=[3], epochs=12)
    for run in (by_experiment, by_dataset, by_arrays):
        assert run.params.tobytes() == by_name.params.tobytes()
    assert by_arrays.experiment.data.name == "arrays"


def test_labels_come_back_as_they_were_given():
    """`predict` answers in the data's own labels, `predict_proba` in their order."""
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    run = fs.fit((X, np.array(["no", "no", "yes", "yes"])), epochs=500, lr=0.1)
    assert run.predict(X).tolist() == ["no", "no", "yes", "yes"]
    p = run.predict_proba(X)
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert (p[:, 1] > 0.5).tolist() == [False, False, True, True]
    assert run.predict(X, step=0).tolist() != run.predict(X).tolist()


def test_a_regression_answers_in_the_targets_units():
    """A standardised target is scaled back."""
    X = np.linspace(0, 1, 50)
    run = fs.fit((X, 1000 + 500 * X), standardize=True, lr=0.1, epochs=500)
    assert run.predict([[0.0], [1.0]]) == pytest.approx([1000, 1500], abs=1)


@pytest.mark.parametrize("step", [0, 5, -1])
def test_the_module_door_gives_the_network_of_that_step(step):
    """Its logits give the probabilities of `predict_proba`."""
    run = fs.fit("moons", **SPEC)
    logits = run.module(step)(torch.from_numpy(run.dataset.X)).detach()
    p = run.predict_proba(run.dataset.X, step=step)[:, 1]
    assert torch.sigmoid(logits)[:, 0].numpy() == pytest.approx(p, abs=1e-6)  # float32


def test_training_a_module_taken_out_does_not_change_the_run():
    """The module has its own copy of the parameters."""
    run = fs.fit("moons", **SPEC)
    before = run.params.tobytes()
    with torch.no_grad():
        for parameter in run.module().parameters():
            parameter.zero_()
    assert run.params.tobytes() == before


def test_nothing_is_left_open_in_a_runs_experiment():
    """The loss that was inferred is named, and versions are kept."""
    run = fs.fit("moons", **SPEC)
    assert run.experiment.training.loss == "cross_entropy"
    assert fs.fit("sine", epochs=2).experiment.training.loss == "mse"
    assert {"fitscope", "torch", "numpy", "numba", "python"} <= set(run.versions)
    assert (run.engine, run.engine_reason) == ("fused", "")
    assert run.train_s > 0


@pytest.mark.slow
def test_logistic_regression_of_a_real_table_is_right_19_times_in_20(cli):
    """The default settings reach 0.95 on the held-out part, through the commands of `make demo`."""
    assert cli("data", "breast-cancer", "-o", "breast-cancer.csv").status == 0
    assert cli("fit", "breast-cancer.csv", "--target", "diagnosis", "--out", "bc").status == 0
    run = fs.load("bc")
    assert run.experiment.network.hidden == []
    assert run.metrics["test_accuracy"] >= 0.95


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"source": "rigns-3"}, UnknownNameError, "Did you mean `rings-3`"),
        ({"source": "moons", "lrr": 1}, ExperimentError, "`lrr` is not a setting. Did you mean"),
        ({"source": "moons", "engine": "fast"}, UnknownNameError, "`engine` must be one of"),
        ({"source": "moons", "device": "tpu"}, UnknownNameError, "`device` must be one of"),
        ({"source": "moons", "loss": "relative"}, ExperimentError, "cross_entropy, mse for binary"),
        ({"source": "sine", "loss": "cross_entropy"}, ExperimentError, "mse, smooth_l1, relative"),
        ({"source": "diabetes", "loss": "relative"}, ExperimentError, "set standardize=False"),
        ({"source": "moons", "init": [1.0]}, ExperimentError, "must have 3 numbers"),
        (
            {"source": "moons", "epochs": 10**7, "batch_size": 1},
            ExperimentError,
            "updates; at most",
        ),
        ({"source": ([1, 2, 3], [0, 1])}, DataError, r"X must be \(n, d\) and y \(n,\)"),
        ({"source": ([1, 2], [0, 1], 3)}, DataError, r"given as \(X, y\)"),
        ({"source": ([1, 2], [[1], [2, 3]])}, DataError, r"y must be \(n,\)"),
        ({"source": ([1, 2], [b"a", b"b"])}, DataError, "must hold text, truth values or numbers"),
        ({"source": "a" * 5000}, UnknownNameError, "is not a built-in experiment"),
    ],
)
def test_a_wrong_argument_gets_one_clear_sentence(arguments, error, message):
    """Each is told before anything is trained."""
    with pytest.raises(error, match=message):
        fs.fit(arguments.pop("source"), **arguments)


def test_cuda_is_refused_where_there_is_none(monkeypatch):
    """The message says what to use instead."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="no CUDA device here; choose the device cpu"):
        fs.fit("moons", device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_takes_the_same_steps_as_the_cpu():
    """Parameters after 12 updates agree to float32 rounding, and the engine says where it ran."""
    on_cpu, on_cuda = (fs.fit("moons", device=device, **SPEC) for device in ("cpu", "cuda"))
    assert on_cuda.engine == "torch (cuda)"
    assert on_cuda.params == pytest.approx(on_cpu.params, abs=1e-5)


@pytest.mark.parametrize("step", [-2, 13])
def test_a_step_outside_the_run_is_told(step):
    """The message has the steps that there are."""
    with pytest.raises(DataError, match=f"Step {step} is not in this run, which has steps 0 to 12"):
        fs.fit("moons", **SPEC).row(step)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0]], r"X must be \(n, 2\), one column each for x1, x2; got \(1, 1\)"),
        ([["a", "b"]], "X must be an array of numbers"),
        ([[np.nan, 1.0]], "missing or infinite"),
    ],
)
def test_predicting_from_wrong_inputs_is_told(X, message):
    """Shape, type and finiteness are checked before anything is computed."""
    with pytest.raises(DataError, match=message):
        fs.fit("moons", **SPEC).predict(X)


def test_a_regression_has_no_probabilities():
    """The message says what to use."""
    with pytest.raises(DataError, match="no probabilities; use `predict`"):
        fs.fit("sine", epochs=2).predict_proba([[0.0]])
