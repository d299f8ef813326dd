"""The summary of a run: its numbers are the recorded ones, its formula is the model."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fitscope as fs
from fitscope.analysis import summary
from fitscope.records import Run

TABLE = np.random.RandomState(1).normal(size=(60, 3)) * [1, 50, 0.01] + [0, 300, 2]


def _evaluated(formula: str, names: tuple[str, ...], X: np.ndarray) -> np.ndarray:
    """The values that a formula gives for inputs, read as a person reads it."""
    number = r"[+-][\d.]+(?:e[+-]\d+)?"
    _, right = formula.split(" = ")[-2:]
    *terms, offset = re.findall(rf"({number})(?: ([^\s+-]\S*))?(?= |$)", right)
    assert [name for _, name in terms] == list(names)
    assert offset[1] == ""
    return X @ np.array([float(w) for w, _ in terms]) + float(offset[0])


@pytest.fixture(scope="session")
def regression() -> Run:
    """A standardised linear regression on inputs of very different sizes."""
    y = 5000 + 20 * TABLE[:, 0] - 3 * TABLE[:, 1] + 1e4 * TABLE[:, 2]
    return fs.fit((TABLE, y), standardize=True, epochs=300, lr=0.1)


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ("bad-start", {"epochs": 12}),
        ("bad-start-mse", {"epochs": 12}),
        ("gates-xor-hidden", {"epochs": 6}),
        ("blobs", {"epochs": 6, "n_samples": 50, "batch_size": 16, "test_fraction": 0.2}),
        ("blobs", {"epochs": 3, "n_samples": 50, "loss": "mse", "hidden": [3]}),
        ("diabetes", {"epochs": 6, "batch_size": 100}),
        ("sine", {"epochs": 4, "loss": "smooth_l1", "hidden": [5], "activation": "tanh"}),
        ("sine", {"epochs": 4, "loss": "relative", "hidden": [5], "activation": "relu"}),
    ],
)
def test_losses_at_a_step_are_the_recorded_ones(source: str, flags: dict[str, Any]) -> None:
    """After every epoch the summary's float64 losses are those that training measured."""
    run = fs.fit(source, **flags)
    for epoch in range(len(run.train_loss)):
        facts = summary(run, step=epoch * run.updates_per_epoch)
        # float32 carries 7 digits, and a mean over samples loses about one of them
        assert facts.train_loss == pytest.approx(run.train_loss[epoch], rel=1e-6)
        if run.dataset.n_test:
            assert facts.test_loss == pytest.approx(run.test_loss[epoch], rel=1e-6)
        else:
            assert facts.test_loss is None


@pytest.mark.parametrize("source", ["gates-and", "blobs", "diabetes", "sine"])
def test_scores_at_the_end_are_the_runs_metrics(source: str) -> None:
    """The scores of the last step are `run.metrics`, by the same names."""
    run = fs.fit(source, epochs=2)
    assert summary(run).scores == pytest.approx(dict(run.metrics), rel=1e-12)


def test_a_step_between_two_recorded_ones_is_the_one_before() -> None:
    """In a thinned run a step stands for the last one that was recorded, and says which."""
    run = fs.fit("bad-start", epochs=10, keep_bytes=100)
    first, second = (int(step) for step in run.steps[1:3])
    assert second > first + 1
    between, at = summary(run, step=second - 1), summary(run, step=first)
    assert between == at
    assert at.step == first


def test_without_data_a_step_within_an_epoch_has_no_loss() -> None:
    """What was not recorded is not made up from another moment."""
    run = fs.fit("bad-start", epochs=2)
    facts = summary(replace(run, dataset=run.dataset.without_arrays()), step=3)
    assert (facts.train_loss, facts.test_loss, facts.scores) == (None, None, {})


@pytest.mark.parametrize("epoch", [0, 1, 5])
def test_without_data_the_losses_are_the_recorded_ones(epoch: int) -> None:
    """A run saved without its data tells its recorded losses, and scores at the end only."""
    run = fs.fit("gates-and", epochs=5)
    bare = replace(run, dataset=run.dataset.without_arrays())
    facts = summary(bare, step=epoch * run.updates_per_epoch)
    assert (facts.train_loss, facts.test_loss) == (run.train_loss[epoch], run.test_loss[epoch])
    assert facts.scores == (run.metrics if epoch == 5 else {})
    assert facts.data == summary(run).data
    assert facts.sentence == summary(run).sentence


def test_formula_of_a_standardised_regression_is_in_the_datas_units(regression: Run) -> None:
    """Evaluated by hand on raw inputs, the formula gives what `predict` gives, to its digits."""
    formula = summary(regression).formula
    assert formula.startswith("y = ")
    by_hand = _evaluated(formula, ("x1", "x2", "x3"), TABLE)
    # 4 digits of each coefficient; the terms are up to 2e4
    np.testing.assert_allclose(by_hand, regression.predict(TABLE), rtol=0, atol=20)
    assert np.ptp(by_hand) > 500


def test_formula_of_a_standardised_classifier_is_the_logit() -> None:
    """For two classes the formula is the logit of the second, named by its label."""
    y = np.where(TABLE[:, 0] > 0, "yes", "no")
    run = fs.fit((TABLE, y), standardize=True, epochs=30, lr=0.1)
    formula = summary(run).formula
    assert formula.startswith("logit P(y = yes) = ")
    p = run.predict_proba(TABLE)
    logit = np.log(p[:, 1] / p[:, 0])
    by_hand = _evaluated(formula, ("x1", "x2", "x3"), TABLE)
    np.testing.assert_allclose(by_hand, logit, rtol=0, atol=0.02)


def test_polynomial_formula_stands_beside_the_true_one() -> None:
    """The made polynomial is told with the learned one, term by term in the same order."""
    run = fs.fit("polynomial", n_samples=640)
    facts, d = summary(run), run.dataset
    names = ("x", "x^2", "x^3", "x^4")
    X = np.vander([0.5, -2.0, 3.0], 5, increasing=True)[:, 1:]
    assert d.truth is not None
    true = X @ d.truth[:-1] + d.truth[-1]
    # 4 digits of each coefficient; the terms are up to 400
    np.testing.assert_allclose(_evaluated(facts.truth, names, X), true, rtol=0, atol=0.1)
    np.testing.assert_allclose(
        _evaluated(facts.formula, names, X), run.predict(X), rtol=0, atol=0.1
    )


@pytest.mark.parametrize(
    ("source", "flags"),
    [("rings", {"hidden": [2]}), ("blobs", {}), ("breast-cancer", {})],
    ids=["hidden units", "several outputs", "30 inputs"],
)
def test_no_formula_where_none_would_be_read(source: str, flags: dict[str, Any]) -> None:
    """Hidden units, several outputs or many inputs have no formula, and no truth."""
    facts = summary(fs.fit(source, epochs=1, **flags))
    assert (facts.formula, facts.truth) == ("", "")


@pytest.mark.parametrize(
    ("source", "flags", "sentence"),
    [
        (
            "rings",
            {"hidden": [3], "lr": 0.5},
            "A 2-3-1 network with sigmoid units, 13 parameters, was trained on rings to tell 0 "
            "and 1 apart, by 2 full-batch Adam updates (learning rate 0.5, cross-entropy).",
        ),
        (
            "iris",
            {"batch_size": 60, "optimizer": "sgd"},
            "Softmax regression (4-3), 15 parameters, was trained on iris to tell setosa, "
            "versicolor and virginica apart, by 4 SGD updates on batches of 60 (learning rate "
            "0.01, cross-entropy).",
        ),
        (
            "diabetes",
            {},
            "Linear regression (10-1), 11 parameters, was trained on diabetes to predict "
            "progression, by 2 full-batch Adam updates (learning rate 0.01, mean squared error).",
        ),
        (
            "digits",
            {"hidden": [2, 2], "activation": "relu"},
            "A 64-2-2-10 network with relu units, 166 parameters, was trained on digits to tell "
            "0, 1, 2, 3 and 6 more apart, by 2 full-batch Adam updates (learning rate 0.01, "
            "cross-entropy).",
        ),
    ],
)
def test_one_sentence_says_what_was_trained(
    source: str, flags: dict[str, Any], sentence: str
) -> None:
    """Network, parameters, data, task, updates, optimizer and loss, in words."""
    assert summary(fs.fit(source, epochs=2, **flags)).sentence == sentence


def test_a_diverged_run_has_a_summary() -> None:
    """Weights of inf give a summary without a warning: what is not finite is told as such."""
    run = fs.fit(
        (np.full((4, 1), 1e35), [0, 1, 1, 1]), init="zeros", lr=1e6, optimizer="sgd", epochs=2
    )
    facts = summary(run)
    assert facts.outcome.startswith("diverged at step 1")
    assert not np.isfinite(facts.train_loss)
    assert "inf" in facts.formula
