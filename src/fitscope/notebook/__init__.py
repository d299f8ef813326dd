"""The explorers: sliders and menus in a notebook, retrained at every move."""

from fitscope.notebook import explore
from fitscope.notebook.explorer import Explorer, Panel

__all__ = ["Explorer", "Panel", "explore"]
