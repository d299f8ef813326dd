"""One thread for a library whose threads wait for each other by turning."""

import functools
from contextlib import AbstractContextManager
from typing import Any

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[Any]:
    """While it lasts, BLAS takes one thread.

    SciPy's L-BFGS gives BLAS vectors of a few numbers; on a busy machine its threads made a fit of
    0.04 s take 1.5.
    """
    limit: AbstractContextManager[Any] = _controller().limit(limits=1)
    return limit


@functools.cache
def _controller() -> Any:
    """Knows the libraries that are loaded; to look for them takes some milliseconds."""
    import scipy.optimize  # noqa: F401 whose BLAS it is to find
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
