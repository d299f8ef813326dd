"""Plots: what is drawn is what the record holds, in the colours that the theme gives."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.contour import ContourSet

import fitscope as fs
from fitscope import analysis, plot
from fitscope.plot import theme
from fitscope.records import (
    Confusion,
    Dataset,
    DecisionField,
    FitScatter,
    Importance,
    LossCurves,
    Run,
)


@pytest.fixture
def ax() -> Axes:
    """Empty axes in the house style."""
    return plot.figure()[1]


@pytest.fixture(scope="session")
def plane() -> Run:
    """Two classes over two inputs, with a test part."""
    return fs.fit("gates-and", epochs=3)


@pytest.fixture(scope="session")
def blobs() -> Run:
    """Three classes over two inputs."""
    return fs.fit("blobs", epochs=20, lr=0.1, n_samples=60, n_classes=3)


@pytest.fixture(scope="session")
def line() -> Run:
    """Two classes over one input, with a test part."""
    return fs.fit("threshold-sgd", epochs=2)


def _points(ax: Axes) -> list[PathCollection]:
    """The samples that were drawn, one collection a class and part."""
    return [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets())]


def _is_hollow(drawn: PathCollection) -> bool:
    face = np.asarray(drawn.get_facecolor())
    return len(face) == 0 or face[0, 3] == 0


def _colour(drawn: PathCollection) -> str:
    """The colour that tells the class: of the face, or of the edge where that is empty."""
    return to_hex(drawn.get_edgecolor()[0] if _is_hollow(drawn) else drawn.get_facecolor()[0])


def _by_colour(ax: Axes) -> dict[str, np.ndarray]:
    """The places of the samples of each colour."""
    found: dict[str, list[np.ndarray]] = {}
    for drawn in _points(ax):
        found.setdefault(_colour(drawn), []).append(np.asarray(drawn.get_offsets()))
    return {colour: np.concatenate(places) for colour, places in found.items()}


def _legend(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def _parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 (our own text)


def _rows(points: np.ndarray) -> set[tuple[float, ...]]:
    return {tuple(row) for row in np.asarray(points).round(9).tolist()}


# decision_field


def test_field_shows_the_values_where_they_belong(plane: Run, ax: Axes) -> None:
    """The image is the record's array, the first row at the bottom, over the grid's extent."""
    field = analysis.decision_field(plane, n_grid=20)
    plot.decision_field(field, plane.dataset, ax=ax)
    image = ax.images[0]
    np.testing.assert_array_equal(image.get_array(), field.values)
    assert image.origin == "lower"
    assert tuple(image.get_extent()) == (field.x[0], field.x[-1], field.y[0], field.y[-1])
    assert image.get_clim() == (0, 1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x1", "x2")
    assert ax.get_xlim() == (field.x[0], field.x[-1])


def test_field_says_whose_probability_it_is(plane: Run, ax: Axes) -> None:
    """The colour bar names target and class, from 0, cool as class 0, over white to 1, warm."""
    plot.decision_field(analysis.decision_field(plane, n_grid=9), plane.dataset, ax=ax)
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "probability of y = 1"
    assert bar.get_ylim() == (0, 1)
    assert theme.FIELD(0.5) == pytest.approx((1, 1, 1, 1), abs=0.01)
    for value, own, other in ((0.0, 2, 0), (1.0, 0, 2)):  # blue over red, red over blue
        assert theme.FIELD(value)[own] > theme.FIELD(value)[other] + 0.2
        colour = to_rgb(theme.class_colour(int(value)))
        assert colour[own] > colour[other] + 0.2


def test_the_line_runs_where_the_probability_is_a_half(plane: Run, ax: Axes) -> None:
    """The contour lies at 0.5: on it, the model itself is undecided."""
    plot.decision_field(analysis.decision_field(plane, n_grid=100), plane.dataset, ax=ax)
    (contour,) = [c for c in ax.collections if isinstance(c, ContourSet)]
    assert contour.levels.tolist() == [0.5]
    vertices = np.concatenate([path.vertices for path in contour.get_paths()])
    assert len(vertices) > 10
    p = plane.predict_proba(vertices)[:, 1]
    np.testing.assert_allclose(p, 0.5, rtol=0, atol=0.01)  # interpolated on a grid of 100


@pytest.mark.parametrize("value", [0.1, 0.9])
def test_no_line_where_the_model_never_changes_its_mind(plane: Run, ax: Axes, value: float) -> None:
    """A field on one side of 0.5 has no contour, and draws without a warning."""
    axis = np.linspace(0, 1, 5)
    field = DecisionField(axis, axis, np.full((5, 5), value))
    plot.decision_field(field, plane.dataset, ax=ax)
    assert [c for c in ax.collections if isinstance(c, ContourSet)] == []
    assert ax.images[0].get_clim() == (0, 1)


def test_a_field_that_is_not_finite_draws(plane: Run, ax: Axes) -> None:
    """The field of a diverged run is a picture too."""
    axis = np.linspace(0, 1, 5)
    plot.decision_field(DecisionField(axis, axis, np.full((5, 5), np.nan)), plane.dataset, ax=ax)
    assert plot.svg(ax.figure, label="nan").startswith("<svg")


def test_field_of_classes_has_one_colour_each(blobs: Run, ax: Axes) -> None:
    """For several classes each index gets the tint of its class."""
    field = analysis.decision_field(blobs, n_grid=30)
    plot.decision_field(field, blobs.dataset, ax=ax)
    image = ax.images[0]
    np.testing.assert_array_equal(image.get_array(), field.values)
    for index in range(3):
        shown = image.cmap(image.norm(index))[:3]
        assert shown == pytest.approx(theme.tint(theme.class_colour(index), 0.35), abs=1e-6)


def test_field_of_a_regression_has_the_target_on_its_bar(ax: Axes) -> None:
    """Values are coloured over their own range, with the target's name."""
    X = np.random.RandomState(0).normal(size=(20, 2))
    run = fs.fit((X, X[:, 0] * 50), epochs=3)
    field = analysis.decision_field(run, n_grid=9)
    plot.decision_field(field, run.dataset, ax=ax)
    assert ax.images[0].get_clim() == (field.values.min(), field.values.max())
    assert ax.figure.axes[1].get_ylabel() == "y"


@pytest.mark.parametrize("kind", ["plane", "blobs"])
def test_samples_lie_where_they_are_in_the_colour_of_their_class(
    kind: str, ax: Axes, request: pytest.FixtureRequest
) -> None:
    """Every sample once, in its own units, its class told by colour and by marker."""
    run = request.getfixturevalue(kind)
    d: Dataset = run.dataset
    plot.decision_field(analysis.decision_field(run, n_grid=9), d, ax=ax)
    targets = np.concatenate([d.y, d.y_test])
    drawn = _by_colour(ax)
    assert set(drawn) == {theme.class_colour(i) for i in range(len(d.classes))}
    for index in range(len(d.classes)):
        own = d.inputs()[targets == index]
        assert len(drawn[theme.class_colour(index)]) == len(own)
        assert _rows(drawn[theme.class_colour(index)]) == _rows(own)
    markers = {_colour(c): c.get_paths()[0].vertices.tobytes() for c in _points(ax)}
    assert len(set(markers.values())) == len(d.classes)


def test_the_test_part_is_hollow(plane: Run, ax: Axes) -> None:
    """Filled for training, hollow for test, both told in the legend."""
    d = plane.dataset
    plot.decision_field(analysis.decision_field(plane, n_grid=9), d, ax=ax)
    count = {True: 0, False: 0}
    for drawn in _points(ax):
        count[_is_hollow(drawn)] += len(drawn.get_offsets())
    assert count == {False: d.n_train, True: d.n_test}
    assert _legend(ax) == ["y = 0", "y = 1", "test"]


def test_many_samples_are_thinned_evenly(ax: Axes) -> None:
    """More than MAX_POINTS are not drawn, and no class is left out."""
    run = fs.fit("rings", epochs=1, n_samples=4000)
    plot.decision_field(analysis.decision_field(run, n_grid=9), run.dataset, ax=ax)
    drawn = [len(places) for places in _by_colour(ax).values()]
    assert sum(drawn) <= theme.MAX_POINTS
    assert min(drawn) > 600


@pytest.mark.parametrize("label", ["_hidden", "$\\frac{$", "a $ b $ c", "<b>&\"'", "日本"])
def test_any_name_is_drawn_as_it_is(label: str, ax: Axes) -> None:
    """Names are text: no markup, no mathematics, none hidden, no warning about a glyph."""
    y = np.array([label, "other"] * 10)
    run = fs.fit((np.random.RandomState(0).normal(size=(20, 2)), y), epochs=1)
    plot.decision_field(analysis.decision_field(run, n_grid=9), run.dataset, ax=ax)
    assert len(_legend(ax)) == 2
    texts = "".join(_parsed(plot.svg(ax.figure, label="x")).itertext())
    assert sum(label in text for text in texts.split("\n")) >= 1


@pytest.mark.parametrize("n_inputs", [1, 2])
@pytest.mark.parametrize(
    "labels",
    [
        ["setosa", "versicolor", "virginica"],
        ["the first of two rather long names of a class", "the second of two rather long names"],
        [f"class number {i}" for i in range(10)],
        ["an_identifier_without_any_space_in_it_" * 3, "b"],
    ],
    ids=["three", "long", "ten", "very long"],
)
def test_names_leave_room_for_the_picture(labels: list[str], n_inputs: int, ax: Axes) -> None:
    """However many and long the names are, the axes keep their share, legend inside."""
    X = np.random.RandomState(0).normal(size=(40, n_inputs))
    run = fs.fit((X, [labels[i % len(labels)] for i in range(40)]), epochs=1)
    if n_inputs == 1:
        plot.response_curve(analysis.response_curve(run), run.dataset, ax=ax)
    else:
        plot.decision_field(analysis.decision_field(run, n_grid=9), run.dataset, ax=ax)
    fig = ax.figure
    fig.draw_without_rendering()
    assert ax.get_position().width > 0.4
    assert ax.get_position().height > 0.4
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_window_extent().x1 <= fig.bbox.x1
    assert legend.get_window_extent().y1 <= fig.bbox.y1


# response_curve


def test_response_curve_is_the_record(line: Run, ax: Axes) -> None:
    """The curve's data, the axes named, the half marked, the samples at their classes."""
    curve, d = analysis.response_curve(line), line.dataset
    plot.response_curve(curve, d, ax=ax)
    (drawn,) = [x for x in ax.lines if x.get_label() == "P(y = 1)"]
    np.testing.assert_array_equal(drawn.get_xdata(), curve.x)
    np.testing.assert_array_equal(drawn.get_ydata(), curve.y[:, 0])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "P(y = 1)")
    assert any(set(x.get_ydata()) == {0.5} for x in ax.lines)
    drawn_points = _by_colour(ax)
    ones = np.concatenate([d.y, d.y_test]) == 1
    assert (drawn_points[theme.class_colour(1)][:, 1] >= 1).all()
    assert (drawn_points[theme.class_colour(0)][:, 1] <= 0).all()
    assert len(drawn_points[theme.class_colour(1)]) == ones.sum()
    assert _legend(ax) == ["y = 0", "y = 1", "test", "P(y = 1)"]


def test_response_curves_of_classes_have_their_colours(blobs: Run, ax: Axes) -> None:
    """One curve a class, in the colour of its samples, so that the legend names it once."""
    x = np.linspace(0, 9, 30)
    run = fs.fit((x, np.digitize(x, [3, 6])), epochs=2)
    curve = analysis.response_curve(run)
    plot.response_curve(curve, run.dataset, ax=ax)
    colours = {np.asarray(line.get_ydata()).tobytes(): line.get_color() for line in ax.lines}
    for index in range(3):
        assert colours[curve.y[:, index].tobytes()] == theme.class_colour(index)
    assert _legend(ax) == ["y = 0", "y = 1", "y = 2"]
    assert ax.get_ylabel() == "probability"


def test_response_curve_of_a_regression_shows_the_samples(ax: Axes) -> None:
    """Samples stand at their values in the target's units, under the model's curve."""
    run = fs.fit("sine", epochs=2, n_samples=30, standardize=True)
    plot.response_curve(analysis.response_curve(run), run.dataset, ax=ax)
    raw = fs.dataset(fs.DataSpec(name="sine", n_samples=30))
    (places,) = _by_colour(ax).values()
    np.testing.assert_allclose(places[:, 0], raw.X[:, 0], atol=1e-5)
    np.testing.assert_allclose(places[:, 1], raw.y, atol=1e-5)
    assert ax.get_ylabel() == "y"
    assert _legend(ax) == ["data", "model"]


# loss_curves


@pytest.mark.parametrize("log_scale", [True, False])
@pytest.mark.parametrize("n_test", [0, 3])
def test_loss_curves_are_the_record(ax: Axes, log_scale: bool, n_test: int) -> None:
    """Both curves on one axis, on a log scale where the record says so, in a named unit."""
    train, test = np.array([[4, 2, 0.1], [5, 3, 1]], np.float32)
    record = LossCurves(np.arange(3, dtype=np.int32), train, test[:n_test], "nats", log_scale)
    plot.loss_curves(record, ax=ax)
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_array_equal(drawn["train"], train)
    assert list(drawn) == _legend(ax) == (["train", "test"] if n_test else ["train"])
    if n_test:
        np.testing.assert_array_equal(drawn["test"], test)
    assert ax.get_yscale() == ("log" if log_scale else "linear")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epochs (passes over the training data)", "nats")
    assert ax.get_xlim() == (0, 2)
    assert log_scale or ax.get_ylim()[0] == 0


def test_losses_that_are_not_finite_are_drawn(ax: Axes) -> None:
    """The losses of a diverged run are a picture, and a single loss is one too."""
    losses = np.array([1, 1e30, np.inf, np.nan], np.float32)
    record = LossCurves(np.arange(4, dtype=np.int32), losses, losses[:0], "nats", False)
    plot.loss_curves(record, ax=ax)
    assert plot.svg(ax.figure, label="inf").startswith("<svg")


# importance, confusion, fit_scatter


def test_importances_are_bars_in_order(ax: Axes) -> None:
    """One bar each, the largest on top, warm to the right of zero and cool to its left."""
    record = Importance(("a", "b", "c"), np.array([3.0, -2.0, 0.5]), "change of the logit")
    plot.importance(record, ax=ax)
    assert [bar.get_width() for bar in ax.patches] == [3.0, -2.0, 0.5]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b", "c"]
    assert [to_hex(bar.get_facecolor()) for bar in ax.patches] == [
        theme.CLASS_COLOURS[int(value > 0)] for value in record.values
    ]
    assert ax.yaxis_inverted()
    assert ax.get_xlabel() == "change of the logit"


def test_the_smallest_of_many_importances_are_left_out_and_counted(ax: Axes) -> None:
    """Fifteen bars at most; the axis says of how many."""
    names = tuple(f"input {i}" for i in range(20))
    plot.importance(Importance(names, np.arange(20.0)[::-1], "drop"), ax=ax)
    assert [bar.get_width() for bar in ax.patches] == list(range(19, 4, -1))
    assert ax.get_xlabel() == "drop\nthe 15 largest of 20"


def test_long_names_of_inputs_are_cut_and_still_told_apart(ax: Axes) -> None:
    """A name of one long word keeps its beginning: cut names are not all the same dots."""
    names = ("concentration_of_this_" * 3, "temperature_of_that_" * 3, "short")
    plot.importance(Importance(names, np.array([3.0, 2.0, 1.0]), "drop"), ax=ax)
    shown = [text.get_text() for text in ax.get_yticklabels()]
    assert [text[:12] for text in shown] == ["concentratio", "temperature_", "short"]
    assert max(map(len, shown)) <= 32


def test_confusion_is_a_table_of_its_counts(ax: Axes) -> None:
    """Every count stands in its cell, true classes down, predicted across."""
    counts = np.array([[1200, 3, 0], [1, 40, 2], [0, 0, 7]])
    plot.confusion(Confusion(counts, ("cat", "dog", "owl"), "test"), ax=ax)
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells == {(j, i): f"{counts[i, j]:,}" for i, j in np.ndindex(3, 3)}
    assert [text.get_text() for text in ax.get_xticklabels()] == ["cat", "dog", "owl"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["cat", "dog", "owl"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true (test part)")
    share = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ax.images[0].get_array(), share)


def test_fit_scatter_pairs_true_and_predicted(ax: Axes) -> None:
    """One point a sample, and the line on which both agree."""
    record = FitScatter(np.array([1.0, 2.0, 5.0]), np.array([1.5, 2.5, 4.0]), "training")
    plot.fit_scatter(record, ax=ax)
    (points,) = _points(ax)
    np.testing.assert_array_equal(points.get_offsets(), [[1, 1.5], [2, 2.5], [5, 4]])
    (line,) = ax.lines
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 5], [1, 5])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("true (training part)", "predicted")
