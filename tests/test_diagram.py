"""The diagram: what is drawn is the network's own weights, and a formula computes what it says."""

import re

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from scipy.special import expit

import fitscope as fs
from fitscope import analysis, plot
from fitscope.network import activations, layers
from fitscope.plot import theme
from fitscope.plot.diagram import MAX_WRITTEN
from fitscope.records import Run

FUNCTIONS = {"s": expit, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0.0)}


@pytest.fixture(scope="module")
def rings() -> Run:
    """A 2-3-1 net."""
    return fs.fit("rings-3", epochs=300, lr=0.05)


@pytest.fixture(scope="module")
def deep() -> Run:
    """Two hidden layers, three classes, inputs whose names have spaces."""
    return fs.fit("iris", hidden=[4, 3], activation="tanh", epochs=30, lr=0.05)


@pytest.fixture(scope="module")
def wide() -> Run:
    """More units than are drawn, in the inputs and in the hidden layer."""
    X = np.random.RandomState(0).normal(size=(40, 20))
    return fs.fit((X, X[:, 0]), hidden=[40], activation="relu", epochs=3)


def _value(formula: str, known: dict[str, float]) -> float:
    """A formula computed by Python, its names replaced by their values."""
    right = formula.rsplit(" = ", 1)[-1]
    for name in sorted(known, key=len, reverse=True):
        written = f"[{name}]" if " " in name else name
        right = right.replace(f" {written}", f" * ({known[name]!r})")
    return float(eval(right, {"__builtins__": {}}, FUNCTIONS))  # noqa: S307 (our own text)


@pytest.mark.parametrize("kind", ["rings", "deep"])
def test_every_weight_is_one_edge(kind: str, request: pytest.FixtureRequest) -> None:
    """Weights and biases, sorted out by hand from the flat parameters, each exactly once."""
    run: Run = request.getfixturevalue(kind)
    record = analysis.network_diagram(run, step=20)
    sizes = run.layer_sizes
    assert [len(column) for column in record.names] == sizes
    found = {
        tuple(edge): weight
        for edge, weight in zip(record.edges.tolist(), record.weights, strict=True)
    }
    assert len(found) == len(record.edges)
    first = np.cumsum([0, *sizes])
    for layer, (W, b) in enumerate(layers(run.params[20].astype(np.float64), sizes)):
        for (unit, source), weight in np.ndenumerate(W):
            edge = (int(first[layer] + source), int(first[layer + 1] + unit))
            assert found.pop(edge) == weight
        np.testing.assert_array_equal(record.biases[first[layer + 1] :][: len(b)], b)
    assert found == {}
    assert np.isnan(record.biases[: sizes[0]]).all()


def test_widths_mean_the_same_at_every_step(rings: Run) -> None:
    """The scale is the largest weight of the whole run, biases left out."""
    every = [np.abs(W).max() for row in rings.params for W, _ in layers(row, rings.layer_sizes)]
    for step in (0, -1):
        assert analysis.network_diagram(rings, step=step).largest == max(every)


@pytest.mark.parametrize("kind", ["rings", "deep", "wide"])
def test_a_formula_computes_what_the_unit_answers(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """At random inputs the text, read and computed, gives the unit's activation to its digits."""
    run: Run = request.getfixturevalue(kind)
    x = np.random.RandomState(1).normal(size=(1, run.dataset.d))
    found = activations(
        run.params[-1], x, sizes=run.layer_sizes, activation=run.experiment.network.activation
    )
    answers = [x[0], *(answer[0] for answer in found)]
    if run.dataset.task == "binary":
        answers[-1] = expit(answers[-1])
    names = analysis.unit_names(run)
    for layer in range(1, len(names)):
        known = dict(zip(names[layer - 1], answers[layer - 1].tolist(), strict=True))
        for name, answer in zip(names[layer], answers[layer], strict=True):
            formula = analysis.unit_formula(run, name, n_digits=9)
            assert _value(formula, known) == pytest.approx(answer, rel=1e-6, abs=1e-7), formula


def test_the_formula_is_written_as_in_a_book() -> None:
    """Three digits, signs set apart, s for the sigmoid; an output of two classes is P."""
    start = [-1.444, 5.0525, 1, 0, 6.32, -0.5, 2, -3, 0.001]
    run = fs.fit("rings", hidden=[2], init=start, epochs=1, lr=1e-6)
    record = analysis.network_diagram(run, step=0)
    assert record.formulas == {
        "h1": "h1 = s(-1.44 x1 + 5.05 x2 + 6.32)",
        "h2": "h2 = s(1 x1 + 0 x2 - 0.5)",
        "P(y = 1)": "P(y = 1) = s(2 h1 - 3 h2 + 0.001)",
    }
    assert record.title == "2-2-1 network, before training"
    assert record.note == "a unit answers s(its sum); s is the sigmoid"


def test_names_tell_layers_and_outputs(deep: Run, wide: Run) -> None:
    """One hidden layer counts its units, several name the layer; outputs are classes or target."""
    names = analysis.unit_names(deep)
    assert names[0] == deep.dataset.feature_names
    assert names[1] == ("h1[1]", "h1[2]", "h1[3]", "h1[4]")
    assert names[2:] == (("h2[1]", "h2[2]", "h2[3]"), ("setosa", "versicolor", "virginica"))
    assert analysis.unit_names(wide)[1][39] == "h40"
    assert analysis.unit_names(wide)[2] == ("y",)
    formula = analysis.unit_formula(deep, "h1[1]")
    assert formula.startswith("h1[1] = tanh(")
    assert all(f"[{name}]" in formula for name in names[0])  # names with spaces, in brackets
    assert analysis.unit_formula(deep, "setosa").startswith("logit of setosa = ")
    assert analysis.network_diagram(deep).note == "inputs are standardised"


def test_an_output_is_not_taken_for_a_unit_of_its_name() -> None:
    """A class that is called as a hidden unit gets a dash."""
    X = np.random.RandomState(0).normal(size=(30, 2))
    run = fs.fit((X, np.array(["h1", "h2", "b"] * 10)), hidden=[2], epochs=1)
    assert analysis.unit_names(run)[1:] == (("h1", "h2"), ("b", "h1'", "h2'"))
    assert len(analysis.network_diagram(run).formulas) == 5


def test_wide_layers_are_cut_and_counted(wide: Run) -> None:
    """Sixteen units a column, lines only between these; the unit pointed out is among them."""
    record = analysis.network_diagram(wide, unit="h40")
    assert [len(column) for column in record.names] == [16, 16, 1]
    assert record.left_out == (4, 24, 0)
    assert record.names[1][-1] == "h40"
    assert "28 units and their weights are not drawn" in record.note
    W, b = layers(wide.params[-1].astype(np.float64), wide.layer_sizes)[0]
    own = record.edges[:, 1] == 31  # the last of the second column
    np.testing.assert_array_equal(record.weights[own], W[39, :16])
    assert record.biases[31] == b[39]
    formula = record.formulas["h40"]
    assert "(8 smaller terms)" in formula
    assert formula.count(" x") == 12


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("P(y=1)", r"`P\(y=1\)` is not a unit of this network. Did you mean `P\(y = 1\)`\?"),
        ("zebra", r"`zebra` is not a unit of this network. There are h1, h2, h3, P\(y = 1\)."),
        ("x1", r"`x1` is an input, which has no formula."),
    ],
)
def test_a_wrong_unit_is_told(rings: Run, unit: str, message: str) -> None:
    """One sentence with the near miss, from the diagram and from the formula."""
    with pytest.raises(fs.FitscopeError, match=message):
        analysis.network_diagram(rings, unit=unit)
    with pytest.raises(LookupError, match=message):
        analysis.unit_formula(rings, unit)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("unit", [None, "h2"])
def test_lines_are_the_edges(rings: Run, mode: str, unit: str | None) -> None:
    """Each line joins its two units; warm and solid or cool and dashed; wider for larger ones."""
    record = analysis.network_diagram(rings, unit=unit)
    fig = plot.network_diagram(record, theme=mode)
    (ax,) = fig.axes
    (lines,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    ends = np.array([path.vertices for path in lines.get_paths()])
    np.testing.assert_array_equal(ends, record.positions[record.edges])
    order = np.argsort(np.abs(record.weights))
    assert (np.diff(lines.get_linewidths()[order]) >= 0).all()
    assert max(lines.get_linewidths()) <= 5
    for weight, colour, (_, dashes) in zip(
        record.weights, lines.get_colors(), lines.get_linestyles(), strict=True
    ):
        assert to_hex(colour) == theme.class_colour(int(weight > 0))
        assert (dashes is None) == (weight > 0)
    opacity = np.array(lines.get_colors())[:, 3]
    own = record.edges[:, 1] == 3 if unit else np.ones(9, dtype=bool)
    assert opacity[own].min() > 3 * opacity[~own].max(initial=0)
    circles = next(c for c in ax.collections if isinstance(c, PathCollection))
    np.testing.assert_array_equal(circles.get_offsets(), record.positions)
    red = [to_hex(colour) == theme.HIGHLIGHT for colour in circles.get_edgecolors()]
    assert red == [i == 3 and unit is not None for i in range(6)]
    below = ax.get_xlabel().replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")
    assert below == " ".join([*([record.formulas["h2"]] if unit else []), record.note])


def test_numbers_stand_on_few_lines_and_biases_at_units(rings: Run, wide: Run) -> None:
    """Up to 12 weights are written, on their lines and apart; every bias is."""
    record = analysis.network_diagram(rings)
    (ax,) = plot.network_diagram(record).axes
    written = [text.get_text() for text in ax.texts]
    expected = [f"{w:.3g}" for w in record.weights] + [f"{b:+.3g}" for b in record.biases[2:]]
    assert sorted(w for w in written if re.match(r"[-+\d]", w)) == sorted(expected)
    places = np.array([t.get_position() for t in ax.texts if t.get_text() in expected[:9]])
    for layer in (0, 1):
        heights = np.sort(places[(places[:, 0] > layer) & (places[:, 0] < layer + 1), 1])
        assert np.diff(heights).min() > 0.3
    many = analysis.network_diagram(wide)
    assert len(many.edges) > MAX_WRITTEN
    (ax,) = plot.network_diagram(many).axes
    written = [text.get_text() for text in ax.texts]
    assert f"{many.weights[0]:.3g}" not in written
    assert {"\N{HORIZONTAL ELLIPSIS} 4 more", "\N{HORIZONTAL ELLIPSIS} 24 more"} <= set(written)


def _one_line(text: str) -> str:
    return text.replace("<br>", " ").replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("kind", ["rings", "wide"])
def test_plotly_draws_the_same(kind: str, mode: str, request: pytest.FixtureRequest) -> None:
    """Every line once, in a trace of its sign and width; every unit's formula at the pointer."""
    run: Run = request.getfixturevalue(kind)
    record = analysis.network_diagram(run, unit="h2")
    fig = plot.network_diagram_plotly(record, theme=mode)
    drawn = {}
    for trace in fig.data:
        if trace.mode == "lines" and trace.name is None:
            ends = np.column_stack([trace.x, trace.y]).astype(float).reshape(-1, 3, 2)[:, :2]
            drawn |= {pair.tobytes(): trace for pair in ends}
    assert len(drawn) == len(record.edges)
    own = [drawn[record.positions[edge].tobytes()] for edge in record.edges]
    for trace, weight in zip(own, record.weights, strict=True):
        assert trace.line.color == theme.class_colour(int(weight > 0))
        assert (trace.line.dash == "solid") == (weight > 0)
    order = np.argsort(np.abs(record.weights))
    assert (np.diff([own[i].line.width for i in order]) >= 0).all()
    units = next(trace for trace in fig.data if trace.name == "units")
    np.testing.assert_array_equal(np.column_stack([units.x, units.y]), record.positions)
    later = [record.formulas[name] for column in record.names[1:] for name in column]
    told = [_one_line(text) for text in units.hovertext[len(record.names[0]) :]]
    assert told == later
    assert record.formulas["h2"] in _one_line(fig.layout.xaxis.title.text)


def test_plotly_has_as_many_traces_at_every_step(rings: Run) -> None:
    """A film can swap the data of its traces, though signs and widths change."""
    kinds = [
        [(t.type, t.mode, t.name) for t in rings.show.network_diagram(step=step).data]
        for step in (0, 50, -1)
    ]
    assert kinds[0] == kinds[1] == kinds[2]


def test_a_diverged_network_draws() -> None:
    """Weights that are no numbers are thin lines, in both libraries, without a warning."""
    run = fs.fit("rings-3", optimizer="sgd", lr=1e6, epochs=5)
    params = run.params.copy()
    params[-1, :3] = np.nan, np.inf, -np.inf
    broken = fs.Run(**{**vars(run), "params": params})
    assert np.isfinite(analysis.network_diagram(broken).largest)
    broken.plot.network_diagram().draw_without_rendering()
    assert len(broken.show.network_diagram().data) > 0
