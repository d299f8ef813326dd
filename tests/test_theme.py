"""The theme: colours that keep their meaning, and figures that become part of a page."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

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


LABEL = 'What "it" answers: a < b & c'
Draw = Callable[[Run], Figure]
DRAWINGS: list[Draw] = [_decision, _losses, _importance, _confusion]


@pytest.fixture(scope="session", params=DRAWINGS, ids=lambda draw: draw.__name__[1:])
def drawn(request: pytest.FixtureRequest, run: Run) -> tuple[Draw, str]:
    """One drawing after the other, and its SVG."""
    return request.param, plot.svg(request.param(run), label=LABEL)


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


def test_the_same_drawing_gives_the_same_text(run: Run, drawn: tuple[Draw, str]) -> None:
    """An SVG is a function of what is drawn: drawn again, it is the same byte for byte."""
    draw, text = drawn
    assert plot.svg(draw(run), label=LABEL) == text


def test_the_same_figure_gives_the_same_text(run: Run, drawn: tuple[Draw, str]) -> None:
    """Writing a figure does not change it: written again, it is the same byte for byte."""
    fig = drawn[0](run)
    assert plot.svg(fig, label=LABEL) == plot.svg(fig, label=LABEL)


def test_an_svg_refers_to_nothing_outside(drawn: tuple[Draw, str]) -> None:
    """No address but the names of XML's namespaces, no style sheet, no font file, no script."""
    text = drawn[1]
    addresses = set(re.findall(r"[a-z]+://[^\s\"'<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    for link in re.findall(r"""(?:href="|url\()([^")]*)""", text):
        assert link.startswith(("#", "data:image/png;base64,"))
    assert "<script" not in text
    assert "@import" not in text
    assert not text.startswith("<?xml")


def test_inks_follow_the_page(drawn: tuple[Draw, str]) -> None:
    """The inks of text and lines are the page's variables, so that it can be light or dark."""
    text = drawn[1]
    for ink in theme.INKS["light"]:
        assert ink not in text
    assert "var(--ink)" in text
    assert "var(--muted)" in text
    root = ET.fromstring(text)  # noqa: S314 (our own text)
    background = root.find(".//*[@id='patch_1']/{*}path")
    assert background is not None
    assert "fill: none" in background.attrib["style"]


def test_an_svg_is_one_element_with_a_name(drawn: tuple[Draw, str]) -> None:
    """It parses as XML, scales with the page, and tells a screen reader what it is."""
    root = ET.fromstring(drawn[1])  # noqa: S314
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.attrib["role"], root.attrib["aria-label"]) == ("img", LABEL)
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)


def test_text_in_an_svg_is_text(run: Run) -> None:
    """Labels can be searched and copied, and numbers have a point or a sign that reads."""
    root = ET.fromstring(plot.svg(_losses(run), label="losses"))  # noqa: S314
    texts = {"".join(node.itertext()).strip() for node in root.findall(".//{*}text")}
    assert {"train", "test", "epochs (passes over the training data)"} <= texts


def test_drawing_leaves_matplotlib_as_it_was(run: Run) -> None:
    """The house style is not pressed upon a user's own figures."""
    before = dict(mpl.rcParams)
    plot.svg(_decision(run), label="picture")
    assert dict(mpl.rcParams) == before
