"""From pixel units to the range that a network likes."""
from __future__ import annotations

import math

from torch import Tensor

from .base import Bijection

__all__ = ["Rescale"]


class Rescale(Bijection):
    """z = x / divisor + offset, for constants; log-det = −D·log divisor. Shape (N, *)."""

    kind = "rescale"

    def __init__(self, divisor: float = 256.0, offset: float = -0.5) -> None:
        super().__init__()
        self.divisor, self.offset = divisor, offset

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x / self.divisor + self.offset, self.constant_log_det(x, -x[0].numel() * math.log(self.divisor))

    def decode(self, z: Tensor) -> Tensor:
        return (z - self.offset) * self.divisor

    def extra_repr(self) -> str:
        return f"divisor={self.divisor}, offset={self.offset}"
