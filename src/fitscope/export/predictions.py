"""A run's answers for the rows of a table."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from fitscope.data import feature_matrix
from fitscope.encoding import encoded
from fitscope.errors import DataError
from fitscope.records import Run

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["predicted_table"]


def predicted_table(
    run: Run,
    table: "pa.Table",
    *,
    onto: "pa.Table | None" = None,
    source: str = "The table",
    step: int = -1,
    remark: Callable[[str], object] = warnings.warn,
) -> "pa.Table":
    """The table with `prediction` appended and, for classes, `probability_<class>` for each.

    Args:
        run: the run whose input columns the table has.
        table: any rows; other columns are kept as they are.
        onto: the same rows as they were written, which get the new columns; default: `table`.
        source: what messages call the table.
        step: which moment of the run; -1 is the end.
        remark: is called with a sentence for each thing in the table that training never saw, or
            that is missing.

    Raises:
        UnknownNameError: an input column is not there.
        DataError: a column holds another kind of values than in training, or infinite ones, or
            there is a prediction already.
    """
    X = _inputs(run, table, source, remark)
    new: dict[str, np.ndarray] = {"prediction": run.predict(X, step=step)}
    if run.dataset.task != "regression":
        columns = run.predict_proba(X, step=step).T
        labels = run.dataset.classes
        new |= {f"probability_{k}": p for k, p in zip(labels, columns, strict=True)}
    taken = [name for name in new if name in table.column_names]
    if taken:
        raise DataError(f"{source} has a column `{taken[0]}` already; rename or remove it first.")
    answered = table if onto is None else onto
    for name, values in new.items():
        answered = answered.append_column(name, [values])
    return answered


def _inputs(
    run: Run, table: "pa.Table", source: str, remark: Callable[[str], object]
) -> np.ndarray:
    """The inputs of the rows, in their own units (n, d)."""
    how = run.dataset.preprocessing
    if how is None:
        return feature_matrix(table, run.dataset.feature_names, source=source)
    X, remarks = encoded(table, how, source=source)
    for sentence in remarks:
        remark(sentence)
    return X
