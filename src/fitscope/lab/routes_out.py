"""What is taken along: code, files, pictures; and the lessons."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from fitscope.errors import UnknownNameError
from fitscope.lab.answers import (
    EXPERIMENT_BODY,
    RefusedError,
    experiment_of,
    json_answer,
    refusals,
)
from fitscope.lab.files_out import KINDS, Wish, code_of, file_of
from fitscope.lab.shapes import Code, LessonText, Thumbnail
from fitscope.lab.state import lab_of
from fitscope.lessons import lesson_steps, lessons

__all__ = ["code", "export", "lesson", "pictures", "router"]

router = APIRouter()
_REFUSALS = refusals(400, 404, 409, 413, 415, 422, 503)
_FILE: dict[str, Any] = {
    "description": "The file.",
    "content": {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in KINDS.values()},
}


@router.post("/api/code", response_model=Code, responses=_REFUSALS, openapi_extra=EXPERIMENT_BODY)
async def code(request: Request) -> Response:
    """The run of an experiment as a command, as Python, as TOML, and as a PyTorch script."""
    lab, e = lab_of(request), await experiment_of(request)
    here = lab.workspace.from_here
    with lab.jobs.begin(None) as under_way:
        planned = await lab.plan(request, under_way, e)
        if lab.is_quick(planned):
            texts = await lab.with_run(request, under_way, e, lambda run: code_of(here(run)))
        else:
            texts = await lab.do(
                request, under_way, lab.side, lambda: code_of(here(lab.trainer.outline(e, planned)))
            )
    return json_answer(texts)


@router.post(
    "/api/export",
    response_class=Response,
    responses={200: _FILE, **_REFUSALS},
    openapi_extra=EXPERIMENT_BODY,
)
async def export(request: Request, asked: Annotated[Wish, Query()]) -> Response:
    """The run of an experiment as a page that replays it, a picture of a view, or a film."""
    lab, e = lab_of(request), await experiment_of(request)
    with lab.jobs.begin(asked.job) as under_way:
        run = await lab.with_run(request, under_way, e, lab.workspace.from_here)
        content = await lab.do(request, under_way, lab.side, lambda: file_of(run, asked, under_way))
    headers = {"Content-Disposition": f'attachment; filename="{asked.file_name}"'}
    return Response(content, headers=headers, media_type=KINDS[asked.to])


@router.get("/api/lessons/{number}", response_model=LessonText, responses=refusals(404, 422))
async def lesson(request: Request, number: Annotated[int, Path(ge=1, le=1000)]) -> Response:
    """A lesson, step by step; each step has what it sets the page to, if anything."""
    try:
        steps = await run_in_threadpool(lesson_steps, number)
    except UnknownNameError as error:
        raise RefusedError(404, str(error)) from None
    facts = {"number": number, "title": lessons()[number].title}
    return json_answer({**facts, "steps": [step._asdict() for step in steps]})


@router.get("/api/thumbnails", response_model=dict[str, Thumbnail], responses=refusals())
async def pictures(request: Request) -> Response:
    """For each data set the places and classes of some samples: `{name: {x, y, c}}`."""
    return json_answer(await run_in_threadpool(lab_of(request).thumbnails))
