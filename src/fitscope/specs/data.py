"""DataSpec: where the data comes from."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from fitscope.catalogue import DATASETS, Task
from fitscope.settings import Spec, parse_names, parse_points

__all__ = ["DataSpec"]


class DataSpec(Spec):
    """Where the data comes from. Settings left out take the data set's own defaults."""

    name: str = Field(
        "", validate_default=True, description="name of a data set; `fitscope data` lists them"
    )
    path: str | None = Field(None, description="a CSV or Parquet file")
    target: str | None = Field(None, description="the column to predict")
    features: Annotated[list[str] | None, BeforeValidator(parse_names)] = Field(
        None, description="the columns to predict from; default: all others that can be inputs"
    )
    categories: Annotated[list[str] | None, BeforeValidator(parse_names)] = Field(
        None, description="columns of numbers that are codes, each number an input of its own"
    )
    drop: Annotated[list[str] | None, BeforeValidator(parse_names)] = Field(
        None, description="columns to leave out"
    )
    task: Task | None = Field(None, description="what to predict; default: read off the target")
    n_samples: int | None = Field(None, ge=2, le=10_000_000, description="number of points")
    noise: float | None = Field(
        None, ge=0, le=1000, description="standard deviation of the noise, in units of the data"
    )
    seed: int | None = Field(None, ge=0, lt=2**32, description="seed of the data")
    test_fraction: float | None = Field(
        None, ge=0, lt=1, description="share of the data held out for testing"
    )
    split_seed: int | None = Field(None, ge=0, lt=2**32, description="seed of the split")
    standardize: bool | None = Field(
        None,
        description="scale every feature, and a regression's target, to mean 0 and deviation 1",
    )
    gate: Literal["and", "or", "xor"] | None = Field(None, description="gates: the logic gate")
    w: float | None = Field(None, ge=-1e6, le=1e6, description="threshold: the true slope")
    b: float | None = Field(None, ge=-1e6, le=1e6, description="threshold: the true offset")
    degree: int | None = Field(None, ge=1, le=12, description="polynomial: its degree")
    flipped: bool | None = Field(None, description="sine: mirrored, so that it grows")
    n_classes: int | None = Field(
        None, ge=2, le=100, description="blobs and spirals: number of classes"
    )
    points: Annotated[list[list[float]] | None, BeforeValidator(parse_points)] = Field(
        None,
        max_length=2000,
        description="rows added by hand to the training part, inputs and target: 0.5,1,1; 2,2,0",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        """Writes the data set's own defaults where nothing was said, so that a spec is whole."""
        if not isinstance(values, dict):
            return values
        given = {key: value for key, value in values.items() if value is not None}
        if "path" in given:
            given.setdefault("name", "table")
        info = DATASETS.get(str(given.get("name")))
        return {**info.settings, **given} if info else given

    @field_validator("name")
    @classmethod
    def _name_is_known(cls, name: str) -> str:
        if not name:
            raise ValueError("is missing: name a data set, or give the `path` of a table")
        if name not in DATASETS:
            raise ValueError(f"must be one of {', '.join(DATASETS)}")
        return name

    @field_validator("*", mode="after")
    @classmethod
    def _setting_applies(cls, value: Any, info: ValidationInfo) -> Any:
        name = info.data.get("name")
        if value is None or name is None or info.field_name in ("name", "path"):
            return value
        settings = DATASETS[name].settings
        if info.field_name not in settings:
            raise ValueError(f"is not a setting of `{name}`, which takes {', '.join(settings)}")
        return value

    @model_validator(mode="after")
    def _table_has_a_path(self) -> Self:
        if (self.name == "table") != (self.path is not None):
            raise ValueError("`data.path` and the data set `table` belong together: give both")
        return self
