"""Plots: what is drawn is what the record holds, in the colours that the theme gives."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

import fitscope as fs
from artists import by_colour, legend_texts, point_clouds
from fitscope import analysis, plot
from fitscope.analysis import Confusion, FitScatter, Importance, LossCurves
from fitscope.plot import theme
from fitscope.plot.canvas import new_axes, styled
from fitscope.records import Run


@pytest.fixture
def ax() -> Axes:
    """Empty axes in the house style."""
    with styled("light"):
        return new_axes()


@pytest.fixture(scope="session")
def line() -> Run:
    """Two classes over one input, with a test part."""
    return fs.fit("threshold-sgd", epochs=2)


# names


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
        plot.response_curve(analysis.response_curve(run), ax=ax)
    else:
        plot.decision_field(analysis.decision_field(run, n_grid=9), ax=ax)
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
    plot.response_curve(curve, ax=ax)
    (drawn,) = [x for x in ax.lines if x.get_label() == "P(y = 1)"]
    np.testing.assert_array_equal(drawn.get_xdata(), curve.x)
    np.testing.assert_array_equal(drawn.get_ydata(), curve.y[:, 0])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "P(y = 1)")
    assert any(set(x.get_ydata()) == {0.5} for x in ax.lines)
    drawn_points = by_colour(ax)
    ones = np.concatenate([d.y, d.y_test]) == 1
    assert (drawn_points[theme.class_colour(1)][:, 1] >= 1).all()
    assert (drawn_points[theme.class_colour(0)][:, 1] <= 0).all()
    assert len(drawn_points[theme.class_colour(1)]) == ones.sum()
    assert legend_texts(ax) == ["y = 0", "y = 1", "test", "P(y = 1)"]


def test_response_curves_of_classes_have_their_colours(ax: Axes) -> None:
    """One curve a class, in the colour of its samples, so that the legend names it once."""
    x = np.linspace(0, 9, 30)
    run = fs.fit((x, np.digitize(x, [3, 6])), epochs=2)
    curve = analysis.response_curve(run)
    plot.response_curve(curve, ax=ax)
    colours = {np.asarray(line.get_ydata()).tobytes(): line.get_color() for line in ax.lines}
    for index in range(3):
        assert colours[curve.y[:, index].tobytes()] == theme.class_colour(index)
    assert legend_texts(ax) == ["y = 0", "y = 1", "y = 2"]
    assert ax.get_ylabel() == "probability"


def test_response_curve_of_a_regression_shows_the_samples(ax: Axes) -> None:
    """Samples stand at their values in the target's units, under the model's curve."""
    run = fs.fit("sine", epochs=2, n_samples=30, standardize=True)
    plot.response_curve(analysis.response_curve(run), ax=ax)
    raw = fs.dataset(fs.DataSpec(name="sine", n_samples=30))
    (places,) = by_colour(ax).values()
    np.testing.assert_allclose(places[:, 0], raw.X[:, 0], atol=1e-5)
    np.testing.assert_allclose(places[:, 1], raw.y, atol=1e-5)
    assert ax.get_ylabel() == "y"
    assert legend_texts(ax) == ["data", "model"]


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
    assert list(drawn) == legend_texts(ax) == (["train", "test"] if n_test else ["train"])
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
    ax.figure.draw_without_rendering()


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
    (points,) = point_clouds(ax)
    np.testing.assert_array_equal(points.get_offsets(), [[1, 1.5], [2, 2.5], [5, 4]])
    (line,) = ax.lines
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 5], [1, 5])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("true (training part)", "predicted")
