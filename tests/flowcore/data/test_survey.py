"""What is found before training is what training will read."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowcore.data import stream as data_stream
from flowcore.data.datasets import open_dataset
from flowcore.data.survey import survey
from flowcore.errors import DataError
from flowcore.pictures.image_headers import read_header


def mixed(root: Path) -> None:
    for kind, count in (("cats", 30), ("dogs", 10)):
        (root / kind).mkdir(parents=True)
        for index in range(count):
            size = (20, 30) if index % 3 else (100, 64)
            mode = ("RGB", "L", "RGBA")[index % 3]
            suffix = {"RGB": "jpg", "L": "png", "RGBA": "webp"}[mode]
            Image.new(mode, size).save(root / kind / f"{index:02}.{suffix}")
    (root / "cats" / "x.png").write_text("words")
    (root / "dogs" / "y.jpg").write_bytes((root / "dogs" / "00.jpg").read_bytes()[:-200])
    (root / "dogs" / "about.txt").write_text("a side file")


def test_a_mixed_folder(tmp_path: Path) -> None:
    mixed(tmp_path)
    seen: list[tuple[int, int]] = []
    found = survey(tmp_path, 32, on_progress=lambda *done: seen.append(done))
    assert found.count == 40 and found.kind == "folder" and seen[-1] == (42, 42)
    assert found.classes == {"cats": 30, "dogs": 10}
    assert found.smallest == (20, 30) and found.largest == (100, 64) and not found.one_size
    assert found.sizes == [(20, 30, 26), (100, 64, 14)]
    assert found.sides == [(16, 32, 26), (64, 128, 14)]
    assert found.modes == {"grey": 13, "colour": 27, "transparent": 13}
    assert found.formats == {"JPEG": 14, "PNG": 13, "WEBP": 13}
    assert found.memory == 40 * 32 * 32 * 3 and not found.streamed
    assert survey(tmp_path, 32, memory=found.memory - 1).streamed
    opened = {split: open_dataset(tmp_path, split, 32) for split in found.splits}
    assert found.splits == {split: len(data) for split, data in opened.items()}
    assert found.left_out == open_dataset(tmp_path, size=32).skipped
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["left_out"][0]["name"] == "cats/x.png" and told["classes"] == {"cats": 30, "dogs": 10}
    assert [name for name, _ in survey(tmp_path, minimum=21).left_out].count("cats/01.png") == 1


def test_no_picture_that_is_whole_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix in ("jpg", "png", "gif", "webp", "bmp"):
        Image.new("RGB", (30, 20), (9, 9, 9)).save(tmp_path / f"a.{suffix}")
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    for plugin in (Image.Image.__subclasses__(), *[k.__subclasses__() for k in Image.Image.__subclasses__()]):
        for kind in plugin:
            if "load" in vars(kind):
                monkeypatch.setattr(kind, "load", lambda self: pytest.fail("decoded"))
    found = survey(tmp_path)
    assert found.count == 5 and found.one_size and found.size == (20, 30) and found.left_out == []


def test_arrays_and_attributes(tmp_path: Path) -> None:
    x = np.zeros((40, 6, 8), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=x, x_test=x[:10], y_train=np.arange(40) % 2, y_test=np.arange(10) % 2)
    found = survey(tmp_path / "a.npz")
    assert found.kind == "arrays" and found.count == 50 and found.splits == {"train": 38, "validation": 2, "test": 10}
    assert found.classes == {"0": 25, "1": 25} and found.channels == 1 and found.memory == 50 * 6 * 8
    assert found.modes == {"grey": 50} and not survey(tmp_path / "a.npz", memory=0).streamed
    mixed(tmp_path / "in")
    rows = [f"{path.relative_to(tmp_path / 'in').as_posix()},{index % 2}"
            for index, path in enumerate(sorted((tmp_path / "in" / "cats").iterdir()))]  # fmt: skip
    (tmp_path / "t.csv").write_text("\n".join(["file,A", *rows]))
    found = survey(tmp_path / "in", attributes=tmp_path / "t.csv", labels_from="A")
    data = open_dataset(tmp_path / "in", size=8, attributes=tmp_path / "t.csv", labels_from="A")
    assert found.count == len(data) == 30 and found.left_out == data.skipped
    assert found.attributes == {"A": int((data.attributes > 0).sum())}
    assert found.classes == {name: int((data.labels == i).sum()) for i, name in enumerate(data.classes)}
    with pytest.raises(DataError, match="table"):
        survey(tmp_path / "in", labels_from="A")


def test_what_is_not_there(tmp_path: Path) -> None:
    for path, word in ((tmp_path / "none", "no data"), (tmp_path, "no pictures")):
        with pytest.raises(DataError, match=word):
            survey(path)
    (tmp_path / "a.png").write_text("words")
    found = survey(tmp_path)
    assert found.count == 0 and len(found.left_out) == 1 and found.memory == 0


@pytest.mark.parametrize("cut", [0, 1, 7, 40, 100, 400])
@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "bmp", "tif", "avif", "ppm", "ico"])
def test_headers_agree_with_reading_about_files_cut_short(tmp_path: Path, suffix: str, cut: int) -> None:
    path = tmp_path / f"a.{suffix}"
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    answers = []
    for memory in (0, 2**40):
        try:
            answers.append(open_dataset(tmp_path, size=8, memory=memory).names)
        except DataError as error:
            answers.append(str(error))
    assert answers[0] == answers[1]


def test_sizes_are_told_upright_and_hostile_headers_refused(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg", exif=exif)
    Image.new("RGB", (30, 20)).save(tmp_path / "b.png", exif=exif)
    for name in ("a.jpg", "b.png"):
        header = read_header(tmp_path / name, name)
        assert (header.width, header.height) == (20, 30) and not header.grey and not header.alpha
    png = bytearray((tmp_path / "b.png").read_bytes())
    png[16:24] = struct.pack(">II", 100_000, 100_000)
    (tmp_path / "c.png").write_bytes(png)
    found = survey(tmp_path)
    assert found.count == 2 and [name for name, _ in found.left_out] == ["c.png"]
    assert found.left_out == open_dataset(tmp_path, size=8).skipped


def test_looking_goes_through_the_headers_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed(tmp_path)
    calls: list[str] = []
    real = data_stream.read_header
    monkeypatch.setattr(data_stream, "read_header", lambda source, name: calls.append(name) or real(source, name))
    survey(tmp_path)
    assert len(calls) == len(set(calls)) == 42
