"""Modules that are no plain stacks: what is kept, what they answer; what is refused; files."""

import copy
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load as arrays_of
from safetensors.numpy import save as safetensors_bytes
from torch import Tensor, nn

import fitscope as fs
from fitscope import export, runfile
from fitscope.errors import DataError, RunFileError
from fitscope.plot import VIEWS
from fitscope.records import Run
from loops import Residual, drawn, flat, ring, trained

LOSS = nn.BCEWithLogitsLoss()
OF_DENSE = {"hidden_lines", "hidden_space", "loss_surface", "network_diagram", "unit_maps"}
OF_ANSWERS = {
    "calibration",
    "confusion",
    "decision_field",
    "importance",
    "loss_curves",
    "metrics",
    "parameter_paths",
    "precision_recall",
    "roc_curve",
    "scatter",
}


@pytest.fixture(scope="module")
def module() -> nn.Module:
    """The module that was trained."""
    return drawn(Residual)


@pytest.fixture(scope="module")
def run(module: nn.Module) -> Run:
    """Its run, with a test part."""
    return trained(module, test=ring(40, seed=1))[0]


class Pixels(nn.Module):
    """Takes pictures (n, 1, 4, 4), gives three logits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).flatten(1))


class Tokens(nn.Module):
    """Takes indices (n, 3), gives a value; embedding and head share their weights."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(5, 2)
        self.out = nn.Linear(2, 5, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.embed(x).mean(1)).sum(1)


def test_buffers_are_recorded_since_they_decide_the_answers() -> None:
    """At every step the answers are those of a state_dict kept then, to float32's last bits."""
    module, (X, y) = drawn(Residual), ring()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    kept = [{k: v.clone() for k, v in module.state_dict().items()}]
    with fs.attach(module, optimizer, X, y, loss=LOSS) as scope:
        for _ in range(6):
            optimizer.zero_grad()
            LOSS(module(X)[:, 0], y).backward()
            optimizer.step()
            kept.append({k: v.clone() for k, v in module.state_dict().items()})
    run = scope.run
    assert run.buffers.shape == (7, 9)
    other = Residual().eval()
    for step, state in enumerate(kept):
        other.load_state_dict(state)
        own = other(X).sigmoid()[:, 0].detach().numpy()
        assert run.predict_proba(X.numpy(), step=step)[:, 1] == pytest.approx(own, abs=1e-6)
    assert module.training
    assert torch.equal(module.norm.running_mean, kept[-1]["norm.running_mean"])


class Averaged(nn.Module):
    """Binds a new tensor to its buffer at every step, as many modules do."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 1)
        self.register_buffer("mean", torch.zeros(2))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.mean = 0.5 * self.mean + 0.5 * x.mean(0)
        return self.fc(x - self.mean)


def test_a_buffer_that_is_bound_anew_is_recorded_as_it_is_then() -> None:
    """Not the tensor that stood there before the loop."""
    run, _ = trained(drawn(Averaged), 4)
    X = ring()[0]
    wanted = [(1 - 0.5**i) * X.mean(0).numpy() for i in range(5)]
    assert run.buffers == pytest.approx(np.array(wanted), abs=1e-6)
    own = run.own_module.eval()(X).sigmoid()[:, 0].detach().numpy()
    assert run.predict_proba(X.numpy())[:, 1] == pytest.approx(own, abs=1e-6)


def test_a_run_survives_what_becomes_of_its_module(module: nn.Module, run: Run) -> None:
    """Answers come from the recorded parameters, also where the module is trained on."""
    X = ring()[0].numpy()
    before, own = run.predict_proba(X), flat(module)
    with torch.no_grad():
        module.fc1.weight += 1.0
    assert np.array_equal(run.predict_proba(X), before)
    with torch.no_grad():
        module.fc1.weight -= 1.0
    assert flat(module) == pytest.approx(own, abs=1e-6)


def test_pictures_tokens_and_tied_weights() -> None:
    """Inputs of any shape and of whole numbers; a parameter in two places is one parameter."""
    rng = torch.Generator().manual_seed(0)
    X, y = torch.randn(30, 1, 4, 4, generator=rng), torch.randint(0, 3, (30,), generator=rng)
    pictures, copies = trained(drawn(Pixels), data=(X, y), loss=nn.CrossEntropyLoss())
    assert pictures.params.tobytes() == np.array(copies).tobytes()
    assert (pictures.dataset.d, pictures.dataset.task) == (16, "multiclass")
    own = pictures.own_module(X).softmax(1).detach().numpy()
    assert pictures.predict_proba(X.reshape(30, 16).numpy()) == pytest.approx(own, abs=1e-6)
    assert pictures.plot.confusion() is not None
    words = torch.randint(0, 5, (30, 3), generator=rng)
    tied, copies = trained(drawn(Tokens), data=(words, words.float().mean(1)), loss=nn.MSELoss())
    assert tied.params.shape == (13, 10)
    assert tied.params.tobytes() == np.array(copies).tobytes()
    own = tied.own_module(words).detach().numpy()
    assert tied.predict(words.numpy()) == pytest.approx(own, abs=1e-6)
    assert tied.own_module.out.weight is tied.own_module.embed.weight


@pytest.mark.parametrize("backend", ["matplotlib", "plotly"])
def test_views_of_answers_losses_and_parameters_apply(run: Run, backend: str) -> None:
    """At the end and before the training; what needs layers is refused by its name."""
    views = run.plot if backend == "matplotlib" else run.show
    assert {name for name, view in VIEWS.items() if view.of == "run"} >= OF_ANSWERS | OF_DENSE
    for name in sorted(OF_ANSWERS):
        assert getattr(views, name)() is not None
    assert views.decision_field(step=0, n_grid=5) is not None
    for name in sorted(OF_DENSE):
        message = f"{name} needs a plain stack of linear layers with one activation; this run's mod"
        with pytest.raises(DataError, match=message):
            getattr(views, name)()


def test_along_one_input_and_for_values() -> None:
    """The curve, and the views of a regression."""
    X = torch.linspace(-1, 1, 40)[:, None]
    run, _ = trained(drawn(lambda: Residual(1)), data=(X, X[:, 0] ** 2), loss=nn.MSELoss())
    for name in ("response_curve", "fit_scatter", "residuals", "metrics"):
        assert getattr(run.plot, name)() is not None
    with pytest.raises(DataError, match="step_approximation needs a plain stack of linear layers"):
        run.plot.response_curve(step_approximation=True)
    module = run.own_module.eval()
    assert run.predict(X.numpy()) == pytest.approx(module(X)[:, 0].detach().numpy(), abs=1e-6)


def test_what_reads_layers_is_refused_in_one_sentence(run: Run) -> None:
    """Exports, formulas, the page; paths and boundaries of a comparison."""
    with pytest.raises(DataError, match="The replay needs a plain stack of linear layers"):
        export.replay_html(run)
    for write in (export.onnx_model, export.state_dict_bytes, export.sklearn_script, Run.module):
        with pytest.raises(DataError, match=r"This needs a plain stack.*module, Residual, is none"):
            write(run)
    with pytest.raises(DataError, match="A script makes a training again"):
        fs.pytorch_script(run)
    with pytest.raises(DataError, match="network_diagram needs a plain stack"):
        fs.analysis.diagram.unit_formula(run, "h1")
    with pytest.raises(DataError, match="compare of boundaries needs a plain stack"):
        run.plot.compare(what="boundaries", reference=True)
    with pytest.raises(DataError, match="compare of paths needs a plain stack"):
        run.plot.compare(what="paths", reference=True)
    with pytest.raises(DataError, match="The gradient needs a plain stack"):
        run.plot.parameter_paths(gradients=True)
    assert run._repr_html_() is None
    assert repr(run).startswith("<Run Residual on <Dataset arrays: binary, 120 + 40 x 2>")


def test_the_commands_say_what_such_a_run_lacks(run: Run, cli: Any) -> None:
    """`show` tells what it knows; the lab, pictures of answers and exports end with a sentence."""
    run.save("own.safetensors")
    assert "the module Residual" in cli("show", "own.safetensors").out
    for command, said in (
        (["lab", "own.safetensors", "--no-open"], "The lab needs a plain stack of linear layers"),
        (["plot", "own.safetensors", "decision_field"], "load it with fs.load(path, module=...)"),
        (["export", "own.safetensors", "--to", "html"], "The replay needs a plain stack of linear"),
    ):
        answer = cli(*command)
        assert answer.status == 2
        assert said in answer.err


def test_the_summary_and_the_table_name_the_module_and_its_parameters(run: Run) -> None:
    """In words; parameters by PyTorch's names, counted from 1 as ours are."""
    facts = fs.analysis.summary(run)
    assert facts.sentence == (
        "The module Residual, 27 parameters, was trained on arrays to tell 0 and 1 apart, by 12 "
        "Adam updates of a loop of its own (learning rate 0.05, cross-entropy)."
    )
    assert facts.train_loss == pytest.approx(run.train_loss[-1], rel=1e-5)
    assert facts.formula == ""
    names = export.trajectory_table(run).column_names
    assert names[:3] == ["step", "fc1.weight[1,1]", "fc1.weight[1,2]"]
    paths = fs.analysis.parameter_paths(run, parameters=["past.weight[1,2]", "fc2.bias[1]"])
    assert [paths.layer_names[i - 1] for i in paths.layers] == ["past", "fc2"]
    assert paths.is_bias.tolist() == [False, True]


def test_a_file_holds_no_module_and_takes_one_back(run: Run) -> None:
    """Without: losses, parameters and paths; answers say how. With: everything as before."""
    run.save("own.safetensors")
    alone = fs.load("own.safetensors")
    assert alone == run
    assert alone.own_module is None
    for name in ("loss_curves", "parameter_paths", "scatter"):
        assert getattr(alone.plot, name)() is not None
    assert fs.analysis.summary(alone, step=3).train_loss == float(run.train_loss[3])
    X = ring()[0].numpy()
    for asks in (alone.plot.decision_field, alone.plot.metrics, lambda: alone.predict(X)):
        with pytest.raises(
            DataError, match=r"own module, Residual.*load it with fs.load.path, mod"
        ):
            asks()
    other = drawn(Residual, seed=5)
    before = flat(other)
    back = fs.load("own.safetensors", module=torch.compile(other, backend="eager"))
    assert np.array_equal(back.predict_proba(X, step=4), run.predict_proba(X, step=4))
    assert flat(other).tobytes() == before.tobytes()
    assert other.training
    with safe_open("own.safetensors", "numpy") as file:
        assert {"buffers", "loss_steps"} <= set(file.keys())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Residual", "`module` must be a torch.nn.Module; got str"),
        (nn.Linear(2, 1), "`module` does not fit this run: it has no fc1.weight"),
        (Residual(3), r"fc1.weight is \(4, 3\), and was \(4, 2\) in the run"),
        (nn.Sequential(), "`module` does not fit this run: it has no fc1.weight"),
    ],
    ids=["text", "other names", "other shapes", "empty"],
)
def test_a_module_that_does_not_fit_is_refused(run: Run, given: Any, message: str) -> None:
    """By the first name or shape that differs."""
    run.save("own.safetensors")
    with pytest.raises(DataError, match=message):
        fs.load("own.safetensors", module=given)


def test_a_module_with_more_parameters_is_refused(run: Run) -> None:
    """They were not recorded, so nothing says what they were; a run that needs none takes none."""
    more = Residual()
    more.extra = nn.Linear(1, 1)
    run.save("own.safetensors")
    with pytest.raises(
        DataError, match=r"`module` does not fit this run, which has no extra\.weig"
    ):
        fs.load("own.safetensors", module=more)
    fs.fit("gates-and", epochs=1).save("ours.safetensors")
    with pytest.raises(DataError, match="This run replays without a module; leave out `module`"):
        fs.load("ours.safetensors", module=more)


def test_chosen_parts_alone_can_be_recorded() -> None:
    """Of the rest nothing is known, so there are losses, measured at each step, and paths."""
    module, (X, y) = drawn(Residual), ring()
    run, _ = trained(module, data=(X, y), record=["fc2"], every=3)
    assert run.params.shape == (5, 5)
    assert run.attached.layout.parameters == (("fc2.weight", (1, 4)), ("fc2.bias", (1,)))
    own = LOSS(module.eval()(X)[:, 0], y).item()
    assert run.train_loss[-1] == pytest.approx(own, rel=1e-6)
    assert run.plot.parameter_paths() is not None
    assert run.metrics == {}
    with pytest.raises(DataError, match=r"only fc2.weight, fc2.bias were recorded. Attach without"):
        run.plot.decision_field()
    run.save("part.safetensors")
    assert fs.load("part.safetensors") == run


def test_losses_alone_can_be_recorded() -> None:
    """For nets of any size: two numbers a step, thinned as parameters are."""
    one, other = drawn(Residual), drawn(Residual)
    one.drop.p = other.drop.p = 0.0
    run, _ = trained(one, 60, record="losses", test=ring(20, seed=3), keep_bytes=200)
    full, _ = trained(other, 60, test=ring(20, seed=3))
    assert run.params.shape == (len(run.steps), 0)
    assert 10 < len(run.steps) <= 25
    assert run.train_loss == pytest.approx(full.train_loss[run.steps], rel=1e-6)
    assert run.test_loss == pytest.approx(full.test_loss[run.steps], rel=1e-6)
    assert run.plot.loss_curves() is not None
    with pytest.raises(DataError, match="only the losses were recorded"):
        run.predict([[0.0, 0.0]])
    with pytest.raises(DataError, match="parameter_paths needs recorded parameters; this run has"):
        run.plot.parameter_paths()
    run.save("losses.safetensors")
    assert fs.load("losses.safetensors") == run


def test_a_head_on_a_frozen_body_answers() -> None:
    """What is not recorded cannot change, so the recorded head decides."""
    body = nn.Sequential(nn.Linear(2, 6), nn.ELU())
    module = drawn(lambda: nn.Sequential(body.requires_grad_(False), nn.Linear(6, 1)))
    run, _ = trained(module, record=["1"])
    assert run.params.shape == (13, 7)
    assert run.attached.layout.frozen == (("0.0.weight", (6, 2)), ("0.0.bias", (6,)))
    X = ring()[0]
    own = module(X).sigmoid()[:, 0].detach().numpy()
    assert run.predict_proba(X.numpy())[:, 1] == pytest.approx(own, abs=1e-6)
    run.save("head.safetensors")
    back = fs.load("head.safetensors", module=module)
    assert np.array_equal(back.predict(X.numpy()), run.predict(X.numpy()))


def test_a_frozen_part_that_changes_takes_the_answers_with_it(logged: list[str]) -> None:
    """Afterwards, in another module, or inside the loop: one sentence, and no wrong number."""

    def made(seed: int = 0) -> nn.Sequential:
        return drawn(lambda: nn.Sequential(nn.Linear(2, 6), nn.ELU(), nn.Linear(6, 1)), seed)

    module, (X, y) = made(), ring()
    module[0].requires_grad_(False)
    run, _ = trained(module, record=["2"])
    before = run.predict_proba(X.numpy())
    run.save("head.safetensors")
    with pytest.raises(
        DataError, match=r"`module` does not fit this run: 0.weight and what else w"
    ):
        fs.load("head.safetensors", module=made(3))
    back = fs.load("head.safetensors", module=copy.deepcopy(module))
    assert np.array_equal(back.predict_proba(X.numpy()), before)
    module[0].requires_grad_(True)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.1)
    module[0].requires_grad_(False)
    with fs.attach(module, optimizer, X, y, loss=LOSS, record=["2"]) as scope:
        module[0].requires_grad_(True)
        LOSS(module(X)[:, 0], y).backward()
        optimizer.step()
    with pytest.raises(
        DataError, match=r"The module no longer fits this run: 0.weight and what els"
    ):
        run.predict([[0.0, 0.0]])
    thawed = scope.run
    assert np.isnan(thawed.train_loss).all()
    assert (thawed.outcome, thawed.metrics) == (fs.Outcome.FINISHED, {})
    assert "Parts that were frozen, and so not recorded, have changed" in thawed.dataset.notes[0]
    assert logged == list(thawed.dataset.notes)
    with pytest.raises(DataError, match=r"only 2.weight, 2.bias were recorded"):
        thawed.predict([[0.0, 0.0]])
    thawed.save("thawed.safetensors")
    assert fs.load("thawed.safetensors") == thawed


def test_a_module_of_another_number_type_is_refused(run: Run) -> None:
    """Its answers would not be those of the run."""
    run.save("own.safetensors")
    with pytest.raises(DataError, match=r"parameters are float64, and were float32 in the run; co"):
        fs.load("own.safetensors", module=Residual().double())


def test_a_module_that_is_changed_after_its_run_answers_no_more() -> None:
    """In a sentence, where a part of it has another shape by then."""
    module = drawn(Residual)
    run, _ = trained(module)
    module.fc2 = nn.Linear(4, 3)
    with pytest.raises(
        DataError, match=r"no longer fits this run: fc2.weight is \(3, 4\), and was"
    ):
        run.predict([[0.0, 0.0]])


class Masked(nn.Module):
    """Adds the mask of an attention, which holds -inf."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.register_buffer("mask", torch.tensor([0.0, -torch.inf]))

    def forward(self, x: Tensor) -> Tensor:
        h = self.fc(x)
        return (torch.softmax(h + self.mask, 1) * h).sum(1)


def test_a_buffer_may_be_infinite() -> None:
    """As the masks of attention are; a loss that is no number is one of the parameters."""
    module, (X, y) = drawn(Masked), ring()
    run, _ = trained(module)
    assert run.outcome is fs.Outcome.FINISHED
    assert run.train_loss[-1] == pytest.approx(LOSS(module(X), y).item(), rel=1e-5)
    run.save("masked.safetensors")
    assert fs.load("masked.safetensors") == run


def test_a_module_of_the_old_weight_norm_is_recorded_and_left_as_it_was() -> None:
    """Its weights are no parameters but made of two at every call."""
    with pytest.warns(FutureWarning, match="weight_norm"):
        first = nn.utils.weight_norm(drawn(lambda: nn.Linear(2, 4)))
    module, (X, y) = nn.Sequential(first, nn.Tanh(), nn.Linear(4, 1)), ring()
    run, _ = trained(module)
    assert not run.is_plain
    weight = first.weight.detach().clone()
    run.predict(X.numpy(), step=0)
    assert torch.equal(first.weight, weight)
    assert run.train_loss[-1] == pytest.approx(LOSS(module(X)[:, 0], y).item(), rel=1e-5)


def test_a_loss_of_several_targets_is_recorded_and_not_drawn() -> None:
    """Losses and parameters as ever; one sentence for what shows answers."""
    X, _ = ring()
    run, _ = trained(drawn(lambda: nn.Linear(2, 2)), data=(X, X.flip(1)), loss=nn.MSELoss())
    assert (run.loss, run.attached.own_loss, run.metrics) == ("MSELoss", True, {})
    assert run.dataset.notes == ("There are 2 targets; the samples keep the first.",)
    assert run.plot.loss_curves() is not None
    for name in ("decision_field", "fit_scatter", "metrics", "importance"):
        with pytest.raises(DataError, match="gives 2 values for each sample; what shows answers n"):
            getattr(run.plot, name)()
    run.save("two.safetensors")
    assert fs.load("two.safetensors") == run


def edited(content: bytes, change: Any) -> bytes:
    """A file with other parts and a digest that is right."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["fitscope"])
    arrays = {name: a for name, a in arrays_of(content).items() if name != "sha256"}
    change(arrays, header)
    text = json.dumps(header)
    arrays["sha256"] = runfile._digest(arrays, text)
    return bytes(safetensors_bytes(arrays, metadata={"fitscope": text}))


def layout(name: str, value: Any) -> Any:
    """Another value in the layout of the module."""
    return lambda _a, h: h["attached"]["layout"].__setitem__(name, value)


EDITS: list[tuple[Any, str]] = [
    (lambda a, _: a.pop("loss_steps"), "`loss_steps` is missing or has another type"),
    (
        lambda a, _: a.update(loss_steps=a["loss_steps"].astype(np.int64)),
        "`loss_steps` is missing|own_loss_steps",
    ),
    (
        lambda a, _: a.update(loss_steps=a["loss_steps"][:-1]),
        "`loss_steps` does not fit|own_loss_steps",
    ),
    (lambda a, _: a.update(loss_steps=a["loss_steps"] + 1), "`loss_steps` does not fit `train_los"),
    (lambda a, _: a["loss_steps"].__setitem__(2, 1), "`loss_steps` do not rise from 0"),
    (lambda a, _: a.update(batch_loss=np.ones(3, np.float32)), "`batch_loss` does not fit the"),
    (lambda a, _: a.pop("buffers"), "`buffers` is missing or does not belong"),
    (
        lambda a, _: a.update(buffers=a["buffers"][:, 1:].copy()),
        "`buffers` does not fit the module",
    ),
    (lambda a, _: a.update(params=a["params"][:, 1:].copy()), "`params` does not fit the network"),
    (lambda _, h: h.pop("attached"), "`params` does not fit the network"),
    (lambda _, h: h["attached"].pop("lr"), "`attached.lr` is wrong"),
    (lambda _, h: h["attached"].update(own_loss=True), "`training.loss` does not fit the loss"),
    (lambda _, h: h["attached"].update(loss="mse"), "`training.loss` does not fit the loss"),
    (lambda _, h: h["attached"].update(layout=None), "does not fit the network"),
    (layout("n_outputs", 2), "`n_outputs` does not fit the task"),
    (layout("input_shape", [3]), "`input_shape` does not fit the data"),
    (layout("input_type", "str"), "`attached.layout.input_type` is wrong"),
    (layout("outputs", "pixels"), "`attached.layout.outputs` is wrong"),
    (layout("complete", 1), "`attached.layout.complete` is wrong"),
    (layout("frozen_digest", "x"), "`attached.layout.frozen_digest` is wrong"),
    (layout("parameters", [["a", [-1]]]), "`attached.layout.parameters.0.1.0` is wrong"),
    (layout("frozen", [["fc1.bias", [1]]]), "`layout` names a parameter twice"),
]


@pytest.mark.parametrize(("change", "message"), EDITS, ids=range(len(EDITS)))
def test_an_edited_file_is_refused(run: Run, tmp_path: Any, change: Any, message: str) -> None:
    """What an own loop left behind is checked like everything in a run file.

    Types and axes are told by the checked types of the tests, where those come first.
    """
    path = tmp_path / "edited.safetensors"
    path.write_bytes(edited(runfile.run_bytes(run), change))
    with pytest.raises(RunFileError, match=f"is a damaged run file: .*{message}"):
        fs.load(path)


def test_parts_of_an_own_loop_do_not_belong_to_other_runs() -> None:
    """A run of fit has no loss steps and no buffers of its own."""
    ours = fs.fit("gates-and", epochs=1)
    steps = replace(ours, own_loss_steps=ours.loss_steps)
    steps.save("x.safetensors")
    with pytest.raises(RunFileError, match="`attached` is missing"):
        fs.load("x.safetensors")
