"""recorder.py: what is kept of a training, whatever its length."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fitscope.outcomes import Outcome
from fitscope.train.recorder import Recorder


def recorded(n_steps, n_rows):
    """The trajectory of a training whose single parameter counts its updates."""
    record = Recorder(np.zeros(1, np.float32), keep_bytes=4 * n_rows)
    for _ in range(n_steps):
        record.step(lambda: np.full(1, record.n_steps, np.float32))
    return record.trajectory(np.full(1, n_steps, np.float32), Outcome.FINISHED)


@given(n_steps=st.integers(0, 300), n_rows=st.integers(3, 40))
def test_rows_stay_in_the_budget_even_with_both_ends(n_steps, n_rows):
    """Never more rows than paid for, one stride throughout, the start and the last step kept."""
    kept = recorded(n_steps, n_rows)
    assert kept.params[:, 0].tolist() == kept.steps.tolist()
    assert kept.params.nbytes <= 4 * n_rows
    assert (kept.steps[0], kept.steps[-1]) == (0, n_steps)
    strides = set(np.diff(kept.steps)[:-1].tolist())
    assert len(strides) <= 1
    assert all(stride & (stride - 1) == 0 for stride in strides)


@given(n_steps=st.integers(0, 38))
def test_a_run_that_fits_is_kept_whole(n_steps):
    """Every step of a run within the budget is there."""
    assert recorded(n_steps, 40).steps.tolist() == list(range(n_steps + 1))


@given(n_steps=st.integers(41, 3000))
def test_at_least_half_of_the_budget_is_used(n_steps):
    """Thinning drops no more than it must."""
    assert len(recorded(n_steps, 40).steps) >= 20
