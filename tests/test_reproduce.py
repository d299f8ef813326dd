"""How to get a run again: the command and the Python that a report prints do what they say."""

import contextlib
import dataclasses
import io
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitscope as fs
from fitscope.cli import main
from fitscope.export import command_line, python_snippet
from fitscope.records import Run

pytestmark = pytest.mark.slow

SMALL = {"epochs": 2}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("bad-start", {}),
    ("bad-start", {"init": "torch", "seed": 5, "shuffle": True, **SMALL}),
    ("bad-start", {"batch_size": None, "hidden": [2], "init": "ones", **SMALL}),
    ("bad-start", {"init": [-1e-7, 2.5], "lr": 0.1 + 0.2, "stop_below": 1e-3, **SMALL}),
    ("gates-xor-hidden", {"hidden": [], "test_fraction": 0.0, "gate": "or", **SMALL}),
    ("polynomial", {"degree": 2, "init": "zeros", "n_samples": 64, "data_seed": 7}),
    ("threshold-sgd", {"w": -2.0, "b": 0.5, "n_samples": 40, **SMALL}),
    ("sine-10", {"flipped": True, "standardize": True, "activation": "tanh", **SMALL}),
    ("moons", {"noise": 0.3, "test_fraction": 0.25, "split_seed": 3, **SMALL}),
    ("blobs", {"n_classes": 3, "n_samples": 50, "loss": "mse", **SMALL}),
    ("gates-or", {"points": [[0.1 + 0.2, -1e-7, 1], [-2, 1e30, 0]], **SMALL}),
    ("points", {"points": "-0.5,1,1; 2,2,0", "standardize": True, **SMALL}),
    ("gates", {"optimizer": "sgd", "momentum": 0.5, "nesterov": True, **SMALL}),
    ("iris", {"features": ["sepal length (cm)", "petal width (cm)"], "hidden": [3], **SMALL}),
    ("wine", {"standardize": False, "weight_decay": 0.01, "batch_size": 50, **SMALL}),
    ("diabetes", {"target": "bmi", "task": "regression", **SMALL}),
    ("table", {"target": "the kind", **SMALL}),
    ("table", {"target": "a,b", "test_fraction": 0.0, "standardize": False, **SMALL}),
    ("table", {"target": "the kind", "features": ["-x"], "task": "multiclass", **SMALL}),
    ("table", {"target": "the kind", "features": ["a,b", "-x"], **SMALL}),
    ("table", {"target": "a,b", "drop": ["-x"], **SMALL}),
]


@pytest.fixture(params=CASES, ids=lambda case: " ".join([case[0], *map(str, case[1])]))
def run(request: pytest.FixtureRequest) -> Run:
    """A run of each case; a table's file has a space and a quote in its name."""
    source, settings = request.param
    if source == "table":
        source = "Anna's table.csv"
        rows = "".join(f"{np.sin(i)},{np.cos(i)},{'yn'[i % 2]}\n" for i in range(30))
        Path(source).write_text('-x,"a,b",the kind\n' + rows)
    return fs.fit(source, **settings)


def _unnamed(run: Run) -> Run:
    """The run without its title and story, which say where it came from and not what it is."""
    e = run.experiment.model_copy(update={"title": "", "about": ""})
    return dataclasses.replace(run, experiment=e)


def test_the_command_gives_the_same_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed into a shell, the command gives the run again, bit for bit."""
    program, *args = shlex.split(command_line(run))
    assert program == "fitscope"
    monkeypatch.setattr(sys, "argv", ["fitscope", *args, "--out", "again", "--no-report"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code
    assert _unnamed(fs.load("again/run.safetensors")) == _unnamed(run)


def test_the_python_gives_the_same_run(run: Run) -> None:
    """Pasted into Python, the snippet gives the run again, bit for bit, and prints how it ended."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(python_snippet(run), names)  # noqa: S102 (that it runs is the law)
    assert _unnamed(names["run"]) == _unnamed(run)
    assert out.getvalue().startswith(run.ending)


def test_arrays_have_python_and_no_command() -> None:
    """Data in memory cannot be named in a command; the Python says where it goes."""
    X, y = np.random.RandomState(0).normal(size=(30, 2)), np.arange(30) % 2
    run = fs.fit((X, y), hidden=[2], test_fraction=0.2, standardize=True, epochs=2)
    assert command_line(run) == ""
    names: dict[str, Any] = {"X": X, "y": y}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(python_snippet(run), names)  # noqa: S102
    assert _unnamed(names["run"]) == _unnamed(run)


@pytest.mark.parametrize(
    ("source", "settings", "command"),
    [
        ("bad-start", {}, "fitscope fit bad-start"),
        ("rings-3", {"epochs": 2}, "fitscope fit rings-3 --epochs 2"),
        ("rings-3", {"epochs": 2, "hidden": [5]}, "fitscope fit rings-5 --epochs 2"),
        ("moons", {"epochs": 2, "hidden": [3, 3]}, "fitscope fit moons --epochs 2 --hidden 3,3"),
        ("gates-and", {"epochs": 2, "hidden": []}, "fitscope fit gates-and --epochs 2"),
        ("bad-start", {"batch_size": None}, "fitscope fit bad-start --batch-size none"),
        ("bad-start", {"points": [[-1, 0.0]]}, "fitscope fit bad-start --points -1,0"),
        ("bad-start", {"shuffle": True}, "fitscope fit bad-start --shuffle"),
        ("moons", {"epochs": 2, "shuffle": False}, "fitscope fit moons --epochs 2 --no-shuffle"),
    ],
)
def test_the_command_is_the_shortest(source: str, settings: dict[str, Any], command: str) -> None:
    """Only what differs is said, from the built-in experiment that needs the least said."""
    assert command_line(fs.fit(source, **settings)) == command
