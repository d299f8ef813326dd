"""many.py: what became of many nets, and the pictures of it."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy.stats import binom

import fitscope as fs
from fitscope import analysis, plot
from fitscope.analysis import many as many_module
from fitscope.errors import DataError, UnknownNameError
from fitscope.outcomes import Outcome
from fitscope.plot import theme


@pytest.fixture(scope="module")
def gates():
    """Two learning rates and six seeds, with a test part; the lower one learns too little."""
    return fs.fit_many("gates-and", seeds=range(6), lr=[0.001, 0.5])


@pytest.fixture(scope="module")
def shapes():
    """Three widths and five seeds."""
    return fs.fit_many("rings-3", seeds=range(5), hidden=[[], [2], [3, 2]], n_samples=60, epochs=40)


@pytest.fixture(scope="module")
def lost():
    """The larger learning rate diverges from every start."""
    return fs.fit_many("sine-10", seeds=range(4), lr=[0.01, 1e6], optimizer="sgd", epochs=20)


@pytest.fixture(scope="module")
def grid():
    """Starts of one neuron on a grid; by squared error about half of them learn."""
    starts = [[w, b] for w in (-12.0, -3.0, 4.0, 11.0) for b in (-8.0, 1.0, 10.0)]
    return fs.fit_many("bad-start-mse", init=starts)


@pytest.mark.parametrize("part", ["train", "test"])
def test_final_losses_are_those_of_the_population(gates, part):
    """Each net in the group of its setting, with the group's median."""
    record = analysis.final_losses(gates, part=part)
    losses = gates.train_loss if part == "train" else gates.test_loss
    assert (record.by, record.values) == ("lr", ("0.001", "0.5"))
    assert np.array_equal(record.losses, losses)
    for v, lr in enumerate((0.001, 0.5)):
        own = [i for i, value in enumerate(gates.settings["lr"]) if value == lr]
        assert np.flatnonzero(record.group == v).tolist() == own
        assert record.median[v] == np.median(losses[own])
    assert record.count.tolist() == [6, 6]
    assert record.label.startswith("cross-entropy (nats per sample)")


def test_places_are_spread_and_the_same_every_time(gates):
    """No two nets of a group on one spot; no random numbers."""
    record, again = (analysis.final_losses(gates) for _ in range(2))
    assert np.array_equal(record.place, again.place)
    assert (np.abs(record.place) <= 0.5).all()
    for v in range(2):
        assert np.diff(np.sort(record.place[record.group == v])).min() > 0.05


def test_nets_that_diverged_are_counted_apart(lost):
    """They have no final loss, and are no success."""
    record = analysis.final_losses(lost)
    assert record.count.tolist() == [4, 0]
    assert record.n_diverged.tolist() == [0, 4]
    assert len(record.losses) == 4
    assert np.isnan(record.median[1])
    share = analysis.success_share(lost, below=1e30)
    assert share.n_successes.tolist() == [4, 0]
    assert share.count.tolist() == [4, 4]


def test_by_default_the_nets_are_told_apart_by_what_varies_besides_seeds(gates, shapes):
    """Nothing, where only seeds do; any other setting by name."""
    assert analysis.final_losses(shapes).values == ("none", "2", "3-2")
    alone = fs.fit_many("gates-and", seeds=range(3), epochs=1)
    record = analysis.final_losses(alone)
    assert (record.by, record.values, record.count.tolist()) == ("", ("",), [3])
    by_seed = analysis.success_share(gates, by="seed")
    assert by_seed.values == ("0", "1", "2", "3", "4", "5")
    many_starts = fs.fit_many("bad-start", init=[[float(i), 0.0] for i in range(25)], epochs=1)
    assert analysis.final_losses(many_starts).by == ""


def test_values_that_look_alike_stay_apart():
    """Groups are told by the values themselves, not by their rounded text."""
    alike = fs.fit_many("bad-start", init=[[1.00000001, 0.0], [1.0, 0.0]], epochs=1)
    assert analysis.final_losses(alike).values == ("1, 0", "1, 0")


def test_losses_of_several_kinds_have_no_common_unit():
    """The axis says so."""
    both = fs.fit_many(["bad-start", "bad-start-mse"], epochs=2)
    assert analysis.final_losses(both).label == "loss, each net's own, training part"


@pytest.mark.parametrize("below", [0.2, 0.35, 0.6])
def test_a_success_is_a_loss_below_the_bound(gates, below):
    """Counted by hand; the share is their number by that of all."""
    record = analysis.success_share(gates, below=below)
    for v, lr in enumerate((0.001, 0.5)):
        own = [gates.train_loss[i] for i in range(12) if gates.settings["lr"][i] == lr]
        assert record.n_successes[v] == sum(loss < below for loss in own)
        assert record.share[v] == record.n_successes[v] / len(own)
    assert record.label == f"training loss ends below {below:g}"


def test_the_interval_is_wilsons():
    """Its ends are where the score |k/n - p| is 1.96 deviations of a share p."""
    found = fs.fit_many("gates-and", seeds=range(9), epochs=1)
    bound = float(np.sort(found.train_loss)[6])
    record = analysis.success_share(found, below=bound)
    assert record.n_successes.tolist() == [6]
    for p in (record.low[0], record.high[0]):
        deviation = binom.std(9, p) / 9
        assert abs(6 / 9 - p) / deviation == pytest.approx(1.959964, rel=1e-5)


def test_starts_are_those_of_the_runs(shapes):
    """Row 0 of each run's recording, along the two parameters named."""
    names = ["w1[2,1]", "b2[1]"]
    record = analysis.start_map(shapes, where={"hidden": [2]}, parameters=names, below=0.69)
    assert record.nets.tolist() == [1, 4, 7, 10, 13]
    assert record.axes == tuple(names)
    for i, point in zip(record.nets, record.points, strict=True):
        start = shapes.run(int(i)).params[0]
        assert point.tolist() == [start[2], start[8]]
    assert record.succeeds.tolist() == (shapes.train_loss[record.nets] < 0.69).tolist()


def test_more_than_two_parameters_are_seen_along_principal_components(shapes):
    """As scikit-learn finds them, but for their sign."""
    from sklearn.decomposition import PCA

    record = analysis.start_map(shapes, where={"hidden": [3, 2]})
    starts = np.array([shapes.run(int(i)).params[0] for i in record.nets], dtype=np.float64)
    pca = PCA(2).fit(starts)
    assert np.abs(record.points) == pytest.approx(np.abs(pca.transform(starts)), abs=1e-9)
    shares = [f"({100 * share:.0f} %)" for share in pca.explained_variance_ratio_]
    assert [axis.split("component ")[1] for axis in record.axes] == shares


def test_a_start_map_of_two_parameters_is_a_basin_map(grid):
    """The same starts, and the same fates."""
    record = analysis.start_map(grid, below=0.1)
    assert record.points.tolist() == [list(start) for start in grid.settings["init"]]
    assert 0 < record.succeeds.sum() < 12
    run = fs.fit("bad-start-mse")
    window = {"x_range": (-12.0, 11.0), "y_range": (-8.0, 10.0)}
    basin = analysis.basin_map(run, n_grid=2, **window)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        (net,) = np.flatnonzero((record.points == [basin.x[j], basin.y[i]]).all(axis=1))
        assert record.succeeds[net] == (basin.values[i, j] < 0.1)


def test_wrong_wishes_get_one_clear_sentence(gates, shapes, grid):
    """Each says what there is."""
    for what, of, wishes, error, message in (
        ("final_losses", gates, {"by": "lrs"}, UnknownNameError, "not a setting; .* mean `lr`"),
        ("success_share", gates, {"by": "epochs"}, UnknownNameError, "`epochs` does not vary here"),
        ("final_losses", shapes, {"part": "test"}, DataError, "Not every net here has a test part"),
        ("start_map", shapes, {}, DataError, "nets of one shape; these are 2-1, 2-2-1, 2-3-2-1"),
        ("start_map", shapes, {"where": {"hide": 3}}, UnknownNameError, "`hide` is not a setting"),
        ("start_map", shapes, {"where": {"hidden": [9]}}, DataError, "No net here has those"),
        ("start_map", grid, {"parameters": ["w1[1,1]"]}, DataError, "must name two different"),
        ("start_map", grid, {"parameters": ["w1[1,1]", "b1"]}, UnknownNameError, "`b1` is not a"),
    ):
        with pytest.raises(error, match=message):
            getattr(analysis, what)(of, **wishes)
    with pytest.raises(UnknownNameError, match="`part` must be train or test; got 'tes'"):
        many_module._losses(gates, "tes")
    by_lr = fs.fit_many("bad-start", lr=np.linspace(0.1, 1, 25), epochs=1)
    with pytest.raises(DataError, match="`lr` has 25 values here; a picture shows 24 at most"):
        analysis.final_losses(by_lr, by="lr")
    with pytest.raises(DataError, match="these nets all begin in one place"):
        analysis.start_map(by_lr)
    with pytest.raises(DataError, match="This population has no nets"):
        analysis.final_losses(replace(by_lr, plans=(), outcomes=()))


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_strips_show_every_net_and_the_medians(gates, ground):
    """Points at the losses in the rows of their groups; numbers beside each row."""
    record = analysis.final_losses(gates)
    fig = plot.final_losses(record, theme=ground)
    ax = fig.axes[0]
    points, medians = ax.collections
    order = np.argsort(record.group, kind="stable")
    x, y = points.get_offsets().T
    assert np.array_equal(x, record.losses[order])
    assert np.round(y).tolist() == record.group[order].tolist()
    assert [path.vertices[0, 0] for path in medians.get_paths()] == record.median.tolist()
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert rows[1] == f"0.5\n6 nets, median {record.median[1]:.3g}"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    fig.canvas.draw()
    web = plot.final_losses_plotly(record, theme=ground)
    assert np.array_equal(web.data[0].x, record.losses[order])
    assert np.array_equal(web.data[1].x[::3], record.median)
    assert web.layout.yaxis.ticktext[1] == rows[1].replace("\n", "<br>")


def test_a_row_says_how_many_diverged(lost):
    """With no median where none is left."""
    record = analysis.final_losses(lost)
    ax = plot.final_losses(record).axes[0]
    assert ax.get_yticklabels()[1].get_text() == "1e+06\n0 nets, 4 diverged"
    assert plot.final_losses_plotly(record).layout.yaxis.ticktext[1].endswith("4 diverged")


def test_a_wide_range_is_drawn_on_a_log_scale():
    """By both libraries."""
    found = fs.fit_many("gates-and", lr=[1e-4, 5.0], epochs=[1, 300], seeds=[0, 1])
    record = analysis.final_losses(found, by="lr")
    assert record.log_scale
    assert plot.final_losses(record).axes[0].get_xscale() == "log"
    assert plot.final_losses_plotly(record).layout.xaxis.type == "log"


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_shares_are_drawn_with_their_intervals(gates, ground):
    """In percent, with "5 of 6" beside each row; the rule stands on the axis."""
    record = analysis.success_share(gates, below=0.35)
    fig = plot.success_share(record, theme=ground)
    ax = fig.axes[0]
    (dots,) = ax.lines
    assert np.array_equal(dots.get_xdata(), 100 * record.share)
    (lines,) = ax.collections
    ends = np.array([path.vertices[:, 0] for path in lines.get_paths()])
    assert ends == pytest.approx(100 * np.stack([record.low, record.high], axis=1))
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert rows == [
        f"{v}\n{k} of 6" for v, k in zip(record.values, record.n_successes, strict=True)
    ]
    assert ax.get_xlabel() == "share of nets whose training loss ends below 0.35 (%)"
    fig.canvas.draw()
    (web,) = plot.success_share_plotly(record, theme=ground).data
    assert np.array_equal(web.x, 100 * record.share)
    assert web.x + web.error_x.array == pytest.approx(100 * record.high)
    assert web.x - web.error_x.arrayminus == pytest.approx(100 * record.low)


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_starts_are_drawn_by_their_fate(grid, ground):
    """Blue points succeed, red crosses do not; the legend counts them."""
    record = analysis.start_map(grid)
    n = int(record.succeeds.sum())
    fig = plot.start_map(record, theme=ground)
    ax = fig.axes[0]
    good, bad = ax.collections
    assert np.array_equal(good.get_offsets(), record.points[record.succeeds])
    assert np.array_equal(bad.get_offsets(), record.points[~record.succeeds])
    colours = [to_hex(drawn.get_edgecolor()[0]) for drawn in (good, bad)]
    assert colours == [theme.ACCENT, theme.HIGHLIGHT]
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [f"training loss ends below 0.1 ({n})", f"it does not ({12 - n})"]
    fig.canvas.draw()
    web = plot.start_map_plotly(record, theme=ground)
    assert [trace.name for trace in web.data] == names
    assert np.array_equal(web.data[1].x, record.points[~record.succeeds, 0])
    assert np.array_equal(web.data[1].customdata, record.nets[~record.succeeds])


def test_a_population_has_doors_of_its_own(gates):
    """Views of many nets, and no others."""
    assert {"final_losses", "success_share", "start_map"} <= set(dir(gates.plot))
    assert "scatter" not in dir(gates.plot)
    assert gates.plot.final_losses(by="lr").axes[0].get_ylabel() == "lr"
    assert gates.show.success_share(below=0.3).data[0].x.shape == (2,)
    with pytest.raises(UnknownNameError, match="`scatter` is not a view of a population"):
        gates.plot.scatter()


@pytest.mark.slow
def test_rings_need_three_hidden_units(figures):
    """60 starts as the reference trains them: of 3 units 98 % end below 0.1, of 2 none does."""
    found = fs.fit_many("rings-3", seeds=range(60), hidden=[[2], [3]])
    record = analysis.success_share(found, below=0.1)
    assert record.n_successes[0] == 0
    assert record.low[1] <= 0.98 <= record.high[1]
    losses = analysis.final_losses(found)
    for v, width in enumerate((2, 3)):
        published = figures["rings"]["final_loss"][f"rings_sigmoid_h{width}"]
        assert published["min"] * 0.8 < losses.median[v] < published["max"]
    assert set(found.outcomes) == {Outcome.FINISHED}
