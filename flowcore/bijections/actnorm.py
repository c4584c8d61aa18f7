"""Activation normalisation (Kingma & Dhariwal 2018, Glow, section 3.1)."""
from __future__ import annotations

import torch
from torch import Tensor, nn

from .base import Bijection, soft_clamp, soft_clamp_inverse

__all__ = ["ActNorm"]


class ActNorm(Bijection):
    """z = (x + bias) · exp(log_scale), per channel, set from a first batch to zero mean and unit variance.

    Shapes: (N, C, H, W) or (N, C). log-det = H·W·Σ log_scale. The log-scale is softly bounded to ±``bound``. Whether
    the layer has seen its first batch is part of the state dict, so loading never initialises it anew.
    """

    kind = "actnorm"

    def __init__(self, channels: int, bound: float = 4.0) -> None:
        super().__init__()
        self.channels = channels
        self.bound = bound
        self.bias = nn.Parameter(torch.zeros(channels))
        self.raw_log_scale = nn.Parameter(torch.zeros(channels))
        self.register_buffer("initialised", torch.zeros((), dtype=torch.bool))

    @property
    def log_scale(self) -> Tensor:
        return soft_clamp(self.raw_log_scale, self.bound)

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Set bias and scale so that ``encode(x)`` has zero mean and unit variance per channel; once, and never once trained."""
        if self.initialised or self.bias.any() or self.raw_log_scale.any():
            return
        dims = [0, *range(2, x.dim())]
        mean = x.mean(dims)
        std = x.std(dims, unbiased=False).clamp_min(1e-6)
        self.bias.copy_(-mean)
        self.raw_log_scale.copy_(soft_clamp_inverse(-std.log(), self.bound))
        self.initialised.fill_(True)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        shape = (1, -1) + (1,) * (x.dim() - 2)
        log_scale = self.log_scale
        z = (x + self.bias.view(shape)) * log_scale.exp().view(shape)
        places = x[0, 0].numel()
        return z, self.constant_log_det(x, places * log_scale.sum())

    def decode(self, z: Tensor) -> Tensor:
        shape = (1, -1) + (1,) * (z.dim() - 2)
        return z * (-self.log_scale).exp().view(shape) - self.bias.view(shape)

    def extra_repr(self) -> str:
        return f"channels={self.channels}"
