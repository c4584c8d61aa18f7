"""A density estimated from points: Gaussian kernels on a grid. To look at, never to measure against. Torch-free."""
from __future__ import annotations

from collections.abc import Generator

import numpy as np

__all__ = ["FACTORS", "KernelEstimate", "best_estimate", "scott"]

FACTORS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.125)
"""What Scott's bandwidth is multiplied by: the rule is made for one hump, and blurs rings and crescents."""
SIDE = 256
"""Nodes a side of the grid, over the picture and a rim of ``_REACH`` kernels' widths around it."""
_REACH = 5.0
_IQR_OF_A_GAUSSIAN = 1.349
_LEAST = 1e-6
"""Per unit of area: a held-out point far from all others must not decide the bandwidth alone."""


def scott(points: np.ndarray) -> np.ndarray:
    """The kernel's covariance (2, 2) for points (n, 2), n ≥ 2, by Scott's rule: n^(-1/3) Σ.

    In two dimensions Silverman's rule is the same. Along each axis the smaller of the standard deviation and
    IQR / 1.349 is the spread, so that a few points far out do not blur all others (Silverman 1986, eq. 3.30).
    """
    deviation = points.std(0)
    low, high = np.quantile(points, [0.25, 0.75], axis=0)
    robust = (high - low) / _IQR_OF_A_GAUSSIAN
    spread = np.where(robust > 0, np.minimum(deviation, robust), deviation)
    correlation = float(np.clip(np.corrcoef(points.T)[0, 1], -1.0, 1.0)) if deviation.all() else 0.0
    return len(points) ** (-1 / 3) * np.outer(spread, spread) * np.array([[1.0, correlation], [correlation, 1.0]])


class KernelEstimate:
    """The mean of Gaussian kernels at points (n, 2), over the square ``bounds``, Scott's bandwidth times ``factor``.

    The points are binned linearly and the kernel is applied by a Fourier transform, so the time hardly grows with n. The
    kernel is never narrower than a step of the grid. ``count`` is n, ``covariance`` (2, 2) the kernel's.

    Raises:
        ValueError: unless there are two finite points or more.
    """

    def __init__(self, points: np.ndarray, bounds: tuple[float, float, float, float], factor: float = 1.0) -> None:
        points = np.asarray(points, np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2 or not np.isfinite(points).all():
            raise ValueError("points must be (n, 2) finite numbers, two or more")
        self.count = len(points)
        self._variances, self._axes = np.linalg.eigh(scott(points))
        self._half = bounds[1] + _REACH * float(np.sqrt(max(0.0, self._variances[1])))
        self._step = 2 * self._half / SIDE
        self._spectrum = np.fft.rfft2(self._binned(points))
        self.widen(factor)

    def widen(self, factor: float) -> None:
        """Estimate with Scott's bandwidth times ``factor`` from now on."""
        variances = np.maximum(self._variances * factor**2, self._step**2)
        self.factor, self.covariance = factor, (self._axes * variances) @ self._axes.T
        # Binning among nodes and reading between them have blurred by a sixth of a step squared each.
        (xx, xy), (_, yy) = self.covariance - np.eye(2) * self._step**2 / 3
        across = 2 * np.pi * np.fft.rfftfreq(SIDE, self._step)[None, :]
        along = 2 * np.pi * np.fft.fftfreq(SIDE, self._step)[:, None]  # rows are y
        kernel = np.exp(-0.5 * (xx * across**2 + 2 * xy * across * along + yy * along**2))
        smooth = np.fft.irfft2(self._spectrum * kernel, (SIDE, SIDE))
        self._table = np.maximum(smooth, 0.0) / (self.count * self._step**2)

    def _binned(self, points: np.ndarray) -> np.ndarray:
        """Each point's mass shared out among the four nodes around it; what lies beyond the rim is not seen."""
        place = (points + self._half) / self._step
        place = place[((place >= 0) & (place < SIDE - 1)).all(1)]
        low = place.astype(np.intp)
        (u, v), (x, y) = (place - low).T, low.T
        mass = np.zeros(SIDE * SIDE)
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            weight = (u if dx else 1 - u) * (v if dy else 1 - v)
            mass += np.bincount((y + dy) * SIDE + x + dx, weight, SIDE * SIDE)
        return mass.reshape(SIDE, SIDE)

    def density(self, places: np.ndarray) -> np.ndarray:
        """The estimate per unit of area at places (..., 2), as at the rim beyond it: (...) float64 ≥ 0."""
        place = np.clip((np.asarray(places, np.float64) + self._half) / self._step, 0, SIDE - 1 - 1e-9)
        low = place.astype(np.intp)
        (u, v), (x, y) = np.moveaxis(place - low, -1, 0), np.moveaxis(low, -1, 0)
        t = self._table
        return (t[y, x] * (1 - u) + t[y, x + 1] * u) * (1 - v) + (t[y + 1, x] * (1 - u) + t[y + 1, x + 1] * u) * v


def best_estimate(
    points: np.ndarray, held_out: np.ndarray, bounds: tuple[float, float, float, float]
) -> Generator[None, None, KernelEstimate]:
    """The estimate from ``points`` (n, 2) and ``held_out`` (m, 2) together; yields after each piece of some milliseconds.

    Of ``FACTORS`` the one is taken under which an estimate from ``points`` alone finds ``held_out`` likeliest.
    """
    trial = KernelEstimate(points, bounds)
    likelihoods = []
    for factor in FACTORS:
        yield
        trial.widen(factor)
        likelihoods.append(float(np.log(trial.density(held_out) + _LEAST).mean()))
    yield
    return KernelEstimate(np.concatenate([points, held_out]), bounds, FACTORS[int(np.argmax(likelihoods))])
