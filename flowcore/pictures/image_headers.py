"""Reads what a picture's file says of itself, without decoding its pixels."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from ..errors import PictureError
from .images import (
    MAX_FILE_BYTES,
    READABLE,
    _check_size,
    _formats,
    _orientation,
    _too_large_sentence,
    _unidentified_sentence,
    quiet,
    read_file,
    read_picture,
)
from .recipe import without_recipe
from .tiff import first_directory, is_deep, is_tiff

__all__ = ["Header", "read_header"]

_GREY_MODES = ("1", "L", "LA", "La", "I", "F")
_ORIENTATION_KEYS = ("exif", "Raw profile type exif", "XML:com.adobe.xmp")
_TAIL = 64


@dataclass(frozen=True)
class Header:
    """What a file says it holds: ``width`` × ``height`` pixels upright, whether grey, whether transparent.

    ``bytes`` is the file's length.
    """

    width: int
    height: int
    grey: bool
    alpha: bool
    format: str
    bytes: int


def read_header(source: str | os.PathLike[str] | bytes, name: str) -> Header:
    """The header of a picture's file, or of its bytes.

    A file that does not end as its format does is decoded after all, so that one cut short is told here as
    :func:`~flowcore.pictures.images.read_picture` would tell it; damage within is not.

    Raises:
        PictureError: with the sentence of ``read_picture``, for whatever is seen not to be readable.
    """
    if isinstance(source, bytes):
        if not source:
            read_picture(source, name)
        header, whole = _read(io.BytesIO(source), len(source), name)
    else:
        with _open(source, name) as file:
            header, whole = _read(file, os.fstat(file.fileno()).st_size, name)
    if not whole:
        read_picture(source, name)
    return header


def _open(path: str | os.PathLike[str], name: str) -> BinaryIO:
    """The file where it is a regular one of a readable size; else what ``read_file`` says of it."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        file = os.fdopen(os.open(path, flags), "rb")
    except (OSError, ValueError):
        read_file(path, name)
        raise PictureError(f"{name} cannot be opened.") from None
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode) and 0 < status.st_size <= MAX_FILE_BYTES:
        return file
    file.close()
    read_picture(path, name)
    raise PictureError(f"{name} is not a picture; {READABLE} pictures can be read.")


def _read(file: BinaryIO, length: int, name: str) -> tuple[Header, bool]:
    """The header, and whether the file ends as a whole one does."""
    try:
        with quiet:
            header = _tiff_header(file, length, name)
            if header is None:
                file.seek(0)
                header = _header(Image.open(file, formats=_formats()), length, name)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large_sentence(name, None)) from error
    except UnidentifiedImageError as error:
        file.seek(0)
        raise PictureError(_unidentified_sentence(file.read(), name)) from error
    except Exception:  # a damaged header raises nearly everything; reading it whole says what is wrong
        file.seek(0)
        data = file.read()
        read_picture(data, name)
        plain = without_recipe(data)
        if plain is data:
            raise
        # A recipe of an older version may be longer than Pillow takes.
        return _read(io.BytesIO(plain), len(plain), name)
    file.seek(0)
    head = file.read(12)
    file.seek(max(0, length - _TAIL))
    return header, _ends_well(header.format, head, file.read(_TAIL), length)


def _tiff_header(file: BinaryIO, length: int, name: str) -> Header | None:
    """Of a TIFF by its own tags; None for anything else, or one whose tags cannot be read."""
    if not is_tiff(file.read(4)):
        return None
    try:
        found = first_directory(file)
    except (struct.error, OverflowError):
        return None
    except ValueError:
        file.seek(0)
        read_picture(file.read(), name)
        raise
    _check_size(name, found.width, found.height)
    if not is_deep(found):
        # Whether Pillow can read it, Pillow must say
        file.seek(0)
        with contextlib.suppress(UnidentifiedImageError):
            image = Image.open(file, formats=_formats())
            turned = _orientation(image) >= 5
            return Header(
                *((found.height, found.width) if turned else (found.width, found.height)),
                _is_grey(image), _has_alpha(image), "TIFF", length,
            )  # fmt: skip
    size = (found.height, found.width) if found.orientation >= 5 else (found.width, found.height)
    return Header(*size, found.photometric in (0, 1), found.channels[1] is not None, "TIFF", length)


def _header(image: Image.Image, length: int, name: str) -> Header:
    width, height = image.size
    _check_size(name, width, height)
    # Pillow decodes a whole PNG to look for EXIF data behind its pixels
    looked_for = image.format != "PNG" or any(key in image.info for key in _ORIENTATION_KEYS)
    if looked_for and _orientation(image) >= 5:
        width, height = height, width
    return Header(width, height, _is_grey(image), _has_alpha(image), image.format or "", length)


def _is_grey(image: Image.Image) -> bool:
    return image.mode in _GREY_MODES or image.mode.startswith("I;16")


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info


def _ends_well(format_: str, head: bytes, tail: bytes, length: int) -> bool:
    if format_ in ("JPEG", "MPO"):
        return b"\xff\xd9" in tail
    if format_ == "PNG":
        return b"IEND" in tail
    if format_ == "GIF":
        return tail.rstrip(b"\0").endswith(b";")
    if format_ == "WEBP":
        return int.from_bytes(head[4:8], "little") + 8 <= length
    if format_ == "BMP":
        return 0 < int.from_bytes(head[2:6], "little") <= length
    return False
