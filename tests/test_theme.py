"""The theme: colours that keep their meaning, and figures that leave no trace."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

import fitscope as fs
from fitscope import analysis, plot
from fitscope.plot import theme
from fitscope.plot.canvas import draw_points, new_axes
from fitscope.records import Run


@pytest.fixture(scope="session")
def run() -> Run:
    """Two classes over two inputs, with a test part."""
    return fs.fit("gates-and", epochs=3)


def _decision(run: Run) -> Figure:
    return plot.decision_field(analysis.decision_field(run, n_grid=20))


def _losses(run: Run) -> Figure:
    return plot.loss_curves(analysis.loss_curves(run))


def _importance(run: Run) -> Figure:
    return plot.importance(analysis.importance(run))


def _confusion(run: Run) -> Figure:
    return plot.confusion(analysis.confusion(run))


Draw = Callable[[Run], Figure]
DRAWINGS: list[Draw] = [_decision, _losses, _importance, _confusion]


@pytest.fixture(scope="session", params=DRAWINGS, ids=lambda draw: draw.__name__[1:])
def drawn(
    request: pytest.FixtureRequest, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Draw, str]:
    """One drawing after the other, and its SVG."""
    return request.param, _svg(request.param(run), tmp_path_factory.mktemp("drawn"))


def _svg(fig: Figure, folder: Path) -> str:
    """A figure as the text of a file."""
    plot.save_figure(fig, folder / "picture.svg")
    return (folder / "picture.svg").read_text(encoding="utf-8")


def _looks(ax: Axes) -> list[tuple[object, ...]]:
    """Face, edge and marker of everything that was scattered."""
    drawn = [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets())]
    return [
        (c.get_facecolor().tolist(), c.get_edgecolor().tolist(), c.get_paths()[0].vertices.tolist())
        for c in drawn
    ]


def test_classes_look_alike_in_every_picture(run: Run) -> None:
    """A class keeps its colour and its marker, wherever and in whatever picture it lies."""
    d, (first, second) = run.dataset, (new_axes(), new_axes())
    x = d.inputs()[:, 0]
    draw_points(first, d, x, x, inks=theme.INKS["light"])
    draw_points(second, d, x * 0, -x, inks=theme.INKS["dark"])
    assert _looks(first) == _looks(second)
    assert len({str(marker) for *_, marker in _looks(first)}) == 2  # both parts are alike


def test_ten_classes_are_told_apart_without_colour() -> None:
    """Each of the ten colours has its own marker, and the eleventh class starts again."""
    assert len(set(theme.CLASS_COLOURS)) == len(set(theme.CLASS_MARKERS)) == 10
    assert theme.class_colour(10) == theme.class_colour(0)


def test_the_same_drawing_gives_the_same_text(
    run: Run, drawn: tuple[Draw, str], tmp_path: Path
) -> None:
    """An SVG is a function of what is drawn: drawn again, it is the same byte for byte."""
    draw, text = drawn
    assert _svg(draw(run), tmp_path) == text


def test_an_svg_refers_to_nothing_outside(drawn: tuple[Draw, str]) -> None:
    """No address but names of XML's kinds, no style sheet, no font file, no script."""
    _, text = drawn
    root = ET.fromstring(text)  # noqa: S314 (our own text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    for link in re.findall(r"""(?:href="|url\()([^")]*)""", text):
        assert link.startswith(("#", "data:image/png;base64,"))
    assert "<script" not in text
    assert "@import" not in text


def test_drawing_leaves_matplotlib_as_it_was(run: Run, tmp_path: Path) -> None:
    """The house style is not pressed upon a user's own figures."""
    before = dict(mpl.rcParams)
    _svg(_decision(run), tmp_path)
    assert dict(mpl.rcParams) == before
