"""A picture's recipe: the settings that made it, as JSON inside the PNG, GIF or WebP itself, so that dropping it
restores them.

In a PNG the recipe is an iTXt chunk with the keyword "flow-explorer", in a GIF a comment that begins with the
same word, in a WebP an attribute of its XMP, base64 of the deflated JSON, which is found by its name and not by an
XML parser. It is only ever parsed as JSON, with bounds on its size and depth; what comes out must still be
checked by whoever uses a value.
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
]

VERSION_KEY = "flow_explorer_recipe"
VERSION = 1
CONDITIONAL_VERSION = 2
"""Of a recipe that names classes, which an older reader would pass over. All others stay of the first version."""
KEYWORD = "flow-explorer"

MAX_BYTES = 32 * 2**20
"""The longest recipe, in bytes of JSON: it may carry two pictures and their latents."""
MAX_DEPTH = 32

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GIF_PREFIX = KEYWORD.encode() + b":"
_XMP = re.compile(KEYWORD.encode() + rb':recipe="([A-Za-z0-9+/=]*)"')


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
    chunks = _chunks(png)
    if chunks is None:
        raise PictureError("A recipe can be put into PNG pictures only.")
    compressed = len(text) > 1024
    body = zlib.compress(text, 9) if compressed else text
    # keyword, 0, compression flag, method, language "", 0, translated keyword "", 0, text (PNG 1.2, 4.2.3.3)
    data = KEYWORD.encode() + b"\0" + bytes([compressed, 0]) + b"\0\0" + body
    kept = [(kind, content) for kind, content in chunks if not _is_ours(kind, content)]
    position = next((i for i, (kind, _) in enumerate(kept) if kind == b"IDAT"), len(kept) - 1)
    kept.insert(position, (b"iTXt", data))
    out = io.BytesIO()
    out.write(_SIGNATURE)
    for kind, content in kept:
        out.write(
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )
    return out.getvalue()


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
        RecipeError: where there is a recipe, but one that is damaged or of another version.
        PictureError: where the file cannot be read at all.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, name = bytes(source), name or "the picture"
    else:
        name = name or os.path.basename(os.fspath(source))
        data = read_file(source, name)
    if data.startswith(_SIGNATURE):
        text = _png_text(data, name)
    elif data[:6] in (b"GIF87a", b"GIF89a"):
        text = _gif_comment(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        text = _webp_text(data, name)
    else:
        return None
    return None if text is None else validate(_parse(text, name), f"The recipe in {name}")


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


def _chunks(png: bytes) -> list[tuple[bytes, bytes | memoryview]] | None:
    """The chunks of a PNG up to IEND, or of a damaged one up to where it breaks off; None for no PNG."""
    if not png.startswith(_SIGNATURE):
        return None
    view = memoryview(png)
    chunks: list[tuple[bytes, bytes | memoryview]] = []
    at = len(_SIGNATURE)
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


def _is_ours(kind: bytes, content: bytes | memoryview) -> bool:
    return kind == b"iTXt" and bytes(content[: len(KEYWORD) + 1]) == KEYWORD.encode() + b"\0"


def _png_text(png: bytes, name: str) -> bytes | None:
    for kind, content in _chunks(png) or []:
        if not _is_ours(kind, content):
            continue
        rest = bytes(content[len(KEYWORD) + 1 :])
        fields = rest[2:].split(b"\0", 2)
        if len(rest) < 4 or len(fields) != 3 or rest[0] not in (0, 1):
            raise RecipeError(f"The recipe in {name} is damaged: the picture itself can still be used.")
        return _inflate(fields[2], name) if rest[0] else _bounded(fields[2], name)
    return None


def _inflate(body: bytes, name: str) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise RecipeError(
            f"The recipe in {name} is damaged: the picture itself can still be used."
        ) from error
    _bounded(text, name)
    if not inflater.eof:
        raise RecipeError(f"The recipe in {name} is damaged: the picture itself can still be used.")
    return text


def _bounded(text: bytes, name: str) -> bytes:
    if len(text) > MAX_BYTES:
        raise RecipeError(
            f"The recipe in {name} is too long to be one: the picture itself can still be used."
        )
    return text


def _gif_comment(gif: bytes) -> bytes | None:
    """The joined sub-blocks of the comment extension that begins with our word (GIF89a, section 24)."""
    at = gif.find(b"\x21\xfe")
    while at >= 0:
        if not gif.startswith(_GIF_PREFIX, at + 3):  # of the first sub-block: a file of comments alone is read once
            at = gif.find(b"\x21\xfe", at + 2)
            continue
        text, block = io.BytesIO(), at + 2
        while block < len(gif) and gif[block] and text.tell() <= MAX_BYTES:
            text.write(gif[block + 1 : block + 1 + gif[block]])
            block += 1 + gif[block]
        comment = text.getvalue()
        if comment.startswith(_GIF_PREFIX):
            return comment[len(_GIF_PREFIX) :]
        at = gif.find(b"\x21\xfe", at + 2)
    return None


def _webp_text(webp: bytes, name: str) -> bytes | None:
    """Our attribute of the file's XMP chunk (WebP container specification, "Metadata")."""
    at = 12
    while at + 8 <= len(webp):
        (length,) = struct.unpack_from("<I", webp, at + 4)
        if webp[at : at + 4] == b"XMP ":
            found = _XMP.search(webp[at + 8 : at + 8 + length])
            if found is None:
                return None
            try:
                return _inflate(base64.b64decode(found[1], validate=True), name)
            except binascii.Error as error:
                raise RecipeError(f"The recipe in {name} is damaged: the picture itself can still be used.") from error
        at += 8 + length + length % 2  # chunks stand on even bytes
    return None
