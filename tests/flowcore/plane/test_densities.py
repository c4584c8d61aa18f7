"""Each density's log_prob integrates to one, is what its sampler draws from, and has the entropy it states."""

from __future__ import annotations

import time

import numpy as np
import pytest

from flowcore.errors import FlowError
from flowcore.plane.densities import BOUNDS, NAMES, get, quadrature_entropy

HALF, SPACING = 9.0, 0.045


@pytest.fixture(scope="module")
def grid() -> np.ndarray:
    axis = -HALF + (np.arange(round(2 * HALF / SPACING)) + 0.5) * SPACING
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)


def test_names_are_in_the_order_to_offer() -> None:
    assert NAMES == (
        "two-moons", "eight-gaussians", "two-spirals", "rings", "checkerboard",
        "pinwheel", "swiss-roll", "gaussian-grid", "bridge", "gaussian",
    )  # fmt: skip
    with pytest.raises(FlowError, match="two-moons"):
        get("three-moons")


@pytest.mark.parametrize("name", NAMES)
def test_integrates_to_one(name: str, grid: np.ndarray) -> None:
    assert np.isclose(np.exp(get(name).log_prob(grid)).sum() * SPACING**2, 1.0, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_sampler_draws_from_log_prob(name: str) -> None:
    """Pearson's chi-squared statistic of a histogram, against cell probabilities integrated 6 × 6 within each."""
    density, count, cells, fine = get(name), 400_000, 80, 6
    points = density.sample(count, np.random.default_rng(3))
    assert points.shape == (count, 2) and points.dtype == np.float64
    histogram, edges, _ = np.histogram2d(*points.T, bins=cells, range=[[-5, 5]] * 2)
    axis = -5 + (np.arange(cells * fine) + 0.5) * (10 / (cells * fine))
    p = np.exp(density.log_prob(np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)))
    expected = p.reshape(cells, fine, cells, fine).sum(axis=(1, 3)) * (10 / (cells * fine)) ** 2 * count
    enough = expected >= 10
    statistic = ((histogram - expected)[enough] ** 2 / expected[enough]).sum()
    freedom = enough.sum()
    assert freedom > 100
    # mean and standard deviation of chi-squared; a blur two percent too wide shows for most of the ten
    assert abs(statistic - freedom) < 5 * np.sqrt(2 * freedom)
    # what lies in the cells that are too thin to compare is as rare as it should be
    rest = count - expected[enough].sum()
    assert abs(count - histogram[enough].sum() - rest) < 5 * np.sqrt(rest + 1)


@pytest.mark.parametrize("name", NAMES)
def test_entropy_is_the_constant(name: str) -> None:
    density = get(name)
    assert np.isclose(
        quadrature_entropy(density, half=9.0, spacing=0.045), density.entropy, rtol=0, atol=1e-6
    )
    draws = density.log_prob(density.sample(200_000, np.random.default_rng(5)))
    assert abs(-draws.mean() - density.entropy) < 5 * draws.std() / np.sqrt(len(draws))


def test_entropy_of_a_gaussian_is_the_textbook_one() -> None:
    assert np.isclose(get("gaussian").entropy, np.log(2 * np.pi * np.e * 1.3 * 0.5), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_shape_fits_its_square_and_is_of_a_size_that_flows_like(name: str) -> None:
    density = get(name)
    assert density.bounds == BOUNDS
    points = density.sample(20_000, np.random.default_rng(0))
    assert (np.abs(points) < 4).all(axis=1).mean() > 0.99
    assert np.abs(points.mean(axis=0)).max() < 0.5
    assert points.std(axis=0).min() > 0.4 and points.std(axis=0).max() < 2.5
    assert 0.05 <= density.noise <= 0.5


@pytest.mark.parametrize("name", NAMES)
def test_far_away_and_at_the_origin_log_prob_is_finite(name: str) -> None:
    points = np.array([[0.0, 0.0], [1e-300, 0.0], [30.0, -40.0], [-500.0, 3.0], [1e4, 1e4]])
    log_p = get(name).log_prob(points)
    assert np.isfinite(log_p).all() and (log_p[2:] < -100).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_heat_map_takes_less_than_half_a_second(name: str) -> None:
    axis = np.linspace(-4, 4, 256)
    points = np.stack(np.meshgrid(axis, axis), axis=-1)
    density = get(name)
    density.log_prob(points[:8])
    times = []
    for _ in range(3):
        started = time.thread_time()
        density.log_prob(points)
        times.append(time.thread_time() - started)
    assert min(times) < 0.5


def test_the_same_generator_gives_the_same_points_and_shapes_are_kept() -> None:
    density = get("rings")
    same = [density.sample(100, np.random.default_rng(9)) for _ in range(2)]
    assert (same[0] == same[1]).all()
    points = same[0].reshape(4, 25, 2)
    assert (density.log_prob(points).reshape(-1) == density.log_prob(same[0])).all()
    assert density.log_prob(np.zeros(2)).shape == () and density.sample(0, np.random.default_rng()).shape == (
        0,
        2,
    )
    with pytest.raises(ValueError):
        density.log_prob(np.zeros((3, 3)))


def test_a_curve_has_no_beads() -> None:
    """Along the moons the density of the row of Gaussians is level to one part in a thousand."""
    t = np.linspace(0.8, np.pi - 0.8, 2000)
    middle = np.column_stack([-0.75 + 1.5 * np.cos(t), -0.375 + 1.5 * np.sin(t)])
    middle = middle[middle[:, 0] < -0.4]  # away from the other moon
    log_p = get("two-moons").log_prob(middle)
    assert np.ptp(log_p) < 1e-3
