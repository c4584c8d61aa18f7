"""What is found in a person's data before anything is trained on it: counts, sizes, classes, what is left out and why.

Of single pictures the headers are read and hardly any is decoded. No torch here.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..pictures.image_headers import Header
from .attributes import Attributes, read_attributes
from .datasets import array_parts, open_source
from .idx_npz import Part
from .loading import exceeds
from .reading import Reading, too_small
from .sources import Source, assign_splits
from .stream import scan

__all__ = ["SHORTER_SIDES", "Survey", "survey"]

SHORTER_SIDES = (16, 32, 64, 128, 256, 512, 1024, 2048)
"""Where the histogram of shorter sides is divided, in pixels."""

_COMMON_SIZES = 10


@dataclass
class Survey:
    """What a data set holds.

    ``kind`` is "folder", "zip", "hub" or "arrays"; ``count`` the pictures that can be used, ``left_out`` (name, sentence) of
    the others. ``sizes`` are the commonest [width, height, pictures]; ``sides`` [from, below, pictures] by the shorter side,
    ``below`` None for the last. ``modes`` counts "grey", "colour" and "transparent" (of either), as the headers say.
    ``classes`` and ``splits`` give pictures by name; ``attributes`` of a table how many pictures have each.
    ``memory`` is what all of them take at ``size`` (height, width), in bytes, and ``streamed`` whether that is more than would
    be held. ``bytes`` is their length on disk.
    """

    path: str
    kind: str
    count: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)
    smallest: tuple[int, int] | None = None
    largest: tuple[int, int] | None = None
    sizes: list[tuple[int, int, int]] = field(default_factory=list)
    sides: list[tuple[int, int | None, int]] = field(default_factory=list)
    modes: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    attributes: dict[str, int] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    channels: int = 3
    bytes: int = 0
    memory: int = 0
    streamed: bool = False
    seconds: float = 0.0

    @property
    def one_size(self) -> bool:
        """Whether all pictures have the same width and height."""
        return self.smallest is not None and self.smallest == self.largest and len(self.sizes) == 1

    def to_dict(self) -> dict:
        """Plain values for JSON."""
        values = asdict(self)
        values["left_out"] = [{"name": name, "reason": sentence} for name, sentence in self.left_out]
        return values


def survey(
    path: str | os.PathLike[str],
    size: int | tuple[int, int] | None = None,
    *,
    channels: int | None = None,
    minimum: int = 1,
    validation: float = 0.05,
    seed: int = 0,
    attributes: str | os.PathLike[str] | None = None,
    labels_from: str | None = None,
    memory: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Look at all that :func:`~flowcore.data.datasets.open_dataset` would read with these arguments.

    ``size`` is what the pictures would be brought to, by default their commonest.

    Raises:
        DataError: in one sentence, where there is nothing that could be used.
    """
    began = time.perf_counter()
    reading = Reading(channels=channels, minimum=minimum)
    if labels_from is not None and attributes is None:
        raise DataError(f"Classes from the column {labels_from!r} need a table of attributes.")
    table = read_attributes(Path(attributes).expanduser()) if attributes is not None else None
    parts = array_parts(path)
    where = str(path)
    if parts is not None:
        names = [f"{own} {i}".strip() for own, part in parts.items() for i in range(len(part.pictures))]
        rows = table.rows_of(names) if table is not None else None
        result, kept = _of_arrays(where, parts, validation, seed), range(len(names))
    else:
        source = open_source(path)
        rows = table.rows_of(source.names) if table is not None else None
        result, kept = _of_source(where, source, reading, validation, seed, rows, table, on_progress)
    if table is not None and rows is not None:
        having = (table.values[rows[kept]] > 0).sum(axis=0)
        result.attributes = {name: int(count) for name, count in zip(table.names, having, strict=True)}
        if labels_from is not None:
            classes, numbers = table.classes_from(labels_from)
            result.classes = _count([classes[number] for number in numbers[rows[kept]]], classes)
    if size is not None:
        result.size = (size, size) if isinstance(size, int) else (size[0], size[1])
    elif result.sizes:
        result.size = (result.sizes[0][1], result.sizes[0][0])
    result.channels = channels or (1 if result.modes.get("grey") == result.count and result.count else 3)
    if result.size is not None:
        result.memory = result.count * result.size[0] * result.size[1] * result.channels
    on_disk = parts is None or any(isinstance(part.pictures, np.memmap) for part in parts.values())
    result.streamed = on_disk and exceeds((result.memory,), memory)
    result.seconds = time.perf_counter() - began
    return result


def _of_source(
    where: str,
    source: Source,
    reading: Reading,
    validation: float,
    seed: int,
    rows: np.ndarray | None,
    table: Attributes | None,
    on_progress: Callable[[int, int], None] | None,
) -> tuple[Survey, list[int]]:
    result = Survey(where, source.kind, left_out=list(source.left_out))
    splits = assign_splits(source.names, source.own, validation, seed)
    sizes: Counter[tuple[int, int]] = Counter()
    modes: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    kept: list[int] = []
    listed = range(len(source.names))
    if rows is not None and table is not None:
        lost = [source.names[number] for number in listed if rows[number] < 0]
        result.left_out += [(name, f"{name} has no row in {table.where}.") for name in lost]
        listed = [number for number in listed if rows[number] >= 0]
    for number, header in scan(source, listed, on_progress):
        name = source.names[number]
        sentence = header if not isinstance(header, Header) else too_small(name, header.width, header.height, reading)
        if sentence or not isinstance(header, Header):
            result.left_out.append((name, sentence))
            continue
        kept.append(number)
        sizes[header.width, header.height] += 1
        modes["grey" if header.grey else "colour"] += 1
        modes["transparent"] += header.alpha
        formats[header.format] += 1
        result.bytes += header.bytes
    result.left_out.sort()
    result.modes = {name: modes[name] for name in ("grey", "colour", "transparent") if modes[name]}
    result.formats = dict(formats.most_common())
    result.splits = _count([splits[number] for number in kept], ("train", "validation", "test"))
    # Pictures to test on often have no classes
    classes = source.classes_of([number for number in kept if splits[number] == "train"])
    if classes:
        result.classes = _count([source.kinds[number] for number in kept], classes)
    _add_sizes(result, sizes)
    return result, kept


def _of_arrays(where: str, parts: dict[str, Part], validation: float, seed: int) -> Survey:
    result = Survey(where, "arrays")
    sizes: Counter[tuple[int, int]] = Counter()
    modes: Counter[str] = Counter()
    splits: list[str] = []
    labels: list[int] = []
    names: list[str] = []
    for own, part in parts.items():
        count, height, width, channels = part.pictures.shape
        sizes[width, height] += count
        modes["grey" if channels == 1 else "colour"] += count
        modes["transparent"] += count if channels == 4 else 0
        result.bytes += part.pictures.nbytes
        keys = [str(index) for index in range(count)]
        drawn = own == "train" and "validation" not in parts or not own
        splits += assign_splits(keys, [own] * count, validation, seed) if drawn else [own] * count
        if part.labels is not None:
            labels += part.labels.tolist()
            names = max(names, part.classes, key=len)
    result.modes = {name: modes[name] for name in ("grey", "colour", "transparent") if modes[name]}
    result.splits = _count(splits, ("train", "validation", "test"))
    if labels and len(labels) == len(splits):
        result.classes = _count([names[label] for label in labels], names)
    _add_sizes(result, sizes)
    return result


def _add_sizes(result: Survey, sizes: Counter[tuple[int, int]]) -> None:
    result.count = sum(sizes.values())
    if not sizes:
        return
    by_area = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    result.smallest, result.largest = by_area[0], by_area[-1]
    ranked = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    result.sizes = [(*size, count) for size, count in ranked[:_COMMON_SIZES]]
    edges = (1, *SHORTER_SIDES)
    for low, high in zip(edges, (*edges[1:], None), strict=True):
        count = sum(n for size, n in sizes.items() if low <= min(size) and (high is None or min(size) < high))
        if count:
            result.sides.append((low, high, count))


def _count(values: Sequence[str], order: Sequence[str]) -> dict[str, int]:
    counts = Counter(values)
    return {name: counts[name] for name in order if counts[name]}
