"""Runs in TensorBoard and MLflow, read back by the trackers' own readers."""

import sys
from pathlib import Path

import numpy as np
import pytest

import fitscope as fs
from fitscope.errors import MissingExtraError

pytestmark = pytest.mark.slow  # the trackers take seconds to load


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


def test_mlflow_is_told_in_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, losses and scores, at most a thousand in all."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    import mlflow

    mlflow.set_tracking_uri((tmp_path / "kept").as_uri())
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
