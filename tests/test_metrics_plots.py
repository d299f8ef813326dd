"""Pictures of scores, mistakes and probabilities: what is drawn is what the record holds."""

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

import fitscope as fs
from fitscope import analysis, plot
from fitscope.plot.theme import ACCENT, HIGHLIGHT, class_colour
from fitscope.records import Run


@pytest.fixture(scope="module")
def binary() -> Run:
    """Two named classes with a test part."""
    return fs.fit("breast-cancer", epochs=15)


@pytest.fixture(scope="module")
def many() -> Run:
    """Four classes with a test part."""
    return fs.fit("blobs", epochs=20, lr=0.1, n_samples=200, test_fraction=0.3)


@pytest.fixture(scope="module")
def values() -> Run:
    """A regression with a test part."""
    return fs.fit("diabetes", epochs=40)


def _runs(view: str, binary: Run, many: Run, values: Run) -> list[Run]:
    if view == "metrics":
        return [binary, many, values]
    return [values] if view in ("fit_scatter", "residuals") else [binary, many]


VIEWS = ["metrics", "confusion", "roc_curve", "precision_recall", "calibration"]
VIEWS += ["fit_scatter", "residuals"]


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_both_themes_draw_at_every_step(
    view: str, theme: str, binary: Run, many: Run, values: Run
) -> None:
    """Without a warning, and in plotly with the same traces at each step, as movies need."""
    for run in _runs(view, binary, many, values):
        getattr(run.plot, view)(theme=theme, step=2).draw_without_rendering()
        first, last = (getattr(run.show, view)(theme=theme, step=s).data for s in (0, -1))
        assert [trace.type for trace in first] == [trace.type for trace in last]


def test_the_table_has_every_number(binary: Run) -> None:
    """Model and baseline of both parts; bold where the model is the better one."""
    record = analysis.metrics(binary)
    texts = plot.metrics(record).axes[0].texts
    bold = {t.get_text() for t in texts if t.get_fontweight() == "bold"}
    told = {t.get_text() for t in texts}
    numbers = {f"{value:.3f}" for value in record.model.ravel()}
    assert numbers | {f"{value:.3f}" for value in record.baseline.ravel()} <= told
    assert bold == numbers  # it beats the baseline everywhere
    (table,) = plot.metrics_plotly(record).data
    names, *columns = table.cells.values
    assert [name[:-2] for name in names] == list(record.names)
    assert [name[-1] for name in names[:3]] == ["\N{UPWARDS ARROW}"] * 2 + ["\N{DOWNWARDS ARROW}"]
    for j in range(2):
        assert list(columns[2 * j]) == [f"<b>{v:.3f}</b>" for v in record.model[:, j]]
        assert list(columns[2 * j + 1]) == [f"{v:.3f}" for v in record.baseline[:, j]]
    heads = [head.split("<br>") for head in table.header.values[1:]]
    assert heads == [["training", "model"], ["baseline"], ["test", "model"], ["baseline"]]


def test_confusion_in_plotly_is_the_table(many: Run) -> None:
    """Counts as text, shares as colour, the first class at the top."""
    record = analysis.confusion(many)
    fig = plot.confusion_plotly(record)
    (heat,) = fig.data
    assert [[int(n) for n in row] for row in heat.text] == record.counts.tolist()
    share = record.counts / record.counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.array(heat.z), share)
    assert fig.layout.yaxis.autorange == "reversed"
    assert fig.layout.xaxis.ticktext == ("0", "1", "2", "3")


def test_fit_scatter_in_plotly_is_the_record(values: Run) -> None:
    """The line of equal values, and one point a sample."""
    record = analysis.fit_scatter(values)
    line, points = plot.fit_scatter_plotly(record).data
    np.testing.assert_array_equal(points.x, record.true)
    np.testing.assert_array_equal(points.y, record.predicted)
    both = np.concatenate([record.true, record.predicted])
    assert list(line.x) == list(line.y) == [both.min(), both.max()]


def test_residuals_are_drawn_with_their_histogram(values: Run) -> None:
    """The points, the bars at the bins' places, and the line at 0."""
    record = analysis.residuals(values)
    ax, side = plot.residuals(record).axes
    drawn = np.asarray(ax.collections[0].get_offsets())
    np.testing.assert_array_equal(drawn, np.stack([record.predicted, record.residual], axis=1))
    assert [bar.get_width() for bar in side.patches] == record.counts.tolist()
    middles = [bar.get_y() + bar.get_height() / 2 for bar in side.patches]
    np.testing.assert_allclose(middles, (record.edges[1:] + record.edges[:-1]) / 2)
    assert to_hex(side.patches[0].get_facecolor()) == ACCENT
    points, bars = plot.residuals_plotly(record).data
    np.testing.assert_array_equal(points.x, record.predicted)
    np.testing.assert_array_equal(points.y, record.residual)
    np.testing.assert_array_equal(bars.x, record.counts)
    np.testing.assert_allclose(bars.y, middles)
    assert bars.orientation == "h"


@pytest.mark.parametrize("kind", ["binary", "many"])
def test_roc_curves_are_drawn_in_the_colours_of_their_classes(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """Each curve is the record's; the threshold 0.5 is marked for two classes."""
    run = request.getfixturevalue(kind)
    record = analysis.roc_curve(run)
    ax = plot.roc_curve(record).axes[0]
    chance, *lines = ax.lines
    assert list(chance.get_xdata()) == list(chance.get_ydata()) == [0, 1]
    traces = plot.roc_curve_plotly(record).data[1:]
    for i, line in enumerate(lines):
        assert line.get_color() == traces[i].line.color == class_colour(record.classes[i])
        for x, y in ((line.get_xdata(), line.get_ydata()), (traces[i].x, traces[i].y)):
            np.testing.assert_array_equal(x, record.false_positive[i])
            np.testing.assert_array_equal(y, record.true_positive[i])
        assert f"{record.area[i]:.3f}" in str(line.get_label())
        assert f"{record.area[i]:.3f}" in traces[i].name
    if record.half is None:
        assert not len(ax.collections)
        assert len(traces) == len(lines)
        return
    (mark,) = ax.collections
    np.testing.assert_array_equal(mark.get_offsets(), [record.half])
    assert to_hex(mark.get_facecolor()[0]) == traces[-1].marker.color == HIGHLIGHT
    assert (traces[-1].x[0], traces[-1].y[0]) == record.half


@pytest.mark.parametrize("kind", ["binary", "many"])
def test_precision_and_recall_are_drawn_over_the_guess(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """A dashed line at the share of the class, then its curve in steps."""
    record = analysis.precision_recall(request.getfixturevalue(kind))
    lines = plot.precision_recall(record).axes[0].lines
    traces = plot.precision_recall_plotly(record).data
    for i, c in enumerate(record.classes):
        guess, curve = lines[2 * i : 2 * i + 2]
        assert list(guess.get_ydata()) == list(traces[2 * i].y) == [record.share[i]] * 2
        np.testing.assert_array_equal(curve.get_xdata(), record.recall[i])
        np.testing.assert_array_equal(curve.get_ydata(), record.precision[i])
        np.testing.assert_array_equal(traces[2 * i + 1].x, record.recall[i])
        np.testing.assert_array_equal(traces[2 * i + 1].y, record.precision[i])
        assert (curve.get_drawstyle(), traces[2 * i + 1].line.shape) == ("steps-post", "hv")
        assert curve.get_color() == traces[2 * i + 1].line.color == class_colour(c)


@pytest.mark.parametrize("kind", ["binary", "many"])
def test_calibration_is_drawn_with_its_counts(kind: str, request: pytest.FixtureRequest) -> None:
    """The shares above, how many samples each has below, the diagonal between them."""
    record = analysis.calibration(request.getfixturevalue(kind))
    ax, below = plot.calibration(record).axes
    traces: tuple[Any, ...] = plot.calibration_plotly(record).data
    assert list(ax.lines[0].get_ydata()) == list(traces[0].y) == [0, 1]
    for i, line in enumerate(ax.lines[1:]):
        curve, bars = traces[2 * i + 1], traces[2 * i + 2]
        np.testing.assert_array_equal(line.get_xdata(), record.predicted[i])
        np.testing.assert_array_equal(line.get_ydata(), record.observed[i])
        np.testing.assert_array_equal(curve.x, record.predicted[i])
        np.testing.assert_array_equal(curve.y, record.observed[i])
        np.testing.assert_array_equal(bars.y, record.counts[i])
        dots = np.asarray(below.collections[2 * i + 1].get_offsets())
        np.testing.assert_array_equal(dots[:, 1], record.counts[i])
    assert record.note in ax.figure.axes[1].get_xlabel()
