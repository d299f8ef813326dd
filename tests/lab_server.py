"""A lab that is really served, on a free port, in a thread of this process."""

import asyncio
import functools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from fitscope.lab.serving import Door, Server, open_door
from fitscope.lab.state import Lab

WAIT_S = 60.0  # for a state that comes; a busy machine may be slow


@contextmanager
def served(workspace: Path, door: Door | None = None, **settings: Any) -> Iterator[tuple[str, Lab]]:
    """The address of a server, and its lab."""
    lab = Lab(workspace, **settings)
    door = door or open_door(port=0)
    server = Server(lab, door)
    thread = threading.Thread(target=server.serve_until_told, daemon=True)
    thread.start()
    try:
        until(lambda: server.started and lab.is_warm.is_set())
        yield f"http://127.0.0.1:{door.port}", lab
    finally:
        server.should_exit = True
        thread.join(WAIT_S)


def until(holds: Any) -> Any:
    """What `holds` gives once that is true."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        threading.Event().wait(0.01)
    raise AssertionError("It never came.")


def client(address: str, **settings: Any) -> httpx.Client:
    """A client that waits as long as a busy machine needs."""
    return httpx.Client(base_url=address, timeout=60, **settings)


class Asking:
    """A client of an app in this process, without a socket; it keeps cookies."""

    def __init__(self, app: Any, address: str = "http://127.0.0.1:8765") -> None:
        self._app, self._address, self._cookies = app, address, httpx.Cookies()

    def request(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """The answer to one request."""
        return asyncio.run(self._asked(method, path, parts))

    async def _asked(self, method: str, path: str, parts: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        settings: Any = {"transport": transport, "base_url": self._address}
        async with httpx.AsyncClient(**settings, cookies=self._cookies) as client:
            answer = await client.request(method, path, **parts)
            self._cookies = client.cookies
            return answer

    def __getattr__(self, method: str) -> Any:
        return functools.partial(self.request, method.upper())
