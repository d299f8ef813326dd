"""fs.attach: which loss a loop has, which task, and which modules are plain stacks."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import fitscope as fs
from fitscope.attached.losses import judge_of
from fitscope.attached.samples import Samples
from fitscope.attached.stack import stack_of
from fitscope.evaluation import mean_loss
from fitscope.network import activations, answers
from fitscope.plot import VIEWS
from loops import dense, drawn, ring, trained

N = 50
RNG = torch.Generator().manual_seed(1)
BITS = (torch.rand(N, generator=RNG) > 0.4).float()
LABELS = torch.randint(0, 3, (N,), generator=RNG)
VALUES = torch.randn(N, generator=RNG)
HOT = F.one_hot(LABELS, 3).float()
ONE, THREE = torch.randn(N, 1, generator=RNG), torch.randn(N, 3, generator=RNG)


def weighted(out: Tensor, y: Tensor) -> Tensor:
    """None of fitscope's."""
    return (y.abs() * (out - y) ** 2).mean()


def by_column(out: Tensor, y: Tensor) -> Tensor:
    """Takes (n, 1) and (n,)."""
    return ((out[:, 0] - y) ** 2).mean()


class AsTold(nn.Module):
    """A loss that is a module and calls a function."""

    def forward(self, out: Tensor, y: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(out[:, 0], y)


def heavy(loss: Any) -> Any:
    """Twice another loss, which so is none of fitscope's."""
    return lambda out, y: 2 * loss(out.reshape(y.shape), y)


def cut(p: Tensor, y: Tensor) -> Tensor:
    """The loss of probabilities as many write it."""
    p = p.clamp(1e-7, 1 - 1e-7)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


PROBABLE, LIKELY = "binary probabilities: own loss, own", "binary logits: own loss, own"
KNOWN: list[tuple[Any, Tensor, Tensor, str, str]] = [
    (nn.BCEWithLogitsLoss(), ONE, BITS, "identity", "binary logits: cross_entropy"),
    (nn.BCEWithLogitsLoss(), ONE[:, 0], BITS, "identity", "binary logits: cross_entropy"),
    (nn.BCEWithLogitsLoss(), ONE, BITS[:, None], "identity", "binary logits: cross_entropy"),
    (
        F.binary_cross_entropy_with_logits,
        ONE,
        BITS.long(),
        "identity",
        "binary logits: cross_entropy",
    ),
    (AsTold(), ONE, BITS, "identity", "binary logits: cross_entropy"),
    (nn.BCELoss(), ONE.sigmoid(), BITS, "sigmoid", "binary probabilities: cross_entropy"),
    (
        F.binary_cross_entropy,
        ONE.sigmoid(),
        BITS,
        "identity",
        "binary probabilities: cross_entropy",
    ),
    (nn.MSELoss(), ONE.sigmoid(), BITS, "sigmoid", "binary probabilities: mse"),
    (nn.MSELoss(), ONE, BITS, "identity", "regression values: mse"),
    (nn.CrossEntropyLoss(), THREE, LABELS, "identity", "multiclass logits: cross_entropy"),
    (F.cross_entropy, THREE, LABELS.float(), "identity", "multiclass logits: cross_entropy"),
    (nn.NLLLoss(), THREE.log_softmax(1), LABELS, "log_softmax", "multiclass logits: cross_entropy"),
    (nn.MSELoss(), ONE, VALUES, "identity", "regression values: mse"),
    (F.mse_loss, ONE[:, 0], VALUES[:, None], "identity", "regression values: mse"),
    (lambda out, y: ((out - y) ** 2).mean(), ONE, VALUES, "identity", "regression values: mse"),
    (by_column, ONE, VALUES, "identity", "regression values: mse"),
    (nn.SmoothL1Loss(), ONE, VALUES, "identity", "regression values: smooth_l1"),
    (nn.HuberLoss(), ONE, VALUES, "identity", "regression values: smooth_l1"),
    ("cross_entropy", ONE, BITS, "identity", "binary logits: cross_entropy"),
    ("cross_entropy", ONE.sigmoid(), BITS, "sigmoid", "binary probabilities: cross_entropy"),
    (
        "cross_entropy",
        THREE.softmax(1),
        LABELS,
        "softmax",
        "multiclass probabilities: cross_entropy",
    ),
    ("relative", ONE, VALUES, "identity", "regression values: relative"),
    # the same classes with settings that make other losses of them
    (
        nn.BCEWithLogitsLoss(pos_weight=torch.tensor(3.0)),
        ONE,
        BITS,
        "identity",
        "binary logits: BCEWithLogitsLoss, own",
    ),
    (
        nn.CrossEntropyLoss(label_smoothing=0.1),
        THREE,
        LABELS,
        "identity",
        "multiclass logits: CrossEntropyLoss, own",
    ),
    (
        nn.CrossEntropyLoss(torch.tensor([1.0, 2, 3])),
        THREE,
        LABELS,
        "identity",
        "multiclass logits: CrossEntropyLoss, own",
    ),
    (nn.MSELoss(reduction="sum"), ONE, VALUES, "identity", "regression values: MSELoss, own"),
    (nn.SmoothL1Loss(beta=0.5), ONE, VALUES, "identity", "regression values: SmoothL1Loss, own"),
    (weighted, ONE, VALUES, "identity", "regression values: weighted, own"),
    (
        lambda out, y: F.relu(1 - out[:, 0] * y).mean(),
        ONE,
        2 * BITS - 1,
        "identity",
        "binary logits: own loss, own",
    ),
    (nn.MSELoss(), THREE, THREE + 1, "identity", "regression values: MSELoss, own"),
    # one-hot targets
    (nn.CrossEntropyLoss(), THREE, HOT, "identity", "multiclass logits: cross_entropy"),
    ("cross_entropy", THREE, HOT, "identity", "multiclass logits: cross_entropy"),
    (
        nn.CrossEntropyLoss(label_smoothing=0.1),
        THREE,
        HOT,
        "identity",
        "multiclass logits: CrossEntropyLoss, own",
    ),
    (nn.MSELoss(), THREE, HOT, "identity", "regression values: MSELoss, own"),
    (nn.MSELoss(), THREE.softmax(1), HOT, "softmax", "multiclass probabilities: MSELoss, own"),
    # losses of classes that are none of fitscope's: what they take is tried
    (heavy(F.binary_cross_entropy), ONE.sigmoid(), BITS, "identity", PROBABLE),
    (heavy(cut), ONE.sigmoid(), BITS, "identity", PROBABLE),
    (heavy(F.binary_cross_entropy_with_logits), ONE.sigmoid(), BITS, "identity", LIKELY),
    (heavy(F.mse_loss), ONE.sigmoid(), BITS, "sigmoid", PROBABLE),
    (heavy(F.mse_loss), ONE, BITS, "identity", "regression values: own loss, own"),
    (heavy(F.soft_margin_loss), ONE, 2 * BITS - 1, "identity", LIKELY),
    (
        nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0)),
        ONE.sigmoid(),
        BITS,
        "sigmoid",
        "binary logits: BCEWithLogitsLoss, own",
    ),
]


@pytest.mark.parametrize(("loss", "out", "y", "end", "wanted"), KNOWN, ids=range(len(KNOWN)))
def test_a_loss_is_known_by_what_it_computes(loss, out, y, end, wanted):
    """Not by its class: weights, smoothing and sums make another loss, kept under its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judge = judge_of(loss, out, Samples(out, y), task=None, end=end)
    own = ", own" if judge.own else ""
    assert f"{judge.task} {judge.outputs}: {judge.name}{own}" == wanted
    if not judge.own:
        z = out.double().numpy().reshape(N, -1)
        if judge.outputs == "probabilities":
            z = np.log(z) - (np.log1p(-z) if z.shape[1] == 1 else 0)
        targets = (y.argmax(1) if y.shape == z.shape != (N, 1) else y.reshape(-1)).numpy()
        targets = targets if judge.task == "regression" else targets.astype(int)
        told = mean_loss(judge.name, judge.task, z, targets)
        assert judge.value(out, y) == pytest.approx(told, rel=1e-5)  # float32 sums


def test_an_own_loss_gets_answers_and_targets_that_belong_together():
    """(n, 1) answers less (n,) targets would pair all with all; `weighted` gets one shape."""
    judge = judge_of(weighted, ONE, Samples(ONE, VALUES), task=None, end="identity")
    assert judge.value(ONE, VALUES) == pytest.approx(weighted(ONE[:, 0], VALUES).item())


@pytest.mark.parametrize("shape", [(N,), (N, 1)])
def test_weights_of_the_samples_meet_their_own(shape):
    """As the loop's own loss pairs them, be they (n,) or (n, 1), also where targets are alike."""
    w = 0.1 + torch.rand(shape, generator=torch.Generator().manual_seed(2))
    loss = lambda out, y: (w * (out - y) ** 2).mean()  # noqa: E731
    for y in (VALUES, torch.ones(N)):
        judge = judge_of(loss, ONE, Samples(ONE, y), task=None, end="identity")
        wanted = (w.reshape(N) * (ONE[:, 0] - y) ** 2).mean().item()
        assert judge.value(ONE, y) == pytest.approx(wanted)


def test_a_warning_of_a_loss_is_no_reason_against_it():
    """KLDivLoss warns of its own default; a tensor of a tensor warns, too."""
    spread = THREE.softmax(1)
    judge = judge_of(nn.KLDivLoss(), THREE, Samples(THREE, spread), task=None, end="identity")
    assert (judge.name, judge.own) == ("KLDivLoss", True)
    anew = lambda out, y: ((out[:, 0] - torch.tensor(y)) ** 2).mean()  # noqa: E731
    judge = judge_of(anew, ONE, Samples(ONE, VALUES), task=None, end="identity")
    assert judge.name == "mse"


def mse(out: Tensor, y: Tensor) -> Tensor:
    """Named as one of fitscope's, and none of them."""
    return ((out.reshape(y.shape) - y) ** 4).mean()


class Ends(nn.Module):
    """No plain stack; a gate is defined last, and what its answers are stands in the code."""

    def __init__(self, *, sigmoid: bool) -> None:
        super().__init__()
        self.a, self.norm, self.b = nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)
        self.sigmoid, self.gate = sigmoid, nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.a(x))
        z = self.b(torch.tanh(h) * self.gate(h))[:, 0]
        return torch.sigmoid(z) if self.sigmoid else z


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize(
    ("sigmoid", "loss"),
    [
        (True, lambda p, y: F.binary_cross_entropy(p, y, weight=1 + y)),
        (True, "cross_entropy"),
        (True, lambda p, y: 2 * F.mse_loss(p, y)),
        (False, nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))),
        (False, "cross_entropy"),
    ],
)
def test_what_answers_are_is_told_by_the_answers_and_the_loss(sigmoid, loss, zero):
    """Not by the part that is defined last; also where all logits are 0 at first."""
    module, (X, y) = drawn(lambda: Ends(sigmoid=sigmoid)), ring()
    if zero:
        nn.init.zeros_(module.b.weight)
        nn.init.zeros_(module.b.bias)
    plain = F.binary_cross_entropy if sigmoid else F.binary_cross_entropy_with_logits
    run, optimizer = None, torch.optim.Adam(module.parameters(), lr=0.05)
    with fs.attach(module, optimizer, X, y, loss=loss) as scope:
        for _ in range(20):
            optimizer.zero_grad()
            (plain if isinstance(loss, str) else loss)(module(X), y).backward()
            optimizer.step()
    run, module = scope.run, module.eval()
    p = module(X).detach() if sigmoid else module(X).detach().sigmoid()
    assert run.predict_proba(X.numpy())[:, 1] == pytest.approx(p.numpy(), abs=1e-6)
    if isinstance(loss, str):
        assert run.train_loss[-1] == pytest.approx(plain(module(X), y).item(), rel=1e-5)


def test_answers_beyond_probabilities_are_cut_off_and_told(logged):
    """Where the loss wants labels, and the task was said to be binary."""
    module = drawn(dense)
    nn.init.constant_(module[2].bias, 2.0)
    run, _ = trained(module, 2, loss=lambda p, y: 2 * F.mse_loss(p, y), task="binary")
    p = run.predict_proba(ring()[0].numpy())
    assert (p >= 0).all() and (p <= 1).all()  # noqa: PT018
    assert "Some answers lie outside of 0 to 1" in logged[-1]


def test_probabilities_under_a_loss_that_takes_any_numbers_are_told():
    """A dice loss falls beyond 1, and the module ends in a sigmoid."""

    def dice(p: Tensor, y: Tensor) -> Tensor:
        return 1 - 2 * (p[:, 0] * y).sum() / (p.sum() + y.sum())

    run, _ = trained(
        drawn(lambda: dense(nn.Sigmoid())), 0, loss=lambda p, y: dice(p.reshape(-1, 1), y)
    )
    assert run.is_plain
    assert "the answers are read as probabilities" in run.dataset.notes[0]


@pytest.mark.parametrize("task", [None, "multiclass"])
def test_one_hot_targets_are_classes(task):
    """The place of the 1; other rows of several numbers are no classes."""
    X, _ = ring()
    index = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()
    hot, loss = F.one_hot(index, 3).float(), nn.CrossEntropyLoss()
    module = drawn(lambda: nn.Linear(2, 3))
    run, _ = trained(module, data=(X, hot), loss=loss, task=task, test=(X[:9], hot[:9]))
    assert (run.loss, run.is_plain, run.dataset.task) == ("cross_entropy", True, "multiclass")
    assert run.dataset.y.tolist() == index.tolist()
    own = (module(X).argmax(1) == index).double().mean().item()
    assert run.metrics["train_accuracy"] == pytest.approx(own)
    optimizer = torch.optim.SGD(module.parameters())
    with pytest.raises(fs.FitscopeError, match=r"y must be one class for each sample, .* single 1"):
        fs.attach(module, optimizer, X, 0.5 * hot + 0.1, loss=loss, task="multiclass")


def test_a_loss_that_reads_the_model_is_recorded_as_it_was():
    """At each step with the parameters of that step, held by the loss in whatever way."""
    X, y = ring()
    for held in (False, True):
        module = drawn(lambda: nn.Linear(2, 1))
        nn.init.zeros_(module.weight)  # so that it begins as the loss without the penalty
        nn.init.zeros_(module.bias)
        own = list(module.parameters())

        def penalised(out, y, module=module, own=own, held=held):
            sizes = ((p**2).sum() for p in (own if held else module.parameters()))
            return F.binary_cross_entropy_with_logits(out.reshape(y.shape), y) + 0.5 * sum(sizes)

        losses, optimizer = [], torch.optim.Adam(module.parameters(), lr=0.1)
        with fs.attach(module, optimizer, X, y, loss=penalised) as scope:
            for _ in range(8):
                optimizer.zero_grad()
                losses.append(penalised(module(X), y))
                losses[-1].backward()
                optimizer.step()
        assert scope.run.train_loss[:-1] == pytest.approx([v.item() for v in losses], rel=1e-5)
        assert (scope.run.loss, scope.run.attached.own_loss) == ("penalised", True)
        assert "computes something else after the loop" in scope.run.dataset.notes[0]


class Spread(nn.Module):
    """A squared error with a width that is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.log_width = nn.Parameter(torch.zeros(()))

    def forward(self, out: Tensor, y: Tensor) -> Tensor:
        return ((out - y) ** 2 * torch.exp(-self.log_width) + self.log_width).mean()


def test_a_loss_with_parameters_is_measured_as_the_loop_goes():
    """It begins as the squared error, and is none."""
    (X, _), module, loss = ring(), drawn(dense), Spread()
    optimizer = torch.optim.Adam([*module.parameters(), *loss.parameters()], lr=0.05)
    losses, y = [], 3 * X[:, 0]
    with fs.attach(module, optimizer, X, y, loss=loss) as scope:
        for _ in range(8):
            optimizer.zero_grad()
            losses.append(loss(module(X)[:, 0], y))
            losses[-1].backward()
            optimizer.step()
    run = scope.run
    assert run.train_loss[:-1] == pytest.approx([v.item() for v in losses], rel=1e-5)
    assert (run.loss, run.attached.own_loss, run.is_plain) == ("Spread", True, True)


def test_an_own_loss_does_not_take_the_name_of_ours():
    """Else it would be compared with it."""
    judge = judge_of(mse, ONE, Samples(ONE, VALUES), task=None, end="identity")
    assert (judge.name, judge.own) == ("own mse", True)


def test_answers_that_are_no_distribution_are_left_to_the_module():
    """Three sigmoids for three classes are not what a softmax of the logits says."""
    module = drawn(lambda: nn.Sequential(nn.Linear(2, 3), nn.Sigmoid()))
    X, y = ring()
    onehot = lambda out, y: F.binary_cross_entropy(out, F.one_hot(y, 3).to(out.dtype))  # noqa: E731
    run, _ = trained(module, data=(X, y.long()), loss=onehot)
    assert (run.dataset.task, run.is_plain) == ("multiclass", False)
    p = module(X).detach()
    own = (p / p.sum(1, keepdim=True)).numpy()
    assert run.predict_proba(X.numpy()) == pytest.approx(own, abs=1e-6)


def test_two_answers_are_not_one_class_against_another():
    """`task="binary"` needs a model with one answer."""
    module, (X, y) = drawn(lambda: nn.Linear(2, 2)), ring()
    optimizer = torch.optim.SGD(module.parameters())
    with pytest.raises(fs.FitscopeError, match="The task binary needs a model with one answer for"):
        fs.attach(module, optimizer, X, y.long(), loss=nn.CrossEntropyLoss(), task="binary")


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_the_task_can_be_said(task):
    """A squared error of 0 and 1 may be about values, or about probabilities."""
    judge = judge_of(nn.MSELoss(), ONE, Samples(ONE, BITS), task=task, end="identity")
    assert (judge.task, judge.name) == (task, "mse")


class Functional(nn.Module):
    """Linear layers by name, activations in the code, defined in the order of their use."""

    def __init__(self, act: Any, *, bias: bool = True) -> None:
        super().__init__()
        self.act = act
        self.one, self.two = nn.Linear(2, 4, bias=bias), nn.Linear(4, 3)
        self.three = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.three(self.act(self.two(self.act(self.one(x))))).squeeze(1)


class Backwards(Functional):
    """The same layers, used in another way than they are defined."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flip(1))


def shared() -> nn.Module:
    """One layer at two places."""
    layer = nn.Linear(2, 2)
    return nn.Sequential(layer, nn.Tanh(), layer, nn.Tanh(), nn.Linear(2, 1))


STACKS: dict[str, tuple[Any, list[int], str, str]] = {
    "sequential": (dense, [5], "tanh", "identity"),
    "nested": (
        lambda: nn.Sequential(
            nn.Sequential(nn.Linear(2, 3), nn.ReLU()),
            nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)),
        ),
        [3, 4],
        "relu",
        "identity",
    ),
    "no hidden layer": (lambda: nn.Linear(2, 1), [], "sigmoid", "identity"),
    "no activation": (
        lambda: nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)),
        [3],
        "identity",
        "identity",
    ),
    "a sigmoid at the end": (lambda: dense(nn.Sigmoid()), [5], "tanh", "sigmoid"),
    "sigmoids all along": (
        lambda: nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1), nn.Sigmoid()),
        [3],
        "sigmoid",
        "sigmoid",
    ),
    "dropout and flatten": (
        lambda: nn.Sequential(
            nn.Flatten(), nn.Linear(2, 3), nn.ReLU(), nn.Dropout(), nn.Linear(3, 1)
        ),
        [3],
        "relu",
        "identity",
    ),
    "a softmax": (
        lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.Softmax(1)),
        [3],
        "relu",
        "softmax",
    ),
    "a log softmax": (
        lambda: nn.Sequential(nn.Linear(2, 3), nn.LogSoftmax(1)),
        [],
        "sigmoid",
        "log_softmax",
    ),
    "activations in the code": (lambda: Functional(torch.tanh), [4, 3], "tanh", "identity"),
    "no bias": (lambda: Functional(F.relu, bias=False), [4, 3], "relu", "identity"),
    "a layer twice": (shared, [2, 2], "tanh", "identity"),
    "float64": (lambda: dense().double(), [5], "tanh", "identity"),
}


@pytest.mark.parametrize("name", STACKS)
def test_a_plain_stack_is_found(name):
    """Its widths, its activation, what it does at its end; our answers are its own."""
    make, hidden, activation, end = STACKS[name]
    module, (X, _) = drawn(make), ring()
    stack = stack_of(module, X)
    assert (stack.spec.hidden, stack.spec.activation, stack.end) == (hidden, activation, end)
    row = np.concatenate([p.detach().numpy().reshape(-1) for p in module.parameters()])
    params, sizes = stack.params(row[None])[0], [2, *hidden, 3 if "softmax" in end else 1]
    z = torch.from_numpy(activations(params, X.numpy(), sizes=sizes, activation=activation)[-1])
    ours = {
        "identity": z,
        "sigmoid": z.sigmoid(),
        "softmax": z.softmax(1),
        "log_softmax": z.log_softmax(1),
    }[end]
    kind = next(module.parameters()).dtype
    own = module.eval()(X.to(kind)).reshape(ours.shape).detach().double().numpy()
    assert ours.numpy() == pytest.approx(own, abs=1e-5)  # float32 against float64


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequential(
            nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 1)
        ),
        lambda: nn.Sequential(nn.Linear(2, 3), nn.ELU(), nn.Linear(3, 1)),
        lambda: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)),
        lambda: nn.Sequential(
            nn.Linear(2, 3), nn.LayerNorm(3, elementwise_affine=False), nn.Linear(3, 1)
        ),
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))),
        lambda: Backwards(torch.tanh),
        lambda: nn.Sequential(*(nn.Linear(2, 2) for _ in range(34))),
    ],
    ids=["two kinds", "elu", "batch norm", "layer norm", "weight norm", "backwards", "34 layers"],
)
def test_what_only_looks_like_a_stack_is_none(make):
    """Answers that are not ours within 1e-5, or parameters that belong to no layer."""
    assert stack_of(drawn(make), ring()[0]) is None


def test_a_module_whose_start_hides_its_activation_is_still_told():
    """With weights of 0 all activations answer alike; random weights tell them apart."""
    module = drawn(lambda: Functional(F.relu))
    for p in module.parameters():
        nn.init.zeros_(p)
    assert stack_of(module, ring()[0]).spec.activation == "relu"


@pytest.mark.parametrize("name", ["a sigmoid at the end", "no bias", "a layer twice", "float64"])
def test_a_plain_stack_answers_as_the_module_does(name):
    """A sigmoid at the end becomes the probability; a bias that is not there is 0."""
    module, (X, y) = drawn(STACKS[name][0]), ring()
    kind = next(module.parameters()).dtype
    X, y = X.to(kind), y.to(kind)
    loss = nn.BCELoss() if "sigmoid" in name else nn.BCEWithLogitsLoss()
    run, _ = trained(module, data=(X, y), loss=loss)
    assert run.is_plain
    out = module.eval()(X).reshape(-1).detach()
    p = out if "sigmoid" in name else out.sigmoid()
    assert run.predict_proba(X.numpy())[:, 1] == pytest.approx(p.double().numpy(), abs=1e-6)
    assert run.train_loss[-1] == pytest.approx(loss(out, y).item(), rel=1e-5)
    assert run.loss == "cross_entropy"
    if name == "no bias":
        assert (run.params[:, 8:12] == 0).all()
    if name == "a layer twice":
        assert (run.params[:, :6] == run.params[:, 6:12]).all()


def test_a_sigmoid_before_a_loss_that_has_its_own_is_told():
    """Such a module is no stack whose logits the loss takes, and the run says what is wrong."""
    run, _ = trained(drawn(lambda: dense(nn.Sigmoid())), loss=nn.BCEWithLogitsLoss())
    assert not run.is_plain
    assert run.attached.layout.outputs == "logits"
    assert "its loss applies another one" in run.dataset.notes[0]


def test_targets_and_names_of_every_kind():
    """Labels 0 and 1, -1 and 1, class indices, classes by name, columns of a data frame."""
    X, y = ring(30)

    def data_of(module: nn.Module, y: Any, loss: Any, X: Any = X, **options: Any) -> fs.Dataset:
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        with fs.attach(module, optimizer, X, y, loss=loss, **options) as scope:
            pass
        return scope.run.dataset

    hinge = lambda out, y: F.relu(1 - out[:, 0] * y).mean()  # noqa: E731
    signs = data_of(drawn(dense), 2 * y - 1, hinge)
    assert (signs.task, signs.classes) == ("binary", (-1, 1))
    three = drawn(lambda: nn.Linear(2, 3))
    some = data_of(three, [0, 2] * 15, nn.CrossEntropyLoss())
    assert (some.task, some.classes) == ("multiclass", (0, 1, 2))
    named = data_of(three, [0, 2] * 15, nn.CrossEntropyLoss(), classes=["a", "b", "c"])
    assert named.classes == ("a", "b", "c")
    two = data_of(drawn(lambda: nn.Linear(2, 2)), y.long(), nn.CrossEntropyLoss())
    assert (two.task, two.classes) == ("multiclass", (0, 1))

    class Frame(np.ndarray):
        columns = ("width", "height")

    frame = X.numpy().view(Frame)
    assert data_of(drawn(dense), y, "mse", frame).feature_names == ("width", "height")
    said = data_of(drawn(dense), y.numpy(), "mse", X.tolist(), feature_names=["a", "b"])
    assert said.feature_names == ("a", "b")
    assert said.X.tobytes() == X.numpy().tobytes()
    assert said.X.base is None or said.X is not X  # a copy: the loop may change its own


REFUSED = {"polynomial_curve", "basin_map", "compare", "response_curve"}
FITS_REGRESSION = {"fit_scatter", "residuals"}


@pytest.mark.parametrize("backend", ["matplotlib", "plotly"])
def test_every_view_of_a_run_applies_to_a_plain_stack(backend):
    """As for a run of fit: all that do not need a regression, one input, or training again."""
    run, _ = trained(drawn(dense), test=ring(40, seed=2))
    views = [name for name, view in VIEWS.items() if view.of == "run"]
    for name in sorted({*views} - REFUSED - FITS_REGRESSION):
        assert getattr(run.plot if backend == "matplotlib" else run.show, name)() is not None
    assert run.plot.compare(reference=True) is not None
    curves = fs.analysis.loss_curves(run, step=5)
    assert curves.epochs.tolist() == list(range(13))
    assert (curves.axis, curves.cursor, curves.title) == ("updates", 5.0, "after 5 of 12 updates")


def test_what_would_train_again_is_refused():
    """A basin of attraction and a script need the training, which only the loop itself is."""
    X = torch.linspace(-1, 1, 20)[:, None]
    run, _ = trained(drawn(lambda: nn.Linear(1, 1)), data=(X, (X[:, 0] > 0).float()))
    assert run.plot.response_curve() is not None
    with pytest.raises(fs.FitscopeError, match="basin_map would have to train again; this run was"):
        run.plot.basin_map()
    with pytest.raises(fs.FitscopeError, match="A script makes a training again; this run was"):
        fs.pytorch_script(run)


def test_a_plain_stack_is_exported_like_any_run():
    """ONNX, weights, scikit-learn, a table of its steps, the page, TensorBoard's curves."""
    from fitscope import export
    from fitscope.export.reproduce import command_line, python_snippet

    run, _ = trained(drawn(dense), test=ring(40, seed=2), every=5)
    assert export.onnx_model(run) is not None
    assert b"0.weight" in export.state_dict_bytes(run)
    assert "MLPClassifier" in export.sklearn_script(run)
    table = export.trajectory_table(run)
    assert table.column_names[-2:] == ["train_loss", "test_loss"]
    assert "batch_loss" not in table.column_names
    assert table["train_loss"].to_numpy() == pytest.approx(run.train_loss)
    assert "<!doctype html>" in export.replay_html(run).lower()
    assert command_line(run) == ""
    assert "with fs.attach(model, optimizer, X, y, loss=loss) as scope:" in python_snippet(run)
    assert run._repr_html_().startswith("<iframe")


def test_an_own_loss_is_shown_and_never_computed_again():
    """Its values stand in the loss curves under its name; other views ask for another loss."""
    (X, _), module = ring(), drawn(dense)
    run, _ = trained(module, data=(X, X[:, 0] * X[:, 1]), loss=weighted)
    assert (run.loss, run.experiment.training.loss, run.is_plain) == ("weighted", None, True)
    assert fs.analysis.loss_curves(run).label == "weighted, the loop's own loss"
    facts = fs.analysis.summary(run, step=3)
    assert (facts.loss, facts.train_loss) == ("weighted", pytest.approx(run.train_loss[3]))
    with pytest.raises(fs.FitscopeError, match="This run's loss, weighted, is its loop's own and"):
        run.plot.loss_surface()
    assert run.plot.loss_surface(loss="mse", n_grid=5) is not None
    with pytest.raises(fs.FitscopeError, match="is its loop's own and cannot be computed again"):
        run.plot.parameter_paths(gradients=True)
    run.save("own.safetensors")
    assert fs.load("own.safetensors") == run


def test_runs_of_loops_and_of_fit_are_compared_by_updates():
    """A loop has no epochs of ours, so the axis counts updates."""
    X, y = ring()
    ours = fs.fit((X.numpy(), y.numpy().astype(int)), epochs=12, hidden=[5], lr=0.05)
    run, _ = trained(drawn(dense))
    assert np.array_equal(ours.dataset.X, run.dataset.X)
    record = fs.analysis.compare(run, others=[ours], names=["loop", "fit"])
    assert record.axis == "updates"
    assert [at.tolist() for at in record.at] == [list(range(13)), list(range(13))]
    assert fs.analysis.compare(run, others=[ours], what="boundaries").logits.shape[0] == 2
    assert answers(run, X.numpy()).shape == (120, 1)
