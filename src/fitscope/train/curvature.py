"""Linear models, compiled: loss, gradient and Hessian of their samples in one pass over them.

A tile of samples lies in the cache as rows of float64, one a feature and a last one of ones for the
bias, padded with rows of zeros to a multiple of four. All sums run in float64, but those of the
Hessian within a tile where float32 is asked for.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from fitscope.train import kernels
from fitscope.train.functions import compiled, entry, part, vectorised

__all__ = ["BINARY", "SOFTMAX", "SQUARED", "TILE", "Room", "cholesky", "linear", "network"]

BINARY, SOFTMAX, SQUARED = range(3)
TILE = 256  # samples; 24 rows of them take 48 kB
LOSS, GRADIENT, HESSIAN = range(3)
_IN_PRODUCT = 64  # numbers below 1e4, whose product is finite
ZERO, ONE, TWO = 0.0, 1.0, 2.0

LOG2_E = math.log2(math.e)
# ln 2 as a number with few bits, whose multiples by whole numbers are exact, and the rest.
LN_2_HIGH, LN_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
SHIFT = 1.5 * 2**52 + 1023  # as in functions.py, for float64
C = tuple(1 / math.factorial(i) for i in range(14))
(C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13) = C[2:]


class Room(NamedTuple):
    """Where a tile is computed; one for each thread."""

    A: np.ndarray  # (q, TILE): the inputs and the ones; q is a multiple of 4
    H: np.ndarray  # (q, TILE): the same for the Hessian, perhaps in float32
    B: np.ndarray  # (4, TILE): four rows of H, weighted
    Z: np.ndarray  # (k, TILE): answers, then probabilities
    D: np.ndarray  # (k, TILE): derivatives of the loss by the answers
    V: np.ndarray  # (4, TILE): factors of the Hessian, and what else is one number a sample
    U: np.ndarray  # (TILE,): weights of the samples; ones, unless they have some


@compiled
def _exp(z: Any) -> Any:
    """e^z for z <= 0, within 2e-16 of it; 2e-308 below -708. Taylor's series on +-ln(2)/2."""
    z = max(z, -708.0)
    shifted = z * LOG2_E + SHIFT
    k = shifted - SHIFT
    r = (z - k * LN_2_HIGH) - k * LN_2_LOW
    m = ((((C13 * r + C12) * r + C11) * r + C10) * r + C9) * r + C8
    m = (((((m * r + C7) * r + C6) * r + C5) * r + C4) * r + C3) * r + C2
    scale = np.int64(np.float64(shifted).view(np.int64) << np.int64(52)).view(np.float64)
    return scale * ((m * r + ONE) * r + ONE)


@vectorised
def _load(X: Any, w: Any, at: int, m: int, room: Any) -> None:
    """Rows of inputs; then the ones; and weights, if there are any. The rows of zeros stay."""
    part()
    A, d = room.A, X.shape[1]
    if w.size > 0:
        for s in range(m):
            room.U[s] = w[at + s]
    for i in range(d):
        for s in range(m):
            A[i, s] = X[at + s, i]
    for s in range(m):
        A[d, s] = ONE


@vectorised
def _answers(W: Any, c: int, A: Any, Z: Any, m: int) -> None:
    """Z[c] = W[c] A, four rows at a time."""
    part()
    for i in range(0, A.shape[0], 4):
        w0, w1, w2, w3 = W[c, i], W[c, i + 1], W[c, i + 2], W[c, i + 3]
        so_far = i > 0
        for s in range(m):
            Z[c, s] = (Z[c, s] if so_far else ZERO) + (
                (w0 * A[i, s] + w1 * A[i + 1, s]) + (w2 * A[i + 2, s] + w3 * A[i + 3, s])
            )


@vectorised
def _log_of_product(row: Any, m: int) -> Any:
    """The sum of the logarithms of numbers from 1 on: one logarithm for many of them."""
    part()
    total = ZERO
    for at in range(0, m, _IN_PRODUCT):
        product = ONE
        for s in range(at, min(m, at + _IN_PRODUCT)):
            product *= row[s]
        total += math.log(product)
    return total


@vectorised
def _weighted_logs(row: Any, w: Any, m: int) -> Any:
    """The same, each logarithm times its weight."""
    part()
    total = ZERO
    for s in range(m):
        total += w[s] * math.log(row[s])
    return total


@vectorised
def _binary(y: Any, at: int, m: int, weighs: bool, room: Any) -> Any:
    """Cross-entropy of one logit: its sum, and how many samples are not on their own side."""
    part()
    Z, D, V, U, total, wrong = room.Z, room.D, room.V, room.U, ZERO, ZERO
    for s in range(m):
        z, t = Z[0, s], np.float64(y[at + s])
        e = _exp(-abs(z))
        p = (ONE if z >= ZERO else e) / (ONE + e)
        total += U[s] * (max(z, ZERO) - z * t)
        wrong += ZERO if (z > ZERO if t > ZERO else z < ZERO) else U[s]
        Z[0, s] = p
        D[0, s] = U[s] * (p - t)
        V[1, s] = ONE + e
    return total + (_weighted_logs(V[1], U, m) if weighs else _log_of_product(V[1], m)), wrong


@vectorised
def _softmax(y: Any, at: int, m: int, weighs: bool, room: Any) -> Any:
    """The same of a logit for each class."""
    part()
    Z, D, V, U, k = room.Z, room.D, room.V, room.U, room.Z.shape[0]
    total, wrong = ZERO, ZERO
    for s in range(m):
        V[0, s] = Z[0, s]
        V[1, s] = ZERO
        V[2, s] = ZERO
        V[3, s] = -np.inf
    for c in range(1, k):
        for s in range(m):
            V[0, s] = max(V[0, s], Z[c, s])
    for c in range(k):
        label = np.float32(c)
        for s in range(m):
            own = y[at + s] == label
            e = _exp(Z[c, s] - V[0, s])
            D[c, s] = ONE if own else ZERO
            V[1, s] += e
            V[2, s] += Z[c, s] if own else ZERO
            V[3, s] = V[3, s] if own else max(V[3, s], Z[c, s])
            Z[c, s] = e
    for s in range(m):
        total += U[s] * (V[0, s] - V[2, s])
        wrong += ZERO if V[2, s] > V[3, s] else U[s]
    for c in range(k):
        for s in range(m):
            p = Z[c, s] / V[1, s]
            Z[c, s] = p
            D[c, s] = U[s] * (p - D[c, s])
    return total + (_weighted_logs(V[1], U, m) if weighs else _log_of_product(V[1], m)), wrong


@vectorised
def _squared(y: Any, at: int, m: int, room: Any) -> Any:
    """The squared error."""
    part()
    Z, D, U, total = room.Z, room.D, room.U, ZERO
    for s in range(m):
        error = Z[0, s] - np.float64(y[at + s])
        total += U[s] * (error * error)
        D[0, s] = TWO * U[s] * error
    return total, ONE


@vectorised
def _add_gradient(D: Any, c: int, A: Any, grad: Any, m: int) -> None:
    """grad[c] += D[c] A', four rows at a time."""
    part()
    for i in range(0, A.shape[0], 4):
        g0 = g1 = g2 = g3 = ZERO
        for s in range(m):
            g0 += D[c, s] * A[i, s]
            g1 += D[c, s] * A[i + 1, s]
            g2 += D[c, s] * A[i + 2, s]
            g3 += D[c, s] * A[i + 3, s]
        grad[c, i] += g0
        grad[c, i + 1] += g1
        grad[c, i + 2] += g2
        grad[c, i + 3] += g3


@vectorised
def _add_products(A: Any, B: Any, V: Any, H: Any, m: int) -> None:
    """H += A diag(V[0]) A', the lower triangle, in squares of four rows by four."""
    part()
    zero = B.dtype.type(0.0)
    for i in range(0, A.shape[0], 4):
        for r in range(4):
            for s in range(m):
                B[r, s] = V[0, s] * A[i + r, s]
        for j in range(0, i + 4, 4):
            h00 = h01 = h02 = h03 = h10 = h11 = h12 = h13 = zero
            h20 = h21 = h22 = h23 = h30 = h31 = h32 = h33 = zero
            for s in range(m):
                b0, b1, b2, b3 = B[0, s], B[1, s], B[2, s], B[3, s]
                a0, a1, a2, a3 = A[j, s], A[j + 1, s], A[j + 2, s], A[j + 3, s]
                h00 += b0 * a0
                h01 += b0 * a1
                h02 += b0 * a2
                h03 += b0 * a3
                h10 += b1 * a0
                h11 += b1 * a1
                h12 += b1 * a2
                h13 += b1 * a3
                h20 += b2 * a0
                h21 += b2 * a1
                h22 += b2 * a2
                h23 += b2 * a3
                h30 += b3 * a0
                h31 += b3 * a1
                h32 += b3 * a2
                h33 += b3 * a3
            _add_row(H, i, j, h00, h01, h02, h03)
            _add_row(H, i + 1, j, h10, h11, h12, h13)
            _add_row(H, i + 2, j, h20, h21, h22, h23)
            _add_row(H, i + 3, j, h30, h31, h32, h33)


@compiled
def _add_row(H: Any, i: int, j: int, h0: Any, h1: Any, h2: Any, h3: Any) -> None:
    part()
    H[i, j] += h0
    H[i, j + 1] += h1
    H[i, j + 2] += h2
    H[i, j + 3] += h3


@vectorised
def _add_curvature(kind: int, room: Any, hess: Any, m: int) -> None:
    """The Hessian by the answers of classes a and b: p_a (1 if a = b else 0) - p_a p_b, or 2."""
    part()
    Z, V, U, k, pair = room.Z, room.V, room.U, room.Z.shape[0], 0
    for i in range(room.A.shape[0]):
        for s in range(m):
            room.H[i, s] = room.A[i, s]
    for a in range(k):
        for b in range(a + 1):
            for s in range(m):
                same = ONE if a == b else ZERO
                curve = TWO if kind == SQUARED else Z[a, s] * (same - Z[b, s])
                V[0, s] = U[s] * curve
            _add_products(room.H, room.B, V, hess[pair], m)
            pair += 1


@entry
def linear(
    kind: Any,
    wanted: Any,
    W: Any,
    X: Any,
    y: Any,
    w: Any,
    first: int,
    last: int,
    room: Any,
    out: Any,
) -> None:
    """Sets `out` to the sums over the samples first..last - 1 of a linear model.

    Args:
        kind: BINARY or SOFTMAX cross-entropy, or SQUARED error.
        wanted: LOSS; GRADIENT, and the loss; or HESSIAN, and both.
        W: a row for each answer (k, q): weights, bias, zeros; float64.
        X: inputs (n, d), float32.
        y: targets (n,), float32: 0 or 1, the class index, or the value.
        w: weights (n,), float32; empty where all are 1.
        first: where to begin.
        last: where to end.
        room: where to compute.
        out: loss and weight of samples that are not on their own side (2,), gradient (k, q), and
            for each pair of answers a >= b the lower triangle of the Hessian (pairs, q, q).
    """
    sums, grad, hess = out
    sums[:], grad[:], hess[:] = ZERO, ZERO, ZERO
    k, weighs = W.shape[0], w.size > 0
    for at in range(first, last, TILE):
        m = min(TILE, last - at)
        _load(X, w, at, m, room)
        for c in range(k):
            _answers(W, c, room.A, room.Z, m)
        if kind == BINARY:
            total, wrong = _binary(y, at, m, weighs, room)
        elif kind == SOFTMAX:
            total, wrong = _softmax(y, at, m, weighs, room)
        else:
            total, wrong = _squared(y, at, m, room)
        sums[0] += total
        sums[1] += wrong
        if wanted >= GRADIENT:
            for c in range(k):
                _add_gradient(room.D, c, room.A, grad, m)
        if wanted == HESSIAN:
            _add_curvature(kind, room, hess, m)


@entry
def network(
    params: Any, net: Any, samples: Any, order: Any, first: int, last: int, work: Any
) -> float:
    """The mean loss of the samples first..last - 1 of any network, as `kernels.loss`.

    Its gradient goes to `work.grad`. What it computes in has the type of `work`, here float64.
    """
    return kernels.loss(params, net, samples, order, first, last, work, True, False)


@vectorised
def _dot(A: Any, i: int, j: int, n: int) -> Any:
    """The product of the first n numbers of two rows."""
    part()
    total = ZERO
    for s in range(n):
        total += A[i, s] * A[j, s]
    return total


@entry
def cholesky(A: Any, b: Any, least: Any) -> Any:
    """Replaces b by A^-1 b and the lower triangle of A by its factor L, A = L L'.

    Where a row is determined by those before it, its unknown is set to 0 and the others solve
    what is left, as in R's `glm`.

    Not by LAPACK, whose bits depend on the number of its threads; and these, waiting for more
    work, take the processor from the passes over the samples (2.5 times as long, 10,000 x 100).

    Args:
        A: symmetric matrix (p, p), of which the lower triangle is read; ones or more on its
            diagonal.
        b: right side (p,).
        least: of the squared diagonal of L; what is below is taken for 0.

    Returns:
        How many rows are determined by others.
    """
    p, n_determined = b.size, 0
    for i in range(p):
        for j in range(i):
            A[i, j] = (A[i, j] - _dot(A, i, j, j)) / A[j, j]
        square = A[i, i] - _dot(A, i, i, i)
        is_free = square > least
        A[i, i] = math.sqrt(square) if is_free else np.inf  # by which all is 0
        n_determined += 0 if is_free else 1
    for i in range(p):
        total = b[i]
        for j in range(i):
            total -= A[i, j] * b[j]
        b[i] = total / A[i, i]
    for i in range(p - 1, -1, -1):
        b[i] /= A[i, i]
        for j in range(i):
            b[j] -= A[i, j] * b[i]
    return n_determined
