"""Training: an experiment in, a run file out; its progress, and how it is stopped."""

import asyncio
import time
from collections.abc import AsyncIterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from fitscope.lab.answers import EXPERIMENT_BODY, RUN_FILE, experiment_of, refusals
from fitscope.lab.jobs import JOB, Job
from fitscope.lab.shapes import Progress
from fitscope.lab.state import lab_of
from fitscope.runfile import run_bytes

__all__ = ["EVENT_S", "JobName", "events", "router", "run", "stop"]

EVENT_S = 0.1  # between two events of a job
JobName = Annotated[str, Query(pattern=JOB, description="chosen by the client")]

router = APIRouter()


@router.post(
    "/api/run",
    response_class=Response,
    responses={200: RUN_FILE, **refusals(400, 409, 413, 415, 422, 503)},
    openapi_extra=EXPERIMENT_BODY,
)
async def run(
    request: Request, job: JobName | None = None, data: Literal["true", "false"] = "true"
) -> Response:
    """Trains an experiment and answers with the run file; `data=false` leaves the samples out.

    Closing the connection stops the training.
    """
    began = time.perf_counter()
    lab, e = lab_of(request), await experiment_of(request)
    with lab.jobs.begin(job) as under_way:
        content = await lab.with_run(
            request, under_way, e, lambda made: run_bytes(made, data=data == "true")
        )
    timing = f"total;dur={1000 * (time.perf_counter() - began):.2f}"
    headers = {"Server-Timing": timing}
    return Response(content, headers=headers, media_type="application/octet-stream")


def _named(request: Request, job: Annotated[str, Path(pattern=JOB)]) -> Job:
    return lab_of(request).jobs.named(job)


@router.get(
    "/api/jobs/{job}/events",
    response_class=EventSourceResponse,
    responses=refusals(404, 422),
)
async def events(job: Annotated[Job, Depends(_named)]) -> AsyncIterable[ServerSentEvent]:
    """Tells the progress of a job, at most ten times a second; the last event is named `end`."""
    told: dict[str, Any] | None = None
    while not job.has_ended:
        facts = job.facts()
        if facts != told:
            yield ServerSentEvent(data=facts)
        told = facts
        await asyncio.sleep(EVENT_S)
    yield ServerSentEvent(event="end", data=job.facts())


@router.delete("/api/jobs/{job}", responses=refusals(404, 422))
async def stop(job: Annotated[Job, Depends(_named)]) -> Progress:
    """Stops a job: what it has done so far is the answer to the request that began it."""
    job.is_stopping = True
    return Progress(**job.facts())
