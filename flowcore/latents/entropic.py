"""From pile A to pile B in z by entropic optimal transport: pairs between the piles' own latents, and the map that they suggest.

:func:`~flowcore.latents.transport.gaussian_transport` knows of a pile its mean and covariance. Here the latents themselves are
paired, softly and as near to each other as a whole can be (Sinkhorn's iteration, Cuturi 2013), and each z of A has a partner: the
mean of what it is paired with, its barycentric projection (Peyré and Cuturi 2019, Computational Optimal Transport, remark 4.11).
A new z is in no pair, so what acts on it is the affine part of these pairs alone. Soft pairs draw everything towards the mean, as
pairs of A with itself do: that share is taken out again (Feydy et al. 2019, Interpolating between Optimal Transport and MMD).
All is float64; torch-free.
"""
from __future__ import annotations

import numpy as np

from ..errors import ConfigError
from .transport import AffineMap, leading, mean_shift, shrunk_covariance, two_piles

__all__ = ["RANK", "SHARE", "entropic_transport", "partners"]

RANK = 32
"""Directions in which pairs are sought: over more, a few hundred latents are all equally far from each other."""
SHARE = 0.2
"""The regularisation ε, as a share of the mean squared distance between the piles."""
ROUNDS = 2000
CLOSE = 1e-6
"""The iteration ends where no latent's weight is farther from its due than this share of it."""
LEAST = 0.05
"""No direction shrinks to less than this share of itself: the map has an inverse."""


def partners(a: np.ndarray, b: np.ndarray, epsilon: float) -> np.ndarray:
    """The barycentric projection (N, D) of ``a`` (N, D) on ``b`` (M, D), both uniformly weighted.

    The plan P minimises Σ P |x − y|² + ε KL(P | uniform); row i of the result is N Σ_j P_ij y_j.

    Raises:
        ConfigError: for an ε that is not above 0.
    """
    if not epsilon > 0:
        raise ConfigError(f"Entropic transport needs a regularisation above 0, not {epsilon:g}.")
    cost = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    # What is the same along a row or a column changes no plan; a 1 in each keeps every sum above 0.
    cost -= cost.min(1, keepdims=True)
    cost -= cost.min(0, keepdims=True)
    kernel = np.exp(-cost / epsilon)
    left, right = np.ones(len(a)), np.ones(len(b))
    for _ in range(ROUNDS):
        left = 1 / (len(a) * (kernel @ right))
        due = kernel.T @ left
        if np.abs(right * due * len(b) - 1).max() < CLOSE:
            break
        right = 1 / (len(b) * due)
    plan = left[:, None] * kernel * right
    return plan @ b / plan.sum(1, keepdims=True)


def entropic_transport(a: np.ndarray, b: np.ndarray, rank: int = RANK, share: float = SHARE) -> AffineMap:
    """The affine map that lies nearest to the entropic pairs between two piles, ``a`` (N, D) and ``b`` (M, D).

    Of the maps m_B + S (z − m_A) with S symmetric, as every optimal transport's is, the one that lies nearest, in least squares,
    to x_i + ŷ_i − x̂_i: ŷ_i and x̂_i are the partners of A's x_i in B and in A itself. S bends the ``rank`` directions in which
    the piles vary most; all else moves by the means. Between Gaussians it is their optimal transport for an ε near 0, and the
    shift alone for a large one.

    Raises:
        ConfigError: for piles of fewer than two latents, or of different sizes.
    """
    a, b = two_piles(a, b, 2)
    offsets_a, offsets_b = a - a.mean(0), b - b.mean(0)
    basis = leading(np.concatenate([offsets_a / np.sqrt(len(a)), offsets_b / np.sqrt(len(b))]), rank)
    if not basis.shape[1]:
        return mean_shift(a, b)
    x, y = offsets_a @ basis, offsets_b @ basis
    epsilon = share * float(np.square(x).sum(1).mean() + np.square(y).sum(1).mean())
    found = x + partners(x, y, epsilon) - partners(x, x, epsilon)
    # S Σ + Σ S = C + Cᵀ, in the eigenvectors of Σ, where each entry stands alone.
    values, vectors = np.linalg.eigh(shrunk_covariance(x))
    cross = vectors.T @ (found - found.mean(0)).T @ x @ vectors / len(x)
    bend = vectors @ ((cross + cross.T) / (values[:, None] + values)) @ vectors.T
    sizes, axes = np.linalg.eigh((bend + bend.T) / 2)
    matrix = (axes * np.maximum(sizes, LEAST)) @ axes.T
    return AffineMap(a.mean(0), b.mean(0) - a.mean(0), basis, (matrix + matrix.T) / 2 - np.eye(len(matrix)))
