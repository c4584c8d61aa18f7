"""How pictures of every kind are made to fit: what was chosen is what comes out, in memory and streamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flowcore.data.datasets import open_dataset
from flowcore.data.reading import Reading, bars, fit_picture, too_small
from flowcore.errors import DataError
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import Picture

RNG = np.random.default_rng(1)


def noise(height: int, width: int, channels: int = 3) -> Picture:
    return Picture.from_array(RNG.integers(0, 256, (height, width, channels), np.uint8))


# ---- one picture


def test_crop_is_the_apps_crop() -> None:
    picture = noise(30, 40, 4)
    assert np.array_equal(fit_picture(picture, Reading(), (16, 16, 3)), apply_crop(picture, Crop(), 16, 16, 3))
    crop = Crop(zoom=2.0, background="#112233")
    expected = apply_crop(picture, crop, 16, 16, 3)
    assert np.array_equal(fit_picture(picture, Reading(crop=crop), (16, 16, 3)), expected)
    black = fit_picture(picture, Reading(background="black"), (16, 16, 3))
    assert np.array_equal(black, apply_crop(picture, Crop(background="#000000"), 16, 16, 3))


def test_pad_keeps_the_whole_picture_and_never_enlarges() -> None:
    small = noise(6, 4)
    row = fit_picture(small, Reading(fit="pad"), (8, 8, 3))
    assert bars(4, 6, Reading(fit="pad"), (8, 8)) == (1, 1, 2, 2)
    assert np.array_equal(row[1:7, 2:6], small.pixels[..., :3])
    row[1:7, 2:6] = 0
    assert row.max() == 0
    wide = Picture.from_array(np.full((10, 40, 3), 77, np.uint8))
    red = fit_picture(wide, Reading(fit="pad", background="#ff0000"), (16, 16, 3))
    assert bars(40, 10, Reading(fit="pad"), (16, 16)) == (6, 6, 0, 0)
    assert (red[6:10] == 77).all() and (red[:6] == [255, 0, 0]).all() and (red[10:] == [255, 0, 0]).all()
    # at the very edges of the shape, and for slivers
    assert bars(16, 16, Reading(fit="pad"), (16, 16)) == (0, 0, 0, 0)
    assert bars(1000, 1, Reading(fit="pad"), (16, 16)) == (7, 8, 0, 0)
    assert bars(1000, 1, Reading(fit="stretch"), (16, 16)) == (0, 0, 0, 0)


def test_stretch_takes_every_corner() -> None:
    array = np.zeros((20, 60, 3), np.uint8)
    for (y, x), level in {(0, 0): 50, (0, 1): 100, (1, 0): 150, (1, 1): 200}.items():
        array[10 * y : 10 * y + 10, 30 * x : 30 * x + 30] = level
    row = fit_picture(Picture.from_array(array), Reading(fit="stretch"), (12, 12, 1))
    assert [int(row[y, x, 0]) for y in (1, 10) for x in (1, 10)] == [50, 100, 150, 200]
    same = noise(9, 7)
    assert np.array_equal(fit_picture(same, Reading(fit="stretch"), (9, 7, 3)), same.pixels[..., :3])


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_checkerboard_shows_through_as_much_as_the_picture_lets_it(fit: str, channels: int) -> None:
    reading, shape = Reading(fit=fit, background="checker"), (16, 16, channels)
    board = fit_picture(Picture.from_array(np.zeros((16, 16, 4), np.uint8)), reading, shape)
    assert set(np.unique(board)) == {204, 255} and board[0, 0, 0] == 255 != board[0, 2, 0] == 204 == board[2, 0, 0]
    # Smooth: where sharp edges ring beyond white, clipping is not linear
    y, x = np.mgrid[0:24, 0:24]
    opaque = Picture.from_array(np.stack([20 + 6 * x, 30 + 5 * y, 200 - 3 * x - 3 * y], -1).astype(np.uint8))
    plain = fit_picture(opaque, Reading(fit=fit), shape)
    assert np.array_equal(fit_picture(opaque, reading, shape), plain)
    half = Picture.from_array(np.concatenate([opaque.pixels[..., :3], np.full((24, 24, 1), 128, np.uint8)], -1))
    expected = plain * (128 / 255) + board * (127 / 255)
    assert np.abs(fit_picture(half, reading, shape) - expected).max() <= 2


def test_bars_of_a_checkerboard_are_checkered() -> None:
    row = fit_picture(noise(8, 16), Reading(fit="pad", background="checker"), (16, 16, 3))
    assert set(np.unique(row[:4])) == {204, 255} == set(np.unique(row[12:]))


def test_a_reading_goes_to_json_and_back_and_speaks() -> None:
    reading = Reading(1, "black", "crop", 9, Crop(zoom=2.0))
    assert Reading.from_dict(reading.to_dict()) == reading and reading.background == "#000000"
    assert Reading.from_dict({}) == Reading()
    several: list[Any] = [{"pickle": 1}, [], {"fit": "glue"}, {"crop": 3}, {"background": "#12"}, {"minimum": "1"}]
    for wrong in several:
        with pytest.raises(DataError) as caught:
            Reading.from_dict(wrong)
        assert str(caught.value).endswith(".")
    assert Reading().sentence(8, 8) == ""
    said = Reading(1, "checker", "pad", 9).sentence(16, 20)
    assert "20×16" in said and "grey" in said and "checkerboard" in said and "9 pixels" in said
    assert too_small("a.png", 9, 30, reading) == "" and "a.png is 8×30" in too_small("a.png", 8, 30, reading)


# ---- files of every kind


def opened(folder: Path, **options: Any) -> dict[str, np.ndarray]:
    """By name, the same in memory and streamed."""
    memory, streamed = open_dataset(folder, memory=2**40, **options), open_dataset(folder, memory=0, **options)
    assert memory.names == streamed.names and memory.skipped == streamed.skipped == []
    assert np.array_equal(memory.pictures[:], streamed.pictures[:])
    return dict(zip(memory.names, memory.pictures[:], strict=True))


def test_every_kind_of_file_is_seen_as_a_person_sees_it(tmp_path: Path) -> None:
    left_red = np.zeros((16, 16, 3), np.uint8)
    left_red[:, :8, 0], left_red[:, 8:, 2] = 255, 255
    image = Image.fromarray(left_red)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        # the file's pixels are turned the other way, so that the tag puts them upright
        back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
        turned = image if orientation == 1 else image.transpose(Image.Transpose(back[orientation]))
        turned.save(tmp_path / f"exif {orientation}.jpg", exif=exif, quality=98, subsampling=0)
    image.convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "palette.png")
    other = Image.fromarray(left_red[:, ::-1].copy())
    image.save(tmp_path / "moving.gif", save_all=True, append_images=[other, other], duration=50)
    image.convert("CMYK").save(tmp_path / "inks.jpg", quality=98, subsampling=0)
    rgba = np.dstack([left_red, np.full((16, 16), 255, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "alpha.png")
    image.save(tmp_path / "no ending", format="TIFF")
    found = opened(tmp_path, size=16)
    assert len(found) == 13
    for name, row in found.items():
        assert row[8, 3, 0] > 200 and row[8, 3, 2] < 60, name
        assert row[8, 12, 2] > 200 and row[8, 12, 0] < 60, name


def test_sixteen_bits_and_transparency(tmp_path: Path) -> None:
    Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(tmp_path / "deep.png")
    Image.new("LA", (9, 9), (10, 0)).save(tmp_path / "clear.png")
    glass = Image.new("P", (9, 9), 3)
    glass.save(tmp_path / "key.gif", transparency=3)
    assert {name: row[4, 4, 0] for name, row in opened(tmp_path, size=8).items()} == {
        "deep.png": 156, "clear.png": 255, "key.gif": 255
    }  # fmt: skip
    found = opened(tmp_path, size=8, background="#2040ff")
    assert found["clear.png"][4, 4].tolist() == found["key.gif"][4, 4].tolist() == [32, 64, 255]
    assert found["deep.png"].shape == (8, 8, 3)
    assert opened(tmp_path, size=8, background="black")["clear.png"].shape == (8, 8, 1)
    assert opened(tmp_path, size=8, background="checker")["clear.png"].tolist() == (
        [[[255 - 51 * ((x + y) % 2)] for x in range(8)] for y in range(8)]
    )


def test_small_pictures_are_left_out_by_name(tmp_path: Path) -> None:
    for side in (8, 12, 20):
        Image.new("RGB", (side, 30), (side, 0, 0)).save(tmp_path / f"{side}.png")
    for memory in (0, 2**40):
        data = open_dataset(tmp_path, size=8, minimum=12, memory=memory)
        assert data.names == ["12.png", "20.png"]
        assert data.skipped == [
            ("8.png", "8.png is 8×30 pixels, and pictures of at least 12 each way are wanted.")
        ]
        with pytest.raises(DataError, match="None of the 3 files"):
            open_dataset(tmp_path, size=8, minimum=21, memory=memory)
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 6, 9), np.uint8))
    with pytest.raises(DataError, match="9×6 pixels"):
        open_dataset(tmp_path / "a.npz", minimum=7)


def test_arrays_are_made_to_fit_alike(tmp_path: Path) -> None:
    x = RNG.integers(0, 256, (5, 6, 10, 4), np.uint8)
    np.savez(tmp_path / "a.npz", x=x)
    for reading in (Reading(3, "checker", "pad"), Reading(1, None, "stretch"), Reading(3, "#00ff00")):
        data = open_dataset(tmp_path / "a.npz", size=8, **vars(reading))
        for row, source in zip(data.pictures[:], x, strict=True):
            assert np.array_equal(row, fit_picture(Picture.from_array(source), reading, row.shape))
        assert data.padding == bars(10, 6, reading, (8, 8)) and data.reading == reading
