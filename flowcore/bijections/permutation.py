"""A fixed permutation of the channels: the special case that a learned 1×1 convolution generalises."""
from __future__ import annotations

import torch
from torch import Tensor

from ..errors import ConfigError
from .base import Bijection

__all__ = ["Permutation"]


class Permutation(Bijection):
    """z[:, i] = x[:, order[i]]; log-det = 0. Shapes (N, C, *)."""

    kind = "permutation"
    order: Tensor

    def __init__(self, order: list[int]) -> None:
        super().__init__()
        if sorted(order) != list(range(len(order))):
            raise ConfigError(f"{order} is not a permutation of 0 to {len(order) - 1}.")
        index = torch.tensor(order)
        self.register_buffer("order", index)

    def is_one(self) -> bool:
        """Whether the order, perhaps of a file, has every channel once."""
        return torch.equal(self.order.sort().values, torch.arange(len(self.order), device=self.order.device))

    @classmethod
    def reverse(cls, channels: int) -> Permutation:
        """The order turned round, as RealNVP swaps the halves."""
        return cls(list(range(channels))[::-1])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.index_select(1, self.order), self.constant_log_det(x, 0.0)

    def decode(self, z: Tensor) -> Tensor:
        return z.index_select(1, torch.argsort(self.order))
