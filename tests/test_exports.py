"""Models for other programs: ONNX, PyTorch's state_dict, scikit-learn; each says what the run says.

They compute in float64 as `Run.predict_proba` does, so answers differ by roundings only: 1e-12 of
the largest is far above what they add up to, and far below the 1e-5 that is asked for.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

import fitscope as fs
from fitscope.data import write_table
from fitscope.errors import DataError, MissingExtraError
from fitscope.export import onnx_model, sklearn_script, state_dict_bytes, trajectory_table
from fitscope.records import Run
from loops import drawn, trained

NEAR = 1e-12
RNG = np.random.default_rng(0)
X, SAYS = RNG.normal(size=(60, 2)), RNG.random(60) > 0.4


def own_loop() -> Run:
    """A loop with cross-entropy of two outputs."""
    data = torch.from_numpy(X).float(), torch.from_numpy(SAYS).long()
    net = drawn(lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)))
    return trained(net, loss=nn.CrossEntropyLoss(), data=data)[0]


ASKED = {
    "gates-and": lambda: fs.fit("gates-and", epochs=20),
    "rings-3": lambda: fs.fit("rings-3", epochs=200),
    "text labels": lambda: fs.fit("iris", hidden=[5], epochs=200, standardize=True),
    "three classes, linear": lambda: fs.fit("iris", epochs=100),
    "truth values, two layers": lambda: fs.fit((X, SAYS), hidden=[3, 2], activation="relu"),
    "numbers as labels": lambda: fs.fit((X, np.where(SAYS, 1.5, 0.25)), epochs=20, task="binary"),
    "a single input": lambda: fs.fit("sine-10", epochs=100),
    "a scaled target": lambda: fs.fit("diabetes", hidden=[4], epochs=100, standardize=True),
    "a line": lambda: fs.fit("diabetes", epochs=100, activation="tanh"),
    "two logits": lambda: fs.fit((X, SAYS), hidden=[4], epochs=100, task="multiclass"),
    "two logits, linear": lambda: fs.fit(
        (X, np.where(SAYS, "yes", "no")), epochs=100, task="multiclass", standardize=True
    ),
    "two logits, of somebody's own loop": own_loop,
}


@pytest.fixture(scope="module", params=ASKED)
def run(request: pytest.FixtureRequest) -> Run:
    """A run of each kind."""
    return ASKED[request.param]()


def same(answers: np.ndarray, run: Run, rows: np.ndarray) -> bool:
    """Whether probabilities, or values of a regression, are those of the run."""
    own = run.predict_proba(rows) if run.dataset.classes else run.predict(rows)
    return bool(np.allclose(answers, own, rtol=NEAR, atol=NEAR * np.abs(own).max()))


def test_onnx_says_what_the_run_says(run: Run) -> None:
    """By onnxruntime, from inputs in the data's units; labels under their own names."""
    import onnxruntime

    model = onnx_model(run)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    rows = run.dataset.inputs()[:200]
    answers = session.run(None, {"X": rows})
    assert same(answers[-1], run, rows)
    if run.dataset.classes:
        assert answers[0].tolist() == run.predict(rows).tolist()
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert tuple(json.loads(facts["feature_names"])) == run.dataset.feature_names
    assert tuple(json.loads(facts["classes"])) == run.dataset.classes


def test_a_state_dict_fits_the_module(run: Run) -> None:
    """`nn.Sequential` takes it as it is, and then answers as the run does."""
    module, rows = run.module(), run.dataset.X[:50]
    wanted = {name: value.clone() for name, value in module.state_dict().items()}
    for value in module.parameters():
        torch.nn.init.zeros_(value)
    module.load_state_dict(safetensors.torch.load(state_dict_bytes(run)))
    assert all(torch.equal(value, wanted[name]) for name, value in module.state_dict().items())
    assert module(torch.from_numpy(rows)).isfinite().all()


def test_scikit_learn_says_what_the_run_says(run: Run) -> None:
    """The script builds a model that is fitted, and that predicts names."""
    found: dict[str, object] = {}
    exec(sklearn_script(run), found)  # noqa: S102
    model, rows = found["model"], run.dataset.inputs()[:200]
    assert same(
        model.predict_proba(rows) if run.dataset.classes else model.predict(rows), run, rows
    )
    if run.dataset.classes:
        assert model.predict(rows).tolist() == run.predict(rows).tolist()


def test_any_step_can_be_taken_along() -> None:
    """Before training, the numbers are those of the start."""
    run = fs.fit("bad-start", epochs=5)
    start = safetensors.torch.load(state_dict_bytes(run, step=0))
    assert (start["0.weight"].item(), start["0.bias"].item()) == (-5, -10)
    assert "[-5.0]" in sklearn_script(run, step=0)
    initial = {c.name: c for c in onnx_model(run, step=0).graph.initializer}
    assert np.frombuffer(initial["c0"].raw_data).item() == -5


@pytest.mark.parametrize("standardize", [False, True])
def test_a_state_dict_has_the_scaling_of_every_target(standardize: bool) -> None:
    """As a list where there are several, one each; a number alone where there is one."""
    y = X @ [[1.0, 2.0], [0.5, -1.0]] + [3, -40]
    run = fs.NetRegressor(hidden=[], epochs=20, standardize=standardize).fit(X, y).run_
    facts = json.loads(bytes_of_header(state_dict_bytes(run)))["__metadata__"]
    tensors = safetensors.torch.load(state_dict_bytes(run))
    scaled = (X - json.loads(facts["mean"])) / json.loads(facts["scale"])
    answers = scaled @ tensors["0.weight"].numpy().T.astype(float) + tensors["0.bias"].numpy()
    values = answers * json.loads(facts["y_scale"]) + json.loads(facts["y_mean"])
    np.testing.assert_allclose(values, run.predict(X), rtol=1e-12, atol=1e-12)
    one = json.loads(bytes_of_header(state_dict_bytes(fs.fit("bad-start", epochs=1))))
    assert one["__metadata__"]["y_scale"] == "1.0"


def bytes_of_header(file: bytes) -> bytes:
    """A safetensors file's own description, which is JSON behind its length."""
    return file[8 : 8 + int.from_bytes(file[:8], "little")]


def test_a_tie_of_two_logits_is_the_second_class() -> None:
    """In ONNX as in `Run.predict`, also where the two are one float."""
    import onnxruntime

    run = fs.fit((X, SAYS), epochs=1, task="multiclass", init=[0.0] * 6)
    file = onnx_model(run, step=0).SerializeToString()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    labels = session.run(["label"], {"X": X})[0].tolist()
    assert labels == run.predict(X, step=0).tolist() == [True] * len(X)


def test_a_network_too_large_for_a_text_is_refused() -> None:
    """With a sentence that names what takes it."""
    run = fs.fit("iris", hidden=[80, 80], epochs=1)
    with pytest.raises(DataError, match=r"at most 5,000 numbers.*Export it as onnx"):
        sklearn_script(run)


def test_onnx_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line that installs it."""
    run = fs.fit("bad-start", epochs=1)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r'pip install "fitscope\[onnx\]"'):
        onnx_model(run)


@pytest.mark.slow
def test_a_script_of_scikit_learn_runs_by_itself(tmp_path: Path) -> None:
    """In a process that knows nothing of fitscope, its last line prints the class of the middle."""
    run = fs.fit("iris", hidden=[5], epochs=300, standardize=True)
    path = tmp_path / "model.py"
    path.write_text(sklearn_script(run), encoding="utf-8")
    command = [sys.executable, "-W", "error", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    middle = run.predict(run.dataset.mean[None])
    assert (done.stdout.strip(), done.stderr) == (str(middle.tolist()), "")


ALONE = """
import csv, json, sys
import numpy as np, onnxruntime, safetensors.torch, torch
from PIL import Image
X = np.array(json.loads(sys.argv[1]))
session = onnxruntime.InferenceSession("run.onnx")
labels, p = session.run(["label", "probabilities"], {"X": X})
net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Sigmoid(), torch.nn.Linear(3, 1))
net.load_state_dict(safetensors.torch.load_file("run.safetensors"))
with torch.no_grad():
    answers = torch.sigmoid(net(torch.tensor(X, dtype=torch.float32)))[:, 0]
with open("run.csv") as file:
    rows = list(csv.DictReader(file))
with Image.open("run.gif") as film:
    n_frames = film.n_frames
assert "fitscope" not in sys.modules
told = [labels.tolist(), p[:, 1].tolist(), answers.tolist(), len(rows), n_frames]
print(json.dumps([*told, float(rows[-1]["b2[1]"])]))
"""


@pytest.mark.slow
def test_every_file_is_used_where_nobody_knows_of_fitscope(tmp_path: Path) -> None:
    """ONNX, state_dict, the table of steps and the film, in one process without it.

    The state_dict computes in float32, hence its 1e-5.
    """
    run = fs.fit("rings-3", epochs=200)
    (tmp_path / "run.onnx").write_bytes(onnx_model(run).SerializeToString())
    (tmp_path / "run.safetensors").write_bytes(state_dict_bytes(run))
    write_table(trajectory_table(run), tmp_path / "run.csv")
    fs.save_movie(run, "decision_field", tmp_path / "run.gif", n_frames=4)
    rows = run.dataset.X[:20].astype(np.float64)
    command = [sys.executable, "-W", "error", "-c", ALONE, json.dumps(rows.tolist())]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    labels, p, answers, n_rows, n_frames, bias = json.loads(done.stdout)
    assert labels == run.predict(rows).tolist()
    assert p == pytest.approx(run.predict_proba(rows)[:, 1], rel=NEAR)
    assert answers == pytest.approx(run.predict_proba(rows)[:, 1], abs=1e-5)
    assert (n_rows, n_frames) == (201, 4)
    assert np.float32(bias) == run.params[-1, -1]
