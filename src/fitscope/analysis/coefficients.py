"""How sure are the coefficients of a model without a hidden layer?"""

import itertools
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import needs_data, needs_one_target, needs_plain
from fitscope.errors import DataError
from fitscope.network import layers
from fitscope.records import Dataset, Run
from fitscope.specs import LOSSES
from fitscope.train.objectives import FusedLinear, Point
from fitscope.train.single import n_cores
from fitscope.train.solvers import Penalised, leads_away, newton_path

__all__ = ["Coefficients", "coefficients"]

_NEAR = 0.01  # standard errors: how far the end may be from the optimum
_SINGULAR = 1e-13  # as for the solver, of an input's own information
_EXACT = 1e-13  # of the mean square of the target: what float32 makes of 0
_HEADS = ("", "estimate", "std. error", "{statistic}", "p", "95 % interval", "{ratio}")


@dataclass(frozen=True, eq=False)
class Coefficients:
    """The coefficients of a linear model in the data's own units, and how sure they are.

    A row is an answer: the value, the log-odds of the second class, or of each class but the first
    against the first. A column is an input; the last is the intercept.

    Attributes:
        names: the inputs, then "intercept".
        answers: what each row is about: the target, or the class.
        baseline: the class that the odds are against; "" for a regression.
        target: name of the target.
        estimates: maximum likelihood, or least squares.
        std_errors: their standard errors.
        statistics: estimate by standard error.
        p_values: two-sided, that an estimate so far from 0 is chance.
        low: lower ends of the 95 % confidence intervals.
        high: their upper ends.
        statistic_name: "z" for classes; "t" for a regression.
        n_samples: training samples.
        title: the model in words.
    """

    names: tuple[str, ...]
    answers: tuple[str, ...]
    baseline: str
    target: str
    estimates: Float64[np.ndarray, "r c"]
    std_errors: Float64[np.ndarray, "r c"]
    statistics: Float64[np.ndarray, "r c"]
    p_values: Float64[np.ndarray, "r c"]
    low: Float64[np.ndarray, "r c"]
    high: Float64[np.ndarray, "r c"]
    statistic_name: str
    n_samples: int
    title: str

    @property
    def odds_ratios(self) -> Float64[np.ndarray, "r c"] | None:
        """By what one unit more multiplies the odds; None for a regression."""
        if not self.baseline:
            return None
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(self.estimates))

    @property
    def readings(self) -> tuple[str, ...]:
        """Each coefficient in plain words, row by row."""
        cells = itertools.product(range(len(self.answers)), range(len(self.names)))
        return tuple(self._reading(r, c) for r, c in cells)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each coefficient, by the names of the columns; what `--json` prints."""
        found = []
        for r, c in itertools.product(range(len(self.answers)), range(len(self.names))):
            row: dict[str, Any] = {"answer": self.answers[r], "name": self.names[c]}
            row |= {"estimate": self.estimates[r, c], "std_error": self.std_errors[r, c]}
            row |= {self.statistic_name: self.statistics[r, c], "p_value": self.p_values[r, c]}
            row |= {"low": self.low[r, c], "high": self.high[r, c]}
            if self.odds_ratios is not None:
                row["odds_ratio"] = self.odds_ratios[r, c]
            found.append({k: v if isinstance(v, str) else float(v) for k, v in row.items()})
        return found

    def _reading(self, r: int, c: int) -> str:
        name, answer, target = self.names[c], self.answers[r], self.target
        ends = self.estimates[r, c], self.low[r, c], self.high[r, c]
        is_last = c == len(self.names) - 1
        if not self.baseline:
            value, low, high = (f"{end:.4g}" for end in ends)
            if is_last:
                return f"Where all inputs are 0, {target} is {value} ({low} to {high})."
            effect = f"adds {value} to {target}"
            return f"One unit more of {name} {effect} ({low} to {high}), all else equal."
        with np.errstate(over="ignore"):
            value, low, high = (f"{np.exp(end):.4g}" for end in ends)
        odds = f"the odds of {target} = {answer} against {self.baseline}"
        if is_last:
            return f"Where all inputs are 0, {odds} are {value} ({low} to {high})."
        effect = f"multiplies {odds} by {value}"
        return f"One unit more of {name} {effect} ({low} to {high}), all else equal."

    def _cells(self, r: int) -> list[list[str]]:
        """The table of one answer as text, its heads first."""
        ratio = "odds ratio" if self.baseline else ""
        head = [h.format(statistic=self.statistic_name, ratio=ratio) for h in _HEADS]
        table = [head if ratio else head[:-1]]
        for c, name in enumerate(self.names):
            p = self.p_values[r, c]
            row = [name, f"{self.estimates[r, c]:.5g}", f"{self.std_errors[r, c]:.4g}"]
            row += [f"{self.statistics[r, c]:.3f}", "< 0.001" if p < 0.001 else f"{p:.3f}"]
            row.append(f"{self.low[r, c]:.4g} to {self.high[r, c]:.4g}")
            if self.odds_ratios is not None:
                row.append(f"{self.odds_ratios[r, c]:.4g}")
            table.append(row)
        return table

    def _headings(self) -> list[str]:
        """A line above each table, where there are several."""
        if len(self.answers) == 1:
            return [""]
        return [f"{self.target} = {answer} against {self.baseline}" for answer in self.answers]

    def __str__(self) -> str:
        lines = [self.title]
        for r, heading in enumerate(self._headings()):
            table = self._cells(r)
            widths = [max(map(len, column)) for column in zip(*table, strict=True)]
            lines += ["", heading] if heading else [""]
            for name, *numbers in table:
                cells = [text.rjust(width) for text, width in zip(numbers, widths[1:], strict=True)]
                lines.append("  ".join([name.ljust(widths[0]), *cells]))
        return "\n".join([*lines, "", *self.readings])

    def _repr_html_(self) -> str:
        """The tables as a notebook shows them, each row with its reading on hover."""
        parts, readings = [f"<p>{escape(self.title)}</p>"], iter(self.readings)
        for r, heading in enumerate(self._headings()):
            head, *body = self._cells(r)
            parts.append(f"<p>{escape(heading)}</p><table><tr>" if heading else "<table><tr>")
            parts += [*(f"<th>{escape(text)}</th>" for text in head), "</tr>"]
            for row in body:
                cells = "".join(f"<td>{escape(text)}</td>" for text in row)
                parts.append(f'<tr title="{escape(next(readings))}">{cells}</tr>')
            parts.append("</table>")
        return "".join(parts)


def coefficients(run: Run) -> Coefficients:
    """The coefficients of a linear model at its optimum, with standard errors and what follows.

    The covariance is the inverse of the information n H at the optimum, H being the Hessian of
    the mean loss; for a regression s^2 (X'X)^-1 with s^2 = SSR / (n - d - 1). The end of the run
    is first brought to the optimum in float64 by Newton's method. Standardised inputs are mapped
    to the data's own units, estimates and covariance alike, since that map is linear. Intervals
    and p-values are Wald's, from the normal distribution, or Student's for a regression.

    Args:
        run: a run without a hidden layer and without a penalty, at its optimum, with its data.

    Raises:
        DataError: the model has no standard errors, each time with the reason: hidden units,
            another loss, a penalty, classes that can be told apart, inputs that determine each
            other, too few samples, no data; or the run ended before the optimum.

    Example:
        >>> import fitscope as fs
        >>> found = coefficients(fs.fit("moons", optimizer="newton"))
        >>> found.names, found.estimates.round(2).tolist()
        (('x1', 'x2', 'intercept'), [[1.2, -5.04, 0.61]])
    """
    d = run.dataset
    _check(run)
    end = run.params[-1].astype(np.float64)
    best, point = _optimum(run, end)
    free = d.n_train - d.d - 1
    rows, information = _contrasts(best, d), d.n_train * _of_contrasts(point.hess, d)
    if not d.classes:
        information *= free / (2 * d.n_train * point.loss)  # s^2 = n loss / free
    covariance = _inverse(information, d)
    away = _contrasts(end, d) - rows
    if np.any(np.abs(away.ravel()) > _NEAR * np.sqrt(np.diag(covariance))):
        raise DataError(
            "These standard errors hold at the optimum only; this run stopped before it: train "
            "with optimizer='newton'."
        )
    return _table(d, *_in_data_units(rows, covariance, d), free)


def _check(run: Run) -> None:
    """What can be refused before anything is computed."""
    d, t, problem = run.dataset, run.experiment.training, ""
    needs_plain(run, "summary")
    needs_one_target(d, "summary")
    if run.experiment.network.hidden:
        widths = ", ".join(map(str, run.experiment.network.hidden))
        problem = f"summary needs a model without a hidden layer; this one has {widths}."
    elif t.loss != LOSSES[d.task][0]:
        problem = (
            f"summary needs the loss {LOSSES[d.task][0]}, whose optimum is the likeliest model; "
            f"this run has {t.loss}."
        )
    elif t.l2 or t.weight_decay:
        name = "l2" if t.l2 else "weight_decay"
        problem = (
            f"This run is penalised by `{name}`, which pulls the coefficients to 0: their standard "
            f"errors would be wrong. Train with {name}=0."
        )
    elif d.weights is not None:
        problem = (
            "summary counts every sample alike; the samples of this run have weights, of which "
            "nobody knows whether they are counts or trust."
        )
    if problem:
        raise DataError(problem)
    needs_data(d, "summary")
    if d.n_train <= d.d + 1:
        raise DataError(
            f"summary needs more samples than coefficients; there are {d.n_train} for {d.d + 1}."
        )


def _optimum(run: Run, end: Float64[np.ndarray, " p"]) -> tuple[Float64[np.ndarray, " p"], Point]:
    """The optimum by Newton's method, from the end of the run, and the Hessian there."""
    d, loss = run.dataset, str(run.experiment.training.loss)
    objective = FusedLinear(d, loss, n_cores())
    free = Penalised(objective, 0.0, run.layer_sizes)
    best = end
    for best, _, slow in newton_path(free, end):
        if d.classes and objective.separates(best):
            raise DataError(
                "The classes can be told apart without a mistake, so the coefficients grow without "
                "end and have no standard errors; train with `l2` for a model that can be used."
            )
        if d.classes and leads_away(slow, d):
            raise DataError(
                "Some samples can be told apart without a mistake, so some coefficients grow "
                "without end and have no standard errors; leave out the input that does it."
            )
    best = best + free.newton_step(objective.at(best, hessian=True))  # to the last digits
    point = objective.at(best, hessian=True)
    if not d.classes and point.loss <= _EXACT * float(np.mean(d.y.astype(np.float64) ** 2)):
        raise DataError("The model answers every sample exactly: there are no errors to judge by.")
    return best, point


def _contrasts(params: Float64[np.ndarray, " p"], d: Dataset) -> Float64[np.ndarray, "r c"]:
    """Weights and bias of each answer; of several classes, less those of the first class."""
    W, b = layers(params, [d.d, d.k])[0]
    rows = np.column_stack([W, b])
    return rows[1:] - rows[0] if d.k > 1 else rows


def _of_contrasts(hess: Float64[np.ndarray, "p p"], d: Dataset) -> Float64[np.ndarray, "q q"]:
    """The Hessian by the contrasts, row by row: with the first class held at 0."""
    i, k = np.arange(d.d), d.k
    order = np.concatenate([[*(c * d.d + i), k * d.d + c] for c in range(min(1, k - 1), k)])
    return np.asarray(hess[np.ix_(order, order)])


def _inverse(information: Float64[np.ndarray, "q q"], d: Dataset) -> Float64[np.ndarray, "q q"]:
    """The covariance; refused where an input says nothing that the others do not."""
    scale = 1 / np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    unit = information * np.outer(scale, scale)
    names = (*d.feature_names, "the intercept")
    order = [d.d, *range(d.d)]  # the intercept first: a constant input is named itself
    for n in range(1, d.d + 2):
        square = unit[np.ix_(order[:n], order[:n])]
        if np.linalg.eigvalsh(square)[0] <= _SINGULAR:
            raise DataError(
                f"`{names[order[n - 1]]}` is determined by other inputs or constant, so its "
                "coefficient could be any number; leave it out."
            )
    return np.asarray(np.linalg.inv(unit) * np.outer(scale, scale))


def _in_data_units(
    rows: Float64[np.ndarray, "r c"], covariance: Float64[np.ndarray, "q q"], d: Dataset
) -> tuple[Float64[np.ndarray, "r c"], Float64[np.ndarray, "r c"]]:
    """Estimates and standard errors for inputs and a target that are not scaled."""
    to_units = np.diag(np.append(1 / d.scale, 1.0))
    to_units[-1, :-1] = -d.mean / d.scale  # the intercept is where all inputs are 0
    to_units *= d.y_scale
    estimates = rows @ to_units.T
    estimates[:, -1] += d.y_mean
    whole = np.kron(np.eye(len(rows)), to_units)
    variances = np.einsum("ij,jk,ik->i", whole, covariance, whole, optimize=True)
    return estimates, np.sqrt(variances).reshape(rows.shape)


def _table(
    d: Dataset,
    estimates: Float64[np.ndarray, "r c"],
    std_errors: Float64[np.ndarray, "r c"],
    free: int,
) -> Coefficients:
    """What follows from estimates and standard errors."""
    from scipy.stats import norm, t

    law = norm if d.classes else t(free)
    statistics = estimates / std_errors
    width = float(law.ppf(0.975)) * std_errors
    classes = [str(label) for label in d.classes]
    model = {
        "binary": "Logistic regression: log-odds of {target} = {answer} against {baseline}",
        "multiclass": "Softmax regression: log-odds of each {target} against {baseline}",
        "regression": "Linear regression of {target}",
    }[d.task]
    baseline = classes[0] if classes else ""
    answers = tuple(classes[1:]) if classes else (d.target_name,)
    about = model.format(target=d.target_name, answer=answers[-1], baseline=baseline)
    return Coefficients(
        names=(*d.feature_names, "intercept"),
        answers=answers,
        baseline=baseline,
        target=d.target_name,
        estimates=estimates,
        std_errors=std_errors,
        statistics=statistics,
        p_values=2 * np.asarray(law.sf(np.abs(statistics))),
        low=estimates - width,
        high=estimates + width,
        statistic_name="z" if d.classes else "t",
        n_samples=d.n_train,
        title=f"{about}, on {d.n_train:,} samples",
    )
