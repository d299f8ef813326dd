"""The lab for everybody: axe finds nothing serious, and a phone has all of it within reach."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from lab_pages import DESK, PHONE, STEP, Bench, Benches

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]

TABS = ["Output", "Surface", "Hidden", "Parameters", "Metrics", "Compare", "Many", "Basin"]
GRAVE = ("serious", "critical")


def grave(bench: Bench) -> list[str]:
    """What axe calls serious or worse: the rule, and the first place that breaks it."""
    found = Axe().run(bench.page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in GRAVE
    ]


def open_tab(bench: Bench, name: str) -> None:
    """Opens a tab and waits for its picture."""
    bench.page.get_by_role("tab", name=name, exact=True).click()
    bench.frames(4)


@pytest.mark.parametrize(("screen", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_axe_finds_nothing_serious(benches: Benches, screen: dict[str, int], scheme: str) -> None:
    """In every tab, with the lessons, the code and the sheets open; in both themes."""
    bench = benches.new(viewport=screen, color_scheme=scheme, reduced_motion="reduce").open()
    found = {}
    for tab in TABS:
        open_tab(bench, tab)
        found[tab] = grave(bench)
    if screen is PHONE:
        for sheet in ("Data", "Network"):
            bench.button(sheet).click()
            found[sheet] = grave(bench)
        bench.button("Network").click()
    bench.button("Lessons").click()
    found["lessons"] = grave(bench)
    bench.page.keyboard.press("Escape")
    bench.button("Code").click()
    bench.until("() => document.querySelector('dialog pre').textContent.includes('import')")
    found["code"] = grave(bench)
    assert {place: problems for place, problems in found.items() if problems} == {}


def test_a_phone_has_everything_in_reach(benches: Benches) -> None:
    """Output first, the time bar under the thumb; data and network slide up, and train."""
    bench = benches.new(viewport=PHONE, has_touch=True, reduced_motion="reduce").open()
    bench.find(".scrub").fill("5000")
    bench.until(f"() => ({STEP})()[0] === 99")
    bench.button("Network").tap()
    bench.until("() => document.querySelector('#network').classList.contains('open')")
    with bench.new_run():
        bench.button("One unit less in hidden layer 1").tap()
    bench.button("Data").tap()
    bench.until("() => document.querySelector('#data').classList.contains('open')")
    with bench.new_run():
        bench.button("moons").tap()
    bench.button("Data").tap()
    for tab in TABS:
        open_tab(bench, tab)
        wide = bench.page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], tab
    time = bench.find("#time").bounding_box()
    assert time is not None
    assert time["y"] + time["height"] == PHONE["height"]
