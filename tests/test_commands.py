"""The commands, one by one: what each writes, prints and leaves alone."""

import csv
import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

import fitscope as fs
from conftest import Cli
from fitscope.catalogue import DATASETS


@pytest.fixture(scope="session")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with a text column, two numbers and a label."""
    rng = np.random.RandomState(0)
    path = tmp_path_factory.mktemp("tables") / "pets.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "weight (kg)", "legs", "kind"])
        for i in range(40):
            kind = ("cat", "dog")[i % 2]
            writer.writerow([f"n{i}", round(4 + 9 * (i % 2) + rng.normal(), 3), i % 5, kind])
    return path


@pytest.fixture(scope="session")
def pet_run(pets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that tells cats and dogs apart."""
    folder = tmp_path_factory.mktemp("pets")
    fs.fit(pets, target="kind", epochs=60, lr=0.1).save(folder / "run.safetensors")
    return folder


@pytest.fixture(scope="session")
def start_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the bad-start run, 700 updates long."""
    folder = tmp_path_factory.mktemp("start")
    fs.fit("bad-start").save(folder / "run.safetensors")
    return folder


def _strict_json(text: str) -> Any:
    """JSON as any language reads it: one object, no NaN, no Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    found = json.loads(text, parse_constant=refuse)
    assert isinstance(found, dict)
    return found


def _rows(out: str) -> dict[str, str]:
    """The short table: the first word of each line, and the rest."""
    pairs = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in out.splitlines()]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


# fit


def test_fit_writes_run_and_report_and_prints_the_short_table(cli: Cli) -> None:
    """One command on a built-in: a folder with both files, the numbers, and where to look."""
    answer = cli("fit", "bad-start")
    assert (answer.status, answer.err) == (0, "")
    title, *_, run_line, report_line = answer.out.splitlines()
    assert title == "Cross-entropy from a bad start"
    assert run_line.split() == ["Run:", "runs/bad-start/run.safetensors"]
    assert report_line.split() == ["Report:", "runs/bad-start/report.html"]
    run = fs.load("runs/bad-start/run.safetensors")
    rows = _rows(answer.out)
    assert list(rows)[:8] == [
        *("data", "network", "parameters", "updates", "loss", "accuracy", "outcome", "time"),
    ]
    assert rows["data"] == "step: 20 training samples, 1 input; binary, `y`: 0, 1"
    assert rows["network"] == "logistic regression (1-1)"
    assert rows["parameters"] == "2"
    assert rows["updates"] == "700 of 700"
    assert rows["loss"] == f"train {run.train_loss[-1]:.4g} (cross-entropy, nats per sample)"
    assert (rows["accuracy"], rows["outcome"]) == ("train 1", "finished")
    assert rows["time"] == f"{run.train_s:.3g} s"
    assert rows["engine"] == "fused"
    assert "Cross-entropy from a bad start" in Path("runs/bad-start/report.html").read_text()


def test_fit_on_a_table_names_what_it_left_out(cli: Cli, pets: Path) -> None:
    """A CSV needs a target only: text columns are left out by name, the task is stated."""
    answer = cli("fit", str(pets), "--target", "kind", "--epochs", "60", "--lr", "0.1")
    rows = _rows(answer.out)
    assert answer.status == 0
    assert "32 training samples, 8 test samples, 2 inputs; binary, `kind`: cat, dog" in rows["data"]
    assert rows["accuracy"] == "train 1, test 1"
    assert rows["loss"].count(" test ") == 1
    assert "`name`: text such as 'n0'" in rows["note 1"]
    assert "the task is binary" in rows["note 2"]
    assert fs.load("runs/pets/run.safetensors").dataset.feature_names == ("weight (kg)", "legs")


@pytest.mark.parametrize(
    ("command", "setting", "value"),
    [
        ("step --hidden 3,3", "network.hidden", [3, 3]),
        ("rings-3 --hidden none", "network.hidden", []),
        ("step --init -5,-10", "network.init", [-5.0, -10.0]),
        ("step --init=-1.5e-3,2", "network.init", [-0.0015, 2.0]),
        ("moons --no-shuffle", "training.shuffle", False),
        ("bad-start --shuffle", "training.shuffle", True),
        ("bad-start --batch-size full", "training.batch_size", None),
        ("moons --batch-size 7", "training.batch_size", 7),
        ("moons --data-seed 3", "data.seed", 3),
        ("moons --seed 4", "training.seed", 4),
        ("moons --stop-below 1e-9", "training.stop_below", 1e-9),
        ("moons --optimizer sgd --momentum 0.5 --nesterov", "training.nesterov", True),
        ("moons --test-fraction 0.5", "data.test_fraction", 0.5),
        ("moons --standardize", "data.standardize", True),
    ],
)
def test_a_flag_becomes_the_setting(cli: Cli, command: str, setting: str, value: object) -> None:
    """Each flag ends up in the experiment of the run, in the section that it belongs to."""
    options = ["--epochs", "1", "--n-samples", "20", "--no-report", "--out", "out"]
    answer = cli("fit", *command.split(), *options)
    assert answer.status == 0, answer.err
    e = fs.load("out/run.safetensors").experiment
    section, name = setting.split(".")
    assert getattr(getattr(e, section), name) == value
    if name == "seed":  # the two seeds are two settings
        assert (e.training.seed, e.data.seed) in ((0, 3), (4, 0))


def test_an_unknown_column_names_the_near_miss(cli: Cli, pets: Path) -> None:
    """A target or a feature that is not there is an error with the columns that are."""
    answer = cli("fit", str(pets), "--target", "kinds")
    assert answer.status == 2
    assert "pets.csv has no column `kinds`; it has `name`, `weight (kg)`, `legs`" in answer.err
    assert answer.err.endswith("Did you mean `kind`?\n")
    answer = cli("fit", str(pets), "--target", "kind", "--features", "legs,weight")
    assert answer.status == 2
    assert "pets.csv has no column `weight`" in answer.err
    answer = cli("fit", str(pets))
    assert answer.status == 2
    assert "Name the column to predict with `target`." in answer.err


def test_default_folders_are_numbered_and_never_overwritten(cli: Cli) -> None:
    """Each fit without `--out` takes a new folder, also where the name ends in a number."""
    options = ("--epochs", "1", "--no-report", "--n-samples", "20")
    for source in ("bad-start", "bad-start", "bad-start", "rings-1", "rings-1", "rings-1"):
        assert cli("fit", source, *options).status == 0
    wanted = ["bad-start", "bad-start-2", "bad-start-3", "rings-1", "rings-1-2", "rings-1-3"]
    assert sorted(path.name for path in Path("runs").iterdir()) == wanted


def test_a_named_folder_is_used_and_its_other_files_stay(cli: Cli) -> None:
    """`--out` writes there, parents included, over an older run and over nothing else."""
    Path("a/b").mkdir(parents=True)
    Path("a/b/notes.txt").write_text("mine")
    for epochs in ("1", "2"):
        answer = cli("fit", "bad-start", "--out", "a/b", "--epochs", epochs, "--no-report")
        assert answer.status == 0
    assert sorted(path.name for path in Path("a/b").iterdir()) == ["notes.txt", "run.safetensors"]
    assert len(fs.load("a/b/run.safetensors").train_loss) == 3


@pytest.mark.parametrize("out", [[], ["--out", "new"], ["--out", "new/below"]])
def test_a_failed_fit_leaves_no_folder(cli: Cli, out: list[str]) -> None:
    """What fails after the folder was made takes away every folder that it made."""
    answer = cli("fit", "bad-start", "--init", "1,2,3", *out)
    assert answer.status == 2
    assert list(Path.cwd().iterdir()) == []


def test_a_failed_fit_leaves_an_old_folder_alone(cli: Cli) -> None:
    """A folder that was there before, even an empty one, is not the command's to remove."""
    Path("mine").mkdir()
    assert cli("fit", "bad-start", "--init", "1,2,3", "--out", "mine").status == 2
    assert Path("mine").is_dir()


def test_no_report_writes_none(cli: Cli) -> None:
    """`--no-report` writes and names the run file only."""
    answer = cli("fit", "bad-start", "--epochs", "1", "--no-report", "--out", "out")
    assert [path.name for path in Path("out").iterdir()] == ["run.safetensors"]
    assert "Report" not in answer.out


def test_no_data_keeps_the_samples_out(cli: Cli) -> None:
    """`--no-data` leaves the samples out of the file, and the run can still be shown."""
    answer = cli("fit", "bad-start", "--epochs", "1", "--no-data", "--no-report", "--out", "out")
    assert len(fs.load("out/run.safetensors").dataset.X) == 0
    shown = cli("show", "out")
    assert shown.status == 0
    assert _rows(shown.out)["loss"] == _rows(answer.out)["loss"]


# --json


@pytest.mark.parametrize(
    "args",
    [
        ["fit", "bad-start", "--epochs", "2"],
        ["fit", "sine", "--lr", "1e6", "--optimizer", "sgd", "--epochs", "9", "--no-report"],
        ["experiments"],
        ["data"],
        ["data", "blobs", "-o", "blobs.csv"],
        ["show", "{run}"],
        ["show", "{run}", "--step", "3"],
        ["predict", "{run}", "{table}"],
        ["predict", "{run}", "{table}", "-o", "out.csv"],
    ],
    ids=lambda args: " ".join(args[:2]),
)
def test_json_is_one_object_and_nothing_else(
    cli: Cli, args: list[str], pets: Path, pet_run: Path
) -> None:
    """With `--json` stdout is one JSON object, and stderr is empty."""
    answer = cli(*(arg.format(run=pet_run, table=pets) for arg in args), "--json")
    assert (answer.status, answer.err) == (0, "")
    assert _strict_json(answer.out)


def test_json_of_a_diverged_run_says_so(cli: Cli) -> None:
    """A diverged run is an outcome, told in the same fields as any other, with status 0."""
    flags = ["--lr", "1e6", "--optimizer", "sgd", "--epochs", "50", "--no-report", "--json"]
    facts = _strict_json(cli("fit", "sine", *flags).out)
    assert facts["outcome"].startswith("diverged at step 3: the loss is no longer finite")
    assert facts["step"] == facts["n_updates"] == 3
    assert set(facts["scores"]) == {"train_rmse", "train_r2"}


def test_json_has_null_where_a_number_is_not_finite(cli: Cli) -> None:
    """Numbers that JSON lacks are null: here weights of inf and the R2 of a single sample."""
    rows = "".join(f"{i}e33,{i}.5\n" for i in range(1, 6))
    Path("large.csv").write_text("x,y\n" + rows)
    flags = "--target y --task regression --no-standardize --init zeros --optimizer sgd --lr 1e6"
    answer = cli("fit", "large.csv", *flags.split(), "--json", "--no-report")
    facts = _strict_json(answer.out)
    assert facts["outcome"].startswith("diverged")
    assert facts["train_loss"] is None
    assert facts["scores"]["test_r2"] is None


def test_json_of_fit_holds_the_numbers_of_the_run(cli: Cli) -> None:
    """The object's numbers are the run's, unrounded, and its files are there."""
    facts = _strict_json(cli("fit", "gates-and", "--epochs", "2", "--json").out)
    run = fs.load(facts["files"]["run"])
    assert Path(facts["files"]["report"]).is_file()
    assert facts["scores"] == dict(run.metrics)
    assert facts["train_loss"] == pytest.approx(run.train_loss[-1], rel=1e-6)  # float32
    assert facts["test_loss"] == pytest.approx(run.test_loss[-1], rel=1e-6)
    assert facts["n_parameters"] == 3


# experiments, data


def test_experiments_lists_every_built_in_with_its_sentence(cli: Cli) -> None:
    """All fifteen, each with what it shows."""
    rows = _rows(cli("experiments").out)
    assert len(fs.experiments()) == 15
    assert [name for name in rows if name in fs.experiments()] == fs.experiments()
    assert all(rows[name] == fs.experiment(name).about for name in fs.experiments())
    whole = _strict_json(cli("experiments", "--json").out)
    assert fs.Experiment(**whole["rings-3"]) == fs.experiment("rings-3")


def test_data_lists_every_data_set(cli: Cli) -> None:
    """All that can be named, each with what it is."""
    rows = _rows(cli("data").out)
    named = {name: info.about for name, info in DATASETS.items() if name not in ("table", "arrays")}
    assert {name: rows[name] for name in named} == named
    assert _strict_json(cli("data", "--json").out) == named


def test_data_describes_one(cli: Cli) -> None:
    """A data set by name: what it is, its size, its columns."""
    answer = cli("data", "iris")
    about, size = answer.out.splitlines()
    assert about == DATASETS["iris"].about
    assert size.startswith("150 rows; features: sepal length (cm), ")
    assert size.endswith("; target: species")


@pytest.mark.parametrize("name", ["rings.csv", "rings.parquet"])
def test_data_writes_a_table_with_the_settings(cli: Cli, name: str) -> None:
    """`data NAME -o FILE` writes the data that the settings give, and says how to train on it."""
    answer = cli("data", "rings", "-o", name, "--n-samples", "12", "--seed", "3")
    assert answer.out.splitlines()[-1] == (
        f"Written to {name}. Train on it with: fitscope fit {name} --target y"
    )
    read = pyarrow.csv.read_csv if name.endswith("csv") else pyarrow.parquet.read_table
    table = read(name).to_pydict()
    wanted = fs.dataset(fs.DataSpec(name="rings", n_samples=12, seed=3))
    assert list(table) == ["x1", "x2", "y"]
    X = np.stack([table["x1"], table["x2"]], axis=1).astype(np.float32)
    np.testing.assert_array_equal(X, wanted.X)
    np.testing.assert_array_equal(table["y"], wanted.y)


def test_a_written_data_set_trains(cli: Cli) -> None:
    """The command that `data` prints works as it stands, also for a name with spaces."""
    out = cli("data", "wine", "-o", "my wine.csv").out
    command = out.splitlines()[-1].split("fitscope ")[1]
    answer = cli(*shlex.split(command), "--epochs", "2", "--no-report")
    assert answer.status == 0, answer.err
    assert "178 rows" in out


# show


def test_show_reads_a_folder_and_a_file(cli: Cli, start_run: Path) -> None:
    """`show` takes the folder that `fit` wrote, or the run file in it."""
    folder, file = cli("show", str(start_run)), cli("show", str(start_run / "run.safetensors"))
    assert folder == file
    assert _rows(folder.out)["updates"] == "700 of 700"


@pytest.mark.parametrize("step", [0, 1, 7, 350, 700])
def test_show_at_a_step_tells_that_moment(cli: Cli, start_run: Path, step: int) -> None:
    """`--step` counts updates: the losses and the formula are those of that moment."""
    run = fs.load(start_run / "run.safetensors")
    rows = _rows(cli("show", str(start_run), "--step", str(step)).out)
    w, b = run.params[step]
    assert rows["updates"] == f"{step} of 700"
    assert rows["learned"] == f"logit P(y = 1) = {w:+.4g} x {b:+.4g}"


@pytest.mark.parametrize("step", ["701", "-2"])
def test_show_outside_the_run_says_its_range(cli: Cli, start_run: Path, step: str) -> None:
    """A step that was never made is an error with the steps that were."""
    answer = cli("show", str(start_run), "--step", step)
    message = f"Error: Step {step} is not in this run, which has steps 0 to 700.\n"
    assert answer == (2, "", message)


def test_show_of_another_file_is_a_clear_error(cli: Cli, pets: Path) -> None:
    """A file that is no run is refused by name."""
    answer = cli("show", str(pets))
    assert answer.status == 2
    assert "pets.csv is damaged, or no run file: it cannot be parsed." in answer.err
