"""torch_loop.py: the specification, checked against finite differences and by hand."""

import numpy as np
import pytest
import torch

import fitscope as fs
from fitscope.network import build_module
from fitscope.train.torch_loop import batches, loss_function, optimizer_for

LOSSES = [
    ("binary", "cross_entropy"),
    ("binary", "mse"),
    ("multiclass", "cross_entropy"),
    ("multiclass", "mse"),
    ("regression", "mse"),
    ("regression", "smooth_l1"),
    ("regression", "relative"),
]


@pytest.mark.parametrize("hidden", [[], [4], [4, 3]])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "identity"])
@pytest.mark.parametrize(("task", "name"), LOSSES)
def test_gradients_agree_with_finite_differences(task, name, activation, hidden):
    """Autograd in float64 against central differences of 1e-6.

    1e-7: their error is h^2 times the third derivative plus rounding, 1e-16 / h = 1e-10.
    """
    random = np.random.RandomState(1)
    k = 3 if task == "multiclass" else 1
    spec = fs.NetworkSpec(hidden=hidden, activation=activation)
    sizes = spec.layer_sizes(2, k)
    start = random.normal(size=spec.n_parameters(2, k))
    X = torch.from_numpy(random.normal(size=(12, 2)))
    y = torch.from_numpy(random.normal(size=12))
    if task != "regression":
        y = torch.from_numpy(random.randint(0, max(2, k), 12))
    module, loss_of = build_module(spec, sizes, start).double(), loss_function(name, task)

    def loss_at(params):
        torch.nn.utils.vector_to_parameters(torch.from_numpy(params), module.parameters())
        return loss_of(module(X), y)

    loss_at(start.copy()).backward()
    exact = torch.cat([p.grad.flatten() for p in module.parameters()]).numpy()
    steps = 1e-6 * np.eye(len(start))
    with torch.no_grad():
        numeric = [(loss_at(start + h) - loss_at(start - h)).item() / 2e-6 for h in steps]
    assert exact == pytest.approx(np.array(numeric), abs=1e-7)


def test_batches_in_order_keep_the_rest():
    """20 samples in batches of 3 are 6 full batches and one of 2, in order."""
    training = fs.TrainingSpec(batch_size=3, shuffle=False)
    parts = [range(20)[part] for part in batches(20, training, torch.Generator())]
    assert [list(part) for part in parts] == [
        list(range(i, min(i + 3, 20))) for i in range(0, 20, 3)
    ]


def test_shuffled_batches_are_one_permutation_of_the_runs_generator():
    """An epoch's batches are torch.randperm of the generator, cut into pieces."""
    training = fs.TrainingSpec(batch_size=7, shuffle=True)
    parts = list(batches(20, training, torch.Generator().manual_seed(5)))
    whole = torch.randperm(20, generator=torch.Generator().manual_seed(5))
    assert torch.equal(torch.cat(parts), whole)
    assert [len(part) for part in parts] == [7, 7, 6]


@pytest.mark.parametrize("batch_size", [None, 20, 21])
def test_a_full_batch_is_not_shuffled_and_draws_nothing(batch_size):
    """All samples in their order, with the generator where it was."""
    generator = torch.Generator().manual_seed(5)
    before = generator.get_state()
    training = fs.TrainingSpec(batch_size=batch_size, shuffle=True)
    assert list(batches(20, training, generator)) == [slice(None)]
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize(
    ("settings", "kind", "wanted"),
    [
        ({"optimizer": "sgd"}, torch.optim.SGD, {"momentum": 0}),
        (
            {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
            torch.optim.SGD,
            {"momentum": 0.9, "nesterov": True},
        ),
        ({"optimizer": "adam"}, torch.optim.Adam, {"betas": (0.9, 0.999), "eps": 1e-8}),
        ({"optimizer": "adamw"}, torch.optim.AdamW, {"betas": (0.9, 0.999)}),
        ({"optimizer": "rmsprop"}, torch.optim.RMSprop, {"alpha": 0.99, "momentum": 0}),
    ],
)
def test_optimizers_are_pytorchs_own(settings, kind, wanted):
    """Settings are passed on; what is no setting stays at PyTorch's default."""
    training = fs.TrainingSpec(lr=0.25, weight_decay=0.125, **settings)
    optimizer = optimizer_for(training, torch.nn.Linear(1, 1))
    assert type(optimizer) is kind
    wanted = {**wanted, "lr": 0.25, "weight_decay": 0.125}
    assert {name: optimizer.defaults[name] for name in wanted} == wanted


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_a_run_is_what_a_hand_written_loop_gives(optimizer, request):
    """Bit-equal to a loop as a notebook writes it, with nn.Linear and a seeded start.

    On one thread, as `fit` trains small nets: two threads add up in another order.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    request.addfinalizer(lambda: torch.set_num_threads(before))
    run = fs.fit(
        "moons",
        hidden=[5],
        activation="tanh",
        optimizer=optimizer,
        epochs=20,
        seed=3,
        engine="torch",
    )
    data = run.dataset
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
    X, y = torch.tensor(data.X), torch.tensor(data.y, dtype=torch.float32)[:, None]
    rule = optimizer_for(run.experiment.training, net)
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(X), y)
        rule.zero_grad()
        loss.backward()
        rule.step()
        losses.append(loss.item())
    assert run.batch_loss.tolist() == losses
    end = torch.nn.utils.parameters_to_vector(net.parameters())
    assert run.params[-1].tolist() == end.tolist()
