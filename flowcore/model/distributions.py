"""The distributions that tests of a sample need, in numpy alone: normal, logistic, beta, chi and Kolmogorov's. Torch-free."""
from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np

__all__ = ["EXCESS_KURTOSIS", "STANDARD_DEVIATION", "beta_quantiles", "cdf", "kolmogorov_p_value", "norm_interval", "order_band",
           "quantiles"]

NORMAL = NormalDist()
STANDARD_DEVIATION = {"gaussian": 1.0, "logistic": math.pi / math.sqrt(3)}
EXCESS_KURTOSIS = {"gaussian": 0.0, "logistic": 1.2}


def cdf(values: np.ndarray, kind: str) -> np.ndarray:
    """The share of the standard 'gaussian' or 'logistic' below each value (n,) -> (n,) float64."""
    values = np.asarray(values, dtype=np.float64)
    if kind == "logistic":
        return 0.5 * (1 + np.tanh(values / 2))
    scaled = (values * -math.sqrt(0.5)).tolist()
    return np.array([0.5 * math.erfc(value) for value in scaled])


def quantiles(shares: np.ndarray, kind: str) -> np.ndarray:
    """The inverse of :func:`cdf` for shares within (0, 1), (n,) -> (n,)."""
    shares = np.asarray(shares, dtype=np.float64)
    if kind == "logistic":
        return np.log(shares) - np.log1p(-shares)
    return np.array([NORMAL.inv_cdf(share) for share in shares.tolist()])


def kolmogorov_p_value(distance: float, count: int) -> float:
    """How often ``count`` draws of the right distribution are at least so far from it (two-sided Kolmogorov–Smirnov).

    Kolmogorov's limit with Stephens's correction (1970), good to two digits from five draws on.
    """
    root = math.sqrt(count)
    x = (root + 0.12 + 0.11 / root) * distance
    if x < 0.3:  # the series converges slowly there, and its value is 1 to five digits
        return 1.0
    total = math.fsum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 40))
    return min(max(2 * total, 0.0), 1.0)


def norm_interval(count: int, kind: str, coverage: float = 0.95) -> tuple[float, float, float]:
    """(low, median, high) of |z| of ``count`` independent standard draws: the shell where typical z live.

    A Gaussian's |z| has the chi distribution; its quantiles are by Wilson and Hilferty (1931), within 0.3 % for three draws and
    0.01 % for thirty. A logistic's |z|² is matched to a scaled chi-square by its mean and variance.
    """
    variance = STANDARD_DEVIATION[kind] ** 2
    # |z|² has mean n σ² and variance n σ⁴ (κ + 2), κ the excess kurtosis; a chi-square of ν has 2 / ν of its squared mean.
    freedom = 2 * count / (EXCESS_KURTOSIS[kind] + 2)
    tail = (1 - coverage) / 2
    spread = math.sqrt(2 / (9 * freedom))

    def at(share: float) -> float:
        cube_root = 1 - 2 / (9 * freedom) + NORMAL.inv_cdf(share) * spread
        return math.sqrt(count * variance * max(cube_root, 0.0) ** 3)

    return at(tail), at(0.5), at(1 - tail)


def _continued_fraction(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Of the incomplete beta function, by Lentz's method (Press et al., Numerical Recipes, section 6.4)."""
    tiny = 1e-300
    c = np.ones_like(x)
    d = 1 - (a + b) * x / (a + 1)
    d = 1 / np.where(np.abs(d) < tiny, tiny, d)
    result = d.copy()
    for m in range(1, 2000):
        for term in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                     -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 + term * d
            d = 1 / np.where(np.abs(d) < tiny, tiny, d)
            c = 1 + term / c
            c = np.where(np.abs(c) < tiny, tiny, c)
            change = c * d
            result *= change
        if np.abs(change - 1).max() < 1e-12:
            break
    return result


def _beta_log_density(a: np.ndarray, b: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Log-density of the beta distribution's log odds: x = 1 / (1 + e^−odds)."""
    scale = [math.lgamma(p + q) - math.lgamma(p) - math.lgamma(q) for p, q in zip(a.tolist(), b.tolist(), strict=True)]
    return np.array(scale) - a * np.logaddexp(0, -odds) - b * np.logaddexp(0, odds)


def _beta_cdf(a: np.ndarray, b: np.ndarray, odds: np.ndarray) -> np.ndarray:
    x = 1 / (1 + np.exp(-odds))
    turned = x > (a + 1) / (a + b + 2)
    p, q, y = np.where(turned, b, a), np.where(turned, a, b), np.where(turned, 1 - x, x)
    value = np.exp(_beta_log_density(a, b, odds)) * _continued_fraction(p, q, y) / p
    return np.where(turned, 1 - value, value)


def beta_quantiles(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """The quantile at ``share`` of beta distributions with parameters a and b (n,) > 0 -> (n,), to ten digits or so.

    Newton's method on the log odds, which bisects where it would leave the bracket.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    low, high = np.full(a.shape, -60.0), np.full(a.shape, 60.0)
    odds = np.clip(np.log(a / b) + NORMAL.inv_cdf(share) * np.sqrt(1 / a + 1 / b), -50, 50)
    for _ in range(100):
        error = _beta_cdf(a, b, odds) - share
        low, high = np.where(error < 0, odds, low), np.where(error < 0, high, odds)
        step = odds - error / np.maximum(np.exp(_beta_log_density(a, b, odds)), 1e-280)
        following = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        done = np.abs(following - odds).max() < 1e-10
        odds = following
        if done:
            break
    return 1 / (1 + np.exp(-odds))


@lru_cache(maxsize=64)
def order_band(count: int, points: int, kind: str, coverage: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where ``points`` quantiles of ``count`` standard draws lie, each with so much probability: (expected, low, high).

    The points are even on the distribution's own axis, from the smallest draw's place to the largest's. The k-th smallest of n
    uniform draws has the distribution Beta(k, n + 1 − k) exactly; k = p (n + 1) may lie between two draws.
    """
    ends = quantiles(np.array([1 / (count + 1), count / (count + 1)]), kind)
    expected = np.linspace(ends[0], ends[1], points)
    places = cdf(expected, kind) * (count + 1)
    low = quantiles(beta_quantiles(places, count + 1 - places, (1 - coverage) / 2), kind)
    high = -low[::-1]  # both distributions, and the points, are symmetric
    for array in (expected, low, high):
        array.setflags(write=False)
    return expected, low, high
