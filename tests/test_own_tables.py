"""Laws of tables as they come: text, dates, truth values and gaps become inputs, and stay so.

What training learns of a table is compared with scikit-learn's ColumnTransformer on the same rows,
and what the exports answer with the run: both compute in float64, so 1e-9 is far above roundings.
"""

import csv
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import fitscope as fs
from fitscope.cells import date_parts, numbers, plain_column, seconds, texts
from fitscope.data import read_table, write_table
from fitscope.encoding import encoded
from fitscope.export import onnx_model, predicted_table, pytorch_script, sklearn_script
from fitscope.export.onnx import OPSET
from fitscope.export.onnx_columns import _date_parts
from fitscope.export.onnx_graph import Graph
from fitscope.export.sklearn_columns import _TEXTS
from fitscope.preprocessing import CategoryColumn, DateColumn, Preprocessing
from fitscope.records import Run
from own_tables import OWN_TABLES
from test_pytorch_script import formatted, imported, ran, worst_difference

__all__ = ["formatted"]  # a fixture

NEAR = 1e-9


class Own(NamedTuple):
    """A table's file, its rows that have a target, and a run on it."""

    name: str
    path: Path
    table: pa.Table
    run: Run

    @property
    def how(self) -> Preprocessing:
        """What its columns become."""
        assert self.run.dataset.preprocessing is not None
        return self.run.dataset.preprocessing


def target_of(table: pa.Table, settings: dict[str, Any]) -> np.ndarray:
    """Where a row has a target."""
    return np.array([value not in (None, "") for value in table[settings["target"]].to_pylist()])


@pytest.fixture(scope="module", params=OWN_TABLES)
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Own:
    """Each of the ten tables with a short run of the plain PyTorch loop."""
    made = OWN_TABLES[request.param]
    path = tmp_path_factory.mktemp("own") / f"my {request.param}{made.suffix}"
    made.write(path, np.random.default_rng(0))
    run = fs.fit(path, engine="torch", epochs=12, lr=0.05, hidden=[3], **made.settings)
    table = read_table(path, texts=made.settings.get("categories", ()))
    return Own(request.param, path, table.filter(target_of(table, made.settings)), run)


def parts_of(own: Own) -> tuple[np.ndarray, np.ndarray]:
    """The rows of both parts, split by scikit-learn as the run's were."""
    data = own.run.dataset
    y = own.table[data.target_name].to_pylist()
    return tuple(
        train_test_split(
            np.arange(len(y)),
            test_size=data.spec.test_fraction,
            random_state=data.spec.split_seed,
            stratify=y if data.classes else None,
        )
    )


def dates(column: np.ndarray, parts: tuple[str, ...]) -> np.ndarray:
    """The parts of dates by pandas, which fitscope does not use."""
    when = pd.DatetimeIndex(pd.to_datetime(pd.Series(column[:, 0]), unit="s"))
    hour = when.hour + when.minute / 60 + (when.second + when.microsecond / 1e6) / 3600
    known = {"year": when.year, "month": when.month, "day of year": when.day_of_year}
    known |= {"weekday": when.day_of_week + 1, "hour": hour}
    return np.stack([np.asarray(known[part], dtype=float) for part in parts], axis=1)


def first(X: np.ndarray, n: int) -> np.ndarray:
    """The first n columns."""
    return X[:, :n]


def transformer(own: Own) -> tuple[ColumnTransformer, np.ndarray]:
    """What a person would write with scikit-learn, and the table as the array that it takes."""
    steps, columns = [], []
    n_train = own.run.dataset.n_train
    for i, column in enumerate(own.how.columns):
        values = plain_column(own.table[column.name])
        imputer = SimpleImputer(strategy="median", add_indicator=True)
        if isinstance(column, CategoryColumn):
            columns.append(np.array(texts(values).to_pylist(), dtype=object))
            step = OneHotEncoder(
                max_categories=20,
                min_frequency=min(10, max(2, n_train // 200)),
                handle_unknown="infrequent_if_exist",
                sparse_output=False,
            )
        elif isinstance(column, DateColumn):
            columns.append(seconds(values))
            n_inputs = len(column.inputs)  # the parts, and that the date is missing, once
            steps_of_date = FunctionTransformer(partial(dates, parts=column.parts)), imputer
            step = make_pipeline(*steps_of_date, FunctionTransformer(partial(first, n=n_inputs)))
        else:
            columns.append(numbers(values, column.words))
            step = imputer
            if column.kind == "truth":
                step = SimpleImputer(strategy="most_frequent", add_indicator=True)
            step = make_pipeline(FunctionTransformer(np.float64), step)
        steps.append((str(i), step, [i]))
    rows = np.empty((own.table.num_rows, len(columns)), dtype=object)
    for i, values in enumerate(columns):
        rows[:, i] = values
    return ColumnTransformer(steps), rows


def test_inputs_are_what_scikit_learn_makes_of_the_training_part(own: Own) -> None:
    """Fitted on the training rows alone, a ColumnTransformer gives every row the same inputs."""
    train, test = parts_of(own)
    made, rows = transformer(own)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it tells of texts that it never saw
        wanted = made.fit(rows[train]).transform(rows)
    X = encoded(own.table, own.how).X
    np.testing.assert_allclose(X, wanted, rtol=1e-12, atol=1e-12)
    assert len(own.how.inputs) == X.shape[1] == own.run.dataset.d
    rounding = 1e-6 * (1 + np.abs(X).max(axis=0))  # the samples are float32
    assert (np.abs(own.run.dataset.inputs() - X[[*train, *test]]) <= rounding).all()


def test_rows_as_they_are_get_the_answers_of_their_inputs(own: Own) -> None:
    """By the table, a pandas frame, columns by name, a saved run, and the command's function."""
    X = encoded(own.table, own.how).X
    wanted = own.run.predict(X)
    frame = own.table.to_pandas()
    own.run.save("run.safetensors")
    again = fs.load("run.safetensors")
    assert again == own.run
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # texts of the test part only
        for rows in (own.table, frame, own.table.to_pydict()):
            assert np.array_equal(again.predict(rows), wanted)
        answered = predicted_table(again, own.table)
    assert answered["prediction"].to_pylist() == wanted.tolist()


def test_the_pytorch_script_reads_the_table_itself(own: Own, formatted: Any) -> None:
    """From the file as it is, with numpy and csv, to the same losses; laid out as ruff does."""
    code = pytorch_script(own.run)
    assert worst_difference(own.run, ran(code)) < 1e-5
    assert formatted(code) == ""
    allowed = {"csv", "datetime", "re", "torch", "numpy", "sklearn"}
    assert imported(code) <= allowed | ({"pyarrow"} if own.path.suffix == ".parquet" else set())


def test_scikit_learn_takes_the_rows_as_they_are(own: Own) -> None:
    """The script's ColumnTransformer has the known texts and medians written out."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # texts of the test part only
        exec(sklearn_script(own.run), found)  # noqa: S102
        model = found["model"]
        columns = [column.name for column in own.how.columns]
        rows = own.table.select(columns).to_pandas()
        is_class = bool(own.run.dataset.classes)
        answers = model.predict_proba(rows) if is_class else model.predict(rows)
        own_answers = own.run.predict_proba(rows) if is_class else own.run.predict(rows)
    np.testing.assert_allclose(answers, own_answers, rtol=NEAR, atol=NEAR)


def feeds(run: Run, table: pa.Table) -> dict[str, np.ndarray]:
    """The columns as the ONNX model takes them."""
    how = run.dataset.preprocessing
    if how.is_plain:
        return {"X": encoded(table, how).X}
    found = {}
    for column in how.columns:
        values = plain_column(table[column.name])
        if isinstance(column, CategoryColumn):
            found[column.name] = np.array(texts(values).to_pylist(), dtype=object)
        elif isinstance(column, DateColumn):
            found[column.name] = seconds(values)
        else:
            found[column.name] = numbers(values, column.words)
    return found


def test_onnx_takes_the_columns_as_they_are(own: Own) -> None:
    """Text as strings, dates as seconds, gaps as NaN or empty text: onnxruntime says the same."""
    import onnxruntime

    model = onnx_model(own.run)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    X = encoded(own.table, own.how).X
    is_class = bool(own.run.dataset.classes)
    wanted = own.run.predict_proba(X) if is_class else own.run.predict(X)
    answers = session.run(None, feeds(own.run, own.table))
    np.testing.assert_allclose(answers[-1], wanted, rtol=NEAR, atol=NEAR)
    (kept,) = [entry.value for entry in model.metadata_props if entry.key == "preprocessing"]
    assert Preprocessing.model_validate_json(kept) == own.how


def test_the_calendar_of_onnx_is_numpys() -> None:
    """Every day of the years 1915 to 2079, and moments from the year 385 to 2603, exactly."""
    import onnxruntime
    from onnx import TensorProto, helper

    graph = Graph(["t"])
    names = list(_date_parts(graph, "t").values())
    inputs, *outputs = (
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", 1]) for name in ("t", *names)
    )
    made = helper.make_graph(graph.nodes, "dates", [inputs], outputs, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    days = np.arange(-20_000, 40_000) * 86400.0
    moments = np.concatenate([days, np.random.default_rng(0).uniform(-5e10, 2e10, 20_000)])
    found = np.concatenate(session.run(names, {"t": moments[:, None]}), axis=1)
    assert np.array_equal(found, date_parts(moments))


def odd_cells(codes: Sequence[float], n: int = 240) -> dict[str, list[Any]]:
    """Truth values, one of them a code, floats as codes, and a number with gaps."""
    rng = np.random.default_rng(0)
    dose = rng.choice(codes, n)
    gift, paid = rng.random(n) < 0.5, rng.random(n) < 0.5
    z = 3.0 * gift - 2 * (dose < 1e-4) + paid - 1
    return {
        "gift": gift.tolist(),
        "paid": paid.tolist(),
        "dose": dose.tolist(),
        "num": [None if gap else value for gap, value in zip(rng.random(n) < 0.1, z, strict=True)],
        "y": np.where(z + rng.normal(size=n) > 0, "yes", "no").tolist(),
    }


def scikit_learns(run: Run) -> Any:
    """The model of the script, whose last line prints."""
    found: dict[str, Any] = {}
    exec(sklearn_script(run), found)  # noqa: S102
    return found["model"]


@pytest.mark.filterwarnings("ignore:`num` is missing:UserWarning")
@pytest.mark.parametrize("categories", [(), ("gift",), ("gift", "dose")])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_scikit_learn_reads_a_cell_as_the_run_does(
    tmp_path: Path, ending: str, categories: tuple[str, ...]
) -> None:
    """A data frame's True and 1e-5, and a CSV's true, NA and 1e-5, are what training saw."""
    path, columns = tmp_path / f"odd.{ending}", odd_cells([1e-7, 1e-5, 0.1, 2.0, 1.5e10, -0.0])
    write_table(pa.table(columns), path)
    if ending == "csv":  # with another word for a gap, and a truth value as pandas writes it
        lines = path.read_text().replace(",,", ",NA,").replace("true", "True").splitlines()
        path.write_text("\n".join(lines) + "\n")
    run = fs.fit(path, target="y", categories=categories, epochs=60, lr=0.1, hidden=[3])
    names = list(run.dataset.preprocessing.names)
    model = scikit_learns(run)
    if ending == "csv":
        with path.open(newline="") as file:
            rows = [[row[name] for name in names] for row in csv.DictReader(file)]
        wanted = run.predict_proba(read_table(path, texts=categories))
    else:
        rows = pd.DataFrame(columns)[names]
        wanted = run.predict_proba(rows)
        assert {"True", "1e-05"}.isdisjoint(run.dataset.feature_names)
    np.testing.assert_allclose(model.predict_proba(rows), wanted, rtol=NEAR, atol=NEAR)


@pytest.mark.filterwarnings("ignore:`num` is missing:UserWarning")
@pytest.mark.parametrize("categories", [(), ("gift", "dose")])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_other_exports_read_such_cells_too(
    tmp_path: Path, ending: str, categories: tuple[str, ...]
) -> None:
    """The PyTorch script from the file, to the same losses; ONNX from the texts of the codes."""
    import onnxruntime

    path = tmp_path / f"odd.{ending}"
    write_table(pa.table(odd_cells([1e-7, 1e-5, 0.1, 2.0])), path)
    settings = {"engine": "torch", "epochs": 12, "lr": 0.05, "hidden": [3]}
    run = fs.fit(path, target="y", categories=categories, **settings)
    assert worst_difference(run, ran(pytorch_script(run))) < 1e-5
    table = read_table(path, texts=categories)
    file = onnx_model(run).SerializeToString()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    answers = session.run(None, feeds(run, table))[-1]
    np.testing.assert_allclose(answers, run.predict_proba(table), rtol=NEAR, atol=NEAR)


def test_codes_and_gaps_are_known_in_every_spelling(tmp_path: Path) -> None:
    """3.0 is 3, and NA is no text, in the file and in later rows, for all three exports."""
    import onnxruntime

    rng = np.random.default_rng(0)
    code = rng.choice(["1.0", "2.0", "3.0", ""], 300)
    port = rng.choice(["S", "C", "NA", "1.0"], 300)
    y = (code == "3.0") ^ (port == "NA") ^ (rng.random(300) < 0.1)
    path = tmp_path / "codes.csv"
    rows = [
        f"{c},{p},{'?' if i % 50 == 7 else i},{n:d}"
        for i, (c, p, n) in enumerate(zip(code, port, y, strict=True))
    ]
    path.write_text("\n".join(["code,port,when,y", *rows]) + "\n")
    settings = {"engine": "torch", "epochs": 30, "lr": 0.05, "hidden": [3]}
    run = fs.fit(path, target="y", categories=["code"], **settings)
    assert worst_difference(run, ran(pytorch_script(run))) < 1e-5
    rows = {"code": ["3", "3.0", "NA", "", "7"], "port": ["NA", "", "C", "1", "1.0"]}
    rows["when"] = ["?", "1", "2", "NA", ""]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        wanted = run.predict_proba(rows)
        answers = scikit_learns(run).predict_proba(list(zip(*rows.values(), strict=True)))
    np.testing.assert_allclose(answers, wanted, rtol=NEAR, atol=NEAR)
    fed: dict[str, np.ndarray] = {name: np.array(rows[name], object) for name in ("code", "port")}
    fed["when"] = np.array([np.nan, 1, 2, np.nan, np.nan])
    file = onnx_model(run).SerializeToString()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, fed)[-1], wanted, rtol=NEAR, atol=NEAR)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_numbers_become_the_texts_that_training_saw(kind: type) -> None:
    """As pyarrow writes them, at every power of ten, with every digit; gaps are no text."""
    found: dict[str, Any] = {}
    code = "import numpy as np\nMISSING = ['', 'NA']\n" + _TEXTS.partition("AS_TEXTS")[0]
    exec(code, found)  # noqa: S102
    powers = 10.0 ** np.arange(-12, 16)
    drawn = np.random.default_rng(0).normal(size=(50, 1)) * powers
    values = np.concatenate([powers, -3 * powers, drawn.ravel(), [0.0, -0.0, np.inf]]).astype(kind)
    wanted = texts(pa.chunked_array([values])).to_pylist()
    assert [found["text_of"](value) for value in values] == wanted
    cells = [True, np.False_, 3, np.int8(3), "True", "NA", None, np.nan, pd.NA, pd.NaT]
    known = ["true", "false", "3", "3", "True", "", "", "", "", ""]
    assert [found["text_of"](cell) for cell in cells] == known


@pytest.mark.slow
def test_a_linear_model_is_as_good_as_scikit_learns(own: Own) -> None:
    """On the held-out rows, within a point of the same columns before scikit-learn's own model."""
    made, rows = transformer(own)
    train, test = parts_of(own)
    data = own.run.dataset
    y = np.array(own.table[data.target_name].to_pylist())
    settings = OWN_TABLES[own.name].settings
    fitted = fs.fit(own.path, epochs=3000, lr=0.02, **settings)
    model = LogisticRegression(max_iter=1000) if data.classes else LinearRegression()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        theirs = make_pipeline(made, StandardScaler(), model).fit(rows[train], y[train])
        score = theirs.score(rows[test], y[test])
    ours = fitted.metrics["test_accuracy" if data.classes else "test_r2"]
    assert abs(ours - score) <= max(0.01, 1.001 / len(test))  # of few rows, one is more
