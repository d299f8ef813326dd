"""scikit-learn's contract over `fit`, with the recording kept."""

from fitscope.estimators.classifier import NetClassifier
from fitscope.estimators.regressor import NetRegressor

__all__ = ["NetClassifier", "NetRegressor"]
