"""What is recorded of a module: which of its tensors, as rows of numbers, within a budget."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from fitscope.errors import DataError, near_miss
from fitscope.own import Shape, digest_of

__all__ = ["Watched", "watched"]

Names = Sequence[str] | Literal["losses"] | None


class Watched:
    """The tensors of a module that are recorded.

    Attributes:
        parameters: name and shape of each recorded parameter.
        buffers: the same of the buffers.
        frozen: of those that are not recorded because they cannot change.
        frozen_digest: of the numbers in those.
        complete: whether nothing else changes.
    """

    def __init__(self, module: nn.Module, names: Names) -> None:
        parameters, buffers = dict(module.named_parameters()), dict(module.named_buffers())
        every = {**parameters, **buffers}
        kept = {name: t for name, t in every.items() if _is_kept(name, names)}
        rest = {name: t for name, t in every.items() if name not in kept}
        self.parameters = _shapes({name: t for name, t in kept.items() if name in parameters})
        self.buffers = _shapes({name: t for name, t in kept.items() if name in buffers})
        self.complete = not any(t.requires_grad or name in buffers for name, t in rest.items())
        self.frozen = _shapes(rest) if self.complete else ()
        self._module = module
        self.frozen_digest = self._digest()
        self._own = [
            (found, dict(found))
            for part in module.modules()
            for found in (part._modules, part._parameters)
            if isinstance(found, dict)
        ]
        paths = [name.rpartition(".") for name, _ in (*self.parameters, *self.buffers)]
        parts = dict(module.named_modules())
        self._places = [(parts[path], name) for path, _, name in paths]

    def row(self) -> np.ndarray:
        """All recorded numbers as they are now, float32: parameters, then buffers."""
        # asked for by name each time: a module may bind a new tensor to a buffer
        parts = [getattr(part, name).detach().reshape(-1) for part, name in self._places]
        if not parts:
            return np.zeros(0, np.float32)
        if len({part.device for part in parts}) > 1:
            parts = [part.cpu() for part in parts]
        if any(part.dtype != torch.float32 for part in parts):
            parts = [part.float() for part in parts]
        return torch.cat(parts).cpu().numpy()  # cat copies, also a single one

    def _digest(self) -> str:
        return digest_of(self._module, [name for name, _ in self.frozen])

    @property
    def is_frozen(self) -> bool:
        """Whether what is not recorded still holds the numbers that it held at first."""
        return self._digest() == self.frozen_digest

    @property
    def is_whole(self) -> bool:
        """Whether the module still has the very parts and parameters that it had at first."""
        return all(
            len(found) == len(own) and all(found.get(name) is t for name, t in own.items())
            for found, own in self._own
        )

    @contextlib.contextmanager
    def as_attached(self) -> Iterator[None]:
        """The module with the parts and parameters that it had at first."""
        now = [dict(found) for found, _ in self._own]
        try:
            for found, own in self._own:
                _fill(found, own)
            yield
        finally:
            for (found, _), new in zip(self._own, now, strict=True):
                _fill(found, new)

    @property
    def n_parameters(self) -> int:
        """Numbers in a row that are parameters."""
        return sum(int(np.prod(shape, dtype=np.int64)) for _, shape in self.parameters)


def watched(module: nn.Module, names: Names, *, keep_bytes: int) -> Watched:
    """What is to be recorded of a module, checked against the budget.

    Args:
        module: the module.
        names: None for everything, names of submodules for these alone, "losses" for nothing.
        keep_bytes: the budget.

    Raises:
        DataError: there is no such submodule, a parameter is no real number or has no shape
            yet, or two rows do not fit the budget.
    """
    _check_names(module, names)
    for name, p in module.named_parameters():
        if nn.parameter.is_lazy(p):
            raise DataError(f"The parameter {name} has no shape yet; call the model once before.")
        if p.is_complex():
            raise DataError(f"The parameter {name} is complex; real ones can be recorded.")
    if not any(True for _ in module.parameters()):
        raise DataError("The model has no parameters, so there is nothing to record.")
    found = Watched(module, names)
    if names not in (None, "losses") and not found.parameters:
        raise DataError("`record` names parts without parameters of their own; name others.")
    _check_budget(module, found, keep_bytes)
    return found


def _check_names(module: nn.Module, names: Names) -> None:
    if names is None or names == "losses":
        return
    if isinstance(names, str) or not names:
        raise DataError(
            f"`record` must be a list of names of submodules, or 'losses'; got {names!r}."
        )
    known = [name for name, _ in module.named_modules() if name]
    for name in names:
        if name not in known:
            hint = near_miss(str(name), known) or f" There are {', '.join(known[:8])}."
            raise DataError(f"`record` names {name!r}, which is no part of the model.{hint}")


def _is_kept(name: str, names: Names) -> bool:
    if names is None:
        return True
    return names != "losses" and any(name.startswith(f"{part}.") for part in names)


def _check_budget(module: nn.Module, found: Watched, keep_bytes: int) -> None:
    row_bytes = found.row().nbytes
    if 2 * row_bytes <= keep_bytes:
        return
    names = [
        name for name, part in module.named_children() if next(part.parameters(), None) is not None
    ]
    parts = f"record=[{names[-1]!r}] keeps the parameters of some parts, " if names[1:] else ""
    raise DataError(
        f"Two steps of this model take {2 * row_bytes:,} bytes, and `keep_bytes` is "
        f"{keep_bytes:,}. Give more, or record less: {parts}record='losses' keeps none."
    )


def _fill(found: dict[str, Any], entries: dict[str, Any]) -> None:
    """These entries in a dictionary, in their order, and no others."""
    found.clear()
    found.update(entries)


def _shapes(tensors: dict[str, Tensor]) -> tuple[tuple[str, Shape], ...]:
    return tuple((name, tuple(t.shape)) for name, t in tensors.items())
