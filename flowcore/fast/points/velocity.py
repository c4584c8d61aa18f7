"""Velocity fields of the plane without autograd, bound to a number of points: to follow them, and to learn from them.

Points lie as columns, and every tensor that is written is made beforehand.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...modules import bias_of
from ...plane.velocity import TIME_GAIN, PlainField, VelocityField, WaveField, drift, late_clock
from .kernels import Context
from .network import MLPKernel

__all__ = ["BoundField", "FieldLearner", "bind", "learner"]


class BoundField:
    """A velocity field bound to ``n`` points: every tensor that it writes is made here."""

    drift = staticmethod(lambda t: 0.0)
    _trace: Tensor

    def __init__(self, field: VelocityField, n: int, dtype: torch.dtype) -> None:
        self._field, self._dtype = field, dtype
        own = self._own
        self.x, self.log_det = own(2, n), own(n)
        self._probe, self._v, self._sum = own(2, n), own(2, n), own(2, n)
        self._d, self._d_sum = own(n), own(n)
        self._one = torch.ones((), dtype=dtype)
        self._version = -1

    def _own(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=self._dtype)

    def prepare(self, version: int) -> None:
        """Follow the parameters, if they changed."""
        if version != self._version:
            self._version = version
            self._trace.copy_(self._field.trace_matrix())

    def _network(self, x: Tensor, t: float, divergence: bool) -> None:
        """What the network says goes to ``_v``, and its divergence to ``_d``."""
        raise TypeError(f"{type(self).__name__} does not define _network")

    def _velocity(self, x: Tensor, t: float, divergence: bool) -> float:
        """v goes to ``_v``, and div v, but for the same number for all points, which is returned, to ``_d``."""
        self._network(x, t, divergence)
        rate = self.drift(t)
        if rate:
            self._v.add_(x, alpha=rate)
        return 2.0 * rate

    def follow(self, start: float, stop: float, steps: int, divergence: bool) -> None:
        """Take ``x`` (2, n) from one time to the other; with ``divergence``, add ∫ div v dt to ``log_det``."""
        dt = (stop - start) / steps
        x, probe, v, rates = self.x, self._probe, self._v, 0.0
        for number in range(steps):
            t = start + number * dt
            rates += self._velocity(x, t, divergence)
            self._sum.copy_(v)
            if divergence:
                self._d_sum.copy_(self._d)
            for part, weight in ((0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
                torch.add(x, v, alpha=part * dt, out=probe)
                rates += weight * self._velocity(probe, t + part * dt, divergence)
                self._sum.add_(v, alpha=weight)
                if divergence:
                    self._d_sum.add_(self._d, alpha=weight)
            x.add_(self._sum, alpha=dt / 6)
            if divergence:
                self.log_det.add_(self._d_sum, alpha=dt / 6)
        if divergence:
            self.log_det.add_(rates * dt / 6)


class _Plain(BoundField):
    """:class:`~flowcore.plane.velocity.PlainField`."""

    def __init__(self, field: PlainField, n: int, dtype: torch.dtype) -> None:
        super().__init__(field, n, dtype)
        layers = (*field.hidden, field.last)
        width = layers[0].out_features
        self._weights = [layer.weight.detach() for layer in layers]
        self._biases = [bias_of(layer).detach()[:, None] for layer in layers]
        self._across, self._clock = self._weights[0][:, :2], self._weights[0][:, 2:]
        self._shift, self._trace = self._own(width, 1), self._own(width, width)
        self._a, self._b, self._c = self._own(width, n), self._own(width, n), self._own(width, n)
        self._ones = torch.ones(width, dtype=dtype)

    def _network(self, x: Tensor, t: float, divergence: bool) -> None:
        torch.add(self._biases[0], self._clock, alpha=TIME_GAIN * (t - 0.5), out=self._shift)
        a, b, c = self._a, self._b, self._c
        torch.addmm(self._shift, self._across, x, out=a)
        if not divergence:
            F.silu(a, inplace=True)
            torch.addmm(self._biases[1], self._weights[1], a, out=b)
            F.silu(b, inplace=True)
            torch.addmm(self._biases[2], self._weights[2], b, out=self._v)
            return
        torch.sigmoid(a, out=c)
        a.mul_(c)
        torch.addmm(self._biases[1], self._weights[1], a, out=b)
        torch.lerp(a, self._one, c, out=a)
        torch.mm(self._trace, a, out=c)
        torch.sigmoid(b, out=a)
        b.mul_(a)
        torch.addmm(self._biases[2], self._weights[2], b, out=self._v)
        torch.lerp(b, self._one, a, out=b)
        torch.mv(b.mul_(c).t(), self._ones, out=self._d)


class _Waves(BoundField):
    """:class:`~flowcore.plane.velocity.WaveField`."""

    drift = staticmethod(drift)

    def __init__(self, field: WaveField, n: int, dtype: torch.dtype) -> None:
        super().__init__(field, n, dtype)
        layers = (field.waves, field.hidden[0], field.last)
        count, width = layers[0].out_features, layers[1].out_features
        self._weights = [layer.weight.detach() for layer in layers]
        self._biases = [bias_of(layer).detach()[:, None] for layer in layers]
        self._across, self._clock = self._weights[0][:, :2], self._weights[0][:, 2:]
        self._shift, self._trace = self._own(count, 1), self._own(width, 2 * count)
        features = self._own(2 * count, n)
        self._features, self._sines, self._cosines = features, features[:count], features[count:]
        self._b, self._c, self._gate = self._own(width, n), self._own(width, n), self._own(width, n)
        self._ones = torch.ones(width, dtype=dtype)

    def _network(self, x: Tensor, t: float, divergence: bool) -> None:
        torch.add(self._biases[0], self._clock, alpha=late_clock(t), out=self._shift)
        b, c, sines, cosines = self._b, self._c, self._sines, self._cosines
        torch.addmm(self._shift, self._across, x, out=cosines)
        torch.sin(cosines, out=sines)
        cosines.cos_()
        torch.addmm(self._biases[1], self._weights[1], self._features, out=b)
        if not divergence:
            F.silu(b, inplace=True)
            torch.addmm(self._biases[2], self._weights[2], b, out=self._v)
            return
        torch.mm(self._trace, self._features, out=c)
        gate = torch.sigmoid(b, out=self._gate)
        b.mul_(gate)
        torch.addmm(self._biases[2], self._weights[2], b, out=self._v)
        torch.lerp(b, self._one, gate, out=b)
        torch.mv(b.mul_(c).t(), self._ones, out=self._d)


def bind(field: VelocityField, n: int, dtype: torch.dtype) -> BoundField:
    """The field, bound to ``n`` points."""
    if type(field) is PlainField:
        return _Plain(field, n, dtype)
    if type(field) is WaveField:
        return _Waves(field, n, dtype)
    raise _unknown(field)


class FieldLearner:
    """A field on the points of a training step: v at places (2, n) and times (1, n), and its gradient by the parameters."""

    def forward(self, place: Tensor, t: Tensor) -> Tensor:
        """v (2, n), which the caller may change."""
        raise TypeError(f"{type(self).__name__} does not define forward")

    def backward(self, d_v: Tensor) -> None:
        """Write the gradient of every parameter, given that by v."""
        raise TypeError(f"{type(self).__name__} does not define backward")


class _PlainLearner(FieldLearner):
    def __init__(self, field: PlainField, context: Context) -> None:
        self._network = MLPKernel(field, context)
        self._inputs, self._d_inputs = context.own(3, context.n), context.own(3, context.n)

    def forward(self, place: Tensor, t: Tensor) -> Tensor:
        self._inputs[:2].copy_(place)
        torch.sub(t, 0.5, out=self._inputs[2:]).mul_(TIME_GAIN)
        return self._network.forward(self._inputs)

    def backward(self, d_v: Tensor) -> None:
        self._network.backward(d_v, self._d_inputs.zero_())


class _WaveLearner(FieldLearner):
    def __init__(self, field: WaveField, context: Context) -> None:
        count, n = field.waves.out_features, context.n
        self._network = MLPKernel(field, context)  # of the layers above the waves
        weight, bias = field.waves.weight, bias_of(field.waves)
        self._weight, self._bias = weight.detach(), bias.detach()[:, None]
        self._d_weight, self._d_bias = context.gradient_of(weight), context.gradient_of(bias)
        self._inputs, self._features, self._d_features = context.own(3, n), context.own(2 * count, n), context.own(2 * count, n)
        self._sines, self._cosines = self._features.chunk(2)
        self._d_sines, self._d_cosines = self._d_features.chunk(2)
        self._ones = torch.ones(n, dtype=context.dtype)

    def forward(self, place: Tensor, t: Tensor) -> Tensor:
        self._inputs[:2].copy_(place)
        self._inputs[2:].copy_(late_clock(t))
        torch.addmm(self._bias, self._weight, self._inputs, out=self._cosines)
        torch.sin(self._cosines, out=self._sines)
        self._cosines.cos_()
        return self._network.forward(self._features).addcmul_(place, drift(t))

    def backward(self, d_v: Tensor) -> None:
        self._network.backward(d_v, self._d_features.zero_())
        d_phases = self._d_sines.mul_(self._cosines).addcmul_(self._d_cosines, self._sines, value=-1.0)
        torch.mm(d_phases, self._inputs.t(), out=self._d_weight)
        torch.mv(d_phases, self._ones, out=self._d_bias)


def learner(field: VelocityField, context: Context) -> FieldLearner:
    """The field on the points of a context."""
    if type(field) is PlainField:
        return _PlainLearner(field, context)
    if type(field) is WaveField:
        return _WaveLearner(field, context)
    raise _unknown(field)


def _unknown(field: VelocityField) -> TypeError:
    return TypeError(f"There is no fast path of a {type(field).__name__}; add it to this file.")
