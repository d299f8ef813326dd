"""Runs in TensorBoard and MLflow, read back by the trackers' own readers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import fitscope as fs
from fitscope.errors import MissingExtraError, OutputError
from loops import Residual, dense, drawn, trained

pytestmark = [
    pytest.mark.slow,  # the trackers take seconds to load
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning"),  # by MLflow
]


def test_tensorboard_has_every_loss_and_parameter(tmp_path: Path) -> None:
    """A curve each over the updates, thinned where it is long, from the start to the end."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = fs.fit("rings-3", test_fraction=0.3, epochs=3000)
    run.to_tensorboard(tmp_path / "board")
    found = EventAccumulator(str(tmp_path / "board"), size_guidance={"scalars": 0}).Reload()
    names = {f"parameters/w1_{unit}_{i}" for unit in (1, 2, 3) for i in (1, 2)}
    assert {"loss/train", "loss/test", *names} <= set(found.Tags()["scalars"])
    for name, losses in (("loss/train", run.train_loss), ("loss/test", run.test_loss)):
        curve = found.Scalars(name)
        assert len(curve) <= 1000
        assert (curve[0].step, curve[-1].step) == (0, 3000)
        assert all(np.float32(point.value) == losses[point.step] for point in curve)
    weight = found.Scalars("parameters/w1_2_1")
    assert all(np.float32(point.value) == run.params[point.step, 2] for point in weight)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """MLflow's own store, empty; making one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def mlflow(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """MLflow with that store, and with no active run before and after."""
    import mlflow

    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(database)
    yield mlflow
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)


def test_mlflow_is_told_in_one_call(mlflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, losses and scores, at most a thousand in all."""
    calls = []
    real = mlflow.MlflowClient.log_batch

    def log_batch(self: object, *args: object, **settings: object) -> None:
        calls.append(len(settings["metrics"]) + len(settings["params"]))  # type: ignore[arg-type]
        real(self, *args, **settings)

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", log_batch)
    run = fs.fit("threshold-sgd")
    number = run.to_mlflow(name="a threshold")
    client = mlflow.MlflowClient()
    kept = client.get_run(number)
    assert len(calls) == 1
    assert calls[0] <= 1000
    assert (kept.info.run_name, kept.info.status) == ("a threshold", "FINISHED")
    assert (kept.data.params["optimizer"], kept.data.params["batch_size"]) == ("sgd", "5")
    assert kept.data.metrics["test_accuracy"] == run.metrics["test_accuracy"]
    batches = client.get_metric_history(number, "loss_batch")
    assert all(np.float32(one.value) == run.batch_loss[one.step] for one in batches)
    assert client.get_metric_history(number, "loss_train")[-1].step == run.steps[-1]


def test_an_active_run_of_mlflow_is_written_to(mlflow: Any) -> None:
    """What its `with` block logs afterwards goes there as well; a name is given when asked for."""
    run = fs.fit("bad-start", epochs=3)
    with mlflow.start_run(run_name="mine") as active:
        assert run.to_mlflow() == active.info.run_id
        assert mlflow.get_run(active.info.run_id).info.run_name == "mine"
        run.to_mlflow(name="ours")
        mlflow.log_param("after", 1)
    kept = mlflow.get_run(active.info.run_id)
    assert (kept.info.run_name, kept.info.status) == ("ours", "FINISHED")
    assert (kept.data.params["epochs"], kept.data.params["after"]) == ("3", "1")


def test_what_mlflow_refuses_is_said_in_one_sentence(mlflow: Any) -> None:
    """Another value of a setting that the active run has, or a store that it no longer takes."""
    with mlflow.start_run():
        fs.fit("bad-start", epochs=1).to_mlflow()
        with pytest.raises(OutputError, match=r"^MLflow does not take the run: .*[^.]\.$"):
            fs.fit("bad-start", epochs=2).to_mlflow()
    mlflow.set_tracking_uri(Path("kept").absolute().as_uri())
    with pytest.raises(OutputError, match=r"^MLflow does not take the run: .*maintenance mode"):
        fs.fit("bad-start", epochs=1).to_mlflow()


@pytest.mark.parametrize("package", ["alembic", "sqlalchemy"])
def test_what_the_store_of_mlflow_needs_is_named(
    mlflow: Any, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """Where mlflow-skinny is there without it; any other module that is missing is MLflow's."""

    def start_run(**settings: object) -> None:
        raise ModuleNotFoundError(f"No module named '{missing}'", name=missing)

    monkeypatch.setattr(mlflow, "start_run", start_run)
    run, missing = fs.fit("bad-start", epochs=1), package
    with pytest.raises(MissingExtraError, match=rf'{package}: pip install "fitscope\[mlflow\]"'):
        run.to_mlflow()
    missing = "psycopg2"
    with pytest.raises(OutputError, match="No module named 'psycopg2'"):
        run.to_mlflow()


def test_an_own_loop_is_told_as_it_was_seen(mlflow: Any, tmp_path: Path) -> None:
    """Its optimizer, module and loss; no setting that is only a default of fitscope's."""
    module = drawn(Residual)
    run, _ = trained(module, optimizer=torch.optim.Adagrad(module.parameters(), lr=0.5))
    seen = {"module": "Residual", "optimizer": "Adagrad", "lr": "0.5", "loss": "cross_entropy"}
    seen |= {"title": "Residual", "name": "arrays", "task": "binary", "updates": "12"}
    kept = mlflow.get_run(run.to_mlflow()).data
    assert kept.params == seen
    run.to_tensorboard(tmp_path / "board")
    assert hparams(tmp_path / "board") == seen


def test_a_plain_stack_of_an_own_loop_has_its_layers(mlflow: Any) -> None:
    """And what fitscope knows of its optimizer."""
    module = drawn(dense)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    kept = mlflow.get_run(trained(module, optimizer=optimizer)[0].to_mlflow()).data.params
    assert (kept["optimizer"], kept["lr"], kept["module"]) == ("SGD", "0.1", "Sequential")
    assert (kept["momentum"], kept["weight_decay"]) == ("0.9", "0.01")
    assert (kept["hidden"], kept["activation"]) == ("[5]", "tanh")
    line = drawn(lambda: nn.Linear(2, 1))
    kept = mlflow.get_run(trained(line)[0].to_mlflow()).data.params
    assert kept["hidden"] == "[]"
    assert not {"activation", "momentum", "nesterov", "weight_decay", "epochs", "seed"} & set(kept)


def hparams(folder: Path) -> dict[str, str]:
    """The settings that TensorBoard shows, each as text."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    found = EventAccumulator(str(folder)).Reload()
    content = found.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    values = HParamsPluginData.FromString(content).session_start_info.hparams
    texts = {name: value.string_value for name, value in values.items()}
    return {name: texts[name] or f"{value.number_value:g}" for name, value in values.items()}


def test_a_run_in_an_empty_folder_makes_the_store_of_mlflow(tmp_path: Path) -> None:
    """With what the extra installs and no setting: pandas and the rest of MLflow are not there."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['pandas', 'flask', 'mlflow.server']))\n"
        "import fitscope as fs; number = fs.fit('rings-3', epochs=20).to_mlflow()\n"
        "import mlflow; print(mlflow.get_run(number).data.params['epochs'])"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, env=plain
    )
    assert done.stdout.strip() == "20"
    assert (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("package", "module", "log"),
    [
        ("tensorboard", "torch.utils.tensorboard", lambda run: run.to_tensorboard("board")),
        ("mlflow", "mlflow", lambda run: run.to_mlflow()),
    ],
)
def test_a_tracker_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, package: str, module: str, log: object
) -> None:
    """With the line that installs it; nothing is written."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf'pip install "fitscope\[{package}\]"'):
        log(fs.fit("bad-start", epochs=1))  # type: ignore[operator]
    assert not Path("board").exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "board").write_text("mine")
    with pytest.raises(fs.errors.OutputError, match="board"):
        fs.fit("bad-start", epochs=1).to_tensorboard(tmp_path / "board")
    assert (tmp_path / "board").read_text() == "mine"
