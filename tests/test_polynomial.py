"""The learned polynomial beside the true one: the notebook's figures, formulas, the picture."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

import fitscope as fs
from fitscope import analysis, plot
from fitscope.errors import DataError
from fitscope.plot import theme
from fitscope.records import Run


@pytest.fixture(scope="module")
def published() -> Run:
    """The notebook's run: 409 batches, each seen once."""
    return fs.fit("polynomial")


@pytest.fixture(scope="module")
def standardised() -> Run:
    """Noisy and standardised, with a test part."""
    how: dict[str, Any] = {"n_samples": 300, "noise": 5.0, "test_fraction": 0.2, "epochs": 40}
    return fs.fit("polynomial", standardize=True, **how)


def test_formulas_are_the_notebooks(published: Run, figures: dict[str, Any]) -> None:
    """Learned and true coefficients as published, to the last digit of a formula."""
    record = analysis.polynomial_curve(published)
    known = figures["polynomial"]
    np.testing.assert_allclose(record.coefficients, [*known["w"], known["bias"]], rtol=1e-4)
    assert record.formula == "y = 6.11 x - 4.81 x^2 + 7.74 x^3 - 2.02 x^4 + 4.38"
    assert record.true_formula == "y = 6.19 x - 4.80 x^2 + 7.71 x^3 - 2.04 x^4 + 4.40"
    true = sum(w * record.x ** (i + 1) for i, w in enumerate(known["W"])) + known["b"]
    np.testing.assert_allclose(record.true, true, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["published", "standardised"])
@pytest.mark.parametrize("step", [0, 20, -1])
def test_the_learned_curve_is_the_models_own(
    kind: str, step: int, request: pytest.FixtureRequest
) -> None:
    """What `predict` answers to the powers of x, scaled data or not, at any step."""
    run: Run = request.getfixturevalue(kind)
    record = analysis.polynomial_curve(run, step=step)
    powers = np.stack([record.x**i for i in range(1, 5)], axis=1)
    np.testing.assert_allclose(record.learned, run.predict(powers, step=step), atol=1e-6)
    np.testing.assert_allclose(
        powers @ record.coefficients[:-1] + record.coefficients[-1], record.learned, atol=1e-9
    )
    assert record.title == run.moment(step)


def test_heavy_tails_are_left_out_and_counted(published: Run) -> None:
    """From the 1st to the 99th percentile and 3 % more; few samples are all in the picture."""
    record = analysis.polynomial_curve(published)
    x = published.dataset.inputs()[:, 0]
    low, high = np.percentile(x, [1, 99])
    ends = [low - 0.03 * (high - low), high + 0.03 * (high - low)]
    np.testing.assert_allclose(record.x[[0, -1]], ends)
    assert record.n_outside == sum(not ends[0] <= value <= ends[1] for value in x) > 100
    few = analysis.polynomial_curve(fs.fit("polynomial", n_samples=100))
    assert few.n_outside == 0


@pytest.mark.parametrize("theme_name", ["light", "dark"])
@pytest.mark.parametrize("kind", ["published", "standardised"])
def test_both_curves_are_drawn_over_the_samples(
    kind: str, theme_name: str, request: pytest.FixtureRequest
) -> None:
    """Curves and samples of the record, both formulas in the legend, what is outside said."""
    run: Run = request.getfixturevalue(kind)
    record, d = analysis.polynomial_curve(run), run.dataset
    (ax,) = plot.polynomial_curve(record, theme=theme_name).axes
    fig = plot.polynomial_curve_plotly(record, theme=theme_name)
    true, learned = ax.lines
    assert true.get_label() == f"true: {record.true_formula}"
    assert learned.get_label() == f"learned: {record.formula}"
    assert to_hex(learned.get_color()) == theme.HIGHLIGHT
    for line, trace, y in (
        (true, fig.data[0], record.true),
        (learned, fig.data[-1], record.learned),
    ):
        np.testing.assert_array_equal(line.get_ydata(), y)
        np.testing.assert_array_equal(trace.y, y)
        assert trace.name.replace("<br>", " ") == line.get_label()
    n = f"{record.n_outside:,} of {d.n_train + d.n_test:,} samples lie outside"
    assert ax.get_xlabel() == f"x\n{n}"
    assert fig.layout.xaxis.title.text == f"x<br>{n}"
    data = next(trace for trace in fig.data if trace.name == "data")
    kept = data.x.size
    assert 0 < kept <= plot.MAX_POINTS
    every = -(-(d.n_train + d.n_test) // plot.MAX_POINTS)
    y = (d.y.astype(float) * d.y_scale + d.y_mean)[::every]
    np.testing.assert_allclose(data.y, y, rtol=1e-9)


def test_the_axes_stay_while_the_model_learns(published: Run) -> None:
    """The panel is that of the true curve, at the start, at the end and after a divergence."""
    diverged = fs.fit("polynomial", lr=1e6)
    limits = {
        plot.polynomial_curve(analysis.polynomial_curve(run, step=step)).axes[0].get_ylim()
        for run, step in ((published, 0), (published, -1), (diverged, -1))
    }
    assert len(limits) == 1


def test_a_negative_first_term_has_its_sign() -> None:
    """`-3.00 x`, not `- 3.00 x` or `+ -3.00 x`; three digits everywhere."""
    run = fs.fit("polynomial", degree=2, n_samples=8, init=[-3.0, 120.0, -0.0125], epochs=1)
    assert analysis.polynomial_curve(run, step=0).formula == "y = -3.00 x + 120 x^2 - 0.0125"


def test_what_is_no_polynomial_is_refused(published: Run) -> None:
    """No true coefficients, no powers of one input, hidden units, no data: a sentence each."""
    line = fs.fit("sine", epochs=1)
    with pytest.raises(DataError, match=r"data set `polynomial`; nothing is known about .* `sine`"):
        analysis.polynomial_curve(line)
    plane = fs.fit("gates-and", epochs=1)
    plane = replace(plane, dataset=replace(plane.dataset, truth=np.ones(3)))
    with pytest.raises(DataError, match=r"needs x, x\^2, ... as inputs; this run has x1, x2"):
        analysis.polynomial_curve(plane)
    deep = fs.fit("polynomial", n_samples=20, hidden=[2], init="torch")
    with pytest.raises(DataError, match=r"without hidden layers, .* has hidden layers \[2\]"):
        analysis.polynomial_curve(deep)
    bare = replace(published, dataset=published.dataset.without_arrays())
    with pytest.raises(DataError, match="polynomial_curve needs the data"):
        analysis.polynomial_curve(bare)
