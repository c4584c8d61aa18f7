"""A continuous flow of the plane without autograd: its passes and its training step, on columns.

The same numbers as :class:`~flowcore.plane.continuous.ContinuousFlow`, to rounding, where it is asked for as many steps; with
fewer it is a draft, for pictures that move. Points are passed on in pieces that stay in the processor's cache.
"""
from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ...model.flow import Step
from ...plane.continuous import ContinuousFlow, matching_targets
from .flat import FlatParameters
from .kernels import Context
from .velocity import BoundField, FieldLearner, bind, learner

__all__ = ["PIECE", "ContinuousPasses", "MatchingLearner"]

PIECE = 512
"""Points followed together."""
_KEPT = 8


class ContinuousPasses:
    """The passes of ``flow`` in ``steps`` Runge-Kutta steps from data to noise, whatever its number of stages; CPU.

    It holds no weights: those of the module are used as they are at each call. Stage by stage (:meth:`decode_steps`) each has
    a whole number of steps, at least one.
    """

    def __init__(self, flow: ContinuousFlow, flat: FlatParameters, steps: int) -> None:
        self.flow, self.flat, self.steps = flow, flat, steps
        self._bound: dict[int, BoundField] = {}

    def _field(self, n: int) -> BoundField:
        if n not in self._bound:
            while len(self._bound) >= _KEPT:
                del self._bound[next(iter(self._bound))]
            with torch.inference_mode(False), torch.no_grad():
                self._bound[n] = bind(self.flow.field, n, self.flow.dtype)
        field = self._bound[n]
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
        self.flow.check_event(x)
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
        self.flow.check_decodable(z)
        self.flat.check()
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
        self.flow.check_decodable(z)
        self.flat.check()
        field = self._field(len(z))
        field.x.copy_(z.t())
        yield Step("prior", z, None)
        names = [name for name, _ in self.flow.named_layers()]
        steps = math.ceil(self.steps / len(names))
        for name, stage in zip(reversed(names), reversed(self.flow.layers), strict=True):
            field.follow(stage.stop, stage.start, steps, False)
            yield Step(name, field.x.t().contiguous(), None)


class MatchingLearner:
    """The loss of flow matching and its gradient by hand: the delta rule through the field's network, nothing integrated."""

    def __init__(self, flow: ContinuousFlow, flat: FlatParameters) -> None:
        self.flow, self.flat = flow, flat
        self._bound: tuple[int, FieldLearner] | None = None

    @torch.no_grad()
    def loss_and_gradients(self, x: Tensor, noise: Tensor, t: Tensor) -> float:
        """The loss of :meth:`ContinuousFlow.matching_loss`; its gradient is left in ``flat.gradient``."""
        self.flat.check()
        self.flow.expect_learning()
        n = len(x)
        if self._bound is None or self._bound[0] != n:
            self._bound = n, learner(self.flow.field, Context(3, n, x.dtype, True, self.flat.gradient_of))
        network = self._bound[1]
        place, wanted = matching_targets(x, noise, t)
        gap = network.forward(place.t(), t.t()).sub_(wanted.t())
        loss = float(gap.square().sum()) / n
        network.backward(gap.mul_(2.0 / n))
        return loss
