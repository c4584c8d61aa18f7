"""Where in its bin an 8-bit value lies: a learned bijection of every bin onto itself.

Variational dequantisation (Ho et al. 2019, Flow++, section 3.1, https://arxiv.org/abs/1902.00275) trains
E_u[log p(x + u) − log q(u | x)], u drawn from a learned q in place of uniform noise. Drawn as u = T(v; x) with v uniform,
that is E_v[log p(x + T(v; x)) + log T′(v; x)]: the ordinary bound, by uniform noise, of a flow whose first layer is T.
Written as that layer, training, evaluation, encoding and sampling need know nothing of it, and a byte's z is exact still.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .base import Bijection, soft_clamp, sum_per_sample

__all__ = ["VariationalDequantisation", "dequantise"]

EDGE = 2.0**-14
"""Closest to an edge of its bin that a value may come, in grey levels: four steps of float32 at 255."""


def _distribution(x: Tensor) -> Tensor:
    """Φ: the share of a standard Gaussian below x. By erf, which every device has."""
    return 0.5 * (1 + torch.erf(x * math.sqrt(0.5)))


def _quantile(share: Tensor) -> Tensor:
    """Φ⁻¹."""
    return math.sqrt(2) * torch.erfinv(2 * share - 1)


def dequantise(levels: Tensor, noise: Tensor) -> Tensor:
    """Whole grey levels + noise on [0, 1), never rounded up into the next bin, as float32 does 8 times in a million."""
    return torch.minimum(levels + noise, levels + (1 - 2.0**-16))


class VariationalDequantisation(Bijection):
    """z = ⌊x⌋ + Φ(μ + e^s · Φ⁻¹(x − ⌊x⌋)), Φ the normal distribution function; μ and s are functions of ⌊x⌋ alone.

    x is (N, C, H, W) in pixel units, and ``network`` maps ⌊x⌋ / 256 − ½ (N, C, H, W) to (N, 2C, H, W), μ first. From zeros it
    is the identity, which is uniform noise. No value leaves its bin, so a decoded byte is what the layers behind say.
    With s < 0 a value keeps to the middle of its bin as a Gaussian does, so that a picture's flat parts, whose values the
    model knows, need not be bent from a uniform into a Gaussian: a quarter of a bit for each.

    log-det = Σ s + (a² − b²) / 2 with a = Φ⁻¹(x − ⌊x⌋), b = μ + e^s · a. μ and s are softly bounded to ±``shift_bound`` and
    ±``scale_bound``: the middle of a bin stays a quarter of a level from its edges, so the byte has room for rounding.
    """

    def __init__(self, network: nn.Module, shift_bound: float = 0.6, scale_bound: float = 2.0) -> None:
        super().__init__()
        self.network, self.shift_bound, self.scale_bound = network, shift_bound, scale_bound

    def _noise(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """μ and s for whole grey levels, (N, C, H, W) each."""
        shift, log_scale = self.network(levels / 256 - 0.5).chunk(2, 1)
        return soft_clamp(shift, self.shift_bound), soft_clamp(log_scale, self.scale_bound)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        levels = x.detach().floor()
        shift, log_scale = self._noise(levels)
        before = _quantile((x - levels).clamp(EDGE, 1 - EDGE))
        after = torch.addcmul(shift, before, log_scale.exp())
        log_det = log_scale + 0.5 * (before.square() - after.square())
        return levels + _distribution(after).clamp(EDGE, 1 - EDGE), sum_per_sample(log_det)

    def decode(self, z: Tensor) -> Tensor:
        levels = z.detach().floor()
        shift, log_scale = self._noise(levels)
        after = _quantile((z - levels).clamp(EDGE, 1 - EDGE))
        return levels + _distribution((after - shift) * (-log_scale).exp()).clamp(EDGE, 1 - EDGE)

    def extra_repr(self) -> str:
        return f"shift_bound={self.shift_bound}, scale_bound={self.scale_bound}"
