"""What a layer does to a tile of samples, forward and backward, compiled.

Row r of `A` holds the values of unit r, row r of `D` the derivatives of the loss by its weighted
sum; see kernels.py. The last row of both is zero.
"""

from typing import Any

from fitscope.train.functions import (
    ZERO,
    part,
    relu,
    relu_slope,
    sigmoid,
    sigmoid_slope,
    tanh,
    tanh_slope,
    vectorised,
)

__all__ = [
    "IDENTITY",
    "RELU",
    "SIGMOID",
    "TANH",
    "activate",
    "activate_backward",
    "add_products",
    "weighted_sum",
]

SIGMOID, TANH, RELU, IDENTITY = range(4)


@vectorised
def weighted_sum(
    Z: Any, r: int, bias: Any, w: Any, at: int, step: int, A: Any, first: int, n: int, m: int
) -> None:
    """Z[r] = bias + sum_i w[at + i step] A[first + i]: four rows at a time, or the last two."""
    part()
    zero = A.shape[0] - 1
    for i in range(0, n, 4):
        so_far, left = i > 0, n - i
        w0, r0 = w[at + i * step], first + i
        w1, r1 = (w[at + (i + 1) * step], first + i + 1) if left > 1 else (ZERO, zero)
        if left <= 2:
            for s in range(m):
                Z[r, s] = (Z[r, s] if so_far else bias) + w0 * A[r0, s] + w1 * A[r1, s]
        else:
            w2, r2 = w[at + (i + 2) * step], first + i + 2
            w3, r3 = (w[at + (i + 3) * step], first + i + 3) if left > 3 else (ZERO, zero)
            for s in range(m):
                Z[r, s] = (
                    (Z[r, s] if so_far else bias)
                    + (w0 * A[r0, s] + w1 * A[r1, s])
                    + (w2 * A[r2, s] + w3 * A[r3, s])
                )


@vectorised
def add_products(
    grad: Any, at: int, bias: int, D: Any, r: int, A: Any, first: int, n: int, m: int
) -> None:
    """grad[at + i] += sum_s D[r, s] A[first + i, s], four rows at a time; and the bias alike."""
    part()
    zero = A.shape[0] - 1
    for i in range(0, n, 4):
        left = n - i
        r0, r1 = first + i, first + i + 1 if left > 1 else zero
        g0 = g1 = total = ZERO
        if left <= 2:
            for s in range(m):
                g0 += D[r, s] * A[r0, s]
                g1 += D[r, s] * A[r1, s]
                total += D[r, s]
        else:
            r2, r3 = first + i + 2, first + i + 3 if left > 3 else zero
            g2 = g3 = ZERO
            for s in range(m):
                g0 += D[r, s] * A[r0, s]
                g1 += D[r, s] * A[r1, s]
                g2 += D[r, s] * A[r2, s]
                g3 += D[r, s] * A[r3, s]
                total += D[r, s]
            grad[at + i + 2] += g2
            if left > 3:
                grad[at + i + 3] += g3
        grad[at + i] += g0
        if left > 1:
            grad[at + i + 1] += g1
        grad[bias] += total if i == 0 else ZERO


@vectorised
def activate(kind: int, A: Any, r: int, m: int) -> None:
    """A[r] = f(A[r])."""
    part()
    if kind == SIGMOID:
        for s in range(m):
            A[r, s] = sigmoid(A[r, s])
    elif kind == TANH:
        for s in range(m):
            A[r, s] = tanh(A[r, s])
    elif kind == RELU:
        for s in range(m):
            A[r, s] = relu(A[r, s])


@vectorised
def activate_backward(kind: int, A: Any, D: Any, r: int, m: int) -> None:
    """D[r] *= f'(z), in terms of A[r] = f(z)."""
    part()
    if kind == SIGMOID:
        for s in range(m):
            D[r, s] *= sigmoid_slope(A[r, s])
    elif kind == TANH:
        for s in range(m):
            D[r, s] *= tanh_slope(A[r, s])
    elif kind == RELU:
        for s in range(m):
            D[r, s] *= relu_slope(A[r, s])
