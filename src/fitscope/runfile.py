"""Run <-> one .safetensors file: arrays plus a JSON header, written atomically, read with care.

The header's `__metadata__` has one entry, `fitscope`: the JSON text of an object with `format`
(a number that grows when older readers could no longer read the file) and what `_header` writes.
The array `sha256` (32 bytes) is taken over that text and all other arrays. There is no pickle.
"""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from fitscope.errors import FitscopeError, InputFileError, OutputError, RunFileError
from fitscope.header import AttachedHeader, DatasetHeader, Header
from fitscope.outcomes import Outcome
from fitscope.own import Attached, Layout, check_module, uncompiled
from fitscope.records import Dataset, Run
from fitscope.specs import LOSSES, Experiment

__all__ = ["FORMAT", "load", "run_bytes", "save", "write_atomically"]

FORMAT = 1

_RUN_ARRAYS = {
    "params": (np.float32, 2),
    "steps": (np.int32, 1),
    "batch_loss": (np.float32, 1),
    "train_loss": (np.float32, 1),
    "test_loss": (np.float32, 1),
}
_DATA_ARRAYS = ("X", "y", "X_test", "y_test", "mean", "scale", "truth", "weights")
_OPTIONAL = ("truth", "weights")


_OWN_ARRAYS = {"loss_steps": "own_loss_steps", "buffers": "buffers"}  # of `fs.attach` alone


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


def load(path: str | Path, *, module: Any = None) -> Run:
    """Reads a run file, or the one in a folder that `fitscope fit` wrote, and checks all of it.

    Args:
        path: the file or the folder.
        module: for a run that `fs.attach` recorded of a module that is no plain stack: such a
            module, which gives the run its answers back. Its own parameters stay as they are.

    Raises:
        DataError: the module is none that the run was recorded of.
        InputFileError: the file is not there or cannot be read.
        RunFileError: it is not a run file, is damaged, or was written by a newer fitscope.
    """
    try:
        is_folder = Path(path).is_dir()
        content = (Path(path) / "run.safetensors" if is_folder else Path(path)).read_bytes()
    except (TypeError, ValueError):
        raise InputFileError(f"{path!r} is no name of a file.") from None
    except OSError as error:
        if is_folder and isinstance(error, FileNotFoundError):
            raise InputFileError(f"The folder {path} holds no run.safetensors.") from None
        raise InputFileError(f"Cannot read {path}: {error.strerror}.") from None
    arrays, header = _parts(path, content)
    try:
        run = _run(arrays, Header(**header))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise RunFileError(f"{path} is a damaged run file: `{place}` is wrong.") from None
    except (FitscopeError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise RunFileError(f"{path} is a damaged run file: {_one_line(error)}.") from None
    if module is None:
        return run
    check_module(run, module)
    return replace(run, own_module=uncompiled(module))


def run_bytes(run: Run, *, data: bool = True) -> bytes:
    """The content of the run file: the same run gives the same bytes, but for `train_s`."""
    from safetensors.numpy import save as to_bytes

    d = run.dataset if data else run.dataset.without_arrays()
    arrays: dict[str, np.ndarray] = {
        name: np.ascontiguousarray(getattr(run, name)) for name in _RUN_ARRAYS
    }
    for name, own in _OWN_ARRAYS.items():
        if getattr(run, own) is not None:
            arrays[name] = np.ascontiguousarray(getattr(run, own))
    for name in _DATA_ARRAYS:
        if getattr(d, name) is not None:
            arrays[f"data.{name}"] = np.ascontiguousarray(getattr(d, name))
    header = json.dumps(_header(run))
    arrays["sha256"] = _digest(arrays, header)
    return bytes(to_bytes(arrays, metadata={"fitscope": header}))


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
    d, how = run.dataset, run.dataset.preprocessing
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
            "y_mean": np.asarray(d.y_mean).tolist(),
            "y_scale": np.asarray(d.y_scale).tolist(),
            "notes": d.notes,
            **({"n_targets": d.n_targets} if d.n_targets > 1 else {}),
            **({"preprocessing": how.model_dump(mode="json")} if how else {}),
        },
        "outcome": run.outcome.name,
        "ending": run.ending,
        "metrics": dict(run.metrics),
        "engine": run.engine,
        "engine_reason": run.engine_reason,
        "device": run.device,
        "versions": dict(run.versions),
        "train_s": run.train_s,
        **({"attached": asdict(run.attached)} if run.attached else {}),
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
        text = metadata.get("fitscope", "null")
        header = json.loads(text)
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
    digest = arrays.pop("sha256", None)
    if digest is None or digest.tobytes() != _digest(arrays, text).tobytes():
        raise RunFileError(f"{path} was changed or damaged after it was written.")
    return arrays, header


def _digest(arrays: Mapping[str, np.ndarray], header: str) -> np.ndarray:
    """SHA-256, as 32 bytes, over the header's text and every array in the order of their names.

    Of an array go in a line with its name and shape, such as `params 701x2`, and its bytes.
    """
    digest = hashlib.sha256(header.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name} {'x'.join(map(str, array.shape))}\n".encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return np.frombuffer(digest.digest(), dtype=np.uint8)


def _run(arrays: dict[str, np.ndarray], header: Header) -> Run:
    """The run, after a check of everything that other code relies on."""
    e = Experiment(**header.experiment)
    data = _dataset(e, arrays, header.dataset)
    recorded: dict[str, Any] = {name: arrays[name] for name in _RUN_ARRAYS}
    recorded |= {own: arrays.get(name) for name, own in _OWN_ARRAYS.items()}
    run = Run(
        **recorded,
        outcome=Outcome[header.outcome],
        experiment=e,
        dataset=data,
        metrics=header.metrics,
        engine=header.engine,
        engine_reason=header.engine_reason,
        device=header.device,
        versions=header.versions,
        train_s=header.train_s,
        attached=_attached(header.attached),
    )
    for name, (dtype, ndim) in _RUN_ARRAYS.items():
        _require(
            arrays[name].dtype == dtype and arrays[name].ndim == ndim, f"`{name}` has another type"
        )
    steps, layout = run.steps, run.attached.layout if run.attached else None
    p = layout.n_parameters if layout else e.network.n_parameters(data.d, data.k)
    _require(run.params.shape == (len(steps), p), "`params` does not fit the network")
    _require(steps[0] == 0 and bool(np.all(np.diff(steps) > 0)), "`steps` do not rise from 0")
    _require(
        len(run.test_loss) == (len(run.train_loss) if data.n_test else 0),
        "`test_loss` does not fit `train_loss`",
    )
    if run.attached:
        _check_own(run, run.attached)
    else:
        _check_fitted(run)
    return run


def _check_fitted(run: Run) -> None:
    """Losses and steps of a training by fitscope."""
    steps, n_epochs, task = run.steps, len(run.train_loss) - 1, run.dataset.task
    _require(run.own_loss_steps is None and run.buffers is None, "`attached` is missing")
    n_unmade = int(run.outcome is Outcome.DIVERGED)  # the loss that ended it, without its update
    _require(
        0 <= len(run.batch_loss) - steps[-1] <= n_unmade, "`batch_loss` does not fit the steps"
    )
    _require(
        0 <= n_epochs * run.updates_per_epoch <= steps[-1], "`train_loss` does not fit the steps"
    )
    _require(run.experiment.training.loss in LOSSES[task], "`training.loss` does not fit the task")


def _check_own(run: Run, about: Attached) -> None:
    """The same of a loop of somebody's own, and the layout of its module."""
    taken, d = run.own_loss_steps, run.dataset
    if taken is None or taken.dtype != np.int32 or taken.ndim != 1:
        raise ValueError("`loss_steps` is missing or has another type")
    _require(
        len(taken) == len(run.train_loss) > 0 and taken[0] == 0 and taken[-1] <= run.steps[-1],
        "`loss_steps` does not fit `train_loss`",
    )
    _require(bool(np.all(np.diff(taken) > 0)), "`loss_steps` do not rise from 0")
    _require(not len(run.batch_loss), "`batch_loss` does not fit the steps")
    loss = run.experiment.training.loss
    expected = None if about.own_loss else about.loss
    _require(loss == expected, "`training.loss` does not fit the loss")
    _require(about.own_loss or loss in LOSSES[d.task], "`training.loss` does not fit the task")
    layout = about.layout
    _require((layout is None) == (run.buffers is None), "`buffers` is missing or does not belong")
    if layout is None or run.buffers is None:
        return
    fits = run.buffers.dtype == np.float32
    fits = fits and run.buffers.shape == (len(run.steps), layout.n_buffers)
    _require(fits, "`buffers` does not fit the module")
    _require(prod(layout.input_shape) == d.d, "`input_shape` does not fit the data")
    names = [name for name, _ in (*layout.parameters, *layout.buffers, *layout.frozen)]
    _require(len(set(names)) == len(names), "`layout` names a parameter twice")
    one = {"binary": 1, "multiclass": d.k}.get(d.task, layout.n_outputs)
    _require(layout.n_outputs == one, "`n_outputs` does not fit the task")


def _attached(header: AttachedHeader | None) -> Attached | None:
    if header is None:
        return None
    told = dict(header)
    layout = None if header.layout is None else Layout(**dict(header.layout))
    return Attached(**{**told, "layout": layout})


def _dataset(e: Experiment, arrays: dict[str, np.ndarray], about: DatasetHeader) -> Dataset:
    found: dict[str, Any] = {
        name: arrays.get(f"data.{name}") if name in _OPTIONAL else arrays[f"data.{name}"]
        for name in _DATA_ARRAYS
    }
    lists: dict[str, Any] = {
        name: tuple(getattr(about, name)) for name in ("feature_names", "classes", "notes")
    }
    how, told = about.preprocessing, about.model_dump()
    for name in ("y_mean", "y_scale"):
        told[name] = np.array(told[name]) if isinstance(told[name], list) else told[name]
    data = Dataset(spec=e.data, **found, **{**told, **lists, "preprocessing": how})
    _require(how is None or how.inputs == data.feature_names, "`preprocessing` makes other inputs")
    n_classes = {"binary": 2, "multiclass": max(2, len(data.classes)), "regression": 0}[data.task]
    _require(
        len(data.classes) == len(set(data.classes)) == n_classes, "`classes` does not fit the task"
    )
    kept = len(data.X) > 0
    n, m, d = data.n_train * kept, data.n_test * kept, data.d
    kind = np.float32 if data.task == "regression" else np.int32
    _check(data.X, (n, d), np.float32, "`X`")
    _check(data.X_test, (m, d), np.float32, "`X_test`")
    _require(data.n_targets == 1 or not n_classes, "`n_targets` does not fit the task")
    targets = (data.n_targets,) if data.n_targets > 1 else ()
    _require({np.shape(data.y_mean), np.shape(data.y_scale)} <= {(), targets}, "`y_mean` is wrong")
    _check(data.y, (n, *targets), kind, "`y`")
    _check(data.y_test, (m, *targets), kind, "`y_test`")
    _check(data.mean, (d,), np.float64, "`mean`")
    _check(data.scale, (d,), np.float64, "`scale`")
    _require(bool(np.all(data.scale > 0)), "`scale` is not positive")
    if data.truth is not None:
        _check(data.truth, (d + 1,), np.float64, "`truth`")
    if data.weights is not None:
        _check(data.weights, (n + m,), np.float32, "`weights`")
        _require(bool((data.weights >= 0).all()), "`weights` has negative values")
    for y in (data.y, data.y_test):
        _require(
            not n_classes or bool(np.all((y >= 0) & (y < n_classes))), "`y` is none of the classes"
        )
    return data


def _check(array: np.ndarray, shape: tuple[int, ...], dtype: type, name: str) -> None:
    """Type, shape, and that all values are finite."""
    right = array.shape == shape and array.dtype == dtype and bool(np.isfinite(array).all())
    _require(right, f"{name} does not fit")


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:200]
