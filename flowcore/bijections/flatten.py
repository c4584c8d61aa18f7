"""Pictures as vectors, for NICE."""
from __future__ import annotations

import math

from torch import Tensor

from .base import Bijection

__all__ = ["Flatten"]


class Flatten(Bijection):
    """(N, *event_shape) -> (N, D); log-det = 0."""

    kind = "flatten"

    def __init__(self, event_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.event_shape = tuple(event_shape)
        self.num_dims = math.prod(event_shape)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.reshape(x.shape[0], self.num_dims), self.constant_log_det(x, 0.0)

    def decode(self, z: Tensor) -> Tensor:
        return z.reshape(z.shape[0], *self.event_shape)
