"""fit: an Experiment goes in, a Run comes out."""

import contextlib
import platform
import signal
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from fitscope import __version__
from fitscope.catalogue import DATASETS
from fitscope.data import dataset as make_dataset
from fitscope.data import dataset_from_arrays
from fitscope.errors import DataError, EngineError, ExperimentError, UnknownNameError, near_miss
from fitscope.network import build_module, evaluate, start_parameters
from fitscope.records import Dataset, Run
from fitscope.specs import LOSSES, Experiment, experiment

__all__ = ["ENGINES", "Progress", "fit"]

ENGINES = ("auto", "torch")
DEVICES = ("cpu", "cuda")
MAX_UPDATES = 100_000_000
Progress = Callable[[int, int, float], object]
Source = str | Path | Experiment | Dataset | tuple[Any, ...]


def fit(
    source: Source,
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
            table, an Experiment, a Dataset, or arrays (X, y).
        engine: "torch" is the plain PyTorch loop; "auto" takes the fastest that fits.
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
    _check_engine(engine, device)
    e, data = _resolve(source, overrides)
    import torch

    sizes = e.network.layer_sizes(data.d, data.k)
    n_updates = _n_updates(e, len(data.X))
    rng = torch.Generator().manual_seed(e.training.seed)
    module = build_module(e.network, sizes, start_parameters(e.network, sizes, rng))
    from fitscope.train import torch_loop

    with _interruptible() as interrupted, _threads(e, data):

        def watch(n_done: int, loss: float) -> bool:
            asked = progress is not None and progress(n_done, n_updates, loss) is True
            return asked or interrupted()

        trajectory = torch_loop.train(
            module, data, e.training, rng, keep_bytes=keep_bytes, device=device, watch=watch
        )
    _, found = evaluate(e, data, trajectory.params[-1])
    return Run(
        **vars(trajectory),
        experiment=e,
        dataset=data,
        metrics={name: score for name, score in found.items() if np.isfinite(score)},
        engine="torch",
        device=device,
        versions=_versions(),
    )


def _resolve(source: Source, overrides: dict[str, Any]) -> tuple[Experiment, Dataset]:
    """The experiment with nothing left open, and its data."""
    if isinstance(source, tuple):
        if len(source) != 2:
            raise DataError(f"Arrays are given as (X, y); got {len(source)} things.")
        own = DATASETS["arrays"].settings
        settings = {name: overrides.pop(name) for name in own if name in overrides}
        source = dataset_from_arrays(*source, **settings)
    if isinstance(source, Dataset):
        data = source
        if len(data.X) == 0:
            raise DataError("This data has no samples: its run was saved without them.")
        e = Experiment(title=data.spec.name, data=data.spec).override(**overrides)
        if e.data != data.spec:
            raise ExperimentError(["The data is given, so its settings cannot be changed."])
    elif isinstance(source, str | Path | Experiment):
        e = experiment(source, **overrides)
        data = make_dataset(e.data)
    else:
        raise DataError(
            "Give `fit` the name of an experiment or a data set, a file, an Experiment, a Dataset "
            f"or arrays as (X, y); got {type(source).__name__}."
        )
    loss, known = e.training.loss or LOSSES[data.task][0], LOSSES[data.task]
    if loss not in known:
        raise ExperimentError(
            [f"`training.loss` must be one of {', '.join(known)} for {data.task}; got {loss!r}."]
        )
    if loss == "relative" and data.spec.standardize:
        raise ExperimentError(
            ["`relative` divides by the target, which `standardize` moves; set standardize=False."]
        )
    return e.model_copy(update={"training": e.training.model_copy(update={"loss": loss})}), data


def _check_engine(engine: str, device: str) -> None:
    for name, known, what in ((engine, ENGINES, "engine"), (device, DEVICES, "device")):
        if name not in known:
            hint = near_miss(name, known)
            raise UnknownNameError(
                f"`{what}` must be one of {', '.join(known)}; got {name!r}.{hint}"
            )
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise EngineError("PyTorch sees no CUDA device here; choose the device cpu.")


def _n_updates(e: Experiment, n: int) -> int:
    """Number of updates planned."""
    n_updates = e.training.n_updates(n)
    if n_updates > MAX_UPDATES:
        raise ExperimentError(
            [f"This asks for {n_updates:,} updates; at most {MAX_UPDATES:,} are recorded."]
        )
    return n_updates


@contextlib.contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
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
def _threads(e: Experiment, data: Dataset) -> Iterator[None]:
    """One thread where an update is too small to share: waking others costs more than it saves.

    Measured on two cores with 2-h-1 nets on 2000 samples: one thread wins up to h = 64 (0.5
    million multiplications an update), two threads win from h = 512 (4 million). On a busy
    machine, two threads for a small net are ten times slower.
    """
    import torch

    n_samples = min(e.training.batch_size or data.n_train, data.n_train)
    n_multiplications = n_samples * e.network.n_parameters(data.d, data.k)
    before = torch.get_num_threads()
    if n_multiplications < 2_000_000:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _versions() -> dict[str, str]:
    libraries = {name: version(name) for name in ("torch", "numpy", "scikit-learn")}
    return {"python": platform.python_version(), "fitscope": __version__, **libraries}
