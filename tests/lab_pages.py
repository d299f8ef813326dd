"""The lab's page in Chromium: what it shows, and the hands that change it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Request,
)

import fitscope as fs
from fitscope.records import Run

WAIT_MS = 20_000  # for a state that comes; a busy machine may be slow
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
# Canvases remember the words last drawn on them: a legend is nowhere else.
REMEMBER_WORDS = """
const drawn = CanvasRenderingContext2D.prototype;
const { fillText, clearRect } = drawn;
drawn.clearRect = function (...box) {
  this.canvas.words = [];
  return clearRect.apply(this, box);
};
drawn.fillText = function (text, ...place) {
  (this.canvas.words ??= []).push(String(text));
  return fillText.call(this, text, ...place);
};
"""
PICTURE = "() => performance.getEntriesByName('fitscope:picture').at(-1)?.startTime ?? 0"
STEP = """() => (document.querySelector("#time .step").textContent.match(/[\\d,]+/g) ?? [])
  .map((text) => Number(text.replaceAll(",", "")))"""
NUMBERS = """() => Object.fromEntries(
  [...document.querySelectorAll(".numbers > div")].map((one) =>
    [one.querySelector("dt").textContent, one.querySelector("dd").textContent]))"""


class Bench:
    """One open page of a lab."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.problems: list[str] = []
        self.expected: list[str] = []
        page.set_default_timeout(WAIT_MS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error.stack}"))
        page.on("request", self._on_request)

    def open(self, link: str = "") -> "Bench":
        """Goes to the lab, or to a link of it, and waits for the first picture."""
        self.page.goto(link or self.address)
        self.until(f"() => ({PICTURE})() > 0")
        return self

    def expect_answer(self, status: int) -> None:
        """The server is going to refuse something, which Chromium notes as an error."""
        self.expected.append(f"status of {status}")

    def until(self, holds: str, given: Any = None) -> Any:
        """Waits until a JavaScript function of the page gives what is true.

        `Page.wait_for_function` asks again by eval, which the page's policy forbids.
        """
        call = f"""async ([given, wait]) => {{
          const [holds, end] = [{holds}, performance.now() + wait];
          for (;;) {{
            const found = await holds(given);
            if (found) return found;
            if (performance.now() > end) throw new Error(`never came: ${{holds}}`);
            await new Promise((next) => setTimeout(next, 10));
          }}
        }}"""
        try:
            return self.page.evaluate(call, [given, WAIT_MS])
        except Error as error:
            if "never came" not in error.message:
                raise
        raise AssertionError(f"Never came: {holds}\n{given}\n{self.note}\n{self.problems}")

    def frames(self, n: int = 2) -> None:
        """Waits for that many pictures, which show all that was set before."""
        call = "async (n) => { for (; n; n--) await new Promise(requestAnimationFrame); }"
        self.page.evaluate(call, n)

    @contextmanager
    def new_run(self) -> Iterator[None]:
        """What is done in the block trains; after it the new run is shown."""
        before = self.page.evaluate(PICTURE)
        yield
        self.until(f"(before) => ({PICTURE})() > before", before)

    def find(self, selector: str, **with_: Any) -> Locator:
        """Elements of the page."""
        return self.page.locator(selector, **with_)

    def button(self, name: str) -> Locator:
        """The button of that name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def box(self, setting: str) -> Locator:
        """The box for a setting's number."""
        return self.find(f"[data-setting={setting}] input.value")

    def slider(self, setting: str) -> Locator:
        """The slider of a setting."""
        return self.find(f"[data-setting={setting}] input[type=range]")

    def choose(self, experiment: str) -> None:
        """Shows a built-in experiment, at its end."""
        if self.find("select.experiment").input_value() != experiment:
            with self.new_run():
                self.find("select.experiment").select_option(experiment)
        self.to_end()

    def to_end(self) -> None:
        """Goes to the last step."""
        self.button("To the end").click()
        self.until(f"() => new Set(({STEP})()).size === 1")

    @property
    def step(self) -> int:
        """The step that is shown."""
        return int(self.page.evaluate(f"() => ({STEP})()[0]"))

    @property
    def last_step(self) -> int:
        """The last step there is."""
        return int(self.page.evaluate(f"() => ({STEP})()[1]"))

    @property
    def numbers(self) -> dict[str, str]:
        """The numbers below the picture."""
        found: dict[str, str] = self.page.evaluate(NUMBERS)
        return found

    @property
    def note(self) -> str:
        """The sentence about what went wrong."""
        return self.find("#note").inner_text()

    def words(self, canvas: str) -> list[str]:
        """What is written in a picture."""
        found: list[str] = self.page.evaluate("(one) => document.querySelector(one).words", canvas)
        return found

    def downloaded(self, press: Callable[[], None]) -> Path:
        """The file that something gives."""
        with self.page.expect_download() as coming:
            press()
        return Path(coming.value.path())

    def exported(self, what: str) -> Path:
        """The file behind an entry of the export menu, told by its description."""
        self.find(".export summary").click()
        return self.downloaded(self.find(".export .menu button", has_text=what).click)

    def run(self) -> Run:
        """The run that is shown, as its file has it."""
        path = self.exported("everything recorded")
        return fs.load(path.rename(path.with_suffix(".safetensors")))

    def check(self) -> None:
        """Nothing went wrong that was not expected."""
        left = [one for one in self.problems if not any(text in one for text in self.expected)]
        assert not left

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "blob:", "data:")):
            self.problems.append(f"asked elsewhere: {request.url}")


class Benches:
    """Opens pages of one lab; each must end without a problem."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self.address = browser, address
        self._open: list[Bench] = []
        self._contexts: list[BrowserContext] = []

    @cached_property
    def _still(self) -> BrowserContext:
        """The context that most pages share: at a desk, and nothing plays by itself."""
        return self._context(viewport=DESK, reduced_motion="reduce")

    def _context(self, **settings: Any) -> BrowserContext:
        context = self._browser.new_context(**settings)
        context.add_init_script(REMEMBER_WORDS)
        self._contexts.append(context)
        return context

    def new(self, **settings: Any) -> Bench:
        """A page that is not opened yet; with settings, in a context of its own."""
        context = self._context(**{"viewport": DESK, **settings}) if settings else self._still
        bench = Bench(context.new_page(), self.address)
        self._open.append(bench)
        return bench

    def check(self) -> None:
        """Closes the pages that were opened since the last time, and checks each."""
        done, self._open = self._open, []
        for bench in done:
            bench.page.close()
        for bench in done:
            bench.check()

    def close(self) -> None:
        """Ends everything."""
        for context in self._contexts:
            context.close()
