"""fit: an Experiment goes in, a Run comes out."""

import contextlib
import functools
import logging
import os
import platform
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscope import __version__
from fitscope.evaluation import scored
from fitscope.network import build_module, start_parameters
from fitscope.records import Run, Trajectory
from fitscope.train.memory import Memory
from fitscope.train.plan import Plan, Source, plan
from fitscope.train.recorder import Watch

if TYPE_CHECKING:
    import torch

__all__ = [
    "Progress",
    "fit",
    "interruptible",
    "judged",
    "n_cores",
    "run_plan",
    "say_whether_it_compiles",
    "say_whether_solvers_compile",
    "versions_of",
]

_LOG = logging.getLogger("fitscope")
Progress = Callable[[int, int, float], object]


def fit(
    source: Source | Plan,
    *,
    engine: str = "auto",
    device: str = "cpu",
    progress: Progress | None = None,
    keep_bytes: int = 64_000_000,
    **overrides: Any,
) -> Run:
    """Trains what `source` describes and returns the recording.

    Ctrl-C ends the training and returns the run so far; so does a loss that is no longer
    finite. `run.outcome` and `run.ending` say how it ended.

    Args:
        source: a built-in experiment's or a data set's name, a .toml file, a CSV or Parquet
            table, an Experiment, a Dataset, or arrays (X, y); or what `plan` made of one.
        engine: "fused" is compiled, "torch" the plain PyTorch loop; "auto" takes the faster of
            those that can, and `run.engine_reason` says why it is not the fused one.
        device: where the torch engine computes: "cpu" or "cuda".
        progress: is called with (updates done, updates planned, batch loss) as it trains; if
            it answers True, the training ends as by Ctrl-C.
        keep_bytes: budget of the recorded parameters; a run that outgrows it keeps every 2nd,
            4th, ... step.
        **overrides: fields of the experiment by their flat names: `hidden=[5]`, `lr=0.1`,
            `seed=1` (the start and the shuffles), `data_seed=1`.

    Raises:
        ExperimentError: a setting is unknown, out of range, or does not fit the data.
        UnknownNameError: no experiment, data set, file or column of that name.
        DataError: the data cannot be used.
        EngineError: the engine or device is not available.

    Example:
        >>> run = fit("bad-start")
        >>> run.outcome.name, run.params.shape, run.metrics["train_accuracy"]
        ('FINISHED', (701, 2), 1.0)
    """
    if isinstance(source, Plan):
        planned = source
    else:
        planned = plan(source, overrides, engine=engine, device=device)
    with interruptible() as interrupted:

        def watch(n_done: int, loss: float, _params: Callable[[], np.ndarray]) -> bool:
            asked = progress is not None and progress(n_done, planned.n_updates, loss) is True
            return asked or interrupted()

        return run_plan(planned, watch, keep_bytes=keep_bytes)


def run_plan(planned: Plan, watch: Watch, *, keep_bytes: int, memory: Memory | None = None) -> Run:
    """Trains what is planned, from where `memory` ended; `watch` is told of it, and may end it."""
    e, data = planned.experiment, planned.dataset
    trajectory = _trajectory(planned, watch, keep_bytes, memory or Memory())
    run = Run(
        **vars(trajectory),
        experiment=e,
        dataset=data,
        metrics={},
        engine=planned.engine,
        engine_reason=planned.engine_reason,
        device=planned.device,
        versions=versions_of(planned.engine),
    )
    return judged(run)


def judged(run: Run) -> Run:
    """The run with its scores at the end, those that are finite."""
    found = scored(run) if run.can_answer else {}
    return replace(run, metrics={name: s for name, s in found.items() if np.isfinite(s)})


def _trajectory(planned: Plan, watch: Watch, keep_bytes: int, memory: Memory) -> Trajectory:
    """The training itself, by the engine planned, with all that it leaves in the memory."""
    import torch

    e = planned.experiment
    rng = torch.Generator().manual_seed(e.training.seed)
    memory.begin(planned.engine, e.training.optimizer)
    start = memory.params
    if start is None:
        start = start_parameters(e.network, planned.sizes, rng)
    if memory.rng is not None:
        rng.set_state(torch.from_numpy(memory.rng))
    if e.training.is_solver:
        trajectory = _solved(planned, start, watch=watch, keep_bytes=keep_bytes)
    else:
        asked: dict[str, Any] = {"keep_bytes": keep_bytes, "watch": watch, "memory": memory}
        trajectory = _by_engine(planned, start, rng, **asked)
    memory.params = trajectory.params[-1]
    memory.n_updates += int(trajectory.steps[-1])
    memory.rng = rng.get_state().numpy()
    return trajectory


def _by_engine(
    planned: Plan, start: np.ndarray, rng: "torch.Generator", **settings: Any
) -> Trajectory:
    e, data = planned.experiment, planned.dataset
    if planned.engine == "fused":
        from fitscope.train import fused

        say_whether_it_compiles()
        return fused.train(start, e.network, data, e.training, rng, **settings)
    from fitscope.train import torch_loop

    module = build_module(e.network, planned.sizes, start)
    with _threads(planned):
        return torch_loop.train(module, data, e.training, rng, device=planned.device, **settings)


def _solved(planned: Plan, start: np.ndarray, *, watch: Watch, keep_bytes: int) -> Trajectory:
    """The training by a full-batch solver."""
    from fitscope.train import objectives, solvers

    e, data = planned.experiment, planned.dataset
    objective: objectives.Objective
    if planned.engine == "fused":
        say_whether_solvers_compile()
        objective = objectives.fused_objective(e.network, data, e.training, n_cores())
    else:
        objective = objectives.PyTorch(e.network, data, e.training, planned.device)
    return solvers.train(
        objective, start, planned.sizes, data, e.training, keep_bytes=keep_bytes, watch=watch
    )


@functools.cache
def say_whether_it_compiles() -> None:
    """Tells a person, once a process, what the wait is for."""
    from fitscope.train import fused

    if not fused.is_compiled():
        _LOG.warning("Compiling the fused engine, once on this machine: some ten seconds ...")


@functools.cache
def say_whether_solvers_compile() -> None:
    """The same for what newton and lbfgs need."""
    from fitscope.train import objectives

    if not objectives.is_compiled():
        _LOG.warning("Compiling the solvers, once on this machine: some ten seconds ...")


def n_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C into a flag, so that no update is cut in two; a second one raises."""
    asked = threading.Event()

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or before in (None, signal.SIG_IGN):
        yield asked.is_set  # only the main thread may set handlers; an ignored signal stays so
        return
    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _threads(planned: Plan) -> Iterator[None]:
    """One thread where an update is too small to share: waking others costs more than it saves.

    Measured on two cores with 2-h-1 nets on 2000 samples: one thread wins up to h = 64 (0.5
    million multiplications an update), two threads win from h = 512 (4 million). On a busy
    machine, two threads for a small net are ten times slower.
    """
    import torch

    before = torch.get_num_threads()
    if planned.n_multiplications < 2_000_000:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@functools.cache
def versions_of(engine: str) -> dict[str, str]:
    """Of what decides the numbers."""
    names = ("torch", "numpy", "scikit-learn", *(["numba"] if engine == "fused" else []))
    libraries = {name: version(name) for name in names}
    return {"python": platform.python_version(), "fitscope": __version__, **libraries}
