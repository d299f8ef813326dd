"""NetworkSpec <-> PyTorch module; the flat parameters; the forward pass in numpy.

Flat parameters stand in PyTorch's order: layer by layer, weight (out, in) row by row, then bias.
"""

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float64

from fitscope.activation import activate, sigmoid
from fitscope.encoding import inputs_of
from fitscope.errors import DataError, ExperimentError
from fitscope.own import own_answers, tensor_names
from fitscope.records import Dataset, Run
from fitscope.specs import NetworkSpec

if TYPE_CHECKING:
    import torch

__all__ = [
    "activate",
    "activations",
    "answers",
    "build_module",
    "decided",
    "flat_parameters",
    "forward",
    "in_data_units",
    "input_layer",
    "layers",
    "names_of_parameters",
    "parameter_names",
    "predict",
    "predict_proba",
    "probabilities",
    "start_parameters",
]


def start_parameters(
    spec: NetworkSpec, sizes: list[int], rng: "torch.Generator"
) -> Float[np.ndarray, " p"]:
    """The flat parameters before training (p,), float32.

    `init="torch"` draws what `torch.nn.Linear` would: weight, then bias, layer by layer, both
    uniform in +-1/sqrt(inputs).

    Args:
        spec: the network.
        sizes: widths of all layers.
        rng: the run's generator; only a drawn start takes numbers from it.

    Raises:
        ExperimentError: an explicit list has the wrong length.
    """
    import torch

    n = spec.n_parameters(sizes[0], sizes[-1])
    if isinstance(spec.init, list):
        if len(spec.init) != n:
            raise ExperimentError([_wrong_length(sizes, n, len(spec.init))])
        return np.array(spec.init, dtype=np.float32)
    if spec.init != "torch":
        return np.full(n, 1.0 if spec.init == "ones" else 0.0, dtype=np.float32)
    parts = []
    for n_in, n_out in itertools.pairwise(sizes):
        weight, bias = torch.empty(n_out, n_in), torch.empty(n_out)
        torch.nn.init.kaiming_uniform_(weight, a=5**0.5, generator=rng)
        torch.nn.init.uniform_(bias, -(n_in**-0.5), n_in**-0.5, generator=rng)
        parts += [weight.reshape(-1), bias]
    return torch.cat(parts).numpy()


def build_module(
    spec: NetworkSpec, sizes: list[int], params: Float[np.ndarray, " p"]
) -> "torch.nn.Sequential":
    """The network as linear layers with activations between them; its output is the logits.

    Args:
        spec: the network.
        sizes: widths of all layers.
        params: flat parameters (p,).
    """
    from torch import nn

    activation = {
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "relu": nn.ReLU,
        "identity": nn.Identity,
    }[spec.activation]
    parts: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        parts += [nn.Linear(n_in, n_out, device="meta"), activation()]  # draws nothing
    module = nn.Sequential(*parts[:-1]).to_empty(device="cpu")  # the output has no activation
    nn.utils.vector_to_parameters(_tensor(params), module.parameters())
    return module


def flat_parameters(module: "torch.nn.Module") -> Float[np.ndarray, " p"]:
    """All parameters of a module as one array (p,)."""
    from torch.nn.utils import parameters_to_vector

    return parameters_to_vector(module.parameters()).detach().cpu().numpy()


def layers(
    params: Float[np.ndarray, "*m p"], sizes: list[int]
) -> list[tuple[Float[np.ndarray, "*m o i"], Float[np.ndarray, "*m o"]]]:
    """Weight (out, in) and bias (out,) of every layer, as views into the flat parameters.

    Parameters of many networks (m, p) give weights (m, out, in) and biases (m, out).

    Example:
        >>> W, b = layers(np.arange(3.0), [2, 1])[0]
        >>> W.tolist(), b.tolist()
        ([[0.0, 1.0]], [2.0])
    """
    found, at = [], 0
    for n_in, n_out in itertools.pairwise(sizes):
        n_weights = n_in * n_out
        W = params[..., at : at + n_weights].reshape(*params.shape[:-1], n_out, n_in)
        b = params[..., at + n_weights : at + n_weights + n_out]
        found.append((W, b))
        at += n_weights + n_out
    return found


def names_of_parameters(run: Run) -> list[str]:
    """A name for every number in a row of `run.params`."""
    if run.attached is not None and run.attached.layout is not None:
        return tensor_names(run.attached.layout.parameters)
    return parameter_names(run.layer_sizes)


def parameter_names(sizes: list[int]) -> list[str]:
    """A name for every flat parameter, counted from 1: layer, then unit, then input.

    Example:
        >>> parameter_names([2, 1])
        ['w1[1,1]', 'w1[1,2]', 'b1[1]']
    """
    names: list[str] = []
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        units = range(1, n_out + 1)
        names += [f"w{layer}[{unit},{i}]" for unit in units for i in range(1, n_in + 1)]
        names += [f"b{layer}[{unit}]" for unit in units]
    return names


def forward(
    params: Float[np.ndarray, "*m p"],
    X: Float[np.ndarray, "n d"],
    *,
    sizes: list[int],
    activation: str,
) -> Float64[np.ndarray, "*m n k"]:
    """Logits or values (n, k) in float64: a_l = f(a_{l-1} W_l' + b_l), the last layer without f.

    Args:
        params: flat parameters; of many networks at once: (m, p) gives (m, n, k).
        X: inputs as the network sees them (scaled).
        sizes: widths of all layers.
        activation: of the hidden units.
    """
    return activations(params, X, sizes=sizes, activation=activation)[-1]


def activations(
    params: Float[np.ndarray, "*m p"],
    X: Float[np.ndarray, "n d"],
    *,
    sizes: list[int],
    activation: str,
) -> list[Float64[np.ndarray, "*m n _"]]:
    """What every layer answers: (n, h) for each hidden one, then the logits or values (n, k).

    Args:
        params: flat parameters.
        X: inputs as the network sees them (scaled).
        sizes: widths of all layers.
        activation: of the hidden units.
    """
    a = np.asarray(X, dtype=np.float64).T  # a row a unit: numpy is fast along rows, and they long
    answers = []
    *hidden, (W_out, b_out) = layers(np.asarray(params, dtype=np.float64), sizes)
    with np.errstate(all="ignore"):  # the parameters of a diverged run may be inf
        for W, b in hidden:
            z = W @ a
            z += b[..., None]
            a = activate(z, activation, out=z)
            answers.append(a.mT)
        z = np.asarray(W_out @ a)
        z += b_out[..., None]
    return [*answers, z.mT]


@np.errstate(all="ignore")  # the parameters of a diverged run may be inf
def input_layer(
    run: Run, step: int = -1
) -> tuple[Float64[np.ndarray, "h d"], Float64[np.ndarray, " h"]]:
    """Weight and bias of the first layer for inputs in the data's own units, at a step."""
    first = layers(run.params[run.row(step)].astype(np.float64), run.layer_sizes)[0]
    return in_data_units(first, run.dataset)


@np.errstate(all="ignore")
def in_data_units(
    layer: tuple[Float64[np.ndarray, "h d"], Float64[np.ndarray, " h"]], dataset: Dataset
) -> tuple[Float64[np.ndarray, "h d"], Float64[np.ndarray, " h"]]:
    """Weight and bias for inputs in the data's own units, of a layer that takes scaled ones."""
    W, b = layer[0] / dataset.scale, layer[1]
    return W, b - W @ dataset.mean


@np.errstate(all="ignore")
def probabilities(logits: Float64[np.ndarray, "*m n k"]) -> Float64[np.ndarray, "*m n c"]:
    """Class probabilities from logits: one logit is two classes by the sigmoid, more the softmax.

    Example:
        >>> probabilities(np.array([[0.0]])).tolist()
        [[0.5, 0.5]]
    """
    if logits.shape[-1] > 1:
        from scipy.special import softmax

        return np.asarray(softmax(logits, axis=-1))
    both = np.concatenate([-logits, logits], axis=-1)
    return sigmoid(both, both)


def predict(run: Run, X: Any, *, step: int = -1) -> np.ndarray:
    """What `Run.predict` promises."""
    logits, data = _logits(run, X, step), run.dataset
    if data.task == "regression":
        values = logits if data.n_targets > 1 else logits[:, 0]
        with np.errstate(all="ignore"):
            return np.asarray(values * data.y_scale + data.y_mean)
    return np.take(np.array(data.classes), decided(logits))


def predict_proba(run: Run, X: Any, *, step: int = -1) -> Float64[np.ndarray, "n c"]:
    """What `Run.predict_proba` promises."""
    if run.dataset.task == "regression":
        raise DataError("A regression has no probabilities; use `predict`.")
    return probabilities(_logits(run, X, step))


def _logits(run: Run, X: Any, step: int) -> Float64[np.ndarray, "n k"]:
    """The network's answers to inputs in the data's own units."""
    data, X = run.dataset, inputs_of(X, run.dataset.preprocessing)
    try:
        X = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"X must be an array of numbers: {error}.") from None
    X = X.reshape(-1, 1) if X.ndim == 1 and data.d == 1 else X
    if X.ndim != 2 or X.shape[1] != data.d:
        names = ", ".join(data.feature_names[:8])
        raise DataError(f"X must be (n, {data.d}), one column each for {names}; got {X.shape}.")
    if not np.isfinite(X).all():
        raise DataError("X has missing or infinite values.")
    if data.spec.standardize:
        X = (X - data.mean) / data.scale
    return answers(run, X, step=step)


def answers(run: Run, X: Float[np.ndarray, "n d"], *, step: int = -1) -> Float64[np.ndarray, "n k"]:
    """The logits or values of a run at a step, for inputs as the network sees them (scaled)."""
    if run.attached is not None and run.attached.layout is not None:
        return own_answers(run, run.attached.layout, X, step=step)
    activation = run.experiment.network.activation
    return forward(run.params[run.row(step)], X, sizes=run.layer_sizes, activation=activation)


def decided(logits: Float64[np.ndarray, "n k"]) -> np.ndarray:
    """Class indices: of two classes the second where its probability is at least 0.5."""
    if logits.shape[1] > 2:
        return np.asarray(np.argmax(logits, axis=1))
    return np.asarray(probabilities(logits)[:, 1] >= 0.5, dtype=int)


def _tensor(params: Float[np.ndarray, " p"]) -> "torch.Tensor":
    import torch

    return torch.tensor(params)  # a copy, so that training does not write into the recording


def _wrong_length(sizes: list[int], n: int, got: int) -> str:
    """How many numbers an explicit start needs, and what for."""
    parts = [
        f"({n_in} weight{'s' * (n_in != 1)} + 1 bias) x {n_out}"
        for n_in, n_out in itertools.pairwise(sizes)
    ]
    shape, made_of = "-".join(map(str, sizes)), " + ".join(parts)
    return (
        f"`network.init` must have {n} numbers for a {shape} network: {made_of}; got {got}. "
        "The init `torch` draws a start that fits."
    )
