"""What is taken out of the page: the link, the code, the run file, pictures, kept runs."""

import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from playwright.sync_api import expect

import fitscope as fs
from fitscope.export import command_line, python_snippet, pytorch_script
from fitscope.plot.theme import CLASS_COLOURS, HIGHLIGHT, INKS, RUN_COLOURS
from lab_pages import STEP, Bench, Benches

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]

VIRIDIS = {to_hex(colour) for colour in mpl.colormaps["viridis"](range(256))}
COPY = ["clipboard-read", "clipboard-write"]


def copied(bench: Bench) -> str:
    """What was copied."""
    text: str = bench.page.evaluate("() => navigator.clipboard.readText()")
    return text


def link_of(bench: Bench) -> str:
    """The link of the share button."""
    bench.page.context.grant_permissions(COPY)
    bench.button("Share").click()
    bench.page.get_by_text("Link copied").wait_for()
    return copied(bench)


def test_the_link_gives_the_same_run_elsewhere_bit_for_bit(benches: Benches) -> None:
    """Changed data, network and training travel, and so do the step and the open tab."""
    here = benches.new().open()
    with here.new_run():
        here.box("n_samples").fill("300")
        here.box("n_samples").press("Enter")
    with here.new_run():
        here.button("One unit more in hidden layer 1").click()
    with here.new_run():
        here.box("lr").fill("0.02")
        here.box("lr").press("Enter")
    here.find(".scrub").fill("5000")
    here.find("#tab-parameters").click()
    here.frames()
    there = benches.new(reduced_motion="reduce")
    there.page.goto(link_of(here))
    there.until("() => document.querySelector('#tab-parameters')?.ariaSelected === 'true'")
    there.until(f"(step) => ({STEP})()[0] === step", here.step)
    run = here.run()
    assert there.run() == run
    assert run.experiment.training.lr == 0.02
    assert run.experiment.network.hidden == [4]
    assert run.experiment.data.n_samples == 300


def test_the_address_keeps_up_and_a_reload_shows_the_same(bench: Bench) -> None:
    """What is in the address bar is the link."""
    bench.choose("gates-or")
    bench.until("() => location.hash.startsWith('#e=')")
    bench.find(".scrub").fill("3000")
    bench.until("() => location.hash.includes('step=')")
    step = bench.step
    bench.page.reload()
    bench.until(f"(step) => ({STEP})()[0] === step", step)
    assert bench.find("select.experiment").input_value() == "gates-or"


@pytest.mark.parametrize("damage", ["#e=%%%", "#e=abc", "#e=q1YqVrJSSlKqBQA&view=none"])
def test_a_damaged_link_shows_the_first_visit_and_says_so(benches: Benches, damage: str) -> None:
    """The page is not empty for it."""
    bench = benches.new()
    bench.open(bench.address + damage)
    assert bench.find("select.experiment").input_value() == "rings-3"
    bench.until(
        "() => document.querySelector('#note').textContent.startsWith('The link is damaged')"
    )


def test_a_link_that_cannot_be_trained_says_why(benches: Benches) -> None:
    """A table that is not here, for one; the first visit is shown."""
    bench = benches.new()
    bench.expect_answer(404)
    bench.expect_answer(422)
    letters = bench.page.context.pages[0].evaluate(
        """async () => {
          const data = { path: "tables/none.csv", target: "a" };
          const text = JSON.stringify({ data, network: {}, training: { lr: 1 } });
          const made = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
          const bytes = new Uint8Array(await new Response(made).arrayBuffer());
          return btoa(String.fromCharCode(...bytes));
        }"""
    )
    encoded = letters.replace("+", "-").replace("/", "_").rstrip("=")
    bench.open(f"{bench.address}#e={encoded}")
    bench.until("() => document.querySelector('#note').textContent.includes('none.csv')")
    assert bench.note.startswith("The link cannot be shown.")
    assert bench.find("select.experiment").input_value() == "rings-3"


def test_code_is_that_of_python_and_can_be_copied(bench: Bench) -> None:
    """Four kinds: each is the text that fitscope writes for this run."""
    bench.choose("gates-and")
    run = bench.run()
    wanted = {
        "PyTorch": pytorch_script(run),
        "fitscope": python_snippet(run),
        "TOML": run.experiment.to_toml(),
        "Command": command_line(run),
    }
    bench.page.context.grant_permissions(COPY)
    bench.button("Code").click()
    dialog = bench.page.get_by_role("dialog", name="Code")
    for kind, text in wanted.items():
        dialog.get_by_role("button", name=kind, exact=True).click()
        assert dialog.locator("pre").text_content() == text
    dialog.get_by_role("button", name="Copy", exact=True).click()
    dialog.get_by_text("Copied").wait_for()
    assert copied(bench) == wanted["Command"]
    path = bench.downloaded(dialog.get_by_role("button", name="Save as file").click)
    assert path.read_text() == wanted["Command"]
    bench.page.keyboard.press("Escape")
    assert dialog.is_hidden()
    assert bench.page.evaluate("() => document.activeElement.textContent") == "Code"


def test_the_run_file_is_the_run_that_python_trains(bench: Bench) -> None:
    """With its samples, bit for bit."""
    assert bench.run() == fs.fit("rings-3")


@pytest.mark.parametrize(
    ("what", "begins"),
    [
        ("works without fitscope", b"<!doctype html>"),
        ("drawn by matplotlib", b"\x89PNG\r\n"),
        ("to scale and edit", b"<?xml"),
        ("GIF of the training", b"GIF89a"),
        ("what is on the page", b"\x89PNG\r\n"),
    ],
)
def test_files_are_what_they_say(bench: Bench, what: str, begins: bytes) -> None:
    """Each entry of the menu gives a file of its kind, and the menu closes."""
    bench.choose("gates-and")
    content = bench.exported(what).read_bytes()
    assert content.startswith(begins)
    assert len(content) > 5000
    bench.until("() => !document.querySelector('.export').open")


def colours_of(picture: Path) -> set[str]:
    """The colours of a PNG."""
    pixels = plt.imread(picture, format="png")
    assert pixels.shape[2] == 3 or pixels[..., 3].min() == 1  # nothing shines through
    return {to_hex(pixel[:3]) for pixel in np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)}


@pytest.mark.parametrize(
    ("tab", "lower", "upper"),
    [("Surface", VIRIDIS, HIGHLIGHT), ("Parameters", {*RUN_COLOURS}, CLASS_COLOURS[0])],
)
def test_a_picture_is_saved_with_all_its_layers(
    bench: Bench, tab: str, lower: set[str], upper: str
) -> None:
    """What stays and what follows the step, on the ground of the page."""
    bench.to_end()
    bench.page.get_by_role("tab", name=tab, exact=True).click()
    bench.frames(3)
    bench.until(
        """() => [...document.querySelectorAll(".surface .said")]
          .every((said) => said.textContent.startsWith("Step"))"""
    )
    bench.frames(3)
    found = colours_of(bench.exported("what is on the page"))
    assert {upper, INKS["light"].paper} <= found
    assert lower & found


def test_a_tab_without_a_picture_says_so(bench: Bench) -> None:
    """Nothing is saved where nothing is drawn yet."""
    bench.page.get_by_role("tab", name="Many", exact=True).click()
    bench.find(".export summary").click()
    bench.find(".export .menu button", has_text="what is on the page").click()
    expect(bench.find("#note")).to_have_text("There is no picture in this tab.")


def test_a_stopped_training_is_taken_out_as_far_as_it_came(bench: Bench) -> None:
    """The run file and the code train the epochs that are shown, not all that were asked for."""
    bench.box("epochs").fill("2000000")
    bench.box("epochs").press("Enter")
    bench.until("() => Number(document.querySelector('[role=progressbar]').ariaValueNow) > 0")
    with bench.new_run():
        bench.button("Stop training").click()
    n_epochs = bench.last_step  # of one update each
    run = bench.run()
    assert run.experiment.training.epochs == n_epochs < 2_000_000
    assert run.steps[-1] == n_epochs
    bench.button("Code").click()
    text = bench.page.get_by_role("dialog", name="Code").locator("pre")
    expect(text).to_contain_text("EPOCHS")
    assert re.findall(r"EPOCHS = (.*)", text.inner_text()) == [f"{n_epochs:_}"]


def test_a_run_is_kept_and_opened_again(bench: Bench) -> None:
    """It stands in the menu with its shape and loss; a click shows it."""
    bench.choose("gates-or")
    bench.find(".export summary").click()
    with bench.page.expect_response(re.compile("/api/runs/")):
        bench.find(".export .menu button", has_text="Keep in the workspace").click()
    bench.until("() => !document.querySelector('.export').open")
    kept = bench.run()
    bench.choose("rings-2")
    bench.find(".export summary").click()
    bench.find(".kept button", has_text="The or gate").first.click()
    bench.until("() => document.querySelector('select.experiment').value === 'gates-or'")
    bench.to_end()
    assert bench.run() == kept
