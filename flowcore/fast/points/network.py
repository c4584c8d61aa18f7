"""The coupling networks of points, their backward by hand: the delta rule layer by layer, on columns."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...model.networks import MLP
from ...modules import bias_of
from .kernels import Context

__all__ = ["MLPKernel", "Perceptron"]

_FEW = 3
"""Up to how many columns a product of a column and a row, summed, is quicker than a matrix product."""


class Perceptron(Protocol):
    """Linear layers one after another: an :class:`~flowcore.model.networks.MLP`, or what has such layers among others."""

    @property
    def hidden(self) -> Sequence[nn.Linear]: ...

    @property
    def last(self) -> nn.Linear: ...

    @property
    def activation(self) -> Callable[[Tensor], Tensor]: ...


class MLPKernel:
    """An :class:`~flowcore.model.networks.MLP` bound to a pass: ``forward(x)`` (in, N) -> (out, N), ``backward(d_out, d_x)``.

    ``d_x`` (in, N) is *added* to; the parameters' gradients are written. The result of ``forward`` is always the tensor
    ``out``, which the caller may change.
    """

    def __init__(self, network: Perceptron, context: Context) -> None:
        layers = [*network.hidden, network.last]
        self._weights = [layer.weight.detach() for layer in layers]
        self._biases = [bias_of(layer).detach()[:, None] for layer in layers]
        self._across = [weight.t() for weight in self._weights]
        self._columns = [across.split(1, 1) for across in self._across]
        self._x: Tensor | None = None
        widths = [layer.out_features for layer in network.hidden]
        activate = {F.silu: _Silu, F.relu: _Relu, torch.tanh: _Tanh}[network.activation]
        self._pairs = [activate(i, width, context) for i, width in enumerate(widths)]
        self.out = context.scratch("network out", layers[-1].out_features, context.n)
        if context.keep:
            self._weight_gradients = [context.gradient_of(layer.weight) for layer in layers]
            self._bias_gradients = [context.gradient_of(bias_of(layer)) for layer in layers]
            self._ones = torch.ones(context.n, dtype=context.dtype)
            self._down = [context.passing(f"network down {i % 2}", width, context.n) for i, width in enumerate(widths)]

    @staticmethod
    def accepts(network: object) -> bool:
        return type(network) is MLP and not network.reduced

    def forward(self, x: Tensor) -> Tensor:
        if x is not self._x:  # a pass moves through the same tensors every time
            self._x = x
            self._across_inputs = [x.t(), *(pair.result.t() for pair in self._pairs)]
        for pair, weight, bias in zip(self._pairs, self._weights, self._biases, strict=False):
            if x.shape[0] == 1:
                torch.mul(weight, x, out=pair.sums).add_(bias)
            else:
                torch.addmm(bias, weight, x, out=pair.sums)
            pair.activate()
            x = pair.result
        return torch.addmm(self._biases[-1], self._weights[-1], x, out=self.out)

    def backward(self, d_out: Tensor, d_x: Tensor) -> None:
        below = d_out
        for i in range(len(self._pairs), -1, -1):
            torch.mm(below, self._across_inputs[i], out=self._weight_gradients[i])
            torch.mv(below, self._ones, out=self._bias_gradients[i])
            if i == 0:
                d_x.addmm_(self._across[0], below)
                return
            above, below = below, self._down[i - 1]
            if len(above) <= _FEW:
                columns = self._columns[i]
                torch.mul(columns[0], above[:1], out=below)
                for row in range(1, len(above)):
                    below.addcmul_(columns[row], above[row : row + 1])
            else:
                torch.mm(self._across[i], above, out=below)
            self._pairs[i - 1].times_slope(below)


class _Activation:
    """One hidden layer's ``sums`` and the ``result`` of the activation; with ``keep`` what its slope needs is kept, too."""

    def __init__(self, number: int, width: int, context: Context) -> None:
        self.sums = context.scratch(f"sums {number}", width, context.n)
        self.result = context.scratch(f"result {number}", width, context.n) if context.keep else self.sums


class _Silu(_Activation):
    """a·σ(a), in the place of a, with slope σ + aσ·(1 − σ) = lerp(aσ, 1, σ): one exponential for both passes."""

    def __init__(self, number: int, width: int, context: Context) -> None:
        super().__init__(number, width, context)
        self._slope, self.result = self.result, self.sums
        self._keep = context.keep
        self._one = torch.ones((), dtype=context.dtype)

    def activate(self) -> None:
        if not self._keep:
            F.silu(self.sums, inplace=True)
            return
        torch.sigmoid(self.sums, out=self._slope)
        self.sums.mul_(self._slope)
        torch.lerp(self.sums, self._one, self._slope, out=self._slope)

    def times_slope(self, gradient: Tensor) -> None:
        gradient.mul_(self._slope)


class _Relu(_Activation):
    def activate(self) -> None:
        torch.clamp_min(self.sums, 0.0, out=self.result)

    def times_slope(self, gradient: Tensor) -> None:
        torch.ops.aten.threshold_backward.grad_input(gradient, self.result, 0.0, grad_input=gradient)


class _Tanh(_Activation):
    def activate(self) -> None:
        torch.tanh(self.sums, out=self.result)

    def times_slope(self, gradient: Tensor) -> None:
        torch.ops.aten.tanh_backward.grad_input(gradient, self.result, grad_input=gradient)
