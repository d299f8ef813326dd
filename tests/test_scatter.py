"""The scatter plot: the samples where they are, by class and part, in both libraries."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

import fitscope as fs
from artists import by_colour, colour_of, is_hollow, legend_texts, point_clouds, rows, traces
from fitscope import analysis, plot
from fitscope.errors import DataError, UnknownNameError
from fitscope.plot import theme
from fitscope.plot.web import SYMBOLS
from fitscope.records import Dataset, Run

SOURCES = {
    "1-D classes": lambda: fs.fit("threshold-sgd", epochs=1),
    "1-D values": lambda: fs.fit("sine", hidden=[2], epochs=1, standardize=True, test_fraction=0.2),
    "2-D classes": lambda: fs.fit("gates-and", epochs=1),
    "2-D several classes": lambda: fs.fit("blobs", epochs=1, n_samples=60, test_fraction=0.25),
    "many classes": lambda: fs.fit("iris", epochs=1),
    "many values": lambda: fs.fit("diabetes", epochs=1),
}


@pytest.fixture(scope="session")
def runs() -> dict[str, Run]:
    """A run of each kind; made when first asked for."""
    return {}


@pytest.fixture(params=SOURCES)
def run(request: pytest.FixtureRequest, runs: dict[str, Run]) -> Run:
    """One kind after the other."""
    kind = request.param
    if kind not in runs:
        runs[kind] = SOURCES[kind]()
    return runs[kind]


def _is_by_value(record: analysis.Scatter) -> bool:
    """Whether colour stands for a regression's target."""
    return not record.dataset.classes and len(record.features) == 2


def _own(d: Dataset, record: analysis.Scatter) -> np.ndarray:
    """Where each sample belongs, training first; classes over one input without their gap."""
    X = d.inputs()[:, record.features]
    y = np.concatenate([d.y, d.y_test]).astype(np.float64) * d.y_scale + d.y_mean
    return X if len(record.features) == 2 else np.c_[X, y]


def _traces(record: analysis.Scatter) -> list[Any]:
    """The traces that hold samples; others are marks of a legend."""
    return [trace for trace in plot.scatter_plotly(record).data if trace.x[0] is not None]


def test_the_record_holds_the_first_two_inputs_or_the_only_one(run: Run) -> None:
    """By default; the title counts both parts."""
    record, d = analysis.scatter(run), run.dataset
    assert record.features == tuple(range(min(2, d.d)))
    assert record.dataset is d
    test = f", {d.n_test} test" if d.n_test else ""
    assert record.title == f"{d.n_train} training samples{test}"


def test_a_data_set_has_the_picture_of_a_run_on_it(run: Run) -> None:
    """What was learned is no part of it."""
    assert vars(analysis.scatter(run.dataset)) == vars(analysis.scatter(run))


def test_every_sample_is_drawn_where_it_is_by_both_libraries(run: Run) -> None:
    """As many points as samples, at their inputs, or at input and target, in their own units."""
    record, d = analysis.scatter(run), run.dataset
    ax = plot.scatter(record).axes[0]
    drawn = np.concatenate([np.asarray(c.get_offsets()) for c in point_clouds(ax)])
    web = np.concatenate([np.c_[t.x, t.y] for t in _traces(record)])
    own = _own(d, record)
    for points in (drawn, web):
        assert len(points) == len(own)
        if d.classes and len(record.features) == 1:
            points[:, 1] = np.floor(points[:, 1])  # samples of the test part lie a little higher
        assert rows(points) == rows(own)


@pytest.mark.parametrize("run", [kind for kind in SOURCES if "classes" in kind], indirect=True)
def test_classes_are_told_by_colour_and_marker(run: Run) -> None:
    """The samples of a class, and no others, are in its colour and have its marker."""
    record, d = analysis.scatter(run), run.dataset
    ax, targets = plot.scatter(record).axes[0], np.concatenate([d.y, d.y_test])
    clouds, web = point_clouds(ax), _traces(record)
    markers: dict[str, set[bytes]] = {}
    for index in range(len(d.classes)):
        colour = theme.class_colour(index)
        own = d.inputs()[targets == index][:, 0]
        drawn = by_colour(ax)[colour][:, 0]
        assert sorted(drawn) == pytest.approx(sorted(own), abs=1e-9)
        traces = [trace for trace in web if trace.marker.color == colour]
        assert sum(len(trace.x) for trace in traces) == len(own)
        assert {t.marker.symbol.removesuffix("-open") for t in traces} == {SYMBOLS[index]}
        shapes = {c.get_paths()[0].vertices.tobytes() for c in clouds if colour_of(c) == colour}
        markers[colour] = shapes
    assert len({min(shapes) for shapes in markers.values()}) == len(d.classes)


def test_the_test_part_is_told_apart(run: Run) -> None:
    """Hollow in both libraries, and named in both legends; where there is none, nothing is."""
    record, d = analysis.scatter(run), run.dataset
    ax, web = plot.scatter(record).axes[0], _traces(record)
    for hollow, n in ((True, d.n_test), (False, d.n_train)):
        assert sum(len(c.get_offsets()) for c in point_clouds(ax) if is_hollow(c) is hollow) == n
        open_ = [t for t in web if str(t.marker.symbol).endswith("-open") is hollow]
        assert sum(len(t.x) for t in open_) == n
        assert all(t.name.endswith("test") is hollow for t in open_)
    legend = legend_texts(ax) if ax.get_legend() else []
    assert ("test" in legend) is (d.n_test > 0)


def test_two_inputs_of_a_regression_have_the_target_as_colour(runs: dict[str, Run]) -> None:
    """One scale for both parts, in the target's units, and named."""
    run = runs.setdefault("many values", SOURCES["many values"]())
    record, d = analysis.scatter(run, features=("bmi", "bp")), run.dataset
    assert _is_by_value(record)
    targets = np.concatenate([d.y, d.y_test]).astype(np.float64) * d.y_scale + d.y_mean
    fig, web = plot.scatter(record), plot.scatter_plotly(record)
    assert fig.axes[1].get_ylabel() == web.layout.coloraxis.colorbar.title.text == "progression"
    train, test = point_clouds(fig.axes[0])
    for drawn, part in ((train, slice(0, d.n_train)), (test, slice(d.n_train, None))):
        np.testing.assert_array_equal(drawn.get_array(), targets[part])
        assert drawn.get_clim() == (targets.min(), targets.max())
    parts = (slice(0, d.n_train), slice(d.n_train, None))
    for trace, part in zip(_traces(record), parts, strict=True):
        np.testing.assert_array_equal(trace.marker.color, targets[part])
        assert trace.marker.coloraxis == "coloraxis"
    marks = [trace for trace in web.data if trace.showlegend]
    assert [(mark.name, mark.marker.symbol) for mark in marks] == [
        ("training", "circle"),
        ("test", "circle-open"),
    ]
    assert {mark.marker.color for mark in marks} == {theme.INKS["light"].muted}
    fig.draw_without_rendering()
    edges = {to_hex(colour) for colour in test.get_edgecolor()}
    assert len(edges) > 20  # each hollow point has the colour of its value


def test_classes_over_one_input_stand_in_rows_with_their_labels(runs: dict[str, Run]) -> None:
    """The axis names the classes; samples of the test part lie a little higher."""
    X = np.linspace(0, 1, 40)
    run = fs.fit((X, np.where(X > 0.5, "b<i>", "a$")), epochs=1, test_fraction=0.25)
    record = analysis.scatter(run)
    ax, web = plot.scatter(record).axes[0], plot.scatter_plotly(record)
    assert ax.get_yticks().tolist() == list(web.layout.yaxis.tickvals) == [0, 1]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a\\$", "b<i>"]
    assert list(web.layout.yaxis.ticktext) == ["a&#36;", "b&lt;i>"]
    for trace in traces(web, "scatter"):
        gap = 0.12 if trace.name.endswith("test") else 0.0
        assert {round(float(y) % 1, 9) for y in trace.y} == {gap}


@pytest.mark.parametrize("features", [("petal length (cm)", "sepal width (cm)"), (2, 1)])
def test_inputs_are_chosen_by_name_or_number(runs: dict[str, Run], features: Any) -> None:
    """The first is the abscissa, the second the ordinate; both axes are named."""
    run = runs.setdefault("many classes", SOURCES["many classes"]())
    record = analysis.scatter(run, features=features)
    ax, web = plot.scatter(record).axes[0], plot.scatter_plotly(record)
    names = ("petal length (cm)", "sepal width (cm)")
    assert (ax.get_xlabel(), ax.get_ylabel()) == names
    assert (web.layout.xaxis.title.text, web.layout.yaxis.title.text) == names
    drawn = np.concatenate(list(by_colour(ax).values()))
    assert rows(drawn) == rows(run.dataset.inputs()[:, [2, 1]])


def test_one_input_of_many_is_drawn_against_the_target(runs: dict[str, Run]) -> None:
    """The target is the other axis, in its own units."""
    run = runs.setdefault("many values", SOURCES["many values"]())
    record, d = analysis.scatter(run, features=["bmi"]), run.dataset
    ax = plot.scatter(record).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("bmi", "progression")
    drawn = np.concatenate(list(by_colour(ax).values()))
    assert rows(drawn) == rows(_own(d, record))


@pytest.mark.parametrize("look", ["light", "dark"])
def test_both_themes_draw(run: Run, look: str) -> None:
    """Without a warning, on the ground of the theme, under the title."""
    record = analysis.scatter(run)
    fig, web = plot.scatter(record, theme=look), plot.scatter_plotly(record, theme=look)
    fig.draw_without_rendering()
    assert to_hex(fig.get_facecolor()) == web.layout.paper_bgcolor == theme.INKS[look].paper
    legend = fig.axes[0].get_legend()
    title = fig.axes[0].get_title(loc="left") if legend is None else legend.get_title().get_text()
    assert title == web.layout.title.text == record.title


@pytest.mark.parametrize("regression", [True, False])
def test_many_samples_are_thinned_evenly(regression: bool) -> None:
    """MAX_POINTS are drawn at most, whatever the colour stands for."""
    X = np.random.RandomState(0).normal(size=(6000, 2))
    run = fs.fit((X, X[:, 0] if regression else X[:, 0] > 0), epochs=1, test_fraction=0.25)
    record = analysis.scatter(run)
    fig: Any = plot.scatter(record)
    ax: Axes = fig.axes[0]
    clouds: list[PathCollection] = point_clouds(ax)
    n = sum(len(c.get_offsets()) for c in clouds)
    assert theme.MAX_POINTS / 2 < n <= theme.MAX_POINTS
    assert sum(len(trace.x) for trace in _traces(record)) == n


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (["sepal lenght (cm)"], UnknownNameError, "Did you mean `sepal length"),
        ([0, 9], UnknownNameError, "`9` is not an input of this run"),
        ([0, 0], DataError, "`features` must name 2 different inputs"),
        ([0, 1, 2], DataError, "`features` must name 2 different inputs"),
        ([], DataError, "`features` must name 2 different inputs"),
        ("sepal length (cm)", DataError, "`features` must be a list of inputs"),
    ],
)
def test_wrong_features_are_refused(features: Any, error: type[Exception], message: str) -> None:
    """In one sentence each."""
    data = fs.fit("iris", epochs=1).dataset
    with pytest.raises(error, match=message):
        analysis.scatter(data, features=features)


def test_without_samples_there_is_nothing_to_draw(run: Run) -> None:
    """The sentence says that they were left out."""
    with pytest.raises(DataError, match="scatter needs the data; this run was saved without it"):
        analysis.scatter(run.dataset.without_arrays())
