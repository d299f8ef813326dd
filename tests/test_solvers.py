"""solvers.py and what they stand on: L-BFGS and Newton's method end at the optimum, and say so."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import linprog
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

import fitscope as fs
from fitscope.errors import ExperimentError
from fitscope.outcomes import Outcome
from fitscope.train import ends_of, objectives, single
from fitscope.train.plan import plan
from fitscope.train.solvers import SINGULAR, Penalised, newton_path, solved

SOLVERS = ("newton", "lbfgs")
RNG = np.random.default_rng(5)
INPUTS = RNG.normal(size=(600, 5)) @ RNG.normal(size=(5, 5)) + [0, 3, 0, 0, -1]
NOISE = RNG.logistic(size=600)
TARGETS = {
    "binary": (INPUTS @ [1, -2, 0.5, 0, 1] + 2 * NOISE > 0).astype(int),
    "multiclass": np.digitize(INPUTS @ [1, -1, 0.5, 0, 1] + 3 * NOISE, [-4, 0, 3]),
    "regression": INPUTS @ [1, -2, 0.5, 0, 1] + NOISE,
}
EXTENDED = np.column_stack([INPUTS, np.ones(600)]).astype(np.float32).astype(np.float64)
QUASI = (np.array([0, 1, 2, 2, 2, 2, 3, 4.0]), [0, 0, 0, 1, 0, 1, 1, 1])


def fitted(task, optimizer="newton", **settings):
    """A run on 600 samples in which the classes overlap."""
    settings = {"standardize": False, **settings}
    return fs.fit((INPUTS, TARGETS[task]), task=task, optimizer=optimizer, **settings)


def objective_of(run, workers=2):
    """The fused objective of a run."""
    e = run.experiment
    return objectives.fused_objective(e.network, run.dataset, e.training, workers)


def start_of(run):
    """The run's start, in the type that solvers compute in."""
    return run.params[0].astype(np.float64)


def end_of(run):
    """The end of Newton's method on the run's objective, before it is rounded to float32."""
    penalised = Penalised(objective_of(run), run.experiment.training.l2, run.layer_sizes)
    *_, last = newton_path(penalised, start_of(run))
    return penalised, last


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("l2", [1e-3, 0.1])
def test_newton_ends_where_scikit_learn_does(task, l2):
    """C = 1 / (n l2): weights to 1e-6, and the objective is not above scikit-learn's by 1e-12."""
    run = fitted(task, l2=l2)
    model = LogisticRegression(C=1 / (600 * l2), tol=1e-11, max_iter=10_000, solver="newton-cg")
    model.fit(run.dataset.X.astype(np.float64), TARGETS[task])
    theirs = np.concatenate([model.coef_.ravel(), model.intercept_])
    if task == "multiclass":  # a shift of all biases changes nothing; theirs add up to 0
        assert_allclose(run.params[-1][: 4 * 5], theirs[: 4 * 5], rtol=1e-5, atol=1e-6)
    else:
        assert_allclose(run.params[-1], theirs, rtol=1e-6, atol=1e-7)
    penalised, end = end_of(run)
    assert end.point.loss <= penalised.at(theirs).loss * (1 + 1e-12)
    assert run.outcome is Outcome.CONVERGED


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_both_solvers_end_at_one_objective(task, l2):
    """Within 1e-9 of it, although L-BFGS sees no curvature and the rows are float32.

    A row that is off by a rounding of float32 is off by its square in the objective.
    """
    ours, other = (fitted(task, name, l2=l2) for name in SOLVERS)
    penalised, end = end_of(ours)
    for run in (ours, other):
        value = penalised.at(run.params[-1].astype(np.float64)).loss
        assert value == pytest.approx(end.point.loss, rel=1e-9)
        assert run.outcome is Outcome.CONVERGED
    assert len(ours.steps) < len(other.steps)


def test_newton_solves_least_squares_in_one_step():
    """The mean squared error is its own quadratic model."""
    run = fitted("regression")
    best = np.linalg.lstsq(EXTENDED, run.dataset.y.astype(np.float64))[0]
    assert run.steps.tolist() == [0, 1]
    assert_allclose(run.params[-1], best, rtol=1e-6, atol=1e-7)
    assert run.ending == "converged at step 1: no step makes the loss smaller"


def test_inputs_that_determine_each_other_are_taken():
    """The Hessian is singular; the loss is that of least squares all the same."""
    X = np.column_stack([INPUTS, INPUTS[:, 0] + INPUTS[:, 1], np.full(600, 7.0)])
    run = fs.fit((X, TARGETS["regression"]), optimizer="newton", standardize=False)
    residual = run.dataset.y - EXTENDED @ np.linalg.lstsq(EXTENDED, run.dataset.y)[0]
    assert run.outcome is Outcome.CONVERGED
    assert run.train_loss[-1] == pytest.approx(np.mean(residual**2), rel=1e-6)


@pytest.mark.parametrize("optimizer", SOLVERS)
@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("l2", [0.0, 0.02])
def test_fused_takes_the_same_steps_as_torch(optimizer, task, l2):
    """Every iterate agrees with that of PyTorch's autograd to the rounding of float32."""
    settings = {"l2": l2, "test_fraction": 0.2, "epochs": 12}
    ours, theirs = (fitted(task, optimizer, engine=name, **settings) for name in ("fused", "torch"))
    n = min(len(ours.steps), len(theirs.steps))  # the last gain may round to nothing
    assert abs(len(ours.steps) - len(theirs.steps)) <= 1
    scale = np.abs(theirs.params).max()
    assert_allclose(ours.params[:n], theirs.params[:n], rtol=0, atol=1e-6 * scale)
    for name in ("train_loss", "test_loss"):
        assert_allclose(getattr(ours, name)[:n], getattr(theirs, name)[:n], rtol=1e-6)
    assert (ours.engine, theirs.engine, ours.engine_reason) == ("fused", "torch", "")


@pytest.mark.parametrize(
    ("task", "loss", "hidden", "activation"),
    [
        ("binary", "mse", [], "sigmoid"),
        ("regression", "smooth_l1", [], "sigmoid"),
        ("multiclass", "cross_entropy", [4], "tanh"),
        ("binary", "cross_entropy", [3, 2], "sigmoid"),
        ("regression", "mse", [3], "relu"),
    ],
)
def test_lbfgs_takes_the_same_steps_with_any_network(task, loss, hidden, activation):
    """The kernels of the fused engine, in float64, against PyTorch: twelve iterations."""
    settings = {"loss": loss, "hidden": hidden, "activation": activation, "l2": 1e-3}
    ours, theirs = (
        fitted(task, "lbfgs", engine=name, epochs=12, test_fraction=0.1, **settings)
        for name in ("fused", "torch")
    )
    scale = np.abs(theirs.params).max()
    assert_allclose(ours.params, theirs.params, rtol=0, atol=1e-5 * scale)
    assert_allclose(ours.train_loss, theirs.train_loss, rtol=1e-6)
    assert_allclose(ours.test_loss, theirs.test_loss, rtol=1e-6)


@pytest.mark.parametrize("task", TARGETS)
def test_derivatives_are_those_of_finite_differences(task):
    """Central differences of the loss are off by h^2 = 1e-10 times a third derivative."""
    run = fitted(task, epochs=1)
    objective, at, h = objective_of(run), 0.1 * start_of(run) + 0.05, 1e-5
    found = objective.at(at, hessian=True)
    away = [(at + h * e, at - h * e) for e in np.eye(at.size)]
    points = [(objective.at(a), objective.at(b)) for a, b in away]
    slopes = [(a.loss - b.loss) / (2 * h) for a, b in points]
    curves = [(a.grad - b.grad) / (2 * h) for a, b in points]
    assert_allclose(found.grad, slopes, rtol=1e-6, atol=1e-8 * np.abs(slopes).max())
    assert_allclose(found.hess, curves, rtol=1e-6, atol=1e-8 * np.abs(curves).max())


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("n", [600, 257, 11])
def test_loss_and_derivatives_are_those_of_torch(task, n):
    """In float64 to 1e-13, also where the last tile is not full; so are a network's."""
    settings = {"task": task, "standardize": False}
    data = fs.dataset_from_arrays(INPUTS[:n], TARGETS[task][:n], **settings)
    for hidden in ([], [3]):
        planned = plan(data, {"hidden": hidden}, engine="auto", device="cpu")
        e, p = planned.experiment, planned.experiment.network.n_parameters(data.d, data.k)
        at = np.random.default_rng(1).normal(size=p)
        ours = objectives.fused_objective(e.network, data, e.training, 2)
        theirs = objectives.PyTorch(e.network, data, e.training, "cpu")
        a, b = (one.at(at, hessian=not hidden) for one in (ours, theirs))
        assert a.loss == pytest.approx(b.loss, rel=1e-13)
        assert_allclose(a.grad, b.grad, rtol=1e-12, atol=1e-13)
        if not hidden:
            assert_allclose(a.hess, b.hess, rtol=1e-12, atol=1e-13)
            assert ours.separates(at) == (task != "regression" and theirs.separates(at))


@pytest.mark.parametrize("z", [0.0, 1e-9, 3.7, 40.0, 700.0, 1e5])
def test_sure_answers_cost_what_they_should(z):
    """log(1 + e^-z) and z, without overflow, and within 1e-15 of numpy's."""
    data = fs.dataset_from_arrays([[1.0], [-1.0]], [1, 0], standardize=False)
    for sign in (1, -1):
        planned = plan(data, {}, engine="auto", device="cpu").experiment
        objective = objectives.fused_objective(planned.network, data, planned.training, 1)
        loss = objective.at(np.array([sign * z, 0.0])).loss
        assert loss == pytest.approx(np.logaddexp(0, -sign * z), rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("hidden", [[], [3]])
def test_the_number_of_threads_changes_no_bit(hidden):
    """Blocks of samples are fixed, and their sums are added in their order."""
    X = np.random.default_rng(2).normal(size=(5000, 4))
    data = fs.dataset_from_arrays(X, X @ [1, -1, 2, 0] > 0.3, standardize=False)
    planned = plan(data, {"hidden": hidden}, engine="auto", device="cpu")
    e, p = planned.experiment, planned.experiment.network.n_parameters(4, 1)
    at = np.random.default_rng(3).normal(size=p)
    found = [
        objectives.fused_objective(e.network, data, e.training, n).at(at, hessian=not hidden)
        for n in (1, 2, 3, 7)
    ]
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("optimizer", SOLVERS)
def test_a_run_is_the_same_every_time(optimizer):
    """Bit for bit; among others in `fit_many`, too; and saved and loaded."""
    settings = {"n_samples": 300, "optimizer": optimizer, "test_fraction": 0.2}
    run = fs.fit("moons", **settings)
    assert fs.fit("moons", **settings) == run
    many = fs.fit_many("moons", seeds=[4, 0], **settings)
    assert np.array_equal(many.ends[1], run.params[-1])
    run.save("run.safetensors")
    assert fs.load("run.safetensors") == run
    assert len(run.batch_loss) == run.steps[-1] == len(run.train_loss) - 1
    assert np.array_equal(run.batch_loss, run.train_loss[:-1])


@pytest.mark.parametrize("engine", ["fused", "torch"])
@pytest.mark.parametrize("optimizer", SOLVERS)
@pytest.mark.parametrize("classes", [2, 3])
def test_separable_classes_are_told(engine, optimizer, classes):
    """An iterate that makes no mistake proves that there is no optimum; a penalty makes one."""
    x = np.repeat(np.arange(classes), 10) * 4 + np.tile(np.linspace(0, 1, 10), classes)
    X = np.column_stack([x, x**2])
    settings = {"optimizer": optimizer, "engine": engine, "standardize": True}
    run = fs.fit((X, x // 4), **settings)
    assert run.outcome is Outcome.SEPARABLE
    assert run.metrics["train_accuracy"] == 1
    assert "can be told apart without a mistake, so the loss falls towards 0" in run.ending
    assert "add `l2`" in run.ending
    assert fs.fit((X, x // 4), l2=0.01, **settings).outcome is Outcome.CONVERGED


@pytest.mark.parametrize("optimizer", SOLVERS)
def test_partly_separable_classes_are_told(optimizer):
    """At x = 2 both classes occur, elsewhere one: the slope grows without end."""
    run = fs.fit(QUASI, optimizer=optimizer)
    assert run.outcome is Outcome.UNBOUNDED
    assert run.train_loss[-1] == pytest.approx(0.5 * np.log(2), abs=1e-6)
    assert "the weights grow without end and the loss hardly falls; add `l2`" in run.ending
    run.save("run.safetensors")
    assert fs.load("run.safetensors").outcome is Outcome.UNBOUNDED
    assert fs.fit(QUASI, optimizer=optimizer, l2=1e-4).outcome is Outcome.CONVERGED
    iris = fs.fit("iris", optimizer=optimizer)
    assert iris.outcome is Outcome.UNBOUNDED


def _has_optimum(X, y):
    """By a linear program: whether no logits, but those all alike, are right or 0 for all."""
    classes, X1 = np.unique(y), np.column_stack([X / np.abs(X).max(axis=0), np.ones(len(X))])
    rows = []
    for x, label in zip(X1, y, strict=True):
        for other in classes[classes != label]:
            row = (classes == label)[:, None] * x - (classes == other)[:, None] * x
            rows.append(row.ravel())
    A = np.array(rows)
    found = linprog(-A.sum(axis=0), A_ub=-A, b_ub=np.zeros(len(A)), bounds=(-1, 1))
    return -found.fun < 1e-7


@pytest.mark.parametrize("optimizer", ["newton", "lbfgs"])
def test_verdicts_are_those_of_a_linear_program(optimizer):
    """Whether there is an optimum, also from starts whose probabilities are 0 and 1."""
    verdicts = set()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        k, n, d = rng.integers(2, 4), rng.integers(12, 60), rng.integers(1, 4)
        X = np.column_stack([rng.integers(0, 2, n), rng.normal(size=(n, d))])
        X = (X * 10.0 ** rng.integers(-2, 4)).astype(np.float32).astype(float)
        y = rng.integers(0, k, n)
        if seed % 2:
            y = np.where(X[:, 0] > 0, rng.integers(0, max(1, k - 1), n), y)
        outcome = fs.fit((X, y), optimizer=optimizer, epochs=3000).outcome
        assert (outcome == Outcome.CONVERGED) == _has_optimum(X, y), seed
        verdicts.add(outcome)
    assert {Outcome.CONVERGED, Outcome.UNBOUNDED} <= verdicts


@pytest.mark.parametrize("l2", [1.0, 1e-3])
def test_newton_finds_its_way_from_where_nothing_curves(l2):
    """Inputs up to 1,680: nearly every sample is sure of a wrong class, and 154 nats off."""
    run = fs.fit("wine", optimizer="newton", l2=l2, standardize=False, test_fraction=0)
    assert run.train_loss[0] > 100
    assert run.outcome == Outcome.CONVERGED
    X, y = run.dataset.X.astype(float), run.dataset.y
    peer = LogisticRegression(C=1 / (len(y) * l2), solver="newton-cholesky", tol=1e-10)
    theirs = log_loss(y, peer.fit(X, y).predict_proba(X)) + l2 / 2 * np.sum(peer.coef_**2)
    ours = run.train_loss[-1] + l2 / 2 * np.sum(np.square(run.params[-1][:39], dtype=float))
    assert ours == pytest.approx(theirs, rel=1e-6)  # rows are float32


@pytest.mark.parametrize("seed", range(3))
def test_a_sample_far_out_is_no_separation(seed):
    """Few samples, one of them 1000 away: the optimum is finite, and found."""
    rng = np.random.default_rng(seed)
    x = np.append(rng.normal(size=40), 1000.0)
    y = np.append(rng.permutation(np.arange(40) % 2), 1)
    run = fs.fit((x, y), optimizer="newton", standardize=False)
    other = fs.fit((x, y), optimizer="lbfgs", standardize=False)
    assert {run.outcome, other.outcome} == {Outcome.CONVERGED}
    assert run.train_loss[-1] == pytest.approx(other.train_loss[-1], rel=1e-6)


def test_a_network_that_makes_no_mistake_is_told_at_its_end():
    """Its units may still turn while it improves; only then the loss falls with the weights."""
    run = fs.fit("rings", optimizer="lbfgs", hidden=[4], seed=1, n_samples=200, epochs=10_000)
    assert run.outcome is Outcome.SEPARABLE
    assert run.train_loss[-1] < 1e-6


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_start_that_is_sure_and_wrong_is_no_trap(task):
    """Where curvature is gone, plain Newton steps would go astray; damped ones do not."""
    usual = fitted(task, l2=1e-3)
    n = usual.params.shape[1]
    wild = fitted(task, l2=1e-3, init=list(np.random.default_rng(0).normal(size=n) * 50))
    assert wild.outcome is Outcome.CONVERGED
    assert wild.train_loss[0] > 20
    assert wild.train_loss[-1] == pytest.approx(usual.train_loss[-1], rel=1e-6)


def test_training_ends_when_it_is_asked_to():
    """By `epochs`, by `stop_below`, and between two iterations by a caller."""
    assert fitted("binary", epochs=2).outcome is Outcome.FINISHED
    full = fitted("binary")
    assert full.steps[-1] > 3
    stopped = fitted("binary", stop_below=float(full.train_loss[2]) + 1e-9)
    assert (stopped.outcome, stopped.steps[-1]) == (Outcome.STOPPED, 2)
    for name, engine in itertools.product(SOLVERS, ("fused", "torch")):
        told = []

        def tell(*now, told=told):
            told.append(now)
            return len(told) == 2

        run = fitted("binary", name, engine=engine, progress=tell)
        assert (run.outcome, run.steps[-1]) == (Outcome.INTERRUPTED, 2)
        assert [done for done, *_ in told] == [1, 2]
        assert told[1][2] == pytest.approx(run.batch_loss[1], rel=1e-6)
    again = fitted("binary", init=[float(w) for w in full.params[-1]])
    assert (again.outcome, again.steps.tolist()) == (Outcome.CONVERGED, [0])


def test_weights_are_penalised_and_biases_are_not():
    """A large l2 leaves the frequency of the classes, and nothing else."""
    for name in SOLVERS:
        run = fitted("binary", name, l2=1e6)
        *weights, bias = run.params[-1]
        share = TARGETS["binary"].mean()
        assert_allclose(weights, 0, atol=1e-5)
        assert bias == pytest.approx(np.log(share / (1 - share)), rel=1e-4)


@pytest.mark.parametrize("n_twice", [0, 1])
def test_a_large_hessian_may_be_coarse(n_twice):
    """4,000 x 100: the optimum is that of scikit-learn to 1e-9, also with an input twice."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 100)).astype(np.float32)
    y = X @ rng.normal(size=100) / 3 + rng.logistic(size=4000) > 0
    X = np.column_stack([X, X[:, :n_twice]])
    run = fs.fit((X, y), optimizer="newton", standardize=False, l2=0.0 if n_twice else 1e-3)
    penalised, end = end_of(run)
    exact, coarse = (penalised.at(start_of(run), hessian=True, exact=e).hess for e in (True, False))
    assert 0 < np.abs(exact - coarse).max() < 1e-6 * np.abs(exact).max()
    C = np.inf if n_twice else 1 / 4
    model = LogisticRegression(C=C, tol=1e-10, max_iter=100, solver="newton-cg")
    model.fit(X.astype(np.float64), y)
    theirs = penalised.at(np.append(model.coef_, model.intercept_)).loss
    assert end.point.loss == pytest.approx(theirs, rel=1e-9)
    assert run.outcome is Outcome.CONVERGED


@pytest.mark.parametrize("p", [1, 2, 7, 40])
def test_cholesky_solves(p):
    """As numpy does, with damping or without."""
    rng = np.random.default_rng(p)
    A = rng.normal(size=(p, p))
    A, b, largest = A @ A.T + np.eye(p), rng.normal(size=p), rng.uniform(1, 2, p)
    assert_allclose(solved(A, 0.0, largest, b, least=SINGULAR)[0], np.linalg.solve(A, b), rtol=1e-8)
    damped = A + 0.5 * np.diag(largest)
    assert_allclose(
        solved(A, 0.5, largest, b, least=SINGULAR)[0], np.linalg.solve(damped, b), rtol=1e-8
    )
    assert solved(A, 0.0, largest, b, least=SINGULAR)[1] == 0


def test_what_others_determine_is_left_out():
    """The third row is the sum of the first two, the fifth is zero: the rest is solved."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 5)) * [1, 100, 1, 1e-6, 0]
    X[:, 2] = X[:, 0] + X[:, 1]
    A, b = X.T @ X, X.T @ rng.normal(size=30)
    found, n_determined = solved(A, 0.0, np.diag(A), b, least=SINGULAR)
    rest = [0, 1, 3]
    assert n_determined == 2
    assert_allclose(found[rest], np.linalg.solve(A[np.ix_(rest, rest)], b[rest]), rtol=1e-6)
    assert found[[2, 4]].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("source", "settings", "sentence"),
    [
        ("moons", {"optimizer": "newton", "hidden": [3]}, "`newton` is for models without a hid"),
        ("moons", {"optimizer": "newton", "loss": "mse"}, "`newton` makes cross_entropy small fo"),
        ("sine", {"optimizer": "newton", "loss": "smooth_l1"}, "for smooth_l1 take lbfgs"),
        ("sine", {"optimizer": "lbfgs", "loss": "relative"}, "`lbfgs` needs a smooth loss, and re"),
        ("moons", {"optimizer": "adam", "l2": 0.1}, "`training.l2` belongs to lbfgs and newton, "),
        ("moons", {"optimizer": "lbfgs", "l2": -1.0}, "`training.l2` must be at least 0; got -1"),
        *(
            (
                "moons",
                {"optimizer": "newton", name: value},
                rf"`training.{name}` belongs to the stepwise optimizers, not to newton: leave it "
                rf"at its default, {default}; got {value}",
            )
            for name, value, default in (
                ("lr", 0.5, "0.01"),
                ("weight_decay", 0.5, "0.0"),
                ("batch_size", 7, "full"),
                ("shuffle", False, "true"),
                ("patience", 5, "none"),
            )
        ),
        ("moons", {"optimizer": "lbfgs", "momentum": 0.5}, "`training.momentum` belongs to sgd, "),
    ],
)
def test_what_does_not_fit_is_refused(source, settings, sentence):
    """In one sentence that says what to do."""
    with pytest.raises(ExperimentError, match=sentence):
        fs.fit(source, **settings)


def test_defaults_pass():
    """What a stepwise optimizer would take, spelled out as it is."""
    settings = {"lr": 0.01, "batch_size": "full", "shuffle": True, "weight_decay": 0}
    assert fs.fit("moons", optimizer="newton", **settings).outcome is Outcome.CONVERGED


def test_more_than_newton_can_take_is_refused():
    """The Hessian of 4,001 parameters has 16 million numbers."""
    X = np.random.default_rng(0).normal(size=(4, 4000))
    with pytest.raises(
        ExperimentError, match=r"takes at most 3,000 parameters, .* has 4,001: take"
    ):
        fs.fit((X, [0, 1, 0, 1]), optimizer="newton")


def test_many_starts_are_for_stepwise_optimizers():
    """Which is said before anything is trained."""
    planned = plan("threshold", {"optimizer": "newton"}, engine="auto", device="cpu")
    with pytest.raises(ExperimentError, match="by sgd, adam, adamw or rmsprop; this run is by new"):
        ends_of(planned, np.zeros((2, 2), np.float32))


def test_wide_networks_are_left_to_torch():
    """Which says why."""
    data = fs.dataset("moons")
    wide = plan(data, {"optimizer": "lbfgs", "hidden": [99, 99]}, engine="auto", device="cpu")
    assert (wide.engine, wide.engine_reason[:17]) == ("torch", "PyTorch is faster")


def test_compiling_is_said(monkeypatch, logged):
    """A person who waits is told why, once."""
    monkeypatch.setattr(objectives, "is_compiled", lambda: False)
    single.say_whether_solvers_compile.cache_clear()
    fs.fit("moons", optimizer="newton")
    fs.fit("moons", optimizer="newton")
    (message,) = logged
    assert message.startswith("Compiling the solvers, once on this machine")
    monkeypatch.undo()
    single.say_whether_solvers_compile.cache_clear()


def test_another_optimizer_takes_its_own_defaults():
    """What an experiment sets for the one before does not stand in its way; what is asked does."""
    e = fs.experiment("bad-start", optimizer="newton")
    assert (e.training.lr, e.training.batch_size, e.training.shuffle) == (0.01, None, True)
    back = e.override(l2=0.5).override(optimizer="sgd", momentum=0.5)
    assert (back.training.l2, back.training.momentum) == (0, 0.5)
    assert back.override(optimizer="adam").training.momentum == 0


def test_the_summary_names_the_solver():
    """And its penalty, without a learning rate that it does not have."""
    from fitscope.analysis import summary

    said = summary(fs.fit("moons", optimizer="newton", l2=0.01)).sentence
    assert said.endswith("steps of Newton's method (cross-entropy, l2 0.01).")
    assert summary(fs.fit("moons", optimizer="lbfgs", epochs=3)).sentence.endswith(
        "by 3 steps of L-BFGS (cross-entropy)."
    )
