"""Explorers: a new picture and a true title at every move, a still where no widgets run."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from IPython.core.events import EventManager
from sklearn.linear_model import LogisticRegression

import fitscope as fs
from fitscope.notebook import Explorer, explore
from fitscope.plot.theme import INKS
from notebooks import execute

MOVES: dict[str, dict[str, Any]] = {
    "gates": {"gate": "xor", "noise": 0.2, "engine": "scikit-learn", "show": "classes"},
    "sigmoid": {"w": 3.0, "b": -1.0, "data": "step"},
    "sigmoid2d": {"w1": 0.0, "b": 2.0, "kind": "gaussians"},
    "fit": {"data": "xor", "hidden": 4, "optimizer": "rmsprop", "batch_size": 100},
    "hidden": {"width": 2, "epochs": 100, "shown": "hidden_lines", "moment": 0.5},
    "surface": {"loss": "mse", "w": 3.0, "optimizer": "adam", "kind": "3d"},
    "sine": {"epochs": 100, "width": 4, "steps": True, "flipped": True, "moment": 0.7},
}


def _drawn(explorer: Explorer) -> list[Any]:
    """Everything that the figures show, as plain values."""
    named = re.compile(r'"uid": "[^"]*"')  # by plotly, anew for each trace
    figures = [json.loads(figure.to_json()) for figure in explorer.figures]
    return [named.sub("", json.dumps(figure, sort_keys=True)) for figure in figures]


def test_there_is_one_for_each_notebook() -> None:
    """`fs.explore` has the seven, each documented, and nothing else."""
    assert sorted(fs.explore.__all__) == sorted(MOVES)
    assert all(getattr(fs.explore, name).__doc__ for name in MOVES)


@pytest.mark.slow
@pytest.mark.parametrize("name", MOVES)
def test_every_move_draws_anew(name: str) -> None:
    """Each control changes the picture or the title, and what stood before comes back."""
    explorer = getattr(explore, name)()
    for control, value in MOVES[name].items():
        before, title = _drawn(explorer), explorer.title
        old = explorer.controls[control].value
        explorer.controls[control].value = value
        assert (_drawn(explorer), explorer.title) != (before, title), control
        assert not explorer.title.startswith("Not drawn"), explorer.title
        assert explorer.title in re.sub(r"&\w+;", "", explorer.children[1].value) or "&" in (
            explorer.children[1].value
        )
        explorer.controls[control].value = old
        assert (_drawn(explorer), explorer.title) == (before, title), control
        explorer.controls[control].value = value


def test_the_gates_title_holds_the_accuracies_of_what_is_shown() -> None:
    """By steps and by scikit-learn: the numbers are those of the model in the picture."""
    explorer = explore.gates()
    explorer.controls["noise"].value = 0.3
    spec = fs.DataSpec(name="gates", gate="and", n_samples=500, noise=0.3, test_fraction=0.2)
    data = fs.dataset(spec)
    options = {"optimizer": "sgd", "lr": 0.5, "batch_size": 64, "init": "ones", "epochs": 20}
    found = fs.fit(data, **options).metrics
    wanted = "train {train_accuracy:.2f}, test {test_accuracy:.2f}".format(**found)
    assert explorer.title.endswith(wanted)
    explorer.controls["engine"].value = "scikit-learn"
    model = LogisticRegression().fit(data.X, data.y)
    scores = model.score(data.X, data.y), model.score(data.X_test, data.y_test)
    assert explorer.title.endswith("train {:.2f}, test {:.2f}".format(*scores))
    heat = next(trace for trace in explorer.figures[0].data if trace.type == "heatmap")
    i, j = 10, 60
    p = model.predict_proba([[heat.x[j], heat.y[i]]])[0, 1]
    assert heat.z[i][j] == pytest.approx(p, abs=1e-6)  # float32 parameters


def test_the_sigmoid_by_hand_says_its_loss() -> None:
    """The loss in the title is that of the w and b on the sliders."""
    explorer = explore.sigmoid()
    explorer.controls["data"].value = "step"
    explorer.controls["w"].value = 15.0
    data = fs.dataset(fs.DataSpec(name="step"))
    z = 15.0 * data.X[:, 0].astype(float)
    loss = np.mean(np.logaddexp(0, z) - z * data.y)
    assert f"loss {loss:.4g} " in explorer.title


def test_what_cannot_be_drawn_is_said_and_the_picture_stays() -> None:
    """A sentence, not a traceback: what is wrong, and what the picture still shows."""
    explorer = explore.hidden()
    explorer.controls["width"].value = 1
    before, title, show = _drawn(explorer), explorer.title, explorer._show
    for seed, error in enumerate((fs.FitscopeError("no."), ZeroDivisionError("no.")), start=3):
        explorer._show = partial(_refuse, error)
        explorer.controls["seed"].value = seed
        kind = "ZeroDivisionError: " * isinstance(error, ZeroDivisionError)
        assert explorer.title == f"Not drawn: {kind}no. Below is still: {title}"
        assert _drawn(explorer) == before
    explorer._show = show
    explorer.controls["seed"].value = 5
    assert explorer.title.startswith("rings, ")
    assert _drawn(explorer) != before


def _refuse(error: Exception, **_values: Any) -> Any:
    raise error


def test_a_move_sends_only_what_changes() -> None:
    """What a person has turned or zoomed stays, and samples are not sent again."""
    explorer = explore.gates()
    figure = explorer.figures[0]
    figure.layout.xaxis.range = zoomed = (0.0, 1.0)
    sent: list[Any] = []
    figure.observe(lambda change: sent.append(change.new), names="_py2js_update")
    explorer.controls["lr"].value = 0.1
    assert figure.layout.xaxis.range == zoomed
    edits = [edit for message in sent if message for edit in [message["style_data"]]]
    assert {name for edit in edits for name in edit} == {"z"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_that_of_every_picture(theme: str) -> None:
    """Figures and stills have the paper of the theme that was asked for."""
    explorer = explore.surface(theme=theme)
    paper = INKS[theme].paper
    assert [figure.layout.paper_bgcolor for figure in explorer.figures] == [paper] * 2
    still = explorer._panels[0].still(theme).convert("RGB")
    assert "#{:02x}{:02x}{:02x}".format(*still.getpixel((0, 0))) == paper


@pytest.mark.parametrize(("name", "control"), [("gates", "noise"), ("sine", "seed")])
def test_axes_stay_where_they_are(name: str, control: str) -> None:
    """A picture does not jump between moves, in either drawing."""
    explorer = getattr(explore, name)()
    (panel,), layout = explorer._panels, explorer.figures[0].layout
    before = layout.xaxis.range, layout.yaxis.range
    assert before[1] == ((-1.0, 2.0) if name == "gates" else (-4.5, 4.5))
    explorer.controls[control].value = 1.0 if name == "gates" else 7
    assert (layout.xaxis.range, layout.yaxis.range) == before
    assert panel.still().size == explorer._panels[0].still().size


def test_displays_share_one_handler_and_the_last_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Displayed twice: one still is drawn for both places, and a closed explorer draws none."""
    shell = _Shell()
    updates: list[str] = []
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr("IPython.display.display", lambda *_given, **_options: None)
    monkeypatch.setattr(
        "IPython.display.update_display", lambda still, **_how: updates.append(still["text/plain"])
    )
    shown, hidden = explore.sigmoid(), explore.sigmoid()
    shown._ipython_display_()
    shown._ipython_display_()
    assert len(shell.events.callbacks["post_run_cell"]) == 1
    shown.controls["w"].value = 2.0
    hidden.controls["w"].value = 3.0
    shell.events.trigger("post_run_cell", None)
    shell.events.trigger("post_run_cell", None)
    assert updates == ["sigmoid(2 x + 0)"]
    shown.controls["w"].value = 4.0
    shown.close()
    shell.events.trigger("post_run_cell", None)
    assert len(updates) == 1


class _Shell:
    """What an explorer needs of IPython."""

    def __init__(self) -> None:
        self.events = EventManager(self, {"post_run_cell": lambda _result: None})


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Jupyter's own are none of ours
def test_a_page_made_from_the_notebook_shows_the_last_state(tmp_path: Path) -> None:
    """Beside the widget stands a picture with the title of the last move."""
    notebook = nbformat.v4.new_notebook()
    shown = "import fitscope as fs\ne = fs.explore.gates()\ne"
    for source in (shown, "e.controls['gate'].value = 'xor'"):
        notebook.cells.append(nbformat.v4.new_code_cell(source))
    notebook.cells.append(nbformat.v4.new_code_cell("e"))
    execute(notebook, tmp_path)
    widget, still = notebook.cells[0].outputs
    assert notebook.cells[2].outputs[1].data == still.data  # both places show it
    assert "application/vnd.jupyter.widget-view+json" in widget.data
    assert "XOR gate" in still.data["text/plain"]
    assert 'src="data:image/png;base64,' in still.data["text/html"]
    assert ".jp-OutputArea:has(.widget-box) .fitscope-still" in still.data["text/html"]
