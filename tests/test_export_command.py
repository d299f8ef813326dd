"""`fitscope export`: each kind of file is what its name says, and a sentence where it cannot be."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

import fitscope as fs
from fitscope.export import pytorch_script, replay_html, trajectory_table
from fitscope.network import parameter_names


@pytest.fixture
def saved() -> str:
    """A run in a folder of its own, as `fit` leaves it."""
    Path("and").mkdir()
    fs.fit("gates-and", epochs=3).save("and/run.safetensors")
    return "and"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "name", "holds"),
    [
        ("html", "and.html", b"<!doctype html>"),
        ("pytorch", "and.py", b"import torch"),
        ("gif", "and.gif", b"GIF89a"),
        ("sklearn", "and-sklearn.py", b"net = LogisticRegression()"),
        ("onnx", "and.onnx", b"probabilities"),
        ("state_dict", "and-state_dict.safetensors", b'"0.weight"'),
    ],
)
def test_an_export_lies_beside_its_run(
    cli: Any, saved: str, to: str, name: str, holds: bytes
) -> None:
    """It is named as the folder; the answer says where it is."""
    answer = cli("export", saved, "--to", to)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.endswith(f" written to and/{name}.\n")
    assert holds in Path(f"and/{name}").read_bytes()
    assert sorted(p.name for p in Path().rglob("*.*")) == sorted([name, "run.safetensors"])


def test_a_run_file_of_its_own_gives_the_name(cli: Any) -> None:
    """own.safetensors becomes own.py, and the run in the current folder is named as that."""
    fs.fit("bad-start", epochs=2).save("own.safetensors")
    assert json.loads(cli("export", "own.safetensors", "--to", "pytorch", "--json").out) == {
        "to": "pytorch",
        "file": "own.py",
    }
    Path("own.safetensors").rename("run.safetensors")
    assert cli("export", ".", "--to", "csv").status == 0
    assert Path(f"{Path.cwd().name}.csv").exists()


@pytest.mark.slow
def test_the_script_and_the_page_are_those_of_python(cli: Any, saved: str) -> None:
    """The command adds nothing, and the script runs."""
    run = fs.load(saved)
    cli("export", saved, "-o", "a.py")
    cli("export", saved, "-o", "a.html")
    assert Path("a.py").read_text(encoding="utf-8") == pytorch_script(run)
    assert Path("a.html").read_text(encoding="utf-8") == replay_html(run)
    done = subprocess.run([sys.executable, "a.py"], capture_output=True, text=True, check=True)
    assert f"final train loss {run.train_loss[-1]:.4f}" in done.stdout


def test_a_script_reads_the_run_that_was_exported(cli: Any) -> None:
    """Many samples that were given in memory are only in the run's file."""
    X = np.random.RandomState(0).normal(size=(300, 2))
    fs.fit((X, X[:, 0] > 0), epochs=2).save("many.safetensors")
    cli("export", "many.safetensors", "--to", "pytorch")
    assert 'RUN_FILE = "many.safetensors"' in Path("many.py").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("source", ["bad-start", "rings-3", "iris"])
def test_a_film_shows_the_view_that_fits(cli: Any, source: str) -> None:
    """One input, two, or more: there is a film of each."""
    fs.fit(source, epochs=2).save("run.safetensors")
    assert cli("export", ".", "-o", "a.gif").status == 0
    with Image.open("a.gif") as film:
        assert film.n_frames > 1


def test_the_table_has_every_recorded_step(cli: Any, saved: str) -> None:
    """Parameters by their names; batch losses but for the end; losses at the ends of epochs."""
    run = fs.load(saved)
    assert cli("export", saved, "-o", "a.csv").out == (
        "Table of all recorded steps written to a.csv.\n"
    )
    rows = list(csv.DictReader(Path("a.csv").read_text(encoding="utf-8").splitlines()))
    names = parameter_names(run.layer_sizes)
    assert list(rows[0]) == ["step", *names, "batch_loss", "train_loss", "test_loss"]
    assert [int(row["step"]) for row in rows] == run.steps.tolist()
    found = np.array([[float(row[name]) for name in names] for row in rows], dtype=np.float32)
    assert (found == run.params).all()
    batches = [row["batch_loss"] for row in rows]
    assert batches[-1] == ""
    assert (np.array(batches[:-1], dtype=np.float32) == run.batch_loss).all()
    for part in ("train_loss", "test_loss"):
        ends = [row[part] for row in rows]
        assert (np.array(ends[:: run.updates_per_epoch], np.float32) == getattr(run, part)).all()
        assert sum(end != "" for end in ends) == 4
    cli("export", saved, "--to", "csv", "-o", "a.parquet")
    assert pyarrow.parquet.read_table("a.parquet").equals(trajectory_table(run))


@pytest.mark.slow
def test_a_thinned_run_keeps_the_losses_of_its_own_steps() -> None:
    """Each loss stands at its step, also where steps were left out and the end is no full epoch."""
    run = fs.fit("threshold-sgd", engine="torch", keep_bytes=2000)
    table = trajectory_table(run).to_pydict()
    assert len(run.steps) < len(run.batch_loss)
    for step, batch, train in zip(
        *(table[n] for n in ("step", "batch_loss", "train_loss")), strict=True
    ):
        assert batch == (run.batch_loss[step] if step < len(run.batch_loss) else None)
        assert train == (None if step % 80 else run.train_loss[step // 80])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["and"],
            "onnx, state_dict, gif, csv), or where with --out.",
        ),
        (["and", "--to", "pdf"], "pdf"),
        (
            ["and", "-o", "a.pdf"],
            ".py, .onnx, .safetensors, .gif, .csv, .parquet; got a.pdf",
        ),
        (
            ["and", "--to", "csv", "-o", "a.py"],
            "--to csv writes ends in .csv or .parquet; got a.py",
        ),
        (["nope", "--to", "html"], "Cannot read nope"),
        (["and", "-o", "none/a.py"], "Cannot write none/a.py"),
        (["and", "-o", "none/a.csv"], "Cannot write none/a.csv"),
        (["empty", "--to", "pytorch"], "the run was saved without it"),
    ],
)
def test_a_wrong_input_is_one_sentence(
    cli: Any, saved: str, arguments: list[str], message: str
) -> None:
    """On stderr, with exit status 2, and nothing is written."""
    if arguments[0] == "empty":
        fs.fit(([[0.0], [1.0]], [0, 1]), epochs=1).save("empty", data=False)
    answer = cli("export", *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("Error: ")
    assert message in answer.err
    assert answer.err.count("\n") == 1
    assert [path.name for path in Path().rglob("*.*")] == ["run.safetensors"]


def test_the_run_itself_is_never_overwritten(cli: Any) -> None:
    """Whatever its file is called."""
    fs.fit("bad-start", epochs=2).save("run.py")
    before = Path("run.py").read_bytes()
    for arguments in (["--to", "pytorch"], ["-o", "run.py"], ["-o", "./run.py"]):
        answer = cli("export", "run.py", *arguments)
        assert answer.status == 2
        assert "is the run itself; name another file." in answer.err
    assert Path("run.py").read_bytes() == before
