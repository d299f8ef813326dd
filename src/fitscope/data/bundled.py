"""The real data sets that come with scikit-learn, as tables with readable names."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TARGETS", "bundled_table"]

TARGETS = {
    "iris": "species",
    "wine": "cultivar",
    "breast-cancer": "diagnosis",
    "digits": "digit",
    "diabetes": "progression",
}


def bundled_table(name: str) -> "pa.Table":
    """A bundled data set as a table; the last column, `TARGETS[name]`, is its target.

    Class labels are the names that scikit-learn gives them ("benign"), so that a CSV of the
    table can be read by a person.
    """
    import pyarrow as pa
    from sklearn import datasets

    loaded = getattr(datasets, f"load_{name.replace('-', '_')}")()
    columns = {str(n): loaded.data[:, i] for i, n in enumerate(loaded.feature_names)}
    y = loaded.target
    if name not in ("diabetes", "digits"):
        y = loaded.target_names[y]
    return pa.table({**columns, TARGETS[name]: y})
