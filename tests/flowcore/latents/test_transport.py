"""Maps between two piles of latents: what they make of a Gaussian, and that they are undone exactly."""

from __future__ import annotations

import numpy as np
import pytest

from flowcore.errors import ConfigError
from flowcore.latents.translation_methods import METHODS, allowed, method
from flowcore.latents.transport import gaussian_transport, level_transport, mean_shift, shrunk_shift


def piles(count: int = 4000, size: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Two Gaussians with means and covariances of their own."""
    rng = np.random.default_rng(1)
    roots = [np.eye(size) + 0.4 * rng.standard_normal((size, size)) for _ in range(2)]
    means = rng.standard_normal((2, size))
    return tuple(mean + rng.standard_normal((count, size)) @ root for mean, root in zip(means, roots, strict=True))


@pytest.mark.parametrize("make", [mean_shift, shrunk_shift, gaussian_transport])
@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_it_is_undone_exactly(make, strength):
    a, b = piles()
    change = make(a, b)
    z = np.random.default_rng(2).standard_normal((20, 6)) * 3
    assert np.abs(change.invert(change.apply(z, strength), strength) - z).max() < 1e-10
    assert np.allclose(change.apply(z[0], strength), change.apply(z, strength)[0])
    assert np.array_equal(change.apply(z, 0.0), z)


def test_methods_by_name():
    a, b = piles()
    for name in allowed(classes=False, pair=False):
        change = method(name).fit(a, b)
        assert np.allclose(change.apply(a).mean(0), b.mean(0), atol=0.05)
    with pytest.raises(ConfigError, match="not by 'magic'"):
        method("magic")


def test_a_method_is_offered_where_what_it_needs_is_there():
    assert allowed(classes=True, pair=True) == tuple(METHODS)
    assert set(allowed(True, True)) - set(allowed(False, False)) == {"conditional", "pair"}
    assert all(bool(each.by) == (each.needs == "piles") for each in METHODS.values())


def test_means_meet():
    a, b = piles()
    for make in (mean_shift, gaussian_transport):
        assert np.allclose(make(a, b).apply(a).mean(0), b.mean(0))


def test_one_gaussian_becomes_the_other():
    a, b = piles(40_000)
    moved = gaussian_transport(a, b).apply(a)
    assert np.abs(np.cov(moved.T) - np.cov(b.T)).max() < 0.02 * np.abs(np.cov(b.T)).max()


def test_it_is_the_shortest_way():
    """Of all maps that take one Gaussian to another this one moves least: less than through whitening by Cholesky."""
    a, b = piles(40_000)
    moved = gaussian_transport(a, b).apply(a)
    first, second = (np.linalg.cholesky(np.cov(pile.T)) for pile in (a, b))
    other = b.mean(0) + (a - a.mean(0)) @ np.linalg.inv(first).T @ second.T
    cost, another = (((pile - a) ** 2).sum(1).mean() for pile in (moved, other))
    assert cost < another
    # Bures and Wasserstein's distance between the two, in closed form.
    sigma_a, sigma_b = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(sigma_a)
    root = (vectors * np.sqrt(values)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ sigma_b @ root)).sum()
    distance = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(sigma_a) + np.trace(sigma_b) - 2 * cross
    assert cost == pytest.approx(distance, rel=0.01)


def test_many_latents_of_many_dimensions_have_the_same_directions():
    rng = np.random.default_rng(4)
    scales = np.concatenate([np.linspace(6, 3, 12), np.full(788, 0.3)])
    a, b = (rng.standard_normal((count, 800)) * scales + shift for count, shift in ((300, 0), (280, 1)))
    fast = gaussian_transport(a, b, rank=10)
    assert fast.basis.shape == (800, 10)
    assert np.allclose(fast.basis.T @ fast.basis, np.eye(10), atol=1e-10)
    offsets = np.concatenate([(a - a.mean(0)) / np.sqrt(300), (b - b.mean(0)) / np.sqrt(280)])
    exact = np.linalg.svd(offsets, full_matrices=False)[2][:10].T
    assert np.linalg.svd(exact.T @ fast.basis)[1].min() > 1 - 1e-9


def test_by_level_no_level_bends_another():
    a, b = piles(2000, 6)
    change = level_transport(a, b, [(0, 2), (2, 6)])
    parts = [gaussian_transport(a[:, own], b[:, own]) for own in (slice(0, 2), slice(2, 6))]
    z = np.random.default_rng(5).standard_normal((9, 6))
    apart = np.concatenate([parts[0].apply(z[:, :2], 0.7), parts[1].apply(z[:, 2:], 0.7)], 1)
    assert np.allclose(change.apply(z, 0.7), apart)
    assert np.allclose(change.invert(change.apply(z)), z)
    for levels in ([(0, 2), (3, 6)], [(0, 6), (6, 8)], []):
        with pytest.raises(ConfigError, match="make up all"):
            level_transport(a, b, levels)


def test_a_shrunk_shift_leaves_out_what_may_be_chance():
    rng = np.random.default_rng(6)
    truth = np.where(np.arange(400) < 20, 1.5, 0.0)
    a, b = rng.standard_normal((40, 400)), rng.standard_normal((30, 400)) + truth
    plain, shrunk = mean_shift(a, b).shift, shrunk_shift(a, b).shift
    assert ((shrunk - truth) ** 2).sum() < 0.6 * ((plain - truth) ** 2).sum()
    assert (shrunk[20:] == 0).mean() > 0.5 and np.all(np.abs(shrunk) <= np.abs(plain)) and np.all(shrunk[:20] > 0.8)


def test_few_latents_of_many_dimensions_leave_the_rest_alone():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((7, 500)), rng.standard_normal((5, 500)) + 1
    change = gaussian_transport(a, b, rank=4)
    assert change.basis.shape == (500, 4)
    z = rng.standard_normal(500)
    outside = change.apply(z) - z - change.shift
    assert np.abs(outside - change.basis @ (change.basis.T @ outside)).max() < 1e-10
    assert np.linalg.eigvalsh(change.matrix).min() > -1


def test_pictures_that_are_all_the_same_move_together():
    a, b = np.zeros((3, 4)), np.ones((3, 4))
    change = gaussian_transport(a, b)
    assert np.allclose(change.apply(a), b) and np.allclose(change.invert(b), a)


def test_nonsense_is_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="one model"):
        mean_shift(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ConfigError, match="at least 2 pictures: they have 1 and 5"):
        gaussian_transport(np.zeros((1, 3)), np.zeros((5, 3)))
    with pytest.raises(ConfigError, match="at least 1 picture"):
        mean_shift(np.zeros((0, 3)), np.zeros((5, 3)))
    with pytest.raises(ConfigError, match="at least one direction"):
        gaussian_transport(np.zeros((3, 3)), np.zeros((5, 3)), rank=0)
