"""Many starts of one experiment: the end of each, and nothing else."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from fitscope.errors import EngineError, ExperimentError
from fitscope.outcomes import Outcome
from fitscope.train.plan import Plan
from fitscope.train.single import interruptible, n_cores, say_whether_it_compiles

__all__ = ["Ends", "ends_of"]


@dataclass(frozen=True, eq=False)
class Ends:
    """What became of one experiment from each of many starts, in their order.

    Attributes:
        params: the flat parameters at the end; the start itself where there was no time for it.
        train_loss: the last one taken of the whole training part; nan likewise.
        n_updates: updates made.
        outcomes: how each training ended.
    """

    params: Float32[np.ndarray, "r p"]
    train_loss: Float32[np.ndarray, " r"]
    n_updates: Int64[np.ndarray, " r"]
    outcomes: tuple[Outcome, ...]

    @property
    def diverged(self) -> Bool[np.ndarray, " r"]:
        """Which trainings ended in a loss that is not finite."""
        return np.array([outcome is Outcome.DIVERGED for outcome in self.outcomes], dtype=bool)

    @property
    def n_interrupted(self) -> int:
        """How many trainings were cut off by Ctrl-C or not begun."""
        return self.outcomes.count(Outcome.INTERRUPTED)


def ends_of(
    planned: Plan,
    starts: Float32[np.ndarray, "r p"],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Ends:
    """Trains from every start, on all cores, and keeps the ends.

    Each is the end of `fit(..., init=start)` to the bit, without the 0.9 ms that a run of its
    own costs around the kernel. Shuffles come from the training's seed, so all starts see the
    same ones.

    Args:
        planned: what is trained; its own start is not used.
        starts: flat parameters, one row a start.
        workers: number of threads; default: one a core.
        progress: is called with (starts done, starts planned); if it answers True, the rest is
            left, as by Ctrl-C.

    Raises:
        EngineError: the plan is one for the PyTorch engine.
        ExperimentError: the starts have another number of parameters, or there is none; there
            are no workers.
    """
    _check(planned, starts, workers)
    say_whether_it_compiles()
    workers = workers or n_cores()
    shares = np.array_split(starts, min(len(starts), 64 * workers))
    parts: dict[int, Ends] = {}
    with interruptible() as interrupted, ThreadPoolExecutor(workers) as executor:
        stopped = threading.Event()

        def train(share: Float32[np.ndarray, "r p"]) -> Ends:
            return _train(planned, share, lambda: stopped.is_set() or interrupted())

        jobs = {executor.submit(train, share): i for i, share in enumerate(shares)}
        for job in as_completed(jobs):
            parts[jobs[job]] = job.result()
            n_done = sum(len(part.outcomes) - part.n_interrupted for part in parts.values())
            if progress is not None and progress(n_done, len(starts)) is True:
                stopped.set()
    return _joined([parts[i] for i in range(len(shares))])


def _check(planned: Plan, starts: Float32[np.ndarray, "r p"], workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise ExperimentError([f"`workers` must be at least 1; got {workers}."])
    optimizer = planned.experiment.training.optimizer
    if planned.experiment.training.is_solver:
        raise ExperimentError(
            [f"Many starts are trained by sgd, adam, adamw or rmsprop; this run is by {optimizer}."]
        )
    if planned.engine != "fused":
        raise EngineError("Many starts are trained by the fused engine, and this plan is not.")
    n = planned.experiment.network.n_parameters(planned.dataset.d, planned.dataset.k)
    if len(starts) == 0 or starts.shape[1] != n:
        raise ExperimentError([f"`starts` must be (r, {n}), one row a start; got {starts.shape}."])


def _train(planned: Plan, starts: Float32[np.ndarray, "r p"], asked: Callable[[], bool]) -> Ends:
    """The ends of some starts, in one thread: all of them block by block, with the same orders."""
    import torch

    from fitscope.train import fused

    e = planned.experiment
    blocks = fused.Blocks(e.network, planned.dataset, e.training, starts.shape[1])
    nets = [blocks.begin(start) for start in starts]
    train_loss = np.full(len(starts), np.nan, dtype=np.float32)
    outcomes: dict[int, Outcome] = {}
    for n_updates, orders in blocks.planned(torch.Generator().manual_seed(e.training.seed)):
        for i, net in enumerate(nets):
            if i in outcomes or asked():
                continue
            block = blocks.run(net, orders, n_updates)
            if len(block.train_loss):
                train_loss[i] = block.train_loss[-1]
            if block.ending in fused.OUTCOMES:
                outcomes[i] = fused.OUTCOMES[block.ending]
            elif net.state.done[0] == planned.n_updates:
                outcomes[i] = Outcome.FINISHED
    return Ends(
        params=np.array([net.state.params for net in nets]),
        train_loss=train_loss,
        n_updates=np.array([net.state.done[0] for net in nets]),
        outcomes=tuple(outcomes.get(i, Outcome.INTERRUPTED) for i in range(len(nets))),
    )


def _joined(parts: list[Ends]) -> Ends:
    return Ends(
        params=np.concatenate([part.params for part in parts]),
        train_loss=np.concatenate([part.train_loss for part in parts]),
        n_updates=np.concatenate([part.n_updates for part in parts]),
        outcomes=tuple(outcome for part in parts for outcome in part.outcomes),
    )
