"""`fitscope lab`: what it says, what it opens, and what the page shows first."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

import fitscope as fs
from fitscope.lab.first import first_of
from fitscope.lab.limits import LimitError, Limits
from fitscope.lab.state import Lab

TABLE = "size,kind\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n7,a\n8,b\n9,a\n10,b\n"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The links that a browser was asked to open; the server ends before it begins."""
    links: list[str] = []
    heard = threading.Event()

    def browse(link: str) -> None:
        links.append(link)
        heard.set()

    monkeypatch.setattr("webbrowser.open", browse)
    monkeypatch.setattr(
        "fitscope.lab.serving.Server.serve_until_told",
        lambda self: [one.close() for one in self.door.sockets],
    )
    return links, heard


def test_it_says_the_link_and_opens_it(cli: Any, opened: Any) -> None:
    """A person reads where the lab is and how it ends; the browser gets the same link."""
    answer = cli("lab", "--port", "0")
    links, heard = opened
    assert heard.wait(10)
    assert answer.status == 0
    assert answer.out == f"The lab is at {links[0]}\nCtrl-C ends it.\n"
    assert not Path("fitscope-lab").exists()


def test_json_is_one_object(cli: Any, opened: Any) -> None:
    """With the link and the workspace; `--no-open` opens nothing."""
    told = json.loads(cli("lab", "--port", "0", "--no-open", "--workspace", "w", "--json").out)
    assert told["link"].startswith("http://127.0.0.1:")
    assert told["workspace"] == str(Path("w").absolute())
    assert opened[0] == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["rngs-3"], "Did you mean `rings-3`?"),
        (["none.safetensors"], "Cannot read none.safetensors: No such file"),
        (["bad.safetensors"], "bad.safetensors is damaged, or no run file"),
        (["none.csv"], "Cannot read none.csv: No such file"),
        (["bad.csv"], "bad.csv has a header and no rows"),
        (["--workspace", "bad.csv"], "The workspace must be a folder; bad.csv is a file."),
        (["--host", "nowhere.invalid"], "Cannot serve the lab at nowhere.invalid"),
        (["--port", "70000"], "Cannot serve the lab at 127.0.0.1, port 70000"),
    ],
)
def test_wrong_inputs_are_one_sentence(cli: Any, arguments: list[str], text: str) -> None:
    """On stderr, with exit status 2, before anything is served."""
    Path("bad.csv").write_text("a,b\n")
    Path("bad.safetensors").write_bytes(b"PK")
    answer = cli("lab", "--no-open", *arguments)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith("Error: ")
    assert text in answer.err


def test_a_table_is_copied_into_the_workspace() -> None:
    """The experiment names the copy, and a target is suggested; the same table is copied once."""
    Path("my flowers, 1.csv").write_text(TABLE)
    lab = Lab("w")
    for _ in range(2):
        first = first_of("my flowers, 1.csv", lab)
        assert first.experiment.data.path == "tables/my flowers- 1.csv"
        assert first.experiment.data.target == "kind"
    Path("my flowers, 1.csv").write_text(TABLE.replace("10", "11"))
    other = first_of("my flowers, 1.csv", lab)
    assert other.experiment.data.path == "tables/my flowers- 1-2.csv"
    assert len(list(Path("w/tables").iterdir())) == 2


def test_the_table_of_an_experiment_file_is_copied_too() -> None:
    """Its settings stay as they were written."""
    Path("in").mkdir()
    Path("in/t.csv").write_text(TABLE)
    Path("in/e.toml").write_text('[data]\npath = "t.csv"\ntarget = "kind"\ntest_fraction = 0.4\n')
    e = first_of("in/e.toml", Lab("w")).experiment
    assert (e.data.path, e.data.test_fraction) == ("tables/t.csv", 0.4)


def test_a_table_above_the_limit_is_refused() -> None:
    """The sentence says its size, and the limit."""
    Path("t.csv").write_text(TABLE * 1)
    with pytest.raises(LimitError, match=r"has 0\.0 MB; the lab takes at most 1e-05 MB"):
        first_of("t.csv", Lab("w", limits=Limits(upload_bytes=10)))


@pytest.mark.parametrize("source", ["runs/mine.safetensors", "runs/mine"])
def test_a_run_is_copied_into_the_workspace(source: str) -> None:
    """A run file, or the folder that `fit` wrote: the page opens the copy."""
    path = Path(source) if source.endswith("tensors") else Path(source) / "run.safetensors"
    path.parent.mkdir(parents=True)
    run = fs.fit("bad-start", epochs=2)
    run.save(path)
    first = first_of(source, Lab("w"))
    assert first.run == "mine"
    assert first.experiment == run.experiment
    assert fs.load("w/runs/mine.safetensors") == run


def test_an_experiment_is_shown_with_its_settings() -> None:
    """By name, or a data set; nothing is written for it."""
    assert first_of("bad-start", Lab("w")).experiment == fs.experiment("bad-start")
    assert first_of("moons", Lab("w")).experiment.data.name == "moons"
    assert not Path("w").exists()
