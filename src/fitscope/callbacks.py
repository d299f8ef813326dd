"""`fs.attach` for libraries that own the loop: a callback for skorch, and one for Lightning."""

import importlib
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from fitscope.attached import Scope, attach
from fitscope.errors import DataError, MissingExtraError
from fitscope.records import Run

__all__ = ["lightning_callback", "skorch_callback"]


class _Recording:
    """What both callbacks share: one scope, and the run when it is closed."""

    again: ClassVar[Callable[[], Any]]  # makes such a callback
    scope: Scope | None = None
    _run: Run | None = None  # of a callback that was copied or read from a file

    @property
    def run(self) -> Run:
        """The recording; of a training that was cut off, what there is of it."""
        if self.scope is None:
            if self._run is None:
                raise DataError("The callback has seen no training; fit first.")
            return self._run
        self.scope.close(interrupted=True)  # nothing where the training has ended
        return self.scope.run

    def __reduce__(self) -> tuple[Any, ...]:
        """A callback of the same settings with the run; a recording that goes on stays here."""
        is_open = self.scope is None or self.scope.is_open
        return type(self).again, (), {"_run": self._run if is_open else self.run}


def skorch_callback(X: Any = None, y: Any = None, **options: Any) -> Any:
    """A callback that records what `net.fit` does; `callback.run` is the Run.

    `net = NeuralNetBinaryClassifier(module, callbacks=[callback])`, then `net.fit(X, y)`.

    Args:
        X: inputs that are judged and drawn; default: those that `fit` is given, from which
            skorch splits a validation part.
        y: their targets.
        **options: of `fs.attach`, such as `test=(X, y)` and `every=10`; `loss` is the net's own.

    Raises:
        MissingExtraError: skorch is not installed.
    """
    Callback = _base("skorch.callbacks", "A callback for skorch", "skorch")

    class Attach(_Recording, Callback):  # type: ignore[misc, valid-type]
        """Records a skorch training."""

        again = staticmethod(partial(skorch_callback, X, y, **options))
        _last_pass = ""  # of the epoch that began last: train, or valid where there is such a part

        def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **_: Any) -> None:
            given = (X, y) if samples[0] is None else samples
            settings = {"loss": net.get_loss, **options}
            self.scope = attach(net.module_, net.optimizer_, *given, **settings).open()

            self._last_pass = ""

        def on_epoch_begin(self, net: Any, dataset_valid: Any = None, **_: Any) -> None:
            self._last_pass = "train" if dataset_valid is None else "valid"

        def on_train_end(self, net: Any, **_: Any) -> None:
            # skorch swallows Ctrl-C; an epoch that was not gone through is what tells
            done = f"{self._last_pass}_batch_count" if self._last_pass else ""
            if self.scope is not None:
                self.scope.close(interrupted=bool(done) and done not in net.history[-1])

    samples = (X, y)
    return Attach()


def lightning_callback(
    X: Any, y: Any, *, loss: Callable[[Any, Any], Any] | str, **options: Any
) -> Any:
    """A callback that records what a Lightning `Trainer` does; `callback.run` is the Run.

    `Trainer(callbacks=[callback]).fit(module, loader)`; the module's `forward` gives the answers.

    Args:
        X: inputs that are judged and drawn, as the module sees them.
        y: their targets.
        loss: what `training_step` minimises, as `loss(module(X), y)`.
        **options: of `fs.attach`, such as `test=(X, y)` and `every=10`.

    Raises:
        MissingExtraError: lightning is not installed.
    """
    older = "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules
    home = "pytorch_lightning" if older else "lightning.pytorch"  # whose Trainer is in use
    Callback = _base(home, "A callback for Lightning", "lightning")

    class Attach(_Recording, Callback):  # type: ignore[misc, valid-type]
        """Records a Lightning training."""

        again = staticmethod(partial(lightning_callback, X, y, loss=loss, **options))

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            one = trainer.optimizers
            one = one[0] if len(one) == 1 else one  # several are refused
            self.scope = attach(pl_module, one, X, y, loss=loss, **options).open()

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            if self.scope is not None:
                self.scope.close()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            if self.scope is not None:
                self.scope.close(interrupted=True)

    return Attach()


def _base(home: str, what: str, extra: str) -> Any:
    """The class of callbacks of a library that may not be there."""
    try:
        return importlib.import_module(home).Callback
    except ImportError:
        raise MissingExtraError.of(what, extra) from None
