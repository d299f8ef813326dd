"""RawData: data as it comes, before it is split and scaled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float64

from fitscope.catalogue import Task

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RawData"]


@dataclass(frozen=True)
class RawData:
    """Data as it comes, before it is split and scaled: what generators and tables return.

    `y` holds class labels or values. A generator that draws its own test set gives it as
    `X_test, y_test`; `task` is None where it is to be read off `y`. `y` (n, t) holds several
    targets of a regression; `weights` say how much each sample counts. Of a table, `table` has the
    columns that may be inputs, `X` none, until the training part has told what to make of them.
    """

    X: Float[np.ndarray, "n d"]  # float64, or the float32 that was given
    y: np.ndarray  # (n,) or (n, t)
    feature_names: tuple[str, ...]
    target_name: str = "y"
    task: Task | None = None
    X_test: Float64[np.ndarray, "m d"] | None = None
    y_test: np.ndarray | None = None  # (m,)
    truth: Float64[np.ndarray, " p"] | None = None
    notes: tuple[str, ...] = ()
    weights: Float64[np.ndarray, " n"] | None = None
    table: "pa.Table | None" = None
    n_unlabelled: int = 0  # rows of the table that are left out, since they have no target
    target_words: tuple[str, ...] = ()  # texts between the target's numbers that say so
