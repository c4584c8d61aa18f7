"""Opens a person's pictures for training and evaluation: a folder, MNIST-style idx files, or a .npz array.

Everything becomes one uint8 array in memory, cropped as the app crops a picture, with a split that is the
same on every machine. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .crop import Crop, apply_crop
from .dataset_arrays import MAX_ARRAY_BYTES, Part, is_idx_folder, is_idx_name, read_idx_parts, read_npz_parts
from .errors import DataError, PictureError
from .images import Picture, read_picture

__all__ = ["SPLITS", "PictureSet", "open_dataset"]

SPLITS = ("train", "validation", "test", "all")

_SPLIT_FOLDERS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_SIDE_FILES = (".txt", ".md", ".json", ".csv", ".html", ".xml", ".yaml", ".yml", ".toml", ".db", ".ini")


@dataclass
class PictureSet:
    """Pictures ready for a model: ``pictures`` is uint8 (N, H, W, C).

    ``labels`` is int64 (N,) into ``classes``, or None; ``names`` tells where each picture came from (a
    relative file name, or a number within its array); ``skipped`` are (file, sentence) pairs of what could
    not be read; ``padding`` is the (top, bottom, left, right) rows and columns of zeros around every picture,
    which a likelihood must not be credited for.
    """

    pictures: np.ndarray
    labels: np.ndarray | None
    classes: list[str]
    name: str = ""
    split: str = "all"
    names: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W), as a model takes it."""
        _, height, width, channels = self.pictures.shape
        return channels, height, width


@dataclass(frozen=True)
class _Options:
    """How each picture becomes an array; ``size`` is (height, width) or None for the pictures' own."""

    size: tuple[int, int] | None
    channels: int | None
    crop: Crop | None
    pad: bool


def open_dataset(
    path: str | os.PathLike[str],
    split: str | None = None,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    validation: float = 0.05,
    seed: int = 0,
    crop: Crop | None = None,
    fit: str = "resize",
    on_progress: Callable[[int, int], None] | None = None,
) -> PictureSet:
    """Open a folder of pictures, idx files (gz or not) or a .npz of uint8 N×H×W(×C).

    ``split`` is "train", "validation", "test", or None or "all" for every picture there is. Data with parts
    of their own (``train``/``test`` subfolders, ``t10k-…`` files, ``x_test`` arrays) keep them; a share
    ``validation`` of the training part, drawn by ``seed``, is "validation" unless the data bring that too,
    and what remains is "train". Data without parts give as large a share again to "test". The draw goes by a
    hash of each picture's name or number, so that it is the same everywhere and a picture added later moves
    hardly any other one.

    ``size`` is the side, or (height, width); None keeps the pictures' own, which must then all be the same.
    ``channels`` is 1 or 3; None keeps grey pictures grey. ``crop`` says what part of each picture is taken,
    by default the largest centred one. ``fit`` "pad" puts pictures, all of one size, in the middle of zeros
    instead of enlarging them. ``on_progress(done, total)`` is called while a folder is read.

    Raises:
        DataError: in one sentence, for data that cannot be used.
    """
    path = Path(path)
    split = split or "all"
    if split not in SPLITS:
        raise DataError(f"There is no split named {split!r}: choose one of {', '.join(SPLITS)}.")
    if channels not in (None, 1, 3):
        raise DataError(f"A data set can be read with 1 or 3 channels, not {channels}.")
    if not 0.0 <= validation < 0.5:
        raise DataError(f"The held-out share must be at least 0 and less than 0.5, not {validation}.")
    if fit not in ("resize", "pad"):
        raise DataError(f"Pictures can be made to fit by 'resize' or 'pad', not by {fit!r}.")
    options = _Options(_checked_size(size), channels, crop, fit == "pad")
    if not path.exists():
        raise DataError(f"There is no data at {path}: give a folder of pictures, idx files or a .npz file.")
    if path.is_dir() and not is_idx_folder(path):
        result = _open_folder(path, split, options, validation, seed, on_progress)
    elif path.is_dir() or (path.is_file() and is_idx_name(path.name)):
        result = _open_parts(path, read_idx_parts(path), split, options, validation, seed)
    elif path.is_file() and path.suffix.lower() == ".npz":
        result = _open_parts(path, read_npz_parts(path), split, options, validation, seed)
    else:
        raise DataError(f"{path} is not a data set: give a folder of pictures, idx files or a .npz file.")
    result.name, result.split = path.resolve().name, split
    return result


def _checked_size(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    height, width = (size, size) if isinstance(size, (int, np.integer)) else size
    if not (1 <= height <= 4096 and 1 <= width <= 4096):
        raise DataError(f"A size must lie between 1 and 4096 pixels, not {height}×{width}.")
    return int(height), int(width)


def _assign(keys: Sequence[str], own: Sequence[str], validation: float, seed: int) -> list[str]:
    """The split of every picture: its own part, but a share of the training part is held out for validation.

    ``own`` is "train", "validation", "test", or "" for pictures of data without parts.
    """
    splits = [part or "train" for part in own]
    brought = set(splits) if any(own) else set()
    training = [index for index, part in enumerate(splits) if part == "train"]
    wanted = [
        part for part in ("validation", "test") if part not in brought and not (brought and part == "test")
    ]
    count = max(1, round(validation * len(training))) if validation > 0 and len(training) > 2 else 0
    ranked = sorted(training, key=lambda i: (hashlib.sha256(f"{seed}/{keys[i]}".encode()).digest(), i))
    for position, part in enumerate(wanted):
        for index in ranked[position * count : (position + 1) * count]:
            splits[index] = part
    return splits


# ---- folders


def _open_folder(
    root: Path,
    split: str,
    options: _Options,
    validation: float,
    seed: int,
    on_progress: Callable[[int, int], None] | None,
) -> PictureSet:
    files, own, kinds = _list_folder(root)
    if not files:
        raise DataError(f"{root} has no pictures in it: give a folder of PNG, JPEG, WebP or other pictures.")
    classes = (
        sorted(set(kinds)) if "" not in kinds else []
    )  # with pictures outside subfolders there are no classes
    splits = _assign(files, own, validation, seed)
    chosen = [index for index in range(len(files)) if split in ("all", splits[index])]
    if not chosen:
        raise DataError(f"{root} has no pictures in its {split} split: add pictures or choose another split.")
    pictures: np.ndarray | None = None
    padding = (0, 0, 0, 0)
    first: Picture | None = None
    grey = options.channels is None
    names: list[str] = []
    labels: list[int] = []
    skipped: list[tuple[str, str]] = []
    for done, index in enumerate(chosen, 1):
        try:
            picture = read_picture(root / files[index], name=files[index])
        except PictureError as error:
            skipped.append((files[index], str(error)))
            continue
        if pictures is None or first is None:
            first = picture
            size, padding = _target(picture.height, picture.width, options, root)
            pictures = _allocate((len(chosen), *size, options.channels or 3), root)
        elif (options.size is None or options.pad) and picture.pixels.shape != first.pixels.shape:
            raise DataError(
                f"{root} holds pictures of different sizes ({first.name} is {first.width}×{first.height}, "
                f"{picture.name} is {picture.width}×{picture.height}): give one size to bring them all to."
            )
        row = pictures[len(names)]
        _fit(picture, row, options.crop, padding)
        grey = grey and bool((row[..., :1] == row).all())
        names.append(files[index])
        if classes:
            labels.append(classes.index(kinds[index]))
        if on_progress is not None:
            on_progress(done, len(chosen))
    if pictures is None:
        raise DataError(f"None of the {len(chosen)} files in {root} can be read; the first: {skipped[0][1]}")
    pictures = pictures[: len(names)]
    if grey:
        pictures = np.ascontiguousarray(pictures[..., :1])
    found = np.array(labels, np.int64) if classes else None
    return PictureSet(pictures, found, classes, names=names, skipped=skipped, padding=padding)


def _list_folder(root: Path) -> tuple[list[str], list[str], list[str]]:
    """Every file that may be a picture, sorted: relative names, own parts ("" for none), classes ("" for
    none)."""
    top = {
        entry.name: _SPLIT_FOLDERS.get(entry.name.lower(), "") for entry in root.iterdir() if entry.is_dir()
    }
    # Only two such names together are parts: a single folder "test" may well be a class, or all there is
    parts = top if len({part for part in top.values() if part}) >= 2 else {}
    found: list[tuple[str, str, str]] = []
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        inside = Path(folder).relative_to(root).parts
        own = parts.get(inside[0], "") if inside else ""
        if own:
            inside = inside[1:]
        for file in files:
            if not file.startswith(".") and not file.lower().endswith(_SIDE_FILES):
                name = (Path(folder) / file).relative_to(root).as_posix()
                found.append((name, own, inside[0] if inside else ""))
    found.sort()
    if parts and any(own for _, own, _ in found):
        # beside parts, what lies outside them belongs to the training part
        found = [(name, own or "train", kind) for name, own, kind in found]
    return [row[0] for row in found], [row[1] for row in found], [row[2] for row in found]


# ---- arrays


def _open_parts(
    path: Path, parts: dict[str, Part], split: str, options: _Options, validation: float, seed: int
) -> PictureSet:
    shapes = {part.pictures.shape[1:] for part in parts.values()}
    if len(shapes) > 1:
        raise DataError(
            f"The parts of {path} hold pictures of different shapes: {', '.join(map(str, shapes))}."
        )
    height, width, own_channels = shapes.pop()
    labelled = all(part.labels is not None for part in parts.values())
    classes = next(iter(parts.values())).classes if labelled else []
    if labelled and any(part.classes != classes for part in parts.values()):
        # numbered classes of which a part has fewer: the longer list names them all
        classes = max((part.classes for part in parts.values()), key=len)
    pieces: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    names: list[str] = []
    for own, part in parts.items():
        keys = [str(index) for index in range(len(part.pictures))]
        splits = _assign(keys, [own] * len(keys), validation, seed)
        if own == "train" and "validation" in parts:
            splits = ["train"] * len(keys)
        chosen = np.array(
            [index for index, name in enumerate(splits) if split in ("all", name)], dtype=np.int64
        )
        pieces.append(part.pictures if len(chosen) == len(keys) else part.pictures[chosen])
        names += [f"{own} {index}".strip() for index in chosen]
        if labelled:
            labels.append(part.labels[chosen])
    pieces = [piece for piece in pieces if len(piece)]
    if not pieces:
        raise DataError(f"{path} has no pictures in its {split} split: choose another split or other data.")
    raw = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    size, padding = _target(height, width, options, path)
    channels = options.channels or (1 if own_channels == 1 else 3)
    if size == (height, width) and channels == own_channels and options.crop is None:
        pictures = raw
    else:
        pictures = _allocate((len(raw), *size, channels), path)
        for source, row in zip(raw, pictures, strict=True):
            _fit(Picture.from_array(source), row, options.crop, padding)
    found = np.concatenate(labels) if labelled else None
    return PictureSet(pictures, found, classes, names=names, padding=padding)


# ---- one picture


def _target(
    height: int, width: int, options: _Options, path: Path
) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    """The (height, width) of every picture, and the zeros around each."""
    if options.size is None:
        return (height, width), (0, 0, 0, 0)
    if not options.pad:
        return options.size, (0, 0, 0, 0)
    rows, columns = options.size[0] - height, options.size[1] - width
    if rows < 0 or columns < 0:
        raise DataError(
            f"The pictures of {path} are {width}×{height}, larger than {options.size[1]}×{options.size[0]}: "
            "they cannot be padded to that, only resized."
        )
    return options.size, (rows // 2, rows - rows // 2, columns // 2, columns - columns // 2)


def _allocate(shape: tuple[int, ...], path: Path) -> np.ndarray:
    if int(np.prod(shape, dtype=np.float64)) > MAX_ARRAY_BYTES:
        raise DataError(
            f"{path} would need more than {MAX_ARRAY_BYTES / 2**30:.0f} GiB: choose a smaller size."
        )
    try:
        return np.zeros(shape, np.uint8)
    except MemoryError as error:
        raise DataError(f"{path} needs more memory than there is: choose a smaller size.") from error


def _fit(picture: Picture, row: np.ndarray, crop: Crop | None, padding: tuple[int, int, int, int]) -> None:
    """Write what a model sees of a picture into ``row`` (H, W, C), inside its padding."""
    top, bottom, left, right = padding
    height, width, channels = row.shape
    seen = apply_crop(picture, crop or Crop(), height - top - bottom, width - left - right, channels)
    row[top : height - bottom, left : width - right] = seen
