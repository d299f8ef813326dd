"""Samples that count differently, several targets, and the rule that watches the test loss."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error, r2_score

import fitscope as fs
from fitscope import analysis
from fitscope.errors import DataError, ExperimentError
from fitscope.export import onnx_model, replay_html, sklearn_script
from fitscope.train import ends_of
from fitscope.train.plan import plan
from test_fused import TASKS, toy

LOSSES = [(task, loss) for task, losses in TASKS.items() for loss in losses]


def with_weights(task, sample_weight, **settings):
    """The toy data of the engines' tests, its samples weighted."""
    data = toy(task)
    X, y = data.inputs(), np.concatenate([data.y, data.y_test])
    return fs.dataset_from_arrays(X, y, sample_weight=sample_weight, task=task, **settings)


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize(("task", "loss"), LOSSES)
def test_both_engines_weigh_alike(task, loss, batch_size):
    """Steps and losses to 1e-4 after 40 updates, as for samples that count alike."""
    w = np.random.default_rng(3).uniform(0, 3, 30)
    data = with_weights(task, w, test_fraction=0.2)
    settings = {"loss": loss, "hidden": [4], "epochs": 10, "batch_size": batch_size}
    ours, theirs = (fs.fit(data, engine=engine, **settings) for engine in ("fused", "torch"))
    assert_allclose(ours.params, theirs.params, rtol=1e-4, atol=1e-5)
    for name in ("train_loss", "test_loss", "batch_loss"):
        assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["newton", "lbfgs"])
@pytest.mark.parametrize("task", TASKS)
def test_solvers_weigh_as_torch_does(task, optimizer):
    """The same end by both engines, and that of repeated samples, with a penalty: to 1e-5."""
    times = np.random.default_rng(6).integers(0, 4, 30)
    data = with_weights(task, times, test_fraction=0.2)
    settings = {"optimizer": optimizer, "l2": 0.01, "epochs": 500}
    ours, theirs = (fs.fit(data, engine=engine, **settings) for engine in ("fused", "torch"))
    assert_allclose(ours.params[-1], theirs.params[-1], atol=1e-5)
    assert_allclose(ours.test_loss[-1], theirs.test_loss[-1], rtol=1e-5)
    X, y = toy(task).inputs(), np.concatenate([toy(task).y, toy(task).y_test])
    alone = fs.dataset_from_arrays(X, y, sample_weight=times, task=task)
    repeated = fs.dataset_from_arrays(X.repeat(times, 0), y.repeat(times), task=task)
    one, other = (fs.fit(data, **settings).params[-1] for data in (alone, repeated))
    assert_allclose(one, other, atol=1e-5)


def test_lbfgs_weighs_networks_too():
    """Value and gradient of a hidden layer, weighted, against PyTorch's in float64."""
    data = with_weights("multiclass", np.arange(30.0), test_fraction=0.2)
    settings = {"optimizer": "lbfgs", "hidden": [3], "l2": 0.1, "epochs": 5}
    ours, theirs = (fs.fit(data, engine=engine, **settings) for engine in ("fused", "torch"))
    assert_allclose(ours.params, theirs.params, atol=1e-4)  # five iterations of line searches


@pytest.mark.parametrize(("task", "loss"), LOSSES)
def test_a_weight_of_two_is_a_sample_twice(task, loss):
    """Whole weights against repeated samples, in full batches: only the order of sums differs."""
    times = np.random.default_rng(4).integers(0, 4, 30)
    data = toy(task)
    X, y = data.inputs(), np.concatenate([data.y, data.y_test])
    weighted = fs.dataset_from_arrays(X, y, sample_weight=times, task=task)
    repeated = fs.dataset_from_arrays(X.repeat(times, 0), y.repeat(times), task=task)
    a, b = (fs.fit(data, loss=loss, hidden=[3], epochs=50) for data in (weighted, repeated))
    assert_allclose(a.params, b.params, rtol=2e-4, atol=2e-5)
    assert_allclose(a.train_loss, b.train_loss, rtol=1e-5)


def test_only_the_ratios_of_weights_matter():
    """Their mean over the training part becomes 1."""
    w = np.arange(1.0, 31.0)
    one, ten = (with_weights("binary", scale * w, test_fraction=0.2) for scale in (1, 10))
    assert one.weights_by_part[0].mean() == pytest.approx(1)
    assert_allclose(one.weights, ten.weights, rtol=1e-6)  # roundings of float32


def test_weights_are_kept_with_the_run(tmp_path):
    """In the file, in the losses that views compute, and gone with the samples."""
    data = with_weights("binary", np.arange(30.0), test_fraction=0.2)
    run = fs.fit(data, epochs=20)
    run.save(tmp_path / "run.safetensors")
    again = fs.load(tmp_path / "run.safetensors")
    assert again == run
    seen = analysis.loss_surface(run).path_loss[0, -1]
    assert seen == pytest.approx(float(run.train_loss[-1]), rel=1e-5)  # float32 against float64
    assert analysis.summary(run).train_loss == pytest.approx(float(run.train_loss[-1]), rel=1e-5)
    run.save(tmp_path / "bare.safetensors", data=False)
    assert fs.load(tmp_path / "bare.safetensors").dataset.weights is None


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], "`sample_weight` must be 30 finite numbers"),
        ([-1.0] * 30, "none of them negative"),
        ([np.nan] * 30, "finite numbers"),
        (["a"] * 30, "finite numbers"),
        ([0.0] * 30, "0 for every training sample"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, message):
    """One sentence each."""
    with pytest.raises(DataError, match=message):
        with_weights("binary", weights)


def test_what_counts_all_samples_alike_refuses_weights():
    """The optimum and the scripts say so instead of answering another question."""
    run = fs.fit(with_weights("binary", np.arange(30.0)), epochs=2)
    with pytest.raises(DataError, match="samples of this run have weights"):
        analysis.optimum(run)
    with pytest.raises(DataError, match="samples of this run have weights"):
        fs.pytorch_script(run)
    assert "A script counts every sample alike" in replay_html(run)
    with pytest.raises(DataError, match="summary counts every sample alike"):
        run.summary()


def lines(n_targets=3):
    """200 samples of two inputs and noisy lines of them."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(200, 2))
    return X, X @ rng.normal(size=(2, n_targets)) + 0.1 * rng.normal(size=(200, n_targets)) + 1


@pytest.mark.parametrize("loss", TASKS["regression"])
def test_both_engines_learn_several_targets(loss):
    """A hidden layer shared by three targets: the same steps."""
    data = fs.dataset_from_arrays(*lines(), task="regression", test_fraction=0.25)
    settings = {"loss": loss, "hidden": [4], "epochs": 20, "batch_size": 64}
    ours, theirs = (fs.fit(data, engine=engine, **settings) for engine in ("fused", "torch"))
    assert_allclose(ours.params, theirs.params, rtol=1e-4, atol=1e-5)
    assert_allclose(ours.test_loss, theirs.test_loss, rtol=1e-4)


def test_several_targets_are_lines_of_their_own(tmp_path):
    """Without a hidden layer they are scikit-learn's linear regression, scores included."""
    X, y = lines()
    run = fs.fit(fs.dataset_from_arrays(X, y, task="regression"), epochs=3000, lr=0.02)
    best = LinearRegression().fit(X, y)
    assert_allclose(run.predict(X), best.predict(X), atol=1e-4)  # Adam's last swing
    assert run.metrics["train_r2"] == pytest.approx(r2_score(y, run.predict(X)), abs=1e-6)
    rmse = mean_squared_error(y, run.predict(X)) ** 0.5
    assert run.metrics["train_rmse"] == pytest.approx(rmse, rel=1e-5)
    run.save(tmp_path / "run.safetensors")
    assert fs.load(tmp_path / "run.safetensors") == run


def test_a_solver_learns_several_targets():
    """L-BFGS finds scikit-learn's lines; Newton's method names it."""
    X, y = lines()
    data = fs.dataset_from_arrays(X, y, task="regression")
    run = fs.fit(data, optimizer="lbfgs")
    assert_allclose(run.predict(X), LinearRegression().fit(X, y).predict(X), atol=1e-5)
    with pytest.raises(ExperimentError, match="`newton` is for a single target"):
        fs.fit(data, optimizer="newton")


def test_views_of_one_target_refuse_several():
    """None shows the first of them as if it were all; the loss and the paths are those of all."""
    run = fs.fit(fs.dataset_from_arrays(*lines(), task="regression"), epochs=3)
    for name in ("decision_field", "residuals", "metrics", "network_diagram"):
        with pytest.raises(DataError, match=f"{name} shows one target; this run has 3"):
            getattr(run.plot, name)()
    for write in (onnx_model, sklearn_script, replay_html, fs.pytorch_script):
        with pytest.raises(DataError, match="shows one target; this run has 3"):
            write(run)
    assert run._repr_html_() is None
    assert run.plot.loss_curves().axes
    assert run.plot.loss_surface().axes
    assert run.plot.parameter_paths().axes


@pytest.mark.parametrize("settings", [{}, {"task": "regression", "standardize": True}])
def test_several_targets_ask_for_what_they_need(settings):
    """They are values, and not scaled."""
    with pytest.raises(DataError, match="y has 3 columns: several targets need"):
        fs.dataset_from_arrays(*lines(), **settings)


EARLY = {"hidden": [20], "lr": 0.05, "epochs": 3000, "patience": 40, "seed": 1}


def noisy():
    """60 samples that a net of 20 units learns by heart, and 40 on which that shows."""
    return fs.dataset("moons").spec.model_copy(
        update={"n_samples": 100, "noise": 0.5, "test_fraction": 0.4}
    )


def early(engine="fused", **settings):
    """A training that its test loss ends."""
    e = fs.Experiment(data=noisy())
    return fs.fit(e, engine=engine, **{**EARLY, **settings})


@pytest.mark.parametrize("batch_size", [None, 16])
def test_patience_ends_when_the_test_loss_no_longer_falls(batch_size):
    """The least test loss lies `patience` epochs before the end, and the curve is kept."""
    run = early(batch_size=batch_size)
    assert run.outcome is fs.Outcome.STOPPED_EARLY
    assert run.ending == "stopped early: no smaller test loss for 40 epochs"
    n_epochs = len(run.test_loss) - 1
    assert int(np.argmin(run.test_loss)) == n_epochs - 40
    assert run.steps[-1] == n_epochs * run.updates_per_epoch < 3000 * run.updates_per_epoch


def test_patience_is_the_same_rule_in_every_engine():
    """PyTorch stops at the same epoch; so do many nets, and many starts."""
    ours, theirs = early(), early("torch")
    assert theirs.outcome is fs.Outcome.STOPPED_EARLY
    assert abs(int(ours.steps[-1]) - int(theirs.steps[-1])) <= 1  # a rounding may win an epoch
    e = fs.Experiment(data=noisy())
    many = fs.fit_many(e, **{**EARLY, "hidden": [[20]]})
    assert many.outcomes == (fs.Outcome.STOPPED_EARLY,)
    assert many.n_updates[0] == ours.steps[-1]
    ends = ends_of(plan(e, EARLY, engine="fused", device="cpu"), ours.params[:1])
    assert ends.outcomes == (fs.Outcome.STOPPED_EARLY,)
    assert (ends.params[0] == ours.params[-1]).all()


def test_patience_needs_a_test_part():
    """There is nothing to watch without one."""
    with pytest.raises(ExperimentError, match="watches the test loss, and there is no test part"):
        fs.fit("moons", patience=5)


@pytest.mark.parametrize("engine", ["fused", "torch"])
@pytest.mark.parametrize("batch_size", [None, 16])
def test_the_step_of_the_least_test_loss_is_in_the_run(engine, batch_size):
    """However small the budget: its recorded parameters are those of the whole recording."""
    whole = early(engine, batch_size=batch_size)
    thin = early(engine, batch_size=batch_size, keep_bytes=0)
    best = int(np.argmin(whole.test_loss)) * whole.updates_per_epoch
    assert best in thin.steps
    assert len(thin.steps) <= 4
    assert (thin.params[thin.row(best)] == whole.params[whole.row(best)]).all()
