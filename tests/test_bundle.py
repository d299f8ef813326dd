"""The bundle: the page's modules as one script that does the same."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page

from fitscope.lab.bundle import bundled, imported
from fitscope.lab.page import ENTRY, modules

pytest_plugins = ["browser"]

SOURCES = {
    "main.js": """
import * as shapes from "./model/shapes.js";
import { area, twice as double } from "./model/area.js";
import {
  names,
  Round,
} from "./page/names.js";
import "./effect.js";

/** Not in the bundle: import("./nowhere.js"). */
globalThis.answer = [
  shapes.square(3), area(2), double(4), names.join(), new Round().sides, globalThis.effect,
  /** @type {any} */ (5), "// stays", shapes.default_ ?? null,
];
""",
    "effect.js": "globalThis.effect = 'done';\n",
    "model/shapes.js": "// a comment\nexport function square(x) {\n  return x * x;\n}\n",
    "model/area.js": """
import { square } from "./shapes.js";
export { square as power } from "./shapes.js";
export const area = (x) => square(x) * 10;
export function twice(x) { return 2 * x; }
""",
    "page/names.js": """
import { power } from "../model/area.js";
export const names = ["n", power(5)];
export class Round { sides = 0; }
export async function later() {}
function square() { return "another of that name"; }
""",
}


@pytest.mark.slow
def test_a_bundle_does_what_its_modules_do(asset_page: Page) -> None:
    """All ways to import and export that the page uses; equal names in two modules stay apart."""
    script = bundled(SOURCES, "main.js")
    asset_page.evaluate("(script) => { (0, eval)(script); }", script)
    answer = [9, 40, 8, "n,25", 0, "done", 5, "// stays", None]
    assert asset_page.evaluate("answer") == answer
    assert "Not in the bundle" not in script
    assert "a comment" not in script


def test_a_module_comes_once_and_behind_what_it_imports() -> None:
    """However often it is imported, a module is in the bundle once, before its importers."""
    script = bundled(SOURCES, "main.js")
    order = re.findall(r"^const \$(\w+) = \(\(\) => \{$", script, re.M)
    assert order == ["model_shapes", "model_area", "page_names", "effect", "main"]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"model/shapes.js": None}, r"main\.js imports model/shapes\.js: not there"),
        ({"effect.js": 'import { names } from "./page/names.js";'}, None),
        (
            {"model/shapes.js": 'import { names } from "../page/names.js";'},
            r"in a circle: main\.js -> model/shapes\.js -> page/names\.js -> model/area\.js -> ",
        ),
        ({"effect.js": "export let x = 1;"}, r"effect\.js has .* unknown kind: export let x"),
        ({"effect.js": "export default 3;"}, "unknown kind: export default"),
        ({"effect.js": 'const x = await import("./y.js");'}, "unknown kind: import"),
        ({"effect.js": 'import x from "./model/area.js";'}, "unknown kind: import x from"),
        ({"effect.js": "f(import.meta.url);"}, r"unknown kind: import\.meta"),
    ],
)
def test_what_a_bundle_cannot_hold_is_refused(
    changed: dict[str, str | None], complaint: str | None
) -> None:
    """A module that is missing, a circle, and unknown kinds of import and export are told."""
    given: dict[str, Any] = {k: v for k, v in (SOURCES | changed).items() if v is not None}
    if complaint is None:
        bundled(given, "main.js")
    else:
        with pytest.raises(ValueError, match=complaint):
            bundled(given, "main.js")


def test_the_pages_modules_can_be_bundled() -> None:
    """Every module that a module of the page imports is there, and exports what is imported."""
    sources = modules()
    script = bundled(sources, ENTRY)
    assert not re.search(r"^(import|export)\b", script, re.M)
    for path, source in sources.items():
        assert set(imported(path, source)) <= set(sources), path
    exported = dict(
        re.findall(
            r"^const (\$\w+) = \(\(\) => \{$.*?^return (.*?);\n\}\)\(\);$", script, re.M | re.S
        )
    )
    for names, other in re.findall(r"^const \{ (.*?) \} = (\$\w+);$", script, re.M):
        for name in names.split(", "):
            assert re.search(rf"\b{name.split(':')[0]}\b", exported[other]), (name, other)


def test_no_module_holds_what_would_end_its_script() -> None:
    """No source has the signs that end a script block or begin a comment in HTML."""
    for path, source in modules().items():
        assert not re.search(r"</script|<!--", source, re.I), path
