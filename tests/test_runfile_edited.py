"""Edited run files whose digest is right: what does not fit together is refused, never a crash."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as parts_of
from safetensors.numpy import save as safetensors_bytes

import fitscope as fs
from fitscope import runfile

DROP, HUGE = object(), 10**400  # JSON has such numbers, a float does not
Edit = Callable[[dict[str, np.ndarray], dict[str, Any]], None]
Reader = Callable[[bytes], str]

# Reads files as a user's process does, without the type checks that conftest.py turns on. What
# loads must also be readable by what comes next.
READER = """
import sys, traceback
from pathlib import Path
import fitscope as fs
from fitscope import analysis, runfile

def read(path):
    try:
        run = fs.load(path)
    except fs.FitscopeError as error:
        return f"{type(error).__name__}: {error}"
    analysis.summary(run), analysis.loss_curves(run), runfile.run_bytes(run)
    if len(run.dataset.X):
        run.predict(run.dataset.inputs())
    return "loads"

for line in sys.stdin:
    try:
        answer = read(line.rstrip())
    except BaseException:
        answer = "crashes: " + traceback.format_exc()
    print(repr(answer), flush=True)
"""


@pytest.fixture(scope="session")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """What becomes of a file of this content: "loads", "RunFileError: ..." or "crashes: ..."."""
    path = tmp_path_factory.mktemp("edited") / "run.safetensors"
    command = [sys.executable, "-W", "error", "-c", READER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:

        def answer(content: bytes) -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            path.write_bytes(content)
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
            return str(eval(process.stdout.readline()))  # noqa: S307 (a repr of our own)

        yield answer
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="session")
def regression() -> bytes:
    """A run file with everything in it: a test part, scaled inputs and target, a known truth."""
    run = fs.fit("polynomial", n_samples=64, test_fraction=0.25, standardize=True)
    return runfile.run_bytes(run)


@pytest.fixture(scope="session")
def binary() -> bytes:
    """A run file of a small classifier without a test part."""
    return runfile.run_bytes(fs.fit("bad-start", epochs=2))


def _edited(content: bytes, edit: Edit) -> bytes:
    """The file after an edit, with a digest that is right again."""
    arrays, size = parts_of(content), int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["fitscope"])
    del arrays["sha256"]
    edit(arrays, header)
    text = json.dumps(header)
    arrays["sha256"] = runfile._digest(arrays, text)
    return bytes(safetensors_bytes(arrays, metadata={"fitscope": text}))


def _put(path: str, value: Any) -> Edit:
    """Sets or drops one entry of the header, named like `dataset.classes`."""

    def edit(_arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place = header
        for key in way:
            place = place[key]
        if value is DROP:
            del place[last]
        else:
            place[last] = value

    return edit


def _change(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Edit:
    """Changes one array."""

    def edit(arrays: dict[str, np.ndarray], _header: dict[str, Any]) -> None:
        arrays[name] = change(arrays[name])

    return edit


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_an_untouched_file_loads(kind: str, request: pytest.FixtureRequest, read: Reader) -> None:
    """Taken apart and put together again without an edit, a file loads: the forger is good."""
    content = request.getfixturevalue(kind)
    assert _edited(content, lambda arrays, header: None) == content
    assert read(content) == "loads"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", DROP, ""),
        ("format", "2", ""),
        ("format", 0, ""),
        ("experiment", DROP, "experiment"),
        ("experiment", [], ""),
        ("experiment.data", DROP, r"`data` is missing"),
        ("experiment.data.name", "ringz", "`data.name` must be one of gates"),
        ("experiment.network.hidden", [3], "`params` does not fit the network"),
        ("experiment.network.hidden", [8192] * 9, "`params` does not fit the network"),
        ("experiment.network.activation", "tahn", "Did you mean `tanh`"),
        ("experiment.training.lr", -1, "must be greater than 0"),
        ("experiment.training.loss", DROP, ""),
        ("experiment.training.loss", "relative", ""),
        ("experiment.training.epochs", HUGE, ""),
        ("dataset", DROP, "dataset"),
        ("dataset.task", "guess", "task"),
        ("dataset.task", "regression", ""),
        ("dataset.task", "multiclass", "`params` does not fit the network"),
        ("dataset.classes", DROP, "classes"),
        ("dataset.classes", [], ""),
        ("dataset.classes", [0], ""),
        ("dataset.classes", [0, 1, 2], ""),
        ("dataset.classes", [0, 0], ""),
        ("dataset.classes", [[1], [2]], ""),
        ("dataset.classes", "ab", ""),
        ("dataset.feature_names", ["x", "x2"], ""),
        ("dataset.feature_names", [], ""),
        ("dataset.feature_names", [3], ""),
        ("dataset.target_name", None, ""),
        ("dataset.n_train", DROP, "n_train"),
        ("dataset.n_train", 3, "`X` does not fit"),
        ("dataset.n_train", 20.5, ""),
        ("dataset.n_test", -1, ""),
        ("dataset.n_test", 4, ""),
        ("dataset.notes", [3], ""),
        ("dataset.y_mean", None, ""),
        ("dataset.y_mean", HUGE, ""),
        ("dataset.y_scale", 0, ""),
        ("dataset.surprise", 1, "surprise"),
        ("outcome", "WON", "outcome"),
        ("outcome", ["FINISHED"], ""),
        ("metrics", None, ""),
        ("metrics", {"train_accuracy": "high"}, ""),
        ("metrics", {"train_accuracy": HUGE}, ""),
        ("versions", [], ""),
        ("train_s", HUGE, ""),
        ("train_s", "long", ""),
    ],
    ids=lambda value: "dropped" if value is DROP else str(value)[:24],
)
def test_an_edited_header_is_refused(
    binary: bytes, read: Reader, path: str, value: Any, message: str
) -> None:
    """An entry that is missing, of another type, or contradicts the rest is a RunFileError."""
    answer = read(_edited(binary, _put(path, value)))
    assert answer.startswith("RunFileError: "), answer
    assert "run.safetensors is a damaged run file" in answer
    assert message in answer


ARRAYS = ("params", "steps", "batch_loss", "train_loss", "test_loss")
DATA = ("data.X", "data.y", "data.X_test", "data.y_test", "data.mean", "data.scale", "data.truth")


@pytest.mark.parametrize("name", [*ARRAYS, *DATA])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda a: a.astype(np.int8), id="other type"),
        pytest.param(lambda a: a[None], id="one axis more"),
        pytest.param(lambda a: a[..., 0], id="one axis less"),
        pytest.param(lambda a: a[:-2], id="two entries less"),
        pytest.param(lambda a: np.concatenate([a, a]), id="twice as long"),
        pytest.param(lambda a: a[:0], id="empty"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(
    regression: bytes, read: Reader, name: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    """An array of another type, of other axes or of another length is a RunFileError."""
    answer = read(_edited(regression, _change(name, lambda a: np.ascontiguousarray(change(a)))))
    assert answer.startswith("RunFileError: "), answer
    assert "run.safetensors is a damaged run file" in answer


@pytest.mark.parametrize("name", [*ARRAYS, *DATA[:-1]])
def test_a_missing_array_is_refused(regression: bytes, read: Reader, name: str) -> None:
    """Every array but the truth, which most data does not have, must be there."""
    answer = read(_edited(regression, lambda arrays, header: arrays.pop(name)))
    assert answer.startswith("RunFileError: "), answer
    assert name.removeprefix("data.") in answer


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("steps", lambda a: a[::-1], "`steps` do not rise from 0"),
        ("steps", lambda a: a + 1, "`steps` do not rise from 0"),
        ("steps", lambda a: np.append(a[:-1], a[-2]), "`steps` do not rise from 0"),
        ("steps", lambda a: np.append(a[:-1], 2000), "`batch_loss` does not fit the steps"),
        ("data.y", lambda a: a + 1, "y"),
        ("data.y", lambda a: a - 1, "y"),
        ("data.X", lambda a: a * np.nan, "X"),
        ("data.scale", lambda a: a * 0, "scal"),
        ("data.scale", lambda a: a * np.nan, "scal"),
        ("data.mean", lambda a: a + np.inf, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "changed",
)
def test_values_that_make_no_sense_are_refused(
    binary: bytes,
    read: Reader,
    name: str,
    change: Callable[[np.ndarray], np.ndarray],
    message: str,
) -> None:
    """Steps that fall, classes that are not there, samples and scales that are no numbers."""
    edit = _change(name, lambda a: np.ascontiguousarray(change(a), dtype=a.dtype))
    answer = read(_edited(binary, edit))
    assert answer.startswith("RunFileError: "), answer
    assert message in answer


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 4),
    st.sampled_from([10**30, -(HUGE), 1e308, float("nan"), float("inf"), "", "x", "ab", "7"]),
    st.sampled_from([[], [0], [None], ["a", "b"], [1, "a"], [[]], {}, {"a": 1}, [{}], "binary"]),
)


def _leaves(node: Any, path: str = "") -> Iterator[str]:
    """Paths of all entries of a header, inner ones included."""
    for key, value in node.items() if isinstance(node, dict) else ():
        yield f"{path}{key}"
        yield from _leaves(value, f"{path}{key}.")


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(data=st.data(), kind=st.sampled_from(["binary", "regression"]))
def test_no_edit_of_the_header_crashes(
    binary: bytes, regression: bytes, read: Reader, data: st.DataObject, kind: str
) -> None:
    """Any entries replaced or dropped: a RunFileError, or a run that can be read and saved."""
    content = binary if kind == "binary" else regression

    def edit(_arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        for _ in range(data.draw(st.integers(1, 3))):
            path = data.draw(st.sampled_from(sorted(_leaves(header))))
            junk = copy.deepcopy(data.draw(JUNK))  # a shared one would be edited, too
            _put(path, DROP if data.draw(st.booleans()) else junk)({}, header)

    answer = read(_edited(content, edit))
    assert answer == "loads" or answer.startswith("RunFileError: "), answer
