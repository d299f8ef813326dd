"""The decision field, drawn: the record's values where they belong, in both libraries."""

import io
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.contour import ContourSet

import fitscope as fs
from artists import by_colour, colour_of, is_hollow, legend_texts, point_clouds, rows, traces
from fitscope import analysis, plot
from fitscope.plot import theme
from fitscope.plot.canvas import new_axes, styled
from fitscope.records import Dataset, Run


@pytest.fixture
def ax() -> Axes:
    """Empty axes in the house style."""
    with styled("light"):
        return new_axes()


@pytest.fixture(scope="session")
def plane() -> Run:
    """Two classes over two inputs, with a test part."""
    return fs.fit("gates-and", epochs=3)


@pytest.fixture(scope="session")
def blobs() -> Run:
    """Three classes over two inputs."""
    return fs.fit("blobs", epochs=20, lr=0.1, n_samples=60, n_classes=3)


@pytest.fixture(scope="session")
def surface() -> Run:
    """A standardised regression over two inputs, with a test part."""
    X = np.random.RandomState(0).normal(size=(40, 2)) * [1, 5]
    return fs.fit((X, 100 + 50 * X[:, 0]), epochs=20, standardize=True, test_fraction=0.25)


@pytest.fixture(scope="session")
def many() -> Run:
    """Two classes over 30 inputs, standardised, with a test part."""
    return fs.fit("breast-cancer", epochs=30)


def test_field_shows_the_values_where_they_belong(plane: Run, ax: Axes) -> None:
    """The image is the record's array, the first row at the bottom, over the grid's extent."""
    field = analysis.decision_field(plane, n_grid=20)
    plot.decision_field(field, ax=ax)
    image = ax.images[0]
    np.testing.assert_array_equal(image.get_array(), field.values)
    assert image.origin == "lower"
    assert tuple(image.get_extent()) == (field.x[0], field.x[-1], field.y[0], field.y[-1])
    assert image.get_clim() == (0, 1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x1", "x2")
    assert ax.get_xlim() == (field.x[0], field.x[-1])


def test_field_says_whose_probability_it_is(plane: Run, ax: Axes) -> None:
    """The colour bar names target and class, from 0, cool as class 0, over white to 1, warm."""
    plot.decision_field(analysis.decision_field(plane, n_grid=9), ax=ax)
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "probability of y = 1"
    assert bar.get_ylim() == (0, 1)
    assert ax.images[0].cmap(0.5) == pytest.approx((1, 1, 1, 1), abs=0.01)
    for value, own, other in ((0.0, 2, 0), (1.0, 0, 2)):  # blue over red, red over blue
        assert ax.images[0].cmap(value)[own] > ax.images[0].cmap(value)[other] + 0.2
        colour = to_rgb(theme.class_colour(int(value)))
        assert colour[own] > colour[other] + 0.2


def test_the_line_runs_where_the_probability_is_a_half(plane: Run, ax: Axes) -> None:
    """The contour lies at 0.5: on it, the model itself is undecided."""
    plot.decision_field(analysis.decision_field(plane, n_grid=100), ax=ax)
    (contour,) = [c for c in ax.collections if isinstance(c, ContourSet)]
    assert contour.levels.tolist() == [0.5]
    vertices = np.concatenate([path.vertices for path in contour.get_paths()])
    assert len(vertices) > 10
    p = plane.predict_proba(vertices)[:, 1]
    np.testing.assert_allclose(p, 0.5, rtol=0, atol=0.01)  # interpolated on a grid of 100


@pytest.mark.parametrize("value", [0.1, 0.9])
def test_no_line_where_the_model_never_changes_its_mind(plane: Run, ax: Axes, value: float) -> None:
    """A field on one side of 0.5 has no contour, and draws without a warning."""
    field = analysis.decision_field(plane, n_grid=5)
    plot.decision_field(replace(field, values=np.full((5, 5), value)), ax=ax)
    assert [c for c in ax.collections if isinstance(c, ContourSet)] == []
    assert ax.images[0].get_clim() == (0, 1)


def test_a_field_that_is_not_finite_draws(plane: Run, ax: Axes) -> None:
    """The field of a diverged run is a picture too."""
    field = analysis.decision_field(plane, n_grid=5)
    plot.decision_field(replace(field, values=np.full((5, 5), np.nan)), ax=ax)
    ax.figure.draw_without_rendering()


def test_field_of_classes_has_one_colour_each(blobs: Run, ax: Axes) -> None:
    """For several classes each index gets the tint of its class."""
    field = analysis.decision_field(blobs, n_grid=30)
    plot.decision_field(field, ax=ax)
    image = ax.images[0]
    np.testing.assert_array_equal(image.get_array(), field.values)
    for index in range(3):
        shown = image.cmap(image.norm(index))[:3]
        tint = to_rgb(theme.tint(theme.class_colour(index), 0.35))
        assert shown == pytest.approx(tint, abs=1e-6)


def test_field_of_a_regression_has_the_target_on_its_bar(ax: Axes) -> None:
    """Values are coloured over their own range, with the target's name."""
    X = np.random.RandomState(0).normal(size=(20, 2))
    run = fs.fit((X, X[:, 0] * 50), epochs=3)
    field = analysis.decision_field(run, n_grid=9)
    plot.decision_field(field, ax=ax)
    assert ax.images[0].get_clim() == (field.values.min(), field.values.max())
    assert ax.figure.axes[1].get_ylabel() == "y"


@pytest.mark.parametrize("kind", ["plane", "blobs"])
def test_samples_lie_where_they_are_in_the_colour_of_their_class(
    kind: str, ax: Axes, request: pytest.FixtureRequest
) -> None:
    """Every sample once, in its own units, its class told by colour and by marker."""
    run = request.getfixturevalue(kind)
    d: Dataset = run.dataset
    plot.decision_field(analysis.decision_field(run, n_grid=9), ax=ax)
    targets = np.concatenate([d.y, d.y_test])
    drawn = by_colour(ax)
    assert set(drawn) == {theme.class_colour(i) for i in range(len(d.classes))}
    for index in range(len(d.classes)):
        own = d.inputs()[targets == index]
        assert len(drawn[theme.class_colour(index)]) == len(own)
        assert rows(drawn[theme.class_colour(index)]) == rows(own)
    markers = {colour_of(c): c.get_paths()[0].vertices.tobytes() for c in point_clouds(ax)}
    assert len(set(markers.values())) == len(d.classes)


def test_the_test_part_is_hollow(plane: Run, ax: Axes) -> None:
    """Filled for training, hollow for test, both told in the legend."""
    d = plane.dataset
    plot.decision_field(analysis.decision_field(plane, n_grid=9), ax=ax)
    count = {True: 0, False: 0}
    for drawn in point_clouds(ax):
        count[is_hollow(drawn)] += len(drawn.get_offsets())
    assert count == {False: d.n_train, True: d.n_test}
    assert legend_texts(ax) == ["y = 0", "y = 1", "test"]


def test_many_samples_are_thinned_evenly(ax: Axes) -> None:
    """More than MAX_POINTS are not drawn, and no class is left out."""
    run = fs.fit("rings", epochs=1, n_samples=4000)
    plot.decision_field(analysis.decision_field(run, n_grid=9), ax=ax)
    drawn = [len(places) for places in by_colour(ax).values()]
    assert sum(drawn) <= theme.MAX_POINTS
    assert min(drawn) > 600


@pytest.mark.parametrize("label", ["_hidden", "$\\frac{$", "a $ b $ c", "<b>&\"'", "日本"])
def test_any_name_is_drawn_as_it_is(label: str, ax: Axes) -> None:
    """Names are text: no markup, no mathematics, none hidden, no warning about a glyph."""
    y = np.array([label, "other"] * 10)
    run = fs.fit((np.random.RandomState(0).normal(size=(20, 2)), y), epochs=1)
    plot.decision_field(analysis.decision_field(run, n_grid=9), ax=ax)
    assert len(legend_texts(ax)) == 2
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # what the font lacks is a box in a picture
        ax.figure.savefig(buffer, format="svg")
    root = ET.fromstring(buffer.getvalue())  # noqa: S314 (our own text)
    texts = "".join(root.itertext())
    assert sum(label in text for text in texts.split("\n")) >= 1


# by plotly


def test_plotly_shows_the_record_and_every_sample(plane: Run) -> None:
    """A heatmap of the values from 0 to 1, their contour at 0.5, and the samples by class."""
    field, d = analysis.decision_field(plane, n_grid=20), plane.dataset
    fig = plot.decision_field_plotly(field)
    (heat,), (contour,) = traces(fig, "heatmap"), traces(fig, "contour")
    for trace in (heat, contour):
        np.testing.assert_array_equal(trace.x, field.x)
        np.testing.assert_array_equal(trace.y, field.y)
        np.testing.assert_array_equal(trace.z, field.values)
    assert (heat.zmin, heat.zmax) == (0, 1)
    assert heat.colorscale[2] == (0.5, "#ffffff")
    assert heat.colorbar.title.text == "probability of y = 1"
    assert (contour.contours.start, contour.contours.end) == (0.5, 0.5)
    assert contour.contours.coloring == "none"
    names = [trace.name for trace in traces(fig, "scatter")]
    assert names == ["y = 0", "y = 0, test", "y = 1", "y = 1, test"]
    parts = [(d.X, d.y, i) for i in (0, 1)], [(d.X_test, d.y_test, i) for i in (0, 1)]
    for trace, (X, y, index) in zip(
        traces(fig, "scatter"), [parts[0][0], parts[1][0], parts[0][1], parts[1][1]], strict=True
    ):
        np.testing.assert_allclose(np.c_[trace.x, trace.y], X[y == index], atol=1e-7)
        assert trace.marker.color == theme.class_colour(index)
        assert trace.marker.symbol.endswith("-open") is ("test" in trace.name)
    assert fig.layout.title.text == "after 21 of 21 updates"
    assert (fig.layout.xaxis.title.text, fig.layout.yaxis.title.text) == ("x1", "x2")


def test_plotly_has_the_same_traces_at_every_step(plane: Run) -> None:
    """Number and kinds are those of the start, so that a movie can swap their data."""
    kinds = {
        tuple(
            t.type
            for t in plot.decision_field_plotly(
                analysis.decision_field(plane, step=step, n_grid=5)
            ).data
        )
        for step in (0, 5, -1)
    }
    assert len(kinds) == 1


def test_plotly_gives_classes_their_tints(blobs: Run) -> None:
    """Each class index is a band of the scale in the tint of its class."""
    field = analysis.decision_field(blobs, n_grid=9)
    (heat,) = traces(plot.decision_field_plotly(field), "heatmap")
    np.testing.assert_array_equal(heat.z, field.values)
    assert (heat.zmin, heat.zmax) == (-0.5, 2.5)
    for index in range(3):
        place = (index + 0.5) / 3
        (colour,) = {
            low[1]
            for low, high in zip(heat.colorscale, heat.colorscale[1:], strict=False)
            if low[0] < place < high[0]
        }
        assert colour == theme.tint(theme.class_colour(index), 0.35)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_both_libraries_draw_a_regression(surface: Run, look: str) -> None:
    """Values in the target's units on one scale, named; the samples told apart by part."""
    field, d = analysis.decision_field(surface, n_grid=9), surface.dataset
    fig = plot.decision_field(field, theme=look)
    np.testing.assert_array_equal(fig.axes[0].images[0].get_array(), field.values)
    web = plot.decision_field_plotly(field, theme=look)
    (heat,) = traces(web, "heatmap")
    np.testing.assert_array_equal(heat.z, field.values)
    assert heat.colorbar.title.text == fig.axes[1].get_ylabel() == "y"
    assert [len(trace.x) for trace in traces(web, "scatter")] == [d.n_train, d.n_test]
    assert [len(c.get_offsets()) for c in point_clouds(fig.axes[0])] == [d.n_train, d.n_test]


@pytest.mark.parametrize(("used", "axis"), [([2.0, 0.0, -1.0], 0), ([0.0, 2.0, -1.0], 1)])
def test_what_is_drawn_is_not_transposed(used: list[float], axis: int) -> None:
    """A model of one input alone varies along that input's axis in either picture, and rises."""
    run = fs.fit("gates-and", init=used, epochs=1)
    field = analysis.decision_field(run, step=0, n_grid=30)
    image = plot.decision_field(field).axes[0].images[0]
    assert image.origin == "lower"
    heat = traces(plot.decision_field_plotly(field), "heatmap")[0]
    assert heat.transpose is not True
    for drawn in (image.get_array(), heat.z):  # rows lie along y in both libraries
        along_x, along_y = np.asarray(drawn), np.asarray(drawn).T
        varies, constant = (along_x, along_y) if axis == 0 else (along_y, along_x)
        assert (np.diff(varies, axis=1) > 0).all()
        assert np.ptp(constant, axis=1).max() == 0


def test_swapped_inputs_swap_the_picture() -> None:
    """With the inputs the other way round the field is the transpose, axes and samples too."""
    run = fs.fit("gates-and", init=[2.0, 0.0, -1.0], epochs=1)
    field = analysis.decision_field(run, n_grid=9)
    swapped = analysis.decision_field(run, features=("x2", "x1"), n_grid=9)
    assert np.ptp(field.values, axis=1).min() > 0.1
    np.testing.assert_allclose(swapped.values, field.values.T, rtol=1e-12)
    np.testing.assert_array_equal(swapped.x, field.y)
    ax = plot.decision_field(swapped).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x2", "x1")
    web = plot.decision_field_plotly(swapped)
    drawn = np.concatenate(list(by_colour(ax).values()))
    assert rows(drawn) == rows(run.dataset.inputs()[:, ::-1])
    own = np.concatenate([np.c_[t.x, t.y] for t in traces(web, "scatter")])
    assert rows(own) == rows(run.dataset.inputs()[:, ::-1])


def test_a_probability_has_its_own_classs_colour_at_1(plane: Run, blobs: Run) -> None:
    """Ground and samples agree: where the label is likely, the field is of its hue."""
    for run, label in ((plane, 0), (plane, 1), (blobs, 0), (blobs, 1), (blobs, 2)):
        field = analysis.decision_field(run, label=label, n_grid=9)
        image = plot.decision_field(field).axes[0].images[0]
        scale = traces(plot.decision_field_plotly(field), "heatmap")[0].colorscale
        assert image.get_clim() == (0, 1)
        own = np.array(to_rgb(theme.class_colour(label)))
        for full, half, none in (
            (image.cmap(1.0)[:3], image.cmap(0.5)[:3], image.cmap(0.0)[:3]),
            [to_rgb(scale[i][1]) for i in (4, 2, 0)],
        ):
            assert half == pytest.approx((1, 1, 1), abs=0.01)
            assert np.argsort(full).tolist() == np.argsort(own).tolist()
            near, far = np.abs(np.array([full, none]) - own).sum(axis=1)
            assert near < far


# slices


def test_a_slice_tells_near_samples_from_far_ones(many: Run) -> None:
    """Near ones look as ever; the others are small and faint, in the colour of their class."""
    field, d = analysis.decision_field(many, n_grid=9), many.dataset
    (ax, _), web = plot.decision_field(field).axes, plot.decision_field_plotly(field)
    points, targets = d.inputs()[:, :2], np.concatenate([d.y, d.y_test])
    assert 0 < field.near.sum() < len(points)
    far, *near = point_clouds(ax)
    np.testing.assert_allclose(far.get_offsets(), points[~field.near])
    colours = [to_hex(colour) for colour in far.get_facecolor()]
    assert colours == [theme.class_colour(int(target)) for target in targets[~field.near]]
    assert far.get_alpha() < 1
    assert far.get_sizes().max() < near[0].get_sizes().min()
    assert rows(np.concatenate([c.get_offsets() for c in near])) == rows(points[field.near])
    far, *near = traces(web, "scatter")
    np.testing.assert_allclose(np.c_[far.x, far.y], points[~field.near])
    assert list(far.marker.color) == colours
    assert far.marker.size < near[0].marker.size
    assert rows(np.concatenate([np.c_[t.x, t.y] for t in near])) == rows(points[field.near])


def test_a_slice_says_so_in_both_pictures(many: Run, plane: Run) -> None:
    """The note stands below the axis; where there are two inputs there is none."""
    field = analysis.decision_field(many, n_grid=5)
    n = field.near.sum()
    note = f"28 other inputs at their medians; {n} of 569 points lie near this slice"
    assert field.note == note
    assert plot.decision_field(field).axes[0].get_xlabel() == f"mean radius\n{note}"
    label = plot.decision_field_plotly(field).layout.xaxis.title.text
    assert label == f"mean radius<br><sub>{note.replace('; ', ';<br>')}</sub>"
    assert analysis.decision_field(plane, n_grid=5).note == ""


def test_many_far_samples_are_thinned() -> None:
    """Those far from a slice count towards MAX_POINTS, too."""
    X = np.random.RandomState(0).normal(size=(6000, 3))
    run = fs.fit((X, X[:, 0] > 0), epochs=1)
    field = analysis.decision_field(run, n_grid=5)
    drawn = [
        np.isfinite(np.asarray(c.get_offsets(), np.float64)).all(axis=1).sum()
        for c in point_clouds(plot.decision_field(field).axes[0])
        if isinstance(c, PathCollection)
    ]
    assert theme.MAX_POINTS / 2 < sum(drawn) <= theme.MAX_POINTS
    web = plot.decision_field_plotly(field)
    assert sum(np.isfinite(t.x).sum() for t in traces(web, "scatter")) == sum(drawn)


def test_dark_is_light_letters_on_a_dark_ground(many: Run) -> None:
    """Ground, letters and ticks are the theme's, in both libraries, also when drawn later."""
    field, inks = analysis.decision_field(many, n_grid=5), theme.INKS["dark"]
    fig = plot.decision_field(field, theme="dark")
    fig.draw_without_rendering()
    ax = fig.axes[0]
    assert to_hex(fig.get_facecolor()) == inks.paper
    assert to_hex(ax.xaxis.label.get_color()) == inks.ink
    assert {to_hex(text.get_color()) for text in ax.get_xticklabels()} == {inks.muted}
    assert {to_hex(text.get_color()) for text in ax.get_legend().get_texts()} == {inks.ink}
    web = plot.decision_field_plotly(field, theme="dark").layout
    assert (web.paper_bgcolor, web.plot_bgcolor, web.font.color) == (
        inks.paper,
        inks.paper,
        inks.ink,
    )
