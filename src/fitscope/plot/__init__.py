"""record -> figure: one file a view, with the matplotlib and the plotly drawing side by side."""

from fitscope.plot.basin import basin_map, basin_map_plotly
from fitscope.plot.compare import compare, compare_plotly
from fitscope.plot.curve import response_curve, response_curve_plotly
from fitscope.plot.decision import decision_field, decision_field_plotly
from fitscope.plot.diagram import network_diagram, network_diagram_plotly
from fitscope.plot.files import save_figure
from fitscope.plot.importance import importance, importance_plotly
from fitscope.plot.lines import hidden_lines, hidden_lines_plotly
from fitscope.plot.losses import loss_curves, loss_curves_plotly
from fitscope.plot.many import (
    final_losses,
    final_losses_plotly,
    start_map,
    start_map_plotly,
    success_share,
    success_share_plotly,
)
from fitscope.plot.maps import unit_maps, unit_maps_plotly
from fitscope.plot.metrics import metrics, metrics_plotly
from fitscope.plot.mistakes import (
    confusion,
    confusion_plotly,
    fit_scatter,
    fit_scatter_plotly,
    residuals,
    residuals_plotly,
)
from fitscope.plot.movies import movie, save_movie
from fitscope.plot.paths import parameter_paths, parameter_paths_plotly
from fitscope.plot.polynomial import polynomial_curve, polynomial_curve_plotly
from fitscope.plot.probabilities import (
    calibration,
    calibration_plotly,
    precision_recall,
    precision_recall_plotly,
    roc_curve,
    roc_curve_plotly,
)
from fitscope.plot.scatter import scatter, scatter_plotly
from fitscope.plot.sigmoid import (
    sigmoid_curves,
    sigmoid_curves_plotly,
    sigmoid_plane,
    sigmoid_plane_plotly,
)
from fitscope.plot.space import hidden_space, hidden_space_plotly
from fitscope.plot.surface import loss_surface, loss_surface_plotly
from fitscope.plot.theme import MAX_POINTS
from fitscope.plot.views import VIEWS, Pictures, View, draw, view

__all__ = [
    "MAX_POINTS",
    "VIEWS",
    "Pictures",
    "View",
    "basin_map",
    "basin_map_plotly",
    "calibration",
    "calibration_plotly",
    "compare",
    "compare_plotly",
    "confusion",
    "confusion_plotly",
    "decision_field",
    "decision_field_plotly",
    "draw",
    "final_losses",
    "final_losses_plotly",
    "fit_scatter",
    "fit_scatter_plotly",
    "hidden_lines",
    "hidden_lines_plotly",
    "hidden_space",
    "hidden_space_plotly",
    "importance",
    "importance_plotly",
    "loss_curves",
    "loss_curves_plotly",
    "loss_surface",
    "loss_surface_plotly",
    "metrics",
    "metrics_plotly",
    "movie",
    "network_diagram",
    "network_diagram_plotly",
    "parameter_paths",
    "parameter_paths_plotly",
    "polynomial_curve",
    "polynomial_curve_plotly",
    "precision_recall",
    "precision_recall_plotly",
    "residuals",
    "residuals_plotly",
    "response_curve",
    "response_curve_plotly",
    "roc_curve",
    "roc_curve_plotly",
    "save_figure",
    "save_movie",
    "scatter",
    "scatter_plotly",
    "sigmoid_curves",
    "sigmoid_curves_plotly",
    "sigmoid_plane",
    "sigmoid_plane_plotly",
    "start_map",
    "start_map_plotly",
    "success_share",
    "success_share_plotly",
    "unit_maps",
    "unit_maps_plotly",
    "view",
]
