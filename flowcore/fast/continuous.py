"""A continuous flow of the plane without autograd: its field on columns, in memory made beforehand.

The same numbers as :class:`~flowcore.continuous.ContinuousFlow`, to rounding, where it is asked for as many steps; with fewer
it is a draft, for pictures that move. Points are passed on in pieces that stay in the processor's cache.
"""
from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ..continuous import TIME_GAIN, ContinuousFlow, matching_targets
from ..flow import Step
from .flat import FlatParameters
from .points_kernels import Context
from .points_network import MLPKernel

__all__ = ["PIECE", "ContinuousPasses", "MatchingLearner"]

PIECE = 1024
"""Points followed together."""
_KEPT = 8


class _Field:
    """The velocity field bound to ``n`` points: every tensor that it writes is made here."""

    def __init__(self, flow: ContinuousFlow, n: int) -> None:
        first, second = flow.field.hidden
        own = lambda *shape: torch.zeros(shape, dtype=flow.dtype)  # noqa: E731
        width = first.out_features
        self.flow, self.width = flow, width
        self._weights = [layer.weight.detach() for layer in (first, second, flow.field.last)]
        self._biases = [layer.bias.detach()[:, None] for layer in (first, second, flow.field.last)]
        self._across, self._clock = self._weights[0][:, :2], self._weights[0][:, 2:]
        self._shift = own(width, 1)
        self._a, self._b, self._c, self._one = own(width, n), own(width, n), own(width, n), torch.ones((), dtype=flow.dtype)
        self._ones = torch.ones(width, dtype=flow.dtype)
        self._trace = own(width, width)
        self.x, self.log_det = own(2, n), own(n)
        self._probe, self._v, self._sum = own(2, n), own(2, n), own(2, n)
        self._d, self._d_sum = own(n), own(n)
        self._version = -1

    def prepare(self, version: int) -> None:
        """Follow the parameters, if they changed."""
        if version != self._version:
            self._version = version
            self._trace.copy_(self.flow.field.trace_matrix())

    def _velocity(self, x: Tensor, t: float, divergence: bool) -> None:
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

    def follow(self, start: float, stop: float, steps: int, divergence: bool) -> None:
        """Take ``x`` (2, n) from one time to the other; with ``divergence``, add ∫ div v dt to ``log_det``."""
        dt = (stop - start) / steps
        x, probe, v = self.x, self._probe, self._v
        for number in range(steps):
            t = start + number * dt
            self._velocity(x, t, divergence)
            self._sum.copy_(v)
            if divergence:
                self._d_sum.copy_(self._d)
            for part, weight in ((0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
                torch.add(x, v, alpha=part * dt, out=probe)
                self._velocity(probe, t + part * dt, divergence)
                self._sum.add_(v, alpha=weight)
                if divergence:
                    self._d_sum.add_(self._d, alpha=weight)
            x.add_(self._sum, alpha=dt / 6)
            if divergence:
                self.log_det.add_(self._d_sum, alpha=dt / 6)


class ContinuousPasses:
    """The passes of ``flow`` in ``steps`` Runge-Kutta steps from data to noise, whatever its number of stages; CPU.

    It holds no weights: those of the module are used as they are at each call. Stage by stage (:meth:`decode_steps`) each has
    a whole number of steps, at least one.
    """

    def __init__(self, flow: ContinuousFlow, flat: FlatParameters, steps: int) -> None:
        self.flow, self.flat, self.steps = flow, flat, steps
        self._fields: dict[int, _Field] = {}

    def _field(self, n: int) -> _Field:
        if n not in self._fields:
            while len(self._fields) >= _KEPT:
                del self._fields[next(iter(self._fields))]
            with torch.inference_mode(False), torch.no_grad():
                self._fields[n] = _Field(self.flow, n)
        field = self._fields[n]
        field.prepare(self.flat.values._version)
        return field

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, 2) -> z (N, 2), log_det (N,) in nats; raises as :meth:`Flow.encode` does."""
        return self._encode(x, True)

    def encode_points(self, x: Tensor) -> Tensor:
        """z alone, in a little more than half the time."""
        return self._encode(x, False)[0]

    @torch.no_grad()
    def _encode(self, x: Tensor, divergence: bool) -> tuple[Tensor, Tensor]:
        self.flow._check_event(x)
        self.flat.check()
        z, log_det = torch.empty_like(x), x.new_empty(len(x))
        for start in range(0, len(x), PIECE):
            piece = x[start : start + PIECE]
            field = self._field(len(piece))
            field.x.copy_(piece.t())
            field.log_det.zero_()
            field.follow(1.0, 0.0, self.steps, divergence)
            z[start : start + PIECE] = field.x.t()
            log_det[start : start + PIECE] = field.log_det
        if not (torch.isfinite(z).all() and torch.isfinite(log_det).all()):
            self.flow.encode(x)  # says which stage it was
        return z, log_det

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) (N,) in nats of x (N, 2)."""
        z, log_det = self.encode(x)
        return self.flow.base_log_prob(z) + log_det

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """z (N, 2) -> x (N, 2); raises as :meth:`Flow.decode` does."""
        self._check_decodable(z)
        x = torch.empty_like(z)
        for start in range(0, len(z), PIECE):
            piece = z[start : start + PIECE]
            field = self._field(len(piece))
            field.x.copy_(piece.t())
            field.follow(0.0, 1.0, self.steps, False)
            x[start : start + PIECE] = field.x.t()
        if not torch.isfinite(x).all():
            self.flow.decode(z)
        return x

    @torch.no_grad()
    def decode_steps(self, z: Tensor) -> Iterator[Step]:
        """The states that :meth:`Flow.decode_steps` yields: after the prior and after every stage, (N, 2) each."""
        self._check_decodable(z)
        field = self._field(len(z))
        field.x.copy_(z.t())
        yield Step("prior", z, None)
        stages = list(self.flow.named_layers())
        steps = math.ceil(self.steps / len(stages))
        for name, stage in reversed(stages):
            field.follow(stage.stop, stage.start, steps, False)
            yield Step(name, field.x.t().contiguous(), None)

    def _check_decodable(self, z: Tensor) -> None:
        self.flat.check()
        if not self.flow.initialised or z.dim() != 2 or z.shape[1] != 2:
            self.flow.decode(z)  # says what is wrong


class MatchingLearner:
    """The loss of flow matching and its gradient by hand: the delta rule through the field's network, nothing integrated."""

    def __init__(self, flow: ContinuousFlow, flat: FlatParameters) -> None:
        self.flow, self.flat = flow, flat
        self._bound: tuple[int, MLPKernel, Tensor, Tensor] | None = None

    @torch.no_grad()
    def loss_and_gradients(self, x: Tensor, noise: Tensor, t: Tensor) -> float:
        """The loss of :meth:`ContinuousFlow.matching_loss`; its gradient is left in ``flat.gradient``."""
        self.flat.check()
        n = len(x)
        if self._bound is None or self._bound[0] != n:
            context = Context(3, n, x.dtype, True, self.flat.gradient_of)
            self._bound = n, MLPKernel(self.flow.field, context), context.own(3, n), context.own(3, n)
        _, network, inputs, d_inputs = self._bound
        place, wanted = matching_targets(x, noise, t)
        inputs[:2].copy_(place.t())
        torch.sub(t.t(), 0.5, out=inputs[2:]).mul_(TIME_GAIN)
        gap = network.forward(inputs).sub_(wanted.t())
        loss = float(gap.square().sum()) / n
        network.backward(gap.mul_(2.0 / n), d_inputs.zero_())
        return loss
