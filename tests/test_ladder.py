"""ladder.py: which model is worth it, said honestly, and as good as tuned logistic regression."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

import fitscope as fs
from fitscope import ladder
from fitscope.data import folds, raw_arrays, raw_data
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


@pytest.fixture
def linear_only(monkeypatch):
    """The lowest rung alone."""
    monkeypatch.setattr(ladder, "LADDER", ((),))


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


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rare_classes_stay_in_the_folds(seed):
    """Of many rows a part takes part, with the share of every class and all of a rare one."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(["a", "b", "c"], [600, 397, 3]))
    spec, raw = raw_arrays(rng.normal(size=(1000, 1)), y)
    parts = folds(spec, raw, n_folds=5, most=100, seed=seed)
    counts = np.sum([np.bincount(part.y_test, minlength=3) for part in parts], axis=0)
    assert len(parts) == counts[2] == 3
    assert counts.sum() == 100
    assert abs(counts[0] - 60) <= 3  # which the rare class took
    assert all(np.bincount(part.y).min() >= 2 for part in parts)


def with_a_rare_class():
    """Lines tell two classes apart, and a third has two samples."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1))
    y = np.where(x[:, 0] > 0, 1, 2)
    y[:2] = 0
    return x, y


@pytest.mark.slow
def test_a_search_says_that_a_rare_class_left_few_folds(linear_only):
    """It is there in the sentences, which the command and JSON print; and nothing else says so."""
    found = fs.search(with_a_rare_class())
    assert len(found.baseline.losses) == 2
    assert found.sentences[-1] == ("Judged on 2 folds only, not on 5: the class 0 has 2 samples.")
    few = np.arange(7.0)
    said = fs.search((few[:, None], few), task="regression").sentences[-1]
    assert said == "Judged on 3 folds only, not on 5: there are 7 samples."
    assert "Judged on" not in " ".join(fs.search("iris").sentences)


def test_a_peer_that_never_saw_a_class_is_judged_all_the_same():
    """Its probabilities stand under its own classes; that of another is 0."""
    d = fs.dataset_from_arrays(*with_a_rare_class(), test_fraction=0.5)
    seen = d.y != 0
    part = replace(d, X=d.X[seen], y=d.y[seen], n_train=int(seen.sum()))
    judged = ladder._judged_peer(DummyClassifier(strategy="prior"), part)
    share = np.bincount(part.y, minlength=3) / len(part.y)
    expected = -np.log(np.clip(share[d.y_test], 1e-15, None)).mean()
    assert judged.loss == pytest.approx(expected)
    assert judged.score == pytest.approx(np.mean(d.y_test == share.argmax()))


@pytest.mark.slow
@pytest.mark.parametrize("is_class", [True, False])
def test_weighted_samples_count_for_every_model(linear_only, is_class):
    """Baseline, boosting and rungs: whole weights judge as repeated samples do."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 2))
    values = X[:, 0] + rng.normal(size=80)
    y = values > 0.5 if is_class else values
    times = np.where(values > 0.5, 20, 1)
    spec, raw = raw_arrays(X, y, sample_weight=times)
    for part in folds(spec, raw, n_folds=4, most=1000, seed=0):
        w, w_test = (np.round(w / part.weights.min()).astype(int) for w in part.weights_by_part)
        assert set(w) | set(w_test) == {1, 20}
        repeated = replace(
            part,
            X=part.X.repeat(w, 0),
            y=part.y.repeat(w),
            X_test=part.X_test.repeat(w_test, 0),
            y_test=part.y_test.repeat(w_test),
            n_train=int(w.sum()),
            n_test=int(w_test.sum()),
            weights=None,
        )
        of_test = part.weights_by_part[1].mean()  # 1 in the mean of the training part only
        models = [DummyClassifier(strategy="prior")] if is_class else [DummyRegressor()]
        judged = [(ladder._judged_peer(m, part), ladder._judged_peer(m, repeated)) for m in models]
        runs = [fs.fit(d, optimizer="newton", l2=0.01, epochs=40) for d in (part, repeated)]
        judged.append(tuple(map(ladder._judged_run, runs)))
        for weighted, twenty_times in judged:
            assert weighted.loss / of_test == pytest.approx(twenty_times.loss, rel=1e-5)
            assert weighted.score == pytest.approx(twenty_times.score, abs=1e-5)
    found = fs.search((X, y), sample_weight=times)
    assert "folds of the training part, samples counted by weight" in found.sentences[0]
    if is_class:  # as the data is, the other class is the more frequent
        assert y.mean() < 0.5
        assert found.baseline.scores.mean() > 0.8


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
        (
            "iris",
            {"engine": "torch"},
            ExperimentError,
            "`engine` is what the search chooses: leave",
        ),
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


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--engine", "torch"], ["`engine`"]),
        (["--engine", "torch", "--device", "cuda"], ["`engine`", "`device`"]),
        (["--hidden", "3"], ["`hidden`"]),
    ],
)
def test_the_command_refuses_what_a_search_does_not_take(flags, named, tmp_path, monkeypatch):
    """By name; nothing is left of the folder."""
    from fitscope.cli import app

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExperimentError, match="is what the search chooses: leave it out") as told:
        app(["fit", "iris", "--search", *flags], result_action="return_value")
    assert [name in str(told.value) for name in ("`engine`", "`device`", "`hidden`")] == [
        name in named for name in ("`engine`", "`device`", "`hidden`")
    ]
    assert list(tmp_path.iterdir()) == []
