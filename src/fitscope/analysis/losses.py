"""How did the loss fall?"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64, Int32

from fitscope.analysis.needs import loss_label
from fitscope.errors import DataError
from fitscope.records import Run

__all__ = ["LossCurves", "loss_curves"]

_MAX_BATCHES = 5000


@dataclass(frozen=True, eq=False)
class LossCurves:
    """The loss on the whole training and test part after each epoch; entry 0 is the start.

    Attributes:
        epochs: 0, 1, 2, ...; of a loop of somebody's own, the updates after which it was taken.
        train: the loss on the training part.
        test: the loss on the test part; empty where there is none.
        label: the loss by name and unit.
        log_scale: whether the axis is logarithmic.
        batch_epochs: where the batch losses lie: update j of u an epoch at j / u.
        batch: the loss of each update's batch before that update; empty where not asked for.
        cursor: the moment that is marked, in epochs; None at the end.
        title: the marked moment in words; "" at the end.
        axis: what `epochs` counts.
    """

    epochs: Int32[np.ndarray, " e"]
    train: Float32[np.ndarray, " e"]
    test: Float32[np.ndarray, " e2"]
    label: str
    log_scale: bool
    batch_epochs: Float64[np.ndarray, " u"] = field(default_factory=lambda: np.zeros(0))
    batch: Float32[np.ndarray, " u"] = field(default_factory=lambda: np.zeros(0, np.float32))
    cursor: float | None = None
    title: str = ""
    axis: str = "epochs (passes over the training data)"


def loss_curves(
    run: Run,
    *,
    step: int = -1,
    batches: bool = False,
    scale: Literal["auto", "linear", "log"] = "auto",
) -> LossCurves:
    """The losses on the whole training and test part, epoch by epoch.

    Batch losses are left out unless asked for: each is measured on other samples than the next,
    and before its update. Of more than 5000 every 2nd, 3rd, ... is shown.

    Args:
        run: any run.
        step: the moment that is marked; -1 is the end, which needs no mark.
        batches: whether to show the batch losses too.
        scale: "auto" is logarithmic where the training loss varies more than tenfold.

    Raises:
        DataError: a log scale is asked for and no training loss is above 0.

    Example:
        >>> import fitscope as fs
        >>> curves = loss_curves(fs.fit("threshold-sgd", epochs=2), batches=True)
        >>> curves.epochs.tolist(), curves.batch_epochs[:3].tolist()  # 80 updates an epoch
        ([0, 1, 2], [0.0, 0.0125, 0.025])
    """
    positive = run.train_loss[np.isfinite(run.train_loss) & (run.train_loss > 0)]
    if scale == "log" and not len(positive):
        raise DataError("A log scale needs a loss above 0; this run has none. Use linear or auto.")
    wide = 0 < len(positive) == len(run.train_loss) and positive.max() > 10 * positive.min()
    kept = slice(0, None if batches else 0, max(1, -(-len(run.batch_loss) // _MAX_BATCHES)))
    at = int(run.steps[run.row(step)])
    is_end = at == run.steps[-1]
    return LossCurves(
        run.loss_steps // np.int32(run.updates_per_epoch),
        run.train_loss,
        run.test_loss,
        loss_label(run),
        bool(wide) if scale == "auto" else scale == "log",
        (np.arange(len(run.batch_loss)) / run.updates_per_epoch)[kept],
        run.batch_loss[kept],
        None if is_end else at / run.updates_per_epoch,
        "" if is_end else run.moment(at),
        "updates" if run.attached else LossCurves.axis,
    )
