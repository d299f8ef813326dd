"""The loss surface and the path on it: the record, and both drawings of it."""

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from sklearn.decomposition import PCA

import fitscope as fs
from fitscope import analysis, plot
from fitscope.analysis import LossSurface
from fitscope.errors import DataError, UnknownNameError
from fitscope.evaluation import mean_loss
from fitscope.network import forward, layers, parameter_names
from fitscope.plot.canvas import new_axes
from fitscope.plot.theme import HIGHLIGHT
from fitscope.records import Run

WINDOW: dict[str, Any] = {"x_range": (-15.0, 15.0), "y_range": (-13.0, 13.0)}
BOTH = ["cross_entropy", "mse"]


@pytest.fixture(scope="module")
def step() -> Run:
    """One neuron on the step, with the notebook's start."""
    return fs.fit("bad-start")


@pytest.fixture(scope="module")
def rings() -> Run:
    """Three hidden units on rings, not trained to the end."""
    return fs.fit("rings-3", epochs=1500, lr=0.01, n_samples=100)


@pytest.fixture(scope="module")
def threshold() -> LossSurface:
    """A surface with an optimum."""
    return analysis.loss_surface(fs.fit("threshold-sgd"), n_grid=12)


def _loss(run: Run, params: np.ndarray, name: str | None = None) -> float:
    """The loss on the training part, the slow way."""
    d, activation = run.dataset, run.experiment.network.activation
    logits = forward(params, d.X, sizes=run.layer_sizes, activation=activation)
    return mean_loss(name or str(run.experiment.training.loss), d.task, logits, d.y)


# The record


def test_surface_has_the_published_range(step, figures):
    """The notebook's 30 x 30 surface: its least and largest loss, which it had in float32."""
    surface = analysis.loss_surface(step, n_grid=30, **WINDOW)
    published = figures["bad_start"]["surface"]
    assert surface.values.min() == pytest.approx(published["min"], rel=1e-6)
    assert surface.values.max() == pytest.approx(published["max"], rel=1e-6)
    assert (surface.x[[0, -1]].tolist(), surface.y[[0, -1]].tolist()) == ([-15, 15], [-13, 13])


@pytest.mark.parametrize("plane", [None, "pca", "random", ("w1[2,1]", "b2[1]")])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_every_node_is_the_loss_of_its_parameters(plane, activation):
    """values[s, i, j] is the loss of origin + x[j] axes[0] + y[i] axes[1], node by node."""
    run = fs.fit("rings", epochs=30, n_samples=40, hidden=[3, 2], activation=activation)
    surface = analysis.loss_surface(run, plane=plane, loss=BOTH, n_grid=5)
    for s, name in enumerate(BOTH):
        for i, y in enumerate(surface.y):
            for j, x in enumerate(surface.x):
                at = surface.origin + x * surface.axes[0] + y * surface.axes[1]
                assert surface.values[s, i, j] == pytest.approx(_loss(run, at, name), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "loss"),
    [("iris", "cross_entropy"), ("iris", "mse"), ("sine", "mse"), ("sine", "smooth_l1")],
)
def test_classes_and_values_have_surfaces_too(name, loss):
    """Several outputs, and regression, node by node on the diagonal."""
    run = fs.fit(name, epochs=20, hidden=[4])
    surface = analysis.loss_surface(run, loss=loss, n_grid=4)
    for i in range(4):
        at = surface.origin + surface.x[i] * surface.axes[0] + surface.y[i] * surface.axes[1]
        assert surface.values[0, i, i] == pytest.approx(_loss(run, at, loss), rel=1e-12)


def test_many_models_at_a_time_are_as_one_by_one(rings, monkeypatch):
    """However few fit into the memory allowed, the losses are the same."""
    at_once = analysis.loss_surface(rings, n_grid=6)
    monkeypatch.setattr("fitscope.analysis.models._CHUNK", 1)
    np.testing.assert_allclose(analysis.loss_surface(rings, n_grid=6).values, at_once.values)


@pytest.mark.parametrize("until", [-1, 100])
def test_the_path_lies_on_the_surface(step, until):
    """Its losses are those of its parameters on the whole training part, not of a batch."""
    surface = analysis.loss_surface(step, step=until, n_grid=4, loss=BOTH)
    n = len(step.steps) if until == -1 else until + 1
    np.testing.assert_array_equal(surface.steps, step.steps[:n])
    np.testing.assert_allclose(surface.path, step.params[:n], rtol=1e-6)
    for s, name in enumerate(BOTH):
        alone = [_loss(step, params, name) for params in step.params[:n]]
        np.testing.assert_allclose(surface.path_loss[s], alone, rtol=1e-12)
        np.testing.assert_allclose(surface.projected_loss[s], alone, rtol=1e-9)
    assert surface.distance.max() == pytest.approx(0, abs=1e-9)
    assert surface.explained.sum() == pytest.approx(1)
    off = np.abs(surface.path_loss[0, 1:] - step.batch_loss[: n - 1]).max()
    assert off > 1  # what pairing with the stored batch losses would have been off


def test_surface_is_the_same_at_every_step(step):
    """So that a movie's picture stands still while the path grows."""
    early, late = (analysis.loss_surface(step, step=at, n_grid=5) for at in (0, -1))
    np.testing.assert_array_equal(early.values, late.values)
    np.testing.assert_array_equal(early.x, late.x)
    assert early.path.shape == (1, 2)
    assert early.title == "loss on the training part, before training"


def test_a_long_path_is_thinned_to_a_thousand(rings):
    """Evenly, with the first and the last step."""
    surface = analysis.loss_surface(rings, n_grid=3)
    assert len(surface.steps) == 1000
    assert surface.steps[[0, -1]].tolist() == [0, 1500]
    assert set(np.diff(surface.steps).tolist()) == {1, 2}


def test_principal_directions_are_those_of_scikit_learn(rings):
    """Orthonormal, with its explained variance; the plane passes through the end."""
    surface = analysis.loss_surface(rings, n_grid=3)
    pca = PCA(2, svd_solver="full").fit(rings.params.astype(np.float64))
    assert surface.plane == "pca"
    np.testing.assert_allclose(surface.axes @ surface.axes.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(np.abs((surface.axes * pca.components_).sum(axis=1)), 1, rtol=1e-9)
    np.testing.assert_allclose(surface.explained, pca.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_array_equal(surface.origin, rings.params[-1])
    assert surface.path[-1] == pytest.approx([0, 0])
    assert surface.path[0, 0] < 0  # the path goes to the right


def test_directions_of_a_large_net_are_found_by_iteration():
    """Hundreds of parameters and steps, where not all directions are computed."""
    run = fs.fit("rings", hidden=[80], epochs=320, n_samples=30, lr=0.01)
    assert min(run.params.shape) > 300
    surface = analysis.loss_surface(run, n_grid=2)
    pca = PCA(2, svd_solver="full").fit(run.params.astype(np.float64))
    np.testing.assert_allclose(surface.axes @ surface.axes.T, np.eye(2), atol=1e-10)
    np.testing.assert_allclose(surface.explained, pca.explained_variance_ratio_, rtol=1e-6)


def test_random_directions_are_normalised_unit_by_unit(rings):
    """Each unit's weights in a direction have the norm that they have in the model; so its bias."""
    surface = analysis.loss_surface(rings, plane="random", step=700, n_grid=2)
    here = rings.params[700].astype(np.float64)
    np.testing.assert_array_equal(surface.origin, here)
    for direction in surface.axes:
        for (D, e), (W, b) in zip(
            layers(direction, rings.layer_sizes), layers(here, rings.layer_sizes), strict=True
        ):
            np.testing.assert_allclose(np.linalg.norm(D, axis=1), np.linalg.norm(W, axis=1))
            np.testing.assert_allclose(np.abs(e), np.abs(b))
    again = analysis.loss_surface(rings, plane="random", step=700, n_grid=2)
    other = analysis.loss_surface(rings, plane="random", step=700, n_grid=2, seed=1)
    np.testing.assert_array_equal(surface.axes, again.axes)
    assert (surface.axes != other.axes).any()
    assert surface.x[0] <= -1
    assert surface.y[-1] >= 1


@pytest.mark.parametrize("plane", ["pca", "random", ("w1[1,1]", "w1[3,2]")])
def test_distances_are_to_the_nearest_point_of_the_plane(rings, plane):
    """By least squares, point by point; so are the losses there, and the share of variance."""
    surface = analysis.loss_surface(rings, plane=plane, step=50, n_grid=2)
    for i in (0, 7, 50):
        away = rings.params[i].astype(np.float64) - surface.origin
        place, *_ = np.linalg.lstsq(surface.axes.T, away)
        np.testing.assert_allclose(surface.path[i], place, atol=1e-9)
        nearest = place @ surface.axes
        assert surface.distance[i] == pytest.approx(np.linalg.norm(away - nearest), abs=1e-9)
        there = _loss(rings, surface.origin + nearest)
        assert surface.projected_loss[0, i] == pytest.approx(there, rel=1e-9)
    centred = rings.params - rings.params.mean(axis=0, dtype=np.float64)
    inside = centred @ np.linalg.pinv(surface.axes) @ surface.axes
    assert surface.explained.sum() == pytest.approx((inside**2).sum() / (centred**2).sum())


def test_two_chosen_parameters_have_their_values_as_coordinates(rings):
    """All others stand where they are at the step, so the path ends in the plane."""
    surface = analysis.loss_surface(rings, plane=["b1[2]", "w2[1,1]"], step=300, n_grid=3)
    at = [parameter_names(rings.layer_sizes).index(name) for name in surface.axis_names]
    assert surface.axis_names == ("b1[2]", "w2[1,1]")
    np.testing.assert_allclose(surface.path, rings.params[:301, at], rtol=1e-6)
    assert surface.distance[-1] == pytest.approx(0, abs=1e-9)
    assert surface.path_loss[0, -1] == pytest.approx(surface.projected_loss[0, -1])


def test_optimum_and_origin_are_in_view(threshold):
    """By default the picture holds the whole path, the origin and a near optimum."""
    found = threshold.optima[0]
    assert found == pytest.approx([16.29, 0.733, 0.0505], abs=5e-3)
    for place in (*threshold.path, found[:2], (0.0, 0.0)):
        assert threshold.x[0] < place[0] < threshold.x[-1]
        assert threshold.y[0] < place[1] < threshold.y[-1]
    assert threshold.notes[0].startswith("The optimum is w = 16.29, b = 0.7332, where")


def test_separable_classes_get_no_star(step):
    """The note says why."""
    surface = analysis.loss_surface(step, n_grid=3)
    assert np.isnan(surface.optima[0]).all()
    assert surface.notes[0].startswith("The classes can be told apart by a line, so the loss")


def test_the_note_of_a_plane_tells_how_much_of_the_path_it_shows(rings):
    """Its share of the variance and the largest distance, as they are in the record."""
    surface = analysis.loss_surface(rings, plane="random", n_grid=2)
    share, away = surface.explained.sum(), surface.distance.max()
    assert surface.notes[0] == (
        f"{100 * share:.0f} % of the path's variance lies in this plane; "
        f"the path leaves it by up to {away:.2g}."
    )


def test_span_widens_the_picture(step):
    """Twice as much on both axes, about the same middle."""
    one, two = (analysis.loss_surface(step, n_grid=3, span=span) for span in (1.0, 2.0))
    assert np.ptp(two.x) == pytest.approx(2 * np.ptp(one.x))
    assert two.y[1] == pytest.approx(one.y[1])


def test_a_path_of_no_length_falls_back_to_random_directions():
    """A start that is a rest: pca has no directions; asked for, it says so."""
    run = fs.fit("rings", epochs=3, hidden=[2], lr=1e-30, optimizer="sgd", n_samples=20)
    surface = analysis.loss_surface(run, n_grid=3)
    assert surface.plane == "random"
    assert surface.explained.tolist() == [0, 0]
    assert surface.notes[0] == "The path has no length in this plane."
    with pytest.raises(DataError, match="has no length, so it has no directions"):
        analysis.loss_surface(run, plane="pca")


def test_a_path_along_one_line_gets_a_second_direction():
    """One update: the second axis is drawn, at right angles, and explains nothing."""
    run = fs.fit("rings", epochs=1, hidden=[2], n_samples=20)
    surface = analysis.loss_surface(run, n_grid=3)
    np.testing.assert_allclose(surface.axes @ surface.axes.T, np.eye(2), atol=1e-9)
    assert surface.explained == pytest.approx([1, 0], abs=1e-9)
    assert surface.notes[0].endswith("lies in this plane; the path does not leave it.")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"plane": "exact"}, DataError, "`exact` needs a model with two parameters.* has 13"),
        ({"plane": "pcaa"}, UnknownNameError, "`plane` must be exact, pca, .*Did you mean `pca`"),
        ({"plane": ("w1[1,1]", "w9")}, UnknownNameError, "`w9` is not a parameter of this run"),
        ({"plane": ("b2[1]", "b2[1]")}, DataError, "`plane` must name two different parameters"),
        ({"loss": "smooth_l1"}, DataError, "`loss` must be one of cross_entropy, mse for binary"),
        ({"loss": []}, DataError, "`loss` must name at least one loss"),
        ({"n_grid": 1}, DataError, "`n_grid` must be from 2 to 1000; got 1"),
        ({"span": 0.0}, DataError, "`span` must be a positive number; got 0"),
        ({"x_range": (2.0, 1.0)}, DataError, "`x_range` must be two numbers, the smaller first"),
        ({"y_range": (0.0, np.inf)}, DataError, "`y_range` must be two numbers"),
        ({"step": 9999}, DataError, "Step 9999 is not in this run"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_sentence(rings, options, error, message):
    """Every wrong argument has its message."""
    with pytest.raises(error, match=message):
        analysis.loss_surface(rings, **options)


def test_surface_needs_the_data_and_parameters_that_differ_from_0(step):
    """A run without its data; random directions at a start of zeros."""
    step.save("run.safetensors", data=False)
    with pytest.raises(DataError, match="loss_surface needs the data"):
        analysis.loss_surface(fs.load("run.safetensors"))
    zeros = fs.fit("rings", hidden=[2], init="zeros", epochs=1, n_samples=20)
    with pytest.raises(DataError, match="Random directions need parameters that are not 0"):
        analysis.loss_surface(zeros, plane="random", step=0)


# The drawings


def _lines(ax: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in ax.get_lines()}


def test_contour_draws_the_surface_and_its_path(threshold):
    """Filled levels over the grid's extent; the path, its ends and the star at their places."""
    ax = plot.loss_surface(threshold).axes[0]
    lines = _lines(ax)
    assert list(lines) == ["path", "start", "end", "optimum"]
    np.testing.assert_array_equal(lines["path"].get_xydata(), threshold.path)
    np.testing.assert_array_equal(lines["start"].get_xydata(), threshold.path[:1])
    np.testing.assert_array_equal(lines["end"].get_xydata(), threshold.path[-1:])
    np.testing.assert_array_equal(lines["optimum"].get_xydata()[0], threshold.optima[0, :2])
    assert (lines["start"].get_markerfacecolor(), lines["end"].get_markerfacecolor()) == (
        "white",
        HIGHLIGHT,
    )
    (field,) = (c for c in ax.collections if not isinstance(c, PathCollection))
    assert field.zmin == pytest.approx(threshold.values.min())
    assert field.zmax == pytest.approx(threshold.values.max())
    assert ax.get_xlim() == pytest.approx(tuple(threshold.x[[0, -1]]))
    assert "The optimum is w = 16.29" in ax.get_xlabel()


def test_surface_in_three_dimensions_carries_its_path(threshold):
    """On a log scale, a hundredth of the range above the loss at each place."""
    ax: Any = plot.loss_surface(threshold, kind="3d").axes[0]
    x, y, z = (np.asarray(part) for part in _lines(ax)["path"].get_data_3d())
    np.testing.assert_array_equal(np.column_stack([x, y]), threshold.path)
    up = 0.01 * np.log10(threshold.values.max() / threshold.values.min())
    np.testing.assert_allclose(z, np.log10(threshold.projected_loss[0]) + up)
    assert "optimum" in _lines(ax)


@pytest.mark.parametrize("log", [True, False])
def test_plotly_draws_what_matplotlib_draws(threshold, log):
    """Levels of the loss or its logarithm, the loss itself at the pointer, the same path."""
    fig = plot.loss_surface_plotly(threshold, log=log)
    field, _, path, start, end, best = fig.data
    wanted = np.log10(threshold.values[0]) if log else threshold.values[0]
    np.testing.assert_allclose(field.z, wanted)
    np.testing.assert_array_equal(field.text, threshold.values[0])
    np.testing.assert_array_equal(np.column_stack([path.x, path.y]), threshold.path)
    np.testing.assert_array_equal(path.customdata[:, 1], threshold.path_loss[0])
    assert (start.x[0], end.x[0]) == (threshold.path[0, 0], threshold.path[-1, 0])
    assert (best.x[0], best.y[0]) == tuple(threshold.optima[0, :2])
    surface, line, *_ = plot.loss_surface_plotly(threshold, kind="3d", log=log).data
    np.testing.assert_array_equal(surface.z, threshold.values[0])
    above = np.array(line.z) / threshold.projected_loss[0] if log else line.z
    assert (np.asarray(above) > (1 if log else threshold.projected_loss[0])).all()


@pytest.mark.parametrize("kind", ["contour", "3d"])
def test_two_losses_stand_side_by_side(step, kind):
    """A panel each, with its own name; one axis cannot hold them."""
    surface = analysis.loss_surface(step, loss=BOTH, n_grid=8)
    fig = plot.loss_surface(surface, kind=kind)
    assert len([ax for ax in fig.axes if _lines(ax)]) == 2
    web = plot.loss_surface_plotly(surface, kind=kind)
    fields = [t for t in web.data if t.type in ("contour", "surface")]
    assert len(fields) == 2
    ax = new_axes(projection="3d" if kind == "3d" else None)
    with pytest.raises(DataError, match="`ax` holds the surface of one loss; this record has 2"):
        plot.loss_surface(surface, kind=kind, ax=ax)


@pytest.mark.parametrize("kind", ["contour", "3d"])
def test_traces_are_the_same_at_every_step(step, kind):
    """Their number and kinds, so that a movie can swap their data."""
    kinds = [
        [t.type for t in step.show.loss_surface(step=at, kind=kind, n_grid=4).data]
        for at in (0, 5, -1)
    ]
    assert kinds[0] == kinds[1] == kinds[2]


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["contour", "3d"])
def test_pictures_draw_without_a_warning(theme, kind, rings):
    """Also for a run that diverged, a loss that is the same everywhere, and a long name."""
    diverged = fs.fit("bad-start", lr=1e6)
    flat = fs.fit("bad-start", epochs=1, init=[0.0, 0.0], lr=1e-9)
    narrow = {"x_range": (0.0, 1e-12), "y_range": (0.0, 1e-12)}
    for run, options in ((diverged, {}), (flat, narrow), (rings, {})):
        fig = run.plot.loss_surface(kind=kind, theme=theme, n_grid=10, **options)
        fig.draw_without_rendering()
        run.show.loss_surface(kind=kind, theme=theme, n_grid=10, **options).to_json()


def test_drawing_options_are_checked(step, threshold):
    """An unknown kind at the door, and axes of the other projection."""
    with pytest.raises(DataError, match=r"`kind` must be one of contour, 3d; got 'contur'\."):
        step.plot.loss_surface(kind="contur")
    with pytest.raises(DataError, match="`ax` must be made for the kind 3d; it is rectilinear"):
        plot.loss_surface(threshold, kind="3d", ax=new_axes())
    ax = new_axes(projection="3d")
    assert plot.loss_surface(threshold, kind="3d", ax=ax) is ax.figure
