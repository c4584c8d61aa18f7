"""Opens a person's pictures for training and evaluation: a folder, a zip, MNIST-style idx files, a .npz or .npy
array, or a name on the Hugging Face hub.

What fits becomes one uint8 array in memory; more is streamed from disk, to the same bytes. The split is the same on
every machine. Nothing is ever unpickled.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..pictures.crop import Crop
from .arrays import array_parts, from_arrays, holds_arrays
from .attributes import read_attributes
from .hub import HubSource, is_hub_name
from .loading import is_streamed, load, stream
from .picture_set import PictureSet
from .reading import Reading
from .request import GIVE, Request
from .sources import FolderSource, Source, ZipSource

__all__ = ["SPLITS", "PictureSet", "array_parts", "holds_arrays", "open_dataset", "open_source"]

SPLITS = ("train", "validation", "test", "all")

def open_dataset(
    path: str | os.PathLike[str],
    split: str | None = None,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    validation: float = 0.05,
    seed: int = 0,
    crop: Crop | None = None,
    fit: str = "crop",
    on_progress: Callable[[int, int], None] | None = None,
    *,
    background: str | None = None,
    minimum: int = 1,
    attributes: str | os.PathLike[str] | None = None,
    labels_from: str | None = None,
    memory: int | None = None,
    workers: int | None = None,
    on_broken: Callable[[str, str], None] | None = None,
    anew: bool = False,
) -> PictureSet:
    """Open a folder or zip of pictures, idx files (gz or not), a .npz or .npy of uint8 N×H×W(×C), or
    hf:NAME[:split].

    ``split`` is "train", "validation", "test", or None or "all" for every picture there is. Data with parts
    of their own (``train``/``test`` subfolders, ``t10k-…`` files, ``x_test`` arrays) keep them; a share
    ``validation`` of the training part, drawn by ``seed``, is "validation" unless the data bring that too,
    and what remains is "train". Data without parts give as large a share again to "test". The draw goes by a
    hash of each picture's name or number, so that it is the same everywhere and a picture added later moves
    hardly any other one.

    ``size`` is the side, or (height, width); None keeps the pictures' own, which must then all be the same.
    ``channels``, ``fit``, ``background``, ``minimum`` and ``crop`` are those of
    :class:`~flowcore.data.reading.Reading`.

    ``attributes`` is a table that :func:`~flowcore.data.attributes.read_attributes` reads, of which
    ``labels_from`` names a column that makes the classes; pictures without a row are left out.

    Single pictures that need more than ``memory`` bytes (by default a quarter of what is free; 0 streams
    always) are decoded by ``workers`` processes as they are used, and ``pictures`` of the result is then a
    :class:`~flowcore.data.stream.StreamedPictures`; a .npy stays on disk likewise.
    ``on_broken(name, sentence)`` is called for a picture that is found broken only then.
    ``anew`` keeps hold of what the pictures are cut from, for a training that cuts them anew at each visit
    (:func:`~flowcore.data.rows.visited`): single pictures are then streamed, arrays stay as they are.
    ``on_progress(done, total)`` is called while pictures are read, or looked at.

    Raises:
        DataError: in one sentence, for data that cannot be used.
    """
    split = split or "all"
    if split not in SPLITS:
        raise DataError(f"There is no split named {split!r}: choose one of {', '.join(SPLITS)}.")
    if not 0.0 <= validation < 0.5:
        raise DataError(f"The held-out share must be at least 0 and less than 0.5, not {validation}.")
    if labels_from is not None and attributes is None:
        raise DataError(f"Classes from the column {labels_from!r} need a table of attributes.")
    reading = Reading(channels, background, fit, minimum, crop)
    table = read_attributes(Path(attributes).expanduser()) if attributes is not None else None
    request = Request(split, reading, _checked_size(size), validation, seed, table, labels_from)
    parts = array_parts(path, sources=anew)
    if parts is not None:
        result = from_arrays(Path(path), parts, request, memory, anew)
    else:
        result = _from_source(open_source(path), request, 0 if anew else memory, workers, on_broken, on_progress)
    result.name = str(path) if is_hub_name(path) else Path(path).resolve().name
    result.split, result.reading = split, replace(reading, channels=result.shape[0])
    return result


def open_source(path: str | os.PathLike[str]) -> Source:
    """The single pictures of a folder, a zip or hf:NAME, listed and not yet read.

    Raises:
        DataError: where there are none.
    """
    if is_hub_name(path):
        return HubSource(str(path))
    path = Path(path)
    if path.is_dir():
        return FolderSource(path)
    if path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)):
        return ZipSource(path)
    raise DataError(f"{path} is not a data set: {GIVE}.")


def _checked_size(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    height, width = (size, size) if isinstance(size, (int, np.integer)) else size
    if not (1 <= height <= 4096 and 1 <= width <= 4096):
        raise DataError(f"A size must lie between 1 and 4096 pixels, not {height}×{width}.")
    return int(height), int(width)


def _from_source(
    source: Source,
    request: Request,
    memory: int | None,
    workers: int | None,
    on_broken: Callable[[str, str], None] | None,
    on_progress: Callable[[int, int], None] | None,
) -> PictureSet:
    splits = request.splits(source.names, source.own)
    chosen = [index for index, split in enumerate(splits) if request.wants(split)]
    if not chosen:
        raise DataError(
            f"{source.where} has no pictures in its {request.split} split: "
            "add pictures or choose another split."
        )
    table = request.table
    rows = table.rows_of(source.names) if table is not None else None
    classes, labels = _classes(source, request, rows, chosen)
    skipped = list(source.left_out)
    if table is not None and rows is not None:
        lost = [source.names[index] for index in chosen if rows[index] < 0]
        skipped += [(name, f"{name} has no row in {table.where}.") for name in lost]
        chosen = [index for index in chosen if rows[index] >= 0]
        if not chosen:
            raise DataError(f"{table.where} has no row for any picture of the {request.split} split.")
    reading, size = request.reading, request.size
    if is_streamed(source, chosen, reading, size, memory):
        loaded = stream(source, chosen, labels, reading, size, on_progress, workers, on_broken)
    else:
        loaded = load(source, chosen, reading, size, on_progress)
    kept = loaded.kept
    result = PictureSet(
        loaded.pictures, None if labels is None else labels[kept], classes,
        names=[source.names[index] for index in kept], skipped=sorted(skipped + loaded.left_out),
        padding=loaded.padding,
    )  # fmt: skip
    if table is not None and rows is not None:
        result.attributes, result.attribute_names = table.values[rows[kept]], table.names
    return result


def _classes(
    source: Source, request: Request, rows: np.ndarray | None, chosen: Sequence[int]
) -> tuple[list[str], np.ndarray | None]:
    """The classes, and the number of each picture of the source; of one without a row it means nothing."""
    if request.labels_from is not None and request.table is not None:
        classes, numbers = request.table.classes_from(request.labels_from)
        return classes, numbers[rows]
    classes = source.classes_of(chosen)
    if not classes:
        return [], None
    # Of a picture that was not chosen and has no class it means nothing
    number = {"": 0, **{name: index for index, name in enumerate(classes)}}
    return classes, np.array([number[kind] for kind in source.kinds], np.int64)
