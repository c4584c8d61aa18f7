"""Data sets as arrays and zips, tables of points, tables of attributes."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np

from flowcore.data.attributes import read_attributes
from flowcore.data.datasets import open_dataset
from flowcore.plane.targets.points import columns, from_points
from tests.fuzz.harness import Target
from tests.fuzz.mutate import zipped

from ._files import encoded


def _pictures(count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 4, 4), np.uint8)


def _npy() -> list[bytes]:
    buffer = io.BytesIO()
    np.save(buffer, _pictures())
    return [buffer.getvalue()]


def _npz() -> list[bytes]:
    made = []
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, x_train=_pictures(), y_train=np.arange(6) % 2, x_test=_pictures(3), y_test=np.arange(3) % 2)
        made.append(buffer.getvalue())
    return made


def _idx() -> bytes:
    return b"\0\0\x08\x03" + struct.pack(">III", 6, 4, 4) + _pictures().tobytes()


def _zip() -> list[bytes]:
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as file:
            for name in ("train/cat/1.png", "train/cat/2.png", "train/dog/3.png", "test/dog/4.png"):
                file.writestr(name, encoded("PNG"))
        made.append(buffer.getvalue())
    return made


def _open_named(path: Path) -> None:
    """An idx file is known by its name."""
    place = path.with_name("train-images-idx3" + path.name.removeprefix("input"))
    path.rename(place)
    try:
        _open(place)
    finally:
        place.rename(path)


def _open(path: Path) -> None:
    opened = open_dataset(path, size=4, workers=0)
    if len(opened.pictures):
        opened.pictures[0]


_TABLE = b"x,y,group\n" + b"".join(f"{i / 7:.3f},{i * i / 31:.2e},a\n".encode() for i in range(40))
_TABLES = [_TABLE, _TABLE.replace(b",", b";").replace(b".", b","), _TABLE.replace(b",", b"\t"), _TABLE.decode().encode("utf-16")]
_WORDS = b"image,smile,hair\n" + b"".join(f"{i:06}.jpg,{i % 2},{'dark' if i % 3 else 'fair'}\n".encode() for i in range(20))
_CELEBA = b"3\nSmiling Young\n000001.jpg 1 -1\n000002.jpg -1 1\n000003.jpg 1 1\n"


def _points(path: Path) -> None:
    columns(path)
    from_points(path, 0, 1, seed=0)


TARGETS = [
    Target("array-npy", ".npy", _npy, _open),
    Target("arrays-npz", ".npz", _npz, _open, zipped()),
    Target("idx", "-ubyte", lambda: [_idx()], _open_named),
    Target("idx-gz", "-ubyte.gz", lambda: [gzip.compress(_idx())], _open_named),
    Target("zip", ".zip", _zip, _open, zipped()),
    Target("table", ".csv", lambda: _TABLES, _points),
    Target("attributes-csv", ".csv", lambda: [_WORDS], read_attributes),
    Target("attributes-txt", ".txt", lambda: [_CELEBA], read_attributes),
]
