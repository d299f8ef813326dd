"""What checks the shapes and types of every call."""

from collections.abc import Callable
from typing import TypeVar

from beartype import beartype

Function = TypeVar("Function", bound=Callable[..., object])


def outer(function: Function) -> Function:
    """Checks a function's calls, unless it is made anew in every call of another.

    Those few would take a fifth of the time of all tests: beartype writes code for each anew.
    """
    return function if "<locals>" in function.__qualname__ else beartype(function)
