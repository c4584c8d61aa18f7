"""Which part a coupling layer copies and which it transforms (Dinh et al. 2017, RealNVP, section 3.4)."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..fields import shown

__all__ = ["ChannelMask", "CheckerboardMask", "Mask", "channel_cycle", "half"]


class Mask(nn.Module):
    """Splits x into a kept and a changed part and merges them again, exactly.

    ``kept_channels`` is what a coupling's network reads, ``changed_channels`` what its scale and shift are shaped like.
    """

    kept_channels: int
    changed_channels: int

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        raise TypeError(f"{type(self).__name__} does not define split")

    def merge(self, kept: Tensor, changed: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define merge")

    def restrict(self, values: Tensor) -> Tensor:
        """Zero ``values`` (shaped like the changed part) wherever the changed part is in truth kept."""
        return values


class ChannelMask(Mask):
    """Copies the named channels (dimension 1) and transforms the rest; for pictures and for vectors.

    Half of the channels, a single one, or any set: the three-way cycle is three of these, see :func:`channel_cycle`.
    """

    channels: int
    kept: Sequence[int]
    changed: Sequence[int]
    _order: Tensor
    _inverse: Tensor

    def __init__(self, channels: int, kept: Iterable[int]) -> None:
        super().__init__()
        named = np.fromiter(kept, np.int64)
        is_kept = np.zeros(channels, bool)
        if inside := bool(((named >= 0) & (named < channels)).all()):
            is_kept[named] = True
        wanted, changed = np.flatnonzero(is_kept), np.flatnonzero(~is_kept)
        if not inside or not len(wanted) or not len(changed):
            raise ConfigError(
                f"A channel mask on {channels} channels must keep at least one and change at least one, not keep {shown(kept)}."
            )
        self.channels = channels
        self.kept, self.changed = _as_range(wanted), _as_range(changed)
        self.kept_channels, self.changed_channels = len(wanted), len(changed)
        # A run of channels is a view (no copy); which side comes first decides the order when merging.
        self.kept_first = self.kept == range(self.kept_channels)
        self.changed_first = self.changed == range(self.changed_channels)
        if not (self.kept_first or self.changed_first):
            order = np.concatenate([wanted, changed])
            self.register_buffer("_order", _index(order), persistent=False)
            inverse = np.empty_like(order)
            inverse[order] = np.arange(channels)
            self.register_buffer("_inverse", _index(inverse), persistent=False)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.kept_first:
            return x[:, : self.kept_channels], x[:, self.kept_channels :]
        if self.changed_first:
            return x[:, self.changed_channels :], x[:, : self.changed_channels]
        x = x.index_select(1, self._order)
        return x[:, : self.kept_channels], x[:, self.kept_channels :]

    def merge(self, kept: Tensor, changed: Tensor) -> Tensor:
        if self.kept_first:
            return torch.cat([kept, changed], 1)
        if self.changed_first:
            return torch.cat([changed, kept], 1)
        return torch.cat([kept, changed], 1).index_select(1, self._inverse)

    def extra_repr(self) -> str:
        return f"keeps {shown(self.kept)} of {self.channels}"


def _as_range(numbers: np.ndarray) -> Sequence[int]:
    """The same numbers, ascending, as a range where they are one: a picture's every other dimension are a million."""
    first, last = int(numbers[0]), int(numbers[-1])
    step = int(numbers[1]) - first if len(numbers) > 1 else 1
    return range(first, last + 1, step) if (np.diff(numbers) == step).all() else numbers.tolist()


def _index(numbers: np.ndarray) -> Tensor:
    """Where modules are made now, but never on the meta device: it belongs to no file, so it is there from the beginning."""
    device = torch.get_default_device()
    return torch.from_numpy(numbers).to("cpu" if device.type == "meta" else device)


def half(channels: int, flip: bool = False) -> ChannelMask:
    """Keep the first half of the channels (the second if ``flip``); an odd one out goes to the changed part."""
    if channels < 2:
        raise ConfigError(f"A half mask needs at least 2 channels, not {channels}; use a checkerboard mask instead.")
    first = range(channels // 2)
    second = range(channels - channels // 2, channels)
    return ChannelMask(channels, second if flip else first)


def channel_cycle(step: int, channels: int = 3) -> ChannelMask:
    """The three-way cycle: one colour channel is copied, the other two are transformed, rotating with ``step``."""
    return ChannelMask(channels, [step % channels])


class CheckerboardMask(Mask):
    """Keeps the places where row + column is even (odd if ``flip``); the network sees the rest as zero.

    Shape (N, C, H, W), H and W of any size. RealNVP figure 3, left.
    """

    def __init__(self, channels: int, flip: bool = False) -> None:
        super().__init__()
        self.kept_channels = self.changed_channels = channels
        self.flip = flip

    def _kept(self, x: Tensor) -> Tensor:
        rows = torch.arange(x.shape[2], device=x.device).view(-1, 1)
        columns = torch.arange(x.shape[3], device=x.device).view(1, -1)
        return ((rows + columns) % 2 == int(self.flip)).to(x.dtype)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        kept = self._kept(x)
        return x * kept, x * (1 - kept)

    def merge(self, kept: Tensor, changed: Tensor) -> Tensor:
        return kept + self.restrict(changed)

    def restrict(self, values: Tensor) -> Tensor:
        return values * (1 - self._kept(values))

    def extra_repr(self) -> str:
        return f"keeps where row + column is {'odd' if self.flip else 'even'}"
