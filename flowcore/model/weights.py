"""Which weights a checkpoint holds, as a short fingerprint: what a z means hangs on them, whatever the model is called.

Of the tensors alone: their names, types, shapes and bytes. A card may be worded anew, a file renamed or moved, and the
weights are the same; the trainer's own tensors are no part of the model. Needs neither torch nor the weights in memory.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path

from ..errors import CheckpointError
from .card import find_checkpoint, read_header

__all__ = ["TRAINING_PREFIX", "check_weights", "fingerprint"]

TRAINING_PREFIX = "train."
"""Tensors so named are the trainer's (raw weights, optimiser); a model's loader passes over them."""
DIGITS = 16
_PIECE = 2**20


def fingerprint(path: str | os.PathLike) -> str:
    """Sixteen hexadecimal digits of the weights of a checkpoint or run folder; "" for a file that holds none.

    They are read once, and again when the file has changed: 5 MB take some milliseconds.

    Raises:
        CheckpointError: if there is no checkpoint, or it is broken.
    """
    path = find_checkpoint(path)
    try:
        status = path.stat()
    except OSError as error:
        raise CheckpointError(f"The model '{path}' cannot be opened: {error.strerror or error}.") from None
    return _of_file(os.path.abspath(path), status.st_mtime_ns, status.st_size, status.st_ino)


@lru_cache(maxsize=64)
def _of_file(path: str, _changed: int, _size: int, _inode: int) -> str:
    header = read_header(path)
    tensors = sorted(item for item in header.items() if item[0] != "__metadata__" and not item[0].startswith(TRAINING_PREFIX))
    if not tensors:
        return ""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            first = 8 + int.from_bytes(file.read(8), "little")
            for name, tensor in tensors:
                start, stop = tensor["data_offsets"]
                if not (type(start) is type(stop) is int and 0 <= start <= stop):
                    raise ValueError("no place")
                digest.update(json.dumps([name, tensor["dtype"], tensor["shape"], stop - start]).encode())
                file.seek(first + start)
                left = stop - start
                while left > 0:
                    piece = file.read(min(left, _PIECE))
                    if not piece:
                        raise CheckpointError(f"'{path}' is cut short: the weights '{name}' are missing.")
                    digest.update(piece)
                    left -= len(piece)
    except OSError as error:
        raise CheckpointError(f"The model '{path}' cannot be read: {error.strerror or error}.") from None
    except (TypeError, ValueError, KeyError):
        raise CheckpointError(f"'{path}' is not a Flow Explorer checkpoint (its header is malformed).") from None
    return digest.hexdigest()[:DIGITS]


def check_weights(path: str | os.PathLike, known: str) -> None:
    """Make sure that a checkpoint's weights are those of this fingerprint: a z of others would be another picture.

    Raises:
        CheckpointError: in one sentence, where they are not.
    """
    if known and fingerprint(path) != known:
        raise CheckpointError(
            f"'{Path(path)}' has other weights than those that this z is of ({known}), so its picture would be another."
        )
