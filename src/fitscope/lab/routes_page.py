"""The page, its own files, and what there is to choose from."""

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from fitscope import __version__
from fitscope.lab.answers import json_answer, refusals
from fitscope.lab.page import page_html
from fitscope.lab.page_files import asset, tagged
from fitscope.lab.shapes import Catalogue
from fitscope.lab.state import lab_of

__all__ = ["choice", "file", "page", "router"]

router = APIRouter()


@router.get("/", response_class=HTMLResponse, responses=refusals())
async def page(request: Request) -> Response:
    """The page, with what it shows first."""
    lab = lab_of(request)
    boot = {
        "mode": "lab",
        "version": __version__,
        "catalogue": lab.catalogue,
        "experiment": lab.first.experiment.model_dump(exclude_none=True),
        "run": lab.first.run and f"/api/runs/{quote(lab.first.run, safe='')}",
    }
    return tagged(request, page_html(boot).encode(), "text/html; charset=utf-8")


@router.get("/assets/{path:path}", include_in_schema=False)
async def file(request: Request, path: str) -> Response:
    """A file of the page."""
    return asset(request, path)


@router.get("/api/catalogue", response_model=Catalogue, responses=refusals())
async def choice(request: Request) -> Response:
    """Experiments, data sets with their settings, the schema of every setting, losses, limits."""
    return json_answer(lab_of(request).catalogue)
