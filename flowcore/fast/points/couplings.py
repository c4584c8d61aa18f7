"""Additive and affine couplings of points, by hand."""
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...bijections import AdditiveCoupling, AffineCoupling, ChannelMask
from ...model.networks import MLP
from .kernels import Kernel, KernelContext, register
from .network import MLPKernel

__all__ = ["AdditiveKernel", "AffineKernel", "CouplingKernel", "Rows"]


class Rows:
    """The kept and the changed rows of a :class:`~flowcore.bijections.ChannelMask`: views where they adjoin, else copies."""

    def __init__(self, mask: ChannelMask) -> None:
        self.kept, self.changed = _run(mask.kept), _run(mask.changed)
        self._views = isinstance(self.kept, slice) and isinstance(self.changed, slice)
        self._last: tuple[Tensor, tuple[Tensor, Tensor]] | None = None

    def split(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """The kept and the changed rows of h (D, N)."""
        last = self._last
        if last is not None and last[0] is h:  # a pass moves through the same tensors every time
            return last[1]
        parts = h[self.kept], h[self.changed]
        if self._views:
            self._last = h, parts
        return parts

    def put_back(self, h: Tensor, kept: Tensor, changed: Tensor) -> Tensor:
        """h after what :meth:`split` gave was changed in place."""
        if not self._views:
            h[self.kept], h[self.changed] = kept, changed
        return h


def _run(rows: Sequence[int]) -> slice | list[int]:
    return slice(rows[0], rows[-1] + 1) if rows[-1] - rows[0] == len(rows) - 1 else list(rows)


class CouplingKernel(Kernel):
    """What couplings with a channel mask and an MLP share: the parts of x, z and dz, and the network's kernel.

    z is a tensor of its own with ``keep``, x changed in place without.
    """

    @classmethod
    def accepts(cls, layer: AdditiveCoupling | AffineCoupling) -> bool:
        return type(layer.mask) is ChannelMask and MLPKernel.accepts(layer.network)

    def __init__(self, layer: AdditiveCoupling | AffineCoupling, context: KernelContext) -> None:
        super().__init__(layer, context)
        network, mask = layer.network, layer.mask
        assert isinstance(network, MLP) and isinstance(mask, ChannelMask)  # others are not accepted
        self.network = MLPKernel(network, context)
        self.rows_x, self.rows_z, self.rows_dz = (Rows(mask) for _ in range(3))
        self.z = self.own(self.dims, self.n) if self.keep else None

    def start(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where z goes, and its kept and changed rows, as yet those of x."""
        if self.z is None:
            return (x, *self.rows_z.split(x))
        self.z.copy_(x)
        return (self.z, *self.rows_z.split(self.z))


class AdditiveKernel(CouplingKernel):
    """z = x + γ(kept)."""

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        z, kept, changed = self.start(x)
        changed.add_(self.network.forward(kept))
        return self.rows_z.put_back(z, kept, changed)

    def decode(self, z: Tensor) -> Tensor:
        kept, changed = self.rows_z.split(z)
        changed.sub_(self.network.forward(kept))
        return self.rows_z.put_back(z, kept, changed)

    def backward(self, dz: Tensor, d_log_det: float) -> Tensor:
        d_kept, d_changed = self.rows_dz.split(dz)
        self.network.backward(d_changed, d_kept)
        return self.rows_dz.put_back(dz, d_kept, d_changed)


class AffineKernel(CouplingKernel):
    """z = x · β(kept) + γ(kept), log β = bound · t, t = tanh(raw / bound)."""

    def __init__(self, layer: AffineCoupling, context: KernelContext) -> None:
        super().__init__(layer, context)
        self.bound = layer.bound
        changed = layer.mask.changed_channels
        self._t, self._shift = self.network.out[:changed], self.network.out[changed:]
        self._t_rows = list(self._t)
        self._scale = self.scratch("affine scale", changed, self.n)
        if self.keep:
            self._d_out = self.passing("affine d_out", 2 * changed, self.n)
            self._d_raw, self._d_shift = self._d_out[:changed], self._d_out[changed:]
            self._d_log_det, self._d_log_det_value = self.own(1, 1), 0.0

    def _network(self, kept: Tensor, sign: float) -> Tensor:
        """Fills t and the shift; returns β to the power ``sign``."""
        self.network.forward(kept)
        self._t.mul_(1.0 / self.bound).tanh_()
        return torch.mul(self._t, sign * self.bound, out=self._scale).exp_()

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        z, kept, changed = self.start(x)
        torch.addcmul(self._shift, changed, self._network(kept, 1.0), out=changed)
        for row in self._t_rows:
            log_det.add_(row, alpha=self.bound)
        self._x = x
        return self.rows_z.put_back(z, kept, changed)

    def decode(self, z: Tensor) -> Tensor:
        kept, changed = self.rows_z.split(z)
        scale = self._network(kept, -1.0)
        changed.sub_(self._shift).mul_(scale)
        return self.rows_z.put_back(z, kept, changed)

    def backward(self, dz: Tensor, d_log_det: float) -> Tensor:
        d_kept, d_changed = self.rows_dz.split(dz)
        self._d_shift.copy_(d_changed)
        d_changed.mul_(self._scale)
        if d_log_det != self._d_log_det_value:
            self._d_log_det_value = d_log_det
            self._d_log_det.fill_(d_log_det)
        # ∂z/∂log β = x·β; log β's slope in raw is 1 − t².
        torch.addcmul(self._d_log_det, d_changed, self.rows_x.split(self._x)[1], out=self._d_raw)
        torch.ops.aten.tanh_backward.grad_input(self._d_raw, self._t, grad_input=self._d_raw)
        self.network.backward(self._d_out, d_kept)
        return self.rows_dz.put_back(dz, d_kept, d_changed)


register(AdditiveCoupling, AdditiveKernel)
register(AffineCoupling, AffineKernel)
