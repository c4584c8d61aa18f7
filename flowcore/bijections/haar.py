"""Squeeze by the orthonormal Haar transform: means and differences of 2×2 blocks in place of their four pixels."""
from __future__ import annotations

import torch
from torch import Tensor

from ..errors import ConfigError
from .base import Bijection

__all__ = ["HaarSqueeze"]


class HaarSqueeze(Bijection):
    """(N, C, H, W) -> (N, 4C, H/2, W/2): of each 2×2 block ((a, b), (c, d)) the halves of a+b+c+d, a−b+c−d, a+b−c−d and a−b−c+d.

    All channels' sums come first, then their differences across, down and along the diagonal: so the first half of the channels
    is a smaller picture and the edges that stand upright in it. Orthonormal, its own inverse up to the order: log-det = 0
    (Ardizzone et al. 2019, Guided image generation with conditional invertible neural networks, section 3.3).
    """

    kind = "haar"

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        n, c, h, w = x.shape
        if h % 2 or w % 2:
            raise ConfigError(f"Squeeze needs an even height and width, not {h}×{w}.")
        block = x.reshape(n, c, h // 2, 2, w // 2, 2)
        return _butterfly(block[..., 0, :, 0], block[..., 0, :, 1], block[..., 1, :, 0], block[..., 1, :, 1], 1), (
            self.constant_log_det(x, 0.0)
        )

    def decode(self, z: Tensor) -> Tensor:
        n, c, h, w = z.shape
        total, across, down, along = z.chunk(4, 1)
        mixed = _butterfly(total, across, down, along, 1).reshape(n, 2, 2, c // 4, h, w)
        return mixed.permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)


def _butterfly(a: Tensor, b: Tensor, c: Tensor, d: Tensor, dim: int) -> Tensor:
    """The four sums and differences of four tensors, halved, joined along ``dim``: applied twice it changes nothing."""
    upper, lower, across, along = a + b, c + d, a - b, c - d
    return torch.cat([upper + lower, across + along, upper - lower, across - along], dim) * 0.5
