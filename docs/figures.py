"""Runs first in the kernel of every lesson that `make docs` renders: plotly figures become HTML.

The page brings plotly.js along (conf.py), so that nothing is loaded from anywhere.
"""

from plotly import io
from plotly.io.base_renderers import MimetypeRenderer


class Page(MimetypeRenderer):
    """A figure as a piece of a page that has plotly.js already."""

    def to_mimebundle(self, fig_dict):  # noqa: D102
        html = io.to_html(
            fig_dict,
            full_html=False,
            include_plotlyjs=False,
            include_mathjax=False,
            auto_play=False,
        )
        return {"text/html": html}


io.renderers["page"] = Page()
io.renderers.default = "page"
