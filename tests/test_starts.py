"""starts.py: many starts of one experiment each end where a fit from there ends."""

import signal
import subprocess
import sys

import numpy as np
import pytest

import fitscope as fs
from fitscope.errors import EngineError, ExperimentError
from fitscope.outcomes import Outcome
from fitscope.train import fused
from fitscope.train.plan import plan
from fitscope.train.starts import ends_of


def planned(name, engine="auto", **settings):
    """What `fit` would train."""
    return plan(name, settings, engine=engine, device="cpu")


def starts_of(what, n, scale=1.0):
    """Starts drawn from a normal distribution (n, p)."""
    p = what.experiment.network.n_parameters(what.dataset.d, what.dataset.k)
    return (scale * np.random.default_rng(7).standard_normal((n, p))).astype(np.float32)


CASES = {
    "batches in order": ("bad-start", {}, 5),
    "squared error": ("bad-start-mse", {}, 5),
    "shuffled": ("gates-and", {"init": "torch"}, 1),
    "from other inits": ("gates-and", {"init": "ones", "optimizer": "adam"}, 1),
    "full batch, hidden units": ("rings-3", {"n_samples": 200, "epochs": 40}, 1),
    "stopping": ("gates-and", {"stop_below": 0.2, "epochs": 60}, 1),
    "stopping in a full batch": ("rings-3", {"stop_below": 0.6, "n_samples": 80, "lr": 0.05}, 1),
    "diverging": ("sine-10", {"lr": 1e6, "optimizer": "sgd", "epochs": 30}, 1),
    "several classes": ("iris", {"epochs": 5, "hidden": [3], "batch_size": 20}, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_each_end_is_that_of_a_fit_from_there(case):
    """Parameters, loss, updates and outcome, to the bit."""
    name, settings, scale = CASES[case]
    what = planned(name, **settings)
    starts = starts_of(what, 4, scale)
    ends = ends_of(what, starts)
    for i, start in enumerate(starts):
        alone = fs.fit(name, **{**settings, "init": [float(value) for value in start]})
        assert ends.params[i].tobytes() == alone.params[-1].tobytes()
        assert ends.train_loss[i].tobytes() == alone.train_loss[-1].tobytes()
        assert (ends.n_updates[i], ends.outcomes[i]) == (alone.steps[-1], alone.outcome)
    kinds = {"stop": Outcome.STOPPED, "dive": Outcome.DIVERGED}
    assert kinds.get(case[:4], Outcome.FINISHED) in ends.outcomes
    assert ends.diverged.tolist() == [o is Outcome.DIVERGED for o in ends.outcomes]


@pytest.mark.parametrize("case", ["shuffled", "full batch, hidden units", "stopping"])
@pytest.mark.parametrize("in_block", [1, 5])
def test_blocks_and_threads_leave_no_trace(monkeypatch, case, in_block):
    """Blocks of one or of five updates, one thread or three: the same bits."""
    name, settings, scale = CASES[case]
    what = planned(name, **settings)
    starts = starts_of(what, 7, scale)
    whole = ends_of(what, starts)
    monkeypatch.setattr(fused, "_updates_in_block", lambda *_: in_block)
    for workers in (1, 3):
        ends = ends_of(what, starts, workers=workers)
        assert ends.params.tobytes() == whole.params.tobytes()
        assert ends.train_loss.tobytes() == whole.train_loss.tobytes()
        assert ends.outcomes == whole.outcomes


def test_neighbours_change_nothing():
    """A start ends in the same place alone and among two hundred."""
    what = planned("bad-start")
    starts = starts_of(what, 200, 5.0)
    assert (
        ends_of(what, starts[150:151]).params[0].tobytes()
        == ends_of(what, starts).params[150].tobytes()
    )


def test_progress_counts_the_starts_up_to_all_of_them():
    """In increasing numbers."""
    told = []
    what = planned("bad-start")
    ends_of(what, starts_of(what, 300), workers=2, progress=lambda *counts: told.append(counts))
    done, of = np.array(told).T
    assert (np.diff(done) > 0).all()
    assert done[-1] == 300
    assert set(of.tolist()) == {300}


def test_asking_to_stop_tells_which_starts_were_left():
    """What is done is whole; the rest is named as interrupted, at its start."""
    what = planned("bad-start", epochs=3000)
    starts = starts_of(what, 400, 5.0)
    ends = ends_of(what, starts, workers=2, progress=lambda done, _: done >= 6)
    left = np.array([outcome is Outcome.INTERRUPTED for outcome in ends.outcomes])
    assert 0 < left.sum() == ends.n_interrupted < 400
    untouched = left & (ends.n_updates == 0)
    assert (ends.params[untouched] == starts[untouched]).all()
    assert np.isnan(ends.train_loss[untouched]).all()
    i = int(np.flatnonzero(~left)[-1])
    alone = ends_of(what, starts[i : i + 1])
    assert alone.params[0].tobytes() == ends.params[i].tobytes()


CTRL_C = """
import signal, numpy as np
from fitscope.train.plan import plan
from fitscope.train.starts import ends_of
signal.signal(signal.SIGINT, signal.default_int_handler)
what = plan("bad-start", {"epochs": 5000}, engine="auto", device="cpu")
told = []
tell = lambda *_: told.append(1) or (len(told) == 1 and signal.raise_signal(signal.SIGINT))
ends = ends_of(what, np.ones((400, 2), np.float32), progress=tell)
print(0 < ends.n_interrupted < 400)
"""


@pytest.mark.slow
def test_ctrl_c_leaves_the_rest():
    """In a process of its own, as a person would press it."""
    ran = subprocess.run([sys.executable, "-c", CTRL_C], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True"]
    assert signal.getsignal(signal.SIGINT) is not None


def test_wrong_starts_get_one_clear_sentence():
    """Their shape, and the engine."""
    what = planned("bad-start")
    for shape in ((3, 4), (0, 2)):
        with pytest.raises(ExperimentError, match=rf"must be \(r, 2\), .*; got \({shape[0]}, "):
            ends_of(what, np.zeros(shape, np.float32))
    with pytest.raises(ExperimentError, match="`workers` must be at least 1; got 0"):
        ends_of(what, np.zeros((1, 2), np.float32), workers=0)
    with pytest.raises(EngineError, match="trained by the fused engine"):
        ends_of(planned("bad-start", engine="torch"), np.zeros((1, 2), np.float32))
