"""`fs.explore`: one explorer for each notebook, and a little more."""

from typing import Any

import numpy as np

from fitscope import analysis
from fitscope.notebook.explorer import Explorer, Panel, choice, count, number, power, switch
from fitscope.records import Dataset, Run
from fitscope.specs import DataSpec
from fitscope.train import fit as train

__all__ = ["fit", "gates", "hidden", "sigmoid", "sigmoid2d", "sine", "surface"]

GRID = 80  # points a side of a field: a move shall take less time than the eye notices
OPTIMIZERS = ("sgd", "adam", "rmsprop")
PLANES = ("gaussians", "gates", "rings", "moons", "circles", "spirals")
STARTS_W, STARTS_B = (-15.0, 15.0), (-13.0, 13.0)
Shown = tuple[str, list[Panel]]


def gates() -> Explorer:
    """One neuron on a noisy logic gate, trained step by step or by scikit-learn.

    Train and test accuracy stand in the title; class or probability over the plane.
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
            how = f"one neuron after {run.steps[-1]:,} updates"
        found = _accuracies(run, step)
        title = f"{gate} gate, {n_samples} samples, noise {noise:.2f}; {how}: {found}"
        if show == "samples":
            return title, [Panel("scatter", analysis.scatter(data))]
        return title, [_field(run, step, classes=show == "classes")]

    return Explorer(
        show,
        {
            "gate": choice("gate", ("and", "or", "xor")),
            "n_samples": count("samples", 500, 100, 1000, 100),
            "noise": number("noise", 0.05, 0.0, 1.0, 0.01),
            "engine": choice("engine", ("neuron", "scikit-learn")),
            "show": choice("show", ("probabilities", "classes", "samples")),
            "lr": power("lr", 0.5, -3, 1),
            "epochs": count("epochs", 20, 1, 200),
        },
    )


def sigmoid() -> Explorer:
    """The sigmoid of w x + b by hand, over data whose loss it should make small."""

    def show(*, w: float, b: float, data: str) -> Shown:
        if data == "none":
            record = analysis.sigmoid_curves([(w, b)])
            return f"sigmoid of {w:g} x {b:+g}", [Panel("sigmoid_curves", record)]
        run = train(data, hidden=[], init=[w, b], epochs=1)
        title = f"sigmoid of {w:g} x {b:+g} on {data}: {_losses(run, 0)}"
        return title, [Panel("response_curve", analysis.response_curve(run, step=0))]

    return Explorer(
        show,
        {
            "w": number("w", 1.0, -20.0, 20.0, 0.1),
            "b": number("b", 0.0, -20.0, 20.0, 0.1),
            "data": choice("data", ("none", "step", "threshold")),
        },
    )


def sigmoid2d() -> Explorer:
    """The sigmoid of w1 x1 + w2 x2 + b, as a map or as a surface, and its boundary."""

    def show(*, w1: float, w2: float, b: float, kind: str) -> Shown:
        record = analysis.sigmoid_plane((w1, w2, b))
        title = f"sigmoid of {w1:g} x1 {w2:+g} x2 {b:+g}"
        return title, [Panel("sigmoid_plane", record, {"kind": kind})]

    return Explorer(
        show,
        {
            "w1": number("w1", 1.0, -5.0, 5.0, 0.1),
            "w2": number("w2", 2.0, -5.0, 5.0, 0.1),
            "b": number("b", 0.0, -10.0, 10.0, 0.1),
            "kind": choice("kind", ("map", "surface")),
        },
    )


def fit() -> Explorer:
    """A neuron or a small network on points of the plane: settings, field, losses."""

    def show(*, data: str, hidden: int, optimizer: str, lr: float, epochs: int, seed: int) -> Shown:
        widths = [hidden] if hidden else []
        common: dict[str, Any] = {"test_fraction": 0.2, "epochs": epochs, "seed": seed}
        run = train(data, hidden=widths, optimizer=optimizer, lr=lr, **common)
        title = f"{data}, {_shape(run)}, {run.moment()}: {_losses(run, -1)}, {_accuracies(run, -1)}"
        return title, [_field(run, -1), Panel("loss_curves", analysis.loss_curves(run))]

    return Explorer(
        show,
        {
            "data": choice("data", PLANES),
            "hidden": count("hidden units", 0, 0, 8),
            "optimizer": choice("optimizer", OPTIMIZERS, "adam"),
            "lr": power("lr", 0.05, -4, 1),
            "epochs": count("epochs", 600, 10, 2000, 10),
            "seed": count("seed", 0, 0, 100),
        },
    )


def hidden() -> Explorer:
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
            "lr": power("lr", 0.01, -4, 0),
            "epochs": count("epochs", 2000, 100, 10_000, 100),
            "seed": count("seed", 0, 0, 100),
            "shown": choice("show", views),
            "moment": number("moment", 1.0, 0.0, 1.0, 0.01),
        },
    )


def surface() -> Explorer:
    """One neuron with two parameters: the loss over them, the path, and the curve it draws."""

    def show(
        *, loss: str, w: float, b: float, optimizer: str, lr: float, epochs: int, kind: str
    ) -> Shown:
        given: dict[str, Any] = {"optimizer": optimizer, "lr": lr, "epochs": epochs, "loss": loss}
        run = train("bad-start", init=[w, b], **given)
        title = f"{loss} from w = {w:g}, b = {b:g}, {run.moment()}: {_losses(run, -1)}"
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
            "optimizer": choice("optimizer", OPTIMIZERS),
            "lr": power("lr", 2.0, -3, 1),
            "epochs": count("epochs", 100, 1, 400),
            "kind": choice("kind", ("contour", "3d")),
        },
    )


def sine() -> Explorer:
    """A damped sine drawn by hidden units: how many, from which start, as steps."""

    def show(
        *, width: int, lr: float, epochs: int, seed: int, flipped: bool, steps: bool, moment: float
    ) -> Shown:
        run = train("sine", hidden=[width], lr=lr, epochs=epochs, seed=seed, flipped=flipped)
        step = _step(run, moment)
        record = analysis.response_curve(run, step=step, step_approximation=steps)
        mirrored = "mirrored " if flipped else ""
        title = f"{mirrored}damped sine, {_shape(run)}, {run.moment(step)}: {_losses(run, step)}"
        return title, [Panel("response_curve", record)]

    return Explorer(
        show,
        {
            "width": count("hidden units", 10, 1, 20),
            "lr": power("lr", 0.01, -4, 0),
            "epochs": count("epochs", 3000, 100, 20_000, 100),
            "seed": count("seed", 102, 0, 200),
            "flipped": switch("mirrored", False),
            "steps": switch("as steps", False),
            "moment": number("moment", 1.0, 0.0, 1.0, 0.01),
        },
    )


def _dataset(spec: DataSpec) -> Dataset:
    from fitscope.data import dataset

    return dataset(spec)


def _scikit_learn(data: Dataset) -> Run:
    """scikit-learn's logistic regression as the start of a run, so that every view shows it."""
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression().fit(data.X, data.y)
    return train(data, init=[*found.coef_[0].tolist(), float(found.intercept_[0])], epochs=1)


def _field(run: Run, step: int, *, classes: bool = False) -> Panel:
    """The field of probabilities, or of the classes that they mean."""
    record = analysis.decision_field(run, step=step, classes=classes, n_grid=GRID)
    return Panel("decision_field", record)


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
