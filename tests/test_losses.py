"""The loss curves: batches at their fractional epochs, a marked moment, a chosen scale."""

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection

import fitscope as fs
from fitscope import analysis, plot
from fitscope.analysis import Importance
from fitscope.plot import theme
from fitscope.records import Run

BATCH = "batch (before its update)"


@pytest.fixture(scope="module")
def line() -> Run:
    """80 updates an epoch, with a test part."""
    return fs.fit("threshold-sgd", epochs=4)


def test_batches_lie_at_fractional_epochs(line: Run) -> None:
    """Update j of 80 an epoch stands at j / 80: its loss is that before the update."""
    record = analysis.loss_curves(line, batches=True)
    np.testing.assert_array_equal(record.batch, line.batch_loss)
    np.testing.assert_allclose(record.batch_epochs, np.arange(320) / 80)
    assert len(analysis.loss_curves(line).batch) == 0


def test_the_first_batch_of_a_full_batch_is_the_loss_at_the_start() -> None:
    """With one batch an epoch, a batch loss is the training loss one update earlier."""
    record = analysis.loss_curves(fs.fit("rings-3", epochs=20), batches=True)
    np.testing.assert_array_equal(record.batch_epochs, record.epochs[:-1])
    np.testing.assert_allclose(record.batch, record.train[:-1], rtol=1e-5)  # float32 sums


def test_many_batches_are_thinned() -> None:
    """At most 5000, each still at its own place."""
    run = fs.fit("threshold-sgd", epochs=70)
    record = analysis.loss_curves(run, batches=True)
    assert 2500 < len(record.batch) <= 5000 < len(run.batch_loss)
    own = np.round(record.batch_epochs * 80).astype(int)
    np.testing.assert_array_equal(record.batch, run.batch_loss[own])


@pytest.mark.parametrize("auto", [False, True])
def test_the_scale_can_be_chosen(line: Run, auto: bool) -> None:
    """The losses decide on auto; the two others overrule them."""
    run = fs.fit("bad-start") if auto else line
    assert analysis.loss_curves(run).log_scale is auto
    assert analysis.loss_curves(run, scale="log").log_scale is True
    assert analysis.loss_curves(run, scale="linear").log_scale is False


def test_a_log_scale_needs_a_loss_above_zero(line: Run) -> None:
    """Told in one sentence; an unknown scale is, too."""
    nothing = fs.Run(**{**vars(line), "train_loss": np.zeros(5, np.float32)})
    with pytest.raises(fs.FitscopeError, match="A log scale needs a loss above 0"):
        analysis.loss_curves(nothing, scale="log")
    with pytest.raises(fs.FitscopeError, match="`scale` must be one of auto, linear, log"):
        line.plot.loss_curves(scale="lgo")


def test_the_end_needs_no_mark(line: Run) -> None:
    """A step before the end is marked, in epochs and in words; a step outside is refused."""
    assert analysis.loss_curves(line, step=-1).cursor is None
    assert analysis.loss_curves(line, step=320).cursor is None
    record = analysis.loss_curves(line, step=120)
    assert (record.cursor, record.title) == (1.5, "after 120 of 320 updates")
    with pytest.raises(fs.FitscopeError, match="Step 321 is not in this run"):
        analysis.loss_curves(line, step=321)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("step", [0, 79, 120, 160, -1])
def test_the_curve_is_faint_after_the_marked_moment(line: Run, step: int, mode: str) -> None:
    """Solid up to the last epoch before it, faint from there, a hairline at the moment."""
    record = analysis.loss_curves(line, step=step, batches=True)
    (ax,) = plot.loss_curves(record, theme=mode).axes
    n = 5 if step == -1 else step // 80 + 1
    done = {one.get_label(): one for one in ax.lines if not one.get_label().startswith("_")}
    assert list(done) == ["train", "test"]
    np.testing.assert_array_equal(done["train"].get_ydata(), record.train[:n])
    np.testing.assert_array_equal(done["test"].get_ydata(), record.test[:n])
    faint = [one for one in ax.lines if one.get_alpha() is not None]
    assert len(faint) == (0 if step == -1 else 2)
    if faint:
        np.testing.assert_array_equal(faint[0].get_xdata(), record.epochs[n - 1 :])
        np.testing.assert_array_equal(faint[1].get_ydata(), record.test[n - 1 :])
    marks = [one for one in ax.lines if one.get_color() == theme.HIGHLIGHT]
    assert [list(one.get_xdata()) for one in marks] == ([] if step == -1 else [[step / 80] * 2])
    (dots,) = [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets())]
    places = np.column_stack([record.batch_epochs, record.batch])
    np.testing.assert_allclose(dots.get_offsets(), places)
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["train", "test", BATCH]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("step", [0, 120, -1])
def test_plotly_draws_the_same_curves(line: Run, step: int, mode: str) -> None:
    """The same parts, in as many traces at every step."""
    record = analysis.loss_curves(line, step=step, batches=True, scale="log")
    fig = plot.loss_curves_plotly(record, theme=mode)
    traces = {trace.name: trace for trace in fig.data}
    assert list(traces) == [BATCH, "train", "train, later", "test", "test, later", "moment"]
    n = 5 if step == -1 else step // 80 + 1
    np.testing.assert_array_equal(traces["train"].y, record.train[:n])
    np.testing.assert_array_equal(traces["test"].y, record.test[:n])
    later = record.train[5 if step == -1 else n - 1 :]
    np.testing.assert_array_equal(traces["train, later"].y, later)
    assert list(traces["moment"].x) == ([] if step == -1 else [step / 80] * 2)
    np.testing.assert_array_equal(traces[BATCH].x, record.batch_epochs)
    np.testing.assert_array_equal(traces[BATCH].y, record.batch)
    assert fig.layout.yaxis.type == "log"


def test_losses_that_are_not_finite_are_drawn_with_batches() -> None:
    """A diverged run draws at every scale, in both libraries."""
    run = fs.fit("sine-10", lr=1e6, optimizer="sgd", epochs=50)
    assert not np.isfinite(run.train_loss).all()
    for scale in ("auto", "linear", "log"):
        options: dict[str, Any] = {"batches": True, "step": 1, "scale": scale}
        run.plot.loss_curves(**options).draw_without_rendering()
        assert len(run.show.loss_curves(**options).data) == 4


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_importances_are_the_same_bars_in_both_libraries(mode: str) -> None:
    """Fifteen at most, the largest on top, warm to the right of zero and cool to its left."""
    names = tuple(f"input {i}" for i in range(20))
    values = np.arange(20.0)[::-1] * np.where(np.arange(20) % 3, 1, -1)
    record = Importance(names, values, "drop")
    (ax,) = plot.importance(record, theme=mode).axes
    fig = plot.importance_plotly(record, theme=mode)
    (bars,) = fig.data
    assert [bar.get_width() for bar in ax.patches] == list(bars.x) == list(values[:15])
    assert list(bars.marker.color) == [theme.CLASS_COLOURS[int(v >= 0)] for v in values[:15]]
    assert list(fig.layout.yaxis.ticktext) == list(names[:15])
    assert fig.layout.yaxis.autorange == "reversed"
    assert fig.layout.xaxis.title.text == "drop<br>the 15 largest of 20"


def test_importance_is_a_view_of_a_run(line: Run) -> None:
    """By both doors, at any step."""
    assert line.plot.importance(step=3).axes[0].patches
    assert list(line.show.importance(step=3).layout.yaxis.ticktext) == ["x"]
