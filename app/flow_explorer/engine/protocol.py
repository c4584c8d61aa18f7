"""Frames between the window and its engine: a JSON header and raw bytes, nothing that could be evaluated.

A frame is a 4-byte big-endian header length, the header (UTF-8 JSON, one object), then the bytes of the arrays that
``header["arrays"]`` lists as ``{"name", "dtype", "shape"}``, one after the other, row-major. Both sides use this
module, so it imports neither torch nor Qt. What a header says is read in `frames`, an answer's fields in `answers`.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from flowcore import plain_json

__all__ = ["DTYPES", "Frame", "FrameReader", "ProtocolError", "encode_frame", "read_frame"]

DTYPES = ("uint8", "int32", "int64", "float32", "float64", "bool")
MAX_HEADER_BYTES = 64 * 2**20
MAX_ARRAY_BYTES = 2 * 2**30
MAX_AXES = 16
_LENGTH = struct.Struct(">I")

Frame = tuple[dict[str, Any], dict[str, np.ndarray]]
"""A decoded frame: the header without its ``arrays`` entry, and the arrays by name (writable copies)."""


class ProtocolError(Exception):
    """The bytes on the pipe are not a frame of this protocol."""


def encode_frame(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """One frame as bytes; the arrays are copied, so the caller may change them afterwards.

    Raises `ProtocolError` for a dtype outside `DTYPES`, and for a header that JSON cannot say exactly
    (not-a-number and infinities included, which JSON does not have).
    """
    listed, bodies = [], []
    for name, array in (arrays or {}).items():
        array = np.asarray(array)
        if array.dtype.name not in DTYPES:
            raise ProtocolError(f"array {name!r} has dtype {array.dtype.name}, which frames do not carry")
        listed.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape)})
        bodies.append(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    try:
        text = json.dumps({**header, "arrays": listed}, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise ProtocolError(f"the header is not plain JSON: {error}") from error
    return b"".join([_LENGTH.pack(len(text)), text, *bodies])


def read_frame(read_exactly: Callable[[int], bytes]) -> Frame:
    """Read one frame from a blocking source.

    `read_exactly(n)` returns n bytes or raises `EOFError`. Raises `ProtocolError` when the bytes are no frame.
    """
    header, sizes = _parse_header(read_exactly(_header_length(read_exactly(_LENGTH.size))))
    return _finish(header, [bytearray(read_exactly(size)) for size in sizes])


class FrameReader:
    """Cuts a stream of bytes that arrives in pieces of any size into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._need = _LENGTH.size
        self._header_size: int | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Take more bytes; return the frames that are now whole, in order. Raises `ProtocolError`."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= self._need:
            if self._header_size is None:
                self._header_size = _header_length(bytes(self._buffer[: _LENGTH.size]))
                self._need = _LENGTH.size + self._header_size
                continue
            start = _LENGTH.size + self._header_size
            header, sizes = _parse_header(bytes(self._buffer[_LENGTH.size : start]))
            self._need = start + sum(sizes)
            if len(self._buffer) < self._need:
                break
            bodies, at = [], start
            for size in sizes:
                bodies.append(self._buffer[at : at + size])
                at += size
            del self._buffer[:at]
            self._need, self._header_size = _LENGTH.size, None
            frames.append(_finish(header, bodies))
        return frames


def _header_length(data: bytes) -> int:
    (length,) = _LENGTH.unpack(data)
    if not 2 <= length <= MAX_HEADER_BYTES:
        raise ProtocolError(f"a header of {length} bytes is outside the protocol's limits")
    return length


def _parse_header(text: bytes) -> tuple[dict[str, Any], list[int]]:
    """The header and the size in bytes of every array that follows it."""
    try:
        header = plain_json.loads(text)
        listed = header["arrays"]
        sizes = []
        for entry in listed:
            shape = entry["shape"]
            if entry["dtype"] not in DTYPES or not isinstance(entry["name"], str):
                raise ProtocolError(f"an array is listed with dtype {entry['dtype']!r}")
            if not isinstance(shape, list) or len(shape) > MAX_AXES or not all(_is_side(side) for side in shape):
                raise ProtocolError(f"an array is listed with shape {shape!r}")
            sizes.append(math.prod(shape) * np.dtype(entry["dtype"]).itemsize)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProtocolError("a header is not the JSON object that the protocol asks for") from error
    if sum(sizes) > MAX_ARRAY_BYTES:
        raise ProtocolError(f"arrays of {sum(sizes)} bytes are over the protocol's limit")
    return header, sizes


def _is_side(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_ARRAY_BYTES


def _finish(header: dict[str, Any], bodies: list[bytearray]) -> Frame:
    arrays = {}
    for entry, body in zip(header.pop("arrays"), bodies, strict=True):
        dtype = np.dtype(entry["dtype"]).newbyteorder("<")
        arrays[entry["name"]] = np.frombuffer(body, dtype).reshape(entry["shape"])
    return header, arrays
