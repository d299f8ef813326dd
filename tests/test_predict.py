"""`fitscope predict`: a run's answers, appended to the rows of a table."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import fitscope as fs
from conftest import Cli
from fitscope.data import read_table
from fitscope.errors import DataError, UnknownNameError
from fitscope.export import predicted_table
from fitscope.records import Run

LABELS: dict[str, list[Any]] = {
    "text": ["cat", "dog, small"],
    "three texts": ["cat", "dog, small", "ügel"],
    "whole numbers": [3, 7],
    "truth values": [False, True],
}


def _write(path: Path, labels: list[Any] | None) -> Path:
    """A table of 30 rows whose target, `kind`, holds labels or values."""
    rng = np.random.RandomState(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "weight (kg)", "kind", "legs"])
        for i in range(30):
            x = rng.normal(size=2).round(3)
            kind = labels[i % len(labels)] if labels else round(100 + 10 * x[0] - 3 * x[1], 3)
            writer.writerow([f"n{i}", x[0] + i % 3, str(kind).lower() if labels else kind, x[1]])
    return path


@pytest.fixture(scope="session", params=LABELS)
def labelled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with table.csv and a run that was trained on it, for each kind of label."""
    folder = tmp_path_factory.mktemp("labelled")
    _write(folder / "table.csv", LABELS[request.param])
    run = fs.fit(folder / "table.csv", target="kind", epochs=40, lr=0.1)
    assert len(run.dataset.classes) == len(LABELS[request.param])
    run.save(folder / "run.safetensors")
    return folder


@pytest.fixture(scope="session")
def valued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with table.csv and the run of a regression on it."""
    folder = tmp_path_factory.mktemp("valued")
    _write(folder / "table.csv", None)
    run = fs.fit(folder / "table.csv", target="kind", epochs=40, lr=0.1)
    run.save(folder / "run.safetensors")
    return folder


@pytest.fixture(scope="session")
def valued_run(valued: Path) -> Run:
    """That run."""
    return fs.load(valued / "run.safetensors")


def _csv(text: str) -> pa.Table:
    return pyarrow.csv.read_csv(io.BytesIO(text.encode()))


def test_classes_and_probabilities_are_appended(cli: Cli, labelled: Path) -> None:
    """The table's own rows, then the class in the table's own words, then one column a class."""
    table = read_table(labelled / "table.csv")
    answer = cli("predict", str(labelled), str(labelled / "table.csv"))
    assert (answer.status, answer.err) == (0, "")
    answered = _csv(answer.out)
    assert answered.select(table.column_names) == table
    classes = fs.load(labelled / "run.safetensors").dataset.classes
    probability = [f"probability_{label}" for label in classes]
    assert answered.column_names == [*table.column_names, "prediction", *probability]
    assert set(answered["prediction"].to_pylist()) <= set(table["kind"].to_pylist())
    p = np.stack([answered[name].to_numpy() for name in probability], axis=1)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    likeliest = np.array(classes)[p.argmax(axis=1)]
    assert answered["prediction"].to_pylist() == likeliest.tolist()


def test_values_are_appended_in_the_targets_units(cli: Cli, valued: Path, valued_run: Run) -> None:
    """A regression appends one column, in units of the target and not of its deviations."""
    answered = _csv(cli("predict", str(valued), str(valued / "table.csv")).out)
    assert answered.column_names[-2:] == ["legs", "prediction"]
    X = np.stack([answered["weight (kg)"].to_numpy(), answered["legs"].to_numpy()], axis=1)
    np.testing.assert_allclose(answered["prediction"].to_numpy(), valued_run.predict(X), 1e-12)
    assert 60 < answered["prediction"].to_numpy().mean() < 140


@pytest.mark.parametrize("source", ["csv", "parquet"])
@pytest.mark.parametrize("out", ["csv", "parquet", None])
def test_csv_and_parquet_in_and_out(cli: Cli, valued: Path, source: str, out: str | None) -> None:
    """Any kind of table in, any kind out: the same answers."""
    table = read_table(valued / "table.csv")
    pyarrow.csv.write_csv(table, "in.csv")
    pyarrow.parquet.write_table(table, "in.parquet")
    to = ["-o", f"out.{out}"] if out else []
    answer = cli("predict", str(valued), f"in.{source}", *to)
    if out is None:
        answered = _csv(answer.out)
    else:
        assert answer.out == f"30 rows with predictions written to out.{out}.\n"
        answered = read_table(f"out.{out}")
    wanted = predicted_table(fs.load(valued / "run.safetensors"), table)
    assert answered.column_names == wanted.column_names
    assert answered.drop(["prediction"]) == table
    np.testing.assert_allclose(answered["prediction"], wanted["prediction"], rtol=1e-12)


def test_columns_are_found_by_name(valued: Path, valued_run: Run) -> None:
    """The order of the columns, other columns and a missing target do not matter."""
    table = read_table(valued / "table.csv")
    turned = table.select(["legs", "weight (kg)"]).append_column("extra", [["x"] * 30])
    answered = predicted_table(valued_run, turned)
    assert answered.column_names == ["legs", "weight (kg)", "extra", "prediction"]
    assert answered["prediction"] == predicted_table(valued_run, table)["prediction"]


def test_a_step_predicts_as_at_that_moment(cli: Cli, valued: Path, valued_run: Run) -> None:
    """`--step 0` gives the answers from before training."""
    answered = _csv(cli("predict", str(valued), str(valued / "table.csv"), "--step", "0").out)
    X = np.stack([answered["weight (kg)"].to_numpy(), answered["legs"].to_numpy()], axis=1)
    wanted = valued_run.predict(X, step=0)
    np.testing.assert_allclose(answered["prediction"].to_numpy(), wanted, rtol=1e-12)


def test_json_holds_the_answers(cli: Cli, labelled: Path) -> None:
    """`--json` gives every appended column, probabilities included, and no column of the table."""
    answer = cli("predict", str(labelled), str(labelled / "table.csv"), "--json")
    facts = json.loads(answer.out)
    run = fs.load(labelled / "run.safetensors")
    wanted = predicted_table(run, read_table(labelled / "table.csv"))
    added = ["prediction", *(f"probability_{label}" for label in run.dataset.classes)]
    assert (facts["rows"], facts["file"]) == (30, None)
    assert facts["columns"] == wanted.column_names
    assert {name: facts[name] for name in added} == wanted.select(added).to_pydict()
    assert set(facts) == {"rows", "columns", "file", *added}


def test_a_column_of_the_table_is_never_taken_for_an_answer(cli: Cli, valued: Path) -> None:
    """A column that is called `predictor` or `rows` does not get into the object's own fields."""
    table = read_table(valued / "table.csv")
    more = table.append_column("predictor", [[1] * 30]).append_column("rows", [[2] * 30])
    pyarrow.csv.write_csv(more, "more.csv")
    facts = json.loads(cli("predict", str(valued), "more.csv", "--json").out)
    assert set(facts) == {"rows", "columns", "file", "prediction"}
    assert facts["rows"] == 30


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda t: t.rename_columns(["name", "weight", "kind", "legs"]),
            UnknownNameError,
            r"t\.csv has no column `weight \(kg\)`; it has .* Did you mean `weight`\?",
        ),
        (
            lambda t: t.set_column(3, "legs", [["four"] * 30]),
            DataError,
            r"t\.csv does not fit: `legs` must be numbers, but is text such as 'four'",
        ),
        (
            lambda t: t.set_column(3, "legs", [[float("inf")] + [1.0] * 29]),
            DataError,
            r"t\.csv has values that are no numbers: column `legs`, row 1 is infinite",
        ),
        (
            lambda t: t.append_column("prediction", [[1] * 30]),
            DataError,
            r"t\.csv has a column `prediction` already; rename or remove it first",
        ),
    ],
    ids=["missing column", "text", "infinite value", "prediction exists"],
)
def test_a_table_that_does_not_fit_says_why(
    valued: Path,
    valued_run: Run,
    change: Callable[[pa.Table], pa.Table],
    error: type[Exception],
    message: str,
) -> None:
    """A missing column names the near miss; text and infinite values name column and row."""
    table = change(read_table(valued / "table.csv"))
    with pytest.raises(error, match=message):
        predicted_table(valued_run, table, source="t.csv")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["table.csv", "--step", "99"], "Step 99 is not in this run, which has steps 0 to 40."),
        (["missing.csv"], "missing.csv: No such file or directory."),
        (["run.safetensors"], "run.safetensors "),
        (["table.csv", "-o", "missing/out.csv"], "Cannot write missing/out.csv: "),
    ],
)
def test_errors_name_the_file(cli: Cli, valued: Path, args: list[str], message: str) -> None:
    """What cannot be read or written ends with status 2 and one line."""
    table, *rest = args
    answer = cli("predict", str(valued), str(valued / table), *rest)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("Error: ")
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_a_csv_comes_back_as_it_was_written(cli: Cli, valued: Path) -> None:
    """Answers are appended: leading zeros, decimals and empty cells of other columns stay."""
    rows = ["id,weight (kg),legs,remark", "007,4.50,4,", "012,3.00,2,NA"]
    Path("new.csv").write_text("\n".join(rows) + "\n")
    assert cli("predict", str(valued), "new.csv", "-o", "answers.csv").status == 0
    written = list(csv.reader(Path("answers.csv").read_text().splitlines()))
    assert [row[:4] for row in written] == [row.split(",") for row in rows]


def test_a_gap_in_a_single_column_keeps_its_row(cli: Cli) -> None:
    """Three rows asked, three answered, and the gap told."""
    Path("t.csv").write_text("x,y\n" + "".join(f"{i % 9},{i % 2}\n" for i in range(40)))
    assert cli("fit", "t.csv", "--target", "y", "--epochs", "2", "--out", "r").status == 0
    Path("new.csv").write_text("x\n1\n\n3\n")
    answer = cli("predict", "r", "new.csv", "-o", "answers.csv")
    assert answer.err.startswith("Note: `x` is missing in 1 row; it counts as ")
    written = list(csv.reader(Path("answers.csv").read_text().splitlines()))
    assert [row[0] for row in written] == ["x", "1", "", "3"]


def test_the_table_is_never_written_over(cli: Cli, valued: Path) -> None:
    """Answers need a file of their own."""
    Path("new.csv").write_text("weight (kg),legs\n4.5,4\n")
    answer = cli("predict", str(valued), "new.csv", "-o", "./new.csv")
    assert (answer.status, answer.out) == (2, "")
    assert "./new.csv is the table itself; name another file" in answer.err
    assert Path("new.csv").read_text() == "weight (kg),legs\n4.5,4\n"


def test_a_table_is_not_written_under_a_strange_name(cli: Cli, valued: Path) -> None:
    """A spreadsheet's name would hold a CSV that no spreadsheet opens."""
    Path("new.csv").write_text("weight (kg),legs\n4.5,4\n")
    answer = cli("predict", str(valued), "new.csv", "-o", "answers.xlsx")
    assert answer.status == 2
    assert "a table's name ends in .csv or .parquet" in answer.err
