"""Lines of equal height, against functions whose lines are known."""

from __future__ import annotations

import numpy as np
import pytest

from flowcore.plane.contours import contours

BOUNDS = (-2.0, 2.0, -1.0, 3.0)


def centres(count: int) -> tuple[np.ndarray, np.ndarray]:
    steps = (np.arange(count) + 0.5) / count
    return np.meshgrid(-2 + 4 * steps, -1 + 4 * steps)


def test_the_lines_of_a_plane_are_straight_and_exact():
    x, y = centres(20)
    lines = contours(2 * x + y, (0.5, 1.5), BOUNDS)
    assert set(lines[:, 4]) == {0, 1}
    for number, level in enumerate((0.5, 1.5)):
        ends = lines[lines[:, 4] == number, :4].reshape(-1, 2)
        assert len(ends) > 20 and np.allclose(2 * ends[:, 0] + ends[:, 1], level, atol=1e-5)


def test_a_circle_closes_and_has_its_length():
    x, y = centres(120)
    lines = contours(np.hypot(x, y - 1), (1.3,), BOUNDS)
    first, second = lines[:, :2].astype(np.float64), lines[:, 2:4].astype(np.float64)
    assert np.linalg.norm(second - first, axis=1).sum() == pytest.approx(2 * np.pi * 1.3, rel=2e-3)
    ends = np.round(np.concatenate([first, second]), 4)
    _, counts = np.unique(ends, axis=0, return_counts=True)
    assert (counts == 2).all()  # every end is another line's end


@pytest.mark.parametrize("middle, joined", [(1.0, True), (-1.0, False)])
def test_a_saddle_is_cut_by_its_middle(middle, joined):
    high = 2.0 + middle
    field = np.array([[high, -2.0], [-2.0, high]])  # lower left and upper right above 0
    lines = contours(field, (0.0,), (0.0, 2.0, 0.0, 2.0))
    assert len(lines) == 2
    # Joined across the middle, a line cuts off the lower right corner; apart, one cuts off the lower left.
    corner = np.array([1.5, 0.5]) if joined else np.array([0.5, 0.5])
    distances = np.abs(lines[:, :4].reshape(2, 2, 2) - corner).min(-1).max(-1)
    assert distances.min() < 1e-6


def test_nothing_where_nothing_is_crossed_or_finite():
    assert contours(np.ones((5, 5)), (0.0,), BOUNDS).shape == (0, 5)
    assert contours(np.full((5, 5), np.nan), (0.0,), BOUNDS).shape == (0, 5)
    assert contours(np.ones((1, 5)), (0.0,), BOUNDS).shape == (0, 5)
