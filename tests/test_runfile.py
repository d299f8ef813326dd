"""The run file: what goes in comes out bit for bit, and whatever else it holds is refused."""

import errno
import json
import os
import pickle
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save as safetensors_bytes
from safetensors.torch import save_file as save_tensors

import fitscope as fs
from fitscope import runfile
from fitscope.errors import InputFileError, OutputError, RunFileError
from fitscope.records import Run

RUN_ARRAYS = {"params", "steps", "batch_loss", "train_loss", "test_loss"}
DATA_ARRAYS = {f"data.{name}" for name in ("X", "y", "X_test", "y_test", "mean", "scale")}


def _thinned() -> Run:
    return fs.fit("bad-start", epochs=3, keep_bytes=100)


def _labelled(labels: list[Any]) -> Run:
    X = np.random.RandomState(0).normal(size=(24, 2))
    y = np.array([labels[i % len(labels)] for i in range(24)])
    return fs.fit((X, y), epochs=2, test_fraction=0.25)


KINDS = {
    "binary": lambda: fs.fit("bad-start", epochs=2),
    "with a test part": lambda: fs.fit("gates-and", epochs=1),
    "several classes": lambda: fs.fit("blobs", epochs=2, hidden=[3], n_samples=40),
    "text labels": lambda: _labelled(["no", "yes", 'möglich, "vielleicht" <b>']),
    "truth values as labels": lambda: _labelled([True, False]),
    "fractions as labels": lambda: _labelled([0.5, 1.5]),
    "standardised regression": lambda: fs.fit("diabetes", epochs=2),
    "known truth": lambda: fs.fit("polynomial", n_samples=64, test_fraction=0.25),
    "diverged": lambda: fs.fit(
        (np.full((4, 1), 1e35), [0, 1, 1, 1]), init="zeros", lr=1e6, optimizer="sgd", hidden=[]
    ),
    "stopped": lambda: fs.fit("gates-and", stop_below=0.6),
    "stopped early": lambda: fs.fit("moons", lr=1, patience=2, test_fraction=0.5),
    "thinned": _thinned,
    "explicit start and odd settings": lambda: fs.fit(
        "step", init=[-5, 0.1], epochs=2, batch_size=7, seed=2**63 - 1, weight_decay=1e-300
    ),
}


@pytest.fixture(scope="session", params=KINDS)
def any_run(request: pytest.FixtureRequest) -> Run:
    """One run of each kind."""
    return KINDS[request.param]()


@pytest.fixture(scope="session")
def run() -> Run:
    """A run with everything in it: a test part, a known truth, several recorded steps."""
    return KINDS["known truth"]()


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write to, over and over."""
    return tmp_path_factory.mktemp("runfile") / "run.safetensors"


def _parts(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Copies of the arrays, and the header, of a good file."""
    from safetensors.numpy import load

    size = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["fitscope"])
    return {name: a for name, a in load(content).items() if name != "sha256"}, header


def _signed(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> bytes:
    """A file of these parts whose digest is right, as a careful forger would write it."""
    text = json.dumps(header)
    signed = {**arrays, "sha256": runfile._digest(arrays, text)}
    return bytes(safetensors_bytes(signed, metadata={"fitscope": text}))


def _loaded(path: Path, content: bytes) -> Run | None:
    """The run in a file of this content, None where it is refused."""
    path.write_bytes(content)
    try:
        return fs.load(path)
    except RunFileError:
        return None


def test_a_run_comes_back_bit_for_bit(any_run: Run, scratch: Path) -> None:
    """load(save(run)) == run, arrays compared by their bytes, NaN and inf included."""
    any_run.save(scratch)
    back = fs.load(scratch)
    assert back == any_run
    assert back.train_s == any_run.train_s
    assert [type(label) for label in back.dataset.classes] == [
        type(label) for label in any_run.dataset.classes
    ]


def test_kinds_are_what_they_are_called() -> None:
    """The diverged run holds inf, the thinned one has gaps: the round trip above means them."""
    assert not np.isfinite(KINDS["diverged"]().params).all()
    assert np.diff(KINDS["thinned"]().steps).max() > 1


def test_without_its_data_all_but_the_samples_comes_back(any_run: Run, scratch: Path) -> None:
    """save(data=False) keeps the recording and the description, and no sample."""
    any_run.save(scratch, data=False)
    back = fs.load(scratch)
    assert back == replace(any_run, dataset=any_run.dataset.without_arrays())
    assert len(back.dataset.X) == len(back.dataset.X_test) == 0


def test_the_same_run_gives_the_same_bytes(any_run: Run) -> None:
    """A file is a function of the run: training again changes `train_s` and nothing else."""
    same = replace(any_run, metrics=dict(any_run.metrics))
    assert runfile.run_bytes(same) == runfile.run_bytes(any_run)


def test_training_again_gives_the_same_bytes() -> None:
    """The same experiment twice is the same file, but for the seconds it took."""
    first, second = (replace(KINDS["binary"](), train_s=0.0) for _ in range(2))
    assert runfile.run_bytes(first) == runfile.run_bytes(second)


def test_loaded_data_can_be_trained_on(run: Run, scratch: Path) -> None:
    """The samples in a run file train to the same run again."""
    run.save(scratch)
    t, n = run.experiment.training, run.experiment.network
    settings = t.model_dump(exclude_none=True) | n.model_dump(exclude_none=True)
    assert fs.fit(fs.load(scratch).dataset, **settings).params.tobytes() == run.params.tobytes()


def test_the_file_is_plain_safetensors_with_the_documented_entries(run: Run, scratch: Path) -> None:
    """Anyone can read it: named arrays, one metadata entry that is JSON, and no pickle."""
    run.save(scratch)
    with safe_open(scratch, "numpy") as file:
        assert set(file.keys()) == RUN_ARRAYS | DATA_ARRAYS | {"data.truth", "sha256"}
        assert set(file.metadata()) == {"fitscope"}
        header = json.loads(file.metadata()["fitscope"])
        np.testing.assert_array_equal(file.get_tensor("params"), run.params)
    assert set(header) == {
        *("format", "experiment", "dataset", "outcome", "ending", "metrics"),
        *("engine", "engine_reason", "device", "versions", "train_s"),
    }
    assert header["format"] == runfile.FORMAT


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("os.fsync", OSError(errno.ENOSPC, "No space left on device")),
        ("pathlib.Path.replace", OSError(errno.EACCES, "Permission denied")),
        ("os.fsync", KeyboardInterrupt()),
    ],
)
def test_a_failing_write_leaves_the_old_file_and_no_other(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, error: BaseException
) -> None:
    """The new file is there whole or not at all, and nothing temporary stays."""
    path = tmp_path / "run.safetensors"
    path.write_bytes(b"before")

    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(place, fail)
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else OutputError
    with pytest.raises(expected, match=getattr(error, "strerror", None)):
        run.save(path)
    monkeypatch.undo()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664)])
def test_the_file_mode_follows_the_umask(run: Run, tmp_path: Path, mask: int, mode: int) -> None:
    """A run file is as readable as any other file that the user writes."""
    with _umask(mask):
        run.save(tmp_path / "run.safetensors")
    assert stat.S_IMODE((tmp_path / "run.safetensors").stat().st_mode) == mode


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing/run.safetensors", "No such file or directory"),
        ("file/run.safetensors", "Not a directory"),
        ("folder", "Is a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_output_error(
    run: Run, tmp_path: Path, place: str, message: str
) -> None:
    """A missing folder, a file in the way, a folder of that name: an OutputError says which."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=f"Cannot write .*{place}: {message}"):
        run.save(tmp_path / place)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_a_folder_without_permission_is_an_output_error(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No right to write there is an OutputError too (simulated: root may write everywhere)."""

    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(OutputError, match=r"Cannot write .*: Permission denied"):
        run.save(tmp_path / "run.safetensors")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing", "Cannot read .*: No such file"),
        ("", "The folder .* holds no run.safetensors"),
        ("a\0b", "is no name of a file"),
    ],
)
def test_what_cannot_be_read_is_an_input_file_error(
    tmp_path: Path, place: str, message: str
) -> None:
    """A missing file, a folder without a run and a name that is none are InputFileErrors."""
    with pytest.raises(InputFileError, match=message):
        fs.load(tmp_path / place)


def test_the_folder_of_a_fit_stands_for_its_run(run: Run, tmp_path: Path) -> None:
    """`load` takes the folder as well as the file in it."""
    run.save(tmp_path / "run.safetensors")
    assert fs.load(tmp_path) == run


def test_a_file_cut_anywhere_is_one_run_file_error(scratch: Path) -> None:
    """Cut at every 1 kB, and one byte short, it is refused by name and nothing else happens."""
    content = runfile.run_bytes(KINDS["standardised regression"]())
    cuts = [*range(0, len(content), 1024), len(content) - 1]
    assert len(cuts) > 15
    for cut in cuts:
        scratch.write_bytes(content[:cut])
        with pytest.raises(RunFileError, match=r"run\.safetensors (is empty|is damaged|was)"):
            fs.load(scratch)


@pytest.mark.slow
def test_every_flipped_byte_of_the_header_is_noticed(scratch: Path) -> None:
    """Each byte up to the arrays, one after the other: refused, or the run is the same."""
    run = KINDS["binary"]()
    content = bytearray(runfile.run_bytes(run))
    for place in range(8 + int.from_bytes(content[:8], "little")):
        flip = 1 << place % 8
        content[place] ^= flip
        assert _loaded(scratch, content) in (None, run), f"byte {place} ^ {flip}"
        content[place] ^= flip


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1))
def test_flipped_bytes_anywhere_are_noticed(
    run: Run, scratch: Path, flips: list[tuple[int, int]]
) -> None:
    """Any bytes changed anywhere: refused, or the run is the same."""
    content = bytearray(runfile.run_bytes(run))
    for place, flip in flips:
        content[place % len(content)] ^= flip
    assert _loaded(scratch, bytes(content)) in (None, run)


class _Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.path,)


def test_loading_never_unpickles(tmp_path: Path) -> None:
    """A pickle under a run file's name is refused, and its code does not run."""
    path = tmp_path / "run.safetensors"
    path.write_bytes(pickle.dumps(_Bomb(tmp_path / "exploded")))
    with pytest.raises(RunFileError, match="is damaged, or no run file: it cannot be parsed"):
        fs.load(path)
    torch.save({"params": torch.zeros(2)}, path)
    with pytest.raises(RunFileError, match="is damaged, or no run file: it cannot be parsed"):
        fs.load(path)
    assert not (tmp_path / "exploded").exists()


def _deep(depth: int) -> str:
    return '{"format": 1, "x": ' + "[" * depth + "]" * depth + "}"


def _foreign(metadata: dict[str, str] | None) -> bytes:
    return bytes(safetensors_bytes({"a": np.zeros(3)}, metadata=metadata))


UNPARSED, NOT_OURS = "is damaged, or no run file", "a safetensors file, but not one that fitscope"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", r"is empty \(0 bytes\)", id="empty"),
        pytest.param(b"x1,x2,y\n1,2,0\n" * 9, UNPARSED, id="text"),
        pytest.param(b"\xff" * 64, UNPARSED, id="huge header length"),
        pytest.param((2**40).to_bytes(8, "little") + b"{}", UNPARSED, id="long header length"),
        pytest.param((2).to_bytes(8, "little") + b"{}", NOT_OURS, id="no arrays"),
        pytest.param((4).to_bytes(8, "little") + b"[[]]", UNPARSED, id="header is a list"),
        pytest.param(_foreign(None), NOT_OURS, id="foreign"),
        pytest.param(_foreign({"format": "pt"}), NOT_OURS, id="foreign with metadata"),
        pytest.param(_foreign({"fitscope": "[1]"}), NOT_OURS, id="our entry is a list"),
        pytest.param(_foreign({"fitscope": "{"}), UNPARSED, id="our entry is no JSON"),
        pytest.param(_foreign({"fitscope": "{}"}), "was changed or damaged", id="nothing in it"),
        *[
            pytest.param(
                _foreign({"fitscope": _deep(n)}), f"{UNPARSED}|was changed", id=f"deep {n}"
            )
            for n in (100, 900, 980, 990, 1000, 100_000)
        ],
    ],
)
def test_other_files_are_refused(scratch: Path, content: bytes, message: str) -> None:
    """What fitscope did not write is a RunFileError that names the file and says what it is."""
    scratch.write_bytes(content)
    with pytest.raises(RunFileError, match=rf"run\.safetensors.*({message})"):
        fs.load(scratch)


def test_types_that_numpy_does_not_have_are_refused(scratch: Path) -> None:
    """A safetensors file of bfloat16, as language models come, is a RunFileError."""
    save_tensors({"a": torch.zeros(2, dtype=torch.bfloat16)}, scratch)
    with pytest.raises(RunFileError, match=f"{UNPARSED}|{NOT_OURS}"):
        fs.load(scratch)


def test_a_newer_format_says_upgrade(run: Run, scratch: Path) -> None:
    """A file of a newer fitscope is told apart from a damaged one, with what to do."""
    arrays, header = _parts(runfile.run_bytes(run))
    header["format"] = runfile.FORMAT + 1
    header["news"] = {"that": "this version does not know"}
    scratch.write_bytes(_signed(arrays, header))
    with pytest.raises(RunFileError, match=r"newer fitscope.*pip install -U fitscope"):
        fs.load(scratch)
