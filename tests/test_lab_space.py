"""The page's arithmetic over planes and spaces: fields, loss surfaces, lines, hidden spaces."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import fitscope as fs
from fitscope import analysis
from fitscope.network import parameter_names
from fitscope.records import Run
from lab_runs import reshaped, some_runs, text_of

if TYPE_CHECKING:
    from browser import Ask

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]
IN_PAGE = "lab_model.js"


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    """One run of every kind."""
    return some_runs()


def check_surface(found: dict[str, Any], known: analysis.LossSurface) -> None:
    """Grid, plane, path and losses are those of the record; places to 1e-6 of the window."""
    plane, path, grid = found["plane"], found["path"], found["grid"]
    assert (plane["kind"], plane["axisNames"]) == (known.plane, list(known.axis_names))
    assert np.allclose(plane["axes"], known.axes, rtol=1e-8, atol=1e-8)
    assert np.allclose(plane["origin"], known.origin, rtol=1e-12)
    assert plane["explained"] == pytest.approx(known.explained, rel=1e-6, abs=1e-9)
    width = np.ptp(known.x)
    assert np.allclose(grid["xs"], known.x, atol=1e-7 * width)
    assert np.allclose(grid["ys"], known.y, atol=1e-7 * width)
    assert grid["nUsed"] == grid["n"]
    values = np.reshape(grid["values"], known.values[0].shape)
    assert np.allclose(values, known.values[0], rtol=1e-6)
    assert np.allclose(np.transpose([path["u"], path["v"]]), known.path, atol=1e-7 * width)
    assert np.allclose(path["distance"], known.distance, rtol=1e-6, atol=1e-7 * width)
    assert np.allclose(found["own"]["values"], known.path_loss[0], rtol=1e-9)
    assert np.allclose(found["onPlane"]["values"], known.projected_loss[0], rtol=1e-6)


def test_an_exact_surface_is_that_of_python(ask: "Ask", runs: dict[str, Run]) -> None:
    """Over w and b, around the path, the origin and an optimum that is handed over."""
    run = runs["neuron"]
    best, known = analysis.optimum(run), analysis.loss_surface(run, n_grid=9)
    assert best.params is not None
    given = {"optimum": {"params": best.params.tolist(), "loss": best.loss}}
    found = ask("surface", [text_of(run), given, {"side": 9}])
    check_surface(found, known)
    assert found["plane"]["note"] == known.notes[0]
    assert list(found["plane"]["optimum"].values()) == pytest.approx(known.optima[0])


@pytest.mark.parametrize("name", ["binary", "multiclass", "regression", "curve"])
def test_a_surface_of_principal_directions_is_that_of_python(
    ask: "Ask", runs: dict[str, Run], name: str
) -> None:
    """Through the path of a larger net, with the share of it that lies in the plane."""
    known = analysis.loss_surface(runs[name], n_grid=7)
    found = ask("surface", [text_of(runs[name]), {}, {"side": 7}])
    check_surface(found, known)
    assert found["plane"]["note"] == known.notes[0]


def test_a_surface_of_two_parameters_is_that_of_python(ask: "Ask", runs: dict[str, Run]) -> None:
    """Two vary, named or by place, and the others stay as they are at the row."""
    run, pair = runs["binary"], ("w1[2,1]", "b2[1]")
    names = parameter_names(run.layer_sizes)
    for parameters in (pair, [names.index(name) for name in pair]):
        found = ask("surface", [text_of(run), {"parameters": parameters}, {"side": 5}])
        check_surface(found, analysis.loss_surface(run, plane=pair, n_grid=5))


def test_random_directions_are_in_proportion_to_the_parameters(
    ask: "Ask", runs: dict[str, Run]
) -> None:
    """Every unit's weights, and its bias, have in both the norms that they have in the model."""
    run = runs["binary"]
    still = replace(run, params=np.repeat(run.params[-1:], len(run.params), axis=0))
    found = ask("surface", [text_of(still), {}, {"side": 3}])
    axes = np.array(found["plane"]["axes"])
    assert found["plane"]["kind"] == "random"
    assert found["plane"]["note"] == "The path has no length in this plane."
    assert np.linalg.matrix_rank(axes) == 2
    for axis in axes:
        for wanted, own in zip(
            fs.network.layers(run.params[-1], run.layer_sizes),
            fs.network.layers(axis, run.layer_sizes),
            strict=True,
        ):
            assert np.allclose(*(np.linalg.norm(W, axis=1) for W, _ in (wanted, own)))
            assert np.allclose(*(np.abs(b) for _, b in (wanted, own)))


def test_a_large_surface_uses_some_samples_and_says_so(ask: "Ask", runs: dict[str, Run]) -> None:
    """They are spread evenly over the training part, and the page gets its turns in between."""
    run = runs["binary"]
    effort = {"side": 4, "sample": 30, "sliceMs": 0}
    grid = ask("surface", [text_of(run), {}, effort])["grid"]
    assert (grid["nUsed"], grid["n"]) == (30, run.dataset.n_train)
    assert grid["n_pauses"] == 16
    kept = np.linspace(0, run.dataset.n_train - 1, 30).round().astype(int)
    part = replace(run.dataset, X=run.dataset.X[kept], y=run.dataset.y[kept], n_train=30)
    known = analysis.loss_surface(replace(run, dataset=part), n_grid=4)
    assert np.allclose(np.reshape(grid["values"], (4, 4)), known.values[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "features"), [("binary", [0, 1]), ("scaled", [27, 3]), ("regression", [2, 8])]
)
def test_a_field_is_a_decision_field(
    ask: "Ask", runs: dict[str, Run], name: str, features: list[int]
) -> None:
    """Answers over two inputs, the others at their medians, and which samples lie near."""
    run = runs[name]
    point = run.dataset.inputs()[3]
    found = ask("field", [text_of(run), features, 11, point.tolist()])
    known = analysis.decision_field(run, features=features, n_grid=11)
    assert np.allclose(found["xs"], known.x, rtol=1e-14)
    assert np.allclose(found["ys"], known.y, rtol=1e-14)
    values = np.reshape(found["out"][0], (11, 11))
    values = values * run.dataset.y_scale + run.dataset.y_mean
    if run.dataset.classes:
        values = 1 / (1 + np.exp(-values))
        proba = run.predict_proba(point[None])[0]
        assert found["answer"]["probabilities"] == pytest.approx(proba)
    assert np.allclose(values, known.values, rtol=1e-9)
    answer = found["answer"].get("label", found["answer"].get("value"))
    label = run.predict(point[None])[0]
    assert answer == (label if run.dataset.classes else pytest.approx(label))
    assert found["slice"]["near"] == known.near.astype(int).tolist()
    assert found["slice"]["note"] == known.note


def test_a_field_of_classes_has_every_logit(ask: "Ask", runs: dict[str, Run]) -> None:
    """Of several classes the likeliest at each place is that of the decision field."""
    run = runs["multiclass"]
    found = ask("field", [text_of(run), [1, 2], 12, [5.0, 3.0, 4.0, 1.0]])
    known = analysis.decision_field(run, features=[1, 2], n_grid=12)
    likeliest = np.argmax(found["out"], axis=0).reshape(12, 12)
    assert np.array_equal(likeliest, known.values)
    assert found["answer"]["label"] == run.predict([[5.0, 3.0, 4.0, 1.0]])[0]


def test_a_field_of_one_input_is_a_response_curve(ask: "Ask", runs: dict[str, Run]) -> None:
    """The answers along the input, over the range that the curve has."""
    run = runs["curve"]
    found = ask("field", [text_of(run), [0], 30, [0.5]])
    known = analysis.response_curve(run, n_grid=30)
    assert found["ys"] is None
    assert np.allclose(found["xs"], known.x, rtol=1e-14)
    values = np.array(found["out"][0]) * run.dataset.y_scale + run.dataset.y_mean
    assert np.allclose(values, known.y[:, 0], rtol=1e-9)


def test_a_grid_is_as_fine_as_a_frame_allows(ask: "Ask", runs: dict[str, Run]) -> None:
    """Its side follows from the work of a pass, at least 24 and at most what is asked for."""
    deep = reshaped(runs["binary"], [64, 64], "relu")
    for run, most in ((deep, 200), (runs["binary"], 120), (runs["scaled"], 400)):
        n_units = sum(run.layer_sizes[1:])
        side = int((4e6 / (run.params.shape[1] + 8 * n_units)) ** 0.5)
        assert ask("side", [text_of(run), most]) == min(most, max(24, side))


def test_a_field_needs_the_data(ask: "Ask", runs: dict[str, Run]) -> None:
    """Without samples there is no range to show, and a sentence says so."""
    said = "This picture needs the data; this run was saved without it."
    assert ask("bare_field", text_of(runs["scaled"], data=False)) == said


def test_moments_share_arrays_but_never_numbers(ask: "Ask", runs: dict[str, Run]) -> None:
    """In the arrays of the one before, a moment shows what it would alone; so does an old one."""
    found = ask("sequence", text_of(runs["binary"]))
    assert len(found["shown"]) > 3
    assert found["shown"] == found["alone"]
    assert found["again"] == found["alone"][0]


def test_lines_are_those_of_python(ask: "Ask", runs: dict[str, Run]) -> None:
    """The first layer's lines, cut by the window; upright and level ones too."""
    run = reshaped(runs["binary"], [6], "tanh")
    params = run.params.copy()
    params[-1, :6] = [1, 0, 0, 2, 0, 0]  # upright, level, and none
    params[-1, 12:15] = [0.3, -0.2, 1]
    params[-1, 17] = 100  # far outside
    run = replace(run, params=params)
    known = analysis.hidden_lines(run)
    window = [[float(axis[0]), float(axis[-1])] for axis in (known.x, known.y)]
    found = ask("clipped", [text_of(run), *window])
    assert np.allclose([line["w"] for line in found["lines"]], known.W)
    assert np.allclose([line["b"] for line in found["lines"]], known.b)
    assert [line["name"] for line in found["lines"]] == list(known.names)
    for ends, line in zip(found["ends"], known.lines, strict=True):
        assert (ends is None) == np.isnan(line).any()
        assert ends is None or np.allclose(ends, line)


def test_lines_of_scaled_inputs_are_in_the_datas_units(ask: "Ask", runs: dict[str, Run]) -> None:
    """Weights and biases of many scaled inputs are those of `input_layer`."""
    run = runs["scaled"]
    W, b = fs.network.input_layer(run)
    found = ask("clipped", [text_of(run), [0, 1], [0, 1]])["lines"]
    assert np.allclose([line["w"] for line in found], W)
    assert np.allclose([line["b"] for line in found], b)


@pytest.mark.parametrize(
    ("name", "hidden", "activation", "options"),
    [
        ("binary", [2], "sigmoid", {}),
        ("binary", [3], "tanh", {}),
        ("binary", [4, 3], "relu", {"layer": 1}),
        ("binary", [5], "sigmoid", {"units": [4, 1]}),
        ("binary", [5], "tanh", {}),
        ("scaled", [9], "relu", {}),
        ("multiclass", [6, 4], "sigmoid", {"pca": True}),
    ],
)
def test_the_hidden_space_is_that_of_python(
    ask: "Ask",
    runs: dict[str, Run],
    name: str,
    hidden: list[int],
    activation: str,
    options: dict[str, Any],
) -> None:
    """Answers, ranges and the border's corners, of units and of principal components."""
    run = reshaped(runs[name], hidden, activation, seed=5)
    found = ask("space", [text_of(run), options])
    layer = options.get("layer", 0)
    units = [unit + 1 for unit in options["units"]] if "units" in options else None
    pca = options.get("pca", units is None and hidden[layer] > 3)
    known = analysis.hidden_space(run, layer=layer + 1, units=units, pca=pca)
    at = list(known.panels[0])
    assert np.allclose(np.transpose(found["answers"]), known.answers[:, at], atol=1e-9)
    assert found["names"] == [known.names[i] for i in at]
    assert np.allclose([found["low"], found["high"]], [known.low[at], known.high[at]])
    assert (found["bounded"], found["note"]) == (known.bounded, known.note)
    corners = np.array(found["border"]).reshape(-1, len(at))
    assert corners.shape == known.borders[0].shape
    for corner in known.borders[0]:  # a polygon may begin at any corner
        assert np.isclose(corners, corner, atol=1e-9).all(axis=1).any()
