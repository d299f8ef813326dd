"""Movies: the view at each step, on axes that stand still, in every kind of file."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fitscope as fs
from fitscope import analysis
from fitscope.errors import DataError, OutputError, UnknownNameError
from fitscope.plot import movie, save_movie, view
from fitscope.plot.movies import LAST_S, _figures, _share_limits, frame_steps
from fitscope.records import Run


@pytest.fixture(scope="session")
def run() -> Run:
    """One neuron on one input: 700 steps."""
    return fs.fit("bad-start")


@pytest.fixture(scope="session")
def plane() -> Run:
    """Two classes over two inputs."""
    return fs.fit("gates-and")


@pytest.mark.parametrize("spacing", ["log", "even"])
@pytest.mark.parametrize("n_frames", [2, 3, 10, 60, 1000])
def test_frames_are_recorded_steps_from_start_to_end(run: Run, spacing: str, n_frames: int) -> None:
    """Each frame is a different recorded step, the first and the last are those of the run."""
    steps = frame_steps(run, n_frames, spacing=spacing)
    assert steps[0] == 0
    assert steps[-1] == 700
    assert steps == sorted(set(steps))
    assert set(steps) <= set(run.steps.tolist())
    assert len(steps) <= n_frames


def test_frames_are_even_in_steps_or_in_their_logarithm(run: Run) -> None:
    """Even ones are as far apart as rounding allows; log ones grow by a constant factor."""
    even = np.diff(frame_steps(run, 71, spacing="even"))
    assert set(even) == {10}
    late = np.array(frame_steps(run, 20)[8:], float)
    ratio = late[1:] / late[:-1]
    np.testing.assert_allclose(ratio, np.full_like(ratio, 700 ** (1 / 18)), rtol=0.05)  # rounding


def test_a_thinned_run_has_the_frames_that_it_recorded() -> None:
    """A run that kept every 4th step shows those."""
    run = fs.fit("bad-start", keep_bytes=2000)
    assert set(frame_steps(run, 500, spacing="even")) <= set(run.steps.tolist())


def _frames(path: Path) -> list[tuple[Image.Image, int]]:
    with Image.open(path) as film:
        found = []
        for i in range(getattr(film, "n_frames", 1)):
            film.seek(i)
            found.append((film.convert("RGB"), int(film.info["duration"])))
        return found


@pytest.mark.slow
def test_a_gif_shows_the_view_step_by_step(plane: Run) -> None:
    """A frame for each step, no two alike, the last one held."""
    save_movie(plane, "decision_field", "m.gif", n_frames=6, n_grid=20, fps=10)
    frames = _frames(Path("m.gif"))
    assert len(frames) == len(frame_steps(plane, 6))
    assert [held for _, held in frames] == [100] * (len(frames) - 1) + [1000 * LAST_S]
    assert len({image.tobytes() for image, _ in frames}) == len(frames)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["matplotlib", "plotly"])
def test_the_axes_stand_still(backend: str, run: Run) -> None:
    """All frames share their limits, and the limits show every curve."""
    if backend == "plotly":
        fig = movie(run, "response_curve", n_frames=5)
        assert fig.layout.xaxis.range is not None
        assert fig.layout.yaxis.range is not None
        assert all(frame.layout.yaxis.range is None for frame in fig.frames)
        return
    steps = frame_steps(run, 5)
    figures = _figures(
        run, view("response_curve"), "matplotlib", steps=steps, progress=None, options={}
    )
    before = np.array([fig.axes[0].get_ylim() for fig in figures])
    _share_limits(figures)
    after = np.array([fig.axes[0].get_ylim() for fig in figures])
    assert np.ptp(after, axis=0).tolist() == [0, 0]
    assert after[0].tolist() == [before.min(), before.max()]


def test_a_plotly_movie_has_the_view_of_each_step_in_its_frames(plane: Run) -> None:
    """Frame by frame the heat map is the field of that step; slider and buttons lead there."""
    fig = movie(plane, "decision_field", n_frames=4, n_grid=10)
    steps = frame_steps(plane, 4)
    assert [frame.name for frame in fig.frames] == [str(step) for step in steps]
    for step, frame in zip(steps, fig.frames, strict=True):
        heat = next(trace for trace in frame.data if trace.type == "heatmap")
        field = analysis.decision_field(plane, step=step, n_grid=10)
        np.testing.assert_array_equal(heat.z, field.values)
        assert frame.layout.title.text == field.title
        assert len(frame.traces) == len(frame.data)
    (slider,) = fig.layout.sliders
    assert [mark.args[0] for mark in slider.steps] == [(str(step),) for step in steps]
    assert [button.label for button in fig.layout.updatemenus[0].buttons] == ["play", "pause"]


def test_what_does_not_move_is_not_repeated(plane: Run) -> None:
    """The samples stand in the first frame alone."""
    fig = movie(plane, "decision_field", n_frames=3, n_grid=5)
    samples = [i for i, trace in enumerate(fig.data) if trace.type == "scatter"]
    assert samples
    assert all(not set(frame.traces) & set(samples) for frame in fig.frames)


def test_an_html_movie_loads_nothing(plane: Run) -> None:
    """One page with the library in it, that waits to be played."""
    save_movie(plane, "decision_field", "m.html", n_frames=3, n_grid=5)
    text = Path("m.html").read_text(encoding="utf-8")
    assert not re.search(r"<script[^>]* src=", text)
    assert "Plotly.newPlot" in text
    assert "Plotly.animate('" not in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on this machine")
def test_an_mp4_has_all_frames(plane: Run) -> None:
    """As many frames as steps, and the last one held; sizes are even."""
    save_movie(plane, "decision_field", "m.mp4", n_frames=5, n_grid=10, fps=5)
    asked = "stream=nb_read_frames,width,height"
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", asked, "m.mp4"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    facts = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", said)}
    assert facts["nb_read_frames"] == len(frame_steps(plane, 5)) + 5 * LAST_S
    assert facts["width"] % 2 == facts["height"] % 2 == 0


@pytest.mark.slow
def test_progress_is_told_frame_by_frame(plane: Run) -> None:
    """The bar moves once a frame, to the planned number."""
    told: list[tuple[int, int]] = []
    save_movie(
        plane, "decision_field", "m.gif", n_frames=4, n_grid=5,
        progress=lambda done, planned: told.append((done, planned)),
    )  # fmt: skip
    assert told == [(i, 4) for i in range(1, 5)]


@pytest.mark.parametrize(
    ("name", "path", "options", "error", "message"),
    [
        ("scatter", "m.gif", {}, DataError, "scatter does not change with the step"),
        ("decision_feld", "m.gif", {}, UnknownNameError, "Did you mean `decision_field`"),
        ("decision_field", "m.avi", {}, OutputError, r"\.gif, an \.mp4 or an \.html"),
        ("decision_field", "m.gif", {"n_frames": 1}, DataError, "`n_frames` must be from 2 to"),
        ("decision_field", "m.gif", {"spacing": "linear"}, DataError, "must be log or even"),
        ("decision_field", "m.gif", {"fps": 0}, DataError, "`fps` must be from 1 to 60"),
        ("decision_field", "m.gif", {"step": 3}, DataError, "sets `step` itself"),
        ("decision_field", "m.gif", {"stpe": 3}, UnknownNameError, "Did you mean `step`"),
        ("response_curve", "m.gif", {}, DataError, "needs one input; this run has 2"),
        ("decision_field", "none/m.gif", {"n_grid": 5, "n_frames": 2}, OutputError, "Cannot write"),
    ],
)
def test_what_cannot_be_filmed_is_said(
    name: str, path: str, options: dict[str, Any], error: type[Exception], message: str, plane: Run
) -> None:
    """One sentence, and no file is left."""
    with pytest.raises(error, match=message):
        save_movie(plane, name, path, **options)
    assert not list(Path().iterdir())


def test_without_ffmpeg_an_mp4_is_refused(plane: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what is missing and what works."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(OutputError, match=r"needs ffmpeg.*save a \.gif"):
        save_movie(plane, "decision_field", "m.mp4")
