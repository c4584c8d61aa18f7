"""Files of every kind as they should be, made once."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

WRITTEN = Path(__file__).resolve().parents[2] / "fixtures" / "853f5d9"


def written(*names: str) -> Callable[[], list[bytes]]:
    """Of files that an earlier version wrote."""
    return lambda: [(WRITTEN / name).read_bytes() for name in names]


def by(write: Callable[[Path], object], suffix: str = "") -> bytes:
    """The bytes that a function writes to a path."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        write(path)
        return path.read_bytes()


def picture(side: int = 12, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(side).integers(0, 256, (side, side, channels), np.uint8)


def encoded(kind: str, **options: object) -> bytes:
    """A small picture in one of Pillow's formats."""
    buffer = io.BytesIO()
    Image.fromarray(picture()).save(buffer, kind, **options)
    return buffer.getvalue()
