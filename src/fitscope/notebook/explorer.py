"""An explorer: controls above plotly figures that are drawn anew at every move."""

import asyncio
import base64
import contextlib
import html
import io
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import anywidget
import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
from PIL import Image

from fitscope.errors import FitscopeError
from fitscope.plot import view
from fitscope.plot.theme import inks_of

__all__ = ["Explorer", "Panel", "choice", "count", "number", "rate", "share", "switch"]

STILL_AFTER_S = 0.5  # a still is drawn when the hand rests
_TIDY: Mapping[str, Any] = {"style": {"description_width": "104px"}, "layout": {"width": "auto"}}
# Columns that fill the page: four on a wide one, two beside a file list.
_COLUMNS = {
    "grid_template_columns": "repeat(auto-fill, minmax(270px, 1fr))",
    "grid_gap": "2px 12px",
}
_BESIDE = {"flex_flow": "row wrap", "align_items": "flex-start"}
_PANEL = {"flex": "1 1 480px", "min_width": "0", "max_width": "760px"}
_HIDDEN = (  # wherever widgets are alive: in the same cell, or on the page where there are no cells
    "<style>.jp-OutputArea:has(.widget-box) .fitscope-still, "
    "body:not(:has(.jp-OutputArea)):has(.widget-box) .fitscope-still {display: none}</style>"
)


class Panel(NamedTuple):
    """One picture of an explorer: the name of a view, its record, and how to draw it.

    `limits` fixes the axes, x and y by name, so that the picture does not jump between moves.
    """

    view: str
    record: Any
    options: Mapping[str, Any] = MappingProxyType({})
    limits: Mapping[str, tuple[float, float]] = MappingProxyType({})

    def interactive(self, theme: str = "light") -> go.Figure:
        """The plotly figure."""
        figure = view(self.view).plotly(self.record, **self.options, theme=theme)
        for axis, ends in self.limits.items():
            figure.layout[f"{axis}axis.range"] = ends
        return figure

    def still(self, theme: str = "light") -> Image.Image:
        """The matplotlib figure as an image."""
        buffer = io.BytesIO()
        figure = view(self.view).matplotlib(self.record, **self.options, theme=theme)
        figure.axes[0].set(**{f"{axis}lim": ends for axis, ends in self.limits.items()})
        figure.savefig(buffer, format="png", dpi=80)
        return Image.open(buffer)


Show = Callable[..., tuple[str, list[Panel]]]


class _Fitter(anywidget.AnyWidget):
    """Nothing to see: makes plotly's figures as wide as their place, then and whenever it changes.

    A figure is drawn 700 pixels wide before it has a place, and listens to the window alone.
    """

    _esm = """
    export default {
      render({ el }) {
        const fit = () => requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
        const observer = new ResizeObserver(fit);
        observer.observe(el);
        document.addEventListener("plotlywidget-after-render", fit);
        return () => {
          observer.disconnect();
          document.removeEventListener("plotlywidget-after-render", fit);
        };
      },
    };
    """


class Explorer(widgets.VBox):  # type: ignore[misc]
    """Controls, a title that says what is shown, and one or more figures.

    Every move of a control calls `show` with the values of all controls. Where no widgets run,
    as on a page made from the notebook, a picture of the last state is shown instead.

    Attributes:
        controls: the widgets by name; setting `controls["lr"].value` is a move.
        figures: the plotly figures.
        title: what is shown, in one sentence.
    """

    def __init__(
        self, show: Show, controls: Mapping[str, widgets.Widget], *, theme: str = "light"
    ) -> None:
        self.controls = dict(controls)
        self._show, self._theme = show, theme
        self._display_id = ""  # until it is displayed
        self._timer: asyncio.TimerHandle | None = None
        self._heading = widgets.HTML()
        self._shown, self._panels = show(**self.values())
        self._drawn = [panel.interactive(theme) for panel in self._panels]
        self.figures = [go.FigureWidget(figure) for figure in self._drawn]
        for figure in self.figures:
            figure._config = {
                **figure._config,
                "responsive": True,
            }  # it listens to the window, and see _Fitter
        self._say(self._shown)
        columns = widgets.GridBox(list(self.controls.values()), layout=_COLUMNS)
        panels = [widgets.VBox([figure], layout=_PANEL) for figure in self.figures]
        beside = widgets.HBox(panels, layout=_BESIDE)
        super().__init__([columns, self._heading, beside, _Fitter()])
        for control in self.controls.values():
            control.observe(self._moved, names="value")

    def values(self) -> dict[str, Any]:
        """What the controls say."""
        return {name: control.value for name, control in self.controls.items()}

    def close(self) -> None:
        """Takes it and all its parts off the page and out of memory."""
        _OLD.discard(self)
        for widget in (*self.controls.values(), *self.figures, self._heading, *self.children):
            widget.close()
        super().close()

    def _say(self, title: str) -> None:
        self.title = title
        self._heading.value = f"<b>{html.escape(title)}</b>"

    def _moved(self, _change: Any) -> None:
        """Draws anew; what cannot be drawn is said in the title, and the picture stays."""
        try:
            shown, panels = self._show(**self.values())
            figures = [panel.interactive(self._theme) for panel in panels]
        except Exception as error:  # a notebook would hide it, under a stale title
            kind = "" if isinstance(error, FitscopeError) else f"{type(error).__name__}: "
            self._say(f"Not drawn: {kind}{error} Below is still: {self._shown}")
        else:
            for widget, old, new in zip(self.figures, self._drawn, figures, strict=True):
                _replace(widget, old, new)
            self._shown, self._panels, self._drawn = shown, panels, figures
            self._say(shown)
        self._update_still()

    def _ipython_display_(self) -> None:
        from IPython import get_ipython
        from IPython.display import display

        show: Any = display
        show(widgets.VBox._repr_mimebundle_(self), raw=True)
        self._display_id = self._display_id or uuid.uuid4().hex
        show(self._still_html(), raw=True, display_id=self._display_id)
        get_ipython().events.register("post_run_cell", _flush_all)  # which keeps it only once

    def _update_still(self) -> None:
        """Draws the still when the hand rests, or at the end of the cell that moved a control."""
        if not self._display_id:
            return
        _OLD.add(self)
        if self._timer:
            self._timer.cancel()
        with contextlib.suppress(RuntimeError):  # a terminal has no loop; its cells end
            self._timer = asyncio.get_running_loop().call_later(STILL_AFTER_S, self._flush)

    def _flush(self) -> None:
        """Draws the still if it is old, wherever the explorer is displayed."""
        from IPython.display import update_display

        if self in _OLD:
            _OLD.discard(self)
            update: Any = update_display
            update(self._still_html(), raw=True, display_id=self._display_id)

    def _still_html(self) -> dict[str, str]:
        """The last state as a picture that hides wherever widgets are alive beside it."""
        images = [panel.still(self._theme) for panel in self._panels]
        size = sum(image.width for image in images), max(image.height for image in images)
        beside = Image.new("RGB", size, inks_of(self._theme).paper)
        for i, image in enumerate(images):
            beside.paste(image, (sum(other.width for other in images[:i]), 0))
        buffer = io.BytesIO()
        beside.save(buffer, "PNG")
        png = base64.b64encode(buffer.getvalue()).decode()
        text = html.escape(self.title, quote=True)
        return {
            "text/html": f'{_HIDDEN}<figure class="fitscope-still"><figcaption>{text}</figcaption>'
            f'<img alt="{text}" src="data:image/png;base64,{png}"></figure>',
            "text/plain": self.title,
        }


_OLD: "weakref.WeakSet[Explorer]" = weakref.WeakSet()  # those whose still is behind the figures


def _flush_all(_result: object) -> None:
    for explorer in list(_OLD):
        explorer._flush()


def _replace(widget: go.FigureWidget, old: go.Figure, new: go.Figure) -> None:
    """Puts the new picture into the widget.

    Only what differs from the old picture is sent: what a person has turned or zoomed stays.
    """
    if [trace.type for trace in old.data] != [trace.type for trace in new.data]:
        widget.data = []
        widget.layout = new.layout
        widget.add_traces(new.data)
        return
    before, after = (*old.data, old.layout), (*new.data, new.layout)
    with widget.batch_update():
        for target, was, now in zip((*widget.data, widget.layout), before, after, strict=True):
            for name, value in _changes(was.to_plotly_json(), now.to_plotly_json()):
                target[name] = value


def _changes(old: dict[str, Any], new: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and new value of every property that is not what it was; None for no more."""
    for name in {**old, **new}:
        was, now = old.get(name), new.get(name)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _changes(was, now, f"{path}{name}.")
        elif not _is_same(was, now):
            yield f"{path}{name}", now


def _is_same(was: Any, now: Any) -> bool:
    if isinstance(was, np.ndarray) or isinstance(now, np.ndarray):
        return np.array_equal(was, now)
    return bool(was == now)


def count(name: str, value: int, low: int, high: int, step: int = 1) -> widgets.IntSlider:
    """A slider of whole numbers."""
    return widgets.IntSlider(value, low, high, step, description=name, **_TIDY)


def number(name: str, value: float, low: float, high: float, step: float) -> widgets.FloatSlider:
    """A slider of numbers."""
    return widgets.FloatSlider(value, min=low, max=high, step=step, description=name, **_TIDY)


def share(name: str, value: float) -> widgets.FloatSlider:
    """A slider from nothing to all."""
    given = {"min": 0.0, "max": 1.0, "step": 0.01, "readout_format": ".0%"}
    return widgets.FloatSlider(value, description=name, **given, **_TIDY)


def rate(name: str, value: float, low: int, high: int) -> widgets.SelectionSlider:
    """A slider from 10^low to 10^high in steps of 1, 2, 5."""
    values = [float(f"{digit}e{i}") for i in range(low, high) for digit in (1, 2, 5)]
    options = [(f"{value:g}", value) for value in (*values, 10.0**high)]
    return widgets.SelectionSlider(options=options, value=value, description=name, **_TIDY)


def choice(name: str, options: Sequence[Any], value: Any = None) -> widgets.Dropdown:
    """A menu; an underscore is shown as a space."""
    named = [(str(option).replace("_", " "), option) for option in options]
    chosen = options[0] if value is None else value
    return widgets.Dropdown(options=named, value=chosen, description=name, **_TIDY)


def switch(name: str, value: bool) -> widgets.Checkbox:
    """A box to tick."""
    return widgets.Checkbox(value, description=name, **_TIDY)
