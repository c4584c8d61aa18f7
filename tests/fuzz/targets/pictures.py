"""Pictures of every format, and the recipes in them."""

from __future__ import annotations

import struct

import numpy as np

from flowcore.pictures import recipe
from flowcore.pictures.images import read_picture
from tests.fuzz.harness import Target

from ._files import encoded, picture, written


def _qoi() -> bytes:
    rows = picture().reshape(-1, 3)
    return b"qoif" + struct.pack(">IIBB", 12, 12, 3, 0) + b"".join(b"\xfe" + bytes(p) for p in rows) + b"\0" * 7 + b"\1"


def _pnm() -> list[bytes]:
    values = picture()
    text = b"P3\n12 12\n255\n" + b" ".join(str(v).encode() for v in values.flat)
    return [b"P6\n12 12\n255\n" + values.tobytes(), text, b"Pf\n12 12\n-1.0\n" + np.float32(values[..., 0]).tobytes()]


def _with_recipe(kind: str) -> list[bytes]:
    made = recipe.new("sample", model="mnist", seed=3, temperature=0.7, nested={"a": [1, 2.5, None, "x"]})
    if kind == "PNG":
        return [recipe.embed(encoded("PNG"), made)]
    if kind == "GIF":
        return [encoded("GIF", comment=recipe.to_comment(made))]
    return [encoded("WEBP", xmp=recipe.to_xmp(made))]


def _formats() -> dict[str, list[bytes]]:
    return {
        "png": [encoded("PNG")], "jpg": [encoded("JPEG")], "gif": [encoded("GIF")], "bmp": [encoded("BMP")],
        "webp": [encoded("WEBP"), encoded("WEBP", lossless=True)], "qoi": [_qoi()], "ppm": _pnm(), "ico": [encoded("ICO")],
        "tiff": [encoded("TIFF"), encoded("TIFF", compression="tiff_lzw"), encoded("TIFF", compression="tiff_deflate")],
    }  # fmt: skip


TARGETS = [
    *(Target(f"picture-{kind}", f".{kind}", lambda kind=kind: _formats()[kind], read_picture) for kind in _formats()),
    *(Target(f"recipe-{kind.lower()}", f".{kind.lower()}", lambda kind=kind: _with_recipe(kind), recipe.extract)
      for kind in ("PNG", "GIF", "WEBP")),
    Target("recipe-written", ".png", written("page-mnist.png", "strip-fashion.png"), recipe.extract),
]  # fmt: skip
