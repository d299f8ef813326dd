"""How good are answers: the losses in numpy, and the scores."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64

from fitscope.network import answers, decided, probabilities
from fitscope.records import Dataset, Run

__all__ = ["RELATIVE_FLOOR", "evaluate", "mean_loss", "mean_losses", "scored", "scores"]

_PIECE = 16384  # samples; all of a large table in float64 would cost new memory for the pages
RELATIVE_FLOOR = 0.01  # the loss `relative` divides by |y|, but never by less than this


def mean_loss(
    name: str,
    task: str,
    logits: Float64[np.ndarray, "n k"],
    y: np.ndarray,
    weights: np.ndarray | None = None,
) -> float:
    """The mean loss over samples, as `train.torch_loop.loss_function` defines it, in float64.

    Args:
        name: cross_entropy (nats per sample), mse, smooth_l1 or relative.
        task: binary, multiclass or regression.
        logits: the network's answers (n, k).
        y: the targets as the network sees them, (n,) or (n, t).
        weights: of the samples (n,), as `Dataset.weights`; None weighs all alike.
    """
    return float(mean_losses(name, task, logits, y, weights))


@np.errstate(all="ignore")  # the answers of a diverged run may be inf
def mean_losses(
    name: str,
    task: str,
    logits: Float64[np.ndarray, "*m n k"],
    y: np.ndarray,
    weights: np.ndarray | None = None,
) -> Float64[np.ndarray, "*m"]:
    """The mean loss of each of many networks (m,), from all their answers to the same samples."""
    from scipy.special import logsumexp

    if name == "cross_entropy" and task == "binary":
        z = logits[..., 0]
        each = np.logaddexp(0.0, z) - z * y
    elif name == "cross_entropy":
        each = logsumexp(logits, axis=-1) - logits[..., np.arange(len(y)), y]
    elif task == "regression":
        error = np.abs((logits if y.ndim == 2 else logits[..., 0]) - y)
        size = np.abs(y)
        each = {
            "mse": lambda: error**2,
            "smooth_l1": lambda: np.where(error < 1, error**2 / 2, error - 0.5),
            "relative": lambda: error / np.maximum(size, RELATIVE_FLOOR),
        }[name]()
        each = each.mean(-1) if y.ndim == 2 else each
    elif task == "binary":
        each = (probabilities(logits)[..., 1] - y) ** 2
    else:
        each = np.mean((probabilities(logits) - np.eye(logits.shape[-1])[y]) ** 2, axis=-1)
    return np.asarray(np.mean(each if weights is None else weights * each, axis=-1))


def scores(dataset: Dataset, logits: Float64[np.ndarray, "n k"], y: np.ndarray) -> dict[str, float]:
    """`accuracy` for classes; `rmse` (the target's units) and `r2` for regression.

    Those of several targets are means over them: of the squared errors, and of the R2.

    Args:
        dataset: says what task it is, and how the target was scaled.
        logits: the network's answers (n, k).
        y: the targets as the network sees them (n,).
    """
    if dataset.task != "regression":
        return {"accuracy": float(np.mean(decided(logits) == y))}
    y = y.reshape(len(y), -1).T  # (t, n)
    errors = np.mean((logits.T - y) ** 2, axis=1)
    spread = np.var(y, axis=1, dtype=np.float64)
    with np.errstate(all="ignore"):
        r2 = float(np.mean(np.where(spread > 0, 1 - errors / spread, np.nan)))
    return {"rmse": float(np.mean(errors * np.square(dataset.y_scale))) ** 0.5, "r2": r2}


def evaluate(run: Run, *, step: int = -1) -> tuple[dict[str, float], dict[str, float]]:
    """Losses by part (`train`, `test`), and scores by part and name (`test_accuracy`).

    A part without samples is left out, and so is a loss of the loop's own.
    """
    losses: dict[str, float] = {}
    found: dict[str, float] = {}
    own_loss = run.attached is not None and run.attached.own_loss
    weights = dict(zip(("train", "test"), run.dataset.weights_by_part, strict=True))
    for part, logits, y in _answered(run, step):
        if not own_loss:
            losses[part] = mean_loss(run.loss, run.dataset.task, logits, y, weights[part])
        found |= {f"{part}_{k}": v for k, v in scores(run.dataset, logits, y).items()}
    return losses, found


def scored(run: Run) -> dict[str, float]:
    """The scores alone, at the end: of a million samples, the loss would take as long again."""
    return {
        f"{part}_{name}": value
        for part, logits, y in _answered(run, -1)
        for name, value in scores(run.dataset, logits, y).items()
    }


def _answered(run: Run, step: int) -> Iterator[tuple[str, Float64[np.ndarray, "n k"], np.ndarray]]:
    """Each part that has samples: its name, the answers to it, piece by piece, and its targets."""
    d = run.dataset
    for part, X, y in (("train", d.X, d.y), ("test", d.X_test, d.y_test)):
        if len(X):
            pieces = [
                answers(run, X[at : at + _PIECE], step=step) for at in range(0, len(X), _PIECE)
            ]
            yield part, pieces[0] if len(pieces) == 1 else np.concatenate(pieces), y
