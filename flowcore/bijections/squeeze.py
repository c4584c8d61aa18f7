"""Squeeze: trade space for channels (RealNVP, section 3.6)."""
from __future__ import annotations

from torch import Tensor

from ..errors import ConfigError
from .base import Bijection

__all__ = ["Squeeze"]


class Squeeze(Bijection):
    """(N, C, H, W) -> (N, 4C, H/2, W/2): each 2×2 block of a channel becomes four channels; log-det = 0."""

    kind = "squeeze"

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        n, c, h, w = x.shape
        if h % 2 or w % 2:
            raise ConfigError(f"Squeeze needs an even height and width, not {h}×{w}.")
        z = x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)
        return z, self.constant_log_det(x, 0.0)

    def decode(self, z: Tensor) -> Tensor:
        n, c, h, w = z.shape
        return z.reshape(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)
