"""basin.py: from which starts a neuron learns; each cell is a training of its own."""

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba

import fitscope as fs
from fitscope import analysis, plot
from fitscope.analysis import basin
from fitscope.errors import DataError, EngineError, UnknownNameError
from fitscope.outcomes import Outcome
from fitscope.plot import theme

NOTEBOOK = {"x_range": (-15.0, 15.0), "y_range": (-13.0, 13.0)}


@pytest.fixture(scope="module")
def run():
    """One neuron on one input, from a bad start."""
    return fs.fit("bad-start")


@pytest.fixture(scope="module")
def squared(run):
    """From where it learns by squared error."""
    return analysis.basin_map(run, n_grid=8, loss="mse", **NOTEBOOK)


@pytest.fixture(scope="module")
def diverging():
    """A map on which some starts diverge, and some do not: squares of a large input overflow."""
    x = np.linspace(-2, 2, 20)
    run = fs.fit((x, 3 * x), hidden=[], optimizer="sgd", lr=0.1, epochs=3, init=[1.0, 0.0])
    return analysis.basin_map(run, n_grid=5, x_range=(-3e19, 3e19), y_range=(-1.0, 1.0))


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_each_value_is_that_of_a_fit_from_there(run, loss):
    """Row i, column j is a fit from w = x[j], b = y[i], to the bit; so it is not transposed."""
    by_loss = analysis.basin_map(run, n_grid=6, loss=loss, **NOTEBOOK)
    by_accuracy = analysis.basin_map(run, n_grid=6, loss=loss, reach="accuracy", **NOTEBOOK)
    for i, j in ((0, 0), (0, 5), (5, 0), (2, 4), (4, 1)):
        start = [float(by_loss.x[j]), float(by_loss.y[i])]
        alone = fs.fit("bad-start", init=start, loss=loss)
        assert by_loss.ends[i, j].tobytes() == alone.params[-1].tobytes()
        assert by_loss.values[i, j] == alone.train_loss[-1]
        assert by_accuracy.values[i, j] == alone.metrics["train_accuracy"]
    assert not np.array_equal(by_loss.values, by_loss.values.T)


def test_cross_entropy_learns_from_everywhere_and_squared_error_does_not(run, squared):
    """On the notebook's window; squared error stays where it starts, in its flat parts."""
    entropy = analysis.basin_map(run, n_grid=8, **NOTEBOOK)
    assert entropy.share == 1.0
    assert entropy.note == "from every one of these starts it reaches accuracy 1.00"
    assert 0.4 < squared.share < 0.65
    assert (
        squared.note == f"from {100 * squared.share:.0f} % of these starts it reaches accuracy 1.00"
    )
    start, end = squared.path[[0, -1]]
    assert start.tolist() == [-5.0, -10.0]
    assert np.abs(end - start).max() < 0.02


def test_the_path_is_that_of_the_loss_shown(run, squared):
    """The run's own where the loss is its own; else that of a training with the other."""
    assert analysis.basin_map(run, n_grid=2).path.tobytes() == run.params.tobytes()
    assert squared.path.tobytes() == fs.fit("bad-start", loss="mse").params.tobytes()
    assert "squared error" in squared.label


def test_the_window_holds_the_path_and_the_origin(run):
    """And its mirror image, so that all four corners are told."""
    record = analysis.basin_map(run, n_grid=3)
    for axis, path in ((record.x, run.params[:, 0]), (record.y, run.params[:, 1])):
        assert axis[0] == pytest.approx(-axis[-1])
        assert axis[-1] == pytest.approx(1.24 * np.abs(path).max(), rel=1e-6)


def test_a_run_that_diverged_has_a_window_around_its_start():
    """Its path would leave nothing to see."""
    run = fs.fit("sine-10", hidden=[], optimizer="sgd", lr=0.06, init=[1.0, 1.0], epochs=300)
    assert run.outcome is Outcome.DIVERGED
    record = analysis.basin_map(run, n_grid=3)
    assert record.x[-1] == pytest.approx(1.24)
    assert np.isnan(record.values).all()
    assert record.share == 0.0
    assert record.note == "from every one of these starts it diverges"


def test_a_start_that_diverges_has_no_value(diverging):
    """It is nan, counted in the note, and no success."""
    lost = np.isnan(diverging.values)
    assert 0 < lost.sum() < lost.size
    assert not diverging.succeeds[lost].any()
    assert f"from {100 * lost.mean():.0f} % it diverges" in diverging.note
    assert lost[:, [0, -1]].all()


def test_a_regression_succeeds_near_the_least_loss():
    """Within 1 %; and it has no accuracy."""
    x = np.linspace(-1, 1, 30)
    run = fs.fit((x, 2 * x + np.sin(9 * x)), hidden=[], optimizer="sgd", lr=0.2, epochs=3)
    record = analysis.basin_map(run, n_grid=9)
    assert (record.succeeds == (record.values <= 1.01 * record.values.min())).all()
    assert 0 < record.share < 1
    assert "the least loss" in record.note
    with pytest.raises(DataError, match="basin_map by accuracy needs classes"):
        analysis.basin_map(run, reach="accuracy")


def test_the_scale_reaches_to_a_model_that_learned_nothing(run):
    """The entropy of 7 in 20; so that a map that is good everywhere is bright everywhere."""
    record = analysis.basin_map(run, n_grid=4)
    entropy = -(0.35 * np.log(0.35) + 0.65 * np.log(0.65))
    assert record.limits == pytest.approx((record.values.min(), entropy))
    assert record.log_scale


@pytest.mark.slow
def test_progress_is_told_and_an_interrupted_map_is_refused(run):
    """There is no part of a map."""
    told = []
    analysis.basin_map(run, n_grid=4, progress=lambda *counts: told.append(counts))
    assert told[-1] == (16, 16)
    with pytest.raises(DataError, match=r"interrupted after [\d,]+ of 10,000 starts; a smaller"):
        analysis.basin_map(fs.fit("bad-start", epochs=300), progress=lambda *_: True)


def test_wrong_wishes_get_one_clear_sentence(run):
    """Before anything is trained."""
    two_inputs = fs.fit("gates-and", epochs=1)
    with pytest.raises(DataError, match="needs one neuron with one input; this run is 2-1"):
        analysis.basin_map(two_inputs)
    with pytest.raises(DataError, match="`n_grid` must be from 2"):
        analysis.basin_map(run, n_grid=1)
    for wrong in ((1.0, 0.0), (0.0, np.inf), (1.0,)):
        with pytest.raises(DataError, match="`y_range` must be two numbers, the smaller first"):
            analysis.basin_map(run, y_range=wrong)
    with pytest.raises(DataError, match="`loss` must be one of cross_entropy, mse for binary"):
        analysis.basin_map(run, loss="smooth_l1")
    with pytest.raises(UnknownNameError, match=r"`reach` must be loss or accuracy; .*`loss`"):
        basin._check(run, 2, "los")


def test_what_the_fused_engine_cannot_train_is_refused(run, monkeypatch):
    """In one sentence."""
    monkeypatch.setattr("fitscope.train.plan.MANY", 1)
    with pytest.raises(EngineError, match="trained by the fused engine"):
        analysis.basin_map(run, n_grid=2)


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_the_picture_shows_the_values_where_they_belong(squared, ground):
    """Cells centred on their starts, the first row below, the path on top."""
    fig = plot.basin_map(squared, theme=ground)
    ax = fig.axes[0]
    (image,) = ax.images
    assert np.array_equal(image.get_array(), squared.values)
    assert image.origin == "lower"
    step = (squared.x[1] - squared.x[0]) / 2
    assert image.get_extent()[:2] == pytest.approx([squared.x[0] - step, squared.x[-1] + step])
    lines = {line.get_label(): line for line in ax.lines}
    assert np.array_equal(lines["the run"].get_xydata(), squared.path)
    assert lines["start"].get_xydata().tolist() == [[-5.0, -10.0]]
    assert np.array_equal(lines["end"].get_xydata()[0], squared.path[-1])
    assert squared.note in ax.get_xlabel()
    fig.canvas.draw()


def test_a_start_that_diverges_is_grey(diverging):
    """In both pictures, with a name in the legend."""
    ax = plot.basin_map(diverging).axes[0]
    (image,) = ax.images
    assert image.get_cmap().get_bad().tolist() == list(to_rgba(theme.DIVERGED))
    assert "diverged" in [text.get_text() for text in ax.get_legend().get_texts()]
    fig = plot.basin_map_plotly(diverging)
    lost = fig.data[1]
    assert np.array_equal(np.isnan(lost.z), ~np.isnan(diverging.values))
    assert to_hex(lost.colorscale[0][1]) == theme.DIVERGED
    assert fig.data[-1].showlegend


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_the_plotly_picture_shows_the_same(run, squared, ground):
    """Logarithms where the scale is one, the values at the pointer; traces of constant number."""
    fig = plot.basin_map_plotly(squared, theme=ground)
    field, lost, path, start, end, name = fig.data
    assert np.allclose(field.z, np.log10(squared.values))
    assert np.array_equal(field.customdata[..., 0], squared.values)
    assert np.array_equal(field.customdata[..., 1:], squared.ends)
    assert np.array_equal(field.x, squared.x)
    assert np.array_equal(field.y, squared.y)
    assert (field.zmin, field.zmax) == pytest.approx(tuple(np.log10(squared.limits)))
    assert np.isnan(lost.z).all()
    assert np.array_equal(path.x, squared.path[:, 0])
    assert (start.y[0], end.y[0]) == (squared.path[0, 1], squared.path[-1, 1])
    assert not name.showlegend
    by_accuracy = run.show.basin_map(reach="accuracy", n_grid=3, theme=ground)
    assert (by_accuracy.data[0].zmin, by_accuracy.data[0].zmax) == (0, 1)
    assert len(by_accuracy.data) == len(fig.data)
