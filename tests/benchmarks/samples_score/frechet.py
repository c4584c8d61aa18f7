"""The Fréchet distance of two piles of features, and how sure one can be of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["DRAWS", "Distance", "Moments", "distance", "measured", "moments", "ratio", "resampled"]

DRAWS = 1000
"""Resamples of a bootstrap."""


@dataclass(frozen=True)
class Moments:
    """``mean`` (F,) and ``covariance`` (F, F), float64."""

    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Distance:
    """A distance, or a ratio of two, with its 95 % interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict:
        return {"value": self.value, "interval": [self.low, self.high]}


def moments(features: np.ndarray, counts: np.ndarray | None = None) -> Moments:
    """Of features (N, F), each taken as often as ``counts`` (N,) says: once where that is not given."""
    features = np.asarray(features, np.float64)
    counts = np.ones(len(features)) if counts is None else counts.astype(np.float64)
    mean = counts @ features / counts.sum()
    offsets = (features - mean) * np.sqrt(counts)[:, None]
    return Moments(mean, offsets.T @ offsets / (counts.sum() - 1))


def distance(a: Moments, b: Moments) -> float:
    """|μ₁ − μ₂|² + tr(C₁ + C₂ − 2 (C₁ C₂)^½): the squared distance of two Gaussians, as is usual (Dowson and Landau 1982).

    C₁ C₂ has the eigenvalues of the symmetric C₁^½ C₂ C₁^½, which are real and, but for rounding, never negative.
    """
    root = _root(a.covariance)
    product = np.linalg.eigvalsh(root @ b.covariance @ root)
    shared = np.sqrt(np.maximum(product, 0.0)).sum()
    between = ((a.mean - b.mean) ** 2).sum()
    return max(0.0, float(between + np.trace(a.covariance) + np.trace(b.covariance) - 2 * shared))


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def resampled(a: np.ndarray, b: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Distances (draws,) of resamples of two piles (N, F) and (M, F). One seed takes the same rows of piles as large."""
    rng_a, rng_b = (np.random.default_rng([seed, side]) for side in (0, 1))
    found = np.empty(draws)
    for draw in range(draws):
        found[draw] = distance(moments(a, _counts(rng_a, len(a))), moments(b, _counts(rng_b, len(b))))
    return found


def _counts(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.multinomial(size, np.full(size, 1 / size))


def measured(a: np.ndarray, b: np.ndarray, draws: int = DRAWS, seed: int = 0) -> Distance:
    """The distance of two piles (N, F) and (M, F), with a bootstrap interval (Efron 1979).

    A resample holds some pictures twice, so its distance is biased a second time by how few there are. The interval is
    therefore the resamples' spread about their own mean, laid about the distance; the first bias is in both ends as well.
    """
    value = distance(moments(a), moments(b))
    drawn = resampled(a, b, draws, seed)
    low, high = np.percentile(drawn - drawn.mean(), [2.5, 97.5])
    return Distance(value, max(0.0, value + float(low)), value + float(high))


def ratio(a: np.ndarray, other: np.ndarray, b: np.ndarray, draws: int = DRAWS, seed: int = 0) -> Distance:
    """How many times as far from ``b`` as ``other`` the pile ``a`` is; every resample of ``b`` serves both."""
    value = distance(moments(a), moments(b)) / distance(moments(other), moments(b))
    drawn = np.log(resampled(a, b, draws, seed) / resampled(other, b, draws, seed))
    low, high = np.percentile(drawn - drawn.mean(), [2.5, 97.5])
    return Distance(value, value * float(np.exp(low)), value * float(np.exp(high)))
