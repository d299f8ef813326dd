"""Run -> something to take along: a self-contained HTML report, predictions, a command."""

from fitscope.export.predictions import predicted_table
from fitscope.export.report import report_html, save_report
from fitscope.export.reproduce import command_line, python_snippet

__all__ = [
    "command_line",
    "predicted_table",
    "python_snippet",
    "report_html",
    "save_report",
]
