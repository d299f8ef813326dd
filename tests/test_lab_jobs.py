"""The lab's work: queues with an end, progress, and everything that stops a training."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import fitscope as fs
from fitscope.lab.answers import RefusedError
from fitscope.lab.jobs import Job, Jobs, Lane
from fitscope.lab.limits import Limits
from fitscope.lab.state import Lab
from fitscope.lab.trainer import Recent
from fitscope.outcomes import Outcome
from fitscope.records import Dataset, Run
from lab_server import client, served, until

LONG = {
    "data": {"name": "rings"},
    "network": {"hidden": [30]},
    "training": {"epochs": 500_000, "lr": 0.001},
}  # minutes
FITSCOPE = [sys.executable, "-c", "from fitscope.cli import main; main()"]
JOB = "job-of-a-test"


def test_a_full_lane_refuses_and_frees_its_places() -> None:
    """Beyond those at work and those that wait, a sentence says so; then there is room again."""
    lane, go = Lane("quick", n_threads=1, n_waiting=1), threading.Event()
    begun = [lane.submit(go.wait), lane.submit(go.wait)]
    with pytest.raises(RefusedError, match="has 2 quick jobs already; try again") as refused:
        lane.submit(go.wait)
    assert refused.value.status == 503
    go.set()
    assert [one.result(10) for one in begun] == [True, True]
    assert lane.submit(lambda: 7).result(10) == 7
    lane.close(1)


def test_what_is_cancelled_in_the_queue_is_never_begun() -> None:
    """Its place is free at once, and so is what it would have worked on."""
    lane, go, done = Lane("quick", n_threads=1, n_waiting=1), threading.Event(), []

    def work() -> None:
        done.append(2)

    held = weakref.ref(work)
    first, second = lane.submit(go.wait), lane.submit(work)
    del work
    assert held() is not None
    assert second.cancel()
    assert held() is None
    third = lane.submit(lambda: done.append(3))
    go.set()
    assert (first.result(10), third.result(10)) == (True, None)
    assert done == [3]
    lane.close(1)


def test_a_failure_is_the_answer_and_not_the_end_of_the_thread() -> None:
    """The next work is done by the same thread."""
    lane = Lane("quick", n_threads=1, n_waiting=1)
    with pytest.raises(ZeroDivisionError):
        lane.submit(lambda: 1 // 0).result(10)
    assert lane.submit(lambda: 1).result(10) == 1
    lane.close(1)


def test_a_name_is_one_jobs() -> None:
    """A second one of that name is refused; one that has ended is still known, but not for ever."""
    jobs = Jobs()
    with jobs.begin(JOB) as job:
        with pytest.raises(RefusedError, match="under way already"), jobs.begin(JOB):
            pass
        assert jobs.named(JOB) is job
        assert not job.has_ended
    assert jobs.named(JOB).has_ended
    for _ in range(300):
        with jobs.begin(None):
            pass
    with pytest.raises(RefusedError, match=f"There is no job {JOB}"):
        jobs.named(JOB)


def test_the_end_stops_all_and_takes_no_more() -> None:
    """What is under way hears it between its steps."""
    jobs = Jobs()
    with jobs.begin(None) as job:
        assert not job.watch(1, 0.5, None)
        jobs.stop_all()
        assert job.watch(2, float("nan"), None)
        assert job.facts() == {"done": 2, "planned": 0, "loss": None}
    with pytest.raises(RefusedError, match="The lab is ending"), jobs.begin(None):
        pass


def test_what_is_kept_at_hand_is_bounded_by_bytes() -> None:
    """The one used longest ago goes first; what is larger than all room is not kept."""
    recent: Recent[Dataset] = Recent(14_000)
    small = {
        seed: fs.dataset(fs.DataSpec(name="rings", n_samples=500, seed=seed)) for seed in (1, 2, 3)
    }
    for seed in (1, 2):
        recent.put(str(seed), small[seed])
    assert recent.get("1") is small[1]
    recent.put("3", small[3])
    assert (recent.get("2"), recent.get("1")) == (None, small[1])
    recent.put("4", fs.dataset("rings"))
    assert recent.get("4") is None
    assert 0 < recent.n_bytes <= 14_000


def test_runs_at_hand_hold_no_samples() -> None:
    """Their data is counted with the data sets; what is given out has it again, bit for bit."""
    lab = Lab("w")
    e = fs.experiment("gates-and", test_fraction=0.2)
    planned = lab.trainer.plan(e)
    made = lab.trainer.run(e, planned, Job())
    (kept,) = [run for run, _ in lab.trainer.runs._kept.values()]
    assert kept.dataset.X.base is None
    assert len(kept.dataset.X) == len(kept.dataset.X_test) == 0
    assert lab.trainer.run_at_hand(e, planned) == made == fs.fit("gates-and", test_fraction=0.2)


def test_a_table_that_is_replaced_in_between_is_not_mixed_with_the_new_one() -> None:
    """Neither while it is trained on, nor between the plan and the run."""
    lab, table = Lab("w"), Path("w/tables/t.csv")
    table.parent.mkdir(parents=True)
    data = fs.DataSpec(path="tables/t.csv", target="y", test_fraction=0.0)
    e = fs.Experiment(data=data, training={"epochs": 2})

    class Replaces(Job):
        """A job whose first step replaces the table."""

        def watch(self, n_done: int, loss: float, params: object) -> bool:
            table.write_text("x,y\n5,0\n6,1\n7,0\n")
            return super().watch(n_done, loss, params)

    table.write_text("x,y\n1,0\n2,1\n")
    old = lab.trainer.plan(e)
    lab.trainer.run(e, old, Replaces())
    new = lab.trainer.plan(e)
    assert lab.trainer.run_at_hand(e, new) is None
    assert lab.trainer.run_at_hand(e, old) is None
    lab.trainer.run(e, old, Job())
    assert lab.trainer.run_at_hand(e, new) is None
    made = lab.trainer.run(e, new, Job())
    assert lab.trainer.run_at_hand(e, new) == made


def test_an_outline_has_the_shape_and_the_settings_of_the_run() -> None:
    """It is cut off as soon as it can be, whatever the experiment asks for, and says so."""
    lab, e = Lab("w"), fs.experiment("bad-start", epochs=200_000)
    outline = lab.trainer.outline(e, lab.trainer.plan(e))
    assert outline.experiment.training.epochs == 200_000
    assert 0 < outline.steps[-1] < 100_000
    assert outline.outcome is Outcome.INTERRUPTED
    made = lab.trainer.run(brief := e.override(epochs=1), lab.trainer.plan(brief), Job())
    assert lab.trainer.outline(brief, lab.trainer.plan(brief)) == made


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Lab]]:
    """A lab that is really served."""
    with served(tmp_path_factory.mktemp("lab")) as found:
        yield found


def loaded(content: bytes) -> Run:
    """The run in an answer."""
    Path("answer.safetensors").write_bytes(content)
    return fs.load("answer.safetensors")


def json_of(name: str, **settings: Any) -> Any:
    """An experiment as a body."""
    return fs.experiment(name, **settings).model_dump(exclude_none=True)


class Asked(threading.Thread):
    """A request in a thread of its own; `answer` is what came."""

    def __init__(self, address: str, path: str, body: Any) -> None:
        super().__init__(daemon=True)
        self._request = address, path, body
        self.answer: httpx.Response | None = None
        self.start()

    def run(self) -> None:
        address, path, body = self._request
        with client(address) as asking:
            self.answer = asking.post(path, json=body)

    def came(self) -> httpx.Response:
        self.join(60)
        assert self.answer is not None
        return self.answer


def under_way(lab: Lab, name: str = JOB) -> bool:
    """Whether the job has made some updates."""
    job = lab.jobs._jobs.get(name)
    return job is not None and job.done > 0


def begun(address: str, lab: Lab) -> Asked:
    """The question for a long training, once it has made some updates."""
    asked = Asked(address, f"/api/run?job={JOB}", LONG)
    until(lambda: under_way(lab))
    return asked


@pytest.mark.slow
def test_a_stopped_training_answers_with_the_run_so_far(lab: tuple[str, Lab]) -> None:
    """As by Ctrl-C: every update up to then, whole, and the outcome says it."""
    address, state = lab
    asked = begun(address, state)
    with client(address) as asking:
        assert asking.post(f"/api/run?job={JOB}", json=LONG).status_code == 409
        stopped = asking.delete(f"/api/jobs/{JOB}")
    assert stopped.json()["planned"] == 500_000
    run = loaded(asked.came().content)
    assert run.outcome is Outcome.INTERRUPTED
    assert 0 < run.steps[-1] < 500_000
    assert not state.trainer.runs.get("x")


@pytest.mark.slow
def test_a_page_that_goes_away_stops_its_training(lab: tuple[str, Lab]) -> None:
    """A closed connection frees the worker; what waited behind it is trained."""
    address, state = lab
    with client(address) as asking:
        asking.timeout = httpx.Timeout(60, read=0.5)
        with pytest.raises(httpx.ReadTimeout):
            asking.post(f"/api/run?job={JOB}", json=LONG)
    until(lambda: state.jobs.named(JOB).has_ended and not state.long._under_way)


@pytest.mark.slow
def test_what_waits_is_dropped_with_its_page(lab: tuple[str, Lab]) -> None:
    """It is never begun."""
    address, state = lab
    first = begun(address, state)
    with client(address) as asking:
        asking.timeout = httpx.Timeout(60, read=0.5)
        with pytest.raises(httpx.ReadTimeout):
            asking.post("/api/run?job=second-job", json={**LONG, "title": "second"})
        until(lambda: len(state.long._under_way) == 1)
        assert state.jobs.named("second-job").done == 0
        asking.delete(f"/api/jobs/{JOB}")
    assert first.came().status_code == 200


@pytest.mark.slow
def test_a_slider_does_not_wait_for_a_long_training(lab: tuple[str, Lab]) -> None:
    """Quick trainings have workers of their own."""
    address, state = lab
    asked = begun(address, state)
    with client(address) as asking:
        for seed in range(5):
            e = fs.experiment("bad-start", seed=seed)
            answer = asking.post(
                "/api/run", content=e.to_json(), headers={"content-type": "application/json"}
            )
            assert loaded(answer.content).outcome is Outcome.FINISHED
        assert asked.answer is None
        asking.delete(f"/api/jobs/{JOB}")
    asked.came()


@pytest.mark.slow
def test_progress_comes_as_events_that_end(lab: tuple[str, Lab]) -> None:
    """Updates done never fall; the last event is named `end`, and the stream closes by itself."""
    address, state = lab
    asked = begun(address, state)
    told, names = [], []
    with client(address) as asking, asking.stream("GET", f"/api/jobs/{JOB}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        for line in events.iter_lines():
            if line.startswith("event: "):
                names.append(line[7:])
            if line.startswith("data: "):
                told.append(json.loads(line[6:]))
            if len(told) == 3 and not state.jobs.named(JOB).is_stopping:
                httpx.delete(f"{address}/api/jobs/{JOB}")
    assert names == ["end"]
    done = [one["done"] for one in told]
    assert done == sorted(done)
    assert {one["planned"] for one in told} == {500_000}
    assert all(np.isfinite(one["loss"]) for one in told)
    asked.came()
    with client(address) as asking:  # one who comes late
        assert asking.get(f"/api/jobs/{JOB}/events").text.startswith("event: end")


@pytest.mark.slow
def test_a_population_that_is_stopped_keeps_what_is_done(lab: tuple[str, Lab]) -> None:
    """Nets that are done are the answer; the one in training is stopped within its training."""
    address, state = lab
    body = {**LONG, "training": {"epochs": 8000}}
    asked = Asked(address, f"/api/many?n=200&job={JOB}", body)
    until(lambda: under_way(state))
    httpx.delete(f"{address}/api/jobs/{JOB}")
    facts = asked.came().json()
    assert 0 < len(facts["seeds"]) < 200 == facts["planned"]
    assert set(facts["outcomes"]) == {"FINISHED"}


@pytest.mark.slow
def test_many_pages_at_once_get_right_answers_or_a_sentence(tmp_path: Path) -> None:
    """A queue that is full answers 503 with Retry-After; every other answer is the right run."""
    with served(tmp_path, limits=Limits(waiting=2)) as (address, _):
        bodies = [
            json.loads(fs.experiment("rings-3", seed=i, epochs=2000).to_json()) for i in range(12)
        ]
        answers = [asked.came() for asked in [Asked(address, "/api/run", body) for body in bodies]]
    assert {answer.status_code for answer in answers} <= {200, 503}
    for i, answer in enumerate(answers):
        if answer.status_code == 200:
            assert loaded(answer.content) == fs.fit("rings-3", seed=i, epochs=2000)
        else:
            assert answer.headers["retry-after"] == "1"
            assert "try again in a moment" in answer.json()["error"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_told_to_end_saves_what_is_under_way(tmp_path: Path, number: int) -> None:
    """The run so far lies in the workspace, the log says where, and the exit status is 0."""
    process = subprocess.Popen(
        [*FITSCOPE, "lab", "--no-open", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    told = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
    asked = Asked(told["link"], f"/api/run?job={JOB}", LONG)
    with client(told["link"]) as asking:
        until(lambda: _done(asking) > 0)
    process.send_signal(number)
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    (file,) = (tmp_path / "fitscope-lab" / "runs").iterdir()
    assert re.search(rf"stopped and saved as runs/{file.name} in ", log)
    run = fs.load(file)
    assert run.outcome is Outcome.INTERRUPTED
    assert loaded(asked.came().content) == run


def _done(asking: httpx.Client) -> int:
    """How far the job is, as its first event says."""
    with asking.stream("GET", f"/api/jobs/{JOB}/events") as events:
        if events.status_code != 200:
            return 0
        for line in events.iter_lines():
            if line.startswith("data: "):
                return int(json.loads(line[6:])["done"])
    return 0
