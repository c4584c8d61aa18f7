"""Velocity fields of the plane, v(x, t), each with its exact divergence.

Points of a continuous flow are followed through places where no training point ever was: a point of the data's tail, four noise
widths off a spiral's arm, is carried out of the part of the plane that training saw within a tenth of the time. What the field
does there decides whether the point's log-density is a number. :class:`WaveField` is a Gaussian's field, which is right far
out, and a bounded correction. :class:`PlainField` is a network alone, which goes on growing wherever training left it, so that
single points ran to 10⁶ and beyond; it is kept for flows that were trained with it.
"""
from __future__ import annotations

import math
from typing import overload

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigError
from ..fields import shown
from ..model.networks import MLP
from ..modules import Modules

__all__ = [
    "CLOCK_REST",
    "DATA_WIDTH",
    "TIME_GAIN",
    "WAVE_SHARE",
    "PlainField",
    "VelocityField",
    "WaveField",
    "drift",
    "late_clock",
    "make_field",
]  # fmt: skip

TIME_GAIN = 2.0
"""t as a network sees it goes from −1 to 1."""
DATA_WIDTH = 1.7
"""Standard deviation of the Gaussian data whose field is that far out; the ten densities have one or two."""
CLOCK_REST = 0.1
"""Time before the data from which on the late clock is even: about the width of what is fine in the densities."""
WAVE_SHARE = 7 / 16
"""Waves for a unit of width: with a half, a sine and a cosine for each, following points took a fifth longer than by a plain
field, with a quarter the gaps on the rings and on the grid were half as large again after the same time."""
_WAVE_REACH = 4.0 / math.sqrt(3.0)
"""Radians a unit of length, at most, along each axis at the start: the shortest wave is then a quarter of the square long."""


class VelocityField(nn.Module):
    """v(x, t): points (N, 2) and a time, one for all or (N, 1), -> (N, 2)."""

    hidden: Modules[nn.Linear]
    last: nn.Linear
    """Of its network."""

    def velocity(self, x: Tensor, t: float | Tensor) -> Tensor:
        """v (N, 2)."""
        raise TypeError(f"{type(self).__name__} does not define velocity")

    def velocity_and_divergence(self, x: Tensor, t: float | Tensor) -> tuple[Tensor, Tensor]:
        """v (N, 2) and div v = ∂v₁/∂x + ∂v₂/∂y (N,), exact."""
        raise TypeError(f"{type(self).__name__} does not define velocity_and_divergence")

    def trace_matrix(self) -> Tensor:
        """What the divergence needs of the weights alone: made once for given weights, as each field says."""
        raise TypeError(f"{type(self).__name__} does not define trace_matrix")


class PlainField(MLP, VelocityField):
    """A network of (x, y, t) with two hidden layers of ``width``, SiLU between: linear, and unbounded, far from the data."""

    def __init__(self, width: int) -> None:
        super().__init__(3, 2, width, 2, "silu")

    def velocity(self, x: Tensor, t: float | Tensor) -> Tensor:
        return self(torch.cat([x, self._clock(x, t)], 1))

    def velocity_and_divergence(self, x: Tensor, t: float | Tensor) -> tuple[Tensor, Tensor]:
        """The Jacobian is C D₂ W D₁ A, with D the activations' slopes, so its trace is Σ_jk d₂ⱼ (W ∘ (A C)ᵀ)_jk d₁ₖ: one
        more product of a matrix, exact, in place of one Jacobian-vector product for each coordinate.
        """
        first, second = self.hidden
        below, lower = _gated(first(torch.cat([x, self._clock(x, t)], 1)))
        above, upper = _gated(second(below))
        return self.last(above), (upper * (lower @ self.trace_matrix().t())).sum(1)

    def trace_matrix(self) -> Tensor:
        """W ∘ (A C)ᵀ, (width, width)."""
        return self.hidden[1].weight * (self.hidden[0].weight[:, :2] @ self.last.weight).t()

    @staticmethod
    def _clock(x: Tensor, t: float | Tensor) -> Tensor:
        return TIME_GAIN * (_column(x, t) - 0.5)


class WaveField(VelocityField):
    """drift(t) x + a network of the sines and cosines of learned plane waves in (x, y, :func:`late_clock` of t).

    Learned waves (Tancik et al. 2020, Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains)
    tell near places apart as a network of the coordinates themselves is slow to learn, and they bound what the network says:
    one hidden layer of ``width``, SiLU, of numbers between −1 and 1. What is left far out is the :func:`drift`.
    """

    activation = staticmethod(F.silu)

    def __init__(self, width: int) -> None:
        super().__init__()
        count = max(1, round(WAVE_SHARE * width))
        self.waves = nn.Linear(3, count)
        for parameter in self.waves.parameters():
            nn.init.uniform_(parameter, -_WAVE_REACH, _WAVE_REACH)
        self.hidden = Modules([nn.Linear(2 * count, width)])
        self.last = nn.Linear(width, 2)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def velocity(self, x: Tensor, t: float | Tensor) -> Tensor:
        return self.last(F.silu(self.hidden[0](self._features(x, t)))) + drift(t) * x

    def velocity_and_divergence(self, x: Tensor, t: float | Tensor) -> tuple[Tensor, Tensor]:
        """As a plain field's; a sine's slope is its cosine, so the waves' own slopes are the features in another order."""
        features = self._features(x, t)
        above, upper = _gated(self.hidden[0](features))
        divergence = (upper * (features @ self.trace_matrix().t())).sum(1)
        rate = drift(t)
        return self.last(above) + rate * x, divergence + 2.0 * (rate.reshape(-1) if isinstance(rate, Tensor) else rate)

    def trace_matrix(self) -> Tensor:
        """What the features (sines, cosines) are multiplied by in the trace: (width, 2 · waves)."""
        sines, cosines = self.hidden[0].weight.chunk(2, 1)
        through = (self.waves.weight[:, :2] @ self.last.weight).t()
        return torch.cat([-cosines * through, sines * through], 1)

    def _features(self, x: Tensor, t: float | Tensor) -> Tensor:
        phases = self.waves(torch.cat([x, late_clock(_column(x, t))], 1))
        return torch.cat([torch.sin(phases), torch.cos(phases)], 1)


@overload
def drift(t: float) -> float: ...


@overload
def drift(t: Tensor) -> Tensor: ...


def drift(t: float | Tensor) -> float | Tensor:
    """g(t) of the field g(t) x that carries a standard Gaussian, on straight paths, to one :data:`DATA_WIDTH` wide."""
    variance = DATA_WIDTH**2
    return (t * (variance + 1.0) - 1.0) / ((1.0 - t) ** 2 + variance * t**2)


@overload
def late_clock(t: float) -> float: ...


@overload
def late_clock(t: Tensor) -> Tensor: ...


def late_clock(t: float | Tensor) -> float | Tensor:
    """From −1 to 1, ever slower towards t = 1, −log(1 − t + :data:`CLOCK_REST`) up to scale: there what is fine takes shape."""
    whole = math.log((1.0 + CLOCK_REST) / CLOCK_REST)
    rest = (1.0 + CLOCK_REST) / (1.0 - t + CLOCK_REST)
    passed = torch.log(rest) if isinstance(rest, Tensor) else math.log(rest)
    return TIME_GAIN * (passed / whole - 0.5)


_FIELDS = {"plain": PlainField, "waves": WaveField}


def make_field(kind: str, width: int) -> VelocityField:
    """The field that an architecture names.

    Raises:
        ConfigError: for a name that is unknown.
    """
    if kind not in _FIELDS:
        raise ConfigError(f"A continuous flow's field is one of {', '.join(_FIELDS)}, not {shown(kind)}.")
    return _FIELDS[kind](width)


def _column(x: Tensor, t: float | Tensor) -> Tensor:
    return t if isinstance(t, Tensor) else x.new_full((x.shape[0], 1), t)


def _gated(sums: Tensor) -> tuple[Tensor, Tensor]:
    """SiLU and its slope."""
    gate = torch.sigmoid(sums)
    result = sums * gate
    return result, torch.lerp(result, torch.ones_like(result), gate)
