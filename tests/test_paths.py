"""The paths: every parameter as it was recorded, and a gradient that finite differences confirm."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb

import fitscope as fs
from fitscope import analysis, plot
from fitscope.evaluation import mean_loss
from fitscope.network import forward, parameter_names
from fitscope.plot import theme
from fitscope.records import Run

LOSSES = {
    "binary": {"source": "gates-and", "epochs": 3},
    "binary, mse": {"source": "gates-xor", "hidden": [3], "loss": "mse", "epochs": 3},
    "multiclass": {"source": "iris", "hidden": [4], "activation": "tanh", "epochs": 20},
    "multiclass, mse": {"source": "iris", "loss": "mse", "epochs": 20},
    "regression": {"source": "sine", "hidden": [4], "epochs": 20, "n_samples": 50},
    "smooth_l1": {"source": "polynomial", "loss": "smooth_l1", "n_samples": 64, "epochs": 5},
    "relative": {"source": "sine", "loss": "relative", "hidden": [2], "epochs": 5},
}


@pytest.fixture(scope="module")
def plane() -> Run:
    """Three parameters."""
    return fs.fit("gates-and", epochs=3)


@pytest.fixture(scope="module")
def rings() -> Run:
    """Thirteen parameters in two layers, over more steps than are shown."""
    return fs.fit("rings-3", epochs=3000, n_samples=40)


def _loss(run: Run, params: np.ndarray) -> float:
    """The loss on the training part, in float64 numpy."""
    network, d = run.experiment.network, run.dataset
    logits = forward(params, d.X, sizes=run.layer_sizes, activation=network.activation)
    return mean_loss(str(run.experiment.training.loss), d.task, logits, d.y)


@pytest.mark.parametrize("kind", LOSSES)
def test_the_gradient_is_that_of_finite_differences(kind: str) -> None:
    """Central differences of the loss in float64 give the same norm, for every loss."""
    run = fs.fit(**LOSSES[kind])
    steps, norms = analysis.gradient_norms(run)
    for at in (0, len(steps) // 2, -1):
        params = run.params[run.row(int(steps[at]))].astype(np.float64)
        h = 1e-6
        moves = np.eye(len(params)) * h
        slopes = [(_loss(run, params + m) - _loss(run, params - m)) / (2 * h) for m in moves]
        # Differences of numbers near 1 carry 1e-16 / 1e-6, and kinks of the losses a little more.
        assert norms[at] == pytest.approx(np.linalg.norm(slopes), rel=1e-4, abs=1e-8)


def test_paths_are_the_recording(plane: Run, rings: Run) -> None:
    """Every parameter at every recorded step, by its name; many steps are thinned."""
    paths = analysis.parameter_paths(plane)
    assert paths.names == ("w1[1,1]", "w1[1,2]", "b1[1]") == tuple(parameter_names([2, 1]))
    np.testing.assert_array_equal(paths.values, plane.params)
    np.testing.assert_array_equal(paths.steps, plane.steps)
    assert (len(paths.gradient_steps), len(paths.gradient_norms)) == (0, 0)
    assert paths.title == "3 parameters over 21 updates"
    paths = analysis.parameter_paths(rings, gradients=True)
    assert paths.layers.tolist() == [1] * 9 + [2] * 4
    assert len(paths.steps) <= 2000 < len(rings.steps)
    assert (paths.steps[0], paths.steps[-1]) == (0, 3000)
    assert paths.steps[:10].tolist() == list(range(10))  # the early ones stay, for a log axis
    for i in (0, 5, 700, -1):
        np.testing.assert_array_equal(paths.values[i], rings.params[rings.row(int(paths.steps[i]))])
    assert len(paths.gradient_steps) == 400
    assert (paths.gradient_steps[0], paths.gradient_steps[-1]) == (0, 3000)


def test_named_parameters_are_those_columns(rings: Run) -> None:
    """In the order asked for, each once."""
    paths = analysis.parameter_paths(rings, parameters=["b2[1]", "w1[2,1]", "b2[1]"])
    assert paths.names == ("b2[1]", "w1[2,1]")
    assert paths.layers.tolist() == [2, 1]
    np.testing.assert_array_equal(paths.values[-1], rings.params[-1][[12, 2]])


def test_of_very_many_the_furthest_moved_are_kept() -> None:
    """A thousand, and the note says of how many."""
    run = fs.fit("digits", hidden=[20], epochs=2)
    paths = analysis.parameter_paths(run)
    assert len(paths.names) == 1000
    assert paths.note == "the 1,000 of 1,510 parameters that moved furthest"
    moved = np.abs(run.params[-1] - run.params[0])
    kept = [name in set(paths.names) for name in parameter_names(run.layer_sizes)]
    assert moved[kept].min() >= moved[~np.array(kept)].max()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (["w1[1,9]"], r"`w1\[1,9\]` is not a parameter of this run. Did you mean `w1\[1,\d\]`\?"),
        (["zebra"], r"`zebra` is not a parameter of this run. There are w1\[1,1\] to b1\[1\]."),
        ([], "`parameters` must name at least one parameter; got none."),
    ],
)
def test_wrong_parameters_are_told(plane: Run, parameters: list[str], message: str) -> None:
    """One sentence, with the near miss."""
    with pytest.raises(fs.FitscopeError, match=message):
        analysis.parameter_paths(plane, parameters=parameters)


def test_gradients_need_the_data(plane: Run) -> None:
    """A run without its samples still has paths, but no gradient."""
    bare = replace(plane, dataset=plane.dataset.without_arrays())
    assert len(analysis.parameter_paths(bare).names) == 3
    with pytest.raises(fs.FitscopeError, match="The gradient needs the data"):
        analysis.parameter_paths(bare, gradients=True)


@pytest.mark.parametrize("log_steps", [False, True])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_few_paths_have_names_and_colours(plane: Run, mode: str, log_steps: bool) -> None:
    """One line a parameter, dashed for a bias, and the norm of the gradient below."""
    record = analysis.parameter_paths(plane, gradients=True)
    upper, lower = plot.parameter_paths(record, log_steps=log_steps, theme=mode).axes
    x = np.log10(1.0 + record.steps) if log_steps else record.steps
    lines = {line.get_label(): line for line in upper.lines if line.get_label() in record.names}
    for name, values in zip(record.names, record.values.T, strict=True):
        np.testing.assert_array_equal(lines[name].get_xdata(), x)
        np.testing.assert_array_equal(lines[name].get_ydata(), values)
        assert lines[name].is_dashed() == name.startswith("b")
    assert len({(line.get_color(), line.is_dashed()) for line in lines.values()}) == 3
    (norms,) = lower.lines
    np.testing.assert_array_equal(norms.get_ydata(), record.gradient_norms)
    assert lower.get_yscale() == "log"
    assert lower.get_xlabel() == ("updates (log scale)" if log_steps else "updates")
    fig = plot.parameter_paths_plotly(record, log_steps=log_steps, theme=mode)
    *paths, gradient = fig.data
    assert [trace.name for trace in paths] == list(record.names)
    for trace, values in zip(paths, record.values.T, strict=True):
        np.testing.assert_array_equal(trace.x, x)
        np.testing.assert_array_equal(trace.y, values)
        assert to_hex(lines[trace.name].get_color()) == trace.line.color
    np.testing.assert_array_equal(gradient.y, record.gradient_norms)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_many_paths_have_the_colours_of_their_layers(rings: Run, mode: str) -> None:
    """All are drawn; the legend names layers, and no single parameter."""
    record = analysis.parameter_paths(rings)
    (ax,) = plot.parameter_paths(record, theme=mode).axes
    (drawn,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    ends = [path.vertices for path in drawn.get_paths()]
    np.testing.assert_array_equal(np.array(ends)[:, :, 1], record.values.T)
    colours = [to_hex(colour) for colour in drawn.get_colors()]
    assert colours == [theme.class_colour(layer - 1) for layer in record.layers.tolist()]
    assert _legend(ax) == ["layer 1", "layer 2", "biases"]
    fig = plot.parameter_paths_plotly(record, theme=mode)
    assert [t.name for t in fig.data if t.showlegend is not False] == _legend(ax)
    shown = {trace.name: trace for trace in fig.data if trace.name in record.names}
    assert set(shown) == set(record.names)
    for i, name in enumerate(record.names):
        np.testing.assert_array_equal(shown[name].y, record.values[:, i])
        rgb = [round(255 * part) for part in to_rgb(colours[i])]
        assert shown[name].line.color == f"rgba({rgb[0]}, {rgb[1]}, {rgb[2]}, 0.75)"


def _legend(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_a_log_axis_has_room_for_the_start(rings: Run) -> None:
    """0, 1, 10, ... stand where log10(1 + updates) puts them, in both libraries."""
    record = analysis.parameter_paths(rings)
    (ax,) = plot.parameter_paths(record, log_steps=True).axes
    np.testing.assert_allclose(ax.get_xticks(), np.log10([1, 2, 11, 101, 1001]))
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1", "10", "100", "1,000"]
    fig = plot.parameter_paths_plotly(record, log_steps=True)
    assert list(fig.layout.xaxis.ticktext) == ["0", "1", "10", "100", "1,000"]


@pytest.mark.parametrize("log_steps", [False, True])
def test_what_is_not_finite_is_left_out(log_steps: bool) -> None:
    """A diverged run draws in both libraries, and so does one whose gradient vanishes."""
    run = fs.fit("rings-3", optimizer="sgd", lr=1e6, epochs=5)
    params = run.params.copy()
    params[-1, :3] = np.nan, np.inf, -np.inf
    for one in (replace(run, params=params), fs.fit("step", init="zeros", epochs=1)):
        options = {"gradients": True, "log_steps": log_steps}
        one.plot.parameter_paths(**options).draw_without_rendering()
        assert len(one.show.parameter_paths(**options).data) > 1
