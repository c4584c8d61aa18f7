"""Ink: what each tool does to it, and that the magnet loses none."""

from __future__ import annotations

import numpy as np
import pytest

from flowcore.plane.targets.ink import SIDE, blank, magnet, stroke


def spread(sheet: np.ndarray) -> float:
    """Mean squared distance of the ink from its own middle, in cells."""
    y, x = np.mgrid[:SIDE, :SIDE]
    mass = sheet / sheet.sum()
    return float((mass * ((x - (mass * x).sum()) ** 2 + (y - (mass * y).sum()) ** 2)).sum())


def test_pen_covers_the_area_of_its_path():
    dot = stroke(blank(), "pen", (64, 64), (64, 64), 8)
    assert dot.dtype == np.float32 and dot.max() == 1 and abs(dot.sum() - np.pi * 64) < 4
    line = stroke(blank(), "pen", (30, 64), (90, 64), 8)
    assert abs(line.sum() - (np.pi * 64 + 60 * 16)) < 8
    assert np.array_equal(stroke(line, "pen", (30, 64), (90, 64), 8), line)


def test_row_0_is_on_top_and_a_tool_may_leave_the_sheet():
    sheet = stroke(blank(), "pen", (10, -5), (10, 3), 4)
    assert sheet[0, 10] == 1 and sheet[-1].sum() == 0
    assert np.array_equal(stroke(sheet, "eraser", (-400, -400), (-300, -300), 5), sheet)


def test_eraser_takes_all_away_where_it_goes():
    sheet = stroke(np.ones((SIDE, SIDE), np.float32), "eraser", (64, 64), (64, 64), 6)
    assert sheet[64, 64] == 0 and sheet[0, 0] == 1 and abs((1 - sheet).sum() - np.pi * 36) < 4


def test_air_brush_darkens_with_time_up_to_black():
    once = stroke(blank(), "air", (64, 64), (64, 64), 12)
    many = blank()
    for _ in range(200):
        many = stroke(many, "air", (64, 64), (64, 64), 12)
    assert 0 < once.max() < 0.2 and once[64, 64] < many[64, 64] <= 1
    assert once[64, 64 + 6] == pytest.approx(once[64, 64] * np.exp(-0.5), rel=0.1)


@pytest.mark.parametrize("place", [(64.0, 64.0), (0.0, 0.0), (140.0, -9.0), (127.9, 60.3)])
def test_magnet_keeps_the_mass_wherever_it_is(place):
    rng = np.random.default_rng(0)
    sheet = rng.random((SIDE, SIDE), np.float32) * (rng.random((SIDE, SIDE)) < 0.5)
    before = float(sheet.sum(dtype=np.float64))
    for _ in range(12):
        sheet = magnet(sheet, place, 20)
    assert abs(float(sheet.sum(dtype=np.float64)) - before) < 1e-4 * before
    assert sheet.min() >= 0 and sheet.max() < 2.5


def test_magnet_gathers_what_is_near_and_leaves_the_rest():
    cloud = stroke(blank(), "air", (50, 64), (78, 64), 16)
    cloud[5, 5] = 0.7
    pulled = cloud
    for _ in range(10):
        pulled = magnet(pulled, (64, 64), 30)
    near, before = pulled.copy(), cloud.copy()
    near[5, 5] = before[5, 5] = 0
    assert spread(near) < 0.6 * spread(before) and pulled[5, 5] == cloud[5, 5]
    assert magnet(blank(), (64, 64), 30).sum() == 0


def test_unknown_tool_is_refused():
    with pytest.raises(ValueError, match="brush"):
        stroke(blank(), "brush", (1, 1), (2, 2), 3)
