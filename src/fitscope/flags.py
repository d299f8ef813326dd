"""A flag for each setting of an experiment, and what other commands take as well."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic.fields import FieldInfo

from fitscope.catalogue import DATASETS
from fitscope.settings import Spec
from fitscope.specs import FLAT_FIELDS, DataSpec, NetworkSpec, TrainingSpec

__all__ = ["NO_DATA_FLAGS", "NO_FLAGS", "AnyDataSetting", "AnySetting", "Json", "given"]

_SPECS: Mapping[str, type[Spec]] = {
    "data": DataSpec,
    "network": NetworkSpec,
    "training": TrainingSpec,
}
_GROUPS = {name: Group(name.capitalize(), sort_key=i) for i, name in enumerate(_SPECS, start=1)}


def _flags(settings: Mapping[str, tuple[str, str]]) -> type:
    """A class with one optional attribute, and so one flag, for each setting."""
    attributes: list[tuple[str, Any, Any]] = []
    for name, (section, field) in settings.items():
        info = _SPECS[section].model_fields[field]
        kind = bool if bool in (info.annotation, *get_args(info.annotation)) else str
        parameter = Parameter(
            help=_help(info),
            group=_GROUPS[section],
            allow_leading_hyphen=kind is str,  # a start may be "-5,-10"
            show_default=False,
        )
        attributes.append((name, Annotated[kind | None, parameter], None))
    namespace = {
        "__module__": __name__
    }  # cyclopts takes a class of the standard library for a value
    return dataclasses.make_dataclass("Flags", attributes, namespace=namespace)


def _help(info: FieldInfo) -> str:
    """What a setting means, with its choices and its default."""
    kinds = [info.annotation, *get_args(info.annotation)]
    choices = [c for kind in kinds if get_origin(kind) is Literal for c in get_args(kind)]
    facts = [", ".join(choices)] if choices else []
    facts += [f"default: {info.default}"] if info.default not in (None, []) else []
    return f"{info.description} [{'; '.join(facts)}]" if facts else str(info.description)


if TYPE_CHECKING:
    Flags = Any
    DataFlags = Any
else:
    Flags = _flags({n: place for n, place in FLAT_FIELDS.items() if n not in ("name", "path")})
    made = {n for info in DATASETS.values() if "n_samples" in info.settings for n in info.settings}
    made -= set(DATASETS["arrays"].settings)  # what is done with data that is there
    DataFlags = _flags({n: ("data", n) for n in DataSpec.model_fields if n in made})

NO_FLAGS, NO_DATA_FLAGS = Flags(), DataFlags()
AnySetting = Annotated[Flags, Parameter(name="*")]
AnyDataSetting = Annotated[DataFlags, Parameter(name="*")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="print one JSON object")]


def given(flags: Any) -> dict[str, Any]:
    """The settings that were typed."""
    return {name: value for name, value in vars(flags).items() if value is not None}
