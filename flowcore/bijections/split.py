"""Multi-scale factor-out with a learned, conditional prior (RealNVP section 3.6; Glow's ``split2d``)."""
from __future__ import annotations

import torch
from torch import Tensor, nn

from ..modules import bias_of
from .base import Bijection, soft_clamp, sum_per_sample

__all__ = ["Split"]


class Split(Bijection):
    """Half of the channels leave the flow here, whitened by what the other half says of them.

    (N, C, H, W) -> kept (N, C/2, H, W) and eps (N, C/2, H, W), eps = (out − μ(kept)) · exp(−s(kept)), log-det = −Σ s.
    ``s`` is softly bounded to ±``bound``. With ``conditional=False`` nothing is learned and eps is the half itself.
    ``network`` (N, C/2, H, W) -> (N, 2 · out_channels, H, W) takes the place of the paper's one convolution.
    Unlike other layers it returns two parts; :class:`flowcore.model.flow.Flow` gathers the eps of all levels into z.
    """

    kind = "split"

    def __init__(
        self, channels: int, conditional: bool = True, bound: float = 2.0, network: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.kept_channels = channels // 2
        self.out_channels = channels - self.kept_channels
        self.bound = bound
        if conditional and network is None:
            network = nn.Conv2d(self.kept_channels, 2 * self.out_channels, 3, padding=1)
            nn.init.zeros_(network.weight)
            nn.init.zeros_(bias_of(network))
        self.network = network

    def location_and_log_scale(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        """μ and s of the prior of the half that leaves, (N, C/2, H, W) each."""
        if self.network is None:
            zeros = kept.new_zeros(kept.shape[0], self.out_channels, *kept.shape[2:])
            return zeros, zeros
        location, raw = self.network(kept).chunk(2, 1)
        return location, soft_clamp(raw, self.bound)

    def factor_out(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x -> kept, eps, log_det."""
        kept, out = x[:, : self.kept_channels], x[:, self.kept_channels :]
        location, log_scale = self.location_and_log_scale(kept)
        return kept, (out - location) * (-log_scale).exp(), -sum_per_sample(log_scale)

    def join(self, kept: Tensor, eps: Tensor) -> Tensor:
        """kept, eps -> x, the inverse of :meth:`factor_out`."""
        location, log_scale = self.location_and_log_scale(kept)
        return torch.cat([kept, eps * log_scale.exp() + location], 1)

    def encode_through(self, x: Tensor, factored: list[Tensor]) -> tuple[Tensor, Tensor]:
        kept, eps, log_det = self.factor_out(x)
        factored.append(eps)
        return kept, log_det

    def decode_through(self, z: Tensor, factored: list[Tensor]) -> Tensor:
        return self.join(z, factored.pop())

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same as one tensor: kept and eps side by side, (N, C, H, W)."""
        kept, eps, log_det = self.factor_out(x)
        return torch.cat([kept, eps], 1), log_det

    def decode(self, z: Tensor) -> Tensor:
        return self.join(z[:, : self.kept_channels], z[:, self.kept_channels :])
