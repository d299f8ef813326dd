"""The report: one file that shows a run, holds its numbers, and loads nothing."""

import csv
import re
import shlex
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import fitscope as fs
from fitscope.analysis import summary
from fitscope.errors import OutputError
from fitscope.export import command_line, python_snippet, report_html, save_report
from fitscope.network import parameter_names
from fitscope.records import Run

pytestmark = pytest.mark.slow

VOID = {"meta", "br", "img", "link", "input", "hr"}


@dataclass
class Page(HTMLParser):
    """A page taken apart: its tags with their attributes, and the text inside each kind of tag."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in dict.fromkeys(self.open):
            self.texts[tag][-1] += data

    @property
    def text(self) -> str:
        return "".join(self.texts["main"])


def _page(run: Run) -> Page:
    page = Page()
    page.feed(report_html(run))
    page.close()
    return page


def _values(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    X = np.random.RandomState(0).normal(size=(n, 2))
    return X, 10 * X[:, 0]


KINDS = {
    "1-D classes": lambda: fs.fit("threshold-sgd", epochs=2),
    "1-D several classes": lambda: fs.fit((np.arange(12.0), [0, 1, 2] * 4), epochs=2),
    "1-D values": lambda: fs.fit("sine-10", epochs=2),
    "2-D classes": lambda: fs.fit("gates-xor-hidden", epochs=2),
    "2-D several classes": lambda: fs.fit("blobs", epochs=2, n_samples=60),
    "2-D values": lambda: fs.fit(_values(), epochs=2),
    "many inputs, classes": lambda: fs.fit("breast-cancer", epochs=2),
    "many inputs, several classes": lambda: fs.fit("iris", epochs=2, hidden=[3]),
    "many inputs, values": lambda: fs.fit("diabetes", epochs=2),
}
ANSWERS, LOSSES = "What it answers", "The loss"
PICTURES = {
    **{kind: [ANSWERS, LOSSES] for kind in KINDS if kind[0] in "12"},
    "many inputs, classes": ["Which inputs matter", "Where it errs", LOSSES],
    "many inputs, several classes": ["Which inputs matter", "Where it errs", LOSSES],
    "many inputs, values": ["Which inputs matter", "Predicted against true", LOSSES],
}


@pytest.fixture(scope="session")
def kinds() -> dict[str, tuple[Run, str, Page]]:
    """A run of each kind, its report, and the report taken apart; made when first asked for."""
    return {}


@pytest.fixture(params=KINDS)
def made(
    request: pytest.FixtureRequest, kinds: dict[str, tuple[Run, str, Page]]
) -> tuple[str, Run, str, Page]:
    """One kind after the other: its name, run, report, and page."""
    kind = request.param
    if kind not in kinds:
        run = KINDS[kind]()
        page = Page()
        text = report_html(run)
        page.feed(text)
        kinds[kind] = run, text, page
    return kind, *kinds[kind]


Made = tuple[str, Run, str, Page]


def test_a_report_loads_nothing(made: Made) -> None:
    """No script, no link, no frame, no address: what it shows is in the file."""
    _, _, text, page = made
    outside = {"script", "link", "iframe", "object", "embed", "img", "base", "form"}
    assert outside & {tag for tag, _ in page.tags} == set()
    for _tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:image/png;base64,")), value
        assert not any(name.startswith("on") for name in attributes)
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "@import" not in text
    assert all(where.startswith("#") for where in re.findall(r"url\(\"?'?([^)]*)\)", text))


def test_a_report_is_a_whole_page(made: Made) -> None:
    """Every tag is closed, language and encoding are said, it fits a small screen and the dark."""
    _, _, text, page = made
    assert text.startswith('<!doctype html>\n<html lang="en">')
    assert page.open == []
    assert ("meta", {"charset": "utf-8"}) in page.tags
    assert any(attributes.get("name") == "viewport" for _, attributes in page.tags)
    assert "prefers-color-scheme: dark" in text
    ids = re.findall(r'<svg[^>]* aria-label="([^"]*)"', text)
    assert len(set(ids)) == len(ids) == page.texts["figcaption"].__len__()


def test_the_pictures_suit_the_data(made: Made) -> None:
    """One input: a curve. Two: a field. More: which inputs matter, and where it errs."""
    kind, _, text, page = made
    assert page.texts["figcaption"] == PICTURES[kind]
    has_image = "data:image/png;base64," in text  # a field or a table of counts is an image
    assert has_image == (kind.startswith("2-D") or PICTURES[kind][1] == "Where it errs")


def test_the_key_numbers_are_the_runs(made: Made) -> None:
    """Sentence, losses, scores, parameters, updates, outcome, time and engine are all there."""
    _, run, _, page = made
    facts = summary(run)
    assert facts.sentence in page.text
    numbers = dict(zip(page.texts["dt"], page.texts["dd"], strict=True))
    assert numbers.pop("training loss") == f"{facts.train_loss:.4g}"
    if facts.test_loss is not None:
        assert numbers.pop("test loss") == f"{facts.test_loss:.4g}"
    assert numbers.pop("parameters") == f"{facts.n_parameters:,}"
    assert numbers.pop("updates") == f"{facts.n_updates:,}"
    assert numbers.pop("time") == f"{facts.train_s:.3g} s"
    assert len(numbers) == len(facts.scores)
    for value, shown in zip(facts.scores.values(), numbers.values(), strict=True):
        assert float(shown) == pytest.approx(value, rel=1e-3, abs=1e-4)
    assert facts.outcome in page.text
    assert f"engine {facts.engine}" in page.text
    assert all(note.replace("`", "") in page.text for note in facts.notes)  # as code


def test_every_parameter_has_its_start_and_end(made: Made) -> None:
    """The table names each parameter, what it joins, and both its values."""
    _, run, _, page = made
    cells = page.texts["td"]
    rows = [cells[i : i + 4] for i in range(0, len(cells), 4)]
    assert [row[0] for row in rows] == parameter_names(run.layer_sizes)
    assert [row[2] for row in rows] == [f"{value:.5g}" for value in run.params[0]]
    assert [row[3] for row in rows] == [f"{value:.5g}" for value in run.params[-1]]


def test_parameters_are_told_by_what_they_join() -> None:
    """Inputs, hidden units, outputs and classes are named in the order of PyTorch's weights."""
    page = _page(fs.fit("iris", hidden=[2], features=["petal length (cm)"], epochs=1))
    assert page.texts["td"][1::4] == [
        "petal length (cm) to unit 1",
        "petal length (cm) to unit 2",
        "bias of unit 1",
        "bias of unit 2",
        *[f"unit {u} to {c}" for c in ("setosa", "versicolor", "virginica") for u in (1, 2)],
        *[f"bias of {c}" for c in ("setosa", "versicolor", "virginica")],
    ]
    page = _page(fs.fit("rings", hidden=[1, 1], epochs=1))
    assert page.texts["td"][1::4] == [
        "x1 to unit 1 of hidden layer 1",
        "x2 to unit 1 of hidden layer 1",
        "bias of unit 1 of hidden layer 1",
        "unit 1 of hidden layer 1 to unit 1 of hidden layer 2",
        "bias of unit 1 of hidden layer 2",
        "unit 1 of hidden layer 2 to output",
        "bias of output",
    ]


def test_very_many_parameters_are_counted_not_listed() -> None:
    """The table stops at 500 rows and says how many more there are."""
    page = _page(fs.fit("step", hidden=[200], epochs=1))
    n = 2 * 200 + 201
    assert len(page.texts["td"]) == 4 * 500
    assert f"Parameters ({n:,})" in page.text
    assert f"and {n - 500:,} more, all in the run file" in page.text


def test_command_and_python_are_there(made: Made) -> None:
    """How to get the run again: as a command (where the data has a name), Python and TOML."""
    kind, run, _, page = made
    command, snippet, toml = page.texts["pre"]
    in_memory = run.dataset.spec.name == "arrays"
    assert command == (command_line(run) or "The data was given in memory; the run file holds it.")
    assert bool(command_line(run)) != in_memory, kind
    assert snippet == python_snippet(run)
    assert fs.Experiment.from_toml_text(toml) == run.experiment
    assert all(f"{name} {number}" in page.text for name, number in run.versions.items())


def test_formulas_stand_side_by_side() -> None:
    """A linear model is shown as a formula, with the one that made the data."""
    run = fs.fit("polynomial", n_samples=64)
    page, facts = _page(run), summary(run)
    assert page.texts["code"] == [facts.formula, facts.truth]
    assert f"learned: {facts.formula}" in page.text
    assert f"made by: {facts.truth}" in page.text


HOSTILE = "<script>\"x'</script>&lt;<!--"


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_text_from_a_table_is_text(n_inputs: int, tmp_path: Path) -> None:
    """Names and labels with markup and quotes come out as they are, and never as markup."""
    names = [f"{HOSTILE}{i}" for i in range(n_inputs)]
    path = tmp_path / "a<b>&'c.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "<i>kind</i>", "<u>left out</u>"])
        for i in range(20):
            label = (f"no {HOSTILE}", f"yes {HOSTILE}")[i % 2]
            writer.writerow([*(np.sin(i + j) for j in range(n_inputs)), label, "text"])
    run = fs.fit(path, target="<i>kind</i>", epochs=2)
    page = _page(run)
    assert {tag for tag, _ in page.tags} & {"script", "i", "u", "b"} == set()
    assert len(page.texts["style"]) == len(page.texts["figcaption"]) + 1
    for text in (*names, "<i>kind</i>", "<u>left out</u>", f"yes {HOSTILE}", str(path)):
        assert text in page.text
    drawn = "\n".join(page.texts["svg"])
    assert names[0] in drawn


@pytest.mark.parametrize("name", ["cost ($) and tax ($)", "$\\frac{$", "_private", "日本語", "α²"])
def test_a_name_with_signs_of_its_own_makes_a_report(name: str, tmp_path: Path) -> None:
    """Dollars are no mathematics, and letters of any script give no warning."""
    rows = "".join(f"{np.sin(i)},{np.cos(i)},{i % 2}\n" for i in range(20))
    (tmp_path / "table.csv").write_text(f'"{name}",b,c\n{rows}')
    page = _page(fs.fit(tmp_path / "table.csv", target="c", epochs=2))
    assert name in "\n".join(page.texts["svg"])


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_diverged_run_has_a_report(n_inputs: int, task: str) -> None:
    """Weights of inf are told and drawn as far as they go, without a warning."""
    X = np.random.RandomState(0).normal(size=(12, n_inputs)) * 1e34
    y = {"binary": X[:, 0] > 0, "multiclass": [0, 1, 2] * 4, "regression": X[:, 0] / 1e34}[task]
    loss = {"loss": "smooth_l1"} if task == "regression" else {}
    run = fs.fit((X, y), task=task, init="zeros", lr=1e6, optimizer="sgd", epochs=2, **loss)
    assert run.outcome is fs.Outcome.DIVERGED
    page = _page(run)
    assert "Diverged at step 1" in page.text
    assert max(map(len, page.texts["dd"])) <= 10  # numbers stay within their tiles


def test_without_data_only_the_losses_are_drawn() -> None:
    """A run saved without its samples has a report that says what is missing, and why."""
    run = fs.fit("gates-and", epochs=2)
    page = _page(replace(run, dataset=run.dataset.without_arrays()))
    assert page.texts["figcaption"] == [LOSSES]
    assert "saved without its data" in page.text


def test_a_report_of_a_table_that_is_gone_is_the_same(tmp_path: Path) -> None:
    """The report needs the run only: the table may have moved away since."""
    path = tmp_path / "data.dat"
    path.write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(10)))
    run = fs.fit(fs.Experiment(data={"path": str(path), "target": "y"}), epochs=2)
    before = report_html(run)
    path.unlink()
    assert report_html(run) == before
    assert shlex.quote(str(path)) in before


def test_the_same_run_gives_the_same_report() -> None:
    """A report is a function of the run."""
    run = fs.fit("bad-start", epochs=2)
    assert report_html(run) == report_html(run)


def test_save_report_writes_the_page_or_says_why_not(tmp_path: Path) -> None:
    """The file holds the page; where it cannot be written, an OutputError says so."""
    run = fs.fit("bad-start", epochs=1)
    save_report(run, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == report_html(run)
    with pytest.raises(OutputError, match=r"Cannot write .*report\.html: No such file"):
        save_report(run, tmp_path / "missing" / "report.html")
