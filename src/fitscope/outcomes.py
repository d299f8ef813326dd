"""How a training ended."""

import enum

__all__ = ["Outcome"]


class Outcome(enum.Enum):
    """How a training ended; the value is the sentence that `Run.ending` completes."""

    FINISHED = "finished"
    STOPPED = "stopped: loss below {stop_below:g}"
    STOPPED_EARLY = "stopped early: no smaller test loss for {patience} epochs"
    DIVERGED = "diverged at step {step}: the loss is no longer finite; try a smaller lr"
    INTERRUPTED = "interrupted at step {step}: what was recorded so far is kept"
    CONVERGED = "converged at step {step}: no step makes the loss smaller"
    SEPARABLE = (
        "ended at step {step}: the classes can be told apart without a mistake, so the loss falls "
        "towards 0 as the weights grow; add `l2`"
    )
    UNBOUNDED = (
        "ended at step {step}: some samples can be told apart without a mistake, so the weights "
        "grow without end and the loss hardly falls; add `l2`"
    )
