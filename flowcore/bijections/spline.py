"""Coupling layers that bend each dimension by a monotone spline of rational quadratics.

Durkan, Bekasov, Murray and Papamakarios 2019, Neural Spline Flows (https://arxiv.org/abs/1906.04032), section 3.1.
"""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigError
from .base import Bijection, soft_clamp, sum_per_sample
from .masks import Mask

__all__ = ["RationalQuadraticCoupling"]


class RationalQuadraticCoupling(Bijection):
    """Changed part: z_i = g(x_i; kept), g monotone from [-B, B] to itself in ``bins`` pieces, the identity outside.

    ``network`` maps (N, kept_channels, *) to (N, outputs · changed_channels, *). Each changed channel has ``outputs`` =
    3 · bins - 1 numbers in a row: ``bins`` for the widths, ``bins`` for the heights, ``bins - 1`` for the log-derivatives at
    the knots between, the outer two being 1 (linear tails). Zeros make g the identity.

    Every number of the spline is bounded, so that its inverse exists and stays finite on every input: widths and heights
    are a softmax of which each bin has at least ``min_bin`` of the whole, and log-derivatives are softly bounded to
    ±log ``min_derivative``.

    Raises:
        ConfigError: for fewer than 2 bins, a ``bound`` B that is no positive number, or minima that leave nothing to learn.
    """

    kind = "coupling"

    def __init__(
        self,
        mask: Mask,
        network: nn.Module,
        bins: int = 8,
        bound: float = 5.0,
        min_bin: float = 1e-2,
        min_derivative: float = 1e-2,
    ) -> None:
        super().__init__()
        if bins < 2:
            raise ConfigError(f"A spline needs at least 2 bins, not {bins}.")
        if not (math.isfinite(bound) and bound > 0):
            raise ConfigError(f"The bound of a spline must be a positive number, not {bound}.")
        if not 0 < min_bin * bins < 1:
            raise ConfigError(f"The smallest bin of {bins} must be above 0 and below 1/{bins} of the whole, not {min_bin}.")
        if not 0 < min_derivative < 1:
            raise ConfigError(f"The smallest derivative of a spline must be above 0 and below 1, not {min_derivative}.")
        self.mask, self.network = mask, network
        self.bins, self.bound, self.min_bin, self.min_derivative = bins, float(bound), min_bin, min_derivative

    @property
    def outputs(self) -> int:
        """How many numbers the network gives for each changed one."""
        return 3 * self.bins - 1

    def knots(self, kept: Tensor) -> Tensor:
        """(N, changed_channels, *, 3, bins + 1): for each number its knots' x, their y, and the derivatives there."""
        raw = self.network(kept)
        raw = raw.unflatten(1, (self.mask.changed_channels, self.outputs)).movedim(2, -1)
        sizes, slopes = raw.split([2 * self.bins, self.bins - 1], -1)
        sizes = torch.softmax(sizes.unflatten(-1, (2, self.bins)), -1)
        sizes = self.min_bin + (1 - self.bins * self.min_bin) * sizes
        inner = self.bound * (2 * sizes.cumsum(-1)[..., :-1] - 1)
        # The outermost knots are not summed up, so that rounding cannot move them off the tails.
        corners = F.pad(F.pad(inner, (1, 0), value=-self.bound), (0, 1), value=self.bound)
        derivatives = F.pad(soft_clamp(slopes, -math.log(self.min_derivative)).exp(), (1, 1), value=1.0)
        return torch.cat([corners, derivatives.unsqueeze(-2)], -2)

    def _bin(self, knots: Tensor, values: Tensor, axis: int) -> tuple[Tensor, ...]:
        """The bin that each value falls into along ``axis`` (0: x, 1: y).

        Gives its left edge, width, lower edge, height, and the derivatives at both ends in units of height / width.
        """
        index = (values.unsqueeze(-1) >= knots[..., axis, 1:-1]).sum(-1, keepdim=True)
        ends = torch.cat([index, index + 1], -1).unsqueeze(-2).expand(*values.shape, 3, 2)
        left, right, low, high, start, end = knots.gather(-1, ends).flatten(-2).unbind(-1)
        width, height = right - left, high - low
        unit = width / height
        return left, width, low, height, start * unit, end * unit

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        kept, changed = self.mask.split(x)
        inside = changed.clamp(-self.bound, self.bound)
        left, width, low, height, start, end = self._bin(self.knots(kept), inside, 0)
        # Equations 4 and 5, written so that nothing is subtracted but 1 - ξ.
        right_part = ((inside - left) / width).clamp(0, 1)
        left_part = 1 - right_part
        upper = right_part + start * left_part
        lower = left_part + end * right_part
        both = right_part * upper + left_part * lower
        bent = low + height * right_part * upper / both
        log_derivative = torch.log(height / width * (right_part * lower + left_part * upper) / both.square())
        is_inside = changed.abs() < self.bound
        z = self.mask.merge(kept, torch.where(is_inside, bent, changed))
        return z, sum_per_sample(self.mask.restrict(torch.where(is_inside, log_derivative, 0.0)))

    def decode(self, z: Tensor) -> Tensor:
        kept, changed = self.mask.split(z)
        inside = changed.clamp(-self.bound, self.bound)
        left, width, low, height, start, end = self._bin(self.knots(kept), inside, 1)
        # The root of equations 6 to 8 in the unit square, its discriminant as a sum of squares and ξ as a quotient of
        # positive numbers: no difference of equals, so no digits are lost at either end.
        above = ((inside - low) / height).clamp(0, 1)
        below = 1 - above
        lean = start * below - end * above
        root = 0.5 * (lean.abs() + torch.sqrt(lean.square() + 4 * above * below))
        part = torch.where(lean >= 0, above / (above + root), root / (below + root))
        straight = left + width * part
        return self.mask.merge(kept, torch.where(changed.abs() < self.bound, straight, changed))

    def extra_repr(self) -> str:
        return f"bins={self.bins}, bound={self.bound}"
