"""What does a single neuron answer, whose weights and bias are chosen by hand?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import check_grid
from fitscope.errors import DataError

__all__ = ["SigmoidCurves", "SigmoidPlane", "sigmoid_curves", "sigmoid_plane"]

_MAX_CURVES = 12


@dataclass(frozen=True, eq=False)
class SigmoidCurves:
    """The sigmoid of w x + b for several neurons.

    Attributes:
        x: places along the input.
        y: the answers, one column a neuron.
        w: their weights.
        b: their biases.
        boundaries: -b/w, where the answer is 0.5; NaN for a weight of 0, which has none.
        names: of the curves: weight, bias and boundary.
        title: what is shown.
    """

    x: Float64[np.ndarray, " g"]
    y: Float64[np.ndarray, "g c"]
    w: Float64[np.ndarray, " c"]
    b: Float64[np.ndarray, " c"]
    boundaries: Float64[np.ndarray, " c"]
    names: tuple[str, ...]
    title: str


@dataclass(frozen=True, eq=False)
class SigmoidPlane:
    """The sigmoid of w1 x1 + w2 x2 + b over a square.

    Attributes:
        x: places along both inputs.
        values: `values[i, j]` belongs to `x1 = x[j], x2 = x[i]`.
        w: the two weights.
        b: the bias.
        boundary: the two ends (x1, x2) of the line where the answer is 0.5; no rows where it does
            not cross the square.
        title: what is shown.
        note: why there is no boundary; "" where there is one.
    """

    x: Float64[np.ndarray, " g"]
    values: Float64[np.ndarray, "g g"]
    w: tuple[float, float]
    b: float
    boundary: Float64[np.ndarray, "e 2"]
    title: str
    note: str


def sigmoid_curves(
    pairs: Any,
    *,
    x_range: Sequence[float | int] = (-10.0, 10.0),
    n_grid: int = 401,
) -> SigmoidCurves:
    """The answer of each neuron: y = 1 / (1 + exp(-(w x + b))).

    Its boundary lies at -b/w: the weight makes it steep, and moves it, too.

    Args:
        pairs: weight and bias of each neuron, at most 12.
        x_range: the first and the last place.
        n_grid: number of places.

    Raises:
        DataError: what is given is not pairs of finite numbers, or no range.

    Example:
        >>> sigmoid_curves([(1, 5), (5, 5), (1, 0)]).boundaries.tolist()
        [-5.0, -1.0, 0.0]
    """
    from scipy.special import expit

    numbers = _numbers(pairs, "sigmoid_curves needs pairs of numbers (w, b), as in [(1, 5)]")
    if numbers.ndim != 2 or numbers.shape[1] != 2 or not 1 <= len(numbers) <= _MAX_CURVES:
        raise DataError(
            f"sigmoid_curves needs 1 to {_MAX_CURVES} pairs (w, b), as in [(1, 5), (5, 5)]; got "
            f"an array of shape {numbers.shape}."
        )
    x = _places(x_range, n_grid)
    w, b = np.ascontiguousarray(numbers.T)
    with np.errstate(all="ignore"):  # the largest numbers overflow to inf, which is answered 1
        y = expit(x[:, None] * w + b)
        zeros = -b / w + 0.0  # no -0
    boundaries = np.where(np.isfinite(zeros), zeros, np.nan)
    names = tuple(_name(*three) for three in zip(w, b, boundaries, strict=True))
    return SigmoidCurves(x, y, w, b, boundaries, names, "sigmoid(w x + b), 0.5 at x = -b/w")


def sigmoid_plane(
    weights: Any, *, x_range: Sequence[float | int] = (-6.0, 6.0), n_grid: int = 51
) -> SigmoidPlane:
    """The answer of a neuron with two inputs: y = 1 / (1 + exp(-(w1 x1 + w2 x2 + b))).

    Its boundary is the line w1 x1 + w2 x2 + b = 0, at right angles to (w1, w2).

    Args:
        weights: w1, w2 and b.
        x_range: the first and the last place, of both inputs.
        n_grid: points along each side.

    Raises:
        DataError: what is given is not three finite numbers, or no range.

    Example:
        >>> sigmoid_plane((1, 2, 0)).boundary.tolist()  # x2 = -x1 / 2
        [[6.0, -3.0], [-6.0, 3.0]]
    """
    from scipy.special import expit

    needed = "sigmoid_plane needs three numbers (w1, w2, b), as in (1, 2, 0)"
    numbers = _numbers(weights, needed)
    if numbers.shape != (3,):
        raise DataError(f"{needed}; got an array of shape {numbers.shape}.")
    w1, w2, b = (float(number) for number in numbers)
    x = _places(x_range, n_grid)
    with np.errstate(all="ignore"):
        values = expit(w1 * x + (w2 * x)[:, None] + b)
    boundary = _crossing(w1, w2, b, float(x[0]), float(x[-1]))
    note = "" if len(boundary) else "no boundary: it lies outside"
    if not w1 and not w2:
        note = f"no boundary: w1 = w2 = 0, it is {values[0, 0]:.3g} everywhere"
    title = f"sigmoid({_term(w1)} x1 {_signed(w2)} x2 {_signed(b)})"
    return SigmoidPlane(x, values, (w1, w2), b, boundary, title, note)


def _numbers(given: Any, needed: str) -> np.ndarray:
    """What was given, as an array of finite numbers."""
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{needed}; got {given!r:.60}.") from None
    if not np.isfinite(numbers).all():
        raise DataError(f"{needed}, all of them finite; got {given!r:.60}.")
    return numbers


def _places(x_range: Sequence[float | int], n_grid: int) -> Float64[np.ndarray, " g"]:
    needed = "`x_range` must be two numbers, the smaller first"
    ends = _numbers(x_range, needed)
    if ends.shape != (2,) or not ends[0] < ends[1]:
        raise DataError(f"{needed}; got {x_range!r:.60}.")
    check_grid(n_grid)
    return np.linspace(ends[0], ends[1], n_grid)


def _crossing(
    w1: float, w2: float, b: float, low: float, high: float
) -> Float64[np.ndarray, "e 2"]:
    """The ends of the line w1 x1 + w2 x2 + b = 0 on the sides of a square, or no rows."""
    corners = np.array([(low, low), (high, low), (high, high), (low, high)])
    largest = max(abs(w1), abs(w2), abs(b)) or 1.0  # so that nothing overflows
    z = corners @ np.array([w1 / largest, w2 / largest]) + b / largest
    ends: list[np.ndarray] = []
    for i in range(4):
        j = (i + 1) % 4
        if z[i] * z[j] <= 0 and z[i] != z[j]:
            end = corners[i] + z[i] / (z[i] - z[j]) * (corners[j] - corners[i])
            if not any(np.allclose(end, other) for other in ends):
                ends.append(end)
    return np.array(ends if len(ends) == 2 else []).reshape(-1, 2)


def _name(w: float, b: float, boundary: float) -> str:
    at = "no boundary" if np.isnan(boundary) else f"0.5 at {boundary:.4g}"
    return f"w = {_term(w)}, b = {_term(b)}: {at}"


def _term(number: float) -> str:
    return f"{number:.4g}"


def _signed(number: float) -> str:
    return f"{'-' if number < 0 else '+'} {abs(number):.4g}"
