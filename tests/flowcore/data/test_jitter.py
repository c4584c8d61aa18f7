"""A moved cut: the ordinary bytes where nothing moves, the right place where something does, and never a black edge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flowcore.data import jitter as data_jitter
from flowcore.data.jitter import AMOUNTS, cut_moved, moved_corners
from flowcore.data.reading import Reading, fit_picture
from flowcore.pictures.crop import Crop, crop_corners
from flowcore.pictures.images import Picture
from flowcore.training.noise import jitters

MOVES = [(1.5, -1.5, 0.04, 2.0), (-0.7, 0.3, -0.04, -1.1), (0.0, 0.0, 0.02, 0.0), (0.4, 1.1, 0.0, 0.0), (0.0, 0.0, 0.0, 2.0)]
READINGS = [
    Reading(), Reading(channels=1), Reading(fit="stretch"), Reading(fit="pad", background="#204060"),
    Reading(background="checker"), Reading(crop=Crop(0.4, 0.6, zoom=1.7)), Reading(crop=Crop(zoom=2.0, angle=20.0)),
    Reading(crop=Crop(zoom=0.6, background="#ff0000")),
]  # fmt: skip


def ramp(width: int, height: int, across: float, down: float) -> np.ndarray:
    """Values that grow evenly to the right and downwards from the middle's 120: (H, W, 3) float64."""
    y, x = np.indices((height, width))
    plane = 120 + across * (x + 0.5 - width / 2) + down * (y + 0.5 - height / 2)
    return np.repeat(plane[..., None], 3, axis=2)


def smooth(width: int, height: int) -> np.ndarray:
    y, x = np.indices((height, width))[..., None] / max(width, height)
    return (127 + 100 * np.sin(7 * x + 5 * y + np.arange(3))).astype(np.uint8)


def noisy(width: int, height: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


@pytest.mark.parametrize("reading", READINGS, ids=str)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_no_move_gives_the_ordinary_bytes(reading, channels):
    picture = Picture.from_array(noisy(37, 29, channels))
    shape = (16, 12, reading.channels or 3)
    ordinary = fit_picture(picture, reading, shape)
    assert np.array_equal(fit_picture(picture, reading, shape, np.zeros(4)), ordinary)
    assert not np.array_equal(fit_picture(picture, reading, shape, np.array(MOVES[0])), ordinary)


@pytest.mark.parametrize("reading", READINGS[:6], ids=str)
@pytest.mark.parametrize("size", [(37, 29), (16, 12), (160, 150), (9, 11)])
def test_a_move_of_next_to_nothing_is_next_to_the_ordinary_cut(reading, size):
    picture = Picture.from_array(smooth(*size))
    shape = (12, 16, reading.channels or 3)
    ordinary = fit_picture(picture, reading, shape).astype(int)
    moved = fit_picture(picture, reading, shape, np.array([1e-7, -1e-7, 1e-9, 1e-6])).astype(int)
    assert np.abs(moved - ordinary)[3:-3, 3:-3].max() <= 1  # the ordinary cut knows no mirror image beyond the edge
    assert np.abs(moved - ordinary).max() <= 25


@pytest.mark.parametrize("move", MOVES, ids=str)
@pytest.mark.parametrize(("size", "shape"), [((48, 40), (16, 16)), ((400, 300), (12, 18)), ((30, 30), (40, 40))])
def test_what_is_seen_lies_where_the_move_says(move, size, shape):
    width, height = size
    step = 3**0.5 * 47 / max(size)  # no simple fraction, whose roundings would all err the same way
    slope = -step / 5**0.5
    values = ramp(width, height, step, slope)
    crop = Crop(zoom=1.5, aligned=False)
    picture = Picture.from_array(np.round(values).astype(np.uint8))
    corners = moved_corners(crop_corners(picture, crop, *shape), np.array(move))
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    rows, columns = (np.arange(count)[:, None] + 0.5 for count in shape)
    x, y = (corners[0][k] + rows / shape[0] * down[k] + (columns / shape[1] * across[k]).T for k in (0, 1))
    wanted = 120 + step * (x - width / 2) + slope * (y - height / 2)
    seen = fit_picture(picture, Reading(crop=crop), (*shape, 3), np.array(move))[..., 0]
    error = seen - wanted
    assert np.abs(error).max() < 1.8  # rounded three times: as a picture, turned, and cut
    sides = (2 * grid / (count - 1) - 1 for grid, count in zip(np.indices(shape), shape, strict=True))
    plane = np.stack([np.ones(shape), *sides])
    offset = np.linalg.lstsq(plane.reshape(3, -1).T, error.ravel(), rcond=None)[0]
    assert np.abs(offset).max() < 0.4  # a fifth of a pixel or less


def test_a_whole_pixels_shift_copies_and_the_edge_is_mirrored():
    pixels = noisy(10, 10)
    picture = Picture.from_array(pixels)
    right, up = (fit_picture(picture, Reading(), (10, 10, 3), np.array(move)) for move in ((1.0, 0, 0, 0), (0, -2.0, 0, 0)))
    assert np.array_equal(right, pixels[:, [*range(1, 10), 8]])
    assert np.array_equal(up, pixels[[2, 1, *range(8)]])


def test_a_turn_and_the_turn_back_are_near_the_picture():
    pixels = smooth(40, 40)
    there = fit_picture(Picture.from_array(pixels), Reading(), (40, 40, 3), np.array([0, 0, 0, 2.0]))
    back = fit_picture(Picture.from_array(there), Reading(), (40, 40, 3), np.array([0, 0, 0, -2.0]))
    inside = np.s_[4:-4, 4:-4]
    assert np.abs(there[inside].astype(int) - pixels[inside]).mean() > 3
    assert np.abs(back[inside].astype(int) - pixels[inside]).max() <= 2


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(16, 16), (40, 30), (300, 200), (5, 5), (1, 1)])
def test_an_even_picture_stays_even_to_its_edges(size, channels):
    picture = Picture.from_array(np.full((size[1], size[0], channels), 200, np.uint8))
    for move in MOVES:
        for fit in ("crop", "stretch"):
            assert (fit_picture(picture, Reading(fit=fit), (16, 16, channels), np.array(move)) == 200).all()


def test_bars_and_what_a_crop_shows_beyond_the_picture_stay_what_they_are():
    white = Picture.from_array(np.full((20, 40, 3), 255, np.uint8))
    reading = Reading(fit="pad", background="#102030")
    for move in MOVES:
        padded = fit_picture(white, reading, (16, 16, 3), np.array(move))
        assert (padded[:4] == (16, 32, 48)).all() and (padded[4:12] == 255).all() and (padded[12:] == (16, 32, 48)).all()
        beyond = fit_picture(white, Reading(crop=Crop(zoom=0.5, background="#ff0000")), (16, 16, 3), np.array(move))
        assert (beyond[0, 0] == (255, 0, 0)).all() and (beyond[8, 8] == 255).all()


def test_what_is_see_through_is_moved_with_the_picture():
    pixels = noisy(20, 20, 4)
    pixels[..., 3] = 0
    for move in MOVES:
        seen = fit_picture(Picture.from_array(pixels), Reading(background="#204060"), (16, 16, 3), np.array(move))
        assert (seen == (32, 64, 96)).all()
    pixels[:, :10, 3], pixels[..., :3] = 255, 255
    seen = fit_picture(Picture.from_array(pixels), Reading(background="black"), (20, 20, 3), np.array([-3.0, 0, 0, 0]))
    assert (seen[:, :12] == 255).all() and (seen[:, 14:] == 0).all()


def test_grey_pictures_are_moved_as_coloured_ones_are():
    grey = noisy(30, 24, 1)
    for reading in (Reading(), Reading(fit="stretch")):
        one = fit_picture(Picture.from_array(grey), reading, (16, 16, 1), np.array(MOVES[0]))
        three = fit_picture(Picture.from_array(grey), reading, (16, 16, 3), np.array(MOVES[0]))
        assert np.array_equal(np.repeat(one, 3, axis=2), three)
    corners = np.array([(3.0, 2), (27, 2), (27, 22), (3, 22)])
    colour = cut_moved(np.repeat(grey, 3, axis=2), corners, np.array(MOVES[1]), None, 16, 16)
    assert np.array_equal(np.asarray(cut_moved(grey, corners, np.array(MOVES[1]), None, 16, 16)), np.asarray(colour)[..., 0])


def test_a_move_leaves_about_as_much_detail():
    """Cut from a larger source, what is moved is as sharp as what is not."""
    pixels = noisy(89, 109, seed=3)
    picture, reading = Picture.from_array(pixels), Reading(crop=Crop(zoom=1.2, aligned=False))
    ordinary = fit_picture(picture, reading, (64, 64, 3)).astype(float)
    moved = np.stack([fit_picture(picture, reading, (64, 64, 3), move) for move in jitters(0, 0, slice(0, 16))]).astype(float)
    assert np.diff(moved, axis=2).std() == pytest.approx(np.diff(ordinary, axis=1).std(), rel=0.12)
    assert moved.mean() == pytest.approx(ordinary.mean(), abs=0.5)


def test_moves_belong_to_a_row_of_a_step():
    whole = jitters(7, 3, slice(0, 40))
    assert np.array_equal(whole, np.concatenate([jitters(7, 3, rows) for rows in (slice(0, 1), slice(1, 17), slice(17, 40))]))
    assert np.array_equal(whole, jitters(7, 3, slice(0, 40))) and whole.shape == (40, 4)
    for other in (jitters(8, 3, slice(0, 40)), jitters(7, 4, slice(0, 40))):
        assert not np.isin(other, whole).any()
    many = np.concatenate([jitters(0, step, slice(0, 50)) for step in range(40)]) / AMOUNTS
    assert np.abs(many).max() <= 1 and (many.max(0) > 0.99).all() and (many.min(0) < -0.99).all()
    assert np.abs(many.mean(0)).max() < 0.06 and np.abs(many.std(0) - 3**-0.5).max() < 0.03
    assert np.abs(np.corrcoef(many.T) - np.eye(4)).max() < 0.1


def test_amounts_are_small():
    """As promised: 1.5 pixels of the source, 4 % of size, 2 degrees."""
    assert AMOUNTS == (1.5, 1.5, 0.04, 2.0)
    box = np.array([(10.0, 20), (30, 20), (30, 50), (10, 50)])
    assert np.array_equal(moved_corners(box, np.zeros(4)), box)
    assert np.allclose(moved_corners(box, np.array([1, -2, 0.5, 0])), [(6, 10.5), (36, 10.5), (36, 55.5), (6, 55.5)])
    turned = moved_corners(box, np.array([0, 0, 0, 90]))
    assert np.allclose(turned, [(35, 25), (35, 45), (5, 45), (5, 25)])  # the top left corner goes to the top right


def test_a_crop_that_is_turned_already_is_turned_on():
    picture = Picture.from_array(noisy(60, 60))
    reading = Reading(crop=Crop(zoom=3.0, angle=30.0))
    further = fit_picture(picture, reading, (16, 16, 3), np.array([0, 0, 0, 2.0]))
    straight = fit_picture(picture, replace(reading, crop=Crop(zoom=3.0, angle=32.0)), (16, 16, 3))
    assert np.abs(further.astype(int) - straight).mean() < 1


def test_a_turn_reads_nothing_beside_its_region(monkeypatch):
    """Windows of every place, size and shape, moved by ten times as much as jitter does."""
    real, slack = data_jitter._shifted, []

    def checked(rows, first, count):
        start = np.floor(first) - 2
        slack.append(min(start.min(), rows.shape[1] - (start.max() + count + 5)))
        return real(rows, first, count)

    monkeypatch.setattr(data_jitter, "_shifted", checked)
    rng = np.random.default_rng(0)
    for _ in range(600):
        width, height = rng.integers(1, 200, 2)
        w, h = rng.uniform(0.3, width), rng.uniform(0.3, height)
        x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
        corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
        move = rng.uniform(-1, 1, 4) * AMOUNTS * rng.choice([1, 10])
        pixels = np.full((height, width, 3), 180, np.uint8)
        assert (np.asarray(cut_moved(pixels, corners, move, None, *rng.integers(1, 40, 2).tolist())) == 180).all()
    assert len(slack) == 1200 and min(slack) >= 0
