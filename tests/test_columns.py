"""Laws of columns: what is taken, what is told, what a run file keeps of them."""

import datetime
import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import fitscope as fs
from conftest import Cli
from fitscope.cells import PARTS, date_parts, seconds
from fitscope.data import choices
from fitscope.encoding import as_table, encoded
from fitscope.errors import DataError, RunFileError, UnknownNameError
from fitscope.export import command_line, onnx_model, pytorch_script, state_dict_bytes
from fitscope.preprocessing import NumberColumn, Preprocessing
from fitscope.records import Run
from test_pytorch_script import ran, worst_difference
from test_runfile_edited import _edited

N = 60
COLUMNS: dict[str, list[Any]] = {
    "age": [None if i % 10 == 3 else float(20 + i % 30) for i in range(N)],
    "height": [1.5 + i % 7 / 10 for i in range(N)],
    "colour": ["red", "green", "blue"] * (N // 3),
    "town": ["here", "there"] * (N // 2 - 1) + ["far", "farther"],
    "joined": [datetime.date(2020, 1 + i % 12, 1 + i % 28) for i in range(N)],
    "member": [i % 4 < 2 for i in range(N)],
}
Y = ["yes" if i % 3 else "no" for i in range(N)]


@pytest.fixture(scope="module")
def run() -> Run:
    """A run on columns of every kind, all of whose rows are for training."""
    return fs.fit((COLUMNS, Y), epochs=20, standardize=True)


def rows(**changed: Any) -> dict[str, list[Any]]:
    """Two rows, some columns changed."""
    return {name: values[:2] for name, values in COLUMNS.items()} | changed


def test_inputs_are_named_so_that_a_person_can_read_them(run: Run) -> None:
    """A number by its column, a text with its value, a date with its part."""
    assert run.dataset.feature_names == (
        *("age", "age missing", "height", "colour=blue", "colour=green", "colour=red"),
        *("town=here", "town=there", "town: other"),
        *("joined: day of year", "joined: weekday", "member"),
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"town": ["here", "teal"]},
            "`town` has 1 value that training never saw, in 1 row: teal; it counts as `other`.",
        ),
        (
            {"colour": ["teal", "teal"]},
            "`colour` has 1 value that training never saw, in 2 rows: teal; it counts as none of "
            "the known ones.",
        ),
        (
            {"colour": ["red", ""]},
            "`colour` is missing in 1 row, which training never saw; it counts as none of the "
            "known ones.",
        ),
        ({"age": [None, 1.0]}, "`age` is missing in 1 row; it counts as 35, as in training."),
        (
            {"height": [None, None]},
            "`height` is missing in 2 rows; it counts as 1.8, though training never saw it "
            "missing.",
        ),
        (
            {"joined": [None, "2020-02-03"]},
            "`joined` is missing in 1 row; it counts as the median date, though training never saw "
            "it missing.",
        ),
    ],
)
def test_what_training_never_saw_is_told(run: Run, changed: Any, told: str) -> None:
    """By a warning in Python, which names the column, the values and what they count as."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answers = run.predict(rows(**changed))
    assert [str(one.message) for one in caught] == [told]
    assert len(answers) == 2


def test_many_unseen_values_are_counted_and_three_are_shown(run: Run) -> None:
    """A column of other texts does not fill the terminal."""
    odd = {name: [values[0]] * 4 for name, values in COLUMNS.items()} | {"colour": list("abcd")}
    with pytest.warns(UserWarning, match=r"has 4 values .* in 4 rows: a, b, c, \.\.\.; it counts"):
        run.predict_proba(odd)


def test_what_a_row_lacks_has_a_known_place() -> None:
    """An unseen text is 0 everywhere or 1 at `other`; a gap is the median, and its flag 1."""
    run = fs.fit((COLUMNS, Y), epochs=1, standardize=False)
    how = run.dataset.preprocessing
    assert how is not None
    odd = as_table(rows(colour=["x", "red"], town=["y", "far"], age=[None, 3.0]))
    X = dict(zip(how.inputs, encoded(odd, how).X.T.tolist(), strict=True))
    towns = [X[name] for name in ("town=here", "town=there", "town: other")]
    assert (X["age"], X["age missing"]) == ([35, 3], [1, 0])
    assert [X[f"colour={name}"] for name in ("blue", "green", "red")] == [[0, 0], [0, 0], [0, 1]]
    assert towns == [[0, 0], [0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (
            {"age": ["old", "young"]},
            DataError,
            "X does not fit: `age` must be numbers, but",
        ),
        (
            {"age": ["old", "x"], "joined": ["soon", "now"]},
            DataError,
            "`age` must be numbers, .*; `joined` must be dates such as 2020-01-31, but is te",
        ),
        ({"joined": [1, 2]}, DataError, "`joined` must be dates .* but is int64 such as '1'"),
        ({"colour": [[1], [2]]}, DataError, "`colour` must be text, but is list"),
        ({"height": [np.inf, 1]}, DataError, "X has values .* column `height`, row 1 is infinite"),
        (
            {"height": [1.0]},
            DataError,
            "X is no table: Column .* expected length 2 but",
        ),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    run: Run, changed: Any, error: type[Exception], message: str
) -> None:
    """All columns that do not fit are named at once."""
    with pytest.raises(error, match=message):
        run.predict(rows(**changed))


def test_a_column_that_is_not_there_is_named(run: Run) -> None:
    """No value stands in for a whole column: its name may just be misspelt."""
    there = rows()
    there["color"] = there.pop("colour")
    with pytest.raises(UnknownNameError, match=r"X has no column `colour`; .* mean `color`"):
        run.predict(there)


def test_a_data_frame_of_either_library_is_the_table() -> None:
    """pandas, polars, pyarrow and columns by name give the same data, to the bit."""
    pandas = pd.DataFrame(COLUMNS, index=range(5, N + 5)).astype({"colour": "category"})
    polars = pl.DataFrame(COLUMNS).with_columns(pl.col("town").cast(pl.Categorical))
    given = [pandas, polars, pa.table(COLUMNS), COLUMNS]
    made = [fs.dataset_from_arrays(X, Y, test_fraction=0.25, standardize=True) for X in given]
    assert made[0] == made[1] == made[2] == made[3]
    run = fs.fit((pandas, Y), epochs=2, standardize=True)
    answers = [run.predict_proba(X.tail(2) if hasattr(X, "tail") else rows()) for X in given[:2]]
    assert np.array_equal(*answers)
    series = fs.dataset_from_arrays(pd.Series([1.0, 2.0, 3.0]), [0, 1, 1])
    assert (series.feature_names, series.preprocessing) == (("x1",), None)


def test_a_frame_and_its_targets_have_the_same_rows() -> None:
    """As arrays have."""
    with pytest.raises(
        DataError, match=r"X must be \(n, d\) and y \(n,\); got \(60, 6\) and \(59,"
    ):
        fs.dataset_from_arrays(COLUMNS, Y[1:])


def test_the_test_part_teaches_nothing() -> None:
    """Whatever the held-out rows hold, what becomes of a column stays the same."""
    data = fs.dataset_from_arrays(COLUMNS, Y, test_fraction=0.25)
    from sklearn.model_selection import train_test_split

    _, test = train_test_split(np.arange(N), test_size=0.25, random_state=0, stratify=Y)
    changed = {name: list(values) for name, values in COLUMNS.items()}
    for i in test:
        changed["height"][i] = 1e6
        changed["colour"][i] = f"x{i}"
        changed["joined"][i] = datetime.date(1900, 1, 1)
    other = fs.dataset_from_arrays(changed, Y, test_fraction=0.25)
    assert other.preprocessing == data.preprocessing
    assert np.array_equal(other.X, data.X)


@given(st.datetimes(datetime.datetime(1600, 1, 1), datetime.datetime(2400, 1, 1)))
def test_the_parts_of_a_date_are_pythons(moment: datetime.datetime) -> None:
    """Year, month, day of the year, weekday and hour; a microsecond is 3e-10 hours."""
    found = date_parts(seconds(pa.chunked_array([pa.array([moment, None])])))
    hour = moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)
    parts = [moment.year, moment.month, moment.timetuple().tm_yday, moment.isoweekday()]
    np.testing.assert_allclose(found[0], [*parts, hour.total_seconds() / 3600], atol=2e-9)
    assert np.isnan(found[1]).all()


def test_dates_of_one_day_a_month_are_months() -> None:
    """Then the day of the year would say the same; a month that varies stands for it."""
    monthly = [datetime.date(2020 + i // 12, 1 + i % 12, 1) for i in range(30)]
    data = fs.dataset_from_arrays({"m": monthly}, np.arange(30) % 2)
    assert data.feature_names == ("m: year", "m: month", "m: weekday")
    assert set(PARTS) >= {"year", "month", "weekday"}


def test_a_time_of_day_and_a_moment_in_another_zone() -> None:
    """A time is its hour; a moment with a zone is told in UTC."""
    times = {
        "at": [datetime.time(hour, 30) for hour in range(6, 12)],
        "then": ["2020-01-01T00:30:00+01:00", "2020-01-01T00:30:00Z"] * 3,
    }
    how = fs.dataset_from_arrays({"at": times["at"]}, [0, 1] * 3).preprocessing
    assert how.inputs == ("at: hour",)
    assert encoded(pa.table({"at": times["at"]}), how).X[0, 0] == 6.5
    zoned = pa.chunked_array([pa.array(times["then"])])
    assert date_parts(seconds(zoned))[:2, [0, 4]].tolist() == [[2019, 23.5], [2020, 0.5]]


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (
            [f"{i % 28 + 1}/{i % 12 + 1}/2020" for i in range(N)],
            "; dates are read as 2020-01-31; to",
        ),
        (["same"] * N, "always 'same'."),
        ([None] * N, "empty."),
        ([*[None] * (N - 1), "x"], "text such as 'x', different in most rows; to use it, name it"),
        (
            ["1,5", "2,25", "3,0"] * 20,
            "numbers with a comma, .* such as '1,5'; write them with a po",
        ),
        (
            [datetime.timedelta(seconds=i) for i in range(N)],
            "which is neither numbers, text nor da",
        ),
    ],
)
def test_a_column_that_tells_nothing_is_left_out_and_said(column: list[Any], why: str) -> None:
    """With what it holds and, where something can be done, what."""
    data = fs.dataset_from_arrays({"a": range(0, 2 * N, 2), "b": column}, Y)
    assert data.feature_names == ("a",)
    assert re.match(f"Left out column `b`: .*{why}", data.notes[0])


def test_more_than_a_thousand_texts_are_taken_only_where_they_are_asked_for() -> None:
    """The most frequent ones are then inputs, and the rest share one."""
    words = [f"w{i % 1100}" for i in range(4400)] + ["often"] * 100
    lines = [f"{word},{i},{i % 2}" for i, word in enumerate(words)]
    Path("t.csv").write_text("\n".join(["a,b,y", *lines]))
    data = fs.dataset(fs.experiment("t.csv", target="y", test_fraction=0))
    assert data.feature_names == ("b",)
    assert "1,101 different ones; to use it, name it in `features`" in data.notes[0]
    asked = fs.dataset(fs.experiment("t.csv", target="y", test_fraction=0, features=["a"]))
    assert asked.feature_names == ("a=often", "a: other")


def test_a_word_between_numbers_is_a_gap_only_where_it_can_be_none_else() -> None:
    """A question mark is, "3+" is a value, and so is a word between a few labels."""
    how = fs.dataset_from_arrays({"a": ["1", "2", "0", "3+"] * 10}, [0, 1] * 20).preprocessing
    assert how.columns[0].kind == "category"
    many = [str(i / 4) if i % 10 else "?" for i in range(60)]
    how = fs.dataset_from_arrays({"a": many}, [0, 1] * 30).preprocessing
    assert (how.columns[0].kind, how.columns[0].words) == ("number", ("?",))
    Path("t.csv").write_text("a,y\n" + "".join(f"{i},{y}\n" for i, y in enumerate(many)))
    run = fs.fit("t.csv", target="y", test_fraction=0, epochs=5, engine="torch")
    assert (run.dataset.task, run.dataset.n_train) == ("regression", 54)
    assert run.dataset.notes[:2] == (
        "6 rows have no `y` and count for nothing.",
        "In `y`, `?` counts as missing, in 6 rows.",
    )
    assert worst_difference(run, ran(pytorch_script(run))) < 1e-5
    labels = ["0", "1"] * 27 + ["unknown"] * 6
    Path("t.csv").write_text("a,y\n" + "".join(f"{i % 7},{y}\n" for i, y in enumerate(labels)))
    assert fs.dataset(fs.experiment("t.csv", target="y")).classes == ("0", "1", "unknown")


# -- the command line ---------------------------------------------------------------------------


@pytest.fixture
def written() -> str:
    """A file with codes, words for a gap, and rows without a target."""
    lines = ["code,size,colour,kind"]
    for i in range(80):
        size = "?" if i % 20 == 7 else i % 9
        lines.append(f"0{i % 4},{size},{['red', 'blue'][i % 2]},{'' if i % 40 == 5 else i % 2}")
    Path("t.csv").write_text("\n".join(lines) + "\n")
    return "t.csv"


def test_fit_says_before_training_what_becomes_of_each_column(cli: Cli, written: str) -> None:
    """Column, kind, what is done, how many are missing, how many inputs; and as JSON."""
    flags = ["--target", "kind", "--categories", "code", "--epochs", "2", "--no-report"]
    answer = cli("fit", written, *flags)
    assert answer.status == 0
    table = [re.split(r"  +", line.strip()) for line in answer.out.splitlines() if "  " in line]
    table = table[[row[0] for row in table].index("column") :]
    assert table[0] == ["column", "kind", "what is done", "missing", "inputs"]
    assert ["code", "category", "an input for each of 4 values", "0", "4"] in table
    size = "as it is; missing counts as 4, the median, and an input says so"
    assert ["size", "number", size, "4", "2"] in table
    assert "In `size`, `?` counts as missing, in 4 rows." in answer.out
    assert "2 rows have no `kind` and count for nothing." in answer.out
    facts = json.loads(cli("fit", written, *flags, "--json").out)
    assert facts["columns"][0] == {
        **{"column": "code", "kind": "category", "what": "an input for each of 4 values"},
        **{"n_missing": 0, "n_inputs": 4},
    }
    run = fs.load(next(Path("runs").iterdir()))
    assert "--categories code" in command_line(run)


def test_many_plain_numbers_share_a_row(cli: Cli) -> None:
    """Thirty measurements do not push everything else off the screen."""
    out = cli("fit", "breast-cancer", "--epochs", "1", "--no-report").out
    assert "30 columns" in out
    assert "mean radius" not in out.split("breast-cancer")[0]


def test_predict_keeps_codes_and_says_what_is_odd(cli: Cli, written: str) -> None:
    """A code's zeros stay, though the new file's codes are numbers; notes go to stderr."""
    flags = ["--target", "kind", "--categories", "code", "--epochs", "2", "--no-report"]
    assert cli("fit", written, *flags, "--out", "r").status == 0
    Path("new.csv").write_text("code,size,colour\n01,3,red\n07,,teal\n")
    answer = cli("predict", "r", "new.csv", "--json")
    assert answer.status == 0
    assert len(json.loads(answer.out)["prediction"]) == 2
    assert answer.err.splitlines() == [
        "Note: `code` has 1 value that training never saw, in 1 row: 07; it counts as none of the "
        "known ones.",
        "Note: `size` is missing in 1 row; it counts as 4, as in training.",
        "Note: `colour` has 1 value that training never saw, in 1 row: teal; it counts as none of "
        "the known ones.",
    ]
    answer = cli("predict", "r", "new.csv")
    assert answer.out.splitlines()[2].startswith('"07","","teal"')


# -- the run file and the exports ------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit",
    [
        lambda how: how["columns"].pop(),
        lambda how: how["columns"][0].update(name="aged"),
        lambda how: how["columns"][0].update(fill=float("nan")),
        lambda how: how["columns"][0].update(fill="34"),
        lambda how: how["columns"][0].update(kind="category"),
        lambda how: how["columns"][0].update(more=1),
        lambda how: how["columns"][2].update(values=["red", "red", "blue"]),
        lambda how: how["columns"][4].update(fills=[1.0]),
        lambda how: how["columns"][4].update(parts=["second", "weekday"]),
        lambda how: how.update(columns=[]),
        lambda how: how.update(n_unlabelled=-1),
    ],
)
def test_a_run_file_with_other_recipes_is_refused(run: Run, edit: Any) -> None:
    """Every field is checked, and that the recipes make the inputs that the network has."""
    run.save("r.safetensors")
    content = Path("r.safetensors").read_bytes()

    def change(_arrays: Any, header: dict[str, Any]) -> None:
        edit(header["dataset"]["preprocessing"])

    Path("r.safetensors").write_bytes(_edited(content, change))
    with pytest.raises(RunFileError, match="is a damaged run file: "):
        fs.load("r.safetensors")


def test_a_run_that_knows_nothing_of_columns_still_loads(run: Run) -> None:
    """A file from before there were recipes predicts from numbers, as it did."""
    run.save("r.safetensors")

    def forget(_arrays: Any, header: dict[str, Any]) -> None:
        del header["dataset"]["preprocessing"]

    Path("r.safetensors").write_bytes(_edited(Path("r.safetensors").read_bytes(), forget))
    old = fs.load("r.safetensors")
    assert old.dataset.preprocessing is None
    X = run.dataset.inputs()
    assert np.array_equal(old.predict(X), run.predict(X))


def test_recipes_are_frozen_and_say_nothing_twice() -> None:
    """They cannot be changed, and two columns never make inputs of one name."""
    column = NumberColumn(kind="number", name="a", n_missing=0, fill=1.0, flag=False)
    how = Preprocessing(columns=(column,))
    with pytest.raises(ValidationError):
        how.columns = ()  # type: ignore[misc]
    with pytest.raises(ValidationError, match="two columns make an input called `a`"):
        Preprocessing(columns=(column, column))


def test_what_an_export_cannot_do_is_said_in_a_sentence() -> None:
    """A column named as ONNX's answer is; a bundled set whose numbers are codes."""
    named = fs.fit(({"label": ["a", "b"] * 10, "c0": [1.0, None] * 10}, [0, 1] * 10), epochs=1)
    with pytest.raises(DataError, match="A column is called `label`, as an answer of the ONNX"):
        onnx_model(named)
    coded = fs.fit("digits", categories=["pixel_1_0"], drop=["pixel_0_0"], epochs=1)
    assert "pixel_1_0=0" in coded.dataset.feature_names
    assert "pixel_0_0" not in coded.dataset.feature_names
    with pytest.raises(DataError, match="reads the data set digits as numbers only; write it with"):
        pytorch_script(coded)
    assert b"preprocessing" in state_dict_bytes(coded)


def test_more_inputs_than_memory_takes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they are made; a table of numbers is as large as it was."""
    monkeypatch.setattr(choices, "MOST_ENCODED", 100)
    with pytest.raises(DataError, match="X make 12 inputs in 60 rows, more than 100 values"):
        fs.dataset_from_arrays(COLUMNS, Y)
    fs.dataset_from_arrays({"a": np.arange(200.0)}, np.arange(200) % 2)


def test_a_table_of_numbers_says_no_more_than_before() -> None:
    """Whole numbers without a gap make themselves, and nothing is warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = fs.fit("iris", epochs=1)
        assert run.dataset.preprocessing.is_plain
        frame = pd.DataFrame(run.dataset.inputs(), columns=run.dataset.feature_names)
        assert np.array_equal(run.predict(frame), run.predict(frame.to_numpy()))
