"""What does every unit answer, over the inputs?"""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import (
    RANGES,
    check_grid,
    grid_axes,
    hidden_names,
    needs_data,
    needs_plain,
)
from fitscope.errors import DataError
from fitscope.network import activations, layers, probabilities
from fitscope.records import Dataset, Run

__all__ = ["UnitMaps", "unit_maps"]

_MOST_UNITS, _MOST_LAYERS = 12, 6


@dataclass(frozen=True, eq=False)
class UnitMaps:
    """Every unit's answer over one or two inputs, layer by layer, the inputs first.

    Attributes:
        x: places along the first input, in the data's units.
        y: places along the second; empty where there is one input.
        maps: one array a column of the picture: (u, g, g) with `[unit, i, j]` at `x[j], y[i]`,
            or (u, g) for one input. The inputs answer themselves, hidden units what their
            activation gives, outputs probabilities or the target's value.
        ranges: the least and the greatest colour of each unit, one (u, 2) a column.
        headings: what each column is.
        names: what each unit is.
        weights: from the units of each column (the columns) to those of the next (the rows).
        dataset: the data.
        title: what is shown, and at which moment.
        note: what the colours span, and what is left out.
    """

    x: Float64[np.ndarray, " g"]
    y: Float64[np.ndarray, " g2"]
    maps: tuple[Float64[np.ndarray, "_ ..."], ...]
    ranges: tuple[Float64[np.ndarray, "_ 2"], ...]
    headings: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    weights: tuple[Float64[np.ndarray, "_ _"], ...]
    dataset: Dataset
    title: str
    note: str


def unit_maps(run: Run, *, step: int = -1, n_grid: int = 60) -> UnitMaps:
    """What every unit of the network answers over its one or two inputs.

    The grid spans the data with a margin of 12 % on each side. At most 12 units of each of at
    most 6 hidden layers are given, the first ones.

    Args:
        run: a run with one or two inputs, and its data.
        step: which moment; -1 is the end.
        n_grid: points along each side; a single input gets ten times as many.

    Raises:
        DataError: the run has more inputs, or was saved without its data.

    Source: ours, after the pictures of units in TensorFlow Playground (Smilkov et al. 2017).

    Example:
        >>> import fitscope as fs
        >>> seen = unit_maps(fs.fit("rings-3", epochs=1), n_grid=5)
        >>> [array.shape for array in seen.maps], seen.names[1]
        ([(2, 5, 5), (3, 5, 5), (1, 5, 5)], ('h1', 'h2', 'h3'))
    """
    d = run.dataset
    if d.d > 2:
        raise DataError(f"unit_maps needs one or two inputs; this run has {d.d}.")
    needs_data(d, "unit_maps")
    needs_plain(run, "unit_maps")
    check_grid(n_grid, most=300)
    x, y, grid = _grid(d, n_grid)
    answers, last = _answers(run, step, grid), len(run.layer_sizes) - 1
    kept = [0, *range(1, last)[:_MOST_LAYERS], last]
    shape = (len(y), len(x)) if len(y) else (len(x),)
    drawn = [answers[column][:, :_MOST_UNITS].T.reshape(-1, *shape) for column in kept]
    names, headings = _names(run), ("inputs", *(f"layer {layer}" for layer in kept[1:-1]), "output")
    return UnitMaps(
        x=x,
        y=y,
        maps=tuple(drawn),
        ranges=tuple(
            _ranges(run, column, array) for column, array in zip(kept, drawn, strict=True)
        ),
        headings=headings,
        names=tuple(names[column][:_MOST_UNITS] for column in kept),
        weights=_weights(run, step, kept),
        dataset=d,
        title=f"every unit {run.moment(step)}",
        note=_note(run),
    )


def _grid(
    d: Dataset, n_grid: int
) -> tuple[Float64[np.ndarray, " g"], Float64[np.ndarray, " g2"], Float64[np.ndarray, "n d"]]:
    """Both axes, and all their points in the data's units."""
    points = d.inputs()
    if d.d == 1:
        x, _same = grid_axes(points[:, [0, 0]], 10 * n_grid)
        return x, np.empty(0), x[:, None]
    x, y = grid_axes(points, n_grid)
    return x, y, np.column_stack([np.tile(x, n_grid), np.repeat(y, n_grid)])


def _answers(
    run: Run, step: int, grid: Float64[np.ndarray, "n d"]
) -> list[Float64[np.ndarray, "n _"]]:
    """Of the inputs (themselves), of every hidden layer, and of the outputs as a person reads."""
    d = run.dataset
    scaled, params = (grid - d.mean) / d.scale, run.params[run.row(step)]
    activation = str(run.experiment.network.activation)
    *hidden, z = activations(params, scaled, sizes=run.layer_sizes, activation=activation)
    if d.task == "regression":
        return [grid, *hidden, z * d.y_scale + d.y_mean]
    return [grid, *hidden, probabilities(z)[:, 1:] if d.k == 1 else probabilities(z)]


def _names(run: Run) -> list[tuple[str, ...]]:
    d = run.dataset
    outputs = [f"P({d.target_name} = {label})" for label in d.classes] or [d.target_name]
    return [d.feature_names, *hidden_names(run), tuple(outputs[-1:] if d.k == 1 else outputs)]


def _ranges(
    run: Run, column: int, answers: Float64[np.ndarray, "u ..."]
) -> Float64[np.ndarray, "u 2"]:
    """The ends of each unit's colours: of its activation, else of its answers.

    Those of hidden units lie symmetric around 0.
    """
    last = len(run.layer_sizes) - 1
    kind = str(run.experiment.network.activation) if 0 < column < last else ""
    if column == last and run.dataset.classes:
        kind = "sigmoid"
    flat = np.nan_to_num(answers.reshape(len(answers), -1), posinf=0.0, neginf=0.0)
    if kind in RANGES:
        return np.tile(RANGES[kind], (len(answers), 1))
    if kind:
        most = np.abs(flat).max(axis=1)
        most = np.where(most > 0, most, 1.0)  # a dead unit is white
        return np.column_stack([-most, most])
    return np.column_stack([flat.min(axis=1), flat.max(axis=1)])


def _weights(run: Run, step: int, kept: list[int]) -> tuple[Float64[np.ndarray, "_ _"], ...]:
    """The weights between columns that are neighbours in the network; no rows between others."""
    every = layers(run.params[run.row(step)].astype(np.float64), run.layer_sizes)
    nothing = np.empty((0, 0))
    return tuple(
        every[here][0][:_MOST_UNITS, :_MOST_UNITS] if after == here + 1 else nothing
        for here, after in itertools.pairwise(kept)
    )


def _note(run: Run) -> str:
    """What is left out, and how colours are scaled where the activation has no bounds."""
    widths, activation = run.experiment.network.hidden, str(run.experiment.network.activation)
    parts = []
    if widths and activation not in RANGES:
        parts.append("each hidden unit in colours of its own, white at 0")
    if max(run.layer_sizes) > _MOST_UNITS:
        parts.append(f"the first {_MOST_UNITS} units of a layer")
    if len(widths) > _MOST_LAYERS:
        parts.append(f"the first {_MOST_LAYERS} of {len(widths)} hidden layers")
    return "; ".join(parts)
