"""scikit-learn's callbacks (1.9 and later), told how a training goes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fitscope.outcomes import Outcome
from fitscope.records import Run
from fitscope.train.plan import Plan

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupport:  # type: ignore[no-redef]
        """Nothing: this scikit-learn has no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """The method as it is."""
        return method


__all__ = ["CallbackSupport", "Told", "with_callbacks"]


class Told:
    """Tells callbacks of a training: a task for each block of updates, some fifty a second.

    Each hears of an estimator that answers as if training had ended there.

    Args:
        estimator: the one in training.
        planned: what it trains.
        given: inputs, targets and weights, as they were given.
    """

    def __init__(self, estimator: Any, planned: Plan, given: tuple[Any, ...]) -> None:
        self.estimator, self.planned = estimator, planned
        X, y, sample_weight = given
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        self._facts = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._context = estimator._init_callback_context(max_subtasks=None)
        self._context.call_on_fit_task_begin(**self._facts)

    def block(self, n_done: int, params: Callable[[], np.ndarray]) -> bool:
        """A block of updates was made; whether a callback wants the end."""
        task = self._context.subcontext(task_name="updates")
        task.call_on_fit_task_begin(**self._facts)
        state = lambda: self._fitted(self._run_at(n_done, params()))  # noqa: E731 asked for lazily
        return bool(task.call_on_fit_task_end(**self._facts, reconstruction_attributes=state))

    def end(self, run: Run) -> None:
        """The training has ended."""
        self._context.call_on_fit_task_end(
            **self._facts, reconstruction_attributes=lambda: self._fitted(run)
        )

    def _fitted(self, run: Run) -> dict[str, Any]:
        """The attributes of an estimator that answers with the end of a run."""
        return {"run_": run, "best_step_": int(run.steps[-1])}

    def _run_at(self, n_done: int, params: np.ndarray) -> Run:
        """A recording of one moment."""
        nothing = np.empty(0, np.float32)
        return Run(
            params=params[None],
            steps=np.array([n_done], np.int32),
            batch_loss=nothing,
            train_loss=nothing,
            test_loss=nothing,
            outcome=Outcome.INTERRUPTED,
            train_s=0.0,
            experiment=self.planned.experiment,
            dataset=self.planned.dataset,
            metrics={},
            engine=self.planned.engine,
            device=self.planned.device,
            versions={},
        )
