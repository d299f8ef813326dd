"""Training loops as their authors write them, for the tests of `fs.attach`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import fitscope as fs
from fitscope.records import Run

Copies = list[np.ndarray]


def ring(n: int = 120, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points of the plane, class 1 outside of a disc."""
    rng = torch.Generator().manual_seed(seed)
    X = torch.randn(n, 2, generator=rng)
    return X, ((X**2).sum(1) > 1.2).float()


def drawn(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A module from a seed of its own, so that no test moves another's numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def dense(*ends: nn.Module) -> nn.Sequential:
    """A stack of 2-5-1 with tanh, and what is put behind it."""
    return nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1), *ends)


class Residual(nn.Module):
    """No plain stack: the input goes past the hidden layer as well; with batch normalisation."""

    def __init__(self, d: int = 2, k: int = 1) -> None:
        super().__init__()
        self.fc1 = nn.Linear(d, 4)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.3)
        self.fc2 = nn.Linear(4, k)
        self.past = nn.Linear(d, k, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.drop(torch.relu(self.norm(self.fc1(x))))
        return self.fc2(h) + self.past(x)


def flat(module: nn.Module) -> np.ndarray:
    """All parameters as a copy, as a loop's author would keep them."""
    return torch.cat([p.detach().reshape(-1).cpu().clone() for p in module.parameters()]).numpy()


def trained(
    module: nn.Module,
    n_steps: int = 12,
    *,
    loss: Any = None,
    data: tuple[Tensor, Tensor] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    **options: Any,
) -> tuple[Run, Copies]:
    """A run of a full-batch loop, and the copies of the parameters that the loop keeps itself."""
    X, y = data or ring()
    loss = loss or nn.BCEWithLogitsLoss()
    optimizer = optimizer or torch.optim.Adam(module.parameters(), lr=0.05)
    copies, n_threads = [flat(module)], torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine, two wait for each other at every small product
    with fs.attach(module, optimizer, X, y, loss=loss, **options) as scope:
        for _ in range(n_steps):
            optimizer.zero_grad()
            out = module(X)
            loss(out.reshape(y.shape) if out.numel() == y.numel() else out, y).backward()
            optimizer.step()
            copies.append(flat(module))
    torch.set_num_threads(n_threads)
    return scope.run, copies
