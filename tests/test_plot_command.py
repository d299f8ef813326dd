"""`fitscope plot`: every view of a run to a file, and a sentence where that cannot be."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import fitscope as fs
from fitscope.plot import VIEWS
from fitscope.plot.files import save_figure


@pytest.fixture
def saved() -> str:
    """A run file in a folder of its own."""
    Path("r").mkdir()
    fs.fit("gates-and", epochs=3).save("r/run.safetensors")
    return "r"


def test_the_list_has_a_line_for_each_view_of_a_run(cli: Any) -> None:
    """Its name and what it shows; views of other things are left out."""
    answer = cli("plot", "--list")
    assert answer.status == 0
    names = [line.split()[0] for line in answer.out.splitlines() if re.match(r"\w+ {2,}\S", line)]
    assert names == [name for name, view in VIEWS.items() if view.of == "run"]
    listed = json.loads(cli("plot", "--list", "--json").out)
    assert listed["decision_field"] == VIEWS["decision_field"].about


def test_a_picture_lands_beside_its_run(cli: Any, saved: str) -> None:
    """Without a file name it is VIEW.png in the run's folder, and the answer says so."""
    answer = cli("plot", saved, "scatter")
    assert answer.out == "scatter written to r/scatter.png.\n"
    with Image.open("r/scatter.png") as image:
        assert image.format == "PNG"
        assert image.width > 700
    assert json.loads(cli("plot", saved, "scatter", "--json").out) == {
        "view": "scatter",
        "file": "r/scatter.png",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("html", b"<")]
)
def test_the_ending_of_the_name_decides(cli: Any, saved: str, suffix: str, begins: bytes) -> None:
    """Each kind of file is what its name says, and the same run gives the same bytes."""
    assert cli("plot", saved, "decision_field", "-o", f"a.{suffix}").status == 0
    cli("plot", saved, "decision_field", "-o", f"b.{suffix}")
    first, second = Path(f"a.{suffix}").read_bytes(), Path(f"b.{suffix}").read_bytes()
    assert first.startswith(begins)
    ids = rb"[0-9a-f]{8}-[0-9a-f-]{27}"  # plotly names each figure anew
    assert re.sub(ids, b"", first) == re.sub(ids, b"", second)


def test_an_svg_needs_no_font(cli: Any, saved: str) -> None:
    """Its text is outlines."""
    cli("plot", saved, "decision_field", "-o", "a.svg")
    assert "<text" not in Path("a.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_options_of_the_view_are_flags(cli: Any, saved: str) -> None:
    """A step, a theme, two features in the other order: each changes the picture."""
    pictures = set()
    for flags in (
        [],
        ["--step", "0"],
        ["--theme", "dark"],
        ["--features", "x2,x1"],
        ["--features", "1,0", "--step", "5"],
        ["--n-grid", "20"],
        ["--classes", "true"],
    ):
        assert cli("plot", saved, "decision_field", "-o", "a.png", *flags).status == 0
        pictures.add(Path("a.png").read_bytes())
    assert len(pictures) == 7


def test_words_and_ranges_are_taken_as_they_are(cli: Any) -> None:
    """A word that stands for several, several numbers, and a value that begins with a hyphen."""
    fs.fit("rings-3", epochs=2).save("rings.safetensors")
    fs.fit("bad-start", epochs=2).save("step.safetensors")
    for arguments in (
        ["rings.safetensors", "hidden_space", "--units", "all"],
        ["rings.safetensors", "hidden_space", "--units", "2,3"],
        ["step.safetensors", "loss_surface", "--x-range=-5,5", "--n-grid", "9"],
    ):
        assert cli("plot", *arguments, "-o", "a.svg").err == ""
    answer = cli("plot", "rings.safetensors", "hidden_space", "--pca", "-o", "a.svg")
    assert (answer.status, "--pca requires an argument" in answer.err) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.gif", "a.html"])
def test_frames_make_a_film(cli: Any, saved: str, name: str) -> None:
    """A GIF is one by itself, a page with --frames."""
    answer = cli("plot", saved, "decision_field", "-o", name, "--frames", "3", "--n-grid", "9")
    assert answer == (0, f"decision_field written to {name}.\n", "")
    if name == "a.gif":
        with Image.open(name) as film:
            assert film.n_frames == 3
    else:
        assert "Plotly.addFrames" in Path(name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["r", "decision_feld"], "`decision_feld` is not a view of a run. Did you mean"),
        (["r"], "Name a run and a view: fitscope plot RUN VIEW."),
        (["nope", "scatter"], "Cannot read nope"),
        (["r", "response_curve"], "response_curve needs one input; this run has 2."),
        (["r", "scatter", "-o", "a.jpg"], "A picture is one of .png, .svg, .pdf, .html"),
        (["r", "scatter", "-o", "none/a.png"], "Cannot write none/a.png"),
        (["r", "decision_field", "--step", "999"], "Step 999 is not in this run"),
        (["r", "decision_field", "--n-grid", "many"], "`n_grid` must be a whole number; got"),
        (["r", "decision_field", "--n-grid", "1"], "`n_grid` must be from 2 to"),
        (["r", "decision_field", "--them", "dark"], "`them` is not an option of decision_field"),
        (
            ["r", "decision_field", "--ax", "1"],
            "`ax` is an option of decision_field in Python only",
        ),
        (["r", "decision_field", "--theme", "drak"], "must be light or dark; got 'drak'"),
        (["r", "decision_field", "--features", "x1,x9"], "`x9` is not an input of this run"),
        (["r", "decision_field", "-o", "a.gif", "--step", "3"], "A film shows all steps"),
        (["r", "loss_curves", "-o", "a.gif", "--frames", "1"], "`n_frames` must be from 2"),
    ],
)
def test_a_wrong_input_is_one_sentence(
    cli: Any, saved: str, arguments: list[str], message: str
) -> None:
    """On stderr, with exit status 2, and nothing is written."""
    answer = cli("plot", *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("Error: ")
    assert message in answer.err
    assert answer.err.count("\n") == 1
    assert sorted(path.name for path in Path().rglob("*.*")) == ["run.safetensors"]


def test_a_figure_of_the_other_library_is_refused(saved: str) -> None:
    """A plotly figure is no PNG, a matplotlib one no page."""
    run = fs.load(saved)
    with pytest.raises(fs.FitscopeError, match=r"A plotly figure is saved as \.html; got a\.png"):
        save_figure(run.show.scatter(), "a.png")
    with pytest.raises(fs.FitscopeError, match=r"saved as \.png or \.svg or \.pdf; got a\.html"):
        save_figure(run.plot.scatter(), "a.html")
