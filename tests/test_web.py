"""What both libraries share: text that is shown as it is, and the same looks."""

import html
import json
import re
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

import fitscope as fs
from artists import legend_texts, point_clouds, traces
from fitscope import plot
from fitscope.errors import UnknownNameError
from fitscope.plot import theme
from fitscope.plot.canvas import draw_points, figure, legend, new_axes, plain, styled
from fitscope.plot.web import SYMBOLS, add_points, escaped, new_figure, panels, scene
from fitscope.records import Dataset

TEXTS = [
    *("<b>", "a<br>b", "x < y & z", "&amp;", "&lt;b>", "$x$", "$\\frac{$", "costs $5 to $7"),
    *("_hidden", "__", "%{x}", "50 %", "{}", "日本", 'it\'s "quoted"', "a\\b", "^2", "x_1"),
]


@pytest.fixture(scope="session")
def data() -> Dataset:
    """Two classes over two inputs, with a test part."""
    return fs.fit("gates-and", epochs=1).dataset


@pytest.mark.parametrize("text", TEXTS)
def test_plotly_shows_a_text_as_it_is(text: str) -> None:
    """Decoded as a browser does it is the text; before, it has no tag, formula or template."""
    safe = escaped(text)
    assert html.unescape(safe) == text
    assert "<" not in safe
    assert "$" not in safe
    assert "%{" not in safe
    assert re.sub(r"&(amp|lt|#36|#37);", "", safe).count("&") == 0


@pytest.mark.parametrize("text", TEXTS)
def test_matplotlib_shows_a_text_as_it_is(text: str) -> None:
    """It is no formula, and no name that a legend would hide."""
    safe = plain(text)
    assert safe.removeprefix("\N{ZERO WIDTH SPACE}").replace("\\$", "$") == text
    assert not safe.startswith("_")
    with styled("light"):
        ax = new_axes()
        ax.set_title(safe)
        ax.plot([0, 1], [0, 1], label=safe)
        legend(ax)
    assert legend_texts(ax) == [safe]
    drawn, is_math = ax.title._preprocess_math(safe)
    assert (is_math, drawn.removeprefix("\N{ZERO WIDTH SPACE}")) == (False, text)


@pytest.mark.parametrize(("shorten", "end"), [(plain, "…"), (escaped, "…")])
def test_long_texts_are_cut_and_short_ones_are_not(shorten: Any, end: str) -> None:
    """At the asked width, with dots; cutting comes before escaping, so that no entity is cut."""
    assert shorten("abcdefgh", 8) == "abcdefgh"
    assert shorten("abcdefghi", 8) == f"abcdefg{end}"
    assert escaped("&&&&&&&&&", 8) == "&amp;" * 7 + "…"
    assert shorten(12345) == "12345"


@pytest.mark.parametrize("look", ["light", "dark"])
def test_plotly_figures_have_the_inks_of_the_theme(look: str) -> None:
    """Ground, letters and lines, of one pair of axes, of panels and of 3-D scenes."""
    inks = theme.INKS[look]
    one = new_figure(look, title="a < b", x="x & y", y="$z$", height=300)
    two = panels(look, 1, 2, subplot_titles=["left", "right"])
    for fig in (one, two):
        assert (fig.layout.paper_bgcolor, fig.layout.plot_bgcolor) == (inks.paper, inks.paper)
        assert fig.layout.font.color == inks.ink
        fig.for_each_xaxis(lambda axis: _has(axis, inks))
        fig.for_each_yaxis(lambda axis: _has(axis, inks))
    assert one.layout.height == 300
    assert one.layout.title.text == "a &lt; b"
    assert one.layout.xaxis.title.text == "x &amp; y"
    assert one.layout.yaxis.title.text == "&#36;z&#36;"
    assert [note.text for note in two.layout.annotations] == ["left", "right"]
    axes = scene(look, "a", "b<", "c")
    assert [axes[f"{axis}axis"]["title"]["text"] for axis in "xyz"] == ["a", "b&lt;", "c"]
    assert {axes[f"{axis}axis"]["color"] for axis in "xyz"} == {inks.muted}


def _has(axis: Any, inks: theme.Inks) -> None:
    assert (axis.gridcolor, axis.linecolor) == (inks.grid, inks.muted)
    assert axis.tickfont.color == inks.muted


@pytest.mark.parametrize("ask", [styled, new_figure, theme.inks_of])
def test_an_unknown_theme_is_refused_in_one_sentence(ask: Any) -> None:
    """By both libraries, with the near miss."""
    with (
        pytest.raises(UnknownNameError, match=r"^`theme` must be light or dark; got 'drak'.*dark"),
        ask("drak"),
    ):
        pass


def test_both_libraries_have_a_marker_for_each_class() -> None:
    """Ten of plotly's own names, all different, in the order of matplotlib's."""
    fig = new_figure("light")
    assert len(set(SYMBOLS)) == len(theme.CLASS_MARKERS)
    for symbol in SYMBOLS:
        for name in (symbol, f"{symbol}-open"):
            fig.add_scatter(x=[0], y=[0], marker={"symbol": name})  # refuses unknown ones


def test_samples_look_alike_in_both_libraries(data: Dataset) -> None:
    """The same places, colours and hollow test part; smaller where there are many."""
    x, y = data.inputs().T
    with styled("light") as inks:
        ax = figure().add_subplot()
        draw_points(ax, data, x, y, inks=inks, edge="white")
    fig = new_figure("light")
    add_points(fig, data, x, y, edge="white")
    for cloud, trace in zip(point_clouds(ax), traces(fig, "scatter"), strict=True):
        np.testing.assert_array_equal(cloud.get_offsets(), np.c_[trace.x, trace.y])
        hollow = trace.marker.symbol.endswith("-open")
        own = cloud.get_edgecolor() if hollow else cloud.get_facecolor()
        assert to_hex(own[0]) == trace.marker.color
        assert trace.mode == "markers"
    names = ["y = 0", "y = 0, test", "y = 1", "y = 1, test", "test"]
    assert [trace.name for trace in fig.data] == names
    assert [trace.name for trace in fig.data if trace.showlegend] == ["y = 0", "y = 1", "test"]


@pytest.mark.parametrize("n", [0, 1, 7, 2499, 2500, 2501, 5000, 5001, 100_000])
def test_thinning_keeps_the_first_and_at_most_max_points(n: int) -> None:
    """All of them where they are few; else more than half of what may be drawn, evenly."""
    kept = theme.thinned(n)
    assert len(kept) == n
    assert kept.sum() <= theme.MAX_POINTS
    if n <= theme.MAX_POINTS:
        assert kept.all()
    else:
        assert kept.sum() > theme.MAX_POINTS / 2
        assert len(set(np.diff(np.flatnonzero(kept)))) == 1
        assert kept[0]


def test_a_plotly_figure_is_data_that_any_page_can_show() -> None:
    """It becomes JSON and back, and its modes bar keeps to what helps with looking."""
    run = fs.fit("gates-and", epochs=1)
    fig = plot.decision_field_plotly(fs.analysis.decision_field(run, n_grid=5))
    assert len(json.loads(fig.to_json())["data"]) == len(fig.data)
    assert "lasso" in fig.layout.modebar.remove
