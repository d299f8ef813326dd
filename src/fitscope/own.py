"""What a run of somebody's own loop has beside: how its rows fit the module, and its answers."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float, Float64

from fitscope.errors import DataError

if TYPE_CHECKING:
    import torch

    from fitscope.records import Run

__all__ = [
    "Attached",
    "Layout",
    "check_module",
    "evaluating",
    "outputs_of",
    "own_answers",
    "tensor_names",
    "tensors_of",
    "uncompiled",
]

Shape = tuple[int, ...]
Outputs = Literal["logits", "probabilities", "values"]
CHUNK = 8192  # samples in one forward pass: bounds the memory, and never cuts a small data set


@dataclass(frozen=True)
class Layout:
    """How the recorded rows fit a module that is no plain stack of linear layers.

    Attributes:
        parameters: name and shape of each recorded parameter, in the order of the rows.
        buffers: the same of the buffers, such as the running means of batch normalisation.
        frozen: parameters and buffers that were not recorded because they cannot change.
        complete: whether all of these decide the answers; False where others change as well.
        input_shape: of one sample as the module takes it; the data keeps it flat.
        input_type: the dtype of the inputs, such as "float32".
        outputs: what the module answers: logits, probabilities or values.
        n_outputs: how many numbers for each sample.
    """

    parameters: tuple[tuple[str, Shape], ...]
    buffers: tuple[tuple[str, Shape], ...]
    frozen: tuple[tuple[str, Shape], ...]
    complete: bool
    input_shape: Shape
    input_type: str
    outputs: Outputs
    n_outputs: int

    def can_answer(self, task: str) -> bool:
        """Whether a module with these rows in it answers as the task asks."""
        return self.complete and (task != "regression" or self.n_outputs == 1)

    @property
    def n_parameters(self) -> int:
        """Numbers in a row of parameters."""
        return sum(prod(shape) for _, shape in self.parameters)

    @property
    def n_buffers(self) -> int:
        """Numbers in a row of buffers."""
        return sum(prod(shape) for _, shape in self.buffers)


@dataclass(frozen=True)
class Attached:
    """What is known of a training that fitscope watched and did not make.

    Attributes:
        module: the name of the module's class.
        optimizer: the name of the optimizer's class.
        lr: its learning rate at the start, of the first group of parameters.
        loss: what the recorded losses are: one of fitscope's, or the name of the loop's own.
        own_loss: whether it is the loop's own, which no view can compute again.
        layout: None for a plain stack of linear layers, which replays like any run.
    """

    module: str
    optimizer: str
    lr: float
    loss: str
    own_loss: bool
    layout: Layout | None = None


def uncompiled(module: "torch.nn.Module") -> "torch.nn.Module":
    """The module that `torch.compile` was given; any other module as it is."""
    inner: torch.nn.Module = getattr(module, "_orig_mod", module)
    return inner


@contextlib.contextmanager
def evaluating(module: "torch.nn.Module") -> Iterator[None]:
    """In evaluation mode, without gradients; every training flag and random state comes back."""
    import torch

    flags = [(part, part.training) for part in module.modules()]
    cuda = {p.device.index for p in module.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices=sorted(cuda)), torch.no_grad():
        try:
            for part, _ in flags:
                part.training = False  # not .eval(), which a module may have made its own
            yield
        finally:
            for part, flag in flags:
                part.training = flag


def outputs_of(
    module: "torch.nn.Module", tensors: Mapping[str, "torch.Tensor"], X: "torch.Tensor"
) -> "torch.Tensor":
    """What a module answers with other parameters and buffers in their places."""
    import torch

    first = next(itertools.chain(tensors.values(), module.parameters(), module.buffers()), None)
    device = X.device if first is None else first.device
    placed = _in_every_place(module, tensors)
    parts = [
        torch.func.functional_call(module, placed, (part.to(device),), tie_weights=False)
        for part in X.split(CHUNK)  # type: ignore[no-untyped-call]
    ]
    wrong = [type(part).__name__ for part in parts if not isinstance(part, torch.Tensor)]
    if wrong:
        raise DataError(f"The module must answer with one tensor; got {wrong[0]}.")
    return torch.cat(parts)


def _in_every_place(
    module: "torch.nn.Module", tensors: Mapping[str, "torch.Tensor"]
) -> dict[str, "torch.Tensor"]:
    """The tensors under the name of every place where one stands, each place once.

    `functional_call` ties shared parameters itself, but a submodule that is used twice it swaps
    twice, and then leaves the module with the wrong tensors (PyTorch 2.13).
    """
    own = {id(t): name for name, t in (*module.named_parameters(), *module.named_buffers())}
    placed = {}
    for path, part in module.named_modules():  # each submodule once
        for kind in (part.named_parameters, part.named_buffers):
            for name, t in kind(recurse=False, remove_duplicate=False):
                if own[id(t)] in tensors:
                    placed[f"{path}.{name}" if path else name] = tensors[own[id(t)]]
    return placed


def tensors_of(
    module: "torch.nn.Module",
    names: Iterable[tuple[str, Shape]],
    row: Float[np.ndarray, " p"],
) -> dict[str, "torch.Tensor"]:
    """A recorded row as tensors by name, where and of the type that the module has them."""
    import torch

    own: dict[str, Any] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    found, at = {}, 0
    for name, shape in names:
        part = torch.tensor(row[at : at + prod(shape)]).reshape(shape)
        found[name] = part.to(own[name].device, own[name].dtype)
        at += prod(shape)
    return found


def own_answers(
    run: "Run", layout: Layout, X: Float[np.ndarray, "n d"], *, step: int = -1
) -> Float64[np.ndarray, "n k"]:
    """The logits or values of a run by its own module, in evaluation mode.

    Raises:
        DataError: the module is not there, what was recorded does not decide the answers, or
            there are several values a sample.
    """
    import torch

    _check_answers(run, layout)
    module, row = run.own_module, run.row(step)
    flat = np.concatenate([run.params[row], _buffers(run)[row]])
    tensors = tensors_of(module, (*layout.parameters, *layout.buffers), flat)
    kind = getattr(torch, layout.input_type)
    shaped = torch.from_numpy(np.ascontiguousarray(X)).to(kind).reshape(-1, *layout.input_shape)
    with evaluating(module):
        out = outputs_of(module, tensors, shaped).cpu().double().numpy()
    out = out.reshape(len(X), -1)
    return _logits(out) if layout.outputs == "probabilities" else out


def _check_answers(run: "Run", layout: Layout) -> None:
    name = run.attached.module if run.attached else ""
    if not layout.complete:
        kept = ", ".join(name for name, _ in layout.parameters[:4]) or "the losses"
        raise DataError(
            f"The answers of this run cannot be computed: only {kept} were recorded. Attach "
            "without `record` to keep all parameters."
        )
    if run.dataset.task == "regression" and layout.n_outputs > 1:
        raise DataError(
            f"This run's module gives {layout.n_outputs} values for each sample; what shows "
            "answers needs one."
        )
    if run.own_module is None:
        raise DataError(
            f"The answers of this run come from its own module, {name}, which no file holds; "
            "load it with fs.load(path, module=...)."
        )


@np.errstate(divide="ignore", invalid="ignore")  # a probability of 0 is a logit of -inf
def _logits(p: Float64[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
    """Logits whose sigmoid, or softmax, is p."""
    return np.asarray(np.log(p) if p.shape[1] > 1 else np.log(p) - np.log1p(-p))


def _buffers(run: "Run") -> Float[np.ndarray, "t q"]:
    return run.buffers if run.buffers is not None else np.zeros((len(run.params), 0), np.float32)


def tensor_names(tensors: Iterable[tuple[str, Shape]]) -> list[str]:
    """A name for every number of some tensors, counted from 1.

    Example:
        >>> tensor_names([("fc.weight", (1, 2)), ("scale", ())])
        ['fc.weight[1,1]', 'fc.weight[1,2]', 'scale']
    """
    return [
        f"{name}[{','.join(str(i + 1) for i in place)}]" if shape else name
        for name, shape in tensors
        for place in itertools.product(*map(range, shape))
    ]


def check_module(run: "Run", module: Any) -> None:
    """Raises DataError where a module is not one that the run's recorded rows fit into."""
    import torch

    if run.attached is None or run.attached.layout is None:
        raise DataError("This run replays without a module; leave out `module`.")
    if not isinstance(module, torch.nn.Module):
        raise DataError(f"`module` must be a torch.nn.Module; got {type(module).__name__}.")
    layout, inner = run.attached.layout, uncompiled(module)
    known = {**dict(inner.named_parameters()), **dict(inner.named_buffers())}
    wanted = dict((*layout.parameters, *layout.buffers, *layout.frozen))
    for name, shape in wanted.items():
        if name not in known:
            raise DataError(f"`module` does not fit this run: it has no {name}.")
        if tuple(known[name].shape) != shape:
            raise DataError(
                f"`module` does not fit this run: {name} is {tuple(known[name].shape)}, and was "
                f"{shape} in the run."
            )
    more = [name for name in known if name not in wanted]
    if more and layout.complete:
        raise DataError(f"`module` does not fit this run, which has no {more[0]}.")
