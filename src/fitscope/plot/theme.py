"""Every colour, marker and word of a picture, once, for both libraries that draw."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

from fitscope.errors import UnknownNameError, near_miss
from fitscope.records import Dataset, Label

__all__ = [
    "ACCENT",
    "CLASS_COLOURS",
    "CLASS_MARKERS",
    "DIVERGED",
    "FIELD",
    "FIELD_COLOURS",
    "HIGHLIGHT",
    "INKS",
    "LINE",
    "MANY_POINTS",
    "MAX_POINTS",
    "RUN_COLOURS",
    "RUN_DASHES",
    "Inks",
    "class_colour",
    "class_name",
    "field_colours",
    "inks_of",
    "keeps_shape",
    "samples_by_class",
    "shown",
    "thinned",
    "tint",
]


class Inks(NamedTuple):
    """The colours of text, of lines that help, of the grid, and of what they are drawn on."""

    ink: str
    muted: str
    grid: str
    paper: str


INKS: dict[str, Inks] = {
    "light": Inks("#1b2129", "#5b6470", "#dde2e8", "#fefefd"),
    "dark": Inks("#e6e9ed", "#a2abb6", "#39414b", "#14181d"),
}

# Class 0 is cool, class 1 is warm, everywhere. Blue and orange stay apart for every kind of
# colour-blind eye and in grey print; the rest continues Okabe and Ito's palette (2008).
CLASS_COLOURS = (
    *("#2f74c0", "#e8871e", "#009e73", "#b8579b", "#c9a800"),
    *("#56b4e9", "#b33b1e", "#7f6bd1", "#7a7a7a", "#4d3b2a"),
)
CLASS_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
# Runs side by side: no colour of the first two classes, whose samples may lie below.
RUN_COLOURS = ("#009e73", "#b8579b", "#7f6bd1", "#c9a800", "#56b4e9", "#b33b1e")
RUN_DASHES = ("solid", "dashed", "dashdot", "dotted")
ACCENT = "#2f74c0"
HIGHLIGHT = "#d43d51"  # a path, an optimum, what a picture is about; no class has it
FIELD_COLOURS = ("#7ba6d8", "#c3d7ee", "#ffffff", "#fadfc0", "#f2b46f")
FIELD = LinearSegmentedColormap.from_list("fitscope", FIELD_COLOURS)  # lighter than the points
LINE = "#15191f"  # on top of a field, which is light on every page
MANY_POINTS = 800  # from here on, each is drawn smaller
DIVERGED = "#b4bac2"  # a training that came to no end
MAX_POINTS = 2500  # drawn in one picture; more would only lie on top of each other


def inks_of(theme: str) -> Inks:
    """The inks of "light" or "dark".

    Raises:
        UnknownNameError: there is no such theme.
    """
    if theme not in INKS:
        hint = near_miss(str(theme), INKS)
        raise UnknownNameError(f"`theme` must be light or dark; got {theme!r}.{hint}")
    return INKS[theme]


def keeps_shape(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether both axes should have one scale: for inputs of one kind, so that a ring stays round.

    Example:
        >>> keeps_shape(np.array([0.0, 4.0]), np.array([-2.0, 3.0]))
        True
    """
    return bool(0.7 * np.ptp(y) < np.ptp(x) < 1.4 * np.ptp(y))


def class_colour(index: int) -> str:
    """The colour of a class, repeating after ten."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def field_colours(index: int, n_classes: int) -> tuple[str, ...]:
    """The colours of a class's probability, from 0 over white (0.5) to 1, where it is its own.

    At 0 it is that of the other class; where there are several others, grey.
    """
    if n_classes == 2:
        return FIELD_COLOURS if index else FIELD_COLOURS[::-1]
    colour = class_colour(index)
    return ("#b3bac3", "#dbdfe4", "#ffffff", tint(colour, 0.3), tint(colour, 0.65))


def thinned(n: int) -> Bool[np.ndarray, " n"]:
    """Which of n samples are drawn: every so many, so that they are at most MAX_POINTS."""
    return np.asarray(np.arange(n) % max(1, -(-n // MAX_POINTS)) == 0)


def tint(colour: str, share: float) -> str:
    """A colour mixed with white, as #rrggbb; `share` of it is left.

    Example:
        >>> tint("#000000", 0.5)
        '#808080'
    """
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def class_name(dataset: Dataset, label: Label) -> str:
    """A class as a legend names it: text by itself, a number with what it is a value of."""
    return shown(label if isinstance(label, str) else f"{dataset.target_name} = {label}")


def samples_by_class(
    dataset: Dataset,
) -> Iterator[tuple[int, str, Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]]:
    """For each class its index, its name, and which of its training and test samples are drawn.

    A regression is one group, "data".
    """
    targets = dataset.targets()
    test = np.arange(len(targets)) >= len(dataset.y)
    kept = thinned(len(targets))
    for index, label in enumerate(dataset.classes or ("data",)):
        own = kept & ((targets == index) | (not dataset.classes))
        name = class_name(dataset, label) if dataset.classes else "data"
        yield index, name, own & ~test, own & test


def shown(text: object, width: int = 30) -> str:
    """A text as it stands in a picture: cut where it is long."""
    text = str(text)
    return text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"
