"""Folders, idx files and .npz archives become arrays; splits never overlap; broken data say what is wrong."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flowcore.data import idx_npz
from flowcore.data.attributes import read_attributes
from flowcore.data.datasets import PictureSet, open_dataset
from flowcore.errors import DataError
from flowcore.pictures.crop import Crop

RNG = np.random.default_rng(0)


def write_pictures(folder: Path, count: int, size: int = 8, grey: bool = False, start: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(start, start + count):
        array = np.random.default_rng(index).integers(
            0, 256, (size, size) if grey else (size, size, 3), np.uint8
        )
        Image.fromarray(array).save(folder / f"{index:04}.png")


def write_idx(path: Path, array: np.ndarray) -> None:
    data = (
        struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    )
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)


def mnist_folder(folder: Path, suffix: str = ".gz") -> tuple[np.ndarray, np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    train, test = (RNG.integers(0, 256, (n, 28, 28), np.uint8) for n in (100, 30))
    write_idx(folder / f"train-images-idx3-ubyte{suffix}", train)
    write_idx(folder / f"train-labels-idx1-ubyte{suffix}", np.arange(100, dtype=np.uint8) % 10)
    write_idx(folder / f"t10k-images-idx3-ubyte{suffix}", test)
    write_idx(folder / f"t10k-labels-idx1-ubyte{suffix}", np.arange(30, dtype=np.uint8) % 10)
    return train, test


def rows(pictures: PictureSet) -> set[bytes]:
    return {picture.tobytes() for picture in pictures.pictures}


def refused(path: Path, *words: str, **options: Any) -> None:
    with pytest.raises(DataError) as caught:
        open_dataset(path, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence
    for word in words:
        assert word in sentence, sentence


# ---- folders


def test_subfolders_are_classes(tmp_path: Path) -> None:
    write_pictures(tmp_path / "cats", 3)
    write_pictures(tmp_path / "dogs" / "small", 2, start=3)
    data = open_dataset(tmp_path)
    assert data.pictures.shape == (5, 8, 8, 3) and data.pictures.dtype == np.uint8 and data.shape == (3, 8, 8)
    assert data.classes == ["cats", "dogs"] and data.labels.tolist() == [0, 0, 0, 1, 1]
    assert data.names[3] == "dogs/small/0003.png" and data.name == tmp_path.name and data.skipped == []
    assert (data.pictures[0] == np.asarray(Image.open(tmp_path / "cats" / "0000.png"))).all()


def test_pictures_outside_subfolders_have_no_classes(tmp_path: Path) -> None:
    write_pictures(tmp_path, 2)
    write_pictures(tmp_path / "more", 1, start=2)
    data = open_dataset(tmp_path)
    assert len(data) == 3 and data.labels is None and data.classes == []


def test_grey_folders_stay_grey_unless_asked(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3, grey=True)
    assert open_dataset(tmp_path).shape == (1, 8, 8)
    assert open_dataset(tmp_path, channels=3).shape == (3, 8, 8)
    write_pictures(tmp_path, 1, start=3)
    assert open_dataset(tmp_path).shape == (3, 8, 8)
    assert open_dataset(tmp_path, channels=1).shape == (1, 8, 8)


def test_what_cannot_be_read_is_skipped_and_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, 4)
    (tmp_path / "0001.png").write_text("not a picture")
    (tmp_path / "0002.png").write_bytes((tmp_path / "0003.png").read_bytes()[:60])
    (tmp_path / "README.md").write_text("about")
    (tmp_path / ".hidden.png").write_text("junk")
    data = open_dataset(tmp_path)
    assert data.names == ["0000.png", "0003.png"]
    assert [name for name, _ in data.skipped] == ["0001.png", "0002.png"]
    assert "text" in data.skipped[0][1] and data.skipped[0][1].endswith(".")
    assert data.pictures.shape == (2, 8, 8, 3)


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_a_fifo_in_a_folder_does_not_block(tmp_path: Path) -> None:
    write_pictures(tmp_path, 2)
    os.mkfifo(tmp_path / "0009.png")
    assert [name for name, _ in open_dataset(tmp_path).skipped] == ["0009.png"]
    refused(tmp_path / "0009.png", "not a data set")


def test_size_brings_every_picture_to_one(tmp_path: Path) -> None:
    write_pictures(tmp_path, 2, size=8)
    write_pictures(tmp_path, 2, size=20, start=2)
    refused(tmp_path, "different sizes", "8×8", "20×20")
    assert open_dataset(tmp_path, size=16).shape == (3, 16, 16)
    assert open_dataset(tmp_path, size=(8, 12), channels=1).shape == (1, 8, 12)


def test_the_crop_is_the_apps_crop(tmp_path: Path) -> None:
    write_pictures(tmp_path, 1, size=16)
    whole = np.asarray(Image.open(tmp_path / "0000.png"))
    data = open_dataset(tmp_path, size=8, crop=Crop(zoom=2.0))
    assert (data.pictures[0] == whole[4:12, 4:12]).all()


def test_odd_pictures_in_a_folder(tmp_path: Path) -> None:
    Image.new("CMYK", (9, 9), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(tmp_path / "b.png")
    Image.new("RGBA", (9, 9), (0, 0, 255, 0)).save(tmp_path / "c 图.webp", lossless=True)
    data = open_dataset(tmp_path)
    assert len(data) == 3 and data.skipped == []
    assert data.pictures[:][0, 4, 4, 0] > 200 > data.pictures[:][0, 4, 4, 1]
    assert data.pictures[:][1, 4, 4].tolist() == [156, 156, 156]
    assert data.pictures[:][2, 4, 4].tolist() == [255, 255, 255]


def test_train_and_test_subfolders_are_splits(tmp_path: Path) -> None:
    for kind, start in (("cats", 0), ("dogs", 20)):
        write_pictures(tmp_path / "train" / kind, 20, start=start)
        write_pictures(tmp_path / "test" / kind, 4, start=100 + start)
    train, held, test = (open_dataset(tmp_path, split) for split in ("train", "validation", "test"))
    assert (len(train), len(held), len(test)) == (38, 2, 8)
    assert all(name.startswith("test/") for name in test.names) and test.classes == ["cats", "dogs"]
    assert test.labels.tolist() == [0] * 4 + [1] * 4
    assert not rows(train) & rows(held) and not (rows(train) | rows(held)) & rows(test)
    assert rows(open_dataset(tmp_path)) == rows(train) | rows(held) | rows(test)


def test_a_lone_folder_named_test_is_a_class(tmp_path: Path) -> None:
    write_pictures(tmp_path / "test", 6)
    write_pictures(tmp_path / "quiz", 6, start=6)
    assert open_dataset(tmp_path).classes == ["quiz", "test"]


def test_a_validation_folder_is_kept(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", 9)
    write_pictures(tmp_path / "val", 3, start=9)
    assert len(open_dataset(tmp_path, "train")) == 9 and len(open_dataset(tmp_path, "validation")) == 3
    refused(tmp_path, "test split", split="test")


def test_splits_are_disjoint_complete_and_the_same_every_time(tmp_path: Path) -> None:
    write_pictures(tmp_path, 40, size=4)
    parts = {
        split: open_dataset(tmp_path, split, validation=0.1) for split in ("train", "validation", "test")
    }
    assert [len(part) for part in parts.values()] == [32, 4, 4]
    names = [set(part.names) for part in parts.values()]
    assert set.union(*names) == set(open_dataset(tmp_path).names) and sum(map(len, names)) == 40
    again = open_dataset(tmp_path, "validation", validation=0.1)
    assert again.names == parts["validation"].names
    assert open_dataset(tmp_path, "validation", validation=0.1, seed=1).names != again.names
    # one more picture moves at most one other into or out of a part
    write_pictures(tmp_path, 1, size=4, start=40)
    later = open_dataset(tmp_path, "validation", validation=0.1)
    assert len(set(later.names) & set(again.names)) >= 3
    assert len(open_dataset(tmp_path, "train", validation=0.0)) == 41


def test_progress_is_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    seen: list[tuple[int, int]] = []
    open_dataset(tmp_path, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


# ---- zips


def zipped(folder: Path, path: Path, around: str = "", method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, around + file.relative_to(folder).as_posix())


@pytest.mark.parametrize("around", ["", "pictures/"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_is_read_as_the_folder_in_it(tmp_path: Path, around: str, method: int) -> None:
    for kind, start in (("cats", 0), ("dogs", 20)):
        write_pictures(tmp_path / "in" / "train" / kind, 12, start=start)
        write_pictures(tmp_path / "in" / "test" / kind, 3, start=100 + start)
    (tmp_path / "in" / "about.txt").write_text("text")
    (tmp_path / "in" / "train" / "cats" / "broken.png").write_bytes(b"no picture")
    zipped(tmp_path / "in", tmp_path / "a.zip", around, method)
    for split in ("train", "validation", "test"):
        one, other = open_dataset(tmp_path / "in", split), open_dataset(tmp_path / "a.zip", split)
        assert (one.pictures[:] == other.pictures[:]).all() and (one.labels == other.labels).all()
        assert one.names == other.names and one.skipped == other.skipped and one.classes == other.classes
    assert not [path for path in tmp_path.rglob("*.png") if not path.is_relative_to(tmp_path / "in")]


def test_broken_zips(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", 6, size=40)
    path = tmp_path / "a.zip"
    zipped(tmp_path / "in", path)
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[whole.index(b"IDAT") + 50] ^= 255
    path.write_bytes(broken)
    assert [name for name, _ in open_dataset(path).skipped] == ["0000.png"]
    assert "damaged in the zip" in open_dataset(path).skipped[0][1]
    for content in (b"", whole[: len(whole) // 2], b"PK\3\4" + bytes(100)):
        path.write_bytes(content)
        refused(path, "a.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("about.txt", "nothing here")
    refused(path, "no pictures")


# ---- idx


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist_style_folder(tmp_path: Path, suffix: str) -> None:
    train, test = mnist_folder(tmp_path, suffix)
    data = open_dataset(tmp_path, "test")
    assert (data.pictures[:][..., 0] == test).all() and data.shape == (1, 28, 28)
    assert data.labels.tolist() == [i % 10 for i in range(30)] and data.classes == [str(i) for i in range(10)]
    parts = [open_dataset(tmp_path, split) for split in ("train", "validation")]
    assert [len(part) for part in parts] == [95, 5]
    assert rows(parts[0]) | rows(parts[1]) == {picture.tobytes() for picture in train}
    for part in parts:  # labels go with their pictures
        numbers = [int(name.split()[-1]) for name in part.names]
        assert part.labels.tolist() == [number % 10 for number in numbers]
        assert (part.pictures[:][..., 0] == train[numbers]).all()
    assert len(open_dataset(tmp_path)) == 130


def test_one_idx_file(tmp_path: Path) -> None:
    train, test = mnist_folder(tmp_path)
    data = open_dataset(tmp_path / "t10k-images-idx3-ubyte.gz", "test")
    assert (data.pictures[:][..., 0] == test).all() and data.labels is not None
    assert len(open_dataset(tmp_path / "train-images-idx3-ubyte.gz", "train")) == 95
    refused(tmp_path / "t10k-images-idx3-ubyte.gz", "train split", split="train")
    write_idx(tmp_path / "mine.idx3", train)
    assert (
        len(open_dataset(tmp_path / "mine.idx3")) == 100
        and open_dataset(tmp_path / "mine.idx3").labels is None
    )


def test_padding_is_zeros_and_is_told(tmp_path: Path) -> None:
    _, test = mnist_folder(tmp_path)
    data = open_dataset(tmp_path, "test", size=32, fit="pad")
    assert data.shape == (1, 32, 32) and data.padding == (2, 2, 2, 2)
    assert (data.pictures[:][:, 2:30, 2:30, 0] == test).all()
    assert data.pictures[:][:, :2].max() == 0 and data.pictures[:][:, :, 30:].max() == 0
    resized = open_dataset(tmp_path, "test", size=32)
    assert resized.shape == (1, 32, 32) and resized.padding == (0, 0, 0, 0)
    assert open_dataset(tmp_path, "test", channels=3).shape == (3, 28, 28)
    smaller = open_dataset(tmp_path, "test", size=(16, 20), fit="pad")
    assert smaller.shape == (1, 16, 20) and smaller.padding == (0, 0, 2, 2)
    assert smaller.pictures[:][:, :, :2].max() == 0 and smaller.pictures[:][:, :, 2:18].max() > 0


def test_broken_idx_files(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    mnist_folder(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, path.name)
    path.write_bytes(b"no gzip and no idx")
    refused(path, "not an idx file")
    path.write_bytes(b"")
    refused(path, path.name)
    path.write_bytes(struct.pack(">HBBII", 0, 8, 2, 5, 5) + bytes(25))
    refused(path, "shape")
    path.write_bytes(struct.pack(">HBBI", 0, 13, 1, 4) + bytes(16))
    refused(path, "unsigned bytes")
    path.write_bytes(struct.pack(">HBBIII", 0, 8, 3, 2**31, 2**31, 9) + bytes(16))
    refused(path, "more than can be read")
    path.write_bytes(struct.pack(">HBBIII", 0, 8, 3, 100, 28, 28) + bytes(16))
    refused(path, "cut short")
    write_idx(path, np.zeros((50, 28, 28), np.uint8))
    refused(path, "100 labels", "50 pictures")


# ---- npz


def test_npz(tmp_path: Path) -> None:
    x = RNG.integers(0, 256, (20, 6, 5, 3), np.uint8)
    np.savez_compressed(
        tmp_path / "a.npz", images=x, labels=np.arange(20) % 3, classes=np.array(["u", "v", "w"])
    )
    data = open_dataset(tmp_path / "a.npz")
    assert (data.pictures[:] == x).all() and data.classes == ["u", "v", "w"] and data.shape == (3, 6, 5)
    parts = [open_dataset(tmp_path / "a.npz", split) for split in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [18, 1, 1]
    assert set.union(*map(rows, parts)) == rows(data)


@pytest.mark.parametrize(
    "keys", [("x_train", "x_test", "y_train"), ("train_images", "test_images", "train_labels")]
)
def test_npz_with_parts(tmp_path: Path, keys: tuple[str, str, str]) -> None:
    x = RNG.integers(0, 256, (40, 6, 6), np.uint8)
    arrays: dict[str, Any] = {keys[0]: x[:30], keys[1]: x[30:], keys[2]: np.arange(30)[:, None] % 2}
    np.savez(tmp_path / "a.npz", **arrays)
    assert (open_dataset(tmp_path / "a.npz", "test").pictures[:][..., 0] == x[30:]).all()
    assert len(open_dataset(tmp_path / "a.npz", "train")) == 28
    arrays[keys[2].replace("train", "test")] = np.arange(10) % 2
    np.savez(tmp_path / "b.npz", **arrays)
    assert open_dataset(tmp_path / "b.npz", "test").labels.tolist() == [0, 1] * 5


def test_npz_with_named_classes_alpha_and_any_single_name(tmp_path: Path) -> None:
    x = np.zeros((4, 6, 6, 4), np.uint8)
    x[2:, ..., 3] = 255
    np.savez(tmp_path / "a.npz", x=x, y=np.array(["owl", "bee", "owl", "bee"]))
    data = open_dataset(tmp_path / "a.npz")
    assert data.classes == ["bee", "owl"] and data.labels.tolist() == [1, 0, 1, 0]
    assert data.shape == (3, 6, 6) and data.pictures[0].min() == 255 and data.pictures[3].max() == 0
    np.savez(tmp_path / "b.npz", whatever=x)
    assert len(open_dataset(tmp_path / "b.npz")) == 4


def test_npy_stays_on_disk_where_it_is_large(tmp_path: Path) -> None:
    x = RNG.integers(0, 256, (40, 6, 10, 3), np.uint8)
    path = tmp_path / "a.npy"
    np.save(path, x)
    several: list[dict[str, Any]] = [{}, {"size": (8, 8), "fit": "pad", "channels": 1}, {"crop": Crop(zoom=2.0)}]
    for options in several:
        for split in ("train", "validation", "all"):
            held, mapped = (open_dataset(path, split, memory=memory, **options) for memory in (2**40, 0))
            assert mapped.streamed and not held.streamed and mapped.shape == held.shape
            assert mapped.names == held.names and mapped.padding == held.padding
            assert np.array_equal(mapped.pictures[:], held.pictures[:])
            some = np.array([1, 0, -1])
            assert np.array_equal(mapped.pictures[some], held.pictures[some])
    assert np.array_equal(open_dataset(path).pictures[:], x) and np.array_equal(mapped.pictures[3], held.pictures[3])
    whole = path.read_bytes()
    for content in (b"", b"text", whole[:40], whole[:-1]):
        path.write_bytes(content)
        refused(path, "a.npy")
    np.save(path, np.array([Evil(tmp_path / "sprung")], dtype=object))
    refused(path, "a.npy")
    np.save(path, x.astype(np.float32))
    refused(path, "float32", "uint8")
    assert not (tmp_path / "sprung").exists()


class Evil:
    """Unpickling one of these would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    pictures = np.zeros((4, 6, 6), np.uint8)
    np.savez(tmp_path / "a.npz", x=np.array([Evil(trap)], dtype=object))
    np.savez(tmp_path / "b.npz", x=pictures, y=np.array([Evil(trap)] * 4, dtype=object))
    for name in ("a.npz", "b.npz"):
        refused(tmp_path / name, name)
    assert not trap.exists()


def test_broken_npz(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    wrong: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
        ({"x": np.zeros((3, 6, 6), np.float32)}, ("float32", "uint8")),
        ({"x": np.zeros((3, 6), np.uint8)}, ("shape",)),
        ({"x": np.zeros((3, 6, 6, 2), np.uint8)}, ("shape",)),
        ({"x": np.zeros((0, 6, 6), np.uint8)}, ("shape",)),
        ({"foo": np.zeros(3), "bar": np.zeros(2)}, ("foo", "bar")),
        ({"x": np.zeros((3, 6, 6), np.uint8), "y": np.zeros(2, int)}, ("label",)),
        ({"x": np.zeros((3, 6, 6), np.uint8), "y": np.array([0, -1, 2])}, ("class numbers",)),
        ({"x": np.zeros((3, 6, 6), np.uint8), "y": np.zeros(3)}, ("whole numbers",)),
        (
            {"x_train": np.zeros((3, 6, 6), np.uint8), "x_test": np.zeros((3, 7, 7), np.uint8)},
            ("different shapes",),
        ),
    )
    for arrays, words in wrong:
        np.savez(path, **arrays)
        refused(path, *words)
    np.savez(path, x=np.zeros((30, 6, 6), np.uint8))
    whole = path.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:-40]):
        path.write_bytes(content)
        refused(path, "a.npz")


def test_an_npz_that_claims_more_than_it_holds(tmp_path: Path) -> None:
    header = io.BytesIO()
    description = {"descr": "|u1", "fortran_order": False, "shape": (10**6, 1000, 1000, 3)}
    np.lib.format.write_array_header_1_0(header, description)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(100))
    refused(tmp_path / "a.npz", "a.npz")


# ---- requests that make no sense


def test_nonsense_requests(tmp_path: Path) -> None:
    refused(tmp_path / "none", "no data")
    refused(tmp_path, "no pictures")
    (tmp_path / "a.tar").write_bytes(b"x")
    refused(tmp_path / "a.tar", "not a data set")
    refused(tmp_path, "None of the 1 files", "a.tar")
    write_pictures(tmp_path, 2)
    for options in (
        {"split": "dev"}, {"channels": 4}, {"size": 0}, {"size": 10**6}, {"validation": 0.7},
        {"validation": float("nan")}, {"fit": "resize"}, {"background": "puce"}, {"minimum": 0}, {"labels_from": "Smiling"},
        {"fit": "pad", "crop": Crop(zoom=2.0)}, {"attributes": tmp_path / "none.csv"},
    ):  # fmt: skip
        refused(tmp_path, **options)


# ---- the real thing


def test_fashion_mnist(shared_data) -> None:
    folder = shared_data("fashion-mnist")
    test = open_dataset(folder, "test")
    assert test.pictures.shape == (10000, 28, 28, 1) and test.labels[:5].tolist() == [9, 2, 1, 1, 6]
    assert test.pictures[:].mean() == pytest.approx(73.15, abs=0.01)
    assert len(open_dataset(folder, "train")) == 57000 and len(open_dataset(folder, "validation")) == 3000


def test_emoji_with_alpha(shared_data) -> None:
    data = open_dataset(shared_data("noto-emoji") / "noto_emoji_64_white_rgba.npz", "validation", size=32)
    assert data.pictures.shape == (179, 32, 32, 3) and data.pictures[:][:, 0, 0].min() > 200


# ---- more than there can be


def npy_of(shape: tuple[int, ...]) -> bytes:
    """The header of a .npy of bytes, without them."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


@pytest.mark.timeout(60)
def test_archives_that_blow_up_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = bytes(2**20)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as file:
        file.write(npy_of((600, 1024, 1024)))
        for _ in range(600):
            file.write(zeros)
    refused(tmp_path / "a.npz", "0.6 GiB", "no pictures")
    with pytest.raises(DataError, match="no pictures"):
        read_attributes(tmp_path / "a.npz")
    with gzip.open(tmp_path / "train-images-idx3-ubyte.gz", "wb", compresslevel=1) as file:
        file.write(struct.pack(">HBB3I", 0, 8, 3, 10_000, 1024, 1024))
        file.write(zeros)
    refused(tmp_path / "train-images-idx3-ubyte.gz", "9.8 GiB", "no pictures")
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(struct.pack(">HBB3I", 0, 8, 3, 10_000, 1024, 1024) + zeros)
    monkeypatch.setattr(idx_npz, "free_memory", lambda: 2**30)
    refused(tmp_path / "t10k-images-idx3-ubyte", "9.8 GiB", "1.0 are free")


def test_packed_pictures_that_are_mostly_one_colour_are_read(tmp_path: Path) -> None:
    masks = np.zeros((300, 256, 256), np.uint8)
    masks[:, 100:120, 90:130] = 255
    np.savez_compressed(tmp_path / "a.npz", x=masks)
    assert (tmp_path / "a.npz").stat().st_size * 200 < masks.nbytes
    assert (np.asarray(open_dataset(tmp_path / "a.npz", channels=1).pictures)[..., 0] == masks).all()
