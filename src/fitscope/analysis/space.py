"""Where do the samples lie for a hidden layer: what do its units answer to each of them?"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import RANGES, hidden_names, needs_data, needs_plain
from fitscope.errors import DataError
from fitscope.network import activations, layers
from fitscope.records import Dataset, Run

__all__ = ["HiddenSpace", "hidden_space"]

_MOST_PANELS = 20

Units = Sequence[int] | Literal["all"] | None


@dataclass(frozen=True, eq=False)
class HiddenSpace:
    """What the units of a hidden layer answer to every sample, or its principal components.

    Attributes:
        answers: one row a sample, training first; one column an axis.
        names: one an axis: h1, h2, ... or PC 1 (80 %), ...
        low: the least answer along each axis: of the activation, or of the data with a margin.
        high: the greatest.
        bounded: whether the activation itself keeps the answers between `low` and `high`.
        panels: the axes of each panel, one to three of them, as columns of `answers`.
        borders: for each panel the corners, between `low` and `high`, of where the network's
            logit is 0: a point, the ends of a line, or a polygon in order; none where no such
            border is shown.
        dataset: the data.
        title: what is shown, and at which moment.
        note: what the border is, and what is left out; "" where there is nothing to say.
    """

    answers: Float64[np.ndarray, "n h"]
    names: tuple[str, ...]
    low: Float64[np.ndarray, " h"]
    high: Float64[np.ndarray, " h"]
    bounded: bool
    panels: tuple[tuple[int, ...], ...]
    borders: tuple[Float64[np.ndarray, "_ _"], ...]
    dataset: Dataset
    title: str
    note: str


def hidden_space(
    run: Run, *, step: int = -1, layer: int = 1, units: Units = None, pca: bool = False
) -> HiddenSpace:
    """The samples as a hidden layer sees them: a point a sample, an axis a unit.

    After the last hidden layer of a net that tells two classes apart, its decision is a plane:
    v . a + c = 0 for the answers a of the units. Where a panel leaves units out, they stand at
    their medians (components at 0).

    Args:
        run: a run with a hidden layer, and its data.
        step: which moment; -1 is the end.
        layer: which hidden layer, counted from 1.
        units: one to three units, counted from 1 as in h1; "all" is every three of them;
            default: the first three.
        pca: show the first three principal components instead of units.

    Raises:
        DataError: the run has no such layer or units, was saved without its data, or diverged.

    Source: rings notebook (the unit cube); principal components by scikit-learn.

    Example:
        >>> import fitscope as fs
        >>> seen = hidden_space(fs.fit("rings-3", epochs=1))
        >>> seen.answers.shape, seen.panels, seen.names
        ((2000, 3), ((0, 1, 2),), ('h1', 'h2', 'h3'))
    """
    d, activation = run.dataset, str(run.experiment.network.activation)
    needs_data(d, "hidden_space")
    needs_plain(run, "hidden_space")
    _check_layer(run, layer)
    if pca and units is not None:
        raise DataError("hidden_space takes `units` or `pca`, not both.")
    params, X = run.params[run.row(step)], np.concatenate([d.X, d.X_test])
    A = activations(params, X, sizes=run.layer_sizes, activation=activation)[layer - 1]
    if not np.isfinite(A).all():
        raise DataError(f"hidden_space needs finite numbers; they are not {run.moment(step)}.")
    v, c = _border(run, step, layer)
    panels, more = _panels(A.shape[1], units)
    names, bounded = hidden_names(run)[layer - 1], activation in RANGES
    if pca:
        A, names, v, c = _components(A, v, c)
        panels, more, bounded = (tuple(range(A.shape[1]))[:3],), "", False
    low, high = RANGES[activation] if bounded else _around(A)
    low, high = np.broadcast_to(low, A.shape[1]), np.broadcast_to(high, A.shape[1])
    rest = np.zeros(A.shape[1]) if pca else np.median(A, axis=0)
    return HiddenSpace(
        answers=A,
        names=names,
        low=low,
        high=high,
        bounded=bounded,
        panels=panels,
        borders=tuple(_cut(v, c, list(panel), box=(low, high), rest=rest) for panel in panels),
        dataset=d,
        title=f"hidden layer {layer} {run.moment(step)}",
        note="; ".join(filter(None, [_border_note(v, panels, pca), more])),
    )


def _check_layer(run: Run, layer: int) -> None:
    n = len(run.experiment.network.hidden)
    if not n:
        raise DataError("hidden_space needs a hidden layer; this run has none.")
    if not 1 <= layer <= n:
        has = "one hidden layer" if n == 1 else f"hidden layers 1 to {n}"
        raise DataError(f"This run has {has}; got `layer` {layer}.")


def _panels(n_units: int, units: Units) -> tuple[tuple[tuple[int, ...], ...], str]:
    """The units of each panel, counted from 0, and what is left out."""
    if units == "all":
        every = list(itertools.combinations(range(n_units), min(3, n_units)))
        left_out = f"the first {_MOST_PANELS} of {len(every):,} triples"
        return tuple(every[:_MOST_PANELS]), left_out if len(every) > _MOST_PANELS else ""
    if units is None:
        left_out = f"the first 3 of {n_units} units" if n_units > 3 else ""
        return (tuple(range(n_units))[:3],), left_out
    known = [unit for unit in units if isinstance(unit, int) and 1 <= unit <= n_units]
    if not 1 <= len(units) <= 3 or len(set(known)) != len(units):
        raise DataError(
            f"`units` must be all, or one to three different units from 1 to {n_units}; "
            f"got {units!r}."
        )
    return (tuple(unit - 1 for unit in known),), ""


def _border(run: Run, step: int, layer: int) -> tuple[Float64[np.ndarray, " h"] | None, float]:
    """Weights and bias of the logit after the last hidden layer of a net for two classes."""
    if run.dataset.task != "binary" or layer != len(run.experiment.network.hidden):
        return None, 0.0
    W, b = layers(run.params[run.row(step)].astype(np.float64), run.layer_sizes)[-1]
    return W[0], float(b[0])


def _components(
    A: Float64[np.ndarray, "n h"], v: Float64[np.ndarray, " h"] | None, c: float
) -> tuple[Float64[np.ndarray, "n m"], tuple[str, ...], Float64[np.ndarray, " m"] | None, float]:
    """Principal components with their shares of the variance, and the border in their terms."""
    from sklearn.decomposition import PCA

    found = PCA(svd_solver="full").fit(A)
    total = float(found.explained_variance_.sum())
    shares = found.explained_variance_ / (total or 1.0)
    names = tuple(f"PC {i} ({share:.0%})" for i, share in enumerate(shares, start=1))
    scores = np.asarray(found.transform(A), dtype=np.float64)
    if v is None:
        return scores, names, None, 0.0
    return scores, names, found.components_ @ v, c + float(found.mean_ @ v)


def _around(
    A: Float64[np.ndarray, "n h"],
) -> tuple[Float64[np.ndarray, " h"], Float64[np.ndarray, " h"]]:
    """A range around the answers of every axis, with a margin of 5 % on each side."""
    low, high = A.min(axis=0), A.max(axis=0)
    margin = 0.05 * np.where(high > low, high - low, 1.0)
    return low - margin, high + margin


def _cut(
    v: Float64[np.ndarray, " h"] | None,
    c: float,
    axes: list[int],
    *,
    box: tuple[Float64[np.ndarray, " h"], Float64[np.ndarray, " h"]],
    rest: Float64[np.ndarray, " h"],
) -> Float64[np.ndarray, "_ m"]:
    """The corners of v . a + c = 0 in the box of some axes, the others at `rest`.

    They are where the plane meets the edges of the box.
    """
    m = len(axes)
    if v is None:
        return np.empty((0, m))
    w, c = v[axes], c + float(v @ rest - v[axes] @ rest[axes])
    ends = np.array(list(itertools.product((0, 1), repeat=m)))
    corners = np.where(ends == 1, box[1][axes], box[0][axes])  # (2^m, m)
    side = corners @ w + c
    found = []
    for i, j in itertools.combinations(range(len(ends)), 2):
        if np.abs(ends[i] - ends[j]).sum() == 1 and side[i] * side[j] <= 0 and side[i] != side[j]:
            t = side[i] / (side[i] - side[j])
            found.append(corners[i] + t * (corners[j] - corners[i]))
    if len(found) < m:  # it misses the box, or touches it in a corner
        return np.empty((0, m))
    return _in_order(np.unique(np.array(found), axis=0), w)


def _in_order(points: Float64[np.ndarray, "q m"], w: Float64[np.ndarray, " m"]) -> np.ndarray:
    """The corners of a plane polygon, one after the other around its middle."""
    if points.shape[1] < 3:
        return points
    away = points - points.mean(axis=0)
    across = away[np.argmax((away**2).sum(axis=1))]
    angle = np.arctan2(away @ np.cross(w / np.linalg.norm(w), across), away @ across)
    return np.asarray(points[np.argsort(angle)])


def _border_note(
    v: Float64[np.ndarray, " h"] | None, panels: tuple[tuple[int, ...], ...], pca: bool
) -> str:
    """What the border is, and where what a panel leaves out stands in it."""
    if v is None:
        return ""
    m = len(panels[0])
    text = f"{('point', 'line', 'plane')[m - 1]}: probability 0.5"
    if m < len(v):
        text += ", other components at 0" if pca else ", other units at their medians"
    return text
