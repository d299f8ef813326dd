"""NetClassifier: classes, as scikit-learn asks for them."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from jaxtyping import Float64
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from fitscope.catalogue import Task
from fitscope.data import checked_dataset
from fitscope.estimators.callbacks import with_callbacks
from fitscope.estimators.net import Net, makes_passes
from fitscope.network import decided, probabilities
from fitscope.records import Dataset, Label

__all__ = ["NetClassifier"]


class NetClassifier(ClassifierMixin, Net):  # type: ignore[misc]
    """A small network that tells classes apart; without hidden units it is logistic regression.

    Every step of its training is kept in `run_`: every view, file and export of a run works on it.

    Args:
        hidden: widths of the hidden layers; () is logistic regression, or softmax regression.
        activation: sigmoid, tanh, relu or identity.
        init: "torch", "zeros", "ones", or the flat list of the start's numbers.
        loss: cross_entropy (the default) or mse.
        optimizer: the rule of a step: sgd, adam, adamw, rmsprop; or a full-batch solver: lbfgs, and
            newton without hidden units, which are exact, and at home in logistic regression.
        lr: learning rate.
        momentum: of sgd.
        nesterov: of sgd.
        weight_decay: pull of the parameters to zero.
        l2: penalty l2 / 2 times the squared weights, of the solvers; scikit-learn's C is
            1 / (n l2).
        epochs: passes over the data; at most, where a rule ends it before.
        batch_size: samples in a step; None for all; "auto" takes all of up to 2,000, else 256.
        shuffle: whether batches are drawn in a new order every epoch.
        stop_below: end once the training loss is below this.
        standardize: scale the inputs to mean 0 and deviation 1; the coefficients are still those of
            the inputs as given.
        early_stopping: hold out a part, end when its loss no longer falls, and answer with the
            step where it was least.
        validation_fraction: how large that part is.
        patience: epochs without a smaller loss on it.
        class_weight: how much each class counts: a dict, or "balanced".
        warm_start: let `fit` go on where the last one ended, optimizer and shuffles included.
            hidden, activation, init and standardize must then stay what they were; another
            optimizer or engine begins with a memory of its own.
        random_state: of the start, the shuffles and the split; None is 0.
        engine: auto, fused or torch, as in `fitscope.fit`.
        keep_bytes: budget of the recorded steps.

    Attributes:
        classes_: the labels, sorted.
        run_: the recording of the last training.
        best_step_: the update whose parameters answer.
        n_iter_: epochs made; by `partial_fit`, in all.
        loss_curve_: the training loss after each epoch.
        validation_loss_curve_: that of the part held out by `early_stopping`.
        coef_: weights (1, d), or (k, d) of several classes; without hidden units only.
        intercept_: offsets (1,) or (k,), likewise.
        n_features_in_: number of inputs.
        feature_names_in_: their names, where X had any.

    Example:
        >>> from sklearn.datasets import make_moons
        >>> X, y = make_moons(noise=0.1, random_state=0)
        >>> NetClassifier(hidden=(8,), epochs=500).fit(X, y).score(X, y)
        1.0
    """

    classes_: np.ndarray

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
        class_weight: dict[Any, float] | str | None = None,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        engine: str = "auto",
        keep_bytes: int = 64_000_000,
    ) -> None:
        settings = dict(locals())
        for name in ("self", "__class__", "class_weight"):
            del settings[name]
        super().__init__(**settings)
        self.class_weight = class_weight

    def _checked(
        self, X: Any, y: Any, *, first: bool, least: int, labels: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Inputs, and labels as class indices."""
        X, y = validate_data(self, X, y, reset=first, dtype=np.float64, ensure_min_samples=least)
        check_classification_targets(y)
        if first:
            self.classes_ = np.unique(y) if labels is None else labels
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has only one class, {self.classes_[0]!r}: there is nothing to tell apart."
            )
        strange = y[~np.isin(y, self.classes_)]
        if len(strange):
            raise ValueError(
                f"y has the class {strange[0]!r}, which training did not begin with: "
                f"{list(self.classes_)}."
            )
        return X, np.searchsorted(self.classes_, y)

    def _data(self, X: np.ndarray, y: np.ndarray, weights: Any, **settings: Any) -> Dataset:
        """Two classes or more, each counted as `class_weight` says."""
        if self.class_weight is not None:
            factors = compute_sample_weight(self.class_weight, self.classes_[y])
            weights = factors if weights is None else factors * weights
        task: Task = "binary" if len(self.classes_) == 2 else "multiclass"
        labels = tuple(_label(value) for value in self.classes_.tolist())
        return checked_dataset(X, y, task=task, labels=labels, weights=weights, **settings)

    @available_if(makes_passes)  # type: ignore[untyped-decorator]
    @with_callbacks  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One pass more, over these samples; the optimizer and the scaling go on from the last.

        Weights count as they are, here, since no call knows their mean over all: those far from 1
        are a larger or smaller `lr`. So there is none with class_weight="balanced".

        Args:
            X: numbers (n, d).
            y: labels (n,).
            classes: all labels that will ever come; the first call needs them.
            sample_weight: how much each sample counts (n,), times its `class_weight`.

        Raises:
            ValueError: `classes` is missing or another than before, or y has more of them.
        """
        labels = None if classes is None else np.unique(classes)
        if not hasattr(self, "run_"):
            if labels is None:
                raise ValueError("The first partial_fit needs `classes`: all labels to come.")
        elif labels is not None and not np.array_equal(labels, self.classes_):
            raise ValueError(
                f"`classes` must stay those of the first call, {list(self.classes_)}; "
                f"got {list(labels)}."
            )
        return self._more(X, y, sample_weight, labels=labels)

    def decision_function(self, X: Any) -> Float64[np.ndarray, " n *k"]:
        """The logit of the second class (n,), or one logit a class (n, k)."""
        logits = self._answers(X)
        return logits[:, 0] if logits.shape[1] == 1 else logits

    def predict_proba(self, X: Any) -> Float64[np.ndarray, "n c"]:
        """The probability of each class, in the order of `classes_`."""
        return probabilities(self._answers(X))

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest label (n,); of two classes the second where its probability is 0.5."""
        index = decided(self._answers(X))
        return np.asarray(self.classes_[index])

    @property
    def coef_(self) -> Float64[np.ndarray, "k d"]:
        """Weights of the inputs in their own units."""
        return self._linear()[0]

    @property
    def intercept_(self) -> Float64[np.ndarray, " k"]:
        """Offsets of the logits."""
        return self._linear()[1]


def _label(value: Any) -> Label:
    """A label as a run file holds it."""
    return value if isinstance(value, str | bool | int | float) else str(value)
