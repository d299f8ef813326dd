"""The table of views and its doors: one name, one set of options, two libraries."""

import copy
import inspect
import pickle
from typing import Any, get_args

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure
from PIL import Image

import fitscope as fs
from fitscope import analysis
from fitscope.errors import DataError, FitscopeError, UnknownNameError
from fitscope.plot import VIEWS, Pictures, View, canvas, draw, theme, view
from fitscope.plot.canvas import Drawing, new_axes, styled
from fitscope.records import Run

OF_A_RUN = [name for name, one in VIEWS.items() if one.of == "run"]
# A run of every kind of data: views that are not for it refuse it in a sentence.
RUNS = {
    "1-D classes": {"source": "bad-start", "epochs": 3},
    "1-D values": {"source": "sine", "hidden": [3], "epochs": 2},
    "2-D classes": {"source": "gates-xor-hidden", "epochs": 2},
    "2-D several classes": {"source": "blobs", "hidden": [2], "epochs": 2, "n_samples": 60},
    "many classes": {"source": "breast-cancer", "epochs": 2},
    "many values": {"source": "diabetes", "epochs": 2},
    "polynomial": {"source": "polynomial", "stop_below": 0.5},
}


@pytest.fixture(scope="session")
def runs() -> dict[str, Run]:
    """One run of each kind."""
    return {kind: fs.fit(**flags) for kind, flags in RUNS.items()}


@pytest.fixture(scope="session")
def run(runs: dict[str, Run]) -> Run:
    """Two classes over two inputs."""
    return runs["2-D classes"]


def _own(function: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


# the law


@pytest.mark.parametrize("one", VIEWS.values(), ids=VIEWS)
def test_both_libraries_take_the_same_options(one: View) -> None:
    """Names, kinds, defaults and annotations are equal, apart from `ax`; the record is first."""
    drawn = [option for option in _own(one.matplotlib) if option.name != "ax"]
    assert drawn == _own(one.plotly)
    assert drawn[0].name == "record"
    assert drawn[0].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert drawn[0].annotation == inspect.signature(one.analyse).return_annotation
    assert drawn[-1] == inspect.Parameter(
        "theme", inspect.Parameter.KEYWORD_ONLY, default="light", annotation=str
    )


@pytest.mark.parametrize("one", VIEWS.values(), ids=VIEWS)
def test_a_view_has_one_name(one: View) -> None:
    """Table, analysis, matplotlib and plotly agree, and both packages hold them."""
    assert VIEWS[one.name] is one
    assert one.matplotlib.__name__ == one.name
    assert one.plotly.__name__ == f"{one.name}_plotly"
    assert getattr(analysis, one.name) is one.analyse
    assert getattr(fs.plot, one.name) is one.matplotlib
    assert getattr(fs.plot, one.plotly.__name__) is one.plotly


@pytest.mark.parametrize("one", VIEWS.values(), ids=VIEWS)
def test_all_options_are_named_and_none_twice(one: View) -> None:
    """Keywords only, each with a default; no option of the drawing hides one of the analysis.

    Nor do they hide the names that `draw` has for itself.
    """
    asked, drawn = _own(one.analyse)[1:], _own(one.matplotlib)[1:]
    for option in (*asked, *drawn):
        assert option.kind is inspect.Parameter.KEYWORD_ONLY
        assert option.default is not inspect.Parameter.empty
        assert option.annotation is not inspect.Parameter.empty
    names = [option.name for option in (*asked, *drawn)]
    assert len(set(names)) == len(names)
    assert not set(names) & {"name", "subject", "backend"}


@pytest.mark.parametrize("one", VIEWS.values(), ids=VIEWS)
def test_a_view_says_what_it_shows(one: View) -> None:
    """In one line of the table, and every option of the analysis in its docstring."""
    assert 10 < len(one.about) <= 90
    assert one.about[0].islower()
    assert not one.about.endswith(".")
    documented = inspect.getdoc(one.analyse) or ""
    assert [o.name for o in _own(one.analyse) if f"{o.name}: " not in documented] == []


# doors


def _drawn(pictures: Pictures, name: str) -> Any:
    """The figure, or the sentence that says why there is none."""
    try:
        return getattr(pictures, name)()
    except DataError as error:
        return str(error)


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_A_RUN)
def test_each_door_gives_a_figure_or_a_sentence(name: str, runs: dict[str, Run]) -> None:
    """Both libraries draw the same runs; each view draws at least one, and refuses in words."""
    drew = 0
    for run in runs.values():
        fig, web = _drawn(run.plot, name), _drawn(run.show, name)
        if isinstance(fig, str):
            assert fig.endswith(".")
            assert web == fig
            continue
        assert isinstance(fig, Figure)
        assert isinstance(web, go.Figure)
        drew += 1
    assert drew > 0


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("name", ["scatter", "decision_field", "loss_curves"])
def test_options_reach_analysis_and_drawing(name: str, look: str, run: Run) -> None:
    """A step goes to the analysis, a theme to the drawing."""
    step = {"step": 0} if "step" in VIEWS[name].options() else {}
    title = getattr(analysis, name)(run, **step).title
    fig, web = (getattr(door, name)(theme=look, **step) for door in (run.plot, run.show))
    paper = theme.INKS[look].paper
    assert fig.get_facecolor() == pytest.approx(canvas.mpl.colors.to_rgba(paper))
    assert (web.layout.paper_bgcolor, web.layout.title.text) == (paper, title)


def test_a_picture_is_drawn_into_the_axes_that_are_given(run: Run) -> None:
    """The figure that comes back is theirs."""
    with styled("light"):
        ax = new_axes()
    assert run.plot.scatter(ax=ax) is ax.figure
    assert ax.get_xlabel() == "x1"


@pytest.mark.parametrize("door", ["plot", "show"])
def test_a_door_lists_its_views_and_nothing_else(run: Run, door: str) -> None:
    """`dir` is what an editor offers; a view of something else is not among them."""
    pictures = getattr(run, door)
    assert dir(pictures) == sorted(OF_A_RUN)
    assert all(callable(getattr(pictures, name)) for name in dir(pictures))
    library = "matplotlib" if door == "plot" else "plotly"
    assert repr(pictures).startswith(f"<views of {run!r} by {library}: ")


def test_a_door_tells_its_options(run: Run) -> None:
    """Name, signature and docstring are there for `help`; only matplotlib takes axes."""
    for pictures, ax in ((run.plot, ["ax"]), (run.show, [])):
        door = pictures.decision_field
        assert (door.__name__, door.__qualname__) == ("decision_field", "decision_field")
        assert inspect.getdoc(door) == inspect.getdoc(analysis.decision_field)
        options = list(inspect.signature(door).parameters)
        asked = ["step", "features", "label", "classes", "n_grid"]
        assert options == [*asked, *ax, "theme"]
        with pytest.raises(TypeError, match="positional"):
            door(5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("decison_field", "not a view of a run. Did you mean `decision_field`?"),
        ("sigmoid_curves", "`sigmoid_curves` is not a view of a run."),
        ("qqq", "`qqq` is not a view of a run. There are scatter, decision_field, "),
    ],
)
def test_an_unknown_view_is_named_with_the_near_miss(run: Run, name: str, message: str) -> None:
    """As an unknown name, and as the missing attribute that Python takes it for."""
    with pytest.raises(UnknownNameError) as raised:
        getattr(run.plot, name)
    assert message in str(raised.value)
    assert not hasattr(run.plot, name)
    with pytest.raises(UnknownNameError, match=f"`{name}` is not a view of a run"):
        view(name, "run")


@pytest.mark.parametrize("door", ["plot", "show"])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"them": "dark"}, UnknownNameError, "`them` is not an option of decision_field.*`theme`"),
        ({"size": 3}, UnknownNameError, "which takes step, features, label, classes, n_grid"),
        ({"theme": "drak"}, UnknownNameError, "must be light or dark; got 'drak'.* `dark`"),
        ({"n_grid": "many"}, DataError, "`n_grid` must be a whole number; got 'many'"),
        ({"n_grid": 1}, DataError, "`n_grid` must be from 2"),
        ({"step": 99999}, DataError, "Step 99999 is not in this run"),
    ],
)
def test_a_wrong_option_is_refused_in_a_sentence(
    run: Run, door: str, options: dict[str, Any], error: type[FitscopeError], message: str
) -> None:
    """Which option, what it takes, and the near miss."""
    with pytest.raises(error, match=message):
        getattr(run, door).decision_field(**options)


def test_axes_are_no_option_of_plotly(run: Run) -> None:
    """It has none to draw into."""
    with pytest.raises(UnknownNameError, match="`ax` is not an option of scatter"):
        run.show.scatter(ax=None)


def test_text_is_read_as_the_option_wants_it(run: Run) -> None:
    """What a command line passes on is a number where a number is asked for."""
    fig = run.show.decision_field(n_grid="7", step="0")
    assert len(fig.data[0].x) == 7
    assert fig.layout.title.text == "before training"


def _pickled(pictures: Pictures) -> Any:
    return pickle.loads(pickle.dumps(pictures))  # noqa: S301 (our own)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, _pickled])
def test_doors_are_copied_and_pickled(run: Run, again: Any) -> None:
    """Looking for what copying needs does not look for views, and so finds an end."""
    made = again(run.plot)
    assert isinstance(made, Pictures)
    assert dir(made) == dir(run.plot)
    assert isinstance(made.scatter(), Figure)
    with pytest.raises(AttributeError):
        _ = Pictures.__new__(Pictures)._anything


# draw


def test_draw_is_the_door_of_everything_else(run: Run) -> None:
    """The same picture of a run, and those of what is no run."""
    assert isinstance(draw("scatter", run), Figure)
    assert isinstance(draw("scatter", run, backend="plotly"), go.Figure)
    assert isinstance(draw("scatter", run.dataset), Figure)
    fig = draw("sigmoid_curves", [(1, 0), (5, 5)], n_grid=11)
    assert len(fig.axes[0].lines) >= 2


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("scater", {}, "`scater` is not a view of a run. Did you mean `scatter`?"),
        ("scatter", {"backend": "ploty"}, "must be matplotlib or plotly; got 'ploty'.*`plotly`"),
        ("scatter", {"feature": 1}, "`feature` is not an option of scatter, .*`features`"),
    ],
)
def test_draw_refuses_in_a_sentence(
    run: Run, name: str, options: dict[str, Any], message: str
) -> None:
    """An unknown view, library or option, each with the near miss."""
    with pytest.raises(UnknownNameError, match=message):
        draw(name, run, **options)


def test_every_subject_has_a_view_and_every_view_a_subject() -> None:
    """The three kinds of subject are all there is."""
    kinds = get_args(View.__annotations__["of"])
    assert {one.of for one in VIEWS.values()} == set(kinds)


# figures


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_drawing_shows_itself_in_a_notebook(run: Run, look: str) -> None:
    """As a PNG of the figure's size, on the ground of its theme, whatever the user's style is."""
    fig = run.plot.scatter(theme=look)
    assert isinstance(fig, Drawing)
    with canvas.mpl.rc_context({"savefig.facecolor": "red"}):
        png = fig._repr_png_()
    assert png.startswith(b"\x89PNG")
    image = np.asarray(Image.open(canvas.io.BytesIO(png)).convert("RGB"))
    width, height = fig.get_size_inches() * 110
    assert image.shape[:2] == (round(height), round(width))
    paper = canvas.mpl.colors.to_rgb(theme.INKS[look].paper)
    np.testing.assert_allclose(image[1, 1] / 255, paper, atol=1 / 255)
