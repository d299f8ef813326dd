"""The lab's server: an experiment in, a run file out, and what else the page asks for."""

import errno
import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import fitscope as fs
from fitscope.lab.limits import Limits
from fitscope.lab.saved_runs import saved_runs
from fitscope.lab.server import create_app
from fitscope.lab.serving import open_door
from fitscope.lab.state import Lab
from lab_server import Asking

BYTES = {"content-type": "application/octet-stream"}
TABLE = b"size,colour,kind\n1,red,a\n2,blue,b\n3,red,a\n4,blue,b\n5,red,a\n"


def asking(**settings: Any) -> Asking:
    """A client of a lab in the test's own folder."""
    return Asking(create_app(Lab("w", **settings), hosts=None))


def body_of(name: str, **settings: Any) -> Any:
    """An experiment as the page sends it."""
    return json.loads(fs.experiment(name, **settings).to_json())


def loaded(content: bytes) -> fs.Run:
    """The run in an answer."""
    Path("answer.safetensors").write_bytes(content)
    return fs.load("answer.safetensors")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("gates-and", {}),
        ("threshold-sgd", {"points": [[0.5, 1], [-0.5, 0]]}),
        ("bad-start", {"stop_below": 0.3}),
        ("bad-start", {"lr": 1e6, "loss": "mse"}),
        ("iris", {"epochs": 5}),
    ],
)
def test_a_run_is_the_one_that_fit_gives(name: str, settings: dict[str, Any]) -> None:
    """Bit for bit, also when it is asked for again and comes from what is at hand."""
    client, body = asking(), body_of(name, **settings)
    for _ in range(2):
        answer = client.post("/api/run", json=body)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert loaded(answer.content) == fs.fit(name, **settings)
    assert float(answer.headers["server-timing"].removeprefix("total;dur=")) > 0


def test_the_samples_are_left_out_where_the_page_has_them() -> None:
    """`data=false` gives the same run without them."""
    answer = asking().post("/api/run?data=false", json=body_of("gates-and"))
    run = loaded(answer.content)
    assert (len(run.dataset.X), run.dataset.n_train) == (0, 400)
    assert (run.params == fs.fit("gates-and").params).all()


@pytest.mark.parametrize(
    ("content", "status", "text"),
    [
        (b"{", 400, "The text is not JSON: Expecting"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b"\xff\xfe{}", 400, "not JSON"),
        (b"1" * 5000, 400, "The text cannot be read: a number in it is too long."),
        (b"[]", 422, "is an object with a `data` part"),
        (b"{}", 422, "`data` is missing"),
        (b'{"data": {"name": "rngs"}}', 422, "Did you mean `rings`"),
        (b'{"data": {"name": "rings"}, "x": 1}', 422, "`x` is not a setting"),
        (b'{"data": {"name": "rings", "n_samples": "5"}}', 422, "must be a whole number; got '5'"),
        (b'{"data": {"name": "rings"}, "network": {"hidden": "3,3"}}', 422, "`network.hidden`"),
        (b'{"data": {"name": "rings"}, "training": {"lr": NaN}}', 422, "got nan"),
        (b'{"data": {"name": "rings"}, "training": {"lr": 1e999}}', 422, "`training.lr`"),
        (b'{"data": {"name": "rings"}, "title": "\\ud800"}', 400, "half a character"),
        (b'{"data": {"name": "rings", "\\ud800": 1}}', 400, "half a character"),
        (
            b'{"data": {"name": "rings"}, "network": {"init": [1' + b"0" * 400 + b"]}}",
            422,
            "must be torch, zeros, ones or a list of finite numbers",
        ),
        (b'{"data": {"name": "arrays"}}', 422, "given in memory"),
        (b'{"data": {"path": "tables/none.csv"}}', 422, "There is no table none.csv"),
        (
            b'{"data": {"name": "sine"}, "training": {"loss": "cross_entropy"}}',
            422,
            "for regression",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(content: bytes, status: int, text: str) -> None:
    """Whatever a body holds, the answer is JSON with a sentence, and the server goes on."""
    client = asking()
    answer = client.post("/api/run", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert text in answer.json()["error"]
    assert client.get("/api/catalogue").status_code == 200


def test_all_problems_are_told() -> None:
    """One sentence for each."""
    body = {"data": {"name": "rings", "noise": 1}, "training": {"lr": -1, "epochs": 0}}
    problems = asking().post("/api/run", json=body).json()["problems"]
    assert len(problems) == 3
    assert all(problem.endswith(".") for problem in problems)


@pytest.mark.parametrize(
    ("body", "known"),
    [
        ({"data": {"name": "rings"}, **{f"x{i}": 1 for i in range(1000)}}, 980),
        ({"data": {"path": "tables/a.csv", "features": [1] * 1000}}, 980),
    ],
)
def test_of_many_problems_the_first_are_told(body: Any, known: int) -> None:
    """And how many more there are."""
    problems = asking().post("/api/run", json=body).json()["problems"]
    assert len(problems) <= 21
    assert problems[-1] == f"And {known} more."


RINGS = {"data": {"name": "rings", "n_samples": 100}}


@pytest.mark.parametrize(
    ("path", "body", "limits", "text"),
    [
        ("/api/run", RINGS, {"samples": 50}, "100 samples; the lab takes at most 50"),
        ("/api/run", RINGS, {"parameters": 2}, "3 parameters; the lab takes at most 2"),
        ("/api/run", RINGS, {"updates": 10}, "1,000 updates; the lab takes at most 10"),
        ("/api/run", RINGS, {"work": 1e4}, "300,000 updates x samples in a batch x parameters"),
        ("/api/run", RINGS, {"work_of_update": 10}, "300 samples in a batch x parameters"),
        ("/api/run", RINGS, {"units": 50}, "100 samples x units; the lab takes at most 50"),
        ("/api/many?n=9", RINGS, {"nets": 5}, "9 nets; the lab takes at most 5"),
        ("/api/many?n=9", RINGS, {"work": 1e6}, "2,700,000 9 nets x updates x samples"),
        ("/api/many?n=2000", RINGS, {}, "`n` must be at most 1000; got '2000'"),
        ("/api/basin?n_grid=101", body_of("bad-start"), {}, "`n_grid` must be at most 100"),
        ("/api/basin?n_grid=20", body_of("bad-start"), {"grid": 15}, "400 starts; the lab takes"),
        ("/api/optimum", RINGS, {"fitted": 100}, "300 samples x parameters for an optimum"),
        (
            "/api/optimum",
            {"data": {"name": "spirals", "n_classes": 5, "n_samples": 10, "test_fraction": 0.0}},
            {"fitted": 100},
            "600 samples x parameters for an optimum",
        ),
        ("/api/export?to=gif&frames=61", RINGS, {}, "`frames` must be at most 60"),
    ],
)
def test_what_is_too_much_is_refused(path: str, body: Any, limits: Any, text: str) -> None:
    """The sentence says how much was asked for, and the limit."""
    answer = asking(limits=Limits(**limits)).post(path, json=body)
    assert answer.status_code == 422
    assert text in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "kind", "limit"),
    [
        ("POST", "/api/run", "application/json", "json_bytes"),
        ("PUT", "/api/tables/a.csv", "text/csv", "upload_bytes"),
        ("PUT", "/api/runs/a", "application/octet-stream", "run_bytes"),
    ],
)
@pytest.mark.parametrize("n_times", [2, 10])
def test_a_body_is_read_no_further_than_its_limit(
    method: str, path: str, kind: str, limit: str, n_times: int
) -> None:
    """Too large, with its length told or not, it is refused, and nothing is left behind."""
    client = asking(limits=Limits(**{limit: 1_000_000}))

    async def unmeasured() -> Any:
        for _ in range(n_times):
            yield b" " * 1_000_000

    for content in (b" " * 1_000_000 * n_times, unmeasured()):
        answer = client.request(method, path, content=content, headers={"content-type": kind})
        assert answer.status_code == 413
        assert answer.json()["error"] == "The body has more than 1 MB, the limit."
    assert not [file for file in Path("w").rglob("*") if file.is_file()]


def test_the_catalogue_has_everything_to_choose_from() -> None:
    """Experiments, data sets and the schema of each setting that a data set takes."""
    found = asking().get("/api/catalogue").json()
    assert list(found["experiments"]) == fs.experiments()
    assert found["experiments"]["rings-3"] == body_of("rings-3")
    assert set(found["schema"]) == {"data", "network", "training"}
    for info in found["datasets"].values():
        assert set(info["settings"]) <= set(found["schema"]["data"])
    assert found["limits"]["upload_bytes"] == 50_000_000
    assert [lesson["number"] for lesson in found["lessons"]] == [1, 2, 3, 4, 5]


def test_every_data_set_has_a_thumbnail() -> None:
    """Places of at most 150 samples, with a class for each where there are classes."""
    client = asking()
    found = client.get("/api/thumbnails").json()
    assert set(found) == set(client.get("/api/catalogue").json()["datasets"]) - {"table"}
    for one in found.values():
        assert len(one["x"]) == len(one["y"]) == len(one["c"]) <= 150
    assert set(found["iris"]["c"]) == {0, 1, 2}
    assert set(found["sine"]["c"]) == {None}
    assert found["points"]["x"] == []


def test_many_nets_are_those_of_fit_many() -> None:
    """The same ends from the same seeds, in their order; what is no number is null."""
    body = body_of("gates-xor-hidden", epochs=50, init="torch", n_samples=40, test_fraction=0.5)
    found = asking().post("/api/many?n=6", json=body).json()
    many = fs.fit_many(fs.Experiment(**body), seeds=range(6))
    assert found["seeds"] == list(range(6))
    for name, values in (("train_loss", many.train_loss), ("test_loss", many.test_loss)):
        assert np.array_equal(np.array(found[name]), values)
    assert found["test_accuracy"] == many.scores["test_accuracy"].tolist()
    assert found["outcomes"] == [outcome.name for outcome in many.outcomes]
    wild = body_of("sine", epochs=50, lr=1e6, optimizer="sgd", n_samples=20)
    assert set(asking().post("/api/many?n=2", json=wild).json()["train_loss"]) == {None}


def test_a_basin_map_is_that_of_the_analysis() -> None:
    """Losses, and the accuracy at each end, as two analyses give them; also for another loss."""
    run = fs.fit("bad-start", epochs=20)
    for loss, query in ((None, ""), ("mse", "&loss=mse")):
        found = asking().post(f"/api/basin?n_grid=10{query}", json=body_of("bad-start", epochs=20))
        facts = found.json()
        told = fs.analysis.basin_map(run, n_grid=10, loss=loss)
        right = fs.analysis.basin_map(run, n_grid=10, loss=loss, reach="accuracy")
        for name, values in (("loss", told.values), ("accuracy", right.values)):
            assert np.array_equal(np.array(facts[name], dtype=float), values, equal_nan=True)
        assert facts["w"] == told.x.tolist()
        assert facts["note"] == told.note


def test_the_optimum_is_that_of_the_analysis() -> None:
    """With parameters where there are some, and the sentence why where there are none."""
    client = asking()
    found = client.post("/api/optimum", json=body_of("threshold-sgd")).json()
    best = fs.analysis.optimum(fs.fit("threshold-sgd", epochs=1))
    assert best.params is not None
    assert found["params"] == best.params.tolist()
    assert found["scores"] == {"accuracy": best.score}
    assert found["reference"]["name"] == "scikit-learn, C = 1"
    none = client.post("/api/optimum", json=body_of("bad-start")).json()
    assert none["params"] is None
    assert "there is no optimum" in none["note"]
    refused = client.post("/api/optimum", json=body_of("rings-3"))
    assert "without a hidden layer" in refused.json()["error"]


def test_code_gives_the_run_again() -> None:
    """As a command, as Python, as TOML, as a PyTorch script; a long one is not trained for it."""
    client = asking()
    found = client.post("/api/code", json=body_of("gates-and", lr=0.25)).json()
    assert found["command"] == "fitscope fit gates-and --lr 0.25"
    assert "fs.fit('gates-and', lr=0.25)" in found["python"]
    e = fs.Experiment.from_toml_text(found["toml"])
    assert e.training.lr == 0.25
    assert found["pytorch"] == fs.pytorch_script(fs.fit("gates-and", lr=0.25))
    long = client.post("/api/code", json=body_of("rings-3", epochs=100_000)).json()
    assert "--epochs 100000" in long["command"]


def test_code_names_a_table_as_the_current_folder_has_it() -> None:
    """It runs where the lab was started, though the experiment calls it by its workspace."""
    client = asking()
    path = client.put("/api/tables/t.csv", content=TABLE).json()["path"]
    data = {"path": path, "target": "kind", "test_fraction": 0.0}
    body = {"data": data, "training": {"epochs": 2}}
    found = client.post("/api/code", json=body).json()
    assert found["command"].startswith("fitscope fit w/tables/t.csv ")
    assert "fs.fit('w/tables/t.csv'" in found["python"]
    assert '"w/tables/t.csv"' in found["pytorch"]
    assert fs.fit(fs.Experiment.from_toml_text(found["toml"])).dataset.classes == ("a", "b")


@pytest.mark.parametrize(
    ("query", "kind", "begins"),
    [
        ("to=png&view=decision_field&step=10&theme=dark", "image/png", b"\x89PNG"),
        ("to=svg&view=loss_curves", "image/svg+xml", b"<?xml"),
        pytest.param(
            "to=gif&view=decision_field&frames=3", "image/gif", b"GIF8", marks=pytest.mark.slow
        ),
        pytest.param("to=html", "text/html; charset=utf-8", b"<!doctype", marks=pytest.mark.slow),
    ],
)
def test_a_run_is_taken_along_as_a_file(query: str, kind: str, begins: bytes) -> None:
    """Of the kind that was asked for, with a name to save it under."""
    answer = asking().post(f"/api/export?{query}", json=body_of("gates-and", epochs=20))
    assert answer.headers["content-type"] == kind
    assert answer.content.startswith(begins)
    assert answer.headers["content-disposition"].startswith('attachment; filename="')


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("to=png&view=decision_fild", "Did you mean `decision_field`"),
        ("to=png&view=basin_map", "The lab draws basin_map on its page"),
        ("to=png&view=response_curve", "response_curve needs"),
        ("to=png&step=99999", "Step 99999 is not in this run"),
        ("to=pdf", "`to` must be one of html, png, svg, gif"),
        ("to=gif&view=scatter", "has no movie"),
    ],
)
def test_a_picture_that_cannot_be_says_why(query: str, text: str) -> None:
    """With the view's own sentence."""
    answer = asking().post(f"/api/export?{query}", json=body_of("gates-and", epochs=2))
    assert answer.status_code == 422
    assert text in answer.json()["error"]


def test_a_table_is_kept_and_described() -> None:
    """Its columns, and as the target the last that can be one; then it can be trained on."""
    client = asking()
    found = client.put("/api/tables/flowers.csv", content=TABLE).json()
    assert (found["path"], found["rows"], found["target"]) == ("tables/flowers.csv", 5, "kind")
    kinds = {column["name"]: (column["kind"], column["n_different"]) for column in found["columns"]}
    assert kinds == {"size": ("number", 5), "colour": ("text", 2), "kind": ("text", 2)}
    assert client.get("/api/tables/flowers.csv").json() == found
    assert [t["path"] for t in client.get("/api/tables").json()["tables"]] == [found["path"]]
    body = {"data": {"path": found["path"], "target": "kind", "test_fraction": 0.0}}
    run = loaded(client.post("/api/run", json=body).content)
    assert run.experiment.data.path == "tables/flowers.csv"
    assert run.dataset.classes == ("a", "b")
    swapped = TABLE.replace(b"red", b"green").replace(b"5,green,a", b"9,green,b")
    Path("w/tables/flowers.csv").write_bytes(swapped)
    again = loaded(client.post("/api/run", json=body).content)
    assert again.dataset != run.dataset  # what is at hand is that of the table as it was


def test_missing_values_are_counted() -> None:
    """Empty cells of any kind; a column with some is suggested only where there is no other."""
    content = b"a,b,c,d,e,f\n1,x,1.5,true,1,\n,y,,false,2,\n3,,2.5,,3,\n"
    found = asking().put("/api/tables/a.csv", content=content).json()
    assert [column["n_missing"] for column in found["columns"]] == [1, 1, 1, 1, 0, 3]
    kinds = [column["kind"] for column in found["columns"]]
    assert kinds == ["number", "text", "number", "truth", "number", "other"]
    assert found["target"] == "e"
    assert [column["is_taken"] for column in found["columns"]] == [True, False] + [True] * 3 + [
        False
    ]
    found = asking().put("/api/tables/b.csv", content=b"a,b\n1,2\n1,\n1,3\n").json()
    assert found["target"] == "b"


def test_a_table_of_text_dates_and_gaps_trains() -> None:
    """Whatever is described as an input is one; the code trains on the file as well."""
    client = asking()
    rows = [
        f"{'' if i % 9 == 4 else i % 7},{['red', 'blue'][i % 2]},2024-0{i % 3 + 1}-11,n{i},{i % 2}"
        for i in range(30)
    ]
    content = "\n".join(["size,colour,day,name,kind", *rows]).encode()
    found = client.put("/api/tables/things.csv", content=content).json()
    assert [column["kind"] for column in found["columns"]] == [
        *("number", "text", "date", "text", "number")
    ]
    taken = [column["name"] for column in found["columns"] if column["is_taken"]]
    assert taken == ["size", "colour", "day", "kind"]
    body = {"data": {"path": found["path"], "target": found["target"]}}
    run = loaded(client.post("/api/run", json=body).content)
    assert run.dataset.feature_names[:4] == ("size", "size missing", "colour=blue", "colour=red")
    code = client.post("/api/code", json=body).json()["pytorch"]
    assert "inputs_of" in code


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.csv", b"", "The body is empty (0 bytes)"),
        ("a.csv", b"a,b\n", "tables/a.csv has a header and no rows"),
        ("a.csv", b"a,b\n1\n2,3\n", "tables/a.csv is not a regular CSV table"),
        ("a.csv", b"1,2\n3,4\n", "The first line of tables/a.csv holds numbers"),
        ("a.parquet", b"a,b\n1,2\n", "tables/a.parquet is no Parquet file by its content"),
        ("a.csv", b"PAR1....", "is a Parquet file by its content"),
        ("a.csv", b"a,b\n1,1\n1,1\n", "No column of tables/a.csv can be predicted"),
        ("a.xlsx", b"PK", "A table's name ends in one of .csv"),
    ],
)
def test_a_bad_table_leaves_nothing_behind(name: str, content: bytes, text: str) -> None:
    """It is refused with the reader's sentence, which calls it by its name."""
    answer = asking().put(f"/api/tables/{name}", content=content)
    assert answer.status_code == 422
    assert text in answer.json()["error"]
    assert str(Path.cwd()) not in answer.text
    assert not [file for file in Path("w").rglob("*") if file.is_file()]


@pytest.mark.parametrize(
    ("limits", "text"),
    [({"columns": 2}, "3 columns; the lab takes at most 2"), ({"cells": 10}, "15 cells")],
)
def test_a_table_has_its_limits(limits: Any, text: str) -> None:
    """Columns and cells; of a Parquet file they are known before it is read."""
    client = asking(limits=Limits(**limits))
    assert text in client.put("/api/tables/a.csv", content=TABLE).json()["error"]
    from fitscope.data import read_table, write_table

    Path("t.csv").write_bytes(TABLE)
    write_table(read_table("t.csv"), "t.parquet")
    answer = client.put("/api/tables/a.parquet", content=Path("t.parquet").read_bytes())
    assert text in answer.json()["error"]


def test_runs_are_kept_listed_and_removed() -> None:
    """As the bytes of a run file, or as an experiment that is trained."""
    client, run = asking(), fs.fit("gates-and")
    run.save("r.safetensors")
    kept = client.put("/api/runs/one", content=Path("r.safetensors").read_bytes(), headers=BYTES)
    trained = client.put("/api/runs/two", json=body_of("gates-and"))
    first, second = kept.json(), trained.json()
    own = {"name": "", "when": "", "bytes": 0}
    assert {**first, **own} == {**second, **own}
    assert first["shape"] == [2, 1]
    assert first["loss"] == float(run.train_loss[-1])
    assert first["data"] == "gates"
    assert loaded(client.get("/api/runs/two").content) == run
    assert client.delete("/api/runs/one").status_code == 204
    assert client.get("/api/runs/one").status_code == 404
    Path("w/runs/odd.safetensors").write_bytes(b"\xff" * 100)
    problems = {r["name"]: r["problem"] for r in client.get("/api/runs").json()["runs"]}
    assert problems == {"odd": "odd.safetensors is damaged, or no run file.", "two": None}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "The body is empty"),
        (b"PK", "runs/a.safetensors is damaged, or no run file"),
        (b"changed", "runs/a.safetensors was changed or damaged"),
    ],
)
def test_a_bad_run_file_leaves_nothing_behind(content: bytes, text: str) -> None:
    """It is checked as `fs.load` does, and called by its name."""
    fs.fit("bad-start", epochs=2).save("r.safetensors")
    whole = bytearray(Path("r.safetensors").read_bytes())
    whole[-1] ^= 1
    content = bytes(whole) if content == b"changed" else content
    answer = asking().put("/api/runs/a", content=content, headers=BYTES)
    assert answer.status_code == 422
    assert text in answer.json()["error"]
    assert not [file for file in Path("w").rglob("*") if file.is_file()]


@pytest.mark.parametrize("path", ["/api/tables/a.csv", "/api/runs/a"])
def test_a_full_disk_is_said_and_leaves_nothing(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before stays; a table, a run's bytes, or a run that was trained."""

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    client = asking()
    run = client.post("/api/run", json=body_of("bad-start", epochs=2)).content
    content = TABLE if "tables" in path else run
    assert client.put(path, content=content, headers=BYTES).status_code == 200
    before = {file: file.read_bytes() for file in Path("w").rglob("*") if file.is_file()}
    monkeypatch.setattr(os, "fsync", full)
    answers = [client.put(path, content=content, headers=BYTES)]
    if "runs" in path:
        answers.append(client.put(path, json=body_of("bad-start", epochs=3)))
    for answer in answers:
        assert answer.status_code == 507
        assert "No space left on device" in answer.json()["error"]
    assert before == {file: file.read_bytes() for file in Path("w").rglob("*") if file.is_file()}


def test_a_lesson_is_told_step_by_step() -> None:
    """Each step with its text and what it sets the page to; another number is none."""
    client = asking()
    found = client.get("/api/lessons/2").json()
    assert (found["number"], found["title"]) == (2, fs.lessons.lessons()[2].title)
    assert all(set(step) == {"title", "html", "lab"} for step in found["steps"])
    missing = client.get("/api/lessons/6")
    assert missing.status_code == 404
    assert "there are lessons 1 to 5" in missing.json()["error"]


def test_the_page_starts_from_what_is_shown_first() -> None:
    """The boot data of the page holds the catalogue and the first experiment."""
    answer = asking().get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    boot = json.loads(answer.text.split('id="boot">')[1].split("</script>")[0])
    assert boot["mode"] == "lab"
    assert boot["experiment"] == body_of("rings-3")
    assert boot["run"] is None
    assert boot["catalogue"]["version"] == boot["version"] == fs.__version__


def test_what_is_not_there_is_said() -> None:
    """An unknown address, and a method that an address does not take."""
    client = asking()
    assert client.get("/nothing").json()["error"] == "There is nothing at '/nothing'."
    answer = client.post("/api/catalogue")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert client.get("/docs").status_code == 404


def test_a_port_that_is_taken_is_said() -> None:
    """A named one is refused; without a name the next free one is taken."""
    door = open_door(port=0)
    with pytest.raises(fs.errors.OutputError, match=f"port {door.port}: Address already in use"):
        open_door(port=door.port)
    with pytest.raises(fs.errors.OutputError, match="must be 0-65535"):
        open_door(port=70_000)
    with pytest.raises(fs.errors.OutputError, match=r"Cannot serve the lab at nowhere\.invalid: "):
        open_door("nowhere.invalid", 0)
    first, second = open_door(), open_door()
    assert 8765 <= first.port < second.port
    for one in (door, first, second):
        one.sockets[0].close()


@pytest.mark.parametrize(
    ("folder", "answered"), [("tables", "tables/{}.csv"), ("runs", "{}")], ids=["table", "run"]
)
def test_another_file_of_the_same_name_stays(folder: str, answered: str) -> None:
    """The new one gets the next free name, which the answer tells; the same file is kept once."""
    client, name = asking(), "a.csv" if folder == "tables" else "a"
    bodies = [body_of("bad-start", epochs=n) for n in (2, 3)]
    contents = [client.post("/api/run", json=body).content for body in bodies]
    contents = [TABLE, TABLE + b"6,red,a\n"] if folder == "tables" else contents
    field = "path" if folder == "tables" else "name"
    for i, stem in ((0, "a"), (1, "a-2"), (0, "a"), (1, "a-2")):
        answer = client.put(f"/api/{folder}/{name}", content=contents[i], headers=BYTES).json()
        assert answer[field] == answered.format(stem)
    kept = sorted(file.read_bytes() for file in Path("w", folder).iterdir())
    assert kept == sorted(contents)
    long = "ü" * 70 + name.removeprefix("a")
    for i in (0, 1):
        answer = client.put(f"/api/{folder}/{long}", content=contents[i], headers=BYTES).json()
        assert client.get(f"/api/{folder}/{Path(answer[field]).name}").status_code == 200


def test_runs_are_listed_from_the_newest() -> None:
    """Those of one moment by name; one that is removed in between is left out."""
    client = asking()
    for name, when in (("b", 2), ("a", 2), ("c", 3), ("d", 1)):
        client.put(f"/api/runs/{name}", json=body_of("bad-start", epochs=2))
        os.utime(f"w/runs/{name}.safetensors", (when, when))
    assert [one["name"] for one in client.get("/api/runs").json()["runs"]] == ["c", "a", "b", "d"]
    assert saved_runs([Path("w/runs/none.safetensors")]) == []
    head = json.dumps({"train_loss": {"data_offsets": [0, 10**30]}}).encode()
    Path("w/runs/e.safetensors").write_bytes(len(head).to_bytes(8, "little") + head)
    assert "damaged" in saved_runs([Path("w/runs/e.safetensors")])[0]["problem"]


def test_a_small_file_with_huge_values_is_refused() -> None:
    """Text that is written once and meant often counts as often as it is meant."""
    texts = pa.array(["x" * 100_000]).take(pa.array([0] * 50))
    small = asking(limits=Limits(table_bytes=1e6))
    for column in (texts, texts.dictionary_encode()):
        pyarrow.parquet.write_table(pa.table({"a": column, "b": range(50)}), "t.parquet")
        content = Path("t.parquet").read_bytes()
        assert len(content) < 10_000
        answer = small.put("/api/tables/t.parquet", content=content)
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("The table has more than 1 MB of values")
    assert asking().put("/api/tables/t.parquet", content=content).status_code == 200


def test_a_column_of_lists_is_no_mistake_of_ours() -> None:
    """Nor is one of structs or maps: it is described as what cannot be learned."""
    odd = {"lists": [[1], [2]], "parts": [{"x": 1}, {"x": 2}]}
    maps = pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64()))
    pyarrow.parquet.write_table(pa.table({**odd, "maps": maps, "y": [0, 1]}), "t.parquet")
    answer = asking().put("/api/tables/t.parquet", content=Path("t.parquet").read_bytes())
    assert answer.json()["target"] == "y"
    assert [one["kind"] for one in answer.json()["columns"]] == ["other"] * 3 + ["number"]


def test_a_view_that_takes_minutes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs are shuffled ten times each, which a wide net makes long."""
    monkeypatch.setattr("fitscope.export.replay.MAX_MULTIPLICATIONS", 1000)
    body = body_of("gates-xor-hidden", epochs=2)
    answer = asking().post("/api/export?to=png&view=importance", json=body)
    assert answer.status_code == 422
    assert "importance takes long to find here" in answer.json()["error"]


def test_tables_are_read_where_the_end_of_the_lab_sees_it() -> None:
    """In a lane, which refuses what is too much at once."""
    lab, go = Lab("w", limits=Limits(waiting=0)), threading.Event()
    client = Asking(create_app(lab, hosts=None))
    client.put("/api/tables/a.csv", content=TABLE)
    lab.side.submit(go.wait)
    for method in ("GET", "PUT"):
        assert client.request(method, "/api/tables/a.csv", content=TABLE).status_code == 503
    go.set()
