"""Work off the event loop: lanes with bounded queues, progress, and how it is stopped."""

import asyncio
import math
import queue
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, TypeVar

from starlette.requests import Request

from fitscope.lab.answers import RefusedError

__all__ = ["JOB", "Job", "Jobs", "Lane"]

T = TypeVar("T")
JOB = "^[A-Za-z0-9-]{8,64}$"  # a job's name
_REMEMBERED = 256  # names of jobs that have ended, so that whoever asks late hears it


class Job:
    """One request's work: how far it is, and whether it was asked to stop.

    Attributes:
        name: chosen by the client.
        done: updates, or trainings, that are made.
        planned: how many there will be.
        loss: of the last batch; None where there is none.
        is_stopping: read by the work between its steps. A flag and no event, since a signal's
            handler sets it, too, and may interrupt whoever holds an event's lock.
        has_ended: whether nothing more is to come.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name or secrets.token_hex(12)
        self.done = self.planned = 0
        self.loss: float | None = None
        self.is_stopping = self.has_ended = False

    def watch(self, n_done: int, loss: float, _params: object) -> bool:
        """Takes the progress of a training, and says whether it is to end."""
        self.done, self.loss = n_done, loss
        return self.is_stopping

    def progress(self, n_done: int, n_planned: int) -> bool:
        """The same for what counts in trainings or frames."""
        self.done, self.planned = n_done, n_planned
        return self.is_stopping

    def facts(self) -> dict[str, Any]:
        """How far it is, for the page."""
        loss = self.loss if self.loss is not None and math.isfinite(self.loss) else None
        return {"done": self.done, "planned": self.planned, "loss": loss}


class Lane:
    """Threads that take work from one queue, which has an end.

    The threads are daemons: what cannot be stopped, such as the drawing of a picture, does not
    keep a process alive that was told to end.
    """

    def __init__(self, name: str, *, n_threads: int, n_waiting: int) -> None:
        self.name, self._most = name, n_threads + n_waiting
        self._queue: queue.SimpleQueue[Future[Any] | None] = queue.SimpleQueue()
        self._under_way: dict[Future[Any], Callable[[], Any]] = {}
        self._n_threads = n_threads
        self._slots = threading.Semaphore(self._most)
        for i in range(n_threads):
            threading.Thread(target=self._work, name=f"{name}-{i}", daemon=True).start()

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """The future result; cancelled before a thread takes it, it is never begun.

        Raises:
            RefusedError: the queue is full.
        """
        if not self._slots.acquire(blocking=False):
            raise RefusedError(
                503, f"The lab has {self._most} {self.name} jobs already; try again in a moment."
            )
        asked: Future[T] = Future()
        self._under_way[asked] = work
        asked.add_done_callback(self._forget)
        self._queue.put(asked)
        return asked

    @property
    def is_at_work(self) -> bool:
        """Whether something is under way or waits."""
        return bool(self._under_way)

    def close(self, timeout_s: float) -> None:
        """Takes what waits from the queue, and waits for what is under way."""
        for asked in list(self._under_way):
            asked.cancel()
        wait(list(self._under_way), timeout_s)
        for _ in range(self._n_threads):
            self._queue.put(None)

    def _forget(self, asked: "Future[Any]") -> None:
        del self._under_way[asked]
        self._slots.release()

    def _work(self) -> None:
        while (asked := self._queue.get()) is not None:
            if asked.set_running_or_notify_cancel():
                try:
                    asked.set_result(self._under_way[asked]())
                except BaseException as error:
                    asked.set_exception(error)
            del asked  # a thread that waits holds no run


class Jobs:
    """All work that is under way, by name."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._ended: OrderedDict[str, Job] = OrderedDict()
        self.is_closing = False

    @contextmanager
    def begin(self, name: str | None) -> Iterator[Job]:
        """A new job of that name, for as long as the block lasts.

        Raises:
            RefusedError: there is one of that name, or the server is ending.
        """
        if self.is_closing:
            raise RefusedError(503, "The lab is ending.")
        if name in self._jobs:
            raise RefusedError(409, f"The job {name} is under way already.")
        job = Job(name or "")
        self._jobs[job.name] = job
        try:
            yield job
        finally:
            self._end(job)

    def _end(self, job: Job) -> None:
        job.has_ended = True
        self._jobs.pop(job.name, None)
        self._ended[job.name] = job
        while len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)

    def named(self, name: str) -> Job:
        """The job of that name, also if it ended not long ago.

        Raises:
            RefusedError: there is none.
        """
        job = self._jobs.get(name) or self._ended.get(name)
        if job is None:
            raise RefusedError(404, f"There is no job {name}.")
        return job

    def stop_all(self) -> None:
        """Asks all work to stop, and takes no more; safe in a signal's handler."""
        self.is_closing = True
        for job in list(self._jobs.values()):
            job.is_stopping = True

    async def result(self, request: Request, job: Job, asked: "Future[T]") -> T:
        """What the work gives; a client that goes away stops it, or takes it from the queue.

        Raises:
            RefusedError: the client has gone, and nobody will read this.
        """
        result = asyncio.wrap_future(asked)
        gone: asyncio.Future[Any] = asyncio.ensure_future(_gone(request))
        try:
            both: set[asyncio.Future[Any]] = {result, gone}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not result.done():
                raise RefusedError(503, "The client has gone.")
            return result.result()
        finally:
            gone.cancel()
            if not result.done():
                job.is_stopping = True
                result.cancel()


async def _gone(request: Request) -> None:
    """Returns when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
