"""NICE's last layer: one diagonal scaling of every dimension (Dinh et al. 2014, section 3.3)."""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .base import Bijection, soft_clamp, soft_clamp_inverse

__all__ = ["DiagonalScale"]


class DiagonalScale(Bijection):
    """z = x · exp(s), one s a dimension; log-det = Σ s. ``s`` is softly bounded to ±``bound``.

    Shape (N, *event_shape).
    """

    def __init__(self, event_shape: tuple[int, ...], bound: float = 6.0) -> None:
        super().__init__()
        self.event_shape, self.bound = tuple(event_shape), bound
        self.raw_log_scale = nn.Parameter(torch.zeros(math.prod(event_shape)).view(self.event_shape))

    @property
    def log_scale(self) -> Tensor:
        return soft_clamp(self.raw_log_scale, self.bound)

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Start from unit variance in every dimension, as a first batch has it: learning has then less far to go."""
        std = x.std(0, unbiased=False).clamp_min(1e-6)
        self.raw_log_scale.copy_(soft_clamp_inverse(-std.log(), self.bound))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        log_scale = self.log_scale
        return x * log_scale.exp(), self.constant_log_det(x, log_scale.sum())

    def decode(self, z: Tensor) -> Tensor:
        return z * (-self.log_scale).exp()
