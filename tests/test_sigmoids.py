"""Neurons chosen by hand: the sigmoid along one input, and over the plane of two."""

from typing import Any

import numpy as np
import pytest
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from fitscope import analysis, plot
from fitscope.errors import DataError

THEMES = ("light", "dark")


def test_sigmoids_are_the_textbooks() -> None:
    """The notebook's three neurons against 1 / (1 + exp(-z)); boundaries at -b/w, not at b."""
    record = analysis.sigmoid_curves([(1, 5), (5, 5), (1, 0)], n_grid=51)
    np.testing.assert_array_equal(record.x, np.linspace(-10, 10, 51))
    for i, (w, b) in enumerate([(1, 5), (5, 5), (1, 0)]):
        np.testing.assert_allclose(record.y[:, i], 1 / (1 + np.exp(-(w * record.x + b))))
    assert record.boundaries.tolist() == [-5, -1, 0]
    assert record.names == (
        "w = 1, b = 5: 0.5 at -5",
        "w = 5, b = 5: 0.5 at -1",
        "w = 1, b = 0: 0.5 at 0",
    )


def test_a_sigmoid_is_safe_for_every_finite_pair() -> None:
    """No overflow at either end, and no division by a weight of 0."""
    record = analysis.sigmoid_curves([(1e308, -1e308), (-800, 3), (0, -900), (0, 0), (1e-308, 1e9)])
    assert ((record.y >= 0) & (record.y <= 1)).all()
    assert np.isnan(record.boundaries).tolist() == [False, False, True, True, True]
    assert record.names[3] == "w = 0, b = 0: no boundary"


@pytest.mark.parametrize("theme_name", THEMES)
def test_sigmoids_are_drawn_as_they_are(theme_name: str) -> None:
    """A line a neuron, in its own look, and a dot on its boundary; both libraries."""
    pairs = [(w, 1.0) for w in range(12)]
    record = analysis.sigmoid_curves(pairs, x_range=(-3, 4))
    (ax,) = plot.sigmoid_curves(record, theme=theme_name).axes
    lines = {line.get_label(): line for line in ax.lines}
    fig = plot.sigmoid_curves_plotly(record, theme=theme_name)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(record.names)
    assert [trace.name for trace in fig.data[:-1]] == list(record.names)
    looks = set()
    for i, name in enumerate(record.names):
        line = lines[name]
        np.testing.assert_array_equal(line.get_ydata(), record.y[:, i])
        np.testing.assert_array_equal(fig.data[i].y, record.y[:, i])
        looks.add((line.get_color(), line.get_linestyle()))
    assert len(looks) == 12
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(dots, record.boundaries)
    np.testing.assert_array_equal(fig.data[-1].x, record.boundaries)
    assert ax.get_xlim() == (-3, 4)


@pytest.mark.parametrize("weights", [(1, 2, 0), (0, -2, 3), (4, 0, 5), (-3, 1e-3, 0), (1, 1, 12)])
def test_the_plane_is_a_half_on_its_boundary(weights: tuple[float, float, float]) -> None:
    """Both ends lie on the square's rim and on the line; a corner may be all there is."""
    record = analysis.sigmoid_plane(weights)
    w1, w2, b = weights
    x1, x2 = np.meshgrid(np.linspace(-6, 6, 51), np.linspace(-6, 6, 51))
    np.testing.assert_allclose(record.values, 1 / (1 + np.exp(-(w1 * x1 + w2 * x2 + b))))
    if weights == (1, 1, 12):
        assert record.boundary.shape == (0, 2)
        return
    assert record.boundary.shape == (2, 2)
    np.testing.assert_allclose(record.boundary @ [w1, w2] + b, 0, atol=1e-12)
    np.testing.assert_allclose(np.abs(record.boundary).max(axis=1), 6)
    assert record.note == ""


def test_a_plane_without_boundary_says_so() -> None:
    """Both weights 0, or the line outside of the square."""
    record = analysis.sigmoid_plane((0, 0, 1))
    assert record.note == "no boundary: w1 = w2 = 0, it is 0.731 everywhere"
    assert analysis.sigmoid_plane((1, 1, 40)).note == "no boundary: it lies outside"
    assert analysis.sigmoid_plane((1e308, 1e308, -1e308)).boundary.shape == (2, 2)


@pytest.mark.parametrize("theme_name", THEMES)
def test_the_plane_is_drawn_as_map_and_as_surface(theme_name: str) -> None:
    """The values stand where they belong, between 0 and 1, the boundary at 0.5 on top."""
    record = analysis.sigmoid_plane((1, 2, 0))
    ax = plot.sigmoid_plane(record, theme=theme_name).axes[0]
    np.testing.assert_array_equal(ax.images[0].get_array(), record.values)
    assert ax.images[0].origin == "lower"
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.images[0].get_extent()[0] == pytest.approx(-6 - 12 / 50 / 2)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), record.boundary)
    heat, line = plot.sigmoid_plane_plotly(record, theme=theme_name).data
    assert (heat.type, heat.zmin, heat.zmax) == ("heatmap", 0, 1)
    np.testing.assert_array_equal(heat.z, record.values)
    np.testing.assert_array_equal(np.stack([line.x, line.y], 1), record.boundary)
    ax = plot.sigmoid_plane(record, kind="surface", theme=theme_name).axes[0]
    assert [type(c) for c in ax.collections] == [Poly3DCollection]
    np.testing.assert_array_equal(np.stack(ax.lines[0].get_data_3d()[:2], 1), record.boundary)
    surface, line = plot.sigmoid_plane_plotly(record, kind="surface", theme=theme_name).data
    assert (surface.type, line.type) == ("surface", "scatter3d")
    np.testing.assert_array_equal(surface.z, record.values)
    assert set(line.z) == {0.5}


@pytest.mark.parametrize("given", [[], [(1, 2, 3)], [1, 2], [(1, 2)] * 13, 5])
def test_what_is_no_list_of_pairs_is_refused(given: Any) -> None:
    """One to twelve pairs (w, b)."""
    with pytest.raises(DataError, match=r"sigmoid_curves needs 1 to 12 pairs .* shape \("):
        plot.draw("sigmoid_curves", given)


@pytest.mark.parametrize("given", ["ab", [(1, 2), (3,)], [("x", 1)], [(np.nan, 1)], [(1, np.inf)]])
def test_what_is_no_number_is_refused(given: Any) -> None:
    """Numbers, and finite ones."""
    with pytest.raises(DataError, match=r"needs pairs of numbers \(w, b\), as in \[\(1, 5\)\]"):
        plot.draw("sigmoid_curves", given)


@pytest.mark.parametrize("given", [(1, 2), [(1, 2, 3)], (1, 2, np.nan), "abc", 7])
def test_what_is_no_triple_is_refused(given: Any) -> None:
    """Exactly w1, w2 and b."""
    with pytest.raises(DataError, match=r"sigmoid_plane needs three numbers \(w1, w2, b\)"):
        plot.draw("sigmoid_plane", given)


@pytest.mark.parametrize("x_range", [(1, 1), (2, 1), (0, 1, 2), (0, np.inf)])
def test_what_is_no_range_is_refused(x_range: tuple[float, ...]) -> None:
    """Two finite numbers, the smaller first."""
    with pytest.raises(DataError, match="`x_range` must be two numbers, the smaller first"):
        analysis.sigmoid_curves([(1, 0)], x_range=x_range)
    with pytest.raises(DataError, match="`n_grid` must be from 2 to 1000; got 1"):
        analysis.sigmoid_plane((1, 2, 0), n_grid=1)


def test_an_unknown_kind_is_refused() -> None:
    """In both libraries."""
    for backend in ("matplotlib", "plotly"):
        with pytest.raises(DataError, match="`kind` must be one of map, surface; got 'surfaces'"):
            plot.draw("sigmoid_plane", (1, 2, 0), kind="surfaces", backend=backend)
