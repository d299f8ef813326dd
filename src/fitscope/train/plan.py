"""What is to be trained: the experiment with nothing left open, its data, and the engine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitscope.catalogue import DATASETS
from fitscope.data import dataset as make_dataset
from fitscope.data import dataset_from_arrays
from fitscope.errors import DataError, EngineError, ExperimentError, UnknownNameError, near_miss
from fitscope.records import Dataset
from fitscope.specs import LOSSES, Experiment, experiment

__all__ = [
    "ENGINES",
    "MAX_UPDATES",
    "Plan",
    "Source",
    "check_engine",
    "experiment_of",
    "fastest",
    "plan",
    "plan_with",
]

ENGINES = ("auto", "fused", "torch")
DEVICES = ("cpu", "cuda")
MAX_UPDATES = 100_000_000
MANY = 12_000_000  # multiplications in a batch; measured on two cores, 2-w-w-1 on 2000 samples
WIDE = 6000  # parameters; the same measurement
MOST_FOR_NEWTON = 3000  # parameters, whose Hessian takes 72 MB
Source = str | Path | Experiment | Dataset | tuple[Any, ...]


@dataclass(frozen=True)
class Plan:
    """A training that can begin.

    Attributes:
        experiment: every setting spelled out.
        dataset: what to train on.
        engine: "fused" or "torch".
        engine_reason: why the choice "auto" was not the fused engine; else "".
        device: where to compute.
    """

    experiment: Experiment
    dataset: Dataset
    engine: str
    engine_reason: str
    device: str

    @property
    def sizes(self) -> list[int]:
        """Widths of all layers."""
        return self.experiment.network.layer_sizes(self.dataset.d, self.dataset.k)

    @property
    def n_updates(self) -> int:
        """Number of updates planned."""
        return self.experiment.training.n_updates(self.dataset.n_train)

    @property
    def n_multiplications(self) -> int:
        """Number of multiplications of a forward pass over one batch; for newton of a Hessian."""
        return _n_multiplications(self.experiment, self.dataset)


def plan(source: Source, overrides: dict[str, Any], *, engine: str, device: str) -> Plan:
    """The arguments of `fit`, checked and made whole.

    Raises:
        ExperimentError: a setting is unknown, out of range, or does not fit the data.
        UnknownNameError: no experiment, data set, file, column or engine of that name.
        DataError: the data cannot be used.
        EngineError: the engine or the device cannot run this here.
    """
    check_engine(engine, device)
    e, data = experiment_of(source, overrides)
    return plan_with(e, data or make_dataset(e.data), engine=engine, device=device)


def plan_with(e: Experiment, data: Dataset, *, engine: str, device: str) -> Plan:
    """The same for an experiment whose data is there, and an engine that is."""
    e = _with_loss(e, data)
    if e.training.patience is not None and not data.n_test:
        raise ExperimentError(
            [
                "`training.patience` watches the test loss, and there is no test part: set "
                "`data.test_fraction`, such as 0.2."
            ]
        )
    _check_solver(e, data)
    n_updates = e.training.n_updates(data.n_train)
    if n_updates > MAX_UPDATES:
        raise ExperimentError(
            [f"This asks for {n_updates:,} updates; at most {MAX_UPDATES:,} are recorded."]
        )
    reason = ""
    if engine == "auto":
        engine, reason = fastest(e, data, device)
    return Plan(e, data, engine, reason, device)


def fastest(e: Experiment, data: Dataset, device: str) -> tuple[str, str]:
    """The engine that "auto" takes, and why it is not the fused one; "" where it is."""
    if device != "cpu":
        return "torch", "the fused engine computes on the CPU only"
    if e.training.is_solver:  # whose batch is all samples, so that width alone decides
        wide = e.network.n_parameters(data.d, data.k) > WIDE and bool(e.network.hidden)
        return ("torch", "PyTorch is faster for a network this wide") if wide else ("fused", "")
    if _n_multiplications(e, data) > MANY:
        return "torch", "PyTorch is faster for a network this wide"
    return "fused", ""


def _n_multiplications(e: Experiment, data: Dataset) -> int:
    n_samples = min(e.training.batch_size or data.n_train, data.n_train)
    n_parameters = e.network.n_parameters(data.d, data.k)
    each = (n_parameters + 1) // 2 if e.training.optimizer == "newton" else 1  # of the Hessian
    return n_samples * n_parameters * each


def check_engine(engine: str, device: str) -> None:
    """Raises what `plan` promises of an engine or a device that is not there."""
    for name, known, what in ((engine, ENGINES, "engine"), (device, DEVICES, "device")):
        if name not in known:
            hint = near_miss(name, known)
            raise UnknownNameError(
                f"`{what}` must be one of {', '.join(known)}; got {name!r}.{hint}"
            )
    if device == "cuda":
        if engine == "fused":
            raise EngineError(
                "The fused engine computes on the CPU only; choose the engine torch for cuda."
            )
        import torch

        if not torch.cuda.is_available():
            raise EngineError("PyTorch sees no CUDA device here; choose the device cpu.")


def experiment_of(source: Source, overrides: dict[str, Any]) -> tuple[Experiment, Dataset | None]:
    """The experiment, and its data if it came with it."""
    if isinstance(source, tuple):
        if len(source) != 2:
            raise DataError(f"Arrays are given as (X, y); got {len(source)} things.")
        own = DATASETS["arrays"].settings
        settings = {name: overrides[name] for name in own if name in overrides}
        source = dataset_from_arrays(*source, **settings)
        overrides = {name: value for name, value in overrides.items() if name not in own}
    if isinstance(source, Dataset):
        if len(source.X) == 0:
            raise DataError("This data has no samples: its run was saved without them.")
        e = Experiment(title=source.spec.name, data=source.spec).override(**overrides)
        if e.data != source.spec:
            raise ExperimentError(["The data is given, so its settings cannot be changed."])
        return e, source
    if isinstance(source, str | Path | Experiment):
        return experiment(source, **overrides), None
    raise DataError(
        "Give `fit` the name of an experiment or a data set, a file, an Experiment, a Dataset "
        f"or arrays as (X, y); got {type(source).__name__}."
    )


def _with_loss(e: Experiment, data: Dataset) -> Experiment:
    """The experiment with its loss named."""
    loss, known = e.training.loss or LOSSES[data.task][0], LOSSES[data.task]
    if loss not in known:
        raise ExperimentError(
            [f"`training.loss` must be one of {', '.join(known)} for {data.task}; got {loss!r}."]
        )
    if loss == "relative" and data.spec.standardize:
        raise ExperimentError(
            ["`relative` divides by the target, which `standardize` moves; set standardize=False."]
        )
    return e.model_copy(update={"training": e.training.model_copy(update={"loss": loss})})


def _check_solver(e: Experiment, data: Dataset) -> None:
    """Refuses what a full-batch solver cannot train, in one sentence."""
    name, loss = e.training.optimizer, str(e.training.loss)
    n = e.network.n_parameters(data.d, data.k)
    problem = ""
    if name == "lbfgs" and loss == "relative":
        problem = "`lbfgs` needs a smooth loss, and relative has a kink; take mse or smooth_l1."
    elif name == "newton" and e.network.hidden:
        problem = "`newton` is for models without a hidden layer; take lbfgs for this one."
    elif name == "newton" and loss != LOSSES[data.task][0]:
        usual = LOSSES[data.task][0]
        problem = f"`newton` makes {usual} small for {data.task}; for {loss} take lbfgs."
    elif name == "newton" and data.n_targets > 1:
        problem = "`newton` is for a single target; for several take lbfgs."
    elif name == "newton" and n > MOST_FOR_NEWTON:
        problem = (
            f"`newton` takes at most {MOST_FOR_NEWTON:,} parameters, since it needs the square of "
            f"their number; this model has {n:,}: take lbfgs."
        )
    if problem:
        raise ExperimentError([problem])
