"""What every test shares: checked shapes and types, and the published figures."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Before any test imports fitscope: its numbers' shapes and types are checked in every call.
NUMERIC = ["own", "activation", "records", "network", "data", "analysis", "plot"]
# Of fs.attach what lies behind its door, which has a sentence of its own for each wrong type.
NUMERIC += [f"attached.{name}" for name in ("samples", "stack", "watched", "result")]
# Not the compiled files: numba reads their functions as they are written.
NUMERIC += [
    f"train.{name}"
    for name in (
        "plan",
        "recorder",
        "torch_loop",
        "fused",
        "single",
        "population",
        "starts",
        "objectives",
        "solvers",
    )
]
install_import_hook([f"fitscope.{name}" for name in NUMERIC], "checked.outer")

# Continuous integration tries the same examples every time; a person's runs go on looking.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# The first test that trains on a new machine compiles, which no other test wants to be told.
logging.getLogger("fitscope").setLevel(logging.ERROR)

FIGURES = json.loads(Path(__file__).with_name("figures.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def figures() -> dict[str, Any]:
    """Figures of the reference notebooks, printed there or measured by running their code."""
    return FIGURES


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """The warnings of fitscope's logger, as they come."""
    said: list[str] = []
    logger, handler = logging.getLogger("fitscope"), logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    yield said
    logger.setLevel(level)
    logger.removeHandler(handler)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that writes to the current folder writes to the test's own."""
    monkeypatch.chdir(tmp_path)


class Answer(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


Cli = Callable[..., Answer]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Runs the command line in this process, on a wide terminal."""
    from fitscope.cli import main

    monkeypatch.setenv("COLUMNS", "400")

    def run(*args: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["fitscope", *args])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        status = exit_.value.code
        return Answer(status if isinstance(status, int) else 0, *capfd.readouterr())

    return run
