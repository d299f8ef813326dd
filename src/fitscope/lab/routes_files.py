"""The workspace: tables that were dropped on the page, and runs that were kept."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from fitscope.lab.answers import (
    JSON,
    RUN_FILE,
    RefusedError,
    body_parts,
    experiment_of,
    json_answer,
    kind_of,
    refusals,
)
from fitscope.lab.routes_run import JobName
from fitscope.lab.saved_runs import run_facts, saved_runs
from fitscope.lab.shapes import SavedRun, SavedRuns, Table, Tables
from fitscope.lab.state import lab_of
from fitscope.lab.tables import checked_table, table_facts
from fitscope.runfile import load, run_bytes

__all__ = ["forget", "put_run", "put_table", "router", "runs", "saved", "table", "tables"]

router = APIRouter()
Name = Annotated[str, Path(min_length=1, max_length=150)]
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_TABLE_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": _BYTES, "text/csv": _BYTES},
    }
}
_RUN_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": _BYTES,
            JSON: {"schema": {"$ref": "#/components/schemas/Experiment"}},
        },
    }
}


@router.get("/api/tables", response_model=Tables, responses=refusals())
async def tables(request: Request) -> Response:
    """The tables of the workspace."""
    workspace = lab_of(request).workspace
    return json_answer({"tables": await run_in_threadpool(_listed, workspace.files("tables"))})


@router.get("/api/tables/{name}", response_model=Table, responses=refusals(404, 422, 503))
async def table(request: Request, name: Name) -> Response:
    """The columns of a table, and the target that it suggests."""
    workspace = lab_of(request).workspace
    path = workspace.there(workspace.table(name), "table")
    return json_answer(await _described(request, path, path))


@router.put(
    "/api/tables/{name}",
    response_model=Table,
    responses=refusals(400, 413, 422, 503, 507),
    openapi_extra=_TABLE_BODY,
)
async def put_table(request: Request, name: Name) -> Response:
    """Keeps a CSV or Parquet file, if it is a table, and describes it.

    Where another file has that name it gets the next free one, which `path` of the answer tells.
    """
    lab = lab_of(request)
    path = lab.workspace.table(name)
    with lab.workspace.upload(path) as (file, put):
        await _received(request, file, lab.limits.upload_bytes)
        facts = await _described(request, FilePath(file.name), path)
        place = await run_in_threadpool(put)
    return json_answer({**facts, "path": f"tables/{place.name}"})


@router.get("/api/runs", response_model=SavedRuns, responses=refusals())
async def runs(request: Request) -> Response:
    """The saved runs, newest first: title, data, shape, loss, when."""
    files = lab_of(request).workspace.files("runs")
    return json_answer({"runs": await run_in_threadpool(saved_runs, files)})


@router.get(
    "/api/runs/{name}", response_class=Response, responses={200: RUN_FILE, **refusals(404, 422)}
)
async def saved(request: Request, name: Name) -> Response:
    """A saved run's file."""
    workspace = lab_of(request).workspace
    path = workspace.there(workspace.run(name), "run")
    content = await run_in_threadpool(path.read_bytes)
    return Response(content, media_type="application/octet-stream")


@router.put(
    "/api/runs/{name}",
    response_model=SavedRun,
    responses=refusals(400, 404, 409, 413, 415, 422, 503, 507),
    openapi_extra=_RUN_BODY,
)
async def put_run(request: Request, name: Name, job: JobName | None = None) -> Response:
    """Keeps a run file, if it is one; or trains an experiment and keeps its run.

    Where another run has that name it gets the next free one, which `name` of the answer tells.
    """
    lab = lab_of(request)
    path = lab.workspace.run(name)
    if kind_of(request) == JSON:
        e = await experiment_of(request)
        with lab.jobs.begin(job) as under_way:
            content = await lab.with_run(request, under_way, e, run_bytes)
        with lab.workspace.upload(path) as (file, put):
            await run_in_threadpool(file.write, content)
            place = await run_in_threadpool(put)
    else:
        with lab.workspace.upload(path) as (file, put):
            await _received(request, file, lab.limits.run_bytes)
            await run_in_threadpool(load, file.name)
            place = await run_in_threadpool(put)
    return json_answer(await run_in_threadpool(run_facts, place))


@router.delete("/api/runs/{name}", status_code=204, responses=refusals(404, 422, 507))
async def forget(request: Request, name: Name) -> None:
    """Removes a saved run."""
    workspace = lab_of(request).workspace
    await run_in_threadpool(workspace.remove, workspace.there(workspace.run(name), "run"))


async def _received(request: Request, file: BinaryIO, most: int) -> None:
    """Writes the body to a file, no further than to its limit."""
    n = 0
    async for part in body_parts(request, most):
        n += len(part)
        await run_in_threadpool(file.write, part)
    if not n:
        raise RefusedError(422, "The body is empty (0 bytes).")
    await run_in_threadpool(file.flush)


async def _described(request: Request, file: FilePath, path: FilePath) -> dict[str, Any]:
    """The facts of a table in a file, which is or will be called `path`."""
    lab = lab_of(request)

    def work() -> dict[str, Any]:
        with lab.workspace.told():
            return table_facts(checked_table(file, lab.limits), f"tables/{path.name}")

    with lab.jobs.begin(None) as under_way:
        return await lab.do(request, under_way, lab.side, work)


def _listed(files: list[FilePath]) -> list[dict[str, Any]]:
    found = []
    for path in files:
        with contextlib.suppress(OSError):  # removed in between
            about = path.stat()
            when = datetime.fromtimestamp(about.st_mtime, UTC).isoformat(timespec="seconds")
            place = f"tables/{path.name}"
            found.append({"path": place, "bytes": about.st_size, "when": when})
    return found
