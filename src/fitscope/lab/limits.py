"""What the lab's server takes on: every budget, and the sentence that refuses what is above it."""

from dataclasses import asdict, dataclass

from fitscope.errors import FitscopeError
from fitscope.specs import DataSpec
from fitscope.train.plan import Plan

__all__ = ["LimitError", "Limits"]


class LimitError(FitscopeError, ValueError):
    """More is asked for than the server takes on; the text says how much that is."""


@dataclass(frozen=True)
class Limits:
    """The budgets. Times were measured on two cores of 2.5 GHz, with the fused engine.

    Attributes:
        json_bytes: of an experiment as JSON.
        upload_bytes: of a table's file.
        run_bytes: of a run file that is uploaded; one with 64 MB of parameters fits in.
        columns: of a table.
        cells: of a table, rows x columns.
        table_bytes: of a table in memory.
        samples: that a generator makes.
        units: samples x units of a network, whose values a pass over all samples keeps.
        parameters: of a network.
        updates: of a training; each leaves a loss, so a run file has 4 bytes for it.
        work: of a training, updates x samples in a batch x parameters; some twenty minutes.
        work_of_update: of one update, which cannot be stopped half-way; some 0.3 s.
        nets: of a population; trainings that a basin map makes are the square of `grid`.
        grid: starts along each side of a basin map.
        fitted: samples x parameters of a model whose optimum is sought.
        frames: of a film.
        waiting: trainings that wait for a worker, in each lane.
        keep_bytes: of the parameters that a run records.
        dataset_bytes: of the data sets kept at hand.
        recent_bytes: of the runs kept at hand.
    """

    json_bytes: int = 2_000_000
    upload_bytes: int = 50_000_000
    run_bytes: int = 100_000_000
    columns: int = 1000
    cells: int = 20_000_000
    table_bytes: float = 1e9
    samples: int = 200_000
    units: float = 1e8
    parameters: int = 500_000
    updates: int = 2_000_000
    work: float = 4e12
    work_of_update: float = 1e9
    nets: int = 1000
    grid: int = 100
    fitted: int = 2_000_000
    frames: int = 60
    waiting: int = 32
    keep_bytes: int = 8_000_000
    dataset_bytes: int = 64_000_000
    recent_bytes: int = 24_000_000

    def shown(self) -> dict[str, float]:
        """The budgets by name, for the page."""
        return asdict(self)

    def check_data(self, spec: DataSpec) -> None:
        """Refuses more samples than the server makes."""
        if spec.n_samples is not None:
            self._check("samples", spec.n_samples, self.samples)

    def check_plan(self, planned: Plan) -> None:
        """Refuses a training that is too large or too long."""
        e, data = planned.experiment, planned.dataset
        n_parameters = e.network.n_parameters(data.d, data.k)
        self._check("parameters", n_parameters, self.parameters)
        n_values = (data.n_train + data.n_test) * sum(planned.sizes[1:])
        self._check("samples x units", n_values, self.units)
        self._check("updates", planned.n_updates, self.updates)
        each = planned.n_multiplications
        self._check("samples in a batch x parameters", each, self.work_of_update)
        asked = each * planned.n_updates
        self._check("updates x samples in a batch x parameters", asked, self.work)

    def check_many(self, planned: Plan, n: int, *, of: str, most: int) -> None:
        """Refuses n trainings that are too many, or too long together."""
        self.check_plan(planned)
        self._check(of, n, most)
        asked = n * planned.n_multiplications * planned.n_updates
        what = f"{n:,} {of} x updates x samples in a batch x parameters"
        self._check(what, asked, self.work)

    def check_table(self, n_rows: int, n_columns: int) -> None:
        """Refuses a table with too much in it."""
        self._check("columns", n_columns, self.columns)
        self._check("cells", n_rows * n_columns, self.cells)

    def check_table_bytes(self, n_bytes: int) -> None:
        """Refuses a table whose values need too much memory, however small its file is."""
        if n_bytes > self.table_bytes:
            raise LimitError(
                f"The table has more than {self.table_bytes / 1e6:g} MB of values, the limit."
            )

    def check_upload(self, n_bytes: int) -> None:
        """Refuses a file that is too large for a table."""
        if n_bytes > self.upload_bytes:
            raise LimitError(
                f"The table has {n_bytes / 1e6:,.1f} MB; the lab takes at most "
                f"{self.upload_bytes / 1e6:g} MB."
            )

    def check_fitted(self, planned: Plan) -> None:
        """Refuses to seek the optimum of a model for minutes, which cannot be stopped."""
        e, data = planned.experiment, planned.dataset
        n_margins = data.n_train * max(1, data.k - 1)  # one for each class but the sample's own
        asked = n_margins * e.network.n_parameters(data.d, data.k)
        self._check("samples x parameters for an optimum", asked, self.fitted)

    def _check(self, what: str, asked: float, most: float) -> None:
        if asked > most:
            raise LimitError(
                f"This asks for {_shown(asked)} {what}; the lab takes at most {_shown(most)}."
            )


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number < 1e9 else f"{number:.3g}"
