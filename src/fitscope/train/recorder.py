"""What a training leaves behind, as it grows: used by every engine."""

import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from fitscope.records import Outcome, Trajectory

__all__ = ["Recorder"]


class Recorder:
    """Keeps parameters within a budget, and every loss.

    Every step is kept until the budget is full; then every second kept one is dropped and half
    as many are kept from there on. So the kept steps are even, a run that ends early is kept
    whole, and nobody needs to know beforehand how long it will be. The start and the last step
    are always kept.

    Args:
        start: the flat parameters before training (p,).
        keep_bytes: the budget of the kept parameters, at least two rows.
    """

    def __init__(self, start: Float32[np.ndarray, " p"], *, keep_bytes: int) -> None:
        self.n_steps = 0
        self.batch_loss: list[float] = []
        self.train_loss: list[float] = []
        self.test_loss: list[float] = []
        self._max_rows = max(2, keep_bytes // start.nbytes - 1)  # one more for the last step
        self._every = 1
        self._rows = [start]
        self._began = time.perf_counter()

    def step(self, parameters: Callable[[], np.ndarray]) -> None:
        """Counts an update; asks for the parameters (p,) after it only where they are kept."""
        self.n_steps += 1
        if self.n_steps % self._every == 0:
            self._rows.append(parameters())
        if len(self._rows) > self._max_rows:
            self._rows, self._every = self._rows[::2], 2 * self._every

    def trajectory(self, end: Float32[np.ndarray, " p"], outcome: Outcome) -> Trajectory:
        """The recording, with the parameters at the end as its last row."""
        steps = [i * self._every for i in range(len(self._rows))]
        if steps[-1] != self.n_steps:
            self._rows.append(end)
            steps.append(self.n_steps)
        return Trajectory(
            params=np.stack(self._rows),
            steps=np.array(steps, dtype=np.int32),
            batch_loss=np.array(self.batch_loss, dtype=np.float32),
            train_loss=np.array(self.train_loss, dtype=np.float32),
            test_loss=np.array(self.test_loss, dtype=np.float32),
            outcome=outcome,
            train_s=time.perf_counter() - self._began,
        )
