"""NetRegressor: values, as scikit-learn asks for them."""

from typing import Any, Self

import numpy as np
from jaxtyping import Float64
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from fitscope.data import checked_dataset
from fitscope.estimators.callbacks import with_callbacks
from fitscope.estimators.net import Net, makes_passes
from fitscope.records import Dataset

__all__ = ["NetRegressor"]


class NetRegressor(RegressorMixin, Net):  # type: ignore[misc]
    """A small network that predicts values; without hidden units it is linear regression.

    Several targets share the hidden layers. The settings are those of `NetClassifier`, but for
    `class_weight`; `standardize` scales the targets as well, and `loss` is mse (the default),
    smooth_l1 or relative.

    Attributes:
        run_: the recording of the last training.
        best_step_: the update whose parameters answer.
        n_iter_: epochs made; by `partial_fit`, in all.
        loss_curve_: the training loss after each epoch, of scaled targets.
        validation_loss_curve_: that of the part held out by `early_stopping`.
        coef_: weights (d,), or (t, d) of several targets; without hidden units only.
        intercept_: the offset, or (t,), likewise.
        n_features_in_: number of inputs.
        feature_names_in_: their names, where X had any.

    Example:
        >>> X = np.linspace(-3, 3, 200)[:, None]
        >>> model = NetRegressor(hidden=(10,), epochs=2000).fit(X, np.sin(X[:, 0]))
        >>> round(model.score(X, np.sin(X[:, 0])), 3)
        1.0
    """

    def __sklearn_tags__(self) -> Any:
        """Says that several targets are taken."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _checked(self, X: Any, y: Any, *, first: bool, least: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs, and values; (n, 1) is (n,)."""
        X, y = validate_data(
            self,
            X,
            y,
            reset=first,
            dtype=np.float64,
            ensure_min_samples=least,
            multi_output=True,
            y_numeric=True,
        )
        y = np.asarray(y, dtype=np.float64)
        y = y[:, 0] if y.shape[1:] == (1,) else y
        shape = y.shape[1:] if first else self.run_.dataset.y.shape[1:]
        if y.shape[1:] != shape:
            raise ValueError(f"y must keep the shape (n, *{shape}) of its targets; got {y.shape}.")
        return X, y

    def _data(self, X: np.ndarray, y: np.ndarray, weights: Any, **settings: Any) -> Dataset:
        return checked_dataset(X, y, task="regression", labels=(), weights=weights, **settings)

    @available_if(makes_passes)  # type: ignore[untyped-decorator]
    @with_callbacks  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One pass more, over these samples; the optimizer and the scaling go on from the last.

        Weights count as they are, here, since no call knows their mean over all.

        Raises:
            ValueError: the data cannot be used, or has other inputs or targets than before.
        """
        return self._more(X, y, sample_weight)

    def predict(self, X: Any) -> Float64[np.ndarray, " n *t"]:
        """The values, (n,) or (n, t), in the targets' units."""
        values, d = self._answers(X), self.run_.dataset
        values = values if d.n_targets > 1 else values[:, 0]
        return np.asarray(values * d.y_scale + d.y_mean)

    @property
    def coef_(self) -> Float64[np.ndarray, " *t d"]:
        """Weights of the inputs, all in their own units."""
        weights, d = self._linear()[0], self.run_.dataset
        W = weights * np.reshape(d.y_scale, (-1, 1))
        return np.asarray(W if d.n_targets > 1 else W[0])

    @property
    def intercept_(self) -> Any:
        """The value where all inputs are 0."""
        offset, d = self._linear()[1], self.run_.dataset
        b = offset * d.y_scale + d.y_mean
        return b if d.n_targets > 1 else float(b[0])
