"""Rational-quadratic spline couplings of points, by hand.

The formulas are those of :class:`~flowcore.bijections.RationalQuadraticCoupling`, with ξ the place in a bin of width w and
height h, ξ' = 1 - ξ, and δ the derivatives at the bin's ends in units of h / w:

    A = ξ + δ₀ ξ',  C = ξ' + δ₁ ξ,  D = ξA + ξ'C,  n = ξ'A + ξC,  y = low + h ξA / D,  dy/dx = h n / (w D²).

Pairs that mirror each other (ξ and ξ', A and C, both ends, both axes) lie as two rows of one tensor, so that one call
serves both. Every view is made once: beside computations this small, making one costs as much as using it.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor

from ...bijections import ChannelMask, RationalQuadraticCoupling
from ...model.networks import MLP
from .couplings import Rows
from .kernels import Context, Kernel, register
from .network import MLPKernel

__all__ = ["SplineKernel"]


class SplineKernel(Kernel):
    """z = g(x; kept). Tensors are (changed rows, what, N), or (changed rows, N)."""

    layer: RationalQuadraticCoupling

    @classmethod
    def accepts(cls, layer: RationalQuadraticCoupling) -> bool:
        return type(layer.mask) is ChannelMask and MLPKernel.accepts(layer.network)

    def __init__(self, layer: RationalQuadraticCoupling, context: Context) -> None:
        super().__init__(layer, context)
        network, mask = layer.network, layer.mask
        assert isinstance(network, MLP) and isinstance(mask, ChannelMask)  # others are not accepted
        self.rows, self.network = Rows(mask), MLPKernel(network, context)
        self.bins, self.knots, self.bound = layer.bins, layer.bins + 1, layer.bound
        self.slope_bound = -math.log(layer.min_derivative)
        self.changed = layer.mask.changed_channels
        self.z = self.own(self.dims, self.n) if self.keep else None
        self._make_sums(context.dtype)
        self._make_table()
        self._make_bin()
        if self.keep:
            self._make_gradients()

    # -- memory -------------------------------------------------------------------------------------------------

    def _kept(self, name: str, *rows: int) -> Tensor:
        return self.scratch(f"spline {name}", self.changed, *rows, self.n)

    def _passing(self, name: str, *rows: int) -> Tensor:
        return self.passing(f"spline {name}", self.changed, *rows, self.n)

    def _make_sums(self, dtype: torch.dtype) -> None:
        """Knots from shares of the whole: running sum, least share and the square's size as one matrix product.

        The outermost rows have no weights: exactly -bound and bound.
        """
        bins, knots, least, whole = self.bins, self.knots, self.layer.min_bin, 2 * self.bound
        inner = whole * (1 - bins * least) * torch.ones(bins - 1, bins, dtype=dtype).tril()
        sums = torch.zeros(2, knots, 2, bins, dtype=dtype)
        sums[0, 1:-1, 0] = sums[1, 1:-1, 1] = inner
        base = whole * least * torch.arange(knots, dtype=dtype) - self.bound
        base[-1] = self.bound
        self.sums = sums.view(2 * knots, 2 * bins).expand(self.changed, -1, -1)
        self.sums_back, self.base = self.sums.transpose(1, 2), base.repeat(2).view(1, -1, 1)

    def _make_table(self) -> None:
        """The knots' x and y, and the raw slopes between zeros, which stand for the tails' slope of 1."""
        bins, knots = self.bins, self.knots
        self.shares = self._kept("shares", 2, bins)
        self.flat_shares = self.shares.view(self.changed, 2 * bins, self.n)
        self.table = self._passing("table", 3 * knots)
        self.table_knots, self.table_slopes = self.table[:, : 2 * knots], self.table[:, 2 * knots + 1 : -1]
        self.inner = (self.table[:, 1:bins], self.table[:, knots + 1 : knots + bins])
        self.reached, self.count = self._passing("reached", bins - 1), self._passing("count", 1)
        self.place = torch.zeros(self.changed, 1, self.n, dtype=torch.int64)
        self.ends = torch.zeros(self.changed, 6, self.n, dtype=torch.int64)
        self.offsets = torch.tensor([0, 1, knots, knots + 1, 2 * knots, 2 * knots + 1]).view(1, -1, 1)

    def _make_bin(self) -> None:
        """What there is to know of each value's bin."""
        self.found = self._kept("found", 6)
        self.starts, self.stops, self.raw_slopes = self.found[:, 0:4:2], self.found[:, 1:4:2], self.found[:, 4:]
        self.corner = (self.found[:, 0], self.found[:, 2])
        self.size = self._kept("size", 2)
        self.width, self.height = self.size.unbind(1)
        self.slope, self.squashed = self._kept("slope", 2), self._kept("squashed", 2)
        parts = self._kept("part", 3)
        self.part, self.mirror, self.same = parts[:, :2], parts[:, 1:], parts[:, 0::2]
        self.xi, self.rest = self.part.unbind(1)
        self.sides = self._kept("sides", 2)
        self.fraction, self.inverse, self.steep, self.inside = (
            self._kept(name) for name in ("fraction", "inverse", "steep", "inside")
        )
        self.inside_rows = self.inside.unsqueeze(1)
        self.pair, self.row, self.other = self._passing("pair", 2), self._passing("row"), self._passing("other")
        self.pair_first, self.pair_second = self.pair.unbind(1)
        self.row_rows, self.other_rows = self.row.unsqueeze(1), self.other.unsqueeze(1)

    def _make_gradients(self) -> None:
        bins, knots = self.bins, self.knots
        self.d_found, self.d_table = self._passing("d_found", 6), self._passing("d_table", 3 * knots)
        self.d_left, self.d_right, self.d_low, self.d_high = self.d_found[:, :4].unbind(1)
        self.d_raw_slopes = self.d_found[:, 4:]
        self.d_knots, self.d_slopes = self.d_table[:, : 2 * knots], self.d_table[:, 2 * knots + 1 : -1]
        self.d_shares = self._passing("d_shares", 2, bins)
        self.d_flat_shares = self.d_shares.view(self.changed, 2 * bins, self.n)
        self.d_out = self._passing("d_out", 3 * bins - 1)
        self.d_network, self.d_out_slopes = self.d_out.view(-1, self.n), self.d_out[:, 2 * bins :]
        self.d_sizes = self.d_out[:, : 2 * bins].unflatten(1, (2, bins))
        # The softmax's backward writes to tensors without gaps alone.
        self.d_softmax = self.d_sizes if self.d_sizes.is_contiguous() else self._passing("d_softmax", 2, bins)
        self.d_pair, self.d_sides = self._passing("d_pair", 2), self._passing("d_sides", 2)
        self.d_first, self.d_second = self.d_pair.unbind(1)

    # -- forward ------------------------------------------------------------------------------------------------

    def _locate(self, kept: Tensor, changed: Tensor, axis: int) -> None:
        """Find each value's bin along ``axis`` (0: x, 1: y), its size and slopes, and the place in it, 0 to 1."""
        bins, values = self.bins, self.other
        torch.clamp(changed, -self.bound, self.bound, out=values)
        torch.eq(values, changed, out=self.inside)
        raw = self.network.forward(kept).view(self.changed, 3 * bins - 1, self.n)
        torch.softmax(raw[:, : 2 * bins].unflatten(1, (2, bins)), 2, out=self.shares)
        torch.baddbmm(self.base, self.sums, self.flat_shares, out=self.table_knots)
        self.table_slopes.copy_(raw[:, 2 * bins :])
        torch.ge(self.other_rows, self.inner[axis], out=self.reached)
        torch.sum(self.reached, 1, keepdim=True, out=self.count)
        torch.add(self.place.copy_(self.count), self.offsets, out=self.ends)
        torch.gather(self.table, 1, self.ends, out=self.found)
        torch.sub(self.stops, self.starts, out=self.size)
        torch.mul(self.raw_slopes, 1 / self.slope_bound, out=self.squashed).tanh_()
        torch.mul(self.squashed, self.slope_bound, out=self.slope).exp_()
        torch.div(self.width, self.height, out=self.row)
        self.slope.mul_(self.row_rows)
        torch.sub(values, self.corner[axis], out=self.row).div_((self.width, self.height)[axis]).clamp_(0, 1)
        self.same.copy_(self.row_rows)
        torch.sub(1, self.row, out=self.rest)
        # What lies beyond the bound: it stays as it is.
        changed.sub_(values)

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        z = x if self.z is None else self.z.copy_(x)
        kept, changed = self.rows.split(z)
        self._locate(kept, changed, 0)
        torch.addcmul(self.part, self.slope, self.mirror, out=self.sides)
        torch.mul(self.part, self.sides, out=self.pair)
        torch.add(self.pair_first, self.pair_second, out=self.inverse).reciprocal_()
        torch.mul(self.pair_first, self.inverse, out=self.fraction)
        torch.mul(self.mirror, self.sides, out=self.pair)
        torch.add(self.pair_first, self.pair_second, out=self.steep)
        changed.add_(self.corner[1]).addcmul_(self.height, self.fraction)
        log = torch.mul(self.inverse, self.inverse, out=self.row).mul_(self.steep).mul_(self.height).div_(self.width).log_()
        for row in log:
            log_det.add_(row)
        return self.rows.put_back(z, kept, changed)

    def decode(self, z: Tensor) -> Tensor:
        kept, changed = self.rows.split(z)
        self._locate(kept, changed, 1)
        torch.mul(self.slope, self.mirror, out=self.pair)
        lean = torch.sub(self.pair_first, self.pair_second, out=self.fraction)
        root = torch.mul(self.xi, self.rest, out=self.row).mul_(4.0).addcmul_(lean, lean).sqrt_()
        root.add_(torch.abs(lean, out=self.steep)).mul_(0.5)
        torch.add(self.part, self.row_rows, out=self.pair)
        rises = lean >= 0
        part = torch.where(rises, self.xi, root, out=self.other)
        part.div_(torch.where(rises, self.pair_first, self.pair_second, out=self.steep))
        changed.add_(self.corner[0]).addcmul_(self.width, part)
        return self.rows.put_back(z, kept, changed)

    # -- backward -----------------------------------------------------------------------------------------------

    def backward(self, dz: Tensor, d_log_det: float) -> Tensor:
        d_kept, d_changed = self.rows.split(dz)
        # Of ξA and ξ'C, through D and the fraction; of n; of A and C.
        d_fraction = torch.mul(d_changed, self.height, out=self.row).mul_(self.inverse)
        torch.mul(self.inverse, -2 * d_log_det, out=self.d_second).addcmul_(self.fraction, d_fraction, value=-1)
        torch.add(self.d_second, d_fraction, out=self.d_first)
        torch.reciprocal(self.steep, out=self.row).mul_(d_log_det)
        torch.mul(self.part, self.d_pair, out=self.d_sides).addcmul_(self.mirror, self.row_rows)
        # Of ξ, whose mirror image falls as it rises; of x through it.
        self.d_pair.sub_(self.row_rows).mul_(self.sides).add_(self.d_sides)
        self.d_pair.sub_(self.d_sides.mul_(self.slope))
        d_x = torch.sub(self.d_first, self.d_second, out=self.other).div_(self.width)
        # Of log δ; with it of the bin's width and height, in whose units the slopes are.
        d_slope = self.d_sides.mul_(self.mirror)
        torch.sum(d_slope, 1, out=self.row).sub_(d_log_det)
        torch.addcmul(d_slope, d_slope, self.squashed.square_(), value=-1, out=self.d_raw_slopes)
        torch.div(self.row, self.width, out=self.d_right).addcmul_(self.xi, d_x, value=-1)
        torch.mul(d_changed, self.fraction, out=self.d_high).sub_(self.row.div_(self.height))
        torch.add(d_x, self.d_right, out=self.d_left).neg_()
        torch.sub(d_changed, self.d_high, out=self.d_low)
        self.d_found.mul_(self.inside_rows)
        torch.lerp(d_changed, d_x, self.inside, out=d_changed)
        self._spread()
        self.network.backward(self.d_network, d_kept)
        return self.rows.put_back(dz, d_kept, d_changed)

    def _spread(self) -> None:
        """``d_out`` from ``d_found``: back through the choice of a bin, the sums, and the softmax."""
        self.d_table.zero_().scatter_(1, self.ends, self.d_found)
        torch.bmm(self.sums_back, self.d_knots, out=self.d_flat_shares)
        backward = torch.ops.aten._softmax_backward_data.out
        backward(self.d_shares, self.shares, 2, self.shares.dtype, grad_input=self.d_softmax)
        if self.d_softmax is not self.d_sizes:
            self.d_sizes.copy_(self.d_softmax)
        self.d_out_slopes.copy_(self.d_slopes)


register(RationalQuadraticCoupling, SplineKernel)
