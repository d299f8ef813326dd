"""What a table's columns are noted for, and what `dataset` and `fit` take."""

import re
import subprocess
import sys

import pytest

import fitscope as fs
from fitscope.errors import DataError


def written(tmp_path, rows):
    """A CSV of these rows."""
    path = tmp_path / "t.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_column_that_counts_the_rows_is_noted(tmp_path):
    """A running number is no property of a sample."""
    path = written(tmp_path, ["id,a,y", *(f"{i + 1},{i % 3},{i % 2}" for i in range(10))])
    run = fs.fit(path, target="y", epochs=1, test_fraction=0)
    assert "Column `id` only counts the rows; choose `features` without it." in run.dataset.notes


@pytest.mark.parametrize("cell", ["-0,46", "9,175"])
def test_numbers_with_commas_are_called_that(tmp_path, cell):
    """A column lost to its commas is not just "text"."""
    rows = ["a;b;y", *(f"{i};{cell};{i % 2}" for i in range(10))]
    data = fs.dataset(fs.experiment(str(written(tmp_path, rows)), target="y", test_fraction=0))
    (note,) = [note for note in data.notes if note.startswith("Left out column `b`")]
    assert f"numbers with a comma, which only a point is taken for, such as {cell!r}" in note


def test_a_feature_named_twice_is_refused(tmp_path):
    """Two equal inputs share one coefficient between them, which says nothing."""
    path = written(tmp_path, ["a,y", "1,0", "2,1", "3,0", "4,1"])
    with pytest.raises(DataError, match="names a column twice: `a`, `a`"):
        fs.fit(path, target="y", features=["a", "a"], test_fraction=0)


def test_a_data_set_is_made_from_a_name_a_spec_or_an_experiment():
    """All three are the same data."""
    by_name = fs.dataset("moons")
    assert by_name == fs.dataset(fs.DataSpec(name="moons"))
    assert by_name == fs.dataset(fs.experiment("moons", hidden=[3]))


@pytest.mark.parametrize("source", [None, [[1, 2], [0, 1]]])
def test_a_source_of_another_kind_is_told_what_fit_takes(source, tmp_path):
    """The message names what it takes and what it got, without the tests' own type checks."""
    code = f"import fitscope as fs\ntry: fs.fit({source!r})\nexcept fs.FitscopeError as e: print(e)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kind = type(source).__name__
    assert re.fullmatch(rf"Give `fit` the name of .* as \(X, y\); got {kind}\.\n", ran.stdout)


def test_a_run_and_its_data_are_short_to_print():
    """A run in a notebook does not print its arrays."""
    run = fs.fit("bad-start", epochs=1)
    assert repr(run) == ("<Run 1-1 on <Dataset step: binary, 20 + 0 x 1>: 7 updates, finished>")
