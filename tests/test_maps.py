"""Unit maps: each unit's answer over the inputs, where the network has it."""

from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

import fitscope as fs
from fitscope import plot
from fitscope.analysis import UnitMaps, unit_maps
from fitscope.errors import DataError
from fitscope.plot.theme import CLASS_COLOURS
from fitscope.records import Run


@pytest.fixture(scope="module")
def cancer() -> Run:
    """Two standardised inputs, two hidden layers, two classes."""
    names = ["mean radius", "mean texture"]
    settings: dict[str, Any] = {"epochs": 30, "lr": 0.05, "activation": "tanh"}
    return fs.fit("breast-cancer", features=names, hidden=[3, 2], **settings)


@pytest.fixture(scope="module")
def iris() -> Run:
    """Three classes over two inputs."""
    names = ["sepal length (cm)", "sepal width (cm)"]
    return fs.fit("iris", features=names, hidden=[4], activation="relu", epochs=20)


@pytest.fixture(scope="module")
def sine() -> Run:
    """One input, a regression."""
    return fs.fit("sine-10", epochs=20)


def _grid(record: UnitMaps) -> np.ndarray:
    """The places of a map's values, row by row."""
    if not len(record.y):
        return record.x[:, None]
    x, y = np.meshgrid(record.x, record.y)
    return np.column_stack([x.ravel(), y.ravel()])


@pytest.mark.parametrize("name", ["cancer", "iris", "sine"])
@pytest.mark.parametrize("step", [0, -1])
def test_every_map_is_what_torch_answers(name: str, step: int, request: Any) -> None:
    """Inputs answer themselves, hidden units their activation, outputs what `predict` says."""
    run = request.getfixturevalue(name)
    record, d = unit_maps(run, step=step, n_grid=12), run.dataset
    points = _grid(record)
    flat = [array.reshape(len(array), -1).T for array in record.maps]
    np.testing.assert_array_equal(flat[0], points)
    a = torch.tensor((points - d.mean) / d.scale)
    module = run.module(step).double()
    for layer, hidden in enumerate(flat[1:-1]):
        with torch.no_grad():
            a = module[2 * layer + 1](module[2 * layer](a))
        np.testing.assert_allclose(hidden, a.numpy(), rtol=1e-10, atol=1e-13)
    if d.classes:
        p = run.predict_proba(points, step=step)
        np.testing.assert_allclose(flat[-1], p[:, 1:] if d.k == 1 else p, rtol=1e-10)
    else:
        np.testing.assert_allclose(flat[-1][:, 0], run.predict(points, step=step), rtol=1e-10)


def test_colours_are_those_of_the_activation(cancer: Run, iris: Run, sine: Run) -> None:
    """From -1 to 1 for tanh, 0 to 1 for sigmoid and outputs, symmetric by its largest for ReLU."""
    assert unit_maps(cancer).ranges[1].tolist() == [[-1, 1]] * 3
    assert unit_maps(cancer).ranges[-1].tolist() == [[0, 1]]
    assert unit_maps(sine).ranges[1].tolist() == [[0, 1]] * 10
    relu = unit_maps(iris)
    most = relu.maps[1].reshape(4, -1).max(axis=1)
    most = np.where(most > 0, most, 1.0)
    np.testing.assert_array_equal(relu.ranges[1], np.column_stack([-most, most]))
    assert relu.note == "each hidden unit in colours of its own, white at 0"


def test_columns_are_named(cancer: Run, iris: Run, sine: Run) -> None:
    """Inputs by their features, units by layer and number, outputs by class or target."""
    record = unit_maps(cancer, n_grid=3)
    assert record.headings == ("inputs", "layer 1", "layer 2", "output")
    assert record.names[:2] == (("mean radius", "mean texture"), ("h1[1]", "h1[2]", "h1[3]"))
    assert record.names[-1] == ("P(diagnosis = malignant)",)
    assert unit_maps(iris, n_grid=3).names[-1][0] == "P(species = setosa)"
    assert unit_maps(sine, n_grid=3).names[-1] == ("y",)


def test_weights_lead_from_column_to_column(cancer: Run) -> None:
    """They are PyTorch's, and the layers left out leave no lines."""
    module = cancer.module()
    for W, i in zip(unit_maps(cancer, n_grid=3).weights, (0, 2, 4), strict=True):
        np.testing.assert_array_equal(W, module[i].weight.detach().numpy())
    deep = fs.fit("rings-3", hidden=[2] * 7, epochs=1)
    record = unit_maps(deep, n_grid=3)
    assert [len(W) for W in record.weights] == [2] * 6 + [0]
    assert record.note == "the first 6 of 7 hidden layers"
    assert record.headings[-2:] == ("layer 6", "output")
    wide = unit_maps(fs.fit("rings-3", hidden=[20], epochs=1), n_grid=3)
    assert (len(wide.maps[1]), wide.note) == (12, "the first 12 units of a layer")


def test_what_it_cannot_show() -> None:
    """One sentence for each."""
    with pytest.raises(DataError, match="unit_maps needs one or two inputs; this run has 4"):
        unit_maps(fs.fit("iris", epochs=1))
    with pytest.raises(DataError, match="`n_grid` must be from 2 to 300; got 1"):
        unit_maps(fs.fit("rings-3", epochs=1), n_grid=1)


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("name", ["cancer", "iris", "sine"])
def test_matplotlib_draws_every_unit(name: str, ground: str, request: Any) -> None:
    """An image or a curve a unit, column by column, from left to right, and a line a weight."""
    record = unit_maps(request.getfixturevalue(name), n_grid=9)
    fig = plot.unit_maps(record, theme=ground)
    fig.draw_without_rendering()
    axes = iter(fig.axes)
    lefts = []
    for maps, ranges, names in zip(record.maps, record.ranges, record.names, strict=True):
        for values, span, _name in zip(maps, ranges, names, strict=True):
            ax = next(axes)
            if values.ndim == 2:
                np.testing.assert_array_equal(ax.images[0].get_array(), values)
                assert ax.images[0].get_clim() == tuple(span)
                assert ax.images[0].origin == "lower"
            else:
                np.testing.assert_array_equal(ax.lines[0].get_ydata(), values)
        lefts.append(ax.get_position().x0)
    assert next(axes, None) is None
    assert lefts == sorted(lefts)
    W = np.concatenate([W.ravel() for W in record.weights])
    colours = [to_hex(line.get_color()) for line in fig.artists if isinstance(line, Line2D)]
    assert colours == [CLASS_COLOURS[int(w > 0)] for w in W]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cancer", "iris", "sine"])
def test_plotly_draws_every_unit(name: str, request: Any) -> None:
    """The same arrays; as many traces at every step; the weights' lines behind."""
    run = request.getfixturevalue(name)
    record = unit_maps(run, n_grid=9)
    fig = plot.unit_maps_plotly(record)
    lines, drawn = fig.data[:8], fig.data[8:]
    n_lines = sum(len(t.x) // 3 for t in lines)
    assert n_lines == sum(W.size for W in record.weights)
    values = [one for maps in record.maps for one in maps]
    for trace, one in zip(drawn, values, strict=True):
        np.testing.assert_array_equal(trace.z if one.ndim == 2 else trace.y, one)
    start = run.show.unit_maps(n_grid=9, step=0, theme="dark")
    assert [t.type for t in start.data] == [t.type for t in fig.data]


def test_a_diverged_run_draws() -> None:
    """Answers that are not finite leave a map without colours."""
    run = fs.fit("rings-3", epochs=1)
    run.params[-1] = np.nan
    run.plot.unit_maps(n_grid=5).draw_without_rendering()
    run.show.unit_maps(n_grid=5).to_json()
