"""NICE's last layer: one diagonal scaling of every dimension (Dinh et al. 2014, section 3.3)."""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .base import Bijection, soft_clamp, soft_clamp_inverse

__all__ = ["DiagonalScale"]

PRIOR_COUNT = 16


class DiagonalScale(Bijection):
    """z = x · exp(s), one s a dimension; log-det = Σ s. ``s`` is softly bounded to ±``bound``.

    Shape (N, *event_shape).
    """

    kind = "diagonal"

    def __init__(self, event_shape: tuple[int, ...], bound: float = 6.0) -> None:
        super().__init__()
        self.event_shape, self.bound = tuple(event_shape), bound
        self.raw_log_scale = nn.Parameter(torch.zeros(math.prod(event_shape)).view(self.event_shape))

    @property
    def log_scale(self) -> Tensor:
        return soft_clamp(self.raw_log_scale, self.bound)

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Start near unit variance in every dimension; learning has then less far to go.

        A small batch says little of one dimension alone (a corner that is dark in sixteen pictures need not stay dark), so
        each variance is drawn towards their mean with the weight of ``PRIOR_COUNT`` samples.
        """
        count = x.shape[0]
        variance = x.var(0, unbiased=False)
        variance = (count * variance + PRIOR_COUNT * variance.mean()) / (count + PRIOR_COUNT)
        self.raw_log_scale.copy_(soft_clamp_inverse(-0.5 * variance.clamp_min(1e-12).log(), self.bound))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        log_scale = self.log_scale
        return x * log_scale.exp(), self.constant_log_det(x, log_scale.sum())

    def decode(self, z: Tensor) -> Tensor:
        return z * (-self.log_scale).exp()
