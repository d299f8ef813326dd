"""How did the parameters move?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from fitscope.analysis.needs import checked_loss, needs_data, needs_plain
from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.network import build_module, names_of_parameters
from fitscope.records import Run

__all__ = ["ParameterPaths", "gradient_norms", "parameter_paths"]

_MAX_VALUES = 200_000  # in one picture, of all paths together
_MAX_PATHS = 1000
_MAX_GRADIENTS = 400
_MAX_MULTIPLICATIONS = 4e9  # for all gradients together, some seconds; then they are fewer


@dataclass(frozen=True, eq=False)
class ParameterPaths:
    """Parameters over the recorded steps.

    Attributes:
        names: of the parameters, as `network.names_of_parameters` gives them.
        layers: the layer of each parameter, from 1.
        layer_names: what each layer is called.
        is_bias: which parameters are biases.
        steps: the steps shown: recorded ones, thinned where they are many.
        values: `values[i, j]` is parameter j after `steps[i]` updates.
        gradient_steps: where the gradient was computed; empty where it was not asked for.
        gradient_norms: its Euclidean norm there.
        title: what is shown.
        note: what is left out.
    """

    names: tuple[str, ...]
    layers: Int32[np.ndarray, " p"]
    layer_names: tuple[str, ...]
    is_bias: Bool[np.ndarray, " p"]
    steps: Int32[np.ndarray, " t"]
    values: Float32[np.ndarray, "t p"]
    gradient_steps: Int32[np.ndarray, " s"]
    gradient_norms: Float64[np.ndarray, " s"]
    title: str
    note: str


def parameter_paths(
    run: Run, *, parameters: Sequence[str] | None = None, gradients: bool = False
) -> ParameterPaths:
    """Every parameter over the recorded steps, and the norm of the gradient on request.

    Shown are some 200,000 numbers: steps are thinned, half of them evenly, half so that their
    logarithms lie evenly. Of more than 1000 parameters those that moved furthest are shown.

    Args:
        run: any run; with its data where gradients are asked for.
        parameters: which ones, such as ["w1[2,1]", "b1[2]"]; default: all.
        gradients: whether to compute the norm of the gradient at up to 400 recorded steps.

    Raises:
        UnknownNameError: there is no such parameter.
        DataError: none is named, or gradients are asked for and the run was saved without data.

    Example:
        >>> import fitscope as fs
        >>> paths = parameter_paths(fs.fit("bad-start"))
        >>> paths.names, paths.values[0].tolist()
        (('w1[1,1]', 'b1[1]'), [-5.0, -10.0])
    """
    known = names_of_parameters(run)
    if not known:
        raise DataError("parameter_paths needs recorded parameters; this run has losses only.")
    columns = _columns(known, parameters)
    note = ""
    if len(columns) > _MAX_PATHS:
        note = f"the {_MAX_PATHS:,} of {len(columns):,} parameters that moved furthest"
        moved = np.nan_to_num(np.abs(run.params[-1] - run.params[0])[columns], nan=0.0)
        columns = columns[np.sort(np.argsort(-moved, kind="stable")[:_MAX_PATHS])]
    rows = _rows(run.steps, max(100, _MAX_VALUES // len(columns)))
    steps, norms = gradient_norms(run) if gradients else (run.steps[:0], np.zeros(0))
    names = tuple(known[i] for i in columns)
    return ParameterPaths(
        names,
        *_layers(run, names),
        run.steps[rows],
        run.params[np.ix_(rows, columns)],
        steps,
        norms,
        f"{len(names):,} parameter{'s' * (len(names) != 1)} over {run.steps[-1]:,} updates",
        note,
    )


def gradient_norms(run: Run) -> tuple[Int32[np.ndarray, " s"], Float64[np.ndarray, " s"]]:
    """Up to 400 recorded steps, and the norm of the gradient of the training loss at each.

    norm = sqrt(sum_j (d loss / d params[j])^2), of the mean loss over the whole training part
    (without weight decay), by PyTorch's autograd in float64. Large nets on much data have fewer.

    Args:
        run: a run with its data.

    Raises:
        DataError: the run was saved without its data.
    """
    import torch

    from fitscope.train.torch_loop import loss_function

    d, e = run.dataset, run.experiment
    needs_data(d, "The gradient")
    needs_plain(run, "The gradient")
    loss_of = loss_function(checked_loss(run, None), d.task)
    X = torch.from_numpy(d.X).double()
    y = torch.from_numpy(d.y).double() if d.task == "regression" else torch.from_numpy(d.y).long()
    weights = d.weights_by_part[0]
    w = None if weights is None else torch.from_numpy(weights).double()
    module = build_module(e.network, run.layer_sizes, run.params[0]).double()
    n_multiplications = X.shape[0] * run.params.shape[1]
    most = int(np.clip(_MAX_MULTIPLICATIONS / n_multiplications, 40, _MAX_GRADIENTS))
    rows = np.unique(np.linspace(0, len(run.steps) - 1, most).round().astype(int))
    norms = np.empty(len(rows))
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # 1 ms a gradient of a 30-64-64-1 net; two, on a busy machine: 19
    try:
        for i, params in enumerate(torch.from_numpy(run.params[rows]).double()):
            torch.nn.utils.vector_to_parameters(params, module.parameters())
            parts = torch.autograd.grad(loss_of(module(X), y, w), list(module.parameters()))
            norms[i] = sum(float((part**2).sum()) for part in parts) ** 0.5
    finally:
        torch.set_num_threads(n_threads)
    return run.steps[rows], norms


def _layers(
    run: Run, names: tuple[str, ...]
) -> tuple[Int32[np.ndarray, " p"], tuple[str, ...], Bool[np.ndarray, " p"]]:
    """The layer of each parameter, the layers' names, and which parameters are biases.

    The layers of a module that is no plain stack are its submodules, by their names.
    """
    if run.is_plain or run.attached is None:
        numbers = [int(name[1 : name.index("[")]) for name in names]
        called = [f"layer {i}" for i in range(1, len(run.layer_sizes))]
        biases = [name.startswith("b") for name in names]
    else:
        paths = [name.partition("[")[0].rpartition(".") for name in names]
        called = list(dict.fromkeys(owner or run.attached.module for owner, _, _ in paths))
        numbers = [called.index(owner or run.attached.module) + 1 for owner, _, _ in paths]
        biases = [last == "bias" for _, _, last in paths]
    return np.array(numbers, np.int32), tuple(called), np.array(biases)


def _columns(known: list[str], parameters: Sequence[str] | None) -> np.ndarray:
    """The places of the named parameters among the flat ones."""
    if parameters is None:
        return np.arange(len(known))
    if not parameters:
        raise DataError("`parameters` must name at least one parameter; got none.")
    place = {name: i for i, name in enumerate(known)}
    for name in parameters:
        if name not in place:
            hint = near_miss(name, known)
            several = f" There are {known[0]} to {known[-1]}."
            raise UnknownNameError(f"`{name}` is not a parameter of this run.{hint or several}")
    return np.array([place[name] for name in dict.fromkeys(parameters)])


def _rows(steps: Int32[np.ndarray, " t"], most: int) -> np.ndarray:
    """At most so many rows of the recording, dense enough for an even and for a log axis."""
    most = min(most, 2000)
    if len(steps) <= most:
        return np.arange(len(steps))
    even = np.linspace(0, len(steps) - 1, most // 2)
    early = np.geomspace(1, len(steps), most - most // 2) - 1
    return np.unique(np.concatenate([even, early]).round().astype(int))
