"""A run as an ONNX model: raw inputs in, labels and probabilities or values out."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscope import __version__
from fitscope.analysis.needs import needs_one_target
from fitscope.errors import MissingExtraError
from fitscope.network import layers
from fitscope.records import Run

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

__all__ = ["onnx_model"]

OPSET = 18
IR_VERSION = 9  # what goes with it: readers of the last three years take both
ACTIVATIONS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "identity": "Identity"}


def onnx_model(run: Run, *, step: int = -1) -> "ModelProto":
    """The network at a step with what stands before and after it: scaling, probabilities, labels.

    Its input `X` (n, d) is float64, in the data's own units and in the order of `feature_names`.
    For classes it answers `label` (n,), each by its own name, and `probabilities` (n, c) in the
    order of `classes`; for regression `prediction` (n,) in the target's units. Names and classes
    are kept as metadata.

    float64 throughout, as in `Run.predict_proba`: in float32, a column such as a year or a price
    would be rounded before its mean is subtracted.

    Raises:
        MissingExtraError: the package onnx is not installed.
        DataError: the step is outside the run, or the run has several targets.
    """
    needs_one_target(run.dataset, "An ONNX model")
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError:
        raise MissingExtraError.of("Writing a run as ONNX", "onnx") from None
    graph = _Graph()
    after = _labels if run.dataset.classes else _values
    outputs = after(graph, run, _network(graph, run, step))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "fitscope",
            [helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["n", run.dataset.d])],
            outputs,
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
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
    helper.set_model_props(model, facts)
    onnx.checker.check_model(model, full_check=True)
    return model


class _Graph:
    """Nodes and constants, each named by its order."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[Any] = []

    def constant(self, value: np.ndarray) -> str:
        """The name of an array of the graph."""
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, *inputs: str, name: str = "", **settings: Any) -> str:
        """The name of what a new node answers."""
        from onnx import helper

        name = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **settings))
        return name


def _network(graph: _Graph, run: Run, step: int) -> str:
    """Scaling, and then layer by layer; the last one's logits or values (n, k)."""
    data, a = run.dataset, "X"
    if data.spec.standardize:
        a = graph.node("Sub", a, graph.constant(data.mean))
        a = graph.node("Div", a, graph.constant(data.scale))
    found = layers(run.params[run.row(step)].astype(np.float64), run.layer_sizes)
    for i, (W, b) in enumerate(found, start=1):
        a = graph.node("Gemm", a, graph.constant(W), graph.constant(b), transB=1)
        if i < len(found):
            a = graph.node(ACTIVATIONS[run.experiment.network.activation], a)
    return a


def _values(graph: _Graph, run: Run, answer: str) -> list[Any]:
    """The prediction (n,) of a regression, in the target's units."""
    from onnx import TensorProto, helper

    a = answer
    if run.dataset.spec.standardize:
        a = graph.node("Mul", a, graph.constant(np.array(run.dataset.y_scale)))
        a = graph.node("Add", a, graph.constant(np.array(run.dataset.y_mean)))
    graph.node("Squeeze", a, graph.constant(np.array([1])), name="prediction")
    return [helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["n"])]


def _labels(graph: _Graph, run: Run, answer: str) -> list[Any]:
    """The label (n,) and the probability of each class (n, c)."""
    from onnx import TensorProto, helper

    classes = run.dataset.classes
    if run.dataset.k == 1:
        both = graph.node("Concat", graph.node("Neg", answer), answer, axis=1)
        graph.node("Sigmoid", both, name="probabilities")
        yes = graph.node("Gather", "probabilities", graph.constant(np.array(1)), axis=1)
        is_yes = graph.node("GreaterOrEqual", yes, graph.constant(np.array(0.5)))
        index = graph.node("Cast", is_yes, to=TensorProto.INT64)
    else:
        graph.node("Softmax", answer, name="probabilities", axis=1)
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
