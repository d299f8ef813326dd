"""What the routes share: the workspace, the lanes and the jobs in them, the trainer."""

import functools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request

from fitscope.lab.catalogue import catalogue
from fitscope.lab.jobs import Job, Jobs, Lane
from fitscope.lab.limits import Limits
from fitscope.lab.thumbnails import thumbnails
from fitscope.lab.trainer import Trainer, seconds
from fitscope.lab.workspace import Workspace
from fitscope.records import Run
from fitscope.runfile import run_bytes
from fitscope.specs import Experiment, experiment
from fitscope.train.plan import Plan
from fitscope.train.single import n_cores

__all__ = ["QUICK_S", "First", "Lab", "lab_of"]

_LOG = logging.getLogger("fitscope")
T = TypeVar("T")
QUICK_S = 0.4  # what is expected to take longer waits for the one worker of long trainings


@dataclass(frozen=True)
class First:
    """What the page shows first.

    Attributes:
        experiment: what is trained first.
        run: the name of a saved run that is shown instead.
    """

    experiment: Experiment
    run: str | None = None


class Lab:
    """The state of one server.

    Training is quick or long, by its expected time, so that a slider never waits for a long
    one. What is drawn for a file has a lane of its own: matplotlib's settings are the process's.

    Attributes:
        is_warm: set once everything that a training needs is loaded and compiled.
    """

    def __init__(
        self,
        workspace: str | Path = "fitscope-lab",
        *,
        limits: Limits | None = None,
        first: First | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.first = first or First(experiment("rings-3"))
        self.workspace = Workspace(workspace)
        self.jobs = Jobs()
        self.trainer = Trainer(self.workspace, self.limits, self.jobs)
        waiting = self.limits.waiting
        self.quick = Lane("quick", n_threads=n_cores(), n_waiting=waiting)
        self.long = Lane("long", n_threads=1, n_waiting=waiting)
        self.side = Lane("drawing", n_threads=1, n_waiting=waiting)
        self.is_warm = threading.Event()
        self._warming = threading.Thread(target=self._warm_up, name="warm-up", daemon=True)
        self._drawing = threading.Lock()
        self._thumbnails: dict[str, Any] | None = None

    @functools.cached_property
    def catalogue(self) -> dict[str, Any]:
        """What there is to choose from."""
        return catalogue(self.limits)

    def begin(self) -> None:
        """Loads what the first request needs, beside the server's start."""
        self._warming.start()

    def end(self, timeout_s: float) -> None:
        """Stops all work, and waits as long for it; what cannot be stopped is left."""
        self.jobs.stop_all()
        end = time.monotonic() + timeout_s
        for lane in (self.quick, self.long, self.side):
            lane.close(max(0.0, end - time.monotonic()))
        if self._warming.is_alive():
            self._warming.join(max(0.0, end - time.monotonic()))

    @property
    def is_at_work(self) -> bool:
        """Whether some thread of the lab is still under way."""
        lanes = (self.quick, self.long, self.side)
        return self._warming.is_alive() or any(lane.is_at_work for lane in lanes)

    async def do(self, request: Request, job: Job, lane: Lane, work: Callable[[], T]) -> T:
        """Does some work of a request in a lane, for as long as somebody waits for it."""
        return await self.jobs.result(request, job, lane.submit(work))

    async def plan(self, request: Request, job: Job, e: Experiment) -> Plan:
        """What is to be trained, checked against the limits."""
        at_hand = self.trainer.plan_at_hand(e)
        if at_hand is not None:
            return at_hand
        return await self.do(request, job, self.quick, lambda: self.trainer.plan(e))

    async def with_run(
        self, request: Request, job: Job, e: Experiment, use: Callable[[Run], T]
    ) -> T:
        """What is made of an experiment's run, trained now or not long ago."""
        planned = await self.plan(request, job, e)
        at_hand = self.trainer.run_at_hand(e, planned)
        is_quick = at_hand is not None or self.is_quick(planned)

        def work() -> T:
            return use(self.trainer.run(e, planned, job) if at_hand is None else at_hand)

        return await self.do(request, job, self.quick if is_quick else self.long, work)

    @staticmethod
    def is_quick(planned: Plan, n: int = 1) -> bool:
        """Whether n such trainings are; PyTorch's threads are the process's, so it is never."""
        return planned.engine == "fused" and n * seconds(planned) < QUICK_S

    def thumbnails(self) -> dict[str, Any]:
        """A small picture of each data set, made once."""
        with self._drawing:
            if self._thumbnails is None:
                self._thumbnails = thumbnails()
            return self._thumbnails

    def _warm_up(self) -> None:
        """One small training, from the data to the file; on a new machine this compiles."""
        try:
            e = experiment("bad-start", epochs=1)
            run_bytes(self.trainer.run(e, self.trainer.plan(e), Job()))
            self.thumbnails()
        except Exception:
            _LOG.exception("The first training failed.")
        finally:
            self.is_warm.set()


def lab_of(request: Request) -> Lab:
    """The lab that answers this request."""
    found: Lab = request.app.state.lab
    return found
