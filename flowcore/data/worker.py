"""A process that decodes pictures for training: `python -m flowcore.data.worker`, driven by :mod:`flowcore.data.pool`.

Both ways a message is four bytes of length, that much JSON, and raw bytes. It ends when its input does, so none
outlives the process that started it, however that one ended. No torch here.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Sequence
from typing import IO, BinaryIO

import numpy as np

from ..errors import PictureError
from ..pictures.images import read_picture
from .reading import Reading, fit_picture, too_small

__all__ = ["decode", "read_message", "serve", "write_message"]

_LENGTH = struct.Struct(">I")


def decode(
    source: str | bytes,
    name: str,
    reading: Reading,
    shape: tuple[int, int, int],
    move: Sequence[float] | None = None,
) -> np.ndarray:
    """One picture as a model sees it, uint8 (H, W, C), cut with a ``move`` (4,) or as usual. Raises PictureError."""
    picture = read_picture(source, name)
    if sentence := too_small(name, *picture.original_size, reading):
        raise PictureError(sentence)
    return fit_picture(picture, reading, shape, None if move is None else np.asarray(move, np.float64))


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answer requests until the input ends.

    A request is {"shape", "reading", "items": [[name, path or null, bytes that follow, move or null], …]}; the
    answer is {"errors": {position: sentence}} and the rows of all items, zeros for one that cannot be read.
    """
    while (request := read_message(stdin)) is not None:
        shape, reading = tuple(request["shape"]), Reading.from_dict(request["reading"])
        rows = np.zeros((len(request["items"]), *shape), np.uint8)
        errors: dict[int, str] = {}
        for position, (name, path, length, move) in enumerate(request["items"]):
            source = path if path is not None else stdin.read(length)
            try:
                rows[position] = decode(source, name, reading, shape, move)
            except PictureError as error:
                errors[position] = str(error)
        write_message(stdout, {"errors": errors}, rows.tobytes())


def read_message(stream: IO[bytes]) -> dict | None:
    """The JSON of the next message, or None where the stream ends; its bytes are still to be read."""
    start = stream.read(_LENGTH.size)
    if len(start) < _LENGTH.size:
        return None
    length = _LENGTH.unpack(start)[0]
    text = stream.read(length)
    return json.loads(text) if len(text) == length else None


def write_message(stream: IO[bytes], header: dict, payload: bytes) -> None:
    """Write one message and let it go."""
    text = json.dumps(header).encode()
    stream.write(_LENGTH.pack(len(text)) + text)
    stream.write(payload)
    stream.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
