"""A run as a scikit-learn model: a script that builds it, fitted, from its numbers."""

import numpy as np

from fitscope.analysis.needs import needs_one_target
from fitscope.errors import DataError
from fitscope.export.sklearn_columns import column_imports, column_transformer, example_row
from fitscope.export.source import call, literal, plain
from fitscope.network import layers
from fitscope.preprocessing import CategoryColumn, Preprocessing
from fitscope.records import Run

__all__ = ["sklearn_script"]

MOST_PARAMETERS = 5000  # as numbers in a text; more are no longer read
_ACTIVATIONS = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu", "identity": "identity"}


def sklearn_script(run: Run, *, step: int = -1) -> str:
    """A script that needs numpy and scikit-learn only, and builds `model`, fitted as the run is.

    A network without hidden layers is a LogisticRegression or a LinearRegression, any other an
    MLPClassifier or MLPRegressor; before it stands a StandardScaler where the run scaled its
    inputs. The scaling of a regression's target is part of the last layer, and so is the difference
    of two logits, whose sigmoid is their softmax. Text, dates and gaps of a table are turned into
    inputs by a ColumnTransformer before all that.

    Raises:
        DataError: the step is outside the run, or the network is too large for a text, or the
            run has several targets.
    """
    needs_one_target(run.dataset, "A script")
    params = run.params[run.row(step)]
    if params.size > MOST_PARAMETERS:
        raise DataError(
            f"A script holds at most {MOST_PARAMETERS:,} numbers; this network has {params.size:,} "
            "parameters. Export it as onnx or state_dict."
        )
    found = [(W.T, b) for W, b in layers(params.astype(np.float64), run.layer_sizes)]
    found[-1] = _last(run, *found[-1])
    net = _linear(run, *found[0]) if len(found) == 1 else _deep(run, found)
    how = _columns(run)
    before = [*([""] * 2 + column_transformer(how) if how else [""])]
    return "\n".join([*_head(run, len(found)), *before, *net, *_scaler(run), *_tail(run)]) + "\n"


def _last(run: Run, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last layer (h, k) as scikit-learn has it: values in their units, two classes by one."""
    data = run.dataset
    if not data.classes:
        return W * data.y_scale, b * data.y_scale + data.y_mean
    return (W[:, 1:] - W[:, :1], b[1:] - b[:1]) if data.k == 2 else (W, b)


def _columns(run: Run) -> Preprocessing | None:
    """How columns become inputs, where they are not the inputs themselves."""
    how = run.dataset.preprocessing
    return None if how is None or how.is_plain else how


def _head(run: Run, n_layers: int) -> list[str]:
    """What it is, and what it imports."""
    data = run.dataset
    shape = "-".join(map(str, run.layer_sizes))
    how = _columns(run)
    names = how.names if how else data.feature_names
    columns = plain(", ".join(names), most=200)
    what = f"The class {data.target_name}" if data.classes else f"The value of {data.target_name}"
    module = "linear_model" if n_layers == 1 else "neural_network"
    own, others = column_imports(how) if how else ([], [])
    others.append(f"from sklearn.{module} import {_estimator(run, n_layers)}")
    if how or data.spec.standardize:
        others.append("from sklearn.pipeline import make_pipeline")
    steps = ["StandardScaler"] * bool(data.spec.standardize)
    if how:
        coded = any(isinstance(column, CategoryColumn) for column in how.columns)
        steps = ["FunctionTransformer", *["OneHotEncoder"] * coded, *steps]
    if steps:
        others.append(f"from sklearn.preprocessing import {', '.join(steps)}")
    return [
        f'"""{plain(what)}, as a {shape} network trained by fitscope answers it.',
        "",
        f"Columns, in this order: {columns}.",
        '"""',
        "",
        *own,
        "import numpy as np",
        *sorted(others),
    ]


def _estimator(run: Run, n_layers: int) -> str:
    """scikit-learn's class for this network."""
    if n_layers == 1:
        return "LogisticRegression" if run.dataset.classes else "LinearRegression"
    return "MLPClassifier" if run.dataset.classes else "MLPRegressor"


def _linear(run: Run, W: np.ndarray, b: np.ndarray) -> list[str]:
    """A linear model with its numbers."""
    classes, d = run.dataset.classes, run.dataset.d
    lines = [f"net = {_estimator(run, 1)}()", f"net.n_features_in_ = {d}"]
    if classes:
        return [
            *lines,
            _classes(run, "net.classes_"),
            *_array("net.coef_", W.T),
            *_array("net.intercept_", b),
        ]
    return [*lines, *_array("net.coef_", W[:, 0]), f"net.intercept_ = {float(b[0])!r}"]


def _deep(run: Run, found: list[tuple[np.ndarray, np.ndarray]]) -> list[str]:
    """A perceptron that has seen each class once, so that it is fitted; then its own numbers."""
    activation = _ACTIVATIONS[run.experiment.network.activation]
    hidden = tuple(run.experiment.network.hidden)
    classes = run.dataset.classes
    settings = [f"hidden_layer_sizes={hidden}", f"activation={literal(activation)}"]
    shape = f"({max(1, len(classes))}, {run.dataset.d})"
    seen = "classes, classes=classes" if classes else "np.zeros(1)"
    return [
        *([_classes(run, "classes")] if classes else []),
        call(f"net = {_estimator(run, 2)}", settings),
        f"net.partial_fit(np.zeros({shape}), {seen})  # makes its attributes",
        *_arrays("net.coefs_", [W for W, _ in found]),
        *_arrays("net.intercepts_", [b for _, b in found]),
    ]


def _scaler(run: Run) -> list[str]:
    """The pipeline that scales first, where the run did."""
    data = run.dataset
    first = "columns, " if _columns(run) else ""
    if not data.spec.standardize:
        return [f"model = make_pipeline({first}net)" if first else "model = net"]
    return [
        "scaler = StandardScaler()",
        f"scaler.n_features_in_ = {data.d}",
        *_array("scaler.mean_", data.mean),
        *_array("scaler.scale_", data.scale),
        f"model = make_pipeline({first}scaler, net)",
    ]


def _tail(run: Run) -> list[str]:
    """One answer, to see that it works: for the middle of the data, or for a row of a table."""
    how = _columns(run)
    if how:
        return ["", f"print(model.predict([{example_row(how)}]))"]
    row = _row(run.dataset.mean if run.dataset.spec.standardize else np.zeros(run.dataset.d))
    return ["", f"print(model.predict([{row}]))"]


def _classes(run: Run, name: str) -> str:
    return f"{name} = np.array({list(run.dataset.classes)!r})"


def _array(name: str, values: np.ndarray) -> list[str]:
    """`name = np.array(values)`, a row a line."""
    if values.ndim == 1:
        return [f"{name} = np.array({_row(values)})"]
    return [
        f"{name} = np.array(",
        "    [",
        *(f"        {_row(row)}," for row in values),
        "    ]",
        ")",
    ]


def _arrays(name: str, arrays: list[np.ndarray]) -> list[str]:
    """`name = [np.array(...), ...]`."""
    lines = [f"{name} = ["]
    for array in arrays:
        first, *rest = _array("", array)
        rows = [first.removeprefix(" = "), *rest]
        lines += [f"    {row}" for row in rows[:-1]] + [f"    {rows[-1]},"]
    return [*lines, "]"]


def _row(values: np.ndarray) -> str:
    """Numbers with all their digits."""
    return f"[{', '.join(repr(float(value)) for value in values)}]"
