"""What a drag over the piles carries: folders (or other data) for a pile, or a picture. Looks at names, reads nothing."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QMimeData

from flow_explorer.explorer.model import is_checkpoint
from flow_explorer.explorer.moving.drag_drop import can_read
from flow_explorer.widgets.dropping import local_files

__all__ = ["data_of", "is_pair", "is_picture", "pair_beside"]

_ARRAYS = (".zip", ".npz", ".npy", ".gz")


def data_of(mime: QMimeData) -> list[Path]:
    """The folders, zips and arrays among what is dragged, at most two."""
    return [path for path in local_files(mime) if (path.is_dir() or path.suffix.lower() in _ARRAYS)
            and (is_pair(path) or not is_checkpoint(path))][:2]  # fmt: skip


def is_picture(mime: QMimeData) -> bool:
    """Whether it may be one picture: no folder, no checkpoint."""
    return can_read(mime) and not any(path.is_dir() or is_checkpoint(path) for path in local_files(mime)) and not data_of(mime)


def is_pair(path: Path) -> bool:
    """Whether a folder is what `train-pair` writes: two run folders named a and b."""
    return path.is_dir() and all((path / name).is_dir() and is_checkpoint(path / name) for name in "ab")


def pair_beside(checkpoint: Path) -> str:
    """The run folder of the second flow of a pair, where this checkpoint is the first one's; "" elsewhere."""
    other = checkpoint.parent.parent / "b"
    found = checkpoint.parent.name == "a" and any((other / name).is_file() for name in ("best.safetensors", "last.safetensors"))
    return os.fspath(other) if found else ""
