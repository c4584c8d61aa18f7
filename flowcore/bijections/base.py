"""What every layer promises."""
from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ..modules import Modules

__all__ = ["Bijection", "Chain", "soft_clamp", "soft_clamp_inverse", "sum_per_sample"]


def sum_per_sample(values: Tensor) -> Tensor:
    """Sum over all dimensions but the first: (N, *) -> (N,)."""
    return values.flatten(1).sum(1)


def soft_clamp(raw: Tensor, bound: float) -> Tensor:
    """Squash to (-bound, bound), with slope 1 at 0: ``bound * tanh(raw / bound)``.

    Every log-scale of flowcore passes through here. An unbounded scale can reach 0 or infinity on inputs far from the
    training data, and then nothing decodes any more, in float64 either.
    """
    return bound * torch.tanh(raw / bound)


def soft_clamp_inverse(value: Tensor, bound: float) -> Tensor:
    """The raw parameter whose soft clamp is ``value``; values at or beyond the bound are taken just inside it."""
    return bound * torch.atanh((value / bound).clamp(-0.999, 0.999))


class Bijection(nn.Module):
    """An invertible map with a tractable log-determinant.

    ``encode(x)`` goes from data to latent and returns ``(z, log_det)``, ``log_det`` of shape (N,) being
    log |det ∂z/∂x| of each sample in nats. ``decode(z)`` goes back. Parameters and results share dtype and device.
    """

    kind = "layer"
    """What a picture of a flow's layers calls it; layers that do the same have one kind."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        raise TypeError(f"{type(self).__name__} does not define encode")

    def decode(self, z: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define decode")

    def encode_through(self, x: Tensor, factored: list[Tensor]) -> tuple[Tensor, Tensor]:
        """:meth:`encode`, where some of x may leave the flow: it is appended to ``factored``, and z is what flows on."""
        return self.encode(x)

    def decode_through(self, z: Tensor, factored: list[Tensor]) -> Tensor:
        """The inverse of :meth:`encode_through`: what left the flow here is taken from the end of ``factored``."""
        return self.decode(z)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same as :meth:`encode`, so that module hooks and parallel wrappers see the pass."""
        return self.encode(x)

    def initialise(self, x: Tensor) -> None:
        """Set data-dependent parameters from a first batch; most layers have none."""

    def constant_log_det(self, x: Tensor, value: Tensor | float) -> Tensor:
        """A log-det that is the same for all samples of ``x``, as shape (N,)."""
        if isinstance(value, Tensor):
            return value.to(x.dtype).expand(x.shape[0])
        return x.new_full((x.shape[0],), float(value))


class Chain(Bijection):
    """Layers one after another, in the order of encoding; can be indexed and iterated."""

    def __init__(self, layers: Iterable[Bijection]) -> None:
        super().__init__()
        self.layers = Modules(layers)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        log_det = x.new_zeros(x.shape[0])
        for layer in self.layers:
            x, term = layer.encode(x)
            log_det = log_det + term
        return x, log_det

    def decode(self, z: Tensor) -> Tensor:
        for layer in reversed(self.layers):
            z = layer.decode(z)
        return z

    def initialise(self, x: Tensor) -> None:
        for layer in self.layers:
            layer.initialise(x)
            x, _ = layer.encode(x)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Bijection:
        return self.layers[index]
