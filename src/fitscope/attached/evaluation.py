"""What a module is worth: its losses on all samples, at what was recorded."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from fitscope.attached.losses import judge_of
from fitscope.attached.samples import Samples
from fitscope.attached.stack import ends_in, stack_of
from fitscope.attached.watched import Watched
from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.own import evaluating, outputs_of, tensors_of
from fitscope.specs import LOSSES, Task

__all__ = ["Evaluation"]

_PLAIN_ENDS = {  # what a plain stack may do to its logits, so that ours answer as it does
    ("regression", "values"): ("identity",),
    ("binary", "logits"): ("identity",),
    ("binary", "probabilities"): ("sigmoid",),
    ("multiclass", "logits"): ("identity", "log_softmax"),
    ("multiclass", "probabilities"): ("softmax",),
}
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
        out = self._answers(train)
        self.n_outputs = 1 if out.ndim == 1 else out[0].numel()
        stack = stack_of(module, train.X) if kept.complete and not kept.frozen else None
        end = stack.end if stack else ends_in(module)
        self.judge = judge_of(loss, out, train, task=task, end=end)
        self._check_width()
        if test is not None:
            self._check_test(test)
        wide = self.judge.task == "regression" and self.n_outputs > 1
        plain = (
            stack is not None
            and end in _PLAIN_ENDS[self.judge.task, self.judge.outputs]
            and not wide
        )
        self.stack = stack if plain else None
        self.notes = _notes(end, self.judge.outputs)

    def _answers(self, data: Samples) -> torch.Tensor:
        """The module's answers to a part, as it is now."""
        try:
            with evaluating(self.module):
                out = outputs_of(self.module, {}, data.X)
        except DataError:
            raise
        except Exception as error:  # whatever a module of somebody's own raises
            said = " ".join(str(error).split())[:200].rstrip(".")
            raise DataError(f"The model cannot be called with X: {said}.") from error
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
        self._answers(test)

    def row(self) -> np.ndarray:
        """What is recorded of a step: parameters and buffers; the losses first, if needed then.

        Where the recorded tensors do not decide the answers, nothing later can compute them.
        """
        found = self.kept.row()
        if self.kept.complete:
            return found
        with evaluating(self.module):
            return np.concatenate([np.array(self._losses({}), np.float32), found])

    def split(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows as losses (t, parts), parameters (t, p) and buffers (t, q)."""
        n_losses = 0 if self.kept.complete else 1 + (self._test is not None)
        n = n_losses + self.kept.n_parameters
        losses, parameters, buffers = np.split(rows, [n_losses, n], axis=1)
        return losses, parameters, buffers

    def losses(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which rows were judged, and the losses on the parts at each (m, parts), float32."""
        taken, _, _ = self.split(rows)
        if taken.shape[1]:
            return np.arange(len(rows)), taken
        numbers = rows.shape[1] * sum(len(part) for part in self._parts)
        most = int(np.clip(MULTIPLICATIONS / max(1, numbers), 20, MOST_LOSSES))
        at = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(int))
        names = (*self.kept.parameters, *self.kept.buffers)
        with evaluating(self.module):
            found = [
                self._losses(tensors_of(self.module, names, rows[i]))
                if np.isfinite(rows[i]).all()
                else [np.nan] * len(self._parts)
                for i in at
            ]
        return at, np.array(found, dtype=np.float32)

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
        for part in self._parts:
            out = outputs_of(self.module, tensors, part.X)
            finite = bool(torch.isfinite(out).all())
            found.append(self.judge.value(out, part.y) if finite else np.nan)
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
        if not self.kept.complete:
            return "Losses are measured at each; views of answers do not apply."
        return (
            f"{name} is no plain stack, so it answers itself, and fs.load(path, module=...) gives "
            "a saved run its answers."
        )


def _notes(end: str, outputs: str) -> tuple[str, ...]:
    if end == "sigmoid" and outputs == "logits":
        return (
            "The module ends in a sigmoid and its loss applies another one; use nn.BCELoss, or "
            "leave the module's out.",
        )
    return ()
