"""What a run of somebody's own loop has beside: how its rows fit the module, and its answers."""

import contextlib
import hashlib
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
    "digest_of",
    "evaluating",
    "number_type_of",
    "outputs_of",
    "own_answers",
    "placed",
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
        frozen_digest: of the numbers in those that are frozen; "" where there are none.
        number_type: the dtype of the parameters, such as "float32".
    """

    parameters: tuple[tuple[str, Shape], ...]
    buffers: tuple[tuple[str, Shape], ...]
    frozen: tuple[tuple[str, Shape], ...]
    complete: bool
    input_shape: Shape
    input_type: str
    outputs: Outputs
    n_outputs: int
    frozen_digest: str = ""
    number_type: str = ""

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
def evaluating(*modules: "torch.nn.Module") -> Iterator[None]:
    """In evaluation mode, without gradients, on copies of the buffers.

    Every training flag, buffer and attribute comes back, and PyTorch's random state.
    """
    import torch

    parts = list(dict.fromkeys(part for module in modules for part in module.modules()))
    kept = [(part, part.training, dict(vars(part))) for part in parts]
    own = [(found, dict(found)) for part in parts if isinstance(found := part._buffers, dict)]
    copies = {t: t.clone() for _, named in own for t in named.values() if t is not None}
    tensors = [p for module in modules for p in module.parameters()]
    cuda = {t.device.index for t in (*tensors, *copies) if t.device.type == "cuda"}
    with torch.random.fork_rng(devices=sorted(cuda)), torch.no_grad():
        try:
            for part in parts:
                part.training = False  # not .eval(), which a module may have made its own
            for buffers, named in own:
                for name, t in named.items():
                    buffers[name] = None if t is None else copies[t]
            yield
        finally:
            for buffers, named in own:
                _restore(buffers, named)
            for part, flag, attributes in kept:
                part.training = flag
                _restore(vars(part), attributes)


def _restore(found: dict[str, Any], before: Mapping[str, Any]) -> None:
    """The very entries that a dictionary had."""
    for name in [name for name in found if name not in before]:
        del found[name]
    found.update(before)


@contextlib.contextmanager
def placed(module: "torch.nn.Module", tensors: Mapping[str, "torch.Tensor"]) -> Iterator[None]:
    """With other numbers in a module's own parameters and buffers; its own come back.

    Whatever holds one of these, such as a loss that adds up the weights, sees the other numbers.
    """
    own = _named(module)
    before = {name: own[name].data for name in tensors}
    try:
        for name, t in tensors.items():
            own[name].data = t
        yield
    finally:
        for name, data in before.items():
            own[name].data = data


def outputs_of(module: "torch.nn.Module", X: "torch.Tensor") -> "torch.Tensor":
    """What a module answers, as it is now, piece by piece."""
    import torch

    first = next(itertools.chain(module.parameters(), module.buffers()), None)
    device = X.device if first is None else first.device
    pieces = X.split(CHUNK)  # type: ignore[no-untyped-call]
    parts = [module(piece.to(device)) for piece in pieces]
    wrong = [type(part).__name__ for part in parts if not isinstance(part, torch.Tensor)]
    if wrong:
        raise DataError(f"The module must answer with one tensor; got {wrong[0]}.")
    return torch.cat(parts)


def tensors_of(
    module: "torch.nn.Module",
    names: Iterable[tuple[str, Shape]],
    row: Float[np.ndarray, " p"],
) -> dict[str, "torch.Tensor"]:
    """A recorded row as tensors by name, where and of the type that the module has them."""
    import torch

    own = _named(module)
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
    _check_fit(run.own_module, layout, "The module no longer fits this run")
    module, row = run.own_module, run.row(step)
    flat = np.concatenate([run.params[row], _buffers(run)[row]])
    tensors = tensors_of(module, (*layout.parameters, *layout.buffers), flat)
    kind = getattr(torch, layout.input_type)
    shaped = torch.from_numpy(np.ascontiguousarray(X)).to(kind).reshape(-1, *layout.input_shape)
    with evaluating(module), placed(module, tensors):
        out = outputs_of(module, shaped).cpu().double().numpy()
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


@np.errstate(divide="ignore")  # a probability of 0 is a logit of -inf
def _logits(p: Float64[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
    """Logits whose sigmoid, or softmax, is p, cut off at 0 and 1."""
    p = np.clip(p, 0.0, 1.0)
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
    _check_fit(uncompiled(module), run.attached.layout, "`module` does not fit this run")


def _check_fit(module: "torch.nn.Module", layout: Layout, said: str) -> None:
    """Raises DataError where the recorded rows do not fit a module, or do not decide its answers.

    Args:
        module: the module.
        layout: of the rows.
        said: what the message begins with.
    """
    known = _named(module)
    wanted = dict((*layout.parameters, *layout.buffers, *layout.frozen))
    for name, shape in wanted.items():
        if name not in known:
            raise DataError(f"{said}: it has no {name}.")
        if tuple(known[name].shape) != shape:
            raise DataError(
                f"{said}: {name} is {tuple(known[name].shape)}, and was {shape} in the run."
            )
    more = [name for name in known if name not in wanted]
    if more and layout.complete:
        raise DataError(f"{said}, which has no {more[0]}.")
    kind = number_type_of(module)
    if layout.number_type not in ("", kind):
        raise DataError(
            f"{said}: its parameters are {kind}, and were {layout.number_type} in the run; convert "
            f"it with module.to(torch.{layout.number_type})."
        )
    names = [name for name, _ in layout.frozen]
    if layout.frozen_digest and digest_of(module, names) != layout.frozen_digest:
        raise DataError(
            f"{said}: {names[0]} and what else was frozen, and so not recorded, hold other numbers."
        )


def _named(module: "torch.nn.Module") -> "dict[str, torch.Tensor]":
    """A module's parameters and buffers by name."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def number_type_of(module: "torch.nn.Module") -> str:
    """The dtype of a module's first parameter that is no whole number, such as "float32"."""
    kinds = [p.dtype for p in module.parameters() if p.is_floating_point()]
    return str(kinds[0]).removeprefix("torch.") if kinds else ""


def digest_of(module: "torch.nn.Module", names: Iterable[str]) -> str:
    """SHA-256 of the numbers in some parameters and buffers, as hex digits; "" of none."""
    import torch

    own = _named(module)
    found, names = hashlib.sha256(), list(names)
    for name in names:
        flat = own[name].detach().cpu().contiguous().reshape(-1)
        found.update(flat.view(torch.uint8).numpy().tobytes())
    return found.hexdigest() if names else ""
