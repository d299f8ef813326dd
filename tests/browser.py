"""Chromium for tests, and a page in it with the lab's modules: `pytest_plugins = ["browser"]`."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

import fitscope
from fitscope.lab.state import Lab
from lab_pages import Bench, Benches
from lab_server import served

ASSETS = Path(fitscope.__file__).parent / "lab" / "assets"
TESTS = Path(__file__).parent
ORIGIN = "http://lab.test/"  # of no server: every request is answered from the assets' folder
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
NAMES = ("chromium", "chromium-browser", "google-chrome")

Ask = Callable[[str, Any], Any]


@pytest.fixture(scope="session")
def served_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Lab]]:
    """The address of a running lab, and its state."""
    with served(tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.fixture(scope="session")
def lab(served_lab: tuple[str, Lab]) -> str:
    """The address of a running lab."""
    return served_lab[0]


# A module each: while Playwright runs, this thread has an event loop in which no other can run,
# and the tests of notebooks and servers start theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail("These tests need Chromium. Install it with: apt-get install -y chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def asset_page(browser: Browser) -> Iterator[Page]:
    """An empty page that can import the lab's modules, such as /model/net.js."""
    page = browser.new_page()
    page.route("**/*", _answer)
    page.goto(ORIGIN)
    yield page
    page.close()


@pytest.fixture(scope="module")
def ask(request: pytest.FixtureRequest, asset_page: Page) -> Ask:
    """Calls a function of tests/lab_x.js for test_lab_x.py, or of the module named `IN_PAGE`."""
    usual = request.path.stem.removeprefix("test_") + ".js"
    module = f"/tests/{getattr(request.module, 'IN_PAGE', usual)}"
    call = "async ([module, name, given]) => (await import(module))[name](given)"
    return lambda name, given: asset_page.evaluate(call, [module, name, given])


@pytest.fixture(scope="module")
def all_benches(browser: Browser, lab: str) -> Iterator[Benches]:
    """The pages of a module."""
    found = Benches(browser, lab)
    yield found
    found.close()


@pytest.fixture
def benches(all_benches: Benches) -> Iterator[Benches]:
    """Opens pages; after the test nothing may have gone wrong in any."""
    yield all_benches
    all_benches.check()


@pytest.fixture
def bench(benches: Benches) -> Bench:
    """The page of a first visit that does not move by itself: rings-3, at its start."""
    return benches.new().open()


def _answer(route: Route) -> None:
    """A file of the assets or, below /tests/, of the tests; the origin itself is an empty page."""
    name = route.request.url.removeprefix(ORIGIN)
    of_tests = name.startswith("tests/")
    path = TESTS / name.removeprefix("tests/") if of_tests else ASSETS / name
    if not name:
        route.fulfill(body="<!doctype html><title>lab</title>", content_type="text/html")
    elif path.is_file():
        route.fulfill(body=path.read_bytes(), content_type=TYPES[path.suffix])
    else:
        route.fulfill(status=404)
