"""A run as a file to take along: the replay, a picture of a view, a film."""

import tempfile
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fitscope.errors import DataError, FitscopeError
from fitscope.export import command_line, python_snippet, pytorch_script, replay_html
from fitscope.export.replay import is_importance_quick
from fitscope.lab.jobs import JOB, Job
from fitscope.lab.limits import Limits
from fitscope.plot import save_figure, save_movie, view
from fitscope.records import Run

__all__ = ["KINDS", "StoppedError", "Wish", "code_of", "file_of"]

KINDS = {
    "html": "text/html; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
    "gif": "image/gif",
}


class StoppedError(FitscopeError):
    """What was asked for was stopped before it was done."""


class Wish(BaseModel):
    """Which file is asked for."""

    model_config = ConfigDict(extra="forbid")
    to: Literal["html", "png", "svg", "gif"]
    view: str = Field("decision_field", max_length=40, description="which picture")
    step: int = Field(-1, ge=-1, description="updates made; -1 is the end; a GIF has all")
    theme: Literal["light", "dark"] = "light"
    frames: int = Field(40, ge=2, le=Limits().frames, description="of a GIF")
    job: str | None = Field(None, pattern=JOB, description="chosen by the client")

    @property
    def file_name(self) -> str:
        """What the file is called when it is saved."""
        return f"{'run' if self.to == 'html' else self.view}.{self.to}"


def file_of(run: Run, asked: Wish, job: Job) -> bytes:
    """The file's content.

    Args:
        run: the run.
        asked: which file.
        job: hears of a film's frames, and may stop it.

    Raises:
        StoppedError: the job was stopped.
        FitscopeError: the view does not apply to the run.
    """
    if asked.to == "html":
        return replay_html(run).encode()
    chosen = view(asked.view, "run")
    if chosen.name == "basin_map":  # trains thousands of nets, which no file waits for
        raise DataError("The lab draws basin_map on its page; `fitscope plot` makes a file of it.")
    if chosen.name == "importance" and not is_importance_quick(run):
        raise DataError("importance takes long to find here; `fitscope plot` makes a file of it.")
    options: dict[str, Any] = {"theme": asked.theme}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / asked.file_name
        if asked.to == "gif":
            save_movie(
                run, chosen.name, path, n_frames=asked.frames, progress=_until(job), **options
            )
        else:
            moment = {"step": asked.step} if "step" in chosen.options("matplotlib") else {}
            save_figure(chosen.figure(run, "matplotlib", **options, **moment), path)
        return path.read_bytes()


def _until(job: Job) -> Any:
    def progress(done: int, planned: int) -> None:
        if job.progress(done, planned):
            raise StoppedError("The film was stopped.")

    return progress


def code_of(run: Run) -> dict[str, str]:
    """The same run as a command, as Python, as TOML, and as a PyTorch script."""
    return {
        "command": command_line(run),
        "python": python_snippet(run),
        "toml": run.experiment.to_toml(),
        "pytorch": pytorch_script(run),
    }
