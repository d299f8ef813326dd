"""What does the data look like?"""

from collections.abc import Sequence
from dataclasses import dataclass

from fitscope.analysis.needs import feature_indices, needs_data
from fitscope.records import Dataset, Run

__all__ = ["Scatter", "scatter"]


@dataclass(frozen=True, eq=False)
class Scatter:
    """The samples along one or two of their inputs.

    Attributes:
        features: the columns shown; one of them: the target is the other axis.
        dataset: the data.
        title: what is shown.
    """

    features: tuple[int, ...]
    dataset: Dataset
    title: str


def scatter(data: Run | Dataset, *, features: Sequence[str | int] | None = None) -> Scatter:
    """The samples, along the first two inputs or those named.

    Args:
        data: a run with its data, or a data set.
        features: one or two inputs, by name or number from 0; default: the first two, or the
            only one.

    Raises:
        DataError: the data has no samples in it.
        UnknownNameError: there is no such input.
    """
    d = data.dataset if isinstance(data, Run) else data
    needs_data(d, "scatter")
    chosen = features if features is not None else range(min(d.d, 2))
    title = f"{d.n_train:,} training samples" + (f", {d.n_test:,} test" if d.n_test else "")
    n = 1 if len(chosen) == 1 else 2
    return Scatter(tuple(feature_indices(d, chosen, n)), d, title)
