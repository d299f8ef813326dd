"""What is the network made of?"""

import itertools
import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32

from fitscope.analysis.needs import hidden_names, needs_plain
from fitscope.errors import UnknownNameError, near_miss
from fitscope.network import layers
from fitscope.records import Label, Run

__all__ = ["MAX_UNITS", "NetworkDiagram", "network_diagram", "unit_formula", "unit_names"]

MAX_UNITS = 16  # drawn in one column
_MAX_TERMS = 12  # written in the formula of a picture
_ONE_WORD = r"[\w.^\[\]]+"
_WRITTEN = {"sigmoid": "s({})", "tanh": "tanh({})", "relu": "relu({})", "identity": "{}"}


@dataclass(frozen=True, eq=False)
class NetworkDiagram:
    """Units as places, weights as lines between them, at one moment.

    Units and lines are counted through all layers, inputs first. With more than 16 units in a
    layer only some are drawn.

    Attributes:
        names: of the drawn units, by layer.
        positions: their places: the layer, and the height above the middle of the picture.
        left_out: how many units of each layer are not drawn.
        edges: from which unit to which unit each line goes.
        weights: of the lines.
        biases: of the units; NaN for inputs.
        largest: the largest |weight| of the whole run, so that widths mean the same at every step.
        formulas: what each drawn unit computes, by name; the 12 largest terms at most.
        unit: the unit that is pointed out, or None.
        title: what is shown, and at which moment.
        note: what the inputs are, and what is left out.
    """

    names: tuple[tuple[str, ...], ...]
    positions: Float64[np.ndarray, "h 2"]
    left_out: tuple[int, ...]
    edges: Int32[np.ndarray, "w 2"]
    weights: Float64[np.ndarray, " w"]
    biases: Float64[np.ndarray, " h"]
    largest: float
    formulas: dict[str, str]
    unit: str | None
    title: str
    note: str


def network_diagram(run: Run, *, step: int = -1, unit: str | None = None) -> NetworkDiagram:
    """Every unit, weight and bias of the network, and the formula of each unit.

    Hidden units are h1, h2, ...; with several hidden layers h2[3] is unit 3 of layer 2. The
    inputs are those that the network sees, which are standardised where the data is.

    Args:
        run: any run.
        step: which moment; -1 is the end.
        unit: a hidden unit or an output to point out, by name.

    Raises:
        UnknownNameError: the network has no such unit.

    Example:
        >>> import fitscope as fs
        >>> network_diagram(fs.fit("gates-and", epochs=5, lr=1.0)).names
        (('x1', 'x2'), ('P(y = 1)',))
    """
    names = unit_names(run)
    layer, index = _place(names, unit) if unit is not None else (0, 0)
    drawn = [list(range(min(len(column), MAX_UNITS))) for column in names]
    if unit is not None and index not in drawn[layer]:
        drawn[layer][-1] = index
    shown = tuple(tuple(names[at][i] for i in kept) for at, kept in enumerate(drawn))
    left_out = tuple(len(column) - len(kept) for column, kept in zip(names, drawn, strict=True))
    edges, weights, biases = _parts(run, step, drawn)
    formulas = {
        name: unit_formula(run, name, step=step, most_terms=_MAX_TERMS)
        for name in itertools.chain(*shown[1:])
    }
    return NetworkDiagram(
        shown,
        _positions(drawn, left_out),
        left_out,
        edges,
        weights,
        biases,
        _largest_weight(run),
        formulas,
        unit,
        f"{'-'.join(map(str, run.layer_sizes))} network, {run.moment(step)}",
        _note(run, left_out),
    )


def unit_names(run: Run) -> tuple[tuple[str, ...], ...]:
    """The name of every unit, by layer: inputs, hidden units, outputs.

    Example:
        >>> import fitscope as fs
        >>> unit_names(fs.fit("rings-3", epochs=1))
        (('x1', 'x2'), ('h1', 'h2', 'h3'), ('P(y = 1)',))
    """
    needs_plain(run, "network_diagram")
    d, hidden = run.dataset, hidden_names(run)
    outputs: tuple[str, ...]
    if d.task == "regression":
        outputs = (d.target_name,)
    elif d.task == "binary":
        outputs = (f"P({_class(d.classes[1], d.target_name)})",)
    else:
        outputs = tuple(_class(label, d.target_name) for label in d.classes)
    taken = {*d.feature_names, *itertools.chain(*hidden)}
    return (d.feature_names, *hidden, tuple(f"{n}'" if n in taken else n for n in outputs))


def unit_formula(
    run: Run, unit: str, *, step: int = -1, n_digits: int = 3, most_terms: int | None = None
) -> str:
    """What a unit computes from the layer before it, as text: "h2 = s(-1.44 x1 + 5.05 x2 + 6.32)".

    s is the sigmoid. The output of two classes is a probability, those of more are the logits.
    A name with spaces stands in square brackets.

    Args:
        run: any run.
        unit: a hidden unit or an output, by name.
        step: which moment; -1 is the end.
        n_digits: significant digits.
        most_terms: how many terms are written, those of the largest weights; default: all.

    Raises:
        UnknownNameError: the network has no such unit.

    Example:
        >>> import fitscope as fs
        >>> unit_formula(fs.fit("bad-start"), "P(y = 1)")
        'P(y = 1) = s(14.9 x - 3.61)'
    """
    names = unit_names(run)
    layer, index = _place(names, unit)
    W, b = layers(run.params[run.row(step)].astype(np.float64), run.layer_sizes)[layer - 1]
    terms = [_term(w, n_digits, name) for w, name in zip(W[index], names[layer - 1], strict=True)]
    if most_terms is not None and len(terms) > most_terms:
        kept = np.sort(np.argsort(-np.abs(W[index]), kind="stable")[:most_terms])
        terms = [*(terms[i] for i in kept), f"+ ({len(terms) - most_terms} smaller terms)"]
    summed = " ".join([*terms, _term(b[index], n_digits)])
    summed = summed.removeprefix("+ ") if summed[0] == "+" else "-" + summed.removeprefix("- ")
    is_hidden = layer < len(names) - 1
    activation = run.experiment.network.activation if is_hidden else "identity"
    task = run.dataset.task
    activation = "sigmoid" if not is_hidden and task == "binary" else activation
    left = f"logit of {unit}" if not is_hidden and task == "multiclass" else unit
    return f"{left} = {_WRITTEN[activation].format(summed)}"


def _term(value: float, n_digits: int, name: str = "") -> str:
    """A number with its sign set apart, and what it is the weight of."""
    number = f"{'-' if value < 0 else '+'} {abs(value):.{n_digits}g}"
    if not name:
        return number
    return f"{number} {name}" if re.fullmatch(_ONE_WORD, name) else f"{number} [{name}]"


def _class(label: Label, target: str) -> str:
    return label if isinstance(label, str) else f"{target} = {label}"


def _place(names: tuple[tuple[str, ...], ...], unit: str) -> tuple[int, int]:
    """Layer and index of a hidden unit or an output."""
    for layer, column in enumerate(names[1:], start=1):
        if unit in column:
            return layer, column.index(unit)
    known = list(itertools.chain(*names[1:]))
    what = "an input, which has no formula" if unit in names[0] else "not a unit of this network"
    several = f"{known[0]} to {known[-1]}" if len(known) > 8 else ", ".join(known)
    hint = near_miss(unit, known) or f" There {'is' if len(known) == 1 else 'are'} {several}."
    raise UnknownNameError(f"`{unit}` is {what}.{hint}")


def _parts(
    run: Run, step: int, drawn: list[list[int]]
) -> tuple[Int32[np.ndarray, "w 2"], Float64[np.ndarray, " w"], Float64[np.ndarray, " h"]]:
    """Lines between drawn units, their weights, and the biases of the drawn units."""
    first = np.cumsum([0, *map(len, drawn)])
    edges, weights, biases = [], [], [np.full(len(drawn[0]), np.nan)]
    params = run.params[run.row(step)].astype(np.float64)
    for layer, (W, b) in enumerate(layers(params, run.layer_sizes)):
        to, source = np.indices((len(drawn[layer + 1]), len(drawn[layer])))
        pairs = np.stack([source + first[layer], to + first[layer + 1]], axis=-1)
        edges.append(pairs.reshape(-1, 2))
        weights.append(W[np.ix_(drawn[layer + 1], drawn[layer])].ravel())
        biases.append(b[drawn[layer + 1]])
    return (
        np.concatenate(edges).astype(np.int32),
        np.concatenate(weights),
        np.concatenate(biases),
    )


def _positions(drawn: list[list[int]], left_out: tuple[int, ...]) -> Float64[np.ndarray, "h 2"]:
    """One column a layer, in the middle of the height, with room for the circle of the rest."""
    columns = []
    for layer, (kept, rest) in enumerate(zip(drawn, left_out, strict=True)):
        top = (len(kept) + bool(rest) - 1) / 2
        columns.append([(float(layer), top - i) for i in range(len(kept))])
    return np.array([place for column in columns for place in column])


def _largest_weight(run: Run) -> float:
    """Of all recorded steps, biases left out; 1 where nothing is finite and above 0."""
    is_weight = np.zeros(run.params.shape[1])
    for W, _ in layers(is_weight, run.layer_sizes):
        W[:] = 1.0  # a view into the flat parameters
    sizes = np.abs(run.params)
    finite = np.max(sizes, axis=0, where=np.isfinite(sizes), initial=0.0)
    return float(np.max(finite * is_weight)) or 1.0


def _note(run: Run, left_out: tuple[int, ...]) -> str:
    d, network = run.dataset, run.experiment.network
    notes = []
    if d.task == "binary" or (network.hidden and network.activation == "sigmoid"):
        notes.append("a unit answers s(its sum); s is the sigmoid")
    if d.spec.standardize:
        target = f" and {d.target_name}" if d.task == "regression" else ""
        notes.append(f"inputs{target} are standardised")
    if any(left_out):
        notes.append(f"{sum(left_out):,} units and their weights are not drawn")
    return "; ".join(notes)
