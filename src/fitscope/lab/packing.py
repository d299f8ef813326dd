"""A run file -> short text for a page; `assets/model/packed.js` makes the file again."""

import base64
import gzip
import json
from typing import NamedTuple

import numpy as np

__all__ = ["Packed", "packed"]

_RECORDED = ("params", "batch_loss", "train_loss", "test_loss")


class Packed(NamedTuple):
    """A run file for a page.

    Attributes:
        text: base64 of gzip of the file, with its recorded arrays wound.
        arrays: first byte, rows and columns of each of these.
    """

    text: str
    arrays: list[tuple[int, int, int]]


def packed(run_bytes: bytes) -> Packed:
    """A run file, bit for bit, in as little text as can be unpacked without a library.

    Numbers that follow each other in time differ in their last bits, which gzip cannot see. So
    each column of a recording becomes the second differences of its bit patterns, small ones of
    either sign as small whole numbers, and their bytes are laid out by weight: `rings-3` with
    10,000 steps takes 68 kB instead of 563.
    """
    size = int.from_bytes(run_bytes[:8], "little")
    header = json.loads(run_bytes[8 : 8 + size])
    content = np.frombuffer(run_bytes, dtype=np.uint8).copy()
    arrays = []
    for name in _RECORDED:
        rows, *columns = header[name]["shape"]
        if not rows:
            continue
        first, last = (8 + size + offset for offset in header[name]["data_offsets"])
        content[first:last] = _wound(content[first:last], rows)
        arrays.append((first, rows, *(columns or [1])))
    return Packed(base64.b64encode(gzip.compress(content.tobytes(), mtime=0)).decode(), arrays)


def _wound(part: np.ndarray, rows: int) -> np.ndarray:
    """The bytes of a float32 array (rows, columns) in another order and meaning."""
    found = np.ascontiguousarray(part.view("<i4").reshape(rows, -1).T)
    for _ in range(2):
        found = np.diff(found, axis=1, prepend=np.int32(0))  # wraps around, and so back
    signless = ((found << 1) ^ (found >> 31)).astype("<i4")
    return np.ascontiguousarray(signless.view(np.uint8).reshape(-1, 4).T).reshape(-1)
