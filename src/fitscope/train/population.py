"""fit_many: many nets at once, and one table of what became of them."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from fitscope.data import dataset as make_dataset
from fitscope.errors import DataError, ExperimentError
from fitscope.outcomes import Outcome
from fitscope.records import Dataset, Run
from fitscope.specs import FLAT_FIELDS, Experiment, experiment, experiments
from fitscope.train.plan import Plan, Source, check_engine, experiment_of, plan_with
from fitscope.train.single import interruptible, n_cores, run_plan

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscope.plot import Pictures

__all__ = ["Population", "fit_many"]

Sources = Source | Sequence[Source] | Iterator[Source]
Progress = Callable[[int, int], object]
_OF_LISTS = ("hidden", "features", "init", "points")  # settings whose values are lists


@dataclass(frozen=True, repr=False, eq=False)
class Population:
    """What became of many nets, in the order in which they were asked for.

    Attributes:
        plans: what was trained: experiment, data and engine of each net.
        settings: for each setting that is not the same in all of them, its values.
        train_loss: at the end, on the training part.
        test_loss: the same on the test part; nan where there is none.
        scores: such as `train_accuracy` or `test_r2`; nan where one cannot be told.
        n_updates: updates made.
        outcomes: how each training ended.
        ends: the flat parameters of each net at its end.
        n_planned: how many nets were asked for; more than there are if Ctrl-C came between.
    """

    plans: tuple[Plan, ...]
    settings: Mapping[str, tuple[Any, ...]]
    train_loss: Float64[np.ndarray, " r"]
    test_loss: Float64[np.ndarray, " r"]
    scores: Mapping[str, Float64[np.ndarray, " r"]]
    n_updates: Int64[np.ndarray, " r"]
    outcomes: tuple[Outcome, ...]
    ends: tuple[Float32[np.ndarray, " _"], ...]  # (p,) each
    n_planned: int

    def __len__(self) -> int:
        return len(self.plans)

    def __repr__(self) -> str:
        missing = f" of {self.n_planned:,} planned" if len(self) < self.n_planned else ""
        varied = f" by {', '.join(self.settings)}" if self.settings else ""
        return f"<Population of {len(self):,} nets{missing}{varied}>"

    @property
    def plot(self) -> "Pictures":
        """The population's views as matplotlib figures: `many.plot.final_losses()`."""
        from fitscope.plot import Pictures

        return Pictures(self, "matplotlib", of="population")

    @property
    def show(self) -> "Pictures":
        """The population's views as plotly figures: `many.show.final_losses()`."""
        from fitscope.plot import Pictures

        return Pictures(self, "plotly", of="population")

    def run(self, i: int, *, keep_bytes: int = 64_000_000) -> Run:
        """Trains net i again, alone, with every step recorded; its end is `ends[i]` to the bit.

        Raises:
            DataError: there is no such net.
        """
        if not -len(self) <= i < len(self):
            raise DataError(f"There is no net {i} among {len(self):,}.")
        return run_plan(self.plans[i], lambda *_: False, keep_bytes=keep_bytes)

    def to_arrow(self) -> "pa.Table":
        """A table with a row for each net: settings, losses, scores, outcome, updates, engine."""
        import pyarrow as pa

        columns: dict[str, Any] = {name: _column(values) for name, values in self.settings.items()}
        columns |= {"train_loss": self.train_loss, "test_loss": self.test_loss, **self.scores}
        columns |= {
            "outcome": [outcome.name for outcome in self.outcomes],
            "n_updates": self.n_updates,
            "engine": [planned.engine for planned in self.plans],
        }
        return pa.table(columns)


def fit_many(
    sources: Sources,
    *,
    engine: str = "auto",
    workers: int | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Population:
    """Trains many nets on all cores and returns one table of what became of them.

    A net is the same whatever is trained beside it, and on however many cores. Only its end is
    kept; `population.run(i)` records any of them. Ctrl-C keeps the nets that are done.

    Args:
        sources: what `fit` takes, or a list of it.
        engine: as for `fit`, for each net.
        workers: number of threads; default: one a core.
        progress: is called with (nets done, nets planned); if it answers True, the rest is left.
        **settings: as for `fit`; a list, a range or an array stands for all its values, and
            several of them for all combinations, the last varying fastest. `seeds` is `seed`.

    Raises:
        ExperimentError: a setting is unknown, out of range, or does not fit the data.
        UnknownNameError: no experiment, data set, file, column or engine of that name.
        DataError: the data cannot be used.

    Example:
        >>> population = fit_many("gates-xor", seeds=range(3), hidden=[[], [4]], init="torch")
        >>> len(population), sorted(population.settings)
        (6, ['hidden', 'seed'])
    """
    check_engine(engine, "cpu")
    if workers is not None and workers < 1:
        raise ExperimentError([f"`workers` must be at least 1; got {workers}."])
    plans = _plans(sources, settings, engine)
    with interruptible() as interrupted:

        def train(planned: Plan) -> Run:
            return _end(run_plan(planned, lambda *_: interrupted(), keep_bytes=0))

        runs: dict[int, Run] = {}
        for i, run in _trained(plans, train, workers or n_cores()):
            if run.outcome is not Outcome.INTERRUPTED:
                runs[i] = run
            if interrupted() or (progress and progress(len(runs), len(plans)) is True):
                break
    return _population(plans, runs)


def _plans(sources: Sources, settings: dict[str, Any], engine: str) -> list[Plan]:
    """All combinations, each data set made once."""
    named = {"seed" if name == "seeds" else name: value for name, value in settings.items()}
    axes = {name: _values(name, value) for name, value in named.items()}
    is_one = isinstance(sources, str | Path | Experiment | Dataset | tuple)
    is_one = is_one or not isinstance(sources, Iterable)  # which `experiment_of` refuses
    made: dict[tuple[int, str], Dataset] = {}
    plans = []
    several: list[Any] = [sources] if is_one else list(sources)  # type: ignore[arg-type]
    for n, source in enumerate(_read(one) for one in several):
        for values in itertools.product(*axes.values()):
            e, data = experiment_of(source, dict(zip(axes, values, strict=True)))
            key = n, e.data.model_dump_json()
            if key not in made:
                made[key] = data or make_dataset(e.data)
            plans.append(plan_with(e, made[key], engine=engine, device="cpu"))
    if not plans:
        raise ExperimentError(["There is nothing to train: a list of sources or values is empty."])
    return plans


def _read(source: Any) -> Any:
    """A built-in experiment read from its file, which takes as long as to train a small net."""
    return experiment(source) if isinstance(source, str) and source in experiments() else source


def _values(name: str, value: Any) -> list[Any]:
    """The values of a setting: those of a list, a range or an array, or the one value."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple | range):
        return [value]
    values = list(value)
    if name in _OF_LISTS and not any(_is_whole(name, v) for v in values):
        raise ExperimentError(
            [f"`{name}` takes a list of its values, such as {name}=[{values}]; got {values}."]
        )
    return values


def _is_whole(name: str, value: Any) -> bool:
    """Whether it is a value of a setting whose values are lists, and no part of one."""
    if name == "points" and isinstance(value, list | tuple):
        return any(isinstance(row, list | tuple) for row in value)
    return isinstance(value, list | tuple | str | None)


def _trained(
    plans: list[Plan], train: Callable[[Plan], Run], workers: int
) -> Iterator[tuple[int, Run]]:
    """Each net's number and run, as they are done.

    Those of the PyTorch engine come last and one by one: its threads are the process's.
    """
    fused = [i for i, planned in enumerate(plans) if planned.engine == "fused"]
    executor = ThreadPoolExecutor(workers)
    try:
        jobs: dict[Future[Run], int] = {executor.submit(train, plans[i]): i for i in fused}
        for job in as_completed(jobs):
            yield jobs.pop(job), job.result()
    finally:
        executor.shutdown(cancel_futures=True)
    for i in sorted(set(range(len(plans))) - set(fused)):
        yield i, train(plans[i])


def _end(run: Run) -> Run:
    """The run without its course, which nobody asks a population for; 10,000 steps are 80 kB."""
    return replace(
        run,
        params=run.params[-1:].copy(),
        steps=run.steps[-1:].copy(),
        batch_loss=run.batch_loss[:0].copy(),
        train_loss=run.train_loss[-1:].copy(),
        test_loss=run.test_loss[-1:].copy(),
    )


def _population(plans: list[Plan], runs: dict[int, Run]) -> Population:
    """The runs in their order, as one record."""
    order = sorted(runs)
    done = [runs[i] for i in order]
    names = dict.fromkeys(name for run in done for name in run.metrics)
    return Population(
        plans=tuple(plans[i] for i in order),
        settings=_varied([plans[i].experiment for i in order]),
        train_loss=np.array([run.train_loss[-1] for run in done], dtype=np.float64),
        test_loss=np.array(
            [run.test_loss[-1] if len(run.test_loss) else np.nan for run in done], dtype=np.float64
        ),
        scores={name: np.array([run.metrics.get(name, np.nan) for run in done]) for name in names},
        n_updates=np.array([run.steps[-1] for run in done], dtype=np.int64),
        outcomes=tuple(run.outcome for run in done),
        ends=tuple(run.params[-1] for run in done),
        n_planned=len(plans),
    )


def _varied(experiments: list[Experiment]) -> dict[str, tuple[Any, ...]]:
    """The values of each setting that is not the same in all experiments."""
    varied: dict[str, tuple[Any, ...]] = {}
    for name, (section, field) in FLAT_FIELDS.items():
        values = tuple(getattr(getattr(e, section), field) for e in experiments)
        if any(value != values[0] for value in values):
            varied[name] = values
    return varied


def _column(values: tuple[Any, ...]) -> list[Any]:
    """Values that Arrow takes: lists among words become JSON text."""
    if len({type(value) for value in values if value is not None}) < 2:
        return list(values)
    return [json.dumps(value) if isinstance(value, list) else value for value in values]
