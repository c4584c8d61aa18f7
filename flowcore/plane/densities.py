"""Ten densities on the plane for the toy flows to learn: samples, exact log-densities, and so exact
entropies.

A curve (moon, spiral, roll, bridge) is a dense row of Gaussians, one noise width apart or closer: to the eye
and to 1e-6 of its density a smooth ribbon, and for the sampler and the log-density literally the same
mixture. Everything lies in the square from -4 to 4 and has a standard deviation of one or two, so that no
flow needs the data rescaled. Points are (n, 2), densities per unit of area, logarithms natural.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar, Protocol

import numpy as np

from ..errors import ConfigError
from ..fields import shown

__all__ = ["BOUNDS", "NAMES", "Density", "get", "quadrature_entropy"]

BOUNDS = (-4.0, 4.0, -4.0, 4.0)
"""The square to show, (x_min, x_max, y_min, y_max), the same for all ten."""

_LOG_2PI = math.log(2 * math.pi)
# Rows of points per block: the block's table of distances then stays in the processor's cache.
_BLOCK = 2048


@dataclass(frozen=True)
class Density:
    """A density on the plane.

    ``noise`` is the pinned width (standard deviation) of what blurs its shape; ``entropy`` is -E[log p] in
    nats, the best held-out loss that any model can reach; ``bounds`` is (x_min, x_max, y_min, y_max), a
    square.
    """

    name: str
    title: str
    noise: float
    entropy: float
    _sample: Callable[[int, np.random.Generator], np.ndarray] = field(repr=False, compare=False)
    _log_prob: Callable[[np.ndarray], np.ndarray] = field(repr=False, compare=False)
    bounds: tuple[float, float, float, float] = BOUNDS
    known: ClassVar[bool] = True
    """Not only points of it are."""
    entropy_error: ClassVar[float] = 1e-9

    def measure(self) -> Generator[None, None, None]:
        """The entropy is known: there is nothing to compute."""
        return
        yield

    def held_out(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Points that are never trained on: any fresh ones are."""
        return self.sample(n, rng)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw ``n`` independent points: (n, 2) float64."""
        if n == 0:
            return np.empty((0, 2))
        return self._sample(n, rng)

    def log_prob(self, points: np.ndarray) -> np.ndarray:
        """The exact log-density in nats at points (..., 2): (...) float64."""
        points = np.asarray(points, dtype=np.float64)
        if points.shape[-1:] != (2,):
            raise ValueError(f"points must be (..., 2), got {points.shape}")
        flat = np.ascontiguousarray(points.reshape(-1, 2))
        out = np.empty(len(flat))
        for start in range(0, len(flat), _BLOCK):
            out[start : start + _BLOCK] = self._log_prob(flat[start : start + _BLOCK])
        return out.reshape(points.shape[:-1])


class Shape(Protocol):
    """What a density of the plane draws from and is measured by."""

    def sample(self, count: int, rng: np.random.Generator, /) -> np.ndarray:
        """(count, 2) float64."""
        ...

    def log_prob(self, x: np.ndarray, /) -> np.ndarray:
        """log p(x) in nats at places x (…, 2): (…)."""
        ...


class _Mixture:
    """Round Gaussians: centres (K, 2), one width for all or one each, equal weights or given ones."""

    def __init__(
        self, centers: np.ndarray, width: float | np.ndarray, weights: np.ndarray | None = None
    ) -> None:
        self.centers = np.asarray(centers, dtype=np.float64)
        self.widths = np.broadcast_to(np.asarray(width, dtype=np.float64), len(self.centers)).copy()
        weights = np.ones(len(self.centers)) if weights is None else np.asarray(weights, dtype=np.float64)
        self.weights = weights / weights.sum()
        # log w N(x; m, s) = x·(m/s²) - |x|²/(2s²) + c: one matrix product for all points and components
        precision = self.widths**-2
        constant = (
            np.log(self.weights) - _LOG_2PI + np.log(precision) - 0.5 * precision * (self.centers**2).sum(1)
        )
        self.table = np.vstack([self.centers.T * precision, -0.5 * precision, constant])

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        which = rng.choice(len(self.centers), size=n, p=self.weights)
        return self.centers[which] + self.widths[which, None] * rng.standard_normal((n, 2))

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        features = np.column_stack([x, (x**2).sum(1), np.ones(len(x))])
        return _log_sum_exp(features @ self.table)


class _Rings:
    """Circles about the origin, blurred by a round Gaussian; every ring drawn with the same probability."""

    def __init__(self, radii: tuple[float, ...], width: float) -> None:
        self.radii, self.width = np.array(radii), width

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        radius = self.radii[rng.integers(len(self.radii), size=n)]
        angle = rng.uniform(0, 2 * math.pi, n)
        ring = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
        return ring + self.width * rng.standard_normal((n, 2))

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        # A circle convolved with a Gaussian is Rice's density: exp(-(ρ²+r²)/2s²) I0(ρr/s²) / (2πs²)
        rho = np.hypot(x[:, 0], x[:, 1])[:, None]
        product = rho * self.radii / self.width**2
        exponent = -((rho - self.radii) ** 2) / (2 * self.width**2)
        constant = _LOG_2PI + 2 * math.log(self.width) + math.log(len(self.radii))
        return _log_sum_exp(exponent + _log_i0e(product)) - constant


class _Checkerboard:
    """The dark squares of a 4 × 4 board, blurred: along each axis a square is a dense row of Gaussians."""

    def __init__(self, half: float, cells: int, width: float) -> None:
        side = 2 * half / cells
        per_cell = math.ceil(side / width)
        self.width, self.per_cell = width, per_cell
        self.axis = -half + side * (np.arange(cells * per_cell) + 0.5) / per_cell
        # Columns and rows of dark squares: their indices add up to an even number
        self.dark = np.array([(i, j) for i in range(cells) for j in range(cells) if (i + j) % 2 == 0])

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        cell = self.dark[rng.integers(len(self.dark), size=n)]
        center = self.axis[cell * self.per_cell + rng.integers(self.per_cell, size=(n, 2))]
        return center + self.width * rng.standard_normal((n, 2))

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        along = [self._log_along(x[:, axis]) for axis in (0, 1)]
        pairs = along[0][:, self.dark[:, 0]] + along[1][:, self.dark[:, 1]]
        return _log_sum_exp(pairs) - math.log(len(self.dark))

    def _log_along(self, x: np.ndarray) -> np.ndarray:
        exponent = -0.5 * ((x[:, None] - self.axis) / self.width) ** 2
        per_cell = exponent.reshape(len(x), -1, self.per_cell)
        constant = 0.5 * _LOG_2PI + math.log(self.width) + math.log(self.per_cell)
        return _log_sum_exp(per_cell) - constant


class _Pinwheel:
    """Five long Gaussian blobs, twisted: each point turned by an angle that its distance decides.

    Such a twist keeps area, so the density is that of the untwisted point and nothing is approximate.
    """

    def __init__(self, arms: int, reach: float, radial: float, tangential: float, rate: float) -> None:
        self.angles = 2 * math.pi * np.arange(arms) / arms
        self.reach, self.radial, self.tangential, self.rate = reach, radial, tangential, rate

    def _twist(self, radius: np.ndarray) -> np.ndarray:
        # Held still beyond five reaches, where no point ever falls, so that nothing overflows
        return self.rate * np.exp(np.minimum(radius / self.reach, 5.0))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        point = rng.standard_normal((n, 2)) * (self.radial, self.tangential) + (self.reach, 0.0)
        angle = self.angles[rng.integers(len(self.angles), size=n)] + self._twist(np.hypot(*point.T))
        cos, sin = np.cos(angle), np.sin(angle)
        return np.column_stack([cos * point[:, 0] - sin * point[:, 1], sin * point[:, 0] + cos * point[:, 1]])

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        angle = (self._twist(np.hypot(x[:, 0], x[:, 1])))[:, None] + self.angles
        cos, sin = np.cos(angle), np.sin(angle)
        along = (cos * x[:, :1] + sin * x[:, 1:] - self.reach) / self.radial
        across = (cos * x[:, 1:] - sin * x[:, :1]) / self.tangential
        constant = _LOG_2PI + math.log(self.radial * self.tangential) + math.log(len(self.angles))
        return _log_sum_exp(-0.5 * (along**2 + across**2)) - constant


class _Gaussian:
    """One Gaussian with widths along its own two axes, the first turned by ``angle`` degrees."""

    def __init__(self, widths: tuple[float, float], angle: float) -> None:
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        self.factor = np.array([[cos, -sin], [sin, cos]]) * widths
        self.inverse = np.linalg.inv(self.factor)
        self.constant = _LOG_2PI + math.log(widths[0] * widths[1])

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.standard_normal((n, 2)) @ self.factor.T

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        return -0.5 * ((x @ self.inverse.T) ** 2).sum(1) - self.constant


def _log_sum_exp(terms: np.ndarray) -> np.ndarray:
    """Over the last axis; overwrites ``terms``."""
    highest = terms.max(axis=-1, keepdims=True)
    terms -= highest
    # exp is slow where its result is subnormal, and nothing below e^-700 of the largest term can be seen in
    # the sum
    np.maximum(terms, -700.0, out=terms)
    np.exp(terms, out=terms)
    return np.log(terms.sum(axis=-1)) + highest[..., 0]


def _log_i0e(x: np.ndarray) -> np.ndarray:
    """log(I0(x) exp(-x)) for x ≥ 0 (Abramowitz & Stegun 9.7.1 where I0 itself would overflow)."""
    small = x < 500.0
    inverse = 1.0 / np.where(small, 500.0, x)
    series = inverse * (1 / 8 + inverse * (9 / 128 + inverse * (225 / 3072 + inverse * (11025 / 98304))))
    large = np.log1p(series) - 0.5 * np.log(2 * math.pi / inverse)
    below = np.where(small, x, 0.0)
    return np.where(small, np.log(np.i0(below)) - below, large)


def _by_length(
    curve: Callable[[np.ndarray], np.ndarray], start: float, stop: float, count: int
) -> np.ndarray:
    """``count`` points evenly along a curve's length, at the middles of equal pieces: (count, 2)."""
    t = np.linspace(start, stop, 20001)
    steps = np.linalg.norm(np.diff(curve(t), axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = (np.arange(count) + 0.5) / count * length[-1]
    return curve(np.interp(wanted, length, t))


def _arc(radius: float, x: float, y: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: np.column_stack([x + radius * np.cos(t), y + radius * np.sin(t)])


def _spiral(pitch: float, turn: float = 0.0) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: np.column_stack([pitch * t * np.cos(t + turn), pitch * t * np.sin(t + turn)])


def _two_moons() -> _Mixture:
    upper = _by_length(_arc(1.5, -0.75, -0.375), 0, math.pi, 64)
    lower = _by_length(_arc(1.5, 0.75, 0.375), math.pi, 2 * math.pi, 64)
    return _Mixture(np.vstack([upper, lower]), 0.15)


def _eight_gaussians() -> _Mixture:
    return _Mixture(_arc(2.8, 0, 0)(np.arange(8) * math.pi / 4), 0.25)


def _two_spirals() -> _Mixture:
    arms = [_by_length(_spiral(1 / 3, turn), 0.3, 3 * math.pi, 144) for turn in (0.0, math.pi)]
    return _Mixture(np.vstack(arms), 0.12)


def _swiss_roll() -> _Mixture:
    # As in scikit-learn the angle, not the length, is uniform: the roll grows thinner outwards
    t = 1.5 * math.pi * (1 + 2 * (np.arange(192) + 0.5) / 192)
    return _Mixture(_spiral(1 / 4.5)(t), 0.15)


def _gaussian_grid() -> _Mixture:
    axis = 1.4 * np.arange(-2, 3)
    return _Mixture(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2), 0.18)


def _bridge() -> _Mixture:
    # Two piers of a wide Gaussian each, a tenth of the points on the thin arch between them
    deck = _by_length(lambda t: np.column_stack([t, 0.8 * np.cos(t * math.pi / 4)]), -2.0, 2.0, 64)
    piers = np.array([(-2.0, 0.0), (2.0, 0.0)])
    widths = np.concatenate([np.full(2, 0.5), np.full(64, 0.1)])
    return _Mixture(
        np.vstack([piers, deck]), widths, np.concatenate([np.full(2, 0.4), np.full(64, 0.2 / 64)])
    )


# name: (title, noise, entropy in nats by quadrature_entropy, how to make it)
_TABLE: dict[str, tuple[str, float, float, Callable[[], Shape]]] = {
    "two-moons": ("Two moons", 0.15, 1.8179921372, _two_moons),
    "eight-gaussians": ("Eight Gaussians", 0.25, 2.1446758129, _eight_gaussians),
    "two-spirals": ("Two spirals", 0.12, 2.7266533543, _two_spirals),
    "rings": ("Rings", 0.12, 3.0902770949, lambda: _Rings((0.8, 1.6, 2.4, 3.2), 0.12)),
    "checkerboard": ("Checkerboard", 0.1, 3.2255092509, lambda: _Checkerboard(3.2, 4, 0.1)),
    "pinwheel": ("Pinwheel", 0.18, 2.0359842439, lambda: _Pinwheel(5, 1.8, 0.5, 0.18, 0.25)),
    "swiss-roll": ("Swiss roll", 0.15, 2.4824715082, _swiss_roll),
    "gaussian-grid": ("Grid of Gaussians", 0.18, 2.6266815586, _gaussian_grid),
    "bridge": ("Bridge", 0.1, 2.1720638796, _bridge),
    "gaussian": ("Gaussian", 0.5, 2.4070941503, lambda: _Gaussian((1.3, 0.5), 30.0)),
}

NAMES: tuple[str, ...] = tuple(_TABLE)
"""The names of the ten densities, in the order in which to offer them."""


@cache
def get(name: str) -> Density:
    """The density of that name, one of ``NAMES``.

    Raises:
        ConfigError: for another name.
    """
    if name not in _TABLE:
        raise ConfigError(f"There is no density named {shown(name)}: choose one of {', '.join(NAMES)}.")
    title, noise, entropy, make = _TABLE[name]
    shape = make()
    return Density(name, title, noise, entropy, shape.sample, shape.log_prob)


def quadrature_entropy(density: Density, half: float = 10.0, spacing: float = 0.02) -> float:
    """-∫ p log p over the square from -half to half, in nats, by the midpoint rule.

    On smooth functions that vanish at the edge the rule converges faster than any power of the spacing: at a
    fifth of the noise it is exact to rounding.
    """
    count = round(2 * half / spacing)
    axis = -half + (np.arange(count) + 0.5) * spacing
    total = 0.0
    for y in axis:
        log_p = density.log_prob(np.column_stack([axis, np.full(count, y)]))
        total -= float((np.exp(log_p) * log_p).sum())
    return total * spacing**2
