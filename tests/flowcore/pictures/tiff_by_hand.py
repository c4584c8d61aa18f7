"""Writes TIFFs as many programs do, and no one of them alone: any samples, byte order, strips or tiles, packed or not."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

_KIND = {"u": 1, "i": 2, "f": 3, "c": 6}


def tiff(
    values: np.ndarray,
    photometric: int | None = None,
    order: Any = "<",
    big: bool = False,
    planar: bool = False,
    tile: int = 0,
    rows: int = 0,
    deflate: bool = False,
    predictor: int = 1,
    extra: tuple[int, ...] = (),
    bits: int = 0,
    directories: int = 1,
    more: dict[int, tuple[str, Any]] | None = None,
) -> bytes:
    """A TIFF of (H, W) or (H, W, S); ``bits`` packs unsigned numbers more tightly, ``more`` are further tags by letter."""
    values = values[..., None] if values.ndim == 2 else values
    height, width, samples = values.shape
    if photometric is None:
        photometric = 2 if samples - len(extra) == 3 else 1
    planes = [values[..., s : s + 1] for s in range(samples)] if planar else [values]
    blocks = [
        _packed(block, order, bits, deflate, predictor)
        for plane in planes
        for block in (_tiles(plane, tile) if tile else _strips(plane, rows or height))
    ]
    each = bits or values.dtype.itemsize * 8
    tags: dict[int, tuple[str, Any]] = {
        256: ("I", (width,)), 257: ("I", (height,)), 258: ("H", (each,) * samples),
        259: ("H", (8 if deflate else 1,)), 262: ("H", (photometric,)), 277: ("H", (samples,)),
        284: ("H", (2 if planar else 1,)), 339: ("H", (_KIND[values.dtype.kind],) * samples),
    }  # fmt: skip
    if predictor > 1:
        tags[317] = ("H", (predictor,))
    if extra:
        tags[338] = ("H", extra)
    where = (324, 325) if tile else (273, 279)
    tags |= {322: ("I", (tile,)), 323: ("I", (tile,))} if tile else {278: ("I", (rows or height,))}
    tags |= more or {}
    body, starts = b"", []
    first = 16 if big else 8
    for block in blocks:
        starts.append(first + len(body))
        body += block + b"\0" * (len(block) % 2)
    tags[where[0]], tags[where[1]] = ("I", tuple(starts)), ("I", tuple(map(len, blocks)))
    head = (b"II" if order == "<" else b"MM") + (
        struct.pack(order + "HHHQ", 43, 8, 0, first + len(body)) if big else struct.pack(order + "HI", 42, first + len(body))
    )
    parts, length = [head, body], len(head) + len(body)
    for number in range(directories):
        parts.append(_directory(tags, length, order, big, last=number == directories - 1))
        length += len(parts[-1])
    return b"".join(parts)


def _directory(tags: dict[int, tuple[str, Any]], at: int, order: str, big: bool, last: bool) -> bytes:
    size, word = (8, "Q") if big else (4, "I")
    table = at + (8 if big else 2) + len(tags) * (20 if big else 12) + size
    entries, long = b"", b""
    for tag in sorted(tags):
        letter, values = tags[tag]
        packed = values if letter == "s" else struct.pack(f"{order}{len(values)}{letter}", *values)
        kind = {"B": 1, "s": 7, "H": 3, "I": 4, "d": 12, "f": 11}[letter]
        if len(packed) > size:
            inline = struct.pack(order + word, table + len(long))
            long += packed + b"\0" * (len(packed) % 2)
        else:
            inline = packed.ljust(size, b"\0")
        entries += struct.pack(f"{order}HH{word}", tag, kind, len(values)) + inline
    following = 0 if last else table + len(long)
    return struct.pack(order + ("Q" if big else "H"), len(tags)) + entries + struct.pack(order + word, following) + long


def _strips(plane: np.ndarray, rows: int) -> list[np.ndarray]:
    return [plane[start : start + rows] for start in range(0, len(plane), rows)]


def _tiles(plane: np.ndarray, side: int) -> list[np.ndarray]:
    height, width, samples = plane.shape
    down, across = -(-height // side), -(-width // side)
    whole = np.zeros((down * side, across * side, samples), plane.dtype)
    whole[:height, :width] = plane
    return [whole[y : y + side, x : x + side] for y in range(0, down * side, side) for x in range(0, across * side, side)]


def _packed(block: np.ndarray, order: Any, bits: int, deflate: bool, predictor: int) -> bytes:
    rows, width, samples = block.shape
    if predictor == 2:
        block = np.concatenate([block[:, :1], np.diff(block, axis=1)], axis=1).astype(block.dtype)
    if bits:
        loose = (block.reshape(rows, -1, 1).astype(np.uint32) >> np.arange(bits - 1, -1, -1, dtype=np.uint32)) & 1
        data = np.packbits(loose.reshape(rows, -1).astype(np.uint8), axis=1).tobytes()
    elif predictor == 3:
        bytes_ = block.astype(block.dtype.newbyteorder(">")).view(np.uint8).reshape(rows, width * samples, -1)
        planes = bytes_.transpose(0, 2, 1).reshape(rows, -1, samples)
        data = np.concatenate([planes[:, :1], np.diff(planes, axis=1)], axis=1).astype(np.uint8).tobytes()
    else:
        data = block.astype(block.dtype.newbyteorder(order)).tobytes()
    return zlib.compress(data) if deflate else data
