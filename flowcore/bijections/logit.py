"""Logit preprocessing: bounded pixels to the whole line (RealNVP, section 4.1)."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .base import Bijection, sum_per_sample

__all__ = ["Logit"]


class Logit(Bijection):
    """z = logit(α + (1 − 2α)·x) for x in [0, 1]; shape (N, *).

    log-det = Σ log(1 − 2α) − log p − log(1 − p), with p = α + (1 − 2α)·x. ``alpha`` keeps p away from 0 and 1, where
    the logit is infinite.
    """

    kind = "logit"

    def __init__(self, alpha: float = 0.05) -> None:
        super().__init__()
        self.alpha = alpha

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        p = self.alpha + (1 - 2 * self.alpha) * x
        z = torch.log(p) - torch.log1p(-p)
        slope = torch.log(torch.as_tensor(1 - 2 * self.alpha, dtype=x.dtype, device=x.device))
        return z, sum_per_sample(slope + F.softplus(-z) + F.softplus(z))

    def decode(self, z: Tensor) -> Tensor:
        return (torch.sigmoid(z) - self.alpha) / (1 - 2 * self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"
