"""Run -> something to take along: the replay as one HTML file, predictions, a command, code."""

from fitscope.export.onnx import onnx_model
from fitscope.export.predictions import predicted_table
from fitscope.export.pytorch import pytorch_script
from fitscope.export.replay import replay_frame, replay_html, save_report, thinned
from fitscope.export.reproduce import command_line, python_snippet
from fitscope.export.sklearn_script import sklearn_script
from fitscope.export.trackers import to_mlflow, to_tensorboard
from fitscope.export.trajectory import trajectory_table
from fitscope.export.weights import state_dict_bytes

__all__ = [
    "command_line",
    "onnx_model",
    "predicted_table",
    "python_snippet",
    "pytorch_script",
    "replay_frame",
    "replay_html",
    "save_report",
    "sklearn_script",
    "state_dict_bytes",
    "thinned",
    "to_mlflow",
    "to_tensorboard",
    "trajectory_table",
]
