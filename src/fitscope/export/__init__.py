"""Run -> something to take along: the replay as one HTML file, predictions, a command, code."""

from fitscope.export.predictions import predicted_table
from fitscope.export.pytorch import pytorch_script
from fitscope.export.replay import replay_frame, replay_html, save_report, thinned
from fitscope.export.reproduce import command_line, python_snippet
from fitscope.export.trajectory import trajectory_table

__all__ = [
    "command_line",
    "predicted_table",
    "python_snippet",
    "pytorch_script",
    "replay_frame",
    "replay_html",
    "save_report",
    "thinned",
    "trajectory_table",
]
