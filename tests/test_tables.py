"""Laws of the tables: what people's files hold is read as it stands, or refused with a reason."""

import contextlib
import datetime
import decimal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscope.data import dataset, dataset_table, feature_matrix, read_table, write_table
from fitscope.errors import DataError, FitscopeError, InputFileError, OutputError, UnknownNameError
from fitscope.records import Dataset
from fitscope.specs import DataSpec

BUNDLED = ["iris", "wine", "breast-cancer", "digits", "diabetes"]
PLAIN = "a,b,y\n1,2.5,u\n3,4,v\n5,6,u\n"


def put(name: str, content: str | bytes) -> str:
    """Writes a file to the test's own folder, with the line ends as given."""
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def read(content: str | bytes, name: str = "t.csv", **given) -> Dataset:
    """The dataset of a file with that content: target `y`, nothing split or scaled."""
    settled = {"target": "y", "test_fraction": 0, "standardize": False} | given
    return dataset(DataSpec(path=put(name, content), **settled))


# -- what can be read ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        "\ufeff" + PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.rstrip("\n"),
        PLAIN + "\n\n",
        '"a","b","y"\n1,2.5,"u"\n3,4,"v"\n5,6,"u"\n',
        '"a";"b";"y"\r\n1;2.5;"u"\r\n3;4;"v"\r\n5;6;"u"\r\n',
    ],
)
def test_every_usual_form_of_csv_is_the_same_table(content):
    """Byte order mark, line ends, separators and quotes make no difference to the data."""
    data = read(content)
    assert data.feature_names == ("a", "b")
    assert data.X.tolist() == [[1, 2.5], [3, 4], [5, 6]]
    assert (data.classes, data.y.tolist()) == (("u", "v"), [0, 1, 0])


@pytest.mark.parametrize("suffix", [".parquet", ".pq", ".PARQUET"])
def test_parquet_is_the_same_table(suffix):
    """The same table as Parquet is the same data as its CSV."""
    table = pa.table({"a": [1, 3, 5], "b": [2.5, 4, 6], "y": ["u", "v", "u"]})
    pq.write_table(table, f"t{suffix}")
    spec = DataSpec(path=f"t{suffix}", target="y", test_fraction=0, standardize=False)
    assert replace(dataset(spec), spec=DataSpec(name="rings")) == replace(
        read(PLAIN), spec=DataSpec(name="rings")
    )


@pytest.mark.parametrize(
    ("content", "names", "classes"),
    [
        ('"a, in m",y\n1,"p,q"\n2,"r;s"\n', ("a, in m",), ("p,q", "r;s")),
        ('"a;1;2;3",b,y\n1,2,u\n2,3,v\n', ("a;1;2;3", "b"), ("u", "v")),
        ('"a,1,2";b;y\n1;2;"u;x"\n2;3;v\n', ("a,1,2", "b"), ("u;x", "v")),
        ('"say ""a""",y\n1,"""u"""\n2,v\n', ('say "a"',), ('"u"', "v")),
        ('a,y\n1,"two\nlines"\n2,v\n', ("a",), ("two\nlines", "v")),
        ("größe,y\n1,ä\n2,ö\n", ("größe",), ("ä", "ö")),
    ],
)
def test_quotes_protect_separators_in_names_and_labels(content, names, classes):
    """A quoted comma, semicolon, quote or line end belongs to the name or the label."""
    data = read(content)
    assert data.feature_names == names
    assert data.classes == classes


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        (["u", "v", "u", "w"], "multiclass", ("u", "v", "w")),
        ([True, False, True, True], "binary", (False, True)),
        ([3, 5, 3, 5], "binary", (3, 5)),
        ([0.5, 1.5, 2.5, 3.5], "regression", ()),
        (pa.array(["u", "v", "u", "v"]).dictionary_encode(), "binary", ("u", "v")),
        (pa.array([7, 8, 7, 9]).dictionary_encode(), "multiclass", (7, 8, 9)),
        (pa.array(["u", "v", "u", "v"], pa.large_string()), "binary", ("u", "v")),
        (pa.array([decimal.Decimal(x) for x in ("1.5", "2.5", "3.5", "4")]), "regression", ()),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_targets_are_text_truth_values_or_numbers(target, task, classes, suffix):
    """Whatever type a file gives them, labels stay labels and numbers numbers."""
    table = pa.table({"a": [1.0, 2.0, 3.0, 4.0], "y": target})
    plain = pa.table(
        {"a": table["a"], "y": target if isinstance(target, list) else target.to_pylist()}
    )
    write_table(table if suffix == ".parquet" else plain, f"t{suffix}")
    data = dataset(DataSpec(path=f"t{suffix}", target="y", test_fraction=0))
    assert (data.task, data.classes) == (task, classes)


def test_truth_values_and_whole_numbers_are_features_too():
    """A bool column is 0 and 1; every kind of number becomes float32."""
    data = read("a,b,c,y\n1,true,-2e1,0\n3,False,.5,1\n")
    assert data.X.tolist() == [[1, 1, -20], [3, 0, 0.5]]
    many = {
        "i8": pa.array([1, 2], pa.int8()),
        "u64": pa.array([1, 2**40], pa.uint64()),
        "f32": pa.array([1.5, 2.5], pa.float32()),
        "dec": pa.array([decimal.Decimal("0.25"), decimal.Decimal("1.00")]),
    }
    X = feature_matrix(pa.table(many), list(many), source="t")
    assert X.tolist() == [[1, 1, 1.5, 0.25], [2, 2.0**40, 2.5, 1]]


def test_inputs_are_by_default_all_other_columns_that_tell_something():
    """Each column left out is named with what it holds and what to do about it."""
    data = read("a,name,day,gone,b,y\n1,ann,2020-01-31,,2,0\n3,bob,2020-02-01,,4,1\n")
    assert data.feature_names == ("a", "day: day of year", "day: weekday", "b")
    assert data.notes[:2] == (
        "Left out column `name`: text such as 'ann', different in most rows; to use it, name it in "
        "`features`.",
        "Left out column `gone`: empty.",
    )
    data = read("a,b,y\n" + "".join(f"{i},{i if i % 20 else '??'},{i % 2}\n" for i in range(60)))
    assert data.feature_names == ("a", "b", "b missing")
    assert data.notes[0] == "In `b`, `??` counts as missing, in 3 rows."


WORDS = ["NA", "N/A", "n/a", "null", "NULL", "NaN", "nan", "#N/A"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_word_for_no_value_is_none_in_a_target_of_any_kind(word, suffix):
    """R writes NA; a row with it is left out and counted, whatever the target's other cells are."""
    for labels in (["u", "v"], ["true", "false"], ["3", "5"]):
        y = [word, *labels, *labels, word]
        if suffix == ".csv":
            data = read("a,y\n" + "".join(f"{i % 4},{label}\n" for i, label in enumerate(y)))
        else:
            pq.write_table(pa.table({"a": [i % 4 for i in range(6)], "y": y}), "t.parquet")
            data = dataset(DataSpec(path="t.parquet", target="y", test_fraction=0))
        assert (len(data.classes), data.n_train) == (2, 4)
        assert "2 rows have no `y` and count for nothing." in data.notes
    assert word not in map(str, data.classes)


def test_a_label_that_was_taken_for_no_value_is_told():
    """Who has a class called NA can see where it went, also when nothing else is left."""
    data = read("a,y\n1,NA\n2,u\n3,v\n5,NA\n")
    told = "In `y`, `NA` counts as missing, in 2 rows; if it is a value, write it in another way."
    assert told in data.notes
    with pytest.raises(DataError, match=r"only one value, u: .* learn \(`NA` counts as missing\)"):
        read("a,y\n1,NA\n2,u\n3,u\n5,NA\n")


@pytest.mark.parametrize("ends", ["", "\n", "\n\n\n", "\r\n"])
def test_an_empty_line_of_a_single_column_is_a_gap(ends):
    """Between others it is a row, as it is in a table of two columns; at the end it is none."""
    put("t.csv", "\ufeffx\n1\n\n3" + ends)
    assert read_table("t.csv").to_pydict() == {"x": [1, None, 3]}
    assert read_table("t.csv", as_text=True).to_pydict() == {"x": ["1", "", "3"]}
    put("t.csv", "x,z\n1,1\n\n3,1\n")
    assert read_table("t.csv").num_rows == 2


def test_features_can_be_chosen():
    """`features` decides which columns are inputs and their order; nothing is noted of others."""
    data = read("a,b,c,t,y\n1,2,3,u,0\n4,5,6,v,1\n", features=["c", "a"])
    assert (data.feature_names, data.X.tolist()) == (("c", "a"), [[3, 1], [6, 4]])
    assert not any("Left out" in note for note in data.notes)


def test_a_constant_column_is_noted():
    """A column that never changes is kept, and said to be of no use."""
    data = read("a,b,y\n1,7,0\n2,7,1\n", standardize=True)
    assert data.X.tolist() == [[-1, 0], [1, 0]]
    assert "Column `b` is constant and tells the model nothing." in data.notes


# -- what cannot be read ---------------------------------------------------------------------

BAD_TABLES = [
    ("", {}, InputFileError, r"^t\.csv is empty \(0 bytes\)"),
    ("\n\n", {}, DataError, "t.csv is not a regular CSV table: .*Empty CSV"),
    ("a,y\n", {}, DataError, "t.csv has a header and no rows"),
    ("a,y", {}, DataError, "t.csv has a header and no rows"),
    ("a,y\n1,0\n", {}, DataError, "at least 2 are needed"),
    ("a,y\n1,0\n2,0\n", {}, DataError, "`y` has only one value, 0: there is nothing to learn"),
    ("a,y\n1,u\n2,u\n", {}, DataError, "`y` has only one value, u"),
    (
        "a,b,y\n1,red,0\n2,9,1\n",
        {"features": ["a", "b"]},
        DataError,
        "`b` of t.csv cannot be an input: each of its texts is in too few rows",
    ),
    (
        "a,b,y\nu,w,0\nv,x,1\n",
        {},
        DataError,
        "no column that can be learned from. `a` .*; `b` is",
    ),
    ("y\n0\n1\n", {}, DataError, r"^t\.csv has no column besides `y` to learn from\.$"),
    (PLAIN, {"drop": ["a", "b"]}, DataError, r"^t\.csv has no column besides `y` to learn from\.$"),
    (PLAIN, {"drop": ["A"]}, UnknownNameError, "no column `A`; it has .* Did you mean `a`"),
    (PLAIN, {"categories": ["c"]}, UnknownNameError, "no column `c`; it has `a`, `b`, `y`"),
    (PLAIN, {"drop": ["y"]}, DataError, "`y` is the target; `drop` and `categories` name o"),
    (PLAIN, {"drop": ["a"], "features": ["a"]}, DataError, "`drop` leaves `a` out, which is named"),
    (PLAIN, {"categories": ["b"], "features": ["a"]}, DataError, "`b`, which is not one of the `f"),
    (
        "a,a=1,a=2,y\n1,0,1,0\n1,1,0,1\n2,1,1,1\n2,0,0,0\n",
        {"categories": ["a"]},
        DataError,
        "In t.csv two columns make an input called `a=1`; rename one of them",
    ),
    ("a,y\n1,0\ninf,1\n", {}, DataError, "column `a`, row 2 is infinite"),
    ("a,y\n-inf,0\n1,1\n", {}, DataError, "column `a`, row 1 is infinite"),
    ("a,y\n1,0\n2,1\n" + "inf,0\n" * 7, {}, DataError, "row 7 is infinite and 2 more"),
    ("a,y\n1,u\n2,\n3,\n", {}, DataError, "t.csv has 1 rows with a `y`; at least 2 are needed"),
    ("a,y\n1,0.5\n2,1.5\n3,inf\n", {}, DataError, "`y` is not a finite number in row 3"),
    ("a,y\n1,\n2,\n", {}, DataError, "`y` is empty; a target is text or numbers"),
    ("a,y\n1,2020-01-01\n2,2021-01-01\n", {}, DataError, "`y` is date32.day. such as '2020-01-01'"),
    ("a,a,b,b,y\n1,1,2,2,0\n", {}, DataError, "more than one column named `a`, `b`; rename them"),
    ("5.1,3.5,-1e3\n4,3,0\n", {}, DataError, "holds numbers, 5.1, 3.5, -1e3; it must hold the na"),
    ("0,0,1\n1,1,0\n", {}, DataError, "The first line of t.csv holds numbers, 0, 0, 1"),
    (",a,y\n0,1,0\n1,2,1\n", {}, DataError, "without a name"),
    ("a,y\n1,0\n2\n", {}, DataError, "not a regular CSV table: .*Expected 2 columns, got 1"),
    ("a,y\n1,0\n2,1,3\n", {}, DataError, "not a regular CSV table: .*Expected 2 columns, got 3"),
    (b"a,y\n1,\xe9\n2,b\n", {}, DataError, "UTF-8"),
    (b"a,\xe9t\xe9,y\n1,2,0\n2,3,1\n", {}, DataError, "UTF-8"),
    (
        "a,y\n1,0\n2,1\n".encode("utf-16"),
        {},
        DataError,
        r"t\.csv is no table that can be read here; save it as CSV in UTF-8",
    ),
    (PLAIN, {"target": "Y1"}, UnknownNameError, "no column `Y1`; it has `a`, `b`, `y`.*mean `y`"),
    (
        PLAIN,
        {"target": "zzz"},
        UnknownNameError,
        "t.csv has no column `zzz`; it has `a`, `b`, `y`.$",
    ),
    (
        "age,y\n1,0\n2,1\n",
        {"features": ["agee"]},
        UnknownNameError,
        "no column `agee`; it has `age`, `y`. Did you mean `age`",
    ),
    (PLAIN, {"target": None}, DataError, "Name the column to predict with `target`. t.csv has `a`"),
    (PLAIN, {"features": ["a", "y"]}, DataError, "`y` is the target"),
    (PLAIN, {"features": []}, DataError, "`features`"),
    (
        "a,y\n" + "".join(f"{i},t{i}\n" for i in range(30)),
        {},
        DataError,
        "30 different texts in 30",
    ),
]


@pytest.mark.parametrize(("content", "given", "error", "message"), BAD_TABLES)
def test_a_bad_table_is_refused_with_place_and_reason(content, given, error, message):
    """Empty, ragged, incomplete or nameless: one error that says what, where, and what to do."""
    with pytest.raises(error, match=message):
        read(content, **given)


def test_a_path_that_is_no_file_is_refused():
    """A folder and a file that is not there each get their sentence."""
    Path("folder.csv").mkdir()
    with pytest.raises(
        InputFileError, match=r"folder\.csv is a folder; give a CSV or Parquet file"
    ):
        read_table("folder.csv")
    with pytest.raises(InputFileError, match=r"Cannot read nope\.csv: No such file or directory"):
        read_table("nope.csv")


def parquet_bytes() -> bytes:
    """A small Parquet file."""
    pq.write_table(pa.table({"a": [1.0, 2.0, 3.0], "y": ["u", "v", "u"]}), "made.parquet")
    return Path("made.parquet").read_bytes()


def test_a_wrong_suffix_is_told():
    """What the content is and what the name says must agree; the message gives the right end."""
    with pytest.raises(
        DataError, match=r"t\.csv is a Parquet file .*rename it to end in \.parquet"
    ):
        read(parquet_bytes(), "t.csv")
    with pytest.raises(DataError, match=r"t\.pq is no Parquet file .*rename it to end in \.csv"):
        read(PLAIN, "t.pq")


@pytest.mark.parametrize("part", [0.2, 0.5, 0.99])
def test_a_cut_parquet_file_is_refused(part):
    """A download that broke off is called damaged."""
    whole = parquet_bytes()
    with pytest.raises(DataError, match=r"t\.parquet is a damaged Parquet file: "):
        read(whole[: int(part * len(whole))], "t.parquet")


@given(place=st.integers(0, 10**9), bits=st.integers(1, 255))
@settings(deadline=None, max_examples=100)
def test_a_damaged_parquet_file_never_ends_in_a_traceback(place, bits):
    """With any byte changed, a Parquet file is read or refused by an error of ours."""
    damaged = bytearray(parquet_bytes())
    damaged[place % len(damaged)] ^= bits
    with contextlib.suppress(FitscopeError):  # any other error fails
        assert read(bytes(damaged), "t.parquet").n_train in (2, 3)


@pytest.mark.parametrize("column", ["t", "y"])
def test_text_in_parquet_that_is_no_utf_8_is_refused(column):
    """Bytes that are no text are an error of ours, as a target and in a column left out."""
    text = pa.array([b"\xe9", b"b"]).view(pa.string())
    columns = {"a": [1.0, 2.0], "t": ["u", "v"], "y": [0, 1]} | {column: text}
    pq.write_table(pa.table(columns), "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet .*(?i:utf-?8)"):
        dataset(DataSpec(path="t.parquet", target="y", test_fraction=0))


def test_double_names_in_a_parquet_file_are_told_as_such():
    """A file that is whole, but has a column twice, is not called damaged."""
    pq.write_table(pa.table([pa.array([1, 2])] * 3, names=["a", "a", "y"]), "t.parquet")
    with pytest.raises(DataError, match="more than one column named `a`; rename them"):
        read_table("t.parquet")


# -- writing ---------------------------------------------------------------------------------

ODD_NAMES = pa.table(
    {
        "a, b": [0.1, 1 / 3, -1e300, 5e-324],
        'say "c"': [1, -2, 3, 2**40],
        "two\nlines;": ["x,y", 'q"', "", "a\nb"],
        "ü": [True, False, True, True],
    }
)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_written_table_is_read_back_the_same(suffix):
    """Names with commas, quotes and line ends, and the last bit of every number, survive."""
    write_table(ODD_NAMES, f"t{suffix}")
    assert read_table(f"t{suffix}").equals(ODD_NAMES)


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
@settings(deadline=None, max_examples=50)
def test_csv_keeps_every_number(values):
    """Any float64 written to CSV is the same number when read back."""
    write_table(pa.table({"x": values}), "t.csv")
    back = feature_matrix(read_table("t.csv"), ["x"], source="t")
    assert back[:, 0].tolist() == values


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_that_cannot_be_written_says_so(suffix):
    """A folder that is not there, or in the way, is an OutputError."""
    with pytest.raises(OutputError, match=rf"Cannot write no/t\{suffix}: .*No such file"):
        write_table(ODD_NAMES, f"no/t{suffix}")
    Path(f"in_the_way{suffix}").mkdir()
    with pytest.raises(OutputError, match=rf"Cannot write in_the_way\{suffix}: .*director"):
        write_table(ODD_NAMES, f"in_the_way{suffix}")


def test_what_csv_cannot_hold_is_refused():
    """A column of lists, which Parquet can hold, is an OutputError for CSV."""
    with pytest.raises(OutputError, match=r"Cannot write t\.csv: "):
        write_table(pa.table({"a": [[1, 2], [3]]}), "t.csv")


def test_what_parquet_holds_besides_is_left_out():
    """Lists are named with their type and an example; dictionaries and times are inputs."""
    table = pa.table(
        {
            "a": [1.0, 2.0, 3.0, 4.0],
            "l": [[1], [2], [3], [4]],
            "t": [datetime.datetime(2020, 1, 1, hour) for hour in (1, 2, 3, 4)],
            "d": pa.array(["r", "g", "r", "g"]).dictionary_encode(),
            "same": [datetime.date(2020, 1, 1)] * 4,
            "y": [0, 1, 0, 1],
        }
    )
    write_table(table, "t.parquet")
    data = dataset(DataSpec(path="t.parquet", target="y", test_fraction=0))
    assert data.feature_names == ("a", "t: hour", "d=g", "d=r")
    assert data.notes[:2] == (
        "Left out column `l`: list<element: int64> such as '[1]', which is neither numbers, text "
        "nor dates.",
        "Left out column `same`: always the same date.",
    )


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_bundled_set_written_and_read_back_is_the_same_data(name, suffix):
    """`fitscope data NAME -o FILE` and a fit on the file give what a fit on the name gives."""
    table = dataset_table(DataSpec(name=name))
    target = table.column_names[-1]
    write_table(table, f"t{suffix}")
    direct = dataset(DataSpec(name=name))
    assert direct.target_name == target
    read_back = dataset(DataSpec(path=f"t{suffix}", target=target))
    assert replace(read_back, spec=direct.spec) == direct


@pytest.mark.parametrize("name", ["gates", "rings", "sine", "polynomial", "blobs", "threshold"])
def test_generated_data_written_and_read_back_is_the_same_data(name):
    """The table of a generator holds its points and labels to the last bit, the target last."""
    table = dataset_table(DataSpec(name=name))
    write_table(table, "t.csv")
    direct = dataset(DataSpec(name=name))
    spec = DataSpec(path="t.csv", target="y", test_fraction=0, standardize=False, task=direct.task)
    back = dataset(spec)
    assert table.column_names == [*direct.feature_names, "y"]
    assert np.array_equal(back.X, direct.X)
    assert np.array_equal(back.y, direct.y)
