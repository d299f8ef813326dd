"""The response curve: at several moments, with a neuron's logit, with units as steps."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from sklearn.linear_model import LinearRegression

import fitscope as fs
from fitscope import analysis, plot
from fitscope.errors import DataError
from fitscope.plot import theme
from fitscope.records import Run

THEMES = ("light", "dark")


@pytest.fixture(scope="module")
def neuron() -> Run:
    """One neuron between two classes, from a bad start."""
    return fs.fit("bad-start")


@pytest.fixture(scope="module", params=["sigmoid", "tanh"])
def wave(request: pytest.FixtureRequest) -> Run:
    """Ten units on a noisy sine, standardised, with a test part."""
    how: dict[str, Any] = {"test_fraction": 0.25, "standardize": True, "noise": 0.1}
    return fs.fit("sine-10", activation=request.param, epochs=3000, **how)


@pytest.fixture(scope="module")
def classes() -> Run:
    """Three classes along one input."""
    x = np.linspace(0, 9, 60)
    return fs.fit((x, np.digitize(x, [3, 6])), epochs=200, lr=0.05, hidden=[4], optimizer="adam")


def _lines(ax: Axes) -> dict[str, Line2D]:
    return {str(line.get_label()): line for line in ax.lines}


def _legend(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def _traces(fig: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in fig.data}


# response_curve: moments


def test_each_moment_is_its_own_curve(neuron: Run) -> None:
    """Several moments hold what each alone would, ascending, each named by its step."""
    many = analysis.response_curve(neuron, steps=[700, 0, 140], n_grid=50)
    assert many.steps == (0, 140, 700)
    assert many.names == ("step 0", "step 140", "step 700")
    assert many.quantity == "P(y = 1)"
    for i, step in enumerate(many.steps):
        one = analysis.response_curve(neuron, step=step, n_grid=50)
        np.testing.assert_array_equal(many.y[:, [i]], one.y)
    assert many.title == "3 moments, the last after 700 of 700 updates"


def test_moments_of_several_classes_stand_moment_by_moment(classes: Run) -> None:
    """Columns run over the classes of the first moment, then of the next."""
    many = analysis.response_curve(classes, steps=[0, -1], n_grid=20)
    assert many.names[0] == "P(y = 0), step 0"
    assert many.names[-1] == "P(y = 2), step 200"
    ends = [classes.predict_proba(many.x[:, None], step=step) for step in (0, -1)]
    np.testing.assert_array_equal(many.y, np.concatenate(ends, axis=1))


def test_moments_are_drawn_from_faint_to_strong(neuron: Run, classes: Run) -> None:
    """Later curves are stronger; the legend names the data, then each step once."""
    record = analysis.response_curve(neuron, steps=[0, 140, 700])
    (ax,) = plot.response_curve(record).axes
    assert _legend(ax) == ["y = 0", "y = 1", "step 0", "step 140", "step 700"]
    drawn = [_lines(ax)[name] for name in record.names]
    assert [line.get_alpha() for line in drawn] == pytest.approx([0.25, 0.625, 1])
    traces = _traces(plot.response_curve_plotly(record))
    assert [traces[name].opacity for name in record.names] == pytest.approx([0.25, 0.625, 1])
    for i, line in enumerate(drawn):
        np.testing.assert_array_equal(line.get_ydata(), record.y[:, i])
        np.testing.assert_array_equal(traces[record.names[i]].y, record.y[:, i])
    record = analysis.response_curve(classes, steps=[0, 200])
    (ax,) = plot.response_curve(record).axes
    assert _legend(ax) == ["y = 0", "y = 1", "y = 2", "step 0", "step 200"]
    last = [_lines(ax)[f"_{name}"] for name in record.names[3:]]
    assert [line.get_color() for line in last] == [theme.class_colour(i) for i in range(3)]


# response_curve: one neuron


def test_the_logit_is_0_at_the_threshold_where_the_probability_is_a_half() -> None:
    """The logit in the data's own units, -b/w, and p = 0.5 belong together, standardised or not."""
    for standardize in (False, True):
        run = fs.fit("bad-start", standardize=standardize)
        record = analysis.response_curve(run)
        (at,) = record.thresholds
        assert run.predict_proba([[at]])[0, 1] == pytest.approx(0.5, abs=1e-6)
        assert record.logit is not None
        odds = np.log(record.y[:, 0] / (1 - record.y[:, 0]))
        np.testing.assert_allclose(record.logit, odds, atol=1e-4)
    w, b = fs.fit("bad-start").params[-1]
    assert analysis.response_curve(fs.fit("bad-start")).thresholds == pytest.approx([-b / w])


def test_the_logit_is_drawn_without_stretching_the_picture(neuron: Run) -> None:
    """The straight line leaves the panel, which stays that of probabilities; `line` hides it."""
    record = analysis.response_curve(neuron)
    assert record.logit is not None
    assert np.ptp(record.logit) > 20
    (ax,) = plot.response_curve(record).axes
    np.testing.assert_array_equal(_lines(ax)["_logit"].get_ydata(), record.logit)
    assert set(_lines(ax)["_threshold"].get_xdata()) == set(record.thresholds)
    assert ax.get_ylim() == (-0.13, 1.13)
    title = ax.get_legend().get_title().get_text()
    assert title.endswith("\ndashed: logit 14.9 x - 3.61, 0 at x = 0.243")
    fig = plot.response_curve_plotly(record)
    np.testing.assert_array_equal(_traces(fig)["logit"].y, record.logit)
    assert fig.layout.yaxis.range == (-0.13, 1.13)
    assert "14.9 x - 3.61" in fig.layout.title.text
    (ax,) = plot.response_curve(record, line=False).axes
    assert not {"_logit", "_threshold"} & set(_lines(ax))
    assert "logit" not in _traces(plot.response_curve_plotly(record, line=False))


def test_a_neuron_without_weight_has_no_threshold() -> None:
    """Where w = 0, nothing is divided by it, and the picture says so."""
    run = fs.fit("bad-start", init=[0.0, 2.0], epochs=1)
    record = analysis.response_curve(run, step=0)
    assert record.thresholds.shape == (0,)
    assert record.note == "dashed: logit 0 x + 2, nowhere 0"
    plot.response_curve(record)


def test_a_movies_frames_have_the_same_traces(wave: Run) -> None:
    """Number and kinds of traces do not depend on the step, not even where w = 0."""
    flat = fs.fit("bad-start", init="zeros", epochs=2)
    for run, options in ((flat, {}), (wave, {"step_approximation": True})):
        made = [run.show.response_curve(step=step, **options) for step in (0, 3, -1)]
        kinds = [[(t.type, t.mode, t.name.split(",")[0]) for t in fig.data] for fig in made]
        assert kinds[0] == kinds[1] == kinds[2]


# response_curve: units as steps


def _brute_force_steps(run: Run, x: np.ndarray) -> np.ndarray:
    """The answers of the units as steps (n, h), one sample and one unit at a time."""
    d, h = run.dataset, run.layer_sizes[1]
    params = run.params[-1].astype(float)
    low = {"sigmoid": 0.0, "tanh": -1.0}[run.experiment.network.activation]
    scaled = (x - d.mean[0]) / d.scale[0]
    answers = [
        [1.0 if params[j] * v + params[h + j] > 0 else low for j in range(h)] for v in scaled
    ]
    return np.array(answers)


def test_units_become_steps_at_their_thresholds(wave: Run) -> None:
    """On where z > 0, unit by unit; the trained output layer on top, in the data's own units."""
    record = analysis.response_curve(wave, step_approximation=True)
    assert record.approximation is not None
    d, h = wave.dataset, 10
    features = _brute_force_steps(wave, record.x)
    out = wave.params[-1].astype(float)[2 * h :]
    expected = (features @ out[:h] + out[h]) * d.y_scale + d.y_mean
    np.testing.assert_allclose(record.approximation.steps, expected, atol=1e-9)
    W, b = wave.params[-1][:h].astype(float), wave.params[-1][h : 2 * h].astype(float)
    np.testing.assert_allclose(record.thresholds, -b / W * d.scale[0] + d.mean[0])
    jumps = np.flatnonzero(np.diff(record.approximation.steps))
    assert len(jumps) > 2
    for jump in jumps:
        between = (record.thresholds >= record.x[jump]) & (record.thresholds <= record.x[jump + 1])
        assert between.any()


def test_refitted_steps_are_the_least_squares_fit(wave: Run) -> None:
    """As scikit-learn fits them; on the training part never worse than the unrefitted steps."""
    record = analysis.response_curve(wave, step_approximation=True)
    net, d = record.approximation, wave.dataset
    assert net is not None
    x = d.inputs()[: len(d.X), 0]
    y = d.y.astype(float) * d.y_scale + d.y_mean
    fitted = LinearRegression().fit(_brute_force_steps(wave, x), y)
    along = fitted.predict(_brute_force_steps(wave, record.x))
    np.testing.assert_allclose(net.refitted, along, atol=1e-7)
    error = y - fitted.predict(_brute_force_steps(wave, x))
    assert net.rmse_refitted == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-9)
    assert net.rmse_smooth == pytest.approx(wave.metrics["train_rmse"], rel=1e-6)
    for step in (0, 1, 10, 100, 1000, 3000):
        net = analysis.response_curve(wave, step=step, step_approximation=True).approximation
        assert net is not None
        assert net.rmse_refitted <= net.rmse_steps
        assert net.rmse_refitted <= y.std() + 1e-12  # the bias alone would do that


def test_a_unit_without_weight_has_no_threshold_and_a_zero_is_no_nan() -> None:
    """A weight of 0 is left out; z = 0 is off, where threshold(a)/a would be 0/0."""
    init = [1.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    run = fs.fit("sine", hidden=[2], activation="tanh", init=init, epochs=1, n_samples=20)
    record = analysis.response_curve(run, step=0, step_approximation=True, n_grid=3)
    assert record.thresholds.tolist() == [0.0]
    assert not np.signbit(record.thresholds[0])
    assert record.approximation is not None
    ends = record.approximation.steps[[0, -1]]  # 2 (x > 0) + 3 + 4, with levels -1 and 1
    np.testing.assert_array_equal(ends, [5.0, 9.0])
    assert np.isfinite(record.approximation.refitted).all()


def test_steps_are_drawn_with_their_errors_in_the_legend(wave: Run) -> None:
    """Both libraries draw the record's arrays as stairs; hairlines stand at the thresholds."""
    record = analysis.response_curve(wave, step_approximation=True)
    net = record.approximation
    assert net is not None
    names = [
        f"model, train RMSE {net.rmse_smooth:.3g}",
        f"steps, RMSE {net.rmse_steps:.3g}",
        f"refitted, RMSE {net.rmse_refitted:.3g}",
    ]
    (ax,) = plot.response_curve(record).axes
    traces = _traces(plot.response_curve_plotly(record))
    assert _legend(ax) == ["data", "test", *names, "thresholds -b/w"]
    for name, y in zip(names, (record.y[:, 0], net.steps, net.refitted), strict=True):
        np.testing.assert_array_equal(_lines(ax)[name].get_ydata(), y)
        np.testing.assert_array_equal(traces[name].y, y)
    assert _lines(ax)[names[1]].get_drawstyle() == "steps-mid"
    assert traces[names[1]].line.shape == "hvh"
    np.testing.assert_array_equal(
        _lines(ax)["thresholds -b/w"].get_xdata(), np.repeat(record.thresholds, 3)
    )
    np.testing.assert_array_equal(traces["thresholds -b/w"].x, np.repeat(record.thresholds, 3))
    points = wave.dataset.y * wave.dataset.y_scale + wave.dataset.y_mean
    np.testing.assert_allclose(traces["data"].y, points, rtol=1e-6)


@pytest.mark.parametrize("theme_name", THEMES)
def test_a_diverged_run_keeps_the_samples_in_the_picture(theme_name: str) -> None:
    """A curve far off leaves the panel by the values' span at most; nothing warns."""
    run = fs.fit("sine-10", lr=1e6, epochs=50)
    record = analysis.response_curve(run, step_approximation=True)
    (ax,) = plot.response_curve(record, theme=theme_name).axes
    assert np.abs(ax.get_ylim()).max() < 15
    plot.response_curve_plotly(record, theme=theme_name)
    inf = replace(run, params=np.full_like(run.params, np.inf))
    nan = analysis.response_curve(inf, step_approximation=True)
    assert nan.thresholds.shape == (0,)
    plot.response_curve(nan, theme=theme_name)


# errors


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("neuron", {"step": 3, "steps": [1]}, "Give `step` or `steps`, not both"),
        ("neuron", {"steps": []}, "`steps` must be 1 to 12 step numbers; got 0"),
        ("neuron", {"steps": range(13)}, "`steps` must be 1 to 12 step numbers; got 13"),
        ("neuron", {"steps": [0, 701]}, "Step 701 is not in this run, which has steps 0 to 700"),
        ("neuron", {"step_approximation": True}, "needs a regression with one hidden layer; this"),
        ("deep", {"step_approximation": True}, "this run is regression with 2 hidden layers"),
        ("relu", {"step_approximation": True}, "sigmoid or tanh units, .*; relu units do not"),
        ("linear", {"step_approximation": True}, "sigmoid or tanh units, .*; identity units do"),
        ("good", {"step_approximation": True, "steps": [0, 1]}, "give `step` instead of `steps`"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(
    name: str, options: dict[str, Any], sentence: str, neuron: Run
) -> None:
    """Each refusal is a DataError that says what is missing."""
    made: dict[str, dict[str, Any]] = {
        "deep": {"hidden": [3, 3]},
        "relu": {"hidden": [3], "activation": "relu"},
        "linear": {"hidden": [3], "activation": "identity"},
        "good": {"hidden": [3]},
    }
    run = neuron if name == "neuron" else fs.fit("sine", epochs=2, **made[name])
    with pytest.raises(DataError, match=sentence):
        analysis.response_curve(run, **options)
