"""The samples in a hidden layer's space: PyTorch's activations, and the exact border."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection
from sklearn.decomposition import PCA

import fitscope as fs
from fitscope import plot
from fitscope.analysis import HiddenSpace, hidden_space
from fitscope.errors import DataError
from fitscope.records import Run


@pytest.fixture(scope="module")
def three(figures: dict[str, Any]) -> Run:
    """The published first layer, with an output that separates, at step 0."""
    layer = figures["rings"]["hidden_layer"]
    init = [*np.ravel(layer["W1"]), *layer["b1"], 8.0, 8.0, -8.0, -12.0]
    return fs.fit("rings-3", init=[float(v) for v in init], epochs=1)


@pytest.fixture(scope="module")
def deep() -> Run:
    """Two hidden layers, a test part, standardised inputs."""
    names = ["mean radius", "mean texture"]
    settings: dict[str, Any] = {"epochs": 30, "lr": 0.05, "test_fraction": 0.25}
    return fs.fit("breast-cancer", features=names, hidden=[5, 2], activation="tanh", **settings)


@pytest.fixture(scope="module")
def five() -> Run:
    """One hidden layer of five units."""
    return fs.fit("rings-5", epochs=200, lr=0.05, n_samples=200)


@pytest.fixture(scope="module")
def sine() -> Run:
    """A regression with ten hidden units."""
    return fs.fit("sine-10", epochs=50)


def _logit(run: Run, step: int, a: np.ndarray) -> np.ndarray:
    """What PyTorch's last layer makes of activations."""
    with torch.no_grad():
        return np.asarray(run.module(step).double()[-1](torch.tensor(a))[:, 0].numpy())


@pytest.mark.parametrize("layer", [1, 2])
def test_answers_are_those_of_torch(deep: Run, layer: int) -> None:
    """They equal what hooks on the module see, training samples first."""
    seen: list[np.ndarray] = []
    module = deep.module().double()
    module[2 * layer - 1].register_forward_hook(lambda _m, _i, out: seen.append(out.numpy()))
    d = deep.dataset
    with torch.no_grad():
        module(torch.tensor(np.concatenate([d.X, d.X_test]), dtype=torch.float64))
    record = hidden_space(deep, layer=layer)
    np.testing.assert_allclose(record.answers, seen[0], rtol=1e-12, atol=1e-15)
    assert record.title == f"hidden layer {layer} after 30 of 30 updates"
    assert record.names[0] == f"h{layer}[1]"


def test_the_planes_corners_lie_on_it_and_in_the_cube(three: Run) -> None:
    """Each corner has logit 0, lies on an edge of the cube, and follows its neighbour."""
    record = hidden_space(three, step=0)
    (corners,) = record.borders
    assert len(corners) >= 3
    np.testing.assert_allclose(_logit(three, 0, corners), 0, atol=1e-9)
    assert corners.min() >= 0
    assert corners.max() <= 1
    on_faces = (np.isclose(corners, 0) | np.isclose(corners, 1)).sum(axis=1)
    assert (on_faces >= 2).all()
    for here, after in itertools.pairwise([*corners, corners[0]]):  # neighbours share a face
        assert (np.isclose(here, after) & (np.isclose(here, 0) | np.isclose(here, 1))).any()


@pytest.mark.parametrize("c", [-0.5, -1.0, -1.5, -2.5])
def test_the_diagonal_plane_is_a_triangle_or_a_hexagon(c: float) -> None:
    """The plane a + b + c = s cuts the unit cube in the polygon that geometry knows."""
    init = [0.0] * 9 + [1.0, 1.0, 1.0, c]
    record = hidden_space(fs.fit("rings-3", init=init, epochs=1), step=0)
    assert len(record.borders[0]) == {-0.5: 3, -1.0: 3, -1.5: 6, -2.5: 3}[c]
    np.testing.assert_allclose(record.borders[0].sum(axis=1), -c, atol=1e-12)


def test_a_plane_outside_the_cube_has_no_corners() -> None:
    """Where the net answers the same class everywhere, nothing is drawn."""
    init = [0.0] * 9 + [1.0, 1.0, 1.0, 5.0]
    run = fs.fit("rings-3", init=init, epochs=1)
    assert hidden_space(run, step=0).borders[0].shape == (0, 3)
    run.plot.hidden_space(step=0).draw_without_rendering()
    run.show.hidden_space(step=0).to_json()


def test_units_left_out_stand_at_their_medians(five: Run) -> None:
    """With them in place, the corners of every triple have logit 0."""
    record = hidden_space(five, units="all")
    assert record.panels == tuple(itertools.combinations(range(5), 3))
    assert record.note == "plane: probability 0.5, other units at their medians"
    n_seen = 0
    for panel, corners in zip(record.panels, record.borders, strict=True):
        whole = np.tile(np.median(record.answers, axis=0), (len(corners), 1))
        whole[:, panel] = corners
        if len(corners):
            np.testing.assert_allclose(_logit(five, -1, whole), 0, atol=1e-9)
            n_seen += 1
    assert n_seen > 0


def test_two_units_have_a_line_and_one_a_point(deep: Run) -> None:
    """The border of the last layer alone; the first one has none."""
    (line,) = hidden_space(deep, layer=2).borders
    assert line.shape == (2, 2)
    np.testing.assert_allclose(_logit(deep, -1, line), 0, atol=1e-9)
    (none,) = hidden_space(deep, layer=1).borders
    assert len(none) == 0
    single = fs.fit("rings-1", epochs=1, init=[1.0, 0.0, 0.0, 4.0, -1.0])
    (point,) = hidden_space(single, step=0).borders
    assert point.tolist() == [[0.25]]


def test_components_are_those_of_scikit_learn(five: Run) -> None:
    """Coordinates up to sign, shares on the axes, and a border on which the logit is 0."""
    record, plain = hidden_space(five, pca=True), hidden_space(five)
    found = PCA().fit(plain.answers)
    np.testing.assert_allclose(np.abs(record.answers), np.abs(found.transform(plain.answers)))
    share = found.explained_variance_ratio_[0]
    assert record.names[0] == f"PC 1 ({share:.0%})"
    assert (record.panels, record.bounded) == (((0, 1, 2),), False)
    assert record.note == "plane: probability 0.5, other components at 0"
    signs = np.sign((record.answers * found.transform(plain.answers)).sum(axis=0))
    back = found.mean_ + (record.borders[0] * signs[:3]) @ found.components_[:3]
    np.testing.assert_allclose(_logit(five, -1, back), 0, atol=1e-9)


def test_bounds_are_those_of_the_activation(deep: Run, three: Run) -> None:
    """Sigmoid 0 to 1, tanh -1 to 1, ReLU as far as the samples go."""
    assert (hidden_space(three).low[0], hidden_space(three).high[0]) == (0, 1)
    assert (hidden_space(deep).low[0], hidden_space(deep).high[0]) == (-1, 1)
    relu = hidden_space(fs.fit("rings-3", activation="relu", epochs=1))
    assert not relu.bounded
    assert (relu.low <= relu.answers.min(axis=0)).all()
    assert (relu.high >= relu.answers.max(axis=0)).all()


@pytest.mark.slow
def test_many_triples_are_cut_and_said(sine: Run) -> None:
    """At most twenty panels, the first ones; three units by default."""
    record = hidden_space(sine, units="all")
    assert len(record.panels) == 20
    assert record.note == "the first 20 of 120 triples"
    assert hidden_space(sine).note == "the first 3 of 10 units"
    assert hidden_space(sine, units=[10, 2]).panels == ((9, 1),)
    assert len(plot.hidden_space(record).axes) == 20
    fig = plot.hidden_space_plotly(record)
    assert sum(str(key).startswith("scene") for key in fig.to_dict()["layout"]) == 12
    assert "12 of 20 here" in fig.layout.title.text


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("gates-and", {}, "hidden_space needs a hidden layer; this run has none"),
        ("rings-3", {"layer": 2}, "This run has one hidden layer; got `layer` 2"),
        ("rings-3", {"units": [0]}, "one to three different units from 1 to 3; got"),
        ("rings-3", {"units": [1, 1]}, "one to three different units"),
        ("rings-5", {"units": [1, 2, 3, 4]}, "one to three different units"),
        ("rings-3", {"units": [1], "pca": True}, "`units` or `pca`, not both"),
    ],
)
def test_what_it_cannot_show(source: str, options: dict[str, Any], message: str) -> None:
    """One sentence for each."""
    with pytest.raises(DataError, match=message):
        hidden_space(fs.fit(source, epochs=1), **options)


def test_a_diverged_run_is_refused() -> None:
    """Activations that are not finite have no place in a picture."""
    settings: dict[str, Any] = {"optimizer": "sgd", "lr": 1e6, "epochs": 60}
    run = fs.fit("diabetes", hidden=[3], activation="relu", **settings)
    assert run.outcome is fs.Outcome.DIVERGED
    run.params[-1] = np.inf
    with pytest.raises(DataError, match="hidden_space needs finite"):
        hidden_space(run)


def _places(record: HiddenSpace, panel: int = 0) -> np.ndarray:
    return np.sort(record.answers[:, record.panels[panel]], axis=0)


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("three", {}),
        ("deep", {"layer": 2}),
        ("deep", {"layer": 1}),
        ("deep", {"units": [2], "layer": 2}),
        ("five", {"pca": True}),
        ("sine", {"pca": True}),
        ("sine", {"units": [1, 2]}),
        ("sine", {"units": [3]}),
    ],
)
def test_both_libraries_draw_every_sample(
    name: str, options: dict[str, Any], ground: str, request: Any
) -> None:
    """The markers of the first panel are the answers, in whatever order of classes."""
    run = request.getfixturevalue(name)
    record = hidden_space(run, **options)
    fig, web = plot.hidden_space(record, theme=ground), plot.hidden_space_plotly(record)
    fig.draw_without_rendering()
    assert len([ax for ax in fig.axes if ax.get_label() != "<colorbar>"]) == len(record.panels)
    m, (first, *_others) = len(record.panels[0]), fig.axes
    drawn = [c for c in first.collections if isinstance(c, PathCollection) and len(c.get_offsets())]
    if m == 3:
        places = np.concatenate([np.column_stack(c._offsets3d) for c in drawn])
    else:
        places = np.concatenate([np.asarray(c.get_offsets())[:, :m] for c in drawn])
    np.testing.assert_allclose(np.sort(places, axis=0), _places(record))
    traces = [
        t
        for t in web.data
        if t.name != "test"
        and t.type != "mesh3d"
        and t.mode == "markers"
        and (m < 3 or t.scene == "scene")
    ]
    letters = "xyz"[:m]
    told = np.concatenate([np.column_stack([t[letter] for letter in letters]) for t in traces])
    np.testing.assert_allclose(np.sort(told, axis=0), _places(record))


def test_plotly_draws_the_plane_and_the_cube(three: Run) -> None:
    """The mesh has the border's corners; the cube has twelve edges; traces stay the same."""
    record = hidden_space(three, step=0)
    fig = plot.hidden_space_plotly(record)
    (mesh,) = [t for t in fig.data if t.type == "mesh3d"]
    np.testing.assert_array_equal(np.column_stack([mesh.x, mesh.y, mesh.z]), record.borders[0])
    assert len(mesh.i) == len(record.borders[0]) - 2
    assert len(fig.data[0].x) == 36
    later = three.show.hidden_space()
    assert [t.type for t in later.data] == [t.type for t in fig.data]


def test_matplotlib_draws_the_plane(three: Run) -> None:
    """One polygon with the border's corners."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    record = hidden_space(three, step=0)
    (ax,) = plot.hidden_space(record).axes
    (plane,) = [c for c in ax.collections if isinstance(c, Poly3DCollection)]
    corners = np.asarray(plane._faces)[0]
    np.testing.assert_allclose(corners[: len(record.borders[0])], record.borders[0])
