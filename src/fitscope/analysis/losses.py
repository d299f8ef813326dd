"""How did the loss fall?"""

import numpy as np

from fitscope.records import LossCurves, Run

__all__ = ["loss_curves", "loss_label"]

_UNITS = {"cross_entropy": "cross-entropy (nats per sample)", "relative": "relative error"}


def loss_curves(run: Run) -> LossCurves:
    """The losses on the whole training and test part, epoch by epoch.

    A log scale helps where the training loss varies more than tenfold. Batch losses are left
    out: each is measured on other samples than the next.
    """
    positive = run.train_loss[np.isfinite(run.train_loss) & (run.train_loss > 0)]
    wide = len(positive) == len(run.train_loss) and positive.max() > 10 * positive.min()
    epochs = np.arange(len(run.train_loss), dtype=np.int32)
    return LossCurves(epochs, run.train_loss, run.test_loss, loss_label(run), bool(wide))


def loss_label(run: Run) -> str:
    """The loss by name and unit, as it stands on an axis."""
    name, d = str(run.experiment.training.loss), run.dataset
    if d.task == "regression" and name == "smooth_l1":
        return "smooth L1 loss"
    if d.task == "regression" and name == "mse":
        unit = "standardised" if d.spec.standardize else "in its units squared"
        return f"mean squared error ({d.target_name} {unit})"
    return _UNITS.get(name, "mean squared error of the probability")
