"""What lets a training go on where another ended."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

__all__ = ["Memory"]


@dataclass(eq=False)
class Memory:
    """What a training leaves for the next one, which changes it; empty before the first.

    A training of 100 epochs and, with its memory, another of 100 make the steps of one of 200.
    Another engine or optimizer goes on from the parameters alone.

    Attributes:
        engine: which engine trained.
        rule: which optimizer moved the parameters.
        params: the parameters at its end (p,); None before the first training.
        n_updates: updates made so far by that optimizer, which Adam counts.
        optimizer: what the optimizer remembers, in the engine's own form.
        rng: the state of the generator that draws the shuffles.
    """

    engine: str = ""
    rule: str = ""
    params: Float32[np.ndarray, " p"] | None = None
    n_updates: int = 0
    optimizer: Any = None
    rng: UInt8[np.ndarray, " r"] | None = None

    def begin(self, engine: str, rule: str) -> None:
        """Forgets what an optimizer remembers where another one, or another engine, goes on."""
        if (engine, rule) != (self.engine, self.rule):
            self.engine, self.rule, self.n_updates, self.optimizer = engine, rule, 0, None
