"""fitscope shows a model learn: an Experiment goes in, a Run comes out, everything else reads Runs.

Names load when they are first used, so that `import fitscope` is quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fitscope.attached import attach
    from fitscope.data import dataset, dataset_from_arrays
    from fitscope.errors import FitscopeError
    from fitscope.estimators import NetClassifier, NetRegressor
    from fitscope.export import pytorch_script, save_report
    from fitscope.ladder import search
    from fitscope.notebook import explore
    from fitscope.outcomes import Outcome
    from fitscope.plot import draw, movie, save_figure, save_movie
    from fitscope.records import Dataset, Run
    from fitscope.runfile import load
    from fitscope.specs import (
        DataSpec,
        Experiment,
        NetworkSpec,
        TrainingSpec,
        experiment,
        experiments,
    )
    from fitscope.train import Population, fit, fit_many

__version__ = "0.1.0"

_HOME = {
    "DataSpec": "specs",
    "Dataset": "records",
    "Experiment": "specs",
    "FitscopeError": "errors",
    "NetClassifier": "estimators",
    "NetRegressor": "estimators",
    "NetworkSpec": "specs",
    "Outcome": "outcomes",
    "Population": "train",
    "Run": "records",
    "TrainingSpec": "specs",
    "attach": "attached",
    "dataset": "data",
    "dataset_from_arrays": "data",
    "draw": "plot",
    "experiment": "specs",
    "experiments": "specs",
    "explore": "notebook",
    "fit": "train",
    "fit_many": "train",
    "load": "runfile",
    "movie": "plot",
    "pytorch_script": "export",
    "save_figure": "plot",
    "save_movie": "plot",
    "save_report": "export",
    "search": "ladder",
}

__all__ = [
    "DataSpec",
    "Dataset",
    "Experiment",
    "FitscopeError",
    "NetClassifier",
    "NetRegressor",
    "NetworkSpec",
    "Outcome",
    "Population",
    "Run",
    "TrainingSpec",
    "attach",
    "dataset",
    "dataset_from_arrays",
    "draw",
    "experiment",
    "experiments",
    "explore",
    "fit",
    "fit_many",
    "load",
    "movie",
    "pytorch_script",
    "save_figure",
    "save_movie",
    "save_report",
    "search",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"fitscope.{_HOME[name]}"), name)
    raise AttributeError(f"module 'fitscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
