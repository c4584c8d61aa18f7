"""Reads pictures from files and bytes, safely, into upright 8-bit RGBA; and, re-exported, writes them.

A file's content decides what it is, never its name. Whatever cannot be read raises ``PictureError`` with one
sentence, and nothing that blocks (a FIFO, a device) or explodes (a decompression bomb) is ever opened for
real.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import struct
import threading
import warnings
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import PictureError
from .files import MAX_FILE_BYTES, read_file
from .image_colours import deep_colours, deep_to_rgba, to_rgba
from .image_writing import (
    enlarge,
    grid,
    save_gif,
    save_png,
    strip,
    to_gif_bytes,
    to_png_bytes,
    write_atomically,
)
from .muted import libtiff_muted
from .profiles import png_space
from .recipe import without_recipe
from .slow_formats import check_effort, plain_pnm, reductions
from .tiff import Directory, count_directories, first_directory, is_deep, is_tiff, read_deep

__all__ = [
    "EXTENSIONS",
    "MAX_FILE_BYTES",
    "MAX_KEPT_PIXELS",
    "MAX_PIXELS",
    "READABLE",
    "Picture",
    "enlarge",
    "grid",
    "read_file",
    "read_picture",
    "save_gif",
    "save_png",
    "strip",
    "to_gif_bytes",
    "to_png_bytes",
    "write_atomically",
]

MAX_PIXELS = 150_000_000
"""Pictures that say they have more pixels than this are refused before anything is decoded."""

MAX_KEPT_PIXELS = 2048 * 2048
"""Larger pictures are reduced to about this many pixels on reading: no model sees more than a tiny part of
that."""

READABLE = "PNG, JPEG, WebP, AVIF, GIF, BMP and TIFF"
"""The formats worth naming to a person."""

EXTENSIONS = (
    ".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".jp2", ".ppm", ".pgm", ".pbm", ".ico",
)  # fmt: skip
"""For a file dialog's filter only: reading goes by content."""

# Formats that run no other program and carry their own signature (so not EPS, which calls Ghostscript), and the
# plugins of Pillow that read them.
_PLUGINS = {
    "PNG": "Png", "JPEG": "Jpeg", "MPO": "Mpo", "WEBP": "WebP", "AVIF": "Avif", "GIF": "Gif", "BMP": "Bmp",
    "TIFF": "Tiff", "JPEG2000": "Jpeg2K", "PPM": "Ppm", "ICO": "Ico", "QOI": "Qoi",
}  # fmt: skip
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION_TAG = 0x0112
_TURNED = "Turned upright, as its EXIF data says."


class _Quiet:
    """Pillow warns of large pictures and odd metadata; MAX_PIXELS and the notes say it here.

    Python's filter of warnings belongs to the whole process: whoever begins to decode first sets it, whoever ends last puts
    it back, and pictures are decoded side by side.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._caught: warnings.catch_warnings | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._caught is not None:
                self._caught.__exit__(None, None, None)
                self._caught = None


quiet = _Quiet()


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as a person sees it: ``pixels`` is (H, W, 4) uint8 RGBA, straight alpha, upright, sRGB.

    ``notes`` are sentences about what reading changed ("Turned upright, as its EXIF data says.").
    ``original_size`` is the (width, height) that the file had, upright, before a very large picture was
    reduced.
    """

    pixels: np.ndarray
    name: str = "picture"
    notes: list[str] = field(default_factory=list)
    original_size: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        pixels = self.pixels
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 4 or pixels.size == 0:
            raise ValueError(f"a Picture needs uint8 (H, W, 4), got {pixels.dtype} {pixels.shape}")
        if self.original_size == (0, 0):
            object.__setattr__(self, "original_size", (pixels.shape[1], pixels.shape[0]))

    @classmethod
    def from_array(cls, array: np.ndarray, name: str = "picture") -> Picture:
        """Make a picture of a uint8 array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."""
        array = np.asarray(array)
        if array.ndim == 2:
            array = array[..., None]
        if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.dtype != np.uint8:
            raise ValueError(f"expected uint8 (H, W), (H, W, 1|3|4), got {array.dtype} {array.shape}")
        if array.shape[2] == 1:
            array = np.repeat(array, 3, axis=2)
        if array.shape[2] == 3:
            array = np.concatenate([array, np.full((*array.shape[:2], 1), 255, np.uint8)], axis=2)
        return cls(np.ascontiguousarray(array), name)

    @property
    def width(self) -> int:
        """Width in pixels, as kept."""
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        """Height in pixels, as kept."""
        return self.pixels.shape[0]

    @cached_property
    def opaque(self) -> bool:
        """Whether no pixel lets the background through."""
        return bool((self.pixels[..., 3] == 255).all())


def read_picture(source: str | os.PathLike[str] | bytes, name: str | None = None) -> Picture:
    """Read a picture file, or a picture's bytes, into upright 8-bit RGBA.

    An animation gives its first frame; CMYK and embedded colour profiles become sRGB; 16-bit and
    floating-point values are reduced to 8 bits; a very large picture is reduced to about ``MAX_KEPT_PIXELS``.

    Raises:
        PictureError: with one sentence, for whatever cannot be read.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        name = name or "the pasted picture"
    else:
        name = name or Path(source).name or str(source)
        data = read_file(source, name)
    if not data:
        raise PictureError(
            f"{name} is empty (0 bytes): choose a {READABLE.replace(' and ', ' or ')} picture."
        )
    try:
        return _decode(without_recipe(data), name)
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError(f"{name} needs more memory than there is: make it smaller first.") from error
    except Exception as error:  # Pillow's decoders raise nearly everything on damaged input
        raise PictureError(_damaged_sentence(data, name)) from error


@cache
def _formats() -> tuple[str, ...]:
    """The formats that this Pillow reads; its plugins are loaded here, when the first picture is read."""
    for plugin in _PLUGINS.values():
        with contextlib.suppress(ImportError):
            importlib.import_module(f"PIL.{plugin}ImagePlugin")
    return tuple(name for name in _PLUGINS if name in Image.OPEN)


def _decode(data: bytes, name: str) -> Picture:
    with quiet:
        directory = None
        if is_tiff(data[:4]):
            # What is too long is refused by ValueError, and told as damage; what is cut short Pillow tells
            with contextlib.suppress(struct.error, OverflowError):
                directory = first_directory(io.BytesIO(data))
        with libtiff_muted if directory is not None and directory.is_packed else contextlib.nullcontext():
            if directory is not None and is_deep(directory):
                return _decode_deep(data, directory, name)
            return _decode_plain(data, directory, name)


def _decode_deep(data: bytes, directory: Directory, name: str) -> Picture:
    """A TIFF whose samples Pillow reads wrongly or not at all."""
    _check_size(name, directory.width, directory.height)
    notes = _said_of_frames(count_directories(io.BytesIO(data)))
    deep = read_deep(data, directory, name, MAX_KEPT_PIXELS)
    rgba, colour_notes = deep_to_rgba(deep, name, directory.profile)
    return _upright(
        _reduced(rgba), (directory.width, directory.height), directory.orientation, notes + colour_notes, name
    )


def _decode_plain(data: bytes, directory: Directory | None, name: str) -> Picture:
    try:
        image = plain_pnm(data, name, MAX_PIXELS) or Image.open(io.BytesIO(data), formats=_formats())
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large_sentence(name, None)) from error
    except UnidentifiedImageError as error:
        if directory is not None:
            return _decode_deep(data, directory, name)
        raise PictureError(_unidentified_sentence(data, name)) from error
    with image:
        width, height = image.size
        _check_size(name, width, height)
        check_effort(image, data, name)
        notes = _said_of_frames(_frame_count(image) if directory is None else count_directories(io.BytesIO(data)))
        space = png_space(data) if image.format == "PNG" else None
        deep = deep_colours(image, data)
        orientation = _orientation(image)
        if image.format == "JPEG" and width * height > 2 * MAX_KEPT_PIXELS:
            # A JPEG can be decoded at a half, a quarter or an eighth: four times faster at no visible loss.
            ratio = (MAX_KEPT_PIXELS / (width * height)) ** 0.5
            image.draft(image.mode, (int(width * ratio), int(height * ratio)))
        elif image.format == "JPEG2000":
            # This plugin's own attribute, where Pillow's stubs see the method of all pictures.
            image.reduce = reductions(image, data)  # pyright: ignore[reportAttributeAccessIssue]
        if deep is not None:
            rgba, colour_notes = deep_to_rgba(deep, name, image.info.get("icc_profile") or b"", space)
            rgba = _reduced(rgba)
        else:
            image.load()
            rgba, colour_notes = to_rgba(_reduced(image), name, space)
        turned = _orientation(image)
    if image.format == "TIFF":
        # Pillow turns these itself while it loads them
        width, height = image.size
        notes += [_TURNED] if turned != orientation else []
        orientation = turned
    return _upright(rgba, (width, height), orientation, notes + colour_notes, name)


def _upright(rgba: Image.Image, size: tuple[int, int], orientation: int, notes: list[str], name: str) -> Picture:
    """The picture of an image that is to be turned; ``size`` is what its file said."""
    width, height = size
    if orientation in _UPRIGHT:
        rgba = rgba.transpose(_UPRIGHT[orientation])
        notes.append(_TURNED)
        if orientation >= 5:
            width, height = height, width
    if (width, height) != rgba.size:
        notes.append(f"Reduced from {width}×{height} to {rgba.width}×{rgba.height} pixels.")
    pixels = np.array(rgba, dtype=np.uint8)
    if (pixels[..., 3] != 255).any():
        notes.append("Partly transparent: the background shows through.")
    pixels.setflags(write=False)
    return Picture(pixels, name, notes, (width, height))


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PictureError(_too_large_sentence(name, (width, height)))
    if width <= 0 or height <= 0:
        raise PictureError(f"{name} has no pixels: it says it is {width}×{height}.")


def _said_of_frames(frames: int) -> list[str]:
    return [f"The first frame of {frames}."] if frames > 1 else []


def _reduced(image: Image.Image) -> Image.Image:
    if image.width * image.height <= MAX_KEPT_PIXELS:
        return image
    factor = (image.width * image.height / MAX_KEPT_PIXELS) ** 0.5
    size = (max(1, round(image.width / factor)), max(1, round(image.height / factor)))
    if image.mode in ("P", "PA", "1") or "transparency" in image.info:
        # Indices cannot be averaged, and a colour key would not survive it. Taking every n-th pixel first, down to
        # four for one that is kept, bounds the memory of the conversion.
        if factor > 2:
            image = image.resize((2 * size[0], 2 * size[1]), Image.Resampling.NEAREST)
        image = image.convert("RGBA")
    profile = image.info.get("icc_profile")
    image = image.resize(
        size, Image.Resampling.BOX if image.mode.startswith("I;") else Image.Resampling.LANCZOS
    )
    if profile:
        image.info["icc_profile"] = profile
    return image


def _frame_count(image: Image.Image) -> int:
    # An MPO is one photograph with previews beside it, an ICO one icon at several sizes: no animations.
    if image.format in ("MPO", "ICO"):
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # counting frames reads ahead, into what may be damaged; the first frame may be whole
        image.seek(0)
        return 1


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # EXIF data are often malformed; the picture is still good
        return 1


def _too_large_sentence(name: str, size: tuple[int, int] | None) -> str:
    says = (
        f"says it is {size[0]:,}×{size[1]:,} pixels" if size else "says it has hundreds of millions of pixels"
    )
    return f"{name} {says}, more than the {MAX_PIXELS / 1e6:,.0f} million that can be read: make it smaller first."


def _unidentified_sentence(data: bytes, name: str) -> str:
    head = data[:4096]
    works = f"{READABLE} pictures can be read."
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
        return f"{name} is a HEIC photo, which cannot be read here: save it as JPEG or PNG first."
    if head.startswith(b"%PDF"):
        return f"{name} is a PDF document, not a picture: export its page as PNG first."
    if b"<svg" in head.lower():
        return f"{name} is an SVG drawing: export it as PNG first."
    if _is_damaged_start(head):
        return _damaged_sentence(data, name)
    try:
        # A cut at 4,096 may split a character: up to three bytes of it may be missing.
        text = head.decode("utf-8", errors="strict" if len(data) <= len(head) else "ignore")
    except UnicodeDecodeError:
        text = ""
    if text and all(c.isprintable() or c in "\t\r\n\f\x1b" for c in text):
        return f"{name} holds text, not a picture; {works}"
    return f"{name} is not a picture; {works}"


def _is_damaged_start(head: bytes) -> bool:
    return (
        head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM"))
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or head[4:12] in (b"ftypavif", b"ftypavis")
    )


def _damaged_sentence(data: bytes, name: str) -> str:
    if data.startswith(b"\xff\xd8\xff") and b"\xff\xd9" not in data[-64:]:
        return f"{name} is cut short: the file ends before the picture does; copy or download it again."
    return f"{name} is damaged or cut short and cannot be decoded: copy or download it again."
