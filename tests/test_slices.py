"""Which inputs, which class: what can be asked of a decision field, by brute force."""

from typing import Any

import numpy as np
import pytest

import fitscope as fs
from fitscope import analysis
from fitscope.analysis.needs import feature_indices
from fitscope.errors import DataError, UnknownNameError
from fitscope.records import Run


@pytest.fixture(scope="session")
def many() -> Run:
    """Two classes over 30 inputs, standardised, with a test part."""
    return fs.fit("breast-cancer", epochs=30)


@pytest.fixture(scope="session")
def iris() -> Run:
    """Three classes over four inputs, with a test part."""
    return fs.fit("iris", epochs=30, lr=0.1)


@pytest.fixture(scope="session")
def blobs() -> Run:
    """Four classes over two inputs."""
    return fs.fit("blobs", epochs=30, lr=0.1, n_samples=80)


@pytest.fixture(scope="session")
def plane() -> Run:
    """Two classes over two inputs."""
    return fs.fit("gates-and", epochs=3)


@pytest.mark.parametrize("features", [(0, 1), (27, 3), ("worst area", "mean texture")])
@pytest.mark.parametrize("step", [0, -1])
def test_a_slice_is_the_model_at_the_medians(many: Run, features: Any, step: int) -> None:
    """At each point of the grid, all other inputs stand at their medians over all samples."""
    field, d = analysis.decision_field(many, step=step, features=features, n_grid=6), many.dataset
    i, j = (f if isinstance(f, int) else d.feature_names.index(f) for f in features)
    assert field.features == (i, j)
    for row, column in np.ndindex(6, 6):
        point = np.median(d.inputs(), axis=0)
        point[i], point[j] = field.x[column], field.y[row]
        p = many.predict_proba(point[None], step=step)[0, 1]
        assert field.values[row, column] == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize("features", [(0, 1), (2, 3), (3, 0)])
def test_near_samples_are_half_a_deviation_from_the_medians_at_most(
    iris: Run, features: tuple[int, int]
) -> None:
    """In each of the other inputs, counted sample by sample; the note says how many they are."""
    field, points = (
        analysis.decision_field(iris, features=features, n_grid=3),
        iris.dataset.inputs(),
    )
    others = [c for c in range(4) if c not in features]
    by_hand = []
    for sample in points:
        gaps = [abs(sample[c] - np.median(points[:, c])) / np.std(points[:, c]) for c in others]
        by_hand.append(max(gaps) <= 0.5)
    assert field.near.tolist() == by_hand
    assert 0 < sum(by_hand) < len(points)
    expected = f"2 other inputs at their medians; {sum(by_hand)} of 150 points lie near this slice"
    assert field.note == expected


def test_one_other_input_is_one_and_a_constant_one_keeps_all_samples_near() -> None:
    """The note counts in the singular; an input without spread moves no sample away."""
    X = np.random.RandomState(0).normal(size=(30, 3)) * [1, 1, 0] + [0, 0, 7]
    field = analysis.decision_field(fs.fit((X, X[:, 0] > 0), epochs=1), n_grid=3)
    assert field.near.all()
    assert field.note == "1 other input at its median; 30 of 30 points lie near this slice"


def test_with_two_inputs_every_sample_is_near(plane: Run) -> None:
    """There is nothing to be far from."""
    field = analysis.decision_field(plane, n_grid=3)
    assert field.near.all()
    assert len(field.near) == 500


@pytest.mark.parametrize("label", [0, 1, 2, 3])
def test_label_asks_for_the_probability_of_one_class(blobs: Run, label: int) -> None:
    """The column of `predict_proba` that belongs to it, as a number or as its text."""
    field = analysis.decision_field(blobs, label=label, n_grid=7)
    grid = np.stack(np.meshgrid(field.x, field.y), axis=-1).reshape(-1, 2)
    p = blobs.predict_proba(grid)[:, label].reshape(7, 7)
    np.testing.assert_allclose(field.values, p, rtol=1e-12)
    assert field.label == label
    typed = analysis.decision_field(blobs, label=str(label), n_grid=7)
    assert typed.label == label
    np.testing.assert_array_equal(typed.values, field.values)


def test_the_label_of_two_classes_is_the_second_unless_asked(plane: Run) -> None:
    """Both probabilities add up to 1; several classes have no label unless one is asked for."""
    second, first = (analysis.decision_field(plane, label=label, n_grid=5) for label in (None, 0))
    assert (second.label, first.label) == (1, 0)
    np.testing.assert_allclose(first.values + second.values, 1, rtol=1e-12)


def test_several_classes_have_no_label_unless_asked(blobs: Run, iris: Run) -> None:
    """None is the likeliest class; text is taken as the class of that name."""
    assert analysis.decision_field(blobs, n_grid=3).label is None
    assert analysis.decision_field(iris, label="setosa", n_grid=3).label == "setosa"


def test_classes_shows_the_likelier_of_two(plane: Run) -> None:
    """`classes` gives the index that `predict` stands for, for two classes as for more."""
    field = analysis.decision_field(plane, classes=True, n_grid=25)
    grid = np.stack(np.meshgrid(field.x, field.y), axis=-1).reshape(-1, 2)
    assert field.label is None
    np.testing.assert_array_equal(field.values.ravel(), plane.predict(grid))


def test_the_title_is_the_moment(plane: Run) -> None:
    """It says after how many of how many updates, or that there were none."""
    last = int(plane.steps[-1])
    titles = {step: analysis.decision_field(plane, step=step, n_grid=3).title for step in (0, 5)}
    assert titles == {0: "before training", 5: f"after 5 of {last} updates"}
    assert plane.moment() == plane.moment(last) == f"after {last} of {last} updates"


def test_the_moment_is_that_of_the_recorded_step_and_of_the_plan() -> None:
    """Thousands have commas; a run that stopped early still says how many were planned."""
    run = fs.fit("step", epochs=1500, stop_below=0.3)
    last = int(run.steps[-1])
    assert 0 < last < 1500
    assert run.moment() == f"after {last:,} of 1,500 updates"
    with pytest.raises(DataError, match="Step 9999 is not in this run"):
        run.moment(9999)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"features": ("petal lenght (cm)", 0)}, UnknownNameError, "mean `petal length"),
        ({"features": (0, 4)}, UnknownNameError, "`4` is not an input of this run. There are sep"),
        ({"features": (-1, 0)}, UnknownNameError, "`-1` is not an input of this run"),
        ({"features": (0, 0)}, DataError, r"must name 2 different inputs; got \[0, 0\]"),
        ({"features": (0, "sepal length (cm)")}, DataError, "must name 2 different inputs"),
        ({"features": (0,)}, DataError, r"must name 2 different inputs; got \[0\]"),
        ({"features": ()}, DataError, r"must name 2 different inputs; got \[\]"),
        ({"features": "petal length (cm)"}, DataError, "must be a list of inputs; got 'petal"),
        ({"label": "sitosa"}, DataError, r"one of the run's classes \(setosa, .*got 'sitosa'"),
        ({"classes": True, "label": "setosa"}, DataError, "leave out `label`, which is 'setosa'"),
        ({"n_grid": 1}, DataError, "`n_grid` must be from 2 to 1000; got 1"),
        ({"n_grid": 1001}, DataError, "`n_grid` must be from 2 to 1000; got 1001"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(
    iris: Run, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Each wrong option is named with what there is."""
    with pytest.raises(error, match=message):
        analysis.decision_field(iris, **options)


def test_a_regression_has_no_label() -> None:
    """The sentence says why there is none."""
    run = fs.fit("diabetes", epochs=1)
    with pytest.raises(DataError, match=r"classes \(none: it is a regression\); got 1"):
        analysis.decision_field(run, label=1)


def test_the_inputs_listed_in_a_message_are_eight_at_most(many: Run) -> None:
    """Thirty names would hide the sentence."""
    with pytest.raises(UnknownNameError) as raised:
        feature_indices(many.dataset, [99], 1)
    listed = ", ".join(many.dataset.feature_names[:8])
    assert str(raised.value) == (
        f"`99` is not an input of this run. There are {listed} and 22 more."
    )
