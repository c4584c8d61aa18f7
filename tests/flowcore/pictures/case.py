"""What the pictures' tests share: pictures made by hand."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flowcore.errors import PictureError
from flowcore.pictures.images import read_picture


def photo(height: int = 40, width: int = 60, channels: int = 3) -> np.ndarray:
    """A smooth colourful test picture whose every corner differs."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [
        x * 255 / max(1, width - 1),
        y * 255 / max(1, height - 1),
        60 + 0 * x,
        255 - x * 255 / max(1, width - 1),
    ]
    return np.stack(planes[:channels], axis=-1).astype(np.uint8)


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_by_hand(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def refused(source: Any, *words: str) -> str:
    with pytest.raises(PictureError) as caught:
        read_picture(source)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and "Traceback" not in sentence
    for word in words:
        assert word in sentence
    return sentence
