"""Explorers: a new picture and a true title at every move, a still where no widgets run."""

import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import fitscope as fs
from fitscope.notebook import Explorer, explore
from notebooks import execute

MOVES: dict[str, dict[str, Any]] = {
    "gates": {"gate": "xor", "noise": 0.2, "engine": "scikit-learn", "show": "classes"},
    "sigmoid": {"w": 3.0, "b": -1.0, "data": "step"},
    "sigmoid2d": {"w1": 0.0, "b": 2.0, "kind": "surface"},
    "fit": {"data": "moons", "hidden": 4, "optimizer": "rmsprop", "epochs": 50},
    "hidden": {"width": 2, "epochs": 100, "shown": "hidden_lines", "moment": 0.5},
    "surface": {"loss": "mse", "w": 3.0, "optimizer": "adam", "kind": "3d"},
    "sine": {"epochs": 100, "width": 4, "steps": True, "flipped": True, "moment": 0.7},
}


def _drawn(explorer: Explorer) -> list[Any]:
    """Everything that the figures show, as plain values."""
    named = re.compile(r"'uid': '[^']*'")  # by plotly, anew for each trace
    return [named.sub("", str(figure.to_dict())) for figure in explorer.figures]


def test_there_is_one_for_each_notebook() -> None:
    """`fs.explore` has the seven, each documented, and nothing else."""
    assert sorted(fs.explore.__all__) == sorted(MOVES)
    assert all(getattr(fs.explore, name).__doc__ for name in MOVES)


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
    """ReLU units have no levels for steps: a sentence, not a traceback."""
    explorer = explore.hidden()
    explorer.controls["width"].value = 1
    before = _drawn(explorer)
    explorer._show = _refuse
    explorer.controls["seed"].value = 3
    assert explorer.title == "Not drawn: no."
    assert _drawn(explorer) == before


def _refuse(**_values: Any) -> Any:
    raise fs.FitscopeError("no.")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Jupyter's own are none of ours
def test_a_page_made_from_the_notebook_shows_the_last_state(tmp_path: Path) -> None:
    """Beside the widget stands a picture with the title of the last move."""
    notebook = nbformat.v4.new_notebook()
    shown = "import fitscope as fs\ne = fs.explore.gates()\ne"
    for source in (shown, "e.controls['gate'].value = 'xor'"):
        notebook.cells.append(nbformat.v4.new_code_cell(source))
    execute(notebook, tmp_path)
    widget, still = notebook.cells[0].outputs
    assert "application/vnd.jupyter.widget-view+json" in widget.data
    assert "xor gate" in still.data["text/plain"]
    assert 'src="data:image/png;base64,' in still.data["text/html"]
    assert "body:has(.widget-box) .fitscope-still {display: none}" in still.data["text/html"]
