"""The header of a run file: everything about a run that is no array, checked strictly."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fitscope.catalogue import Task
from fitscope.own import Outputs
from fitscope.preprocessing import Preprocessing

__all__ = ["AttachedHeader", "DatasetHeader", "Header", "LayoutHeader"]

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
_Positive = Annotated[float, Field(gt=0)]
_Tensors = tuple[tuple[str, tuple[Annotated[int, Field(ge=0, strict=True)], ...]], ...]


class DatasetHeader(BaseModel):
    """What the header says of the data."""

    model_config = _STRICT
    task: Task
    feature_names: list[str] = Field(min_length=1)
    target_name: str
    classes: list[str | bool | int | float]
    n_train: int = Field(ge=1)
    n_test: int = Field(ge=0)
    y_mean: float | list[float]  # a number, or one for each of several targets
    y_scale: _Positive | list[_Positive]
    notes: list[str]
    n_targets: int = Field(1, ge=1)
    preprocessing: Preprocessing | None = None  # which an older reader refuses, and so never misses


class LayoutHeader(BaseModel):
    """What the header says of a module that is no plain stack."""

    model_config = ConfigDict(extra="forbid", frozen=True)  # JSON's lists are tuples
    parameters: _Tensors
    buffers: _Tensors
    frozen: _Tensors
    complete: bool = Field(strict=True)
    input_shape: tuple[Annotated[int, Field(ge=1, strict=True)], ...]
    input_type: Literal["float16", "bfloat16", "float32", "float64", "int32", "int64"]
    outputs: Outputs
    n_outputs: int = Field(ge=1, strict=True)
    frozen_digest: str = Field("", pattern="^([0-9a-f]{64})?$")
    number_type: str = Field("", pattern="^[a-z0-9_]*$")


class AttachedHeader(BaseModel):
    """What the header says of a loop of somebody's own."""

    model_config = _STRICT
    module: str
    optimizer: str
    lr: float
    loss: str = Field(min_length=1)
    own_loss: bool
    layout: LayoutHeader | None


class Header(BaseModel):
    """What the header says of the run."""

    model_config = _STRICT
    format: Literal[1]
    experiment: dict[str, Any]
    dataset: DatasetHeader
    outcome: Literal[
        "FINISHED",
        "STOPPED",
        "STOPPED_EARLY",
        "DIVERGED",
        "INTERRUPTED",
        "CONVERGED",
        "SEPARABLE",
        "UNBOUNDED",
    ]
    ending: str
    metrics: dict[str, float]
    engine: str
    engine_reason: str = ""
    device: str
    versions: dict[str, str]
    train_s: float = Field(ge=0)
    attached: AttachedHeader | None = None
