"""Reading pictures, plain and odd."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from flowcore.pictures.images import MAX_KEPT_PIXELS, Picture, read_picture, to_png_bytes
from tests.flowcore.pictures.case import chunk, photo, png_by_hand, refused, saved


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


def test_picture_from_array() -> None:
    assert Picture.from_array(np.full((2, 3), 5, np.uint8)).pixels[1, 2].tolist() == [5, 5, 5, 255]
    with pytest.raises(ValueError):
        Picture.from_array(np.zeros((2, 3), np.float32))
