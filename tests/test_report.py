"""The report: the replay as one file, which holds its run and all that was told of it."""

import base64
import csv
import hashlib
import json
import re
import shlex
from dataclasses import asdict, dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitscope as fs
from fitscope.analysis import importance, summary
from fitscope.errors import OutputError
from fitscope.export import (
    command_line,
    python_snippet,
    pytorch_script,
    replay_frame,
    replay_html,
    save_report,
    thinned,
)
from fitscope.export import replay as export_replay
from fitscope.network import parameter_names
from fitscope.records import Run
from lab_runs import KINDS, values

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

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in dict.fromkeys(self.open):
            self.texts[tag][-1] += data

    @property
    def boot(self) -> dict[str, Any]:
        """What the page starts from."""
        return json.loads(self.texts["script"][0])


def _taken_apart(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    return page


def _boot(run: Run, **options: Any) -> dict[str, Any]:
    return _taken_apart(replay_html(run, **options)).boot


Made = tuple[str, Run, str, Page]


@pytest.fixture(scope="session")
def kinds() -> dict[str, tuple[Run, str, Page]]:
    """A run of each kind, its report, and the report taken apart; made when first asked for."""
    return {}


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, kinds: dict[str, tuple[Run, str, Page]]) -> Made:
    """One kind after the other: its name, run, report, and page."""
    kind = request.param
    if kind not in kinds:
        run = KINDS[kind](2)
        text = replay_html(run)
        kinds[kind] = run, text, _taken_apart(text)
    return kind, *kinds[kind]


def test_a_report_loads_nothing(made: Made) -> None:
    """No frame and no address: what it shows is in the file, and its policy says so."""
    _, _, text, page = made
    outside = {"iframe", "object", "embed", "img", "base", "form"}
    assert outside & {tag for tag, _ in page.tags} == set()
    for _tag, attributes in page.tags:
        assert not {"src", "xlink:href", "action", "data", "srcset", "style"} & set(attributes)
        assert (attributes.get("href") or "#").startswith(("#", "data:image/svg+xml,"))
        assert not any(name.startswith("on") for name in attributes)
    (policy,) = (a["content"] for _, a in page.tags if "http-equiv" in a)
    rules = dict(rule.strip().split(" ", 1) for rule in (policy or "").split(";"))
    digest = base64.b64encode(hashlib.sha256(page.texts["script"][2].encode()).digest()).decode()
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest}'",
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    style = page.texts["style"][0]
    assert "@import" not in style
    assert "url(" not in style
    assert text.index("Content-Security-Policy") < text.index("<style")


def test_a_report_is_a_whole_page(made: Made) -> None:
    """Every tag is closed, language and encoding are said, it fits a small screen and the dark."""
    _, run, text, page = made
    assert text.startswith('<!doctype html>\n<html lang="en">')
    assert page.open == []
    assert ("meta", {"charset": "utf-8"}) in page.tags
    assert any(attributes.get("name") == "viewport" for _, attributes in page.tags)
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in page.tags
    assert page.texts["title"] == [f"{run.experiment.title or 'run'} - fitscope"]
    kinds = [attributes.get("type") for tag, attributes in page.tags if tag == "script"]
    assert kinds == ["application/json", "application/octet-stream", "module"]


def test_a_report_tells_what_the_summary_tells(made: Made) -> None:
    """Sentence, numbers, formulas and notes are those of the run, word for word."""
    _, run, _, page = made
    told = json.loads(json.dumps(asdict(summary(run))))
    assert page.boot["summary"] == told
    assert page.boot["mode"] == "replay"
    assert page.boot["note"] == ""


def test_command_and_code_are_there(made: Made) -> None:
    """How to get the run again: as a command (where the data has a name), Python, PyTorch, TOML."""
    kind, run, _, page = made
    code = page.boot["code"]
    in_memory = run.dataset.spec.name == "arrays"
    assert bool(command_line(run)) != in_memory, kind
    given = "# The data was given in memory; the run file holds it."
    assert code["command"] == (command_line(run) or given)
    assert code["python"] == python_snippet(run)
    assert code["pytorch"] == pytorch_script(run)
    assert fs.Experiment.from_toml_text(code["toml"]) == run.experiment


def test_inputs_are_weighed_where_there_are_more_than_two(made: Made) -> None:
    """Which inputs matter is told for three inputs and more; a picture shows fewer."""
    kind, run, _, page = made
    told = page.boot["importance"]
    assert (told is not None) == kind.startswith("many")
    if told:
        found = importance(run)
        assert told["names"] == list(found.names)
        assert told["values"] == found.values.tolist()
        assert told["kind"] == found.what


def test_inputs_that_take_long_to_weigh_are_left_to_the_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where shuffling the inputs would take more than a second, the page says what draws it."""
    monkeypatch.setattr(export_replay, "MAX_MULTIPLICATIONS", 100)
    boot = _boot(fs.fit("iris", epochs=2, hidden=[3]))
    assert boot["importance"] is None
    assert "run.plot.importance()" in boot["note"]
    assert _boot(fs.fit("breast-cancer", epochs=1))["importance"]  # coefficients are there


def test_parameters_are_told_by_what_they_join() -> None:
    """Inputs, hidden units, outputs and classes are named in the order of PyTorch's weights."""
    assert _boot(fs.fit("iris", hidden=[2], features=["petal length (cm)"], epochs=1))[
        "meanings"
    ] == [
        "petal length (cm) to unit 1",
        "petal length (cm) to unit 2",
        "bias of unit 1",
        "bias of unit 2",
        *[f"unit {u} to {c}" for c in ("setosa", "versicolor", "virginica") for u in (1, 2)],
        *[f"bias of {c}" for c in ("setosa", "versicolor", "virginica")],
    ]
    assert _boot(fs.fit("rings", hidden=[1, 1], epochs=1))["meanings"] == [
        "x1 to unit 1 of hidden layer 1",
        "x2 to unit 1 of hidden layer 1",
        "bias of unit 1 of hidden layer 1",
        "unit 1 of hidden layer 1 to unit 1 of hidden layer 2",
        "bias of unit 1 of hidden layer 2",
        "unit 1 of hidden layer 2 to output",
        "bias of output",
    ]


def test_every_parameter_has_a_meaning_up_to_500(made: Made) -> None:
    """One for each parameter; of very many, the first 500, and the page counts the rest."""
    _, run, _, page = made
    assert len(page.boot["meanings"]) == len(parameter_names(run.layer_sizes))
    assert len(_boot(fs.fit("step", hidden=[200], epochs=1))["meanings"]) == 500


def test_formulas_stand_side_by_side() -> None:
    """A linear model is told as a formula, with the one that made the data."""
    run = fs.fit("polynomial", n_samples=64)
    facts, told = summary(run), _boot(run)["summary"]
    assert (told["formula"], told["truth"]) == (facts.formula, facts.truth)
    assert facts.formula.startswith("y = ")


HOSTILE = "<script>\"x'</script>&lt;<!--"


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_text_from_a_table_is_text(n_inputs: int, tmp_path: Path) -> None:
    """Names, labels and a title with markup and quotes come out as they are, never as markup."""
    names = [f"{HOSTILE}{i}" for i in range(n_inputs)]
    path = tmp_path / "a<b>&'c.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "<i>kind</i>", "<u>left out</u>"])
        for i in range(20):
            label = (f"no {HOSTILE}", f"yes {HOSTILE}")[i % 2]
            writer.writerow([*(np.sin(i + j) for j in range(n_inputs)), label, "text"])
    run = fs.fit(path, target="<i>kind</i>", epochs=2)
    titled = run.experiment.model_copy(update={"title": f"</title>{HOSTILE}"})
    page = _taken_apart(replay_html(replace(run, experiment=titled)))
    assert {tag for tag, _ in page.tags} & {"i", "u", "b"} == set()
    assert len(page.texts["script"]) == 3
    assert page.texts["title"] == [f"</title>{HOSTILE} - fitscope"]
    told = json.dumps(page.boot["summary"], ensure_ascii=False)
    for text in (*names, "<i>kind</i>", "<u>left out</u>", f"yes {HOSTILE}", str(path)):
        assert json.dumps(text, ensure_ascii=False)[1:-1] in told


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_diverged_run_has_a_report(n_inputs: int, task: str) -> None:
    """Weights of inf are told as far as they go, without a warning and without NaN in the JSON."""
    X = np.random.RandomState(0).normal(size=(12, n_inputs)) * 1e34
    y = {"binary": X[:, 0] > 0, "multiclass": [0, 1, 2] * 4, "regression": X[:, 0] / 1e34}[task]
    loss = {"loss": "smooth_l1"} if task == "regression" else {}
    run = fs.fit((X, y), task=task, init="zeros", lr=1e6, optimizer="sgd", epochs=2, **loss)
    assert run.outcome is fs.Outcome.DIVERGED
    text = replay_html(run)
    assert "iverged at step 1" in _taken_apart(text).boot["summary"]["outcome"]
    assert not re.search(r"\b(NaN|Infinity)\b", _taken_apart(text).texts["script"][0])


def test_an_interrupted_run_says_that_the_command_goes_on() -> None:
    """The command of a run that was stopped by hand trains it to its end, which is said."""
    run = replace(fs.fit("gates-and", epochs=3), outcome=fs.Outcome.INTERRUPTED)
    assert _boot(run)["code"]["command"].endswith("the command trains it to its end.")


def test_without_data_the_report_says_so() -> None:
    """A run saved without its samples has a report that says what is missing, and why."""
    run = fs.fit("iris", epochs=2)
    boot = _boot(replace(run, dataset=run.dataset.without_arrays()))
    assert boot["note"] == "This run was saved without its data, so no samples can be drawn."
    assert boot["importance"] is None
    arrays = fs.fit(values(), epochs=2)
    boot = _boot(replace(arrays, dataset=arrays.dataset.without_arrays()))
    assert boot["code"]["pytorch"].startswith("# This data was given in memory")  # and is gone


def test_a_report_of_a_table_that_is_gone_is_the_same(tmp_path: Path) -> None:
    """The report needs the run only: the table may have moved away since."""
    path = tmp_path / "data.dat"
    path.write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(10)))
    run = fs.fit(fs.Experiment(data={"path": str(path), "target": "y"}), epochs=2)
    before = replay_html(run)
    path.unlink()
    assert replay_html(run) == before
    assert shlex.quote(str(path)) in before


def test_the_same_run_gives_the_same_report() -> None:
    """A report is a function of the run."""
    run = fs.fit("bad-start", epochs=2)
    assert replay_html(run) == replay_html(run)


@pytest.mark.parametrize("max_bytes", [8, 100, 5_000, 20_000])
def test_a_thinned_run_keeps_its_ends_and_fits(max_bytes: int, tmp_path: Path) -> None:
    """Rows are the run's own, evenly spaced from the first to the last, and a run file's."""
    run = fs.fit("bad-start")
    few = thinned(run, max_bytes)
    assert few.params.nbytes <= max(max_bytes, 2 * run.params[0].nbytes)
    assert (few.steps[0], few.steps[-1]) == (0, run.steps[-1])
    assert len(set(np.diff(few.steps)[:-1])) <= 1
    assert (few.params == run.params[[run.row(int(step)) for step in few.steps]]).all()
    few.save(tmp_path / "few.safetensors")
    assert fs.load(tmp_path / "few.safetensors") == few
    assert (few is run) == (max_bytes >= run.params.nbytes)


def test_a_report_stays_within_its_room_and_says_so() -> None:
    """Steps and samples that outgrow the limit are left out, with a sentence each."""
    run = fs.fit("gaussians", n_samples=4000, epochs=2000)
    whole, small = replay_html(run), replay_html(run, max_bytes=10_000)
    note = _taken_apart(small).boot["note"]
    assert "of the 2,001 recorded steps, evenly spaced" in note
    assert "The samples, 0.048 MB" in note
    assert "room for 0.01 MB" in note
    assert len(small) < len(whole) - 20_000


def test_a_frame_holds_the_page_and_nothing_ends_it(made: Made) -> None:
    """A notebook gets one frame, alone with its run; its page is the report, attribute or not."""
    _, run, text, _ = made
    frame = _taken_apart(replay_frame(run))
    ((tag, attributes),) = frame.tags
    assert tag == "iframe"
    assert attributes["srcdoc"] == text  # all these runs are small
    assert attributes["sandbox"] == "allow-scripts allow-downloads"
    assert attributes["title"]
    assert run._repr_html_() == replay_frame(run)


def test_a_frame_is_small() -> None:
    """However long the training, a notebook grows by a page and a megabyte of parameters."""
    run = fs.fit("sine-10")
    assert len(replay_frame(run)) < len(replay_html(run)) - 300_000
    assert len(replay_frame(fs.fit("gates-and", epochs=2))) < 600_000


def test_save_report_writes_the_page_or_says_why_not(tmp_path: Path) -> None:
    """The file holds the page, whole or not at all; an OutputError says why not."""
    run = fs.fit("bad-start", epochs=1)
    save_report(run, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == replay_html(run)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OutputError, match=r"Cannot write .*report\.html: No such file"):
        save_report(run, tmp_path / "missing" / "report.html")
