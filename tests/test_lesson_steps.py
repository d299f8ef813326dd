"""Laws of the lessons in the lab: no word is lost, nothing in the HTML runs, every bench stands."""

import re
from html.parser import HTMLParser
from typing import Any

import jupytext
import pytest

import fitscope as fs
from fitscope import analysis
from fitscope.errors import UnknownNameError
from fitscope.lessons import LessonStep, lesson_steps, lesson_text, lessons
from fitscope.lessons.steps import VIEWS, steps_of
from fitscope.records import Run
from fitscope.specs import LOSSES

NUMBERS = sorted(lessons())
STEPS = [(number, step) for number in NUMBERS for step in lesson_steps(number)]
each_lesson = pytest.mark.parametrize("number", NUMBERS)
each_step = pytest.mark.parametrize(
    ("number", "step"), STEPS, ids=[f"{number} {step.title}" for number, step in STEPS]
)
TAGS = {"p", "pre", "code", "em", "strong", "ul", "li", "details", "summary"}


class Page(HTMLParser):
    """What a page is made of; refuses tags that are not closed in their order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.text, self.open = "", list[str]()
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def bench(step: LessonStep) -> dict[str, Any]:
    """How the lab stands beside a step."""
    assert step.lab is not None
    return dict(step.lab)


def without_code(html: str) -> str:
    """A page without what stands in its cells."""
    return re.sub(r'<pre class="code">.*?</pre>', " ", html, flags=re.DOTALL)


def notebook(number: int) -> Any:
    """The lesson as Jupyter has it."""
    return jupytext.reads(lesson_text(number), fmt="md:myst")


@each_lesson
def test_the_steps_are_the_sections(number: int) -> None:
    """The lesson's own title stands for what comes before the first heading; then the headings."""
    headings = re.findall(r"^## (.+)$", lesson_text(number), re.MULTILINE)
    assert [step.title for step in lesson_steps(number)] == [lessons()[number].title, *headings]


@each_lesson
def test_no_word_and_no_code_of_a_lesson_is_lost(number: int) -> None:
    """Every word of its cells is in the pages, in its order; code is as it was written."""
    steps = lesson_steps(number)
    pages = " ".join(Page(step.html).text for step in steps)
    cells = notebook(number).cells
    for cell in cells:
        if cell.cell_type == "code":
            assert f"{cell.source}\n" in pages
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    prose = re.sub(r"^(#.*|```.*)$|</?details>|</?summary>", " ", prose, flags=re.MULTILINE)
    written = re.findall(r"\w+", prose)
    pages = without_code("".join(step.html for step in steps))
    assert re.findall(r"\w+", Page(pages).text) == written


@each_step
def test_a_page_of_a_lesson_holds_text_and_nothing_that_runs(number: int, step: LessonStep) -> None:
    """Plain tags, no attribute but the class of code, no trace of how the text is marked up."""
    page = Page(step.html)
    assert page.tags <= TAGS
    assert page.attributes <= {("class", "code")}
    prose = Page(without_code(step.html)).text
    assert not re.search(r"`|\+\+\+|\*\*\w+\.\*\*|^---|^#|</", prose, re.MULTILINE)
    assert step.html.count("<details>") == prose.count("Question.")
    assert "```" not in page.text


def test_what_a_table_would_style_is_left_out() -> None:
    """A column that is set right would need a style, which the page's policy forbids."""
    (step,) = steps_of("# 1. A *b* `c`\n\n| a | b |\n|---|--:|\n| 1 | <2 |\n")
    assert step.title == "A b c"
    assert step.lab is None
    assert Page(step.html).tags == {"table", "thead", "tbody", "tr", "th", "td"}
    assert not Page(step.html).attributes


def test_code_is_shown_as_it_is_written() -> None:
    """Signs that HTML would read are escaped, in cells and in plain blocks; only cells are code."""
    (step,) = steps_of("# 1. A\n\n```{code-cell}\na < b & '</pre>'\n```\n\n```\nx > 1\n```\n")
    assert step.html == (
        "<pre class=\"code\"><code>a &lt; b &amp; '&lt;/pre&gt;'\n</code></pre>\n"
        "<pre><code>x &gt; 1\n</code></pre>\n"
    )


def test_a_lesson_that_is_not_there_has_no_steps() -> None:
    """It is refused as everywhere."""
    with pytest.raises(UnknownNameError, match="There is no lesson 0"):
        lesson_steps(0)


# -- the bench -------------------------------------------------------------------------------


@each_step
def test_a_bench_says_all_that_the_lab_needs(number: int, step: LessonStep) -> None:
    """A known experiment, settings that it takes, a known view, a moment, and a sentence."""
    lab = bench(step)
    assert set(lab) == {
        *("experiment", "settings", "view", "step", "play", "lines", "loss", "try"),
    }
    assert lab["experiment"] in fs.experiments()
    e = fs.experiment(lab["experiment"], **lab["settings"])
    assert (e == fs.experiment(lab["experiment"])) == (lab["settings"] == {})
    assert lab["view"] in VIEWS
    assert 0 <= lab["step"] <= 1
    assert {type(lab["play"]), type(lab["lines"])} == {bool}
    assert not lab["play"] or lab["step"] == 0
    assert (lab["loss"] in LOSSES["binary"]) if lab["view"] == "basin" else lab["loss"] is None
    sentence = lab["try"]
    assert re.fullmatch(r"[A-Z].*[^.?!][.?]", sentence)
    assert not re.search(r"[.?!] ", sentence)
    assert 40 <= len(sentence) <= 160


def shown(run: Run, lab: dict[str, Any]) -> object:
    """What the view of a bench needs of its run."""
    if lab["view"] == "output":
        one = run.dataset.d == 1
        return analysis.response_curve(run) if one else analysis.decision_field(run, n_grid=3)
    if lab["view"] == "surface":
        return analysis.loss_surface(run, n_grid=3)
    if lab["view"] == "many":
        many = fs.fit_many(run.experiment, seeds=range(3), epochs=1)
        return len({tuple(end) for end in many.ends}) == 3  # a start for each seed
    if lab["view"] == "basin":
        return analysis.basin_map(run, n_grid=2, loss=lab["loss"])
    views = {
        "hidden": analysis.hidden_space,
        "parameters": analysis.parameter_paths,
        "metrics": analysis.calibration,
        "compare": analysis.optimum,
    }
    return views[lab["view"]](run)


@pytest.mark.slow
@each_step
def test_a_bench_can_be_shown(number: int, step: LessonStep) -> None:
    """The view fits the run: it has hidden units, two inputs or two parameters, where it must."""
    lab = bench(step)
    settings = {**lab["settings"], "epochs": min(2, lab["settings"].get("epochs", 2))}
    run = fs.fit(lab["experiment"], **settings)
    assert shown(run, lab)
    if lab["lines"]:
        assert run.experiment.network.hidden
        assert run.dataset.d <= 2


@each_lesson
def test_the_benches_stay_with_the_notebook(number: int) -> None:
    """Jupyter keeps them as metadata of cells, beside their headings, and shows them nowhere."""
    found = notebook(number)
    back = jupytext.reads(jupytext.writes(found, fmt="ipynb"), fmt="ipynb")
    again = jupytext.reads(jupytext.writes(back, fmt="md:myst"), fmt="md:myst")
    for cells in (found.cells, back.cells, again.cells):
        with_bench = [cell for cell in cells if "lab" in cell.metadata]
        steps = lesson_steps(number)
        assert len(with_bench) == len(steps)
        for cell, step in zip(with_bench, steps, strict=True):
            assert cell.cell_type == "markdown"
            assert re.match(rf"##? (\d\. )?{re.escape(step.title)}\n", cell.source)
            assert cell.metadata["lab"].items() <= bench(step).items()
        assert not any("+++" in cell.source for cell in cells)


def judged(number: int, title: str, **changed: Any) -> Run:
    """The run of a bench, with what its sentence asks for."""
    (step,) = [step for step in lesson_steps(number) if step.title == title]
    lab = bench(step)
    return fs.fit(lab["experiment"], **{**lab["settings"], **changed})


def share_right(run: Run, params: list[float] | None = None) -> float:
    """The share of all samples that a neuron is right on, at the start or with other numbers."""
    e = run.experiment.override(init=params or run.params[0].tolist(), epochs=1)
    first = fs.fit(e)
    return float((first.predict(run.dataset.inputs(), step=0) == run.dataset.targets()).mean())


@pytest.mark.slow
def test_the_numbers_of_the_text_stand_on_the_first_benches() -> None:
    """The numbers of *and* are wrong on *or* until b is -5; upright lines are right about half."""
    run = judged(1, "What a neuron is")
    assert share_right(run) == 0.5
    assert share_right(run, [10, 10, -5]) == 1
    assert judged(1, "Reading the picture").params[0, 1] == 0
    coin = judged(1, "What the test set is for")
    assert coin.metrics["train_accuracy"] == 1
    assert 0.4 < coin.metrics["test_accuracy"] < 0.6
    assert judged(1, "Two layers can").metrics["test_accuracy"] == 1


@pytest.mark.slow
def test_a_small_penalty_is_worth_its_price_on_its_bench() -> None:
    """Training losses rise with the penalty; the test loss falls first, and then rises."""
    runs = [judged(2, "What L2 is for", weight_decay=w) for w in (0, 0.001, 0.01, 0.1, 1)]
    train, test = (
        [float(x[-1]) for x in part]
        for part in (
            [run.train_loss for run in runs],
            [run.test_loss for run in runs],
        )
    )
    assert train == sorted(train)
    assert test.index(min(test)) in (1, 2)
    assert runs[0].metrics["train_accuracy"] == 1


@pytest.mark.slow
def test_the_benches_end_as_their_sentences_say() -> None:
    """Diverged, stopped, still and freed: what a sentence tells is what the run does."""
    wild = judged(2, "A loss for wild inputs")
    assert wild.outcome is fs.Outcome.DIVERGED
    assert wild.steps[-1] == 15
    assert judged(2, "Stopping by luck").outcome is fs.Outcome.STOPPED
    assert judged(2, "Stopping by luck", stop_below=0.001).outcome is fs.Outcome.FINISHED
    still = judged(4, "The same start, another loss")
    assert abs(still.params[-1] - still.params[0]).max() < 0.02
    patient = judged(4, "Never?")
    assert patient.train_loss[32_000] > 0.349  # four fifths of the way, where the bench stands
    assert patient.metrics["train_accuracy"] == 1
    hurried = judged(4, "Never?", optimizer="adam", lr=0.1, epochs=100)
    assert hurried.metrics["train_accuracy"] == 1
    factor = judged(5, "Shapes, order, factors", lr=1)
    assert factor.outcome is fs.Outcome.DIVERGED


@pytest.mark.slow
def test_what_can_be_counted_on_a_bench_is_there() -> None:
    """No threshold on the right half; a third unit closes the ring; two layers of two do it."""
    sine = judged(5, "Ten steps")
    w, b = sine.params[-1, :10], sine.params[-1, 10:20]
    assert (-b / w < 0).all()
    assert judged(5, "How many units?").train_loss[-1] > 0.1
    assert judged(5, "How many units?", hidden=[3]).train_loss[-1] < 0.1
    assert judged(5, "Try it").train_loss[-1] < 0.1
    blind = judged(5, "A disc in a ring").predict_proba(sine.dataset.X.repeat(2, axis=1) / 3)
    assert abs(blind - 0.5).max() < 0.02
