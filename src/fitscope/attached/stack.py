"""Whether a module is a plain stack of linear layers: found by its parts, proved by its answers."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor, nn

from fitscope.attached.losses import Link
from fitscope.errors import ExperimentError
from fitscope.network import forward, probabilities
from fitscope.own import evaluating, outputs_of, placed
from fitscope.specs import NetworkSpec

__all__ = ["Stack", "end_of", "stack_of"]

_KINDS = {nn.Sigmoid: "sigmoid", nn.Tanh: "tanh", nn.ReLU: "relu", nn.Identity: "identity"}
_ENDS: tuple[Link, ...] = ("identity", "sigmoid", "softmax", "log_softmax")
MOST_TRIED = 256  # samples; each activation is tried on them
TOLERANCE = 1e-5


class Stack(NamedTuple):
    """A module as one of our networks.

    Attributes:
        spec: widths and activation; the start is left open.
        end: what the module does to the logits.
        places: where each of our flat parameters stands in a row of the module's own; the
            length of such a row stands for a bias that is not there, which is 0.
    """

    spec: NetworkSpec
    end: Link
    places: Int64[np.ndarray, " p"]

    def params(self, rows: np.ndarray) -> np.ndarray:
        """Rows of the module's own parameters as rows of ours, which mostly they are."""
        if np.array_equal(self.places, np.arange(rows.shape[1])):
            return rows
        padded = np.concatenate([rows, np.zeros((len(rows), 1), rows.dtype)], axis=1)
        return np.ascontiguousarray(padded[:, self.places])


def end_of(module: nn.Module, X: Tensor, out: Tensor) -> Link:
    """What a module that is no such stack does at its end, as its answers tell.

    It gives probabilities if all answers are some, and still are with parameters drawn at random.
    """
    if not _are_probabilities(out):
        return "identity"
    rng = torch.Generator().manual_seed(0)
    with evaluating(module):
        for _ in range(2):
            try:
                with placed(module, _drawn(module, rng)):
                    answers = outputs_of(module, X[:MOST_TRIED])
            except Exception:  # whatever a module of somebody's own raises
                return "identity"
            if not _are_probabilities(answers):
                return "identity"
    return "softmax" if out[0].numel() > 1 else "sigmoid"


def _are_probabilities(out: Tensor) -> bool:
    """Whether all are from 0 to 1, and of several classes add up to 1."""
    rows = out.reshape(len(out), -1).double()
    inside = bool(((rows >= 0) & (rows <= 1)).all())
    total = rows.sum(1)
    return inside and (
        rows.shape[1] == 1 or torch.allclose(total, torch.ones_like(total), atol=1e-2)
    )


def _drawn(module: nn.Module, rng: torch.Generator) -> dict[str, Tensor]:
    """Other parameters, so large that logits would leave the range of probabilities."""
    return {
        name: (3 * torch.randn(p.shape, generator=rng)).to(p.device, p.dtype)
        for name, p in module.named_parameters()
        if p.is_floating_point()
    }


def stack_of(module: nn.Module, X: Tensor) -> Stack | None:
    """The module as a stack of linear layers with one activation between them; None if it is none.

    Its linear layers in the order of definition must hold all of its parameters, and its answers
    must be ours within 1e-5: on the given samples and on random ones, with its own parameters
    and with random ones. So parts that change nothing, such as dropout, do not matter, and
    activations that stand only in its code are found.
    """
    parts = [part for _, part in module.named_modules(remove_duplicate=False)]
    linear = [part for part in parts if type(part) is nn.Linear]
    sizes = _sizes(module, linear, X)
    if sizes is None:
        return None
    named = [_KINDS[type(part)] for part in parts if type(part) in _KINDS]
    places = _places(module, linear)
    trials = _trials(module, X)
    if not trials:
        return None
    for activation in dict.fromkeys([*named, *_KINDS.values()]):
        for end in _ENDS:
            if all(_agrees(trial, places, sizes, activation, end) for trial in trials):
                kind = activation if len(sizes) > 2 else "sigmoid"  # none to name
                return _stack(sizes, kind, end, places)
    return None


def _stack(sizes: list[int], activation: str, end: Link, places: np.ndarray) -> Stack | None:
    try:
        return Stack(NetworkSpec(hidden=sizes[1:-1], activation=activation), end, places)
    except ExperimentError:  # wider or deeper than ours may be
        return None


def _sizes(module: nn.Module, linear: Sequence[nn.Linear], X: Tensor) -> list[int] | None:
    """Widths of all layers, where the linear ones follow each other and hold every parameter."""
    held = {id(p) for part in linear for p in (part.weight, part.bias) if p is not None}
    if not linear or {id(p) for p in module.parameters()} != held:
        return None
    if next(module.buffers(), None) is not None:
        return None
    fits = all(a.out_features == b.in_features for a, b in itertools.pairwise(linear))
    if not fits or linear[0].in_features != X[0].numel():
        return None
    return [linear[0].in_features, *(part.out_features for part in linear)]


def _places(module: nn.Module, linear: Sequence[nn.Linear]) -> np.ndarray:
    """Where each of our flat parameters stands among the module's own."""
    at, first = 0, {}
    for p in module.parameters():
        first[id(p)] = at
        at += p.numel()
    found = []
    for part in linear:
        found.append(first[id(part.weight)] + np.arange(part.weight.numel()))
        has_bias = part.bias is not None
        n = np.arange(part.out_features)
        found.append(first[id(part.bias)] + n if has_bias else np.full(len(n), at))
    return np.concatenate(found).astype(np.int64)


class _Trial(NamedTuple):
    """A row of parameters, samples, and what the module answers with them."""

    row: np.ndarray
    X: np.ndarray
    out: np.ndarray


def _trials(module: nn.Module, X: Tensor) -> list[_Trial]:
    """The module's answers, in float64 on the CPU: with its own parameters and with random ones.

    No trial at all where it cannot compute so.
    """
    rng = torch.Generator().manual_seed(0)
    own = {name: p.detach().cpu().double() for name, p in module.named_parameters()}
    drawn = {
        name: torch.randn(p.shape, generator=rng, dtype=torch.float64)
        / max(1, p[0].numel() if p.ndim else 1) ** 0.5
        for name, p in own.items()
    }
    seen = X[:MOST_TRIED].cpu().double()
    other = torch.randn(seen.shape, generator=rng, dtype=torch.float64)
    found = []
    with evaluating(module):
        for tensors, inputs in ((own, seen), (drawn, seen), (drawn, other)):
            try:
                out = _called(module, tensors, inputs)
            except Exception:  # whatever a module of somebody's own raises
                return []
            row = torch.cat([p.reshape(-1) for p in tensors.values()]).numpy()
            found.append(_Trial(row, inputs.numpy(), out.double().numpy()))
    return found


def _called(module: nn.Module, tensors: Mapping[str, Tensor], X: Tensor) -> Tensor:
    """What a module answers with parameters of another type in their places."""
    places = _in_every_place(module, tensors)
    out: Tensor = torch.func.functional_call(module, places, (X,), tie_weights=False)
    return out


def _in_every_place(module: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the name of every place where one stands, each place once.

    `functional_call` ties shared parameters itself, but a submodule that is used twice it swaps
    twice, and then leaves the module with the wrong tensors (PyTorch 2.13).
    """
    own = {id(p): name for name, p in module.named_parameters()}
    return {
        f"{path}.{name}" if path else name: tensors[own[id(p)]]
        for path, part in module.named_modules()  # each submodule once
        for name, p in part.named_parameters(recurse=False, remove_duplicate=False)
    }


def _agrees(
    trial: _Trial, places: np.ndarray, sizes: list[int], activation: str, end: Link
) -> bool:
    row = np.append(trial.row, 0.0)[places]
    z = forward(row, trial.X.reshape(len(trial.X), -1), sizes=sizes, activation=activation)
    if end in ("softmax", "log_softmax") and z.shape[1] == 1:
        return False
    ours = _ended(z, end)
    if ours.size != trial.out.size:
        return False
    error = np.abs(ours.reshape(trial.out.shape) - trial.out)
    return bool((error <= TOLERANCE * max(1.0, float(np.abs(trial.out).max()))).all())


@np.errstate(all="ignore")
def _ended(z: np.ndarray, end: Link) -> np.ndarray:
    """The answers of a module that does this to its logits."""
    if end == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-z)))
    if end == "identity":
        return z
    p = probabilities(z)
    return p if end == "softmax" else np.log(p)
