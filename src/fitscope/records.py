"""The records that everything else reads: Dataset and Run.

Letters of the axes: n samples, d inputs, h units of a layer, k outputs, p parameters,
t recorded steps, u updates, e epochs, g grid side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Float64, Int32, Num

from fitscope.errors import DataError
from fitscope.outcomes import Outcome
from fitscope.own import Attached
from fitscope.preprocessing import Preprocessing
from fitscope.specs import DataSpec, Experiment, Task

if TYPE_CHECKING:
    import torch

    from fitscope.analysis import Coefficients
    from fitscope.plot import Pictures

__all__ = [
    "Dataset",
    "Label",
    "Run",
    "Trajectory",
]

Label = str | bool | int | float


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
            training part (in a pass of `partial_fit` as given); None counts all alike.
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
        attached: what is known of a loop of somebody's own; None where `fit` trained.
        own_loss_steps: the steps at which the losses of such a run were taken.
        buffers: of a module that is no plain stack, beside its parameters.
        own_module: such a module itself, which answers; no file holds it.
    """

    experiment: Experiment
    dataset: Dataset
    metrics: Mapping[str, float]
    engine: str
    device: str
    versions: Mapping[str, str]
    engine_reason: str = ""
    attached: Attached | None = None
    own_loss_steps: Int32[np.ndarray, " e"] | None = None
    buffers: Float32[np.ndarray, "t q"] | None = None
    own_module: Any = field(default=None, compare=False)

    @property
    def ending(self) -> str:
        """The outcome as a sentence with its numbers."""
        t = self.experiment.training
        bad = np.flatnonzero(~np.isfinite(self.train_loss))
        is_own = self.own_loss_steps is not None and len(bad)  # which may have gone on after it
        step = self.loss_steps[bad[0]] if is_own else self.steps[-1]
        return self.outcome.value.format(
            step=step, stop_below=t.stop_below or 0.0, patience=t.patience
        )

    @property
    def loss_steps(self) -> Int32[np.ndarray, " e"]:
        """The step of each entry of `train_loss` and `test_loss`: the ends of epochs, from 0."""
        if self.own_loss_steps is not None:
            return self.own_loss_steps
        return np.arange(len(self.train_loss), dtype=np.int32) * np.int32(self.updates_per_epoch)

    @property
    def loss(self) -> str:
        """The name of the loss that was trained by."""
        return self.attached.loss if self.attached else str(self.experiment.training.loss)

    @property
    def is_plain(self) -> bool:
        """Whether it is a plain stack of linear layers with one activation between them."""
        return self.attached is None or self.attached.layout is None

    @property
    def can_answer(self) -> bool:
        """Whether it can answer at all: a module of somebody's own must be there, and recorded."""
        layout = self.attached.layout if self.attached else None
        return layout is None or (
            layout.can_answer(self.dataset.task) and self.own_module is not None
        )

    @property
    def is_linear(self) -> bool:
        """Whether it is such a stack without a hidden layer."""
        return self.is_plain and not self.experiment.network.hidden

    @property
    def layer_sizes(self) -> list[int]:
        """Widths of all layers, inputs and outputs included.

        Raises:
            DataError: it is a module of somebody's own that is no plain stack of them.
        """
        if self.attached and self.attached.layout:
            raise DataError(
                "This needs a plain stack of linear layers with one activation; this run's module, "
                f"{self.attached.module}, is none."
            )
        return self.experiment.network.layer_sizes(self.dataset.d, self.dataset.k)

    @property
    def updates_per_epoch(self) -> int:
        """Number of optimizer updates in one pass over the training part."""
        return self.experiment.training.updates_per_epoch(self.dataset.n_train)

    def __repr__(self) -> str:
        module = self.attached.module if self.attached and self.attached.layout else ""
        shape = module or "-".join(map(str, self.layer_sizes))
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
        """The network at a step as a PyTorch module: scaled inputs in, logits or values out.

        Raises:
            DataError: it is no plain stack of linear layers.
        """
        from fitscope.network import build_module

        return build_module(self.experiment.network, self.layer_sizes, self.params[self.row(step)])

    def summary(self) -> "Coefficients":
        """A linear model's coefficients: standard errors, p-values, intervals, odds ratios.

        Raises:
            DataError: the model has none, or the run ended before the optimum; the text says why.
        """
        from fitscope.analysis import coefficients

        return coefficients(self)

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

        An active run is written to, and stays active.

        Raises:
            MissingExtraError: mlflow is not installed.
            OutputError: MLflow does not take it.
        """
        from fitscope.export import to_mlflow

        return to_mlflow(self, name=name)

    def _repr_html_(self) -> str | None:
        """The run as a notebook shows it: its replay in a frame; a plain line where it has none."""
        if not self.is_plain or self.dataset.n_targets > 1:
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
