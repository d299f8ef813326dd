"""Metrics: every number is scikit-learn's or counted by hand; every picture shows its record."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from sklearn.dummy import DummyClassifier, DummyRegressor

import fitscope as fs
from fitscope import analysis, plot
from fitscope.analysis import Metrics
from fitscope.analysis.needs import check_choice, part_of
from fitscope.errors import DataError, UnknownNameError
from fitscope.records import Run

OF_CLASSES = ["confusion", "roc_curve", "precision_recall", "calibration"]
OF_VALUES = ["fit_scatter", "residuals"]


@pytest.fixture(scope="module")
def binary() -> Run:
    """Two named classes, a test part, scaled inputs."""
    return fs.fit("breast-cancer", epochs=15)


@pytest.fixture(scope="module")
def many() -> Run:
    """Four classes with a test part."""
    return fs.fit("blobs", epochs=20, lr=0.1, n_samples=200, test_fraction=0.3)


@pytest.fixture(scope="module")
def no_test() -> Run:
    """Two classes that overlap, without a test part."""
    return fs.fit("gaussians", epochs=60, n_samples=300)


@pytest.fixture(scope="module")
def values() -> Run:
    """A regression with a scaled target and a test part."""
    return fs.fit("diabetes", epochs=40, hidden=[4])


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """The run that a parameter names."""
    found: Run = request.getfixturevalue(request.param)
    return found


def _judged(run: Run, part: str | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs in the data's units, targets in theirs, and class indices."""
    d = run.dataset
    test = len(d.X_test) > 0 if part is None else part == "test"
    X, y = (d.X_test, d.y_test) if test else (d.X, d.y)
    true = np.array(d.classes)[y] if d.classes else y * np.float64(d.y_scale) + d.y_mean
    return X * d.scale + d.mean, true, y


def _column(record: Metrics, i: int, *, of: str = "model") -> dict[str, float]:
    return dict(zip(record.names, getattr(record, of)[:, i].tolist(), strict=True))


def _by_sklearn(classes: tuple[Any, ...], true: Any, said: Any, p: np.ndarray) -> dict[str, float]:
    many = len(classes) > 2
    y = np.array([classes.index(label) for label in true.tolist()])
    said = np.array([classes.index(label) for label in said.tolist()])
    how: dict[str, Any] = {"average": "macro" if many else "binary", "zero_division": 0}
    area = {"multi_class": "ovr", "average": "macro"} if many else {}
    return {
        "accuracy": sk.accuracy_score(y, said),
        "balanced accuracy": sk.balanced_accuracy_score(y, said),
        "log-loss (nats)": sk.log_loss(y, p),
        "Brier score": sk.brier_score_loss(y, p if many else p[:, 1]),
        "AUC": sk.roc_auc_score(y, p if many else p[:, 1], **area),
        "precision": sk.precision_score(y, said, **how),
        "recall": sk.recall_score(y, said, **how),
        "F1": sk.f1_score(y, said, **how),
    }


@pytest.mark.parametrize("run", ["binary", "many"], indirect=True)
@pytest.mark.parametrize("step", [-1, 3])
def test_scores_of_classes_are_those_of_scikit_learn(run: Run, step: int) -> None:
    """On both parts, for the model and for DummyClassifier("prior")."""
    d, record = run.dataset, analysis.metrics(run, step=step)
    assert record.parts == ("training", "test")
    assert record.title == run.moment(step)
    dummy = DummyClassifier(strategy="prior").fit(d.X, d.y)
    for i, part in enumerate(("train", "test")):
        X, true, y = _judged(run, part)
        p = run.predict_proba(X, step=step)
        expected = _by_sklearn(d.classes, true, run.predict(X, step=step), p)
        assert _column(record, i) == pytest.approx(expected, rel=1e-6, abs=1e-9)
        if run.dataset.task == "binary":  # four classes are equally common: a tie
            said = np.array(d.classes)[dummy.predict(X)]
            expected = _by_sklearn(d.classes, true, said, dummy.predict_proba(X))
            assert _column(record, i, of="baseline") == pytest.approx(expected)
            assert len(y) == len(true)


def test_scores_of_a_regression_are_those_of_scikit_learn(values: Run) -> None:
    """In the target's units; the baseline is the mean of the training part."""
    record = analysis.metrics(values)
    dummy = DummyRegressor().fit(*_judged(values, "train")[:2])
    for i, part in enumerate(("train", "test")):
        X, true, _ = _judged(values, part)
        for of, said in (("model", values.predict(X)), ("baseline", dummy.predict(X))):
            expected = [
                sk.r2_score(true, said),
                sk.root_mean_squared_error(true, said),
                sk.mean_absolute_error(true, said),
                sk.median_absolute_error(true, said),
                sk.max_error(true, said),
            ]
            found = list(_column(record, i, of=of).values())
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert record.higher_is_better == (True, False, False, False, False)
    assert record.baseline_name == f"always {_judged(values, 'train')[1].mean():.4g}, the mean"


def test_log_loss_is_not_cut_off_where_a_probability_rounds() -> None:
    """A sample that is wrong by a logit of 800 costs 800 / n nats, not scikit-learn's 36 / n."""
    X, y = np.array([[1.0], [-1.0], [1.0]]), np.array([1, 0, 0])
    run = fs.fit((X, y), task="binary", init=[800.0, 0.0], epochs=1)
    loss = _column(analysis.metrics(run, step=0), 0)["log-loss (nats)"]
    assert loss == pytest.approx(800 / 3)


def test_a_part_can_be_chosen_and_both_are_the_default(binary: Run, no_test: Run) -> None:
    """One column of the pair; a run without a test part has one anyway."""
    both, test = analysis.metrics(binary), analysis.metrics(binary, part="test")
    np.testing.assert_array_equal(test.model[:, 0], both.model[:, 1])
    assert (test.parts, analysis.metrics(no_test).parts) == (("test",), ("training",))


def _one_class_in_test() -> Run:
    run = fs.fit("gates-and", epochs=1)
    zeros = run.dataset.y_test == 0
    d = replace(run.dataset, X_test=run.dataset.X_test[zeros], y_test=run.dataset.y_test[zeros])
    return replace(run, dataset=d)


def test_a_part_of_one_class_has_no_auc_and_says_so() -> None:
    """One sentence in the table, one in the error of each curve, and no warning."""
    run = _one_class_in_test()
    record = analysis.metrics(run)
    assert record.notes == ("No AUC: the test part has one class only, 0.",)
    assert np.isnan(_column(record, 1)["AUC"])
    assert not np.isnan(_column(record, 0)["AUC"])
    assert "\N{EN DASH}" in [text.get_text() for text in plot.metrics(record).axes[0].texts]
    for view in OF_CLASSES[1:]:
        with pytest.raises(DataError, match=f"{view} needs samples of two classes.*one only, 0"):
            getattr(run.plot, view)()


def test_a_target_that_does_not_vary_has_no_r2() -> None:
    """The other errors stand, and the residuals have a histogram."""
    run = fs.fit((np.arange(8.0)[:, None], np.arange(8.0)), task="regression", epochs=2)
    run = replace(run, dataset=replace(run.dataset, y=np.full(8, 3, np.float32)))
    record = analysis.metrics(run)
    assert np.isnan(record.model[0, 0])
    assert record.notes[0].startswith("No R\N{SUPERSCRIPT TWO}: the target does not vary")
    assert analysis.residuals(run).counts.sum() == 8


@pytest.mark.parametrize("run", ["binary", "many", "no_test"], indirect=True)
def test_roc_curves_are_those_of_scikit_learn(run: Run) -> None:
    """Points, areas and the point of the threshold 0.5, counted by hand."""
    X, _, y = _judged(run)
    p, record = run.predict_proba(X), analysis.roc_curve(run)
    classes = range(len(run.dataset.classes)) if p.shape[1] > 2 else [1]
    assert record.classes == tuple(classes)
    for i, c in enumerate(classes):
        false, true, thresholds = sk.roc_curve(y == c, p[:, c])
        np.testing.assert_array_equal(record.false_positive[i], false)
        np.testing.assert_array_equal(record.true_positive[i], true)
        np.testing.assert_array_equal(record.thresholds[i], thresholds)
        assert record.area[i] == pytest.approx(sk.roc_auc_score(y == c, p[:, c]))
    if p.shape[1] > 2:
        assert record.half is None
    else:
        yes = p[:, 1] >= 0.5
        assert record.half == pytest.approx(
            (yes[y == 0].sum() / (y == 0).sum(), yes[y == 1].sum() / (y == 1).sum())
        )


@pytest.mark.parametrize("run", ["binary", "many", "no_test"], indirect=True)
def test_precision_and_recall_are_those_of_scikit_learn(run: Run) -> None:
    """Average precision and the share of positives; every point is right by counting."""
    X, _, y = _judged(run)
    p, record = run.predict_proba(X), analysis.precision_recall(run)
    for i, c in enumerate(record.classes):
        own = y == c
        assert record.average[i] == pytest.approx(sk.average_precision_score(own, p[:, c]))
        assert record.share[i] == own.mean()
        every = sk.precision_recall_curve(own, p[:, c])
        points = set(zip(every[1], every[0], strict=True))
        assert set(zip(record.recall[i], record.precision[i], strict=True)) <= points
        step = -np.diff(record.recall[i])
        assert np.sum(step * record.precision[i][:-1]) == pytest.approx(record.average[i])


@pytest.mark.parametrize("run", ["binary", "many", "no_test"], indirect=True)
@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_calibration_is_that_of_scikit_learn(run: Run, strategy: Any) -> None:
    """Shares and means bin by bin; weighted by the counts, they give the whole part's."""
    X, _, y = _judged(run)
    p = run.predict_proba(X)
    record = analysis.calibration(run, n_bins=6, strategy=strategy)
    for i, c in enumerate(record.classes):
        own = y == c
        observed, said = calibration_curve(own, p[:, c], n_bins=6, strategy=strategy)
        np.testing.assert_array_equal(record.observed[i], observed)
        np.testing.assert_array_equal(record.predicted[i], said)
        counts = record.counts[i]
        assert counts.sum() == len(y)
        assert counts @ said == pytest.approx(p[:, c].sum())
        hits = counts * observed
        np.testing.assert_allclose(hits, hits.round(), atol=1e-9)
        assert hits.sum() == pytest.approx(own.sum())
        assert record.brier[i] == pytest.approx(sk.brier_score_loss(own, p[:, c]))


def test_few_samples_are_noted(binary: Run) -> None:
    """Where a bin has fewer than ten samples, and only there."""
    assert "fewer than 10" in analysis.calibration(binary, n_bins=10).note
    assert analysis.calibration(binary, n_bins=2, strategy="quantile").note == ""


def test_a_class_that_does_not_occur_has_no_curve(many: Run) -> None:
    """The others keep their index, and so their colour; a note names it."""
    d = many.dataset
    kept = d.y_test != 1
    fewer = replace(many, dataset=replace(d, X_test=d.X_test[kept], y_test=d.y_test[kept]))
    record = analysis.roc_curve(fewer)
    assert record.classes == (0, 2, 3)
    assert record.note == "no sample of 1 in this part"
    assert not np.isnan(analysis.metrics(fewer).model).any()
    assert record.note in plot.roc_curve(record).axes[0].get_xlabel()


def test_residuals_are_what_is_left(values: Run) -> None:
    """The target minus the answer, each in one bin of equal width."""
    X, true, _ = _judged(values)
    record, pairs = analysis.residuals(values, n_bins=12), analysis.fit_scatter(values)
    np.testing.assert_allclose(record.residual, true - values.predict(X), rtol=1e-9)
    np.testing.assert_array_equal(record.predicted + record.residual, pairs.true)
    assert record.counts.sum() == len(true)
    assert (record.edges[0], record.edges[-1]) == (record.residual.min(), record.residual.max())
    np.testing.assert_allclose(np.diff(record.edges), np.ptp(record.residual) / 12)


@pytest.mark.parametrize("part", ["train", "test"])
def test_confusion_and_fit_scatter_take_a_part(binary: Run, values: Run, part: Any) -> None:
    """All samples of that part, and its name."""
    n = binary.dataset.n_test if part == "test" else binary.dataset.n_train
    counts = analysis.confusion(binary, part=part)
    assert counts.counts.sum() == n
    assert counts.title.startswith(f"{np.trace(counts.counts)} of {n} right, after 15")
    assert counts.part == ("test" if part == "test" else "training")
    found = analysis.fit_scatter(values, part=part).true
    np.testing.assert_array_equal(found, _judged(values, part)[1])


def test_confusion_counts_labels_that_are_fractions() -> None:
    """Rows are the truth, columns the answer, also where scikit-learn would see values."""
    X = np.random.default_rng(0).normal(size=(60, 1))
    run = fs.fit((X, np.where(X[:, 0] > 0.5, 1.5, 2.5)), task="binary", epochs=5, test_fraction=0.0)
    true = np.array(run.dataset.classes)[run.dataset.y]
    said = run.predict(X)
    counts = [[np.sum((true == t) & (said == s)) for s in (1.5, 2.5)] for t in (1.5, 2.5)]
    assert analysis.confusion(run).counts.tolist() == counts
    assert counts[0][1] != counts[1][0]


# messages


@pytest.mark.parametrize("view", OF_CLASSES)
def test_what_needs_classes_says_so(values: Run, view: str) -> None:
    """A regression has none."""
    with pytest.raises(DataError, match=f"{view} needs classes; this run is a regression"):
        getattr(values.plot, view)()


@pytest.mark.parametrize("view", OF_VALUES)
def test_what_needs_a_regression_says_so(binary: Run, view: str) -> None:
    """Classes have no residual."""
    with pytest.raises(DataError, match=f"{view} needs a regression; this run has classes"):
        getattr(binary.plot, view)()


@pytest.mark.parametrize("view", ["metrics", *OF_CLASSES, *OF_VALUES])
def test_without_data_or_part_the_message_says_so(binary: Run, values: Run, view: str) -> None:
    """A run saved without samples, a part that is not there, a part that does not exist."""
    run = values if view in OF_VALUES else binary
    ask = getattr(analysis, view)
    with pytest.raises(DataError, match=f"{view} needs the data"):
        ask(replace(run, dataset=run.dataset.without_arrays()))
    d = replace(run.dataset, X_test=run.dataset.X[:0], y_test=run.dataset.y[:0], n_test=0)
    with pytest.raises(DataError, match=r"no test part; set `test_fraction`"):
        ask(replace(run, dataset=d), part="test")
    with pytest.raises(DataError, match="`part`"):
        getattr(run.plot, view)(part="tset")


def test_a_choice_that_is_not_there_suggests_one(binary: Run) -> None:
    """The words that an option takes, and the near miss."""
    with pytest.raises(UnknownNameError, match=r"train or test; got 'tset'.* `test`"):
        part_of(binary.dataset, "x", "tset")
    with pytest.raises(UnknownNameError, match=r"`strategy` must be uniform or quantile"):
        check_choice("strategy", "even", ("uniform", "quantile"))


@pytest.mark.parametrize(("view", "n_bins"), [("calibration", 1), ("residuals", 1001)])
def test_bins_are_bounded(binary: Run, values: Run, view: str, n_bins: int) -> None:
    """Too few or too many are refused."""
    with pytest.raises(DataError, match=rf"`n_bins` must be from 2 to .*; got {n_bins}"):
        getattr(analysis, view)(values if view == "residuals" else binary, n_bins=n_bins)


@pytest.mark.parametrize("view", ["metrics", "confusion", "roc_curve", "calibration", "residuals"])
def test_answers_that_are_not_finite_are_refused(binary: Run, values: Run, view: str) -> None:
    """A model that diverged has no score, and no warning either."""
    run = values if view == "residuals" else binary
    broken = replace(run, params=np.full_like(run.params, np.nan))
    with pytest.raises(DataError, match=f"{view} needs finite answers"):
        getattr(analysis, view)(broken)
