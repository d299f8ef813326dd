"""A run's recorded steps as a table: the parameters, and the losses where there are any."""

from typing import TYPE_CHECKING

import numpy as np

from fitscope.network import names_of_parameters
from fitscope.records import Run

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["trajectory_table"]


def trajectory_table(run: Run) -> "pa.Table":
    """A row for every recorded step: `step`, the parameters by their names, and the losses.

    `batch_loss` is the loss of the next update's batch at these parameters; after the last update
    there is none, and of a loop of somebody's own the column is not there. `train_loss` and, where
    there is a test part, `test_loss` stand at the ends of epochs, and are missing between them.

    Example:
        >>> from fitscope.train import fit
        >>> trajectory_table(fit("bad-start")).column_names
        ['step', 'w1[1,1]', 'b1[1]', 'batch_loss', 'train_loss']
    """
    import pyarrow as pa

    steps = run.steps
    columns = {"step": pa.array(steps)}
    for name, values in zip(names_of_parameters(run), run.params.T, strict=True):
        columns[name] = pa.array(values)
    if not run.attached:
        columns["batch_loss"] = _looked_up(run.batch_loss, steps, steps < len(run.batch_loss))
    places = np.searchsorted(run.loss_steps, steps, "right") - 1  # the last at or before each step
    for name, losses in (("train_loss", run.train_loss), ("test_loss", run.test_loss)):
        if len(losses):
            columns[name] = _looked_up(losses, places, run.loss_steps[places] == steps)
    return pa.table(columns)


def _looked_up(losses: np.ndarray, at: np.ndarray, is_there: np.ndarray) -> "pa.Array":
    """Losses at the given places; missing where there is none."""
    import pyarrow as pa

    return pa.array(losses[np.where(is_there, at, 0)], mask=~is_there)
