"""A run's network as PyTorch's state_dict, in one safetensors file."""

import json

import numpy as np
from safetensors.numpy import save

from fitscope.network import layers
from fitscope.records import Run

__all__ = ["state_dict_bytes"]


def state_dict_bytes(run: Run, *, step: int = -1) -> bytes:
    """The weights at a step under PyTorch's names, "0.weight", "0.bias", "2.weight" and so on.

    They fit `nn.Sequential(Linear, activation, Linear, ...)`, as `Run.module` gives it, and expect
    inputs that are scaled as in training; the metadata has what that takes, as JSON: `mean` and
    `scale` of the inputs, `y_mean` and `y_scale` of the target, lists where there are several,
    `sizes`, `activation`, `classes`, and of a table `preprocessing`, what its columns become.

    Raises:
        DataError: the step is outside the run.
    """
    data = run.dataset
    tensors: dict[str, np.ndarray] = {}
    for i, (W, b) in enumerate(layers(run.params[run.row(step)], run.layer_sizes)):
        tensors |= {f"{2 * i}.weight": W.copy(), f"{2 * i}.bias": b.copy()}
    facts = {
        "sizes": run.layer_sizes,
        "activation": run.experiment.network.activation,
        "feature_names": data.feature_names,
        "mean": data.mean.tolist(),
        "scale": data.scale.tolist(),
        "y_mean": np.asarray(data.y_mean).tolist(),
        "y_scale": np.asarray(data.y_scale).tolist(),
        "classes": data.classes,
    }
    if data.preprocessing:
        facts["preprocessing"] = data.preprocessing.model_dump(mode="json")
    return save(tensors, {name: json.dumps(value) for name, value in facts.items()})
