"""An Experiment is data + network + training: one pydantic model, defined once.

The same fields are TOML, JSON, keyword arguments, command-line flags and the form of a page.
"""

import itertools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from fitscope.catalogue import DATASETS, READY
from fitscope.errors import (
    ExperimentError,
    InputFileError,
    OutputError,
    UnknownNameError,
    near_miss,
)
from fitscope.settings import (
    Spec,
    meant_setting,
    parse_full,
    parse_init,
    parse_names,
    parse_points,
    parse_widths,
)

__all__ = [
    "FLAT_FIELDS",
    "LOSSES",
    "DataSpec",
    "Experiment",
    "NetworkSpec",
    "Task",
    "TrainingSpec",
    "experiment",
    "experiments",
]

Task = Literal["binary", "multiclass", "regression"]
LOSSES: Mapping[Task, tuple[Literal["cross_entropy", "mse", "smooth_l1", "relative"], ...]] = {
    "binary": ("cross_entropy", "mse"),
    "multiclass": ("cross_entropy", "mse"),
    "regression": ("mse", "smooth_l1", "relative"),
}  # the losses that have a meaning for each task, the usual one first
_BUILT_IN = Path(__file__).with_name("experiments")
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq")


class DataSpec(Spec):
    """Where the data comes from. Settings left out take the data set's own defaults."""

    name: str = Field(
        "", validate_default=True, description="name of a data set; `fitscope data` lists them"
    )
    path: str | None = Field(None, description="a CSV or Parquet file")
    target: str | None = Field(None, description="the column to predict")
    features: Annotated[list[str] | None, BeforeValidator(parse_names)] = Field(
        None, description="the columns to predict from; default: all other numeric columns"
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


class NetworkSpec(Spec):
    """A dense network: no hidden layer is one neuron a class, that is logistic regression."""

    hidden: Annotated[list[int], BeforeValidator(parse_widths)] = Field(
        [],
        max_length=32,
        description="widths of the hidden layers, as 8,8; none is a single neuron",
    )
    activation: Literal["sigmoid", "tanh", "relu", "identity"] = Field(
        "sigmoid", description="of the hidden units"
    )
    init: Annotated[
        Literal["torch", "zeros", "ones"] | list[float], BeforeValidator(parse_init)
    ] = Field(
        "torch",
        description="the start; also the flat list of its numbers, as 1,-2.5",
    )

    @field_validator("hidden")
    @classmethod
    def _widths_are_bounded(cls, hidden: list[int]) -> list[int]:
        if any(width > 8192 for width in hidden):
            raise ValueError("must be widths of at most 8192")
        return hidden

    def layer_sizes(self, d: int, k: int) -> list[int]:
        """Widths of all layers, from `d` inputs to `k` outputs.

        Example:
            >>> NetworkSpec(hidden=[3]).layer_sizes(2, 1)
            [2, 3, 1]
        """
        return [d, *self.hidden, k]

    def n_parameters(self, d: int, k: int) -> int:
        """Number of weights and biases for `d` inputs and `k` outputs.

        Example:
            >>> NetworkSpec(hidden=[3]).n_parameters(2, 1)
            13
        """
        sizes = self.layer_sizes(d, k)
        return sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(sizes))


class TrainingSpec(Spec):
    """How the parameters are improved, step by step."""

    loss: Literal["cross_entropy", "mse", "smooth_l1", "relative"] | None = Field(
        None, description="the loss; default: cross_entropy for classes, mse for regression"
    )
    optimizer: Literal["sgd", "adam", "adamw", "rmsprop"] = Field(
        "adam", description="the rule of one step"
    )
    lr: float = Field(0.01, gt=0, le=1e6, description="learning rate, the length of a step")
    momentum: float = Field(0.0, ge=0, lt=1, description="sgd: share of the last step kept")
    nesterov: bool = Field(False, description="sgd: look ahead along the momentum")
    weight_decay: float = Field(0.0, ge=0, le=1e6, description="pull of the parameters to zero")
    epochs: int = Field(1000, ge=1, le=10_000_000, description="passes over the training data")
    batch_size: Annotated[int | None, BeforeValidator(parse_full)] = Field(
        None, ge=1, description="samples in a step, or full for all of them, the default"
    )
    shuffle: bool = Field(True, description="draw the batches in a new order every epoch")
    seed: int = Field(0, ge=0, lt=2**63, description="seed of the start and of every shuffle")
    stop_below: Annotated[float | None, BeforeValidator(parse_full)] = Field(
        None, gt=0, description="stop after the epoch that brings the training loss below this"
    )

    @field_validator("momentum", "nesterov")
    @classmethod
    def _belongs_to_sgd(cls, value: float | bool, info: ValidationInfo) -> float | bool:
        optimizer = info.data.get("optimizer", "sgd")
        if value and optimizer != "sgd":
            raise ValueError(f"belongs to sgd, not to {optimizer}")
        if info.field_name == "nesterov" and value and info.data.get("momentum") == 0:
            raise ValueError("needs a `momentum` above 0")
        return value

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


class Experiment(Spec):
    """Data + network + training: everything that decides what a run will be.

    Example:
        >>> e = Experiment(data={"name": "rings"}, network={"hidden": [3]})
        >>> e.data.n_samples, e.training.optimizer
        (2000, 'adam')
        >>> Experiment.from_toml_text(e.to_toml()) == e
        True
    """

    title: str = Field("", description="a short title")
    about: str = Field("", description="one sentence on what it shows")
    data: DataSpec
    network: NetworkSpec = Field(default_factory=NetworkSpec)
    training: TrainingSpec = Field(default_factory=TrainingSpec)

    def override(self, **flat: Any) -> "Experiment":
        """The same experiment with some fields changed, named flat.

        A name belongs to the section that has it; `seed` is the training's, `data_seed` the
        data's. Another data set (`name`) starts from that data set's own defaults.

        Raises:
            ExperimentError: a name is unknown or a value out of range; all are listed.

        Example:
            >>> experiment("rings-3").override(hidden=[5], seed=1).network.hidden
            [5]
        """
        unknown = [
            f"`{name}` is not a setting.{meant_setting(name, FLAT_FIELDS)}"
            for name in flat
            if name not in FLAT_FIELDS
        ]
        if unknown:
            raise ExperimentError(unknown)
        values = self.model_dump(exclude_none=True)
        if "path" in flat or flat.get("name", self.data.name) != self.data.name:
            values["data"] = {}
        for name, value in flat.items():
            section, field = FLAT_FIELDS[name]
            values[section][field] = value
        changed = Experiment(**values)
        title, _, before = self.title.partition(", changed: ")
        if changed == self or not (self.about or before):
            return changed
        names = dict.fromkeys([*filter(None, before.split(", ")), *flat])
        title = f"{title}, changed: {', '.join(names)}"  # the story that it told is no longer true
        return changed.model_copy(update={"title": title, "about": ""})

    def to_toml(self) -> str:
        """The experiment as TOML text, which `from_toml_text` reads back without loss."""
        import tomli_w

        return tomli_w.dumps(self.model_dump(exclude_none=True))

    def to_json(self) -> str:
        """The experiment as JSON text, which `from_json` reads back without loss."""
        return self.model_dump_json(exclude_none=True)

    def save_toml(self, path: str | Path) -> None:
        """Writes the experiment to a TOML file."""
        try:
            Path(path).write_text(self.to_toml(), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"Cannot write {path}: {error.strerror}.") from None

    @classmethod
    def from_toml(cls, path: str | Path) -> "Experiment":
        """Reads an experiment from a TOML file; a relative `data.path` starts at its folder."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise InputFileError(f"Cannot read {path}: {reason}.") from None
        e = cls.from_toml_text(text, name=str(path))
        if e.data.path is None or Path(e.data.path).is_absolute():
            return e
        data = e.data.model_copy(update={"path": str(path.parent / e.data.path)})
        return e.model_copy(update={"data": data})

    @classmethod
    def from_toml_text(cls, text: str, *, name: str = "The text") -> "Experiment":
        """Reads an experiment from TOML text; `name` is what an error calls it."""
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ExperimentError([f"{name} is not TOML: {error}."]) from None
        return cls(**values)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Experiment":
        """Reads an experiment from JSON text."""
        import json

        try:
            values = json.loads(text)
        except ValueError as error:
            raise ExperimentError([f"The text is not JSON: {error}."]) from None
        if not isinstance(values, dict):
            raise ExperimentError(["An experiment in JSON is an object with a `data` part."])
        return cls(**values)


def _flat_fields() -> dict[str, tuple[str, str]]:
    """Flat name -> (section, field); on a clash the training's name stays short."""
    flat: dict[str, tuple[str, str]] = {}
    sections: dict[str, type[Spec]] = {
        "training": TrainingSpec,
        "network": NetworkSpec,
        "data": DataSpec,
    }
    for section, spec in sections.items():
        for field in spec.model_fields:
            flat[f"{section}_{field}" if field in flat else field] = (section, field)
    return flat


FLAT_FIELDS: Mapping[str, tuple[str, str]] = _flat_fields()


def experiments() -> list[str]:
    """Names of the built-in experiments, sorted.

    Example:
        >>> "rings-3" in experiments()
        True
    """
    return sorted(path.stem for path in _BUILT_IN.glob("*.toml"))


def experiment(source: "str | Path | Experiment", **overrides: Any) -> Experiment:
    """The experiment behind a name, a TOML file, a table or a data set, with fields changed.

    Args:
        source: a built-in experiment's name, a data set's name, a .toml file, or a CSV or
            Parquet table.
        **overrides: fields by their flat names, as in `Experiment.override`.

    Raises:
        UnknownNameError: nothing of that name is built in, and no such file is there.
        ExperimentError: an override is unknown or out of range.

    Example:
        >>> experiment("rings-3").network.hidden
        [3]
    """
    e = source if isinstance(source, Experiment) else _named(str(source))
    return e.override(**overrides) if overrides else e


def _named(source: str) -> Experiment:
    """The experiment that a name or a path stands for."""
    if source in experiments():
        return Experiment.from_toml(_BUILT_IN / f"{source}.toml")
    suffix = Path(source).suffix.lower()
    if suffix == ".toml":
        return Experiment.from_toml(source)
    if source in READY:
        return Experiment(title=source, data={"name": source})
    if suffix in TABLE_SUFFIXES or _exists(source):
        return Experiment(title=Path(source).stem, data={"path": source})
    known = [*experiments(), *READY]
    raise UnknownNameError(
        f"`{source[:80]}` is not a built-in experiment, a data set or a file."
        f"{near_miss(source, known)} `fitscope experiments` and `fitscope data` list them."
    )


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a text that is no file name at all
        return False
