"""What both estimators share: settings, training, and what it leaves."""

import numbers
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from jaxtyping import Float64
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fitscope.data import Scaling
from fitscope.errors import ExperimentError
from fitscope.estimators.callbacks import CallbackSupport, Told, with_callbacks
from fitscope.network import answers, input_layer
from fitscope.outcomes import Outcome
from fitscope.records import Dataset, Run
from fitscope.specs import SOLVERS, Experiment, NetworkSpec, TrainingSpec
from fitscope.train.memory import Memory
from fitscope.train.plan import Plan, check_engine, plan_with
from fitscope.train.single import interruptible, run_plan

__all__ = ["Net", "makes_passes"]

_FULL = 2000  # samples up to which `batch_size="auto"` takes all of them in every step
_BATCH = 256  # and the batch beyond
_UNEVEN = 100.0  # sizes of inputs whose ratio is worth a warning


class Net(CallbackSupport, BaseEstimator):  # type: ignore[misc]
    """What both estimators share: settings, training, and what it leaves."""

    run_: Run
    best_step_: int
    n_iter_: int
    _memory: Memory

    def __init__(
        self,
        hidden: Sequence[int] = (16,),
        *,
        activation: str = "tanh",
        init: str | Sequence[float] = "torch",
        loss: str | None = None,
        optimizer: str = "adam",
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        l2: float = 0.0,
        epochs: int = 1000,
        batch_size: int | str | None = "auto",
        shuffle: bool = True,
        stop_below: float | None = None,
        standardize: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 20,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        engine: str = "auto",
        keep_bytes: int = 64_000_000,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.init = init
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.l2 = l2
        self.epochs = epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.stop_below = stop_below
        self.standardize = standardize
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.warm_start = warm_start
        self.random_state = random_state
        self.engine = engine
        self.keep_bytes = keep_bytes

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Trains on X (n, d) and y.

        Args:
            X: numbers, also as a data frame of pandas or polars.
            y: labels (n,), or values (n,) or (n, t).
            sample_weight: how much each sample counts in the loss (n,); only ratios matter.

        Raises:
            ValueError: the data cannot be used, or a setting is out of range; all are named. Or a
                warm start is to go on from parameters of another network or scaling.
        """
        goes_on = self.warm_start and hasattr(self, "run_")
        checked = self._checked(X, y, first=not goes_on, least=2)
        self._learn(*checked, (X, y, sample_weight), goes_on=goes_on, is_pass=False)
        self.n_iter_ = len(self.loss_curve_)
        return self

    def _more(self, X: Any, y: Any, sample_weight: Any, **known: Any) -> Self:
        """One pass more: what `partial_fit` makes."""
        goes_on = hasattr(self, "run_")
        checked = self._checked(X, y, first=not goes_on, least=1, **known)
        n_before = self.n_iter_ if goes_on else 0
        self._learn(*checked, (X, y, sample_weight), goes_on=goes_on, is_pass=True)
        self.n_iter_ = n_before + 1
        return self

    def _checked(self, X: Any, y: Any, *, first: bool, least: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs as float64, and targets as the task wants them, each checked."""
        raise NotImplementedError

    def _learn(
        self, X: np.ndarray, y: np.ndarray, given: tuple[Any, ...], *, goes_on: bool, is_pass: bool
    ) -> None:
        """Trains on what was given and checked, from where the last training ended or anew.

        A pass is a single epoch, whose weights count as they are.
        """
        seed = _seed(self.random_state)
        if not (goes_on or self.standardize or self.optimizer in SOLVERS):
            _advise(X, self._names(X))
        data = self._data(
            X,
            y,
            _weights(given[2], X),
            as_given=is_pass,
            names=self._names(X),
            standardize=self.standardize,
            scaling=Scaling.of(self.run_.dataset) if goes_on else None,
            held_out=self._held_out(),
            seed=seed,
        )
        memory = self._memory if goes_on else Memory()
        check_engine(self.engine, "cpu")
        engine = memory.engine or self.engine if self.engine == "auto" else self.engine
        e = self._experiment(data, 1 if is_pass else self.epochs, seed)
        if goes_on:
            _check_same(e, self.run_.experiment)
        planned = plan_with(e, data, engine=engine, device="cpu")
        self.run_ = self._recorded(planned, memory, given)
        self._memory = memory
        self.best_step_ = int(self.run_.steps[-1])
        if self.early_stopping:
            self.best_step_ = int(np.nanargmin(self.run_.test_loss)) * self.run_.updates_per_epoch
        if self.run_.outcome is Outcome.DIVERGED:
            warnings.warn(f"Training {self.run_.ending}.", ConvergenceWarning, stacklevel=4)

    def _held_out(self) -> float:
        """The share of the samples that early stopping watches."""
        share = self.validation_fraction
        if self.early_stopping and not 0 < share < 1:
            problem = f"`validation_fraction` must lie between 0 and 1; got {share!r}."
            raise ExperimentError([problem])
        return share if self.early_stopping else 0.0

    def _names(self, X: np.ndarray) -> tuple[str, ...]:
        named = getattr(self, "feature_names_in_", None)
        return tuple(f"x{i + 1}" for i in range(X.shape[1])) if named is None else tuple(named)

    def _data(self, X: np.ndarray, y: np.ndarray, weights: Any, **settings: Any) -> Dataset:
        """The samples as data, with what kind of task they are for."""
        raise NotImplementedError

    def _experiment(self, data: Dataset, epochs: int, seed: int) -> Experiment:
        """The settings as an experiment, which checks them."""
        batch_size = self.batch_size
        if batch_size == "auto":
            takes_all = data.n_train <= _FULL or self.optimizer in SOLVERS
            batch_size = None if takes_all else _BATCH
        hidden = self.hidden
        return Experiment(
            title=type(self).__name__,
            data=data.spec,
            network=NetworkSpec(
                hidden=[hidden] if isinstance(hidden, numbers.Integral) else list(hidden),
                activation=self.activation,
                init=self.init if isinstance(self.init, str) else list(self.init),
            ),
            training=TrainingSpec(
                loss=self.loss,
                optimizer=self.optimizer,
                lr=self.lr,
                momentum=self.momentum,
                nesterov=self.nesterov,
                weight_decay=self.weight_decay,
                l2=self.l2,
                epochs=epochs,
                batch_size=batch_size,
                shuffle=self.shuffle,
                seed=seed,
                stop_below=self.stop_below,
                patience=self.patience if self.early_stopping else None,
            ),
        )

    def _recorded(self, planned: Plan, memory: Memory, given: tuple[Any, ...]) -> Run:
        """The training, told to scikit-learn's callbacks where there are any."""
        told = Told(self, planned, given) if hasattr(self, "_skl_callbacks") else None
        with interruptible() as interrupted:

            def watch(n_done: int, _loss: float, params: Callable[[], np.ndarray]) -> bool:
                stop = told is not None and told.block(n_done, params)
                return stop or interrupted()

            run = run_plan(planned, watch, keep_bytes=self.keep_bytes, memory=memory)
        if told is not None:
            told.end(run)
        return run

    @property
    def loss_curve_(self) -> list[float]:
        """The training loss after each epoch of the last training."""
        check_is_fitted(self, "run_")
        return [float(loss) for loss in self.run_.train_loss[1:]]

    @property
    def validation_loss_curve_(self) -> list[float]:
        """The loss on the part held out by `early_stopping`, after each epoch."""
        check_is_fitted(self, "run_")
        if not self.early_stopping:
            raise AttributeError("There is a validation curve with early_stopping=True only.")
        return [float(loss) for loss in self.run_.test_loss[1:]]

    def _answers(self, X: Any) -> Float64[np.ndarray, "n k"]:
        """The network's outputs at its best step."""
        check_is_fitted(self, "run_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        d = self.run_.dataset
        return answers(self.run_, (X - d.mean) / d.scale, step=self.best_step_)

    def _linear(self) -> tuple[Float64[np.ndarray, "k d"], Float64[np.ndarray, " k"]]:
        """Weights and offsets of a model without hidden units, for inputs in their own units."""
        if not hasattr(self, "run_") or self.run_.experiment.network.hidden:
            raise AttributeError(
                f"{type(self).__name__} has coefficients where it is fitted with hidden=() only."
            )
        return input_layer(self.run_, self.best_step_)


def makes_passes(estimator: Net) -> bool:
    """Whether there is `partial_fit`: a pass can neither be ended early nor knows all classes."""
    if estimator.early_stopping:
        raise AttributeError("partial_fit makes one pass: there is none with early_stopping=True.")
    if getattr(estimator, "class_weight", None) == "balanced":
        raise AttributeError(
            "partial_fit sees some of the samples only: there is none with class_weight="
            "'balanced'; give a dict, such as one from compute_class_weight of scikit-learn."
        )
    return True


def _check_same(e: Experiment, before: Experiment) -> None:
    """Refuses to go on where the parameters so far would mean something else, or not fit."""
    settings = {**vars(e.network), "standardize": e.data.standardize}
    known = {**vars(before.network), "standardize": before.data.standardize}
    problems = [
        f"`{name}` is now {value!r}, but the training that is to go on began with "
        f"{known[name]!r}: set it back, or begin anew with a clone of this estimator."
        for name, value in settings.items()
        if value != known[name]
    ]
    if problems:
        raise ExperimentError(problems)


def _seed(random_state: Any) -> int:
    """A whole number from what scikit-learn takes; None is 0, so that a fit can be repeated."""
    if random_state is None:
        return 0
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def _weights(sample_weight: Any, X: np.ndarray) -> np.ndarray | None:
    """Weights (n,) as float64, none of them negative; None stays so."""
    if sample_weight is None:
        return None
    return np.asarray(
        _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    )


def _advise(X: np.ndarray, names: tuple[str, ...]) -> None:
    """Warns where inputs differ so much in scale that gradient steps suit only some of them."""
    size = np.sqrt(np.mean(X**2, axis=0))  # a mean far from 0 hinders as well
    large, small = int(np.argmax(size)), int(np.argmin(np.where(size > 0, size, np.inf)))
    ratio = size[large] / size[small] if size[small] > 0 else 1.0
    if ratio > _UNEVEN or size[large] > _UNEVEN:
        warnings.warn(
            f"Inputs are badly scaled: `{names[large]}` is about {size[large]:.3g} in size, "
            f"`{names[small]}` {size[small]:.3g}. Set standardize=True, or put a StandardScaler "
            "before the net.",
            UserWarning,
            stacklevel=5,
        )
