"""The ten densities with other parameters: the same shapes, noisier, with more turns, in another number. Torch-free."""
from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from .. import densities
from ..densities import _arc, _by_length, _Checkerboard, _Gaussian, _Mixture, _Pinwheel, _Rings, _spiral
from .entropy import MeasuredEntropy

__all__ = ["PARAMETERS", "Parameter", "ShapedDensity"]

_PLACES, _TERMS = 4000, 1_500_000
"""Of a piece of quadrature at most so many places, and so many Gaussians at all of them: some 8 ms."""


@dataclass(frozen=True)
class Parameter:
    """What a density lets one change: a number from ``low`` to ``high`` in steps; at ``default`` it is as it always was."""

    key: str
    title: str
    low: float
    high: float
    default: float
    step: float
    whole: bool = False


def _noise(default: float) -> Parameter:
    return Parameter("noise", "Noise", 0.04, 0.5, default, 0.01)


PARAMETERS: dict[str, tuple[Parameter, ...]] = {
    "two-moons": (_noise(0.15), Parameter("gap", "Gap", -0.5, 1.0, 0.0, 0.05)),
    "eight-gaussians": (_noise(0.25), Parameter("modes", "Modes", 1, 16, 8, 1, True)),
    "two-spirals": (
        _noise(0.12), Parameter("turns", "Turns", 0.5, 3.0, 1.5, 0.1), Parameter("modes", "Arms", 1, 4, 2, 1, True),
    ),
    "rings": (_noise(0.12), Parameter("modes", "Rings", 1, 6, 4, 1, True)),
    "checkerboard": (_noise(0.1), Parameter("modes", "Squares a side", 2, 8, 4, 1, True)),
    "pinwheel": (
        _noise(0.18), Parameter("modes", "Arms", 2, 9, 5, 1, True), Parameter("twist", "Twist", 0.0, 0.6, 0.25, 0.05),
    ),
    "swiss-roll": (_noise(0.15), Parameter("turns", "Turns", 0.5, 3.0, 1.5, 0.1)),
    "gaussian-grid": (_noise(0.18), Parameter("modes", "Modes a side", 2, 7, 5, 1, True)),
    "bridge": (_noise(0.1), Parameter("piers", "Width of the piers", 0.2, 0.8, 0.5, 0.05)),
    "gaussian": (
        Parameter("long", "Long width", 0.3, 1.5, 1.3, 0.1), Parameter("short", "Short width", 0.1, 1.5, 0.5, 0.1),
        Parameter("angle", "Angle", -90, 90, 30, 5),
    ),
}  # fmt: skip


def _curve(curve: Callable, start: float, stop: float, count: int, noise: float) -> np.ndarray:
    """At least ``count`` points along a curve, and never further apart than one noise width: smooth as the built-in ones."""
    t = np.linspace(start, stop, 2001)
    length = float(np.linalg.norm(np.diff(curve(t), axis=0), axis=1).sum())
    return _by_length(curve, start, stop, max(count, math.ceil(length / noise)))


def _two_moons(noise: float, gap: float) -> _Mixture:
    upper = _curve(_arc(1.5, -0.75, -0.375 + gap / 2), 0, math.pi, 64, noise)
    lower = _curve(_arc(1.5, 0.75, 0.375 - gap / 2), math.pi, 2 * math.pi, 64, noise)
    return _Mixture(np.vstack([upper, lower]), noise)


def _spirals(noise: float, turns: float, modes: int) -> _Mixture:
    # The pitch changes with the turns, so that the outermost point stays where it is.
    stop = 2 * math.pi * turns
    starts = 2 * math.pi * np.arange(modes) / modes
    arms = [_curve(_spiral(math.pi / stop, turn), 0.3, stop, 144, noise) for turn in starts]
    return _Mixture(np.vstack(arms), noise)


def _roll(noise: float, turns: float) -> _Mixture:
    stop = 1.5 * math.pi + 2 * math.pi * turns
    count = max(192, math.ceil(192 * (0.15 / noise) * (turns / 1.5)))
    t = 1.5 * math.pi + 2 * math.pi * turns * (np.arange(count) + 0.5) / count
    return _Mixture(_spiral(math.pi / stop)(t), noise)


def _grid(noise: float, modes: int) -> _Mixture:
    axis = np.round(np.linspace(-2.8, 2.8, modes), 12)
    return _Mixture(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2), noise)


def _bridge(noise: float, piers: float) -> _Mixture:
    deck = _curve(lambda t: np.column_stack([t, 0.8 * np.cos(t * math.pi / 4)]), -2.0, 2.0, 64, noise)
    widths = np.concatenate([np.full(2, piers), np.full(len(deck), noise)])
    weights = np.concatenate([np.full(2, 0.4), np.full(len(deck), 0.2 / len(deck))])
    return _Mixture(np.vstack([[(-2.0, 0.0), (2.0, 0.0)], deck]), widths, weights)


_MAKERS: dict[str, Callable[..., densities.Shape]] = {
    "two-moons": _two_moons,
    "eight-gaussians": lambda noise, modes: _Mixture(_arc(2.8, 0, 0)(np.arange(modes) * 2 * math.pi / modes), noise),
    "two-spirals": _spirals,
    "rings": lambda noise, modes: _Rings(tuple(round(3.2 * (i + 1) / modes, 12) for i in range(modes)), noise),
    "checkerboard": lambda noise, modes: _Checkerboard(3.2, modes, noise),
    "pinwheel": lambda noise, modes, twist: _Pinwheel(modes, 1.8, 0.5, noise, twist),
    "swiss-roll": _roll,
    "gaussian-grid": _grid,
    "bridge": _bridge,
    "gaussian": lambda long, short, angle: _Gaussian((long, short), angle),
}


class ShapedDensity(MeasuredEntropy):
    """A built-in density with ``values`` for its parameters; those that are missing stay at their default."""

    known = True
    bounds = densities.BOUNDS

    def __init__(self, name: str, values: dict[str, float]) -> None:
        base = densities.get(name)
        settings = {parameter.key: parameter.default for parameter in PARAMETERS[name]} | values
        shape = _MAKERS[name](**settings)
        self.name, self.title, self.noise = name, base.title, settings.get("noise", min(settings.values()))
        if name == "gaussian":
            self.noise = min(settings["long"], settings["short"])
        if name == "bridge":
            self.noise = min(settings["noise"], settings["piers"])
        self._density = densities.Density(name, base.title, self.noise, math.nan, shape.sample, shape.log_prob)
        # A twist by the distance alone keeps area, and so the entropy: measured untwisted, where nothing is sheared thin.
        plain = _MAKERS[name](**settings | {"twist": 0.0}) if "twist" in settings else shape
        self._measured = densities.Density(name, base.title, self.noise, math.nan, plain.sample, plain.log_prob)
        self._terms = len(shape.centers) if isinstance(shape, _Mixture) else 1
        self.sample, self.held_out, self.log_prob = self._density.sample, self._density.sample, self._density.log_prob

    def _integrate(self) -> Generator[None, None, tuple[float, float]]:
        """A few rows at a time by the midpoint rule, as ``densities.quadrature_entropy``.

        Half a noise width apart the rule is exact to rounding on sums of Gaussians; the error is that of the same rule
        on every other place only, as a chessboard's, which is the coarser by √2.
        """
        half = 5.0 + 5 * self.noise if self.name != "gaussian" else 10.0
        spacing = max(0.5 * self.noise, 0.03)
        count = round(2 * half / spacing)
        spacing = 2 * half / count
        axis = -half + (np.arange(count) + 0.5) * spacing
        total = coarse = 0.0
        rows = max(1, min(_PLACES, _TERMS // self._terms) // count)
        for start in range(0, count, rows):
            y = axis[start : start + rows]
            places = np.stack(np.meshgrid(axis, y), axis=-1)
            log_p = self._measured.log_prob(places)
            part = -np.exp(log_p) * log_p
            dark = (np.arange(count)[None] + np.arange(start, start + len(y))[:, None]) % 2 == 0
            total += float(part.sum())
            coarse += float(part[dark].sum())
            yield
        return total * spacing**2, abs(total - 2 * coarse) * spacing**2
