"""An ONNX graph in the making."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscope.errors import DataError

if TYPE_CHECKING:
    from onnx import NodeProto

__all__ = ["Graph"]


class Graph:
    """Nodes and constants, each named by its order, but never as an input is.

    Args:
        taken: the names of the inputs.
    """

    def __init__(self, taken: Collection[str] = ()) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[Any] = []
        self._taken = frozenset(taken)

    def constant(self, value: np.ndarray) -> str:
        """The name of an array of the graph."""
        from onnx import numpy_helper

        name = self._free(f"c{len(self.constants)}")
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, *inputs: str, name: str = "", **settings: Any) -> str:
        """The name of what a new node answers.

        Raises:
            DataError: an input has the name that the answer must have.
        """
        from onnx import helper

        if name in self._taken:
            raise DataError(
                f"A column is called `{name}`, as an answer of the ONNX model is; rename it."
            )
        name = name or self._free(f"{kind.lower()}_{len(self.nodes)}")
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **settings))
        return name

    def _free(self, name: str) -> str:
        while name in self._taken:
            name += "'"
        return name
