"""Serves the lab until it is told to end: the address, the token, and what SIGTERM does."""

import os
import secrets
import signal
import socket
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn

from fitscope.errors import OutputError
from fitscope.lab.safety import is_loopback, own_hosts
from fitscope.lab.server import END_S, create_app
from fitscope.lab.state import Lab

__all__ = ["FIRST_PORT", "Door", "Server", "open_door"]

FIRST_PORT = 8765
_TRIED = 100  # ports from the first one on


@dataclass(frozen=True)
class Door:
    """Where the lab is served.

    Attributes:
        sockets: what listens.
        host: the address.
        port: the port.
        token: what who asks must know; None where only this machine can ask.
    """

    sockets: list[socket.socket]
    host: str
    port: int
    token: str | None

    @property
    def link(self) -> str:
        """What a browser opens."""
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.port}/" + (f"?token={self.token}" if self.token else "")


def open_door(host: str = "127.0.0.1", port: int | None = None) -> Door:
    """Listens: at the port, or the first free one from 8765 on.

    Raises:
        OutputError: the port is taken, or the address is not this machine's.
    """
    token = None if is_loopback(host) else secrets.token_urlsafe(24)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise OutputError(f"Cannot serve the lab at {host}: {error.strerror}.") from None
    ports = range(FIRST_PORT, FIRST_PORT + _TRIED) if port is None else [port]
    for at in ports:
        try:
            found = _listening((family, kind, protocol), (address[0], at, *address[2:]))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            continue
        return Door([found], host, found.getsockname()[1], token)
    where = f"port {port}" if port is not None else f"ports {ports[0]} to {ports[-1]}"
    raise OutputError(f"Cannot serve the lab at {host}, {where}: {reason}.")


def _listening(kind: tuple[int, int, int], address: tuple[Any, ...]) -> socket.socket:
    found = socket.socket(*kind)
    try:
        if os.name == "posix":  # elsewhere it lets two servers share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
    except (OSError, OverflowError):
        found.close()
        raise
    return found


class Server(uvicorn.Server):
    """Serves a lab at a door; a signal stops all trainings at once and ends it."""

    def __init__(self, lab: Lab, door: Door) -> None:
        self._lab, self.door = lab, door
        app = create_app(
            lab,
            hosts=None if door.token else own_hosts(door.host, door.port),
            token=door.token,
            cookie=f"fitscope-lab-{door.port}",
        )
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                timeout_graceful_shutdown=max(1, round(END_S)),
            )
        )

    def serve_until_told(self) -> None:
        """Serves until a signal ends it."""
        self.run(sockets=self.door.sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends the server, and is not raised again after it: being told to end is no failure."""
        self._lab.jobs.stop_all()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
