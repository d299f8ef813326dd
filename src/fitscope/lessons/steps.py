"""One lesson -> its steps for a page: each section as HTML, and how the lab stands beside it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from markdown_it.token import Token

    _Section = tuple[str, Mapping[str, Any] | None, list[Token]]

__all__ = ["VIEWS", "LessonStep", "steps_of"]

VIEWS = ("output", "surface", "hidden", "parameters", "metrics", "compare", "many", "basin")
_UNSAID: Mapping[str, Any] = {
    **{"settings": {}, "view": "output", "step": 1, "play": False, "lines": False},
    "loss": None,
}


class LessonStep(NamedTuple):
    """One section of a lesson.

    Attributes:
        title: its heading, as plain text.
        html: its text without the heading: no scripts, no styles; code cells are
            `<pre class="code">`, answers stay folded in `<details>`.
        lab: how the lab stands when the step is opened; None leaves it as it is. `experiment`
            (a name) with `settings` (flat), `view` (one of `VIEWS`), `step` (share of the
            updates made, 0 to 1), `play` (whether it starts playing from there), `lines`
            (whether hidden lines are shown), `loss` (of a basin map; None is the
            experiment's) and `try` (one sentence: what to do there).
    """

    title: str
    html: str
    lab: Mapping[str, Any] | None


def steps_of(text: str) -> list[LessonStep]:
    """A lesson's Markdown as steps, cut at its headings; the first is what stands before `##`.

    A block break `+++ {"lab": {...}}` before a heading says how the lab stands; Jupyter keeps it
    as the metadata of a cell, and shows it nowhere.
    """
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    markdown.add_render_rule("fence", _code)
    tokens = markdown.parse(re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL))
    steps = []
    for title, lab, body in _sections(tokens):
        html = markdown.renderer.render(body, markdown.options, {})
        steps.append(LessonStep(title, html, None if lab is None else {**_UNSAID, **lab}))
    return steps


def _sections(tokens: Sequence["Token"]) -> "list[_Section]":
    """Title, bench and content of each section."""
    found: list[_Section] = []
    lab = None
    for block in _blocks(tokens):
        first, words = block[0], block[1].content if len(block) == 3 else ""
        if first.type == "paragraph_open" and words.startswith("+++"):
            lab = json.loads(words.removeprefix("+++") or "{}").get("lab")
        elif first.tag in ("h1", "h2"):
            plain = "".join(token.content for token in block[1].children or [])
            found.append((re.sub(r"^\d+\. ", "", plain), lab, []))
            lab = None
        else:
            found[-1][2].extend(block)
    return found


def _blocks(tokens: Sequence["Token"]) -> Iterator[list["Token"]]:
    """The tokens of each block that stands in no other."""
    block: list[Token] = []
    for token in tokens:
        token.attrs.pop("style", None)  # a table's way to set a column right
        block.append(token)
        if token.level == 0 and token.nesting < 1:
            yield block
            block = []


def _code(_renderer: object, tokens: Sequence["Token"], i: int, *_options: object) -> str:
    """A code cell, or a block of plain text such as a formula."""
    looks = ' class="code"' if tokens[i].info.startswith("{code-cell}") else ""
    return f"<pre{looks}><code>{escape(tokens[i].content, quote=False)}</code></pre>\n"
