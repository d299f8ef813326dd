"""The PyTorch script of a run: it trains the same network, and holds nothing that it needs not."""

import ast
import contextlib
import dataclasses
import io
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch

import fitscope as fs
from fitscope.catalogue import DATASETS
from fitscope.export import pytorch_script
from fitscope.export.source import literal, plain
from fitscope.outcomes import Outcome
from fitscope.records import Run

SMALL = {"epochs": 3}
SETS: dict[str, dict[str, Any]] = {
    "gates": {"gate": "or", "n_samples": 42, "test_fraction": 0.3, "split_seed": 3},
    "gaussians": {"n_samples": 41, "noise": 0.5, "points": [[0.5, 1, 1], [2, 2.25, 0]]},
    "threshold": {"n_samples": 30, "w": -2.0, "b": 0.5, "points": [[0.5, 1]]},
    "step": {"n_samples": 21, "standardize": True},
    "rings": {"n_samples": 51, "points": [[0.1, 2, 1]], "test_fraction": 0.2},
    "polynomial": {"n_samples": 64, "degree": 2, "noise": 0.5, "data_seed": 7, "init": "torch"},
    "sine": {"n_samples": 33, "flipped": True, "noise": 0.1, "points": [[0.25, -1.5]]},
    "moons": {"n_samples": 40, "noise": 0.3, "standardize": True},
    "circles": {"n_samples": 40, "test_fraction": 0.25},
    "spirals": {"n_samples": 43, "n_classes": 3},
    "blobs": {"n_samples": 50, "n_classes": 3, "test_fraction": 0.3, "standardize": True},
    "points": {"points": [[0, 0, 0], [1, 1, 2], [0.5, 2, 5], [3, 0.125, 2]]},
    "iris": {},
    "wine": {"test_fraction": 0.0},
    "breast-cancer": {"features": ["mean radius", "mean area"]},
    "digits": {"batch_size": 300},
    "diabetes": {"hidden": [2]},
}
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {"batch_size": 9, "seed": 5, **SMALL, **more}) for name, more in SETS.items()),
    *(
        ("blobs", {"n_samples": 40, "n_classes": n, "loss": loss, "hidden": [3], **SMALL})
        for n in (2, 4)
        for loss in ("cross_entropy", "mse")
    ),
    *(
        ("sine", {"loss": loss, "batch_size": 64, "hidden": [4], **SMALL})
        for loss in ("mse", "smooth_l1", "relative")
    ),
    ("polynomial", {"n_samples": 64, "standardize": True, "test_fraction": 0.25, "lr": 0.01}),
    ("threshold", {"n_samples": 40, "standardize": True, **SMALL}),
    ("moons", {"optimizer": "sgd", "momentum": 0.5, "nesterov": True, "weight_decay": 0.1}),
    ("moons", {"optimizer": "sgd", "momentum": 0.9, "shuffle": False, "batch_size": 150, **SMALL}),
    ("moons", {"optimizer": "adamw", "hidden": [3, 2], "activation": "tanh", **SMALL}),
    ("moons", {"optimizer": "adamw", "weight_decay": 0.1, "init": "zeros", **SMALL}),
    ("moons", {"optimizer": "rmsprop", "hidden": [3], "activation": "relu", **SMALL}),
    ("moons", {"hidden": [4], "activation": "identity", "init": "ones", **SMALL}),
    ("moons", {"hidden": [9], "init": [0.01 * i - 0.1 for i in range(37)], **SMALL}),
    ("moons", {"init": [1, -2, 3], "batch_size": 64, "stop_below": 0.6, "epochs": 200}),
    ("moons", {"stop_below": 0.6, "lr": 0.1, "epochs": 200}),
    ("moons", {"patience": 3, "test_fraction": 0.4, "lr": 0.5, "epochs": 400}),
    ("moons", {"batch_size": 64, "epochs": 1}),
    ("moons", {"batch_size": 1000, "hidden": [3], "loss": "mse", "epochs": 7}),
    ("moons", {"optimizer": "newton", "init": "zeros"}),
    ("moons", {"optimizer": "newton", "l2": 0.01, "init": [40, -30, 9], "test_fraction": 0.2}),
    ("iris", {"optimizer": "newton"}),
    ("iris", {"optimizer": "newton", "l2": 0.01, "epochs": 4}),
    ("diabetes", {"optimizer": "newton", "l2": 0.1}),
    ("moons", {"optimizer": "lbfgs"}),
    ("iris", {"optimizer": "lbfgs", "l2": 0.01, "hidden": [3], "epochs": 20}),
    ("sine", {"optimizer": "lbfgs", "loss": "smooth_l1", "hidden": [3], "epochs": 30}),
    ("iris", {"optimizer": "lbfgs", "loss": "mse", "epochs": 9}),
    ("iris", {"features": ["petal length (cm)", "petal width (cm)"], "loss": "mse", **SMALL}),
    ("iris", {"target": "sepal width (cm)", "hidden": [2], **SMALL}),
    ("breast-cancer", {"loss": "mse", "batch_size": 100, **SMALL}),
    ("diabetes", {"target": "bmi", "task": "regression", "standardize": False, **SMALL}),
    ("digits", {"target": "pixel_0_1", "task": "regression", **SMALL}),
    ("digits", {"task": "regression", **SMALL}),
]


def ran(code: str) -> str:
    """What a script prints, run in this process."""
    threads = torch.get_num_threads()
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "script", "exec"), {"__name__": "__main__"})  # noqa: S102
    torch.set_num_threads(threads)
    return out.getvalue()


def worst_difference(run: Run, printed: str) -> float:
    """The largest relative difference of the losses that a script printed."""
    pairs = [
        (float(loss), run.train_loss[int(epoch)])
        for epoch, loss in re.findall(
            r"after (\d+) (?:epochs|iterations): train loss (\S+)", printed
        )
    ]
    pairs += [
        (float(loss), run.batch_loss[int(step)])
        for step, loss in re.findall(r"after (\d+) updates: batch loss (\S+)", printed)
    ]
    assert pairs
    last = printed.splitlines()[-1]
    (train,) = re.findall(r"^final train loss ([^,\s]+)", last)
    pairs.append((float(train), run.train_loss[-1]))
    pairs += [(float(x), run.test_loss[-1]) for x in re.findall(r", test loss (\S+)$", last)]
    assert len(re.findall("test loss", last)) == (run.dataset.n_test > 0)
    return max(abs(float(got) / float(loss) - 1) for got, loss in pairs)


def imported(code: str) -> set[str]:
    """The packages that a script imports."""
    nodes = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Import | ast.ImportFrom)]
    names = [n.module or "" if isinstance(n, ast.ImportFrom) else n.names[0].name for n in nodes]
    return {name.split(".")[0] for name in names}


@pytest.fixture(scope="module")
def formatted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Checks scripts as ruff does without settings, but for the length of a line."""
    folder = tmp_path_factory.mktemp("scripts")

    def check(code: str) -> str:
        path = folder / "script.py"
        path.write_text(code, encoding="utf-8")
        told = ""
        for what in (["format", "--diff", "--line-length", "100"], ["check", "--select=E,F,W,I"]):
            more = ["--line-length", "100"] if what[0] == "check" else []
            command = [sys.executable, "-m", "ruff", *what, *more, "--isolated", "--quiet", path]
            told += subprocess.run(command, check=False, capture_output=True, text=True).stdout
        return told

    return check


@pytest.mark.slow
@pytest.mark.parametrize("name", fs.experiments())
def test_every_experiment_runs_in_a_process_of_its_own(name: str) -> None:
    """`python script.py` prints the losses of the engine torch to 1e-6; nothing else is there."""
    run = fs.fit(name, engine="torch", epochs=min(fs.experiment(name).training.epochs, 500))
    code = pytorch_script(run)
    Path("script.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "script.py"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert worst_difference(run, done.stdout) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "settings"), OPTIONS, ids=lambda x: x if isinstance(x, str) else " ".join(x)
)
def test_every_setting_is_in_the_script(
    source: str, settings: dict[str, Any], formatted: Any
) -> None:
    """Data, start, batches and steps of the engine torch, to 1e-5; laid out as ruff does."""
    run = fs.fit(source, engine="torch", **settings)
    code = pytorch_script(run)
    assert worst_difference(run, ran(code)) < 1e-5
    assert formatted(code) == ""
    assert imported(code) - {"torch", "numpy", "sklearn"} == (
        {"scipy"} if settings.get("optimizer") == "lbfgs" else set()
    )
    uses_sklearn = "load_" in code or "make_" in code or "train_test_split" in code
    assert ("sklearn" in imported(code)) == uses_sklearn


def test_every_data_set_is_tried() -> None:
    """A new data set needs a script, too."""
    assert set(SETS) == set(DATASETS) - {"table", "arrays"}


@pytest.mark.slow
def test_the_end_of_the_fused_engine_is_as_near() -> None:
    """The script follows a fused run, too, as far as roundings do not grow."""
    for name in ("bad-start", "gates-or", "gaussians", "threshold-sgd"):
        run = fs.fit(name)
        assert run.engine == "fused"
        assert worst_difference(run, ran(pytorch_script(run))) < 1e-5


@pytest.mark.slow
def test_parameters_end_where_those_of_the_run_do() -> None:
    """Not the loss alone: every weight and bias."""
    run = fs.fit("gates-xor-hidden", engine="torch", epochs=20)
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(pytorch_script(run), names)  # noqa: S102
    found = torch.nn.utils.parameters_to_vector(names["model"].parameters()).detach().numpy()
    np.testing.assert_allclose(found, run.params[-1], rtol=1e-5)


@pytest.mark.parametrize(
    ("source", "settings", "absent"),
    [
        ("rings-3", {}, "batch test scal split std shuffle MOMENTUM STOP Sequential(nn POINTS"),
        ("bad-start", {}, "randperm SEED test Sequential n_disc"),
        ("gates-and", {}, "zip( std STOP W_ nn.Sequential"),
        ("polynomial", {}, "EPOCHS epoch numpy NOISE"),
        ("sine-10", {}, "NOISE DATA_SEED batch accuracy test"),
        ("threshold-sgd", {}, "numpy randperm sklearn"),
        ("iris", {"standardize": False}, "std"),
    ],
)
def test_nothing_stands_there_unused(source: str, settings: dict[str, Any], absent: str) -> None:
    """No batches for a full batch, no test part where there is none, no seed that draws nothing."""
    code = pytorch_script(fs.fit(source, **{"epochs": 2, **settings} if settings else {"lr": 0.01}))
    code = code.split('"""', 2)[2]
    assert [word for word in absent.split() if word in code] == []


def test_arrays_are_written_out_if_they_are_few(formatted: Any) -> None:
    """Up to 200 rows stand in the script, as the network saw them."""
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30) * 100
    for settings in ({}, {"standardize": True, "test_fraction": 0.2}):
        run = fs.fit((X, y), engine="torch", hidden=[2], **SMALL, **settings)
        code = pytorch_script(run)
        printed = ran(code)
        assert worst_difference(run, printed) < 1e-5
        part = "train " if settings else ""
        rmse = float(re.findall(rf"rmse {part}([\d.]+)", printed)[0])
        assert rmse == pytest.approx(run.metrics["train_rmse"], rel=1e-3)
        assert formatted(code) == ""
        assert "open(" not in code


@pytest.mark.parametrize("classes", [None, 2, 3])
def test_many_arrays_are_read_from_the_run_file(classes: int | None, formatted: Any) -> None:
    """The script takes them out of the safetensors file by plain Python."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(210, 3))
    y = X[:, 0] if classes is None else np.arange(210) % classes
    run = fs.fit((X, y), engine="torch", test_fraction=0.1, standardize=True, **SMALL)
    run.save("my run.safetensors")
    code = pytorch_script(run, run_file="my run.safetensors")
    assert worst_difference(run, ran(code)) < 1e-5
    assert formatted(code) == ""
    assert imported(code) == {"json", "numpy", "torch"}


def test_arrays_that_are_nowhere_are_told() -> None:
    """A run that was saved without its data cannot be made again."""
    run = fs.fit(([[0.0], [1.0]], [0, 1]), epochs=1)
    run = dataclasses.replace(run, dataset=run.dataset.without_arrays())
    with pytest.raises(fs.FitscopeError, match="Save the run with its data"):
        pytorch_script(run)


TABLES = {
    "text": ("a,b,kind", lambda i: f"{i / 7},{i % 5},{'yes' if i % 3 else 'no'}"),
    "words with marks": ('"a;1",b,"the kind, so"', lambda i: f'{i / 7},{i % 5},"c,{i % 3}"'),
    "semicolons": ("a;b;kind", lambda i: f"{i / 7};{i * i % 5};{i % 4 + 1}"),
    "numbers out of order": ("a\tb\tkind", lambda i: f"{i / 7}\t{i * i % 5}\t{[9, 10, -2][i % 3]}"),
    "true and false": (
        "a|b|kind",
        lambda i: f"{i / 7}|{'TRUE' if i % 3 else 'false'}|{i % 2 == 0}",
    ),
    "values": ("a,b,kind", lambda i: f"{i / 7},{i % 2},{i * 1.37}"),
    "with a text column": ("a,b,c,kind", lambda i: f"{i / 7},x{i},{i % 5},{i * 1.5}"),
    "fractions": ("a,b,kind", lambda i: f"{i / 7},{i * i % 5},{0.5 + i % 2}"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_csv_table_is_read_as_fitscope_reads_it(name: str, formatted: Any) -> None:
    """Separators, quotes, marks of the encoding, truth values, labels that are numbers."""
    header, row = TABLES[name]
    lines = "\r\n".join([header, *(row(i) for i in range(40))])
    Path("Anna's table.csv").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    target = "the kind, so" if "marks" in name else "kind"
    run = fs.fit("Anna's table.csv", target=target, engine="torch", batch_size=11, **SMALL)
    code = pytorch_script(run)
    assert worst_difference(run, ran(code)) < 1e-5
    assert formatted(code) == ""
    assert imported(code) <= {"csv", "re", "torch", "numpy", "sklearn"}


@pytest.mark.parametrize("kind", ["text", "numbers", "truth"])
def test_a_parquet_table_takes_pyarrow(kind: str, formatted: Any) -> None:
    """Which nothing else can read."""
    i = np.arange(40)
    y = {"text": np.array(["b", "a", "c"])[i % 3], "numbers": i * 1.5, "truth": i % 3 == 0}[kind]
    table = pa.table({"x": i / 7, "flag": i % 2 == 0, "kind": pa.array(y)})
    pa.parquet.write_table(table, "t.parquet")
    run = fs.fit("t.parquet", target="kind", engine="torch", **SMALL)
    code = pytorch_script(run)
    assert worst_difference(run, ran(code)) < 1e-5
    assert formatted(code) == ""
    assert "pyarrow" in imported(code)


def test_names_cannot_break_out_of_the_script() -> None:
    """Titles, columns and paths that hold quotes, line ends or code stay text."""
    evil = '"""\nraise SystemExit(1)\n"""\\'
    e = fs.experiment("bad-start", epochs=2)
    e = e.model_copy(update={"title": evil, "about": "\u2028 # \r\nraise SystemExit(2)"})
    run = fs.fit(e, engine="torch")
    assert worst_difference(run, ran(pytorch_script(run))) < 1e-5
    name = "a'\\b\rimport os"
    quoted = name.replace('"', '""')
    Path("t.csv").write_text(f'x,"{quoted}"\n' + "".join(f"{i},{i % 2}\n" for i in range(20)))
    data = fs.fit("t.csv", target=name, **SMALL).dataset
    code = pytorch_script(fs.fit(data, engine="torch", **SMALL))
    assert imported(code) <= {"csv", "torch", "numpy", "sklearn"}
    assert ast.literal_eval(literal(evil)) == evil
    assert plain(evil) == "''' raise SystemExit(1) '''/"


@pytest.mark.parametrize("settings", [{}, {"batch_size": 100}, {"batch_size": 100, "epochs": 1}])
def test_a_run_that_diverges_says_so(settings: dict[str, Any]) -> None:
    """The script ends where the run did, with a sentence."""
    start = {"lr": 1e6, "optimizer": "sgd", "init": [1e30, 1.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = fs.fit("sine", engine="torch", **{"epochs": 9, **start, **settings})
    assert run.outcome is Outcome.DIVERGED
    code = pytorch_script(run)
    assert "It diverges" in " ".join(code.split())
    with pytest.raises(SystemExit, match=r"diverged after 0 .*try a smaller LR"):
        ran(code)


@pytest.mark.slow
def test_an_interrupted_run_is_trained_to_its_end() -> None:
    """And its script says that it goes further."""
    run = fs.fit("bad-start", engine="torch", progress=lambda done, *_: done >= 30)
    assert run.outcome is Outcome.INTERRUPTED
    code = pytorch_script(run)
    assert "The run was interrupted after 30; this trains to the end." in " ".join(code.split())
    whole = fs.fit("bad-start", engine="torch")
    assert worst_difference(whole, ran(code)) < 1e-5
