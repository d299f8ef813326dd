"""What fitscope is measured against: each peer as its users would write it.

Every function returns seconds a step (or seconds of the whole, where it says so), with nothing but
the training inside the clock.
"""

import contextlib
import itertools
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

Data = tuple[np.ndarray, np.ndarray]


def network(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers with sigmoids between them."""
    parts: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        parts += [nn.Linear(n_in, n_out), nn.Sigmoid()]
    return nn.Sequential(*parts[:-1])


def seconds_a_step(step: Callable[[], Any], n_steps: int, *, threads: int = 1) -> float:
    """The mean of `n_steps` steps, after five for warming up."""
    with on_threads(threads):
        for _ in range(5):
            step()
        began = time.perf_counter()
        for _ in range(n_steps):
            step()
        return (time.perf_counter() - began) / n_steps


@contextlib.contextmanager
def on_threads(n: int) -> Iterator[None]:
    """Lets PyTorch have so many threads, for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def torch_loop(
    data: Data,
    sizes: Sequence[int],
    *,
    n_steps: int,
    loss_of: Callable[[Tensor, Tensor], Tensor] = nn.functional.binary_cross_entropy_with_logits,
    compiled: bool = False,
    **adam: Any,
) -> float:
    """The loop of a notebook: full batch, Adam, the loss kept."""
    X, y = (torch.tensor(part, dtype=torch.float32) for part in data)
    net = network(sizes)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, **adam)
    model: Any = torch.compile(net) if compiled else net
    losses = []

    def step() -> None:
        optimizer.zero_grad()
        loss = loss_of(model(X)[:, 0], y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    return seconds_a_step(step, n_steps)


def own_loop(data: Data, sizes: Sequence[int], *, n_steps: int, every: int | None = None) -> float:
    """The notebook's loop, plain or between the two lines of fs.attach: seconds of it all."""
    import fitscope as fs

    X, y = (torch.tensor(part, dtype=torch.float32) for part in data)
    net, loss_of = network(sizes), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)

    def train() -> None:
        for _ in range(n_steps):
            optimizer.zero_grad()
            loss_of(net(X)[:, 0], y).backward()
            optimizer.step()

    with on_threads(1):
        began = time.perf_counter()
        if every is None:
            train()
        else:
            with fs.attach(net, optimizer, X, y, loss=loss_of, every=every):
                train()
        return time.perf_counter() - began


def notebook_loop(
    data: Data,
    *,
    batch_size: int,
    epochs: int,
    lr: float,
    shuffle: bool,
    test: Data | None = None,
) -> float:
    """Logistic regression by SGD with a DataLoader, test loss each epoch: seconds of it all."""
    X, y = (torch.tensor(part, dtype=torch.float32) for part in data)
    loader = DataLoader(TensorDataset(X, y), batch_size=batch_size, shuffle=shuffle)
    net = network([X.shape[1], 1])
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    loss_of = nn.BCEWithLogitsLoss()
    if test is not None:
        X_test, y_test = (torch.tensor(part, dtype=torch.float32) for part in test)
    kept, losses, test_losses = [], [], []

    def train_epoch() -> None:
        for X_batch, y_batch in loader:
            optimizer.zero_grad()
            loss = loss_of(net(X_batch)[:, 0], y_batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            kept.append([p.detach().clone() for p in net.parameters()])
        if test is not None:
            with torch.no_grad():
                test_losses.append(loss_of(net(X_test)[:, 0], y_test).item())

    with on_threads(1):
        began = time.perf_counter()
        for _ in range(epochs):
            train_epoch()
        return time.perf_counter() - began


def numpy_forward(params: np.ndarray, X: np.ndarray) -> float:
    """The bare forward pass of a 2-3-1 net with sigmoids: seconds."""
    W1, b1, W2, b2 = params[:6].reshape(3, 2), params[6:9], params[9:12], params[12]
    began = time.perf_counter()
    h = 1 / (1 + np.exp(-(X @ W1.T + b1)))
    _ = 1 / (1 + np.exp(-(h @ W2 + b2)))
    return time.perf_counter() - began


def double_loop(data: Data, w: np.ndarray, b: np.ndarray) -> float:
    """The loss of one neuron at every (w, b), set into a module one by one: seconds of it all."""
    X, y = (torch.tensor(part, dtype=torch.float32) for part in data)
    net, losses = network([1, 1]), np.zeros((len(w), len(b)))
    loss_of = nn.functional.binary_cross_entropy
    began = time.perf_counter()
    for i, w_i in enumerate(w):
        for j, b_j in enumerate(b):
            net[0].weight.data[0, 0], net[0].bias.data[0] = float(w_i), float(b_j)
            losses[i, j] = loss_of(torch.sigmoid(net(X))[:, 0], y).item()
    return time.perf_counter() - began


def stacked_torch(data: Data, hidden: int, *, n_nets: int, n_steps: int, threads: int) -> float:
    """Many nets in one: baddbmm over stacked weights. Seconds a step of all of them."""
    X, y = (torch.tensor(part, dtype=torch.float32) for part in data)
    X, y = X.expand(n_nets, *X.shape), y.expand(n_nets, -1)
    d = X.shape[2]
    shapes = [(n_nets, d, hidden), (n_nets, 1, hidden), (n_nets, hidden, 1), (n_nets, 1, 1)]
    W1, b1, W2, b2 = params = [torch.randn(shape, requires_grad=True) for shape in shapes]
    optimizer = torch.optim.Adam(params, lr=0.001)
    loss_of = nn.functional.binary_cross_entropy_with_logits

    def step() -> None:
        optimizer.zero_grad()
        z = torch.baddbmm(b2, torch.sigmoid(torch.baddbmm(b1, X, W1)), W2)[:, :, 0]
        loss = loss_of(z, y, reduction="none").mean(1)
        loss.sum().backward()
        optimizer.step()

    return seconds_a_step(step, n_steps, threads=threads)


def jax_scan(data: Data, hidden: int, *, n_steps: int, n_nets: int = 0) -> float:
    """One jit of lax.scan, every step kept; with `n_nets`, vmap over them and none kept."""
    import jax
    import jax.numpy as jnp

    X, y = (jnp.asarray(part, dtype=jnp.float32) for part in data)

    def loss_of(p: Any) -> Any:
        W1, b1, W2, b2 = p
        z = jax.nn.sigmoid(X @ W1 + b1) @ W2 + b2
        return jnp.mean(jax.nn.softplus(z) - z * y)

    def step(carry: Any, _: Any) -> Any:
        p, m, v, t = carry
        loss, g = jax.value_and_grad(loss_of)(p)
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        c1, c2 = 1 - 0.9**t, 1 - 0.999**t
        p = jax.tree.map(lambda p, m, v: p - 0.001 * m / c1 / (jnp.sqrt(v / c2) + 1e-8), p, m, v)
        return (p, m, v, t), (loss if n_nets else (loss, p))

    def train(p: Any) -> Any:
        zeros = jax.tree.map(jnp.zeros_like, p)
        return jax.lax.scan(step, (p, zeros, zeros, 0.0), None, length=n_steps)

    keys = jax.random.split(jax.random.key(0), 2)
    lead = (n_nets,) if n_nets else ()
    start = (
        jax.random.normal(keys[0], (*lead, X.shape[1], hidden)),
        jnp.zeros((*lead, hidden)),
        jax.random.normal(keys[1], (*lead, hidden)),
        jnp.zeros(lead),
    )
    run = jax.jit(jax.vmap(train) if n_nets else train)
    jax.block_until_ready(run(start))
    began = time.perf_counter()
    jax.block_until_ready(run(start))
    return (time.perf_counter() - began) / n_steps


def sklearn_mlp(data: Data, hidden: int, *, n_steps: int) -> float:
    """MLPClassifier, full batch, no stopping rule."""
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    X, y = data
    model = MLPClassifier(
        (hidden,),
        activation="logistic",
        alpha=0,
        batch_size=len(X),
        max_iter=n_steps,
        n_iter_no_change=n_steps + 1,
        tol=0,
    )
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather go on
        began = time.perf_counter()
        model.fit(X, y.astype(int))
        return (time.perf_counter() - began) / n_steps


def skorch_net(data: Data, hidden: int, *, n_steps: int) -> float:
    """NeuralNetClassifier's binary sibling, full batch, silent, no validation split."""
    from skorch import NeuralNetBinaryClassifier

    X, y = data[0].astype(np.float32), data[1].astype(np.float32)
    net = NeuralNetBinaryClassifier(
        network([X.shape[1], hidden, 1]),
        optimizer=torch.optim.Adam,
        lr=0.001,
        batch_size=-1,
        max_epochs=n_steps,
        train_split=None,
        verbose=0,
        callbacks__epoch_timer=None,
    )
    net.initialize()
    with on_threads(1):
        began = time.perf_counter()
        net.partial_fit(X, y)
        return (time.perf_counter() - began) / n_steps
