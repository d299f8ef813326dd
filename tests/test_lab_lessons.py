"""The lessons beside the bench: their text, and how each step sets it."""

import pytest

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
