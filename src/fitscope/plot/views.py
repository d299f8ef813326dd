"""The table of views, and the doors to them: `run.plot.NAME(...)` and `run.show.NAME(...)`."""

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from fitscope import analysis
from fitscope.analysis.needs import needs_one_target
from fitscope.errors import DataError, UnknownNameError, near_miss
from fitscope.settings import shown_value, worded

__all__ = ["VIEWS", "Pictures", "View", "draw", "view"]

Backend = Literal["matplotlib", "plotly"]
Subject = Literal["run", "population", "pairs"]  # pairs: a list of (w, b)
_OF_ANY_TARGETS = ("loss_curves", "loss_surface", "parameter_paths")


class View(NamedTuple):
    """A question and its picture: what is asked, what answers it, what draws the answer."""

    about: str
    analyse: Callable[..., Any]
    of: Subject = "run"  # what it is a view of

    @property
    def name(self) -> str:
        """The name of the view, which is that of its analysis."""
        return self.analyse.__name__

    @property
    def matplotlib(self) -> Callable[..., Any]:
        """Draws the record by matplotlib."""
        return self._drawing(self.name)

    @property
    def plotly(self) -> Callable[..., Any]:
        """Draws the record by plotly."""
        return self._drawing(f"{self.name}_plotly")

    def _drawing(self, name: str) -> Callable[..., Any]:
        """A function of the file in `plot/` that is named as that of the analysis."""
        file = self.analyse.__module__.rpartition(".")[2]
        drawn: Callable[..., Any] = getattr(importlib.import_module(f"fitscope.plot.{file}"), name)
        return drawn

    def options(self, backend: str = "plotly") -> dict[str, inspect.Parameter]:
        """What can be set, by name: of the analysis first, then of the drawing.

        Those of both backends are the same, but for `ax`, which only matplotlib has.
        """
        draw = self.matplotlib if backend == "matplotlib" else self.plotly
        asked = list(inspect.signature(self.analyse).parameters.values())[1:]
        drawn = list(inspect.signature(draw).parameters.values())[1:]
        return {option.name: option for option in (*asked, *drawn)}

    def figure(self, subject: Any, backend: str, **options: Any) -> Any:
        """The picture of a run, by one of the two libraries.

        Raises:
            UnknownNameError: the view has no such option.
            DataError: the view does not apply to this run; the sentence says why.
        """
        if self.of == "run" and self.name not in _OF_ANY_TARGETS:
            needs_one_target(getattr(subject, "dataset", subject), self.name)  # or data alone
        draw = self.matplotlib if backend == "matplotlib" else self.plotly
        known = self.options(backend)
        for name in options:
            if name not in known:
                raise UnknownNameError(
                    f"`{name}` is not an option of {self.name}, which takes "
                    f"{', '.join(known)}.{near_miss(name, known)}"
                )
        given = {name: _checked(name, value, known[name]) for name, value in options.items()}
        asked = inspect.signature(self.analyse).parameters
        record = self.analyse(subject, **{n: v for n, v in given.items() if n in asked})
        return draw(record, **{n: v for n, v in given.items() if n not in asked})


def _checked(name: str, value: Any, option: inspect.Parameter) -> Any:
    """The value as the option wants it: "50" is 50 where a whole number is asked for."""
    try:
        return _adapter(option.annotation).validate_python(value)
    except ValidationError as error:
        item = error.errors()[0]
        hint = f"`{name}` {worded(item)}; got {shown_value(item['input'])}."
        raise DataError(hint) from None


@functools.cache
def _adapter(annotation: Any) -> Any:
    return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))


_ALL = (
    View("the samples, by class, training and test told apart", analysis.scatter),
    View("probability, class or value over two inputs, with the samples", analysis.decision_field),
    View(
        "the answer along the single input, at one or several moments; units as steps",
        analysis.response_curve,
    ),
    View("the learned polynomial beside the true one, both as formulas", analysis.polynomial_curve),
    View(
        "the lines of the first layer's units, and the regions that they cut", analysis.hidden_lines
    ),
    View("the samples as a hidden layer sees them, an axis a unit", analysis.hidden_space),
    View("every unit's answer over the inputs, laid out as the network", analysis.unit_maps),
    View("how the loss fell, on the training and the test part", analysis.loss_curves),
    View(
        "the loss over two parameters or a plane through all of them, and the path on it",
        analysis.loss_surface,
    ),
    View("the scores on both parts, beside those of a trivial baseline", analysis.metrics),
    View("how often each class is taken for which", analysis.confusion),
    View("a regression's answers against the true values", analysis.fit_scatter),
    View("what a regression leaves unexplained, with a histogram", analysis.residuals),
    View("true against false positives over all thresholds, with the area", analysis.roc_curve),
    View("precision against recall over all thresholds", analysis.precision_recall),
    View("whether the probabilities come true, bin by bin", analysis.calibration),
    View(
        "several runs, and scikit-learn, on one set of axes: losses, paths or boundaries",
        analysis.compare,
    ),
    View(
        "every parameter over the updates, and the norm of the gradient", analysis.parameter_paths
    ),
    View(
        "the network: units, weights and biases, and each unit's formula", analysis.network_diagram
    ),
    View(
        "which inputs matter: coefficients, or what shuffling an input costs", analysis.importance
    ),
    View(
        "what training reaches from every start (w, b) of a model with two parameters",
        analysis.basin_map,
    ),
    View(
        "the loss of many nets at their end, by the values of a setting",
        analysis.final_losses,
        "population",
    ),
    View(
        "how many of many nets succeed, by the values of a setting, with 95 % intervals",
        analysis.success_share,
        "population",
    ),
    View(
        "the starts of many nets in a plane, and which of them fail",
        analysis.start_map,
        "population",
    ),
    View(
        "the sigmoid of w x + b for neurons (w, b) chosen by hand", analysis.sigmoid_curves, "pairs"
    ),
    View(
        "the sigmoid of w1 x1 + w2 x2 + b for a neuron (w1, w2, b), as a map or a surface",
        analysis.sigmoid_plane,
        "pairs",
    ),
)
VIEWS: Mapping[str, View] = {one.name: one for one in _ALL}


def view(name: str, of: Subject | None = None) -> View:
    """The view of that name; of one kind of subject, or of any.

    Raises:
        UnknownNameError: there is none.
    """
    known = [n for n, one in VIEWS.items() if of in (None, one.of)]
    if name not in known:
        hint = near_miss(name, known) or f" There are {', '.join(known)}."
        raise UnknownNameError(f"`{name}` is not a view of a {of or 'run'}.{hint}")
    return VIEWS[name]


def draw(name: str, subject: Any, *, backend: str = "matplotlib", **options: Any) -> Any:
    """The picture of anything that a view shows, such as a list of (w, b).

    Args:
        name: a view; `fitscope plot --list` lists them.
        subject: a run, a population, or what else the view is of.
        backend: "matplotlib" or "plotly".
        **options: of the view.

    Raises:
        UnknownNameError: there is no such view, option or backend.
        DataError: the view does not apply; the sentence says why.

    Example:
        >>> import fitscope as fs
        >>> draw("scatter", fs.fit("gates-and")).axes[0].get_xlabel()
        'x1'
    """
    if backend not in get_args(Backend):
        hint = near_miss(backend, get_args(Backend))
        raise UnknownNameError(f"`backend` must be matplotlib or plotly; got {backend!r}.{hint}")
    return view(name).figure(subject, backend, **options)


class _UnknownViewError(UnknownNameError, AttributeError):
    """Also what `hasattr` expects."""


class Pictures:
    """The views of one run or population, each a function that gives a figure."""

    def __init__(self, subject: Any, backend: Backend, of: Subject = "run") -> None:
        self._subject, self._backend, self._of = subject, backend, of

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)  # for copying and the like, which look for such names
        try:
            found = view(name, self._of)
        except UnknownNameError as error:
            raise _UnknownViewError(str(error)) from None

        def drawn(**options: Any) -> Any:
            return found.figure(self._subject, self._backend, **options)

        drawn.__name__ = drawn.__qualname__ = name
        drawn.__doc__ = found.analyse.__doc__
        options = found.options(self._backend).values()
        drawn.__signature__ = inspect.Signature(list(options))  # type: ignore[attr-defined]
        return drawn

    def __dir__(self) -> list[str]:
        return [name for name, one in VIEWS.items() if one.of == self._of]

    def __repr__(self) -> str:
        return f"<views of {self._subject!r} by {self._backend}: {', '.join(dir(self))}>"
