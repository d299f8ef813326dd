"""The lab under a person's hand: from a slider to the picture, in a real browser.

Beside each figure stands what the same training takes in a notebook's PyTorch loop, which draws
nothing yet.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fitscope as fs
from bench import peers
from fitscope.runfile import load

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
PICTURE = "fitscope:picture"  # the page's mark when the first picture of a run is drawn
# When the first picture was drawn. Playwright's own wait is forbidden: it asks by eval.
DRAWN = """(mark) => new Promise((done) => new PerformanceObserver((list, self) => {
    const found = list.getEntriesByName(mark);
    if (found.length) { self.disconnect(); done(found[0].startTime); }
}).observe({ type: "mark", buffered: true }))"""
CHANGES = """async ({ setting, values, mark }) => {
    const slider = document.querySelector(`[data-setting="${setting}"] input[type=range]`);
    const times = [];
    for (const value of values) {
        const drawn = new Promise((done) => new PerformanceObserver((list, self) => {
            const found = list.getEntriesByName(mark);
            if (found.length) { self.disconnect(); done(found[0].startTime); }
        }).observe({ type: "mark" }));
        const began = performance.now();
        slider.value = String(value);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        times.push(await drawn - began);
        await new Promise(requestAnimationFrame);
    }
    return times;
}"""
FRAMES = """async (n) => {
    const scrub = document.querySelector(".scrub");
    const began = performance.now();
    for (let i = 0; i < n; i += 1) {
        scrub.value = String(Math.round((10000 * i) / n));
        scrub.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise(requestAnimationFrame);
    }
    return (1000 * n) / (performance.now() - began);
}"""


@dataclass(frozen=True)
class Figure:
    """One figure of the lab, with what is wanted of it and what stands beside it."""

    what: str
    measured: float
    wanted: float
    unit: str
    notebook: float | None = None


def figures() -> list[Figure]:
    """Measures the lab; a minute or two."""
    with server() as (url, process):
        found = [*at_the_slider(url), *twenty_people(url)]
        found.append(Figure("memory after 1,000 runs", growth(url, process), 50, "MB more"))
    return found


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """A lab of its own process: its address and its process number."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("fitscope")), "lab", "--no-open"]
        process = subprocess.Popen(
            [*command, "--port", "0", "--workspace", folder], stdout=subprocess.PIPE, text=True
        )
        try:
            first = process.stdout.readline()  # type: ignore[union-attr]
            yield re.findall(r"http://\S+[^/\s]", first)[0], process.pid
        finally:
            process.terminate()
            process.wait()


def at_the_slider(url: str) -> list[Figure]:
    """From a change of the learning rate to the new picture, and other moments in the page."""
    from playwright.sync_api import sync_playwright

    browsers = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    path = next(filter(None, browsers))
    found: list[Figure] = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        wants = {
            "gates-and": (60, 120), "bad-start": (60, 120), "threshold-sgd": (60, 120),
            "rings-3": (150, None),
        }  # fmt: skip
        for name, (median, late) in wants.items():
            opened(page, url, name)
            values = [400 + 37 * i % 300 for i in range(40)]
            asked = {"setting": "lr", "values": values, "mark": PICTURE}
            times = page.evaluate(CHANGES, asked)[5:]
            beside = 1000 * notebook_s(name)
            found.append(
                Figure(f"{name}, slider to picture", np.median(times), median, "ms", beside)
            )
            if late:
                found.append(
                    Figure(f"{name}, 95th percentile", np.percentile(times, 95), late, "ms")
                )
            found.append(
                Figure(f"{name}, scrubbing", page.evaluate(FRAMES, 200), 50, "frames a second")
            )
        firsts = [first_view(browser, url) for _ in range(6)]
        found.append(Figure("page load to first picture", min(firsts), 1500, "ms"))
        browser.close()
    return found


def opened(page: Any, url: str, name: str) -> None:
    """The page, with an experiment shown."""
    page.goto(url)
    page.evaluate(DRAWN, PICTURE)
    page.evaluate("performance.clearMarks()")
    page.select_option(".experiment", name)
    if name != "rings-3":
        page.evaluate(DRAWN, PICTURE)
    page.keyboard.press("End")


def first_view(browser: Any, url: str) -> float:
    """Milliseconds from the start of loading to the first picture, with an empty cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url)
    took = page.evaluate(DRAWN, PICTURE)
    context.close()
    return float(took)


def notebook_s(name: str) -> float:
    """Seconds that the notebook's loop trains for the same experiment."""
    e = fs.experiment(name)
    data, t = fs.dataset(e.data), e.training
    if t.batch_size is None:
        step = peers.torch_loop((data.X, data.y), [data.d, *e.network.hidden, 1], n_steps=400)
        return step * t.n_updates(data.n_train)
    return min(
        peers.notebook_loop(
            (data.X, data.y), batch_size=t.batch_size, epochs=t.epochs, lr=t.lr, shuffle=t.shuffle
        )
        for _ in range(3)
    )  # fmt: skip


def asked_for(url: str, experiment: fs.Experiment) -> bytes:
    """The run file that the lab answers."""
    request = urllib.request.Request(  # noqa: S310
        f"{url}/api/run",
        data=experiment.to_json().encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return bytes(answer.read())


def twenty_people(url: str, *, n_people: int = 20, n_changes: int = 40) -> list[Figure]:
    """Twenty closed loops at once on bad-start, no setting twice; every answer is compared."""
    n = n_people * n_changes
    asked = [fs.experiment("bad-start", lr=0.5 + i / n) for i in range(n)]
    answers: dict[int, bytes] = {}
    times: list[float] = []

    def person(first: int) -> None:
        for i in range(first, n, n_people):
            began = time.perf_counter()
            content = asked_for(url, asked[i])
            times.append(time.perf_counter() - began)
            answers[i] = content

    people = [threading.Thread(target=person, args=(i,)) for i in range(n_people)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    n_right = sum(is_right(content, asked[i]) for i, content in answers.items())
    what = f"{n_people} people at once"
    return [
        Figure(f"{what}, 95th percentile", 1000 * float(np.percentile(times, 95)), 500, "ms"),
        Figure(f"{what}, wrong or missing answers", n - n_right, 0, f"of {n}"),
    ]


def is_right(content: bytes, experiment: fs.Experiment) -> bool:
    """Whether a run file holds the run that `fit` gives, to the bit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.safetensors"
        path.write_bytes(content)
        return load(path) == fs.fit(experiment)


def growth(url: str, process: int, *, n_runs: int = 1000) -> float:
    """Megabytes that the server has grown by after many runs, each of other settings."""

    def train(n: int, first: int) -> None:
        for i in range(n):
            asked_for(url, fs.experiment("rings-3", lr=0.001 + 1e-6 * (first + i), epochs=2000))

    train(100, 0)
    before = megabytes(process)
    train(n_runs, 100)
    return megabytes(process) - before


def megabytes(process: int) -> float:
    """The memory that a process holds."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
