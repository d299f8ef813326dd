"""fs.attach: a loop of somebody's own is recorded as it is, and left as it was."""

import contextlib
import copy
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import fitscope as fs
from fitscope.attached import scope as scope_module
from fitscope.errors import DataError, UnknownNameError
from fitscope.network import answers, build_module, start_parameters
from fitscope.train.torch_loop import batches, loss_function, optimizer_for
from loops import Residual, dense, drawn, flat, ring, trained


def test_every_recorded_step_is_the_copy_that_the_loop_keeps():
    """Bit for bit: the start, every step, the end; frozen parameters among them."""
    module = drawn(dense)
    module[0].bias.requires_grad_(False)
    run, copies = trained(module)
    assert run.steps.tolist() == list(range(13))
    assert run.params.tobytes() == np.array(copies).tobytes()
    assert (run.params[:, 10:15] == run.params[0, 10:15]).all()
    assert run.outcome is fs.Outcome.FINISHED
    assert repr(run) == "<Run 2-5-1 on <Dataset arrays: binary, 120 + 0 x 2>: 12 updates, finished>"


@pytest.mark.parametrize("every", [1, 5, 100])
def test_every_so_many_steps_and_the_last_are_kept(every):
    """`every=5` keeps steps 0, 5, 10 and the end, with the parameters of those very steps."""
    run, copies = trained(drawn(Residual), every=every)
    assert run.steps.tolist() == sorted({*range(0, 13, every), 12})
    assert run.params.tobytes() == np.array(copies)[run.steps].tobytes()


def test_a_small_budget_thins_the_steps():
    """Of 40 steps, as many evenly spaced ones are kept as fit, and the end."""
    run, copies = trained(drawn(dense), 41, keep_bytes=10 * 21 * 4)
    assert run.params.nbytes <= 10 * 21 * 4
    assert run.steps.tolist() == [0, 8, 16, 24, 32, 40, 41]
    assert run.params.tobytes() == np.array(copies)[run.steps].tobytes()


@pytest.mark.parametrize("name", ["gates-and", "sine-10", "blobs", "bad-start-mse"])
def test_a_loop_that_does_what_fit_does_gives_what_fit_gives(name):
    """The same data, start and batches: the parameters of the engine torch, bit for bit."""
    ours = fs.fit(name, engine="torch", epochs=3)
    e, d = ours.experiment, ours.dataset
    rng = torch.Generator().manual_seed(e.training.seed)
    start = start_parameters(e.network, ours.layer_sizes, rng)
    module = build_module(e.network, ours.layer_sizes, start)
    optimizer, loss = optimizer_for(e.training, module), loss_function(e.training.loss, d.task)
    X, y = torch.from_numpy(d.X), torch.from_numpy(d.y)
    y = y if d.task == "regression" else y.long()
    with fs.attach(module, optimizer, X, y, loss=loss, task=d.task) as scope:
        for _ in range(e.training.epochs):
            for batch in batches(len(X), e.training, rng):
                optimizer.zero_grad()
                loss(module(X[batch]), y[batch]).backward()
                optimizer.step()
    run = scope.run
    assert run.params.tobytes() == ours.params.tobytes()
    assert run.steps.tolist() == ours.steps.tolist()
    assert run.loss == ours.loss
    at = np.searchsorted(run.loss_steps, ours.loss_steps)
    # the same sums in float32, which a different number of threads may add up in another order
    assert run.train_loss[at] == pytest.approx(ours.train_loss, rel=1e-5)
    assert answers(run, d.X) == pytest.approx(answers(ours, d.X))


def test_a_step_is_an_optimizer_step():
    """Gradients that are accumulated over four batches are one recorded step."""
    module, (X, y) = drawn(dense), ring()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    with fs.attach(module, optimizer, X, y, loss=F.binary_cross_entropy_with_logits) as scope:
        for i, (X_part, y_part) in enumerate(zip(X.split(10), y.split(10), strict=True)):
            loss = F.binary_cross_entropy_with_logits(module(X_part)[:, 0], y_part) / 4
            loss.backward()
            if i % 4 == 3:
                optimizer.step()
                optimizer.zero_grad()
    assert scope.run.steps.tolist() == [0, 1, 2, 3]


def test_an_optimizer_with_several_groups_and_one_with_a_closure():
    """Groups with rates of their own; LBFGS, whose step calls the model many times."""
    module = drawn(dense)
    groups = [{"params": module[0].parameters(), "lr": 0.3}, {"params": module[2].parameters()}]
    run, copies = trained(module, optimizer=torch.optim.SGD(groups, lr=0.01, momentum=0.9))
    assert run.params.tobytes() == np.array(copies).tobytes()
    assert (run.attached.lr, run.attached.optimizer) == (0.3, "SGD")
    assert run.experiment.training.momentum == 0.9
    module, (X, y) = drawn(dense), ring()
    optimizer = torch.optim.LBFGS(module.parameters())
    loss = nn.BCEWithLogitsLoss()

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss(module(X)[:, 0], y)
        value.backward()
        return value

    with fs.attach(module, optimizer, X, y, loss=loss) as scope:
        optimizer.step(closure)
        optimizer.step(closure)
    assert scope.run.steps.tolist() == [0, 1, 2]
    assert scope.run.params[-1].tobytes() == flat(module).tobytes()
    assert scope.run.attached.optimizer == "LBFGS"


def test_the_loop_is_left_as_it_is():
    """The same parameters and random numbers as without, and every training flag as it was."""

    def ends(attached: bool) -> tuple[bytes, list[bool]]:
        module, (X, y) = drawn(Residual), ring()
        module.norm.eval()
        optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
        scope = fs.attach(module, optimizer, X, y, loss="cross_entropy") if attached else None
        with torch.random.fork_rng():
            torch.manual_seed(7)
            if scope:
                scope.open()
            for _ in range(6):  # dropout draws from the common generator
                optimizer.zero_grad()
                F.binary_cross_entropy_with_logits(module(X)[:, 0], y).backward()
                optimizer.step()
            if scope:
                scope.close()
            state = torch.get_rng_state().numpy().tobytes()
        return flat(module).tobytes() + state, [part.training for part in module.modules()]

    assert ends(attached=True) == ends(attached=False)
    assert ends(attached=True)[1] == [True, True, False, True, True, True]


class Noisy(nn.Module):
    """A loss that draws numbers and counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return F.binary_cross_entropy_with_logits(out + 0.1 * torch.randn(out.shape), y)


class Counting(nn.Module):
    """Counts its calls in a buffer and in an attribute, and answers with what they are."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.n_calls = nn.Linear(2, 1), 0
        self.register_buffer("n", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.n += 1
        self.n_calls += 1
        return self.fc(x)[:, 0] + 0.01 * self.n


@pytest.mark.parametrize("record", [None, "losses"])
def test_a_loop_whose_loss_draws_and_whose_module_counts_is_left_as_it_is(record):
    """Parameters, random numbers and counts are those of a loop that nobody watched."""

    def ends(attached: bool) -> tuple[bytes, float, float, int]:
        module, loss, (X, y) = drawn(Counting), Noisy(), ring()
        optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
        with torch.random.fork_rng(), contextlib.ExitStack() as stack:
            torch.manual_seed(7)
            if attached:
                stack.enter_context(fs.attach(module, optimizer, X, y, loss=loss, record=record))
            for _ in range(5):
                optimizer.zero_grad()
                loss(module(X), y).backward()
                optimizer.step()
        return flat(module).tobytes(), float(loss.calls), float(module.n), module.n_calls

    assert ends(attached=True) == ends(attached=False)
    assert ends(attached=True)[1:] == (5.0, 5.0, 5)


def test_the_learning_rate_is_that_of_the_start():
    """Also where a schedule makes it smaller."""
    module, (X, y) = drawn(dense), ring()
    optimizer, loss = torch.optim.SGD(module.parameters(), lr=0.5), nn.BCEWithLogitsLoss()
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    with fs.attach(module, optimizer, X, y, loss=loss) as scope:
        for _ in range(10):
            optimizer.zero_grad()
            loss(module(X)[:, 0], y).backward()
            optimizer.step()
            schedule.step()
    assert (scope.run.attached.lr, scope.run.experiment.training.lr) == (0.5, 0.5)


def test_samples_that_the_loop_changes_are_judged_as_they_were():
    """The losses are on a copy, as the run's data is."""
    (X, y), module, loss = ring(), drawn(dense), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    with torch.no_grad():
        first = loss(module(X)[:, 0], y).item()
    with fs.attach(module, optimizer, X, y, loss=loss) as scope:
        for _ in range(3):
            X.mul_(1.5)
            y.mul_(0.9)
            optimizer.zero_grad()
            loss(module(X)[:, 0], y).backward()
            optimizer.step()
    assert scope.run.train_loss[0] == pytest.approx(first, rel=1e-6)


@pytest.mark.parametrize("change", ["replace", "add", "another shape"])
def test_a_part_that_is_replaced_ends_the_recording_before_it(change, logged):
    """What was recorded until then stays right; the run says that it is not all."""
    (X, y), module, loss = ring(), drawn(dense), nn.BCEWithLogitsLoss()
    optimizer, losses = torch.optim.SGD(module.parameters(), lr=0.1), []
    with fs.attach(module, optimizer, X, y, loss=loss, test=(X, y)) as scope:
        for step in range(6):
            if step == 3:
                new = drawn(lambda: nn.Linear(5, 1), seed=4)
                if change == "add":
                    new = drawn(lambda: nn.Sequential(nn.Tanh(), nn.Linear(1, 1)), seed=4)
                    module.append(new)
                elif change == "replace":
                    module[2] = new
                else:
                    module[0], module[2] = drawn(lambda: nn.Linear(2, 7)), nn.Linear(7, 1)
                optimizer.add_param_group({"params": list(new.parameters())})
            optimizer.zero_grad()
            value = loss(module(X)[:, 0], y)
            losses.append(value.item())
            value.backward()
            optimizer.step()
    run = scope.run
    assert run.steps.tolist() == [0, 1, 2, 3]
    assert run.outcome is fs.Outcome.INTERRUPTED
    assert run.train_loss[:3] == pytest.approx(losses[:3], rel=1e-6)
    assert run.train_loss == pytest.approx(run.test_loss)
    assert "so the recording ends at step 3" in run.dataset.notes[-1]
    assert logged == [run.dataset.notes[-1]]
    assert len(module) == 4 if change == "add" else 3


def test_a_part_that_is_replaced_in_a_thinned_recording_ends_it_at_a_kept_step():
    """The last kept row is the end; a module that is no plain stack answers no more."""
    (X, y), module, loss = ring(), drawn(Residual), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    with fs.attach(module, optimizer, X, y, loss=loss, every=4) as scope:
        for step in range(12):
            if step == 7:
                module.fc2 = nn.Linear(4, 1)
            optimizer.step()
    run = scope.run
    assert (run.steps.tolist(), run.own_module) == ([0, 4], None)
    assert np.isfinite(run.train_loss).all()


def test_a_compiled_module_is_recorded_by_its_own_names():
    """`torch.compile` wraps the module; parameters and names are those inside."""
    inner = drawn(Residual)
    module = torch.compile(inner, backend="eager")
    run, copies = trained(module)
    assert run.params.tobytes() == np.array(copies).tobytes()
    assert run.attached.module == "Residual"
    assert run.attached.layout.parameters[0] == ("fc1.weight", (4, 2))
    assert run.own_module is inner


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("make", [dense, Residual])
def test_a_module_on_a_gpu_is_recorded_where_it_is(make):
    """Rows come to the CPU; losses and answers are computed on the device."""
    module, (X, y) = drawn(make).cuda(), ring()
    X, y = X.cuda(), y.cuda()
    run, copies = trained(module, data=(X, y), test=(X[:9], y[:9]))
    assert run.params.tobytes() == np.array(copies).tobytes()
    assert run.device == "cuda"
    assert np.isfinite([run.train_loss, run.test_loss]).all()
    module.eval()
    ours, own = answers(run, X.cpu().numpy()), module(X).detach().cpu().numpy()
    assert ours == pytest.approx(own, rel=1e-4, abs=1e-5)  # float32 sums on a GPU


def test_an_exception_leaves_the_run_so_far():
    """It goes on its way, the hook is gone, and the run says that it was interrupted."""
    module, (X, y) = drawn(dense), ring()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    scope = fs.attach(module, optimizer, X, y, loss=nn.BCEWithLogitsLoss())
    with pytest.raises(ZeroDivisionError), scope:  # noqa: PT012
        for i in range(9):
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(module(X)[:, 0], y).backward()
            optimizer.step()
            if i == 4:
                1 / 0  # noqa: B018
    run = scope.run
    assert run.outcome is fs.Outcome.INTERRUPTED
    assert run.ending == "interrupted at step 5: what was recorded so far is kept"
    assert run.params[-1].tobytes() == flat(module).tobytes()
    assert not optimizer._optimizer_step_post_hooks
    assert run.predict(X.numpy()).shape == (120,)


def test_a_problem_of_ours_does_not_hide_the_exception_of_the_loop(monkeypatch):
    """What goes wrong while the run is made is a note on the loop's own exception."""

    def broken(*_: Any) -> None:
        raise RuntimeError("no run")

    monkeypatch.setattr(scope_module, "run_of", broken)
    module, (X, y) = drawn(Residual), ring()
    optimizer = torch.optim.Adam(module.parameters())
    scope = fs.attach(module, optimizer, X, y, loss=nn.BCEWithLogitsLoss())
    with pytest.raises(ZeroDivisionError) as found, scope:
        1 / 0  # noqa: B018
    assert "fs.attach could not make a run of what was recorded: no run" in found.value.__notes__[0]
    assert not optimizer._optimizer_step_post_hooks


def test_what_cannot_be_computed_after_the_loop_costs_no_recording(logged):
    """Every row is kept; the losses are NaN, and a note says why."""
    module, (X, y) = drawn(Residual), ring()
    optimizer, loss = torch.optim.Adam(module.parameters()), nn.BCEWithLogitsLoss()
    with fs.attach(module, optimizer, X, y, loss=loss) as scope:
        loss(module(X)[:, 0], y).backward()
        optimizer.step()
        module.forward = None
    run = scope.run
    assert (run.params.shape, run.outcome, run.metrics) == ((2, 27), fs.Outcome.FINISHED, {})
    assert np.isnan(run.train_loss).all()
    assert "Losses could not be computed: 'NoneType' object is not callable" in run.dataset.notes[0]
    assert "The model no longer answers after the loop" in logged[-1]
    run.save("nan.safetensors")
    assert fs.load("nan.safetensors") == run


def measured(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A loss that is right at first."""
    if float(out.detach().abs().max()) > 0.5:
        raise ValueError("too large")
    return F.mse_loss(out[:, 0], y)


def test_a_loss_that_fails_inside_the_loop_does_not_end_it():
    """Measured after each step, it is NaN there."""
    X, _ = ring()
    module = drawn(lambda: nn.Linear(2, 1))
    nn.init.zeros_(module.weight)
    nn.init.zeros_(module.bias)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.2)
    data = (X, torch.full((120,), 2.0))
    with fs.attach(module, optimizer, *data, loss=measured, record="losses") as scope:
        for _ in range(2):
            optimizer.zero_grad()
            F.mse_loss(module(X)[:, 0], data[1]).backward()
            optimizer.step()
    assert np.isfinite(scope.run.train_loss).tolist() == [True, False, False]
    assert "Losses could not be computed: too large." in scope.run.dataset.notes


@pytest.mark.parametrize("loss", [nn.BCEWithLogitsLoss(), nn.BCELoss()])
def test_a_loss_that_is_no_number_is_a_divergence(loss):
    """NaN and inf end as DIVERGED at the step where the loss was first none, and raise nothing."""
    module = drawn(lambda: dense(nn.Sigmoid()) if isinstance(loss, nn.BCELoss) else dense())
    (X, y) = ring()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    with fs.attach(module, optimizer, X, y, loss=loss) as scope:
        for i in range(5):
            for p in module.parameters():
                p.grad = torch.full_like(p, torch.nan if i == 2 else 0.1)
            optimizer.step()
    run = scope.run
    assert run.outcome is fs.Outcome.DIVERGED
    assert run.ending.startswith("diverged at step 3: the loss is no longer finite")
    assert np.isfinite(run.train_loss).tolist() == [True, True, True, False, False, False]
    run.save("nan.safetensors")
    assert fs.load("nan.safetensors") == run


def test_losses_are_those_of_the_module_in_evaluation_mode():
    """At each recorded step: the loop's own loss on all samples, without dropout, by PyTorch."""
    module, data, test = drawn(Residual), ring(), ring(30, seed=1)
    before = copy.deepcopy(module.state_dict())
    loss = nn.BCEWithLogitsLoss()
    run, _ = trained(module, data=data, test=test)
    module.eval()
    for row, state in ((0, before), (-1, copy.deepcopy(module.state_dict()))):
        module.load_state_dict(state)
        for (X, y), taken in ((data, run.train_loss), (test, run.test_loss)):
            assert taken[row] == pytest.approx(loss(module(X)[:, 0], y).item(), rel=1e-5)
    assert run.loss_steps.tolist() == run.steps.tolist()
    assert len(run.batch_loss) == 0


def test_no_step_at_all_is_said(logged):
    """A block without a step of the optimizer gives the start, and a warning."""
    run, _ = trained(drawn(dense), 0)
    assert run.steps.tolist() == [0]
    assert "saw no step of this optimizer" in logged[0]


def test_the_plan_is_there_before_the_loop(logged):
    """What will be kept; a warning where it is little."""
    module, (X, y) = drawn(dense), ring()
    optimizer, loss = torch.optim.Adam(module.parameters()), nn.BCEWithLogitsLoss()
    scope = fs.attach(module, optimizer, X, y, loss=loss, every=10)
    assert scope.plan == (
        "Records 21 parameters after one step in 10, 84 bytes each: 761,904 steps fit into "
        "64,000,000 bytes, and of more it keeps every 2nd, 4th, ... Sequential is a plain 2-5-1 "
        "stack, so every view applies."
    )
    assert repr(scope) == f"<Scope: {scope.plan}>"
    assert not logged
    fs.attach(module, optimizer, X, y, loss=loss, keep_bytes=1000)
    assert "11 steps fit into 1,000 bytes" in logged[0]


def test_a_scope_is_for_one_loop():
    """Its run is there after the block, and it does not record twice."""
    module, (X, y) = drawn(dense), ring()
    scope = fs.attach(module, torch.optim.Adam(module.parameters()), X, y, loss="cross_entropy")
    with scope:
        assert scope.is_open
        with pytest.raises(DataError, match=r"`scope.run` is there when the block"):
            _ = scope.run
    assert not scope.is_open
    with pytest.raises(DataError, match=r"has recorded a loop; call fs.attach again"), scope:
        pass


X, Y = ring(20)
WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"model": "net"}, DataError, "`model` must be a torch.nn.Module; got str"),
    ({"optimizer": "adam"}, DataError, "`optimizer` must be a torch.optim.Optimizer; got str"),
    ({"optimizer": [1, 2]}, DataError, "`optimizer` must be one optimizer; got 2 in a list"),
    (
        {"optimizer": torch.optim.SGD(dense().parameters())},
        DataError,
        "holds none of the model's parameters",
    ),
    ({"model": nn.Tanh()}, DataError, "holds none of the model's parameters"),
    ({"X": X[:7]}, DataError, r"with the same n; got \(7, 2\) and \(20,\)"),
    ({"X": [["a", "b"]]}, DataError, "X must be an array of numbers"),
    ({"X": X.cfloat()}, DataError, "X must hold real numbers; its type is torch.complex64"),
    ({"X": X * torch.nan}, DataError, "X has missing or infinite values"),
    ({"X": torch.randn(20, 3)}, DataError, "The model cannot be called with X: mat1 and mat2"),
    ({"y": Y * torch.inf}, DataError, "y has missing or infinite values"),
    ({"y": torch.rand(20), "task": "binary"}, DataError, "y must hold the 2 classes 0 to 1; it"),
    ({"loss": "mae"}, UnknownNameError, "`loss` must be a function or one of cross_entropy"),
    ({"loss": 3}, DataError, "`loss` must be a function of answers and targets.*got int"),
    ({"loss": "relative", "task": "binary"}, DataError, "`loss` must be one of cross_entropy, mse"),
    (
        {"loss": nn.BCEWithLogitsLoss(reduction="none")},
        DataError,
        "cannot be computed as .*: it is no single number; set reduction='mean'",
    ),
    ({"loss": lambda a: a}, DataError, r"`loss` cannot be computed as loss\(model\(X\), y\)"),
    ({"task": "ranking"}, UnknownNameError, "`task` must be binary, multiclass, regression"),
    ({"test": X}, DataError, r"`test` must be \(X, y\); got Tensor"),
    ({"test": (X[:, :1], Y)}, DataError, "`test` must have the shapes of X and y but for"),
    ({"test": (X, Y[:3])}, DataError, r"test X must be \(n, ...\) and test y"),
    ({"test": (X, Y + 1)}, DataError, "The test y has classes that y has not"),
    ({"feature_names": ["a"]}, DataError, r"`feature_names` must be 2 different names; got \['a'"),
    ({"classes": ["a", "a"]}, DataError, "`classes` must be 2 different labels"),
    (
        {"classes": ["a"], "loss": nn.MSELoss()},
        DataError,
        "`classes` names classes; this run is a regression",
    ),
    ({"every": 0}, DataError, "`every` must be a whole number of at least 1; got 0"),
    ({"every": 2.0}, DataError, "`every` must be a whole number of at least 1; got 2.0"),
    ({"keep_bytes": -1}, DataError, "`keep_bytes` must be a whole number of at least 0"),
    ({"title": 3}, DataError, "`title` must be text; got 3"),
    (
        {"test": (X[:7], Y[:7]), "loss": lambda out, y: ((out[:, 0] - y) ** 2 * (Y + 1)).mean()},
        DataError,
        "`loss` cannot be computed on `test`: The size of tensor a",
    ),
    (
        {"loss": "mse", "y": torch.randn(20, 2)},
        DataError,
        r"`loss`='mse' needs a target for every answer; the model answers 1 for .* is \(20, 2\)",
    ),
    (
        {"loss": "cross_entropy", "y": 2 * Y - 1},
        DataError,
        "`loss`='cross_entropy' needs y to hold the classes 0 to 1, or rows with a single 1",
    ),
    ({"keep_bytes": 100}, DataError, r"Two steps of this model take 168 bytes.*record=\['2'\]"),
    ({"task": "multiclass"}, DataError, "The task multiclass needs a model with several answers"),
    ({"record": ["1"]}, DataError, "`record` names parts without parameters of their own"),
    ({"record": "fc2"}, DataError, "`record` must be a list of names of submodules, or 'losses'"),
    ({"record": ["3"]}, DataError, "`record` names '3', which is no part of the model. There are"),
    ({"record": []}, DataError, "`record` must be a list of names"),
]


@pytest.mark.parametrize(("given", "kind", "message"), WRONG, ids=range(len(WRONG)))
def test_what_does_not_fit_is_refused_in_a_sentence(given, kind, message):
    """Before the loop begins, and without a hook left behind."""
    module = drawn(dense)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    options = {"model": module, "optimizer": optimizer, "X": X, "y": Y}
    options |= {"loss": nn.BCEWithLogitsLoss(), **given}
    with pytest.raises(kind, match=message):
        fs.attach(**options)
    assert not optimizer._optimizer_step_post_hooks


def test_modules_that_cannot_be_recorded_are_refused():
    """Without parameters that are real and have a shape; with answers that are no rows."""
    X, y = ring(20)
    cases = [
        (nn.LazyLinear(1), "The parameter weight has no shape yet; call the model once before"),
        (nn.Linear(2, 1, dtype=torch.cfloat), "The parameter weight is complex"),
        (nn.LSTM(2, 1), "The module must answer with one tensor; got tuple"),
    ]
    for module, message in cases:
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        with pytest.raises(DataError, match=message):
            fs.attach(module, optimizer, X, y, loss=nn.MSELoss())
    mean = drawn(lambda: nn.Linear(2, 1))
    mean.register_forward_hook(lambda _m, _i, out: out.mean(0))
    with pytest.raises(DataError, match="must answer every sample; 20 samples gave answers of"):
        fs.attach(mean, torch.optim.SGD(mean.parameters()), X, y, loss=nn.MSELoss())
