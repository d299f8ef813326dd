"""What there is to choose from, as JSON for the page's form."""

from typing import Any

from fitscope import __version__
from fitscope.catalogue import DATASETS
from fitscope.lab.limits import Limits
from fitscope.lessons import lessons
from fitscope.settings import Spec
from fitscope.specs import LOSSES, DataSpec, NetworkSpec, TrainingSpec, experiment, experiments

__all__ = ["catalogue"]


def catalogue(limits: Limits) -> dict[str, Any]:
    """Experiments, data sets with their settings, the schema of every setting, losses, limits."""
    specs: dict[str, type[Spec]] = {
        "data": DataSpec,
        "network": NetworkSpec,
        "training": TrainingSpec,
    }
    return {
        "version": __version__,
        "experiments": {
            name: experiment(name).model_dump(exclude_none=True) for name in experiments()
        },
        "datasets": {
            name: {"about": info.about, "settings": dict(info.settings)}
            for name, info in DATASETS.items()
            if name != "arrays"
        },
        "schema": {name: spec.model_json_schema()["properties"] for name, spec in specs.items()},
        "losses": {task: list(known) for task, known in LOSSES.items()},
        "limits": limits.shown(),
        "lessons": [{"number": n, **found._asdict()} for n, found in lessons().items()],
    }
