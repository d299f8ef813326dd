"""Analyses: each record against the run's own answers, the long way round."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fitscope as fs
from fitscope import analysis
from fitscope.data import dataset_table
from fitscope.errors import DataError
from fitscope.records import Run


def _points(d: int, n: int = 40) -> np.ndarray:
    return np.random.RandomState(d).normal(size=(n, d)) * [1.0, 30.0, 0.2][:d] + [0, 5, -1][:d]


@pytest.fixture(scope="session")
def plane() -> Run:
    """Two classes over two inputs, with a test part."""
    return fs.fit("gates-xor-hidden", epochs=5)


@pytest.fixture(scope="session")
def four_classes() -> Run:
    """Four classes over two inputs."""
    return fs.fit("blobs", epochs=40, lr=0.1, n_samples=80)


@pytest.fixture(scope="session")
def surface() -> Run:
    """A standardised regression over two inputs."""
    X = _points(2)
    y = 100 + 3 * X[:, 0] + X[:, 1]
    return fs.fit((X, y), epochs=20, standardize=True, test_fraction=0.25)


@pytest.fixture(scope="session")
def line() -> Run:
    """Two classes over one input."""
    return fs.fit("bad-start", epochs=20)


@pytest.fixture(scope="session")
def wave() -> Run:
    """A regression over one input."""
    return fs.fit("sine", hidden=[4], epochs=5, standardize=True)


@pytest.fixture(scope="session")
def three_on_a_line() -> Run:
    """Three classes over one input."""
    x = np.linspace(0, 9, 30)
    return fs.fit((x, np.digitize(x, [3, 6])), epochs=30, lr=0.1)


@pytest.fixture(scope="session")
def many() -> Run:
    """Two classes over 30 inputs, standardised, with a test part."""
    return fs.fit("breast-cancer", epochs=30)


@pytest.fixture(scope="session")
def many_values() -> Run:
    """A standardised regression over 10 inputs, with a test part."""
    return fs.fit("diabetes", epochs=30)


# decision_field


def test_decision_field_is_not_transposed() -> None:
    """values[i, j] belongs to x[j], y[i]: a model of x alone varies along j alone, and rises."""
    run = fs.fit("rings", hidden=[], init=[2.0, 0.0, 0.5], epochs=1)
    values = analysis.decision_field(run, step=0, n_grid=30).values
    assert np.ptp(values, axis=0).max() == 0
    assert (np.diff(values[0]) > 0).all()
    run = fs.fit("rings", hidden=[], init=[0.0, 2.0, 0.5], epochs=1)
    values = analysis.decision_field(run, step=0, n_grid=30).values
    assert np.ptp(values, axis=1).max() == 0
    assert (np.diff(values[:, 0]) > 0).all()


@pytest.mark.parametrize("step", [0, 3, -1])
def test_decision_field_holds_the_models_own_probabilities(plane: Run, step: int) -> None:
    """At each point of the grid stands what `predict_proba` says there, at that step."""
    field = analysis.decision_field(plane, step=step, n_grid=7)
    for i, j in np.ndindex(7, 7):
        point = [[field.x[j], field.y[i]]]
        p = plane.predict_proba(point, step=step)[0, 1]
        assert field.values[i, j] == pytest.approx(p, rel=1e-12)  # one BLAS call, or 49


def test_decision_field_of_several_classes_holds_the_likeliest(four_classes: Run) -> None:
    """For more than two classes the values are the indices that `predict` stands for."""
    field = analysis.decision_field(four_classes, n_grid=25)
    assert set(np.unique(field.values)) == {0.0, 1.0, 2.0, 3.0}
    labels = np.array(four_classes.dataset.classes)
    grid = np.stack(np.meshgrid(field.x, field.y), axis=-1).reshape(-1, 2)
    np.testing.assert_array_equal(
        labels[field.values.astype(int)].ravel(), four_classes.predict(grid)
    )


def test_decision_field_of_a_regression_holds_values(surface: Run) -> None:
    """A regression's field is in the target's units."""
    field = analysis.decision_field(surface, n_grid=5)
    corner = surface.predict([[field.x[-1], field.y[0]]])[0]
    assert field.values[0, -1] == pytest.approx(corner, rel=1e-12)


@pytest.mark.parametrize("kind", ["plane", "surface", "four_classes"])
def test_decision_field_spans_the_data_in_its_own_units(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """The grid covers all samples, test part included, with the stated margin of 12 %."""
    run = request.getfixturevalue(kind)
    field, points = analysis.decision_field(run, n_grid=11), run.dataset.inputs()
    for axis, own in ((field.x, points[:, 0]), (field.y, points[:, 1])):
        assert axis[0] == pytest.approx(own.min() - 0.12 * np.ptp(own))
        assert axis[-1] == pytest.approx(own.max() + 0.12 * np.ptp(own))


# response_curve


@pytest.mark.parametrize("step", [0, -1])
def test_response_curve_holds_the_models_own_probabilities(line: Run, step: int) -> None:
    """Two classes are one curve: the probability of the second."""
    curve = analysis.response_curve(line, step=step, n_grid=50)
    assert curve.names == ("P(y = 1)",)
    p = line.predict_proba(curve.x[:, None], step=step)
    np.testing.assert_array_equal(curve.y, p[:, 1:])


def test_response_curve_of_several_classes_has_one_each(three_on_a_line: Run) -> None:
    """More classes are one curve each, in their order, and add up to 1."""
    curve = analysis.response_curve(three_on_a_line, n_grid=50)
    assert curve.names == ("P(y = 0)", "P(y = 1)", "P(y = 2)")
    np.testing.assert_array_equal(curve.y, three_on_a_line.predict_proba(curve.x[:, None]))
    np.testing.assert_allclose(curve.y.sum(axis=1), 1, rtol=1e-12)


def test_response_curve_of_a_regression_holds_values(wave: Run) -> None:
    """A regression is one curve, in the target's units."""
    curve = analysis.response_curve(wave, n_grid=50)
    np.testing.assert_array_equal(curve.y[:, 0], wave.predict(curve.x[:, None]))
    own = wave.dataset.inputs()
    assert curve.x[0] == pytest.approx(own.min() - 0.03 * np.ptp(own))
    assert curve.x[-1] == pytest.approx(own.max() + 0.03 * np.ptp(own))


# loss_curves


@pytest.mark.parametrize("kind", ["plane", "line", "many_values"])
def test_loss_curves_are_the_recorded_losses(kind: str, request: pytest.FixtureRequest) -> None:
    """Epoch by epoch, bit for bit: what was recorded on the whole sets, and no batch loss."""
    run = request.getfixturevalue(kind)
    curves = analysis.loss_curves(run)
    np.testing.assert_array_equal(curves.train, run.train_loss)
    np.testing.assert_array_equal(curves.test, run.test_loss)
    np.testing.assert_array_equal(curves.epochs, np.arange(len(run.train_loss)))


@pytest.mark.parametrize(
    ("losses", "log_scale"),
    [
        ([1.0, 0.5, 0.2], False),
        ([1.0, 0.09], True),
        ([0.05, 1.0, 0.9], True),
        ([1.0, 0.0], False),
        ([1.0, 0.01, np.inf], False),
        ([np.nan], False),
    ],
)
def test_a_log_scale_helps_where_the_loss_varies_more_than_tenfold(
    line: Run, losses: list[float], log_scale: bool
) -> None:
    """More than a factor of ten, all of it positive and finite: else the scale is linear."""
    run = replace(line, train_loss=np.array(losses, np.float32))
    assert analysis.loss_curves(run).log_scale is log_scale


@pytest.mark.parametrize(
    ("source", "flags", "label"),
    [
        ("step", {}, "cross-entropy (nats per sample)"),
        ("step", {"loss": "mse"}, "mean squared error of the probability"),
        ("sine", {}, "mean squared error (y in its units squared)"),
        ("sine", {"loss": "smooth_l1", "standardize": True}, "smooth L1 loss"),
        ("sine", {"loss": "relative"}, "relative error"),
    ],
)
def test_the_loss_is_labelled_with_its_unit(source: str, flags: dict[str, Any], label: str) -> None:
    """The axis says which loss it is and in which unit."""
    assert analysis.loss_curves(fs.fit(source, epochs=1, **flags)).label == label


# confusion, fit_scatter


@pytest.mark.parametrize(
    ("kind", "part"), [("many", "test"), ("four_classes", "training"), ("line", "training")]
)
def test_confusion_is_the_count_by_hand(
    kind: str, part: str, request: pytest.FixtureRequest
) -> None:
    """Rows are true, columns predicted; on the test part where there is one, all of it."""
    run = request.getfixturevalue(kind)
    d, record = run.dataset, analysis.confusion(run)
    X, y = (d.X_test, d.y_test) if part == "test" else (d.X, d.y)
    predicted = run.predict(X * d.scale + d.mean)
    by_hand = np.zeros_like(record.counts)
    for true, answer in zip(y, predicted, strict=True):
        by_hand[true, d.classes.index(answer)] += 1
    np.testing.assert_array_equal(record.counts, by_hand)
    assert (record.counts.sum(), record.part, record.classes) == (len(y), part, d.classes)
    score = run.metrics[f"{'test' if part == 'test' else 'train'}_accuracy"]
    assert np.trace(record.counts) / len(y) == pytest.approx(score)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_tie_is_decided_the_same_way_everywhere(task: str) -> None:
    """Zero weights make every probability equal: predictions, counts and scores still agree."""
    X, y = _points(2), np.arange(40) % 4 > 0
    run = fs.fit((X, y), task=task, init="zeros", epochs=1)
    scores = analysis.summary(run, step=0).scores
    counts = analysis.confusion(run, step=0).counts
    right = np.mean(run.predict(X, step=0) == y)
    assert right == scores["train_accuracy"] == np.trace(counts) / counts.sum()


@pytest.mark.parametrize(("kind", "part"), [("many_values", "test"), ("wave", "training")])
def test_fit_scatter_is_in_the_targets_units(
    kind: str, part: str, request: pytest.FixtureRequest
) -> None:
    """True values are those of the data, predictions those of `predict`; R2 follows from them."""
    run = request.getfixturevalue(kind)
    d, record = run.dataset, analysis.fit_scatter(run)
    X, y = (d.X_test, d.y_test) if part == "test" else (d.X, d.y)
    assert record.part == part
    np.testing.assert_allclose(record.true, y * d.y_scale + d.y_mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(record.predicted, run.predict(X * d.scale + d.mean))
    error = record.predicted - record.true
    name = "test" if part == "test" else "train"
    assert np.sqrt(np.mean(error**2)) == pytest.approx(run.metrics[f"{name}_rmse"], rel=1e-6)
    r2 = 1 - np.mean(error**2) / record.true.var()
    assert r2 == pytest.approx(run.metrics[f"{name}_r2"], rel=1e-6)


def test_diabetes_values_are_those_of_the_table(many_values: Run) -> None:
    """Through split and scaling and back, the true values are the table's."""
    table = dataset_table(fs.DataSpec(name="diabetes"))
    assert set(analysis.fit_scatter(many_values).true.round(3)) <= set(
        table["progression"].to_pylist()
    )


# importance


@pytest.mark.parametrize("kind", ["many", "many_values"])
def test_a_coefficient_is_the_change_for_one_deviation(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """Without hidden units: move one input by its deviation, and the answer moves by that much."""
    run = request.getfixturevalue(kind)
    record, d = analysis.importance(run), run.dataset
    X = d.X * d.scale + d.mean

    def answer(X: np.ndarray) -> float:
        if d.task == "regression":
            return float(run.predict(X)[0])
        p = run.predict_proba(X)[0]
        return float(np.log(p[1]) - np.log(p[0]))

    for name, value in zip(record.names, record.values, strict=True):
        column = d.feature_names.index(name)
        moved = X[:1].copy()
        moved[0, column] += X[:, column].std()
        assert answer(moved) - answer(X[:1]) == pytest.approx(value, rel=1e-4, abs=1e-9)
    assert (np.diff(np.abs(record.values)) <= 0).all()
    assert set(record.names) == set(d.feature_names)
    what = f"the logit of {d.classes[1]}" if kind == "many" else d.target_name
    assert record.what.startswith(f"change of {what} per standard deviation")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_an_input_that_a_network_does_not_use_has_no_importance(task: str) -> None:
    """Shuffling a column with zero weights changes nothing; shuffling the used one does."""
    X = _points(2, 60)
    s = X[:, 0] - X[:, 0].mean()
    target = {"binary": s > 0, "multiclass": np.digitize(s, [-0.5, 0.5]), "regression": s}
    out = {"binary": [8.0, 0.0, -4.0], "regression": [4.0, 0.0, -2.0]}
    out |= {"multiclass": [-8.0, 0, 0, 0, 8, 0, 3, 0, -5]}
    init = [3.0, 0.0, 3.0, 0.0, 0.0, 0.0, *out[task]]
    run = fs.fit((X, target[task]), task=task, hidden=[2], init=init, epochs=1)
    record = analysis.importance(run, step=0)
    assert record.names == ("x1", "x2")
    assert record.values[0] > 0.1
    assert record.values[1] == 0
    score = "R2" if task == "regression" else "accuracy"
    assert record.what == f"drop of the training {score} when the input is shuffled"


def test_importance_is_the_same_every_time(four_classes: Run) -> None:
    """The shuffles have a seed of their own, and global random state is left alone."""
    before = np.random.get_state()[1].tolist()  # noqa: NPY002 (that it is left alone is the law)
    first, again = (analysis.importance(four_classes, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.values, again.values)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


# what cannot be asked


@pytest.mark.parametrize(
    ("ask", "kind", "message"),
    [
        (analysis.decision_field, "line", "decision_field needs two inputs; this run has 1"),
        (analysis.response_curve, "plane", "response_curve needs one input; this run has 2"),
        (analysis.confusion, "wave", "confusion needs classes; this run is a regression"),
        (analysis.fit_scatter, "line", "fit_scatter needs a regression; this run has classes"),
    ],
)
def test_a_question_that_does_not_fit_says_why(
    ask: Callable[[Run], Any], kind: str, message: str, request: pytest.FixtureRequest
) -> None:
    """An analysis of the wrong kind of run names what it needs and what there is."""
    with pytest.raises(DataError, match=message):
        ask(request.getfixturevalue(kind))


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (analysis.decision_field, "plane"),
        (analysis.response_curve, "line"),
        (analysis.confusion, "plane"),
        (analysis.fit_scatter, "wave"),
        (analysis.importance, "many"),
    ],
)
def test_without_data_the_message_says_so(
    ask: Callable[[Run], Any], kind: str, request: pytest.FixtureRequest
) -> None:
    """What needs the samples says that the run was saved without them."""
    run = request.getfixturevalue(kind)
    with pytest.raises(DataError, match=r"needs the data; .* saved without it"):
        ask(replace(run, dataset=run.dataset.without_arrays()))


@pytest.mark.parametrize("step", [-2, 10_000])
@pytest.mark.parametrize(
    "ask", [analysis.decision_field, analysis.confusion, analysis.importance, analysis.summary]
)
def test_a_step_outside_the_run_is_refused(plane: Run, ask: Callable[..., Any], step: int) -> None:
    """Every analysis takes the steps that the run has, and no other."""
    with pytest.raises(DataError, match=f"Step {step} is not in this run, which has steps 0 to 35"):
        ask(plane, step=step)
