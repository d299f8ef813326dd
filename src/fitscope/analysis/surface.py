"""What does the loss look like around the path that the training took?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int32

from fitscope.analysis.models import losses_at, spread
from fitscope.analysis.needs import (
    check_grid,
    check_range,
    checked_loss,
    loss_label,
    needs_data,
    needs_plain,
)
from fitscope.analysis.optimum import Optimum, optimum
from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.network import layers, parameter_names
from fitscope.records import Run

__all__ = ["LossSurface", "loss_surface"]

MAX_PATH = 1000  # places of the path that are kept; more would only lie on top of each other
_PLANES = ("exact", "pca", "random")


@dataclass(frozen=True, eq=False)
class LossSurface:
    """The loss on the whole training part over a plane of parameters, and the path through it.

    The parameters at a place are `origin + x axes[0] + y axes[1]`.

    Attributes:
        x: places along the first axis.
        y: places along the second.
        values: `values[s, i, j]` is the loss `losses[s]` at `x[j], y[i]`.
        losses: the names of the losses.
        labels: their names with units.
        plane: "exact" where the plane holds all parameters, "parameters", "pca" or "random".
        axis_names: what the axes are.
        origin: the parameters at (0, 0).
        axes: the directions, in parameters a unit of x and of y.
        explained: share of the variance of the whole path along the first axis, and what the
            second adds; their sum lies in the plane. 0 for a path of no length.
        steps: the steps of the path that is shown: those recorded, at most 1000, evenly taken.
        path: x and y of the point of the plane that is nearest to the parameters at each.
        distance: from the parameters to that point (their norm); 0 on the plane.
        path_loss: each loss at the parameters themselves.
        projected_loss: each loss at the nearest point of the plane.
        optima: x, y and loss of the optimum for each loss; NaN where there is none, and for planes.
        title: what is shown, and at which moment.
        notes: for each loss, where its optimum is or why there is none; for a plane, how much
            of the path lies in it.
    """

    x: Float64[np.ndarray, " g"]
    y: Float64[np.ndarray, " g"]
    values: Float64[np.ndarray, "s g g"]
    losses: tuple[str, ...]
    labels: tuple[str, ...]
    plane: str
    axis_names: tuple[str, str]
    origin: Float64[np.ndarray, " p"]
    axes: Float64[np.ndarray, "2 p"]
    explained: Float64[np.ndarray, " 2"]
    steps: Int32[np.ndarray, " t"]
    path: Float64[np.ndarray, "t 2"]
    distance: Float64[np.ndarray, " t"]
    path_loss: Float64[np.ndarray, "s t"]
    projected_loss: Float64[np.ndarray, "s t"]
    optima: Float64[np.ndarray, "s 3"]
    title: str
    notes: tuple[str, ...]


class _Plane(NamedTuple):
    name: str
    axis_names: tuple[str, str]
    origin: Float64[np.ndarray, " p"]
    axes: Float64[np.ndarray, "2 p"]


def loss_surface(
    run: Run,
    *,
    plane: str | Sequence[str] | None = None,
    loss: str | Sequence[str] | None = None,
    step: int = -1,
    n_grid: int | None = None,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    span: float = 1.0,
    seed: int = 0,
) -> LossSurface:
    """The loss over two parameters, or over a plane through them all, and the path up to a step.

    Every loss, that of the path too, is the mean over the whole training part at the parameters
    where it is drawn; no batch loss is used.

    "exact" is the surface over w and b of a model that has no other parameters. A pair of names,
    such as `("w1[1,1]", "b1[1]")`, varies these and leaves all others as they are at the step.
    "pca" is the plane through the end of the run along the first two principal directions of
    its whole path; a path along one line gets its second direction at random. "random" is the
    plane through the parameters at the step along two random directions, in each of which every
    unit's weights, and its bias, have the norm that they have in the model.

    Args:
        run: a run with its data.
        plane: "exact", "pca", "random" or two names of parameters; default: exact for a model
            with two parameters, else pca, and random for a path of no length.
        loss: one loss or several, which lie over the same plane; default: the run's own.
        step: where the path that is shown ends; -1 is the end.
        n_grid: points along each side; default: 100 for two parameters, else 60.
        x_range: from where to where along the first axis; default: around the whole path.
        y_range: the same along the second.
        span: how many times the default ranges; 2 shows twice as much.
        seed: of random directions.

    Raises:
        DataError: the run was saved without its data, a loss does not belong to its task, or
            the plane or a range does not exist.
        UnknownNameError: there is no such plane or parameter.

    Source:
        Li et al. 2018, arXiv:1712.09913, for the two kinds of planes. Theirs leaves biases as
        they are, where here they vary in proportion to themselves; the principal directions
        are about the path's mean, as in their code.

    Example:
        >>> import fitscope as fs
        >>> surface = loss_surface(fs.fit("bad-start"), n_grid=5)
        >>> surface.path.round(1)[[0, -1]].tolist(), surface.path_loss.round(3)[0, -1].tolist()
        ([[-5.0, -10.0], [14.9, -3.6]], 0.052)
    """
    needs_data(run.dataset, "loss_surface")
    needs_plain(run, "loss_surface")
    losses = _checked_losses(run, loss)
    rows = np.flatnonzero(np.isfinite(run.params).all(axis=1))  # a diverged run may end with inf
    whole = run.params[rows].astype(np.float64)
    shown = rows <= run.row(step)
    place = _plane(run, plane, whole, whole[shown][-1], seed)
    best = [optimum(run, loss=name) for name in losses] if place.name == "exact" else []
    around = _projected(whole[spread(len(whole), MAX_PATH)], place)[0]
    n_grid = n_grid if n_grid is not None else 100 if place.name == "exact" else 60
    x, y = _grid(_window(around, best, place, span), x_range, y_range, n_grid)
    grid = np.column_stack([np.tile(x, n_grid), np.repeat(y, n_grid)])
    values = losses_at(run, place.origin + grid @ place.axes, losses)
    seen = np.flatnonzero(shown)
    seen, explained = seen[spread(len(seen), MAX_PATH)], _explained(whole, place.axes)
    path, distance = _projected(whole[seen], place)
    return LossSurface(
        x=x,
        y=y,
        values=values.reshape(len(losses), n_grid, n_grid),
        losses=losses,
        labels=tuple(loss_label(run, name) for name in losses),
        plane=place.name,
        axis_names=place.axis_names,
        origin=place.origin,
        axes=place.axes,
        explained=explained,
        steps=run.steps[rows[seen]],
        path=path,
        distance=distance,
        path_loss=losses_at(run, whole[seen], losses),
        projected_loss=losses_at(run, place.origin + path @ place.axes, losses),
        optima=_optima(best, len(losses)),
        title=f"loss on the training part, {run.moment(step)}",
        notes=tuple(map(_found, best)) or (_share(explained, distance),) * len(losses),
    )


def _checked_losses(run: Run, loss: str | Sequence[str] | None) -> tuple[str, ...]:
    names = (loss,) if loss is None or isinstance(loss, str) else loss
    if not names:
        raise DataError("`loss` must name at least one loss; got none.")
    return tuple(checked_loss(run, name) for name in names)


def _grid(
    ranges: list[tuple[float, float]],
    x_range: tuple[float, float] | None,
    y_range: tuple[float, float] | None,
    n_grid: int,
) -> tuple[Float64[np.ndarray, " g"], Float64[np.ndarray, " g"]]:
    """Places along both axes, where asked for or else over the default ranges."""
    check_grid(n_grid)
    x_low, x_high = _checked_range("x_range", x_range, ranges[0])
    y_low, y_high = _checked_range("y_range", y_range, ranges[1])
    return np.linspace(x_low, x_high, n_grid), np.linspace(y_low, y_high, n_grid)


def _checked_range(
    name: str, given: tuple[float, float] | None, default: tuple[float, float]
) -> tuple[float, float]:
    if given is None:
        return default
    check_range(name, given)
    return given


def _plane(
    run: Run,
    plane: str | Sequence[str] | None,
    whole: Float64[np.ndarray, "t p"],
    here: Float64[np.ndarray, " p"],
    seed: int,
) -> _Plane:
    """The plane that was asked for."""
    moved = bool((whole != whole[0]).any())
    if plane is None:
        plane = "exact" if whole.shape[1] == 2 else "pca" if moved else "random"
    if not isinstance(plane, str):
        return _of_parameters(run, plane, here)
    if plane not in _PLANES:
        hint = near_miss(plane, _PLANES)
        raise UnknownNameError(
            f"`plane` must be {', '.join(_PLANES)} or two names of parameters; got {plane!r}.{hint}"
        )
    if plane == "exact":
        return _exact(run, whole.shape[1])
    if plane == "random":
        axes = _random_axes(here, run.layer_sizes, seed)
        return _Plane(plane, ("random direction 1", "random direction 2"), here, axes)
    if not moved:
        raise DataError("This path has no length, so it has no directions; try the plane `random`.")
    axes = _principal_axes(whole, run.layer_sizes, seed)
    names = ("first principal direction", "second principal direction")
    return _Plane(plane, names, whole[-1], axes)


def _exact(run: Run, p: int) -> _Plane:
    if p != 2:
        raise DataError(f"The plane `exact` needs a model with two parameters; this one has {p}.")
    scaled = ", standardised" if run.dataset.spec.standardize else ""
    names = (f"w (weight of {run.dataset.feature_names[0]}{scaled})", "b (bias)")
    return _Plane("exact", names, np.zeros(2), np.eye(2))


def _of_parameters(run: Run, pair: Sequence[str], here: Float64[np.ndarray, " p"]) -> _Plane:
    """The plane in which two parameters vary; its coordinates are their values."""
    known = parameter_names(run.layer_sizes)
    for name in pair:
        if name not in known:
            hint = near_miss(str(name), known)
            raise UnknownNameError(f"`{name}` is not a parameter of this run.{hint}")
    if len(set(pair)) != 2 or len(pair) != 2:
        raise DataError(f"`plane` must name two different parameters; got {list(pair)}.")
    at = [known.index(name) for name in pair]
    origin = here.copy()
    origin[at] = 0.0
    return _Plane("parameters", (pair[0], pair[1]), origin, np.eye(len(here))[at])


def _principal_axes(
    whole: Float64[np.ndarray, "t p"], sizes: list[int], seed: int
) -> Float64[np.ndarray, "2 p"]:
    """The two orthonormal directions along which the path varies most; the path goes right."""
    centred = whole - whole.mean(axis=0)
    if min(centred.shape) <= 300:
        _, size, axes = np.linalg.svd(centred, full_matrices=False)
    else:  # only two of hundreds of directions are wanted
        from scipy.sparse.linalg import svds

        _, size, axes = svds(centred, k=2, v0=np.ones(min(centred.shape)))
        size, axes = size[::-1], axes[::-1]
    first, second = axes[:2]
    if size[1] <= 1e-9 * size[0]:
        second = _random_axes(np.ones_like(first), sizes, seed)[0]
        second -= (second @ first) * first
        second /= np.linalg.norm(second)
    towards = [1.0 if (whole[-1] - whole[0]) @ axis >= 0 else -1.0 for axis in (first, second)]
    return np.array([towards[0] * first, towards[1] * second])


def _random_axes(
    params: Float64[np.ndarray, " p"], sizes: list[int], seed: int
) -> Float64[np.ndarray, "2 p"]:
    """Two random directions in which each unit's weights and bias have the norms of `params`."""
    rng = np.random.default_rng(seed)
    first = _normalised(rng.normal(size=len(params)), params, sizes)
    for _ in range(100):  # of a handful of parameters, two directions may be one
        second = _normalised(rng.normal(size=len(params)), params, sizes)
        if np.linalg.matrix_rank(np.array([first, second])) == 2:
            return np.array([first, second])
    raise DataError(
        "Random directions need parameters that are not 0, to be in proportion to; "
        "choose another step, or two parameters as the plane."
    )


def _normalised(
    direction: Float64[np.ndarray, " p"], params: Float64[np.ndarray, " p"], sizes: list[int]
) -> Float64[np.ndarray, " p"]:
    for (D, e), (W, b) in zip(layers(direction, sizes), layers(params, sizes), strict=True):
        own, wanted = (np.linalg.norm(V, axis=1, keepdims=True) for V in (D, W))
        D[:] = D * (wanted / own)
        e[:] = np.copysign(b, e)
    return direction


def _projected(
    points: Float64[np.ndarray, "t p"], place: _Plane
) -> tuple[Float64[np.ndarray, "t 2"], Float64[np.ndarray, " t"]]:
    """Coordinates of the nearest points of the plane, and how far away they are."""
    away = points - place.origin
    path = away @ np.linalg.pinv(place.axes)
    return path, np.linalg.norm(away - path @ place.axes, axis=1)


def _explained(
    whole: Float64[np.ndarray, "t p"], axes: Float64[np.ndarray, "2 p"]
) -> Float64[np.ndarray, " 2"]:
    """Share of the path's variance along the first axis, and what the second adds."""
    centred = whole - whole.mean(axis=0)
    total = float((centred**2).sum())
    along = ((centred @ np.linalg.qr(axes.T)[0]) ** 2).sum(axis=0)
    return np.asarray(along / total if total > 0 else np.zeros(2))


def _window(
    path: Float64[np.ndarray, "t 2"], best: list[Optimum], place: _Plane, span: float
) -> list[tuple[float, float]]:
    """Ranges of x and y around the path, with the origin and the optimum where they are near."""
    if not 0 < span < np.inf:
        raise DataError(f"`span` must be a positive number; got {span}.")
    low, high = path.min(axis=0), path.max(axis=0)
    near = 5 * max(float((high - low).max()), 1.0)
    wanted = [*map(_place_of, best), np.zeros(2)] if place.name == "exact" else []
    if place.name == "random":  # a direction is as long as the model, as in the paper's pictures
        wanted, near = [np.ones(2), -np.ones(2)], np.inf
    for point in wanted:
        if (np.abs(point - (low + high) / 2) <= near).all():  # never for NaN
            low, high = np.minimum(low, point), np.maximum(high, point)
    size = high - low
    least = 0.1 * size.max() if size.max() > 0 else 2.0
    half = 0.5 * span * (1.3 * np.maximum(size, least))
    middle = (low + high) / 2
    return [(float(middle[i] - half[i]), float(middle[i] + half[i])) for i in range(2)]


def _place_of(best: Optimum) -> Float64[np.ndarray, " 2"]:
    return np.full(2, np.nan) if best.params is None else best.params


def _optima(best: list[Optimum], n: int) -> Float64[np.ndarray, "s 3"]:
    found = [(*_place_of(one), np.nan if one.loss is None else one.loss) for one in best]
    return np.array(found, dtype=np.float64) if best else np.full((n, 3), np.nan)


def _found(best: Optimum) -> str:
    if best.params is None:
        return best.sentence
    w, b = best.params
    return f"The optimum is w = {w:.4g}, b = {b:.4g}, where the loss is {best.loss:.4g}."


def _share(explained: Float64[np.ndarray, " 2"], distance: Float64[np.ndarray, " t"]) -> str:
    if not explained.any():
        return "The path has no length in this plane."
    share = 100 * explained.sum()
    share = f"{share:.0f} %" if share < 99 else f"{np.floor(10 * share + 1e-9) / 10:g} %"
    away = f"the path leaves it by up to {distance.max():.2g}"
    away = away if distance.max() > 1e-9 else "the path does not leave it"
    return f"{share} of the path's variance lies in this plane; {away}."
