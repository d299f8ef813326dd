"""The page's arithmetic: what its modules read and compute is what Python does."""

import base64
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save as safetensors

import fitscope as fs
from fitscope import analysis
from fitscope.evaluation import mean_loss, scores
from fitscope.network import activations, answers, parameter_names
from fitscope.records import Run
from fitscope.runfile import run_bytes
from fitscope.specs import LOSSES
from lab_runs import array_of, inputs, reshaped, some_runs, text_of, weighted

if TYPE_CHECKING:
    from browser import Ask

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]

ACTIVATIONS = ("sigmoid", "tanh", "relu", "identity")
HIDDEN: tuple[list[int], ...] = ([], [3], [5, 4], [2, 7, 6])


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    """One run of every kind."""
    return some_runs()


@pytest.fixture(scope="module")
def shapes(runs: dict[str, Run]) -> list[Run]:
    """Random networks of all activations and depths on every kind of data."""
    kinds = [runs[name] for name in ("binary", "scaled", "multiclass", "regression")]
    kinds.append(fs.fit(weighted(), epochs=2))
    return [
        reshaped(run, hidden, activation, seed)
        for seed, (run, hidden) in enumerate((run, hidden) for run in kinds for hidden in HIDDEN)
        for activation in ACTIVATIONS
    ]


ARRAYS = {
    "params": "params",
    "steps": "steps",
    "batchLoss": "batch_loss",
    "trainLoss": "train_loss",
    "testLoss": "test_loss",
}


@pytest.mark.parametrize("name", ["binary", "scaled", "multiclass", "regression", "diverged"])
def test_the_reader_gives_every_array_bit_for_bit(
    ask: "Ask", runs: dict[str, Run], name: str
) -> None:
    """The recording, the samples in both units, and the file itself are what Python wrote."""
    run = runs.get(name) or fs.fit("sine-10", epochs=900, lr=1e6, optimizer="sgd")
    assert (run.outcome is fs.Outcome.DIVERGED) == (name == "diverged")
    found, d = ask("whole", [text_of(run), name == "binary"]), run.dataset
    for own, known in ARRAYS.items():
        assert base64.b64decode(found["arrays"][own]) == getattr(run, known).tobytes()
    assert np.array_equal(array_of(found["columns"], np.float32), inputs(run))
    assert np.array_equal(array_of(found["inputs"]), d.inputs())
    assert np.array_equal(array_of(found["targets"]), d.targets())
    assert np.array_equal(array_of(found["y"]), np.concatenate([d.y, d.y_test]))
    assert (found["sizes"], found["names"]) == (run.layer_sizes, list(d.feature_names))
    planned = run.experiment.training.n_updates(d.n_train)
    assert found["updates"] == [run.updates_per_epoch, planned]
    assert found["ended"] == [run.outcome.name, run.ending]
    assert base64.b64decode(found["file"]) == run_bytes(run)


def test_a_step_belongs_to_the_last_row_before_it(ask: "Ask", runs: dict[str, Run]) -> None:
    """`rowOf` is `Run.row`, for steps that were recorded and for those between."""
    run = runs["regression"]
    thin = replace(run, steps=run.steps[::7], params=run.params[::7])
    thin = replace(thin, batch_loss=run.batch_loss[: thin.steps[-1]])
    thin = replace(thin, train_loss=run.train_loss[:1], test_loss=run.test_loss[:1])
    steps = list(range(int(thin.steps[-1]) + 1))
    assert ask("rows", [text_of(thin), steps]) == [thin.row(step) for step in steps]


def test_a_run_takes_its_samples_from_another_of_the_same_data(
    ask: "Ask", runs: dict[str, Run]
) -> None:
    """A file without samples reads as such, takes those of its like, and refuses others."""
    run = runs["scaled"]
    texts = [text_of(run, data=False), text_of(run), text_of(runs["binary"])]
    n, found, said = ask("borrowed", texts)
    assert n == 0
    assert np.array_equal(np.array(found).T, run.dataset.inputs())
    assert said == "The samples belong to a run on other data."


def damaged(run: Run) -> Iterator[tuple[bytes, str]]:
    """Files that are none, and what is said of each."""
    whole = run_bytes(run)
    size = 8 + int.from_bytes(whole[:8], "little")
    yield b"", "is empty"
    yield from ((whole[:n], "cannot be parsed") for n in (3, 8, 60, size, len(whole) - 1))
    yield b"\x10" + b"\0" * 7 + b"no header at all", "cannot be parsed"
    yield safetensors({"a": np.zeros(3, np.float32)}), "not one that fitscope wrote"
    header = json.loads(whole[8:size])
    for change, sentence in changes(json.loads(header["__metadata__"]["fitscope"])):
        header["__metadata__"]["fitscope"] = json.dumps(change)
        text = json.dumps(header).encode()
        yield len(text).to_bytes(8, "little") + text + whole[size:], sentence
    back = replace(run, steps=run.steps[::-1].copy())
    yield run_bytes(back), "`steps` do not rise from 0"
    yield run_bytes(replace(run, batch_loss=run.batch_loss[:-2])), "`batch_loss` does not fit"
    yield run_bytes(replace(run, train_loss=run.train_loss[:-1])), "`test_loss` does not fit"
    wrong = replace(run.dataset, y=run.dataset.y + 1)
    yield run_bytes(replace(run, dataset=wrong)), "`y` is none of the classes"


def changes(about: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Headers with one thing wrong, and what is said of each."""
    e = about["experiment"]
    yield {**about, "format": 2}, "written by a newer fitscope"
    yield {**about, "outcome": "WON"}, "`outcome` is wrong"
    yield {**about, "experiment": {}}, "its header is incomplete"
    for setting, value, sentence in (
        ("activation", "step", "`network.activation` is wrong"),
        ("hidden", [9], "`params` does not fit the network"),
        ("hidden", [-1], "`network.hidden` is wrong"),
    ):
        changed = {**e, "network": {**e["network"], setting: value}}
        yield {**about, "experiment": changed}, sentence
    for setting, value, sentence in (
        ("n_train", 7, "`data.X` does not fit"),
        ("classes", ["a"], "`classes` does not fit the task"),
        ("task", "clustering", "`dataset.task` is wrong"),
    ):
        yield {**about, "dataset": {**about["dataset"], setting: value}}, sentence


def test_a_damaged_file_is_refused_with_one_sentence(ask: "Ask", runs: dict[str, Run]) -> None:
    """Whatever is wrong with a file, the reader throws a sentence that says what."""
    cases = list(damaged(runs["binary"]))
    found = ask("refusals", [base64.b64encode(content).decode() for content, _ in cases])
    for said, (_, expected) in zip(found, cases, strict=True):
        assert expected in said
        assert said.startswith("This ")
        assert said.endswith(".")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch on one thread: on a busy machine, two wait for each other at every small product."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.mark.usefixtures("one_thread")
def test_the_forward_pass_is_pytorchs(ask: "Ask", shapes: list[Run]) -> None:
    """Answers agree with PyTorch's to float32, and all layers with numpy's to rounding."""
    for run, layers in zip(shapes, ask("layers", list(map(text_of, shapes))), strict=True):
        X, activation = inputs(run), run.experiment.network.activation
        with torch.no_grad():
            expected = run.module(step=0)(torch.from_numpy(X)).numpy()
        assert np.allclose(array_of(layers[-1]), expected, rtol=1e-5, atol=1e-5)
        exact = activations(run.params[0], X, sizes=run.layer_sizes, activation=activation)
        for found, known in zip(layers, exact, strict=True):
            assert np.allclose(array_of(found), known, rtol=1e-12, atol=1e-12)


def test_losses_and_scores_are_those_of_python(ask: "Ask", shapes: list[Run]) -> None:
    """Every loss that a task has, and the scores, on both parts; large answers included."""
    wide = [replace(run, params=run.params * np.float32(40)) for run in shapes[::3]]
    for run in [*shapes, *wide]:
        d = run.dataset
        found = ask("losses", [text_of(run), LOSSES[d.task]])
        logits = np.split(answers(run, inputs(run)), [d.n_train])
        both = [(z, y) for z, y in zip(logits, (d.y, d.y_test), strict=True) if len(y)]
        for name, values in zip(LOSSES[d.task], found["losses"], strict=True):
            expected = [mean_loss(name, d.task, z, y) for z, y in both]
            assert values == pytest.approx(expected, rel=1e-9, abs=1e-15)
        own = mean_loss(str(run.experiment.training.loss), d.task, *both[0], d.weights_by_part[0])
        assert found["own"]["train"] == pytest.approx(own, rel=1e-9, abs=1e-15)
        for part, (z, y) in zip(("train", "test"), both, strict=True):
            assert found["scores"][part] == pytest.approx(scores(d, z, y), rel=1e-9)
        assert math.isnan(found["empty"])


def test_names_and_formulas_are_those_of_python(ask: "Ask", runs: dict[str, Run]) -> None:
    """Parameters, units and what a unit computes are written as in the diagrams."""
    small = reshaped(runs["scaled"], [3, 2], "sigmoid", size=1e-4)
    large = reshaped(runs["curve"], [2], "relu", size=1e4)
    for run in [*runs.values(), small, large]:
        found, units = ask("formulas", text_of(run)), analysis.unit_names(run)
        assert found["parameters"] == parameter_names(run.layer_sizes)
        assert found["units"] == [list(column) for column in units]
        for column, lines in zip(units[1:], found["lines"], strict=True):
            expected = [analysis.unit_formula(run, name, most_terms=12) for name in column]
            assert [line.replace("σ(", "s(") for line in lines] == expected


def test_the_metrics_are_those_of_python(ask: "Ask", runs: dict[str, Run]) -> None:
    """The table of scores with its baseline, and the counts of mistakes, on both parts."""
    for run in runs.values():
        known = analysis.metrics(run)
        for column, found in enumerate(ask("tables", text_of(run))):
            part, rows = ("train", "test")[column], found["rows"]
            assert tuple(row["name"] for row in rows) == known.names
            assert tuple(row["higherIsBetter"] for row in rows) == known.higher_is_better
            for name in ("model", "baseline"):
                expected = pytest.approx(getattr(known, name)[:, column], rel=1e-9, nan_ok=True)
                assert [row[name] for row in rows] == expected
            assert found["baselineName"] == known.baseline_name
            if run.dataset.classes:
                assert found["mistakes"] == analysis.confusion(run, part=part).counts.tolist()
            else:
                left = analysis.residuals(run, part=part)
                for name in ("predicted", "residual", "edges", "counts"):
                    expected = getattr(left, name)
                    assert np.allclose(found["mistakes"][name], expected, rtol=1e-9, atol=1e-9)


CURVES = {
    "roc_curve": {
        "falsePositive": "false_positive",
        "truePositive": "true_positive",
        "thresholds": "thresholds",
        "area": "area",
    },
    "precision_recall": {
        "recall": "recall",
        "precision": "precision",
        "average": "average",
        "share": "share",
    },
    "calibration": {
        "predicted": "predicted",
        "observed": "observed",
        "counts": "counts",
        "brier": "brier",
    },
}


@pytest.mark.parametrize("name", ["binary", "scaled", "multiclass", "neuron"])
def test_curves_of_probabilities_are_those_of_python(
    ask: "Ask", runs: dict[str, Run], name: str
) -> None:
    """ROC, precision and recall, and calibration, each class against the rest if many."""
    run = runs[name]
    found = ask("curves", text_of(run))
    half = analysis.roc_curve(run).half
    assert found[0]["half"] == (half if half is None else list(half))
    for curve, (kind, fields) in zip(found, CURVES.items(), strict=True):
        record = getattr(analysis, kind)(run)
        assert tuple(line["label"] for line in curve["lines"]) == record.classes
        assert curve["note"] == record.note
        for i, line in enumerate(curve["lines"]):
            for own, known in fields.items():
                assert np.allclose(line[own], getattr(record, known)[i], rtol=1e-9, atol=1e-12)


def test_nothing_is_measured_without_numbers(ask: "Ask", runs: dict[str, Run]) -> None:
    """Without samples, and where a diverged model answers no numbers, a sentence says so."""
    run = runs["binary"]
    lost = replace(run, params=np.full_like(run.params, np.nan))
    bare = "This needs the data; this run was saved without it."
    assert ask("unmeasured", text_of(run, data=False)) == [bare, bare]
    said = "This needs finite answers; at this step the model's are not all finite."
    assert ask("unmeasured", text_of(lost)) == [said, said]


def test_a_field_costs_little_more_than_its_exponentials(ask: "Ask") -> None:
    """The forward pass of 2-3-1 takes less than four times its 45,000 exponentials alone."""
    found = ask("cost", None)
    assert found["pass"] < 4 * found["exponentials"]
