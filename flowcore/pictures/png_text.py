"""The text chunks of a PNG, whichever of the three kinds an editor wrote them as (PNG 1.2, 4.2.3)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence

__all__ = ["SIGNATURE", "DamagedText", "LongText", "chunks_of", "inflate", "joined", "keyword_of", "texts_of",
           "without"]  # fmt: skip

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS = (b"tEXt", b"zTXt", b"iTXt")


class DamagedText(ValueError):
    """A text chunk that cannot be read."""


class LongText(DamagedText):
    """Text that is longer than it may be."""


def chunks_of(png: bytes) -> list[tuple[bytes, bytes | memoryview]] | None:
    """The chunks (kind, content) of a PNG up to IEND, or of a damaged one up to where it breaks off; None for no PNG."""
    if not png.startswith(SIGNATURE):
        return None
    view = memoryview(png)
    chunks: list[tuple[bytes, bytes | memoryview]] = []
    at = len(SIGNATURE)
    while at + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind = png[at + 4 : at + 8]
        if at + 12 + length > len(png):
            break
        chunks.append((kind, view[at + 8 : at + 8 + length]))
        at += 12 + length
        if kind == b"IEND":
            break
    return chunks


def joined(chunks: Sequence[tuple[bytes, bytes | memoryview]]) -> bytes:
    """A PNG of these chunks."""
    out = io.BytesIO()
    out.write(SIGNATURE)
    for kind, content in chunks:
        out.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))
    return out.getvalue()


def keyword_of(kind: bytes, content: bytes | memoryview) -> str | None:
    """The keyword of a text chunk; None for another chunk."""
    if kind not in _KINDS:
        return None
    word, end, _ = bytes(content[:80]).partition(b"\0")
    return word.decode("latin-1") if end else None


def texts_of(png: bytes, wanted: Callable[[str], bool], most: int) -> Iterator[tuple[str, bytes | DamagedText]]:
    """(keyword, its bytes) of the text chunks whose keyword is wanted, in their order; in the place of one that is damaged or
    longer than ``most`` bytes, the error. Of all together no more than four times ``most`` are inflated."""
    left = 4 * most
    for kind, content in chunks_of(png) or []:
        word = keyword_of(kind, content)
        if word is None or not wanted(word):
            continue
        try:
            text = _text(kind, bytes(content[len(word) + 1 :]), min(most, left))
        except DamagedText as error:
            yield word, error
            left = max(0, left - most) if isinstance(error, LongText) else left
            continue
        left -= len(text)
        yield word, text


def without(png: bytes, unwanted: Callable[[str], bool]) -> bytes:
    """The same PNG without the text chunks of these keywords; the very same bytes where it has none, or is none."""
    at, kept = len(SIGNATURE), [png[: len(SIGNATURE)]]
    for kind, content in chunks_of(png) or []:
        word, end = keyword_of(kind, content), at + 12 + len(content)
        if word is None or not unwanted(word):
            kept.append(png[at:end])  # as it is: a checksum that is wrong stays wrong
        at = end
    whole = b"".join(kept)
    return png if len(whole) == at else whole + png[at:]


def _text(kind: bytes, rest: bytes, most: int) -> bytes:
    if kind == b"tEXt":
        packed, body = False, rest
    elif kind == b"zTXt":
        packed, body = True, rest[1:]
        if rest[:1] != b"\0":
            raise DamagedText
    else:
        fields = rest[2:].split(b"\0", 2)
        if len(rest) < 4 or len(fields) != 3 or rest[0] not in (0, 1):
            raise DamagedText
        packed, body = bool(rest[0]), fields[2]
    if packed:
        return inflate(body, most)
    if len(body) > most:
        raise LongText
    return body


def inflate(body: bytes, most: int) -> bytes:
    """Raises `LongText` where it comes to more than ``most`` bytes, before it is all there, and `DamagedText`."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(body, most + 1)
    except zlib.error:
        raise DamagedText from None
    if len(text) > most:
        raise LongText
    if not inflater.eof:
        raise DamagedText
    return text
