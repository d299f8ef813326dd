"""`fs.explore`: one explorer for each notebook, and a little more; `theme` is light or dark."""

from dataclasses import replace
from typing import Any

import numpy as np

from fitscope import analysis
from fitscope.notebook.explorer import (
    Explorer,
    Panel,
    choice,
    count,
    number,
    rate,
    share,
    switch,
)
from fitscope.records import Dataset, Run
from fitscope.specs import DataSpec
from fitscope.train import fit as train

__all__ = ["fit", "gates", "hidden", "sigmoid", "sigmoid2d", "sine", "surface"]

GRID = 80  # points a side of a field: a move shall take less time than the eye notices
RULES: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd"},
    "sgd, momentum 0.9": {"optimizer": "sgd", "momentum": 0.9},
    "adam": {"optimizer": "adam"},
    "rmsprop": {"optimizer": "rmsprop"},
}
PLANES = ("gaussians", "xor", "rings", "moons", "circles", "spirals")
BATCHES = ("full", 100, 20)
GATE_ENDS, PLANE_ENDS, SINE_ENDS = (-1.0, 2.0), (-6.0, 6.0), (-4.5, 4.5)  # of fixed axes
STARTS_W, STARTS_B = (-15.0, 15.0), (-13.0, 13.0)
Shown = tuple[str, list[Panel]]


def gates(*, theme: str = "light") -> Explorer:
    """One neuron on a noisy logic gate, trained step by step or by scikit-learn.

    Train and test accuracy stand in the title; class or probability over the plane. The
    settings of steps, the learning rate and the epochs, are none of scikit-learn's.
    """

    def show(
        *, gate: str, n_samples: int, noise: float, engine: str, show: str, lr: float, epochs: int
    ) -> Shown:
        spec = DataSpec(
            name="gates", gate=gate, n_samples=n_samples, noise=noise, test_fraction=0.2
        )
        data = _dataset(spec)
        if engine == "scikit-learn":
            run, step = _scikit_learn(data), 0
            how = "logistic regression by scikit-learn"
        else:
            run = train(data, optimizer="sgd", lr=lr, batch_size=64, init="ones", epochs=epochs)
            step = -1
            how = f"one neuron {run.moment()}"
        found = _accuracies(run, step)
        title = f"{gate.upper()} gate, {n_samples} samples, noise {noise:.2f}"
        if show == "samples":
            fixed = {"x": GATE_ENDS, "y": GATE_ENDS}
            return title, [Panel("scatter", analysis.scatter(data), limits=fixed)]
        field = _field(run, step, classes=show == "classes", ends=GATE_ENDS)
        return f"{title}; {how}: {found}", [field]

    return Explorer(
        show,
        {
            "gate": choice("gate", ("and", "or", "xor")),
            "n_samples": count("samples", 500, 100, 1000, 100),
            "noise": number("noise", 0.05, 0.0, 1.0, 0.01),
            "engine": choice("engine", ("neuron", "scikit-learn")),
            "show": choice("show", ("probabilities", "classes", "samples")),
            "lr": rate("lr", 0.5, -3, 1),
            "epochs": count("epochs", 20, 1, 200),
        },
        theme=theme,
    )


def sigmoid(*, theme: str = "light") -> Explorer:
    """The sigmoid of w x + b by hand, over data whose loss it should make small."""

    def show(*, w: float, b: float, data: str) -> Shown:
        if data == "none":
            record = analysis.sigmoid_curves([(w, b)])
            return f"sigmoid({_sum((w, 'x'), (b, ''))})", [Panel("sigmoid_curves", record)]
        run = train(data, hidden=[], init=[w, b], epochs=1)
        title = f"sigmoid({_sum((w, 'x'), (b, ''))}) on {data}: {_losses(run, 0)}"
        return title, [Panel("response_curve", analysis.response_curve(run, step=0))]

    return Explorer(
        show,
        {
            "w": number("w", 1.0, -20.0, 20.0, 0.1),
            "b": number("b", 0.0, -20.0, 20.0, 0.1),
            "data": choice("data", ("none", "step", "threshold")),
        },
        theme=theme,
    )


def sigmoid2d(*, theme: str = "light") -> Explorer:
    """The sigmoid of w1 x1 + w2 x2 + b by hand: as a map, as a surface, or over data."""

    def show(*, w1: float, w2: float, b: float, kind: str) -> Shown:
        title = f"sigmoid({_sum((w1, 'x1'), (w2, 'x2'), (b, ''))})"
        if kind == "gaussians":
            run = train(kind, hidden=[], init=[w1, w2, b], epochs=1)
            told = f"{title} on {kind}: {_losses(run, 0)}, {_accuracies(run, 0)}"
            return told, [_field(run, 0, ends=PLANE_ENDS)]
        record = analysis.sigmoid_plane((w1, w2, b), x_range=PLANE_ENDS)
        return title, [Panel("sigmoid_plane", record, {"kind": kind})]

    return Explorer(
        show,
        {
            "w1": number("w1", 1.0, -5.0, 5.0, 0.1),
            "w2": number("w2", 2.0, -5.0, 5.0, 0.1),
            "b": number("b", 0.0, -10.0, 10.0, 0.1),
            "kind": choice("show", ("map", "surface", "gaussians")),
        },
        theme=theme,
    )


def fit(*, theme: str = "light") -> Explorer:
    """A neuron or a small network on points of the plane: settings, field, losses."""

    def show(*, data: str, hidden: int, optimizer: str, **training: Any) -> Shown:
        source = {"name": "gates", "gate": "xor"} if data == "xor" else {"name": data}
        points = _dataset(DataSpec(**source, test_fraction=0.2))
        widths = [hidden] if hidden else []
        run = train(points, hidden=widths, **RULES[optimizer], **training)
        name = data.upper() if data == "xor" else data
        found = f"{_losses(run, -1)}, {_accuracies(run, -1)}"
        title = f"{name}, {_shape(run)}, {optimizer}, {run.moment()}: {found}"
        return title, [_field(run, -1), Panel("loss_curves", analysis.loss_curves(run))]

    return Explorer(
        show,
        {
            "data": choice("data", PLANES),
            "hidden": count("hidden units", 0, 0, 8),
            "optimizer": choice("optimizer", tuple(RULES), "adam"),
            "lr": rate("lr", 0.05, -4, 1),
            "batch_size": choice("batch", BATCHES),
            "epochs": count("epochs", 600, 10, 2000, 10),
            "seed": count("seed", 0, 0, 100),
        },
        theme=theme,
    )


def hidden(*, theme: str = "light") -> Explorer:
    """Rings and a hidden layer: its width, its lines, its space, at any moment."""
    views = ("decision_field", "hidden_lines", "hidden_space", "unit_maps")

    def show(
        *, width: int, activation: str, lr: float, epochs: int, seed: int, shown: str, moment: float
    ) -> Shown:
        common: dict[str, Any] = {"lr": lr, "epochs": epochs, "seed": seed}
        run = train("rings", hidden=[width], activation=activation, **common)
        step = _step(run, moment)
        options = {"decision_field": {"n_grid": GRID}, "unit_maps": {"n_grid": 40}}
        record = getattr(analysis, shown)(run, step=step, **options.get(shown, {}))
        title = f"rings, {_shape(run)}, {run.moment(step)}: {_losses(run, step)}"
        return title, [Panel(shown, record)]

    return Explorer(
        show,
        {
            "width": count("hidden units", 3, 1, 8),
            "activation": choice("activation", ("sigmoid", "tanh", "relu")),
            "lr": rate("lr", 0.01, -4, 0),
            "epochs": count("epochs", 2000, 100, 10_000, 100),
            "seed": count("seed", 0, 0, 100),
            "shown": choice("show", views),
            "moment": share("moment", 1.0),
        },
        theme=theme,
    )


def surface(*, theme: str = "light") -> Explorer:
    """One neuron with two parameters: the loss over them, the path, and the curve it draws."""

    def show(
        *, loss: str, w: float, b: float, optimizer: str, lr: float, epochs: int, kind: str
    ) -> Shown:
        given = {**RULES[optimizer], "lr": lr, "epochs": epochs, "loss": loss}
        run = train("bad-start", init=[w, b], **given)
        title = f"{optimizer} from w = {w:g}, b = {b:g}, {run.moment()}: {_losses(run, -1)}"
        record = analysis.loss_surface(run, x_range=STARTS_W, y_range=STARTS_B, n_grid=60)
        return title, [
            Panel("loss_surface", record, {"kind": kind}),
            Panel("response_curve", analysis.response_curve(run, n_grid=200)),
        ]

    return Explorer(
        show,
        {
            "loss": choice("loss", ("cross_entropy", "mse")),
            "w": number("start w", -5.0, *STARTS_W, 0.5),
            "b": number("start b", -10.0, *STARTS_B, 0.5),
            "optimizer": choice("optimizer", tuple(RULES)),
            "lr": rate("lr", 2.0, -3, 1),
            "epochs": count("epochs", 100, 1, 400),
            "kind": choice("show", ("contour", "3d")),
        },
        theme=theme,
    )


def sine(*, theme: str = "light") -> Explorer:
    """A damped sine drawn by hidden units: how many, from which start, as steps."""

    def show(
        *, width: int, lr: float, epochs: int, seed: int, flipped: bool, steps: bool, moment: float
    ) -> Shown:
        run = train("sine", hidden=[width], lr=lr, epochs=epochs, seed=seed, flipped=flipped)
        step = _step(run, moment)
        record = analysis.response_curve(run, step=step, step_approximation=steps)
        mirrored = "mirrored " if flipped else ""
        title = f"{mirrored}damped sine, {_shape(run)}, {run.moment(step)}: {_losses(run, step)}"
        return title, [Panel("response_curve", record, limits={"y": SINE_ENDS})]

    return Explorer(
        show,
        {
            "width": count("hidden units", 10, 1, 20),
            "lr": rate("lr", 0.01, -4, 0),
            "epochs": count("epochs", 5000, 100, 20_000, 100),
            "seed": count("seed", 102, 0, 200),
            "flipped": switch("mirrored", False),
            "steps": switch("as steps", False),
            "moment": share("moment", 1.0),
        },
        theme=theme,
    )


def _dataset(spec: DataSpec) -> Dataset:
    from fitscope.data import dataset

    return dataset(spec)


def _scikit_learn(data: Dataset) -> Run:
    """scikit-learn's logistic regression as the start of a run, so that every view shows it."""
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression().fit(data.X, data.y)
    return train(data, init=[*found.coef_[0].tolist(), float(found.intercept_[0])], epochs=1)


def _field(
    run: Run, step: int, *, classes: bool = False, ends: tuple[float, float] | None = None
) -> Panel:
    """The field of probabilities, or of the classes that they mean, also on a fixed square."""
    n_grid = GRID if ends is None else 2
    record = analysis.decision_field(run, step=step, classes=classes, n_grid=n_grid)
    if ends is not None:
        x = np.linspace(*ends, GRID)
        places = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
        values = run.predict_proba(places, step=step)[:, 1].reshape(GRID, GRID)
        values = (values >= 0.5).astype(np.float64) if classes else values
        record = replace(record, x=x, y=x, values=values)
    return Panel("decision_field", record)


def _sum(*terms: tuple[float, str]) -> str:
    """A weighted sum as it is written: 2 x1 - 0.5 x2 + 1."""
    first, *rest = (f"{'-' if w < 0 else '+'} {abs(w):g} {name}".rstrip() for w, name in terms)
    return " ".join([first.replace("- ", "-").removeprefix("+ "), *rest])


def _shape(run: Run) -> str:
    return "-".join(map(str, run.layer_sizes))


def _step(run: Run, moment: float) -> int:
    """The step at a share of the way on a log scale, since most happens early."""
    last = int(run.steps[-1])
    return int(np.rint(np.expm1(moment * np.log1p(last))))


def _losses(run: Run, step: int) -> str:
    facts = analysis.summary(run, step=step)
    test = "" if facts.test_loss is None else f", test {facts.test_loss:.4g}"
    return f"loss {facts.train_loss:.4g}{test} ({facts.loss})"


def _accuracies(run: Run, step: int) -> str:
    scores = analysis.summary(run, step=step).scores
    shown = [f"{name.split('_')[0]} {value:.2f}" for name, value in scores.items()]
    return f"accuracy {', '.join(shown)}"
