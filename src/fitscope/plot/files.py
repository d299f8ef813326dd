"""A figure of either library -> one file."""

import io
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl

from fitscope.errors import OutputError
from fitscope.runfile import write_atomically

__all__ = ["page_of", "save_figure"]

DPI = 160


def save_figure(fig: Any, path: str | Path) -> None:
    """Writes a matplotlib figure to a .png, .svg or .pdf file, or a plotly one to an .html file.

    The text of an SVG becomes outlines, so that it looks alike wherever it is opened; the page
    of a plotly figure loads nothing from anywhere.

    Raises:
        OutputError: the file cannot be written, or has another ending.
    """
    suffix = Path(path).suffix.lower()
    is_plotly = hasattr(fig, "to_html")
    known = (".html",) if is_plotly else (".png", ".svg", ".pdf")
    if suffix not in known:
        library = "plotly" if is_plotly else "matplotlib"
        raise OutputError(f"A {library} figure is saved as {' or '.join(known)}; got {path}.")
    write_atomically(path, page_of(fig).encode() if is_plotly else _drawn(fig, suffix[1:]))


def page_of(fig: Any) -> str:
    """A plotly figure as one page that holds all it needs."""
    return str(fig.to_html(config={"displaylogo": False, "responsive": True}, auto_play=False))


def _drawn(fig: Any, kind: str) -> bytes:
    buffer = io.BytesIO()
    undated: Any = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    same: Any = {"svg.fonttype": "path", "svg.hashsalt": "fitscope"}
    with mpl.rc_context(same), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # what the font lacks is a box, no warning
        fig.savefig(buffer, format=kind, dpi=DPI, metadata=undated)
    return buffer.getvalue()
