"""Which inputs matter?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import needs_data
from fitscope.evaluation import scores
from fitscope.network import answers, layers
from fitscope.records import Run

__all__ = ["Importance", "importance"]


@dataclass(frozen=True, eq=False)
class Importance:
    """How much each input matters, the largest first; `what` says in which sense."""

    names: tuple[str, ...]
    values: Float64[np.ndarray, " d"]
    what: str


def importance(run: Run, *, step: int = -1, seed: int = 0) -> Importance:
    """Coefficients of a linear model, or permutation importances of a network.

    A coefficient is the change of the logit, or of the target in its own units, for one standard
    deviation of the input. A permutation importance is the mean drop of
    the accuracy (or R2) when that input's column is shuffled, 10 times (Breiman 2001,
    scikit-learn's `permutation_importance`), on the test part where there is one.

    Args:
        run: a run with its data.
        step: which moment; -1 is the end.
        seed: of the shuffles.

    Raises:
        DataError: the run was saved without its data.
    """
    d = run.dataset
    needs_data(d, "importance")
    if run.is_linear and d.k == 1:
        W, _ = layers(run.params[run.row(step)], run.layer_sizes)[0]
        values = W[0].astype(np.float64) * d.X.std(axis=0, dtype=np.float64)
        if d.task == "regression":
            what = f"change of {d.target_name} per standard deviation of the input"
            return _ordered(d.feature_names, values * d.y_scale, what)
        what = f"change of the logit of {d.classes[1]} per standard deviation"
        return _ordered(d.feature_names, values, what)
    from sklearn.inspection import permutation_importance

    def score(_model: Any, X: np.ndarray, y: np.ndarray) -> float:
        found = scores(d, answers(run, X, step=step), y)
        return found["r2" if d.task == "regression" else "accuracy"]

    part, X, y = d.judged_part()
    found = permutation_importance(_Fitted(), X, y, scoring=score, n_repeats=10, random_state=seed)
    name = "R2" if d.task == "regression" else "accuracy"
    what = f"drop of the {part} {name} when the input is shuffled"
    return _ordered(d.feature_names, found.importances_mean, what)


class _Fitted:
    """The model that scikit-learn asks for; the scorer holds the real one."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "_Fitted":
        return self


def _ordered(names: tuple[str, ...], values: np.ndarray, what: str) -> Importance:
    order = np.argsort(-np.abs(values), kind="stable")
    return Importance(tuple(names[i] for i in order), np.asarray(values, np.float64)[order], what)
