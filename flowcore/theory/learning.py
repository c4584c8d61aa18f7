"""Learning the curve's knots for a chosen target, by maximum likelihood on points drawn from it.

The gradient is taken by central differences: the curve has twelve numbers, and all its neighbours are computed at once.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..errors import ConfigError
from .curve import MIN_RISE, Curve, backward, base_log_prob, knots_and_slopes

__all__ = ["TARGETS", "Learner", "Target", "target"]

POINTS = 400
_RATE, _MOMENTUM, _SQUARES, _STEP = 0.04, 0.9, 0.99, 1e-5
_STEEPEST = 6.0
"""From knot to knot the curve rises at most by so much: what keeps a step from running away."""


@dataclass(frozen=True)
class Target:
    """A density of one number: a mixture of Gaussians (weight, mean, width), or a box with soft edges."""

    title: str
    parts: tuple[tuple[float, float, float], ...] = ()
    box: tuple[float, float] | None = None  # half its width, softness of its edges

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """log p(x) in nats."""
        x = np.asarray(x, float)
        if self.box is not None:
            half, soft = self.box
            # The difference of two logistic functions, written so that nothing cancels in the tails.
            edges = -np.logaddexp(0, -(x + half) / soft) - np.logaddexp(0, (x - half) / soft)
            return edges + math.log1p(-math.exp(-2 * half / soft)) - math.log(2 * half)
        terms = [
            math.log(weight / width) - 0.5 * ((x - mean) / width) ** 2 - 0.5 * math.log(2 * math.pi)
            for weight, mean, width in self.parts
        ]
        return np.logaddexp.reduce(terms)

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """``count`` points, the same for the same seed: one from each of ``count`` equal shares of the density.

        So drawn they say more about the density than as many drawn one by one, and less is learned of their accidents.
        """
        x, p, _ = self.grid
        total = np.cumsum((p[1:] + p[:-1]) / 2)
        places = (np.arange(count) + np.random.default_rng(seed).uniform(size=count)) / count
        return np.interp(places * total[-1], np.concatenate([[0.0], total]), x)

    @cached_property
    def grid(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, p(x) and log p(x) on a fine even grid that holds all of the density."""
        x = np.linspace(-10, 10, 4001)
        log_p = self.log_prob(x)
        return x, np.exp(log_p), log_p

    @cached_property
    def entropy(self) -> float:
        """−∫ p log p dx in nats: below it no model's mean loss on fresh points can fall."""
        x, p, log_p = self.grid
        return float(-(p * log_p).sum() * (x[1] - x[0]))

    def loss(self, curve: Curve, base: str = "gaussian") -> float:
        """−∫ p log q dx in nats for the curve's density q: the loss on infinitely many points."""
        x, p, _ = self.grid
        return float(-(p * curve.log_prob(x, base)).sum() * (x[1] - x[0]))


TARGETS = {
    "two-hills": Target("Two hills", ((0.5, -1.4, 0.5), (0.5, 1.4, 0.5))),
    "skewed": Target("A hill and a spike", ((0.65, -0.9, 0.9), (0.35, 1.7, 0.28))),
    "three-hills": Target("Three hills", ((0.3, -2.1, 0.4), (0.4, 0.0, 0.4), (0.3, 2.1, 0.4))),
    "box": Target("A box", box=(2.0, 0.08)),
}


def target(name: str) -> Target:
    """The target of that name; raises ConfigError for another."""
    if name not in TARGETS:
        raise ConfigError(f"The target is one of {', '.join(TARGETS)}, not {name!r}.")
    return TARGETS[name]


@dataclass
class Learner:
    """Adam on the mean of −log p(x) over POINTS points of a target, from ``curve`` on; the same seed learns the same curve."""

    curve: Curve
    target: str
    base: str = "gaussian"
    seed: int = 0
    steps: int = 0
    _mean: np.ndarray = field(init=False, repr=False)
    _square: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.points = target(self.target).sample(POINTS, self.seed)
        self._numbers = _free(np.asarray(self.curve.heights))
        self._mean, self._square = np.zeros_like(self._numbers), np.zeros_like(self._numbers)

    def loss(self) -> float:
        """The mean of −log p(x) over the points, in nats."""
        return float(self._losses(self._numbers[None])[0])

    def gradient(self) -> np.ndarray:
        """∂loss/∂(the first knot's height, and the log of each rise), by central differences."""
        around = np.concatenate([np.eye(len(self._numbers)), -np.eye(len(self._numbers))]) * _STEP
        losses = self._losses(self._numbers + around)
        return (losses[: len(self._numbers)] - losses[len(self._numbers) :]) / (2 * _STEP)

    def step(self) -> Curve:
        """One step of the optimiser; the new curve."""
        gradient = self.gradient()
        self.steps += 1
        self._mean += (1 - _MOMENTUM) * (gradient - self._mean)
        self._square += (1 - _SQUARES) * (gradient**2 - self._square)
        mean, square = self._mean / (1 - _MOMENTUM**self.steps), self._square / (1 - _SQUARES**self.steps)
        numbers = self._numbers - _RATE * mean / (np.sqrt(square) + 1e-8)
        numbers[1:] = np.clip(numbers[1:], math.log(1e-3), math.log(_STEEPEST))
        self._numbers = numbers
        self.curve = Curve(tuple(float(h) for h in _heights(numbers[None])[0]))
        return self.curve

    def _losses(self, numbers: np.ndarray) -> np.ndarray:
        at, heights, slopes = knots_and_slopes(_heights(numbers))
        z, slope = backward((at, heights, slopes), self.points)
        return (np.log(slope) - base_log_prob(z, self.base)).mean(1)


def _heights(numbers: np.ndarray) -> np.ndarray:
    """The knots of (first height, logs of the rises), row by row; every rise is at least MIN_RISE."""
    rises = MIN_RISE + np.exp(numbers[:, 1:])
    return np.concatenate([numbers[:, :1], numbers[:, :1] + rises.cumsum(1)], 1)


def _free(heights: np.ndarray) -> np.ndarray:
    """The opposite of ``_heights`` for one curve; a rise at the minimum is taken just above it."""
    return np.concatenate([heights[:1], np.log(np.maximum(np.diff(heights) - MIN_RISE, 1e-3))])
