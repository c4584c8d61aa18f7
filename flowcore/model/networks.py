"""The networks inside coupling layers. They need not be invertible; their last layer starts at zero, so that a
coupling starts as the identity (Glow, section 3.3)."""
from __future__ import annotations

import math
from itertools import pairwise
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bijections.base import soft_clamp
from ..errors import ConfigError
from ..modules import Modules, bias_of

__all__ = ["CouplingNetwork", "ConvNetwork", "ResidualNetwork", "PlacedNetwork", "MLP", "set_reduced_precision"]

_Layer = TypeVar("_Layer", nn.Conv2d, nn.Linear)


class CouplingNetwork(nn.Module):
    """Base of the networks: runs :meth:`compute` in bfloat16 where ``reduced`` is set, and returns x's dtype.

    Reduced precision is for training alone: encode and decode use the same network, so both stay exact inverses of each
    other only where its result is reproduced, and as an encoder bfloat16 is off by a third of a grey level.
    """

    reduced = False

    def compute(self, x: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define compute")

    def forward(self, x: Tensor) -> Tensor:
        if self.reduced and self.training:
            with torch.autocast(x.device.type, dtype=torch.bfloat16):
                return self.compute(x).to(x.dtype)
        return self.compute(x)


def set_reduced_precision(module: nn.Module, reduced: bool) -> None:
    """Let all coupling networks below ``module`` compute in bfloat16 while training, or not."""
    for child in module.modules():
        if isinstance(child, CouplingNetwork):
            child.reduced = reduced


def _zero(layer: _Layer) -> _Layer:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(bias_of(layer))
    return layer


class _OutputConv(nn.Conv2d):
    """The last convolution, from zero, its result divided by the root of what it sums over.

    An optimiser with steps of one size (Adam) would otherwise move a coupling's scale by more the wider its network is,
    enough in a few early steps to send samples to infinity (Yang et al. 2021, Tensor Programs V, table 3).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        self.gain = (in_channels * kernel_size**2) ** -0.5
        nn.init.zeros_(self.weight)
        nn.init.zeros_(bias_of(self))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.gain


class ConvNetwork(CouplingNetwork):
    """Glow's: 3×3 convolution, ReLU, 1×1 convolution, ReLU, 3×3 convolution from zero. (N, C, H, W) -> (N, C', H, W).

    With an ``input_bound`` above 0 it sees its input softly bounded to ± that, so that what it says is bounded as well.
    Without, one value far from the data begets a larger one in every layer on the way back to a picture. With ``places`` (H, W)
    a bias is learned for every place of the first hidden layer: what stands where in aligned pictures need not be inferred.
    """

    def __init__(
        self, in_channels: int, out_channels: int, width: int, input_bound: float = 0.0, places: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        if not 0 <= input_bound < math.inf:
            raise ConfigError(f"The bound of a network's input must be positive, or 0 for none, not {input_bound}.")
        self.input_bound = float(input_bound)
        self.first = nn.Conv2d(in_channels, width, 3, padding=1)
        self.middle = nn.Conv2d(width, width, 1)
        self.last = _OutputConv(width, out_channels, 3)
        for layer in (self.first, self.middle):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(bias_of(layer))
        self.place = None if places is None else nn.Parameter(torch.zeros(width, *places))

    def compute(self, x: Tensor) -> Tensor:
        if self.input_bound:
            x = soft_clamp(x, self.input_bound)
        h = self.first(x.contiguous(memory_format=torch.channels_last))
        if self.place is not None:
            h = h + self.place
        return self.last(F.relu(self.middle(F.relu(h))))


class _ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = _zero(nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(F.relu(x))))


class ResidualNetwork(CouplingNetwork):
    """RealNVP's: residual blocks between two convolutions. (N, C, H, W) -> (N, C', H, W).

    The paper normalises by batch inside; here nothing depends on the batch, and each block starts as the identity.
    """

    def __init__(self, in_channels: int, out_channels: int, width: int, blocks: int = 2) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, width, 3, padding=1)
        self.blocks = nn.Sequential(*[_ResidualBlock(width) for _ in range(blocks)])
        self.last = _OutputConv(width, out_channels, 1)

    def compute(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        return self.last(F.relu(self.blocks(self.first(x))))


class PlacedNetwork(CouplingNetwork):
    """A split's prior: residual 3×3 blocks that know where they are. (N, C, H, W) -> (N, C', H, W), H and W fixed.

    A bias is learned for every place, before the blocks and at the end: what stands where in aligned pictures is then said
    without a picture's leave. Its input is softly bounded to ±``input_bound`` where that is above 0.
    """

    def __init__(
        self, in_channels: int, out_channels: int, width: int, blocks: int, places: tuple[int, int], input_bound: float = 0.0
    ) -> None:
        super().__init__()
        self.input_bound = float(input_bound)
        self.first = nn.Conv2d(in_channels, width, 3, padding=1)
        self.blocks = nn.Sequential(*[_ResidualBlock(width) for _ in range(blocks)])
        self.last = _OutputConv(width, out_channels, 3)
        self.place = nn.Parameter(torch.zeros(width, *places))
        self.place_out = nn.Parameter(torch.zeros(out_channels, *places))

    def compute(self, x: Tensor) -> Tensor:
        if self.input_bound:
            x = soft_clamp(x, self.input_bound)
        x = x.contiguous(memory_format=torch.channels_last)
        return self.last(F.relu(self.blocks(self.first(x) + self.place))) + self.place_out


class MLP(CouplingNetwork):
    """Fully connected: ``hidden`` layers of ``width``, then one from zero. (N, D) -> (N, D').

    ReLU as in NICE, or SiLU, whose smooth density pictures are kinder to the eye.
    """

    def __init__(
        self, in_features: int, out_features: int, width: int, hidden: int = 2, activation: str = "silu"
    ) -> None:
        super().__init__()
        sizes = [in_features, *[width] * hidden]
        self.hidden = Modules(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.last = _zero(nn.Linear(sizes[-1], out_features))
        self.activation = {"silu": F.silu, "relu": F.relu, "tanh": torch.tanh}[activation]

    def compute(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            x = self.activation(layer(x))
        return self.last(x)
