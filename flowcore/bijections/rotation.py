"""A rotation of the plane: the volume-preserving special case of a 1×1 convolution of two channels."""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .base import Bijection

__all__ = ["Rotation"]


class Rotation(Bijection):
    """z = R(θ) x with R = ((cos θ, −sin θ), (sin θ, cos θ)), θ learned, at random at first; log-det = 0. Shape (N, 2)."""

    kind = "linear"

    def __init__(self) -> None:
        super().__init__()
        self.angle = nn.Parameter(torch.empty(()).uniform_(-math.pi, math.pi))

    def weight(self) -> Tensor:
        """R, (2, 2)."""
        cos, sin = torch.cos(self.angle), torch.sin(self.angle)
        return torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])

    def inverse_weight(self) -> Tensor:
        """R⁻¹ = Rᵀ, (2, 2)."""
        return self.weight().t()

    def log_abs_det(self) -> Tensor:
        """Always 0."""
        return torch.zeros_like(self.angle)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x @ self.weight().t(), self.constant_log_det(x, 0.0)

    def decode(self, z: Tensor) -> Tensor:
        return z @ self.weight()
