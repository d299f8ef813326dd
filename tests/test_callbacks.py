"""The callbacks for skorch and Lightning: the run of a training that these libraries make."""

import copy
import importlib
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import fitscope as fs
from fitscope.callbacks import lightning_callback, skorch_callback
from fitscope.errors import DataError, MissingExtraError
from loops import dense, drawn, flat, ring

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages that they import themselves
    from lightning.pytorch import LightningModule, Trainer
    from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
    from skorch.callbacks import Callback

QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
QUIET |= {"enable_model_summary": False, "accelerator": "cpu"}


class Copies(Callback):
    """Keeps the parameters after every batch of the training, as a user of skorch would."""

    def __init__(self) -> None:
        self.kept: list[np.ndarray] = []

    def on_batch_end(self, net: Any, training: bool | None = None, **_: Any) -> None:
        if training:
            self.kept.append(flat(net.module_))


def test_skorch_records_every_step() -> None:
    """Batches of 40 of 120 samples for 4 epochs: the start and 12 steps, those of the net."""
    X, y = (part.numpy() for part in ring())
    seen, copies = skorch_callback(), Copies()
    net = NeuralNetBinaryClassifier(
        drawn(dense), max_epochs=4, batch_size=40, lr=0.5, train_split=None, verbose=0,
        callbacks=[seen, copies],
    )  # fmt: skip
    net.fit(X, y)
    assert seen.run.params[1:].tobytes() == np.array(copies.kept).tobytes()
    assert (seen.run.loss, seen.run.is_plain) == ("cross_entropy", True)
    assert seen.run.outcome is fs.Outcome.FINISHED
    p = net.predict_proba(X)
    assert seen.run.predict_proba(X) == pytest.approx(p, abs=1e-6)


def test_skorch_classifiers_take_logarithms_of_probabilities() -> None:
    """`NeuralNetClassifier` trains by NLLLoss on what a softmax answers; options reach attach."""
    X, y = (part.numpy() for part in ring())
    module = drawn(
        lambda: nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2), nn.Softmax(1))
    )
    seen = skorch_callback(X[:60], y[:60].astype(int), every=2, classes=["in", "out"])
    net = NeuralNetClassifier(module, max_epochs=3, lr=0.1, verbose=0, callbacks=[seen])
    net.fit(X, y.astype(int))
    run = seen.run
    assert (run.loss, run.is_plain, run.dataset.n_train) == ("cross_entropy", True, 60)
    assert run.dataset.classes == ("in", "out")
    assert run.predict_proba(X) == pytest.approx(net.predict_proba(X), abs=1e-6)


def test_a_skorch_training_that_breaks_off_leaves_its_run() -> None:
    """Skorch tells callbacks nothing of an exception, so the run closes when it is asked for."""

    class Breaks(Callback):
        def on_epoch_end(self, net: Any, **_: Any) -> None:
            raise ZeroDivisionError

    X, y = (part.numpy() for part in ring())
    seen = skorch_callback()
    net = NeuralNetBinaryClassifier(drawn(dense), verbose=0, callbacks=[seen, ("b", Breaks())])
    with pytest.raises(ZeroDivisionError):
        net.fit(X, y)
    assert seen.run.outcome is fs.Outcome.INTERRUPTED
    assert not net.optimizer_._optimizer_step_post_hooks


@pytest.mark.parametrize("valid", [False, True])
def test_ctrl_c_in_skorch_interrupts_the_run(valid: bool) -> None:
    """Skorch swallows it and ends as ever; an early stop by a callback is an end as planned."""

    class Stops(Callback):
        def __init__(self, *, at_end: bool) -> None:
            self.at_end = at_end

        def on_batch_begin(self, net: Any, **_: Any) -> None:
            if not self.at_end and len(net.history) == 2:
                raise KeyboardInterrupt

        def on_epoch_end(self, net: Any, **_: Any) -> None:
            if self.at_end and len(net.history) == 2:
                raise KeyboardInterrupt  # as EarlyStopping does

    X, y = (part.numpy() for part in ring())
    split = {} if valid else {"train_split": None}
    for at_end, outcome in ((False, fs.Outcome.INTERRUPTED), (True, fs.Outcome.FINISHED)):
        seen = skorch_callback()
        stops = [("stops", Stops(at_end=at_end)), seen]
        net = NeuralNetBinaryClassifier(
            drawn(dense), max_epochs=4, verbose=0, callbacks=stops, **split
        )
        net.fit(X, y)
        assert seen.run.outcome is outcome
        assert seen.run.steps[-1] == 1 + at_end


def copied(value: Any) -> Any:
    """By a file."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301


def test_a_net_with_the_callback_is_pickled() -> None:
    """Before, inside and after the training; the run goes along when it is there."""
    inside = []

    class Copies(Callback):
        def on_epoch_end(self, net: Any, **_: Any) -> None:
            inside.append(copied(seen))

    X, y = (part.numpy() for part in ring())
    seen = skorch_callback(every=2)
    net = NeuralNetBinaryClassifier(
        drawn(dense), max_epochs=3, lr=0.1, train_split=None, verbose=0, callbacks=[seen]
    )
    assert copied(net).callbacks[0].scope is None
    net.fit(X, y)
    again = copied(net).callbacks[0]
    assert again.run == seen.run
    assert copy.deepcopy(again).run == seen.run
    assert np.array_equal(again.run.predict(X), net.predict(X).astype(int))
    net.set_params(callbacks=[seen, ("copies", Copies())]).fit(X, y)
    assert seen.run.steps.tolist() == [0, 2, 3]
    for callback in (*inside, copied(lightning_callback(X, y, loss="mse"))):
        with pytest.raises(DataError, match="has seen no training"):
            _ = callback.run


class Lit(LightningModule):
    """A module as its users write it; with two optimizers, or one that breaks, on request."""

    def __init__(self, *, n_optimizers: int = 1, breaks: bool = False) -> None:
        super().__init__()
        self.net, self.n_optimizers, self.breaks = drawn(dense), n_optimizers, breaks
        self.automatic_optimization = n_optimizers == 1
        self.kept: list[np.ndarray] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)[:, 0]

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        if self.breaks and index == 2:
            raise ZeroDivisionError
        X, y = batch
        return F.binary_cross_entropy_with_logits(self(X), y)

    def on_train_batch_end(self, *_: Any) -> None:
        self.kept.append(flat(self))

    def configure_optimizers(self) -> Any:
        made = [torch.optim.Adam(self.parameters(), lr=0.05) for _ in range(self.n_optimizers)]
        return made if len(made) > 1 else made[0]


def lit(module: Lit, **options: Any) -> Any:
    """The callback of a training of 2 epochs with batches of 40, and what came of it."""
    X, y = ring()
    seen = lightning_callback(X, y, loss=nn.BCEWithLogitsLoss(), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning asks for more workers than there are cores
        trainer = Trainer(max_epochs=2, callbacks=[seen], **QUIET)
        trainer.fit(module, DataLoader(TensorDataset(X, y), batch_size=40))
    return seen


def test_lightning_records_every_step() -> None:
    """The parameters after each batch, bit for bit; the module's own net is found to be plain."""
    module = Lit()
    run = lit(module, title="lit").run
    assert run.params[1:].tobytes() == np.array(module.kept).tobytes()
    assert (run.loss, run.is_plain, run.experiment.title) == ("cross_entropy", True, "lit")
    assert run.layer_sizes == [2, 5, 1]


def test_lightning_that_breaks_off_leaves_its_run() -> None:
    """The exception goes on its way, and the run is what there was until then."""
    X, y = ring()
    seen, module = lightning_callback(X, y, loss=nn.BCEWithLogitsLoss()), Lit(breaks=True)
    trainer = Trainer(max_epochs=2, callbacks=[seen], **QUIET)
    with pytest.raises(ZeroDivisionError), warnings.catch_warnings():  # noqa: PT012
        warnings.simplefilter("ignore")
        trainer.fit(module, DataLoader(TensorDataset(X, y), batch_size=40))
    assert seen.run.outcome is fs.Outcome.INTERRUPTED
    assert seen.run.steps.tolist() == [0, 1, 2]


def test_lightning_with_several_optimizers_is_refused() -> None:
    """With the reason of fs.attach."""
    with pytest.raises(DataError, match="`optimizer` must be one optimizer; got 2 in a list"):
        lit(Lit(n_optimizers=2))


def test_a_callback_without_a_training_says_so() -> None:
    """There is no run before `fit`."""
    with pytest.raises(DataError, match="The callback has seen no training; fit first"):
        _ = skorch_callback().run


def test_a_missing_library_is_named_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every extra."""

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r'for skorch needs .* pip install "fitscope\[sko'):
        skorch_callback()
    with pytest.raises(MissingExtraError, match=r'pip install "fitscope\[lightning\]"'):
        lightning_callback([[0.0]], [0.0], loss="mse")
