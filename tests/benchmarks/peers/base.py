"""What is asked of every library's flow, and the networks that all of them are given."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

__all__ = ["BINS", "PIXEL_SCALE", "TAIL", "Model", "conv_network", "gaussian_log_prob", "mlp", "to_channels_last"]

PIXEL_SCALE = 256.0
"""Pictures are in [0, 256); each library's Glow is given x / 256 − 0.5, and log 256 a dimension is subtracted."""

BINS, TAIL = 8, 5.0
"""Of the splines: bins, and the bound beyond which they are the identity."""


class Model:
    """A flow under test.

    ``log_prob(x)`` (N,) nats; ``encode(x)`` gives z (N, D) and the log-det (N,); ``decode(z)`` goes back; ``base(z)`` (N,) is the
    log-density of z; ``sample(n)`` is the library's own way to draw. ``prepare(x)`` takes the first batch (ActNorm).
    ``note`` says in what the flow differs from ours; ``around`` is what a training step's two passes are to be run in.
    """

    def __init__(
        self,
        library: str,
        module: nn.Module,
        log_prob: Callable[[Tensor], Tensor],
        encode: Callable[[Tensor], tuple[Tensor, Tensor]],
        decode: Callable[[Tensor], Tensor],
        base: Callable[[Tensor], Tensor],
        sample: Callable[[int], Tensor],
        networks: Callable[[], list[nn.Module]],
        prepare: Callable[[Tensor], object] | None = None,
        note: str = "",
        around: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        self.around = around
        self.library, self.module, self.note = library, module, note
        self.log_prob, self.encode, self.decode, self.base, self.sample = log_prob, encode, decode, base, sample
        self._networks, self._prepare = networks, prepare

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.module.parameters() if parameter.requires_grad]

    @property
    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters)

    @property
    def network_parameter_count(self) -> int:
        """Of the networks inside the couplings alone: equal for all libraries."""
        return sum(p.numel() for network in self._networks() for p in network.parameters())

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """Let ActNorm see a first batch."""
        if self._prepare is not None:
            self._prepare(x)
            return
        self.module.train()
        self.log_prob(x)

    @torch.no_grad()
    def disturb(self, seed: int = 0, scale: float = 0.01) -> None:
        """Move every parameter a little, so that no network is zero and no coupling the identity."""
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.parameters:
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(scale * noise.to(parameter))


class _Network(nn.Sequential):
    """A network that nflows may call with a context, which is not used."""

    hidden_features: int
    """Of points: nflows and normflows scale spline parameters down by its root."""

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return super().forward(x)


def conv_network(in_channels: int, out_channels: int, width: int) -> nn.Sequential:
    """Glow's network, the last layer from zero: 3×3, ReLU, 1×1, ReLU, 3×3."""
    return _Network(
        nn.Conv2d(in_channels, width, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 1), nn.ReLU(inplace=True),
        _from_zero(nn.Conv2d(width, out_channels, 3, padding=1)),
    )  # fmt: skip


def mlp(in_features: int, out_features: int, width: int) -> nn.Module:
    """Two hidden layers with SiLU, the last layer from zero, as ours."""
    network = _Network(
        nn.Linear(in_features, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), _from_zero(nn.Linear(width, out_features))
    )
    network.hidden_features = width
    return network


def _from_zero(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def to_channels_last(module: nn.Module, dtype: torch.dtype | None = None, device: str | None = None) -> None:
    """Let the weights of convolutions lie channels last, in another precision or place where one is given."""
    module.to(device=device, dtype=dtype)
    module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - torch's stubs lack this one


def gaussian_log_prob(z: Tensor) -> Tensor:
    """Log-density of independent standard Gaussians: (N, D) -> (N,)."""
    return -0.5 * (z.square().sum(1) + z.shape[1] * math.log(2 * math.pi))
