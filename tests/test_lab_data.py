"""Data on the page: sets by their pictures, points by hand, tables and run files of one's own."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.csv
import pyarrow.parquet
import pytest

import fitscope as fs
from fitscope.catalogue import READY
from fitscope.runfile import run_bytes
from lab_pages import STEP, Bench, Benches

if TYPE_CHECKING:
    from conftest import Cli

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]


@pytest.fixture
def iris(tmp_path: Path, cli: "Cli") -> Path:
    """The iris flowers as a table of one's own, written by fitscope."""
    path = tmp_path / "flowers.csv"
    assert cli("data", "iris", "--out", str(path)).status == 0
    return path


def pick(bench: Bench, *file: Any) -> None:
    """Picks a file with the chooser."""
    bench.find("input.picker").set_input_files(*file)


def named(name: str, content: bytes) -> dict[str, Any]:
    """A file that lies nowhere."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def refused(bench: Bench, file: Any, status: int | None) -> str:
    """The sentence about a file that cannot be taken; the run stays."""
    if status:
        bench.expect_answer(status)
    before = bench.numbers
    name = file.name if isinstance(file, Path) else file["name"]
    pick(bench, file)
    bench.until("(name) => document.querySelector('#note').textContent.startsWith(name)", name)
    assert bench.numbers == before
    assert "Traceback" not in bench.note
    return bench.note


def drop(bench: Bench, name: str, content: bytes) -> None:
    """Drops a file in the middle of the page."""
    bench.page.evaluate(
        """([name, letters]) => {
          const bytes = Uint8Array.from(atob(letters), (one) => one.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], name));
          for (const kind of ["dragover", "drop"]) {
            document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true }));
          }
        }""",
        [name, base64.b64encode(content).decode()],
    )


def test_every_data_set_trains(bench: Bench) -> None:
    """A click on its picture, and it is shown, without a word of complaint."""
    names = [one.inner_text() for one in bench.find(".thumbs button span").all()]
    assert names == list(READY)
    bench.box("epochs").fill("20")
    with bench.new_run():
        bench.box("epochs").press("Enter")
    for name in (one for one in names if one != "rings"):
        thumb = bench.find(".thumbs button", has=bench.page.get_by_text(name, exact=True))
        with bench.new_run():
            thumb.click()
        assert bench.note == ""
        assert thumb.get_attribute("aria-pressed") == "true"
        assert "no number" not in bench.numbers.values()


def test_pictures_of_the_data_sets_are_drawn(bench: Bench) -> None:
    """No thumbnail is empty."""
    bench.until(
        """() => {
          const pictures = [...document.querySelectorAll(".thumbs canvas")];
          const { width, height } = pictures[0];
          const empty = Object.assign(document.createElement("canvas"), { width, height });
          return pictures.every((one) => one.toDataURL() !== empty.toDataURL());
        }"""
    )


def test_points_are_set_and_taken_away_by_clicking(benches: Benches) -> None:
    """They are samples like the others, and the link holds them."""
    bench = benches.new().open()
    bench.choose("gates-xor-hidden")
    before = bench.find(".facts p").first.inner_text()
    bench.find(".brushes button", has_text="class 1").click()
    canvas = bench.find("canvas.field")
    box = canvas.bounding_box()
    assert box is not None
    middle = {"x": box["width"] / 2, "y": box["height"] / 2}
    with bench.new_run():
        canvas.click(position=middle)
    with bench.new_run():
        canvas.click(position={"x": middle["x"] + 60, "y": middle["y"]})
    run = bench.run()
    assert len(run.experiment.data.points) == 2
    assert run.experiment.data.points[0][2] == 1
    assert bench.find(".facts p").first.inner_text() != before
    bench.until("() => location.hash.length > 1")
    other = benches.new(reduced_motion="reduce").open(shared(bench))
    assert other.run() == run
    with bench.new_run():
        canvas.click(position=middle)
    assert len(bench.run().experiment.data.points) == 1
    with bench.new_run():
        bench.find(".brushes button", has_text="clear").click()
    assert bench.find(".facts p").first.inner_text() == before


def shared(bench: Bench) -> str:
    """The link of the share button."""
    bench.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    bench.button("Share").click()
    bench.page.get_by_text("Link copied").wait_for()
    link: str = bench.page.evaluate("() => navigator.clipboard.readText()")
    return link


def test_points_alone_are_a_data_set(bench: Bench) -> None:
    """It begins with one of each class, and grows by clicks of three classes."""
    thumb = bench.find(".thumbs button", has=bench.page.get_by_text("points", exact=True))
    with bench.new_run():
        thumb.click()
    assert bench.find(".facts p").first.inner_text().startswith("2 training")
    bench.find(".brushes button", has_text="class 2").press("Enter")
    bench.until("() => document.activeElement.matches('.brushes [aria-pressed=true]')")
    canvas = bench.find("canvas.field")
    box = canvas.bounding_box()
    assert box is not None
    with bench.new_run():
        canvas.click(position={"x": box["width"] / 2, "y": box["height"] / 3})
    assert bench.run().dataset.k == 3


def test_a_table_is_uploaded_and_its_columns_chosen(bench: Bench, iris: Path) -> None:
    """The last column is predicted from the numbers, until another one is chosen."""
    with bench.new_run():
        pick(bench, iris)
    columns = bench.find(".columns")
    assert "flowers.csv: 150 rows" in columns.inner_text()
    target = columns.get_by_label("target", exact=True)
    assert target.input_value() == "species"
    assert bench.run().experiment.data.path == "tables/flowers.csv"
    with bench.new_run():
        columns.get_by_role("checkbox").first.uncheck()
    assert len(bench.run().dataset.feature_names) == 3
    with bench.new_run():
        target.select_option("petal length (cm)")
    run = bench.run()
    assert run.dataset.task == "regression"
    assert run.dataset.target_name == "petal length (cm)"


def test_text_and_dates_are_inputs_and_names_are_not(bench: Bench) -> None:
    """What is an input unless others are named is ticked; a name is there to be asked for."""
    sizes = ["" if i % 9 == 4 else str(i % 7) for i in range(30)]
    rows = [
        f"{size},{['red', 'blue'][i % 2]},2024-0{i % 3 + 1}-11,n{i},{i % 2}"
        for i, size in enumerate(sizes)
    ]
    content = "\n".join(["size,colour,day,name,kind", *rows]).encode()
    with bench.new_run():
        pick(bench, named("things.csv", content))
    boxes = bench.find(".columns").get_by_role("checkbox")
    assert [box.is_checked() for box in boxes.all()] == [True, True, True, False]
    names = bench.run().dataset.feature_names
    assert names[:4] == ("size", "size missing", "colour=blue", "colour=red")
    with bench.new_run():
        boxes.nth(1).uncheck()
    assert "colour=red" not in bench.run().dataset.feature_names
    assert bench.note == ""


def test_a_long_list_of_inputs_stays_open_and_keeps_the_focus(
    bench: Bench, tmp_path: Path, cli: "Cli"
) -> None:
    """Of thirty, one is left out; the next press of the space bar takes it back."""
    path = tmp_path / "cells.csv"
    assert cli("data", "breast-cancer", "--out", str(path)).status == 0
    with bench.new_run():
        pick(bench, path)
    inputs = bench.find(".columns details")
    assert inputs.get_attribute("open") is None
    inputs.locator("summary").click()
    for n in (29, 30):
        with bench.new_run():
            inputs.get_by_role("checkbox").nth(3).press(" ")
        assert inputs.locator("summary").inner_text() == f"inputs: {n} of 30"
        assert inputs.get_attribute("open") is not None
        place = "() => [...document.querySelectorAll('.columns input')]"
        assert bench.page.evaluate(f"({place})().indexOf(document.activeElement)") == 3


def test_the_names_of_other_inputs_come_with_other_data(bench: Bench) -> None:
    """Formulas and axes are of the data that is shown, however many inputs were there before."""
    content = b"height,weight,kind\n" + b"1,2,a\n2,1,b\n3,5,a\n4,4,b\n" * 5
    with bench.new_run():
        pick(bench, named("people.csv", content))
    bench.find(".unit-card[data-column='1']").first.hover()
    formula = bench.find(".net-formula")
    assert "height" in formula.inner_text()
    for name, inputs in (("rings", {"x1", "x2"}), ("sine", {"x"}), ("gates", {"x1", "x2"})):
        thumb = bench.find(".thumbs button", has=bench.page.get_by_text(name, exact=True))
        with bench.new_run():
            thumb.click()
        bench.find(".unit-card[data-column='1']").first.hover()
        assert "height" not in formula.inner_text()
        assert inputs <= set(bench.words("canvas.field"))


def test_a_parquet_file_is_a_table_too(bench: Bench, iris: Path) -> None:
    """The same rows give the same columns."""
    path = iris.with_suffix(".parquet")
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(iris), path)
    with bench.new_run():
        pick(bench, path)
    assert "flowers.parquet: 150 rows" in bench.find(".columns").inner_text()
    assert bench.note == ""


def test_files_that_are_no_tables_are_refused_in_a_sentence(bench: Bench) -> None:
    """Broken tables, tables without a target, other files, other names, and what is too large."""
    assert "column" in refused(bench, named("bad.csv", b"a,b\n1\n2,3,4\n"), 422).lower()
    assert "predicted" in refused(bench, named("one.csv", b"a\n1\n1\n"), 422)
    assert refused(bench, named("not.parquet", b"PAR1 no"), 422)
    assert "empty" in refused(bench, named("empty.csv", b""), 422)
    assert "name ends in" in refused(bench, named("picture.png", b"x"), 422)


def test_a_file_that_is_too_large_is_not_even_sent(bench: Bench, tmp_path: Path) -> None:
    """51 MB are above the limit, which the sentence says."""
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(51_000_000)
    assert refused(bench, path, None) == "large.csv: it has 51.0 MB; the lab takes at most 50.0 MB."


def test_a_run_file_is_opened_by_dropping_it(bench: Bench) -> None:
    """What is shown is what is in the file; a file that is none is refused."""
    run = fs.fit("gates-or", epochs=30)
    drop(bench, "mine.safetensors", run_bytes(run))
    bench.until("() => document.querySelector('select.experiment').value === ''")
    bench.until("(title) => document.title.startsWith(title)", run.experiment.title)
    bench.to_end()
    assert bench.last_step == run.steps[-1]
    assert bench.run() == run
    bench.expect_answer(422)
    bench.expect_answer(400)
    drop(bench, "none.safetensors", b"this is no run file")
    bench.until("() => document.querySelector('#note').textContent.startsWith('none')")
    assert bench.last_step == run.steps[-1]


def test_a_run_saved_without_its_samples_can_be_trained(bench: Bench) -> None:
    """It has no scores; the server sends the samples with the new run."""
    run = fs.fit("gates-or", epochs=30)
    drop(bench, "lean.safetensors", run_bytes(run, data=False))
    bench.until("(title) => document.title.startsWith(title)", run.experiment.title)
    assert bench.numbers["loss, training"] == "no number"
    assert bench.numbers["accuracy, training"] == "no number"
    with bench.new_run():
        bench.button("New start").click()
    assert bench.note == ""
    assert len(bench.run().dataset.y) == len(run.dataset.y)


def test_a_file_of_a_name_that_is_taken_is_the_one_that_is_shown(bench: Bench) -> None:
    """Whatever name the server gave it."""
    for epochs in (30, 40):
        run = fs.fit("gates-or", epochs=epochs)
        drop(bench, "twice.safetensors", run_bytes(run))
        bench.until(f"(last) => ({STEP})()[1] === last", int(run.steps[-1]))
    for n in (20, 30):
        with bench.new_run():
            pick(bench, named("twice.csv", b"a,b\n" + b"1,2\n3,4\n" * (n // 2)))
        assert f": {n} rows" in bench.find(".columns").inner_text()
