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


@given(
    losses=st.lists(st.sampled_from([0.1, 0.2, 0.3, np.nan, np.inf]), min_size=2, max_size=60),
    per_epoch=st.integers(1, 3),
    n_rows=st.integers(4, 20),
    in_block=st.integers(1, 9),
)
def test_the_step_of_the_least_test_loss_is_kept(losses, per_epoch, n_rows, in_block):
    """The first of the least, within the budget, block by block and step by step alike."""
    losses = np.array(losses, np.float32)
    n_steps = (len(losses) - 1) * per_epoch
    budget = {"keep_bytes": 4 * n_rows, "best_of": per_epoch}
    single, many = (Recorder(np.zeros(1, np.float32), **budget) for _ in range(2))
    values = np.arange(1, n_steps + 1, dtype=np.float32)[:, None]
    single.epoch(float(losses[0]), lambda: np.zeros(1, np.float32))
    for step in range(1, n_steps + 1):
        single.step(values[step - 1].copy)
        if step % per_epoch == 0:
            single.epoch(float(losses[step // per_epoch]), values[step - 1].copy)
    nothing = np.empty(0, np.float32)
    many.block(values[:0], nothing, nothing, losses[:1])
    for at in range(0, n_steps, in_block):
        end = min(at + in_block, n_steps)
        ended = losses[at // per_epoch + 1 : end // per_epoch + 1]
        many.block(values[at:end], nothing, nothing, ended)
    kept, same = (
        record.trajectory(np.full(1, n_steps, np.float32), Outcome.FINISHED)
        for record in (single, many)
    )
    finite = np.where(np.isnan(losses), np.inf, losses)
    assert int(np.argmin(finite)) * per_epoch in kept.steps
    assert kept.params[:, 0].tolist() == kept.steps.tolist() == same.steps.tolist()
    assert same.params.tolist() == kept.params.tolist()
    assert (np.diff(kept.steps) > 0).all()
    assert kept.params.nbytes <= 4 * n_rows
