"""Run <-> one .safetensors file: arrays plus a JSON header, written atomically, read with care.

The header's `__metadata__` has one entry, `fitscope`: a JSON object with `format` (a number that
grows when older readers could no longer read the file), `sha256` over everything else in the
file, and what `_header` writes. There is no pickle in it.
"""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fitscope.errors import FitscopeError, InputFileError, OutputError, RunFileError
from fitscope.records import Dataset, Outcome, Run
from fitscope.specs import Experiment

__all__ = ["FORMAT", "load", "run_bytes", "save", "write_atomically"]

FORMAT = 1

_RUN_ARRAYS = {
    "params": (np.float32, 2),
    "steps": (np.int32, 1),
    "batch_loss": (np.float32, 1),
    "train_loss": (np.float32, 1),
    "test_loss": (np.float32, 1),
}
_DATA_ARRAYS = ("X", "y", "X_test", "y_test", "mean", "scale", "truth")


def save(run: Run, path: str | Path, *, data: bool = True) -> None:
    """Writes a run to one file; what was there before stays until the new file is whole.

    Args:
        run: the run.
        path: the file, usually named *.safetensors.
        data: whether the samples go in as well.

    Raises:
        OutputError: the file cannot be written.
    """
    write_atomically(path, run_bytes(run, data=data))


def load(path: str | Path) -> Run:
    """Reads a run file and checks everything in it.

    Raises:
        InputFileError: the file is not there or cannot be read.
        RunFileError: it is not a run file, is damaged, or was written by a newer fitscope.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputFileError(f"Cannot read {path}: {error.strerror}.") from None
    arrays, header = _parts(path, content)
    try:
        return _run(arrays, header)
    except (FitscopeError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise RunFileError(f"{path} is a damaged run file: {_one_line(error)}.") from None


def run_bytes(run: Run, *, data: bool = True) -> bytes:
    """The content of the run file: the same run gives the same bytes, but for `train_s`."""
    from safetensors.numpy import save as to_bytes

    d = run.dataset if data else run.dataset.without_arrays()
    arrays = {name: np.ascontiguousarray(getattr(run, name)) for name in _RUN_ARRAYS}
    for name in _DATA_ARRAYS:
        if getattr(d, name) is not None:
            arrays[f"data.{name}"] = np.ascontiguousarray(getattr(d, name))
    header = _header(run)
    header["sha256"] = _digest(arrays, header)
    return bytes(to_bytes(arrays, metadata={"fitscope": json.dumps(header)}))


def write_atomically(path: str | Path, content: bytes) -> None:
    """Writes a file whole or not at all: a temporary file beside it, fsync, rename.

    Raises:
        OutputError: the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _header(run: Run) -> dict[str, Any]:
    """Everything about a run that is no array."""
    d = run.dataset
    return {
        "format": FORMAT,
        "experiment": run.experiment.model_dump(exclude_none=True),
        "dataset": {
            "task": d.task,
            "feature_names": d.feature_names,
            "target_name": d.target_name,
            "classes": d.classes,
            "n_train": d.n_train,
            "n_test": d.n_test,
            "y_mean": d.y_mean,
            "y_scale": d.y_scale,
            "notes": d.notes,
        },
        "outcome": run.outcome.name,
        "metrics": dict(run.metrics),
        "engine": run.engine,
        "versions": dict(run.versions),
        "train_s": run.train_s,
    }


def _parts(path: str | Path, content: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and header of a file whose digest is right."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    if not content:
        raise RunFileError(f"{path} is empty (0 bytes).")
    try:
        arrays = from_bytes(content)
        size = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + size]).get("__metadata__", {})
        header = json.loads(metadata["fitscope"]) if "fitscope" in metadata else None
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RunFileError(f"{path} is damaged, or no run file: it cannot be parsed.") from None
    if not isinstance(header, dict):
        raise RunFileError(f"{path} is a safetensors file, but not one that fitscope wrote.")
    number = header.get("format")
    if isinstance(number, int) and number > FORMAT:
        raise RunFileError(
            f"{path} has format {number}, written by a newer fitscope; this one reads up to "
            f"{FORMAT}. Upgrade with: pip install -U fitscope"
        )
    if header.pop("sha256", None) != _digest(arrays, header):
        raise RunFileError(f"{path} was changed or damaged after it was written.")
    return arrays, header


def _digest(arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> str:
    """SHA-256 over the header and every array with its name, type and shape."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()


def _run(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> Run:
    """The run, after a check of everything that other code relies on."""
    e = Experiment(**header["experiment"])
    data = _dataset(e, arrays, header["dataset"])
    recorded = {name: arrays[name] for name in _RUN_ARRAYS}
    for name, (dtype, ndim) in _RUN_ARRAYS.items():
        _require(recorded[name].dtype == dtype, f"`{name}` has another type")
        _require(recorded[name].ndim == ndim, f"`{name}` has another number of axes")
    run = Run(
        **recorded,
        outcome=Outcome[header["outcome"]],
        experiment=e,
        dataset=data,
        metrics={str(k): float(v) for k, v in header["metrics"].items()},
        engine=str(header["engine"]),
        versions={str(k): str(v) for k, v in header["versions"].items()},
        train_s=float(header["train_s"]),
    )
    steps, n_updates = run.steps, run.steps[-1]
    shape = (len(steps), e.network.n_parameters(data.d, data.k))
    _require(run.params.shape == shape, "`params` does not fit the network")
    _require(steps[0] == 0 and bool(np.all(np.diff(steps) > 0)), "`steps` do not rise from 0")
    _require(0 <= len(run.batch_loss) - n_updates <= 1, "`batch_loss` does not fit the steps")
    _require(len(run.test_loss) in (0, len(run.train_loss)), "the losses differ in length")
    return run


def _dataset(e: Experiment, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> Dataset:
    found: dict[str, Any] = {
        name: arrays[f"data.{name}"] for name in _DATA_ARRAYS if f"data.{name}" in arrays
    }
    listed = ("feature_names", "classes", "notes")
    rest: dict[str, Any] = {name: value for name, value in about.items() if name not in listed}
    lists: dict[str, Any] = {name: tuple(about[name]) for name in listed}
    data = Dataset(spec=e.data, **found, **rest, **lists)
    d, n, m = data.d, data.n_train, data.n_test
    _require(data.task in ("binary", "multiclass", "regression"), "an unknown task")
    _require(data.mean.shape == data.scale.shape == (d,), "the scaling does not fit the inputs")
    _require(data.X.shape in ((n, d), (0, d)), "`X` does not fit")
    _require(data.X_test.shape in ((m, d), (0, d)), "`X_test` does not fit")
    _require(data.y.shape == data.X.shape[:1], "`y` does not fit `X`")
    _require(data.y_test.shape == data.X_test.shape[:1], "`y_test` does not fit `X_test`")
    return replace(data, y_mean=float(data.y_mean), y_scale=float(data.y_scale))


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:200]
