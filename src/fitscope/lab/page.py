"""The lab's page as text: live beside a server, or one file with a run inside."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from fitscope.lab.bundle import bundled
from fitscope.lab.packing import packed
from fitscope.lab.shapes import plain
from fitscope.plot import theme as drawn

__all__ = ["modules", "page_html", "replay_page", "theme"]

ENTRY = "main.js"


def page_html(boot: Mapping[str, Any]) -> str:
    """The live page, which loads its looks and its modules from the server's `/assets/`.

    Args:
        boot: what the page starts from, as JSON; the colours of `theme` are added.
    """
    preloads = "\n".join(
        f'<link rel="modulepreload" href="/assets/{path}">' for path in sorted(modules())
    )
    head = (
        f'<link rel="stylesheet" href="/assets/lab.css">\n{preloads}\n'
        f'<script type="module" src="/assets/{ENTRY}"></script>'
    )
    return _page(head, _boot_block(boot))


def replay_page(boot: Mapping[str, Any], run_bytes: bytes, title: str) -> str:
    """The page with a run file inside, which loads nothing from anywhere.

    Its content security policy names the one script by its hash, so no text of a run can ever run
    as code, and it forbids every address.

    Args:
        boot: what the page starts from, as JSON; the colours of `theme` are added.
        run_bytes: the run file, which goes in compressed.
        title: what the browser's tab says.
    """
    script = f"\n{_script()}\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    run = packed(run_bytes)
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<style>\n{_asset('lab.css')}</style>"
    )
    body = (
        f"{_boot_block(boot)}\n"
        f'<script type="application/octet-stream" id="run" data-arrays="{json.dumps(run.arrays)}">'
        f"{run.text}</script>\n"
        f'<script type="module">{script}</script>'
    )
    return _page(head, body, title=f"{title} - fitscope")


def theme() -> dict[str, Any]:
    """Every colour that the page draws with, from `plot/theme.py`."""
    return {
        "classes": drawn.CLASS_COLOURS,
        "markers": drawn.CLASS_MARKERS,
        "field": drawn.FIELD_COLOURS,
        "runs": drawn.RUN_COLOURS,
        "highlight": drawn.HIGHLIGHT,
        "line": drawn.LINE,
        "inks": {name: inks._asdict() for name, inks in drawn.INKS.items()},
    }


@cache
def modules() -> Mapping[str, str]:
    """The text of every module of the page, by its path below `assets/`."""
    return dict(_scripts(_assets(), ""))


def _scripts(folder: Traversable, above: str) -> list[tuple[str, str]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _scripts(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(".js"):
            found.append((above + entry.name, entry.read_text(encoding="utf-8")))
    return found


@cache
def _script() -> str:
    """All modules as one script."""
    return bundled(modules(), ENTRY)


@cache
def _asset(name: str) -> str:
    return (_assets() / name).read_text(encoding="utf-8")


def _assets() -> Traversable:
    return resources.files("fitscope.lab") / "assets"


def _page(head: str, body: str, *, title: str = "fitscope") -> str:
    """The skeleton with its two places filled."""
    before, rest = _asset("index.html").split("<!--head-->")
    between, after = rest.split("<!--boot-->")
    before = before.replace("<title>fitscope</title>", f"<title>{html.escape(title)}</title>")
    return f"{before}{head}{between}{body}{after}"


def _boot_block(boot: Mapping[str, Any]) -> str:
    """A data block, in which no text can end it or begin a comment."""
    text = json.dumps(plain({"theme": theme(), **boot}), allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="boot">{text}</script>'
