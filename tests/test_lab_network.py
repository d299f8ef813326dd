"""The lab's middle panel: units, lines and formulas show the run; what is set is trained."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import fitscope as fs
from fitscope.network import layers

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]

MINUS = "\N{MINUS SIGN}"
DASH = " \N{EN DASH} "
# What every unit's map and the output show, as text that is equal for equal pixels.
SHOWN = ".unit-card canvas, canvas.field"
PIXELS = f"() => [...document.querySelectorAll('{SHOWN}')].map((one) => one.toDataURL())"
NEXT_FRAMES = "() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"


@pytest.fixture(scope="module")
def opened(browser: Browser, lab: str) -> Iterator[Page]:
    """The lab's page, which does not move by itself, and has no errors."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(lab)
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def page(opened: Page) -> Page:
    """The page with rings-3 at its end and nothing selected."""
    menu = opened.get_by_role("combobox", name="Experiment")
    menu.select_option("gates-and")
    expect(opened.locator(".net-sizes")).to_have_text(DASH.join("21"))
    menu.select_option("rings-3")
    expect(opened.locator(".net-sizes")).to_have_text(DASH.join("231"))
    opened.get_by_role("button", name="To the end").click()
    expect(opened.locator("#time .step")).to_have_text("step 10,000 of 10,000")
    opened.mouse.move(720, 2)
    return opened


@pytest.fixture(scope="module")
def run() -> fs.Run:
    """The same run, trained here."""
    return fs.fit("rings-3")


def sizes(page: Page, *widths: int) -> None:
    """Waits until the network shown has these layers."""
    expect(page.locator(".net-sizes")).to_have_text(DASH.join(map(str, widths)))


def card(page: Page, column: int, unit: int) -> Locator:
    """The card of a unit; column 0 is that of the inputs."""
    return page.locator(f'.unit-card[data-column="{column}"][data-unit="{unit}"]')


def formula(params: np.ndarray, unit: int) -> str:
    """What the page writes about a hidden unit of rings-3."""
    (W, b), _ = layers(params.astype(np.float64), [2, 3, 1])
    terms = [f"{signed(W[unit, 0], first=True)} x1", f"{signed(W[unit, 1])} x2", signed(b[unit])]
    return f"h{unit + 1} = σ({' '.join(terms)})"


def signed(value: float, *, first: bool = False) -> str:
    """A number of a formula, with its sign set apart."""
    size = abs(value)
    text = f"{size:.{2 if size < 9.995 else 1 if size < 99.95 else 0}f}"
    mark = MINUS if value < 0 else "+"
    return text if first and value >= 0 else f"{mark}{text}" if first else f"{mark} {text}"


def test_layers_and_units_come_and_go_and_each_change_trains(page: Page) -> None:
    """Slider, box, buttons: the network on the page is the one asked for, trained."""
    page.get_by_role("slider", name="Units in hidden layer 1").fill("2")
    sizes(page, 2, 2, 1)
    expect(page.locator(".net-count")).to_have_text("9 parameters")
    page.get_by_role("button", name="One unit more in hidden layer 1").click()
    sizes(page, 2, 3, 1)
    page.get_by_role("button", name="+ layer").click()
    sizes(page, 2, 3, 3, 1)
    box = page.get_by_role("textbox", name="Units in hidden layer 2")
    box.fill("20")
    box.press("Enter")
    sizes(page, 2, 3, 20, 1)
    page.get_by_role("button", name="One unit less in hidden layer 1").click()
    sizes(page, 2, 2, 20, 1)
    page.get_by_role("button", name="Remove hidden layer 1").click()
    sizes(page, 2, 20, 1)
    page.get_by_role("button", name="Remove hidden layer 1").click()
    sizes(page, 2, 1)
    expect(page.locator(".unit-card")).to_have_count(3)


def test_a_box_with_no_number_of_units_keeps_the_network(page: Page) -> None:
    """What is no whole number above 0 is not asked for; the box says the present one again."""
    box = page.get_by_role("textbox", name="Units in hidden layer 1")
    for wrong in ("0", "many", "2.5"):
        box.fill(wrong)
        box.press("Enter")
        expect(box).to_have_value("3")


def test_activation_and_start_are_trained_anew(page: Page) -> None:
    """Each menu asks the server for a run with that setting."""
    for name, choice, key in (("activation", "tanh", "activation"), ("start", "zeros", "init")):
        with page.expect_request("**/api/run*") as asked:
            page.get_by_role("combobox", name=name).select_option(choice)
        assert asked.value.post_data_json["network"][key] == choice
        asked.value.response()
    expect(page.locator(".net-formula")).to_contain_text("0.00 h1 + 0.00 h2")


def test_pointing_at_a_unit_tells_its_formula_with_the_runs_numbers(
    page: Page, run: fs.Run
) -> None:
    """At the end and at the start, for every hidden unit."""
    for button, row in (("To the end", -1), ("To the start", 0)):
        page.get_by_role("button", name=button).click()
        for unit in range(3):
            card(page, 1, unit).hover()
            expect(page.locator(".net-formula")).to_have_text(formula(run.params[row], unit))
        page.mouse.move(720, 2)
        expect(page.locator(".net-formula")).to_contain_text("P(y = 1) = σ(")


def test_pointing_at_a_line_tells_its_weight_and_a_click_opens_it(page: Page, run: fs.Run) -> None:
    """The middle of the line from h2 to the output: w2[1,2]."""
    ends = [card(page, *spot).locator("canvas").bounding_box() for spot in ((1, 1), (2, 0))]
    left, right = (end for end in ends if end)
    x = (left["x"] + left["width"] + right["x"]) / 2
    y = sum(end["y"] + end["height"] / 2 for end in (left, right)) / 2
    page.mouse.move(x, y)
    weight = float(run.params[-1][10])
    said = f"w2[1,2] = {MINUS if weight < 0 else ''}{abs(weight):.2f}: h2 to P(y = 1)"
    expect(page.locator(".net-note")).to_have_text(said)
    page.mouse.click(x, y)
    expect(page.get_by_role("textbox", name="weight of h2")).to_be_focused()


def test_a_weight_set_by_hand_is_seen_at_once_and_undone_bit_for_bit(
    page: Page, run: fs.Run
) -> None:
    """Maps, field and formula follow the number; Undo gives every pixel back."""
    card(page, 1, 1).click()
    page.mouse.move(720, 2)
    page.evaluate(NEXT_FRAMES)
    before = page.evaluate(PIXELS)
    page.get_by_role("textbox", name="weight of x1").fill("4.5")
    changed = run.params[-1].copy()
    changed[2] = 4.5
    expect(page.locator(".net-formula")).to_have_text(formula(changed, 1))
    after = page.evaluate(PIXELS)
    are_same = [a == b for a, b in zip(before, after, strict=True)]
    assert are_same == [True, True, True, False, True, False, False]  # x1 x2 h1 h2 h3 p, field
    expect(page.get_by_text("Set by hand")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".net-formula")).to_have_text(formula(run.params[-1], 1))
    expect(page.get_by_text("Set by hand")).to_be_hidden()
    page.get_by_role("button", name="Close the unit").click()
    card(page, 1, 1).click()
    page.mouse.move(720, 2)
    page.evaluate(NEXT_FRAMES)
    assert page.evaluate(PIXELS) == before


def test_a_slider_and_arrow_keys_set_a_number_too(page: Page) -> None:
    """The slider reaches to both sides of 0; an arrow key moves by a tenth."""
    card(page, 1, 0).click()
    page.get_by_role("slider", name="bias, slider").fill("0")
    box = page.get_by_role("textbox", name="bias")
    expect(box).to_have_value("0")
    box.press("ArrowUp")
    expect(box).to_have_value("0.1")
    expect(page.locator(".net-formula")).to_contain_text("+ 0.10)")
    box.fill("no number")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".net-formula")).to_contain_text("+ 0.10)")


def test_training_from_here_starts_from_exactly_these_numbers(page: Page, run: fs.Run) -> None:
    """The request holds all parameters, one of them set by hand, to the last bit."""
    card(page, 1, 1).click()
    page.get_by_role("textbox", name="weight of x1").fill("4.5")
    with page.expect_request("**/api/run*") as asked:
        page.get_by_role("button", name="Train from here").click()
    init = np.float32(asked.value.post_data_json["network"]["init"])
    wanted = run.params[-1].copy()
    wanted[2] = 4.5
    assert init.tobytes() == wanted.tobytes()
    expect(page.get_by_role("combobox", name="start")).to_have_value("own")
    page.get_by_role("button", name="To the start").click()
    expect(page.locator(".net-formula")).to_have_text(formula(wanted, 1))


def test_the_diagram_is_walked_by_keys(page: Page) -> None:
    """One stop of the Tab key; arrows go from card to card, Enter selects, Escape lets go."""
    cards = page.locator(".unit-card")
    assert cards.evaluate_all("(all) => all.filter((one) => one.tabIndex === 0).length") == 1
    card(page, 2, 0).focus()
    page.keyboard.press("ArrowLeft")
    expect(card(page, 1, 1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(card(page, 1, 0)).to_be_focused()
    expect(page.locator(".net-formula")).to_contain_text("h1 = σ(")
    expect(card(page, 1, 0)).to_have_attribute(
        "aria-label", re.compile(r"^hidden unit 1, h1: h1 = σ\(")
    )
    expect(page.locator("#time .step")).to_have_text("step 10,000 of 10,000")
    page.keyboard.press("Enter")
    expect(card(page, 1, 0)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("group", name="Selected unit")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="Selected unit")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(card(page, 0, 0)).to_be_focused()
    assert cards.evaluate_all("(all) => all.filter((one) => one.tabIndex === 0).length") == 1


def test_of_a_large_network_twelve_units_a_layer_are_shown_and_the_others_can_be_turned_to(
    page: Page,
) -> None:
    """The digits' 64 inputs and 64 hidden units; a selected unit's page is the one that shows."""
    epochs = page.get_by_role("textbox", name="epochs")
    epochs.fill("20")
    epochs.press("Enter")
    page.get_by_role("button", name="digits", exact=True).click()
    expect(page.locator(".net-sizes")).to_have_text(re.compile(r"^64 "))
    box = page.get_by_role("textbox", name="Units in hidden layer 1")
    box.fill("64")
    box.press("Enter")
    sizes(page, 64, 64, 10)
    for column, n in enumerate((12, 12, 10)):
        expect(page.locator(f'.unit-card[data-column="{column}"]')).to_have_count(n)
    rest = page.locator('.rest[data-column="1"]')
    expect(rest).to_have_text("+52 more")
    rest.click()
    expect(rest).to_have_text("13\N{EN DASH}24 of 64")
    expect(card(page, 1, 12)).to_be_visible()
    expect(rest).to_be_focused()
    stage = page.locator(".net-stage")
    bottom = "(all) => Math.max(...all.map((one) => one.getBoundingClientRect().bottom))"
    lowest = page.locator(".unit-card, .rest").evaluate_all(bottom)
    assert lowest <= stage.evaluate("(s) => s.getBoundingClientRect().bottom") + 1


def test_nothing_moves_while_the_step_does(page: Page) -> None:
    """The browser sees no layout shift in the panel from the first step to the last."""
    page.evaluate(
        """() => {
          window.shifts = [];
          new PerformanceObserver((seen) => {
            for (const { sources } of seen.getEntries()) {
              window.shifts.push(...sources.map(({ node }) => node?.className ?? "gone"));
            }
          }).observe({ type: "layout-shift" });
        }"""
    )
    card(page, 1, 1).hover()
    page.evaluate(
        """async () => {
          const scrub = document.querySelector(".scrub");
          for (let place = 0; place <= 10000; place += 250) {
            scrub.value = place;
            scrub.dispatchEvent(new Event("input"));
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    page.evaluate(NEXT_FRAMES)
    assert page.evaluate("() => window.shifts") == []


def test_the_card_of_a_unit_closes_by_escape_and_gives_the_focus_back(page: Page) -> None:
    """From within it, by the key as by the button."""
    selected = page.get_by_role("group", name="Selected unit")
    for close in (
        lambda: page.get_by_role("textbox", name="bias").press("Escape"),
        page.get_by_role("button", name="Close the unit").click,
    ):
        card(page, 1, 1).click()
        close()
        expect(selected).to_be_hidden()
        expect(card(page, 1, 1)).to_be_focused()


def test_a_box_of_the_card_takes_a_decimal_comma(page: Page) -> None:
    """As every box of the page."""
    card(page, 1, 0).click()
    page.get_by_role("textbox", name="bias").fill("0,25")
    expect(page.locator(".net-formula")).to_contain_text("+ 0.25)")


def test_a_selected_unit_is_marked_again_when_its_page_comes_back(page: Page) -> None:
    """Of twenty units, the second: turned away from, turned back to."""
    box = page.get_by_role("textbox", name="Units in hidden layer 1")
    box.fill("20")
    box.press("Enter")
    sizes(page, 2, 20, 1)
    card(page, 1, 1).click()
    rest = page.locator('.rest[data-column="1"]')
    rest.click()
    expect(card(page, 1, 12)).to_have_attribute("aria-pressed", "false")
    rest.click()
    expect(card(page, 1, 1)).to_have_attribute("aria-pressed", "true")
    expect(card(page, 1, 1)).to_contain_class("chosen")
