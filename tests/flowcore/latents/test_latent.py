"""Walks end exactly where they should and keep the norms that they promise."""

from __future__ import annotations

import numpy as np
import pytest

from flowcore.errors import FlowError
from flowcore.latents.latent import MODES, linear, norm_kept, spherical, walk

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mode", MODES)
def test_both_ends_come_back_bit_for_bit(mode: str, dtype: type) -> None:
    a, b = (RNG.standard_normal(3072).astype(dtype) * 5e5 for _ in range(2))
    path = walk(a, b, [0.0, 0.5, 1.0], mode)
    assert path.dtype == dtype and path.shape == (3, 3072)
    assert (path[0] == a).all() and (path[2] == b).all()


def test_linear_is_the_straight_line() -> None:
    a, b = RNG.standard_normal((2, 7))
    assert np.allclose(linear(a, b, 0.3), a + 0.3 * (b - a), rtol=0, atol=1e-15)


@pytest.mark.parametrize("walker", [spherical, norm_kept])
def test_norms_go_evenly_from_end_to_end(walker) -> None:
    a, b = RNG.standard_normal(100) * 2.0, RNG.standard_normal(100)
    for t in np.linspace(0, 1, 11):
        expected = (1 - t) * np.linalg.norm(a) + t * np.linalg.norm(b)
        assert np.isclose(np.linalg.norm(walker(a, b, t)), expected, rtol=1e-13)


def test_spherical_turns_evenly_in_the_plane_of_its_ends() -> None:
    a, b = np.array([2.0, 0.0, 0.0]), np.array([0.0, 3.0, 0.0])
    for t in np.linspace(0, 1, 9):
        x, y, z = spherical(a, b, t)
        assert np.isclose(np.arctan2(y, x), t * np.pi / 2) and z == 0


def test_spherical_between_close_directions_is_accurate() -> None:
    a = np.array([1.0, 0.0])
    b = np.array([np.cos(1e-6), np.sin(1e-6)])
    x, y = spherical(a, b, 0.5)
    assert np.isclose(y, 0.5e-6, rtol=1e-9) and np.isclose(x, 1.0)


@pytest.mark.parametrize("walker", [spherical, norm_kept])
@pytest.mark.parametrize("b", [[1.0, 2.0], [-1.0, -2.0], [0.0, 0.0], [2.0, 4.0]])
def test_equal_opposite_and_zero_ends_stay_finite(walker, b: list[float]) -> None:
    a = np.array([1.0, 2.0])
    for t in np.linspace(0, 1, 5):
        point = walker(a, np.array(b), t)
        assert np.isfinite(point).all()
        assert np.linalg.norm(point) <= max(np.linalg.norm(a), np.linalg.norm(b)) + 1e-12
        assert np.isfinite(walker(np.zeros(2), np.array(b), t)).all()


def test_float32_walks_are_computed_in_float64() -> None:
    a, b = RNG.standard_normal((2, 500)).astype(np.float32)
    exact = walk(a.astype(np.float64), b.astype(np.float64), [0.37], "spherical")
    assert (walk(a, b, [0.37], "spherical") == exact.astype(np.float32)).all()


def test_mixed_precision_and_integers_widen() -> None:
    assert linear(np.zeros(2, np.float32), np.ones(2), 0.5).dtype == np.float64
    assert linear(np.array([0, 0]), np.array([1, 3]), 0.5).tolist() == [0.5, 1.5]


def test_nothing_given_is_changed() -> None:
    a, b = RNG.standard_normal((2, 5))
    before = a.copy(), b.copy()
    result = walk(a, b, [0.0, 1.0])
    result[:] = 7
    end = linear(a, b, 0.0)
    end[:] = 7
    assert (a == before[0]).all() and (b == before[1]).all()


def test_empty_walk_and_bad_requests() -> None:
    assert walk(np.zeros(3), np.ones(3), []).shape == (0, 3)
    with pytest.raises(FlowError, match="linear, spherical"):
        walk(np.zeros(3), np.ones(3), [0.5], "cubic")
    with pytest.raises(FlowError, match="3 and 4"):
        walk(np.zeros(3), np.ones(4), [0.5])
    with pytest.raises(FlowError, match="finite"):
        walk(np.zeros(3), np.ones(3), [float("nan")])
