"""Which line does each unit of the first layer draw, and which regions do they cut?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from fitscope.analysis.needs import (
    check_grid,
    grid_axes,
    hidden_names,
    needs_data,
    needs_inputs,
    needs_plain,
)
from fitscope.errors import DataError
from fitscope.network import input_layer
from fitscope.records import Dataset, Run

__all__ = ["HiddenLines", "hidden_lines"]

_MOST_UNITS = 32  # they cut a plane into up to 529 regions
_TOUCHING = 1e-9  # of the window's side: a corner this near a line lies on it


@dataclass(frozen=True, eq=False)
class HiddenLines:
    """The lines w1 x + w2 y + b = 0 of the first layer's units, and the regions between them.

    Everything is in the data's units. Regions stand in order of the samples that they hold.

    Attributes:
        x: places along the first input; its ends are the window's.
        y: places along the second.
        W: the units' weights.
        b: their biases.
        names: one a unit: h1, h2, ...
        lines: the two ends of each line in the window, on its border; nan where there is none.
        patterns: which units are on (weighted sum above 0) in each region.
        counts: samples of each class in each region; of a regression, one column of all.
        means: mean target of each region's samples in its own units; nan for classes, or
            without samples.
        polygons: the corners of each region in the window; none where it has no area.
        centres: the middle of each region in the window; nan where it has no area.
        room: how far the middle is from the region's border, in sides of the window.
        cells: `cells[i, j]` is the region of `x[j], y[i]`; -1 on a border of no region.
        dataset: the data.
        title: what is shown, and at which moment.
        note: how many regions hold the samples, and which lines are not to be seen.
    """

    x: Float64[np.ndarray, " g"]
    y: Float64[np.ndarray, " g"]
    W: Float64[np.ndarray, "h 2"]
    b: Float64[np.ndarray, " h"]
    names: tuple[str, ...]
    lines: Float64[np.ndarray, "h 2 2"]
    patterns: Bool[np.ndarray, "r h"]
    counts: Int[np.ndarray, "r c"]
    means: Float64[np.ndarray, " r"]
    polygons: tuple[Float64[np.ndarray, "_ 2"], ...]
    centres: Float64[np.ndarray, "r 2"]
    room: Float64[np.ndarray, " r"]
    cells: Int[np.ndarray, "g g"]
    dataset: Dataset
    title: str
    note: str

    @property
    def n_held(self) -> int:
        """Number of regions that hold samples."""
        return int((self.counts.sum(axis=1) > 0).sum())

    @property
    def n_visible(self) -> int:
        """Number of regions that the window shows."""
        return sum(len(polygon) > 0 for polygon in self.polygons)


def hidden_lines(run: Run, *, step: int = -1, n_grid: int = 200) -> HiddenLines:
    """The first layer's lines over the data, and the regions into which they cut the plane.

    A unit is on where W x + b > 0. Lines and regions are exact, clipped to a window that spans
    the data with a margin of 12 % on each side. A unit whose weights are all 0 has no line.

    Args:
        run: a run with two inputs and a hidden layer, or a single neuron; and its data.
        step: which moment; -1 is the end.
        n_grid: points along each side of `cells`.

    Raises:
        DataError: the run has not two inputs, no such layer, more than 32 units in it, or was
            saved without its data.

    Source: rings notebook (every hidden node is a line); regions by clipping, ours.

    Example:
        >>> import fitscope as fs
        >>> seen = hidden_lines(fs.fit("gates-and"))
        >>> seen.patterns.tolist(), (seen.counts > 0).tolist()  # the neuron is on for class 1
        ([[False], [True]], [[True, False], [False, True]])
    """
    d, hidden = run.dataset, bool(run.experiment.network.hidden)
    needs_inputs(d, "hidden_lines", 2)
    needs_data(d, "hidden_lines")
    needs_plain(run, "hidden_lines")
    check_grid(n_grid)
    W, b = input_layer(run, step)
    _check_units(len(W), hidden)
    names = hidden_names(run)[0] if hidden else ("neuron",)
    x, y = grid_axes(d.inputs(), n_grid)
    low, span = np.array([x[0], y[0]]), np.array([np.ptp(x), np.ptp(y)])
    ends = _ends(*_in_window(W, b, low, span))
    patterns, polygons, held = _regions(W, b, d.inputs(), low, span)
    index = {pattern.tobytes(): region for region, pattern in enumerate(patterns)}
    grid = _on(W, b, np.column_stack([np.tile(x, n_grid), np.repeat(y, n_grid)]))
    cells = np.array([index.get(pattern.tobytes(), -1) for pattern in grid])
    middles = [_middle(polygon) for polygon in polygons]
    return HiddenLines(
        x=x,
        y=y,
        W=W,
        b=b,
        names=names,
        lines=low + ends * span,
        patterns=patterns,
        counts=_counts(d, held, len(patterns)),
        means=_means(d, held, len(patterns)),
        polygons=tuple(low + polygon * span for polygon in polygons),
        centres=np.array([low + middle * span for middle, _room in middles]),
        room=np.array([room for _middle, room in middles]),
        cells=cells.reshape(n_grid, n_grid),
        dataset=d,
        title=f"{'hidden layer 1' if hidden else 'the neuron'} {run.moment(step)}",
        note=_note(W, ends, names, len(np.unique(held))),
    )


def _check_units(n_units: int, hidden: bool) -> None:
    if not hidden and n_units > 1:
        raise DataError(
            f"hidden_lines needs a hidden layer, or a single neuron; this run has {n_units} "
            "outputs and no hidden layer."
        )
    if n_units > _MOST_UNITS:
        raise DataError(
            f"hidden_lines shows at most {_MOST_UNITS} units; the first layer has {n_units}."
        )


def _has_line(
    W: Float64[np.ndarray, "h 2"], b: Float64[np.ndarray, " h"]
) -> Bool[np.ndarray, " h"]:
    return np.asarray(np.isfinite(W).all(axis=1) & np.isfinite(b) & (W != 0).any(axis=1))


def _on(
    W: Float64[np.ndarray, "h 2"], b: Float64[np.ndarray, " h"], points: Float64[np.ndarray, "n 2"]
) -> Bool[np.ndarray, "n h"]:
    """Which units are on at each point; a unit that is not finite is off."""
    finite = np.isfinite(W).all(axis=1) & np.isfinite(b)
    W, b = np.where(finite[:, None], W, 0.0), np.where(finite, b, 0.0)
    return np.asarray(points @ W.T + b > 0)


def _in_window(
    W: Float64[np.ndarray, "h 2"],
    b: Float64[np.ndarray, " h"],
    low: Float64[np.ndarray, " 2"],
    span: Float64[np.ndarray, " 2"],
) -> tuple[Float64[np.ndarray, "h 2"], Float64[np.ndarray, " h"]]:
    """The lines seen from a window whose sides are 1, with weights of length 1; 0 for no line."""
    there = _has_line(W, b)
    W, b = np.where(there[:, None], W, 0.0), np.where(there, b, 0.0)
    length = np.linalg.norm(W * span, axis=1)
    length = np.where(length > 0, length, 1.0)
    return W * span / length[:, None], (W @ low + b) / length


def _ends(
    W: Float64[np.ndarray, "h 2"], b: Float64[np.ndarray, " h"]
) -> Float64[np.ndarray, "h 2 2"]:
    """Where each line enters and leaves the unit square (Liang and Barsky 1984); nan if not."""
    foot = 0.5 - (W.sum(axis=1) / 2 + b)[:, None] * W  # its point next to the square's middle
    along = np.column_stack([-W[:, 1], W[:, 0]])
    with np.errstate(all="ignore"):  # a line along an axis never meets two of the sides
        at = np.stack([-foot / along, (1 - foot) / along])  # (2, h, 2)
    enter = np.fmin(*at).max(axis=1)
    leave = np.fmax(*at).min(axis=1)
    crosses = np.isfinite(enter) & np.isfinite(leave) & (enter < leave)
    t = np.where(crosses[:, None], np.column_stack([enter, leave]), np.nan)
    return np.asarray(np.clip(foot[:, None] + t[:, :, None] * along[:, None], 0.0, 1.0))


def _regions(
    W: Float64[np.ndarray, "h 2"],
    b: Float64[np.ndarray, " h"],
    points: Float64[np.ndarray, "n 2"],
    low: Float64[np.ndarray, " 2"],
    span: Float64[np.ndarray, " 2"],
) -> tuple[Bool[np.ndarray, "r h"], list[Float64[np.ndarray, "_ 2"]], Int[np.ndarray, " n"]]:
    """Patterns and polygons (in the unit square) of all regions, and the one of each sample."""
    always_on = _on(W, b, low[None])[0] & ~_has_line(W, b)
    cut = [(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), always_on)]
    for unit, line in enumerate(zip(*_in_window(W, b, low, span), strict=True)):
        if line[0].any():
            cut = [half for region in cut for half in _halves(region, unit, *line)]
    shown = {pattern.tobytes(): polygon for polygon, pattern in cut}
    seen = _on(W, b, points)
    every = np.concatenate([[pattern for _polygon, pattern in cut], seen])
    patterns, region = np.unique(every, axis=0, return_inverse=True)
    held = region.reshape(-1)[len(cut) :]
    order = np.argsort(-np.bincount(held, minlength=len(patterns)), kind="stable")
    patterns = patterns[order]
    nothing = np.empty((0, 2))
    polygons = [shown.get(pattern.tobytes(), nothing) for pattern in patterns]
    return patterns, polygons, np.argsort(order)[held]


def _halves(
    region: tuple[Float64[np.ndarray, "m 2"], Bool[np.ndarray, " h"]],
    unit: int,
    w: Float64[np.ndarray, " 2"],
    b: float,
) -> list[tuple[Float64[np.ndarray, "_ 2"], Bool[np.ndarray, " h"]]]:
    """The parts of a convex region where a unit is off and on, those that have an area."""
    polygon, pattern = region
    side = polygon @ w + b
    side[np.abs(side) < _TOUCHING] = 0.0
    halves = []
    for on in (False, True):
        inward = side if on else -side
        if (inward > 0).any():
            own = pattern.copy()
            own[unit] = on
            halves.append((_clipped(polygon, inward), own))
    return halves


def _clipped(
    polygon: Float64[np.ndarray, "m 2"], inward: Float64[np.ndarray, " m"]
) -> Float64[np.ndarray, "_ 2"]:
    """The part of a convex polygon where a linear function of its corners is not negative."""
    corners = []
    for i in range(len(polygon)):
        here, before = inward[i], inward[i - 1]
        if here * before < 0:
            t = before / (before - here)
            corners.append(polygon[i - 1] + t * (polygon[i] - polygon[i - 1]))
        if here >= 0:
            corners.append(polygon[i])
    return np.array(corners)


def _middle(polygon: Float64[np.ndarray, "m 2"]) -> tuple[Float64[np.ndarray, " 2"], float]:
    """Centre of mass of a convex polygon, and its distance from the border."""
    if not len(polygon):
        return np.full(2, np.nan), 0.0
    here = polygon - polygon.mean(axis=0)
    after = np.roll(here, -1, axis=0)
    area = here[:, 0] * after[:, 1] - here[:, 1] * after[:, 0]
    middle = (area[:, None] * (here + after)).sum(axis=0) / (3 * area.sum())
    edge = after - here
    away = edge[:, 0] * (middle - here)[:, 1] - edge[:, 1] * (middle - here)[:, 0]
    length = np.linalg.norm(edge, axis=1)
    distance = np.abs(away[length > 0]) / length[length > 0]
    return middle + polygon.mean(axis=0), float(distance.min())


def _counts(d: Dataset, held: Int[np.ndarray, " n"], n_regions: int) -> Int[np.ndarray, "r c"]:
    counts = np.zeros((n_regions, max(len(d.classes), 1)), dtype=np.int64)
    column = d.targets().astype(int) if d.classes else np.zeros_like(held)
    np.add.at(counts, (held, column), 1)
    return counts


def _means(d: Dataset, held: Int[np.ndarray, " n"], n_regions: int) -> Float64[np.ndarray, " r"]:
    if d.classes:
        return np.full(n_regions, np.nan)
    n = np.bincount(held, minlength=n_regions)
    total = np.bincount(held, weights=d.targets(), minlength=n_regions)
    return np.asarray(np.divide(total, n, out=np.full(n_regions, np.nan), where=n > 0))


def _note(
    W: Float64[np.ndarray, "h 2"],
    ends: Float64[np.ndarray, "h 2 2"],
    names: tuple[str, ...],
    n_held: int,
) -> str:
    """How many regions hold the samples, and which lines are not to be seen."""
    parts = ["1 region holds all samples" if n_held == 1 else f"{n_held} regions hold all samples"]
    hidden = np.isnan(ends).any(axis=(1, 2))
    none = hidden & (~np.isfinite(W).all(axis=1) | (W == 0).all(axis=1))
    for units, why in ((none, "no line"), (hidden & ~none, "outside the window")):
        found = [name for name, is_so in zip(names, units, strict=True) if is_so]
        if found:
            parts.append(f"{why}: {', '.join(found[:6])}{', ...' * (len(found) > 6)}")
    return "; ".join(parts)
