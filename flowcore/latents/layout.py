"""A flow's features as one picture for the eye: every number back at the place that it came from."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..bijections import Flatten, HaarSqueeze, Permutation, Split, Squeeze
from ..bijections.linear import ChannelLinear
from ..devices import on_host
from ..errors import ConfigError
from ..model.flow import Flow

__all__ = ["LatentLayout", "homes"]


def homes(weight: Tensor) -> Tensor:
    """Where a channel mixing's outputs are at home: W (C, C) -> (C,) int64, for each output an input of its own.

    The largest |w| is served first, then the largest among the rows and columns that are left. A permutation is found exactly.
    """
    left = on_host(weight.detach().abs()).numpy().copy()
    home = np.zeros(len(left), dtype=np.int64)
    for _ in range(len(left)):
        row, column = divmod(int(left.argmax()), len(left))
        home[row] = column
        left[row, :] = -1.0
        left[:, column] = -1.0
    return torch.from_numpy(home)


def _four_apart(h: Tensor) -> Tensor:
    """(N, 4C, H, W) -> (N, C, 2H, 2W): a Haar squeeze's four parts of a block at the block's four places, as they are."""
    n, c, height, width = h.shape
    return h.reshape(n, 2, 2, c // 4, height, width).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * height, 2 * width)


class LatentLayout:
    """Arranges what has passed so many layers of a flow of pictures as (N, C, H, W), the picture's own shape.

    A squeeze is undone, so that four channels are four neighbouring places again; what a split factored out stands where it was;
    a 1×1 convolution's outputs stand where the input that each takes most of stood. Nothing is computed: every number of the
    features appears once, as it is. Raises `ConfigError` for a flow of points.
    """

    def __init__(self, flow: Flow) -> None:
        if len(flow.event_shape) != 3:
            raise ConfigError("Only a model of pictures can be followed as pictures; this one is of points.")
        self._layers = list(flow.layers)
        self._orders: dict[int, Tensor] = {}
        for number, layer in enumerate(self._layers):
            if isinstance(layer, ChannelLinear):
                self._orders[number] = torch.argsort(homes(layer.weight())).to(flow.device)

    def arrange(self, h: Tensor, factored: Sequence[Tensor], passed: int) -> Tensor:
        """``h`` (N, *) after ``passed`` layers and the eps that were factored out until there, finest first -> (N, C, H, W)."""
        factored = list(factored)
        for number in range(min(passed, len(self._layers)) - 1, -1, -1):
            layer = self._layers[number]
            if isinstance(layer, Split):
                h = torch.cat([h, factored.pop()], 1)
            elif isinstance(layer, (Squeeze, Flatten, Permutation)):
                h = layer.decode(h)
            elif isinstance(layer, HaarSqueeze):
                h = _four_apart(h)
            elif number in self._orders:
                h = h.index_select(1, self._orders[number])
        return h
