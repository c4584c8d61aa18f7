"""Reading good, odd, broken and hostile pictures; writing whole files or none."""

from __future__ import annotations

import io
import os
import struct
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from flowcore import recipe as recipes
from flowcore.errors import PictureError
from flowcore.images import (
    MAX_KEPT_PIXELS,
    Picture,
    enlarge,
    grid,
    read_picture,
    save_gif,
    save_png,
    strip,
    to_gif_bytes,
    to_png_bytes,
    write_atomically,
)


def photo(height: int = 40, width: int = 60, channels: int = 3) -> np.ndarray:
    """A smooth colourful test picture whose every corner differs."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [
        x * 255 / max(1, width - 1),
        y * 255 / max(1, height - 1),
        60 + 0 * x,
        255 - x * 255 / max(1, width - 1),
    ]
    return np.stack(planes[:channels], axis=-1).astype(np.uint8)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_by_hand(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def refused(source: object, *words: str) -> str:
    with pytest.raises(PictureError) as caught:
        read_picture(source)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and "Traceback" not in sentence
    for word in words:
        assert word in sentence
    return sentence


# ---- good input, plain and odd


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "ppm"])
def test_lossless_formats_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    picture = read_picture(saved(tmp_path / f"a.{suffix}", Image.fromarray(photo())))
    assert (picture.pixels[..., :3] == photo()).all()
    assert picture.opaque and picture.notes == [] and picture.name == f"a.{suffix}"
    assert (picture.width, picture.height) == (60, 40)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "avif", "jp2"])
def test_lossy_formats_come_close(tmp_path: Path, suffix: str) -> None:
    picture = read_picture(saved(tmp_path / f"a.{suffix}", Image.fromarray(photo()), quality=95))
    assert np.abs(picture.pixels[..., :3].astype(int) - photo()).mean() < 4


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(photo()).save(path, "PNG")
    assert (read_picture(path).pixels[..., :3] == photo()).all()


def test_bytes_are_read_as_a_file_is() -> None:
    picture = read_picture(to_png_bytes(photo()), name="clipboard")
    assert picture.name == "clipboard" and (picture.pixels[..., :3] == photo()).all()


def test_cmyk_jpeg_shows_the_colours_it_was_made_of(tmp_path: Path) -> None:
    picture = read_picture(saved(tmp_path / "a.jpg", Image.fromarray(photo()).convert("CMYK"), quality=95))
    assert np.abs(picture.pixels[..., :3].astype(int) - photo()).mean() < 4
    assert any("CMYK" in note for note in picture.notes)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_keeps_its_highest_byte(tmp_path: Path, suffix: str) -> None:
    deep = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    picture = read_picture(saved(tmp_path / f"a.{suffix}", Image.fromarray(deep)))
    assert (picture.pixels[..., 0] == np.arange(256).reshape(16, 16)).all()
    assert (picture.pixels[..., 0] == picture.pixels[..., 2]).all()
    assert any("16-bit" in note for note in picture.notes)


def test_dark_16_bit_grey_stays_dark(tmp_path: Path) -> None:
    deep = np.full((4, 4), 200, np.uint16)  # under 256, but of 65,535
    assert read_picture(saved(tmp_path / "a.png", Image.fromarray(deep))).pixels[0, 0, 0] == 1


def test_16_bit_colour_and_16_bit_grey_with_alpha(tmp_path: Path) -> None:
    colour = struct.pack(">HHH", 0xFFFF, 0x8000, 0x0000) * 2
    picture = read_picture(png_by_hand(2, 2, 16, 2, (b"\0" + colour) * 2))
    assert picture.pixels[0, 0].tolist() == [255, 128, 0, 255]
    grey = struct.pack(">HH", 0x8000, 0x4000) * 2
    picture = read_picture(png_by_hand(2, 2, 16, 4, (b"\0" + grey) * 2))
    assert picture.pixels[0, 0].tolist() == [128, 128, 128, 64] and not picture.opaque


def test_16_bit_grey_with_a_transparent_value() -> None:
    rows = b"\0" + struct.pack(">HH", 1000, 40000)
    picture = read_picture(png_by_hand(2, 1, 16, 0, rows, chunk(b"tRNS", struct.pack(">H", 1000))))
    assert picture.pixels[0, :, 3].tolist() == [0, 255]


def test_palette_with_alpha() -> None:
    palette = chunk(b"PLTE", bytes([255, 0, 0, 0, 0, 255])) + chunk(b"tRNS", bytes([255, 90]))
    picture = read_picture(png_by_hand(2, 1, 8, 3, b"\0\0\1", palette))
    assert picture.pixels[0].tolist() == [[255, 0, 0, 255], [0, 0, 255, 90]]
    assert any("transparent" in note for note in picture.notes)


def test_grey_with_alpha(tmp_path: Path) -> None:
    image = Image.fromarray(np.dstack([np.full((3, 5), 77, np.uint8), np.full((3, 5), 10, np.uint8)]), "LA")
    assert read_picture(saved(tmp_path / "a.png", image)).pixels[2, 4].tolist() == [77, 77, 77, 10]


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "pbm"])
def test_1_bit(tmp_path: Path, suffix: str) -> None:
    bits = np.eye(9, dtype=bool)
    picture = read_picture(saved(tmp_path / f"a.{suffix}", Image.fromarray(bits)))
    assert (picture.pixels[..., 1] == np.where(bits, 255, 0)).all() and picture.opaque


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "avif"])
def test_an_animation_gives_its_first_frame(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    path = saved(tmp_path / f"a.{suffix}", frames[0], save_all=True, append_images=frames[1:], duration=50)
    picture = read_picture(path)
    assert picture.pixels[4, 4, 0] > 240 and picture.pixels[4, 4, 1:3].max() < 15
    assert "The first frame of 3." in picture.notes


@pytest.mark.parametrize("suffix", ["webp", "avif", "png"])
def test_alpha_is_kept(tmp_path: Path, suffix: str) -> None:
    array = np.full((16, 16, 4), 200, np.uint8)
    array[:8, :, 3] = 0
    array[8:, :, 3] = 255
    picture = read_picture(saved(tmp_path / f"a.{suffix}", Image.fromarray(array), lossless=True))
    assert picture.pixels[2, 2, 3] < 4 and picture.pixels[13, 13, 3] > 251


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3)])
def test_tiny_and_thin_pictures(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = read_picture(saved(tmp_path / "a.png", Image.new("RGB", size, (9, 8, 7))))
    assert (picture.width, picture.height) == size and picture.pixels[-1, -1].tolist() == [9, 8, 7, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture_upright(tmp_path: Path, orientation: int) -> None:
    upright = np.asarray(Image.fromarray(photo(32, 48)))
    # What a camera held that way would have stored: the inverse of what the tag asks for
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.transpose(1, 0, 2), 6: np.rot90(upright), 7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(
        tmp_path / "a.jpg",
        Image.fromarray(np.ascontiguousarray(stored)),
        exif=exif,
        quality=98,
        subsampling=0,
    )
    picture = read_picture(path)
    assert picture.pixels.shape == (32, 48, 4) and picture.original_size == (48, 32)
    assert np.abs(picture.pixels[..., :3].astype(int) - upright).max() < 12
    assert any("upright" in note for note in picture.notes) == (orientation > 1)


def test_malformed_exif_is_no_obstacle(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Image.fromarray(photo()), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")
    assert read_picture(path).width == 60


def test_a_name_with_spaces_and_chinese_characters(tmp_path: Path) -> None:
    path = saved(tmp_path / "我的 照片 (最终).png", Image.fromarray(photo()))
    assert read_picture(path).name == "我的 照片 (最终).png"
    assert "我的 照片" in refused(tmp_path / "我的 照片 没有.png", "no file")


def test_an_embedded_colour_profile_becomes_srgb_and_srgb_stays(tmp_path: Path) -> None:
    lab = ImageCms.createProfile("LAB")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kept = read_picture(saved(tmp_path / "srgb.png", Image.fromarray(photo()), icc_profile=srgb))
    assert (kept.pixels[..., :3] == photo()).all() and kept.notes == []
    # a profile for other channels, and one that is garbage: the picture is still shown
    other = ImageCms.ImageCmsProfile(lab).tobytes()
    for profile in (other, b"garbage" * 40):
        picture = read_picture(saved(tmp_path / "odd.png", Image.fromarray(photo()), icc_profile=profile))
        assert picture.pixels.shape == (40, 60, 4)


def test_a_profile_that_swaps_red_and_blue_is_obeyed(tmp_path: Path) -> None:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        profile[blue + 4 : blue + 12],
        profile[red + 4 : red + 12],
    )
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    path = saved(tmp_path / "a.png", Image.new("RGBA", (4, 4), (255, 0, 0, 99)), icc_profile=bytes(profile))
    picture = read_picture(path)
    assert np.abs(picture.pixels[2, 2].astype(int) - (0, 0, 255, 99)).max() <= 2
    assert any("profile" in note for note in picture.notes)


def test_floating_point_tiff(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    picture = read_picture(saved(tmp_path / "a.tif", Image.fromarray(values)))
    assert picture.pixels[0, 0, 0] == 0 and picture.pixels[2, 3, 0] == 255
    values[1, 1] = np.nan
    refused(saved(tmp_path / "b.tif", Image.fromarray(values)), "b.tif", "finite")


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_large_photo_is_reduced_and_says_so(tmp_path: Path, suffix: str) -> None:
    original = photo(27, 36).repeat(100, axis=0).repeat(100, axis=1)
    picture = read_picture(saved(tmp_path / f"a.{suffix}", Image.fromarray(original), compress_level=1))
    assert picture.width * picture.height <= 1.01 * MAX_KEPT_PIXELS
    assert picture.original_size == (3600, 2700) and abs(picture.width / picture.height - 4 / 3) < 0.01
    assert any("3600×2700" in note for note in picture.notes)
    corners = picture.pixels[[0, 0, -1, -1], [0, -1, 0, -1], :3].astype(int)
    assert np.abs(corners - original[[0, 0, -1, -1], [0, -1, 0, -1]]).max() < 8


def test_a_large_palette_picture_keeps_its_colours_and_its_alpha() -> None:
    rows = (b"\0" + b"\x11" * 2500) * 5000 + (b"\0" + b"\x00" * 2500) * 1000  # two pixels a byte
    palette = chunk(b"PLTE", bytes([200, 10, 20, 30, 40, 250])) + chunk(b"tRNS", bytes([90]))
    picture = read_picture(png_by_hand(5000, 6000, 4, 3, rows, palette))
    assert picture.width * picture.height <= 1.01 * MAX_KEPT_PIXELS
    assert picture.pixels[5, 5].tolist() == [30, 40, 250, 255]
    # averaged with its alpha multiplied in, which rounds
    assert np.abs(picture.pixels[-5, -5].astype(int) - (200, 10, 20, 90)).max() <= 2


def test_reading_warns_of_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_picture(saved(tmp_path / "a.png", Image.fromarray(photo()).convert("P"), transparency=b"\0\1"))


# ---- bad input


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


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(photo()))
    path.chmod(0)
    refused(path, "permissions")


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


# ---- writing


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_is_lossless(tmp_path: Path, channels: int) -> None:
    array = photo(channels=channels)
    path = save_png(tmp_path / "a.png", array)
    assert (np.asarray(Image.open(path)).reshape(array.shape) == array).all()


def test_png_carries_its_recipe_and_scale(tmp_path: Path) -> None:
    recipe = recipes.new("sample", seed=4)
    path = save_png(tmp_path / "a.png", photo(), recipe, scale=3)
    assert recipes.extract(path) == recipe
    assert (np.asarray(Image.open(path))[1::3, 1::3] == photo()).all()


def test_gif_frames_come_back_in_order_and_carry_the_recipe(tmp_path: Path) -> None:
    frames = [np.full((8, 8, 3), value, np.uint8) for value in (0, 80, 160, 240)]
    recipe = recipes.new("walk", note="雪" * 300)
    path = save_gif(tmp_path / "a.gif", frames, recipe, scale=2, milliseconds=120, there_and_back=True)
    image = Image.open(io.BytesIO(path.read_bytes()))
    assert image.n_frames == 6 and image.size == (16, 16) and image.info["loop"] == 0
    seen = []
    for index in range(6):
        image.seek(index)
        assert image.info["duration"] == 120
        seen.append(int(np.asarray(image.convert("RGB"))[5, 5, 0]))
    assert seen == [0, 80, 160, 240, 160, 80]
    assert recipes.extract(path) == recipe


def test_gif_of_photographs_stays_close(tmp_path: Path) -> None:
    frames = [photo(32, 32), photo(32, 32)[::-1].copy()]
    image = Image.open(io.BytesIO(to_gif_bytes(frames)))
    for index, frame in enumerate(frames):
        image.seek(index)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - frame).mean() < 8


def test_gif_of_grey_frames_is_exact() -> None:
    frames = [np.arange(256, dtype=np.uint8).reshape(16, 16, 1), np.full((16, 16, 1), 7, np.uint8)]
    image = Image.open(io.BytesIO(to_gif_bytes(frames)))
    for index, frame in enumerate(frames):
        image.seek(index)
        assert (np.asarray(image.convert("L"))[..., None] == frame).all()


def test_gif_needs_frames_of_one_size() -> None:
    with pytest.raises(PictureError, match="at least one"):
        to_gif_bytes([])
    with pytest.raises(PictureError, match="same size"):
        to_gif_bytes([photo(8, 8), photo(8, 9)])


def test_grid_and_strip() -> None:
    pictures = np.stack([np.full((2, 3, 3), value, np.uint8) for value in range(5)])
    sheet = grid(pictures, columns=3, gap=1, background=99)
    assert sheet.shape == (5, 11, 3)
    assert sheet[0, 0, 0] == 0 and sheet[3, 4, 0] == 4 and sheet[2, 0, 0] == 99 and sheet[4, 10, 0] == 99
    assert grid(pictures[:4]).shape == (4, 6, 3) and strip(pictures).shape == (2, 15, 3)
    with pytest.raises(PictureError):
        grid([])


def test_enlarge() -> None:
    array = photo(4, 6)
    assert (enlarge(array, 3)[::3, ::3] == array).all() and enlarge(array, 3).shape == (12, 18, 3)
    smooth = enlarge(np.array([[0, 255]], np.uint8), 8, smooth=True)
    assert smooth.shape == (8, 16) and len(np.unique(smooth)) > 4
    for factor in (0, -1, 1.5, float("nan")):
        with pytest.raises(PictureError):
            enlarge(array, factor)
    with pytest.raises(PictureError, match="million"):
        enlarge(array, 100_000)


def test_an_unwritable_output_leaves_nothing(tmp_path: Path) -> None:
    for target in (
        tmp_path / "none" / "a.png",
        tmp_path / "file" / "a.png",
        tmp_path / "folder",
        tmp_path / "a\0b",
    ):
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "file").write_text("x")
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(PictureError, match="cannot be written"):
            save_png(target, photo())
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_a_fifo_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PictureError, match="pipe"):
        write_atomically(tmp_path / "pipe", b"x")
    assert (tmp_path / "pipe").is_fifo()


def test_writing_replaces_whole_files_and_follows_links(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_a_failing_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PictureError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_new_file_has_ordinary_permissions(tmp_path: Path) -> None:
    write_atomically(tmp_path / "ours", b"x")
    (tmp_path / "theirs").write_bytes(b"x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "theirs").stat().st_mode


def test_picture_from_array() -> None:
    assert Picture.from_array(np.full((2, 3), 5, np.uint8)).pixels[1, 2].tolist() == [5, 5, 5, 255]
    with pytest.raises(ValueError):
        Picture.from_array(np.zeros((2, 3), np.float32))
