"""Laws of cells: one means the same, whether a file, a frame or a program holds it."""

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import fitscope as fs
from fitscope.cells import MISSING
from fitscope.encoding import as_table, encoded
from fitscope.errors import DataError, UnknownNameError
from fitscope.preprocessing import Preprocessing

N = 60
COLUMNS = {"age": [20.0 + i % 30 for i in range(N)], "town": ["here", "there"] * (N // 2)}
Y = ["yes" if i % 3 else "no" for i in range(N)]


def mixed(n: int = N) -> pd.DataFrame:
    """A frame as a program makes it, most of its cells text, and what a CSV has of the same."""
    days = pd.date_range("2024-01-01", periods=n, freq="37h")
    return pd.DataFrame(
        {
            "day": days.strftime("%Y-%m-%d"),
            "at": days.strftime("%H:%M"),
            "price": [f"{i / 4}" for i in range(n)],
            "paid": ["true", "false", "true"] * (n // 3),
            "land": ["NA", "DE", "FR", "ZA"] * (n // 4),
            "odd": ["1.5", "NA", "?"] + [f"{i / 8}" for i in range(n - 3)],
            "y": ["a", "b"] * (n // 2),
        }
    )


def test_text_of_a_frame_is_what_a_csv_would_say() -> None:
    """Dates, times, numbers and truth values as text become the same inputs from either."""
    frame = mixed()
    frame.to_csv("t.csv", index=False)
    run = fs.fit((frame.drop(columns="y"), frame["y"]), epochs=3, standardize=True)
    by_file = fs.fit("t.csv", target="y", test_fraction=0, epochs=3)
    assert run.dataset.feature_names == (
        *("day: day of year", "day: weekday", "at: hour", "price", "paid"),
        *("land missing", "land=DE", "land=FR", "land=ZA", "odd", "odd missing"),
    )
    assert by_file.dataset.feature_names == run.dataset.feature_names
    assert np.array_equal(by_file.dataset.X, run.dataset.X)
    assert run.dataset.notes[:2] == (
        "In `land`, `NA` counts as missing, in 15 rows; if it is a value, write it in another way.",
        "In `odd`, `?`, `NA` counts as missing, in 2 rows.",
    )
    kinds = [column.kind for column in by_file.dataset.preprocessing.columns]
    assert kinds == ["date", "date", "number", "truth", "category", "number"]


@pytest.mark.filterwarnings("ignore:`odd` is missing:UserWarning")
def test_a_run_from_a_csv_answers_alike_whoever_reads_the_file() -> None:
    """The libraries leave times of day as text, and turn NA into a gap or leave it."""
    mixed().to_csv("t.csv", index=False)
    run = fs.fit("t.csv", target="y", test_fraction=0, epochs=3)
    wanted = run.predict_proba(mixed())
    for rows in (pd.read_csv("t.csv"), pd.read_csv("t.csv", dtype=str), pl.read_csv("t.csv")):
        assert np.array_equal(run.predict_proba(rows), wanted)


@pytest.mark.parametrize(
    "cells", [["007", "012"], ["1", "beta"], ["2020-01-01", "x"], ["true", "2"]]
)
def test_text_that_is_not_all_of_one_kind_stays_text(cells: list[str]) -> None:
    """So do numbers with leading zeros, which are codes."""
    data = fs.dataset_from_arrays({"a": cells * 10}, [0, 0, 1, 1] * 5)
    assert data.feature_names == tuple(f"a={cell}" for cell in sorted(cells))


def test_a_time_of_day_is_no_date() -> None:
    """Where training had days, 10:30 has none; an hour that no clock shows is refused."""
    days = {"d": [datetime.date(2024, 1, 1 + i) for i in range(20)]}
    run = fs.fit((days, [0, 1] * 10), epochs=1)
    with pytest.raises(DataError, match="`d` must be dates such as 2020-01-31, but is text such"):
        run.predict({"d": ["10:30"]})
    clock = fs.fit(({"d": ["10:30", "11:45"] * 10}, [0, 1] * 10), epochs=1)
    assert clock.predict({"d": ["10:30"]}) == clock.predict({"d": [datetime.time(10, 30)]})
    with pytest.raises(DataError, match=r"`d` must be dates .* but is text such as '25:00'"):
        clock.predict({"d": ["25:00"]})


@pytest.mark.parametrize("gap", [None, np.nan])
def test_a_code_is_one_value_however_a_gap_makes_it_look(gap: Any) -> None:
    """3, 3.0 and "3.0" are the text 3, and what has no value is an input of its own."""
    code = [gap if i % 10 == 0 else float(i % 4) for i in range(80)]
    frame = pd.DataFrame({"code": code, "y": ["a", "b"] * 40})
    frame.to_csv("t.csv", index=False)
    assert "3.0" in Path("t.csv").read_text()
    run = fs.fit("t.csv", target="y", categories=["code"], test_fraction=0, epochs=9, lr=0.1)
    values = ("code missing", "code=0", "code=1", "code=2", "code=3")
    assert run.dataset.feature_names == values
    given = [pd.read_csv("t.csv"), pl.read_csv("t.csv"), frame.astype({"code": "Int64"})]
    given += [pd.read_csv("t.csv", dtype=str), {"code": np.array(code, dtype=float)}]
    wanted = fs.dataset_from_arrays(frame[["code"]], frame["y"], categories=["code"])
    assert wanted.feature_names == values
    for rows in given:
        found = encoded(as_table(rows), run.dataset.preprocessing)
        assert found.X.tolist() == wanted.X.tolist()
        assert found.remarks == ()


def test_categories_of_a_frame_are_categories() -> None:
    """By their type, or by name; `drop` and `features` name columns of a frame as of a file."""
    frame = pd.DataFrame({"code": [1, 2, 3] * 20, "few": ["4", "5"] * 30, "x": np.arange(60.0) % 7})
    frame["kind"] = pd.Categorical(frame["code"])
    data = fs.dataset_from_arrays(frame, Y, categories=["few"], drop=["x"])
    assert data.feature_names == ("code", "few=4", "few=5", "kind=1", "kind=2", "kind=3")
    run = fs.fit((frame, Y), features=["kind"], epochs=1)
    assert run.dataset.feature_names == ("kind=1", "kind=2", "kind=3")
    run.save("r.safetensors")
    assert fs.load("r.safetensors") == run


@pytest.mark.parametrize(
    ("X", "settings", "error", "message"),
    [
        (
            COLUMNS,
            {"drop": ["town", "agee"]},
            UnknownNameError,
            "X has no column `agee`; .* `age`?",
        ),
        (COLUMNS, {"drop": list(COLUMNS)}, DataError, "X has no column to learn from"),
        (COLUMNS, {"drop": ["age"], "categories": ["age"]}, DataError, "`drop` leaves `age` out"),
        (np.eye(N), {"drop": ["age"]}, DataError, "`drop` names columns, and X is an array of"),
        (np.eye(N), {"categories": []}, DataError, "`categories` names columns, and X is an array"),
    ],
)
def test_columns_that_are_not_there_cannot_be_named(
    X: Any, settings: Any, error: type[Exception], message: str
) -> None:
    """Nor those of an array, which has none."""
    with pytest.raises(error, match=message):
        fs.dataset_from_arrays(X, Y, **settings)


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(["a", "b"] * 30).where(np.arange(N) >= 9),
        pd.Series(["a", "b"] * 30).where(np.arange(N) >= 9).astype(object),
        pd.Series(pd.Categorical(["a", "b"] * 30)).where(np.arange(N) >= 9),
        pd.Series([1, 2] * 30, dtype="Int64").where(np.arange(N) >= 9),
        pd.Series([True, False] * 30, dtype="boolean").where(np.arange(N) >= 9),
        pl.Series([None] * 9 + ["a"] * 20 + ["b"] * 31),
        ["NA"] * 9 + ["a"] * 20 + ["b"] * 31,
        np.array([np.nan] * 9 + [1.5] * 20 + [2.5] * 31),
    ],
)
def test_a_row_of_a_frame_without_a_target_is_left_out(y: Any) -> None:
    """And counted, as it is of a file; its weight goes with it."""
    frame = pd.DataFrame({"x": np.arange(N) % 7.0, "z": ["u", "v", "w"] * 20})
    weights = np.arange(N) + 1.0
    data = fs.dataset_from_arrays(frame, y, sample_weight=weights)
    assert (data.n_train, len(data.classes)) == (N - 9, 2)
    assert data.inputs()[:, 0].tolist() == (np.arange(9, N) % 7.0).tolist()
    np.testing.assert_allclose(data.weights, weights[9:] / weights[9:].mean(), rtol=1e-6)
    assert data.notes[0] == "9 rows have no `y` and count for nothing."
    with pytest.raises(DataError, match="`y` is empty; a target is text or numbers"):
        fs.dataset_from_arrays(frame, [None] * N)


def test_a_run_from_before_keeps_its_values() -> None:
    """A file without `missing` has NA and 3.0 as the texts that its training saw."""
    how = {"kind": "category", "name": "c", "n_missing": 0, "values": ["3.0", "NA"], "rare": []}
    old = Preprocessing.model_validate_json(json.dumps({"columns": [how]}))
    found = encoded(as_table({"c": ["NA", "3.0", "3", "4"]}), old)
    assert found.X.tolist() == [[0, 1], [1, 0], [1, 0], [0, 0]]
    new = encoded(as_table({"c": ["NA", "n/a", ""]}), old.model_copy(update={"missing": MISSING}))
    assert new.remarks == (
        "`c` is missing in 3 rows, which training never saw; it counts as none of the known ones.",
    )
