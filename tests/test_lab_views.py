"""The tabs of the lab: what each shows is what Python finds, and all of it follows the step."""

import base64
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator

import fitscope as fs
from fitscope import analysis
from fitscope.specs import Experiment
from lab_pages import PHONE, STEP, Bench, Benches

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]

TABS = ("Surface", "Hidden", "Parameters", "Metrics", "Compare", "Many", "Basin")
# A picture by its pixels: one that changes has another text.
PIXELS = """(selector) => [...document.querySelectorAll(selector)]
  .filter((canvas) => canvas.checkVisibility() && canvas.width > 1)
  .map((canvas) => canvas.toDataURL()).join()"""
DRAWN = f"(selector) => ({PIXELS})(selector).length > 2000"
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "binary": ("rings-3", {"epochs": 400, "n_samples": 300}),
    "neuron": ("bad-start", {}),
    "deep": ("gates-xor-hidden", {"hidden": [3, 2], "epochs": 30}),
    "one unit": ("rings-1", {"epochs": 100, "n_samples": 200}),
    "two units": ("rings-2", {"epochs": 100, "n_samples": 200}),
    "curve": ("sine-10", {"epochs": 200}),
    "multiclass": ("iris", {"hidden": [8], "epochs": 60}),
    "regression": ("diabetes", {"hidden": [8], "epochs": 60, "activation": "relu"}),
    "one step": ("gates-and", {"epochs": 1, "batch_size": None}),
}
WHY_NOT = {  # what a tab says of a run that it does not apply to
    ("Hidden", "neuron"): "no hidden layer",
    ("Hidden", "one step"): "no hidden layer",
    **{("Basin", kind): "two parameters" for kind in KINDS if kind != "neuron"},
}


def link(bench: Bench, e: Experiment) -> str:
    """The address of an experiment."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(e.to_json().encode()) + packer.flush()
    return f"{bench.address}/#e={base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def opened(
    benches: Benches, name: str, tab: str, step: int | None = None, **settings: Any
) -> Bench:
    """A page that shows an experiment at a step, by default its end, in one of its tabs."""
    bench = benches.new()
    bench.open(link(bench, fs.experiment(name, **settings)))
    bench.until(f"() => ({STEP})().length === 2")
    bench.to_end() if step is None else seek(bench, step)
    to_tab(bench, tab)
    return bench


def to_tab(bench: Bench, tab: str) -> None:
    """Opens a tab."""
    bench.page.get_by_role("tab", name=tab, exact=True).click()
    bench.until(f"() => document.querySelector('#tab-{tab.lower()}').ariaSelected === 'true'")
    bench.frames(3)


@contextmanager
def trains(bench: Bench, back_to: str = "") -> Iterator[None]:
    """What is done in the block trains; after it the new run is shown."""
    with bench.new_run():
        yield
        to_tab(bench, "Output")  # where the page notes that a new picture stands
    if back_to:
        to_tab(bench, back_to)


def seek(bench: Bench, step: int) -> None:
    """Goes to a step by the keyboard's start and the scrubber."""
    bench.find("#time .scale").evaluate("(one) => one.ariaPressed === 'true' && one.click()")
    bench.find(".scrub").fill(str(round(10_000 * step / bench.last_step)))
    bench.until(f"(step) => ({STEP})()[0] === step", step)
    bench.frames(3)


def view(bench: Bench, selector: str) -> Locator:
    """Something in the tab that is open."""
    return bench.find(f"#view .view:not([hidden]) {selector}")


def said(bench: Bench, selector: str, text: str) -> str:
    """What stands there, once it has that text in it."""
    one = f"#view .view:not([hidden]) {selector}"
    call = """([one, text]) => [...document.querySelectorAll(one)]
      .map((found) => found.textContent).find((found) => found.includes(text))"""
    return str(bench.until(call, [one, text]))


def number(text: str, after: str) -> float:
    """The number that follows a word."""
    return float(text.split(after, 1)[1].split(maxsplit=1)[0].rstrip(".,;"))


def as_shown(value: float) -> Any:
    """A number as the page writes it: to four decimals, or three digits of a small one."""
    return pytest.approx(float(value), abs=6e-5 if abs(value) >= 1e-3 else 0, rel=6e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_each_tab_draws_a_run_or_says_why_not(benches: Benches, kind: str) -> None:
    """A picture where the view applies, else one sentence; never an empty tab, never an error."""
    name, settings = KINDS[kind]
    bench = opened(benches, name, "Output", **settings)
    for tab in TABS:
        to_tab(bench, tab)
        if (tab, kind) in WHY_NOT:
            assert WHY_NOT[tab, kind] in bench.find("#view > .why:visible").inner_text()
        elif tab in ("Many", "Basin"):
            assert view(bench, ".why").is_visible()  # what to do first
        else:
            bench.until(DRAWN, "#view .view:not([hidden]) canvas")


@pytest.mark.parametrize("width", [1440, 390])
def test_no_picture_is_cut(benches: Benches, width: int) -> None:
    """Every tab is as high as what is in it, and no wider than the window."""
    bench = benches.new(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    bench.open(link(bench, fs.experiment("iris", hidden=[8], epochs=60)))
    for tab in TABS:
        to_tab(bench, tab)
        if (tab, "multiclass") in WHY_NOT:
            continue
        bench.until(
            """() => {
              const view = document.querySelector("#view .view:not([hidden])");
              const inside = view.scrollHeight <= view.clientHeight + 1;
              return inside && document.scrollingElement.scrollWidth <= innerWidth;
            }"""
        )


@pytest.mark.parametrize("tab", ["Surface", "Hidden", "Parameters", "Metrics", "Compare"])
def test_every_picture_follows_the_step(benches: Benches, tab: str) -> None:
    """At another step the tab shows another picture; back at the first, the first."""
    bench = opened(benches, "rings-3", tab, epochs=300, n_samples=200, step=30)
    canvases = "#view .view:not([hidden]) canvas"
    if tab == "Surface":
        said(bench, ".note", "variance")
        bench.until("() => !document.querySelector('.surface .said').textContent.includes('Comp')")
    first = settled(bench, canvases)
    seek(bench, 150)
    assert settled(bench, canvases) != first
    seek(bench, 30)
    assert settled(bench, canvases) == first


def settled(bench: Bench, canvases: str) -> str:
    """The pictures once they no longer change."""
    call = f"""async (selector) => {{
      const wait = () => new Promise((next) => setTimeout(next, 200));
      let [last, now] = ["", ({PIXELS})(selector)];
      while (last !== now) [last, now] = [now, (await wait(), ({PIXELS})(selector))];
      return now;
    }}"""
    return str(bench.page.evaluate(call, canvases))


@pytest.mark.parametrize("step", [0, 70, 700])
def test_the_surface_of_a_neuron_has_pythons_loss(benches: Benches, step: int) -> None:
    """The loss that is told at a step is that of `loss_surface` on its path."""
    run = fs.fit("bad-start")
    bench = opened(benches, "bad-start", "Surface", step=step)
    record = analysis.loss_surface(run, step=step, n_grid=3)
    text = said(bench, ".said", f"Step {step}:")
    assert number(text, "cross-entropy ") == as_shown(record.path_loss[0, -1])
    assert text.count("off this plane") == 0
    assert record.notes[0] == analysis.optimum(run).sentence
    other = analysis.loss_surface(run, step=step, n_grid=3, loss="mse")
    view(bench, ".view-menu select").first.select_option("mse")
    text = said(bench, ".said", "squared error")
    assert number(text, "squared error ") == as_shown(other.path_loss[0, -1])


def test_the_plane_of_a_larger_net_is_pythons(benches: Benches) -> None:
    """How much of the path lies in the plane, and how far the parameters are from it."""
    run = fs.fit("rings-3", epochs=500, n_samples=200)
    bench = opened(benches, "rings-3", "Surface", epochs=500, n_samples=200, step=250)
    record = analysis.loss_surface(run, n_grid=3)
    said(bench, ".note", record.notes[0])
    text = said(bench, ".said", "off this plane")
    away = record.distance[list(record.steps).index(250)]
    assert number(text, "cross-entropy 0.") > 0
    assert float(text.split(", ")[1].split()[0]) == pytest.approx(away, rel=0.06)


def test_two_parameters_may_be_the_plane(benches: Benches) -> None:
    """A chosen pair names the axes, and the note says where the others stand."""
    bench = opened(benches, "rings-3", "Surface", epochs=50, n_samples=100)
    said(bench, ".note", "variance")
    menus = view(bench, ".view-menu:visible select")
    menus.nth(1).select_option("pair")
    menus.nth(3).select_option(label="b1[2]")
    said(bench, ".note", "The other parameters are as at step 50.")
    bench.until("() => document.querySelector('.surface canvas').words?.includes('b1[2]')")
    assert "w1[1,1]" in bench.words(".surface canvas")


def test_the_surface_turns_in_three_dimensions(benches: Benches) -> None:
    """The 3-D view shows the same land; a key turns it."""
    bench = opened(benches, "bad-start", "Surface")
    said(bench, ".said", "Step 700")
    bench.button("3-D").click()
    canvas = ".surface-3d canvas"
    before = settled(bench, canvas)
    bench.find(canvas).focus()
    bench.page.keyboard.press("ArrowLeft")
    assert settled(bench, canvas) != before
    assert bench.step == 700  # the key was the picture's


def test_a_click_in_the_plane_trains_from_that_start(benches: Benches) -> None:
    """The run that follows begins at the place of the click."""
    bench = opened(benches, "bad-start", "Surface")
    said(bench, ".said", "Step 700")
    box = view(bench, ".over").bounding_box()
    assert box is not None
    with trains(bench):
        bench.page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    run = bench.run()
    w, b = run.params[0]
    assert [w, b] == pytest.approx(run.experiment.network.init, rel=1e-6)
    assert -5 < w < 15
    assert np.array_equal(run.params, fs.fit("bad-start", init=[w, b]).params)


def test_the_hidden_space_is_pythons(benches: Benches) -> None:
    """The note of the border, the axes' names, and a legend with each unit's formula."""
    run = fs.fit("rings-3", epochs=400, n_samples=300)
    bench = opened(benches, "rings-3", "Hidden", epochs=400, n_samples=300)
    note = analysis.hidden_space(run).note
    assert view(bench, "> .note").inner_text().lower() == f"{note}.".lower()
    assert {"h1", "h2", "h3"} <= set(bench.words(".hidden-3d canvas"))
    units = view(bench, ".unit-legend button")
    assert units.count() == 3
    written = units.nth(1).inner_text().replace("−", "-").replace("\u00a0", " ")
    numbers = re.findall(r"-? ?\d+\.\d\d(?!\d)", written)
    wanted = [*run.module().state_dict()["0.weight"][1].tolist()]
    wanted.append(run.module().state_dict()["0.bias"][1].item())
    assert written.startswith("h2 = σ(")
    assert [float(one.replace(" ", "")) for one in numbers] == [round(one, 2) for one in wanted]
    units.nth(1).click()
    bench.until("() => document.querySelectorAll('.unit-legend [aria-pressed=true]').length === 1")


def test_the_hidden_space_fills_its_box_on_a_phone(benches: Benches) -> None:
    """It is as high as wide, so that nothing is blank above and below the cube."""
    bench = benches.new(viewport=PHONE, reduced_motion="reduce")
    bench.open(link(bench, fs.experiment("rings-3", epochs=50)))
    to_tab(bench, "Hidden")
    bench.until(DRAWN, ".hidden-3d canvas")
    box = bench.find(".hidden-3d canvas").bounding_box()
    assert box is not None
    assert box["height"] == pytest.approx(min(box["width"], 420), abs=1)


def test_components_stand_for_many_units(benches: Benches) -> None:
    """Of eight units, principal components are shown with Python's shares of the variance."""
    run = fs.fit("iris", hidden=[8], epochs=60)
    bench = opened(benches, "iris", "Hidden", hidden=[8], epochs=60)
    view(bench, ".view-menu:visible select").first.select_option("pca")
    names = analysis.hidden_space(run, pca=True).names[:3]
    bench.until(
        """(names) => names.every((name) =>
          document.querySelector(".hidden-3d canvas").words.some((word) =>
            word.replace(" %", "%") === name))""",
        [name.replace(" %", "%") for name in names],
    )


def test_parameters_are_named_and_selected(benches: Benches) -> None:
    """The keyboard reads a line, its values are the run's, and Enter selects its unit."""
    run = fs.fit("rings-3", epochs=300, n_samples=200)
    bench = opened(benches, "rings-3", "Parameters", epochs=300, n_samples=200)
    view(bench, ".over").focus()
    bench.page.keyboard.press("ArrowDown")
    bench.page.keyboard.press("ArrowDown")
    text = said(bench, ".said", "w1[1,2], the weight of h1 for x2")
    assert number(text, "x2: ") == as_shown(run.params[-1, 1])
    assert number(text, "now, ") == as_shown(run.params[0, 1])
    bench.page.keyboard.press("Enter")
    assert bench.step == 300


def test_many_parameters_are_thinned_in_words(benches: Benches) -> None:
    """Of more than 60 lines those that moved furthest are drawn, and the picture says so."""
    bench = opened(benches, "iris", "Parameters", hidden=[8], epochs=60)
    assert "60 of 67 parameters that moved furthest" in said(bench, ".note", "furthest")


@pytest.mark.parametrize("name", ["rings-3", "iris", "diabetes"])
@pytest.mark.parametrize("step", [0, None])
def test_the_scores_are_pythons(benches: Benches, name: str, step: int | None) -> None:
    """Every cell of the table, at the start and at the end."""
    settings: dict[str, Any] = {"epochs": 100, "hidden": [3], "test_fraction": 0.2}
    run = fs.fit(name, **settings)
    bench = opened(benches, name, "Metrics", step=step, **settings)
    record = analysis.metrics(run, step=-1 if step is None else step)
    bench.frames(12)
    said(bench, ".scores .note", record.baseline_name)
    rows = view(bench, ".scores tbody tr")
    assert rows.count() == len(record.names)
    table = np.dstack([record.model, record.baseline]).reshape(len(record.names), -1)
    for i, values in enumerate(table):
        shown = rows.nth(i).locator("td").all_inner_texts()
        found = [float(text.replace(",", "")) for text in shown]
        assert found == pytest.approx(values.tolist(), abs=6e-4, rel=5e-3)


def test_the_curves_are_pythons(benches: Benches) -> None:
    """The area under the ROC curve, the mean precision, the Brier score, and what is right."""
    settings: dict[str, Any] = {"epochs": 300, "n_samples": 400, "test_fraction": 0.25}
    run = fs.fit("rings-2", **settings)
    bench = opened(benches, "rings-2", "Metrics", **settings)
    for part in ("train", "test"):
        view(bench, f"[data-value={part}]").click()
        bench.frames(3)
        counts = analysis.confusion(run, part=part).counts
        said(bench, ".confusion .note", f"{np.trace(counts)} of {counts.sum()} right")
        area = analysis.roc_curve(run, part=part).area[0]
        assert number(said(bench, ".roc .note", "Area"), "Area ") == pytest.approx(area, abs=6e-4)
        mean = analysis.precision_recall(run, part=part).average[0]
        text = said(bench, ".precision .note", "Mean precision")
        assert number(text, "precision ") == pytest.approx(mean, abs=6e-4)
        brier = analysis.calibration(run, part=part).brier[0]
        text = said(bench, ".calibration .note", "Brier")
        assert number(text, "score ") == pytest.approx(brier, abs=6e-4)


def test_pins_stand_side_by_side(benches: Benches) -> None:
    """Two runs are told apart by what differs, with their ends; one can be removed."""
    bench = opened(benches, "gates-xor-hidden", "Compare")
    assert "Nothing to compare" in view(bench, ".why").inner_text()
    bench.button("Pin this run").click()
    with trains(bench, back_to="Compare"):
        bench.find(
            "[data-setting=activation] select, select[aria-label=activation]"
        ).first.select_option("relu")
    rows = view(bench, ".rivals tbody tr")
    bench.until("() => document.querySelectorAll('.rivals tbody tr').length === 2")
    names = rows.locator("th").all_inner_texts()
    assert names == ["activation tanh", "activation relu (shown)"]
    for i, activation in enumerate(("tanh", "relu")):
        run = fs.fit("gates-xor-hidden", activation=activation)
        cells = rows.nth(i).locator("td").all_inner_texts()
        assert float(cells[1]) == as_shown(run.train_loss[-1])
        assert float(cells[3]) == pytest.approx(run.metrics["train_accuracy"], abs=6e-4)
    assert view(bench, ".small-fields canvas").count() == 2
    bench.button("Remove activation tanh").click()
    bench.until("() => document.querySelector('.compare .why').checkVisibility()")


def test_a_removed_pin_leaves_the_focus_in_the_table(benches: Benches) -> None:
    """The next of the buttons has it, so that the keyboard goes on from there."""
    bench = opened(benches, "bad-start", "Compare")
    bench.button("Four optimizers from this start").click()
    bench.until("() => document.querySelectorAll('.rivals tbody tr').length === 4")
    bench.button("Remove optimizer adam").press("Enter")
    bench.until("() => document.querySelectorAll('.rivals tbody tr').length === 3")
    focused = bench.page.evaluate("() => document.activeElement.ariaLabel")
    assert focused == "Remove optimizer adamw"


def test_controls_of_the_output_keep_the_focus(benches: Benches) -> None:
    """A box and a menu that are drawn anew; the picture, which has no keys, never has it."""
    bench = opened(benches, "rings-3", "Output", epochs=20)
    bench.find(".output .check input").press("Space")
    bench.frames()
    assert bench.page.evaluate("() => document.activeElement.matches('.check input:checked')")
    assert bench.find("canvas.field").get_attribute("tabindex") is None
    bench = opened(benches, "iris", "Output", hidden=[4], epochs=20)
    menu = bench.find(".output .controls select").last
    menu.focus()
    menu.select_option("2")
    bench.frames()
    focused = bench.page.evaluate("() => [document.activeElement.ariaLabel]")
    assert focused == ["input along y"]


def test_the_loss_is_told_in_rounded_numbers(benches: Benches) -> None:
    """As the page shows it, to those who hear it."""
    run = fs.fit("gates-and", epochs=30)
    bench = opened(benches, "gates-and", "Output", epochs=30)
    label = str(bench.find("canvas.losses").get_attribute("aria-label"))
    found = [number(label, word) for word in ("from ", "to ")]
    assert found == [as_shown(run.train_loss[0]), as_shown(run.train_loss[-1])]
    assert len(label) < 40


def test_four_optimizers_leave_from_one_start(benches: Benches) -> None:
    """Each is `fs.fit`'s run with that optimizer, all else equal."""
    bench = opened(benches, "bad-start", "Compare")
    bench.button("Four optimizers from this start").click()
    bench.until("() => document.querySelectorAll('.rivals tbody tr').length === 4")
    rows = view(bench, ".rivals tbody tr")
    for i, optimizer in enumerate(("sgd", "adam", "adamw", "rmsprop")):
        assert f"optimizer {optimizer}" in rows.nth(i).inner_text()
        loss = fs.fit("bad-start", optimizer=optimizer).train_loss[-1]
        found = rows.nth(i).locator("td").all_inner_texts()[1]
        assert float(found) == as_shown(loss)
    bench.until(DRAWN, ".rival-paths canvas")


def test_losses_of_different_kinds_are_judged_alike(benches: Benches) -> None:
    """A run by squared error is drawn by this run's cross-entropy; the picture says what ends."""
    bench = opened(benches, "bad-start-mse", "Compare")
    bench.button("Pin this run").click()
    with trains(bench, back_to="Compare"):
        bench.find("[data-setting=loss] select").select_option("cross_entropy")
    mse = fs.fit("bad-start-mse")
    judged = analysis.loss_surface(mse, loss="cross_entropy", n_grid=3).path_loss[0, -1]
    call = "() => document.querySelector('.loss-curves canvas')?.ariaLabel.includes('; ')"
    bench.until(call)
    label = str(bench.find(".loss-curves canvas").first.get_attribute("aria-label"))
    assert number(label, "loss mse ends at ") == pytest.approx(judged, rel=6e-3)
    assert "judge all of them" in view(bench, "> .note").inner_text()


def test_the_optimum_is_scikit_learns(benches: Benches) -> None:
    """Where there is one it stands in the table; where not, a sentence says why."""
    bench = opened(benches, "threshold-sgd", "Compare")
    bench.button("scikit-learn's optimum").click()
    best = analysis.optimum(fs.fit("threshold-sgd", epochs=1))
    said(bench, ".note", best.sentence)
    cells = view(bench, ".rivals tbody tr").last.locator("td").all_inner_texts()
    assert best.loss is not None
    assert float(cells[1]) == as_shown(best.loss)
    assert float(cells[3]) == pytest.approx(best.score, abs=6e-4)
    to_tab(bench, "Output")
    bench.choose("rings-3")
    to_tab(bench, "Compare")
    bench.button("scikit-learn's optimum").click()
    assert "hidden layer" in said(bench, ".refusal", "no optimum")


def test_many_starts_are_those_of_fit_many(benches: Benches) -> None:
    """The count below the bound, its interval, and each start that is opened."""
    settings: dict[str, Any] = {"epochs": 60}
    bench = opened(benches, "gates-xor-hidden", "Many", **settings)
    view(bench, ".view-menu:visible select").first.select_option("20")
    bench.button("Train them").click()
    said(bench, ".verdict", "of 20")
    many = fs.fit_many("gates-xor-hidden", seeds=range(20), **settings)
    below = float(np.median(many.train_loss)) * 1.000001
    view(bench, "input.value").fill(str(below))
    view(bench, "input.value").press("Enter")
    record = analysis.success_share(many, below=below)
    low, high = round(100 * record.low[0]), round(100 * record.high[0])
    text = said(bench, ".verdict", f"{record.n_successes[0]} of 20 end below")
    assert f"from {low} to {high} %" in text
    with trains(bench, back_to="Many"):
        bench.button("Open the worst").click()
    run = bench.run()
    worst = int(np.argmax(many.train_loss))
    assert run.experiment.training.seed == worst
    assert run.train_loss[-1] == pytest.approx(many.train_loss[worst], rel=1e-7)
    assert view(bench, ".verdict").is_visible()  # the others stay


def test_a_click_on_a_start_opens_that_very_run(benches: Benches) -> None:
    """The point under the pointer names its seed, and a click opens it."""
    bench = opened(benches, "gates-xor-hidden", "Many", epochs=60)
    view(bench, ".view-menu:visible select").first.select_option("20")
    bench.button("Train them").click()
    said(bench, ".verdict", "of 20")
    box = view(bench, ".over").bounding_box()
    assert box is not None
    mouse = bench.page.mouse
    for x in np.linspace(0.15, 0.98, 200):
        for y in (0.4, 0.6, 0.8):
            mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if "Seed" in view(bench, ".said").inner_text():
                break
        else:
            continue
        break
    text = said(bench, ".said", "Seed")
    seed, loss = int(text.split()[1].rstrip(":")), number(text, "cross-entropy ")
    with trains(bench):
        mouse.down()
        mouse.up()
    run = bench.run()
    assert run.experiment.training.seed == seed
    assert loss == as_shown(run.train_loss[-1])


def test_many_starts_can_be_stopped(benches: Benches) -> None:
    """What is done so far is shown, and says how much it is."""
    bench = opened(benches, "rings-3", "Many")
    view(bench, ".view-menu:visible select").first.select_option("500")
    bench.button("Train them").click()
    text = "document.querySelector('.many .work').textContent"
    bench.until(f"() => /^[1-9]\\d* of 500 trainings/.test({text})")
    bench.button("Stop").click()
    said(bench, ".verdict", "of 500.")


def test_many_starts_of_a_run_without_a_test_part_end_in_training_losses(
    benches: Benches,
) -> None:
    """Where the test part was chosen before, for a run that had one, none has diverged."""
    bench = opened(benches, "rings-3", "Many", test_fraction=0.3, epochs=20)
    view(bench, ".view-menu:visible select").first.select_option("20")
    bench.button("Train them").click()
    said(bench, ".verdict", "of 20")
    view(bench, "[data-value=test]").click()
    with trains(bench, back_to="Many"):
        bench.find("select.experiment").select_option("bad-start")
    bench.button("Train them").click()
    assert "diverged" not in said(bench, ".verdict", "of 20")


def test_a_finger_that_scrolls_leaves_the_bound_where_it_is(benches: Benches) -> None:
    """The browser may take a drag over for scrolling; what moves afterwards drags nothing."""
    bench = opened(benches, "gates-xor-hidden", "Many", epochs=60)
    view(bench, ".view-menu:visible select").first.select_option("20")
    bench.button("Train them").click()
    said(bench, ".verdict", "of 20")
    moved = view(bench, ".over").evaluate(
        """(over) => {
          const input = document.querySelector(".many input.value");
          over.setPointerCapture = () => {};
          const send = (type, x, y) => over.dispatchEvent(
            new PointerEvent(type, { clientX: over.getBoundingClientRect().left + x, clientY:
              over.getBoundingClientRect().top + y, pointerId: 7, bubbles: true }));
          const values = [];
          for (let x = 60; x < over.clientWidth; x += 4) {
            const before = input.value;
            send("pointerdown", x, 60);
            send("pointermove", x + 9, 60);
            if (input.value !== before) values.push(input.value);
            send("pointercancel", x + 9, 60);
            const held = input.value;
            send("pointermove", x + 40, 60);
            if (held !== input.value) values.push("dragged on");
            if (values.length) break;
          }
          return [values, getComputedStyle(over).touchAction];
        }"""
    )
    assert len(moved[0]) == 1
    assert moved[0] != ["dragged on"]
    assert moved[1] == "pan-y"


def test_the_basin_is_pythons(benches: Benches) -> None:
    """The note of the map for both losses; a click trains from there, by the loss of the map."""
    run = fs.fit("bad-start")
    bench = opened(benches, "bad-start", "Basin")
    bench.button("Train from every start").click()
    for loss in ("cross_entropy", "mse"):
        view(bench, ".view-menu select").first.select_option(loss)
        record = analysis.basin_map(run, n_grid=60, loss=loss)
        said(bench, ".note", f"{record.note[0].upper()}{record.note[1:]}. Click anywhere")
    box = view(bench, ".over").bounding_box()
    assert box is not None
    with trains(bench):
        bench.page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    found = bench.run()
    assert found.experiment.training.loss == "mse"
    assert found.params[0].tolist() == pytest.approx(found.experiment.network.init, rel=1e-6)


def test_a_refusal_is_shown_as_the_server_says_it(benches: Benches) -> None:
    """What is too long for the lab is refused with the sentence that tells the limit."""
    bench = opened(benches, "rings-5", "Many")
    view(bench, ".view-menu:visible select").first.select_option("500")
    bench.expect_answer(422)
    bench.page.route(
        "**/api/many*",
        lambda route: route.fulfill(
            status=422,
            json={"error": "This asks for 500 nets; the lab takes at most 20.", "problems": []},
        ),
    )
    bench.button("Train them").click()
    assert (
        said(bench, ".refusal", "at most 20") == "This asks for 500 nets; the lab takes at most 20."
    )
    assert bench.button("Train them").is_enabled()
