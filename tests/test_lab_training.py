"""Training from the page: on, anew, from another start, and how a long one is stopped."""

import numpy as np
import pytest

from fitscope.lab.state import Lab
from lab_pages import STEP, Bench, Benches
from lab_server import until

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]

LONG = "2000000"  # epochs of rings-3: a minute


def start_long(bench: Bench) -> str:
    """Begins a long training, and gives its name once its progress is shown."""
    with bench.page.expect_request(lambda one: "/api/run?" in one.url) as sent:
        bench.box("epochs").fill(LONG)
        bench.box("epochs").press("Enter")
    bench.until("() => Number(document.querySelector('[role=progressbar]').ariaValueNow) > 0")
    return sent.value.url.partition("job=")[2].partition("&")[0]


def test_continue_trains_on_from_where_the_run_ended(bench: Bench) -> None:
    """The longer run begins with the shorter one, bit for bit, and plays on from its end.

    It is no longer the built-in one, so that the sentence about that goes.
    """
    bench.choose("gates-and")
    short = bench.run()
    with bench.new_run():
        bench.button("Continue").click()
    bench.until(f"(end) => ({STEP})()[0] >= end", int(short.steps[-1]))
    long = bench.run()
    assert long.steps[-1] == 2 * short.steps[-1]
    n = len(short.steps)
    assert long.steps[:n].tolist() == short.steps.tolist()
    assert long.params[:n].tobytes() == short.params.tobytes()
    assert long.experiment.title == f"{short.experiment.title}, changed"
    assert long.experiment.about == ""


def test_a_continue_that_is_refused_moves_nothing(bench: Bench) -> None:
    """The run that is shown stays at its step, and does not play."""
    bench.expected.append("ERR_")
    bench.page.route("**/api/run?*", lambda route: route.abort("connectionrefused"))
    bench.button("Continue").click()
    bench.until("() => document.querySelector('#note').textContent")
    bench.frames()
    assert bench.step == 0
    assert bench.button("Play").is_visible()


def test_own_start_numbers_give_way_to_another_number_of_classes(bench: Bench) -> None:
    """The network has other numbers then, so that it starts from random ones again."""
    bench.box("epochs").fill("20")
    with bench.new_run():
        bench.box("epochs").press("Enter")
    thumb = bench.find(".thumbs button", has=bench.page.get_by_text("blobs", exact=True))
    with bench.new_run():
        thumb.click()
    bench.find(".unit-card[data-column='1']").first.click()
    bench.page.get_by_role("textbox", name="bias").fill("2")
    with bench.new_run():
        bench.button("Train from here").click()
    bench.box("n_classes").fill("5")
    with bench.new_run():
        bench.box("n_classes").press("Enter")
    run = bench.run()
    assert run.dataset.k == 5
    assert run.experiment.network.init == "torch"


def test_a_new_start_is_the_next_seed(bench: Bench) -> None:
    """Other weights at step 0, the same data, and nothing else is another."""
    bench.choose("rings-2")
    old = bench.run()
    with bench.new_run():
        bench.button("New start").click()
    new = bench.run()
    assert new.experiment.training.seed == old.experiment.training.seed + 1
    assert new.dataset == old.dataset
    assert not np.array_equal(new.params[0], old.params[0])


def test_restart_plays_the_same_run_from_its_start(bench: Bench) -> None:
    """Nothing is trained for it."""
    bench.to_end()
    sent: list[str] = []
    bench.page.on("request", lambda request: sent.append(request.url))
    bench.button("Restart").click()
    bench.until(f"() => 0 < ({STEP})()[0] && ({STEP})()[0] < 10000")
    assert bench.button("Pause").is_visible()
    assert not any("/api/run" in url for url in sent)


def test_a_long_training_shows_its_progress_and_can_be_stopped(bench: Bench) -> None:
    """What it recorded until then is shown, as an interrupted run; the time bar keeps its width."""
    width = "() => document.querySelector('.scrub').offsetWidth"
    before = bench.page.evaluate(width)
    start_long(bench)
    assert bench.page.evaluate(width) == before
    with bench.new_run():
        bench.button("Stop training").click()
    assert bench.button("Stop training").is_hidden()
    assert bench.find("[role=progressbar]").is_hidden()
    assert 0 < bench.last_step < int(LONG)
    assert "interrupted at step" in bench.find("#output").inner_text()
    assert bench.note == ""


def test_a_change_gives_a_long_training_up(bench: Bench) -> None:
    """The next setting does not wait for it: the server stops, and shows the new run."""
    start_long(bench)
    with bench.new_run():
        bench.box("epochs").fill("50")
        bench.box("epochs").press("Enter")
    assert bench.last_step == 50
    assert bench.find("[role=progressbar]").is_hidden()


def test_a_closed_page_stops_its_training(benches: Benches, served_lab: tuple[str, Lab]) -> None:
    """The server hears that nobody waits, and the job ends far from its end."""
    lab = served_lab[1]
    bench = benches.new().open()
    job = lab.jobs.named(start_long(bench))
    bench.page.close()
    until(lambda: job.has_ended)
    assert job.is_stopping
    assert job.done < job.planned


def test_a_server_that_has_gone_is_told_in_a_sentence(bench: Bench) -> None:
    """The run stays; the next change that is answered takes the sentence away."""
    bench.expected.append("ERR_")
    bench.page.route("**/api/run?*", lambda route: route.abort("connectionrefused"))
    before = bench.numbers
    bench.button("New start").click()
    bench.until("() => document.querySelector('#note').textContent")
    assert bench.note == "The server does not answer; is `fitscope lab` still running?"
    assert bench.numbers == before
    bench.page.unroute("**/api/run?*")
    with bench.new_run():
        bench.button("New start").click()
    assert bench.note == ""


def test_of_many_changes_in_a_row_the_last_is_shown(bench: Bench) -> None:
    """A slider that is dragged trains as often as it can, and ends where the hand ends."""
    for value in range(300, 401, 20):
        bench.slider("lr").fill(str(value))
    wanted = bench.box("lr").input_value()
    bench.until(
        "(lr) => document.querySelector('[data-setting=lr] .value').value === lr"
        " && document.querySelector('.busy').hidden",
        wanted,
    )
    bench.until(f"() => ({STEP})()[1] === 10000")
    until(lambda: bench.run().experiment.training.lr == pytest.approx(float(wanted)))
