"""Pictures that are broken, hostile or none at all."""

from __future__ import annotations

import io
import os
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowcore.errors import PictureError
from flowcore.pictures.images import read_picture, to_png_bytes
from tests.flowcore.pictures.case import chunk, photo, png_by_hand, refused, saved


def test_text_named_png(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("milk, eggs, bread 牛奶\n" * 400, encoding="utf-8")
    refused(path, "notes.png", "text", "PNG")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif", "gif", "tif", "bmp"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated(tmp_path: Path, suffix: str, share: float) -> None:
    rng = np.random.default_rng(0)
    path = saved(
        tmp_path / f"whole.{suffix}", Image.fromarray(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))
    )
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(cut, f"cut.{suffix}")


def test_truncated_jpeg_says_that_it_is_cut_short(tmp_path: Path) -> None:
    whole = saved(tmp_path / "a.jpg", Image.fromarray(photo())).read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "b.jpg", "b.jpg", "cut short")


def test_damaged_bytes_are_refused_or_read_but_never_crash() -> None:
    whole = bytearray(to_png_bytes(photo()))
    rng = np.random.default_rng(1)
    for _ in range(200):
        damaged = bytearray(whole)
        for position in rng.integers(8, len(whole), size=3):
            damaged[position] = rng.integers(256)
        try:
            assert read_picture(bytes(damaged)).pixels.dtype == np.uint8
        except PictureError as error:
            assert str(error).endswith(".")


def test_a_60000_by_60000_bomb(tmp_path: Path) -> None:
    packer = zlib.compressobj(1)
    rows = bytes(7501 * 1000)  # 1-bit grey, a filter byte before each row
    data = b"".join(packer.compress(rows) for _ in range(60)) + packer.flush()
    header = struct.pack(">IIBBBBB", 60000, 60000, 1, 0, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
    assert path.stat().st_size < 4_000_000
    started = time.thread_time()
    refused(path, "bomb.png", "million")
    assert time.thread_time() - started < 1.0


def test_a_bomb_of_just_over_the_limit_names_its_size() -> None:
    refused(png_by_hand(13000, 12000, 1, 0, b""), "13,000×12,000")


def test_empty_file_and_empty_bytes(tmp_path: Path) -> None:
    (tmp_path / "nothing.png").touch()
    refused(tmp_path / "nothing.png", "nothing.png", "empty")
    refused(b"", "empty")


def test_directory(tmp_path: Path) -> None:
    (tmp_path / "holiday.png").mkdir()
    refused(tmp_path / "holiday.png", "holiday.png", "folder")


@pytest.mark.timeout(10)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_fifo_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    refused(tmp_path / "pipe.png", "pipe.png", "pipe")


@pytest.mark.timeout(10)
@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no /dev/zero on this system")
def test_device_is_not_read() -> None:
    refused("/dev/zero", "device")


def test_missing_file_and_impossible_names(tmp_path: Path) -> None:
    refused(tmp_path / "none.png", "none.png", "no file")
    refused(str(tmp_path / "a\0b.png"))
    refused(tmp_path / ("x" * 400 + ".png"))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    refused(tmp_path / "loop", "loop")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are another thing on Windows")
def test_unreadable_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(photo()))
    path.chmod(0)
    root = os.geteuid() == 0  # who may read everything, and so reads as nobody
    if root:
        os.seteuid(65534)
    try:
        refused(path, "permissions")
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
        (b"%PDF-1.7\n%\xe2\xe3" + bytes(50), "PDF"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\x80\x04\x95pickle\x93.", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "text"),
        (bytes(range(256)), "not a picture"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, word: str) -> None:
    refused(data, word)


@pytest.mark.parametrize("gap", [b" ", b"\n", b"\r\n", b"  # remark 7\n\t"])
def test_numbers_written_as_text(gap: bytes) -> None:
    array = photo(11, 7)
    head = b"# made by hand" + gap.strip(b" \t") + b"\n"
    body = gap.join(b"%d" % value for value in array.ravel())
    assert (read_picture(b"P3\n" + head + b"7 11\n255\n" + body).pixels[..., :3] == array).all()
    grey = array[..., 0]
    body = gap.join(b"%d" % (257 * value) for value in grey.ravel().astype(int))
    assert (read_picture(b"P2 7 11 65535 " + body).pixels[..., 0] == grey).all()
    bits = (grey > 99).astype(int)
    body = gap.join(b"".join(b"%d" % bit for bit in row) for row in bits)
    assert (read_picture(b"P1 7 11\n" + body).pixels[..., 0] == 255 * (1 - bits)).all()
    for cut in (b"P3 7 11 255 1 2 3", b"P2 7 11 255 " + b"9 " * 76, b"P1 7 11 10101"):
        refused(cut, "damaged")
    for odd in (b"P2 1 1 255 256", b"P2 1 1 255 -1", b"P3 1 1 255 1 x 3"):
        refused(odd, "damaged")


def test_decoders_that_would_take_long_are_not_begun() -> None:
    refused(b"qoif" + struct.pack(">IIBB", 3000, 3000, 3, 0) + b"\xfe\1\2\3" * 2_000_000 + bytes(7) + b"\1", "QOI", "PNG")
    refused(b"P3 5000 5000 255\n" + b"9 " * 40_000_000, "text", "PNG")
    buffer = io.BytesIO()
    Image.new("L", (64, 64)).save(buffer, "JPEG", progressive=True)
    head, scans = buffer.getvalue().split(b"\xff\xda", 1)
    size = head.index(b"\xff\xc2") + 5
    large = head[:size] + struct.pack(">HH", 12_000, 12_000) + head[size + 4 :]
    refused(large + (b"\xff\xda" + scans.split(b"\xff\xda")[0]) * 100 + b"\xff\xd9", "passes")


@pytest.mark.parametrize("format_", ["WEBP", "AVIF"])
def test_formats_that_take_much_memory_have_a_limit_of_their_own(format_: str) -> None:
    from flowcore.pictures.slow_formats import MAX_COSTLY_PIXELS

    buffer = io.BytesIO()
    Image.new("L", (8000, 6001)).save(buffer, format_, **({"method": 0} if format_ == "WEBP" else {"speed": 10}))
    assert MAX_COSTLY_PIXELS < 8000 * 6001
    refused(buffer.getvalue(), format_, "8,000×6,001")


def test_a_large_jpeg_2000_is_decoded_at_a_fraction() -> None:
    buffer = io.BytesIO()
    small = photo(36, 48)
    Image.fromarray(small.repeat(100, axis=0).repeat(100, axis=1)).save(buffer, "JPEG2000", quality_layers=[20])
    picture = read_picture(buffer.getvalue(), "map.jp2")
    assert picture.original_size == (4800, 3600) and picture.pixels.shape[:2] < (3600, 4800)
    assert np.abs(picture.pixels[[9, -9], [9, -9], :3].astype(int) - small[[0, -1], [0, -1]]).max() < 8


def test_pictures_are_decoded_side_by_side() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from flowcore.pictures.images import quiet

    data = to_png_bytes(photo())
    with quiet, ThreadPoolExecutor(4) as pool:  # whoever decodes does not keep others out
        assert all((picture.pixels[..., :3] == photo()).all() for picture in pool.map(read_picture, [data] * 16))


def test_comments_without_end_before_a_pictures_numbers_are_refused_and_others_read():
    with pytest.raises(PictureError, match="no end to the comments"):
        read_picture(b"P6\n#" + b" " * 5_000_000, "a.ppm")
    with pytest.raises(PictureError, match="no end to the comments"):
        read_picture(b"P5\n2 2 #" + b"x" * 100_000 + b"\n255\n" + bytes(4), "a.pgm")
    for head in (b"P5\n# made by hand\n2 2\n# two\n255\n", b"P5 2 2 255 ", b"P5\n2 2 #x\r255\n"):
        assert read_picture(head + b"####", "a.pgm").original_size == (2, 2)
