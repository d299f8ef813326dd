"""A run as an ONNX model: raw inputs in, labels and probabilities or values out."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscope import __version__
from fitscope.analysis.needs import needs_one_target
from fitscope.errors import MissingExtraError
from fitscope.export.onnx_columns import column_inputs, encoded_columns
from fitscope.export.onnx_graph import Graph
from fitscope.network import layers
from fitscope.records import Run

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["onnx_model"]

OPSET, OPSET_ML = 18, 3
IR_VERSION = 9  # what goes with it: readers of the last three years take both
ACTIVATIONS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "identity": "Identity"}


def onnx_model(run: Run, *, step: int = -1) -> "ModelProto":
    """The network at a step with what stands before and after it: scaling, probabilities, labels.

    Its input `X` (n, d) is float64, in the data's own units and in the order of `feature_names`.
    Of a table with text, dates or gaps every column is an input of its own (n,), by its
    name: text as strings, "" where one is missing, and codes as the text in `preprocessing`
    ("true", "0.5"); numbers as float64, truth values as 0 and 1; dates as seconds since 1970-01-01
    in UTC, times of day as seconds since midnight; NaN where one is missing.
    For classes it answers `label` (n,), each by its own name, and `probabilities` (n, c) in the
    order of `classes`; for regression `prediction` (n,) in the target's units. Names and classes
    are kept as metadata.

    float64 throughout, as in `Run.predict_proba`: in float32, a column such as a year or a price
    would be rounded before its mean is subtracted.

    Raises:
        MissingExtraError: the package onnx is not installed.
        DataError: the step is outside the run, the run has several targets, or a column is called
            as an answer is.
    """
    needs_one_target(run.dataset, "An ONNX model")
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError:
        raise MissingExtraError.of("Writing a run as ONNX", "onnx") from None
    how, after = run.dataset.preprocessing, _labels if run.dataset.classes else _values
    if how and not how.is_plain:
        graph = Graph(how.names)
        inputs, X = column_inputs(how), encoded_columns(graph, how)
    else:
        graph, X = Graph(), "X"
        inputs = [helper.make_tensor_value_info(X, TensorProto.DOUBLE, ["n", run.dataset.d])]
    outputs = after(graph, run, _network(graph, run, X, step))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "fitscope",
            inputs,
            outputs,
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)],
        ir_version=IR_VERSION,
        producer_name="fitscope",
        producer_version=__version__,
    )
    facts = {
        "feature_names": json.dumps(run.dataset.feature_names),
        "target": run.dataset.target_name,
        "classes": json.dumps(run.dataset.classes),
        "title": run.experiment.title,
    }
    if how:
        facts["preprocessing"] = how.model_dump_json()
    helper.set_model_props(model, facts)
    onnx.checker.check_model(model, full_check=True)
    return model


def _network(graph: Graph, run: Run, X: str, step: int) -> str:
    """Scaling, and then layer by layer; the last one's logits or values (n, k)."""
    data, a = run.dataset, X
    if data.spec.standardize:
        a = graph.node("Sub", a, graph.constant(data.mean))
        a = graph.node("Div", a, graph.constant(data.scale))
    found = layers(run.params[run.row(step)].astype(np.float64), run.layer_sizes)
    for i, (W, b) in enumerate(found, start=1):
        a = graph.node("Gemm", a, graph.constant(W), graph.constant(b), transB=1)
        if i < len(found):
            a = graph.node(ACTIVATIONS[run.experiment.network.activation], a)
    return a


def _values(graph: Graph, run: Run, answer: str) -> list[Any]:
    """The prediction (n,) of a regression, in the target's units."""
    from onnx import TensorProto, helper

    a = answer
    if run.dataset.spec.standardize:
        a = graph.node("Mul", a, graph.constant(np.array(run.dataset.y_scale)))
        a = graph.node("Add", a, graph.constant(np.array(run.dataset.y_mean)))
    graph.node("Squeeze", a, graph.constant(np.array([1])), name="prediction")
    return [helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["n"])]


def _labels(graph: Graph, run: Run, answer: str) -> list[Any]:
    """The label (n,) and the probability of each class (n, c)."""
    from onnx import TensorProto, helper

    classes = run.dataset.classes
    if run.dataset.k == 1:
        both = graph.node("Concat", graph.node("Neg", answer), answer, axis=1)
        graph.node("Sigmoid", both, name="probabilities")
    else:
        graph.node("Softmax", answer, name="probabilities", axis=1)
    if len(classes) == 2:  # where both are as likely, the second
        yes = graph.node("Gather", "probabilities", graph.constant(np.array(1)), axis=1)
        is_yes = graph.node("GreaterOrEqual", yes, graph.constant(np.array(0.5)))
        index = graph.node("Cast", is_yes, to=TensorProto.INT64)
    else:
        index = graph.node("ArgMax", answer, axis=1, keepdims=0)
    kind, values = _written(classes)
    graph.node("Gather", graph.constant(values), index, name="label", axis=0)
    return [
        helper.make_tensor_value_info("label", kind, ["n"]),
        helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, ["n", len(classes)]),
    ]


def _written(classes: tuple[Any, ...]) -> tuple[int, np.ndarray]:
    """Labels as an array that ONNX knows: whole numbers, numbers, truth values or text."""
    from onnx import TensorProto

    values = np.array(classes)
    kinds = {"b": TensorProto.BOOL, "i": TensorProto.INT64, "f": TensorProto.DOUBLE}
    if values.dtype.kind in kinds:
        return kinds[values.dtype.kind], values
    return TensorProto.STRING, values.astype(object)
