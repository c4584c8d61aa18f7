"""What the model sees of a picture: exact copies where they are possible, antialiased ones elsewhere."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import pytest

from flowcore.errors import FlowError
from flowcore.pictures.crop import MAX_ZOOM, MIN_ZOOM, Crop, apply_crop, crop_corners, crop_size
from flowcore.pictures.images import Picture


def ramp(height: int, width: int) -> Picture:
    """Red grows to the right, green downwards."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 / max(1, width - 1), y * 255 / max(1, height - 1), 128 + 0 * x]
    return Picture.from_array(np.stack(planes, axis=-1).astype(np.uint8))


def noise(height: int, width: int, channels: int = 3) -> Picture:
    return Picture.from_array(np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8))


def test_a_picture_of_the_models_size_is_copied_byte_for_byte() -> None:
    picture = noise(32, 32)
    assert (apply_crop(picture, Crop(), 32, 32, 3) == picture.pixels[..., :3]).all()
    grey = noise(28, 28, 1)
    assert (apply_crop(grey, Crop(), 28, 28, 1)[..., 0] == grey.pixels[..., 0]).all()


def test_zoom_one_is_the_largest_centred_square() -> None:
    picture = noise(20, 50)
    assert (apply_crop(picture, Crop(), 20, 20, 3) == picture.pixels[:, 15:35, :3]).all()
    assert crop_size(picture, Crop()) == (20, 20)
    assert crop_corners(picture, Crop()).tolist() == [[15, 0], [35, 0], [35, 20], [15, 20]]


def test_a_model_that_is_not_square_gets_the_largest_window_of_its_shape() -> None:
    picture = noise(40, 40)
    assert (apply_crop(picture, Crop(), 20, 40, 3) == picture.pixels[10:30, :, :3]).all()


def test_moved_and_zoomed_windows_land_where_they_should() -> None:
    picture = noise(64, 64)
    seen = apply_crop(picture, Crop(center_x=0.25, center_y=0.75, zoom=2.0), 32, 32, 3)
    assert (seen == picture.pixels[32:, :32, :3]).all()


def test_reduction_is_antialiased() -> None:
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, ::2] = 255
    seen = apply_crop(Picture.from_array(stripes), Crop(), 32, 32, 1)
    assert np.abs(seen.astype(int) - 127).max() <= 3
    turned = apply_crop(Picture.from_array(stripes), Crop(angle=30.0), 16, 16, 1)
    assert np.abs(turned[4:12, 4:12].astype(int) - 127).max() <= 8


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_quarter_turn_of_the_window_turns_the_picture_back(turns: int) -> None:
    picture = ramp(64, 64)
    seen = apply_crop(picture, Crop(angle=90.0 * turns), 32, 32, 3).astype(int)
    # the window turned clockwise, so what it shows turns anticlockwise
    expected = np.rot90(apply_crop(picture, Crop(), 32, 32, 3), turns).astype(int)
    assert np.abs(seen - expected)[1:-1, 1:-1].max() <= 6


def test_a_full_turn_is_none() -> None:
    picture = noise(32, 32)
    assert (apply_crop(picture, Crop(angle=360.0), 32, 32, 3) == picture.pixels[..., :3]).all()


def test_corners_are_those_of_the_window_that_is_seen() -> None:
    picture = ramp(200, 300)
    crop = Crop(center_x=0.4, center_y=0.55, zoom=2.0, angle=25.0)
    corners = crop_corners(picture, crop)
    seen = apply_crop(picture, crop, 64, 64, 3).astype(float)
    expected = (corners - 0.5) * (255 / 299, 255 / 199)
    # the ramp is linear: from the corner pixel's centre and its neighbours' go on half a pixel, to the corner itself
    for (row, column), values in zip([(0, 0), (0, 63), (63, 63), (63, 0)], expected, strict=True):
        inward_row, inward_column = (20 if row == 0 else 43), (20 if column == 0 else 43)
        here = seen[row, column]
        found = here - (seen[inward_row, column] - here + seen[row, inward_column] - here) * (0.5 / 20)
        assert np.abs(found[:2] - values).max() < 1.5


def test_outside_the_picture_is_background() -> None:
    picture = Picture.from_array(np.zeros((40, 40), np.uint8))
    seen = apply_crop(picture, Crop(zoom=0.5, background="#ff8000"), 40, 40, 3)
    assert seen[0, 0].tolist() == [255, 128, 0] and seen[-1, -1].tolist() == [255, 128, 0]
    assert seen[20, 20].tolist() == [0, 0, 0]
    assert np.abs((seen[..., 0] == 0).mean() - 0.25) < 0.06
    away = apply_crop(picture, Crop(center_x=2.0, center_y=2.0, zoom=8.0, background="#102030"), 8, 8, 3)
    assert (away == (16, 32, 48)).all()


def test_transparency_shows_the_background() -> None:
    pixels = np.zeros((10, 10, 4), np.uint8)
    pixels[..., 0] = 200
    pixels[5:, :, 3] = 255
    pixels[0, :, 3] = 128
    seen = apply_crop(Picture(pixels), Crop(background="#00ff00"), 10, 10, 3)
    assert seen[2, 2].tolist() == [0, 255, 0] and seen[8, 8].tolist() == [200, 0, 0]
    assert np.abs(seen[0, 0].astype(int) - (100, 127, 0)).max() <= 1


def test_colour_hidden_under_full_transparency_does_not_bleed() -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., :3] = 255
    pixels[:, ::2] = 0  # black and opaque, beside white and transparent
    pixels[:, ::2, 3] = 255
    seen = apply_crop(Picture(pixels), Crop(background="#000000"), 8, 8, 3)
    assert seen.max() == 0


def test_grey_is_luma_and_grey_pictures_have_equal_channels() -> None:
    red = Picture.from_array(np.full((8, 8, 3), (255, 0, 0), np.uint8))
    assert apply_crop(red, Crop(), 8, 8, 1)[0, 0, 0] == 76
    seen = apply_crop(noise(30, 30, 1), Crop(angle=20.0), 16, 16, 3)
    assert (seen[..., :1] == seen).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (1, 2)])
@pytest.mark.parametrize("angle", [0.0, 33.0])
def test_tiny_and_thin_pictures_fill_the_window(size: tuple[int, int], angle: float) -> None:
    picture = Picture.from_array(np.full((*size, 3), (10, 20, 30), np.uint8))
    seen = apply_crop(picture, Crop(zoom=2.0, angle=angle), 64, 64, 3)
    assert seen.shape == (64, 64, 3)
    assert np.abs(seen[28:36, 28:36].astype(int) - (10, 20, 30)).max() <= 1
    for zoom in (MIN_ZOOM, MAX_ZOOM):
        assert apply_crop(picture, Crop(zoom=zoom, angle=angle), 32, 32, 1).shape == (32, 32, 1)


def test_an_unaligned_crop_resamples_at_fractions_of_a_pixel() -> None:
    picture = ramp(109, 89)
    crop = Crop(zoom=89 / 74, aligned=False)
    assert np.allclose(crop_corners(picture, crop)[[0, 2]], [(7.5, 17.5), (81.5, 91.5)])
    mirrored = Picture.from_array(np.ascontiguousarray(picture.pixels[:, ::-1, :3]))
    seen, back = apply_crop(picture, crop, 32, 32, 3), apply_crop(mirrored, crop, 32, 32, 3)[:, ::-1]
    assert np.abs(seen.astype(int) - back).max() <= 1


def test_the_same_crop_gives_the_same_bytes() -> None:
    picture, crop = noise(101, 77), Crop(zoom=1.7, angle=12.0)
    assert (apply_crop(picture, crop, 32, 32, 3) == apply_crop(picture, crop, 32, 32, 3)).all()


def test_clamped_keeps_the_window_on_the_picture() -> None:
    picture = noise(100, 200)
    crop = Crop(center_x=0.0, center_y=1.0, zoom=2.0).clamped(picture)
    corners = crop_corners(picture, crop)
    assert corners.min() >= 0 and corners[:, 0].max() <= 200 and corners[:, 1].max() <= 100
    assert corners[0].tolist() == [0, 50]
    assert Crop(center_x=0.1, zoom=0.5).clamped(picture).center_y == 0.5


def test_round_trip_through_a_dict_and_frozen() -> None:
    crop = Crop(0.3, 0.6, 2.5, -10.0, "#123456", aligned=False)
    assert Crop.from_dict(crop.to_dict()) == crop and Crop.from_dict({}) == Crop()
    with pytest.raises(dataclasses.FrozenInstanceError):
        crop.zoom = 3.0  # pyright: ignore[reportAttributeAccessIssue] - on purpose


@pytest.mark.parametrize(
    "values",
    [
        {"zoom": float("nan")}, {"zoom": 0.0}, {"zoom": 1e9}, {"zoom": "2"}, {"angle": float("inf")},
        {"center_x": 50.0}, {"background": "red; rm"}, {"background": None}, {"aligned": 1}, {"evil": 1}, [1, 2],
    ],
)  # fmt: skip
def test_hostile_values_are_refused(values: Any) -> None:
    with pytest.raises(FlowError) as caught:
        Crop.from_dict(values)
    assert str(caught.value).endswith(".")


def test_impossible_models_are_refused() -> None:
    for arguments in ((8, 8, 2), (0, 8, 3)):
        with pytest.raises(FlowError):
            apply_crop(noise(8, 8), Crop(), *arguments)


@pytest.mark.parametrize("angle", [0.0, 15.0])
def test_a_large_picture_crops_fast_enough_to_drag(angle: float) -> None:
    picture = ramp(2048, 2048)
    crop = Crop(angle=angle)
    apply_crop(picture, crop, 64, 64, 3)
    times = []
    for _ in range(3):
        started = time.thread_time()
        apply_crop(picture, crop, 64, 64, 3)
        times.append(time.thread_time() - started)
    assert min(times) < 0.25
