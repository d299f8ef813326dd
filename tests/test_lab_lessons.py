"""The lessons beside the bench: their text, and how each step sets it."""

import pytest
from playwright.sync_api import Route

from fitscope.lessons import lesson_steps, lessons
from lab_pages import Bench

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]


def open_lesson(bench: Bench, number: int) -> None:
    """Opens the side panel, and a lesson in it."""
    bench.button("Lessons").click()
    bench.find("#side .list button", has_text=lessons()[number].title).click()
    bench.find("#side article").wait_for()


def test_the_lessons_open_and_close_with_the_focus(bench: Bench) -> None:
    """All five are listed; Escape closes, and the focus goes back to the button."""
    bench.button("Lessons").click()
    titles = [one.inner_text() for one in bench.find("#side .list b").all()]
    assert titles == [found.title for found in lessons().values()]
    assert bench.page.evaluate("() => document.activeElement.closest('#side') !== null")
    bench.page.keyboard.press("Escape")
    assert bench.find("#side").is_hidden()
    assert bench.page.evaluate("() => document.activeElement.textContent") == "Lessons"
    assert bench.button("Lessons").get_attribute("aria-expanded") == "false"


def test_the_focus_goes_to_the_title_of_what_is_read(bench: Bench) -> None:
    """A lesson that is opened, and its next step; the menu of steps keeps it."""
    focused = "() => document.activeElement.textContent"
    open_lesson(bench, 4)
    steps = list(lesson_steps(4))
    bench.until(f"(title) => ({focused})() === title", steps[0].title)
    bench.button("Next ›").click()
    bench.until(f"(title) => ({focused})() === title", steps[1].title)
    menu = bench.page.get_by_label("Step of the lesson")
    menu.focus()
    menu.select_option("2")
    bench.find("#side h2", has_text=steps[2].title).wait_for()
    assert bench.page.evaluate("() => document.activeElement.ariaLabel") == "Step of the lesson"


def test_a_step_that_is_left_while_it_trains_does_not_set_the_next(bench: Bench) -> None:
    """The first step of the last lesson plays, whichever came before it."""
    with bench.new_run():
        open_lesson(bench, 5)
    bench.expect_answer(404)  # to the question how far the training is that is held back
    held: list[Route] = []
    bench.page.route(
        "**/api/run?*", lambda route: route.continue_() if held else held.append(route)
    )
    with bench.page.expect_request("**/api/run?*"):
        bench.button("Next ›").click()
    with bench.new_run():
        bench.button("‹ Back").click()
    bench.frames()
    assert bench.button("Pause").is_visible()


@pytest.mark.parametrize("number", [1, 4])
def test_each_step_of_a_lesson_sets_the_bench(bench: Bench, number: int) -> None:
    """The experiment and the tab are those of the step; its questions unfold."""
    open_lesson(bench, number)
    steps = list(lesson_steps(number))
    for i, step in enumerate(steps):
        assert bench.find("#side article").inner_text().strip()
        if step.lab is not None:
            wanted = {**step.lab["settings"], "view": step.lab["view"]}
            bench.until(IS_SET, wanted)
        answers = bench.find("#side details")
        if answers.count():
            assert answers.first.get_attribute("open") is None
            answers.first.locator("summary").click()
            assert answers.first.get_attribute("open") is not None
        assert bench.note == ""
        following = bench.button("Next ›")
        if i + 1 < len(steps):
            following.click()
    assert following.is_disabled()
    bench.button("‹ Lessons").click()
    assert bench.find("#side .list").is_visible()


IS_SET = """async ({ view, lr, epochs, noise, n_samples: samples }) => {
  const value = (name) => document.querySelector(`[data-setting=${name}] .value`)?.value;
  const wanted = { lr, epochs, noise, n_samples: samples };
  return document.getElementById(`tab-${view}`).ariaSelected === "true"
    && Object.entries(wanted).every(([name, is]) => is === undefined || Number(value(name)) === is);
}"""
