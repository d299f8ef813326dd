"""An Experiment is data + network + training: one pydantic model, defined once.

The same fields are TOML, JSON, keyword arguments, command-line flags and the form of a page.
"""

from fitscope.catalogue import Task
from fitscope.specs.data import DataSpec
from fitscope.specs.experiment import (
    FLAT_FIELDS,
    TABLE_SUFFIXES,
    Experiment,
    experiment,
    experiments,
)
from fitscope.specs.network import NetworkSpec
from fitscope.specs.training import LOSSES, SOLVERS, TrainingSpec

__all__ = [
    "FLAT_FIELDS",
    "LOSSES",
    "SOLVERS",
    "TABLE_SUFFIXES",
    "DataSpec",
    "Experiment",
    "NetworkSpec",
    "Task",
    "TrainingSpec",
    "experiment",
    "experiments",
]
