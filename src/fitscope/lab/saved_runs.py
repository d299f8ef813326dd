"""The saved runs of the workspace, told by the heads of their files."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from fitscope.specs import Experiment

__all__ = ["run_facts", "saved_runs"]

_MOST_HEAD_BYTES = 20_000_000
_DAMAGES = (
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
)


def saved_runs(files: list[Path]) -> list[dict[str, Any]]:
    """The facts of run files, newest first, else in their order."""
    found = []
    for path in files:
        with suppress(OSError):  # removed in between
            found.append((path.stat().st_mtime_ns, run_facts(path)))
    found.sort(key=lambda one: -one[0])
    return [facts for _, facts in found]


def run_facts(path: Path) -> dict[str, Any]:
    """What a list shows of a run file; its arrays are not read but for the last loss.

    A file that cannot be understood has a `problem` in place of the rest.
    """
    about = path.stat()
    facts: dict[str, Any] = {
        "name": path.stem,
        "when": datetime.fromtimestamp(about.st_mtime, UTC).isoformat(timespec="seconds"),
        "bytes": about.st_size,
        **dict.fromkeys(("title", "data", "shape", "loss", "outcome", "problem")),
    }
    try:
        return {**facts, **_head_facts(path)}
    except _DAMAGES:
        return {**facts, "problem": f"{path.name} is damaged, or no run file."}


def _head_facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > _MOST_HEAD_BYTES:
            raise ValueError("no head is so large")
        head = json.loads(file.read(size))
        begin, end = head["train_loss"]["data_offsets"]
        file.seek(8 + size + max(begin, end - 4))
        loss = np.frombuffer(file.read(4), dtype="<f4")
    told = json.loads(head["__metadata__"]["fitscope"])
    e, data = Experiment(**told["experiment"]), told["dataset"]
    is_own = bool((told.get("attached") or {}).get("layout"))
    k = len(data["classes"]) if data["task"] == "multiclass" else 1
    return {
        "title": e.title,
        "data": e.data.path or e.data.name,
        "shape": None if is_own else e.network.layer_sizes(len(data["feature_names"]), k),
        "loss": float(loss[0]) if len(loss) else None,
        "outcome": told["outcome"],
    }
