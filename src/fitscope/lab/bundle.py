"""The page's ES modules -> one script, for pages that have no server to fetch them from."""

import re
from collections.abc import Mapping

__all__ = ["bundled", "imported"]

# A module is a function that is called once, in the order of the imports; what it exports is
# what it returns. So `export let` and circles of imports, which need live bindings, are refused.
_IMPORT = re.compile(
    r'^import\s+(?:(\{[^}]*\})\s+from\s+|\*\s+as\s+(\w+)\s+from\s+)?"(.+?)";', re.M
)
_EXPORT_OF = re.compile(r'^export\s+\{([^}]*)\}\s+from\s+"(.+?)";', re.M)
_EXPORT = re.compile(r"^export\s+((?:async\s+)?function\*?|class|const)(\s+)(\w+)", re.M)
_LEFT = re.compile(r"^(?:import|export)\b.*|\bimport\s*[.(].*", re.M)
_COMMENT = re.compile(r"/\*\*.*?\*/|^ *//[^\n]*\n", re.M | re.S)


def bundled(sources: Mapping[str, str], entry: str) -> str:
    """One module script that does what `entry` does with the modules that it imports.

    Comments are left out.

    Args:
        sources: the text of each module by its path, such as `page/store.js`.
        entry: the path of the module to start.

    Raises:
        ValueError: a module is not there, is imported in a circle, or has an import or export of
            a kind that this does not know.
    """
    order: dict[str, str] = {}
    _add(sources, entry, order, ())
    return "\n".join(order.values())


def imported(path: str, source: str) -> list[str]:
    """The paths of the modules that a module imports, in their order.

    Example:
        >>> imported("page/store.js", 'import { Moment } from "../model/moment.js";')
        ['model/moment.js']
    """
    found = [*_IMPORT.finditer(source), *_EXPORT_OF.finditer(source)]
    found.sort(key=lambda match: match.start())
    return [_resolved(path, match[match.lastindex or 0]) for match in found]


def _add(
    sources: Mapping[str, str], path: str, order: dict[str, str], asking: tuple[str, ...]
) -> None:
    """Adds a module behind those that it imports, each once."""
    if path in asking:
        raise ValueError(f"Modules import each other in a circle: {' -> '.join([*asking, path])}.")
    if path not in sources:
        raise ValueError(f"{asking[-1] if asking else 'The page'} imports {path}: not there.")
    for other in imported(path, sources[path]):
        if other not in order:
            _add(sources, other, order, (*asking, path))
    order[path] = _as_function(path, sources[path])


def _as_function(path: str, source: str) -> str:
    """A module as a constant: what the module exports."""
    returned = [match[3] for match in _EXPORT.finditer(source)]
    for match in _EXPORT_OF.finditer(source):
        other = _constant(_resolved(path, match[2]))
        returned += [f"{new}: {other}.{old}" for old, new in _names(match[1])]

    def binding(match: re.Match[str]) -> str:
        other = _constant(_resolved(path, match[3]))
        if match[2]:
            return f"const {match[2]} = {other};"
        pairs = _names((match[1] or "{}")[1:-1])
        parts = ", ".join(old if old == new else f"{old}: {new}" for old, new in pairs)
        return f"const {{ {parts} }} = {other};" if parts else ""

    body = _EXPORT_OF.sub("", _IMPORT.sub(binding, _COMMENT.sub("", source)))
    body = _EXPORT.sub(r"\1\2\3", body)
    if left := _LEFT.search(body):
        raise ValueError(f"{path} has an import or export of an unknown kind: {left[0]}")
    body = re.sub(r"\n[ \n]*\n", "\n", body).strip()
    return (
        f"const {_constant(path)} = (() => {{\n{body}\nreturn {{ {', '.join(returned)} }};\n}})();"
    )


def _names(listed: str) -> list[tuple[str, str]]:
    """The names in `a, b as c`: (a, a), (b, c)."""
    pairs = [part.split() for part in listed.split(",") if part.strip()]
    return [(words[0], words[-1]) for words in pairs]


def _resolved(path: str, relative: str) -> str:
    """`page/store.js` and `../model/run.js` give `model/run.js`."""
    folders = path.split("/")[:-1]
    for part in relative.split("/"):
        if part == "..":
            folders.pop()
        elif part != ".":
            folders.append(part)
    return "/".join(folders)


def _constant(path: str) -> str:
    """The name that a module has in the script: `$page_store`."""
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))
