"""What `fitscope lab SOURCE` shows first; files are copied into the workspace."""

import re
from pathlib import Path

from fitscope.analysis.needs import needs_plain
from fitscope.lab.state import First, Lab
from fitscope.lab.tables import checked_table, table_facts
from fitscope.lab.workspace import RUN_SUFFIX
from fitscope.runfile import load
from fitscope.specs import Experiment, experiment

__all__ = ["first_of"]


def first_of(source: str, lab: Lab) -> First:
    """What a source stands for, checked: an experiment, or a run file.

    Args:
        source: what `fit` takes, a run file, or the folder that `fit` wrote.
        lab: the lab whose workspace gets a copy of a table or a run.

    Raises:
        FitscopeError: there is no such source, or it cannot be used.
    """
    path = Path(source)
    if path.suffix.lower() == RUN_SUFFIX or (path / "run.safetensors").is_file():
        return _first_run(path, lab)
    e = experiment(source)
    if e.data.path is not None:
        e = _with_table(e, Path(e.data.path), lab)
    lab.trainer.plan(e)
    return First(e)


def _first_run(path: Path, lab: Lab) -> First:
    run = load(path)
    needs_plain(run, "The lab")
    file = path / "run.safetensors" if path.is_dir() else path
    name = path.resolve().stem if path.is_dir() else path.stem
    kept = _kept(lab, lab.workspace.run(_name(name)), file)
    return First(run.experiment, kept.stem)


def _with_table(e: Experiment, path: Path, lab: Lab) -> Experiment:
    """The experiment on a copy of its table; a target that is not named is suggested."""
    table = checked_table(path, lab.limits)
    target = e.data.target or table_facts(table, str(path))["target"]
    lab.limits.check_upload(path.stat().st_size)
    kept = _kept(lab, lab.workspace.table(_name(path.stem) + path.suffix), path)
    data = e.data.model_copy(update={"path": f"tables/{kept.name}", "target": target})
    return e.model_copy(update={"data": data})


def _kept(lab: Lab, path: Path, file: Path) -> Path:
    """Where a copy of the file lies in the workspace; another file of that name stays."""
    path = lab.workspace.free(path, file)
    if not path.exists():
        lab.workspace.write(path, file.read_bytes())
    return path


def _name(text: str) -> str:
    """A text as a name in the workspace."""
    return re.sub(r"[^\w .()+-]+", "-", text).lstrip(" .()+-").rstrip(" .")[:60] or "first"
