"""Passes over samples: fixed blocks of them in threads, whose sums are added in their order.

The number of threads then changes no bit.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np

__all__ = ["Passes", "Threads"]

_MOST_BLOCKS = 64
_BLOCK = 1024  # samples, at least
_BLOCK_BYTES = 64_000_000  # of the sums of all blocks

Sums = tuple[np.ndarray, ...]


class Threads:
    """So many at a time, the calling one among them; they end when nobody has this any more.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._others = ThreadPoolExecutor(max(1, workers - 1))

    def each(self, work: Callable[[Any], None], rooms: list[Any]) -> None:
        """Calls `work` with each room at the same time, and waits for all."""
        mine, *rest = rooms
        others = [self._others.submit(work, room) for room in rest]
        try:
            work(mine)
        finally:
            wait(others)
        for other in others:
            other.result()


class Passes:
    """Passes of one kind over the same samples; their memory is kept from one to the next.

    Args:
        n: number of samples.
        shapes: of the sums.
        room: makes what a thread computes in.
        threads: who computes.
    """

    def __init__(
        self,
        n: int,
        shapes: tuple[tuple[int, ...], ...],
        room: Callable[[], Any],
        threads: Threads,
    ) -> None:
        blocks = list(_blocks(n, sum(map(math.prod, shapes))))
        self._parts = [(block, tuple(np.zeros(shape) for shape in shapes)) for block in blocks]
        self._rooms = [room() for _ in range(min(threads.workers, len(blocks)))]
        self._threads = threads

    def total(self, add: Callable[[int, int, Any, Sums], None]) -> list[Any]:
        """What `add(first, last, room, sums)` leaves in the sums of each block, added up."""
        left = iter(self._parts)

        def some(room: Any) -> None:
            for (first, last), sums in left:
                add(first, last, room, sums)

        self._threads.each(some, self._rooms)
        return [np.add.reduce(parts) for parts in zip(*(s for _, s in self._parts), strict=True)]


def _blocks(n: int, n_sums: int) -> Iterator[tuple[int, int]]:
    """Where each block of samples begins and ends; the same on every machine."""
    most = max(1, min(_MOST_BLOCKS, _BLOCK_BYTES // (8 * n_sums)))
    size = max(_BLOCK, -(-n // most))
    for first in range(0, n, size):
        yield first, min(n, first + size)
