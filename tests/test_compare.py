"""Runs side by side: comparable numbers, one surface, scikit-learn as it is called directly."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

import fitscope as fs
from fitscope import analysis, plot
from fitscope.errors import DataError
from fitscope.evaluation import mean_loss
from fitscope.plot.theme import CLASS_COLOURS, HIGHLIGHT, RUN_COLOURS
from fitscope.records import Run


@pytest.fixture(scope="module")
def gates() -> Run:
    """One neuron over two inputs, with a test part."""
    return fs.fit("gates-and")


@pytest.fixture(scope="module")
def flowers() -> Run:
    """Two classes over two scaled inputs."""
    X = np.random.RandomState(1).normal([3.0, -20.0], [2.0, 9.0], size=(80, 2))
    return fs.fit((X, X[:, 0] > 3 + 0.05 * X[:, 1]), standardize=True, test_fraction=0.25, lr=0.1)


@pytest.fixture(scope="module")
def starts() -> list[Run]:
    """One neuron over one input, by cross-entropy and by squared errors."""
    return [fs.fit("bad-start"), fs.fit("bad-start-mse")]


def _sklearn(run: Run) -> LogisticRegression:
    d = run.dataset
    return LogisticRegression(max_iter=5000).fit(d.X.astype(np.float64), d.y)


# the records


def test_losses_of_one_kind_are_those_of_the_runs(gates: Run) -> None:
    """What each training left behind, by epoch, named by what differs."""
    others = [fs.fit("gates-and", lr=0.1), fs.fit("gates-and", optimizer="adam", lr=0.5)]
    record = analysis.compare(gates, others=others)
    assert isinstance(record, analysis.LossComparison)
    assert record.names == (
        "optimizer sgd, lr 0.5",
        "optimizer sgd, lr 0.1",
        "optimizer adam, lr 0.5",
    )
    for i, run in enumerate([gates, *others]):
        np.testing.assert_array_equal(record.losses[i], run.train_loss)
        np.testing.assert_array_equal(record.at[i], np.arange(21))
    assert (record.axis[:6], record.label) == ("epochs", "cross-entropy (nats per sample)")
    assert (record.reference, record.title) == (None, "loss on the training part, 3 runs")


def test_other_batches_are_compared_by_updates(gates: Run) -> None:
    """An epoch of small batches has more updates, and the axis counts those."""
    small = fs.fit("gates-and", batch_size=16, epochs=5)
    record = analysis.compare(gates, others=[small, fs.fit("gates-and", batch_size=None)])
    assert record.axis == "updates"
    assert [at[1] for at in record.at] == [7, 25, 1]
    assert [at[-1] for at in record.at] == [140, 125, 20]
    assert record.names[1:] == ("epochs 5, batch_size 16", "epochs 20, batch_size full")


def test_losses_of_different_kinds_are_computed_again(starts: list[Run]) -> None:
    """All runs by the first run's loss, from their parameters; the label says so."""
    entropy, squares = starts
    record = analysis.compare(entropy, others=[squares])
    assert record.label == "cross-entropy (nats per sample), for all runs"
    np.testing.assert_allclose(record.losses[0], entropy.train_loss, rtol=1e-5)
    x, y = entropy.dataset.X[:, 0].astype(np.float64), entropy.dataset.y
    for epoch in (0, 50, 100):
        w, b = squares.params[squares.row(7 * epoch)].astype(np.float64)
        p = 1 / (1 + np.exp(-(w * x + b)))
        by_hand = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        assert record.losses[1][epoch] == pytest.approx(by_hand, rel=1e-9)
    turned = analysis.compare(squares, others=[entropy])
    assert turned.label == "mean squared error of the probability, for all runs"
    np.testing.assert_allclose(turned.losses[0], squares.train_loss, rtol=1e-5)


def test_many_epochs_are_thinned_where_they_are_computed_again() -> None:
    """At most 400 epochs, the first and the last among them."""
    runs = [fs.fit("step", epochs=900, loss=loss) for loss in ("mse", "cross_entropy")]
    record = analysis.compare(runs[0], others=runs[1:])
    assert (len(record.at[1]), record.at[1][0], record.at[1][-1]) == (400, 0, 900)


@pytest.mark.parametrize("kind", ["gates", "flowers"])
def test_the_reference_is_scikit_learns(kind: str, request: pytest.FixtureRequest) -> None:
    """Called directly on the scaled training part, it answers, errs and costs the same."""
    run = request.getfixturevalue(kind)
    d, model = run.dataset, _sklearn(run)
    record = analysis.compare(run)
    assert record.reference is not None
    expected = log_loss(d.y, model.predict_proba(d.X.astype(np.float64)))
    assert record.reference_loss == pytest.approx(expected)
    found = record.reference
    assert (found.name, found.part) == ("scikit-learn, C = 1", "test")
    p = model.predict_proba(d.X_test.astype(np.float64))
    assert found.log_loss == pytest.approx(log_loss(d.y_test, p))
    assert found.accuracy == accuracy_score(d.y_test, p[:, 1] >= 0.5)
    assert found.coefficients is not None
    logits = (d.X_test * d.scale + d.mean) @ found.coefficients[:-1] + found.coefficients[-1]
    np.testing.assert_allclose(logits, np.log(p[:, 1] / p[:, 0]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["gates", "flowers"])
def test_boundaries_are_the_models_answers(kind: str, request: pytest.FixtureRequest) -> None:
    """On a grid in the data's units: the run's own logit, then scikit-learn's."""
    run = request.getfixturevalue(kind)
    record = analysis.compare(run, what="boundaries", n_grid=7)
    x, y = np.meshgrid(record.x, record.y)
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    p = run.predict_proba(places)
    np.testing.assert_allclose(record.logits[0].ravel(), np.log(p[:, 1] / p[:, 0]), rtol=1e-6)
    scaled = (places - run.dataset.mean) / run.dataset.scale
    by_sklearn = _sklearn(run).decision_function(scaled)
    np.testing.assert_allclose(record.logits[1].ravel(), by_sklearn, rtol=1e-6, atol=1e-9)
    own = record.models[0]
    assert own.accuracy == run.metrics["test_accuracy"]
    assert own.log_loss == pytest.approx(float(run.test_loss[-1]), rel=1e-5)
    assert own.coefficients is not None
    np.testing.assert_allclose(
        places @ own.coefficients[:-1] + own.coefficients[-1], record.logits[0].ravel(), rtol=1e-6
    )


def test_hidden_units_have_no_coefficients(gates: Run) -> None:
    """A line has two weights and an offset; a net has no line."""
    net = fs.fit("gates-and", hidden=[3])
    models = analysis.compare(gates, others=[net], what="boundaries").models
    assert [model.coefficients is None for model in models] == [False, True]
    assert [model.name for model in models] == ["hidden none", "hidden 3"]


def test_paths_lie_on_one_surface(starts: list[Run]) -> None:
    """The surface is the first run's loss, point by point; the paths are the recorded steps."""
    first, d = starts[0], starts[0].dataset
    record = analysis.compare(first, others=starts[1:], what="paths", reference=True, n_grid=9)
    for path, run in zip(record.paths, starts, strict=True):
        np.testing.assert_array_equal(path, run.params)
    for i, b in enumerate(record.b):
        for j, w in enumerate(record.w):
            logits = (d.X.astype(np.float64) @ [[w]]) + b
            expected = mean_loss("cross_entropy", "binary", logits, d.y)
            assert record.surface[i, j] == pytest.approx(expected, rel=1e-12)
    model = _sklearn(first)
    np.testing.assert_allclose(record.reference_at, [model.coef_[0, 0], model.intercept_[0]])
    every = np.concatenate([*record.paths, np.asarray(record.reference_at)[None]])
    assert (every >= [record.w[0], record.b[0]]).all()
    assert (every <= [record.w[-1], record.b[-1]]).all()
    assert (np.diff(record.levels) > 0).all()
    ratios = record.levels[1:] / record.levels[:-1]
    np.testing.assert_allclose(ratios, ratios[0])


def test_paths_of_a_regression_have_a_surface_too() -> None:
    """Any model of one weight and one offset, on any of the losses."""
    X = np.linspace(0, 1, 12)[:, None]
    runs = [fs.fit((X, 2 * X[:, 0] + 1), loss=loss, epochs=30) for loss in ("smooth_l1", "mse")]
    record = analysis.compare(runs[0], others=runs[1:], what="paths", n_grid=5)
    logits = X * record.w[3] + record.b[1]
    expected = mean_loss("smooth_l1", "regression", logits, runs[0].dataset.y)
    assert record.surface[1, 3] == pytest.approx(expected, rel=1e-6)
    assert record.label == "smooth L1 loss"


def test_names_are_numbers_where_nothing_differs(gates: Run) -> None:
    """Equal experiments are told apart by their place, and names can be given."""
    assert analysis.compare(gates, others=[gates]).names == ("run 1", "run 2")
    mixed = analysis.compare(gates, others=[gates, fs.fit("gates-and", lr=0.1)]).names
    assert mixed == ("run 1, lr 0.5", "run 2, lr 0.5", "run 3, lr 0.1")
    own = analysis.compare(gates, others=[gates], names=["a", "b"])
    assert own.names == ("a", "b")
    assert analysis.compare(gates).names == ("this run",)


# messages


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"others": ["xor"]}, r"same data, scaled alike; run 2 has other samples than run 1"),
        ({"names": ["a", "b"]}, r"`names` must have 1 names, one a run; got 2"),
        ({"reference": False}, r"needs something to compare with; give it in `others`"),
        ({"what": "paths"}, r"paths needs models of two parameters; run 1 has 3"),
        ({"n_grid": 1}, r"`n_grid` must be from 2 to 500; got 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    gates: Run, options: dict[str, Any], message: str
) -> None:
    """In one sentence that says what is missing."""
    if "others" in options:
        options = {"others": [fs.fit("gates-xor", epochs=1)]}
    with pytest.raises(DataError, match=message):
        analysis.compare(gates, **options)


def test_boundaries_and_the_reference_need_two_classes(starts: list[Run]) -> None:
    """And two inputs, and the samples."""
    blobs = fs.fit("blobs", epochs=1, n_samples=40)
    with pytest.raises(DataError, match=r"boundaries needs two classes; this run is multiclass"):
        analysis.compare(blobs, others=[blobs], what="boundaries")
    with pytest.raises(DataError, match=r"The reference needs two classes"):
        analysis.compare(blobs, reference=True)
    with pytest.raises(DataError, match=r"boundaries needs two inputs; this run has 1"):
        analysis.compare(starts[0], what="boundaries")
    bare = [replace(run, dataset=run.dataset.without_arrays()) for run in starts]
    with pytest.raises(DataError, match=r"with a reference needs the data"):
        analysis.compare(bare[0])
    with pytest.raises(DataError, match=r"different losses needs the data"):
        analysis.compare(bare[0], others=bare[1:])
    with pytest.raises(DataError, match=r"paths needs the data"):
        analysis.compare(bare[0], others=bare[1:], what="paths")
    with pytest.raises(DataError, match=r"`what`"):
        starts[0].plot.compare(what="loss")


def test_runs_without_data_can_be_compared_by_their_losses(starts: list[Run]) -> None:
    """The losses are in the run; that the data are the same, its description tells."""
    bare = replace(starts[0], dataset=starts[0].dataset.without_arrays())
    record = analysis.compare(bare, others=[bare])
    np.testing.assert_array_equal(record.losses[1], bare.train_loss)


# the pictures


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_losses_are_drawn_as_recorded(starts: list[Run], theme: str) -> None:
    """A line a run, in a colour and dash of its own, and the reference level."""
    record = analysis.compare(starts[0], others=starts[1:], reference=True)
    ax = plot.compare(record, theme=theme).axes[0]
    traces = plot.compare_plotly(record, theme=theme).data
    for i in range(2):
        line, trace = ax.lines[i], traces[i]
        np.testing.assert_array_equal(line.get_ydata(), record.losses[i])
        np.testing.assert_array_equal(trace.y, record.losses[i])
        np.testing.assert_array_equal(trace.x, record.at[i])
        assert line.get_color() == trace.line.color == RUN_COLOURS[i]
        assert line.get_label() == trace.name == record.names[i]
    assert (ax.lines[0].get_linestyle(), ax.lines[1].get_linestyle()) == ("-", "--")
    assert (traces[0].line.dash, traces[1].line.dash) == ("solid", "dash")
    assert set(ax.lines[2].get_ydata()) == set(traces[2].y) == {record.reference_loss}
    assert ax.get_yscale() == "log"
    assert record.label in ax.get_ylabel().replace("\n", " ")


def test_losses_that_are_not_finite_leave_a_gap(gates: Run) -> None:
    """A run that diverged is drawn as far as it went."""
    broken = replace(gates, train_loss=np.where(np.arange(21) > 5, np.inf, gates.train_loss))
    record = analysis.compare(gates, others=[replace(broken)], names=["a", "b"])
    plot.compare(record).draw_without_rendering()
    assert np.isnan(plot.compare_plotly(record).data[1].y[6:]).all()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_paths_are_drawn_with_their_ends(starts: list[Run], theme: str) -> None:
    """The lines of equal loss, the paths, a hollow start, a filled end, scikit-learn's star."""
    record = analysis.compare(starts[0], others=starts[1:], what="paths", reference=True)
    fig = plot.compare(record, theme=theme)
    fig.draw_without_rendering()
    ax = fig.axes[0]
    (lines,) = [c for c in ax.collections if isinstance(c, ContourSet)]
    np.testing.assert_allclose(lines.levels, record.levels)
    marks = [c.get_offsets()[0] for c in ax.collections if not isinstance(c, ContourSet)]
    surface, *traces = plot.compare_plotly(record, theme=theme).data
    np.testing.assert_array_equal(surface.customdata, record.surface)
    at_levels = np.interp(record.levels, record.levels, np.arange(len(record.levels)))
    assert list(at_levels) == list(range(len(record.levels)))
    assert (surface.contours.start, surface.contours.end) == (0, len(record.levels) - 1)
    for i, path in enumerate(record.paths):
        drawn = np.stack(ax.lines[i].get_data(), axis=1)
        np.testing.assert_array_equal(drawn, path)
        np.testing.assert_array_equal(np.stack([traces[2 * i].x, traces[2 * i].y], axis=1), path)
        ends = np.stack([traces[2 * i + 1].x, traces[2 * i + 1].y], axis=1)
        np.testing.assert_array_equal(ends, path[[0, -1]])
        np.testing.assert_array_equal(marks[2 * i : 2 * i + 2], path[[0, -1]])
    np.testing.assert_array_equal(marks[-1], record.reference_at)
    assert [traces[-1].x[0], traces[-1].y[0]] == list(record.reference_at)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_boundaries_run_where_each_model_is_undecided(gates: Run, theme: str) -> None:
    """The run's line lies at its own 0.5, scikit-learn's at its own; the numbers stand below."""
    record = analysis.compare(gates, what="boundaries")
    fig = plot.compare(record, theme=theme)
    fig.draw_without_rendering()
    ax = fig.axes[0]
    own, other = [c for c in ax.collections if isinstance(c, ContourSet)]
    vertices = np.concatenate([path.vertices for path in own.get_paths()])
    np.testing.assert_allclose(gates.predict_proba(vertices)[:, 1], 0.5, atol=1e-6)
    vertices = np.concatenate([path.vertices for path in other.get_paths()])
    np.testing.assert_allclose(_sklearn(gates).decision_function(vertices), 0, atol=1e-6)
    assert to_hex(own.get_edgecolor()[0]) == RUN_COLOURS[0]
    told = [text.get_text() for text in ax.get_legend().get_texts()]
    assert told[0].startswith("this run: 100.0% right, log-loss 0.18")
    assert told[1].startswith("scikit-learn, C = 1: 100.0% right, log-loss 0.05")
    fields = [t for t in plot.compare_plotly(record, theme=theme).data if t.type == "contour"]
    for trace, logits in zip(fields, record.logits, strict=True):
        np.testing.assert_array_equal(trace.z, logits)
        assert trace.contours.start == trace.contours.end == 0


def test_both_legends_of_boundaries_stay_inside(gates: Run) -> None:
    """Long names are cut, the numbers after them are not."""
    names = ["a name that is much too long for any legend of this size", "b"]
    record = analysis.compare(gates, others=[gates], what="boundaries", names=names)
    fig = plot.compare(record)
    fig.draw_without_rendering()
    ax = fig.axes[0]
    below = ax.get_legend()
    (above,) = [c for c in ax.artists if hasattr(c, "get_texts")]
    assert [text.get_text() for text in above.get_texts()] == ["y = 0", "y = 1", "test"]
    for legend in (above, below):
        box = legend.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= fig.bbox.x1
        assert 0 <= box.y0 < box.y1 <= fig.bbox.y1
    assert below.get_texts()[0].get_text().endswith("log-loss 0.185")


def test_a_model_that_never_changes_its_mind_has_no_line(gates: Run) -> None:
    """Neither a warning nor a contour, even where its answers have no end."""
    high = replace(gates, params=np.full_like(gates.params, np.float32(3e38)))
    nothing = replace(gates, params=np.full_like(gates.params, np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record = analysis.compare(gates, others=[high, nothing], what="boundaries")
        ax = plot.compare(record).axes[0]
    assert len([c for c in ax.collections if isinstance(c, ContourSet)]) == 1


def test_runs_have_colours_of_their_own() -> None:
    """No run looks like one of the first two classes, or like a highlight."""
    assert not {*CLASS_COLOURS[:2], HIGHLIGHT} & set(RUN_COLOURS)
    assert len(set(RUN_COLOURS)) == len(RUN_COLOURS)


def test_boundaries_of_a_run_that_ends_in_inf_are_drawn_without_a_warning(gates: Run) -> None:
    """Its last parameters are no numbers, so it has no line; the reference keeps its own."""
    params = gates.params.copy()
    params[-1] = [np.inf, -np.inf, np.inf]
    record = analysis.compare(replace(gates, params=params), what="boundaries", n_grid=9)
    own, reference = record.models
    assert not np.isfinite(own.coefficients).all()
    assert np.isfinite(reference.coefficients).all()
