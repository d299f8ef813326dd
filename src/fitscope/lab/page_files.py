"""The page's own files: by name from the package, with their type and a tag of their content."""

import hashlib
import re
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response

from fitscope.lab.answers import RefusedError

__all__ = ["asset", "tagged"]

_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "woff2": "font/woff2",
}
_PART = re.compile(r"[A-Za-z0-9_-]+")
_FILE = re.compile(r"[A-Za-z0-9_-]+(?:\.[a-z0-9-]+)*\.([a-z0-9]+)")


def asset(request: Request, path: str) -> Response:
    """The file of that path under assets/.

    Raises:
        RefusedError: there is none, or the path would lead elsewhere.
    """
    *folders, name = path.split("/")
    match = _FILE.fullmatch(name)
    kind = _TYPES.get(match[1]) if match else None
    place = resources.files("fitscope.lab") / "assets"
    if kind is not None and all(_PART.fullmatch(folder) for folder in folders):
        found = place.joinpath(*folders, name)
        if found.is_file():
            return tagged(request, found.read_bytes(), kind)
    raise RefusedError(404, f"There is no {path[:80]!r} among the page's files.")


def tagged(request: Request, content: bytes, kind: str) -> Response:
    """The content, or that it has not changed since it was asked for last."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = request.headers.get("if-none-match", "")
    if tag in (one.strip().removeprefix("W/") for one in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=kind)
