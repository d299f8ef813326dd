"""What a module is worth: its losses on all samples, at what was recorded."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from fitscope.attached.losses import judge_of, unwarned
from fitscope.attached.samples import Samples
from fitscope.attached.stack import end_of, stack_of
from fitscope.attached.watched import Watched
from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.own import evaluating, number_type_of, outputs_of, placed, tensors_of
from fitscope.specs import LOSSES, Task

__all__ = ["Evaluation"]

_PLAIN_ENDS = {  # what a plain stack may do to its logits, so that ours answer as it does
    ("regression", "values"): ("identity",),
    ("binary", "logits"): ("identity",),
    ("binary", "probabilities"): ("sigmoid",),
    ("multiclass", "logits"): ("identity", "log_softmax"),
    ("multiclass", "probabilities"): ("softmax",),
}
_THAWED = (
    "Parts that were frozen, and so not recorded, have changed in the loop: there are no losses "
    "and no answers. Attach again when parts are unfrozen, or without `record`."
)
_BEYOND = (
    "Some answers lie outside of 0 to 1, where the loss wants probabilities; they are cut off "
    "there. Where they are values, set task='regression'."
)
_OTHER = (
    "The loss computes something else after the loop than before it, so it is kept as the loop's "
    "own. Where it depends on more than the model, all losses are by what it is at the end."
)
MOST_LOSSES = 1000
MULTIPLICATIONS = 4e10  # for all losses together, some ten seconds on one core; 20 in any case


class Evaluation:
    """A module, its samples and its loss, tried out before the loop begins.

    Attributes:
        module: the module.
        kept: which of its tensors are recorded.
        judge: the loss, the task, and what the answers are.
        stack: the module as one of our networks; None where it is none, or is recorded in part.
        n_outputs: how many numbers it answers for a sample.
        number_type: the dtype of its parameters.
        is_complete: whether the recorded tensors decide its answers.
        notes: what a person should know.
    """

    def __init__(
        self,
        module: nn.Module,
        kept: Watched,
        train: Samples,
        test: Samples | None,
        *,
        loss: Callable[[Any, Any], Any] | str,
        task: Task | None,
    ) -> None:
        if task is not None and task not in LOSSES:
            hint = near_miss(str(task), LOSSES)
            raise UnknownNameError(f"`task` must be {', '.join(LOSSES)}; got {task!r}.{hint}")
        self.module, self.kept, self._train, self._test = module, kept, train, test
        self.number_type, self.is_complete = number_type_of(module), kept.complete
        self._loss, self._problem, self._loss_modules = loss, "", _modules_of(loss)
        own = {id(p) for part in self._loss_modules for p in part.parameters()}
        is_fixed = own <= {id(p) for p in module.parameters()}
        self._is_measured = not kept.complete or not is_fixed  # at each step, inside the loop
        with self._trying():
            out = self._answers(train)
            self.n_outputs = 1 if out.ndim == 1 else out[0].numel()
            stack = stack_of(module, train.X) if kept.complete and not kept.frozen else None
            self._end = stack.end if stack else end_of(module, train.X, out)
            asked: dict[str, Any] = {"task": task, "end": self._end, "is_fixed": is_fixed}
            self.judge = judge_of(loss, out, train, **asked)
            self._check_width()
            self._check_loss(train, out, "X and y")
            if test is not None:
                self._check_test(test)
        wide = self.judge.task == "regression" and self.n_outputs > 1
        ends = _PLAIN_ENDS[self.judge.task, self.judge.outputs]
        self.stack = stack if stack and stack.end in ends and not wide else None
        self.notes = _notes(self._end, self.judge.outputs, self.judge.note)

    @contextlib.contextmanager
    def _trying(self) -> Iterator[None]:
        """In evaluation mode, and all as it was afterwards, also in a loss that is a module."""
        with evaluating(self.module, *self._loss_modules), unwarned():
            yield

    def _answers(self, data: Samples) -> torch.Tensor:
        """The module's answers to a part, as it is now."""
        try:
            out = outputs_of(self.module, data.X)
        except DataError:
            raise
        except Exception as error:  # whatever a module of somebody's own raises
            raise DataError(f"The model cannot be called with X: {_said(error)}.") from error
        if out.ndim < 1 or len(out) != len(data):
            raise DataError(
                f"The model must answer every sample; {len(data):,} samples gave answers of "
                f"shape {tuple(out.shape)}."
            )
        return out

    def _check_width(self) -> None:
        """One answer a sample for two classes, several for several."""
        task, n = self.judge.task, self.n_outputs
        if (task == "binary" and n > 1) or (task == "multiclass" and n == 1):
            wanted, other = ("one", "multiclass") if task == "binary" else ("several", "binary")
            raise DataError(
                f"The task {task} needs a model with {wanted} answer{'s' * (wanted != 'one')} for "
                f"each sample; this one has {n}. Set task={other!r}, or leave it out."
            )

    def _check_test(self, test: Samples) -> None:
        shapes = [(part.X.shape[1:], part.y.shape[1:]) for part in (self._train, test)]
        if shapes[0] != shapes[1]:
            raise DataError(
                "`test` must have the shapes of X and y but for their length; got "
                f"{tuple(test.X.shape)} and {tuple(test.y.shape)}."
            )
        self._check_loss(test, self._answers(test), "`test`")

    def _check_loss(self, data: Samples, out: torch.Tensor, what: str) -> None:
        try:
            self.judge.value(out, data.y)
        except Exception as error:  # whatever a loss of somebody's own raises
            raise DataError(f"`loss` cannot be computed on {what}: {_said(error)}.") from error

    def row(self) -> np.ndarray:
        """What is recorded of a step: parameters and buffers; the losses first, if needed then.

        Where the recorded tensors do not decide the loss, nothing later can compute it.
        """
        found = self.kept.row()
        if not self._is_measured:
            return found
        with self._trying():
            return np.concatenate([np.array(self._losses({}), np.float32), found])

    def split(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows as losses (t, parts), parameters (t, p) and buffers (t, q)."""
        n_losses = len(self._parts) if self._is_measured else 0
        n = n_losses + self.kept.n_parameters
        losses, parameters, buffers = np.split(rows, [n_losses, n], axis=1)
        return losses, parameters, buffers

    def losses(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Which rows were judged, the losses on the parts at each (m, parts), and notes.

        They are NaN where they cannot be computed, and a note says why.
        """
        taken, _, _ = self.split(rows)
        numbers = rows.shape[1] * sum(len(part) for part in self._parts)
        most = int(np.clip(MULTIPLICATIONS / max(1, numbers), 20, MOST_LOSSES))
        at = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(int))
        with self.kept.as_attached(), self._trying():
            self.is_complete = self.kept.complete and self.kept.is_frozen
            if self._is_measured:
                at, found = np.arange(len(rows)), taken
            elif self.is_complete:
                found = np.array([self._losses_at(row) for row in rows[at]], dtype=np.float32)
            else:
                found = np.full((len(at), len(self._parts)), np.nan, np.float32)
                self._problem = _THAWED
            notes = self._review()
        return at, found, (self._problem, *notes) if self._problem else notes

    def _losses_at(self, row: np.ndarray) -> list[float]:
        """The losses at a row of parameters and buffers."""
        if not np.isfinite(row[: self.kept.n_parameters]).all():  # buffers may be, such as masks
            return [np.nan] * len(self._parts)
        names = (*self.kept.parameters, *self.kept.buffers)
        return self._losses(tensors_of(self.module, names, row))

    def _review(self) -> tuple[str, ...]:
        """Notes after the loop. A loss that turns out to be none of ours is its own from then."""
        notes = []
        with contextlib.suppress(Exception):  # then the losses, or the views of answers, tell
            out = self._answers(self._train)
            if not torch.isfinite(out).all():
                return ()
            if self.judge.outputs == "probabilities" and ((out < 0) | (out > 1)).any():
                notes.append(_BEYOND)
            if not self.judge.own and not isinstance(self._loss, str):
                asked: dict[str, Any] = {"task": self.judge.task, "end": self._end}
                again = judge_of(self._loss, out, self._train, **asked)
                if again.own:
                    self.judge = self.judge._replace(name=again.name, own=True)
                    notes.append(_OTHER)
        return tuple(notes)

    @property
    def inputs(self) -> torch.Tensor:
        """The inputs of the training part."""
        return self._train.X

    @property
    def _parts(self) -> list[Samples]:
        return [self._train] if self._test is None else [self._train, self._test]

    def _losses(self, tensors: dict[str, torch.Tensor]) -> list[float]:
        """The loss on each part; NaN where the answers are no numbers, which a loss may refuse."""
        found = []
        try:
            with placed(self.module, tensors):
                for part in self._parts:
                    out = outputs_of(self.module, part.X)
                    finite = bool(torch.isfinite(out).all())
                    found.append(self.judge.value(out, part.y) if finite else np.nan)
        except Exception as error:  # it is not worth the recording
            self._problem = f"Losses could not be computed: {_said(error)}."
            return [np.nan] * len(self._parts)
        return found

    @property
    def kept_in_words(self) -> str:
        """What a recorded step holds."""
        n, q = self.kept.n_parameters, sum(1 for _ in self.kept.buffers)
        if not self.kept.parameters:
            return "the losses"
        return f"{n:,} parameters" + (f" and {q} buffer{'s' * (q != 1)}" if q else "")

    @property
    def replay_in_words(self) -> str:
        """What can be done with the run."""
        name = type(self.module).__name__
        if self.stack:
            widths = self.stack.spec.hidden
            sizes = "-".join(map(str, [self._train.X[0].numel(), *widths, self.n_outputs]))
            return f"{name} is a plain {sizes} stack, so every view applies."
        if not self.is_complete:
            return "Losses are measured at each; views of answers do not apply."
        return (
            f"{name} is no plain stack, so it answers itself, and fs.load(path, module=...) gives "
            "a saved run its answers."
        )


def _notes(end: str, outputs: str, note: str) -> tuple[str, ...]:
    if end == "sigmoid" and outputs == "logits":
        return (
            "The module ends in a sigmoid and its loss applies another one; use nn.BCELoss, or "
            "leave the module's out.",
        )
    return (note,) if note else ()


def _modules_of(loss: Any) -> list[nn.Module]:
    """The module that a loss is, or that it is a method of."""
    return [one for one in (loss, getattr(loss, "__self__", None)) if isinstance(one, nn.Module)]


def _said(error: Exception) -> str:
    """What a function of somebody's own raised, in one line."""
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
