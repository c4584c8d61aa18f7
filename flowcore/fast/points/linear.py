"""The layers of points whose log-det is a constant, by hand: scalings, permutations and small matrices."""
from __future__ import annotations

import torch
from torch import Tensor

from ...bijections import (
    ActNorm,
    DiagonalScale,
    Householder,
    InvertibleLinear,
    LULinear,
    Permutation,
    Rotation,
)
from ...bijections.linear import ChannelLinear
from .kernels import Context, Kernel, register

__all__ = [
    "DiagonalScaleKernel", "HouseholderKernel", "InvertibleLinearKernel", "LULinearKernel", "PermutationKernel", "RotationKernel",
    "ScaleKernel",
]  # fmt: skip


class ScaleKernel(Kernel):
    """z = (x + bias) · exp(s), s = bound · tanh(raw / bound); the bias may be missing."""

    layer: ActNorm | DiagonalScale

    def __init__(self, layer: ActNorm | DiagonalScale, context: Context) -> None:
        super().__init__(layer, context)
        bias = getattr(layer, "bias", None)
        self._bias = None if bias is None else bias.detach()[:, None]
        self._raw = layer.raw_log_scale.detach()[:, None]
        self._t, self._scale = self.own(self.dims, 1), self.own(self.dims, 1)
        self.z = self.own(self.dims, self.n)
        if self.keep:
            self._product = self.passing("scale product", self.dims, self.n)
            self._sum = self.own(self.dims, 1)
            self._d_raw = self.gradient_of(layer.raw_log_scale)[:, None]
            self._d_bias = None if bias is None else self.gradient_of(bias)[:, None]

    def prepare(self) -> None:
        torch.mul(self._raw, 1.0 / self.layer.bound, out=self._t).tanh_()
        torch.mul(self._t, self.layer.bound, out=self._scale).exp_()

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        if self._bias is None:
            torch.mul(x, self._scale, out=self.z)
        else:
            torch.add(x, self._bias, out=self.z).mul_(self._scale)
        log_det.add_(self._t.sum(), alpha=self.layer.bound)
        return self.z

    def decode(self, z: Tensor) -> Tensor:
        torch.div(z, self._scale, out=self.z)
        return self.z if self._bias is None else self.z.sub_(self._bias)

    def backward(self, dz: Tensor, d_log_det: float) -> Tensor:
        # ∂z/∂s = z; ∂log_det/∂s = 1 for each of the n points.
        torch.sum(torch.mul(dz, self.z, out=self._product), 1, keepdim=True, out=self._sum)
        torch.ops.aten.tanh_backward.grad_input(self._sum.add_(d_log_det * self.n), self._t, grad_input=self._d_raw)
        dz.mul_(self._scale)
        if self._d_bias is not None:
            torch.sum(dz, 1, keepdim=True, out=self._d_bias)
        return dz


class DiagonalScaleKernel(ScaleKernel):
    @classmethod
    def accepts(cls, layer: DiagonalScale) -> bool:
        return len(layer.event_shape) == 1


class PermutationKernel(Kernel):
    """z[i] = x[order[i]]."""

    layer: Permutation

    def __init__(self, layer: Permutation, context: Context) -> None:
        super().__init__(layer, context)
        self._order, self._back = layer.order, torch.argsort(layer.order)
        self.z, self._dx = self.own(self.dims, self.n), self.own(self.dims, self.n)

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        return torch.index_select(x, 0, self._order, out=self.z)

    def decode(self, z: Tensor) -> Tensor:
        return torch.index_select(z, 0, self._back, out=self.z)

    def backward(self, dz: Tensor, d_log_det: float) -> Tensor:
        return torch.index_select(dz, 0, self._back, out=self._dx)


class _MatrixKernel(Kernel):
    """z = W x. A subclass gives W and log|det W|, and takes ∂L/∂W and ∂L/∂log|det W| apart."""

    layer: ChannelLinear

    def __init__(self, layer: ChannelLinear, context: Context) -> None:
        super().__init__(layer, context)
        self.weight = self.own(self.dims, self.dims)
        self.log_abs_det = self.own()
        self.z = self.own(self.dims, self.n)
        if self.keep:
            self._dx = self.own(self.dims, self.n)
            self.d_weight = self.own(self.dims, self.dims)

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        self._x = x
        log_det.add_(self.log_abs_det)
        return torch.mm(self.weight, x, out=self.z)

    def decode(self, z: Tensor) -> Tensor:
        return torch.mm(self.layer.inverse_weight(), z, out=self.z)

    def backward(self, dz: Tensor, d_log_det: float) -> Tensor:
        torch.mm(dz, self._x.t(), out=self.d_weight)
        self.pull_back(d_log_det * self.n)
        return torch.mm(self.weight.t(), dz, out=self._dx)

    def pull_back(self, d_log_abs_det: float) -> None:
        raise TypeError(f"{type(self).__name__} does not define pull_back")


class InvertibleLinearKernel(_MatrixKernel):
    layer: InvertibleLinear

    def prepare(self) -> None:
        self.weight.copy_(self.layer.matrix)
        self.log_abs_det.copy_(self.layer.log_abs_det())

    def pull_back(self, d_log_abs_det: float) -> None:
        # ∂log|det W|/∂W = W⁻ᵀ
        torch.add(self.d_weight, self.layer.inverse_weight().t(), alpha=d_log_abs_det, out=self.gradient_of(self.layer.matrix))


class RotationKernel(_MatrixKernel):
    """W = R(θ); its log-det is 0 whatever θ."""

    layer: Rotation

    def prepare(self) -> None:
        self.weight.copy_(self.layer.weight())

    def pull_back(self, d_log_abs_det: float) -> None:
        # ∂R/∂θ is R a quarter turn further: its rows are −R's second row and R's first.
        slope = torch.stack([-self.weight[1], self.weight[0]])
        self.gradient_of(self.layer.angle).copy_(self.d_weight.mul_(slope).sum())


class HouseholderKernel(_MatrixKernel):
    """W = I − 2 v vᵀ / |v|²; its log-det is 0 whatever v."""

    layer: Householder

    def prepare(self) -> None:
        self.weight.copy_(self.layer.weight())

    def pull_back(self, d_log_abs_det: float) -> None:
        v, size = self.layer.vector.detach(), self.layer.vector.detach().square().sum()
        across = self.d_weight @ v
        gradient = across + self.d_weight.t() @ v - v * (2 * (v @ across) / size)
        torch.mul(gradient, -2 / size, out=self.gradient_of(self.layer.vector))


class LULinearKernel(_MatrixKernel):
    """W = P · L · U, with s = bound · tanh(raw / bound) and sign · exp(s) on U's diagonal."""

    layer: LULinear

    def __init__(self, layer: LULinear, context: Context) -> None:
        super().__init__(layer, context)
        d = self.dims
        self._raw, self._given_lower, self._given_upper = (
            p.detach() for p in (layer.raw_log_diagonal, layer.lower, layer.upper)
        )
        self._permutation = layer.permutation.to(self.weight.dtype)
        self._t, self._diagonal, self._lower, self._upper = self.own(d), self.own(d), self.own(d, d), self.own(d, d)
        self._permuted_lower = self.own(d, d)
        if self.keep:
            self._back, self._d_lower, self._d_upper = self.own(d, d), self.own(d, d), self.own(d, d)
            self._d_raw = self.gradient_of(layer.raw_log_diagonal)

    def prepare(self) -> None:
        torch.mul(self._raw, 1.0 / self.layer.bound, out=self._t).tanh_()
        torch.mul(self._t, self.layer.bound, out=self._diagonal)
        torch.sum(self._diagonal, 0, out=self.log_abs_det)
        self._diagonal.exp_().mul_(self.layer.sign)
        torch.tril(self._given_lower, -1, out=self._lower).fill_diagonal_(1.0)
        torch.triu(self._given_upper, 1, out=self._upper).diagonal().copy_(self._diagonal)
        torch.mm(self._permutation, self._lower, out=self._permuted_lower)
        torch.mm(self._permuted_lower, self._upper, out=self.weight)

    def pull_back(self, d_log_abs_det: float) -> None:
        torch.mm(self._permuted_lower.t(), self.d_weight, out=self._d_upper)
        torch.mm(self._permutation.t(), self.d_weight, out=self._back)
        torch.mm(self._back, self._upper.t(), out=self._d_lower)
        torch.tril(self._d_lower, -1, out=self.gradient_of(self.layer.lower))
        torch.triu(self._d_upper, 1, out=self.gradient_of(self.layer.upper))
        d_log_diagonal = torch.mul(self._d_upper.diagonal(), self._diagonal).add_(d_log_abs_det)
        torch.ops.aten.tanh_backward.grad_input(d_log_diagonal, self._t, grad_input=self._d_raw)


register(ActNorm, ScaleKernel)
register(DiagonalScale, DiagonalScaleKernel)
register(Householder, HouseholderKernel)
register(InvertibleLinear, InvertibleLinearKernel)
register(LULinear, LULinearKernel)
register(Rotation, RotationKernel)
register(Permutation, PermutationKernel)
