"""`make bench`: fitscope against its peers, side by side, as one table and results.json.

Both sides of a row are measured in turn, several times, after warming up; the best of each counts.
Peers run on one thread, as fitscope does, unless the row says otherwise.
"""

import datetime
import functools
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import fitscope as fs
from bench import lab, peers, solvers
from fitscope import analysis

ROUNDS = 6


@dataclass(frozen=True)
class Row:
    """One comparison; times in microseconds a step, or of the whole where `what` says so."""

    what: str
    against: str
    ours_us: float
    theirs_us: float
    ratio: float
    wanted: float


rows: list[Row] = []


def compare(
    what: str,
    against: str,
    wanted: float,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    rounds: int = ROUNDS,
) -> None:
    """Measures both in turn and keeps the best of each; a peer that cannot run here is said."""
    Console(stderr=True).print(f"[dim]{what} against {against} ...[/dim]")
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    a, b = (min(side) for side in zip(*pairs, strict=True))
    rows.append(Row(what, against, 1e6 * a, 1e6 * b, b / a, wanted))


def a_step(name: str, **settings: object) -> Callable[[], float]:
    """Seconds that fitscope takes for one step."""

    def measure() -> float:
        run = fs.fit(name, **settings)  # type: ignore[arg-type]
        return run.train_s / run.steps[-1]

    return measure


def arrays(name: str) -> peers.Data:
    """The training part of an experiment's data."""
    data = fs.dataset(fs.experiment(name).data)
    return data.X, data.y


def one_net() -> None:
    """Full batch, step by step."""
    rings, sine = arrays("rings-3"), arrays("sine-10")
    ours, what = a_step("rings-3"), "rings-3, 10,000 Adam steps, each recorded"
    plain = "plain PyTorch loop"
    compare(what, plain, 80, ours, lambda: peers.torch_loop(rings, [2, 3, 1], n_steps=400))
    compare(
        what, "the same with fused Adam", 80, ours,
        lambda: peers.torch_loop(rings, [2, 3, 1], n_steps=400, fused=True),
    )  # fmt: skip
    compare(
        what, "the same with torch.compile", 80, ours,
        lambda: peers.torch_loop(rings, [2, 3, 1], n_steps=400, compiled=True), rounds=2,
    )  # fmt: skip
    compare(what, "JAX jit + scan", 8, ours, lambda: peers.jax_scan(rings, 3, n_steps=2000))
    compare(what, "MLPClassifier", 150, ours, lambda: peers.sklearn_mlp(rings, 3, n_steps=300))
    compare(what, "skorch", 80, ours, lambda: peers.skorch_net(rings, 3, n_steps=300))
    for hidden, epochs, wanted in (
        ([10], 4000, 40), ([8, 8], 2000, 15), ([64, 64], 100, 1), ([128, 128], 60, 1),
    ):  # fmt: skip
        sizes = [2, *hidden, 1]
        run = fs.fit("rings-3", hidden=hidden, epochs=1)
        compare(
            f"{'-'.join(map(str, sizes))}, engine auto: {run.engine}", plain, wanted,
            a_step("rings-3", hidden=hidden, epochs=epochs),
            lambda sizes=sizes: peers.torch_loop(rings, sizes, n_steps=100),
        )  # fmt: skip
    mse = torch.nn.functional.mse_loss
    compare(
        "sine-10, 20,000 steps", plain, 100, a_step("sine-10"),
        lambda: peers.torch_loop(sine, [1, 10, 1], n_steps=400, loss_of=mse),
    )  # fmt: skip


def small_batches() -> None:
    """The notebooks' own loops, with a DataLoader."""
    for name, wanted in (("threshold-sgd", 500), ("bad-start", 500), ("gates-and", 100)):
        t = fs.experiment(name).training
        data = fs.dataset(fs.experiment(name).data)
        test = (data.X_test, data.y_test) if name == "gates-and" else None

        def theirs(t=t, data=data, test=test) -> float:  # type: ignore[no-untyped-def]
            return peers.notebook_loop(
                (data.X, data.y), batch_size=t.batch_size, epochs=t.epochs, lr=t.lr,
                shuffle=t.shuffle, test=test,
            )  # fmt: skip

        against = "notebook loop, DataLoader"
        compare(
            f"{name}, training alone", against, wanted, lambda n=name: fs.fit(n).train_s, theirs
        )
        if name != "gates-and":
            whole = functools.partial(_seconds, functools.partial(fs.fit, name))
            compare(f"{name}, the whole call", against, 30, whole, theirs)


def _seconds(work: Callable[[], object]) -> float:
    import time

    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def own_loops() -> None:
    """A loop of somebody's own, with fs.attach around it and without; times of the whole."""
    rings, sizes = arrays("rings-3"), [2, 64, 64, 1]
    loop = functools.partial(peers.own_loop, rings, sizes, n_steps=1000)
    compare(
        "2-64-64-1, 1,000 steps, attached, every 10th", "the same loop alone", 1 / 1.15,
        functools.partial(loop, every=10), loop,
    )  # fmt: skip


def many_nets() -> None:
    """Per net and step, on all cores."""
    import time

    rings = arrays("rings-3")

    def ours(n_nets: int) -> float:
        began = time.perf_counter()
        fs.fit_many("rings-3", seeds=range(n_nets))
        return (time.perf_counter() - began) / (n_nets * 10_000)

    cores = len(os.sched_getaffinity(0))
    compare(
        f"1,000 nets x 10,000 steps, {cores} cores", "PyTorch one by one, from 3", 150,
        lambda: ours(1000),
        lambda: sum(peers.torch_loop(rings, [2, 3, 1], n_steps=400) for _ in range(3)) / 3,
        rounds=1,
    )  # fmt: skip
    what = f"100 nets x 10,000 steps, {cores} cores"
    compare(
        what, f"stacked PyTorch (baddbmm), {cores} threads", 5, lambda: ours(100),
        lambda: peers.stacked_torch(rings, 3, n_nets=100, n_steps=60, threads=cores) / 100,
        rounds=2,
    )  # fmt: skip
    compare(
        what, "JAX jit + scan + vmap", 8, lambda: ours(100),
        lambda: peers.jax_scan(rings, 3, n_nets=100, n_steps=100) / 100, rounds=2,
    )  # fmt: skip


def pictures() -> None:
    """What pictures are made of; times of the whole."""
    rings, bad, steps = fs.fit("rings-3"), fs.fit("bad-start"), arrays("bad-start")
    field = analysis.decision_field(rings)
    grid = np.stack(np.meshgrid(field.x, field.y), axis=-1).reshape(-1, 2)
    params = rings.params[-1].astype(np.float64)
    compare(
        "decision_field 200 x 200, 2-3-1", "bare NumPy forward pass", 0.5,
        lambda: _seconds(lambda: analysis.decision_field(rings)),
        lambda: peers.numpy_forward(params, grid), rounds=60,
    )  # fmt: skip
    w, b = np.linspace(-15, 15, 100), np.linspace(-13, 13, 100)
    compare(
        "loss_surface 100 x 100, bad-start", "notebook's double loop over (w, b)", 20,
        lambda: _seconds(lambda: analysis.loss_surface(bad, x_range=(-15, 15), y_range=(-13, 13))),
        lambda: peers.double_loop(steps, w, b), rounds=3,
    )  # fmt: skip
    compare(
        "basin_map 100 x 100, bad-start", "PyTorch from each start, from 3", 200,
        lambda: _seconds(lambda: analysis.basin_map(bad)),
        lambda: 10_000 / 3 * sum(
            peers.notebook_loop(steps, batch_size=3, epochs=100, lr=2.0, shuffle=False)
            for _ in range(3)
        ), rounds=2,
    )  # fmt: skip


def optima() -> None:
    """Logistic regression to its optimum, against the best of scikit-learn's solvers."""
    for n, d, wanted in ((1_000_000, 20, 2.5), (10_000, 100, 1)):
        problem = solvers.problem(n, d)
        best = solvers.best_peer(problem)
        what, rounds = f"logistic regression with l2, {n:,} x {d}", 5
        against = f"scikit-learn's {best}, the best of three"
        theirs = functools.partial(solvers.sklearn_fit, problem, best)
        compare(what, against, wanted, lambda p=problem: solvers.our_fit(p), theirs, rounds=rounds)


FRESH = """
import sys, time
import torch
began = time.perf_counter()
import fitscope as fs
fs.fit("bad-start")
first_s = time.perf_counter() - began

def megabytes(train):
    "The most memory during a training beyond that before it."
    open("/proc/self/clear_refs", "w").write("5")
    facts = lambda: dict(line.split(":", 1) for line in open("/proc/self/status"))
    before = int(facts()["VmRSS"].split()[0])
    kept = train()
    return (int(facts()["VmHWM"].split()[0]) - before) / 1024

one = megabytes(lambda: fs.fit("rings-3"))
many = megabytes(lambda: fs.fit_many("rings-3", seeds=range(1000), epochs=300))
print(first_s, one, many)
"""


def fresh_process() -> dict[str, float]:
    """Seconds of the first fit beyond importing torch, and megabytes beyond the imports."""
    ran = [
        subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    found = np.array([[float(part) for part in r.stdout.split()] for r in ran]).min(axis=0)
    return dict(
        zip(("first_fit_s", "rings_3_mb", "population_of_1000_mb"), found.tolist(), strict=True)
    )


def recording() -> float:
    """Time with every step recorded, by time without."""
    pairs = [(fs.fit("rings-3").train_s, fs.fit("rings-3", keep_bytes=0).train_s) for _ in range(8)]
    return min(a for a, _ in pairs) / min(b for _, b in pairs)


def machine() -> dict[str, object]:
    """What it was measured on."""
    cpu = Path("/proc/cpuinfo")
    models = [line for line in cpu.read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0].split(": ")[1] if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: version(name) for name in ("fitscope", "numba", "torch", "jax", "scikit-learn")},
        "date": datetime.date.today().isoformat(),
    }


def main() -> None:
    """Measures everything, prints the table, writes results.json."""
    fs.fit("rings-3")
    one_net()
    small_batches()
    own_loops()
    many_nets()
    pictures()
    optima()
    once = {**fresh_process(), "recording": recording()}
    of_the_lab = lab.figures()
    fastest = {row.what: min(r.ours_us for r in rows if r.what == row.what) for row in rows}
    rows[:] = [
        replace(row, ours_us=fastest[row.what], ratio=row.theirs_us / fastest[row.what])
        for row in rows  # the same work was measured beside each peer
    ]
    table = Table("workload", "against", "ours, us", "theirs, us", "ratio", "wanted")
    for row in rows:
        cells = (f"{row.ours_us:,.2f}", f"{row.theirs_us:,.1f}", f"{row.ratio:,.1f}x")
        table.add_row(row.what, row.against, *cells, f"{row.wanted:.3g}x")
    Console(width=140).print(table)
    page = Table("the lab", "measured", "wanted", "unit", "notebook's loop alone")
    for figure in of_the_lab:
        beside = "" if figure.notebook is None else f"{figure.notebook:,.0f} ms"
        cells = (f"{figure.measured:,.1f}", f"{figure.wanted:g}", figure.unit, beside)
        page.add_row(figure.what, *cells)
    Console(width=140).print(page)
    facts = machine()
    for name, value in {**once, **facts}.items():
        print(f"{name:22} {value:.3g}" if isinstance(value, float) else f"{name:22} {value}")
    results = {"machine": facts, "rows": [asdict(row) for row in rows], "once": once}
    results["lab"] = [asdict(figure) for figure in of_the_lab]
    Path(__file__).with_name("results.json").write_text(json.dumps(results, indent=1) + "\n")


main()
