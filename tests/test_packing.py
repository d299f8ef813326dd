"""Packing: the page makes the run file again, bit for bit, out of a short text."""

import base64
import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from playwright.sync_api import Page

import fitscope as fs
from fitscope.lab.packing import packed
from fitscope.records import Run
from fitscope.runfile import run_bytes

pytest_plugins = ["browser"]

UNPACK = """async ([text, arrays]) => {
  const { unpacked } = await import("/model/packed.js");
  const bytes = new Uint8Array(await unpacked(text, arrays));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""


def _again(page: Page, content: bytes) -> bytes:
    """The file that a page makes."""
    return base64.b64decode(page.evaluate(UNPACK, list(packed(content))))


RUNS = {
    "two rows": lambda: fs.fit("gates-and", epochs=1),
    "with a test part": lambda: fs.fit("threshold-sgd"),
    "several outputs": lambda: fs.fit("iris", hidden=[3], epochs=20),
    "diverged": lambda: fs.fit("sine", lr=1e6, optimizer="sgd", epochs=9),
    "no data": lambda: _without_data(fs.fit("gates-and", epochs=30)),
}


def _without_data(run: Run) -> Run:
    return replace(run, dataset=run.dataset.without_arrays())


@pytest.mark.slow
@pytest.mark.parametrize("kind", RUNS)
def test_the_page_makes_the_same_file(asset_page: Page, kind: str) -> None:
    """Whatever was recorded, infinities and NaN among it, comes back bit for bit."""
    content = run_bytes(RUNS[kind]())
    assert _again(asset_page, content) == content


@pytest.mark.slow
@settings(deadline=None, max_examples=30)  # a browser answers each
@given(
    arrays(np.float32, (8, 2), elements=st.floats(width=32)),
    arrays(np.float32, 7, elements=st.floats(width=32)),
)
def test_any_numbers_come_back(
    asset_page: Page, params: np.ndarray, batch_loss: np.ndarray
) -> None:
    """Jumps between any two bit patterns are wound back, however large."""
    run = fs.fit("bad-start", epochs=1)  # 7 updates
    content = run_bytes(replace(run, params=params, batch_loss=batch_loss))
    assert _again(asset_page, content) == content


def test_a_smooth_recording_is_a_fraction_of_what_gzip_makes_of_it() -> None:
    """Winding saves four fifths of a long training at least, and the text is always the same."""
    content = run_bytes(fs.fit("rings-3"))
    text = packed(content).text
    assert len(text) < 0.2 * 4 / 3 * len(gzip.compress(content))
    assert packed(content).text == text
