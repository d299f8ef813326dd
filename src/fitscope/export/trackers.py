"""A run in the trackers that teams keep: TensorBoard and MLflow."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscope.errors import MissingExtraError, OutputError
from fitscope.network import names_of_parameters
from fitscope.own import Attached
from fitscope.records import Run
from fitscope.specs import FLAT_FIELDS

if TYPE_CHECKING:
    from mlflow.entities import Metric

__all__ = ["to_mlflow", "to_tensorboard"]

MOST_IN_BATCH = 1000  # values that MLflow takes in one call
MOST_DRAWN = 100  # parameters that are still worth a curve each
MOST_POINTS = 1000  # of a curve
_DATABASE = ("alembic", "sqlalchemy")  # what MLflow's own store needs, which mlflow-skinny lacks


def to_tensorboard(run: Run, folder: str | Path) -> None:
    """Writes the losses over the updates and the parameters over them, for `tensorboard --logdir`.

    Curves of more than 1,000 steps are thinned, evenly on a log scale. Of more than 100 parameters
    only the losses are written. The scores at the end stand beside the settings, under HPARAMS.

    Raises:
        MissingExtraError: tensorboard is not installed.
        OutputError: the folder cannot be written.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtraError.of("Writing a run for TensorBoard", "tensorboard") from None
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write {folder}: {error.strerror}.") from None
    with SummaryWriter(str(folder)) as writer:
        for name, steps, values in _curves(run):
            for step, value in _thinned(steps, values, MOST_POINTS):
                writer.add_scalar(name, value, step)
        writer.add_hparams(_settings(run), dict(run.metrics), run_name=".")


def to_mlflow(run: Run, *, name: str | None = None) -> str:
    """Logs settings, losses and scores to the active MLflow experiment, in one call.

    Where a run of MLflow's is active, it gets them and stays active; else there is a new one. One
    call takes 1,000 values: of each loss as many steps as fit are kept, evenly on a log scale,
    the first and the last among them.

    Args:
        run: the run.
        name: what MLflow calls it; default: its title, or an active run's own name.

    Returns:
        The id of MLflow's run.

    Raises:
        MissingExtraError: mlflow, or what its own store needs, is not installed.
        OutputError: MLflow does not take them, for example since its server does not answer.
    """
    try:
        import mlflow
        from mlflow.entities import Param
    except ImportError:
        raise MissingExtraError.of("Writing a run for MLflow", "mlflow") from None
    settings = _settings(run)
    params = [Param(key, str(value)) for key, value in settings.items()]
    metrics = _mlflow_metrics(run, most=MOST_IN_BATCH - len(params))
    try:
        active, title = mlflow.active_run(), name or run.experiment.title or None
        with nullcontext(active) if active else mlflow.start_run(run_name=title) as own:
            mlflow.MlflowClient().log_batch(own.info.run_id, metrics=metrics, params=params)
            if active and name:
                mlflow.MlflowClient().update_run(own.info.run_id, name=name)
    except Exception as error:  # its own, its database's, and bare ones
        raise _failure(error) from error
    return str(own.info.run_id)


def _mlflow_metrics(run: Run, *, most: int) -> "list[Metric]":
    """The losses, thinned to so many values with the scores at the end."""
    from mlflow.entities import Metric

    losses = [one for one in _curves(run) if one[0].startswith("loss/")]
    most_each = (most - len(run.metrics)) // len(losses)
    metrics = [
        Metric(key.replace("/", "_"), value, 0, step)
        for key, steps, values in losses
        for step, value in _thinned(steps, values, most_each)
    ]
    return metrics + [Metric(key, v, 0, int(run.steps[-1])) for key, v in run.metrics.items()]


def _failure(error: Exception) -> MissingExtraError | OutputError:
    """What went wrong inside MLflow, in one sentence."""
    if isinstance(error, ModuleNotFoundError) and error.name in _DATABASE:
        return MissingExtraError(
            f'MLflow\'s store needs the package {error.name}: pip install "fitscope[mlflow]"'
        )
    first = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
    return OutputError(f"MLflow does not take the run: {first[:300] or type(error).__name__}.")


def _curves(run: Run) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, steps (m,) and values (m,) of each loss, and of each parameter of a small network."""
    yield "loss/train", run.loss_steps, run.train_loss
    if len(run.test_loss):
        yield "loss/test", run.loss_steps, run.test_loss
    if run.updates_per_epoch > 1:  # else a batch is the training part
        yield "loss/batch", np.arange(len(run.batch_loss)), run.batch_loss
    names = names_of_parameters(run)
    if len(names) <= MOST_DRAWN:
        for name, values in zip(names, run.params.T, strict=True):
            yield (
                f"parameters/{name.replace('[', '_').strip(']').replace(',', '_')}",
                run.steps,
                values,
            )


def _thinned(steps: np.ndarray, values: np.ndarray, most: int) -> Iterator[tuple[int, float]]:
    """At most so many finite values with their steps, evenly on a log scale; both ends are kept."""
    places = np.geomspace(1, len(steps), min(most, len(steps))) - 1
    kept = np.arange(len(steps)) if len(steps) <= most else np.unique(places.round().astype(int))
    for i in kept:
        if np.isfinite(values[i]):
            yield int(steps[i]), float(values[i])


def _settings(run: Run) -> dict[str, Any]:
    """Every setting that says something, under its flat name, as trackers take them."""
    if run.attached:
        return _settings_of_loop(run, run.attached)
    sections = run.experiment.model_dump(exclude_none=True)
    return {
        name: value if isinstance(value, str | bool | int | float) else str(value)[:250]
        for name, (section, field) in FLAT_FIELDS.items()
        if (value := sections[section].get(field)) is not None
    }


def _settings_of_loop(run: Run, own: Attached) -> dict[str, Any]:
    """What was seen of a loop of somebody's own; its experiment has defaults for all else."""
    training, network, data = run.experiment.training, run.experiment.network, run.dataset
    found = {
        "title": run.experiment.title,
        "name": data.spec.name,
        "task": data.task,
        "module": own.module,
        "optimizer": own.optimizer,
        "lr": own.lr,
        "momentum": training.momentum,  # these three are 0 where they were not seen
        "nesterov": training.nesterov,
        "weight_decay": training.weight_decay,
        "loss": own.loss,
        "updates": int(run.steps[-1]),
    }
    if own.layout is None:
        found["hidden"] = str(network.hidden)
        found["activation"] = network.activation if network.hidden else ""
    return {name: value for name, value in found.items() if value}
