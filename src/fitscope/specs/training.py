"""TrainingSpec: how the parameters are improved."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from fitscope.catalogue import Task
from fitscope.settings import Spec, parse_full

__all__ = ["LOSSES", "SOLVERS", "TrainingSpec", "not_of"]

LOSSES: Mapping[Task, tuple[Literal["cross_entropy", "mse", "smooth_l1", "relative"], ...]] = {
    "binary": ("cross_entropy", "mse"),
    "multiclass": ("cross_entropy", "mse"),
    "regression": ("mse", "smooth_l1", "relative"),
}  # the losses that have a meaning for each task, the usual one first
SOLVERS = ("lbfgs", "newton")
_OF_STEPS = ("lr", "weight_decay", "batch_size", "shuffle", "patience")
_OF_SGD = ("momentum", "nesterov")


def not_of(optimizer: object) -> tuple[str, ...]:
    """The settings that belong to other optimizers."""
    others = _OF_STEPS if optimizer in SOLVERS else ("l2",)
    return others if optimizer == "sgd" else (*others, *_OF_SGD)


class TrainingSpec(Spec):
    """How the parameters are improved, step by step."""

    loss: Literal["cross_entropy", "mse", "smooth_l1", "relative"] | None = Field(
        None, description="the loss; default: cross_entropy for classes, mse for regression"
    )
    optimizer: Literal["sgd", "adam", "adamw", "rmsprop", "lbfgs", "newton"] = Field(
        "adam", description="the rule of one step, or a solver: lbfgs, newton (no hidden units)"
    )
    lr: float = Field(0.01, gt=0, le=1e6, description="learning rate, the length of a step")
    momentum: float = Field(0.0, ge=0, lt=1, description="sgd: share of the last step kept")
    nesterov: bool = Field(False, description="sgd: look ahead along the momentum")
    weight_decay: float = Field(0.0, ge=0, le=1e6, description="pull of the parameters to zero")
    l2: float = Field(
        0.0, ge=0, le=1e6, description="lbfgs, newton: l2 / 2 x squared weights join the loss"
    )
    epochs: int = Field(1000, ge=1, le=10_000_000, description="passes over the training data")
    batch_size: Annotated[int | None, BeforeValidator(parse_full)] = Field(
        None, ge=1, description="samples in a step, or full for all of them, the default"
    )
    shuffle: bool = Field(True, description="draw the batches in a new order every epoch")
    seed: int = Field(0, ge=0, lt=2**63, description="seed of the start and of every shuffle")
    stop_below: Annotated[float | None, BeforeValidator(parse_full)] = Field(
        None, gt=0, description="stop after the epoch that brings the training loss below this"
    )

    patience: Annotated[int | None, BeforeValidator(parse_full)] = Field(
        None, ge=1, description="stop after so many epochs without a smaller test loss"
    )

    @field_validator(*_OF_STEPS)
    @classmethod
    def _belongs_to_steps(cls, value: float | None, info: ValidationInfo) -> float | None:
        optimizer = info.data.get("optimizer")
        usual = cls.model_fields[str(info.field_name)].default
        if optimizer in SOLVERS and value != usual:
            default = "full" if info.field_name == "batch_size" else str(usual).lower()
            raise ValueError(
                f"belongs to the stepwise optimizers, not to {optimizer}: leave it at its default, "
                f"{default}"
            )
        return value

    @field_validator("l2")
    @classmethod
    def _belongs_to_solvers(cls, value: float, info: ValidationInfo) -> float:
        optimizer = info.data.get("optimizer", "newton")
        if value and optimizer not in SOLVERS:
            raise ValueError(f"belongs to lbfgs and newton, not to {optimizer}")
        return value

    @field_validator(*_OF_SGD)
    @classmethod
    def _belongs_to_sgd(cls, value: float | bool, info: ValidationInfo) -> float | bool:
        optimizer = info.data.get("optimizer", "sgd")
        if value and optimizer != "sgd":
            raise ValueError(f"belongs to sgd, not to {optimizer}")
        if info.field_name == "nesterov" and value and info.data.get("momentum") == 0:
            raise ValueError("needs a `momentum` above 0")
        return value

    @property
    def is_solver(self) -> bool:
        """Whether an update is an iteration of a full-batch solver."""
        return self.optimizer in SOLVERS

    def updates_per_epoch(self, n: int) -> int:
        """Number of updates in one pass over n samples; the last batch may be smaller.

        Example:
            >>> TrainingSpec(batch_size=3).updates_per_epoch(20)
            7
        """
        return -(-n // min(self.batch_size or n, n))

    def n_updates(self, n: int) -> int:
        """Number of updates that all epochs over n samples make."""
        return self.epochs * self.updates_per_epoch(n)
