"""Experiments -> runs for the lab: data sets and the last runs are kept at hand, within bytes."""

import dataclasses
import logging
import threading
import time
from collections import OrderedDict
from typing import Generic, TypeVar

import numpy as np

from fitscope.data import dataset as make_dataset
from fitscope.lab.jobs import Job, Jobs
from fitscope.lab.limits import Limits
from fitscope.lab.workspace import Workspace
from fitscope.outcomes import Outcome
from fitscope.records import Dataset, Run
from fitscope.runfile import run_bytes
from fitscope.specs import Experiment
from fitscope.train.plan import Plan, plan_with
from fitscope.train.single import run_plan

__all__ = ["Recent", "Trainer", "seconds"]

_LOG = logging.getLogger("fitscope")
T = TypeVar("T", Dataset, Run)


class Recent(Generic[T]):
    """The records that were used last, as many as fit into a number of bytes.

    Args:
        most_bytes: of the arrays of all of them; a larger record is not kept at all.
        most: how many, since small ones cost more than their arrays.
    """

    def __init__(self, most_bytes: int, most: int = 64) -> None:
        self._most_bytes, self._most, self.n_bytes = most_bytes, most, 0
        self._kept: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> T | None:
        """The record, if it is still there."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: str, record: T) -> None:
        """Keeps it, and lets go of those not used for longest."""
        size = _n_bytes(record)
        if size > self._most_bytes:
            return
        with self._lock:
            if key in self._kept:
                self.n_bytes -= self._kept.pop(key)[1]
            self._kept[key] = record, size
            self.n_bytes += size
            while self.n_bytes > self._most_bytes or len(self._kept) > self._most:
                self.n_bytes -= self._kept.popitem(last=False)[1][1]


def _n_bytes(record: Dataset | Run) -> int:
    """Bytes of its arrays."""
    fields = (getattr(record, f.name) for f in dataclasses.fields(record))
    return sum(value.nbytes for value in fields if isinstance(value, np.ndarray))


def seconds(planned: Plan) -> float:
    """About how long a training takes: 0.4 us an update, and 0.3 ns a sample and parameter.

    Every epoch costs another pass over all samples for the losses, half as much as an update's.
    """
    e, data = planned.experiment, planned.dataset
    n_parameters = e.network.n_parameters(data.d, data.k)
    n_seen = planned.n_multiplications * planned.n_updates
    n_judged = (data.n_train + data.n_test) * n_parameters * e.training.epochs / 2
    return 4e-7 * planned.n_updates + 3e-10 * (n_seen + n_judged)


class Trainer:
    """Makes plans and runs for the server; its methods are called from many threads."""

    def __init__(self, workspace: Workspace, limits: Limits, jobs: Jobs) -> None:
        self.workspace, self.limits, self.jobs = workspace, limits, jobs
        self.datasets: Recent[Dataset] = Recent(limits.dataset_bytes)
        self.runs: Recent[Run] = Recent(limits.recent_bytes)

    def plan_at_hand(self, e: Experiment) -> Plan | None:
        """What is to be trained, if its data is at hand; None where that must be made first."""
        data = self.datasets.get(self._key(e))
        return None if data is None else self._plan(e, data)

    def plan(self, e: Experiment) -> Plan:
        """What is to be trained.

        Raises:
            FitscopeError: the data cannot be used, or too much is asked for.
        """
        self.limits.check_data(e.data)
        key = self._key(e)
        data = self.datasets.get(key)
        if data is None:
            data = self._dataset(e)
            self.datasets.put(key, data)
        return self._plan(e, data)

    def run_at_hand(self, e: Experiment, planned: Plan) -> Run | None:
        """The run of that experiment, if it was made not long ago of the data planned."""
        key = self._run_key(e, planned)
        found = self.runs.get(key) if key else None
        return None if found is None else dataclasses.replace(found, dataset=planned.dataset)

    def run(self, e: Experiment, planned: Plan, job: Job) -> Run:
        """Trains what is planned for an experiment; one that the lab's end cuts off is saved."""
        job.planned = planned.n_updates
        key = self._run_key(e, planned)
        made = run_plan(planned, job.watch, keep_bytes=self.limits.keep_bytes)
        if made.outcome is not Outcome.INTERRUPTED:
            if key:
                bare = made.dataset.without_arrays()
                self.runs.put(key, dataclasses.replace(made, dataset=bare))
        elif self.jobs.is_closing and made.steps[-1]:
            self._save_interrupted(made, job)
        return made

    def outline(self, e: Experiment, planned: Plan) -> Run:
        """A run of that experiment for those who ask for no more than its shape and its data.

        Where none is at hand it is cut off as soon as it can be, and its outcome says so.
        """
        found = self.run_at_hand(e, planned)
        if found is not None:
            return found
        return run_plan(planned, lambda *_: True, keep_bytes=0)

    def _plan(self, e: Experiment, data: Dataset) -> Plan:
        planned = plan_with(e, data, engine="auto", device="cpu")
        self.limits.check_plan(planned)
        return planned

    def _dataset(self, e: Experiment) -> Dataset:
        """The data; that of a table keeps the name that the experiment has for it."""
        if e.data.path is None:
            return make_dataset(e.data)
        path = self.workspace.table_at(e.data.path)
        with self.workspace.told():
            data = make_dataset(e.data.model_copy(update={"path": str(path)}))
        return dataclasses.replace(data, spec=e.data)

    def _key(self, e: Experiment) -> str:
        """What decides the data: its settings, and which state of a table."""
        key = e.data.model_dump_json(exclude_none=True)
        if e.data.path is None:
            return key
        about = self.workspace.table_at(e.data.path).stat()
        return f"{key} {about.st_mtime_ns} {about.st_size}"

    def _run_key(self, e: Experiment, planned: Plan) -> str | None:
        """What decides the run; None where the data planned is not what is at hand for it now."""
        key = self._key(e)
        is_current = self.datasets.get(key) is planned.dataset
        return f"{e.model_dump_json()} {key}" if is_current else None

    def _save_interrupted(self, made: Run, job: Job) -> None:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = self.workspace.run(f"interrupted-{stamp}-{job.name[:8]}")
        try:
            self.workspace.write(path, run_bytes(made))
        except OSError as error:
            _LOG.error("A training was stopped, and could not be saved: %s", error)
            return
        place = path.relative_to(self.workspace.folder)
        _LOG.warning("A training was stopped and saved as %s in %s.", place, path.parent.parent)
