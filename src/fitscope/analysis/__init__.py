"""Run -> record: pure functions, one question a file."""

from fitscope.analysis.curve import response_curve
from fitscope.analysis.decision import decision_field
from fitscope.analysis.importance import importance
from fitscope.analysis.losses import loss_curves
from fitscope.analysis.metrics import confusion, fit_scatter
from fitscope.analysis.summary import summary

__all__ = [
    "confusion",
    "decision_field",
    "fit_scatter",
    "importance",
    "loss_curves",
    "response_curve",
    "summary",
]
