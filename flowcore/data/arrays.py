"""Data sets that come as arrays of pictures of one size: idx files, .npz and .npy."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..pictures.images import Picture
from .attributes import Attributes
from .hub import is_hub_name
from .idx_npz import Part, is_idx_folder, is_idx_name, read_idx_parts, read_npy_parts, read_npz_parts
from .loading import allocate, exceeds
from .picture_set import PictureSet
from .reading import bars, fit_picture, too_small
from .request import GIVE, Request
from .rows import MappedRows

__all__ = ["array_parts", "from_arrays", "holds_arrays"]

_READERS = {".npz": read_npz_parts, ".npy": read_npy_parts}


def holds_arrays(path: str | os.PathLike[str]) -> bool:
    """Whether the data comes as an array, whose pictures have one size already."""
    if is_hub_name(path):
        return False
    path = Path(path)
    if path.is_dir():
        return is_idx_folder(path)
    return is_idx_name(path.name) or path.suffix.lower() in _READERS


def array_parts(path: str | os.PathLike[str], sources: bool = False) -> dict[str, Part] | None:
    """The arrays that the data comes as, by part; None for data of single pictures. With what they were cut from, if asked.

    Raises:
        DataError: where they cannot be read, or there is nothing at ``path``.
    """
    if is_hub_name(path):
        return None
    path = Path(path)
    if not path.exists():
        raise DataError(f"There is no data at {path}: {GIVE}.")
    if not holds_arrays(path) or not (path.is_dir() or path.is_file()):
        return None
    if path.is_file() and path.suffix.lower() == ".npz":
        return read_npz_parts(path, sources)
    read = read_idx_parts if path.is_dir() else _READERS.get(path.suffix.lower(), read_idx_parts)
    return read(path)


def from_arrays(
    path: Path, parts: dict[str, Part], request: Request, memory: int | None, anew: bool = False
) -> PictureSet:
    """What is asked for of the parts, made to fit; a .npy of more than ``memory`` bytes stays on disk.

    Where they are to be cut ``anew`` at each visit, the arrays stay as they are, with the parts' sources.

    Raises:
        DataError: where the parts do not fit together, or hold nothing of the split.
    """
    shapes = {part.pictures.shape[1:] for part in parts.values()}
    if len(shapes) > 1:
        raise DataError(
            f"The parts of {path} hold pictures of different shapes: {', '.join(map(str, shapes))}."
        )
    height, width, own_channels = shapes.pop()
    if sentence := too_small(str(path), width, height, request.reading):
        raise DataError(sentence)
    labelled = all(part.labels is not None for part in parts.values())
    classes = next(iter(parts.values())).classes if labelled else []
    if labelled and any(part.classes != classes for part in parts.values()):
        # numbered classes of which a part has fewer: the longer list names them all
        classes = max((part.classes for part in parts.values()), key=len)
    pieces: list[tuple[Part, np.ndarray]] = []
    labels: list[np.ndarray] = []
    names: list[str] = []
    positions: list[np.ndarray] = []
    every: list[str] = []
    for own, part in parts.items():
        keys = [str(index) for index in range(len(part.pictures))]
        splits = request.splits(keys, [own] * len(keys))
        if own == "train" and "validation" in parts:
            splits = ["train"] * len(keys)
        chosen = np.array([index for index, name in enumerate(splits) if request.wants(name)], dtype=np.int64)
        if len(chosen):
            pieces.append((part, chosen))
        names += [f"{own} {index}".strip() for index in chosen]
        positions.append(chosen + len(every))
        every += [f"{own} {key}".strip() for key in keys]
        if labelled and part.labels is not None:
            labels.append(part.labels[chosen])
    if not pieces:
        raise DataError(
            f"{path} has no pictures in its {request.split} split: choose another split or other data."
        )
    found = np.concatenate(labels) if labelled else None
    size = request.size or (height, width)
    channels = request.reading.channels or (1 if own_channels == 1 else 3)
    pictures = _fitted(path, pieces, request, (size[0], size[1], channels), memory, anew)
    padding = bars(width, height, request.reading, size)
    result = PictureSet(pictures, found, classes, names=names, padding=padding)
    if request.table is not None:
        _add_table(result, request.table, request.labels_from, every, np.concatenate(positions))
    return result


def _fitted(
    path: Path,
    pieces: list[tuple[Part, np.ndarray]],
    request: Request,
    shape: tuple[int, int, int],
    memory: int | None,
    anew: bool,
) -> np.ndarray | MappedRows:
    count = sum(len(chosen) for _, chosen in pieces)
    if len(pieces) == 1:
        part, chosen = pieces[0]
        if anew or (isinstance(part.pictures, np.memmap) and exceeds((count, *shape), memory)):
            return MappedRows(part.pictures, chosen, request.reading, shape, part.sources)
    arrays = [(part.pictures, chosen) for part, chosen in pieces]
    whole = [array if len(array) == len(chosen) else array[chosen] for array, chosen in arrays]
    raw = np.asarray(whole[0]) if len(whole) == 1 else np.concatenate(whole)
    if anew:
        return MappedRows(raw, np.arange(count), request.reading, shape)
    if raw.shape[1:] == shape and request.reading.crop is None:
        return raw
    pictures = allocate((count, *shape), path)
    for source, row in zip(raw, pictures, strict=True):
        row[...] = fit_picture(Picture.from_array(source), request.reading, row.shape)
    return pictures


def _add_table(
    result: PictureSet, table: Attributes, labels_from: str | None, every: list[str], positions: np.ndarray
) -> None:
    """Attributes, and the classes made of them: each picture must have its row."""
    rows = table.rows_of(every)[positions]
    if (rows < 0).any():
        raise DataError(f"{table.where} has no row for the picture {result.names[int(np.argmin(rows))]!r}.")
    result.attributes, result.attribute_names = table.values[rows], table.names
    if labels_from is not None:
        result.classes, numbers = table.classes_from(labels_from)
        result.labels = numbers[rows]
