"""A point between four latents, keyframes in time, a cross-fade, and where a likelihood dips."""

from __future__ import annotations

import numpy as np
import pytest

from flowcore.errors import ConfigError
from flowcore.latents.latent import walk
from flowcore.latents.timeline import (
    PATHS,
    Timeline,
    bilinear,
    bilinear_label,
    ease,
    frame_times,
    largest_dip,
    pixel_blend,
    sample,
    sample_label,
)


def latents(count: int, dims: int = 50, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dims)).astype(np.float32)


def test_a_corner_of_the_pad_is_its_latent_bit_for_bit():
    corners = latents(4)
    for kept in (False, True):
        for index, (x, y) in enumerate([(0, 0), (1, 0), (0, 1), (1, 1)]):
            point = bilinear(corners, x, y, kept)
            assert point.dtype == np.float32 and point.tobytes() == corners[index].tobytes()


def test_the_pad_is_bilinear_and_its_edges_are_linear_walks():
    corners = latents(4).astype(np.float64)
    middle = bilinear(corners, 0.5, 0.5)
    np.testing.assert_allclose(middle, corners.mean(0))
    np.testing.assert_allclose(bilinear(corners, 0.3, 0.0), walk(corners[0], corners[1], (0.3,))[0])
    np.testing.assert_allclose(bilinear(corners, 1.0, 0.8), walk(corners[1], corners[3], (0.8,))[0])
    x, y = 0.2, 0.7
    by_hand = (1 - y) * ((1 - x) * corners[0] + x * corners[1]) + y * ((1 - x) * corners[2] + x * corners[3])
    np.testing.assert_allclose(bilinear(corners, x, y), by_hand)


def test_the_kept_norm_is_the_mean_of_the_corners_norms():
    corners = latents(4, 4000).astype(np.float64)
    norms = np.linalg.norm(corners, axis=1)
    assert np.linalg.norm(bilinear(corners, 0.5, 0.5)) < 0.6 * norms.mean()  # a mean of independent ones is half as long
    assert np.linalg.norm(bilinear(corners, 0.5, 0.5, norm_kept=True)) == pytest.approx(norms.mean())
    assert np.isfinite(bilinear(np.stack([corners[0], -corners[0], -corners[0], corners[0]]), 0.5, 0.5, True)).all()


def test_a_point_outside_and_too_few_corners_are_refused():
    with pytest.raises(ConfigError, match="between 0 and 1"):
        bilinear(latents(4), 1.1, 0.5)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        bilinear(latents(4), float("nan"), 0.5)
    with pytest.raises(ConfigError, match="four latents"):
        bilinear(latents(3), 0.5, 0.5)


def test_labels_on_the_pad_are_weighted_as_z_is():
    labels = [((0, 1.0),), ((1, 1.0),), ((2, 1.0),), ((0, 1.0),)]
    assert bilinear_label(labels, 0, 0) == labels[0] and bilinear_label(labels, 1, 0) == labels[1]
    mixed = dict(bilinear_label(labels, 0.25, 0.5))
    assert mixed == pytest.approx({0: 0.75 * 0.5 + 0.25 * 0.5, 1: 0.25 * 0.5, 2: 0.75 * 0.5})
    assert sum(mixed.values()) == pytest.approx(1)
    assert bilinear_label([(), (), (), ()], 0.3, 0.3) == ()


def test_easings_begin_at_0_and_end_at_1_and_ease_is_slow_at_both_ends():
    for name in ("linear", "ease", "hold"):
        assert ease(0, name) == 0 and ease(1, name) == 1
    assert ease(0.5, "ease") == 0.5 and ease(0.1, "ease") < 0.05 and ease(0.9, "ease") > 0.95
    assert ease(0.999, "hold") == 0
    with pytest.raises(ConfigError, match="easing"):
        ease(0.5, "bounce")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("loop", [False, True])
def test_a_timeline_passes_every_key_exactly_at_its_time(path, loop):
    keys = latents(4)
    timeline = Timeline((1.0, 0.5, 2.0, 1.5), ("linear", "ease", "linear", "ease"), loop, path)
    assert timeline.starts == (0.0, 1.0, 1.5, 3.5)
    assert timeline.duration == (5.0 if loop else 3.5)
    at = sample(keys, timeline, timeline.starts)
    assert at.dtype == np.float32 and at.tobytes() == keys.tobytes()
    after = sample(keys, timeline, [timeline.duration, timeline.duration + 0.5])
    if loop:
        assert after[0].tobytes() == keys[0].tobytes()
        np.testing.assert_array_equal(after[1], sample(keys, timeline, [0.5])[0])
    else:
        assert after[0].tobytes() == after[1].tobytes() == keys[3].tobytes()


def test_piecewise_is_the_walk_and_hold_stands_still():
    keys = latents(3)
    timeline = Timeline((2.0, 1.0, 1.0), ("linear", "hold", "linear"), False, "spherical")
    np.testing.assert_array_equal(sample(keys, timeline, [0.5])[0], walk(keys[0], keys[1], (0.25,), "spherical")[0])
    np.testing.assert_array_equal(sample(keys, timeline, [2.99])[0], keys[1])


def test_catmull_rom_is_straight_on_a_straight_line_and_has_no_corner_elsewhere():
    line = np.outer([0.0, 1.0, 3.0, 4.0], np.ones(5))
    even = Timeline((1.0, 2.0, 1.0, 1.0), ("linear",) * 4, False, "catmull-rom")
    times = np.linspace(0, 4, 41)
    np.testing.assert_allclose(sample(line, even, times)[:, 0], times, atol=1e-12)
    keys = latents(4).astype(np.float64)
    for loop in (False, True):
        curve = Timeline((1.0, 0.5, 2.0, 0.7), ("linear",) * 4, loop, "catmull-rom")
        h = 1e-5
        for key in curve.starts[1:3]:
            before, here, after = sample(keys, curve, [key - h, key, key + h])
            np.testing.assert_allclose((here - before) / h, (after - here) / h, atol=1e-2)


def test_a_catmull_rom_segment_by_hand():
    keys = latents(4).astype(np.float64)
    p0, p1, p2, p3 = keys
    curve = Timeline((1.0,) * 4, ("linear",) * 4, False, "catmull-rom")
    u = 0.3
    by_hand = 0.5 * (2 * p1 + (p2 - p0) * u + (2 * p0 - 5 * p1 + 4 * p2 - p3) * u**2 + (3 * p1 - p0 - 3 * p2 + p3) * u**3)
    np.testing.assert_allclose(sample(keys, curve, [1.0 + u])[0], by_hand)


def test_one_key_stands_and_bad_timelines_are_refused():
    one = Timeline((2.0,), ("ease",), True)
    assert one.duration == 0 and frame_times(one.duration, 24, True) == [0.0]
    np.testing.assert_array_equal(sample(latents(1), one, [0.0, 9.0]), latents(1).repeat(2, 0))
    for bad in (((), ()), ((1.0,), ()), ((0.0,), ("ease",)), ((float("nan"),), ("ease",)), ((1.0,), ("bounce",))):
        with pytest.raises(ConfigError):
            Timeline(*bad)
    with pytest.raises(ConfigError, match="path"):
        Timeline((1.0,), ("ease",), False, "zigzag")
    with pytest.raises(ConfigError, match="another number"):
        sample(latents(3), one, [0.0])


def test_labels_of_a_timeline_go_with_the_eased_time():
    labels = [((0, 1.0),), ((2, 1.0),)]
    timeline = Timeline((1.0, 1.0), ("ease", "ease"), True)
    assert sample_label(labels, timeline, 0.0) == labels[0]
    assert dict(sample_label(labels, timeline, 0.25)) == pytest.approx({0: 1 - ease(0.25, "ease"), 2: ease(0.25, "ease")})
    assert sample_label(labels, timeline, 2.0) == labels[0]


def test_frame_times_are_even_and_a_loops_end_is_not_shown_twice():
    assert frame_times(1.0, 4) == [0, 0.25, 0.5, 0.75, 1.0]
    assert frame_times(1.0, 4, loop=True) == [0, 0.25, 0.5, 0.75]
    assert len(frame_times(0.01, 4)) == 2
    with pytest.raises(ConfigError, match="fewer a second"):
        frame_times(1000, 60)
    with pytest.raises(ConfigError):
        frame_times(1.0, 0)


def test_a_cross_fade_gives_both_ends_back_and_rounds_between():
    a, b = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 3), dtype=np.uint8)
    assert pixel_blend(a, b, 0).tobytes() == a.tobytes() and pixel_blend(a, b, 1).tobytes() == b.tobytes()
    np.testing.assert_array_equal(pixel_blend(a, b, 0.5), np.floor((a.astype(int) + b) / 2 + 0.5))
    with pytest.raises(ConfigError, match="same size"):
        pixel_blend(a, b[:4], 0.5)


def test_the_largest_dip_is_the_local_maximum_farthest_above_the_line():
    ts = np.linspace(0, 1, 33)
    straight = 2 + ts
    assert largest_dip(straight) is None
    assert largest_dip(straight - 0.5 * np.sin(np.pi * ts)) is None  # likelier in the middle: no dip
    two = straight + 0.3 * np.exp(-(((ts - 0.25) / 0.05) ** 2)) + 0.6 * np.exp(-(((ts - 0.75) / 0.05) ** 2))
    assert largest_dip(two) == 24
    assert largest_dip([2.0, 2.005, 2.0]) is None
    assert largest_dip([2.0, None, 2.0]) is None and largest_dip([2.0, float("nan"), 2.0]) is None and largest_dip([]) is None
