"""Points set by hand: a data set of their own, or rows that join the training part of another."""

from collections.abc import Sequence

import numpy as np

from fitscope.errors import DataError
from fitscope.rawdata import RawData

__all__ = ["points_by_hand", "rows_by_hand"]

MAX_CLASSES = 100  # as many as the generators take


def points_by_hand(points: Sequence[Sequence[float]] | None) -> RawData:
    """The data set `points`: nothing but the given rows, each [x1, x2, class].

    Raises:
        DataError: there are not two classes yet, or a row is no point of the plane.
    """
    names = ("x1", "x2")
    X, y = rows_by_hand(points or [], names, range(MAX_CLASSES))
    classes = np.unique(y)
    if len(classes) < 2:
        so_far = f"All points are of class {classes[0]}" if len(classes) else "No points are set"
        raise DataError(f"{so_far}. Set at least one point of each class.")
    return RawData(X, y, names, task="binary" if len(classes) == 2 else "multiclass")


def rows_by_hand(
    points: Sequence[Sequence[float]], names: Sequence[str], classes: Sequence[object]
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, d) and targets (n,) of rows; without `classes` a target is any value.

    Raises:
        DataError: a row has another length, or ends with what is no class.
    """
    for number, row in enumerate(points, start=1):
        if len(row) != len(names) + 1:
            wanted = ", ".join([*names, "class" if classes else "target"])
            raise DataError(
                f"Row {number} of `points` must have {len(names) + 1} numbers, {wanted}; "
                f"got {_shown(row)}."
            )
        if classes and row[-1] not in range(len(classes)):
            raise DataError(
                f"Row {number} of `points` must end with a class, a whole number from 0 to "
                f"{len(classes) - 1}; got {row[-1]:g}."
            )
    rows = np.array(points, dtype=np.float64).reshape(len(points), len(names) + 1)
    return rows[:, :-1], rows[:, -1].astype(np.int64) if classes else rows[:, -1]


def _shown(row: Sequence[float]) -> str:
    """A row as it is typed, cut where it is long."""
    text = ",".join(f"{number:g}" for number in row[:8])
    return text + (", ..." if len(row) > 8 else "") if row else "none"
