"""Coupling layers: copy one part, transform the other by what the first says.

Dinh et al. 2014 (NICE, section 3.2) and 2017 (RealNVP, section 3.2).
"""
from __future__ import annotations

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from .base import Bijection, soft_clamp, sum_per_sample
from .masks import Mask

__all__ = ["AdditiveCoupling", "AffineCoupling"]


class AdditiveCoupling(Bijection):
    """Changed part: z_i = x_i + γ_i(kept). Volume preserving: log-det = 0.

    ``network`` maps (N, kept_channels, *) to (N, changed_channels, *).
    """

    kind = "coupling"

    def __init__(self, mask: Mask, network: nn.Module) -> None:
        super().__init__()
        self.mask, self.network = mask, network

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        kept, changed = self.mask.split(x)
        z = self.mask.merge(kept, changed + self.mask.restrict(self.network(kept)))
        return z, self.constant_log_det(x, 0.0)

    def decode(self, z: Tensor) -> Tensor:
        kept, changed = self.mask.split(z)
        return self.mask.merge(kept, changed - self.mask.restrict(self.network(kept)))


class AffineCoupling(Bijection):
    """Changed part: z_i = x_i · β_i(kept) + γ_i(kept), log-det = Σ log β_i.

    One network gives both: (N, kept_channels, *) to (N, 2 · changed_channels, *), log β first. log β is softly bounded
    to ±``bound`` so that the inverse exists and stays finite on every input.
    """

    kind = "coupling"

    def __init__(self, mask: Mask, network: nn.Module, bound: float = 2.0) -> None:
        super().__init__()
        if bound <= 0:
            raise ConfigError(f"The bound of a coupling's log-scale must be positive, not {bound}.")
        self.mask, self.network, self.bound = mask, network, bound

    def scale_and_shift(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        """log β and γ as a function of the kept part, both zero where nothing is changed."""
        raw, shift = self.network(kept).chunk(2, 1)
        return self.mask.restrict(soft_clamp(raw, self.bound)), self.mask.restrict(shift)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        kept, changed = self.mask.split(x)
        log_scale, shift = self.scale_and_shift(kept)
        z = self.mask.merge(kept, torch.addcmul(shift, changed, log_scale.exp()))
        return z, sum_per_sample(log_scale)

    def decode(self, z: Tensor) -> Tensor:
        kept, changed = self.mask.split(z)
        log_scale, shift = self.scale_and_shift(kept)
        return self.mask.merge(kept, (changed - shift) * (-log_scale).exp())
