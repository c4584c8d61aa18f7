"""Strokes on a picture, and the colours that it is made of."""

from __future__ import annotations

import time

import numpy as np
import pytest

from flowcore.pictures.painting import Stroke, coverage, paint, palette

RED = (255, 0, 0)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (16, 20, 3), dtype=np.uint8)


def test_a_dot_covers_a_disc_with_a_soft_edge():
    cover = coverage(((10.0, 8.0),), 3.0, 16, 20)
    assert cover[8, 10] == 1 and cover[8, 14] == 0 and cover[0].max() == 0
    assert cover.sum() == pytest.approx(np.pi * 3**2, rel=0.05)


def test_a_line_covers_all_between_its_ends():
    cover = coverage(((2.5, 8.0), (17.5, 8.0)), 1.5, 16, 20)
    assert (cover[7:9, 3:17] == 1).all() and cover[:5].max() == 0
    back = coverage(((17.5, 8.0), (2.5, 8.0)), 1.5, 16, 20)
    assert np.allclose(cover, back)
    # A place that is gone through twice is covered as once.
    assert np.allclose(cover, coverage(((2.5, 8.0), (17.5, 8.0), (2.5, 8.0)), 1.5, 16, 20))


def test_strokes_lie_one_over_the_other_and_nothing_else_changes(picture):
    strokes = [Stroke(((5.0, 8.0), (15.0, 8.0)), 2.0, RED), Stroke(((10.0, 8.0),), 2.0, (0, 0, 255))]
    painted, where = paint(picture, strokes)
    assert tuple(painted[8, 10]) == (0, 0, 255) and tuple(painted[8, 5]) == RED
    assert np.array_equal(painted[~where], picture[~where])
    assert where[8, 10] and not where[0].any()
    assert np.array_equal(paint(picture, [])[0], picture) and not paint(picture, [])[1].any()


def test_an_eraser_takes_the_original_back_to_the_byte(picture):
    stroke = Stroke(((5.0, 8.0), (15.0, 8.0)), 2.0, RED)
    painted, where = paint(picture, [stroke, Stroke(stroke.points, 4.0, None)])
    assert np.array_equal(painted, picture) and not where.any()
    half, where = paint(picture, [stroke, Stroke(((15.0, 8.0),), 3.0, None)])
    assert tuple(half[8, 5]) == RED and np.array_equal(half[8, 15], picture[8, 15]) and not where[8, 15]


def test_a_grey_picture_takes_a_colours_luma():
    grey = np.zeros((8, 8, 1), np.uint8)
    painted, _ = paint(grey, [Stroke(((4.0, 4.0),), 2.0, RED)])
    assert painted[4, 4, 0] == round(0.299 * 255)


def test_a_brush_far_outside_paints_nothing(picture):
    painted, where = paint(picture, [Stroke(((-500.0, 900.0),), 2.0, RED), Stroke((), 2.0, RED)])
    assert np.array_equal(painted, picture) and not where.any()


def test_a_palette_is_of_the_pictures_own_colours():
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = (250, 200, 10)
    assert palette(picture, 6) == [(0, 0, 0), (250, 200, 10)]
    assert palette(np.full((4, 4, 1), 7, np.uint8)) == [(7, 7, 7)]
    assert 2 <= len(palette(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8), 5)) <= 5


def test_a_full_sheet_of_strokes_grows_quickly():
    """A hand that paints must see it: of two hundred long strokes only the last is computed anew."""
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    strokes = [Stroke(tuple(map(tuple, (rng.random((60, 2)) * 64).tolist())), 2.0, RED) for _ in range(200)]
    paint(picture, strokes)
    began = time.process_time()
    for number in range(10):
        paint(picture, [*strokes, Stroke(((float(number), 3.0), (20.0, 20.0)), 2.0, RED)])
    assert (time.process_time() - began) / 10 < 0.15
