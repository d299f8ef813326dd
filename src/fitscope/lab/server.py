"""The app of the lab: experiment in, run file out; the page, its modules, and the catalogue."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fitscope import __version__
from fitscope.errors import ExperimentError, FitscopeError
from fitscope.lab import routes_files, routes_many, routes_out, routes_page, routes_run
from fitscope.lab.answers import ExperimentJson, Problem, refusal, said, status_of
from fitscope.lab.safety import HEADERS, Guard
from fitscope.lab.state import Lab
from fitscope.settings import shown_value

__all__ = ["END_S", "create_app"]

END_S = 1.0  # how long the end waits for work that was asked to stop


def create_app(
    lab: Lab, *, hosts: Iterable[str] | None, token: str | None = None, cookie: str = "fitscope-lab"
) -> FastAPI:
    """The app that serves a lab.

    Args:
        lab: its state.
        hosts: the Host headers that are taken; None takes any, which wants a token.
        token: what who asks must know; None where only this machine can ask.
        cookie: the name of the cookie that holds the token.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        lab.begin()
        yield
        await asyncio.to_thread(lab.end, END_S)

    app = FastAPI(
        title="fitscope lab",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.lab = lab
    for routes in (routes_page, routes_run, routes_many, routes_files, routes_out):
        app.include_router(routes.router)
    app.add_middleware(Guard, hosts=hosts, token=token, cookie=cookie)
    _say_errors_in_sentences(app)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]
    return app


def _description(app: FastAPI) -> dict[str, Any]:
    """The API's description, with the experiment that bodies refer to."""
    if app.openapi_schema is None:
        described = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schema = ExperimentJson.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = schema.pop("$defs")
        described.setdefault("components", {}).setdefault("schemas", {}).update(
            {**parts, "Experiment": schema, "Problem": Problem.model_json_schema()}
        )
        app.openapi_schema = described
    return app.openapi_schema


def _say_errors_in_sentences(app: FastAPI) -> None:
    """Whatever goes wrong is answered as JSON with a sentence."""

    @app.exception_handler(FitscopeError)
    async def on_refusal(_request: Request, error: FitscopeError) -> Response:
        problems = error.problems if isinstance(error, ExperimentError) else ()
        return refusal(status_of(error), str(error), problems)

    @app.exception_handler(RequestValidationError)
    async def on_parameters(_request: Request, error: RequestValidationError) -> Response:
        found = tuple(
            f"`{item['loc'][-1]}` {said(item)}; got {shown_value(item.get('input'))}."
            for item in error.errors()
        )
        return refusal(422, " ".join(found), found)

    @app.exception_handler(HTTPException)
    async def on_routing(request: Request, error: HTTPException) -> Response:
        sentences = {
            404: f"There is nothing at {request.url.path[:80]!r}.",
            405: f"{request.method} is not what {request.url.path[:80]!r} takes.",
        }
        answer = refusal(error.status_code, sentences.get(error.status_code, f"{error.detail}."))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(ClientDisconnect)
    async def on_leaving(_request: Request, _error: ClientDisconnect) -> Response:
        return refusal(400, "The client has gone.")  # which nobody reads

    @app.exception_handler(Exception)
    async def on_bug(_request: Request, _error: Exception) -> Response:
        answer = refusal(500, "This is a mistake of fitscope; its terminal shows where.")
        answer.headers.update(HEADERS)  # it is answered outside the guard
        return answer
