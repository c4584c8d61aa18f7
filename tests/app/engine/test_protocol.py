"""Frames survive any cutting, and hostile bytes raise instead of doing anything."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest

from flow_explorer.engine.protocol import FrameReader, ProtocolError, encode_frame, read_frame

ARRAYS = {
    "pictures": np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1),
    "z": np.linspace(-1, 1, 7, dtype=np.float64),
    "empty": np.zeros((0, 5), np.float32),
    "fortran": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
    "one": np.array(True),
}


def check(frame):
    header, arrays = frame
    assert header == {"type": "answer", "text": "ä 中文", "id": 7}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


@pytest.mark.parametrize("size", [1, 3, 7, 64, 10**6])
def test_frames_survive_any_cutting(size):
    data = encode_frame({"type": "answer", "text": "ä 中文", "id": 7}, ARRAYS) * 3
    reader, frames = FrameReader(), []
    for start in range(0, len(data), size):
        frames += reader.feed(data[start : start + size])
    assert len(frames) == 3
    for frame in frames:
        check(frame)


def test_blocking_read_gives_the_same():
    source = io.BytesIO(encode_frame({"type": "answer", "text": "ä 中文", "id": 7}, ARRAYS))
    check(read_frame(source.read))


def test_a_frame_is_a_copy_that_may_be_written():
    array = np.zeros(3, np.float32)
    data = encode_frame({}, {"a": array})
    array += 1
    ((_, arrays),) = FrameReader().feed(data)
    arrays["a"] += 2
    assert arrays["a"].tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    "header",
    [{"x": float("nan")}, {"x": float("inf")}, {"x": object()}, {"x": {1, 2}}, {"x": b"bytes"}],
)
def test_what_json_cannot_say_is_refused(header):
    with pytest.raises(ProtocolError):
        encode_frame(header)


def test_objects_are_refused():
    with pytest.raises(ProtocolError):
        encode_frame({}, {"a": np.array([object()])})


def raw(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text + body


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c",  # a pickle
        raw(b"not json"),
        raw([]),
        raw({}),
        raw({"arrays": [{"name": "a", "dtype": "object", "shape": [1]}]}, bytes(8)),
        raw({"arrays": [{"name": "a", "dtype": "uint8", "shape": [-1]}]}),
        raw({"arrays": [{"name": "a", "dtype": "uint8", "shape": ["1"]}]}),
        raw({"arrays": [{"name": 1, "dtype": "uint8", "shape": [1]}]}),
        raw({"arrays": [{"name": "a", "dtype": "float64", "shape": [10**6, 10**6]}]}),
        raw({"arrays": [{"name": "a", "dtype": "uint8", "shape": {}}]}, bytes(1)),
        raw({"arrays": [{"name": "a", "dtype": "uint8", "shape": [0, 10**30]}]}),
        raw({"arrays": [{"name": "a", "dtype": "uint8", "shape": [1] * 70}]}, bytes(1)),
        raw(b'{"arrays": [], "x": NaN}'),
        raw(b'{"arrays": [], "x": -Infinity}'),
        raw(b"[" * 100_000),
        struct.pack(">I", 0),
    ],
)
def test_hostile_bytes_raise(data):
    with pytest.raises(ProtocolError):
        FrameReader().feed(data)
