"""Which polynomial was learned, beside the one that made the data?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from fitscope.analysis.needs import check_grid, needs_data, needs_plain
from fitscope.errors import DataError
from fitscope.network import input_layer
from fitscope.records import Dataset, Run

__all__ = ["PolynomialCurve", "polynomial_curve"]

_MANY = 200  # samples, from which on the outermost are left out of the picture


@dataclass(frozen=True, eq=False)
class PolynomialCurve:
    """The polynomial that was learned and the true one, in the data's units.

    Attributes:
        x: places along the input.
        true: the polynomial that made the data.
        learned: the model's.
        coefficients: the learned w1, ..., wD, b.
        true_formula: the true one as a formula.
        formula: the learned one as a formula.
        n_outside: samples that lie outside of the range of `x`.
        dataset: the data.
        title: what is shown, and at which moment.
    """

    x: Float64[np.ndarray, " g"]
    true: Float64[np.ndarray, " g"]
    learned: Float64[np.ndarray, " g"]
    coefficients: Float64[np.ndarray, " p"]
    true_formula: str
    formula: str
    n_outside: int
    dataset: Dataset
    title: str


@np.errstate(all="ignore")  # the parameters of a diverged run may be inf
def polynomial_curve(run: Run, *, step: int = -1, n_grid: int = 400) -> PolynomialCurve:
    """The learned w1 x + ... + wD x^D + b at a step, and the true one.

    The curves span the samples with a margin of 3 % on each side; of 200 samples or more, those
    between the 1st and the 99th percentile, since the powers of the outermost dwarf all others.

    Args:
        run: a run without hidden layers on the data set `polynomial`.
        step: which moment; -1 is the end.
        n_grid: number of points.

    Raises:
        DataError: there is no true polynomial, or its data was not saved; the inputs are not the
            powers of one; the network has a hidden layer.

    Example:
        >>> import fitscope as fs
        >>> polynomial_curve(fs.fit("polynomial")).formula
        'y = 6.11 x - 4.81 x^2 + 7.74 x^3 - 2.02 x^4 + 4.38'
    """
    d = run.dataset
    points, truth = _checked(run)
    check_grid(n_grid, most=100_000)
    ends = (1, 99) if len(points) >= _MANY else (0, 100)
    low, high = (float(end) for end in np.percentile(points[:, 0], ends))
    margin = 0.03 * ((high - low) or 1.0)
    x = np.linspace(low - margin, high + margin, n_grid)
    outside = (points[:, 0] < x[0]) | (points[:, 0] > x[-1])
    W, b = input_layer(run, step)
    learned = np.append(W[0], b) * d.y_scale
    learned[-1] += d.y_mean
    powers = x[:, None] ** np.arange(1, d.d + 1)
    true_y, y = (powers @ c[:-1] + c[-1] for c in (truth, learned))
    formulas = _formula(truth, d), _formula(learned, d)
    return PolynomialCurve(
        x, true_y, y, learned, *formulas, int(outside.sum()), d, run.moment(step)
    )


def _checked(run: Run) -> tuple[Float64[np.ndarray, "n d"], Float64[np.ndarray, " p"]]:
    """All inputs in the data's units, and the true coefficients."""
    d = run.dataset
    if d.truth is None:
        raise DataError(
            "polynomial_curve needs the data set `polynomial`; nothing is known about the true "
            f"coefficients of `{d.spec.path or d.spec.name}`."
        )
    needs_data(d, "polynomial_curve")
    needs_plain(run, "polynomial_curve")
    points = d.inputs()
    powers = points[:, :1] ** np.arange(1, d.d + 1)
    if not (np.abs(points - powers) <= 1e-4 * (np.abs(powers) + powers.std(axis=0))).all():
        names = ", ".join(d.feature_names[:6])
        raise DataError(f"polynomial_curve needs x, x^2, ... as inputs; this run has {names}.")
    if run.experiment.network.hidden:
        raise DataError(
            "polynomial_curve needs a network without hidden layers, whose answer is a "
            f"polynomial; this run has hidden layers {run.experiment.network.hidden}."
        )
    return points, d.truth


def _formula(coefficients: Float64[np.ndarray, " p"], d: Dataset) -> str:
    """The polynomial in words: `y = 6.11 x - 4.81 x^2 + 4.38`."""
    names = [*(f" {name}" for name in d.feature_names), ""]
    sizes = [f"{abs(c):#.3g}".rstrip(".") for c in coefficients]  # 4.80, not 4.8
    terms = [
        f"{'-' if c < 0 else '+'} {size}{name}"
        for c, size, name in zip(coefficients, sizes, names, strict=True)
    ]
    text = " ".join(terms).removeprefix("+ ")
    return f"{d.target_name} = {'-' + text[2:] if text.startswith('- ') else text}"
