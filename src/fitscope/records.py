"""The records that everything else reads: Dataset and Run.

Letters of the axes: n samples, d inputs, h units of a layer, k outputs, p parameters,
t recorded steps, u updates, e epochs, g grid side.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Float64, Int32, Num

from fitscope.errors import DataError
from fitscope.preprocessing import Preprocessing
from fitscope.specs import DataSpec, Experiment, Task

if TYPE_CHECKING:
    import pyarrow as pa
    import torch

    from fitscope.plot import Pictures

__all__ = [
    "Dataset",
    "Label",
    "Outcome",
    "RawData",
    "Run",
    "Trajectory",
]

Label = str | bool | int | float


@dataclass(frozen=True)
class RawData:
    """Data as it comes, before it is split and scaled: what generators and tables return.

    `y` holds class labels or values. A generator that draws its own test set gives it as
    `X_test, y_test`; `task` is None where it is to be read off `y`. `y` (n, t) holds several
    targets of a regression; `weights` say how much each sample counts. Of a table, `table` has the
    columns that may be inputs, `X` none, until the training part has told what to make of them.
    """

    X: Float64[np.ndarray, "n d"]
    y: np.ndarray  # (n,) or (n, t)
    feature_names: tuple[str, ...]
    target_name: str = "y"
    task: Task | None = None
    X_test: Float64[np.ndarray, "m d"] | None = None
    y_test: np.ndarray | None = None  # (m,)
    truth: Float64[np.ndarray, " p"] | None = None
    notes: tuple[str, ...] = ()
    weights: Float64[np.ndarray, " n"] | None = None
    table: "pa.Table | None" = None
    n_unlabelled: int = 0  # rows of the table that are left out, since they have no target
    target_words: tuple[str, ...] = ()  # texts between the target's numbers that say so


@dataclass(frozen=True, repr=False)
class Dataset:
    """Data as the network sees it: split, scaled, float32.

    Attributes:
        X: inputs of the training part, scaled where `spec.standardize` says so.
        y: its targets: the class index (int32), or the scaled value (float32); (n, t) of a
            regression with several targets.
        X_test: inputs of the test part; no rows where there is none.
        mean: what was subtracted from each input column (0 where not standardised).
        scale: what each input column was divided by (1 where not standardised).
        y_mean: what was subtracted from a regression's target; one number a target.
        y_scale: what a regression's target was divided by, likewise.
        classes: the labels, in the order of the class indices; empty for regression.
        n_train: number of training samples, also where the arrays are left out.
        n_test: number of test samples, likewise.
        truth: the flat parameters of the linear model that made the data, where one did.
        notes: what a person should know about the data, one sentence each.
        weights: how much each sample counts in the loss, training first, 1 on average of the
            training part; None counts all alike.
        n_targets: how many values are predicted at once; more than one for regressions only.
        preprocessing: how a table's columns became inputs; None where the data is no table.
    """

    spec: DataSpec
    task: Task
    X: Float32[np.ndarray, "n d"]
    y: Num[np.ndarray, " n *t"]
    X_test: Float32[np.ndarray, "m d"]
    y_test: Num[np.ndarray, " m *t"]
    feature_names: tuple[str, ...]
    target_name: str
    classes: tuple[Label, ...]
    n_train: int
    n_test: int
    mean: Float64[np.ndarray, " d"]
    scale: Float64[np.ndarray, " d"]
    y_mean: float | Float64[np.ndarray, " t"] = 0.0
    y_scale: float | Float64[np.ndarray, " t"] = 1.0
    truth: Float64[np.ndarray, " p"] | None = None
    notes: tuple[str, ...] = ()
    weights: Float32[np.ndarray, " n_m"] | None = None
    n_targets: int = 1
    preprocessing: Preprocessing | None = None

    @property
    def d(self) -> int:
        """Number of inputs."""
        return len(self.feature_names)

    @property
    def k(self) -> int:
        """Number of outputs: one a class for more than two classes, else one a target."""
        return len(self.classes) if self.task == "multiclass" else self.n_targets

    @property
    def weights_by_part(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The weights of the training part and of the test part; None counts all alike."""
        if self.weights is None:
            return None, None
        return self.weights[: len(self.X)], self.weights[len(self.X) :]

    def inputs(self) -> Float64[np.ndarray, "m d"]:
        """All samples, training first, in the data's own units."""
        return np.asarray(np.concatenate([self.X, self.X_test]) * self.scale + self.mean)

    def targets(self) -> Float64[np.ndarray, " m *t"]:
        """All targets, training first: class indices, or values in the target's own units."""
        y = np.concatenate([self.y, self.y_test]).astype(np.float64)
        return y if self.classes else y * self.y_scale + self.y_mean

    def __repr__(self) -> str:
        name = self.spec.path or self.spec.name
        return f"<Dataset {name}: {self.task}, {self.n_train:,} + {self.n_test:,} x {self.d}>"

    def judged_part(self) -> tuple[str, np.ndarray, np.ndarray]:
        """Name, inputs and targets of the part a model is judged on: the test part if any."""
        if len(self.X_test):
            return "test", self.X_test, self.y_test
        return "training", self.X, self.y

    def without_arrays(self) -> "Dataset":
        """The same description with no samples in it."""
        X, y = np.empty((0, self.d), self.X.dtype), self.y[:0].copy()  # a view keeps all
        return replace(self, X=X, y=y, X_test=X, y_test=y, weights=None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and _same_fields(self, other)

    __hash__ = None  # type: ignore[assignment]


class Outcome(enum.Enum):
    """How a training ended; the value is the sentence that `Run.ending` completes."""

    FINISHED = "finished"
    STOPPED = "stopped: loss below {stop_below:g}"
    STOPPED_EARLY = "stopped early: no smaller test loss for {patience} epochs"
    DIVERGED = "diverged at step {step}: the loss is no longer finite; try a smaller lr"
    INTERRUPTED = "interrupted at step {step}: what was recorded so far is kept"


@dataclass(frozen=True)
class Trajectory:
    """What a training leaves behind.

    Attributes:
        params: parameters after `steps[i]` updates, in PyTorch's order.
        steps: the recorded steps; 0 first, the last update last.
        batch_loss: loss of update j's batch at the parameters before it (nats per sample, or
            the target's unit squared).
        train_loss: loss on the training part after e epochs; entry 0 is before training.
        test_loss: the same on the test part; empty where there is none.
        outcome: how it ended.
        train_s: seconds that the training took; no part of a comparison.
    """

    params: Float32[np.ndarray, "t p"]
    steps: Int32[np.ndarray, " t"]
    batch_loss: Float32[np.ndarray, " u"]
    train_loss: Float32[np.ndarray, " e"]
    test_loss: Float32[np.ndarray, " e2"]
    outcome: Outcome
    train_s: float = field(compare=False)


@dataclass(frozen=True, repr=False)
class Run(Trajectory):
    """A recorded training: the experiment, its data, every recorded step, and the outcome.

    Attributes:
        experiment: what was asked for, every setting spelled out.
        dataset: what it was trained on; without rows if it was saved without its data.
        metrics: scores at the end, such as `train_accuracy`, `test_accuracy` or `test_r2`.
        engine: what trained it, "fused" or "torch".
        device: where it computed.
        versions: of fitscope and of the libraries that decide the numbers.
        engine_reason: why it was not the fused engine; "" where it was, or torch was asked for.
    """

    experiment: Experiment
    dataset: Dataset
    metrics: Mapping[str, float]
    engine: str
    device: str
    versions: Mapping[str, str]
    engine_reason: str = ""

    @property
    def ending(self) -> str:
        """The outcome as a sentence with its numbers."""
        t = self.experiment.training
        return self.outcome.value.format(
            step=self.steps[-1], stop_below=t.stop_below or 0.0, patience=t.patience
        )

    @property
    def layer_sizes(self) -> list[int]:
        """Widths of all layers, inputs and outputs included."""
        return self.experiment.network.layer_sizes(self.dataset.d, self.dataset.k)

    @property
    def updates_per_epoch(self) -> int:
        """Number of optimizer updates in one pass over the training part."""
        return self.experiment.training.updates_per_epoch(self.dataset.n_train)

    def __repr__(self) -> str:
        shape = "-".join(map(str, self.layer_sizes))
        return f"<Run {shape} on {self.dataset!r}: {self.steps[-1]:,} updates, {self.ending}>"

    def row(self, step: int = -1) -> int:
        """Index into `params` of the last recorded step at or before `step`; -1 is the end.

        Raises:
            DataError: the step is outside the run.
        """
        last = int(self.steps[-1])
        if not -1 <= step <= last:
            raise DataError(f"Step {step} is not in this run, which has steps 0 to {last}.")
        return (
            len(self.steps) - 1
            if step == -1
            else int(np.searchsorted(self.steps, step, "right")) - 1
        )

    def moment(self, step: int = -1) -> str:
        """When a recorded step was, in words: "before training" or "after 30 of 700 updates"."""
        at = int(self.steps[self.row(step)])
        planned = self.experiment.training.n_updates(self.dataset.n_train)
        return f"after {at:,} of {planned:,} updates" if at else "before training"

    @property
    def plot(self) -> "Pictures":
        """The run's views as matplotlib figures: `run.plot.decision_field(step=100)`."""
        from fitscope.plot import Pictures

        return Pictures(self, "matplotlib")

    @property
    def show(self) -> "Pictures":
        """The run's views as plotly figures: `run.show.decision_field(step=100)`."""
        from fitscope.plot import Pictures

        return Pictures(self, "plotly")

    def predict(self, X: Any, *, step: int = -1) -> np.ndarray:
        """The class label (n,) or the value (n,) for each row of X (n, d), in the data's units.

        Class 1 where its probability is at least 0.5; for several classes the likeliest. Of a run
        on a table, X may also be such a table with its text, dates and gaps: a data frame, a
        pyarrow table, or columns by name. What training never saw is told as a warning.

        Raises:
            DataError: X has another number of columns, or values that are not finite numbers.
            UnknownNameError: a table lacks a column.
        """
        from fitscope.network import predict

        return predict(self, X, step=step)

    def predict_proba(self, X: Any, *, step: int = -1) -> Float64[np.ndarray, "n c"]:
        """The probability of each class, in the order of `dataset.classes`.

        Raises:
            DataError: as for `predict`, or the run is a regression.
        """
        from fitscope.network import predict_proba

        return predict_proba(self, X, step=step)

    def module(self, step: int = -1) -> "torch.nn.Module":
        """The network at a step as a PyTorch module: scaled inputs in, logits or values out."""
        from fitscope.network import build_module

        return build_module(self.experiment.network, self.layer_sizes, self.params[self.row(step)])

    def save(self, path: str | Path, *, data: bool = True) -> None:
        """Writes the run to one .safetensors file; `data=False` leaves the samples out.

        Raises:
            OutputError: the file cannot be written; what was there before stays.
        """
        from fitscope.runfile import save

        save(self, path, data=data)

    def to_tensorboard(self, folder: str | Path) -> None:
        """Writes losses, parameters, settings and scores for `tensorboard --logdir folder`.

        Raises:
            MissingExtraError: tensorboard is not installed.
            OutputError: the folder cannot be written.
        """
        from fitscope.export import to_tensorboard

        to_tensorboard(self, folder)

    def to_mlflow(self, *, name: str | None = None) -> str:
        """Logs settings, losses and scores to MLflow in one call; the id of MLflow's run.

        Raises:
            MissingExtraError: mlflow is not installed.
        """
        from fitscope.export import to_mlflow

        return to_mlflow(self, name=name)

    def _repr_html_(self) -> str | None:
        """The run as a notebook shows it: its replay, in a frame; none for several targets."""
        if self.dataset.n_targets > 1:
            return None
        from fitscope.export import replay_frame

        return replay_frame(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and _same_fields(self, other)

    __hash__ = None  # type: ignore[assignment]


def _same_fields(a: Any, b: Any) -> bool:
    """Whether all compared fields agree, arrays bit for bit."""
    names = [f.name for f in fields(a) if f.compare]
    return all(_same(getattr(a, name), getattr(b, name)) for name in names)


def _same(a: Any, b: Any) -> bool:
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return bool(a == b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
