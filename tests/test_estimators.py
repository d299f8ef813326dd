"""estimators/: scikit-learn's contract, its tools around them, and the same numbers as `fit`."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_linnerud, load_wine, make_moons
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import fitscope as fs

X, Y = load_wine(return_X_y=True)
NAMED, LABELS = load_wine(return_X_y=True, as_frame=True)
SCALED = StandardScaler().fit_transform(X)
COLOURS = np.array(["red", "white", "rosé"])[Y]
ESTIMATORS = [
    fs.NetClassifier(),
    fs.NetClassifier(hidden=(), class_weight="balanced"),
    fs.NetClassifier(early_stopping=True, validation_fraction=0.3),
    fs.NetClassifier(batch_size=16, epochs=100, optimizer="sgd", lr=0.1),
    fs.NetRegressor(),
    fs.NetRegressor(hidden=(), standardize=False, lr=0.1),
]


def expected_to_fail(estimator):
    """Training is in float32: repeated samples are added in another order than weighted ones.

    The check asks for 1e-7 after hundreds of steps; `test_weights_are_repetitions` has the
    difference that there is.
    """
    name = "check_sample_weight_equivalence_on_dense_data"
    return {name: "float32: sums in another order differ by more than 1e-7 after many steps"}


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_to_fail)
@pytest.mark.filterwarnings("ignore:Inputs are badly scaled")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_contract_is_kept(estimator, check):
    """All of scikit-learn's own checks, but for the one argued above."""
    check(estimator)


@pytest.mark.parametrize("model", [fs.NetClassifier(epochs=300), fs.NetRegressor(epochs=300)])
def test_weights_are_repetitions(model):
    """To 1e-4, what 300 steps make of the roundings of float32; 0 leaves a sample out."""
    times = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = clone(model).fit(X, Y, sample_weight=times)
    repeated = clone(model).fit(X.repeat(times, 0), Y.repeat(times))
    assert_allclose(weighted.run_.params[-1], repeated.run_.params[-1], rtol=1e-3, atol=1e-4)
    assert_allclose(weighted.run_.dataset.mean, repeated.run_.dataset.mean)


def test_class_weights_are_sample_weights():
    """The word balanced as scikit-learn computes it; a dict as given; times the samples' own."""
    y = Y > 0
    own = np.linspace(1, 2, len(y))
    factors = len(y) / (2 * np.bincount(y))[y.astype(int)]
    balanced = fs.NetClassifier(class_weight="balanced", epochs=50).fit(X, y, sample_weight=own)
    by_hand = fs.NetClassifier(epochs=50).fit(X, y, sample_weight=own * factors)
    assert_allclose(balanced.run_.params, by_hand.run_.params, rtol=1e-5, atol=1e-6)
    named = fs.NetClassifier(class_weight={False: 3.0, True: 1.0}, epochs=50).fit(X, y)
    by_hand = fs.NetClassifier(epochs=50).fit(X, y, sample_weight=np.where(y, 1.0, 3.0))
    assert (named.run_.params == by_hand.run_.params).all()


def test_without_hidden_units_it_is_logistic_regression():
    """Coefficients of the inputs as given, to 1e-3 of scikit-learn's where both are at the optimum.

    With a tenth of label noise there is an optimum; Adam's last swing is what is left.
    """
    inputs, y = make_moons(400, noise=0.4, random_state=0)
    inputs = inputs * [1, 100] + [5, 0]
    ours = fs.NetClassifier(hidden=(), epochs=4000).fit(inputs, y)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(inputs, y)
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-3)
    assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-3)
    assert_allclose(ours.decision_function(inputs), theirs.decision_function(inputs), atol=0.02)
    assert ours.coef_.shape == (1, 2)
    softmax = fs.NetClassifier(hidden=()).fit(X, Y)
    assert (softmax.coef_.shape, softmax.intercept_.shape) == ((3, 13), (3,))
    p = np.exp(X @ softmax.coef_.T + softmax.intercept_)
    assert_allclose(p / p.sum(1, keepdims=True), softmax.predict_proba(X), atol=1e-9)


def test_newton_is_scikit_learns_logistic_regression():
    """With C = 1 / (n l2), to the digits that float32 rows of a run keep."""
    ours = fs.NetClassifier(hidden=(), optimizer="newton", l2=1 / len(X), standardize=False)
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000, solver="newton-cg")
    scaled = StandardScaler().fit_transform(X)
    ours.fit(scaled, Y)
    assert_allclose(
        ours.predict_proba(scaled), theirs.fit(scaled, Y).predict_proba(scaled), atol=1e-6
    )
    assert ours.run_.outcome is fs.Outcome.CONVERGED


@pytest.mark.parametrize("several", [False, True])
def test_without_hidden_units_it_is_linear_regression(several, tmp_path):
    """Coefficients and answers, of one target and of three, to Adam's last swing."""
    inputs, y = load_linnerud(return_X_y=True)
    y = y if several else y[:, 0]
    ours = fs.NetRegressor(hidden=(), epochs=3000).fit(inputs, y)
    theirs = LinearRegression().fit(inputs, y)
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-3, atol=1e-3)
    assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-3)
    assert_allclose(ours.predict(inputs), theirs.predict(inputs), rtol=1e-3)
    assert np.ndim(ours.intercept_) == int(several)
    ours.run_.save(tmp_path / "run.safetensors")
    assert_allclose(fs.load(tmp_path / "run.safetensors").predict(inputs), ours.predict(inputs))


@pytest.mark.parametrize(
    "settings",
    [{"optimizer": "newton"}, {"optimizer": "lbfgs"}, {"hidden": (8,), "epochs": 50}],
)
def test_a_single_column_of_values_is_a_single_target(settings, tmp_path):
    """(n, 1), such as df[["price"]], is (n,): the same model, whose run does all that others do."""
    column = pd.DataFrame({"price": 2.0 * X[:, 0] + Y})
    model = fs.NetRegressor(**{"hidden": (), **settings}).fit(X, column)
    flat = fs.NetRegressor(**{"hidden": (), **settings}).fit(X, column["price"])
    assert (model.run_.params == flat.run_.params).all()
    assert model.predict(X).shape == (len(X),)
    model.run_.save(tmp_path / "run.safetensors")
    assert fs.load(tmp_path / "run.safetensors") == model.run_
    assert model.run_.plot.fit_scatter().axes
    assert model.run_.plot.metrics().axes
    assert "torch" in fs.pytorch_script(model.run_)
    if "epochs" in settings:
        assert model.partial_fit(X, column["price"]).partial_fit(X, column).n_iter_ == 52


def test_coefficients_are_there_without_hidden_units_only():
    """And nothing is there before fitting."""
    assert not hasattr(fs.NetClassifier(), "coef_")
    assert not hasattr(fs.NetClassifier(epochs=2).fit(X, Y), "coef_")
    for name in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(fs.NetClassifier(), name)(X)
    with pytest.raises(NotFittedError):
        fs.NetRegressor().predict(X)
    assert not hasattr(fs.NetClassifier(epochs=2).fit(X, Y), "validation_loss_curve_")


def test_labels_are_those_given_and_the_run_knows_them(tmp_path):
    """Text labels in, text labels out; the recording is a run like any other."""
    model = fs.NetClassifier(epochs=200).fit(NAMED, COLOURS)
    assert set(model.predict(NAMED)) == {"red", "rosé", "white"}
    assert model.run_.dataset.feature_names == tuple(NAMED.columns)
    assert (model.run_.predict(X) == model.predict(NAMED)).all()
    assert_allclose(model.run_.predict_proba(X), model.predict_proba(NAMED), atol=1e-12)
    assert model.run_.plot.confusion().axes
    model.run_.save(tmp_path / "run.safetensors")
    assert fs.load(tmp_path / "run.safetensors") == model.run_
    assert "NetClassifier" in model._repr_html_()


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames_give_their_names(frame):
    """Of pandas and of polars; a missing column is refused as scikit-learn does."""
    table = frame({"a": X[:, 0], "b": X[:, 1]})
    model = fs.NetClassifier(epochs=5).fit(table, Y)
    assert list(model.feature_names_in_) == ["a", "b"] == list(model.run_.dataset.feature_names)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[["b"]])


def test_a_grid_search_runs_over_every_setting():
    """Each setting is a parameter; the best of a small grid is better than the worst."""
    grid = {
        "netclassifier__hidden": [(), (8,)],
        "netclassifier__activation": ["tanh", "relu"],
        "netclassifier__optimizer": ["adam", "sgd"],
        "netclassifier__weight_decay": [0.0, 0.01],
    }
    model = make_pipeline(StandardScaler(), fs.NetClassifier(epochs=50))
    found = GridSearchCV(model, grid, cv=2, scoring="neg_log_loss").fit(X, COLOURS)
    assert len(found.cv_results_["params"]) == 16
    assert found.best_score_ > found.cv_results_["mean_test_score"].min()
    settings = set(fs.NetClassifier().get_params()) - {"class_weight"}
    assert settings == set(fs.NetRegressor().get_params())
    of_training = set(fs.TrainingSpec.model_fields) - {"seed"}
    assert of_training | set(fs.NetworkSpec.model_fields) <= settings


@pytest.mark.parametrize("engine", ["fused", "torch"])
def test_a_warm_fit_goes_on(engine):
    """20 epochs and 20 more are 40, to the bit: parameters, optimizer and shuffles."""
    settings = {"batch_size": 32, "engine": engine, "random_state": 3}
    whole = fs.NetClassifier(epochs=40, **settings).fit(X, Y)
    halves = fs.NetClassifier(epochs=20, warm_start=True, **settings).fit(X, Y).fit(X, Y)
    assert (halves.run_.params[-1] == whole.run_.params[-1]).all()
    assert halves.loss_curve_ == whole.loss_curve_[20:]
    cold = fs.NetClassifier(epochs=20, **settings).fit(X, Y).fit(X, Y)
    assert (cold.run_.params[-1] != whole.run_.params[-1]).any()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hidden": (2,)}, r"`hidden` is now \[2\], but the training that is to go on began with"),
        ({"hidden": (30,)}, "set it back, or begin anew with a clone of this estimator"),
        ({"activation": "relu"}, "`activation` is now 'relu'"),
        ({"init": "zeros"}, "`init` is now 'zeros'"),
        ({"standardize": False}, "`standardize` is now False"),
    ],
)
def test_a_warm_fit_refuses_parameters_that_mean_something_else(changed, message):
    """As scikit-learn's ensembles do; the model stays as it is, and a clone begins anew."""
    model = fs.NetClassifier((8,), epochs=5, warm_start=True).fit(X, Y)
    before = model.run_
    with pytest.raises(ValueError, match=message):
        model.set_params(**changed).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, Y)
    assert model.run_ is before
    again = clone(model).set_params(epochs=2).fit(SCALED, Y)
    assert again.run_.params.shape[1] == again.run_.experiment.network.n_parameters(13, 3)


@pytest.mark.parametrize("engine", ["fused", "torch"])
@pytest.mark.parametrize(
    "changed",
    [{"optimizer": "sgd", "momentum": 0.9}, {"optimizer": "rmsprop"}, {"optimizer": "adamw"}],
)
def test_another_optimizer_begins_with_a_memory_of_its_own(engine, changed):
    """It takes the steps of a fit that starts from those parameters, to the bit; and back again."""
    settings = {"hidden": (8,), "epochs": 5, "engine": engine}
    model = fs.NetClassifier(**settings, warm_start=True).fit(X, Y)
    for now in (changed, {"optimizer": "adam", "momentum": 0.0}):
        start = [float(number) for number in model.run_.params[-1]]
        model.set_params(**now).fit(X, Y)
        alone = fs.NetClassifier(**settings, init=start).set_params(**now).fit(X, Y)
        assert (model.run_.params == alone.run_.params).all()


def test_a_warm_fit_goes_to_another_engine():
    """From where it is, with an optimizer that begins anew; "auto" stays with the engine."""
    model = fs.NetClassifier(epochs=5, warm_start=True, engine="torch").fit(X, Y)
    end = model.set_params(engine="auto").fit(X, Y).run_.params[-1]
    assert model.run_.engine == "torch"
    model.set_params(engine="fused").fit(X, Y)
    assert model.run_.engine == "fused"
    alone = fs.NetClassifier(epochs=5, engine="fused", init=[float(w) for w in end]).fit(X, Y)
    assert (model.run_.params == alone.run_.params).all()


def test_passes_one_by_one_are_a_fit():
    """`partial_fit` makes an epoch; ten of them are those of a fit, also after a pickle."""
    whole = fs.NetClassifier(epochs=10, batch_size=32).fit(X, COLOURS)
    model = fs.NetClassifier(batch_size=32)
    for i in range(10):
        model = pickle.loads(pickle.dumps(model)) if i == 5 else model  # noqa: S301 our own
        model.partial_fit(X, COLOURS, classes=np.unique(COLOURS))
    assert (model.run_.params[-1] == whole.run_.params[-1]).all()
    assert model.n_iter_ == whole.n_iter_ == 10
    values = fs.NetRegressor(hidden=()).partial_fit(X, Y).partial_fit(X[:20], Y[:20])
    assert values.n_iter_ == 2


@pytest.mark.parametrize("by_class", [True, False])
def test_passes_of_single_samples_know_weights(by_class):
    """A rare class that counts a hundredfold is found, as scikit-learn's SGDClassifier finds it."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(300, 2))
    y = (inputs[:, 0] + 0.5 * rng.normal(size=300) > 1.5).astype(int)
    found = {}
    for weight in (1, 100):
        settings = {"class_weight": {0: 1, 1: weight} if by_class else None, "standardize": False}
        model = fs.NetClassifier(hidden=(), **settings)
        for i in range(300):
            w = None if by_class else [float(weight if y[i] else 1)]
            model.partial_fit(inputs[i : i + 1], y[i : i + 1], classes=[0, 1], sample_weight=w)
        found[weight] = model.predict(inputs)[y == 1].mean()
    assert found[1] < 0.5
    assert found[100] > 0.9


def test_a_pass_counts_weights_as_they_are():
    """By weights of 2 sgd moves twice as far; a class that counts nothing moves nothing."""
    settings = {"hidden": (), "optimizer": "sgd", "standardize": False, "lr": 1e-3}
    moved = []
    for weight in (1.0, 2.0):
        w = np.full(len(X), weight)
        model = fs.NetRegressor(**settings).partial_fit(SCALED, Y, sample_weight=w)
        moved.append(np.diff(model.run_.params, axis=0)[0])
    assert_allclose(moved[1], 2 * moved[0], rtol=1e-4, atol=1e-6)
    model = fs.NetClassifier((), class_weight={0: 0.0, 1: 1.0})
    model.partial_fit(X[Y == 0], Y[Y == 0], classes=[0, 1])
    assert (model.run_.params[0] == model.run_.params[-1]).all()


def test_passes_know_no_balance():
    """Which samples will come is not known; the sentence names what to do."""
    with pytest.raises(AttributeError) as refused:
        fs.NetClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])
    assert "there is none with class_weight='balanced'; give a dict" in str(refused.value.__cause__)


def test_batches_that_lack_a_class_are_learned_from():
    """Classes are known from the first call, wherever their samples come."""
    model = fs.NetClassifier(hidden=(), lr=0.05)
    for _ in range(60):
        for part in np.array_split(np.argsort(Y), 6):
            model.partial_fit(X[part], Y[part], classes=[0, 1, 2])
    assert model.run_.dataset.classes == (0, 1, 2)
    assert model.predict_proba(X).shape == (len(X), 3)


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ([{"y": Y}], "The first partial_fit needs `classes`"),
        ([{"y": Y, "classes": [0, 1]}], "y has the class np.int64\\(2\\), which training did not"),
        (
            [{"y": Y, "classes": [0, 1, 2]}, {"y": Y, "classes": [0, 1]}],
            "`classes` must stay those of the first call",
        ),
    ],
)
def test_classes_are_agreed_at_first(calls, message):
    """One sentence each."""
    model = fs.NetClassifier()
    *before, last = calls
    for call in before:
        model.partial_fit(X, **call)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, **last)


def test_early_stopping_answers_with_its_best_step():
    """It ends by its rule, keeps both curves, and answers as at the least validation loss."""
    noisy, y = make_moons(300, noise=0.5, random_state=0)
    model = fs.NetClassifier(
        hidden=(32,), lr=0.05, epochs=3000, early_stopping=True, validation_fraction=0.3
    ).fit(noisy, y)
    run = model.run_
    assert run.outcome is fs.Outcome.STOPPED_EARLY
    assert len(model.loss_curve_) == len(model.validation_loss_curve_) == model.n_iter_ < 3000
    best = int(np.argmin(run.test_loss))
    assert model.best_step_ == best == model.n_iter_ - model.patience
    validation = run.dataset.X_test * run.dataset.scale + run.dataset.mean
    loss = log_loss(run.dataset.y_test, model.predict_proba(validation))
    assert loss == pytest.approx(min(model.validation_loss_curve_), rel=1e-4)  # float32 inputs
    share = sum(run.dataset.y_test) / run.dataset.n_test
    assert share == pytest.approx(y.mean(), abs=0.01)  # stratified


@pytest.mark.parametrize("engine", ["fused", "torch"])
@pytest.mark.parametrize("keep_bytes", [0, 10_000])
def test_early_stopping_keeps_its_best_step_in_any_budget(engine, keep_bytes, tmp_path):
    """Answers are those of the whole recording, of the saved run too."""
    noisy, y = make_moons(150, noise=0.5, random_state=0)
    settings = {"early_stopping": True, "validation_fraction": 0.3, "patience": 40, "lr": 0.05}
    whole = fs.NetClassifier((16,), engine=engine, **settings).fit(noisy, y)
    thin = fs.NetClassifier((16,), engine=engine, keep_bytes=keep_bytes, **settings).fit(noisy, y)
    assert thin.best_step_ == whole.best_step_ in thin.run_.steps
    assert len(thin.run_.steps) < len(whole.run_.steps)
    assert (thin.predict_proba(noisy) == whole.predict_proba(noisy)).all()
    thin.run_.save(tmp_path / "run.safetensors")
    again = fs.load(tmp_path / "run.safetensors").predict_proba(noisy, step=thin.best_step_)
    assert_allclose(again, thin.predict_proba(noisy), atol=1e-12)


def test_callbacks_hear_of_estimators_that_answer():
    """scikit-learn's monitor scores each block of updates; a callback may end the training."""
    monitor = ScoringMonitor(scoring="accuracy")
    model = fs.NetClassifier(epochs=20_000).set_callbacks(monitor).fit(NAMED, COLOURS)
    assert model.n_iter_ == 20_000
    assert accuracy_score(COLOURS, model.predict(NAMED)) == 1
    scores = monitor.get_logs().data_as_pandas["accuracy"]
    assert scores.iloc[-1] == 1

    class Ends:
        """Ends the training at its first block."""

        def setup(self, estimator, context):
            self.heard = []

        def teardown(self, estimator, context):
            self.heard.append("teardown")

        def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
            self.heard.append((X is NAMED, y is COLOURS, metadata))

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            self.heard.append(fitted_estimator.score(NAMED, COLOURS))
            return True

    ends = Ends()
    model = fs.NetClassifier(epochs=100_000).set_callbacks(ends)
    model.fit(NAMED, COLOURS, sample_weight=np.ones(len(X)))
    assert model.run_.outcome is fs.Outcome.INTERRUPTED
    assert ends.heard[0][:2] == (True, True)
    assert set(ends.heard[0][2]) == {"sample_weight"}
    assert ends.heard[-1] == "teardown"
    assert ends.heard[-2] == model.score(NAMED, COLOURS)


def test_badly_scaled_inputs_are_said():
    """Only where nothing scales them; the cure is named."""
    with pytest.warns(UserWarning, match="`proline` is about 810 in size.*standardize=True"):
        fs.NetClassifier(standardize=False, epochs=2).fit(NAMED, LABELS)
    fs.NetClassifier(epochs=2).fit(NAMED, LABELS)
    make_pipeline(StandardScaler(), fs.NetClassifier(standardize=False, epochs=2)).fit(X, Y)


def test_divergence_is_a_warning():
    """The model is there all the same, and says at which step it went wrong."""
    with pytest.warns(ConvergenceWarning, match="Training diverged at step .* try a smaller lr"):
        model = fs.NetRegressor(optimizer="sgd", lr=1e6).fit(X, Y)
    assert model.run_.outcome is fs.Outcome.DIVERGED


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": (0,)}, "`network.hidden` must be a list of positive integers"),
        ({"lr": -1}, "`training.lr` must be greater than 0"),
        ({"optimizer": "adamm"}, "did you mean `adam`|Did you mean `adam`"),
        ({"engine": "gpu"}, "`engine` must be one of auto, fused, torch"),
        ({"batch_size": "big"}, "`training.batch_size` must be a whole number"),
        ({"early_stopping": True, "validation_fraction": 2}, "must lie between 0 and 1; got 2"),
        ({"loss": "smooth_l1"}, "`training.loss` must be one of cross_entropy, mse"),
        ({"class_weight": "even"}, "class_weight"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    """As everywhere in fitscope, by name."""
    with pytest.raises((ValueError, fs.FitscopeError), match=message):
        fs.NetClassifier(**settings).fit(X, Y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(len(X)), "y has only one class, np.float64\\(0.0\\): there is nothing to tell"),
        (np.linspace(0, 1, len(X)), "Unknown label type"),
    ],
)
def test_targets_that_are_no_classes_are_refused(y, message):
    """scikit-learn's sentence where it has one."""
    with pytest.raises(ValueError, match=message):
        fs.NetClassifier().fit(X, y)


def test_estimators_do_as_well_as_their_peers():
    """Five-fold accuracy on wine at least that of scikit-learn's logistic regression less 0.01."""
    ours = cross_val_score(fs.NetClassifier(), X, Y).mean()
    theirs = cross_val_score(make_pipeline(StandardScaler(), LogisticRegression()), X, Y).mean()
    assert ours > theirs - 0.01
