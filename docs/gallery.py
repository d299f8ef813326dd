"""`make gallery`: every view on one page, by both libraries, light and dark."""

import base64
import functools
import html
import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import fitscope as fs
from fitscope.plot import view

OUT = Path(__file__).with_name("_build") / "gallery.html"
LOOK = """
body { margin: 0; padding: 24px; font: 15px system-ui, sans-serif; background: #888; }
h2 { margin: 32px 0 8px; font-size: 17px; color: #fff; }
.views { display: grid; gap: 8px; grid-template-columns: repeat(auto-fill, minmax(360px, 1fr)); }
.views > * { min-width: 0; } img { width: 100%; display: block; }
"""


class Example(NamedTuple):
    """A view of something."""

    view: str
    what: str
    subject: Callable[[], Any]
    options: Mapping[str, Any] = MappingProxyType({})


@functools.cache
def run(name: str, **settings: Any) -> fs.Run:
    """A run, trained once."""
    return fs.fit(name, **{k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()})


@functools.cache
def population(name: str, n_seeds: int, **settings: Any) -> fs.Population:
    """Many nets, trained once."""
    listed = {k: [list(v) for v in vs] for k, vs in settings.items()}
    return fs.fit_many(name, seeds=range(n_seeds), **listed)


def _of(name: str, **settings: Any) -> Callable[[], fs.Run]:
    return lambda: run(name, **settings)


FLOWERS = _of("iris", hidden=(8,), epochs=300)
TUMOURS = _of("breast-cancer", epochs=300)
PATIENTS = _of("diabetes", hidden=(8,), epochs=300)
RINGS = _of("rings-3")
STEEP = [(1, 5), (5, 5), (1, 0)]
PLANE = {"x_range": (-15, 15), "y_range": (-13, 13)}
WIDTHS = {"hidden": ((2,), (3,), (4,))}

EXAMPLES = [
    Example("scatter", "two classes", _of("gates-and")),
    Example("scatter", "four classes", _of("blobs")),
    Example("scatter", "a regression", _of("sine-10")),
    Example("scatter", "a regression, two of ten inputs", PATIENTS),
    Example("decision_field", "one neuron", _of("gates-and")),
    Example("decision_field", "three hidden units", RINGS),
    Example("decision_field", "classes", _of("gates-and"), {"classes": True}),
    Example("decision_field", "four classes", _of("blobs", hidden=(8,), epochs=300)),
    Example("decision_field", "a slice of 30 inputs", TUMOURS),
    Example("decision_field", "a regression", PATIENTS, {"features": ["bmi", "bp"]}),
    Example("response_curve", "one neuron", _of("bad-start")),
    Example("response_curve", "several moments", _of("bad-start"), {"steps": [0, 20, 100, 700]}),
    Example("response_curve", "a regression", _of("sine-10")),
    Example("response_curve", "as steps", _of("sine-10"), {"step_approximation": True}),
    Example("sigmoid_curves", "three neurons", lambda: STEEP),
    Example("sigmoid_plane", "a map", lambda: (1, 2, 0)),
    Example("sigmoid_plane", "a surface", lambda: (1, 2, 0), {"kind": "surface"}),
    Example("polynomial_curve", "degree 4", _of("polynomial")),
    Example("loss_curves", "log scale", RINGS),
    Example("loss_curves", "with test and batches", _of("gates-and"), {"batches": True}),
    Example("loss_surface", "exact, with the path", _of("bad-start"), PLANE),
    Example("loss_surface", "in space", _of("bad-start"), {**PLANE, "kind": "3d"}),
    Example("loss_surface", "two losses", _of("bad-start"), {"loss": ["cross_entropy", "mse"]}),
    Example("loss_surface", "with its optimum", _of("threshold-sgd")),
    Example("loss_surface", "the plane of the path", RINGS),
    Example("loss_surface", "random directions", RINGS, {"plane": "random"}),
    Example("hidden_lines", "seven regions", RINGS),
    Example("hidden_lines", "five units", _of("rings-5")),
    Example("hidden_space", "three units", RINGS),
    Example("hidden_space", "all triples of five", _of("rings-5"), {"units": "all"}),
    Example("hidden_space", "principal components", FLOWERS, {"pca": True}),
    Example("unit_maps", "2-3-1", RINGS),
    Example("unit_maps", "two hidden layers", _of("moons", hidden=(4, 3), epochs=600)),
    Example("unit_maps", "one input", _of("sine-10")),
    Example("network_diagram", "2-3-1", RINGS, {"unit": "h2"}),
    Example("network_diagram", "wide", _of("breast-cancer", hidden=(8,), epochs=50)),
    Example("parameter_paths", "13 parameters", RINGS, {"log_steps": True}),
    Example("parameter_paths", "with gradients", _of("bad-start"), {"gradients": True}),
    Example("importance", "coefficients", TUMOURS),
    Example("metrics", "two classes", TUMOURS),
    Example("metrics", "a regression", PATIENTS),
    Example("confusion", "three classes", FLOWERS),
    Example("roc_curve", "two classes", TUMOURS),
    Example("roc_curve", "three classes", FLOWERS),
    Example("precision_recall", "two classes", TUMOURS),
    Example("calibration", "two classes", TUMOURS),
    Example("fit_scatter", "a regression", PATIENTS),
    Example("residuals", "a regression", PATIENTS),
    Example("compare", "with scikit-learn", _of("gaussians"), {"what": "boundaries"}),
    Example(
        "compare",
        "optimizers",
        _of("bad-start"),
        {"others": [fs.fit("bad-start", optimizer="adam"), fs.fit("bad-start", lr=0.5)]},
    ),
    Example(
        "compare",
        "their paths",
        _of("bad-start"),
        {
            "what": "paths",
            "others": [fs.fit("bad-start", optimizer="adam"), fs.fit("bad-start", lr=0.5)],
        },
    ),
    Example("basin_map", "cross-entropy", _of("bad-start"), {"n_grid": 60}),
    Example("basin_map", "squared error", _of("bad-start-mse"), {"n_grid": 60}),
    Example("final_losses", "by width", lambda: population("rings-3", 30, **WIDTHS)),
    Example("success_share", "by width", lambda: population("rings-3", 30, **WIDTHS)),
    Example("start_map", "60 starts", lambda: population("rings-2", 60)),
]


def card(example: Example) -> str:
    """One view, drawn four times."""
    print(f"{example.view}: {example.what}", file=sys.stderr)
    shown = view(example.view)
    subject = example.subject()
    cells = []
    for theme in ("light", "dark"):
        fig = shown.figure(subject, "matplotlib", theme=theme, **example.options)
        buffer = io.BytesIO()
        fig.savefig(buffer, format="png", dpi=130)
        data = base64.b64encode(buffer.getvalue()).decode()
        cells.append(f'<img alt="" src="data:image/png;base64,{data}">')
    for theme in ("light", "dark"):
        fig = shown.figure(subject, "plotly", theme=theme, **example.options)
        cells.append(f"<div>{fig.to_html(full_html=False, include_plotlyjs=False)}</div>")
    title = html.escape(f"{example.view}: {example.what}")
    return f"<h2>{title}</h2><div class=views>{''.join(cells)}</div>"


def main() -> None:
    """Writes the page."""
    from plotly.offline import get_plotlyjs

    cards = "\n".join(card(example) for example in EXAMPLES)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(
        f"<!doctype html><meta charset=utf-8><title>fitscope: all views</title>"
        f"<style>{LOOK}</style><script>{get_plotlyjs()}</script>\n{cards}\n",
        encoding="utf-8",
    )
    print(OUT)


if __name__ == "__main__":
    main()
