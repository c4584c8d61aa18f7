"""The factorial priors of points, by hand: standard, or with a learned location and scale; Gaussian or logistic."""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...model.priors import LearnedPrior, StandardPrior
from .kernels import Context, PriorKernel, register_prior

__all__ = ["LearnedPriorKernel", "StandardPriorKernel"]


class StandardPriorKernel(PriorKernel):
    """log π(z) = Σ −½(z² + ln 2π), or Σ ln σ(z) + ln σ(−z) for the logistic."""

    layer: StandardPrior

    @classmethod
    def accepts(cls, layer: StandardPrior) -> bool:
        return len(layer.shape) == 1

    def __init__(self, layer: StandardPrior, context: Context) -> None:
        super().__init__(layer, context)
        self._result, self._square = self.own(self.n), self.own(self.dims, self.n)
        self._half = torch.full((self.dims,), -0.5, dtype=context.dtype)
        self._dz = self.own(self.dims, self.n)

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        return x

    def decode(self, z: Tensor) -> Tensor:
        return z

    def log_prob(self, z: Tensor) -> Tensor:
        self._z = z
        if self.layer.kind == "gaussian":
            torch.mul(z, z, out=self._square)
            torch.mv(self._square.t(), self._half, out=self._result)
            return self._result.sub_(0.5 * self.dims * math.log(2 * math.pi))
        # softplus(z) + softplus(−z) = z + 2 softplus(−z)
        torch.neg(z, out=self._square)
        torch.sum(F.softplus(self._square).mul_(2.0).add_(z), 0, out=self._result)
        return self._result.neg_()

    def backward(self, d_log_prob: float) -> Tensor:
        if self.layer.kind == "gaussian":
            return torch.mul(self._z, -d_log_prob, out=self._dz)
        # d ln σ(z)σ(−z) / dz = −tanh(z / 2)
        return torch.mul(self._z, 0.5, out=self._dz).tanh_().mul_(-d_log_prob)


class LearnedPriorKernel(StandardPriorKernel):
    """Further z = (h − location) · exp(−s), log-det −Σ s, s = bound · tanh(raw / bound)."""

    layer: LearnedPrior

    @classmethod
    def accepts(cls, layer: LearnedPrior) -> bool:
        return super().accepts(layer) and not layer.classes

    def __init__(self, layer: LearnedPrior, context: Context) -> None:
        super().__init__(layer, context)
        self._location, self._raw = layer.location.detach().t(), layer.raw_log_scale.detach().t()
        self._t, self._scale = self.own(self.dims, 1), self.own(self.dims, 1)
        self._whitened = self.own(self.dims, self.n)
        if self.keep:
            self._sum = self.own(self.dims, 1)
            self._d_location = self.gradient_of(layer.location).t()
            self._d_raw = self.gradient_of(layer.raw_log_scale).t()

    def prepare(self) -> None:
        torch.mul(self._raw, 1.0 / self.layer.bound, out=self._t).tanh_()
        torch.mul(self._t, self.layer.bound, out=self._scale).exp_()

    def encode(self, x: Tensor, log_det: Tensor) -> Tensor:
        log_det.sub_(self._t.sum(), alpha=self.layer.bound)
        return torch.sub(x, self._location, out=self._whitened).div_(self._scale)

    def decode(self, z: Tensor) -> Tensor:
        return torch.mul(z, self._scale, out=self._whitened).add_(self._location)

    def backward(self, d_log_prob: float) -> Tensor:
        dz = super().backward(d_log_prob)
        # ∂z/∂s = −z; ∂log_det/∂s = −1 for each of the n points.
        torch.sum(torch.mul(dz, self._whitened, out=self._square), 1, keepdim=True, out=self._sum)
        self._sum.add_(d_log_prob * self.n).neg_()
        torch.ops.aten.tanh_backward.grad_input(self._sum, self._t, grad_input=self._d_raw)
        dh = dz.div_(self._scale)
        torch.sum(dh, 1, keepdim=True, out=self._d_location).neg_()
        return dh


register_prior(StandardPrior, StandardPriorKernel)
register_prior(LearnedPrior, LearnedPriorKernel)
