"""Writes pictures: PNG with its recipe, animated GIF, grids and strips; every file whole or not at all."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..atomic import replacing
from ..errors import PictureError
from .recipe import embed, to_comment

__all__ = [
    "enlarge",
    "grid",
    "save_gif",
    "save_png",
    "strip",
    "to_gif_bytes",
    "to_png_bytes",
    "write_atomically",
]

MAX_WRITTEN_PIXELS = 100_000_000
"""The largest picture that is written, in pixels: 64 faces enlarged thirty times still fit."""


def to_png_bytes(array: np.ndarray, recipe: dict | None = None) -> bytes:
    """Encode uint8 (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as PNG, losslessly, with its recipe inside if
    given."""
    buffer = io.BytesIO()
    _to_image(array).save(buffer, "PNG", compress_level=6)
    data = buffer.getvalue()
    if recipe is None:
        return data
    return embed(data, recipe)


def save_png(
    path: str | os.PathLike[str],
    array: np.ndarray,
    recipe: dict | None = None,
    scale: int = 1,
    smooth: bool = False,
) -> Path:
    """Write a picture as PNG, ``scale`` times enlarged (by whole pixels unless ``smooth``), whole or not at
    all.

    Returns the path. Raises PictureError where it cannot be written.
    """
    return write_atomically(path, to_png_bytes(enlarge(array, scale, smooth), recipe))


def to_gif_bytes(
    frames: Sequence[np.ndarray] | np.ndarray,
    recipe: dict | None = None,
    scale: int = 1,
    milliseconds: int | Sequence[int] = 80,
    there_and_back: bool = False,
    smooth: bool = False,
    tick: Callable[[float], object] | None = None,
) -> bytes:
    """Encode frames, each uint8 (H, W[, 1|3]), as a GIF that loops for ever.

    ``milliseconds`` is how long a frame stands, or how long each does (GIF counts in hundredths of a second; players
    dislike under 20); ``there_and_back`` appends the way back, without showing either end twice. Each frame gets its own
    palette. ``tick`` is told how much of 1 is done before each frame; what it raises ends the work.

    Raises:
        PictureError: with no frames, or with frames of different sizes.
    """
    frames = [np.asarray(frame) for frame in frames]
    if not frames:
        raise PictureError("An animation needs at least one frame.")
    if any(frame.shape != frames[0].shape for frame in frames):
        raise PictureError("An animation's frames must all have the same size.")
    if there_and_back:
        frames = frames + frames[-2:0:-1]
    images = []
    for index, frame in enumerate(frames):
        if tick is not None:
            tick(index / len(frames))
        image = _to_image(enlarge(frame, scale, smooth))
        if image.mode == "RGBA":
            image = image.convert("RGB")
        if image.mode == "RGB":
            image = image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)
        images.append(image)
    options: dict = {}
    if recipe is not None:
        options["comment"] = to_comment(recipe)
    buffer = io.BytesIO()
    images[0].save(
        buffer, "GIF", save_all=True, append_images=images[1:], loop=0, optimize=False,
        duration=_stands(milliseconds), disposal=1, **options,
    )  # fmt: skip
    return buffer.getvalue()


def _stands(milliseconds: int | Sequence[int]) -> int | list[int]:
    if isinstance(milliseconds, Sequence):
        return [max(20, int(value)) for value in milliseconds]
    return max(20, int(milliseconds))


def save_gif(
    path: str | os.PathLike[str],
    frames: Sequence[np.ndarray] | np.ndarray,
    recipe: dict | None = None,
    scale: int = 1,
    milliseconds: int = 80,
    there_and_back: bool = False,
    smooth: bool = False,
) -> Path:
    """Write frames as an animated GIF, whole or not at all; see :func:`to_gif_bytes`. Returns the path."""
    return write_atomically(path, to_gif_bytes(frames, recipe, scale, milliseconds, there_and_back, smooth))


def grid(
    pictures: Sequence[np.ndarray] | np.ndarray,
    columns: int | None = None,
    gap: int = 0,
    background: int | tuple[int, int, int] = 255,
) -> np.ndarray:
    """Lay N pictures, each uint8 (H, W, C), out row by row: (rows·H + gaps, columns·W + gaps, C).

    ``columns`` is the square root of N, rounded up, where not given; cells that no picture fills keep the
    background.

    Raises:
        PictureError: with no pictures, or with pictures of different sizes.
    """
    pictures = [_with_channels(picture) for picture in pictures]
    if not pictures:
        raise PictureError("A grid needs at least one picture.")
    if any(picture.shape != pictures[0].shape for picture in pictures):
        raise PictureError("A grid's pictures must all have the same size.")
    count = len(pictures)
    columns = min(count, columns or int(np.ceil(np.sqrt(count))))
    rows = -(-count // columns)
    height, width, channels = pictures[0].shape
    shape = (rows * height + (rows - 1) * gap, columns * width + (columns - 1) * gap, channels)
    sheet = np.empty(shape, np.uint8)
    sheet[...] = background if channels == 3 or isinstance(background, int) else background[0]
    for index, picture in enumerate(pictures):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def strip(pictures: Sequence[np.ndarray] | np.ndarray, gap: int = 0) -> np.ndarray:
    """Lay pictures out in one row: (H, N·W + gaps, C)."""
    return grid(pictures, columns=max(1, len(pictures)), gap=gap)


def enlarge(array: np.ndarray, factor: int, smooth: bool = False) -> np.ndarray:
    """Enlarge uint8 (H, W[, C]) a whole number of times: by whole pixels, or smoothly (Lanczos).

    Raises:
        PictureError: for a factor below 1, or a result of more than 100 million pixels.
    """
    array = np.asarray(array)
    if not (factor >= 1 and math.isfinite(factor) and int(factor) == factor):
        raise PictureError(f"A picture can be enlarged 1, 2, 3 … times, not {factor} times.")
    factor = int(factor)
    height, width = array.shape[:2]
    if height * width * factor * factor > MAX_WRITTEN_PIXELS:
        raise PictureError(
            f"Enlarged {factor} times, the picture would be {width * factor:,}×{height * factor:,} pixels, "
            f"more than the {MAX_WRITTEN_PIXELS / 1e6:,.0f} million that can be written: choose a smaller factor."
        )
    if factor == 1:
        return array
    if not smooth:
        return array.repeat(factor, axis=0).repeat(factor, axis=1)
    image = _to_image(array).resize((width * factor, height * factor), Image.Resampling.LANCZOS)
    return np.asarray(image).reshape(height * factor, width * factor, *array.shape[2:])


def write_atomically(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write bytes to a file so that a reader sees the old content or the new, never a part.

    A link is followed: what it points to is replaced. Parent folders are not made.

    Raises:
        PictureError: in one sentence, where it cannot be written; nothing is then left behind.
    """
    shown = Path(path)
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except (OSError, ValueError) as error:
        raise PictureError(_unwritten_sentence(shown, error)) from error
    return shown


def _unwritten_sentence(shown: Path, error: Exception) -> str:
    if isinstance(error, ValueError):
        return f"{str(shown)!r} cannot be written: it is no file name."
    if isinstance(error, FileNotFoundError):
        return f"{shown} cannot be written: there is no folder {shown.parent}."
    if isinstance(error, NotADirectoryError):
        return f"{shown} cannot be written: {shown.parent} is not a folder."
    if isinstance(error, PermissionError):
        return f"{shown} cannot be written: its permissions do not allow it; choose another place."
    return f"{shown} cannot be written: {getattr(error, 'strerror', None) or error}."


def _with_channels(array: np.ndarray) -> np.ndarray:
    array = np.asarray(array)
    return array[..., None] if array.ndim == 2 else array


def _to_image(array: np.ndarray) -> Image.Image:
    array = _with_channels(array)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.size == 0:
        raise ValueError(f"expected uint8 (H, W[, 1|3|4]), got {array.dtype} {array.shape}")
    return Image.fromarray(np.ascontiguousarray(array[..., 0] if array.shape[2] == 1 else array))
