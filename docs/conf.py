"""How Sphinx renders the guide, the design and the lessons: `make docs`."""

import logging
import os
import shutil
from pathlib import Path

from plotly.offline import get_plotlyjs

import fitscope

HERE = Path(__file__).parent
LESSONS = HERE / "lessons"  # git ignores it; Sphinx reads only what lies below its own folder
SCRIPTS = HERE / "_build" / "scripts"

shutil.rmtree(LESSONS, ignore_errors=True)
LESSONS.mkdir()
for _lesson in (HERE.parent / "src" / "fitscope" / "lessons").glob("*.md"):
    shutil.copy(_lesson, LESSONS)
SCRIPTS.mkdir(parents=True, exist_ok=True)
(SCRIPTS / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")

# What a new machine says once, when it compiles, shall not stand in a lesson.
logging.getLogger("fitscope").setLevel(logging.ERROR)
fitscope.fit("gates-and", epochs=1)
os.environ["PYTHONSTARTUP"] = str(HERE / "figures.py")  # IPython runs it first

project = "fitscope"
author = "the fitscope authors"
release = fitscope.__version__
extensions = ["myst_nb"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

nb_execution_mode = "force"  # a lesson shows what the code beside it draws today
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_ipywidgets_js: dict[str, object] = {}  # it would come from a server

html_theme = "furo"
html_title = "fitscope"
html_static_path = ["_build/scripts"]
html_copy_source = False
html_show_copyright = False


def setup(app):  # noqa: D103
    def with_plotly(_app, _pagename, _template, context, _doctree):
        if "plotly-graph-div" in context.get("body", ""):
            source = context["pathto"]("_static/plotly.min.js", resource=True)
            # in the head, since figures draw themselves as the page is read
            context["metatags"] += f'<script src="{source}"></script>'

    app.connect("html-page-context", with_plotly)
