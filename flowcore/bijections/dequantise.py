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

UNIFORM = 2.0**-14
"""Share of the noise that is uniform whatever the network says, so that no place in a bin is out of reach."""
TINY = 2.0**-20
"""Closest to 0 and 1 that Φ⁻¹ is asked for."""
STEPS = {torch.float32: 12, torch.float64: 60}
LEARNING_STEPS = 4
"""Of Newton's method, which bisects where it would leave the bracket. Gradients need no more: only where the noise hardly ever
is, with a share of λ, does it take longer."""


def _distribution(x: Tensor) -> Tensor:
    """Φ: the share of a standard Gaussian below x. By erf, which every device has."""
    return 0.5 * (1 + torch.erf(x * math.sqrt(0.5)))


def _quantile(share: Tensor) -> Tensor:
    """Φ⁻¹."""
    return math.sqrt(2) * torch.erfinv(2 * share - 1)


def _inside(levels: Tensor, place: Tensor) -> Tensor:
    """A place in [0, 1] of each grey level's bin, kept from being rounded into the next bin."""
    return levels + place.clamp(0, 1 - (2.0**-40 if levels.dtype == torch.float64 else 2.0**-16))


def dequantise(levels: Tensor, noise: Tensor) -> Tensor:
    """Whole grey levels + noise on [0, 1), never rounded up into the next bin, as float32 does 8 times in a million."""
    return _inside(levels, noise)


class VariationalDequantisation(Bijection):
    """z = ⌊x⌋ + T(x − ⌊x⌋), T⁻¹(u) = (1 − λ) · Φ((Φ⁻¹(u) − μ) e^(−s)) + λ u, Φ the normal distribution function.

    x is (N, C, H, W) in pixel units; μ and s are functions of ⌊x⌋ alone: ``network`` maps ⌊x⌋ / 256 − ½ (N, C, H, W) to
    (N, 2C, H, W), μ first. From zeros T is the identity, which is uniform noise. No value leaves its bin, so a decoded byte is
    what the layers behind say. With s < 0 a value keeps to the middle of its bin as a Gaussian does, so that a picture's flat
    parts, whose values the model knows, need not be bent from a uniform into a Gaussian: a quarter of a bit for each.

    log-det = −Σ log (T⁻¹)′. μ and s are softly bounded to ±``shift_bound`` and ±``scale_bound``: the middle of a bin stays a
    quarter of a level from its edges, so the byte has room for rounding. λ = 2⁻¹⁴ bounds T′, so that every real-valued picture,
    not only a byte's, has an inverse that float64 can follow. Decoding is closed; encoding searches.
    """

    kind = "dequantise"

    def __init__(self, network: nn.Module, shift_bound: float = 0.6, scale_bound: float = 2.0) -> None:
        super().__init__()
        self.network, self.shift_bound, self.scale_bound = network, shift_bound, scale_bound

    def _noise(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """μ and s for whole grey levels, (N, C, H, W) each."""
        shift, log_scale = self.network(levels / 256 - 0.5).chunk(2, 1)
        return soft_clamp(shift, self.shift_bound), soft_clamp(log_scale, self.scale_bound)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        levels = x.detach().floor()
        noise = self._noise(levels)
        share = x - levels
        learning = self.training and torch.is_grad_enabled() and x.dtype == torch.float32
        with torch.no_grad():
            place = self._search(share, *noise, LEARNING_STEPS if learning else STEPS.get(x.dtype, 60))
        # One more step of Newton's, differentiable: its derivatives are those of the inverse function.
        back, slope = _share(place, *noise)
        place = place - (back - share) / slope.detach()
        return _inside(levels, place), -sum_per_sample(_share(place, *noise)[1].log())

    @staticmethod
    def _search(share: Tensor, shift: Tensor, log_scale: Tensor, steps: int) -> Tensor:
        """Where in its bin each value goes: T of the shares."""
        start = _quantile(share.clamp(TINY, 1 - TINY)) * log_scale.exp() + shift
        place = _distribution(start).clamp(TINY, 1 - TINY)
        low, high = torch.zeros_like(share), torch.ones_like(share)
        for _ in range(steps):
            back, slope = _share(place, shift, log_scale)
            below = back < share
            low, high = torch.where(below, place, low), torch.where(below, high, place)
            step = place - (back - share) / slope
            place = torch.where((step > low) & (step < high), step, (low + high) / 2)
        return place

    def decode(self, z: Tensor) -> Tensor:
        levels = z.detach().floor()
        return _inside(levels, _share(z - levels, *self._noise(levels))[0])

    def extra_repr(self) -> str:
        return f"shift_bound={self.shift_bound}, scale_bound={self.scale_bound}"


def _share(place: Tensor, shift: Tensor, log_scale: Tensor) -> tuple[Tensor, Tensor]:
    """T⁻¹ and its derivative: the share of the noise that lies below a place in the bin, and the noise's density there."""
    before = _quantile(place.clamp(TINY, 1 - TINY))
    after = (before - shift) * (-log_scale).exp()
    density = (0.5 * (before.square() - after.square()) - log_scale).exp()
    return (1 - UNIFORM) * _distribution(after) + UNIFORM * place, (1 - UNIFORM) * density + UNIFORM
