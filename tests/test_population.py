"""population.py: many nets are each what they are alone."""

import signal
import subprocess
import sys

import numpy as np
import pytest

import fitscope as fs
from fitscope.errors import DataError, ExperimentError, UnknownNameError

SMALL = {"n_samples": 60, "epochs": 30}


def ends(population):
    """All ends as bytes."""
    return [end.tobytes() for end in population.ends]


def test_every_net_is_what_it_is_alone():
    """Parameters, losses, scores and outcome of each are those of `fit`, to the bit."""
    many = fs.fit_many("rings-3", seeds=range(3), hidden=[[1], [2], [4]], **SMALL)
    assert len(many) == 9
    for i, (seed, width) in enumerate((s, h) for s in range(3) for h in (1, 2, 4)):
        alone = fs.fit("rings-3", seed=seed, hidden=[width], **SMALL)
        assert many.run(i) == alone
        assert many.ends[i].tobytes() == alone.params[-1].tobytes()
        assert many.train_loss[i] == alone.train_loss[-1]
        assert {name: many.scores[name][i] for name in alone.metrics} == alone.metrics
        assert (many.outcomes[i], many.n_updates[i]) == (alone.outcome, alone.steps[-1])


@pytest.mark.parametrize("settings", [{}, {"batch_size": 7}])
def test_neighbours_and_threads_change_nothing(settings):
    """Two nets or forty, one thread or three: the same bits."""
    wide = fs.fit_many("rings-3", seeds=range(40), workers=3, **SMALL, **settings)
    one = fs.fit_many("rings-3", seeds=range(40), workers=1, **SMALL, **settings)
    two = fs.fit_many("rings-3", seeds=[5, 6], **SMALL, **settings)
    assert ends(wide) == ends(one)
    assert ends(two) == ends(wide)[5:7]


def test_different_experiments_stand_in_one_table():
    """Sources with their own data, task and size; what is not there is nan or null."""
    many = fs.fit_many(["gates-and", "sine-10", fs.experiment("moons")], epochs=3, seeds=[0, 1])
    assert many.settings["name"] == ("gates",) * 2 + ("sine",) * 2 + ("moons",) * 2
    assert many.settings["seed"] == (0, 1) * 3
    assert np.isnan(many.test_loss).tolist() == [False] * 2 + [True] * 4
    table = many.to_arrow()
    assert table.num_rows == 6
    assert table["outcome"].to_pylist() == ["FINISHED"] * 6
    assert table["hidden"].to_pylist()[:3] == [[], [], [10]]
    assert table["n_updates"].to_pylist()[:2] == [21, 21]


def test_arrays_are_shared_by_all_nets():
    """(X, y) becomes one data set, not one a net."""
    X, y = np.arange(12.0)[:, None], [0] * 6 + [1] * 6
    many = fs.fit_many((X, y), seeds=range(4), epochs=5)
    assert len({id(planned.dataset) for planned in many.plans}) == 1


def test_words_and_lists_share_a_column():
    """Starts by name and by numbers: the numbers become text."""
    many = fs.fit_many("bad-start", init=["zeros", [1.0, 2.0]], epochs=1)
    assert many.to_arrow()["init"].to_pylist() == ["zeros", "[1.0, 2.0]"]


@pytest.mark.slow
def test_the_torch_engine_trains_many_too():
    """Asked for by name, one after the other."""
    many = fs.fit_many("moons", seeds=[0, 1], engine="torch", **SMALL)
    assert [planned.engine for planned in many.plans] == ["torch", "torch"]
    assert (
        many.ends[1].tobytes()
        == fs.fit("moons", seed=1, engine="torch", **SMALL).params[-1].tobytes()
    )


def test_progress_counts_the_nets():
    """Up to all of them."""
    told = []
    fs.fit_many("moons", seeds=range(5), progress=lambda *counts: told.append(counts), **SMALL)
    assert told == [(i, 5) for i in range(1, 6)]


def test_asking_to_stop_keeps_what_is_done():
    """The nets that are done are whole; the rest is counted."""
    many = fs.fit_many("moons", seeds=range(50), progress=lambda done, _: done >= 3, **SMALL)
    assert 3 <= len(many) < many.n_planned == 50
    assert f"{len(many)} nets of 50 planned by seed" in repr(many)
    for i, seed in enumerate(many.settings["seed"]):
        assert many.ends[i].tobytes() == fs.fit("moons", seed=seed, **SMALL).params[-1].tobytes()


CTRL_C = """
import signal, fitscope as fs
signal.signal(signal.SIGINT, signal.default_int_handler)
tell = lambda done, _: signal.raise_signal(signal.SIGINT) if done == 4 else None
many = fs.fit_many("rings-3", seeds=range(1000), epochs=200, progress=tell)
print(4 <= len(many) < 1000, set(many.outcomes) == {fs.Outcome.FINISHED}, many.n_planned)
"""


@pytest.mark.slow
def test_ctrl_c_keeps_the_nets_that_are_done():
    """In a process of its own, as a person would press it."""
    ran = subprocess.run([sys.executable, "-c", CTRL_C], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "True", "1000"]
    assert signal.getsignal(signal.SIGINT) is not None


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"hidden": [3]}, ExperimentError, r"such as hidden=\[\[3\]\]; got \[3\]"),
        ({"init": [1.0, 2.0]}, ExperimentError, r"`init` takes a list of its values"),
        ({"points": [[1, 1, 0]]}, ExperimentError, r"such as points=\[\[\[1, 1, 0\]\]\]; got"),
        ({"seeds": []}, ExperimentError, "There is nothing to train"),
        ({"lr": [0.1, -1]}, ExperimentError, "`training.lr` must be greater than 0"),
        ({"lrs": [0.1]}, ExperimentError, r"`lrs` is not a setting\. Did you mean `lr`\?"),
        ({"engine": "fast"}, UnknownNameError, "`engine` must be one of auto, fused, torch"),
        ({"workers": 0}, ExperimentError, "`workers` must be at least 1; got 0."),
    ],
)
def test_wrong_arguments_get_one_clear_sentence(settings, error, message):
    """Before anything is trained."""
    with pytest.raises(error, match=message):
        fs.fit_many("rings-3", **settings)


def test_a_net_that_is_not_there_cannot_be_run():
    """Numbers count from 0, or from the end."""
    many = fs.fit_many("moons", seeds=[3, 4], **SMALL)
    assert many.run(-1) == fs.fit("moons", seed=4, **SMALL)
    with pytest.raises(DataError, match="There is no net 2"):
        many.run(2)


def test_a_source_of_another_kind_is_told_what_is_taken():
    """As by `fit`; in a process of its own, without the tests' own type checks."""
    code = "import fitscope as fs\ntry: fs.fit_many(42)\nexcept fs.FitscopeError as e: print(e)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("Give `fit` the name of an experiment or a data set, a file,")
