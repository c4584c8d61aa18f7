"""A picture's recipe: the settings that made it, as JSON inside the PNG, GIF or WebP itself, so that dropping it
restores them.

In a PNG the recipe is an iTXt chunk with the keyword "flow-explorer", and where it is longer than other readers take in one
chunk, further ones, "flow-explorer-2" and so on; what an editor rewrote as tEXt or zTXt, or moved into XMP, is found too. In a
GIF it is a comment that begins with the same word, in a WebP a property of its XMP, base64 of the deflated JSON, which is found
by its name and not by an XML parser. It is only ever parsed as JSON, with bounds on its size and depth; what comes out must
still be checked by whoever uses a value.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import math
import os
import re
import struct
import zlib

from .. import plain_json
from ..errors import FlowError, PictureError
from .files import read_file
from .png_text import (
    SIGNATURE,
    DamagedText,
    LongText,
    chunks_of,
    inflate,
    joined,
    keyword_of,
    texts_of,
    without,
)

__all__ = [
    "CONDITIONAL_VERSION",
    "KEYWORD",
    "VERSION",
    "VERSION_KEY",
    "RecipeError",
    "embed",
    "extract",
    "new",
    "to_comment",
    "to_xmp",
    "validate",
    "without_recipe",
]

VERSION_KEY = "flow_explorer_recipe"
VERSION = 1
CONDITIONAL_VERSION = 2
"""Of a recipe that names classes, which an older reader would pass over. All others stay of the first version."""
KEYWORD = "flow-explorer"

MAX_BYTES = 32 * 2**20
"""The longest recipe, in bytes of JSON: it may carry two pictures and their latents."""
MAX_DEPTH = 32
PART_BYTES = 1_000_000
"""So much of a recipe goes into one chunk: Pillow opens no picture with a longer one (its limit is 1 MiB, and 64 MiB of all)."""

_GIF_PREFIX = KEYWORD.encode() + b":"
_XMP_NAMESPACE = b"urn:" + KEYWORD.encode() + b":recipe"
_XMP = re.compile(rb"""[\w-]+:recipe(?:\s*=\s*["']([A-Za-z0-9+/=\s]*)["']|(?:\s[^<>]*)?>([A-Za-z0-9+/=\s]*)<)""")
_XMP_KEYWORD = "XML:com.adobe.xmp"
_PROFILES = (_XMP_KEYWORD, "Raw profile type xmp")


class RecipeError(FlowError):
    """A picture carries a recipe that is damaged, hostile, or of another version."""


def new(kind: str, conditional: bool = False, **values: object) -> dict:
    """A recipe; ``kind`` says what it makes ("sample", "page", "walk" …), ``conditional`` whether it names classes.

    Raises:
        RecipeError: for values that JSON cannot hold.
    """
    return validate({VERSION_KEY: CONDITIONAL_VERSION if conditional else VERSION, "kind": kind, **values})


def validate(recipe: object, name: str = "The recipe") -> dict:
    """Return the recipe if it is of a version that is read here, made of plain finite JSON values.

    Raises:
        RecipeError: otherwise, in one sentence.
    """
    if not isinstance(recipe, dict) or VERSION_KEY not in recipe:
        raise RecipeError(f"{name} is not a Flow Explorer recipe: the picture itself can still be used.")
    version = recipe[VERSION_KEY]
    if isinstance(version, bool) or not isinstance(version, int):
        raise RecipeError(f"{name} has no readable version: the picture itself can still be used.")
    if not VERSION <= version <= CONDITIONAL_VERSION:
        raise RecipeError(
            f"{name} is of version {version}, and this Flow Explorer reads version {VERSION} to {CONDITIONAL_VERSION}: "
            "use a newer Flow Explorer, or use it as a plain picture."
        )
    if not isinstance(recipe.get("kind", ""), str):
        raise RecipeError(f"{name} does not say what it makes: the picture itself can still be used.")
    _check_value(recipe, name, 0)
    return recipe


def embed(png: bytes, recipe: dict) -> bytes:
    """Put a recipe into PNG bytes, replacing one that is there; the pixels stay as they are.

    Raises:
        RecipeError: for a recipe that is none, or is too long.
        PictureError: for bytes that are no PNG.
    """
    text = _to_json(recipe)
    chunks = chunks_of(png)
    if chunks is None:
        raise PictureError("A recipe can be put into PNG pictures only.")
    kept = [chunk for chunk in chunks if (word := keyword_of(*chunk)) is None or not _is_ours(word)]
    position = next((i for i, (kind, _) in enumerate(kept) if kind == b"IDAT"), len(kept) - 1)
    kept[position:position] = [(b"iTXt", _international(text[at : at + PART_BYTES], 1 + at // PART_BYTES))
                               for at in range(0, len(text), PART_BYTES)]  # fmt: skip
    return joined(kept)


def without_recipe(png: bytes) -> bytes:
    """The same PNG without the chunks of a recipe; the very same bytes where it has none, or is no PNG."""
    return without(png, _is_ours)


def _international(text: bytes, number: int) -> bytes:
    """The content of an iTXt chunk with the text's part of this number."""
    compressed = len(text) > 1024
    word = KEYWORD if number == 1 else f"{KEYWORD}-{number}"
    # keyword, 0, compression flag, method, language "", 0, translated keyword "", 0, text (PNG 1.2, 4.2.3.3)
    return word.encode() + b"\0" + bytes([compressed, 0]) + b"\0\0" + (zlib.compress(text, 9) if compressed else text)


def to_comment(recipe: dict) -> bytes:
    """The recipe as a GIF comment.

    Raises:
        RecipeError: for a recipe that is none, or is too long.
    """
    return _GIF_PREFIX + _to_json(recipe)


def to_xmp(recipe: dict) -> bytes:
    """The recipe as an XMP packet, for a WebP.

    Raises:
        RecipeError: for a recipe that is none, or is too long.
    """
    text = base64.b64encode(zlib.compress(_to_json(recipe), 9))
    name = KEYWORD.encode()
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:' + name + b'="urn:' + name + b':recipe" ' + name + b':recipe="' + text + b'"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )


def extract(source: str | os.PathLike[str] | bytes, name: str | None = None) -> dict | None:
    """The recipe inside a PNG, GIF or WebP (a path, or its bytes), or None where the picture carries none.

    Raises:
        RecipeError: where there is a recipe, but one that is damaged or of another version, or where there are several that
            differ.
        PictureError: where the file cannot be read at all.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, name = bytes(source), name or "the picture"
    else:
        name = name or os.path.basename(os.fspath(source))
        data = read_file(source, name)
    if data.startswith(SIGNATURE):
        texts = _png_texts(data, name)
    elif data[:6] in (b"GIF87a", b"GIF89a"):
        texts = _gif_comments(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        texts = _webp_texts(data, name)
    else:
        return None
    return _only(texts, name)


def _only(texts: list[bytes | RecipeError], name: str) -> dict | None:
    """The recipe that these texts are, the damaged ones aside."""
    found: list[dict] = []
    wrong: list[RecipeError] = []
    for text in texts:
        try:
            if isinstance(text, RecipeError):
                raise text
            recipe = validate(_parse(text, name), f"The recipe in {name}")
        except RecipeError as error:
            wrong.append(error)
            continue
        if recipe not in found:
            found.append(recipe)
    if len(found) > 1:
        raise RecipeError(f"{name} holds more than one recipe, and they differ: the picture itself can still be used.")
    if not found and wrong:
        raise wrong[0]
    return found[0] if found else None


def _to_json(recipe: dict) -> bytes:
    validate(recipe)
    # ASCII only: a GIF comment is 7-bit text
    text = json.dumps(recipe, allow_nan=False, separators=(",", ":")).encode("ascii")
    if len(text) > MAX_BYTES:
        raise RecipeError(
            f"The recipe is {len(text) / 2**20:.0f} MiB long, more than the {MAX_BYTES / 2**20:.0f} allowed."
        )
    return text


def _check_value(value: object, name: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise RecipeError(f"{name} is nested too deeply: the picture itself can still be used.")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise RecipeError(f"{name} has a key that is not text: {key!r}.")
            _check_value(inner, name, depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check_value(inner, name, depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise RecipeError(
                f"{name} holds a number that is not finite: the picture itself can still be used."
            )
    elif not (value is None or isinstance(value, (str, int, bool))):
        raise RecipeError(f"{name} holds a value of type {type(value).__name__}, which JSON does not know.")


def _parse(text: bytes, name: str) -> object:
    try:
        return plain_json.loads(text.decode("utf-8"))
    except ValueError as error:
        raise RecipeError(
            f"The recipe in {name} is damaged: the picture itself can still be used."
        ) from error


def _is_ours(word: str) -> bool:
    return word == KEYWORD or (word.startswith(f"{KEYWORD}-") and word[len(KEYWORD) + 1 :].isdecimal())


def _png_texts(png: bytes, name: str) -> list[bytes | RecipeError]:
    """Every recipe's text in a PNG: ours, in one chunk or in several, and what an editor made of it."""
    parts: dict[str, list[bytes | DamagedText]] = {}
    for word, text in texts_of(png, lambda word: _is_ours(word) or word in _PROFILES, MAX_BYTES):
        parts.setdefault(word, []).append(text)
    found: list[bytes | RecipeError] = []
    for place, first in enumerate(parts.get(KEYWORD, [])):
        pieces, number = [first], 2
        while place < len(more := parts.get(f"{KEYWORD}-{number}", [])):
            pieces.append(more[place])
            number += 1
        whole = [piece for piece in pieces if isinstance(piece, bytes)]
        wrong = [piece for piece in pieces if isinstance(piece, DamagedText)]
        too_long = any(isinstance(piece, LongText) for piece in wrong) or sum(map(len, whole)) > MAX_BYTES
        found.append(_too_long(name) if too_long else _damaged(name) if wrong else b"".join(whole))
    for word in _PROFILES:
        for text in parts.get(word, []):
            if isinstance(text, bytes):
                found += _xmp_texts(text if word == _XMP_KEYWORD else _unhex(text), name)
    return found


def _unhex(text: bytes) -> bytes:
    """A profile as ImageMagick writes it: its kind, its length, and lines of hexadecimal digits."""
    try:
        return binascii.unhexlify(b"".join(text.split()[2:]))
    except binascii.Error:
        return b""


def _damaged(name: str) -> RecipeError:
    return RecipeError(f"The recipe in {name} is damaged: the picture itself can still be used.")


def _too_long(name: str) -> RecipeError:
    return RecipeError(f"The recipe in {name} is too long to be one: the picture itself can still be used.")


def _gif_comments(gif: bytes) -> list[bytes | RecipeError]:
    """The joined sub-blocks of each comment extension that begins with our word (GIF89a, section 24)."""
    found: list[bytes | RecipeError] = []
    at = gif.find(b"\x21\xfe")
    while at >= 0 and len(found) < 4:
        if not gif.startswith(_GIF_PREFIX, at + 3):  # of the first sub-block: a file of comments alone is read once
            at = gif.find(b"\x21\xfe", at + 2)
            continue
        text, block = io.BytesIO(), at + 2
        while block < len(gif) and gif[block] and text.tell() <= MAX_BYTES:
            text.write(gif[block + 1 : block + 1 + gif[block]])
            block += 1 + gif[block]
        comment = text.getvalue()
        if comment.startswith(_GIF_PREFIX):
            found.append(comment[len(_GIF_PREFIX) :])
        at = gif.find(b"\x21\xfe", at + 2)
    return found


def _webp_texts(webp: bytes, name: str) -> list[bytes | RecipeError]:
    """What the file's XMP chunks hold of ours (WebP container specification, "Metadata")."""
    at, found = 12, []
    while at + 8 <= len(webp):
        (length,) = struct.unpack_from("<I", webp, at + 4)
        if webp[at : at + 4] == b"XMP ":
            found += _xmp_texts(webp[at + 8 : at + 8 + length], name)
        at += 8 + length + length % 2  # chunks stand on even bytes
    return found


def _xmp_texts(packet: bytes, name: str) -> list[bytes | RecipeError]:
    """Our property in an XMP packet: as an attribute, or as an editor wrote it, an element under a prefix of its own."""
    if _XMP_NAMESPACE not in packet:
        return []
    found: list[bytes | RecipeError] = []
    for match in _XMP.finditer(packet):
        try:
            body = base64.b64decode(b"".join((match[1] or match[2] or b"").split()), validate=True)
            found.append(inflate(body, MAX_BYTES))
        except LongText:
            found.append(_too_long(name))
        except (DamagedText, binascii.Error):
            found.append(_damaged(name))
        if len(found) == 4:
            break
    return found
