"""ladder.py: which model is worth it, said honestly, and as good as tuned logistic regression."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.dummy import DummyClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

import fitscope as fs
from fitscope import ladder
from fitscope.data import folds, raw_data
from fitscope.errors import DataError, ExperimentError
from fitscope.ladder import LADDER, Rung, is_better
from own_tables import OWN_TABLES


@pytest.fixture(scope="module", autouse=True)
def short():
    """Two penalties and fewer iterations: in tests, every call checks its types."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ladder, "PENALTIES", (1e-3, 1e-2))
        patch.setattr(ladder, "FINER", (1e-3, 1e-2))
        patch.setattr(ladder, "MOST_ITERATIONS", 40)
        yield


@pytest.fixture(scope="module")
def iris():
    """A table that lines tell apart."""
    return fs.search("iris")


@pytest.fixture(scope="module")
def moons():
    """One that they do not."""
    return fs.search("moons", n_samples=150, test_fraction=0.3)


@pytest.mark.slow
def test_lines_are_enough_for_iris(iris):
    """The lowest rung, since none above gains more than a standard error."""
    assert iris.chosen == 0
    assert iris.run.layer_sizes == [4, 3]
    assert iris.run.outcome is fs.Outcome.CONVERGED
    assert iris.sentences[0].startswith("A linear model is enough: 95.8 % right (+-1.9)")
    assert iris.sentences[1].startswith("More gains nothing beyond what chance explains: one")
    assert (iris.loss_name, iris.score_name) == ("log-loss", "accuracy")


@pytest.mark.slow
def test_a_layer_is_worth_it_for_moons(moons):
    """One hidden layer, and no second."""
    assert moons.chosen == 1
    assert moons.run.layer_sizes == [2, 16, 1]
    assert moons.run.experiment.training.l2 == moons.rungs[1].l2
    assert moons.sentences[0].startswith("One hidden layer of 16 is worth it: ")
    assert "a linear model has" in moons.sentences[0]


@pytest.mark.slow
def test_noise_is_told():
    """Where nothing predicts the target, nobody is told that something does."""
    rng = np.random.default_rng(0)
    found = fs.search((rng.normal(size=(80, 2)), rng.integers(2, size=80)))
    assert found.sentences[0].startswith("Nothing here predicts `y`: on held-out folds")


@pytest.mark.slow
def test_a_value_is_predicted_against_its_mean():
    """Losses in the target's units squared, scores as R2."""
    data = fs.dataset("diabetes")
    found = fs.search((data.inputs()[:80, :2], data.targets()[:80]))
    assert (found.loss_name, found.score_name) == ("squared error", "R2")
    variance = float(np.var(data.targets()[:80]))
    assert found.baseline.losses.mean() == pytest.approx(
        variance, rel=0.1
    )  # by fold, less its mean
    assert "the mean alone" in found.sentences[0]


def test_folds_share_the_training_part_and_learn_alone():
    """Each row is tested once; scales are those of the other rows; the test part stays out."""
    e = fs.experiment("iris")
    parts = folds(e.data, raw_data(e.data), n_folds=5, most=1000, seed=0)
    whole = fs.dataset(e.data)
    assert [len(part.X_test) for part in parts] == [24] * 5
    tested = np.concatenate([part.X_test * part.scale + part.mean for part in parts])
    mine = whole.X * whole.scale + whole.mean
    assert_allclose(np.sort(tested, axis=0), np.sort(mine, axis=0), atol=1e-5)  # float32
    for part in parts:
        assert_allclose(part.X.mean(axis=0), 0, atol=1e-6)
        assert set(np.bincount(part.y_test)) == {8}
    assert len(folds(e.data, raw_data(e.data), n_folds=5, most=50, seed=0)[0].X) == 40


@pytest.mark.slow
def test_the_baseline_is_scikit_learns(iris):
    """By the same folds, through scikit-learn's own splitter and metric."""
    e = fs.experiment("iris")
    parts = folds(e.data, raw_data(e.data), n_folds=5, most=1000, seed=0)
    for part, told in zip(parts, iris.baseline.losses, strict=True):
        dummy = DummyClassifier(strategy="prior").fit(part.X, part.y)
        assert told == pytest.approx(log_loss(part.y_test, dummy.predict_proba(part.X_test)))
    assert StratifiedKFold(5).get_n_splits() == len(iris.baseline.losses)


def test_better_means_by_more_than_chance():
    """A standard error of the paired differences, not of the losses themselves."""
    losses = np.array([1.0, 2.0, 3.0, 4.0])
    low, high = Rung("low", losses, losses), Rung("high", losses - 0.1, losses)
    assert is_better(high, low)
    assert not is_better(low, high)
    mixed = Rung("mixed", losses + np.array([0.5, -0.6, 0.5, -0.6]), losses)
    assert not is_better(mixed, low)


@pytest.mark.slow
def test_progress_counts_every_training():
    """To the number that it named at first."""
    heard = []
    fs.search("iris", progress=lambda done, planned: heard.append((done, planned)))
    assert [done for done, _ in heard] == list(range(1, len(heard) + 1))
    assert len(heard) == heard[0][1] == len(LADDER) * 2 * 5 + 10


@pytest.mark.parametrize(
    ("source", "settings", "kind", "message"),
    [
        ("iris", {"hidden": [3]}, ExperimentError, "`hidden` is what the search chooses: leave it"),
        ("iris", {"lr": 1, "l2": 1}, ExperimentError, "`l2` is what the search chooses"),
        ("iris", {"tarket": "x"}, ExperimentError, "`tarket` is not a setting"),
        ("irsi", {}, fs.FitscopeError, "not a built-in experiment"),
        ((np.ones((3, 1)), [0, 1, 1]), {}, DataError, "needs two samples of every class"),
        ((np.ones((9, 1)),), {}, DataError, r"Arrays are given as \(X, y\); got 1"),
        (
            (np.ones((9, 1)), np.ones((9, 2))),
            {"task": "regression"},
            fs.FitscopeError,
            "one value|single target",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused(source, settings, kind, message):
    """One sentence each."""
    with pytest.raises(kind, match=message):
        fs.search(source, **settings)


def test_ctrl_c_ends_the_search(monkeypatch):
    """A training that was cut off is not judged beside whole ones."""
    with pytest.raises(KeyboardInterrupt):
        fs.search("iris", progress=lambda _done, _planned: (_ for _ in ()).throw(KeyboardInterrupt))


COMPARED = """
import json, sys, warnings
from pathlib import Path
import numpy as np
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import r2_score
from threadpoolctl import threadpool_limits
import fitscope as fs
sys.path.insert(0, sys.argv[1])
from own_tables import OWN_TABLES
for name, made in OWN_TABLES.items():
    path = Path(sys.argv[2]) / f"{name}{made.suffix}"
    made.write(path, np.random.default_rng(0))
    run = fs.search(path, **made.settings).run
    d = run.dataset
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # of scikit-learn: folds with few samples of a class
        if d.classes:
            peer = LogisticRegressionCV(Cs=10, cv=5, scoring="neg_log_loss", max_iter=2000)
        else:
            peer = RidgeCV(np.logspace(-3, 4, 20))
        peer.fit(d.X, d.y)
    theirs = r2_score(d.y_test, peer.predict(d.X_test))
    if d.classes:
        theirs = float(np.mean(peer.predict(d.X_test) == d.y_test))
    ours = run.metrics["test_accuracy" if d.classes else "test_r2"]
    least = 1 / d.n_test if d.classes else 0  # one sample, where that is more than a point
    print(json.dumps([name, ours, theirs, max(0.01, least) + 1e-9]))
"""


@pytest.mark.slow
def test_the_choice_is_as_good_as_tuned_scikit_learn(tmp_path):
    """On the test part of ten tables: at most a point below, or one sample where that is more.

    LogisticRegressionCV and RidgeCV choose their penalty by five folds of the same inputs. In a
    process of its own, where no types are checked at the thousands of calls of a search.
    """
    command = [sys.executable, "-c", COMPARED, str(Path(__file__).parent), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, *_ in told] == list(OWN_TABLES)
    assert [row for row in told if row[1] < row[2] - row[3]] == []


@pytest.mark.slow
def test_the_command_searches_and_says_it(tmp_path, monkeypatch, capsys):
    """The table, the sentences, the run of the choice; JSON has the same."""
    from fitscope.cli import app

    monkeypatch.chdir(tmp_path)
    app(["fit", "iris", "--search", "--out", "here"], result_action="return_value")
    said = " ".join(capsys.readouterr().out.split())
    assert "A linear model is enough: 95.8 % right" in said
    assert "gradient boosting" in said
    assert "Judged by the log-loss." in said
    assert fs.load("here").layer_sizes == [4, 3]
    app(["fit", "iris", "--search", "--json", "--out", "here"], result_action="return_value")
    facts = json.loads(capsys.readouterr().out)["search"]
    assert facts["chosen"] == "linear"
    assert [model["hidden"] for model in facts["models"]] == [None, [], [16], [16, 16], None]
