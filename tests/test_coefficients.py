"""`run.summary()`: standard errors and what follows, as statsmodels has them."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import fitscope as fs
from fitscope.errors import DataError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what statsmodels says of pandas and of its own future
    from statsmodels.discrete.discrete_model import Logit, MNLogit
    from statsmodels.regression.linear_model import OLS

RNG = np.random.default_rng(11)
# float32 holds these numbers, so that both libraries see the same
X = (RNG.normal(size=(400, 3)) * [1, 20, 0.1] + [0, 100, 3]).astype(np.float32).astype(float)
X1 = np.column_stack([X, np.ones(400)])
Z = X @ [1.0, -0.05, 9.0] - 22
NOISE = RNG.logistic(size=400)
TARGETS = {
    "binary": (Z + NOISE > 0).astype(int),
    "multiclass": np.digitize(Z + 2 * NOISE, [-1.5, 1.5]),
    "regression": (Z + NOISE).astype(np.float32).astype(float),
}
PEERS = {"binary": Logit, "multiclass": MNLogit, "regression": OLS}


def fitted(task, **settings):
    """A run at its optimum."""
    settings = {"optimizer": "newton", **settings}
    return fs.fit((X, TARGETS[task]), task=task, **settings)


@pytest.mark.parametrize("task", PEERS)
@pytest.mark.parametrize("standardize", [False, True])
def test_the_table_is_that_of_statsmodels(task, standardize):
    """To 1e-6; scaled inputs are rounded to float32 once more, which moves a tenth of that."""
    found = fitted(task, standardize=standardize).summary()
    model = PEERS[task](TARGETS[task], X1)
    theirs = model.fit() if task == "regression" else model.fit(disp=0, tol=1e-12, maxiter=100)
    intervals = np.asarray(theirs.conf_int())
    rtol, atol = (1e-6, 1e-9) if not standardize else (5e-6, 1e-7)
    for ours, other in (
        (found.estimates, theirs.params),
        (found.std_errors, theirs.bse),
        (found.statistics, theirs.tvalues),
        (found.p_values, theirs.pvalues),
        (found.low, intervals[..., 0].T),
        (found.high, intervals[..., 1].T),
    ):
        assert_allclose(ours, np.reshape(np.asarray(other).T, ours.shape), rtol=rtol, atol=atol)
    assert found.statistic_name == ("t" if task == "regression" else "z")
    if task != "regression":
        assert_allclose(found.odds_ratios, np.exp(np.asarray(theirs.params).T.reshape(-1, 4)), rtol)


TEXTS = np.array(["Ash", "Box", "Cob", "Elm"])[RNG.integers(0, 4, 400)]


def _table_with_texts(task):
    """A file of the same data, and two columns of texts."""
    columns = {**dict(zip("abc", X.T, strict=True)), "tree": TEXTS, "new": X[:, 0] > 0.3}
    columns["new"] = np.where(columns["new"], "yes", "no")
    heads, cells = ",".join([*columns, "y"]), zip(*columns.values(), TARGETS[task], strict=True)
    rows = "\n".join(",".join(map(str, row)) for row in cells)
    Path("t.csv").write_text(f"{heads}\n{rows}\n")


@pytest.mark.parametrize("task", PEERS)
def test_texts_are_against_the_first_of_them(task):
    """As with R's treatment contrasts; inputs are scaled, for which the tolerance above is."""
    _table_with_texts(task)
    settings = {"task": task, "optimizer": "newton", "test_fraction": 0}
    found = fs.fit("t.csv", target="y", **settings).summary()
    assert found.names == (
        "a",
        "b",
        "c",
        "tree=Box",
        "tree=Cob",
        "tree=Elm",
        "new=yes",
        "intercept",
    )
    assert found.against == ("", "", "", *["tree=Ash"] * 3, "new=no", "")
    trees = TEXTS[:, None] == ["Box", "Cob", "Elm"]
    design = np.column_stack([X, trees, X[:, 0] > 0.3, np.ones(400)]).astype(float)
    model = PEERS[task](TARGETS[task], design)
    theirs = model.fit() if task == "regression" else model.fit(disp=0, tol=1e-12, maxiter=100)
    for ours, other in ((found.estimates, theirs.params), (found.std_errors, theirs.bse)):
        assert_allclose(ours, np.reshape(np.asarray(other).T, ours.shape), rtol=2e-5, atol=1e-6)
    assert "; texts against tree=Ash, new=no, on 400 samples" in found.title
    assert found.readings[3].startswith("tree=Box rather than tree=Ash ")
    last = found.readings[7]
    assert last.startswith("Where all inputs are 0 but tree=Ash, new=no, ")
    assert found.rows()[3]["against"] == "tree=Ash"
    assert "against" not in found.rows()[0]


def test_numbers_far_from_0_have_standard_errors():
    """The rounding of a run's rows to float32 is no sign of a run that stopped early."""
    pressure = (101325 + TARGETS["regression"]).astype(np.float32).astype(float)
    found = fs.fit((X, pressure), optimizer="newton").summary()
    theirs = OLS(pressure, X1).fit()
    assert_allclose(found.estimates[0], theirs.params, rtol=1e-6, atol=1e-9)
    assert_allclose(found.std_errors[0], theirs.bse, rtol=1e-6)


def test_any_optimizer_that_gets_there_will_do():
    """L-BFGS, and a stepwise one whose end is within a hundredth of a standard error."""
    best = fitted("binary", standardize=True).summary()
    for settings in ({"optimizer": "lbfgs"}, {"optimizer": "adam", "lr": 0.1, "epochs": 3000}):
        found = fitted("binary", standardize=True, **settings).summary()
        assert_allclose(found.estimates, best.estimates, rtol=1e-8)
        assert_allclose(found.std_errors, best.std_errors, rtol=1e-8)


def test_the_table_is_written_in_words():
    """Aligned columns, and each coefficient as a sentence."""
    run = fitted("binary", standardize=False)
    found = run.summary()
    title, _, head, *rows = str(found).split("\n")
    assert title == "Logistic regression: log-odds of y = 1 against 0, on 400 samples"
    assert " ".join(head.split()) == "estimate std. error z p 95 % interval odds ratio"
    assert [row.split()[0] for row in rows[:4]] == ["x1", "x2", "x3", "intercept"]
    assert len({len(row) for row in rows[:4]} | {len(head)}) == 1
    ratio = np.exp(found.estimates[0, 0])
    assert found.readings[0].startswith(
        f"One unit more of x1 multiplies the odds of y = 1 against 0 by {ratio:.4g} ("
    )
    assert found.readings[3].startswith("Where all inputs are 0, the odds of y = 1 against 0 are ")
    value = fitted("regression").summary()
    assert value.odds_ratios is None
    assert "adds" in value.readings[0]
    assert "odds" not in str(value)
    several = fitted("multiclass").summary()
    assert "\ny = 2 against 0\n" in str(several)
    assert len(several.rows()) == len(several.readings) == 8


def test_a_notebook_shows_tables():
    """One a contrast; names cannot become markup."""
    run = fs.fit("iris", optimizer="newton", features=["sepal width (cm)"])
    html = run.summary()._repr_html_()
    assert html.count("<table>") == 2
    assert html.count("<tr title=") == 4
    Path("t.csv").write_text("a<b>,y\n" + "".join(f"{i * i % 7},{i % 2}\n" for i in range(30)))
    table = fs.fit("t.csv", target="y", optimizer="newton").summary()._repr_html_()
    assert "a&lt;b&gt;" in table
    assert "<b>" not in table


def test_the_command_prints_them(cli):
    """As text, and as JSON with a row for each."""
    fitted("binary").save("run.safetensors")
    answer = cli("show", "run.safetensors", "--coefficients")
    assert answer.out == f"{fs.load('run.safetensors').summary()}\n"
    found = json.loads(cli("show", "run.safetensors", "--coefficients", "--json").out)
    assert [row["name"] for row in found["coefficients"]] == ["x1", "x2", "x3", "intercept"]
    assert set(found["coefficients"][0]) >= {"estimate", "std_error", "z", "p_value", "odds_ratio"}
    fitted("binary", hidden=[2], optimizer="adam", epochs=1).save("deep.safetensors")
    refused = cli("show", "deep.safetensors", "--coefficients")
    assert (refused.status, refused.out) == (2, "")
    assert "needs a model without a hidden layer; this one has 2" in refused.err
    midway = cli("show", "run.safetensors", "--coefficients", "--step", "1")
    assert (midway.status, midway.out) == (2, "")
    assert "Coefficients are those of the end; leave out --step." in midway.err


def _separable():
    return fs.fit((X, X[:, 0] > 0), optimizer="newton")


def _quasi():
    return fs.fit(([0, 1, 2, 2, 2, 2, 3, 4.0], [0, 0, 0, 1, 0, 1, 1, 1]), optimizer="newton")


def _quasi_by_lbfgs():
    rng = np.random.default_rng(0)
    inputs = np.column_stack([rng.integers(0, 2, 60), rng.normal(size=60)])
    y = np.where(inputs[:, 0] == 1, rng.integers(0, 2, 60), rng.integers(0, 3, 60))
    return fs.fit((inputs, y), optimizer="lbfgs", epochs=2000, standardize=True)


def _collinear():
    twice = np.column_stack([X, X[:, 0] - X[:, 2]])
    return fs.fit((twice, TARGETS["binary"]), optimizer="newton")


def _constant():
    return fs.fit((np.column_stack([np.full(400, 3.0), X]), TARGETS["binary"]), optimizer="newton")


def _without_data():
    fitted("binary").save("bare.safetensors", data=False)
    return fs.load("bare.safetensors")


def _far_out(column):
    inputs, y = X.copy(), TARGETS["regression"]
    if column == "x2":
        inputs[:, 1] += 1e8
    return fs.fit((inputs, y + (1e8 if column == "y" else 0)), optimizer="newton", epochs=2)


REFUSED = {
    "inputs far out": (lambda: _far_out("x2"), "`x2` varies too little for how far from 0 it lies"),
    "target far out": (lambda: _far_out("y"), "`y` varies too little .* with standardize=True"),
    "before the optimum": (lambda: fitted("binary", epochs=1), "hold at the optimum only; this ru"),
    "by adam": (lambda: fitted("binary", optimizer="adam", epochs=9), "optimizer='newton'"),
    "hidden": (lambda: fitted("binary", optimizer="adam", hidden=[3, 2], epochs=1), "has 3, 2"),
    "l2": (lambda: fitted("binary", l2=0.1), "is penalised by `l2`, .* Train with l2=0"),
    "weight decay": (
        lambda: fitted("binary", optimizer="adam", weight_decay=0.1, epochs=1),
        "is penalised by `weight_decay`",
    ),
    "loss": (lambda: fitted("binary", optimizer="lbfgs", loss="mse"), "needs the loss cross_entro"),
    "smooth_l1": (
        lambda: fitted("regression", optimizer="lbfgs", loss="smooth_l1"),
        "needs the loss mse, whose optimum is the likeliest model; this run has smooth_l1",
    ),
    "separable": (_separable, "can be told apart without a mistake, so the coefficients grow"),
    "partly separable": (_quasi, "Some samples can be told apart without a mistake"),
    "partly separable, by lbfgs": (_quasi_by_lbfgs, "Some samples can be told apart without a mi"),
    "collinear": (_collinear, "`x[34]` is determined by other inputs or constant"),
    "constant": (_constant, "`x1` is determined by other inputs or constant"),
    "no data": (_without_data, "saved without"),
    "few samples": (
        lambda: fs.fit((X[:4], TARGETS["regression"][:4]), task="regression", optimizer="newton"),
        "more samples than coefficients; there are 4 for 4",
    ),
    "exact": (
        lambda: fs.fit((X[:, :1], 2 * X[:, 0] + 1), task="regression", optimizer="newton"),
        "answers every sample exactly",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_where_there_are_none_the_reason_is_said(name):
    """In one sentence."""
    made, sentence = REFUSED[name]
    with pytest.raises(DataError, match=sentence):
        made().summary()
