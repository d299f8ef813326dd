"""Functions of one number, compiled: exponentials, and activations beside their derivatives.

In float32 they are made of arithmetic alone, which the compiler turns into vector instructions;
calls to the C library would stay scalar. In float64, which only tests use, they call the library.
"""

import math
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, overload

__all__ = [
    "ONE",
    "ZERO",
    "compiled",
    "entry",
    "exp",
    "expm1",
    "log",
    "log1p",
    "part",
    "relu",
    "relu_slope",
    "sigmoid",
    "sigmoid_slope",
    "tanh",
    "tanh_slope",
    "vectorised",
]

_COMPILED_FILES = (
    "functions.py",
    "layers.py",
    "losses.py",
    "optimizers.py",
    "kernels.py",
    "curvature.py",
)

# A Python number would turn all arithmetic with it into float64.
_f = np.float32
ZERO, ONE, TWO = _f(0), _f(1), _f(2)
LOG2_E, LN_2 = _f(math.log2(math.e)), _f(math.log(2))
# Added to t, it leaves the nearest integer k in the last bits of the sum, and with it the biased
# exponent k + 127 of the float32 2^k.
SHIFT = _f(1.5 * 2**23 + 127)
# Minimax polynomials (Remez 1934), fitted in float64: (2^r - 1) / r on +-1/2, for a relative error
# of 2^r of 9e-8; log(1 + x) / x on 0..1, relative error 3e-8.
P0, P1, P2, P3, P4 = map(
    _f, (0.69314700365, 0.24022242427, 0.05550733581, 0.00967151299, 0.00132647273)
)
Q0, Q1, Q2, Q3, Q4, Q5, Q6, Q7, Q8 = map(
    _f,
    (0.99999994040, -0.49999493360, 0.33319097758, -0.24842981994, 0.19106006622, -0.13663245738,
     0.07822595537, -0.02950523694, 0.00523269409),
)  # fmt: skip

# "contract" lets a * b + c be one instruction. "reassoc" lets a sum over a row be spread over the
# lanes of a vector. "nnan" and "ninf" stay off: a run that diverges must show it. No function
# makes or keeps an array, so that none needs to count references to them.
_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"contract"},
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """For other compiled functions to call; its sums are added up in the order written."""
    return cast(Function, njit(**_OPTIONS)(function))


def vectorised(function: Function) -> Function:
    """The same for loops over rows: their sums are added up in any order."""
    return cast(
        Function, njit(**{**_OPTIONS, "fastmath": {"contract", "reassoc", "nsz"}})(function)
    )


def entry(function: Function) -> Function:
    """For Python to call, without the interpreter's lock.

    It is kept on disk until one of the compiled files changes. numba would look at the file of the
    function alone.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
    try:
        dispatcher = njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to keep it
        return cast(Function, njit(**options)(function))
    on_disk = dispatcher._cache._cache_file
    sources = (Path(__file__).with_name(name).read_bytes() for name in _COMPILED_FILES)
    on_disk._source_stamp = (on_disk._source_stamp, sha256(b"".join(sources)).hexdigest())
    return cast(Function, dispatcher)


def _part(_context: Any) -> Any:
    """Tells LLVM to build this function into its caller, with vectors of 512 bits if there are any.

    By itself it takes 256: measured on a Cascade Lake, a row of sigmoids then takes half as long
    again. A function of its own would be compiled once for itself and once for each caller, and
    which of them runs would depend on whether the caller comes from disk: the sums would differ in
    their last bits.
    """

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        # past llvmlite's own check, whose list of names lacks the first
        for name in ('"prefer-vector-width"="512"', "alwaysinline"):
            set.add(builder.function.attributes, name)
        return context.get_dummy_value()

    return types.void(), generate


part = cast(Callable[[], None], intrinsic(_part))


def _in_float64(library: Callable[..., Any]) -> Callable[..., Any]:
    """The decorated function for float32, `library` for float64."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        in_float32 = compiled(function)

        @overload(function, jit_options=cast(Any, _OPTIONS))
        def choose(z):  # type: ignore[no-untyped-def]  # numba compares it with the lambdas
            if z == types.float32:
                return lambda z: in_float32(z)  # noqa: PLW0108
            return lambda z: library(z)  # noqa: PLW0108

        return function

    return decorate


@compiled
def _power(z: Any) -> Any:
    """2^k and m such that e^z = 2^k (1 + m); 2^k is 0 below -88 and infinite above 88.4."""
    t = min(max(z * LOG2_E, _f(-127)), _f(128))
    shifted = t + SHIFT
    r = t - (shifted - SHIFT)
    scale = np.int32(np.float32(shifted).view(np.int32) << np.int32(23)).view(np.float32)
    return scale, r * ((((P4 * r + P3) * r + P2) * r + P1) * r + P0)


@_in_float64(math.exp)
def exp(z: Any) -> Any:
    """e^z."""
    scale, m = _power(z)
    return scale * (ONE + m)


@_in_float64(math.expm1)
def expm1(z: Any) -> Any:
    """e^z - 1, for z below 88."""
    scale, m = _power(z)
    return (scale - ONE) + scale * m


@_in_float64(math.log1p)
def log1p(z: Any) -> Any:
    """The logarithm of 1 + z, for z in 0..1."""
    return z * (
        (((((((Q8 * z + Q7) * z + Q6) * z + Q5) * z + Q4) * z + Q3) * z + Q2) * z + Q1) * z + Q0
    )


@_in_float64(math.log)
def log(z: Any) -> Any:
    """The natural logarithm of finite z from 1e-37 on, z = 2^k (1 + m); NaN stays."""
    bits = np.float32(z).view(np.int32)
    k = np.int32(bits >> np.int32(23)) - np.int32(127)
    m = np.int32((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32) - ONE
    return _f(k) * LN_2 + log1p(m) + (z - z)


@compiled
def sigmoid(z: Any) -> Any:
    """The logistic function, a = 1 / (1 + e^-z)."""
    return ONE / (ONE + exp(-z))


@compiled
def sigmoid_slope(a: Any) -> Any:
    """Its derivative, da/dz = a (1 - a)."""
    return a * (ONE - a)


@compiled
def tanh(z: Any) -> Any:
    """The hyperbolic tangent, a = (e^2z - 1) / (e^2z + 1)."""
    m = expm1(min(max(z + z, _f(-40)), _f(40)))  # from 18 on, it is 1 in float32
    return m / (m + TWO)


@compiled
def tanh_slope(a: Any) -> Any:
    """Its derivative, da/dz = 1 - a^2."""
    return ONE - a * a


@compiled
def relu(z: Any) -> Any:
    """The rectifier, a = max(z, 0); NaN stays."""
    return z if not z < ZERO else ZERO


@compiled
def relu_slope(a: Any) -> Any:
    """Its derivative, da/dz = 1 where a > 0, else 0."""
    return ONE if a > ZERO else ZERO
