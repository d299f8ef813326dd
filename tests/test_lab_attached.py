"""A loop of somebody's own on the page: its run is read, shown and replayed as any other."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, expect

import fitscope as fs
from fitscope.records import Run
from fitscope.runfile import run_bytes
from lab_runs import text_of
from loops import Residual, dense, drawn, ring, trained
from test_attached_own import edited

if TYPE_CHECKING:
    from browser import Ask

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]


def cubed(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A loss that is none of fitscope's."""
    return ((out - y).abs() ** 3).mean()


@pytest.fixture(scope="module")
def run() -> Run:
    """A plain stack, every third step kept."""
    return trained(drawn(dense), 40, every=3, test=ring(30, seed=1))[0]


def test_the_page_reads_where_losses_were_taken(ask: "Ask", run: Run) -> None:
    """The losses stand at their steps; those of fit at the ends of epochs."""
    assert ask("taken", text_of(run)) == run.loss_steps.tolist()
    found = ask("whole", [text_of(run), False])["arrays"]
    for own, known in (("lossSteps", run.loss_steps), ("params", run.params)):
        assert base64.b64decode(found[own]) == known.tobytes()
    ours = fs.fit("gates-and", epochs=2)
    assert ask("taken", text_of(ours)) == ours.loss_steps.tolist()


def test_the_page_refuses_what_it_cannot_compute(ask: "Ask", run: Run) -> None:
    """A module of somebody's own, and files whose parts do not fit, in one sentence each."""
    own, _ = trained(drawn(Residual))
    content = run_bytes(run)
    files = [
        run_bytes(own),
        edited(content, lambda a, _: a.update(loss_steps=a["loss_steps"][:-1])),
        edited(content, lambda a, _: a["loss_steps"].__setitem__(1, 0)),
        edited(content, lambda a, _: a.pop("loss_steps")),
        edited(content, lambda a, _: a.update(batch_loss=np.ones(2, np.float32))),
    ]
    said = ask("refusals", [base64.b64encode(file).decode() for file in files])
    assert "of a module that is no plain stack of layers, which this page cannot" in said[0]
    assert all("`loss_steps` does not fit `train_loss`" in one for one in said[1:3])
    assert "`loss_steps` is missing" in said[3]
    assert "`batch_loss` does not fit the steps" in said[4]


def test_the_replay_shows_the_loop(browser: Browser, run: Run, tmp_path: Path) -> None:
    """What was trained and by what, its losses, and that only the loop gives it again."""
    (X, _), complaints = ring(), []
    own, _ = trained(drawn(dense), data=(X, X[:, 0] * X[:, 1]), loss=cubed)
    for number, one in enumerate((run, own)):
        path = tmp_path / f"{number}.html"
        fs.save_report(one, path)
        page = browser.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        expect(page.locator("#data")).to_contain_text("Adam updates of a loop of its own")
        expect(page.locator("#data")).to_contain_text("Only that loop gives it again.")
        expect(page.locator("canvas.losses")).to_be_visible()
        page.close()
    assert complaints == []
