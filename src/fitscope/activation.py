"""The activations, each in one array: what a hidden unit answers to its weighted sum."""

import numpy as np
from jaxtyping import Float64

__all__ = ["activate", "sigmoid"]


def activate(
    z: Float64[np.ndarray, "..."],
    activation: str,
    *,
    out: Float64[np.ndarray, "..."] | None = None,
) -> Float64[np.ndarray, "..."]:
    """The activation of weighted sums: sigmoid, tanh, relu or identity; `out` may be z itself."""
    if activation == "sigmoid":
        return sigmoid(z, out)
    if activation == "tanh":
        return np.asarray(np.tanh(z, out=out))
    return np.maximum(z, 0.0, out=out) if activation == "relu" else z


def sigmoid(
    z: Float64[np.ndarray, "..."], out: Float64[np.ndarray, "..."] | None = None
) -> Float64[np.ndarray, "..."]:
    """1 / (1 + exp(-z)) in one array, by numpy's vectorised exponential.

    A megabyte of new memory costs as much as the exponentials in it; scipy's expit is four times
    as slow.
    """
    with np.errstate(over="ignore"):  # where exp(-z) is inf, the answer is 0
        p = np.negative(z, out=out)
        np.exp(p, out=p)
        p += 1.0
        return np.asarray(np.divide(1.0, p, out=p))
