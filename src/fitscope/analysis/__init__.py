"""Run -> record: pure functions, one question a file, each with the record that it returns."""

from fitscope.analysis.basin import BasinMap, basin_map
from fitscope.analysis.coefficients import Coefficients, coefficients
from fitscope.analysis.compare import BoundaryComparison, LossComparison, PathComparison, compare
from fitscope.analysis.curve import ResponseCurve, StepApproximation, response_curve
from fitscope.analysis.decision import DecisionField, decision_field
from fitscope.analysis.diagram import NetworkDiagram, network_diagram, unit_formula, unit_names
from fitscope.analysis.importance import Importance, importance
from fitscope.analysis.lines import HiddenLines, hidden_lines
from fitscope.analysis.losses import LossCurves, loss_curves
from fitscope.analysis.many import (
    FinalLosses,
    StartMap,
    SuccessShare,
    final_losses,
    start_map,
    success_share,
)
from fitscope.analysis.maps import UnitMaps, unit_maps
from fitscope.analysis.metrics import Metrics, metrics
from fitscope.analysis.mistakes import (
    Confusion,
    FitScatter,
    Residuals,
    confusion,
    fit_scatter,
    residuals,
)
from fitscope.analysis.models import Compared
from fitscope.analysis.optimum import Optimum, optimum
from fitscope.analysis.paths import ParameterPaths, gradient_norms, parameter_paths
from fitscope.analysis.polynomial import PolynomialCurve, polynomial_curve
from fitscope.analysis.probabilities import (
    Calibration,
    PrecisionRecall,
    RocCurve,
    calibration,
    precision_recall,
    roc_curve,
)
from fitscope.analysis.scatter import Scatter, scatter
from fitscope.analysis.sigmoid import (
    SigmoidCurves,
    SigmoidPlane,
    sigmoid_curves,
    sigmoid_plane,
)
from fitscope.analysis.space import HiddenSpace, hidden_space
from fitscope.analysis.summary import Summary, summary
from fitscope.analysis.surface import LossSurface, loss_surface

__all__ = [
    "BasinMap",
    "BoundaryComparison",
    "Calibration",
    "Coefficients",
    "Compared",
    "Confusion",
    "DecisionField",
    "FinalLosses",
    "FitScatter",
    "HiddenLines",
    "HiddenSpace",
    "Importance",
    "LossComparison",
    "LossCurves",
    "LossSurface",
    "Metrics",
    "NetworkDiagram",
    "Optimum",
    "ParameterPaths",
    "PathComparison",
    "PolynomialCurve",
    "PrecisionRecall",
    "Residuals",
    "ResponseCurve",
    "RocCurve",
    "Scatter",
    "SigmoidCurves",
    "SigmoidPlane",
    "StartMap",
    "StepApproximation",
    "SuccessShare",
    "Summary",
    "UnitMaps",
    "basin_map",
    "calibration",
    "coefficients",
    "compare",
    "confusion",
    "decision_field",
    "final_losses",
    "fit_scatter",
    "gradient_norms",
    "hidden_lines",
    "hidden_space",
    "importance",
    "loss_curves",
    "loss_surface",
    "metrics",
    "network_diagram",
    "optimum",
    "parameter_paths",
    "polynomial_curve",
    "precision_recall",
    "residuals",
    "response_curve",
    "roc_curve",
    "scatter",
    "sigmoid_curves",
    "sigmoid_plane",
    "start_map",
    "success_share",
    "summary",
    "unit_formula",
    "unit_maps",
    "unit_names",
]
