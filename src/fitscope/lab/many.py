"""Many trainings of one experiment: from many seeds, and from every start on a grid."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fitscope.analysis import basin_map, optimum
from fitscope.analysis.models import judged, reference_model
from fitscope.lab.jobs import Job
from fitscope.outcomes import Outcome
from fitscope.records import Run
from fitscope.train.plan import Plan
from fitscope.train.single import n_cores, run_plan

__all__ = ["Ending", "basin_facts", "endings", "many_facts", "optimum_facts"]


@dataclass(frozen=True)
class Ending:
    """What became of one of many nets."""

    seed: int
    n_updates: int
    train_loss: float
    test_loss: float | None
    outcome: str
    metrics: dict[str, float]


def endings(planned: Plan, n: int, job: Job) -> list[Ending]:
    """The ends from the seeds 0 to n - 1, in their order; those that are done if it is stopped.

    `fit_many` does the same, but hears only between two nets that it is to stop.
    """
    workers = n_cores() if planned.engine == "fused" else 1  # PyTorch has threads of its own
    found: dict[int, Ending] = {}
    job.progress(0, n)
    with ThreadPoolExecutor(workers) as executor:
        asked = {executor.submit(_ending, planned, seed, job): seed for seed in range(n)}
        for done in as_completed(asked):
            ending = done.result()
            if ending is not None:
                found[ending.seed] = ending
            job.progress(len(found), n)
    return [found[seed] for seed in sorted(found)]


def _ending(planned: Plan, seed: int, job: Job) -> Ending | None:
    """The end from one seed; None where it is stopped before it."""
    if job.is_stopping:
        return None
    e = planned.experiment
    e = e.model_copy(update={"training": e.training.model_copy(update={"seed": seed})})
    run = run_plan(replace(planned, experiment=e), lambda *_: job.is_stopping, keep_bytes=0)
    if run.outcome is Outcome.INTERRUPTED:
        return None
    test_loss = float(run.test_loss[-1]) if len(run.test_loss) else None
    return Ending(
        seed,
        int(run.steps[-1]),
        float(run.train_loss[-1]),
        test_loss,
        run.outcome.name,
        dict(run.metrics),
    )


def many_facts(found: list[Ending], planned: int) -> dict[str, Any]:
    """Columns of what became of many nets: seeds, losses, scores, outcomes, updates."""
    names = dict.fromkeys(name for ending in found for name in ending.metrics)
    return {
        "seeds": [ending.seed for ending in found],
        "train_loss": [ending.train_loss for ending in found],
        "test_loss": [ending.test_loss for ending in found],
        "outcomes": [ending.outcome for ending in found],
        "n_updates": [ending.n_updates for ending in found],
        "planned": planned,
        **{name: [ending.metrics.get(name) for ending in found] for name in names},
    }


def basin_facts(run: Run, job: Job, *, n_grid: int, loss: str | None) -> dict[str, Any]:
    """What training reaches from every start: loss and accuracy by `[i][j]`, b rising with i."""
    found = basin_map(run, n_grid=n_grid, loss=loss, progress=job.progress)
    return {
        "w": found.x.tolist(),
        "b": found.y.tolist(),
        "loss": found.values.tolist(),
        "accuracy": None if found.accuracy is None else found.accuracy.tolist(),
        "ends": found.ends.tolist(),
        "succeeds": found.succeeds.tolist(),
        "share": found.share,
        "label": found.label,
        "limits": list(found.limits),
        "log_scale": found.log_scale,
        "path": found.path.tolist(),
        "title": found.title,
        "note": found.note,
    }


def optimum_facts(run: Run) -> dict[str, Any]:
    """The best parameters without a hidden layer, and scikit-learn's penalised model beside."""
    best = optimum(run)
    is_binary = run.dataset.task == "binary"
    return {
        "params": None if best.params is None else best.params.tolist(),
        "loss": best.loss,
        "scores": {} if best.score is None else {best.score_name: best.score},
        "note": best.sentence,
        "loss_name": best.loss_name,
        "separable": best.separable,
        "reference": _reference(run) if is_binary else None,
    }


def _reference(run: Run) -> dict[str, Any]:
    """scikit-learn's LogisticRegression as it stands, judged on the test part if there is one."""
    model = reference_model(run.dataset)
    found = judged(model, run.dataset)
    return {
        "name": found.name,
        "params": np.asarray(model.params).tolist(),
        "accuracy": found.accuracy,
        "log_loss": found.log_loss,
        "part": found.part,
    }
