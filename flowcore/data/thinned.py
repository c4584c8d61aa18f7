"""A pile of pictures as a model sees it: a folder (or other data) read once, evenly thinned, what is broken named and left out.

Torch-free.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from ..errors import ConfigError, DataError
from ..pictures.images import Picture
from .datasets import array_parts, open_source
from .loading import load
from .reading import Reading, fit_picture

__all__ = ["THINNED_SIZE", "ThinnedSet", "check_sets", "output_names", "read_thinned"]

THINNED_SIZE = 1000
"""So many pictures of a pile are looked at, evenly spread over all: more hardly move its mean, or its commonest directions."""


@dataclass
class ThinnedSet:
    """``pictures`` uint8 (N, H, W, C) with ``names``, of ``total`` that there are; ``left_out`` are (name, sentence) pairs."""

    pictures: np.ndarray
    names: list[str]
    total: int
    left_out: list[tuple[str, str]] = field(default_factory=list)


def read_thinned(
    path: str | os.PathLike[str],
    size: tuple[int, int],
    channels: int,
    limit: int = THINNED_SIZE,
    on_progress: Callable[[int, int], None] | None = None,
) -> ThinnedSet:
    """The pictures of a folder, zip or array, brought to ``size`` (height, width), at most ``limit`` of them.

    ``on_progress(done, total)`` may raise to stop the reading.

    Raises:
        DataError: in one sentence, where there is nothing that can be read.
    """
    path = Path(path).expanduser()
    shape, reading = (*size, channels), Reading(channels=channels)
    parts = array_parts(path)
    if parts is None:
        source = open_source(path)
        chosen = _spread(len(source.names), limit)
        loaded = load(source, chosen, reading, size, on_progress)
        names = [source.names[index] for index in loaded.kept]
        return ThinnedSet(loaded.pictures, names, len(source.names), sorted(source.left_out + loaded.left_out))
    rows = [(own, part.pictures, index) for own, part in parts.items() for index in range(len(part.pictures))]
    if not rows:
        raise DataError(f"{path} holds no pictures.")
    chosen = _spread(len(rows), limit)
    pictures = np.empty((len(chosen), *shape), np.uint8)
    for done, index in enumerate(chosen):
        _, array, number = rows[index]
        own = np.asarray(array[number])
        pictures[done] = own if own.shape == shape else fit_picture(Picture.from_array(own), reading, shape)
        if on_progress is not None:
            on_progress(done + 1, len(chosen))
    return ThinnedSet(pictures, [f"{rows[index][0]} {rows[index][2]}".strip() for index in chosen], len(rows))


def check_sets(a: np.ndarray, b: np.ndarray, names: Sequence[str] = ("A", "B")) -> None:
    """Whether there is a way from one pile of pictures (N, H, W, C) to another at all.

    Raises:
        ConfigError: in one sentence, for a pile of fewer than two pictures, or for two that hold the same pictures.
    """
    for name, pile in zip(names, (a, b), strict=True):
        if len(pile) < 2:
            count = "no picture" if not len(pile) else "one picture"
            raise ConfigError(f"{name} holds {count}: a pile needs at least two, to tell what its pictures have in common.")
    if len(a) == len(b) and Counter(_rows(a)) == Counter(_rows(b)):
        raise ConfigError(f"{names[0]} and {names[1]} hold the same pictures, so nothing would change; choose another pile.")


def output_names(names: Sequence[str]) -> list[str]:
    """A file name ending in .png for each picture, after its own; no two are the same, in any case of letters."""
    taken: Counter[str] = Counter()
    given: set[str] = set()
    result = []
    for name in names:
        stem = PurePosixPath(name.replace("\\", "/")).stem or "picture"
        taken[stem.casefold()] += 1
        number = taken[stem.casefold()]
        made = f"{stem}.png" if number == 1 else f"{stem}-{number}.png"
        while made.casefold() in given:
            number += 1
            made = f"{stem}-{number}.png"
        taken[stem.casefold()] = number
        given.add(made.casefold())
        result.append(made)
    return result


def _rows(pile: np.ndarray) -> Iterator[bytes]:
    return (row.tobytes() for row in pile)


def _spread(count: int, limit: int) -> list[int]:
    """At most ``limit`` of ``count`` numbers, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(int)).tolist() if count else []
