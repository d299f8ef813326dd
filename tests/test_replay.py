"""The replay in a browser: opened from disk, without a server, with the network cut off."""

import csv
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

import fitscope as fs
from fitscope.analysis import summary
from fitscope.export import replay_frame, save_report
from fitscope.network import parameter_names
from fitscope.records import Run
from lab_pages import REMEMBER_WORDS
from lab_runs import KINDS
from notebooks import execute

pytest_plugins = ["browser"]
pytestmark = pytest.mark.slow

BREACHES = """addEventListener("securitypolicyviolation", (event) => {
  console.error(`breach of ${event.violatedDirective}: ${event.blockedURI}`);
});"""


@dataclass
class Offline:
    """A browser without a network, and what its pages complained of or asked for."""

    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    def open(self, path: Path, *, width: int = 1440) -> Page:
        """The page of a file, on which nothing but that file may be asked for."""
        page = self.context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.on("console", lambda m: m.type in ("error", "warning") and self._hear(m.text))
        page.on("pageerror", lambda error: self._hear(str(error)))
        page.on("dialog", lambda dialog: self._hear(f"dialog: {dialog.message}"))
        page.on("request", lambda r: r.url == path.as_uri() or self._hear(f"asks for {r.url[:99]}"))
        page.goto(path.as_uri())
        return page

    def _hear(self, complaint: str) -> None:
        self.complaints.append(complaint)


@pytest.fixture
def offline(browser: Browser) -> Iterator[Offline]:
    """A browser that reaches nothing; the test fails where a page complained."""
    context = browser.new_context(reduced_motion="reduce", accept_downloads=True)
    context.set_offline(True)
    context.add_init_script(BREACHES)
    made = Offline(context)
    yield made
    context.close()
    assert made.complaints == []


Replayed = Callable[[Run], Page]


@pytest.fixture
def replayed(offline: Offline, tmp_path: Path) -> Replayed:
    """Writes the report of a run and opens it from disk, drawn for the first time."""

    def opened(run: Run) -> Page:
        path = tmp_path / "report.html"
        save_report(run, path)
        page = offline.open(path)
        _drawn(page)
        return page

    return opened


def _drawn(page: Page | Frame) -> None:
    """Waits until the page shows a moment of its run."""
    expect(page.locator("#time .step")).to_contain_text("step", timeout=20_000)
    expect(page.locator("#view canvas").first).to_be_visible(timeout=20_000)


def _at(page: Page, key: str) -> None:
    """Presses a key that moves the playhead."""
    page.locator("body").press(key)


def _numbers(page: Page) -> dict[str, str]:
    """The numbers of the shown moment by their names."""
    names = page.locator("#output dl.numbers dt").all_inner_texts()
    values = page.locator("#output dl.numbers dd:not(.unit)").all_inner_texts()
    return dict(zip(names, values, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_run_replays_from_disk(replayed: Replayed, kind: str) -> None:
    """Each opens without a complaint, and ends at the loss and the scores that Python has."""
    run = KINDS[kind](20)
    page, facts = replayed(run), summary(run)
    _at(page, "End")
    last = f"step {run.steps[-1]:,} of {run.steps[-1]:,}"
    expect(page.locator("#time .step")).to_have_text(last)
    shown = _numbers(page)
    assert float(shown["loss, training"]) == pytest.approx(facts.train_loss, rel=1e-3, abs=6e-5)
    if facts.test_loss is not None:
        assert float(shown["loss, test"]) == pytest.approx(facts.test_loss, rel=1e-3, abs=6e-5)
    for part, name in (("training", "train"), ("test", "test")):
        for label, score in (("accuracy", "accuracy"), ("R²", "r2")):
            if f"{name}_{score}" in facts.scores:
                found = float(shown[f"{label}, {part}"].replace("\N{MINUS SIGN}", "-"))
                assert found == pytest.approx(facts.scores[f"{name}_{score}"], abs=6e-4, rel=1e-2)
    told = page.locator("#data").inner_text()
    assert facts.sentence in told
    assert all(note.replace("`", "") in told for note in facts.notes)
    assert all(f"{name} {number}" in told for name, number in run.versions.items())


def test_classes_are_named_as_in_the_network(offline: Offline, tmp_path: Path) -> None:
    """On the axis and under the pointer, a truth is a value of its column."""
    offline.context.add_init_script(REMEMBER_WORDS)
    save_report(fs.fit((np.arange(12.0), np.arange(12) > 5), epochs=20), tmp_path / "r.html")
    page = offline.open(tmp_path / "r.html")
    _drawn(page)
    canvas = page.locator("canvas.field")
    words = canvas.evaluate("(one) => one.words")
    assert {"probability of y = True", "y = False", "y = True"} <= set(words)
    canvas.hover()
    expect(page.locator("#view .pointer")).to_contain_text(
        re.compile("y = (True|False) with probability")
    )


def test_every_view_opens(replayed: Replayed) -> None:
    """Each tab shows a picture, or says in a sentence why it has none."""
    page = replayed(fs.fit("rings-3", epochs=300))
    tabs = page.locator("#output [role=tab]")
    assert tabs.count() >= 6
    for i in range(tabs.count()):
        tabs.nth(i).click()
        expect(tabs.nth(i)).to_have_attribute("aria-selected", "true")
        expect(page.locator("#view canvas:visible, #view .why:visible").first).to_be_visible()


def test_playing_moves_every_picture(replayed: Replayed) -> None:
    """Play goes on by itself to the end; the numbers at the start are those before training."""
    run = fs.fit("gates-and", epochs=300)
    page = replayed(run)
    _at(page, "Home")
    expect(page.locator("#time .step")).to_have_text("step 0 of 2,100")
    assert float(_numbers(page)["loss, training"]) == pytest.approx(run.train_loss[0], rel=1e-3)
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#time .step")).to_have_text("step 2,100 of 2,100", timeout=20_000)


def test_the_table_has_every_parameter(replayed: Replayed) -> None:
    """Name, meaning, start and end, as they are in the run."""
    run = fs.fit("iris", hidden=[2], features=["petal length (cm)"], epochs=20)
    page = replayed(run)
    page.locator(".parameter-table summary").click()
    assert page.locator(".parameter-table summary").inner_text() == f"Parameters ({13})"
    rows = page.locator(".parameter-table tbody tr")
    for i, name in enumerate(parameter_names(run.layer_sizes)):
        written, meaning, *values = re.split(r"\s*[\n\t]\s*", rows.nth(i).inner_text())
        assert written == name
        assert " to " in meaning or meaning.startswith("bias of ")
        assert [float(v.replace("\N{MINUS SIGN}", "-")) for v in values] == pytest.approx(
            [run.params[0, i], run.params[-1, i]], rel=1e-3, abs=1e-4
        )
    assert "standardised inputs" in page.locator(".parameter-table").inner_text()


def test_the_run_comes_out_as_it_went_in(replayed: Replayed, tmp_path: Path) -> None:
    """The run file that the page saves is the run, bit for bit."""
    run = fs.fit("gates-xor-hidden", epochs=50)
    page = replayed(run)
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Run file").click()
    download.value.save_as(tmp_path / "out.safetensors")
    assert fs.load(tmp_path / "out.safetensors") == run


def _diverged() -> Run:
    return fs.fit("sine", lr=1e6, optimizer="sgd", epochs=50)


def _interrupted() -> Run:
    return replace(fs.fit("gates-and", epochs=3), outcome=fs.Outcome.INTERRUPTED)


def _long() -> Run:
    """As long as a training is recorded: 64 MB of parameters."""
    run = fs.fit("spirals", hidden=[64, 64], epochs=4000, n_samples=64)
    assert run.params.nbytes > 30_000_000
    return run


ODD: dict[str, tuple[Callable[[], Run], str]] = {
    "diverged": (_diverged, "Diverged at step"),
    "interrupted": (_interrupted, "Interrupted at step 21"),
    "64 MB": (_long, "evenly spaced; the run file has them all"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_runs_replay_with_a_sentence(replayed: Replayed, kind: str) -> None:
    """A run without a proper end, or too long for a page, is shown and says so."""
    make, sentence = ODD[kind]
    page = replayed(make())
    assert sentence in page.locator("#data .warning").first.inner_text()
    _at(page, "End")


@pytest.mark.parametrize("name", ["rings-3", "iris", "sine-10"])
def test_a_run_without_samples_replays(offline: Offline, tmp_path: Path, name: str) -> None:
    """Losses, parameters and the network are there, and a sentence says what is not."""
    run = fs.fit(name, epochs=20)
    save_report(replace(run, dataset=run.dataset.without_arrays()), tmp_path / "r.html")
    page = offline.open(tmp_path / "r.html")
    expect(page.locator("#data .warning")).to_contain_text("saved without its data")
    expect(page.locator("#network canvas").first).to_be_visible()
    page.get_by_role("tab", name="Parameters").click()
    expect(page.locator("#view canvas").first).to_be_visible()


HOSTILE = "<img src=x onerror=alert(1)>\"'</script>&lt;<!--"
NAMES = [HOSTILE, "cost ($) and tax ($)", "$\\frac{$", "_private", "日本語", "α²", "${1}`"]


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_text_from_a_table_stays_text(
    replayed: Replayed, tmp_path: Path, name: str, n_inputs: int
) -> None:
    """Names and labels are shown as they are: never markup, never code, never lost."""
    path = tmp_path / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"{name}{i}" for i in range(n_inputs)), "kind", f"left out {name}"])
        for i in range(20):
            inputs = [np.sin(i + j) for j in range(n_inputs)]
            writer.writerow([*inputs, (f"no {name}", f"yes {name}")[i % 2], "text"])
    page = replayed(fs.fit(path, target="kind", epochs=2))
    assert page.locator("img, i i, script:not([type])").count() == 0
    assert f"yes {name}" in page.locator("#data .sentence").inner_text()


# in notebooks

# What an editor that shows notebooks lets a frame do: scripts in the page, none by address.
HOST = (
    "<!doctype html><meta charset=utf-8><meta http-equiv=Content-Security-Policy "
    "content=\"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    'img-src data:; child-src https: data:"><title>host</title><body>{}</body>'
)


def test_a_frame_works_in_a_host_that_forbids_addresses(offline: Offline, tmp_path: Path) -> None:
    """Alone in its sandbox, under the policy of its host as well, the replay moves."""
    run = fs.fit("gates-and", epochs=30)
    (tmp_path / "host.html").write_text(HOST.format(replay_frame(run)), encoding="utf-8")
    frame = _frame(offline.open(tmp_path / "host.html", width=1000))
    frame.get_by_role("button", name="To the end").click()
    expect(frame.locator("#time .step")).to_have_text("step 210 of 210")
    assert frame.evaluate("origin") == "null"


def _frame(page: Page) -> Frame:
    """The replay on a notebook's page."""
    element = page.locator("iframe").element_handle()
    frame = element.content_frame()
    assert frame is not None
    _drawn(frame)
    return frame


def test_a_notebook_shows_a_run_as_its_replay(browser: Browser, tmp_path: Path) -> None:
    """A cell that ends in a run, executed and rendered by nbconvert, is a replay on the page."""
    cell = 'import fitscope as fs\nfs.fit("rings-3", epochs=100)'
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    with ThreadPoolExecutor() as elsewhere:  # Playwright has the loop of this thread
        elsewhere.submit(execute, notebook, tmp_path).result()
    (output,) = notebook.cells[0].outputs
    assert set(output.data) == {"text/html", "text/plain"}
    page_text, _ = HTMLExporter().from_notebook_node(notebook)
    (tmp_path / "notebook.html").write_text(page_text, encoding="utf-8")
    context = browser.new_context(offline=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto((tmp_path / "notebook.html").as_uri())  # Jupyter's own page asks for MathJax
    frame = _frame(page)
    frame.get_by_role("button", name="To the end").click()
    expect(frame.locator("#time .step")).to_have_text("step 100 of 100")
    box: Any = page.locator("iframe").bounding_box()
    assert box["height"] == 760
    context.close()
