"""record -> figure: one file a view, named as its analysis."""

from fitscope.plot.curve import response_curve
from fitscope.plot.decision import decision_field
from fitscope.plot.importance import importance
from fitscope.plot.losses import loss_curves
from fitscope.plot.metrics import confusion, fit_scatter
from fitscope.plot.theme import MAX_POINTS, figure, svg

__all__ = [
    "MAX_POINTS",
    "confusion",
    "decision_field",
    "figure",
    "fit_scatter",
    "importance",
    "loss_curves",
    "response_curve",
    "svg",
]
