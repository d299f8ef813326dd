"""Python source text from values that may hold anything, laid out as a formatter leaves it."""

import textwrap
from collections.abc import Sequence

import numpy as np

__all__ = [
    "WIDTH",
    "call",
    "comment",
    "filled",
    "listing",
    "literal",
    "nested",
    "number",
    "plain",
]

WIDTH = 100  # columns


def literal(value: object) -> str:
    r"""A value as Python text: text in double quotes, large whole numbers with underscores.

    Example:
        >>> print(literal(20000), literal(0.5), literal("a\nb"))
        20_000 0.5 "a\nb"
    """
    if isinstance(value, str):
        text = repr(value)  # escapes whatever could end the text or cannot be seen
        return text if '"' in text else f'"{text[1:-1]}"'
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000:
        return f"{value:_}"
    return repr(value)


def number(value: float) -> str:
    """The shortest text of a float32 number: 0.1, 2, 1e-07."""
    return str(np.float32(value)).removesuffix(".0")


def plain(text: object, *, most: int = 400) -> str:
    """Text for a docstring or a comment: one line of visible characters that cannot end it."""
    line = "".join(c for c in " ".join(str(text).split()) if c.isprintable())
    line = line.replace("\\", "/").replace('"', "'")
    return line if len(line) <= most else f"{line[: most - 3]}..."


def comment(text: str) -> str:
    """Text as comment lines."""
    return "\n".join(f"# {line}" for line in textwrap.wrap(text, WIDTH - 2))


def listing(name: str, items: Sequence[str]) -> str:
    """`name = [items]` on one line, or an item a line where that is too long."""
    line = f"{name} = [{', '.join(items)}]"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name} = [", *(f"    {item}," for item in items), "]"])


def nested(
    value: object, before: str = "", after: str = "", *, indent: int = 0, width: int = WIDTH
) -> str:
    """Lists and dicts in each other as Python text, an item a line where they do not fit on one.

    Args:
        value: lists, tuples, dicts, text, numbers and truth values.
        before: what stands before it on its line, such as `NAME = `.
        after: what stands behind it.
        indent: how far its line is indented.
        width: columns of a line.

    Example:
        >>> print(nested({"a": [1, 2]}, "SEEN = ", width=12))
        SEEN = {
            "a": [1, 2],
        }
    """
    edge = " " * indent + before
    if not isinstance(value, dict | list | tuple):
        return edge + literal(value) + after
    line = edge + _in_a_line(value) + after
    if len(line) <= width or not value:
        return line
    if isinstance(value, dict):
        items = [
            nested(item, f"{literal(key)}: ", ",", indent=indent + 4) for key, item in value.items()
        ]
    else:
        items = [nested(item, "", ",", indent=indent + 4) for item in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([edge + first, *items, " " * indent + last + after])


def _in_a_line(value: object) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{literal(key)}: {_in_a_line(item)}" for key, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_in_a_line, value))}]"
    return literal(value)


def filled(name: str, items: Sequence[str]) -> str:
    '''`name = """items"""`, as many on a line as it takes.'''
    lines = textwrap.wrap(" ".join(items), WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join([f'{name} = """', *lines, '"""'])


def call(function: str, arguments: Sequence[str], end: str = "") -> str:
    """`function(arguments)` on one line, or the arguments on one of their own."""
    inner = ", ".join(arguments)
    line = f"{function}({inner}){end}"
    return line if len(line) <= WIDTH else f"{function}(\n    {inner}\n){end}"
