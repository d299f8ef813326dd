"""Laws of the experiment: what goes in comes out again, and what is wrong is said at once."""

import re
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscope.catalogue import DATASETS
from fitscope.errors import ExperimentError, InputFileError, OutputError, UnknownNameError
from fitscope.settings import Spec
from fitscope.specs import (
    FLAT_FIELDS,
    DataSpec,
    Experiment,
    NetworkSpec,
    TrainingSpec,
    experiment,
    experiments,
)

BUILT_IN = [
    *("bad-start", "bad-start-mse", "gates-and", "gates-or", "gates-xor", "gates-xor-hidden"),
    *("gaussians", "polynomial", "rings-1", "rings-2", "rings-3", "rings-5"),
    *("sine-10", "sine-10-flipped", "threshold-sgd"),
]
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
SEED32 = st.integers(0, 2**32 - 1)
FLOAT32 = st.floats(-3.4028234663852886e38, 3.4028234663852886e38)
DATA_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "target": TEXT,
    **dict.fromkeys(("features", "categories", "drop"), st.lists(TEXT, max_size=3)),
    "task": st.sampled_from(["binary", "multiclass", "regression"]),
    "n_samples": st.integers(2, 10_000_000),
    "noise": st.floats(0, 1000),
    "seed": SEED32,
    "test_fraction": st.floats(0, 1, exclude_max=True),
    "split_seed": SEED32,
    "standardize": st.booleans(),
    "gate": st.sampled_from(["and", "or", "xor"]),
    "w": st.floats(-1e6, 1e6),
    "b": st.floats(-1e6, 1e6),
    "degree": st.integers(1, 12),
    "flipped": st.booleans(),
    "n_classes": st.integers(2, 100),
    "points": st.lists(st.lists(FLOAT32, max_size=4), max_size=5),
}
FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(0, 1e6, exclude_min=True)


def data_specs(name: str) -> st.SearchStrategy[DataSpec]:
    """Specs of one data set, with any of its settings given."""
    wanted = {field: DATA_VALUES[field] for field in DATASETS[name].settings}
    always = {"name": st.just(name)} | ({"path": TEXT.filter(bool)} if name == "table" else {})
    return st.fixed_dictionaries(always, optional=wanted).map(lambda v: DataSpec(**v))


NETWORKS = st.builds(
    NetworkSpec,
    hidden=st.lists(st.integers(1, 8192), max_size=32),
    activation=st.sampled_from(["sigmoid", "tanh", "relu", "identity"]),
    init=st.sampled_from(["torch", "zeros", "ones"]) | st.lists(FLOAT32, max_size=9),
)


@st.composite
def trainings(draw: st.DrawFn) -> TrainingSpec:
    """Specs of a training, with momentum only where the optimizer takes it."""
    optimizer = draw(st.sampled_from(["sgd", "adam", "adamw", "rmsprop"]))
    momentum = draw(st.floats(0, 1, exclude_max=True)) if optimizer == "sgd" else 0.0
    return TrainingSpec(
        loss=draw(st.sampled_from([None, "cross_entropy", "mse", "smooth_l1", "relative"])),
        optimizer=optimizer,
        lr=draw(POSITIVE),
        momentum=momentum,
        nesterov=momentum > 0 and draw(st.booleans()),
        weight_decay=draw(st.floats(0, 1e6)),
        epochs=draw(st.integers(1, 10_000_000)),
        batch_size=draw(st.none() | st.integers(1, 2**40)),
        shuffle=draw(st.booleans()),
        seed=draw(st.integers(0, 2**63 - 1)),
        stop_below=draw(st.none() | POSITIVE),
    )


def assert_round_trips(e: Experiment) -> None:
    """TOML and JSON give the same experiment back, down to the sign of a zero."""
    for back in (Experiment.from_toml_text(e.to_toml()), Experiment.from_json(e.to_json())):
        assert back == e
        assert repr(back) == repr(e)


@pytest.mark.parametrize("name", DATASETS)
@given(values=st.data())
@settings(deadline=None, max_examples=15)
def test_every_data_spec_goes_through_toml_and_json_without_loss(name, values):
    """A data spec written as TOML or JSON and read back is the same spec."""
    assert_round_trips(Experiment(title=values.draw(TEXT), data=values.draw(data_specs(name))))


@given(network=NETWORKS, training=trainings(), title=TEXT, about=TEXT)
@settings(deadline=None, max_examples=60)
def test_network_and_training_go_through_toml_and_json_without_loss(
    network, training, title, about
):
    """A network and a training written as TOML or JSON and read back are the same, init too."""
    data = DataSpec(name="rings")
    e = Experiment(title=title, about=about, data=data, network=network, training=training)
    assert_round_trips(e)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_experiment_goes_through_toml_and_json_without_loss(name, tmp_path):
    """A built-in experiment written as TOML or JSON and read back is the same experiment."""
    e = experiment(name)
    assert_round_trips(e)
    e.save_toml(tmp_path / "e.toml")
    assert Experiment.from_toml(tmp_path / "e.toml") == e


def test_the_built_in_experiments_are_those_of_the_design():
    """The names of the built-in experiments stay; each has a title and one sentence."""
    assert experiments() == sorted(BUILT_IN)
    for name in experiments():
        e = experiment(name)
        assert e.title
        assert re.fullmatch(r"[^.!?]+\.", e.about), e.about


TABLE_TOML = """
title = "Own"
about = "A table of ours."
[data]
path = "{path}"
target = "y"
features = ["a", "b"]
standardize = false
"""


@pytest.mark.parametrize("path", ["t.csv", "sub/t.csv"])
def test_a_relative_path_in_a_toml_file_starts_at_its_folder(path, tmp_path):
    """The folder of the file is put before a relative `data.path`; nothing else changes."""
    (tmp_path / "e.toml").write_text(TABLE_TOML.format(path=path))
    e = Experiment.from_toml(tmp_path / "e.toml")
    assert e.data.path == str(tmp_path / path)
    assert e == Experiment(
        title="Own",
        about="A table of ours.",
        data={
            "path": str(tmp_path / path),
            "target": "y",
            "features": ["a", "b"],
            "standardize": False,
        },
    )


def test_an_absolute_path_in_a_toml_file_stays(tmp_path):
    """An absolute `data.path` is taken as it is, also through `experiment`."""
    (tmp_path / "e.toml").write_text(TABLE_TOML.format(path="/data/t.csv"))
    e = experiment(tmp_path / "e.toml")
    assert (e.data.path, e.data.target, e.about) == ("/data/t.csv", "y", "A table of ours.")


def test_all_problems_come_in_one_error():
    """Unknown fields, wrong types and values out of range are listed together, near misses too."""
    with pytest.raises(ExperimentError, match=r"^6 settings are wrong:\n  - ") as caught:
        Experiment(
            data={"name": "ring", "n_smples": 3},
            network={"hidden": [0], "actvation": "tanh"},
            training={"lr": -1, "epochs": "many"},
        )
    problems = caught.value.problems
    assert str(caught.value).splitlines()[1:] == [f"  - {problem}" for problem in problems]
    for problem, part in zip(
        problems,
        [
            "`data.name` must be one of .*; got 'ring'. Did you mean `rings`?",
            "`data.n_smples` is not a setting. Did you mean `n_samples`?",
            "`network.hidden` must be a list of positive integers; got [0].",
            "`network.actvation` is not a setting. Did you mean `activation`?",
            "`training.lr` must be greater than 0; got -1.",
            "`training.epochs` must be a whole number; got 'many'.",
        ],
        strict=True,
    ):
        assert re.fullmatch(re.escape(part).replace(r"\.\*", ".*"), problem)


POINTS = np.array([[0.5, 1.0, 1.0], [-2.0, 2.0, 0.0]])
SGD = {"optimizer": "sgd"}
RINGS = {"name": "rings"}
BAD_VALUES = [
    (NetworkSpec, {"hidden": [3, -1]}, "`network.hidden` must be a list of positive integers; got"),
    (NetworkSpec, {"hidden": [0]}, "must be a list of positive integers; got [0]."),
    (NetworkSpec, {"hidden": "0"}, "must be a list of positive integers; got '0'."),
    (NetworkSpec, {"hidden": [1.5]}, "must be a list of positive integers; got [1.5]."),
    (NetworkSpec, {"hidden": -3}, "must be a list of positive integers; got -3."),
    (NetworkSpec, {"hidden": "3,x"}, "must be a list of positive integers; got '3,x'."),
    (NetworkSpec, {"hidden": [9000]}, "at most 8192; got [9000]."),
    (NetworkSpec, {"hidden": [1] * 33}, "at most 32"),
    (NetworkSpec, {"activation": "tahn"}, "; got 'tahn'. Did you mean `tanh`?"),
    (NetworkSpec, {"init": "one"}, "must be torch, zeros, ones or a list of finite numbers"),
    (NetworkSpec, {"init": [1, float("nan")]}, "or a list of finite numbers; got [1, nan]."),
    (NetworkSpec, {"init": [1e39]}, "or a list of finite numbers; got [1e+39]."),
    (NetworkSpec, {"init": [1, float("inf")]}, "or a list of finite numbers; got [1, inf]."),
    (TrainingSpec, {"lr": -1}, "`training.lr` must be greater than 0; got -1."),
    (TrainingSpec, {"lr": 0}, "must be greater than 0; got 0."),
    (TrainingSpec, {"lr": float("nan")}, "must be a finite number; got nan."),
    (TrainingSpec, {"lr": "nan"}, "must be a finite number; got 'nan'."),
    (TrainingSpec, {"lr": float("inf")}, "must be a finite number; got inf."),
    (TrainingSpec, {"lr": "fast"}, "must be a number"),
    (TrainingSpec, {"epochs": 10**9}, "at most 10000000; got 1000000000."),
    (TrainingSpec, {"epochs": "1e9"}, "must be a whole number; got '1e9'."),
    (TrainingSpec, {"epochs": 0}, "at least 1; got 0."),
    (TrainingSpec, {"batch_size": 0}, "at least 1; got 0."),
    (TrainingSpec, {"batch_size": "half"}, "must be a whole number; got 'half'."),
    (TrainingSpec, {"seed": -1}, "at least 0; got -1."),
    (TrainingSpec, {"stop_below": 0}, "greater than 0; got 0."),
    (TrainingSpec, {"loss": "mae"}, "got 'mae'. Did you mean `mse`?"),
    (TrainingSpec, {"optimzer": "sgd"}, "`training.optimzer` is not a setting. Did you mean"),
    (TrainingSpec, {"momentum": 0.9}, "`training.momentum` belongs to sgd, not to adam; got"),
    (
        TrainingSpec,
        {"nesterov": True, **SGD},
        "`training.nesterov` needs a `momentum` above 0; got True.",
    ),
    (TrainingSpec, {"momentum": 1, **SGD}, "must be less than 1; got 1."),
    (DataSpec, {}, "`data.name` is missing: name a data set, or give the `path` of a table."),
    (DataSpec, {"name": "moon"}, "got 'moon'. Did you mean `moons`?"),
    (DataSpec, {"name": 3}, "`data.name` must be a valid string; got 3."),
    (DataSpec, {"gate": "and", **RINGS}, "`data.gate` is not a setting of `rings`, which takes n_"),
    (DataSpec, {"name": "iris", "n_samples": 9}, "`data.n_samples` is not a setting of `iris`"),
    (DataSpec, {"name": "gates", "gate": "nor"}, "must be one of and, or, xor; got 'nor'."),
    (DataSpec, {"test_fraction": 1.0, **RINGS}, "must be less than 1; got 1.0."),
    (DataSpec, {"n_samples": 1, **RINGS}, "at least 2; got 1."),
    (DataSpec, {"seed": 2**32, **RINGS}, "`data.seed` must be less than 4294967296"),
    (DataSpec, {"points": [[0, 1, 0]], "name": "polynomial"}, "`data.points` is not a setting of"),
    (DataSpec, {"points": "1,2,0; 1,x,0", **RINGS}, "rows of finite numbers, which row 2 is not"),
    (
        DataSpec,
        {"points": [[1, 2, float("inf")]], **RINGS},
        "row 1 is not; got [[1, 2, inf]]",
    ),
    (DataSpec, {"points": [[0, 1, 0], [1e39, 2, 0]], **RINGS}, "numbers, which row 2 is not; got"),
    (DataSpec, {"points": ["1,2,0"], **RINGS}, "numbers, which row 1 is not; got ['1,2,0']."),
    (DataSpec, {"points": [3], **RINGS}, "numbers, which row 1 is not; got [3]."),
    (DataSpec, {"points": 3, **RINGS}, "`data.points` must be a valid list; got 3."),
    (DataSpec, {"points": [[0, 1, 0]] * 2001, **RINGS}, "must have at most 2000 items, not 2001"),
    (DataSpec, {"name": "table"}, "`data.path` and the data set `table` belong together"),
    (DataSpec, {"name": "iris", "path": "t.csv"}, "the data set `table` belong together"),
    (Experiment, {}, "`data` is missing."),
    (Experiment, {"data": "rings"}, "`data` must be a"),
    (Experiment, {"data": RINGS, "trainning": {}}, "Did you mean `training`?"),
    (Experiment, {"data": RINGS, "self": 1}, "`self` is not a setting."),
]


@pytest.mark.parametrize(("spec", "values", "message"), BAD_VALUES)
def test_a_single_bad_value_is_named_with_what_to_give(spec, values, message):
    """One wrong setting gives one sentence: which, what it must be, what was got."""
    with pytest.raises(ExperimentError, match=re.escape(message)) as caught:
        spec(**values)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("word", ["none", "one", None, "mus", "of"])
@pytest.mark.parametrize("field", ["activation", "optimizer"])
def test_a_suggestion_is_always_one_of_the_choices(field, word):
    """The near miss comes from the choices, never from the words of the message."""
    spec: type[Spec] = NetworkSpec if field == "activation" else TrainingSpec
    with pytest.raises(ExperimentError, match=f"{field}` must be one of") as caught:
        spec(**{field: word})
    suggested = re.findall(r"mean `(.*)`", str(caught.value))
    assert set(suggested) <= set(get_args(spec.model_fields[field].annotation))


def test_a_start_can_be_an_array():
    """`init` and `hidden` take numpy arrays, such as the last parameters of a run."""
    spec = NetworkSpec(init=np.array([1, -2.5], dtype=np.float32), hidden=np.array([3, 2]))
    assert (spec.init, spec.hidden) == ([1.0, -2.5], [3, 2])


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (Experiment.from_toml_text, "data =", "The text is not TOML: Invalid value"),
        (Experiment.from_toml_text, "[data]\nname = 'ring'", "Did you mean `rings`"),
        (Experiment.from_toml_text, "", "`data` is missing"),
        (Experiment.from_json, "{", "The text is not JSON: Expecting"),
        (Experiment.from_json, b"\xff\xfe\x00", "The text is not JSON"),
        (Experiment.from_json, "[1]", "in JSON is an object with a `data` part"),
        (Experiment.from_json, '{"data": null}', "`data` must be a"),
        (Experiment.from_json, '{"data": {"name": "rings", "noise": NaN}}', "finite number"),
    ],
)
def test_text_that_is_no_experiment_says_so(read, text, message):
    """Broken TOML or JSON, or a wrong setting in it, is an ExperimentError."""
    with pytest.raises(ExperimentError, match=message):
        read(text)


def test_a_toml_file_that_cannot_be_read_says_so(tmp_path):
    """A file that is not there, a folder, bytes that are no text, no TOML: each its message."""
    with pytest.raises(InputFileError, match=r"Cannot read .*nope\.toml: No such file"):
        experiment(tmp_path / "nope.toml")
    with pytest.raises(InputFileError, match=r"Cannot read .*: Is a directory"):
        Experiment.from_toml(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"title = '\xe9'")
    with pytest.raises(InputFileError, match="it is not UTF-8 text"):
        Experiment.from_toml(tmp_path / "latin.toml")
    (tmp_path / "half.toml").write_text("[data")
    with pytest.raises(ExperimentError, match=r"half\.toml is not TOML"):
        Experiment.from_toml(tmp_path / "half.toml")
    with pytest.raises(OutputError, match=r"Cannot write .*: No such file"):
        experiment("rings-3").save_toml(tmp_path / "no" / "e.toml")


def test_override_puts_each_flat_name_into_its_section():
    """A flat name belongs to the section that has it; the rest of the experiment stays."""
    e = experiment("rings-3").override(hidden="5,4", lr="0.5", n_samples=100, shuffle=False)
    assert (e.network.hidden, e.training.lr, e.data.n_samples) == ([5, 4], 0.5, 100)
    assert not e.training.shuffle
    assert (e.network.activation, e.training.epochs, e.data.seed) == ("sigmoid", 10000, 100)


def test_seed_is_the_trainings_and_data_seed_the_datas():
    """`seed` changes the start, `data_seed` the points, neither the other."""
    e = experiment("rings-3").override(seed=7)
    assert (e.training.seed, e.data.seed) == (7, 100)
    e = experiment("rings-3").override(data_seed=7)
    assert (e.training.seed, e.data.seed) == (0, 7)
    sections = {"data": DataSpec, "network": NetworkSpec, "training": TrainingSpec}
    assert sorted(FLAT_FIELDS.values()) == sorted(
        (section, field) for section, spec in sections.items() for field in spec.model_fields
    )


def test_override_refuses_what_it_does_not_know():
    """Unknown names are listed together with near misses, values with what they must be."""
    e = experiment("rings-3")
    with pytest.raises(ExperimentError, match=r"`hiden` is not a setting. Did you mean `hidden`"):
        e.override(hiden=[3], epochs=0)
    with pytest.raises(ExperimentError, match=r"(?s)2 settings.*`foo`.*`lrr`.*mean `lr`"):
        e.override(foo=1, lrr=0.1)
    with pytest.raises(ExperimentError, match=r"`data\.gate` is not a setting of `rings`"):
        e.override(gate="xor")


def test_another_data_set_starts_from_its_own_defaults():
    """Changing `name` or `path` drops the old data set's settings; the same name keeps them."""
    e = experiment("gates-and")
    assert e.override(name="moons", data_seed=3).data == DataSpec(name="moons", seed=3)
    assert e.override(path="t.csv", target="y").data == DataSpec(path="t.csv", target="y")
    assert e.override(name="gates", noise=0.2).data.split_seed == 140
    table = Experiment(data={"path": "t.csv", "target": "y"}).override(lr=0.5, features="a,b")
    assert table.data == DataSpec(path="t.csv", target="y", features=["a", "b"])


def test_a_changed_experiment_no_longer_tells_the_old_story():
    """A changed built-in loses its `about` and is marked once; an unchanged one stays as it is."""
    e = experiment("gates-and")
    assert e.override(lr=0.5) == e
    once = e.override(lr=0.1)
    assert (once.title, once.about) == ("The and gate, changed: lr", "")
    assert once.override(lr=0.2, seed=1).title == "The and gate, changed: lr, seed"
    assert e.title == "The and gate"


@pytest.mark.parametrize("full", ["full", "none", None])
def test_the_full_batch_can_be_asked_for(full):
    """`batch_size` "full", "none" or None is all samples in one step."""
    assert experiment("gates-and").override(batch_size=full).training.batch_size is None
    assert experiment("gates-and").training.batch_size == 64


@pytest.mark.parametrize(
    "points", ["0.5,1,1; -2,2,0", " 0.5, 1,1;-2,2,0 ;", [[0.5, 1, 1], [-2, 2, 0]], POINTS]
)
def test_points_are_text_lists_or_an_array(points):
    """Rows are parted by semicolons, their numbers by commas; spaces do no harm."""
    assert experiment("rings-3").override(points=points).data.points == POINTS.tolist()


@pytest.mark.parametrize("none", [None, "", "none", []])
def test_no_points_leave_an_experiment_as_it_was(none):
    """Without points an experiment is written as it was before there were any."""
    e = experiment("gates-and", points="1,1,0")
    assert e.override(points=none).data == experiment("gates-and").data
    assert "points =" not in e.override(points=none).to_toml()


def test_experiment_takes_names_files_and_tables(tmp_path):
    """A built-in name, a data set, a .toml file, a table and an Experiment all are sources."""
    e = experiment("rings-3")
    assert experiment(e) is e
    assert experiment("moons") == Experiment(title="moons", data={"name": "moons"})
    e.save_toml(tmp_path / "e.toml")
    assert experiment(str(tmp_path / "e.toml"), seed=4).training.seed == 4
    for name in ("t.csv", "t.parquet", "t.tsv", "T.CSV"):
        path = tmp_path / name
        assert experiment(path, target="y").data == DataSpec(path=str(path), target="y")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("ring-3", "rings-3"), ("Rings-3", "rings-3"), ("moon", "moons"), ("zzz", ""), ("table", "")],
)
def test_an_unknown_name_is_refused_with_its_near_miss(name, hint):
    """The message names what was asked, what is near, and the commands that list all."""
    ask = rf" Did you mean `{hint}`\?" if hint else ""
    with pytest.raises(
        UnknownNameError,
        match=rf"^`{name}` is not a built-in experiment, .* file\.{ask} `fitscope experiments` and",
    ):
        experiment(name)


def test_a_folder_does_not_hide_a_data_set(tmp_path, monkeypatch):
    """`rings` is the data set also where a folder of that name lies about."""
    (tmp_path / "rings").mkdir()
    monkeypatch.chdir(tmp_path)
    assert experiment("rings").data.name == "rings"
