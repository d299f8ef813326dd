"""What a training leaves behind, as it grows: used by every engine."""

import bisect
import math
import time
from array import array
from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from fitscope.outcomes import Outcome
from fitscope.records import Trajectory

__all__ = ["Recorder", "Watch", "max_rows"]

Watch = Callable[[int, float, Callable[[], np.ndarray]], bool]  # done, loss, params; True ends it


def max_rows(row_bytes: int, keep_bytes: int) -> int:
    """The most rows that are kept beside that of the last step.

    Example:
        >>> max_rows(100, 1000)
        9
    """
    return max(2, keep_bytes // row_bytes - 1)


class Recorder:
    """Keeps parameters within a budget, and every loss.

    Every step is kept until the budget is full; then every second kept one is dropped and half
    as many are kept from there on. So the kept steps are even, a run that ends early is kept
    whole, and nobody needs to know beforehand how long it will be. The start and the last step
    are always kept, and where `best_of` is given the step of the least test loss.

    Args:
        start: the flat parameters before training (p,).
        keep_bytes: the budget of the kept parameters, at least two rows.
        every: the stride to begin with.
        best_of: updates in an epoch, after each of which the test loss is looked at; None
            where the least one does not matter.
    """

    def __init__(
        self,
        start: Float32[np.ndarray, " p"],
        *,
        keep_bytes: int,
        every: int = 1,
        best_of: int | None = None,
    ) -> None:
        self.n_steps = 0
        self.batch_loss = array("f")
        self.train_loss = array("f")
        self.test_loss = array("f")
        n_rows = max_rows(start.nbytes, keep_bytes)
        self._max_rows = n_rows if best_of is None else max(2, n_rows - 1)
        self._every = every
        self._rows, self._n_rows = [start[None]], 1
        self._best_of, self._least, self._best = best_of, math.inf, (0, start)
        self._began = time.perf_counter()

    def step(self, parameters: Callable[[], np.ndarray]) -> None:
        """Counts an update; asks for the parameters (p,) after it only where they are kept."""
        self.n_steps += 1
        if self.n_steps % self._every == 0:
            self._keep(parameters()[None])

    def epoch(self, test_loss: float, parameters: Callable[[], np.ndarray]) -> None:
        """Takes the test loss after an epoch, and the parameters (p,) where it is the least."""
        if self._best_of is not None and test_loss < self._least:
            self._least = test_loss
            self._best = len(self.test_loss) * self._best_of, parameters()
        self.test_loss.append(test_loss)

    def block(
        self,
        rows: Float32[np.ndarray, "u p"],
        batch_loss: Float32[np.ndarray, " u2"],
        train_loss: Float32[np.ndarray, " e"],
        test_loss: Float32[np.ndarray, " e2"],
    ) -> None:
        """Counts as many updates as `rows` has, the parameters after each; all is copied."""
        self._keep_best(rows, test_loss)
        next_kept = -(self.n_steps + 1) % self._every
        self.n_steps += len(rows)
        self._keep(rows[next_kept :: self._every].copy())
        self.batch_loss.frombytes(batch_loss.tobytes())
        self.train_loss.frombytes(train_loss.tobytes())
        self.test_loss.frombytes(test_loss.tobytes())

    def _keep_best(
        self, rows: Float32[np.ndarray, "u p"], test_loss: Float32[np.ndarray, " e"]
    ) -> None:
        """Keeps the row of the least test loss of a block, where it is the least of all."""
        if self._best_of is None or not len(test_loss):
            return
        i = int(np.argmin(np.where(np.isnan(test_loss), np.inf, test_loss)))
        if test_loss[i] < self._least:
            step = (len(self.test_loss) + i) * self._best_of
            row = rows[step - self.n_steps - 1].copy() if step else self._best[1]
            self._least, self._best = float(test_loss[i]), (step, row)

    def _keep(self, rows: Float32[np.ndarray, "u p"]) -> None:
        self._rows.append(rows)
        self._n_rows += len(rows)
        while self._n_rows > self._max_rows:
            thinned = np.concatenate(self._rows)[::2].copy()
            self._rows, self._n_rows, self._every = [thinned], len(thinned), 2 * self._every

    def trajectory(self, end: Float32[np.ndarray, " p"], outcome: Outcome) -> Trajectory:
        """The recording, with the parameters at the end as its last row."""
        steps = [i * self._every for i in range(self._n_rows)]
        if steps[-1] != self.n_steps:
            self._rows.append(end[None])
            steps.append(self.n_steps)
        params, (best, row) = np.concatenate(self._rows), self._best
        if best not in steps:
            at = bisect.bisect(steps, best)
            params = np.insert(params, at, row, axis=0)
            steps.insert(at, best)
        return Trajectory(
            params=params,
            steps=np.array(steps, dtype=np.int32),
            batch_loss=np.array(self.batch_loss, dtype=np.float32),
            train_loss=np.array(self.train_loss, dtype=np.float32),
            test_loss=np.array(self.test_loss, dtype=np.float32),
            outcome=outcome,
            train_s=time.perf_counter() - self._began,
        )
