"""The replay: one HTML file that shows a training step by step and loads nothing."""

import dataclasses
import html
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fitscope import analysis
from fitscope.analysis.needs import needs_one_target, needs_plain
from fitscope.errors import DataError
from fitscope.export.pytorch import pytorch_script
from fitscope.export.reproduce import command_line, python_snippet
from fitscope.lab.page import replay_page
from fitscope.network import parameter_names
from fitscope.outcomes import Outcome
from fitscope.records import Dataset, Run
from fitscope.runfile import run_bytes, write_atomically

__all__ = ["is_importance_quick", "replay_frame", "replay_html", "save_report", "thinned"]

FRAME_BYTES = 1_000_000  # of parameters, and of samples, in a notebook
FRAME_PX = 760  # how high a replay is in a notebook
MAX_MULTIPLICATIONS = 10**9  # to find which inputs matter, about a second
MAX_MEANINGS = 500  # parameters that the page lists one by one


def save_report(run: Run, path: str | Path) -> None:
    """Writes the replay of a run to an HTML file.

    Raises:
        OutputError: the file cannot be written.
        DataError: the run is of a module that the page cannot compute.
    """
    write_atomically(path, replay_html(run).encode())


def replay_html(run: Run, *, max_bytes: int = 8_000_000) -> str:
    """The replay of a run as one HTML document, which holds the run file itself.

    Losses are kept whole. Of parameters that need more than `max_bytes`, steps are left out
    evenly; samples that need more are left out altogether; the page says so.

    Args:
        run: any run.
        max_bytes: room for the parameters, and the same for the samples.

    Raises:
        DataError: the run has several targets, or is of a module that the page cannot compute.
    """
    needs_plain(run, "The replay")
    needs_one_target(run.dataset, "A replay")
    shown = thinned(run, max_bytes)
    if _sample_bytes(run.dataset) > max_bytes:
        shown = replace(shown, dataset=shown.dataset.without_arrays())
    boot = _boot(run, note=" ".join(_left_out(run, shown, max_bytes)))
    return replay_page(boot, run_bytes(shown), run.experiment.title or "run")


def replay_frame(run: Run) -> str:
    """The replay as a frame for a notebook: alone with its run, about as small as can be."""
    page = replay_html(run, max_bytes=FRAME_BYTES)
    title = html.escape(f"Replay of {run.experiment.title or 'a run'}")
    return (
        f'<iframe title="{title}" sandbox="allow-scripts allow-downloads" allow="clipboard-write" '
        f'width="100%" height="{FRAME_PX}" style="border:0" '
        f"srcdoc='{_in_quotes(page)}'></iframe>"
    )


def thinned(run: Run, max_bytes: int) -> Run:
    """The run with evenly as many of its recorded steps as fit, the first and the last among them.

    Example:
        >>> import fitscope as fs
        >>> thinned(fs.fit("rings-3", epochs=10), 312).steps.tolist()
        [0, 3, 6, 9, 10]
    """
    if run.params.nbytes <= max_bytes:
        return run
    n, row_bytes = len(run.params), run.params[0].nbytes
    every = -(-n // max(1, max_bytes // row_bytes - 1))  # one row more for the last step
    rows = np.unique(np.append(np.arange(0, n, every), n - 1))
    return replace(run, params=run.params[rows], steps=run.steps[rows])


def is_importance_quick(run: Run) -> bool:
    """Whether it takes about a second at most to shuffle each input ten times."""
    d = run.dataset
    is_read_off = run.is_linear and d.k == 1
    n_answers = 10 * d.d * len(d.judged_part()[1])
    return is_read_off or n_answers * len(run.params[0]) <= MAX_MULTIPLICATIONS


def _boot(run: Run, *, note: str) -> dict[str, Any]:
    """What the page starts from: what cannot be read off the run file by the page itself."""
    return {
        "mode": "replay",
        "summary": dataclasses.asdict(analysis.summary(run)),
        "code": _code(run),
        "meanings": [_meaning(run, n) for n in parameter_names(run.layer_sizes)[:MAX_MEANINGS]],
        "importance": _importance(run),
        "note": note,
    }


def _code(run: Run) -> dict[str, str]:
    """How to get the run again, in each language, or why it cannot say it."""
    if run.attached:
        said = (
            "# fs.attach recorded a loop that is not fitscope's.\n# Only that loop gives it again."
        )
        return {"command": said, "python": python_snippet(run), "pytorch": "", "toml": said}
    command = command_line(run) or "# The data was given in memory; the run file holds it."
    if run.outcome is Outcome.INTERRUPTED:
        command += "\n# This run was interrupted; the command trains it to its end."
    try:
        script = pytorch_script(run)
    except DataError as error:  # data in memory that was not kept, or weights
        script = f"# {error}"
    return {
        "command": command,
        "python": python_snippet(run),
        "pytorch": script,
        "toml": run.experiment.to_toml(),
    }


def _importance(run: Run) -> dict[str, Any] | None:
    """Which inputs matter, where there are more of them than a picture has axes."""
    if run.dataset.d <= 2 or not len(run.dataset.X) or not is_importance_quick(run):
        return None
    found = analysis.importance(run)
    return {
        "title": "Which inputs matter",
        "kind": found.what,
        "names": found.names,
        "values": found.values.tolist(),
    }


def _meaning(run: Run, name: str) -> str:
    """What a parameter joins: `w1[2,1]` is input 1 to hidden unit 2."""
    sizes = run.layer_sizes
    layer = int(name[1 : name.index("[")])
    unit, *source = (int(part) for part in name[name.index("[") + 1 : -1].split(","))
    outputs = [str(label) for label in run.dataset.classes] if run.dataset.k > 1 else ["output"]
    to = outputs[unit - 1] if layer == len(sizes) - 1 else _hidden_unit(sizes, layer, unit)
    if not source:
        return f"bias of {to}"
    inputs = run.dataset.feature_names
    start = inputs[source[0] - 1] if layer == 1 else _hidden_unit(sizes, layer - 1, source[0])
    return f"{start} to {to}"


def _hidden_unit(sizes: list[int], layer: int, unit: int) -> str:
    return f"unit {unit}" if len(sizes) == 3 else f"unit {unit} of hidden layer {layer}"


def _left_out(run: Run, shown: Run, max_bytes: int) -> Iterator[str]:
    """What the replay is without, one sentence each."""
    if len(shown.steps) < len(run.steps):
        yield (
            f"This replay shows {len(shown.steps):,} of the {len(run.steps):,} recorded steps, "
            "evenly spaced; the run file has them all."
        )
    if not len(run.dataset.X):
        yield "This run was saved without its data, so no samples can be drawn."
    elif not len(shown.dataset.X):
        yield (
            f"The samples, {_sample_bytes(run.dataset) / 1e6:.2g} MB, are left out, since a replay "
            f"of this size has room for {max_bytes / 1e6:g} MB; the run file has them."
        )
    if run.dataset.d > 2 and not is_importance_quick(run):
        yield "Which inputs matter takes long to find here: run.plot.importance() draws it."


def _sample_bytes(data: Dataset) -> int:
    return sum(part.nbytes for part in (data.X, data.y, data.X_test, data.y_test))


def _in_quotes(page: str) -> str:
    """A page as the value of an attribute in single quotes, of which it has fewer."""
    return page.replace("&", "&amp;").replace("'", "&#39;")
