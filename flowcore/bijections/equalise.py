"""Grey levels that fill a data set's pictures, such as a white background, get the room that they need."""
from __future__ import annotations

import torch
from torch import Tensor

from ..errors import ConfigError
from .base import Bijection, sum_per_sample

__all__ = ["Equalise"]

LEVELS = 256
CROWDED = 1 / 16
"""Share of all pixels from which on a grey level has room of its own."""


class Equalise(Bijection):
    """z = 256 · F(x), F a distribution function of pixel values that is straight within each grey level; the identity outside.

    x and z are (N, C, H, W) in pixel units, a channel has an F of its own. F is taken from the first batch, and from then on
    fixed: a share 1 − ``floor`` of it is the batch's histogram, in which all levels that are not crowded count the same, and the
    rest is uniform. So its slope is at least ``floor``, and the inverse loses no byte. (Histogram equalisation, of spikes alone:
    done for every level, it bends what neighbouring pixels have in common, and photographs become less likely.)

    Half of a drawing's or a garment's pixels are exactly the background's value. Its one grey level of 256 becomes nearly half
    of the range, which couplings with bounded scales would otherwise have to stretch by orders of magnitude, place by place.
    Photographs, which have no such level, stay as they are. log-det = Σ log(slope).

    Raises:
        ConfigError: for a floor that is not above 0 and at most 1.
    """

    kind = "equalise"
    log_counts: Tensor

    def __init__(self, channels: int, floor: float = 0.25) -> None:
        super().__init__()
        if not 0 < floor <= 1:
            raise ConfigError(f"The lowest slope of an equalising map must be above 0 and at most 1, not {floor}.")
        self.channels, self.floor = channels, floor
        # Logarithms, so that weights kept in half precision still add up to one.
        self.register_buffer("log_counts", torch.zeros(channels, LEVELS))
        self._known_even: tuple[tuple, bool] | None = None

    @property
    def even(self) -> bool:
        """Whether no level is crowded, so that this is the identity, as it is for photographs. Found once for given counts."""
        if self._known_even is not None and torch.compiler.is_compiling():
            return self._known_even[1]
        counts = self.log_counts
        key = (counts.data_ptr(), counts._version, counts.dtype, counts.device)
        if self._known_even is None or self._known_even[0] != key:
            self._known_even = (key, bool((counts == counts[:, :1]).all()))
        return self._known_even[1]

    def _table(self) -> tuple[Tensor, Tensor]:
        """The slope in each grey level, (C, 256), and z where each begins, (C, 257)."""
        slope = self.floor + (1 - self.floor) * LEVELS * torch.softmax(self.log_counts, 1)
        ends = slope.cumsum(1) * (LEVELS / slope.sum(1, keepdim=True))
        return slope, torch.cat([torch.zeros_like(ends[:, :1]), ends], 1)

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        levels = x.floor().clamp(0, LEVELS - 1).long().transpose(0, 1).flatten(1)
        shares = torch.stack([torch.bincount(row, minlength=LEVELS) for row in levels]).to(self.log_counts) / levels.shape[1]
        crowded = shares > CROWDED
        even = torch.where(crowded, 0.0, shares).sum(1, keepdim=True) / (~crowded).sum(1, keepdim=True)
        self.log_counts.copy_(torch.where(crowded, shares, even.clamp_min(1e-6)).log())

    def _at(self, table: Tensor, level: Tensor) -> Tensor:
        """The table's entry for each value's own channel."""
        rows = torch.arange(self.channels, device=level.device).view(1, -1, 1, 1) * table.shape[1]
        return table.flatten().index_select(0, (level + rows).flatten()).view(level.shape)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.even:
            return x, x.new_zeros(x.shape[0])
        slope, starts = self._table()
        level = x.detach().floor().clamp(0, LEVELS - 1)
        inside = (x >= 0) & (x < LEVELS)
        index = level.long()
        own = self._at(slope, index)
        z = torch.where(inside, torch.addcmul(self._at(starts, index), x - level, own), x)
        return z, sum_per_sample(torch.where(inside, own.log(), 0.0))

    def decode(self, z: Tensor) -> Tensor:
        if self.even:
            return z
        slope, starts = self._table()
        by_channel = z.detach().transpose(0, 1).flatten(1).contiguous()
        index = torch.searchsorted(starts[:, 1:-1].contiguous(), by_channel, right=True)
        index = index.view(self.channels, z.shape[0], *z.shape[2:]).transpose(0, 1)
        inside = (z >= 0) & (z < LEVELS)
        x = index + (z - self._at(starts, index)) / self._at(slope, index)
        return torch.where(inside, x, z)

    def extra_repr(self) -> str:
        return f"channels={self.channels}, floor={self.floor}"
