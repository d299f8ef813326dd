"""Who may ask: Host, Origin, Sec-Fetch-Site and token are checked before anything is done."""

import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fitscope.lab.answers import refusal

__all__ = ["HEADERS", "Guard", "is_loopback", "own_hosts"]

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_LOCAL = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address.

    Example:
        >>> is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_hosts(host: str, port: int) -> frozenset[str]:
    """The Host headers of a server that only this machine reaches.

    Example:
        >>> sorted(own_hosts("127.0.0.1", 8765))
        ['127.0.0.1:8765', '[::1]:8765', 'localhost:8765']
    """
    names = {*_LOCAL, f"[{host}]" if ":" in host else host}
    ports = [f":{port}", *([""] if port == 80 else [])]
    return frozenset(f"{name}{end}" for name in names for end in ports)


class Guard:
    """ASGI middleware: refuses who may not ask, and gives every answer its headers.

    Args:
        app: what answers those who may.
        hosts: the Host headers that are taken; None takes any, and then there is a token. A
            page of another site that makes its name point here (DNS rebinding) sends its own.
        token: what who asks must know; None where only this machine can ask.
        cookie: the name of the cookie that holds the token.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] | None,
        token: str | None = None,
        cookie: str = "fitscope-lab",
    ) -> None:
        self._app, self._token, self._cookie = app, token, cookie
        self._hosts = None if hosts is None else frozenset(hosts)
        self._added = [(name.encode(), text.encode()) for name, text in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                headers.extend(self._added)
            await send(message)

        answer = self._refused(scope) or self._welcomed(scope)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _refused(self, scope: Scope) -> Response | None:
        """Why this request comes from elsewhere; None where it does not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if self._hosts is not None and host not in self._hosts:
            return refusal(
                403, f"The lab is not served as {host[:80]!r}; open it at {min(self._hosts)}."
            )
        if scope["method"] in _SAFE_METHODS:
            return None
        origin = headers.get("origin")
        if origin is not None and not _is_origin(origin, host):
            return refusal(403, "Another site may not change anything in the lab.")
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return refusal(403, "Another site may not change anything in the lab.")
        return None

    def _welcomed(self, scope: Scope) -> Response | None:
        """What is answered to who brings the token in a link, or not at all; else None."""
        if self._token is None:
            return None
        headers = Headers(scope=scope)
        scheme, _, sent = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._fits(sent.strip()):
            return None
        told = parse_qs(_query(scope), keep_blank_values=True).get("token")
        is_known = self._fits(cookie_parser(headers.get("cookie", "")).get(self._cookie, ""))
        if is_known or (told and self._fits(told[0])):
            return self._redirect(scope) if told and scope["method"] in _SAFE_METHODS else None
        return refusal(403, "The lab wants the token that stands in its link; open that link.")

    def _redirect(self, scope: Scope) -> Response:
        """To the same address without the token, which the browser keeps as a cookie."""
        asked = parse_qs(_query(scope), keep_blank_values=True)
        is_right = self._fits(asked.pop("token", [""])[0])
        rest = urlencode(asked, doseq=True)
        place = "/" + quote(scope["path"].lstrip("/\\"))  # never //elsewhere
        answer = Response(status_code=303)
        answer.headers["location"] = place + (f"?{rest}" if rest else "")
        if is_right:  # lax: a link in a mail opens; what changes anything is refused above
            answer.set_cookie(self._cookie, self._token or "", httponly=True, samesite="lax")
        return answer

    def _fits(self, sent: str) -> bool:
        return hmac.compare_digest(sent.encode(), (self._token or "").encode())


def _is_origin(origin: str, host: str) -> bool:
    """Whether an Origin header names the host itself."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host


def _query(scope: Scope) -> str:
    return bytes(scope["query_string"]).decode("latin-1")
