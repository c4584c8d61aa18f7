"""Formats that take Pillow long: what is small enough to be read soon, and plain PNM numbers read at once. Torch-free."""

from __future__ import annotations

import re

import numpy as np
from PIL import Image

from ..errors import PictureError

__all__ = ["check_effort", "plain_pnm", "reductions"]

MAX_QOI_BYTES = 4 * 2**20
"""Its decoder is written in Python: a byte is a pixel or more, and takes half a microsecond."""
MAX_PNM_BYTES = 64 * 2**20
"""Of numbers written as text."""
MAX_COSTLY_PIXELS = 48_000_000
"""Of formats whose decoders need many bytes or long for a pixel."""
_MAX_SCANNED_PIXELS = 4_000_000_000
"""Pixels times passes of a progressive JPEG: a photo has ten passes, not thousands."""

_PLAIN = {b"P1": 1, b"P2": 1, b"P3": 3}
_HEADER = re.compile(rb"(P[123])((?:\s|#[^\r\n]*[\r\n])+(\d{1,9})(?:\s|#[^\r\n]*[\r\n])+(\d{1,9}))(?:\s|#[^\r\n]*[\r\n])")
_MOST_HEAD = 64 * 1024
_ANY_PNM = re.compile(rb"P[1-6][\s#]")
_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
_WHOLE_HEAD = re.compile(rb"P(?:[14](?:" + _SPACE + rb"\d+){2}|[2356](?:" + _SPACE + rb"\d+){3})\s")
"""Pillow reads comments a byte at a time."""


def check_effort(image: Image.Image, data: bytes, name: str) -> None:
    """Refuse an opened picture that would keep everybody waiting.

    Raises:
        PictureError: in one sentence.
    """
    pixels = image.width * image.height
    if image.format == "QOI" and len(data) > MAX_QOI_BYTES:
        raise PictureError(
            f"{name} is a QOI picture of {len(data) / 2**20:.1f} MiB, which would take too long to read; "
            f"up to {MAX_QOI_BYTES >> 20} MiB can be: save it as PNG."
        )
    costly = image.format in ("WEBP", "AVIF") or (image.format == "JPEG2000" and not reductions(image, data))
    if costly and pixels > MAX_COSTLY_PIXELS:
        raise PictureError(
            f"{name} says it is {image.width:,}×{image.height:,} pixels; of {image.format} pictures up to "
            f"{MAX_COSTLY_PIXELS / 1e6:,.0f} million can be read: make it smaller first."
        )
    if image.format in ("JPEG", "MPO") and pixels * data.count(b"\xff\xda") > _MAX_SCANNED_PIXELS:
        raise PictureError(f"{name} is built up in more passes than a picture has: save it anew as JPEG or PNG.")


def reductions(image: Image.Image, data: bytes, kept: int = 2048 * 2048) -> int:
    """How many times a large JPEG 2000 can be halved while it is decoded and still have ``kept`` pixels."""
    at = data.find(b"\xff\x52")
    levels = data[at + 9] if 0 <= at < len(data) - 9 else 0
    times = 0
    while times < min(levels, 16) and image.width * image.height >> 2 * (times + 1) >= kept:
        times += 1
    return times


def plain_pnm(data: bytes, name: str, max_pixels: int) -> Image.Image | None:
    """The picture of a PBM, PGM or PPM whose numbers are text; None for any other file.

    Raises:
        PictureError: in one sentence, for one that is cut short, too large, or holds anything else.
    """
    if _ANY_PNM.match(data) and b"#" in data[:_MOST_HEAD] and not _WHOLE_HEAD.match(data[:_MOST_HEAD]):
        raise PictureError(f"{name} has no end to the comments that it begins with, so it is no picture: save it anew.")
    head = _HEADER.match(data)
    if head is None:
        return None
    kind, width, height = head[1], int(head[3]), int(head[4])
    damaged = PictureError(f"{name} is damaged or cut short and cannot be decoded: copy or download it again.")
    if width * height > max_pixels:
        return None  # whoever opens it next says so
    if len(data) > MAX_PNM_BYTES:
        raise PictureError(
            f"{name} is {len(data) / 2**20:,.0f} MiB of numbers written as text; up to {MAX_PNM_BYTES >> 20} can be read: "
            "save it as PNG."
        )
    if width == 0 or height == 0:
        return None
    body = data[head.end() - 1 :]
    if b"#" in body:
        body = re.sub(rb"#[^\r\n]*", b"", body)
    if kind == b"P1":
        bits = np.frombuffer(body.translate(None, b" \t\r\n\v\f"), np.uint8)[: width * height]
        if len(bits) < width * height or bits.min() < 48 or bits.max() > 49:
            raise damaged
        return Image.fromarray(np.where(bits == 48, 255, 0).astype(np.uint8).reshape(height, width))
    numbers = _numbers(body)
    count = width * height * _PLAIN[kind]
    if numbers is None or len(numbers) < count + 1 or not 1 <= (top := int(numbers[0])) <= 65535:
        raise damaged
    values = numbers[1 : count + 1]
    if values.max() > top:
        raise damaged
    if kind == b"P2" and top > 255:
        deep = np.rint(values * (65535.0 / top)).astype(np.uint16) if top != 65535 else values.astype(np.uint16)
        return Image.fromarray(deep.reshape(height, width))
    eight = values.astype(np.uint8) if top == 255 else np.rint(values * np.float32(255.0 / top)).astype(np.uint8)
    return Image.fromarray(eight.reshape((height, width, 3) if kind == b"P3" else (height, width)))


def _numbers(text: bytes) -> np.ndarray | None:
    """The whole numbers of a text of digits and white space, int32; None for any other text, or ones of over nine digits."""
    signs = np.frombuffer(text, np.uint8)
    digit = (signs >= 48) & (signs <= 57)
    if not (digit | (signs == 32) | ((signs >= 9) & (signs <= 13))).all():
        return None
    edges = np.flatnonzero(np.diff(digit, prepend=False, append=False)).astype(np.int32)
    starts, ends = edges[::2], edges[1::2]
    if not len(starts) or (ends - starts).max() > 9:
        return None
    result = np.zeros(len(starts), np.int32)
    for place in range(int((ends - starts).max())):
        here = starts + place < ends
        result[here] = result[here] * 10 + (signs[starts[here] + place] - 48)
    return result
