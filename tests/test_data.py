"""Laws of the data: drawn as published, split and scaled without loss, refused with a reason."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscope.data import dataset, dataset_from_arrays, dataset_table, raw_data
from fitscope.errors import DataError, ExperimentError
from fitscope.records import Dataset
from fitscope.runfile import load
from fitscope.specs import DataSpec
from fitscope.train import fit

# name, the shape of the whole data by default, its task and its number of classes
SHAPES = [
    ("gates", (500, 2), "binary", 2),
    ("gaussians", (1000, 2), "binary", 2),
    ("threshold", (800, 1), "binary", 2),
    ("step", (20, 1), "binary", 2),
    ("rings", (2000, 2), "binary", 2),
    ("polynomial", (13088, 4), "regression", 0),
    ("sine", (200, 1), "regression", 0),
    ("moons", (400, 2), "binary", 2),
    ("circles", (400, 2), "binary", 2),
    ("spirals", (400, 2), "binary", 2),
    ("blobs", (400, 2), "multiclass", 4),
    ("iris", (150, 4), "multiclass", 3),
    ("wine", (178, 13), "multiclass", 3),
    ("breast-cancer", (569, 30), "binary", 2),
    ("digits", (1797, 64), "multiclass", 10),
    ("diabetes", (442, 10), "regression", 0),
]
GENERATORS = [row[0] for row in SHAPES[:11]]
DRAWN = [name for name in GENERATORS if name not in ("step", "sine")]  # by chance, by default
GATES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}


@pytest.mark.parametrize(("name", "shape", "task", "n_classes"), SHAPES)
def test_every_data_set_has_its_shape_and_its_types(name, shape, task, n_classes):
    """Inputs are float32; classes are int32 indices of sorted labels, values are float32."""
    data = dataset(DataSpec(name=name))
    assert (data.n_train + data.n_test, data.d) == shape
    assert (len(data.X), len(data.X_test)) == (data.n_train, data.n_test)
    assert (len(data.y), len(data.y_test)) == (data.n_train, data.n_test)
    assert (data.task, len(data.classes)) == (task, n_classes)
    assert list(data.classes) == sorted(data.classes)
    assert data.k == (n_classes if task == "multiclass" else 1)
    assert data.X.dtype == data.X_test.dtype == np.float32
    assert data.y.dtype == data.y_test.dtype == (np.int32 if n_classes else np.float32)
    if n_classes:
        assert set(data.y.tolist()) == set(range(n_classes))


@pytest.mark.parametrize("name", [row[0] for row in SHAPES])
def test_the_same_spec_gives_the_same_bits_and_leaves_global_chance_alone(name):
    """Data is a function of its spec: bit-equal twice, whatever the global random state."""
    numpy_state, torch_state = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    first = dataset(DataSpec(name=name))
    assert np.array_equal(np.random.get_state()[1], numpy_state[1])  # noqa: NPY002
    assert np.random.get_state()[2:] == numpy_state[2:]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    with torch.random.fork_rng():
        torch.manual_seed(99)
        assert dataset(DataSpec(name=name)) == first


@pytest.mark.parametrize("name", DRAWN)
def test_another_seed_draws_other_data(name):
    """Where there is chance, the seed decides it."""
    one, other = (dataset(DataSpec(name=name, seed=seed)) for seed in (3, 4))
    assert one != other
    assert one.X.shape == other.X.shape
    assert not (np.array_equal(one.X, other.X) and np.array_equal(one.y, other.y))


@given(n=st.integers(2, 200), gate=st.sampled_from(sorted(GATES)))
@settings(deadline=None, max_examples=60)
def test_gates_spread_any_number_of_samples_over_the_corners(n, gate):
    """No sample is lost where 4 does not divide n; every corner has its gate's answer."""
    raw = raw_data(DataSpec(name="gates", n_samples=n, noise=0, gate=gate))
    corner = (2 * raw.X[:, 0] + raw.X[:, 1]).astype(int)
    counts = np.bincount(corner, minlength=4)
    assert counts.sum() == n == len(raw.y)
    assert counts.max() - counts.min() <= 1
    assert raw.y.tolist() == [GATES[gate][i] for i in corner]


def test_the_noise_of_the_gates_is_their_distance_from_the_corners():
    """`noise` is a standard deviation; the labels do not change with it."""
    quiet, loud = (raw_data(DataSpec(name="gates", noise=noise)) for noise in (0.0, 0.05))
    assert np.array_equal(quiet.y, loud.y)
    assert 0.045 < (loud.X - quiet.X).std() < 0.055


def test_gaussians_lie_around_their_centres():
    """Without noise the clouds are their centres: (0, 0) and (2, 2), half the points each."""
    raw = raw_data(DataSpec(name="gaussians", noise=0))
    assert np.array_equal(raw.X, 2.0 * np.stack([raw.y, raw.y], axis=1))
    assert raw.y.sum() == 500


def test_threshold_is_the_published_data():
    """From -2 in steps of 0.01; 204 points are class 1, of the fresh test set 201."""
    data = dataset(DataSpec(name="threshold"))
    assert (int(data.y.sum()), int(data.y_test.sum())) == (204, 201)
    assert data.X[0, 0] == -2
    assert np.array_equal(data.X, data.X_test)
    assert np.allclose(np.diff(data.X[:, 0]), 0.01, atol=1e-6)


def test_threshold_without_noise_is_cut_at_its_slope_and_offset():
    """Class 1 is exactly where w x + b > 0."""
    data = dataset(DataSpec(name="threshold", noise=0, w=-2.0, b=1.0))
    x = data.X[:, 0].astype(float)
    away = np.abs(1 - 2 * x) > 1e-6  # at 0 itself float32 decides
    assert np.array_equal(data.y[away], (1 - 2 * x > 0).astype(int)[away])


def test_step_has_exactly_seven_positives():
    """The point 0.2 is class 0: the eighth label of plain doubles is not there."""
    data = dataset(DataSpec(name="step"))
    assert np.flatnonzero(data.y).tolist() == list(range(13, 20))
    assert data.X[12, 0] == np.float32(0.2)


@pytest.mark.parametrize("n", [2000, 7, 2])
def test_rings_are_drawn_sample_by_sample(n):
    """Bit-equal to the published loop; an odd number leaves out the last outer point."""
    rng = np.random.RandomState(100)
    inner, outer = [], []
    for _ in range((n + 1) // 2):
        for points, low, high in ((inner, 0, 1), (outer, 3, 4)):
            radius = rng.uniform(low, high)
            angle = rng.uniform(0, 2 * np.pi)
            points.append((radius * np.cos(angle), radius * np.sin(angle)))
    raw = raw_data(DataSpec(name="rings", n_samples=n))
    assert np.array_equal(raw.X, np.array(inner + outer)[:n])
    assert raw.y.tolist() == [0] * len(inner) + [1] * (n - len(inner))
    radius = np.hypot(*raw.X.T)
    assert radius[raw.y == 0].max() < 1
    assert 3 <= radius[raw.y == 1].min() <= radius[raw.y == 1].max() < 4


def test_polynomial_has_the_published_coefficients():
    """The truth is the notebook's, and the noiseless targets are that polynomial of x."""
    raw = raw_data(DataSpec(name="polynomial"))
    assert raw.truth is not None
    assert raw.truth[:4].tolist() == [
        *(6.1861419677734375, -4.8019938468933105, 7.707645416259766, -2.0393269062042236)
    ]
    assert raw.truth[4] == 4.402895450592041
    x = raw.X[:, :1]
    powers = np.concatenate([x, x**2, x**3, x**4], axis=1)
    assert np.allclose(raw.X, powers, rtol=1e-6)
    assert np.allclose(raw.y, raw.X @ raw.truth[:4] + raw.truth[4], rtol=1e-5, atol=1e-4)
    assert raw.feature_names == ("x", "x^2", "x^3", "x^4")


def test_sine_is_its_formula_and_flipped_its_mirror():
    """y(x) = sin(3x) exp(-x/8) on [-10, 10); flipped is y(-x) on the same x."""
    plain, mirror = (raw_data(DataSpec(name="sine", flipped=flipped)) for flipped in (False, True))
    x = plain.X[:, 0]
    assert np.array_equal(x, np.arange(-10, 10, 0.1))
    assert np.array_equal(plain.y, np.sin(3 * x) * np.exp(-x / 8))
    assert np.array_equal(mirror.X, plain.X)
    assert np.array_equal(mirror.y, np.sin(-3 * x) * np.exp(x / 8))
    assert np.allclose(mirror.y[1:], plain.y[:0:-1], atol=1e-11)  # x is symmetric to 1e-14


def test_circles_and_spirals_without_noise_lie_on_their_curves():
    """Class 0 is the inner circle; the arms of a spiral are turned copies of each other."""
    raw = raw_data(DataSpec(name="circles", noise=0))
    assert np.allclose(np.hypot(*raw.X.T), np.where(raw.y == 0, 0.5, 1.0))
    raw = raw_data(DataSpec(name="spirals", noise=0, n_samples=300, n_classes=3))
    arms = [raw.X[raw.y == i] @ np.array([1, 1j]) for i in range(3)]
    for i in (1, 2):
        assert np.allclose(arms[i], arms[0] * np.exp(2j * np.pi * i / 3))


@pytest.mark.parametrize("name", ["blobs", "spirals"])
@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_blobs_and_spirals_take_any_number_of_classes(name, n_classes):
    """`n_classes` decides the classes, their even sizes and the task."""
    data = dataset(DataSpec(name=name, n_classes=n_classes, n_samples=100))
    assert data.classes == tuple(range(n_classes))
    assert data.task == ("binary" if n_classes == 2 else "multiclass")
    assert np.ptp(np.bincount(data.y)) <= 1


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("n", [10, 11, 97, 333])
def test_every_generator_makes_as_many_samples_as_asked(name, n):
    """Whatever divides it, n_samples is the number of samples."""
    raw = raw_data(DataSpec(name=name, n_samples=n))
    assert len(raw.X) == len(raw.y) == n
    assert np.isfinite(raw.X).all()


# -- splitting -------------------------------------------------------------------------------


def test_a_split_parts_the_samples_and_loses_none():
    """Every sample is in exactly one part, its label with it."""
    spec = DataSpec(name="moons", test_fraction=0.25)
    data, raw = dataset(spec), raw_data(spec)
    rows = np.column_stack([data.inputs(), np.concatenate([data.y, data.y_test])])
    whole = np.column_stack([raw.X.astype(np.float32), raw.y])
    assert (data.n_train, data.n_test) == (300, 100)
    assert sorted(rows.tolist()) == sorted(whole.tolist())


def test_a_split_keeps_the_shares_of_the_classes():
    """With 60, 30 and 10 samples of a class, a fifth is 12, 6 and 2."""
    y = np.repeat(["a", "b", "c"], [60, 30, 10])
    data = dataset_from_arrays(np.arange(100.0), y, test_fraction=0.2)
    assert np.bincount(data.y_test).tolist() == [12, 6, 2]
    assert np.bincount(data.y).tolist() == [48, 24, 8]


def test_a_split_is_decided_by_its_seed():
    """The same `split_seed` is the same split, another one another."""
    specs = [DataSpec(name="iris", split_seed=seed) for seed in (1, 1, 2)]
    one, same, other = (dataset(spec).X_test.tolist() for spec in specs)
    assert one == same != other


def test_no_test_part_is_an_empty_one():
    """`test_fraction` 0 keeps the order and leaves a test part of no rows."""
    data = dataset(DataSpec(name="iris", test_fraction=0, standardize=False))
    assert (data.X_test.shape, data.y_test.shape, data.n_test) == ((0, 4), (0,), 0)
    table = raw_data(data.spec).table
    assert np.array_equal(data.X, np.float32(np.stack(table.columns, axis=1)))


# -- points set by hand ------------------------------------------------------------------------

PLANE_ROWS = [[9.0, -9.0, 1.0], [0.5, 8.0, 0.0]]
LINE_ROWS = [[1.5, 0.0], [-1.5, 1.0]]
ROWS = {
    **{"threshold": LINE_ROWS, "step": LINE_ROWS, "sine": [[11.0, -0.25]]},
    **dict.fromkeys(
        ["gates", "gaussians", "rings", "moons", "circles", "spirals", "blobs"], PLANE_ROWS
    ),
}


def parts(data: Dataset) -> list[np.ndarray]:
    """The arrays of a data set."""
    return [data.X, data.y, data.X_test, data.y_test]


@pytest.mark.parametrize(("name", "rows"), ROWS.items())
@pytest.mark.parametrize("test_fraction", [0, 0.3])
def test_points_stand_last_in_the_training_part(name, rows, test_fraction):
    """They are there in their order, and no other sample is moved, added or lost."""
    split = {} if name == "threshold" else {"test_fraction": test_fraction}
    before, after = (dataset(DataSpec(name=name, points=p, **split)) for p in (None, rows))
    n, X = len(rows), np.array(rows, dtype=np.float32)
    assert after.n_train == len(after.X) == before.n_train + n
    assert np.array_equal(after.X[-n:], X[:, :-1])
    assert np.array_equal(after.y[-n:], X[:, -1])
    kept = [after.X[:-n], after.y[:-n], after.X_test, after.y_test]
    assert all(np.array_equal(a, b) for a, b in zip(kept, parts(before), strict=True))
    assert [a.dtype for a in parts(after)] == [b.dtype for b in parts(before)]
    assert after.notes[-1] == f"The last {n} of the training samples were set by hand."
    assert before.notes == after.notes[:-1]


@pytest.mark.parametrize("name", ["moons", "sine"])
def test_points_count_in_the_scaling(name):
    """Mean and deviation are those of the whole training part, with the points."""
    rows = [[50.0, *row[1:]] for row in ROWS[name]]
    spec = DataSpec(name=name, points=rows, standardize=True, test_fraction=0.2)
    data = dataset(spec)
    assert np.allclose(data.X.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(data.X.std(axis=0), 1, atol=1e-5)
    assert np.allclose(data.inputs()[data.n_train - 1, 0], 50)
    assert data.mean[0] > dataset(spec.model_copy(update={"points": None})).mean[0]
    assert np.isclose(data.targets()[data.n_train - 1], rows[-1][-1])


def test_points_are_written_with_the_data():
    """The table of a data set holds its points, last, with targets of one type."""
    table = dataset_table(DataSpec(name="gates", n_samples=8, points=PLANE_ROWS))
    rows = [[*row.values()] for row in table.to_pylist()]
    assert len(rows) == 10
    assert rows[-2:] == PLANE_ROWS
    assert str(table.schema.field("y").type) == "int64"
    table = dataset_table(DataSpec(name="sine", n_samples=8, points=[[11, -0.25]]))
    assert table.to_pylist()[-1] == {"x": 11, "y": -0.25}


def test_points_alone_are_a_data_set():
    """Their different targets are the classes; all of them are for training."""
    data = dataset(DataSpec(name="points", points=[[0, 1, 1], [2, 3, 0], [4, 5, 1]]))
    assert (data.task, data.classes, data.n_train, data.n_test) == ("binary", (0, 1), 3, 0)
    assert (data.X.tolist(), data.y.tolist()) == ([[0, 1], [2, 3], [4, 5]], [1, 0, 1])
    assert data.notes == ()
    data = dataset(DataSpec(name="points", points=[[0, 1, 7], [2, 3, 2], [4, 5, 0]]))
    assert (data.task, data.classes, data.y.tolist()) == ("multiclass", (0, 2, 7), [2, 1, 0])


@pytest.mark.parametrize(
    ("name", "points", "message"),
    [
        ("points", None, r"^No points are set. Set at least one point of each class.$"),
        ("points", [[0, 1, 1]], "^All points are of class 1. Set at least one point of each class"),
        ("points", [[0, 1, 1]] * 3, "^All points are of class 1"),
        (
            "points",
            [[0, 1, 0], [0, 1, 0.5]],
            "^Row 2 .* a class, a whole number .* 99; got 0.5",
        ),
        ("points", [[0, 1, 0], [0, 1, 100]], "from 0 to 99; got 100"),
        ("points", [[0, 1]], r"^Row 1 of `points` must have 3 numbers, x1, x2, class; got 0,1\."),
        ("gates", [[0, 1, 2]], "^Row 1 of `points` must end with a class, .* from 0 to 1; got 2"),
        ("blobs", [[0, 1, 3], [0, 1, 4]], "^Row 2 .* from 0 to 3; got 4"),
        ("rings", [[0, 1, -1]], "from 0 to 1; got -1"),
        ("step", [[0, 1], []], "^Row 2 of `points` must have 2 numbers, x, class; got none"),
        ("sine", [[0, 1], [0.5]], "^Row 2 of `points` must have 2 numbers, x, target; got 0.5"),
        ("sine", [[1.0] * 30], r"; got 1,1,1,1,1,1,1,1, \.\.\.\.$"),
    ],
)
def test_points_that_do_not_fit_are_refused_by_their_row(name, points, message):
    """One sentence says which row, what it must be, and what it is; or what is missing."""
    with pytest.raises(DataError, match=message):
        dataset(DataSpec(name=name, points=points))


def test_a_run_on_points_is_kept_whole(tmp_path):
    """The run file has the points in its experiment and in its data, and agrees with itself."""
    run = fit("gates-and", points=PLANE_ROWS, epochs=2)
    run.save(tmp_path / "run.safetensors")
    back = load(tmp_path / "run.safetensors")
    assert back == run
    assert (back.dataset.n_train, back.updates_per_epoch) == (402, 7)
    assert back.experiment.data.points == PLANE_ROWS
    assert fit(back.experiment) == run


# -- scaling ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iris", "wine", "breast-cancer", "diabetes", "gates"])
def test_scaling_is_by_the_training_part(name):
    """The training part gets mean 0 and deviation 1; the test part the same scale, not its own."""
    data = dataset(DataSpec(name=name, standardize=True, test_fraction=0.2))
    bare = dataset(DataSpec(name=name, standardize=False, test_fraction=0.2))
    assert np.allclose(data.X.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(data.X.std(axis=0), 1, atol=1e-5)
    for scaled, plain in ((data.X, bare.X), (data.X_test, bare.X_test)):
        assert np.allclose(scaled * data.scale + data.mean, plain, rtol=1e-5, atol=1e-6)
    assert not np.allclose(data.X_test.mean(axis=0), 0, atol=1e-3)
    assert (bare.mean == 0).all()
    assert (bare.scale == 1).all()


@pytest.mark.parametrize("name", ["wine", "breast-cancer", "digits", "diabetes"])
def test_inputs_are_in_the_units_of_the_data(name):
    """`inputs()` undoes the scaling; all that is lost is the rounding of one float32."""
    spec = DataSpec(name=name, test_fraction=0)
    data, raw = dataset(spec), np.stack(raw_data(spec).table.columns, axis=1)
    rounding = 2.0**-24 * np.abs(data.X) * data.scale + 1e-14 * np.abs(raw) + 1e-14
    assert (np.abs(data.inputs() - raw) <= rounding).all()


def test_a_regressions_target_is_scaled_only_where_asked():
    """With `standardize` the target has mean 0 and deviation 1 too, and goes back."""
    raw = raw_data(DataSpec(name="diabetes"))
    data = dataset(DataSpec(name="diabetes", test_fraction=0))
    assert abs(data.y.mean()) < 1e-6
    assert abs(data.y.std() - 1) < 1e-6
    assert np.allclose(data.y * data.y_scale + data.y_mean, raw.y, rtol=1e-6)
    bare = dataset(DataSpec(name="diabetes", test_fraction=0, standardize=False))
    assert (bare.y_mean, bare.y_scale, bare.y.tolist()) == (0.0, 1.0, raw.y.tolist())
    assert dataset(DataSpec(name="iris", standardize=True)).y_scale == 1.0


def test_a_constant_column_becomes_zeros():
    """No division by a deviation of 0: its scale is 1 and its values are 0, to the last bit."""
    X = np.column_stack([np.full(11, 0.1), np.arange(11.0)])
    data = dataset_from_arrays(X, [0, 1] * 5 + [1], standardize=True)
    assert (data.X[:, 0] == 0).all()
    assert (data.mean[0], data.scale[0]) == (0.1, 1.0)
    notes = dataset(DataSpec(name="digits")).notes
    assert "Column `pixel_0_0` is constant and tells the model nothing." in notes


# -- arrays ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "task", "classes", "why"),
    [
        ([0, 1] * 4, "binary", (0, 1), "`y` has two different values, so the task is binary"),
        ([2.5, 0.5] * 4, "binary", (0.5, 2.5), "two different values"),
        (list("babababb"), "binary", ("a", "b"), "two different values"),
        ([True, False] * 4, "binary", (False, True), "two different values"),
        (list("abcabcab"), "multiclass", ("a", "b", "c"), "3 different labels"),
        (np.array(list("abcabcab"), object), "multiclass", ("a", "b", "c"), "3 different labels"),
        ([3, 1, 2, 3, 1, 2, 1, 1], "multiclass", (1, 2, 3), "3 different whole numbers"),
        ([3.0, 1.0, 2.0, 3.0], "multiclass", (1.0, 2.0, 3.0), "3 different whole numbers"),
        ([*range(20)] * 2, "multiclass", (*range(20),), "20 different whole numbers"),
        (range(21), "regression", (), "21 different numbers, so the task is regression"),
        ([0.5, 1.0, 2.0, 3.0], "regression", (), "4 different numbers"),
        (np.array([0.5, 1.0, 2.0, 3.0], object), "regression", (), "4 different numbers"),
    ],
)
def test_the_task_is_read_off_the_target_and_told(y, task, classes, why):
    """Two values are binary, few whole numbers or labels multi-class, the rest a regression."""
    data = dataset_from_arrays(np.arange(float(len(y))), y)
    assert (data.task, data.classes) == (task, classes)
    assert why in data.notes[-1]
    assert data.notes[-1].endswith("`task` overrides this.")


def test_the_task_can_be_given():
    """`task` overrides what the target looks like, and then nothing is guessed or noted."""
    data = dataset_from_arrays(np.arange(4.0), [1, 2, 3, 3], task="regression")
    assert (data.task, data.y.tolist(), data.notes) == ("regression", [1, 2, 3, 3], ())
    data = dataset_from_arrays(np.arange(4.0), [0.5, 1, 2, 2], task="multiclass")
    assert (data.classes, data.y.tolist(), data.k) == ((0.5, 1.0, 2.0), [0, 1, 2, 2], 3)
    data = dataset_from_arrays(np.arange(4.0), [0, 1, 1, 1], task="multiclass")
    assert (data.classes, data.k) == ((0, 1), 2)


class Frame:
    """As much of a data frame as matters: named columns that numpy can read."""

    columns = ("age", "height")

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).astype(dtype)


def test_arrays_come_in_the_shapes_that_people_have():
    """A data frame keeps its names; (n,) is one input; a target may be (n, 1)."""
    data = dataset_from_arrays(Frame(), np.array([[0], [1], [1]]))
    assert data.feature_names == ("age", "height")
    assert data.X.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert data.y.tolist() == [0, 1, 1]
    data = dataset_from_arrays([1, 2, 3], [0, 1, 1])
    assert (data.feature_names, data.X.shape, data.spec.name) == (("x1",), (3, 1), "arrays")


X4 = np.arange(4.0)
BAD_ARRAYS = [
    (X4, [0, 1, 0], {}, r"X must be \(n, d\) and y \(n,\); got \(4, 1\) and \(3,\)"),
    (X4, np.zeros((4, 2)), {}, "y has 2 columns: several targets need task=.regression."),
    (np.zeros((4, 2, 2)), [0, 1] * 2, {}, r"got \(4, 2, 2\) and \(4,\)"),
    (np.zeros((4, 0)), [0, 1] * 2, {}, r"got \(4, 0\) and \(4,\)"),
    (5.0, 1, {}, r"got \(\) and \(\)"),
    ([["a"], ["b"]], [0, 1], {}, "X must be an array of numbers: could not convert"),
    ([[1], [2, 3]], [0, 1], {}, "X must be an array of numbers: setting an array element"),
    (
        [[1, 2], [3, np.nan]],
        [0, 1],
        {},
        "missing or infinite values, 1 in all; the first is in row 2, column 2",
    ),
    ([[1, np.inf], [np.nan, 2]], [0, 1], {}, "values, 2 in all; the first is in row 1, column 2"),
    (X4, [0, 1, np.nan, 1], {}, "`y` is not a finite number in row 3"),
    (X4, [0.5, np.inf, 1.5, 2.5], {}, "`y` is not a finite number in row 2"),
    (X4, [1, np.nan, 2, 3], {"task": "regression"}, "not a finite number in row 2"),
    (X4, ["a", None, "b", "a"], {}, "`y` .*row 2"),
    (X4, np.array(["a", "b", np.nan, "a"], object), {}, "`y` is missing in row 3"),
    ([[1.0]], [0], {}, "At least 2 samples are needed; there are 1"),
    (np.zeros((0, 2)), [], {}, "At least 2 samples are needed; there are 0"),
    (X4, [7] * 4, {}, "`y` has only one value, 7: there is nothing to learn"),
    (X4, [0.5] * 4, {}, "`y` has only one value, 0.5: there is nothing to learn"),
    (X4, np.array([1j, 2, 3, 4]), {}, "must hold text, truth values or numbers; its type is comp"),
    (np.ones((4, 1)) * 1j, [0, 1, 0, 1], {}, "X must be an array of numbers: complex"),
    (X4, ["a"] * 4, {}, "`y` has only one value, a: there is nothing to learn"),
    (X4, [0, 1, 2, 0], {"task": "binary"}, "`y` has 3 classes; a binary task needs 2"),
    (X4, list("abab"), {"task": "regression"}, "`y` holds text; a regression needs numbers"),
    (np.arange(30), [f"t{i}" for i in range(30)], {}, "30 different texts in 30 rows"),
    (X4, [0, 0, 0, 1], {"test_fraction": 0.5}, "single sample, which cannot be in both parts"),
    (X4, [0, 1, 0, 1], {"test_fraction": 0.2}, "4 samples cannot be split .* at least 2"),
    (X4, [0, 1, 0, 1], {"test_fraction": 0.9}, "4 samples cannot be split .* 0.9"),
    (X4[:2], [0.5, 1], {"test_fraction": 0.6, "task": "regression"}, "2 samples cannot be split"),
    (np.arange(100), [0] * 98 + [1] * 2, {"test_fraction": 0.9}, "a class out of the training"),
    ([[3e39], [1]], [0, 1], {}, "Values beyond 3e38 do not fit into float32"),
    (X4[:3], [3e39, 1.5, 2], {}, "Values beyond 3e38 do not fit into float32"),
    ([[1e200], [2e200]], [0, 1], {"standardize": True}, "do not fit into float32"),
]


@pytest.mark.parametrize(("X", "y", "given", "message"), BAD_ARRAYS)
def test_arrays_that_cannot_be_used_are_refused_with_the_reason(X, y, given, message):
    """Wrong shapes, no numbers, too few samples or classes: one DataError that says which."""
    with pytest.raises(DataError, match=message):
        dataset_from_arrays(X, y, **given)


def test_settings_of_arrays_are_checked_like_all_others():
    """A setting that arrays do not take, and arrays asked for by name, are refused."""
    with pytest.raises(ExperimentError, match=r"`data\.noise` is not a setting of `arrays`"):
        dataset_from_arrays(X4, [0, 1, 0, 1], noise=0.1)
    with pytest.raises(DataError, match="was given in memory"):
        dataset(DataSpec(name="arrays"))
    with pytest.raises(DataError, match="`y` has only one value, 1"):
        dataset(DataSpec(name="threshold", w=0, b=5))


def test_float32_arrays_are_what_they_are_in_float64():
    """They are not copied to float64 first, and nobody sees it; nor do they share memory."""
    rng = np.random.default_rng(0)
    X, y = (rng.normal(size=(50, 3)) * [1, 1e4, 1e-3]).astype(np.float32), np.arange(50) % 3
    for chosen in ({"standardize": False}, {"standardize": True}, {"test_fraction": 0.2}):
        small = dataset_from_arrays(X, y, **chosen)
        large = dataset_from_arrays(X.astype(np.float64), y, **chosen)
        assert small == large
        assert not np.shares_memory(small.X, X)
