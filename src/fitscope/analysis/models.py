"""Models that are compared: judged alike, and many at a time."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int64

from fitscope.evaluation import mean_loss, mean_losses
from fitscope.network import decided, forward, in_data_units, layers
from fitscope.records import Dataset, Run

__all__ = ["Compared", "Model", "judged", "losses_at", "model_of", "reference_model", "spread"]

_CHUNK = 2**20  # numbers in the answers of all layers that are held at once: 8 MB
_REFERENCE = "scikit-learn, C = 1"


@dataclass(frozen=True, eq=False)
class Compared:
    """One model with two classes, judged.

    Attributes:
        name: what it is called.
        coefficients: weights and, last, the offset of its logit, for inputs in the data's units;
            None with hidden units.
        accuracy: on the judged part.
        log_loss: on the judged part (nats per sample).
        part: "training" or "test".
    """

    name: str
    coefficients: Float64[np.ndarray, " p"] | None
    accuracy: float
    log_loss: float
    part: str


class Model(NamedTuple):
    """A model that answers: a run's end, or scikit-learn's."""

    name: str
    params: Float[np.ndarray, " p"]
    sizes: list[int]
    activation: str

    def logits(self, X: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n 1"]:
        """Its answers to scaled inputs."""
        return forward(self.params, X, sizes=self.sizes, activation=self.activation)


def model_of(run: Run, name: str) -> Model:
    """A run at its end."""
    return Model(name, run.params[-1], run.layer_sizes, run.experiment.network.activation)


def reference_model(d: Dataset) -> Model:
    """scikit-learn's `LogisticRegression()`, fitted to the training part of two classes.

    Its penalty stands as it is (L2, C = 1); `max_iter` alone is raised from 100 to 5000, so that
    inputs that are not scaled reach the optimum as well.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(max_iter=5000).fit(d.X.astype(np.float64), d.y)
    params = np.append(fitted.coef_[0], fitted.intercept_[0])
    return Model(_REFERENCE, params, [d.d, 1], "identity")


def losses_at(
    run: Run, params: Float[np.ndarray, "m p"], losses: Sequence[str]
) -> Float64[np.ndarray, "s m"]:
    """The losses on the training part of many models, a few at a time to bound the memory."""
    d, sizes = run.dataset, run.layer_sizes
    activation = run.experiment.network.activation
    n = max(1, _CHUNK // (len(d.X) * sum(sizes[1:])))
    parts = []
    for at in range(0, len(params), n):
        logits = forward(params[at : at + n], d.X, sizes=sizes, activation=activation)
        parts.append(
            [mean_losses(name, d.task, logits, d.y, d.weights_by_part[0]) for name in losses]
        )
    return np.concatenate(parts, axis=1)


def spread(n: int, most: int) -> Int64[np.ndarray, " m"]:
    """At most so many of n places, evenly spread, the first and the last among them."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)


@np.errstate(all="ignore")  # the parameters of a diverged run may be inf
def judged(model: Model, d: Dataset) -> Compared:
    """How a model of two classes does on the judged part."""
    part, X, y = d.judged_part()
    logits, coefficients = model.logits(X), None
    if len(model.sizes) == 2:
        W, b = in_data_units(layers(np.asarray(model.params, dtype=np.float64), model.sizes)[0], d)
        coefficients = np.append(W[0], b)
    right = float(np.mean(decided(logits) == y))
    loss = mean_loss("cross_entropy", "binary", logits, y)
    return Compared(model.name, coefficients, right, loss, part)
