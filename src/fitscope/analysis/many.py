"""What became of many nets: their losses, how many succeed, and from which starts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from jaxtyping import Bool, Float64, Int64

from fitscope.analysis.needs import Part, check_choice, loss_label
from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.network import parameter_names, start_parameters
from fitscope.outcomes import Outcome
from fitscope.specs import FLAT_FIELDS
from fitscope.train import Population

__all__ = ["FinalLosses", "StartMap", "SuccessShare", "final_losses", "start_map", "success_share"]

MAX_GROUPS = 24


@dataclass(frozen=True, eq=False)
class FinalLosses:
    """The loss of every net at its end, by the values of a setting.

    Attributes:
        losses: of each net that did not diverge.
        group: which of the values its setting has.
        place: where it is drawn beside the others of its group, from -0.5 to 0.5.
        values: the setting's values as text; one empty text where nothing tells the nets apart.
        by: the setting's name; "" likewise.
        median: of each group; nan where it has no net.
        count: number of nets in each group that did not diverge.
        n_diverged: number of nets in each group that did.
        label: what the loss is, with its unit.
        log_scale: whether the losses are so wide apart that a log scale helps.
        title: what is shown.
    """

    losses: Float64[np.ndarray, " r"]
    group: Int64[np.ndarray, " r"]
    place: Float64[np.ndarray, " r"]
    values: tuple[str, ...]
    by: str
    median: Float64[np.ndarray, " v"]
    count: Int64[np.ndarray, " v"]
    n_diverged: Int64[np.ndarray, " v"]
    label: str
    log_scale: bool
    title: str


@dataclass(frozen=True, eq=False)
class SuccessShare:
    """How many of the nets succeed, by the values of a setting.

    Attributes:
        n_successes: nets of each group whose loss ends below the bound.
        count: all nets of each group; one that diverged is no success.
        share: the one divided by the other.
        low: where the 95 % interval of the share begins.
        high: where it ends.
        values: the setting's values as text; one empty text where nothing tells the nets apart.
        by: the setting's name; "" likewise.
        label: what a success is.
        title: what is shown.
    """

    n_successes: Int64[np.ndarray, " v"]
    count: Int64[np.ndarray, " v"]
    share: Float64[np.ndarray, " v"]
    low: Float64[np.ndarray, " v"]
    high: Float64[np.ndarray, " v"]
    values: tuple[str, ...]
    by: str
    label: str
    title: str


@dataclass(frozen=True, eq=False)
class StartMap:
    """The starts of many nets in a plane, and which of them led to success.

    Attributes:
        points: the starts in that plane, one row a net.
        succeeds: whether the net's loss ends below the bound.
        axes: what the two axes are: parameters, or principal components, each with its share of
            the starts' variance.
        nets: the nets' numbers in the population.
        label: what a success is.
        title: what is shown.
    """

    points: Float64[np.ndarray, "r 2"]
    succeeds: Bool[np.ndarray, " r"]
    axes: tuple[str, str]
    nets: Int64[np.ndarray, " r"]
    label: str
    title: str


def final_losses(
    population: Population, *, by: str | None = None, part: Part = "train"
) -> FinalLosses:
    """The losses at the end, by the values of a setting.

    Args:
        population: what `fit_many` returns.
        by: a setting that varies; default: the first one other than seeds, if any.
        part: of the training or of the test part.

    Raises:
        UnknownNameError: `by` does not vary, or `part` is neither.
        DataError: the setting has more values than fit in a picture, or there is no test part.

    Example:
        >>> import fitscope as fs
        >>> many = fs.fit_many("gates-and", seeds=range(4), lr=[0.1, 0.5])
        >>> record = final_losses(many)
        >>> record.by, record.values, record.count.tolist()
        ('lr', ('0.1', '0.5'), [4, 4])
    """
    losses = _losses(population, part)
    by, values, group = _groups(population, by)
    here = ~_diverged(population)
    n = np.arange(len(values))
    of = [losses[here & (group == v)] for v in n]
    there = losses[here]
    return FinalLosses(
        losses=there,
        group=group[here],
        place=_places(group[here]),
        values=values,
        by=by,
        median=np.array([np.median(one) if len(one) else np.nan for one in of]),
        count=np.array([len(one) for one in of], dtype=np.int64),
        n_diverged=np.array([int((~here & (group == v)).sum()) for v in n], dtype=np.int64),
        label=f"{_label(population)}, {'training' if part == 'train' else 'test'} part",
        log_scale=bool(len(there) and there.min() > 0 and there.max() > 10 * there.min()),
        title=f"{len(population):,} nets at the end of their training",
    )


def success_share(
    population: Population, *, by: str | None = None, below: float = 0.1, part: Part = "train"
) -> SuccessShare:
    """The share of the nets whose loss ends below a bound, with 95 % intervals.

    The interval is the score interval of a binomial share: the shares p for which
    |n_successes / n - p| <= 1.96 sqrt(p (1 - p) / n).

    Args:
        population: what `fit_many` returns.
        by: a setting that varies; default: the first one other than seeds, if any.
        below: the bound, in the unit of the loss.
        part: loss of the training or of the test part.

    Raises:
        UnknownNameError: `by` does not vary, or `part` is neither.
        DataError: the setting has more values than fit in a picture, or there is no test part.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, 1927.

    Example:
        >>> import fitscope as fs
        >>> many = fs.fit_many("gates-and", seeds=range(4), lr=[0.001, 0.5])
        >>> success_share(many, below=0.4).n_successes.tolist()
        [0, 4]
    """
    from scipy.stats import binomtest

    succeeds = _succeed(population, below, part)
    by, values, group = _groups(population, by)
    count = np.bincount(group, minlength=len(values)).astype(np.int64)
    hits = np.bincount(group[succeeds], minlength=len(values)).astype(np.int64)
    pairs = zip(hits.tolist(), count.tolist(), strict=True)
    intervals = [binomtest(k, n).proportion_ci(method="wilson") for k, n in pairs]
    return SuccessShare(
        n_successes=hits,
        count=count,
        share=hits / count,
        low=np.array([float(one.low) for one in intervals]),
        high=np.array([float(one.high) for one in intervals]),
        values=values,
        by=by,
        label=_success(below, part),
        title=f"{int(hits.sum()):,} of {len(population):,} nets succeed",
    )


def start_map(
    population: Population,
    *,
    parameters: Sequence[str] | None = None,
    where: Mapping[str, Any] | None = None,
    below: float = 0.1,
    part: Part = "train",
) -> StartMap:
    """Every net's start in a plane of two parameters, and whether its loss ends below a bound.

    A net's start is drawn again from its seed. By default the plane is that of the two
    parameters, or, where there are more, of the first two principal components of the starts.

    Args:
        population: what `fit_many` returns.
        parameters: two parameters by name, such as `w1[1,1]` and `b1[1]`.
        where: picks nets by their settings, such as {"hidden": [3]}; default: all.
        below: the bound, in the unit of the loss.
        part: loss of the training or of the test part.

    Raises:
        UnknownNameError: no such parameter or setting, or `part` is neither.
        DataError: the nets differ in shape, all start in one place, none is picked, or the
            parameters are not two.

    Example:
        >>> import fitscope as fs
        >>> many = fs.fit_many("bad-start", init=[[-5.0, -10.0], [1.0, 2.0]])
        >>> record = start_map(many)
        >>> record.axes, record.points.tolist(), record.succeeds.tolist()
        (('w1[1,1]', 'b1[1]'), [[-5.0, -10.0], [1.0, 2.0]], [True, True])
    """
    nets = _picked(population, where or {})
    sizes = {tuple(population.plans[i].sizes) for i in nets}
    if len(sizes) > 1:
        shapes = ", ".join("-".join(map(str, one)) for one in sorted(sizes)[:4])
        raise DataError(
            f"start_map needs nets of one shape; these are {shapes}. Pick some by their "
            'settings, such as where={"hidden": [3]}.'
        )
    starts = _starts(population, nets)
    points, axes = _plane(starts, parameter_names(list(sizes.pop())), parameters)
    succeeds = _succeed(population, below, part)[nets]
    return StartMap(
        points=points,
        succeeds=succeeds,
        axes=axes,
        nets=nets,
        label=_success(below, part),
        title=f"the starts of {len(nets):,} nets; {int(succeeds.sum()):,} succeed",
    )


def _diverged(population: Population) -> Bool[np.ndarray, " r"]:
    return np.array([outcome is Outcome.DIVERGED for outcome in population.outcomes], dtype=bool)


def _losses(population: Population, part: str) -> Float64[np.ndarray, " r"]:
    check_choice("part", part, get_args(Part))
    if not len(population):
        raise DataError("This population has no nets in it.")
    losses = population.train_loss if part == "train" else population.test_loss
    if part == "test" and np.isnan(losses[~_diverged(population)]).any():
        raise DataError("Not every net here has a test part; set `test_fraction` to hold one out.")
    return losses


def _label(population: Population) -> str:
    """The loss that the nets share, or any."""
    found = {loss_label(planned) for planned in population.plans}
    return found.pop() if len(found) == 1 else "loss, each net's own"


def _success(below: float, part: str) -> str:
    return f"{'training' if part == 'train' else 'test'} loss ends below {below:g}"


def _succeed(population: Population, below: float, part: str) -> Bool[np.ndarray, " r"]:
    return np.asarray((_losses(population, part) < below) & ~_diverged(population))


def _groups(
    population: Population, by: str | None
) -> tuple[str, tuple[str, ...], Int64[np.ndarray, " r"]]:
    """The setting that tells the nets apart, its values as text, and which of them each has."""
    keys = {name: [json.dumps(v) for v in found] for name, found in population.settings.items()}
    if by is None:
        few = [name for name, found in keys.items() if len(set(found)) <= MAX_GROUPS]
        by = next((name for name in few if "seed" not in name), "")
    elif by not in keys:
        what = "does not vary here" if by in FLAT_FIELDS else "is not a setting"
        varied = ", ".join(keys) or "nothing"
        raise UnknownNameError(f"`{by}` {what}; {varied} does.{near_miss(by, keys)}")
    if not by:
        return "", ("",), np.zeros(len(population), dtype=np.int64)
    values = list(dict.fromkeys(keys[by]))
    if len(values) > MAX_GROUPS:
        raise DataError(
            f"`{by}` has {len(values):,} values here; a picture shows {MAX_GROUPS} at most."
        )
    group = np.array([values.index(key) for key in keys[by]], dtype=np.int64)
    return by, tuple(_text(json.loads(value)) for value in values), group


def _text(value: Any) -> str:
    """A setting's value as it stands on an axis: widths as 8-8, none as none."""
    if value is None or value == []:
        return "none"
    if isinstance(value, list):
        between = "-" if all(isinstance(one, int) for one in value) else ", "
        return between.join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _places(group: Int64[np.ndarray, " r"]) -> Float64[np.ndarray, " r"]:
    """Multiples of the golden section: even within a group, whatever its size."""
    places = np.empty(len(group))
    for v in np.unique(group):
        own = np.flatnonzero(group == v)
        places[own] = np.arange(1, len(own) + 1) * 0.6180339887498949 % 1 - 0.5
    return places


def _picked(population: Population, where: Mapping[str, Any]) -> Int64[np.ndarray, " m"]:
    """The numbers of the nets with those settings."""
    for name in where:
        if name not in FLAT_FIELDS:
            hint = near_miss(name, FLAT_FIELDS)
            raise UnknownNameError(f"`{name}` is not a setting.{hint}")

    def value(i: int, name: str) -> Any:
        section, field = FLAT_FIELDS[name]
        return getattr(getattr(population.plans[i].experiment, section), field)

    picked = [i for i in range(len(population)) if all(value(i, n) == v for n, v in where.items())]
    if not picked:
        raise DataError("No net here has those settings." if where else "There are no nets here.")
    return np.array(picked, dtype=np.int64)


def _starts(population: Population, nets: Int64[np.ndarray, " m"]) -> Float64[np.ndarray, "m p"]:
    """The start of each net, as `fit` draws it."""
    import torch

    starts = []
    for i in nets:
        planned = population.plans[i]
        rng = torch.Generator().manual_seed(planned.experiment.training.seed)
        starts.append(start_parameters(planned.experiment.network, planned.sizes, rng))
    return np.array(starts, dtype=np.float64)


def _plane(
    starts: Float64[np.ndarray, "m p"], names: list[str], chosen: Sequence[str] | None
) -> tuple[Float64[np.ndarray, "m 2"], tuple[str, str]]:
    """The starts in a plane, and the names of its axes."""
    if (starts == starts[0]).all():
        raise DataError("start_map needs several starts; these nets all begin in one place.")
    if chosen is None and len(names) > 2:
        return _components(starts)
    chosen = list(names if chosen is None else chosen)
    for name in chosen:
        if name not in names:
            hint = near_miss(name, names)
            raise UnknownNameError(f"`{name}` is not a parameter of these nets.{hint}")
    if len(set(chosen)) != 2 or len(chosen) != 2:
        raise DataError(f"`parameters` must name two different ones; got {chosen}.")
    a, b = chosen
    return starts[:, [names.index(a), names.index(b)]], (a, b)


def _components(
    starts: Float64[np.ndarray, "m p"],
) -> tuple[Float64[np.ndarray, "m 2"], tuple[str, str]]:
    """The first two principal components; the largest weight in each is positive."""
    around = starts - starts.mean(axis=0)
    _, spread, directions = np.linalg.svd(around, full_matrices=False)
    if len(spread) < 2:
        raise DataError("start_map needs at least two starts.")
    first_two = directions[:2]
    largest = first_two[np.arange(2), np.abs(first_two).argmax(axis=1)]
    shares = 100 * spread**2 / (spread**2).sum()
    names = [
        f"{nth} principal component ({share:.0f} %)"
        for nth, share in zip(("1st", "2nd"), shares, strict=False)
    ]
    return around @ (first_two * np.sign(largest)[:, None]).T, (names[0], names[1])
