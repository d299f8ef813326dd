"""A training loop of somebody's own, recorded as a Run."""

from fitscope.attached.scope import Scope, attach

__all__ = ["Scope", "attach"]
