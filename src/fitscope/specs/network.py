"""NetworkSpec: a dense network."""

import itertools
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from fitscope.settings import Spec, parse_init, parse_widths

__all__ = ["NetworkSpec"]


class NetworkSpec(Spec):
    """A dense network: no hidden layer is one neuron a class, that is logistic regression."""

    hidden: Annotated[list[int], BeforeValidator(parse_widths)] = Field(
        [],
        max_length=32,
        description="widths of the hidden layers, as 8,8; none is a single neuron",
    )
    activation: Literal["sigmoid", "tanh", "relu", "identity"] = Field(
        "sigmoid", description="of the hidden units"
    )
    init: Annotated[
        Literal["torch", "zeros", "ones"] | list[float], BeforeValidator(parse_init)
    ] = Field(
        "torch",
        description="the start; also the flat list of its numbers, as 1,-2.5",
    )

    @field_validator("hidden")
    @classmethod
    def _widths_are_bounded(cls, hidden: list[int]) -> list[int]:
        if any(width > 8192 for width in hidden):
            raise ValueError("must be widths of at most 8192")
        return hidden

    def layer_sizes(self, d: int, k: int) -> list[int]:
        """Widths of all layers, from `d` inputs to `k` outputs.

        Example:
            >>> NetworkSpec(hidden=[3]).layer_sizes(2, 1)
            [2, 3, 1]
        """
        return [d, *self.hidden, k]

    def n_parameters(self, d: int, k: int) -> int:
        """Number of weights and biases for `d` inputs and `k` outputs.

        Example:
            >>> NetworkSpec(hidden=[3]).n_parameters(2, 1)
            13
        """
        sizes = self.layer_sizes(d, k)
        return sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(sizes))
