"""A picture's z held against the prior that it should be a draw of, level by level. Torch-free.

One picture is one draw. Its numbers would be as many independent draws only if the model were perfect: what a model has not
understood of a picture is left in z as structure, so bands and p-values say how z departs, not how surely.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..model.distributions import (
    EXCESS_KURTOSIS,
    STANDARD_DEVIATION,
    cdf,
    kolmogorov_p_value,
    norm_interval,
    order_band,
)

__all__ = ["COVERAGE", "POINTS", "Against", "Shell", "against_prior", "shell"]

POINTS = 101
"""Of the curve."""
COVERAGE = 0.95
"""Of each point's band, and of the shell."""
FEWEST = 2


@dataclass(frozen=True)
class Shell:
    """|z| and where a draw of the prior has it."""

    norm: float
    low: float
    centre: float
    high: float
    """The middle 95 % of all draws lie between ``low`` and ``high``, half of them below ``centre``."""


@dataclass(frozen=True, eq=False)
class Against:
    """Some numbers against the standard Gaussian or logistic."""

    count: int
    kind: str
    expected: np.ndarray
    """(points,) quantiles of the standard distribution, even on its axis."""
    found: np.ndarray
    """(points,) the numbers' own quantiles there."""
    low: np.ndarray
    high: np.ndarray
    """(points,) where each of ``found`` lies in 95 of 100 draws of so many numbers; point by point, not the whole curve."""
    distance: float
    """Kolmogorov–Smirnov: the largest distance between the two distribution functions."""
    p_value: float
    """How often independent draws are as far off or farther."""
    mean: float
    deviation: float
    """Standard deviation; a standard logistic's is π/√3."""
    kurtosis: float
    """Excess over a Gaussian's; a logistic's is 1.2. 0 where all numbers are the same."""
    shell: Shell

    @property
    def prior_deviation(self) -> float:
        return STANDARD_DEVIATION[self.kind]

    @property
    def prior_kurtosis(self) -> float:
        return EXCESS_KURTOSIS[self.kind]


def shell(z: np.ndarray, kind: str = "gaussian") -> Shell:
    """|z| of (n,) numbers beside the norms that n standard draws have."""
    z = np.asarray(z, dtype=np.float64).ravel()
    low, centre, high = norm_interval(len(z), kind, COVERAGE)
    largest = float(np.abs(z).max(initial=0.0)) or 1.0  # no square overflows
    return Shell(largest * math.sqrt(np.square(z / largest).sum()), low, centre, high)


def against_prior(z: np.ndarray, kind: str = "gaussian", points: int = POINTS) -> Against:
    """Hold whitened numbers (n,) against the standard distribution of this kind, 'gaussian' or 'logistic'.

    Raises:
        DataError: for fewer than two numbers, or for some that are not finite.
    """
    values = np.sort(np.asarray(z, dtype=np.float64).ravel())
    count = len(values)
    if count < FEWEST or not np.isfinite(values).all():
        raise DataError("Only two or more finite numbers can be held against a distribution.")
    expected, low, high = order_band(count, points, kind, COVERAGE)
    # The quantile at p is the p (n + 1)-th smallest number, as the band has it.
    found = np.interp(cdf(expected, kind) * (count + 1), np.arange(1, count + 1), values)
    below = cdf(values, kind)
    steps = np.arange(count + 1) / count
    distance = float(max((steps[1:] - below).max(), (below - steps[:-1]).max()))
    mean = float(values.mean())
    deviation = shell(values - mean, kind).norm / math.sqrt(count)
    kurtosis = float(np.mean(((values - mean) / deviation) ** 4) - 3) if deviation > 0 else 0.0
    return Against(count, kind, expected, found, low, high, distance, kolmogorov_p_value(distance, count), mean, deviation,
                   kurtosis, shell(values, kind))  # fmt: skip
