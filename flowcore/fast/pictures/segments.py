"""The parts of a flow that each have a fast way of their own: steps of Glow, splits, and runs of any other layers.

A kind of segment has ``takes(layers)``, how many of the first of these layers it wants, 0 for none; a new one is put on
:data:`KINDS`. ``encode`` and ``decode`` are generators that yield between layers and return the features; ``prepare`` makes what
depends on the weights alone.
"""
from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...bijections import AdditiveCoupling, AffineCoupling, Bijection, RationalQuadraticCoupling, Split
from .layers import encode_shared
from .reversible import encode_reversibly
from .run import LONGEST, GlowRun, Tape
from .step import GlowStep
from .weights import StepWeights

__all__ = ["KINDS", "GlowSteps", "Layers", "Pass", "Segment", "Splitting", "segments_of"]

QUICK_PLACES = 256
"""Products over fewer places than this are no faster in bfloat16: converting costs more than it saves (measured at one thread
with AVX-512: 16×16 in 342 µs a step instead of 399, 8×8 in 261 instead of 189)."""


@dataclass
class Pass:
    """One encoding on its way: what its segments share."""

    learning: bool
    """Whether it is to be differentiable."""
    inverting: bool
    """Whether, learning, it keeps outputs alone."""
    log_det: Tensor
    """(N,), nats: of what has been passed so far."""
    factored: list[Tensor]
    """The eps of the levels that have left."""


Encoding = Generator[None, None, Tensor]


class Segment:
    """Some layers that follow each other."""

    def __init__(self, layers: Sequence[Bijection]) -> None:
        self.layers = list(layers)

    @staticmethod
    def takes(layers: Sequence[Bijection]) -> int:
        return 0

    def prepare(self, draft: bool) -> None:
        """Make ready what passes without gradients need of the weights, before several threads look for it."""

    def encode(self, h: Tensor, on: Pass) -> Encoding:
        for layer in self.layers:
            h, term = layer.encode_through(h, on.factored)
            on.log_det = on.log_det + term
            yield
        return h

    def decode(self, h: Tensor, factored: list[Tensor], draft: bool) -> Encoding:
        for layer in reversed(self.layers):
            h = layer.decode_through(h, factored)
            yield
        return h


class Layers(Segment):
    """What no other kind takes."""

    def encode(self, h: Tensor, on: Pass) -> Encoding:
        if on.learning and not (on.inverting and any(isinstance(layer, _COUPLINGS) for layer in self.layers)):
            h, on.log_det = encode_shared(self.layers, h, on.log_det)
            yield
        elif on.learning:
            tape = Tape()
            for layer in self.layers:
                h, on.log_det = encode_reversibly(layer, h, on.log_det, tape)
                yield
        else:
            h = yield from super().encode(h, on)
        return h


_COUPLINGS = (AffineCoupling, AdditiveCoupling, RationalQuadraticCoupling)


class Splitting(Segment):
    """One split."""

    @staticmethod
    def takes(layers: Sequence[Bijection]) -> int:
        return int(isinstance(layers[0], Split))

    def encode(self, h: Tensor, on: Pass) -> Encoding:
        if not on.learning:
            return (yield from super().encode(h, on))
        split = self.layers[0]
        h, on.log_det = encode_shared(self.layers, h, on.log_det)
        h, eps = h.split((split.kept_channels, split.out_channels), 1)
        on.factored.append(eps)
        yield
        return h


class GlowSteps(Segment):
    """Steps of Glow, each run as one operation, on features (N, H, W, C)."""

    @staticmethod
    def takes(layers: Sequence[Bijection]) -> int:
        count = 0
        while GlowStep.matches(layers[count : count + 3]):
            count += 3
        return count

    def __init__(self, layers: Sequence[Bijection]) -> None:
        super().__init__(layers)
        self.steps = [GlowStep(layers[at : at + 3]) for at in range(0, len(layers), 3)]
        self.runs: list[GlowRun] = []
        for step in self.steps:
            last = self.runs[-1] if self.runs else None
            if last is not None and len(last.steps) < LONGEST and last.steps[0].like(step):
                self.runs[-1] = GlowRun([*last.steps, step])
            else:
                self.runs.append(GlowRun([step]))
        self._ready: dict[bool, tuple[tuple, list[StepWeights]]] = {}

    @torch.no_grad()
    def _weights(self, draft: bool) -> list[StepWeights]:
        """What a pass without gradients needs of every step's weights, kept until one of them changes."""
        key = tuple((p._version, p.data_ptr(), p.dtype) for step in self.steps for p in step.parameters)
        held = self._ready.get(draft)
        if held is None or held[0] != key:
            precision = torch.bfloat16 if draft else None
            with torch.inference_mode(False), torch.no_grad():  # kept beyond the call that asked for them
                held = self._ready[draft] = (key, [StepWeights.of(step, precision) for step in self.steps])
        return held[1]

    def prepare(self, draft: bool) -> None:
        self._weights(draft)

    def encode(self, h: Tensor, on: Pass) -> Encoding:
        h = h.permute(0, 2, 3, 1).contiguous()
        if on.learning:
            tape = Tape() if on.inverting else None
            for run in self.runs:
                h, on.log_det = run.encode(h, on.log_det, tape)
                yield
        else:
            for weights in self._weights(draft=False):
                h, on.log_det = weights.encode(h, on.log_det)
                yield
        return h.permute(0, 3, 1, 2)

    def decode(self, h: Tensor, factored: list[Tensor], draft: bool) -> Encoding:
        h = h.permute(0, 2, 3, 1).clone(memory_format=torch.contiguous_format)
        for weights in reversed(self._weights(draft and h.shape[:3].numel() >= QUICK_PLACES)):
            h = weights.decode(h)
            yield
        return h.permute(0, 3, 1, 2)


KINDS: list[type[Segment]] = [Splitting, GlowSteps]
"""In the order in which they are asked; what none takes goes by :class:`Layers`."""


def segments_of(layers: Sequence[Bijection]) -> list[Segment]:
    """All layers, in order, each in one segment."""
    left, found, others = list(layers), [], []
    while left:
        kind, count = next(((kind, n) for kind in KINDS if (n := kind.takes(left))), (None, 1))
        if kind is None:
            others.append(left[0])
        if others and (kind is not None or len(left) == 1):
            found.append(Layers(others))
            others = []
        if kind is not None:
            found.append(kind(left[:count]))
        del left[:count]
    return found
