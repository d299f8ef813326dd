"""How to get the same run again: as a command and as Python."""

import csv
import io
import shlex
from typing import Any

from fitscope.records import Run
from fitscope.specs import FLAT_FIELDS, DataSpec, Experiment, experiment, experiments
from fitscope.train.plan import fastest

__all__ = ["command_line", "python_snippet"]


_ATTACHED = """\
import fitscope as fs

# This run was recorded from a training loop of its own, which alone gives it again:
with fs.attach(model, optimizer, X, y, loss=loss) as scope:
    ...  # the loop
run = scope.run"""


def command_line(run: Run) -> str:
    """The shortest `fitscope fit` command that gives this run again; "" for data in memory."""
    source, changed = _shortest(run)
    if not source:
        return ""
    flags = [_flag(name.replace("_", "-"), value) for name, value in changed.items()]
    flags += [_flag(name, value) for name, value in _where(run).items()]
    return " ".join(["fitscope fit", shlex.quote(source), *flags])


def python_snippet(run: Run) -> str:
    """The same as Python."""
    if run.attached:
        return _ATTACHED
    source, changed = _shortest(run)
    changed |= _where(run)
    settings = "".join(f", {name}={value!r}" for name, value in changed.items())
    what = repr(source) if source else "(X, y)"
    return (
        f"import fitscope as fs\n\nrun = fs.fit({what}{settings})\nprint(run.ending, run.metrics)"
    )


def _where(run: Run) -> dict[str, str]:
    """The engine and the device, where they are not those that are taken by default."""
    where = {} if run.device == "cpu" else {"device": run.device}
    usual, _ = fastest(run.experiment, run.dataset, run.device)
    return where if run.engine == usual else where | {"engine": run.engine}


def _shortest(run: Run) -> tuple[str, dict[str, Any]]:
    """The source, and the settings that differ from it, with the fewest differences."""
    data = run.experiment.data
    if data.name == "arrays":
        return "", _differences(run, Experiment(data=DataSpec(name="arrays")))
    if data.path:
        return data.path, _differences(run, Experiment(data=DataSpec(path=data.path)))
    bases = {name: experiment(name) for name in (*experiments(), data.name)}
    found = {n: _differences(run, base) for n, base in bases.items() if base.data.name == data.name}
    best = min(found, key=lambda name: len(found[name]))
    return best, found[best]


def _differences(run: Run, base: Experiment) -> dict[str, Any]:
    """Flat settings of the run that are not those of `base`."""
    changed: dict[str, Any] = {}
    for name, (section, field) in FLAT_FIELDS.items():
        value = getattr(getattr(run.experiment, section), field)
        usual = getattr(getattr(base, section), field)
        if name == "loss" and usual is None:
            usual = "mse" if run.dataset.task == "regression" else "cross_entropy"
        if value != usual:
            changed[name] = value
    return changed


def _flag(name: str, value: Any) -> str:
    """A setting as it is typed."""
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    if value is None:
        return f"--{name} none"
    if isinstance(value, list) and value and isinstance(value[0], list):
        value = "; ".join(",".join(map(_number, row)) for row in value)
    if isinstance(value, list):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(value or ["none"])
        value = text.getvalue()
    return f"--{name} {shlex.quote(str(value))}"


def _number(value: float) -> str:
    """A number with all its digits, and without the point of a whole one."""
    return repr(value).removesuffix(".0")
