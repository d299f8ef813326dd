"""Losses, compiled: of one sample, each its value and its derivative; and of a row of samples.

They are those of `torch_loop.loss_function`. z is the network's output, y the target.
"""

from typing import Any

import numpy as np

from fitscope.train.functions import (
    ONE,
    TWO,
    ZERO,
    compiled,
    exp,
    log,
    log1p,
    part,
    sigmoid,
    sigmoid_slope,
    vectorised,
)

__all__ = [
    "BINARY_CROSS_ENTROPY",
    "BINARY_MSE",
    "CLASS_MSE",
    "CROSS_ENTROPY",
    "MSE",
    "RELATIVE",
    "SMOOTH_L1",
    "class_losses",
    "losses",
]

BINARY_CROSS_ENTROPY, BINARY_MSE, MSE, SMOOTH_L1, RELATIVE, CROSS_ENTROPY, CLASS_MSE = range(7)
HALF = np.float32(0.5)


@compiled
def binary_cross_entropy(z: Any, y: Any, _floor: Any) -> Any:
    """-log p where y = 1, -log(1 - p) where y = 0, p = sigmoid(z); d/dz = p - y."""
    e = exp(-abs(z))
    p = (ONE if z >= ZERO else e) / (ONE + e)
    return max(z, ZERO) - z * y + log1p(e), p - y


@compiled
def binary_mse(z: Any, y: Any, _floor: Any) -> Any:
    """(p - y)^2, p = sigmoid(z); d/dz = 2 (p - y) p (1 - p)."""
    p = sigmoid(z)
    return (p - y) * (p - y), TWO * (p - y) * sigmoid_slope(p)


@compiled
def mse(z: Any, y: Any, _floor: Any) -> Any:
    """(z - y)^2; d/dz = 2 (z - y)."""
    return (z - y) * (z - y), TWO * (z - y)


@compiled
def smooth_l1(z: Any, y: Any, _floor: Any) -> Any:
    """e^2 / 2 where |e| < 1, else |e| - 1/2, e = z - y; d/dz = e, or its sign."""
    e = z - y
    small = abs(e) < ONE
    return HALF * e * e if small else abs(e) - HALF, e if small else _sign(e)


@compiled
def relative(z: Any, y: Any, floor: Any) -> Any:
    """|z - y| / max(|y|, floor); d/dz = sign(z - y) / max(|y|, floor)."""
    whole = max(abs(y), floor)
    return abs(z - y) / whole, _sign(z - y) / whole


@compiled
def _sign(e: Any) -> Any:
    return ONE if e > ZERO else (-ONE if e < ZERO else ZERO)


@vectorised
def losses(
    kind: int, Z: Any, D: Any, r: int, y: Any, w: Any, floor: Any, scale: Any, m: int
) -> Any:
    """The sum of w times the losses of the outputs Z[r] of m samples; D[r] = scale w derivative."""
    part()
    if kind == BINARY_CROSS_ENTROPY:
        return _over_row(binary_cross_entropy, Z, D, r, y, w, floor, scale, m)
    if kind == BINARY_MSE:
        return _over_row(binary_mse, Z, D, r, y, w, floor, scale, m)
    if kind == MSE:
        return _over_row(mse, Z, D, r, y, w, floor, scale, m)
    if kind == SMOOTH_L1:
        return _over_row(smooth_l1, Z, D, r, y, w, floor, scale, m)
    return _over_row(relative, Z, D, r, y, w, floor, scale, m)


@vectorised
def _over_row(
    loss: Any, Z: Any, D: Any, r: int, y: Any, w: Any, floor: Any, scale: Any, m: int
) -> Any:
    """The same for one of the losses above; compiled anew for each."""
    part()
    total = ZERO
    for s in range(m):
        value, slope = loss(Z[r, s], y[s], floor)
        total += w[s] * value
        D[r, s] = scale * (w[s] * slope)
    return total


@vectorised
def class_losses(
    kind: int, Z: Any, D: Any, r: int, k: int, y: Any, w: Any, rows: Any, scale: Any, m: int
) -> Any:
    """The same for k classes, whose outputs are the rows from r on; `rows` (2, m) is overwritten.

    p_c = e^z_c / sum_j e^z_j, and y_c = 1 for the sample's own class, else 0.
    """
    part()
    _exponentials(Z, D, r, k, rows, m)
    if kind == CROSS_ENTROPY:
        return _cross_entropy(Z, D, r, k, y, w, rows, scale, m)
    return _class_mse(D, r, k, y, w, rows, scale, m)


@vectorised
def _exponentials(Z: Any, D: Any, r: int, k: int, rows: Any, m: int) -> None:
    """D = e^(z - largest z); rows = the largest z, and the sum of D over classes."""
    part()
    for s in range(m):
        rows[0, s] = Z[r, s]
        rows[1, s] = ZERO
    for c in range(1, k):
        for s in range(m):
            rows[0, s] = max(rows[0, s], Z[r + c, s])
    for c in range(k):
        for s in range(m):
            D[r + c, s] = exp(Z[r + c, s] - rows[0, s])
            rows[1, s] += D[r + c, s]


@vectorised
def _cross_entropy(
    Z: Any, D: Any, r: int, k: int, y: Any, w: Any, rows: Any, scale: Any, m: int
) -> Any:
    """-log p_y = log sum_j e^z_j - z_y; d/dz_c = p_c - y_c."""
    part()
    for s in range(m):
        rows[0, s] += log(rows[1, s])
    for c in range(k):
        for s in range(m):
            own = y[s] == np.float32(c)
            rows[0, s] -= Z[r + c, s] if own else ZERO
            slope = D[r + c, s] / rows[1, s] - (ONE if own else ZERO)
            D[r + c, s] = scale * (w[s] * slope)
    total = ZERO
    for s in range(m):
        total += w[s] * rows[0, s]
    return total


@vectorised
def _class_mse(D: Any, r: int, k: int, y: Any, w: Any, rows: Any, scale: Any, m: int) -> Any:
    """sum_c (p_c - y_c)^2; d/dz_c = 2 p_c ((p_c - y_c) - sum_j p_j (p_j - y_j))."""
    part()
    total = ZERO
    for s in range(m):
        rows[0, s] = ZERO  # the sum over j
    for c in range(k):
        for s in range(m):
            p = D[r + c, s] / rows[1, s]
            error = p - (ONE if y[s] == np.float32(c) else ZERO)
            rows[0, s] += p * error
            total += w[s] * (error * error)
            D[r + c, s] = p
    for c in range(k):
        for s in range(m):
            p = D[r + c, s]
            error = p - (ONE if y[s] == np.float32(c) else ZERO)
            D[r + c, s] = scale * TWO * (w[s] * p) * (error - rows[0, s])
    return total
