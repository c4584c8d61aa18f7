"""A reflection of the channels: the cheapest learned orthogonal mixing.

Tomczak and Welling 2016, Improving Variational Auto-Encoders using Householder Flow (https://arxiv.org/abs/1611.09630),
section 3.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn

from .linear import ChannelLinear

__all__ = ["Householder"]


class Householder(ChannelLinear):
    """z[:, :, i, j] = (I − 2 v vᵀ / |v|²) x[:, :, i, j], v learned, at random at first; log-det = 0.

    Shapes (N, C, H, W) or (N, C).
    C of them in a row reach every orthogonal matrix, with C numbers each and no factorisation. The gradient of v is at right
    angles to it, so steps of gradient descent never bring it nearer to 0.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.vector = nn.Parameter(torch.randn(channels))

    def weight(self) -> Tensor:
        unit = self.vector / self.vector.norm()
        return torch.eye(self.channels, dtype=unit.dtype, device=unit.device) - 2 * torch.outer(unit, unit)

    def inverse_weight(self) -> Tensor:
        """W itself: a reflection undoes itself."""
        return self.weight()

    def log_abs_det(self) -> Tensor:
        return self.vector.new_zeros(())
