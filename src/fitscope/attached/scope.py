"""attach: hooks on an optimizer's steps, and a Run when the loop has ended."""

import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from fitscope.attached.evaluation import Evaluation
from fitscope.attached.result import Facts, run_of
from fitscope.attached.samples import dataset_of, samples_of
from fitscope.attached.setup import checked_module, checked_optimizer, checked_text, checked_whole
from fitscope.attached.watched import watched
from fitscope.errors import DataError
from fitscope.outcomes import Outcome
from fitscope.records import Label, Run
from fitscope.specs import Task
from fitscope.train.recorder import Recorder, max_rows

__all__ = ["Scope", "attach"]

_LOG = logging.getLogger("fitscope")
CUT = (
    "A part of the model was replaced, added or taken away in the loop, so the recording ends at "
    "step {}. Attach again to record what comes after it."
)
FEW_ROWS = 100  # a recording of fewer steps is told beforehand


def attach(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    X: Any,
    y: Any,
    *,
    loss: Callable[[Any, Any], Any] | str,
    test: tuple[Any, Any] | None = None,
    task: Task | None = None,
    feature_names: Sequence[str] | None = None,
    classes: Sequence[Label] | None = None,
    every: int = 1,
    record: Sequence[str] | Literal["losses"] | None = None,
    keep_bytes: int = 64_000_000,
    title: str = "",
) -> "Scope":
    """Records a PyTorch training loop of your own as a Run.

    The loop stays as it is. A recorded step is one `optimizer.step()`. The losses on all of
    `X, y` are computed when the block has ended, from the recorded parameters and in evaluation
    mode, at up to 1000 of the recorded steps.

    A plain stack of linear layers with one activation replays like any run. Any other module
    answers itself: `scope.run` holds it, and a saved run takes it by `fs.load(path, module=...)`.

    Args:
        model: the module, on any device, compiled or not.
        optimizer: the one whose steps are recorded.
        X: inputs as the model sees them; nothing is scaled.
        y: targets (n,) or (n, 1), class indices, or one-hot rows.
        loss: what the loop minimises, as `loss(model(X), y)`, or a name of fitscope's. Which it
            is of those that fitscope knows is found by trying; any other is kept as its own.
        test: `(X, y)` of a test part.
        task: binary, multiclass or regression; default: read off loss, answers and targets.
        feature_names: of the inputs; default: x1, x2, ..., or the columns of a data frame.
        classes: labels of the classes, in the order of their indices.
        every: record every so many steps.
        record: names of submodules, to record the parameters of these alone, or "losses".
        keep_bytes: budget of the recorded parameters; a run that outgrows it keeps every 2nd,
            4th, ... of its steps.
        title: of the run; default: the name of the model's class.

    Returns:
        A context manager; `scope.plan` says what will be kept, and after the block `scope.run` is
        the Run, also where an exception ended it.

    Raises:
        DataError: model, optimizer, data, loss and options do not fit together; the text says how.
        UnknownNameError: there is no such loss or task.

    Example:
        >>> model = nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> X = torch.linspace(-1, 1, 20)[:, None]
        >>> with attach(model, optimizer, X, 3 * X, loss=nn.MSELoss()) as scope:
        ...     for _ in range(100):
        ...         optimizer.zero_grad()
        ...         nn.functional.mse_loss(model(X), 3 * X).backward()
        ...         optimizer.step()
        >>> scope.run.params.shape, scope.run.loss
        ((101, 2), 'mse')
    """
    module = checked_module(model)
    checked_optimizer(optimizer, module)
    checked_whole("every", every, least=1)
    checked_whole("keep_bytes", keep_bytes, least=0)
    checked_text("title", title)
    kept = watched(module, record, keep_bytes=keep_bytes)
    names = feature_names if feature_names is not None else _columns(X)
    train = samples_of(module, X, y)
    held_out = None if test is None else samples_of(module, *_pair(test), what="test ")
    evaluation = Evaluation(module, kept, train, held_out, loss=loss, task=task)
    data = dataset_of(
        train,
        held_out,
        task=evaluation.judge.task,
        n_outputs=evaluation.n_outputs,
        feature_names=names,
        classes=classes,
        notes=evaluation.notes,
    )
    facts = Facts.of(title or type(module).__name__, data, optimizer, evaluation)
    return Scope(facts, every=every, keep_bytes=keep_bytes)


def _columns(X: Any) -> list[str] | None:
    """The columns of a data frame."""
    found = [str(name) for name in getattr(X, "columns", ())]
    return found or None


def _pair(test: Any) -> tuple[Any, Any]:
    if not isinstance(test, tuple | list) or len(test) != 2:
        raise DataError(f"`test` must be (X, y); got {type(test).__name__}.")
    return test[0], test[1]


class Scope:
    """A training that is being recorded: a context manager around the loop.

    Attributes:
        plan: what will be kept, in a sentence; there before the loop begins.
    """

    def __init__(self, facts: Facts, *, every: int, keep_bytes: int) -> None:
        self._facts, self._every, self._keep_bytes = facts, every, keep_bytes
        self._recorder: Recorder | None = None  # there while steps are recorded
        self._last = (0, np.zeros(0, np.float32))  # the step of the last row that was kept, and it
        self._is_cut = False
        self._was_opened = False
        self._hook: Any = None
        self._run: Run | None = None
        row_bytes = facts.evaluation.row().nbytes
        n_rows = max_rows(row_bytes, keep_bytes) + 1
        self.plan = _plan(facts, row_bytes, n_rows, every, keep_bytes)
        if n_rows < FEW_ROWS:
            _LOG.warning("%s", self.plan)

    @property
    def run(self) -> Run:
        """The recording; it is there when the block has ended.

        Raises:
            DataError: the block has not ended.
        """
        if self._run is None:
            raise DataError("`scope.run` is there when the block of fs.attach has ended.")
        return self._run

    @property
    def is_open(self) -> bool:
        """Whether steps are being recorded."""
        return self._recorder is not None

    def open(self) -> "Scope":
        """Begins to record; what `with` does.

        Raises:
            DataError: it was opened before.
        """
        if self._was_opened:
            raise DataError("This scope has recorded a loop; call fs.attach again for another.")
        self._was_opened = True
        self._last = (0, self._facts.evaluation.row())
        self._recorder = Recorder(self._last[1], keep_bytes=self._keep_bytes, every=self._every)
        self._hook = self._facts.optimizer.register_step_post_hook(self._on_step)
        return self

    def close(self, *, interrupted: bool = False) -> None:
        """Ends the recording and makes the run; what the end of `with` does."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        self._hook.remove()
        if not recorder.n_steps and not self._is_cut:
            _LOG.warning("fs.attach saw no step of this optimizer; the run holds the start alone.")
        evaluation = self._facts.evaluation
        notes: tuple[str, ...] = ()
        outcome = Outcome.INTERRUPTED if interrupted else Outcome.FINISHED
        if self._is_cut or not evaluation.kept.is_whole:
            recorder.n_steps, end = self._last
            outcome, notes = Outcome.INTERRUPTED, (CUT.format(recorder.n_steps),)
        else:
            end = evaluation.row()
        self._run = run_of(self._facts, recorder.trajectory(end, outcome), notes)
        for note in self._run.dataset.notes[len(self._facts.data.notes) :]:
            _LOG.warning("%s", note)

    def __enter__(self) -> "Scope":
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close(interrupted=kind is not None)
        except Exception as problem:
            if error is None:
                raise
            error.add_note(f"fs.attach could not make a run of what was recorded: {problem}")

    def __repr__(self) -> str:
        return f"<Scope: {self.plan}>"

    def _on_step(self, _optimizer: Any, _args: Any, _kwargs: Any) -> None:
        if self._recorder is None or self._is_cut:
            return
        self._is_cut = not self._facts.evaluation.kept.is_whole
        if not self._is_cut:
            self._recorder.step(self._row)

    def _row(self) -> np.ndarray:
        n_steps = self._recorder.n_steps if self._recorder else 0
        self._last = (n_steps, self._facts.evaluation.row())
        return self._last[1]


def _plan(facts: Facts, row_bytes: int, n_rows: int, every: int, keep_bytes: int) -> str:
    """What will be kept, and what can be done with it."""
    evaluation = facts.evaluation
    what = evaluation.kept_in_words
    when = "every step" if every == 1 else f"one step in {every}"
    return (
        f"Records {what} after {when}, {row_bytes:,} bytes each: {n_rows:,} steps fit into "
        f"{keep_bytes:,} bytes, and of more it keeps every 2nd, 4th, ... "
        f"{evaluation.replay_in_words}"
    )
