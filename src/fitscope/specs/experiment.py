"""Experiment: data + network + training; from names, TOML and JSON, and to them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from fitscope.catalogue import READY
from fitscope.errors import (
    ExperimentError,
    InputFileError,
    OutputError,
    UnknownNameError,
    near_miss,
)
from fitscope.settings import Spec, meant_setting
from fitscope.specs.data import DataSpec
from fitscope.specs.network import NetworkSpec
from fitscope.specs.training import TrainingSpec, not_of

__all__ = ["FLAT_FIELDS", "TABLE_SUFFIXES", "Experiment", "experiment", "experiments"]

_BUILT_IN = Path(__file__).parents[1] / "experiments"
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq")


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
        data's. Another data set (`name`) starts from that data set's own defaults, and with another
        optimizer, what does not belong to it takes its default.

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
        if flat.get("optimizer", self.training.optimizer) != self.training.optimizer:
            for name in not_of(flat["optimizer"]):
                values["training"].pop(name, None)
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
