"""Which loss a loop trains by: found by trying it on answers drawn at random, not by its name."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fitscope.attached.samples import Samples, class_indices
from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.evaluation import mean_loss
from fitscope.own import Outputs
from fitscope.specs import LOSSES, Task
from fitscope.train.torch_loop import loss_function

__all__ = ["Judge", "Link", "judge_of", "unwarned"]

Loss = Callable[[Tensor, Tensor], Any]
Pairing = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Takes = Literal["logits", "probabilities", "labels"]  # what a loss of classes makes answers be
Link = str  # what a module does to its logits at its end: identity, sigmoid, softmax, log_softmax
TOLERANCE = 1e-5  # float32 sums of some thousand samples agree with float64 to 1e-6
_UNCLEAR = (
    "The model answers with probabilities, and its loss takes numbers beyond 0 and 1 as well; the "
    "answers are read as probabilities."
)
_WITH_LOGITS = (nn.BCEWithLogitsLoss, nn.CrossEntropyLoss)  # whatever their settings are
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
        note: what a person should know of that.
    """

    value: Callable[[Tensor, Tensor], float]
    task: Task
    name: str
    own: bool
    outputs: Outputs
    note: str = ""


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
    loss: Loss | str,
    out: Tensor,
    data: Samples,
    *,
    task: Task | None,
    end: Link,
    is_fixed: bool = True,
) -> Judge:
    """The loss that was given, tried on the data.

    Args:
        loss: a function of answers and targets, or one of fitscope's names.
        out: what the module answers to the samples.
        data: the samples.
        task: what was asked for; None is read off the loss, the answers and the targets.
        end: what the module does at its end, where that is known; else "identity".
        is_fixed: whether the loss is always the same; one with parameters of its own is none of
            fitscope's, though it may begin as one.

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
    with unwarned():
        return _found(loss, out, data.y.to(out.device), task=task, end=end, is_fixed=is_fixed)


def _found(
    loss: Loss, out: Tensor, y: Tensor, *, task: Task | None, end: Link, is_fixed: bool
) -> Judge:
    """One of our losses, if the loss computes what that does; else itself."""
    working = _working(loss, out, y)
    for pairing in working if is_fixed else ():
        value = _value(loss, pairing)
        found = [twin for twin in _twins(_width(out), y) if _agrees(value, twin, out, y)]
        found = [twin for twin in found if task in (None, twin.task)]
        if found:
            twin = _likeliest(found, end)
            return Judge(value, twin.task, twin.name, False, twin.outputs)
    value = _value(loss, working[0])
    takes = _takes(value, out, y)
    kind = task or _task(out, y, takes, end)
    if kind != "regression" and isinstance(loss, _WITH_LOGITS):
        return Judge(value, kind, _name(loss), True, "logits")
    outputs = _outputs(kind, end, takes)
    is_clear = outputs != "probabilities" or takes != "logits"
    return Judge(value, kind, _name(loss), True, outputs, "" if is_clear else _UNCLEAR)


@contextlib.contextmanager
def unwarned() -> Iterator[None]:
    """Trials in silence; but shapes that only broadcast, which a warning tells, are an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message="Using a target size")
        yield


def _width(out: Tensor) -> int:
    return 1 if out.ndim == 1 else out[0].numel()


def _named(name: str, out: Tensor, data: Samples, *, task: Task | None, end: Link) -> Judge:
    """One of our losses, of a module that ends in logits, values or probabilities."""
    known = dict.fromkeys(loss for losses in LOSSES.values() for loss in losses)
    if name not in known:
        raise UnknownNameError(
            f"`loss` must be a function or one of {', '.join(known)}; got {name!r}."
            f"{near_miss(name, known)}"
        )
    width, index = _width(out), class_indices(data.y)
    is_whole = index is not None and bool((index == index.round()).all())
    if task is None:
        is_mse = name == "mse" and end in ("sigmoid", "softmax") and is_whole
        classes = name == "cross_entropy" or is_mse
        task = ("binary" if width == 1 else "multiclass") if classes else "regression"
    if name not in LOSSES[task]:
        raise DataError(
            f"`loss` must be one of {', '.join(LOSSES[task])} for {task}; got {name!r}."
        )
    _check_targets(name, task, out, data.y, index)
    function, outputs = loss_function(name, task), _outputs(task, end)

    def value(answers: Tensor, y: Tensor) -> float:
        z = answers.reshape(len(answers), -1).cpu().double()
        if outputs == "probabilities":
            z = torch.log(z) if z.shape[1] > 1 else torch.logit(z)
        index = class_indices(y) if task != "regression" else None
        targets = y.reshape(len(y), -1).double() if index is None else index.long()
        return float(function(z, targets.cpu()))

    return Judge(value, task, name, False, outputs)


def _check_targets(name: str, task: Task, out: Tensor, y: Tensor, index: Tensor | None) -> None:
    """Raises DataError where one of our losses does not apply to such targets."""
    width = _width(out)
    if task == "regression":
        if y.numel() != out.numel():
            raise DataError(
                f"`loss`={name!r} needs a target for every answer; the model answers {width} for "
                f"each sample, and y is {tuple(y.shape)}."
            )
        return
    n = 2 if task == "binary" else width
    known = torch.arange(n, device=y.device)
    if index is None or not torch.isin(index.to(torch.float64), known.to(torch.float64)).all():
        raise DataError(
            f"`loss`={name!r} needs y to hold the classes 0 to {n - 1}, or rows with a single 1 "
            "and else 0. Where it is no class, set task='regression' and another loss."
        )


def _working(loss: Loss, out: Tensor, y: Tensor) -> list[Pairing]:
    """The ways in which the loss takes answers and targets, as they are given first."""
    found, problem = [], ""
    for pairing in _pairings(out, y):
        try:
            result = loss(*pairing(out, y))
            if torch.as_tensor(result).numel() == 1:
                found.append(pairing)
            else:
                problem = "it is no single number; set reduction='mean'"
        except Exception as error:  # whatever a loss of somebody's own raises
            problem = problem or " ".join(str(error).split())[:200].rstrip(".")
    if not found:
        raise DataError(f"`loss` cannot be computed as loss(model(X), y): {problem}.")
    return sorted(found, key=lambda pairing: _pairs_samples(loss, pairing, out, y), reverse=True)


def _pairs_samples(loss: Loss, pairing: Pairing, out: Tensor, y: Tensor) -> tuple[bool, ...]:
    """Whether it matters which answer meets which target, and which weight of the loss's own.

    It does not where (n, 1) answers meet (n,) targets in arithmetic that pairs all with all: then
    answers, or targets, may be moved alone. Both together may be moved where samples weigh alike.
    """
    if out.shape == y.shape or len(y) < 2:
        return (True,)
    rng = torch.Generator().manual_seed(0)
    answers = 0.05 + 0.9 * torch.rand(out.shape, generator=rng)  # as logits, and as probabilities
    answers = answers.to(out.device, out.dtype)
    moved = [(answers.roll(1, 0), y), (answers, y.roll(1, 0)), (answers.roll(1, 0), y.roll(1, 0))]
    try:
        one, *others = (float(loss(*pairing(a, b))) for a, b in ((answers, y), *moved))
    except Exception:  # such as a loss that takes answers of a certain range
        return (False,)
    return tuple(not np.isclose(one, other, rtol=1e-5, atol=0) for other in others)


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
    one, is_one_hot = class_indices(y), y.reshape(len(y), -1).shape[1] > 1
    if one is None or (is_one_hot and y[0].numel() != width):
        return []
    whole = bool((one == one.round()).all()) and bool(one.min() >= 0)
    if width > 1:
        if not whole or one.max() >= width:
            return []
        ends = ("identity", "log_softmax", "softmax")
        # a squared error of one-hot targets may as well be that of several values
        names = ("cross_entropy",) if is_one_hot else LOSSES["multiclass"]
        return [_Twin("multiclass", name, end) for name in names for end in ends]
    found = [_Twin("regression", name, "identity") for name in LOSSES["regression"]]
    if whole and one.max() <= 1:
        links = ("identity", "sigmoid")
        found += [_Twin("binary", name, link) for name in LOSSES["binary"] for link in links]
    return found


def _agrees(value: Callable[[Tensor, Tensor], float], twin: _Twin, out: Tensor, y: Tensor) -> bool:
    """Whether a loss is that of ours, on answers drawn twice at random."""
    rng = torch.Generator().manual_seed(0)
    kind = np.float64 if twin.task == "regression" else np.int64
    index = class_indices(y)
    targets = (y if index is None else index).cpu().double().numpy().astype(kind)
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


def _takes(value: Callable[[Tensor, Tensor], float], out: Tensor, y: Tensor) -> Takes | None:
    """What a loss of classes takes, tried on answers beyond 0 and 1; None of no classes.

    Of logits it falls, or stays 0, the farther they are on the right side. Of probabilities it is
    no number there, or stays as it is. Of labels, as a squared error, it rises.
    """
    right = _right(out, y)
    if right is None:
        return None

    def told(far: float) -> float:
        answers = torch.where(right, 0.5 + far, 0.5 - far)
        return value(answers.reshape(out.shape).to(out.device, out.dtype), y)

    try:
        near, farther, wrong, worse = (told(far) for far in (1.0, 2.0, -1.0, -2.0))
    except Exception:  # such as a loss that takes probabilities only
        return "probabilities"
    if not np.isfinite([near, farther, wrong, worse]).all() or np.isclose(wrong, worse):
        return "probabilities"
    is_least_at_labels = farther > near and set(torch.unique(y).tolist()) != {-1, 1}
    return "labels" if is_least_at_labels else "logits"


def _right(out: Tensor, y: Tensor) -> Tensor | None:
    """Which answers (n, k) should be large, where targets may be classes."""
    width, index = _width(out), class_indices(y)
    if index is None:
        return None
    if width > 1:
        is_index = not y.is_floating_point() and int(index.min()) >= 0 and index.max() < width
        if y[0].numel() not in ((1, width) if is_index else (width,)):
            return None
        return torch.arange(width, device=y.device) == index.long()[:, None]
    is_two = len(torch.unique(index)) == 2
    return index[:, None] == index.max() if is_two else None


def _task(out: Tensor, y: Tensor, takes: Takes | None, end: Link) -> Task:
    """What a loss of somebody's own is most likely about."""
    if takes is None:
        return "regression"
    if _width(out) > 1:
        is_values = y[0].numel() > 1 and takes == "labels" and end != "softmax"
        return "regression" if is_values else "multiclass"
    values = set(torch.unique(y).tolist())
    if values == {0, 1}:
        return "regression" if takes == "labels" and end != "sigmoid" else "binary"
    return "binary" if values == {-1, 1} else "regression"


def _outputs(task: Task, end: Link, takes: Takes | None = None) -> Outputs:
    """How answers are read: as the loss takes them, and where it takes any numbers as they are."""
    if task == "regression":
        return "values"
    is_one = takes == "probabilities" or (takes == "labels" and task == "binary")
    return "probabilities" if is_one or end in ("sigmoid", "softmax") else "logits"


def _name(loss: Any) -> str:
    """What a loss of somebody's own is called."""
    name = getattr(loss, "__name__", type(loss).__name__)
    if name in ("<lambda>", "method", "function", "partial"):
        return "own loss"
    is_ours = any(name in losses for losses in LOSSES.values())
    return f"own {name}" if is_ours else str(name)
