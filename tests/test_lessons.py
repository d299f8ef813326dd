"""Laws of the lessons: they run, keep no outputs, and open as notebooks without harm."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import matplotlib.font_manager
import pytest

import fitscope as fs
import fitscope.lessons
from conftest import Cli
from fitscope.errors import MissingExtraError, OutputError, UnknownNameError
from fitscope.lessons import (
    jupyter,
    lesson_text,
    lessons,
    open_notebook,
    write_notebook,
)
from notebooks import execute

NUMBERS = sorted(lessons())
FILES = sorted(Path(fitscope.lessons.__file__).parent.glob("*.md"))
each_lesson = pytest.mark.parametrize("number", NUMBERS)


@pytest.fixture(scope="module")
def a_used_machine() -> None:
    """What a machine says the first time it compiles or looks for fonts, it has said already."""
    matplotlib.font_manager.findfont("DejaVu Sans")
    fs.fit("gates-and", epochs=1)


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes modules look as if they were not installed, or as if they were."""

    def pretend(*absent: str, present: tuple[str, ...] = ()) -> None:
        def find(name: str) -> object:
            return name in present or (None if name in absent else True)

        monkeypatch.setattr("fitscope.lessons.find_spec", find)

    return pretend


def cells(number: int) -> list[Any]:
    """The cells of a lesson's notebook."""
    return list(jupytext.reads(lesson_text(number), fmt="md:myst").cells)


@pytest.mark.slow
@each_lesson
@pytest.mark.usefixtures("a_used_machine")
@pytest.mark.filterwarnings("default")  # Jupyter's own are none of ours
def test_a_lesson_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell in under a minute altogether, with no error and nothing on stderr."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    notebook = jupytext.reads(lesson_text(number), fmt="md:myst")
    execute(notebook, tmp_path)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [o.text for o in outputs if o.get("name") == "stderr"] == []
    assert any("image/png" in o.get("data", {}) for o in outputs)


@each_lesson
def test_a_lesson_is_kept_as_text_without_outputs(number: int) -> None:
    """Its code is Python in cells, its prose is Markdown, and nothing that it gave is stored."""
    found = cells(number)
    code = [cell for cell in found if cell.cell_type == "code"]
    assert len(code) >= 5
    for cell in code:
        ast.parse(cell.source)
        assert cell.outputs == []
        assert cell.execution_count is None
        assert max(map(len, cell.source.splitlines())) <= 84  # what fits beside a page's margins
    assert "data:image" not in lesson_text(number)


@each_lesson
def test_a_lesson_asks_and_ends_with_something_to_try(number: int) -> None:
    """Each question has one answer, folded away; no formula needs more than text."""
    text = lesson_text(number)
    assert text.count("**Question.**") >= 3
    folded = text.count("<details><summary>Answer</summary>\n\n")
    assert text.count("**Question.**") == folded == text.count("\n\n</details>\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE)[-1] == "Try it"
    assert "$" not in text


@each_lesson
def test_a_lesson_uses_the_public_door(number: int) -> None:
    """It imports what a user would: fitscope and its plots, numpy, pyplot, scikit-learn, torch."""
    allowed = r"(fitscope|numpy|matplotlib|sklearn\.\w+|torch|statistics)"
    for cell in cells(number):
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
                assert [name for name in names if not re.fullmatch(allowed, name)] == []


def test_lessons_are_numbered_from_1() -> None:
    """Each file is a lesson, and its heading has the number of its name."""
    assert list(range(1, len(FILES) + 1)) == NUMBERS
    for number, file in enumerate(FILES, start=1):
        assert file.name.startswith(f"{number}-")
        assert f"\n# {number}. {lessons()[number].title}\n" in file.read_text(encoding="utf-8")


def test_the_command_lists_the_lessons(cli: Cli) -> None:
    """One line each, with the title; as JSON also with what it is about."""
    status, out, err = cli("lesson")
    assert (status, err) == (0, "")
    for number, lesson in lessons().items():
        assert re.search(rf"^{number} +{re.escape(lesson.title)} *$", out, re.MULTILINE)
    facts = json.loads(cli("lesson", "--json").out)
    assert [lesson["number"] for lesson in facts["lessons"]] == NUMBERS
    assert all(len(lesson["about"]) > 20 for lesson in facts["lessons"])


def test_the_command_writes_a_notebook(cli: Cli) -> None:
    """`--no-open` leaves a notebook that has not been run, with all cells of the lesson."""
    assert cli("lesson", "1", "--no-open") == (0, "Written to lesson-1.ipynb.\n", "")
    notebook = jupytext.read("lesson-1.ipynb")
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in cells(1)]
    assert notebook.metadata["kernelspec"]["name"] == "python3"


def test_a_notebook_that_is_there_is_kept(cli: Cli) -> None:
    """A learner's own changes are never written over; the command says so."""
    Path("lesson-1.ipynb").write_text("mine", encoding="utf-8")
    status, out, _ = cli("lesson", "1", "--no-open")
    assert (status, out) == (0, "lesson-1.ipynb is there already and stays as it is.\n")
    assert Path("lesson-1.ipynb").read_text(encoding="utf-8") == "mine"
    facts = json.loads(cli("lesson", "1", "--no-open", "--json").out)
    assert facts == {"file": "lesson-1.ipynb", "written": False}


def test_the_command_opens_the_notebook(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written first, and what Jupyter ends with is the command's status."""
    seen = []
    monkeypatch.setattr("fitscope.lessons.jupyter", lambda: "jupyterlab")
    monkeypatch.setattr("fitscope.lessons.open_notebook", lambda path: seen.append(path) or 7)
    assert cli("lesson", "1").status == 7
    assert seen == [Path("lesson-1.ipynb")]
    assert Path("lesson-1.ipynb").exists()


def test_an_unknown_lesson_is_said_in_one_sentence(cli: Cli) -> None:
    """On stderr, with the lessons there are, and nothing is written."""
    status, out, err = cli("lesson", "99", "--no-open")
    assert (status, out) == (2, "")
    assert err == f"Error: There is no lesson 99; there are lessons 1 to {len(NUMBERS)}.\n"
    assert not Path("lesson-99.ipynb").exists()
    with pytest.raises(UnknownNameError, match="There is no lesson 0"):
        lesson_text(0)


def test_without_jupyter_the_command_says_how(cli: Cli, missing: Callable[..., None]) -> None:
    """One sentence with the line that installs it; nothing is written, and unknown comes first."""
    missing("jupyterlab", "notebook")
    status, out, err = cli("lesson", "1")
    assert (status, out) == (2, "")
    assert err.startswith("Error: A lesson opens in Jupyter, which is not installed (pip install ")
    assert not Path("lesson-1.ipynb").exists()
    assert "There is no lesson 99" in cli("lesson", "99").err


def test_without_jupytext_it_says_how(missing: Callable[..., None]) -> None:
    """The pip line names the extra that brings it."""
    missing("jupytext")
    with pytest.raises(MissingExtraError, match=r'pip install "fitscope\[lessons\]" jupyterlab'):
        write_notebook(1, "one.ipynb")


@pytest.mark.parametrize(("absent", "page"), [((), "jupyterlab"), (("jupyterlab",), "notebook")])
def test_the_better_jupyter_is_taken(
    absent: tuple[str, ...], page: str, missing: Callable[..., None]
) -> None:
    """JupyterLab before Jupyter Notebook."""
    missing(*absent)
    assert jupyter() == page


def test_a_notebook_that_cannot_be_written_is_said() -> None:
    """As an error of ours, with the reason."""
    with pytest.raises(OutputError, match=r"Cannot write no/folder/1\.ipynb: No such file"):
        write_notebook(1, "no/folder/1.ipynb")


def test_ctrl_c_is_left_to_jupyter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command stays until Jupyter has ended, which asks before it does."""
    said: list[object] = []

    class Page:
        """Is interrupted once, then ends."""

        def __init__(self, command: list[str]) -> None:
            said.append(command)

        def wait(self) -> int:
            said.append("waited")
            if said.count("waited") == 1:
                raise KeyboardInterrupt
            return 3

    monkeypatch.setattr("fitscope.lessons.jupyter", lambda: "jupyterlab")
    monkeypatch.setattr(subprocess, "Popen", Page)
    assert open_notebook("a.ipynb") == 3
    assert said == [[sys.executable, "-m", "jupyterlab", "a.ipynb"], "waited", "waited"]
