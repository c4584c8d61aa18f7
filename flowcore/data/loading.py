"""The chosen pictures of a source, all decoded now or each when it is used: the same bytes either way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from ..errors import DataError, PictureError
from ..memory import free_memory
from ..pictures.image_headers import Header
from ..pictures.images import Picture, read_picture
from .idx_npz import MAX_ARRAY_BYTES
from .reading import Reading, bars, fit_picture, too_small
from .sources import Source
from .stream import StreamedPictures, all_grey, scan

__all__ = ["MEMORY_SHARE", "Loaded", "allocate", "exceeds", "is_streamed", "load", "stream"]

MEMORY_SHARE = 0.25
"""The share of the free memory that pictures may take before they are streamed."""

P = TypeVar("P", np.ndarray, StreamedPictures)
Padding = tuple[int, int, int, int]
OnProgress = Callable[[int, int], None]


@dataclass
class Loaded(Generic[P]):
    """``pictures`` of the numbers ``kept``; ``left_out`` are (name, sentence) pairs."""

    pictures: P
    kept: np.ndarray
    left_out: list[tuple[str, str]]
    padding: Padding


def is_streamed(
    source: Source, chosen: Sequence[int], reading: Reading, size: tuple[int, int] | None, memory: int | None
) -> bool:
    """Whether the chosen pictures need more than ``memory`` bytes, by default a quarter of what is free."""
    if size is None:
        size = next(((h.height, h.width) for _, h in scan(source, chosen) if isinstance(h, Header)), (1, 1))
    return exceeds((len(chosen), *size, reading.channels or 3), memory)


def exceeds(shape: tuple[int, ...], memory: int | None) -> bool:
    """Whether so many bytes are more than ``memory``, by default a quarter of what is free."""
    budget = int(MEMORY_SHARE * free_memory()) if memory is None else memory
    return int(np.prod(shape, dtype=np.float64)) > budget


def load(
    source: Source,
    chosen: Sequence[int],
    reading: Reading,
    size: tuple[int, int] | None,
    on_progress: OnProgress | None = None,
) -> Loaded[np.ndarray]:
    """Decode every chosen picture into one array.

    Raises:
        DataError: where none can be read, sizes differ and no one size was chosen, or memory does not suffice.
    """
    pictures: np.ndarray | None = None
    first: Picture | None = None
    grey = reading.channels is None
    kept: list[int] = []
    left_out: list[tuple[str, str]] = []
    paddings: set[Padding] = set()
    for done, number in enumerate(chosen, 1):
        if on_progress is not None:
            on_progress(done, len(chosen))
        name, path = source.names[number], source.path(number)
        try:
            picture = read_picture(path if path is not None else source.read(number), name)
            if sentence := too_small(name, *picture.original_size, reading):
                raise PictureError(sentence)
        except PictureError as error:
            left_out.append((name, str(error)))
            continue
        if pictures is None or first is None:
            first = picture
            size_here = size or (picture.height, picture.width)
            pictures = allocate((len(chosen), *size_here, reading.channels or 3), source.where)
        elif size is None and picture.pixels.shape != first.pixels.shape:
            raise _different(
                source, first.name, first.original_size, picture.name, picture.original_size
            )
        row = pictures[len(kept)]
        row[...] = fit_picture(picture, reading, row.shape)
        paddings.add(bars(picture.width, picture.height, reading, row.shape[:2]))
        grey = grey and bool((row[..., :1] == row).all())
        kept.append(number)
    if pictures is None:
        raise _none(source, chosen, left_out)
    pictures = pictures[: len(kept)]
    if grey:
        pictures = np.ascontiguousarray(pictures[..., :1])
    return Loaded(pictures, np.array(kept, np.int64), left_out, _common(paddings))


def stream(
    source: Source,
    chosen: Sequence[int],
    labels: np.ndarray | None,
    reading: Reading,
    size: tuple[int, int] | None,
    on_progress: OnProgress | None = None,
    workers: int | None = None,
    on_broken: Callable[[str, str], None] | None = None,
) -> Loaded[StreamedPictures]:
    """Look at every chosen picture's header, and decode it when it is used.

    Raises:
        DataError: as :func:`load` does.
    """
    kept: list[tuple[int, Header]] = []
    left_out: list[tuple[str, str]] = []
    paddings: set[Padding] = set()
    first: tuple[int, Header] | None = None
    for number, header in scan(source, chosen, on_progress):
        name = source.names[number]
        if not isinstance(header, Header):
            left_out.append((name, header))
            continue
        if sentence := too_small(name, header.width, header.height, reading):
            left_out.append((name, sentence))
            continue
        if first is None:
            first = number, header
        elif size is None and (header.width, header.height) != (first[1].width, first[1].height):
            before, here = ((h.width, h.height) for h in (first[1], header))
            raise _different(source, source.names[first[0]], before, name, here)
        if size is not None:
            paddings.add(bars(header.width, header.height, reading, size))
        kept.append((number, header))
    if first is None:
        raise _none(source, chosen, left_out)
    if size is None:
        # Very large pictures are reduced on reading, so the first one is asked itself
        data = source.path(first[0])
        picture = read_picture(data if data is not None else source.read(first[0]), source.names[first[0]])
        size = picture.height, picture.width
    channels = reading.channels or (1 if all_grey(source, kept, reading, size) else 3)
    numbers = np.array([number for number, _ in kept], np.int64)
    pictures = StreamedPictures(
        source, numbers, replace(reading, channels=channels), (*size, channels),
        None if labels is None else labels[numbers], on_broken, workers,
    )  # fmt: skip
    return Loaded(pictures, numbers, left_out, _common(paddings))


def allocate(shape: tuple[int, ...], where: str | Path) -> np.ndarray:
    """Zeros, uint8. Raises DataError where there is not the memory."""
    if int(np.prod(shape, dtype=np.float64)) > MAX_ARRAY_BYTES:
        raise DataError(
            f"{where} would need more than {MAX_ARRAY_BYTES / 2**30:.0f} GiB: choose a smaller size."
        )
    try:
        return np.zeros(shape, np.uint8)
    except MemoryError as error:
        raise DataError(f"{where} needs more memory than there is: choose a smaller size.") from error


def _common(paddings: set[Padding]) -> Padding:
    """The padding that all pictures have; where it differs, no part of the shape is empty in all of them."""
    return next(iter(paddings)) if len(paddings) == 1 else (0, 0, 0, 0)


def _different(
    source: Source, first: str, first_size: tuple[int, int], other: str, other_size: tuple[int, int]
) -> DataError:
    return DataError(
        f"{source.where} holds pictures of different sizes ({first} is {first_size[0]}×{first_size[1]}, "
        f"{other} is {other_size[0]}×{other_size[1]}): give one size to bring them all to."
    )


def _none(source: Source, chosen: Sequence[int], left_out: list[tuple[str, str]]) -> DataError:
    return DataError(
        f"None of the {len(chosen)} files in {source.where} can be read; the first: {left_out[0][1]}"
    )
