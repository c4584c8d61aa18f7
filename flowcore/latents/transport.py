"""From pile A to pile B in z: affine maps between two sets of latents, each with an exact inverse.

Latents are rows (N, D) of whitened coordinates. Everything is computed in float64 and costs no more than the number of
latents allows: a map bends at most ``rank`` directions, those in which the two piles vary most, and moves the rest along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ConfigError

__all__ = [
    "AffineMap", "gaussian_transport", "leading", "level_transport", "mean_shift", "shrunk_covariance", "shrunk_shift",
    "two_piles",
]  # fmt: skip

RANK = 128


@dataclass(frozen=True)
class AffineMap:
    """z ↦ z + s · (shift + Q M Qᵀ (z − centre)): at strength s = 1 pile A's Gaussian becomes pile B's, at 0 nothing moves."""

    centre: np.ndarray
    """(D,): pile A's mean."""
    shift: np.ndarray
    """(D,): pile B's mean minus pile A's."""
    basis: np.ndarray
    """Q, (D, r), its columns orthonormal; r = 0 where nothing is bent."""
    matrix: np.ndarray
    """M, (r, r), symmetric, its eigenvalues above −1: so strengths from 0 to 1 can all be undone."""

    def apply(self, z: np.ndarray, strength: float = 1.0) -> np.ndarray:
        """(N, D) or (D,) -> the same shape, float64."""
        z = np.asarray(z, np.float64)
        inside = (z - self.centre) @ self.basis
        return z + strength * (self.shift + inside @ self.matrix @ self.basis.T)

    def invert(self, z: np.ndarray, strength: float = 1.0) -> np.ndarray:
        """What :meth:`apply` made ``z`` of at that strength.

        Raises:
            ConfigError: for a strength at which the map collapses a direction, as only one beyond 1 or below 0 can.
        """
        offset = np.asarray(z, np.float64) - strength * self.shift - self.centre
        if not len(self.matrix):
            return self.centre + offset
        inside = offset @ self.basis
        bent = np.eye(len(self.matrix)) + strength * self.matrix
        try:
            undone = np.linalg.solve(bent, inside.reshape(-1, len(bent)).T).T.reshape(inside.shape)
        except np.linalg.LinAlgError:
            raise ConfigError(f"At a strength of {strength:g} this map cannot be undone; choose one from 0 to 1.") from None
        return self.centre + offset + (undone - inside) @ self.basis.T


def mean_shift(a: np.ndarray, b: np.ndarray) -> AffineMap:
    """The map that moves pile A's mean to pile B's and bends nothing. ``a`` (N, D), ``b`` (M, D).

    Raises:
        ConfigError: for an empty pile, or piles of latents of different sizes.
    """
    a, b = two_piles(a, b, 1)
    return AffineMap(a.mean(0), b.mean(0) - a.mean(0), np.zeros((a.shape[1], 0)), np.zeros((0, 0)))


def gaussian_transport(a: np.ndarray, b: np.ndarray, rank: int = RANK) -> AffineMap:
    """The optimal transport between the Gaussians of two piles, in the ``rank`` directions in which they vary most.

    T(z) = m_B + Σ_A^{-½} (Σ_A^{½} Σ_B Σ_A^{½})^{½} Σ_A^{-½} (z − m_A) (Dowson and Landau 1982; Peyré and Cuturi 2019,
    Computational Optimal Transport, remark 2.31). Covariances are shrunk towards a multiple of the identity by as much as
    so few latents ask for (Ledoit and Wolf 2004, A well-conditioned estimator for large-dimensional covariance matrices).

    Raises:
        ConfigError: for piles of fewer than two latents, of different sizes, or a rank below 1.
    """
    a, b = two_piles(a, b, 2)
    if rank < 1:
        raise ConfigError(f"A transport bends at least one direction, not {rank}.")
    offsets_a, offsets_b = a - a.mean(0), b - b.mean(0)
    # Both piles count the same, however many latents each has.
    joint = np.concatenate([offsets_a / np.sqrt(len(a)), offsets_b / np.sqrt(len(b))])
    basis = leading(joint, rank)
    kept = basis.shape[1]
    if not kept:
        return mean_shift(a, b)
    first, second = (shrunk_covariance(offsets @ basis) for offsets in (offsets_a, offsets_b))
    root, inverse_root = _power(first, 0.5), _power(first, -0.5)
    bend = inverse_root @ _power(root @ second @ root, 0.5) @ inverse_root
    return AffineMap(a.mean(0), b.mean(0) - a.mean(0), basis, (bend + bend.T) / 2 - np.eye(kept))


def level_transport(a: np.ndarray, b: np.ndarray, levels: Sequence[tuple[int, int]], rank: int = RANK) -> AffineMap:
    """:func:`gaussian_transport` of each level of z by itself: its ``levels`` are (start, stop) of their coordinates.

    What varies most is often a fine level's noise; so every level gets directions of its own, and none bends another's.

    Raises:
        ConfigError: as :func:`gaussian_transport` does, and for levels that do not make up all of z.
    """
    a, b = two_piles(a, b, 2)
    edges = [0, *(stop for _, stop in levels)]
    if [start for start, _ in levels] != edges[:-1] or edges[-1] != a.shape[1]:
        raise ConfigError("The levels of z must follow each other and make up all of it.")
    maps = [gaussian_transport(a[:, start:stop], b[:, start:stop], rank) for start, stop in levels]
    size = sum(len(each.matrix) for each in maps)
    basis, matrix, column = np.zeros((a.shape[1], size)), np.zeros((size, size)), 0
    for (start, stop), each in zip(levels, maps, strict=True):
        own = slice(column, column + len(each.matrix))
        basis[start:stop, own], matrix[own, own] = each.basis, each.matrix
        column = own.stop
    return AffineMap(a.mean(0), b.mean(0) - a.mean(0), basis, matrix)


def shrunk_shift(a: np.ndarray, b: np.ndarray) -> AffineMap:
    """:func:`mean_shift` without what may be chance: each coordinate's shift d shrinks by the factor max(0, 1 − se² / d²).

    se is the standard error of d, from both piles' spreads and sizes (the positive part of James and Stein's estimator,
    1961, one coordinate at a time). Of small piles the plain means differ everywhere a little, and that is added as noise.

    Raises:
        ConfigError: for piles of fewer than two latents, or of different sizes.
    """
    a, b = two_piles(a, b, 2)
    shift = b.mean(0) - a.mean(0)
    variance = a.var(0, ddof=1) / len(a) + b.var(0, ddof=1) / len(b)
    kept = np.maximum(0.0, 1.0 - variance / np.maximum(shift**2, 1e-300))
    return AffineMap(a.mean(0), kept * shift, np.zeros((a.shape[1], 0)), np.zeros((0, 0)))


def leading(rows: np.ndarray, rank: int) -> np.ndarray:
    """The at most ``rank`` directions (D, r) in which rows (N, D) are longest, orthonormal.

    By the rows' products with each other where they are fewer than their coordinates: for a thousand latents of a picture
    that takes seconds, and all singular vectors would take a minute.
    """
    if rows.shape[0] < 64 or rows.shape[0] > rows.shape[1]:
        _, sizes, directions = np.linalg.svd(rows, full_matrices=False)
        return directions[: min(rank, int((sizes > 1e-9 * max(sizes[0], 1e-300)).sum()))].T
    values, vectors = np.linalg.eigh(rows @ rows.T)
    # Of a direction smaller than this the products hold no digit.
    kept = min(rank, int((values > 1e-12 * max(values[-1], 1e-300)).sum()))
    return np.linalg.qr(rows.T @ vectors[:, ::-1][:, :kept])[0]


def two_piles(a: np.ndarray, b: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Both piles in float64; raises `ConfigError` for fewer than ``least`` latents, or for latents of two models."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ConfigError("The two piles must be latents of one model.")
    if min(len(a), len(b)) < least:
        raise ConfigError(f"Each pile needs at least {least} picture{'s' if least > 1 else ''}: they have {len(a)} and {len(b)}.")
    return a, b


def shrunk_covariance(offsets: np.ndarray) -> np.ndarray:
    """The covariance (r, r) of centred rows (N, r), shrunk towards its mean variance; always of full rank."""
    count, size = offsets.shape
    covariance = offsets.T @ offsets / count
    mean = np.trace(covariance) / size
    target = mean * np.eye(size)
    distance = ((covariance - target) ** 2).sum()
    squares = offsets**2
    noise = (squares.sum(1) ** 2).sum() / count - (covariance**2).sum()
    share = min(1.0, max(noise / count / distance, 1e-3)) if distance > 0 else 1.0
    # A pile that does not vary at all has no directions to bend; a little keeps its root invertible.
    return (1 - share) * covariance + share * target + 1e-9 * max(mean, 1e-12) * np.eye(size)


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """A symmetric positive matrix to a power."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, 1e-300) ** exponent) @ vectors.T
