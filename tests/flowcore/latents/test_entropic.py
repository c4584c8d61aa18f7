"""Entropic optimal transport between two piles of latents, against what is known of Gaussians."""

from __future__ import annotations

import numpy as np
import pytest

from flowcore.errors import ConfigError
from flowcore.latents.entropic import entropic_transport, partners
from flowcore.latents.transport import gaussian_transport, mean_shift

SIZE = 3


def piles(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Two Gaussians with means and covariances of their own."""
    rng = np.random.default_rng(1)
    roots = [np.eye(SIZE) + 0.4 * rng.standard_normal((SIZE, SIZE)) for _ in range(2)]
    means = rng.standard_normal((2, SIZE))
    return tuple(mean + rng.standard_normal((count, SIZE)) @ root for mean, root in zip(means, roots, strict=True))


def power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


def barycentric(a: np.ndarray, b: np.ndarray, epsilon: float) -> np.ndarray:
    """Of Gaussians: A^-½ (A^½ B A^½ + (ε/4)² I)^½ A^-½ − (ε/4) A^-1 (Janati et al. 2020, theorem 1, with ε = 2σ²)."""
    root, inverse = power(a, 0.5), power(a, -0.5)
    return inverse @ power(root @ b @ root + (epsilon / 4) ** 2 * np.eye(SIZE), 0.5) @ inverse - epsilon / 4 * power(a, -1.0)


@pytest.mark.parametrize("share", [0.1, 0.4, 1.0])
def test_between_gaussians_it_is_what_is_known(share):
    a, b = piles(1200)
    first, second = np.cov(a.T), np.cov(b.T)
    epsilon = share * (np.trace(first) + np.trace(second))
    known = np.eye(SIZE) + barycentric(first, second, epsilon) - barycentric(first, first, epsilon)
    made = entropic_transport(a, b, share=share)
    found = made.basis @ made.matrix @ made.basis.T + np.eye(SIZE)
    assert np.abs(found - known).max() < 0.05 and np.abs(known - np.eye(SIZE)).max() > 0.2
    assert np.allclose(made.apply(a).mean(0), b.mean(0))


def test_a_partner_is_the_mean_of_what_it_is_paired_with():
    a, b = piles(300)
    far = partners(a, b, 1e6)
    assert np.allclose(far, b.mean(0), atol=1e-3), "everything is paired with everything"
    near = partners(a, a, 1e-3)
    assert np.abs(near - a).max() < 0.05, "each with itself"
    assert np.allclose(partners(a, b, 0.5).mean(0), b.mean(0), atol=1e-4), "each of B has its due share"
    with pytest.raises(ConfigError, match="above 0"):
        partners(a, b, 0.0)


def test_it_lies_between_the_shift_and_the_transport():
    a, b = piles(600)
    true, shift = gaussian_transport(a, b).apply(a), mean_shift(a, b).apply(a)
    away = [np.abs(entropic_transport(a, b, share=share).apply(a) - true).mean() for share in (0.2, 5.0, 1e4)]
    assert away[0] < away[1] < away[2] and abs(away[2] - np.abs(shift - true).mean()) < 0.01


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_it_is_undone_exactly_for_new_latents_of_many_numbers(strength):
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((60, 500)), 0.3 * rng.standard_normal((80, 500)) + 0.2
    change, z = entropic_transport(a, b), 3 * rng.standard_normal((10, 500))
    assert np.abs(change.invert(change.apply(z, strength), strength) - z).max() < 1e-9
    assert change.basis.shape == (500, 32) and np.linalg.eigvalsh(change.matrix).min() > -1
