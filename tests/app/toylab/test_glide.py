"""Points between two frames of a training."""

from __future__ import annotations

import numpy as np
import pytest

from flow_explorer.toylab.panels.glide import LONGEST_S, Glide


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


FIRST, SECOND, THIRD = (np.full((3, 2), value, np.float32) for value in (0.0, 1.0, -1.0))


def test_the_first_frame_is_there_at_once(clock):
    glide = Glide(clock)
    glide.go(1, FIRST)
    assert not glide.moving and glide.points() is FIRST


def test_a_frame_of_a_stream_is_reached_on_the_way_and_exactly_in_the_end(clock):
    glide = Glide(clock)
    glide.go(1, FIRST)
    clock.now += 0.025
    glide.go(1, SECOND)
    assert glide.moving and np.allclose(glide.points(), 0.0)
    seen = []
    while glide.moving:
        clock.now += 0.005
        seen.append(float(glide.points()[0, 0]))
    assert seen == sorted(seen) and 0 < seen[0] < seen[1] < 1
    assert glide.points() is SECOND


def test_a_frame_that_comes_on_the_way_is_gone_to_from_where_the_points_are_seen(clock):
    glide = Glide(clock)
    glide.go(1, FIRST)
    clock.now += 0.025
    glide.go(1, SECOND)
    clock.now += 0.010
    seen = glide.points()[0, 0]
    glide.go(1, THIRD)
    assert np.allclose(glide.points(), seen)
    clock.now += 1
    assert glide.points() is THIRD


@pytest.mark.parametrize(("of", "points", "gap"), [
    (2, SECOND, 0.025), (1, SECOND[:2], 0.025), (1, SECOND, LONGEST_S + 0.01),
])  # fmt: skip
def test_another_run_other_points_and_a_frame_after_a_pause_are_there_at_once(clock, of, points, gap):
    glide = Glide(clock)
    glide.go(1, FIRST)
    clock.now += gap
    glide.go(of, points)
    assert not glide.moving and glide.points() is points
