"""The lab's drawing: axes, fields and scenes on canvases, proved by what stands in their pixels."""

import itertools
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex

from fitscope.lab.page import theme
from fitscope.plot.theme import CLASS_COLOURS, FIELD, HIGHLIGHT, INKS, tint

pytestmark = pytest.mark.slow
pytest_plugins = ["browser"]

Ask = Draw = Callable[..., Any]


@pytest.fixture
def draw(ask: Ask) -> Draw:
    """Calls a function of tests/lab_draw.js on an empty page, and gives what it returns."""

    def run(name: str, **given: Any) -> Any:
        ask("start", theme())
        return ask(name, given)

    return run


RANGES = [(0, 1), (-3.4, 3.4), (0, 10000), (1e-9, 4e-9), (-1e9, 2e9), (0.2, 0.21), (5, -5)]


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_round_ticks_cover_the_range(draw: Draw, low: float, high: float) -> None:
    """They lie within it, even steps of 1, 2 or 5 apart, and leave less than a step at each end."""
    made = draw("roundTicks", low=low, high=high)
    places = made["at"]
    low, high = min(low, high), max(low, high)
    steps = [b - a for a, b in itertools.pairwise(places)]
    assert 3 <= len(places) <= 11
    assert max(steps) - min(steps) < 1e-6 * max(steps)
    assert low - 1e-9 * steps[0] <= places[0] < low + steps[0]
    assert high - steps[0] < places[-1] <= high + 1e-9 * steps[0]
    assert f"{steps[0]:.0e}"[0] in "125"
    assert len(set(made["labels"])) == len(places)


def test_ticks_are_written_as_people_write_numbers(draw: Draw) -> None:
    """With a true minus, thousands apart, no noise of binary fractions, and powers for the rest."""
    ends, thousands, parts, small = draw("writtenTicks")
    assert ends[0] == "\N{MINUS SIGN}1.0"
    assert thousands == ["0", "5,000", "10,000", "15,000", "20,000"]
    assert parts == ["0.0", "0.1", "0.2", "0.3"]
    assert small == ["0", "1×10⁻⁶", "2×10⁻⁶", "3×10⁻⁶", "4×10⁻⁶"]


def test_logarithmic_ticks_are_decades(draw: Draw) -> None:
    """Labelled as they are where that is short, else as powers; the time bar's start with 0."""
    losses, steps, many, bar = draw("decades")
    assert (losses["at"], losses["labels"]) == ([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    assert steps["labels"] == ["1", "10", "100", "1,000", "10,000"]
    assert len(many["at"]) <= 4
    assert bar["at"] == [0, 1, 10, 100, 1000, 10000]


@pytest.mark.parametrize("scale", ["linear", "log", "log1p"])
def test_the_way_back_from_pixels_is_the_inverse(draw: Draw, scale: str) -> None:
    """`toData` undoes `toPixel`, to the twelfth digit of a float64's fifteen."""
    for x, y, again_x, again_y in draw("thereAndBack", scale=scale):
        assert (again_x, again_y) == pytest.approx((x, y), rel=1e-12, abs=1e-12)


def test_one_scale_for_both_axes_keeps_a_circle_round(draw: Draw) -> None:
    """A unit is as many pixels wide as it is high, and the box lies within the canvas."""
    wide, tall, box = draw("equalScales")
    assert wide == pytest.approx(tall)
    assert box["left"] >= 0
    assert box["left"] + box["width"] <= 500


@pytest.mark.parametrize("width", [330, 900])
def test_labels_and_legend_lie_outside_the_data_and_inside_the_canvas(
    draw: Draw, width: int
) -> None:
    """The legend wraps above the box; the widest tick label fits to the left of it."""
    box, height, rows, head_width, edge = draw("labelled", width=width)
    assert max(rows) < height <= box["top"]
    assert head_width <= width
    assert box["left"] + box["width"] <= width
    assert box["top"] + box["height"] < 240
    assert edge < 255  # the letters at the rim are whole: none runs out of the picture


@pytest.mark.parametrize("n", [12, 80])
def test_a_legend_leaves_room_for_its_picture(draw: Draw, n: int) -> None:
    """At most twelve entries, of which the last says how many more there are."""
    names = [f"y = {i}" for i in range(n)]
    told, height = draw("manyNames", names=names)
    assert told == (names if n == 12 else [*names[:11], "and 69 more"])
    assert height > 200


def test_a_nan_breaks_a_line(draw: Draw) -> None:
    """Nothing is drawn towards it or away from it."""
    assert draw("brokenLine") == [255, 0, 255]


def test_a_crowded_line_keeps_its_extremes(draw: Draw) -> None:
    """Of many points in a column of pixels, the single highest and lowest are still drawn."""
    high, low, nowhere = draw("crowdedLine")
    assert min(high, low) > 60
    assert nowhere == 0


def test_marks_beyond_the_range_are_left_out(draw: Draw) -> None:
    """A point outside is not drawn, one at the edge is whole, and a line stops at the box."""
    outside, whole, same, line_outside, line_inside = draw("beyond")
    assert outside == 0
    assert whole == same > 80
    assert (line_outside, line_inside) == (False, True)


def test_every_kind_of_mark_is_seen(draw: Draw) -> None:
    """Each leaves its colour on the canvas."""
    assert min(draw("everyMark")) > 20


@pytest.mark.parametrize("size", [(300, 200), (0, 0), (40, 12), (300, 0)])
def test_odd_inputs_never_throw(draw: Draw, size: tuple[int, int]) -> None:
    """Empty, NaN and infinite data, ranges of no width, and canvases of no size are drawn over."""
    assert draw("oddInputs", size=size) == 9 * 3 * 5


def test_the_top_row_of_a_field_is_its_highest_y(draw: Draw) -> None:
    """The grid's first row is the lowest y; an image's first row is the top."""
    top, bottom, drawn_top, drawn_bottom = draw("topRow")
    assert to_hex([v / 255 for v in top]) == to_hex(FIELD(1.0))
    assert to_hex([v / 255 for v in bottom]) == to_hex(FIELD(0.0))
    assert drawn_top[:3] == pytest.approx(top, abs=12)
    assert drawn_bottom[:3] == pytest.approx(bottom, abs=12)


def test_yes_is_warm_no_is_cool_and_undecided_white(draw: Draw) -> None:
    """For the answer, and for units of every activation; what is no number is left out."""
    *fields, dead, missing = draw("yesAndNo")
    for no, undecided, yes in fields:
        assert no[2] > no[0]
        assert yes[0] > yes[2]
        assert undecided == pytest.approx([255, 255, 255], abs=2)  # 256 shades have no middle one
    assert dead[0] == pytest.approx([255, 255, 255], abs=2)
    assert missing == 0


def test_several_classes_are_paler_where_less_sure(draw: Draw) -> None:
    """Certain is two thirds of the class' colour; no preference is white."""
    sure, even, between = draw("severalClasses")
    assert to_hex([v / 255 for v in sure]) == tint(CLASS_COLOURS[0], 0.65)
    assert even == [255, 255, 255]
    assert sure[0] < between[0] < 255


def test_a_regression_is_white_in_the_middle_of_its_training_targets(draw: Draw) -> None:
    """The test part does not move the middle."""
    low, middle, high = draw("regression")
    assert low[2] > low[0]
    assert middle == pytest.approx([255, 255, 255], abs=2)
    assert high[0] > high[2]


def test_ramps_are_those_of_the_python_pictures(draw: Draw) -> None:
    """The field's, and for losses viridis: exact at 16 places, within 3 %."""
    fields, losses = draw("ramps")
    for i in range(256):
        assert fields[3 * i : 3 * i + 3] == pytest.approx([255 * v for v in FIELD(i)[:3]], abs=1)
        viridis = [255 * v for v in mpl.colormaps["viridis"](i)[:3]]
        assert losses[3 * i : 3 * i + 3] == pytest.approx(viridis, abs=1 if i % 17 == 0 else 8)


def test_inks_follow_the_page(draw: Draw) -> None:
    """After `setMode`, texts and hairlines are drawn in the other theme's inks."""
    before, after, dark = draw("inks", light=INKS["light"].muted, dark=INKS["dark"].muted)
    assert before > 100
    assert after < before / 10
    assert dark > 100


def test_contours_are_where_the_values_are(draw: Draw) -> None:
    """A circle's line is one closed line at its radius; a cell with a NaN has none."""
    n, radii, closed, n_broken, closed_broken = draw("contours")
    assert (n, closed, n_broken, closed_broken) == (1, True, 1, False)
    assert radii == pytest.approx([1.0] * len(radii), abs=2e-3)  # straight between grid lines


def test_a_canvas_is_drawn_again_when_its_size_changes(draw: Draw) -> None:
    """It keeps its marks; one that is given its first size is drawn then."""
    assert draw("resized") == [[120, 80, 255], [200, 80, 255]]


def test_the_pointer_is_followed_between_the_axes(draw: Draw) -> None:
    """Its place is told in the data's units; leaving the box is told once."""
    told, role, label, inside, outside = draw("followed")
    assert told[0] == pytest.approx([4, 6], abs=0.05)  # pointers stand on whole pixels
    assert told[1:] == ["left"]
    assert (role, label, inside, outside) == ("img", "The loss falls.", True, False)


def test_a_scene_keeps_its_view_when_it_is_drawn_again(draw: Draw) -> None:
    """Pointer, wheel and keys turn it; a double click brings the first view back."""
    first, turned, after, reset, held, free, tab = draw("keptView")
    assert after == turned
    assert all(turned[part] != first[part] for part in ("yaw", "pitch", "zoom"))
    assert reset == first
    assert (held, free, tab) == ("grabbing", "grab", 0)


def test_near_things_hide_far_ones(draw: Draw) -> None:
    """A surface hides points and lines under it from above, and those over it from below."""
    assert draw("hidden") == [False, True, True, False] * 2


def test_a_polygon_tints_what_lies_behind_it(draw: Draw) -> None:
    """Of two points, the one behind a plane is mixed with its colour, whatever plane crosses it."""
    found = draw("tinted")
    for before, behind in zip(found[::2], found[1::2], strict=True):
        assert before[:3] == pytest.approx([255, 0, 0], abs=3)
        assert behind[2] > 100


def test_few_points_in_a_scene_keep_their_colour(draw: Draw) -> None:
    """Marks of single places are not paler far away; clouds are."""
    one, cloud = draw("fewPoints", colour=HIGHLIGHT)
    assert one > 60
    assert cloud == 0
