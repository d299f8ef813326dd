"""An explorer: controls above plotly figures that are drawn anew at every move."""

import asyncio
import base64
import contextlib
import html
import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import ipywidgets as widgets
import plotly.graph_objects as go
from PIL import Image

from fitscope.errors import FitscopeError
from fitscope.plot import view

__all__ = ["Explorer", "Panel", "choice", "count", "number", "power", "switch"]

STILL_AFTER_S = 0.5  # a still is drawn when the hand rests
_WIDE: Mapping[str, Any] = {"style": {"description_width": "96px"}, "layout": {"width": "340px"}}


class Panel(NamedTuple):
    """One picture of an explorer: the name of a view, its record, and how to draw it."""

    view: str
    record: Any
    options: Mapping[str, Any] = MappingProxyType({})

    def interactive(self) -> go.Figure:
        """The plotly figure."""
        return view(self.view).plotly(self.record, **self.options)

    def still(self) -> Image.Image:
        """The matplotlib figure as an image."""
        buffer = io.BytesIO()
        figure = view(self.view).matplotlib(self.record, **self.options)
        figure.savefig(buffer, format="png", dpi=80)
        return Image.open(buffer)


Show = Callable[..., tuple[str, list[Panel]]]


class Explorer(widgets.VBox):  # type: ignore[misc]
    """Controls, a title that says what is shown, and one or more figures.

    Every move of a control calls `show` with the values of all controls. Where no widgets run,
    as on a page made from the notebook, a picture of the last state is shown instead.

    Attributes:
        controls: the widgets by name; setting `controls["lr"].value` is a move.
        title: what is shown, in one sentence.
    """

    def __init__(self, show: Show, controls: Mapping[str, widgets.Widget]) -> None:
        self.controls = dict(controls)
        self._show = show
        self._handle: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_old = False  # the still, against the figures
        self._heading = widgets.HTML()
        self.title, self._panels = show(**self.values())
        self.figures = [go.FigureWidget(panel.interactive()) for panel in self._panels]
        self._heading.value = f"<b>{html.escape(self.title)}</b>"
        rows = widgets.HBox(list(self.controls.values()), layout={"flex_flow": "row wrap"})
        beside = widgets.HBox(self.figures, layout={"flex_flow": "row wrap"})
        super().__init__([rows, self._heading, beside])
        for control in self.controls.values():
            control.observe(self._moved, names="value")

    def values(self) -> dict[str, Any]:
        """What the controls say."""
        return {name: control.value for name, control in self.controls.items()}

    def _moved(self, _change: Any) -> None:
        """Draws anew; what cannot be drawn is said in the title, and the picture stays."""
        try:
            self.title, self._panels = self._show(**self.values())
            figures = [panel.interactive() for panel in self._panels]
        except FitscopeError as error:
            self.title = f"Not drawn: {error}"
            self._heading.value = f"<b>{html.escape(self.title)}</b>"
            return
        self._heading.value = f"<b>{html.escape(self.title)}</b>"
        for shown, new in zip(self.figures, figures, strict=True):
            _replace(shown, new)
        self._update_still()

    def _ipython_display_(self) -> None:
        from IPython import get_ipython
        from IPython.display import display

        show: Any = display
        show(widgets.VBox._repr_mimebundle_(self), raw=True)
        self._handle = show(self._still_html(), raw=True, display_id=True)
        get_ipython().events.register("post_run_cell", lambda _result: self._flush())

    def _update_still(self) -> None:
        """Draws the still when the hand rests, or at the end of the cell that moved a control."""
        if self._handle is None:
            return
        self._is_old = True
        if self._timer:
            self._timer.cancel()
        with contextlib.suppress(RuntimeError):  # a terminal has no loop; its cells end
            self._timer = asyncio.get_running_loop().call_later(STILL_AFTER_S, self._flush)

    def _flush(self) -> None:
        if self._is_old:
            self._is_old = False
            self._handle.update(self._still_html(), raw=True)

    def _still_html(self) -> dict[str, str]:
        """The last state as a picture that hides wherever widgets are alive on the page."""
        images = [panel.still() for panel in self._panels]
        size = sum(image.width for image in images), max(image.height for image in images)
        beside = Image.new("RGB", size, "white")
        for i, image in enumerate(images):
            beside.paste(image, (sum(other.width for other in images[:i]), 0))
        buffer = io.BytesIO()
        beside.save(buffer, "PNG")
        png = base64.b64encode(buffer.getvalue()).decode()
        text = html.escape(self.title, quote=True)
        return {
            "text/html": "<style>body:has(.widget-box) .fitscope-still {display: none}</style>"
            f'<figure class="fitscope-still"><figcaption>{text}</figcaption>'
            f'<img alt="{text}" src="data:image/png;base64,{png}"></figure>',
            "text/plain": self.title,
        }


def _replace(shown: go.FigureWidget, new: go.Figure) -> None:
    """Puts the new picture into the widget, keeping what a person has turned or zoomed."""
    with shown.batch_update():
        if [trace.type for trace in shown.data] == [trace.type for trace in new.data]:
            for old, trace in zip(shown.data, new.data, strict=True):
                old.update(trace.to_plotly_json(), overwrite=True)
            shown.layout.update(new.layout.to_plotly_json(), overwrite=True)
            return
    shown.data = []
    shown.layout = new.layout
    shown.add_traces(new.data)


def count(name: str, value: int, low: int, high: int, step: int = 1) -> widgets.IntSlider:
    """A slider of whole numbers."""
    return widgets.IntSlider(value, low, high, step, description=name, **_WIDE)


def number(name: str, value: float, low: float, high: float, step: float) -> widgets.FloatSlider:
    """A slider of numbers."""
    return widgets.FloatSlider(value, min=low, max=high, step=step, description=name, **_WIDE)


def power(name: str, value: float, low: int, high: int) -> widgets.FloatLogSlider:
    """A slider from 10^low to 10^high."""
    given = {"base": 10, "min": low, "max": high, "step": 0.1, "readout_format": ".3g"}
    return widgets.FloatLogSlider(value, description=name, **given, **_WIDE)


def choice(name: str, options: Sequence[Any], value: Any = None) -> widgets.Dropdown:
    """A menu."""
    chosen = options[0] if value is None else value
    return widgets.Dropdown(options=list(options), value=chosen, description=name, **_WIDE)


def switch(name: str, value: bool) -> widgets.Checkbox:
    """A box to tick."""
    return widgets.Checkbox(value, description=name, **_WIDE)
