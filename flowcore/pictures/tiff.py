"""Reads the TIFFs that Pillow reads wrongly or not at all: samples of more than 8 bits, floats, signed numbers, odd channels.

Pillow's libtiff unpacks the strips or tiles as plain bytes; what these mean is worked out here. Torch-free.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import TiffImagePlugin

from ..errors import PictureError
from .deep import Deep

__all__ = ["Directory", "count_directories", "first_directory", "is_deep", "is_tiff", "read_deep"]

_FORMATS = {1: "B", 2: "s", 3: "H", 4: "I", 6: "b", 7: "s", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MAX_DIRECTORIES = 1_000_000
_MAX_VALUES = 2**18
"""Of one tag: a palette of 16 bits has 196,608; a picture of a million strips is none."""
_MAX_RAW = 2**29
"""Unpacked bytes of a picture, at most."""
_BAND = 2**25
"""So many unpacked bytes at a time, or one strip where that is more."""
_UNPACKED = {1, 5, 8, 32773, 32946, 34925, 50000}
"""none, LZW, deflate, PackBits, deflate as it was, LZMA, zstd"""
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS, _COUNTS, _MAX_VALUE, _PLANAR = 273, 274, 277, 278, 279, 281, 284
_PREDICTOR, _COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 317, 320, 322, 323, 324, 325
_EXTRA, _FORMAT, _LARGEST, _PROFILE = 338, 339, 341, 34675


@dataclass(frozen=True)
class Directory:
    """The first picture's tags: a tuple of numbers each, or bytes; ``order`` is "<" or ">"."""

    tags: dict[int, tuple | bytes]
    order: str

    def number(self, tag: int, default: int = 0) -> int:
        """The first number of a tag."""
        values = self.tags.get(tag)
        return int(values[0]) if isinstance(values, tuple) and values else default

    def numbers(self, tag: int, default: tuple = ()) -> tuple:
        """All numbers of a tag."""
        values = self.tags.get(tag)
        return values if isinstance(values, tuple) and values else default

    @property
    def width(self) -> int:
        """As stored."""
        return self.number(_WIDTH)

    @property
    def height(self) -> int:
        """As stored."""
        return self.number(_HEIGHT)

    @property
    def samples(self) -> int:
        """Numbers a pixel."""
        return self.number(_SAMPLES, 1)

    @property
    def bits(self) -> tuple[int, ...]:
        """Of each sample."""
        bits = self.numbers(_BITS, (1,))
        return bits * self.samples if len(bits) == 1 and self.samples <= 64 else bits

    @property
    def photometric(self) -> int:
        """0 white is zero, 1 black is zero, 2 RGB, 3 palette, 5 CMYK …"""
        return self.number(_PHOTOMETRIC, 1)

    @property
    def orientation(self) -> int:
        """1 to 8; 1 where it is another number."""
        found = self.number(_ORIENTATION, 1)
        return found if 1 <= found <= 8 else 1

    @property
    def is_packed(self) -> bool:
        """Whether libtiff has to unpack it."""
        return self.number(_COMPRESSION, 1) != 1

    @property
    def profile(self) -> bytes:
        """The colour profile; empty for none."""
        found = self.tags.get(_PROFILE)
        return found if isinstance(found, bytes) else bytes(found) if found and max(found) < 256 else b""

    @property
    def channels(self) -> tuple[int, int | None, int]:
        """How many samples are colours, which one is alpha (None for none), and what that is: 1 multiplied in, 2 not."""
        colours = {2: 3, 5: 4}.get(self.photometric, 1)
        extra = self.numbers(_EXTRA)
        for place, kind in enumerate(extra[: max(0, self.samples - colours)]):
            if kind in (1, 2):
                return colours, colours + place, int(kind)
        if not extra and self.photometric == 2 and self.samples == 4:
            return colours, 3, 2
        return colours, None, 0


def is_tiff(head: bytes) -> bool:
    """Whether a file that begins so is a TIFF, a BigTIFF included."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def first_directory(file: BinaryIO) -> Directory:
    """The tags of the first picture. Those whose values lie outside the file are missing.

    Raises:
        ValueError, struct.error: for a file that has none.
    """
    order, big, at = _start(file)
    tags: dict[int, tuple | bytes] = {}
    file.seek(at)
    count = _unpack(file, order + ("Q" if big else "H"))
    if count > 4096:
        raise ValueError(f"a directory of {count} tags")
    entry = 20 if big else 12
    table = file.read(count * entry)
    for place in range(0, len(table) - entry + 1, entry):
        tag, kind = struct.unpack_from(order + "HH", table, place)
        length = struct.unpack_from(order + ("Q" if big else "I"), table, place + 4)[0]
        letter = _FORMATS.get(kind)
        if letter is None or tag in tags:
            continue
        size = length * struct.calcsize(letter)
        if size > (8 if big else 4):
            if letter in "Bb" and length > _MAX_VALUES:
                letter = "s"  # a long text, as bytes
            if letter != "s" and length > _MAX_VALUES or size > 2**29:
                raise ValueError(f"tag {tag} has {length} values")
            file.seek(struct.unpack_from(order + ("Q" if big else "I"), table, place + (12 if big else 8))[0])
            data = file.read(size)
        else:
            data = table[place + (12 if big else 8) :][:size]
        if len(data) == size:
            tags[tag] = data if letter == "s" else struct.unpack(f"{order}{length}{letter}", data)
    return Directory(tags, order)


def count_directories(file: BinaryIO) -> int:
    """How many pictures follow one another in a file; a chain that leads back into itself ends there."""
    order, big, at = _start(file)
    seen: set[int] = set()
    while at and at not in seen and len(seen) < _MAX_DIRECTORIES:
        seen.add(at)
        try:
            file.seek(at)
            count = _unpack(file, order + ("Q" if big else "H"))
            file.seek(at + (8 + 20 * count if big else 2 + 12 * count))
            at = _unpack(file, order + ("Q" if big else "I"))
        except (struct.error, OverflowError, ValueError, OSError):
            break
    return max(1, len(seen))


def is_deep(directory: Directory) -> bool:
    """Whether the samples are other than the plain 1, 2, 4 or 8 bits that Pillow knows, and can be read here."""
    plain = set(directory.bits) <= {1, 2, 4, 8} and set(directory.numbers(_FORMAT, (1,))) <= {1, 4}
    colours = directory.numbers(_COLOUR_MAP)
    # Some programs write a palette of 8 bits where 16 belong; Pillow makes that black
    faint = directory.photometric == 3 and bool(colours) and max(colours) < 256
    apart = directory.number(_PLANAR, 1) == 2 and directory.samples > 1
    return _is_known(directory) and (not plain or faint or apart)


def _is_known(directory: Directory) -> bool:
    return directory.number(_COMPRESSION, 1) in _UNPACKED and directory.photometric in (0, 1, 2, 3, 5)


def read_deep(data: bytes, directory: Directory, name: str, kept: int) -> Deep:
    """The first picture's numbers, as stored; of more than ``kept`` pixels the means of squares of them.

    Raises:
        PictureError: in one sentence, for what cannot be read.
    """
    layout = _Layout(directory, name)
    factor = max(1, math.isqrt(directory.width * directory.height // kept))
    photometric = directory.photometric
    planes = []
    for plane in range(layout.planes):
        bands = layout.bands(data, plane, factor)
        # A palette's numbers have no mean
        planes.append(np.concatenate([b[::factor, ::factor] if photometric == 3 else _means(b, factor) for b in bands]))
    values = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
    colours, alpha, kind = directory.channels
    if photometric == 3:
        return Deep(_through_palette(values[..., 0], directory, name), None, white=65535.0)
    largest = directory.numbers(_LARGEST) or directory.numbers(_MAX_VALUE)
    return Deep(
        values[..., :colours],
        values[..., alpha] if alpha is not None else None,
        bits=max(directory.bits), signed=layout.signed, inverted=photometric == 0, inks=photometric == 5,
        premultiplied=kind == 1, largest=float(max(largest)) if largest else None,
        unused=directory.samples - colours - (alpha is not None),
        floating=directory.number(_FORMAT, 1) == 3,
    )  # fmt: skip


class _Layout:
    """Where the samples lie, and how they become numbers."""

    def __init__(self, directory: Directory, name: str) -> None:
        self.directory, self.name = directory, name
        bits, formats = set(directory.bits), set(directory.numbers(_FORMAT, (1,)))
        samples, width, height = directory.samples, directory.width, directory.height
        if len(bits) != 1 or len(formats) != 1 or len(directory.bits) < samples or not 1 <= samples <= 64:
            raise PictureError(f"{name} has channels of different kinds, which cannot be read here: save it as 8 or 16 bits.")
        self.bits, kind = int(bits.pop()), int(formats.pop())
        self.signed = kind == 2
        letter = {1: "u", 2: "i", 3: "f", 4: "u"}.get(kind)
        if letter is None:
            raise PictureError(f"{name} holds complex numbers, which are no picture: save their size as 16 bits.")
        sizes = (16, 32, 64) if letter == "f" else (8, 16, 32, 64)
        self.dtype = np.dtype(f"{directory.order}{letter}{self.bits // 8}") if self.bits in sizes else None
        if self.dtype is None and not (letter == "u" and 1 <= self.bits < 32):
            raise PictureError(f"{name} holds numbers of {self.bits} bits, which cannot be read here: save it as 16 bits.")
        if directory.number(_COMPRESSION, 1) not in _UNPACKED:
            raise PictureError(f"{name} is packed in a way that cannot be read here: save it as PNG, or as a plain TIFF.")
        self.planes = samples if directory.number(_PLANAR, 1) == 2 else 1
        self.samples = samples // self.planes
        self.tiled = _TILE_WIDTH in directory.tags
        self.block_width = directory.number(_TILE_WIDTH) if self.tiled else width
        rows = directory.number(_TILE_HEIGHT) if self.tiled else directory.number(_ROWS, height)
        self.block_height = max(1, min(rows, height) if not self.tiled else rows)
        if not 1 <= self.block_width <= 2**20 or self.block_height > 2**20:
            raise PictureError(f"{name} is damaged or cut short and cannot be decoded: copy or download it again.")
        self.across, self.down = -(-width // self.block_width), -(-height // self.block_height)
        self.row_bytes = -(-self.block_width * self.samples * self.bits // 8)
        unpacked = self.across * self.row_bytes * self.down * self.block_height * self.planes
        if unpacked > _MAX_RAW:
            raise PictureError(f"{name} unpacks to {unpacked / 2**30:,.1f} GiB, more than can be read: make it smaller first.")

    def bands(self, data: bytes, plane: int, factor: int) -> Iterator[np.ndarray]:
        """The picture from the top down, (rows, width, samples) at a time; rows but for the last are multiples of ``factor``."""
        directory = self.directory
        offsets = directory.numbers(_TILE_OFFSETS if self.tiled else _OFFSETS)
        counts = directory.numbers(_TILE_COUNTS if self.tiled else _COUNTS)
        blocks = self.across * self.down
        if not counts and directory.number(_COMPRESSION, 1) == 1:
            counts = (self.row_bytes * self.block_height,) * len(offsets)
        offsets, counts = (values[plane * blocks : (plane + 1) * blocks] for values in (offsets, counts))
        if len(offsets) < blocks or len(counts) < blocks:
            raise PictureError(f"{self.name} is damaged or cut short and cannot be decoded: copy or download it again.")
        step = max(1, _BAND // (self.across * self.row_bytes * self.block_height))
        held: np.ndarray | None = None
        for start in range(0, self.down, step):
            stop = min(start + step, self.down)
            chosen = slice(start * self.across, stop * self.across)
            height = min(stop * self.block_height, directory.height) - start * self.block_height
            for raw in self._unpacked(data, offsets[chosen], counts[chosen], height):
                rows = self._numbers(raw)[:, : directory.width]
                rows = rows if held is None else np.concatenate([held, rows])
                whole = len(rows) // factor * factor
                if whole:
                    yield rows[:whole]
                held = rows[whole:] if whole < len(rows) else None
        if held is not None:
            yield held

    def _unpacked(self, data: bytes, offsets: tuple, counts: tuple, height: int) -> Iterator[np.ndarray]:
        """Bytes of whole blocks (rows, across * row_bytes) from the top down, by a TIFF of 8-bit samples that is made of them."""
        directory = self.directory
        pieces = [data[at : at + count] for at, count in zip(offsets, counts, strict=True)]
        # Pillow refuses images of very many pixels, so four bytes are one where that goes
        four = self.row_bytes % 4 == 0
        width = self.across * self.row_bytes // (4 if four else 1)
        tags: dict[int, tuple[int, ...]] = {
            _WIDTH: (width,), _HEIGHT: (height,), _COMPRESSION: (directory.number(_COMPRESSION, 1),),
            _FILL_ORDER: (directory.number(_FILL_ORDER, 1),),
        }  # fmt: skip
        tags |= {_BITS: (8, 8, 8, 8), _PHOTOMETRIC: (2,), _SAMPLES: (4,), _EXTRA: (2,)} if four else {
            _BITS: (8,), _PHOTOMETRIC: (1,), _SAMPLES: (1,)}  # fmt: skip
        if self.tiled:
            tags |= {_TILE_WIDTH: (width // self.across,), _TILE_HEIGHT: (self.block_height,)}
        else:
            tags |= {_ROWS: (self.block_height,)}
        where = (_TILE_OFFSETS, _TILE_COUNTS) if self.tiled else (_OFFSETS, _COUNTS)
        image = TiffImagePlugin.TiffImageFile(io.BytesIO(_tiff_of(tags, where, pieces)))
        step = max(1, _BAND // (self.across * self.row_bytes))
        for top in range(0, height, step):
            part = image.crop((0, top, width, min(top + step, height)))
            yield np.asarray(part).reshape(part.height, self.across * self.row_bytes)

    def _numbers(self, raw: np.ndarray) -> np.ndarray:
        """(rows, across * block_width, samples) of bytes (rows, across * row_bytes)."""
        blocks = raw.reshape(len(raw), self.across, self.row_bytes)
        predictor = self.directory.number(_PREDICTOR, 1)
        if self.directory.number(_COMPRESSION, 1) in (1, 32773):
            predictor = 1
        shape = (len(raw), self.across, self.block_width, self.samples)
        if self.dtype is None:
            values = _of_bits(blocks, self.bits, self.block_width * self.samples).reshape(shape)
        elif predictor == 3:
            sums = np.add.accumulate(
                blocks.reshape(len(raw), self.across, -1, self.samples), axis=2, dtype=np.uint8
            ).reshape(len(raw), self.across, self.dtype.itemsize, -1)
            native = np.ascontiguousarray(sums.transpose(0, 1, 3, 2))
            values = native.view(self.dtype.newbyteorder(">")).reshape(shape)
        else:
            values = np.ascontiguousarray(blocks).view(self.dtype).reshape(shape)
        if predictor == 2:
            values = np.add.accumulate(values, axis=2, dtype=values.dtype.newbyteorder("="))
        native = values.dtype.newbyteorder("=")
        return values.astype(native, copy=False).reshape(len(raw), -1, self.samples)


def _start(file: BinaryIO) -> tuple[str, bool, int]:
    """The byte order, whether it is a BigTIFF, and where the first directory lies."""
    file.seek(0)
    head = file.read(16)
    if not is_tiff(head):
        raise ValueError("no TIFF")
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    return order, big, struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]


def _unpack(file: BinaryIO, form: str) -> int:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _tiff_of(tags: dict[int, tuple[int, ...]], where: tuple[int, int], pieces: list[bytes]) -> bytes:
    """A small TIFF of these tags and blocks."""
    counts = [len(piece) for piece in pieces]
    everything: dict[int, tuple[int, ...]] = {**tags, where[0]: (0,) * len(pieces), where[1]: tuple(counts)}
    lists = 8 + 2 + 12 * len(everything) + 4
    first = lists + 4 * sum(len(values) for values in everything.values() if len(values) > 1)
    everything[where[0]] = tuple((first + np.cumsum([0, *counts[:-1]], dtype=np.int64)).tolist())
    table, arrays = b"", b""
    for tag, values in sorted(everything.items()):
        at = values[0] if len(values) == 1 else lists + len(arrays)
        table += struct.pack("<HHII", tag, 4, len(values), at)
        if len(values) > 1:
            arrays += struct.pack(f"<{len(values)}I", *values)
    return b"II*\0" + struct.pack("<IH", 8, len(everything)) + table + bytes(4) + arrays + b"".join(pieces)


def _of_bits(blocks: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Unsigned numbers of so many bits, packed one after another, each block's row beginning at a byte."""
    loose = np.unpackbits(blocks, axis=2)[..., : bits * count].reshape(*blocks.shape[:2], count, bits)
    values = np.zeros(loose.shape[:3], np.uint32)
    for place in range(bits):
        values = (values << 1) | loose[..., place]
    return values


def _means(rows: np.ndarray, factor: int) -> np.ndarray:
    """The mean of each square of ``factor``, and of the parts of squares at the right and below; as it is for 1."""
    if factor == 1:
        return rows
    down, across = (np.arange(0, length, factor) for length in rows.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(rows.astype(np.float32), down, axis=0), across, axis=1)
    heights = np.minimum(factor, len(rows) - down)[:, None, None]
    widths = np.minimum(factor, rows.shape[1] - across)[None, :, None]
    return sums / (heights * widths)


def _through_palette(numbers: np.ndarray, directory: Directory, name: str) -> np.ndarray:
    """The palette's colours of a picture of numbers, 0 to 65,535."""
    colours = np.asarray(directory.numbers(_COLOUR_MAP), np.float32)
    if len(colours) < 3 or len(colours) % 3:
        raise PictureError(f"{name} has no whole palette, so its colours are not known: save it as PNG.")
    palette = colours.reshape(3, -1).T * (257.0 if colours.max() < 256 else 1.0)
    return palette[np.clip(numbers.astype(np.int64), 0, len(palette) - 1)]
