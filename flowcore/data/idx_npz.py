"""Reads arrays of pictures from idx files (MNIST's format) and .npz archives, without unpickling anything."""

from __future__ import annotations

import gzip
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, said
from ..memory import free_memory

__all__ = [
    "MAX_ARRAY_BYTES",
    "Part",
    "Sources",
    "check_claim",
    "check_npz",
    "is_idx_folder",
    "is_idx_name",
    "read_idx",
    "read_idx_parts",
    "read_npy_parts",
    "read_npz_parts",
]

MAX_ARRAY_BYTES = 32 * 2**30
"""The largest array that is read or made, in bytes."""

_SMALL = 2**29
_DENSEST = 200
"""So many times smaller pictures of half a GiB and more do not become by packing; zeros do, a thousand times."""

_IDX_NAME = re.compile(r"(?:(\w+)[-_.])?(images|labels)[-_.]idx\d[-_.]ubyte(\.gz)?", re.IGNORECASE)
_ANY_IDX_NAME = re.compile(r".*idx\d(-ubyte)?(\.gz)?", re.IGNORECASE)
_PARTS = {"train": "train", "t10k": "test", "test": "test", "val": "validation", "valid": "validation",
          "validation": "validation"}  # fmt: skip
_PICTURE_KEYS = ("x", "images", "pictures", "image", "imgs", "data")
_LABEL_KEYS = ("y", "labels", "label", "targets")


_SOURCE_KEYS = ("source", "sources")
_BOX_KEY = "box"


@dataclass(frozen=True)
class Sources:
    """What a part's pictures were cut from: uint8 (N, h, w, C), by a box (left, top, right, bottom) in its pixels."""

    pictures: np.ndarray
    box: tuple[float, float, float, float]


@dataclass
class Part:
    """One part of a data set: ``pictures`` uint8 (N, H, W, C), ``labels`` int64 (N,) into ``classes`` or
    None. ``sources`` are there where they were asked for and the data have them."""

    pictures: np.ndarray
    labels: np.ndarray | None
    classes: list[str]
    sources: Sources | None = None


def is_idx_name(name: str) -> bool:
    """Whether a file's name says that it is an idx file."""
    return bool(_ANY_IDX_NAME.fullmatch(name))


def is_idx_folder(folder: Path) -> bool:
    """Whether a folder holds idx files of pictures."""
    return any(
        (match := _IDX_NAME.fullmatch(entry.name)) and match[2].lower() == "images"
        for entry in folder.iterdir()
    )


def read_idx_parts(path: Path) -> dict[str, Part]:
    """The parts of a folder of idx files, or of one idx file; labels lie beside the pictures.

    The keys are "train", "test", "validation", or "" for data without parts.

    Raises:
        DataError: in one sentence, for files that are not idx or do not fit together.
    """
    if path.is_dir():
        found = [entry for entry in sorted(path.iterdir()) if (m := _IDX_NAME.fullmatch(entry.name)) and
                 m[2].lower() == "images"]  # fmt: skip
    else:
        found = [path]
    parts: dict[str, Part] = {}
    for file in found:
        match = _IDX_NAME.fullmatch(file.name)
        part = _PARTS.get((match[1] or "").lower(), "") if match else ""
        if part in parts:
            continue  # the same file beside its .gz
        pictures = _with_channels(read_idx(file), file)
        labels_file = _labels_beside(file)
        labels = read_idx(labels_file) if labels_file else None
        if labels is not None and labels.shape != (len(pictures),):
            raise DataError(
                f"{labels_file} holds {labels.size} labels for the {len(pictures)} pictures of {file.name}."
            )
        parts[part] = _part(pictures, labels, None)
    if "" in parts and len(parts) > 1:
        parts.setdefault("train", parts[""])
        del parts[""]
    return parts


def read_idx(path: Path) -> np.ndarray:
    """An idx file of unsigned bytes, gz or not, as the uint8 array that its header describes.

    Raises:
        DataError: in one sentence, for anything else.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else path.open("rb") as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or not 1 <= head[3] <= 4:
                raise DataError(f"{path} is not an idx file: it does not begin as MNIST's files do.")
            if head[2] != 8:
                raise DataError(f"{path} does not hold unsigned bytes, the only idx values that can be read.")
            sizes = file.read(4 * head[3])
            if len(sizes) < 4 * head[3]:
                raise DataError(f"{path} is cut short: copy or download it again.")
            shape = struct.unpack(f">{head[3]}I", sizes)
            total = int(np.prod(shape, dtype=np.float64))
            check_claim(path, total, os.fstat(file.fileno()).st_size if zipped else total)
            data = file.read(total)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged or cannot be read: {said(error)}.") from error
    except MemoryError as error:
        raise DataError(f"{path} needs more memory than there is.") from error
    if len(data) < total:
        raise DataError(f"{path} is cut short: it holds {len(data):,} of {total:,} bytes; download it again.")
    return np.frombuffer(data, np.uint8).reshape(shape)


def check_claim(path: Path, total: int, packed: int) -> None:
    """Whether so many bytes, as a file says of itself, are worth unpacking from so many ``packed`` ones.

    Raises:
        DataError: for more than can be read or is free, or more than pictures can be packed into.
    """
    if total > MAX_ARRAY_BYTES:
        raise DataError(f"{path} says it holds {total / 2**30:,.0f} GiB, more than can be read.")
    if total > _SMALL and total > _DENSEST * packed:
        raise DataError(
            f"{path} says it holds {total / 2**30:,.1f} GiB in {packed / 2**20:,.1f} MiB, which no pictures do: make it again."
        )
    if total > (free := free_memory()):
        raise DataError(f"{path} needs {total / 2**30:,.1f} GiB of memory, and {free / 2**30:,.1f} are free: make it smaller.")


def check_npz(path: Path) -> None:
    """The same of all that a .npz holds.

    Raises:
        DataError: as :func:`check_claim` does; and what zipfile raises, for no archive.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    check_claim(path, sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries))


def read_npz_parts(path: Path, sources: bool = False) -> dict[str, Part]:
    """The parts of a .npz: x or images (…), or x_train, x_test and the like; labels in y, labels, y_train ….

    Where ``sources`` are asked for, also source, source_train …: larger pictures that those were cut from, all by one ``box``.

    Raises:
        DataError: in one sentence, for archives without uint8 pictures.
    """
    try:
        check_npz(path)
        with np.load(path, allow_pickle=False) as file:
            return _npz_parts(path, {key.lower(): key for key in file.files}, file.__getitem__, sources)
    except DataError:
        raise
    except MemoryError as error:
        raise DataError(f"{path} needs more memory than there is.") from error
    except Exception as error:  # zipfile, zlib and numpy raise nearly everything on damaged archives
        raise DataError(f"{path} cannot be read as a .npz of numbers: {said(error)}.") from error


def read_npy_parts(path: Path) -> dict[str, Part]:
    """The pictures of a .npy, mapped and not read: rows come from the disk when they are used.

    Raises:
        DataError: in one sentence, for anything but uint8 pictures.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy raises nearly everything on damaged files
        raise DataError(f"{path} cannot be read as a .npy of numbers: {said(error)}.") from error
    return {"": Part(_with_channels(array, path), None, [])}


def _npz_parts(
    path: Path, keys: dict[str, str], get: Callable[[str], np.ndarray], sources: bool = False
) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    names = _class_names(keys, get)
    for suffix, part in (("", ""), *_PARTS.items()):
        pictures_key = _find(keys, _PICTURE_KEYS, suffix)
        if pictures_key is None or part in parts:
            continue
        pictures = _with_channels(get(pictures_key), path, pictures_key)
        labels_key = _find(keys, _LABEL_KEYS, suffix)
        labels = get(labels_key) if labels_key else None
        if labels is not None and labels.shape == (len(pictures), 1):
            labels = labels[:, 0]  # CIFAR-10 as Keras gives it
        if labels is not None and labels.shape != (len(pictures),):
            raise DataError(
                f"{path}: {labels_key} has shape {labels.shape}, not one label for {len(pictures)} pictures."
            )
        parts[part] = _part(pictures, labels, names, f"{path}: {labels_key}")
        source_key = _find(keys, _SOURCE_KEYS, suffix) if sources and _BOX_KEY in keys else None
        if source_key is not None:
            parts[part].sources = _sources(path, source_key, get(source_key), get(keys[_BOX_KEY]), pictures)
    if not parts and len(keys) == 1:
        key = next(iter(keys.values()))
        parts[""] = _part(_with_channels(get(key), path, key), None, None)
    if not parts:
        raise DataError(
            f"{path} has no pictures under a name that is known (it has {', '.join(keys.values()) or 'nothing'}): "
            "name the array x or images."
        )
    if len(parts) > 1:
        parts.pop("", None)  # the same pictures again, or something beside them
    return parts


def _find(keys: dict[str, str], words: tuple[str, ...], suffix: str) -> str | None:
    for word in words:
        for candidate in (f"{word}_{suffix}", f"{suffix}_{word}") if suffix else (word,):
            if candidate in keys:
                return keys[candidate]
    return None


def _class_names(keys: dict[str, str], get: Callable[[str], np.ndarray]) -> list[str] | None:
    for word in ("classes", "class_names", "label_names"):
        if word in keys:
            array = get(keys[word])
            if array.ndim == 1 and array.dtype.kind == "U":
                return [str(name) for name in array]
    return None


def _part(pictures: np.ndarray, labels: np.ndarray | None, names: list[str] | None, where: str = "") -> Part:
    if labels is None:
        return Part(pictures, None, [])
    if labels.dtype.kind == "U":
        classes, numbers = np.unique(labels, return_inverse=True)
        return Part(pictures, numbers.astype(np.int64), [str(name) for name in classes])
    if labels.dtype.kind not in "iu":
        raise DataError(f"{where} holds {labels.dtype} values, not whole numbers or names of classes.")
    labels = labels.astype(np.int64)
    if labels.size and (labels.min() < 0 or labels.max() > 100_000):
        raise DataError(f"{where} holds class numbers outside 0 to 100,000.")
    highest = int(labels.max()) + 1 if labels.size else 0
    classes = names if names and len(names) >= highest else [str(index) for index in range(highest)]
    return Part(pictures, labels, classes)


def _sources(path: Path, key: str, source: np.ndarray, box: np.ndarray, pictures: np.ndarray) -> Sources:
    source = _with_channels(source, path, key)
    if len(source) != len(pictures) or source.shape[3] != pictures.shape[3] or source.shape[3] == 4:
        raise DataError(f"{path}: {key} has shape {source.shape}, and is no source of pictures of {pictures.shape}.")
    height, width = source.shape[1:3]
    numbers = box.astype(np.float64).tolist() if box.shape == (4,) and box.dtype.kind in "iuf" else [math.nan] * 4
    left, top, right, bottom = numbers
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise DataError(
            f"{path}: box must be four numbers, left, top, right and bottom, within the {width}×{height} pixels of {key}."
        )
    return Sources(source, (left, top, right, bottom))


def _with_channels(array: np.ndarray, path: Path, key: str = "") -> np.ndarray:
    where = f"{path}: {key}" if key else str(path)
    if array.dtype != np.uint8:
        raise DataError(f"{where} holds {array.dtype} values; pictures must be uint8, 0 to 255.")
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3, 4) or 0 in array.shape:
        raise DataError(
            f"{where} has shape {array.shape}; pictures must be N×H×W or N×H×W×C with C of 1, 3 or 4."
        )
    return array


def _labels_beside(file: Path) -> Path | None:
    name = re.sub("images", "labels", file.name, flags=re.IGNORECASE)
    name = re.sub(r"idx\d", "idx1", name, flags=re.IGNORECASE)
    if name == file.name:
        return None
    plain = name[:-3] if name.lower().endswith(".gz") else name
    for candidate in (name, plain, plain + ".gz"):
        if (file.parent / candidate).is_file():
            return file.parent / candidate
    return None
