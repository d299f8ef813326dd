"""Which loss a loop trains by: found by trying it on answers drawn at random, not by its name."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from fitscope.attached.samples import Samples
from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.evaluation import mean_loss
from fitscope.own import Outputs
from fitscope.specs import LOSSES, Task
from fitscope.train.torch_loop import loss_function

__all__ = ["Judge", "Link", "judge_of"]

Loss = Callable[[Tensor, Tensor], Any]
Pairing = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Link = str  # what a module does to its logits at its end: identity, sigmoid, softmax, log_softmax
TOLERANCE = 1e-5  # float32 sums of some thousand samples agree with float64 to 1e-6
_LINKS: dict[Link, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "softmax": lambda z: torch.softmax(z, 1),
    "log_softmax": lambda z: torch.log_softmax(z, 1),
}


class Judge(NamedTuple):
    """A loop's loss, and what it says of the task.

    Attributes:
        value: the loss of answers and targets, as a number.
        task: what is predicted.
        name: fitscope's name of the loss, or the loop's own.
        own: whether it is none of fitscope's.
        outputs: what the loss takes: logits, probabilities or values.
    """

    value: Callable[[Tensor, Tensor], float]
    task: Task
    name: str
    own: bool
    outputs: Outputs


class _Twin(NamedTuple):
    """A loss of ours that a loop's loss may be, and what the loop does to logits before it."""

    task: Task
    name: str
    link: Link

    @property
    def outputs(self) -> Outputs:
        if self.task == "regression":
            return "values"
        return "probabilities" if self.link in ("sigmoid", "softmax") else "logits"


def judge_of(
    loss: Loss | str, out: Tensor, data: Samples, *, task: Task | None, end: Link
) -> Judge:
    """The loss that was given, tried on the data.

    Args:
        loss: a function of answers and targets, or one of fitscope's names.
        out: what the module answers to the samples.
        data: the samples.
        task: what was asked for; None is read off the loss, the answers and the targets.
        end: what the module does at its end, where that is known; else "identity".

    Raises:
        DataError: the loss cannot be computed on the data, or is no single number.
        UnknownNameError: there is no loss of that name.
    """
    if isinstance(loss, str):
        return _named(loss, out, data, task=task, end=end)
    if not callable(loss):
        raise DataError(
            "`loss` must be a function of answers and targets, such as nn.MSELoss(), or a name; "
            f"got {type(loss).__name__}."
        )
    width, y = 1 if out.ndim == 1 else out[0].numel(), data.y.to(out.device)
    working = _working(loss, out, y)
    for pairing in working:
        value = _value(loss, pairing)
        found = [twin for twin in _twins(width, y) if _agrees(value, twin, out, y)]
        found = [twin for twin in found if task in (None, twin.task)]
        if found:
            twin = _likeliest(found, end)
            return Judge(value, twin.task, twin.name, False, twin.outputs)
    kind = task or _task(width, y)
    return Judge(_value(loss, working[0]), kind, _name(loss), True, _outputs(kind, end))


def _named(name: str, out: Tensor, data: Samples, *, task: Task | None, end: Link) -> Judge:
    """One of our losses, of a module that ends in logits, values or probabilities."""
    known = dict.fromkeys(loss for losses in LOSSES.values() for loss in losses)
    if name not in known:
        raise UnknownNameError(
            f"`loss` must be a function or one of {', '.join(known)}; got {name!r}."
            f"{near_miss(name, known)}"
        )
    width = 1 if out.ndim == 1 else out[0].numel()
    if task is None:
        classes = name == "cross_entropy" or (name == "mse" and end in ("sigmoid", "softmax"))
        task = ("binary" if width == 1 else "multiclass") if classes else "regression"
    if name not in LOSSES[task]:
        raise DataError(
            f"`loss` must be one of {', '.join(LOSSES[task])} for {task}; got {name!r}."
        )
    function, outputs = loss_function(name, task), _outputs(task, end)

    def value(answers: Tensor, y: Tensor) -> float:
        z = answers.reshape(len(answers), -1).cpu().double()
        if outputs == "probabilities":
            z = torch.log(z) if z.shape[1] > 1 else torch.logit(z)
        targets = y.reshape(-1).cpu()
        return float(function(z, targets.double() if task == "regression" else targets.long()))

    return Judge(value, task, name, False, outputs)


def _working(loss: Loss, out: Tensor, y: Tensor) -> list[Pairing]:
    """The ways in which the loss takes answers and targets, as they are given first."""
    found, problem = [], ""
    for pairing in _pairings(out, y):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # shapes that only broadcast are told by a warning
                result = loss(*pairing(out, y))
            if torch.as_tensor(result).numel() == 1:
                found.append(pairing)
            else:
                problem = "it is no single number; set reduction='mean'"
        except Exception as error:  # whatever a loss of somebody's own raises
            problem = problem or " ".join(str(error).split())[:200].rstrip(".")
    if not found:
        raise DataError(f"`loss` cannot be computed as loss(model(X), y): {problem}.")
    return [pairing for pairing in found if _pairs_samples(loss, pairing, out, y)] or found


def _pairs_samples(loss: Loss, pairing: Pairing, out: Tensor, y: Tensor) -> bool:
    """Whether it matters which answer meets which target.

    It does not where (n, 1) answers meet (n,) targets in arithmetic that pairs all with all.
    """
    if out.shape == y.shape or len(y) < 2:
        return True
    rng = torch.Generator().manual_seed(0)
    answers = 0.05 + 0.9 * torch.rand(out.shape, generator=rng)  # as logits, and as probabilities
    answers = answers.to(out.device, out.dtype)
    one, other = (float(loss(*pairing(answers, targets))) for targets in (y, y.roll(1, 0)))
    return not np.isclose(one, other, rtol=1e-5, atol=0)


def _pairings(out: Tensor, y: Tensor) -> Iterator[Pairing]:
    """As given; then answers and targets of one shape; each with targets of three types."""
    shapes: list[Pairing] = [lambda a, b: (a, b)]
    if out.numel() == y.numel() and out.shape != y.shape:
        shapes += [
            lambda a, b: (a.reshape(len(a)), b.reshape(len(b))),
            lambda a, b: (a, b.reshape(a.shape)),
        ]
    for shape in shapes:
        for kind in (None, out.dtype, torch.int64):
            yield lambda a, b, s=shape, k=kind: s(a, b if k is None else b.to(k))  # type: ignore[misc]


def _value(loss: Loss, pairing: Pairing) -> Callable[[Tensor, Tensor], float]:
    def value(out: Tensor, y: Tensor) -> float:
        return float(loss(*pairing(out, y.to(out.device))))

    return value


def _twins(width: int, y: Tensor) -> list[_Twin]:
    """The losses of ours that answers of this width and these targets can have."""
    one = y.reshape(len(y), -1)
    if one.shape[1] > 1:
        return []
    whole = bool((one == one.round()).all()) and bool(one.min() >= 0)
    if width > 1:
        if not whole or one.max() >= width:
            return []
        ends = ("identity", "log_softmax", "softmax")
        return [_Twin("multiclass", name, end) for name in LOSSES["multiclass"] for end in ends]
    found = [_Twin("regression", name, "identity") for name in LOSSES["regression"]]
    if whole and one.max() <= 1:
        links = ("identity", "sigmoid")
        found += [_Twin("binary", name, link) for name in LOSSES["binary"] for link in links]
    return found


def _agrees(value: Callable[[Tensor, Tensor], float], twin: _Twin, out: Tensor, y: Tensor) -> bool:
    """Whether a loss is that of ours, on answers drawn twice at random."""
    rng = torch.Generator().manual_seed(0)
    kind = np.float64 if twin.task == "regression" else np.int64
    targets = y.reshape(-1).cpu().double().numpy().astype(kind)
    for size in (0.7, 2.0):
        z = size * torch.randn(len(out), out[0].numel(), generator=rng, dtype=torch.float64)
        wanted = mean_loss(twin.name, twin.task, z.numpy(), targets)
        answers = _LINKS[twin.link](z).reshape(out.shape).to(out.device, out.dtype)
        try:
            got = value(answers, y)
        except Exception:  # such as a loss that takes probabilities only
            return False
        if not abs(got - wanted) <= TOLERANCE * max(1.0, abs(wanted)):
            return False
    return True


def _likeliest(found: list[_Twin], end: Link) -> _Twin:
    """Of a squared error of 0 and 1, that of probabilities where the module ends in them."""
    ending = [twin for twin in found if twin.link == end]
    plain = [twin for twin in ending if end != "identity" or twin.task == "regression"]
    return (plain or ending or found)[0]


def _task(width: int, y: Tensor) -> Task:
    """What a loss of somebody's own is most likely about."""
    one = y.reshape(len(y), -1)
    if width > 1:
        is_index = one.shape[1] == 1 and not y.is_floating_point() and int(one.min()) >= 0
        return "multiclass" if is_index and int(one.max()) < width else "regression"
    values = set(torch.unique(one).tolist())
    return "binary" if len(values) == 2 and values in ({0, 1}, {-1, 1}) else "regression"


def _outputs(task: Task, end: Link) -> Outputs:
    if task == "regression":
        return "values"
    return "probabilities" if end in ("sigmoid", "softmax") else "logits"


def _name(loss: Any) -> str:
    """What a loss of somebody's own is called."""
    name = getattr(loss, "__name__", type(loss).__name__)
    if name in ("<lambda>", "method", "function", "partial"):
        return "own loss"
    is_ours = any(name in losses for losses in LOSSES.values())
    return f"own {name}" if is_ours else str(name)
