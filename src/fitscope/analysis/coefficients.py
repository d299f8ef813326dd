"""How sure are the coefficients of a model without a hidden layer?"""

import itertools
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import needs_data, needs_digits, needs_one_target, needs_plain
from fitscope.errors import DataError
from fitscope.network import layers
from fitscope.records import Dataset, Run
from fitscope.specs import LOSSES
from fitscope.train.objectives import FusedLinear, Point
from fitscope.train.single import n_cores
from fitscope.train.solvers import Penalised, comes_to_rest, leads_away, newton_path

__all__ = ["Coefficients", "coefficients"]

_NEAR = 0.01  # standard errors: how far the end may be from the optimum
_SINGULAR = 1e-13  # as for the solver, of an input's own information
_EXACT = 1e-13  # of the mean square of the target: what float32 makes of 0
_PARTLY_SEPARABLE = (
    "Some samples can be told apart without a mistake, so some coefficients grow without end and "
    "have no standard errors; leave out the input that does it."
)
_HEADS = ("", "estimate", "std. error", "{statistic}", "p", "95 % interval", "{ratio}")


@dataclass(frozen=True, eq=False)
class Coefficients:
    """The coefficients of a linear model in the data's own units, and how sure they are.

    A row is an answer: the value, the log-odds of the second class, or of each class but the first
    against the first. A column is an input; the last is the intercept. Of a column of texts, one
    has no coefficient of its own: the others are against it.

    Attributes:
        names: the inputs, then "intercept".
        against: the text that each is compared with; "" where it is no text.
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
    against: tuple[str, ...]
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
            row |= {"against": self.against[c]} if self.against[c] else {}
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
        if self.baseline:
            with np.errstate(over="ignore"):
                ends = tuple(np.exp(ends))
        value, low, high = (f"{end:.4g}" for end in ends)
        odds = f"the odds of {target} = {answer} against {self.baseline}"
        if c == len(self.names) - 1:
            texts = _listed(self.against)
            where = "all inputs are 0" + f" but {texts}" * bool(texts)
            what = f"{odds} are" if self.baseline else f"{target} is"
            return f"Where {where}, {what} {value} ({low} to {high})."
        cause = f"{name} rather than {self.against[c]}"
        cause = cause if self.against[c] else f"One unit more of {name}"
        effect = f"multiplies {odds} by {value}" if self.baseline else f"adds {value} to {target}"
        return f"{cause} {effect} ({low} to {high}), all else equal."

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


def _listed(against: tuple[str, ...]) -> str:
    """The texts that others are compared with, each once."""
    return ", ".join(filter(None, dict.fromkeys(against)))


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
    d, design = run.dataset, _Design(run.dataset)
    _check(run, design)
    end = run.params[-1].astype(np.float64)
    best, point = _optimum(run, end)
    free = d.n_train - len(design.names)
    information = d.n_train * _of_contrasts(point.hess, d, design)
    if not d.classes:
        information *= free / (2 * d.n_train * point.loss)  # s^2 = n loss / free
    std_errors = design.std_errors(_inverse(information, design))
    estimates = design.estimates(_contrasts(best, d))
    ended = _contrasts(end, d)
    rounded = design.reach(np.abs(ended) * np.finfo(np.float32).eps)  # as rows of a run are
    if np.any(np.abs(design.estimates(ended) - estimates) > _NEAR * std_errors + rounded):
        raise DataError(
            "These standard errors hold at the optimum only; this run stopped before it: train "
            "with optimizer='newton'."
        )
    return _table(d, design, estimates, std_errors, free)


class _Design:
    """The coefficients that the data determine, in the data's own units.

    Of the inputs that a column of texts makes, one is 1 in every sample: the first of them goes
    into the intercept, and the others are against it.

    Attributes:
        kept: inputs with a coefficient of their own, and the intercept, as columns of a row.
        names: theirs.
        against: the input that each is against, or "".
    """

    def __init__(self, d: Dataset) -> None:
        self.d, first = d, 0
        against, is_text = np.arange(d.d), np.zeros(d.d, dtype=bool)
        for column in d.preprocessing.columns if d.preprocessing else ():
            last = first + len(column.inputs)
            if column.kind == "category":
                against[first:last], is_text[first:last] = first, True
            first = last
        dropped = is_text & (against == np.arange(d.d))
        self.kept = np.append(np.flatnonzero(~dropped), d.d)
        names = (*d.feature_names, "intercept")
        self.names = tuple(names[i] for i in self.kept)
        self.against = (*(names[against[i]] if is_text[i] else "" for i in self.kept[:-1]), "")
        self._units = np.diag(np.append(1 / d.scale, 1.0)) * d.y_scale
        self._units[-1, :-1] = -d.mean / d.scale * d.y_scale  # where all inputs are 0
        compared = np.eye(d.d + 1)
        compared[np.flatnonzero(is_text), against[is_text]] -= 1
        compared[-1, np.flatnonzero(dropped)] = 1
        self._map = (compared @ self._units)[self.kept]

    def estimates(self, rows: Float64[np.ndarray, "r c"]) -> Float64[np.ndarray, "r q"]:
        """Of rows of weights and bias for inputs and a target that are scaled."""
        found = rows @ self._map.T
        found[:, -1] += self.d.y_mean
        return np.asarray(found)

    def reach(self, rows: Float64[np.ndarray, "r c"]) -> Float64[np.ndarray, "r q"]:
        """How far estimates may be off where rows are by so much."""
        return np.asarray(rows @ np.abs(self._map).T)

    def std_errors(self, covariance: Float64[np.ndarray, "p p"]) -> Float64[np.ndarray, "r q"]:
        """Of the covariance of those rows, what is dropped left out."""
        units = self._units[np.ix_(self.kept, self.kept)]
        n_rows = len(covariance) // len(units)
        whole = np.kron(np.eye(n_rows), units)
        variances = np.einsum("ij,jk,ik->i", whole, covariance, whole, optimize=True)
        return np.asarray(np.sqrt(variances).reshape(n_rows, len(units)))


def _check(run: Run, design: _Design) -> None:
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
    needs_digits(d)
    p = len(design.names)
    if d.n_train <= p:
        raise DataError(
            f"summary needs more samples than coefficients; there are {d.n_train} for {p}."
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
            raise DataError(_PARTLY_SEPARABLE)
    if d.classes and not comes_to_rest(free, best, d):
        raise DataError(_PARTLY_SEPARABLE)
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


def _of_contrasts(
    hess: Float64[np.ndarray, "p p"], d: Dataset, design: _Design
) -> Float64[np.ndarray, "q q"]:
    """The Hessian by what is determined, row by row: with the first class held at 0."""
    i, k = design.kept[:-1], d.k
    order = np.concatenate([[*(c * d.d + i), k * d.d + c] for c in range(min(1, k - 1), k)])
    return np.asarray(hess[np.ix_(order, order)])


def _inverse(
    information: Float64[np.ndarray, "q q"], design: _Design
) -> Float64[np.ndarray, "q q"]:
    """The covariance; refused where an input says nothing that the others do not."""
    scale = 1 / np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    unit = information * np.outer(scale, scale)
    last = len(design.names) - 1
    order = [last, *range(last)]  # the intercept first: a constant input is named itself
    for n in range(1, last + 2):
        square = unit[np.ix_(order[:n], order[:n])]
        if np.linalg.eigvalsh(square)[0] <= _SINGULAR:
            raise DataError(
                f"`{design.names[order[n - 1]]}` is determined by other inputs or constant, so its "
                "coefficient could be any number; leave it out."
            )
    return np.asarray(np.linalg.inv(unit) * np.outer(scale, scale), dtype=np.float64)


def _table(
    d: Dataset,
    design: _Design,
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
    texts = _listed(design.against)
    about += f"; texts against {texts}" * bool(texts)
    return Coefficients(
        names=design.names,
        against=design.against,
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
