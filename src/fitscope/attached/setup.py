"""Whether a model, an optimizer and numbers can be watched at all."""

from typing import Any

import torch
from torch import nn

from fitscope.errors import DataError
from fitscope.own import uncompiled

__all__ = ["checked_module", "checked_optimizer", "checked_text", "checked_whole"]


def checked_module(model: Any) -> nn.Module:
    """The module itself, also where it was compiled.

    Raises:
        DataError: it is none.
    """
    if not isinstance(model, nn.Module):
        raise DataError(f"`model` must be a torch.nn.Module; got {type(model).__name__}.")
    return uncompiled(model)


def checked_optimizer(optimizer: Any, module: nn.Module) -> None:
    """Raises DataError where an optimizer is none, or does not move this module."""
    if isinstance(optimizer, list | tuple | dict):
        raise DataError(
            f"`optimizer` must be one optimizer; got {len(optimizer)} in a "
            f"{type(optimizer).__name__}. A step of a run is a step of one optimizer: attach the "
            "one whose steps you want to see, or put all parameters into its groups."
        )
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise DataError(
            f"`optimizer` must be a torch.optim.Optimizer; got {type(optimizer).__name__}."
        )
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not any(id(p) in held for p in module.parameters()):
        raise DataError(
            "`optimizer` holds none of the model's parameters, so its steps do not change it. Make "
            "it from model.parameters() of this very model, after moving it to its device."
        )


def checked_whole(name: str, value: Any, *, least: int) -> None:
    """Raises DataError where an option is no whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DataError(f"`{name}` must be a whole number of at least {least}; got {value!r}.")


def checked_text(name: str, value: Any) -> None:
    """Raises DataError where an option is no text."""
    if not isinstance(value, str):
        raise DataError(f"`{name}` must be text; got {value!r}.")
