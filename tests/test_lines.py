"""The lines of the first layer: exact ends, exact regions, every sample in its region."""

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex

import fitscope as fs
from fitscope import plot
from fitscope.analysis import HiddenLines, hidden_lines
from fitscope.errors import DataError
from fitscope.plot import theme
from fitscope.records import Run


def _net(W: Any, b: Any, **settings: Any) -> Run:
    """Rings with a first layer of our choosing at step 0."""
    h = len(b)
    init = [*np.ravel(W), *b, *[1.0] * h, 0.0]
    return fs.fit("rings-3", hidden=[h], init=[float(v) for v in init], epochs=1, **settings)


@pytest.fixture(scope="module")
def published(figures: dict[str, Any]) -> Run:
    """The published net of three units, at step 0."""
    layer = figures["rings"]["hidden_layer"]
    return _net(layer["W1"], layer["b1"])


@pytest.fixture(scope="module")
def cancer() -> Run:
    """Two standardised inputs, with a test part."""
    names = ["mean radius", "mean texture"]
    settings: dict[str, Any] = {"epochs": 30, "lr": 0.1, "test_fraction": 0.25}
    return fs.fit("breast-cancer", features=names, hidden=[3], **settings)


@pytest.fixture(scope="module")
def diabetes() -> Run:
    """A regression over two inputs."""
    return fs.fit("diabetes", features=["bmi", "s5"], hidden=[3], epochs=30, lr=0.1)


def _window(record: HiddenLines) -> tuple[np.ndarray, np.ndarray]:
    x, y = record.x, record.y
    return np.array([x[0], y[0]]), np.array([x[-1], y[-1]])


def _area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


# The regions


def test_the_published_net_has_the_published_regions(published: Run, figures: Any) -> None:
    """One region of the inner class, six of the outer, each with its printed counts."""
    record = hidden_lines(published, step=0)
    found = {
        str(pattern.astype(int).tolist()): counts.tolist()
        for pattern, counts in zip(record.patterns, record.counts, strict=True)
    }
    assert found == figures["rings"]["regions"]
    assert (record.n_held, record.n_visible) == (7, 7)
    assert record.note == "7 regions hold all samples"


@pytest.mark.parametrize("name", ["cancer", "diabetes", "published"])
def test_each_sample_is_counted_where_torch_says(name: str, request: Any) -> None:
    """The pattern of every sample is that of PyTorch's weighted sums on scaled inputs."""
    run = request.getfixturevalue(name)
    d, record = run.dataset, hidden_lines(run, step=0)
    X = torch.tensor((d.inputs() - d.mean) / d.scale)
    with torch.no_grad():
        on = (run.module(0).double()[0](X) > 0).numpy()
    classes = d.targets().astype(int) if d.classes else np.zeros(len(on), int)
    want = Counter((*map(bool, row), int(label)) for row, label in zip(on, classes, strict=True))
    found = {
        (*map(bool, pattern), label): int(n)
        for pattern, counts in zip(record.patterns, record.counts, strict=True)
        for label, n in enumerate(counts)
        if n
    }
    assert found == dict(want)
    n = record.counts.sum(axis=1)
    assert (np.diff(n) <= 0).all()
    if not d.classes:
        for region in np.flatnonzero(n):
            inside = (on == record.patterns[region]).all(axis=1)
            mean = d.targets()[inside].mean()
            assert record.means[region] == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("h", [1, 3, 8])
def test_regions_tile_the_window(h: int) -> None:
    """Their areas add up to the window, no two share a pattern, each middle lies inside."""
    run = fs.fit("rings-3", hidden=[h], epochs=1, seed=3)
    record = hidden_lines(run, step=0, n_grid=60)
    low, high = _window(record)
    area = sum(_area(p) for p in record.polygons if len(p))
    assert area == pytest.approx(np.prod(high - low), rel=1e-9)
    assert len({p.tobytes() for p in record.patterns}) == len(record.patterns)
    seen = np.array([len(p) > 0 for p in record.polygons])
    on = record.centres[seen] @ record.W.T + record.b > 0
    np.testing.assert_array_equal(on, record.patterns[seen])


def test_as_many_regions_as_crossings_make() -> None:
    """Lines in general position: 1 + lines + crossings, those within the window."""
    record = hidden_lines(fs.fit("rings-3", hidden=[9], epochs=1, seed=5), step=0)
    low, high = _window(record)
    crossings = 0
    for i, j in itertools.combinations(range(9), 2):
        point = np.linalg.solve(record.W[[i, j]], -record.b[[i, j]])
        crossings += bool((point > low).all() and (point < high).all())
    n_lines = int((~np.isnan(record.lines[:, 0, 0])).sum())
    assert record.n_visible == 1 + n_lines + crossings


def test_cells_are_the_regions_of_their_places(published: Run) -> None:
    """Row i, column j of the grid belongs to y[i], x[j]."""
    record = hidden_lines(published, step=0, n_grid=37)
    for i, j in itertools.product(range(0, 37, 9), repeat=2):
        on = record.W @ [record.x[j], record.y[i]] + record.b > 0
        assert (record.patterns[record.cells[i, j]] == on).all()


def test_a_unit_and_its_mirror_image_leave_no_gap() -> None:
    """Lines that lie on each other cut once; a sample on both is in a region without area."""
    X = [[-1.0, 0.0], [0.0, 0.5], [1.0, 1.0], [2.0, -1.0]]
    init = [1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0]
    settings: dict[str, Any] = {"hidden": [2], "init": init, "epochs": 1, "standardize": False}
    record = hidden_lines(fs.fit((X, [0, 1, 0, 1]), **settings), step=0)
    assert {
        tuple(p): int(n.sum()) for p, n in zip(record.patterns, record.counts, strict=True)
    } == {
        (False, True): 1,
        (False, False): 1,
        (True, False): 2,
    }
    assert record.n_visible == 2


# The lines


@pytest.mark.parametrize(
    ("w", "b"),
    [((1.0, 0.0), -0.5), ((0.0, 2.0), 1.0), ((1.0, 1.0), 0.0), ((-3.0, 0.2), 4.0)],
    ids=["vertical", "horizontal", "diagonal", "steep"],
)
def test_ends_lie_on_line_and_border(w: tuple[float, float], b: float) -> None:
    """Both ends solve the equation to 1e-9 and lie on the window's border."""
    record = hidden_lines(_net([w], [b]), step=0)
    low, high = _window(record)
    ends = record.lines[0]
    np.testing.assert_allclose(ends @ record.W[0] + record.b[0], 0, atol=1e-9)
    gap = np.minimum(np.abs(ends - low), np.abs(ends - high)).min(axis=1)
    np.testing.assert_allclose(gap, 0, atol=1e-9)
    assert (ends >= low).all()
    assert (ends <= high).all()
    assert np.linalg.norm(ends[1] - ends[0]) > 1


def test_lines_that_are_not_there_are_told() -> None:
    """A unit without weights has no line, one outside the window is named; both have a state."""
    record = hidden_lines(_net([[0, 0], [1, 0], [0, 1]], [1, -50, 0]), step=0)
    assert np.isnan(record.lines[:2]).all()
    assert record.note == "2 regions hold all samples; no line: h1; outside the window: h2"
    assert record.patterns[:, 0].all()
    assert not record.patterns[:, 1].any()


def test_standardised_inputs_give_lines_in_the_datas_units(cancer: Run) -> None:
    """On a line, the unit's weighted sum of the scaled inputs is 0."""
    record, d = hidden_lines(cancer), cancer.dataset
    assert record.x[0] > 3  # a radius, not a deviation
    for unit, ends in enumerate(record.lines):
        scaled = torch.tensor((ends - d.mean) / d.scale)
        with torch.no_grad():
            z = cancer.module().double()[0](scaled)[:, unit].numpy()
        np.testing.assert_allclose(z, 0, atol=1e-9)


def test_a_single_neuron_has_one_line() -> None:
    """It parts the classes that the model predicts."""
    run = fs.fit("gates-and")
    record = hidden_lines(run)
    assert record.names == ("neuron",)
    seen = [run.predict(center[None])[0] for center in record.centres]
    assert seen == [int(pattern[0]) for pattern in record.patterns]


def test_a_diverged_run_draws() -> None:
    """Parameters that are not finite have no line and no region of their own."""
    names = ["bmi", "s5"]
    settings: dict[str, Any] = {"optimizer": "sgd", "lr": 1e6, "epochs": 60}
    run = fs.fit("diabetes", features=names, hidden=[3], activation="relu", **settings)
    assert run.outcome is fs.Outcome.DIVERGED
    record = hidden_lines(run)
    run.plot.hidden_lines().draw_without_rendering()
    run.show.hidden_lines(n_grid=9).to_json()
    assert int(record.counts.sum()) == 442


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: fs.fit("sine-10", epochs=1), "hidden_lines needs two inputs; this run has 1"),
        (lambda: fs.fit("blobs", epochs=1), "hidden layer, or a single neuron; this run has 4"),
        (lambda: fs.fit("rings-3", hidden=[33], epochs=1), "at most 32 units; .* has 33"),
    ],
)
def test_what_it_cannot_show(run: Any, message: str) -> None:
    """One sentence for each."""
    with pytest.raises(DataError, match=message):
        hidden_lines(run())


# The pictures


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("name", ["published", "cancer", "diabetes"])
def test_matplotlib_draws_the_record(name: str, ground: str, request: Any) -> None:
    """Each region's polygon in the tint of its majority, and each line between its ends."""
    run = request.getfixturevalue(name)
    record = hidden_lines(run, step=0)
    fig = plot.hidden_lines(record, theme=ground)
    fig.draw_without_rendering()
    ax = fig.axes[0]
    (regions,) = [c for c in ax.collections if isinstance(c, PolyCollection)]
    shown = [p for p in record.polygons if len(p)]
    for path, polygon in zip(regions.get_paths(), shown, strict=True):
        np.testing.assert_array_equal(path.vertices[: len(polygon)], polygon)
    if record.dataset.classes:
        most = [
            int(c.argmax()) for c, p in zip(record.counts, record.polygons, strict=True) if len(p)
        ]
        held = [
            bool(c.sum()) for c, p in zip(record.counts, record.polygons, strict=True) if len(p)
        ]
        tints = [theme.tint(theme.class_colour(index), 0.28) for index in most]
        faces = [to_hex(face) for face in regions.get_facecolor()]
        assert [f for f, h in zip(faces, held, strict=True) if h] == [
            t for t, h in zip(tints, held, strict=True) if h
        ]
    lines, ticks = [c for c in ax.collections if isinstance(c, LineCollection)]
    seen = record.lines[~np.isnan(record.lines).any(axis=(1, 2))]
    np.testing.assert_array_equal(np.array(lines.get_segments()), seen)
    for foot, tip in ticks.get_segments():
        z = np.stack([foot, tip]) @ record.W.T + record.b
        assert (np.isclose(z[0], 0, atol=1e-6) & (z[1] > 0)).any()
    assert {text.get_text() for text in ax.texts} >= set(record.names)


def test_regions_are_labelled_with_pattern_and_counts(published: Run) -> None:
    """Each label stands in its region; h1 is the first digit."""
    ax = published.plot.hidden_lines(step=0).axes[0]
    labels = {t.get_text(): t.get_position() for t in ax.texts}
    assert "110\n1,000 / 0" in labels
    record = hidden_lines(published, step=0)
    on = record.W @ labels["110\n1,000 / 0"] + record.b > 0
    assert on.tolist() == [True, True, False]


@pytest.mark.parametrize("name", ["published", "cancer", "diabetes"])
def test_plotly_draws_the_record(name: str, request: Any) -> None:
    """The cells with their pattern and counts, the lines, and the same traces at every step."""
    run = request.getfixturevalue(name)
    record = hidden_lines(run, step=0, n_grid=20)
    fig = plot.hidden_lines_plotly(record)
    ground = fig.data[0]
    np.testing.assert_array_equal(ground.z, record.cells)
    told = np.array(ground.customdata)
    bits = np.array([int("".join("01"[int(on)] for on in p)) for p in record.patterns])
    np.testing.assert_array_equal(told[..., 0], bits[record.cells])
    np.testing.assert_array_equal(told[..., 1], record.counts[record.cells, 0])
    drawn = np.column_stack([fig.data[1].x, fig.data[1].y]).reshape(-1, 3, 2)
    np.testing.assert_array_equal(drawn[:, :2], record.lines)
    assert np.isnan(drawn[:, 2]).all()
    later = run.show.hidden_lines(n_grid=20)
    assert [t.type for t in later.data] == [t.type for t in fig.data]
