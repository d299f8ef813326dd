"""A run's answers for the rows of a table."""

from typing import TYPE_CHECKING

import numpy as np

from fitscope.data import feature_matrix
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
) -> "pa.Table":
    """The table with `prediction` appended and, for classes, `probability_<class>` for each.

    Args:
        run: the run whose input columns the table has.
        table: any rows; other columns are kept as they are.
        onto: the same rows as they were written, which get the new columns; default: `table`.
        source: what messages call the table.
        step: which moment of the run; -1 is the end.

    Raises:
        UnknownNameError: an input column is not there.
        DataError: it holds text, missing or infinite values, or has a prediction already.
    """
    X = feature_matrix(table, run.dataset.feature_names, source=source)
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
