"""A flow, faster: the same numbers as the layers give one by one, in fewer passes over memory."""
from __future__ import annotations

from collections.abc import Callable, Generator
from itertools import groupby
from typing import Literal

import torch
from torch import Tensor

from ...bijections import AdditiveCoupling, AffineCoupling, Bijection, RationalQuadraticCoupling, Split
from ...errors import ConfigError, NonFiniteError
from ...model.flow import Flow
from ...work import finish
from ..threads import in_threads, shares
from .layers import encode_shared
from .reversible import encode_reversibly
from .run import LONGEST, GlowRun, Tape
from .step import GlowStep
from .weights import StepWeights

__all__ = ["FastFlow", "accelerate"]

Memory = Literal["store", "invert"]

QUICK_PLACES = 256
"""Products over fewer places than this are no faster in bfloat16: converting costs more than it saves (measured at one thread
with AVX-512: 16×16 in 342 µs a step instead of 399, 8×8 in 261 instead of 189)."""


def accelerate(flow: Flow) -> FastFlow:
    """The fast path of a flow, made once and kept with it."""
    found = flow.__dict__.get("_fast")
    if found is None or found.flow is not flow:
        found = flow.__dict__["_fast"] = FastFlow(flow)
    return found


class FastFlow:
    """Encodes, decodes and scores as ``flow`` does, which stays the definition and owns every weight.

    Steps of Glow are run as one operation each; every other layer runs as it is. With gradients enabled,
    :meth:`encode` and :meth:`log_prob` are differentiable in the flow's parameters. ``memory`` says what a training step
    keeps for its backward pass: "store" the activations, or "invert" the outputs of each level alone, computing the rest
    again from them: memory then does not grow with depth, and a step takes about a third longer.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._memory: Memory = "store"
        self._segments = _segments(flow)
        self._steps = [step for segment in self._segments if isinstance(segment, list) for unit in segment
                       if isinstance(unit, GlowRun) for step in unit.steps]
        self._ready: dict[bool, tuple[tuple, dict[int, StepWeights]]] = {}

    def __deepcopy__(self, memo: dict) -> None:
        """A copy of the flow makes its own when it is needed: what is ready here is of other weights."""

    @property
    def memory(self) -> Memory:
        """What a training step keeps: "store" or "invert"."""
        return self._memory

    @memory.setter
    def memory(self, value: Memory) -> None:
        if value not in ("store", "invert"):
            raise ConfigError(f"Training keeps its activations ('store') or computes them again ('invert'), not {value!r}.")
        self._memory = value

    # -- the verbs ----------------------------------------------------------------------------------------------

    def encode(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (N, *event_shape) -> z (N, D), log_det (N,) in nats; see :meth:`flowcore.model.flow.Flow.encode`."""
        if torch.is_grad_enabled():
            z, log_det = finish(self.encode_steps(x, label))
        else:
            self._weights(draft=False)  # made once, before the threads look for them
            z, log_det = self._shared(self.encode_steps, x, label)
        if not self.flow.training and not (torch.isfinite(log_det).all() and torch.isfinite(z).all()):
            self.flow.encode(x, label)
            raise NonFiniteError("While encoding, a value was not finite.")
        return z, log_det

    def decode(self, z: Tensor, label: Tensor | None = None, draft: bool = False) -> Tensor:
        """z (N, D) -> x (N, *event_shape), without gradients; see :meth:`flowcore.model.flow.Flow.decode`.

        A ``draft`` lets the networks compute in bfloat16: off by a third of a grey level or so, for the eye while a
        slider moves and never to be saved.
        """
        with torch.no_grad():
            self._weights(draft)
            (x,) = self._shared(lambda *given: _tupled(self.decode_steps(*given, draft)), z, label)
        if not self.flow.training and not torch.isfinite(x).all():
            if not draft:
                self.flow.decode(z, label)
            raise NonFiniteError("While decoding, a value was not finite.")
        return x

    def log_prob(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """log p(x) (N,) in nats; of pictures, the density over pixel units."""
        z, log_det = self.encode(x, label)
        return self.flow.base_log_prob(z) + log_det

    def _shared(self, steps: Callable, values: Tensor, label: Tensor | None) -> tuple[Tensor, ...]:
        """What ``steps`` returns for the batch, each thread taking its share through all layers."""
        parts = shares(values)

        def work(number: int) -> tuple[Tensor, ...]:
            part = parts[number]
            return finish(steps(values[part], None if label is None else label[part]))

        done = in_threads(work, len(parts))
        return done[0] if len(done) == 1 else tuple(torch.cat(pieces) for pieces in zip(*done, strict=True))

    # -- a layer at a time --------------------------------------------------------------------------------------

    def encode_steps(self, x: Tensor, label: Tensor | None = None) -> Generator[None, None, tuple[Tensor, Tensor]]:
        """:meth:`encode`, yielding between layers so that other work can go there; returns ``(z, log_det)``."""
        flow = self.flow
        flow.check_event(x)
        learning = torch.is_grad_enabled() and any(p.requires_grad for p in flow.parameters())
        if learning:
            flow.expect_learning()
        ready = {} if learning else self._weights(draft=False)
        log_det = x.new_zeros(x.shape[0])
        h, parts = x, []
        for segment in self._segments:
            if isinstance(segment, Split):
                if learning:
                    h, log_det = encode_shared([segment], h, log_det)
                    h, eps = h.split((segment.kept_channels, segment.out_channels), 1)
                else:
                    h, eps, term = segment.factor_out(h)
                    log_det = log_det + term
                parts.append(eps.flatten(1))
                yield
            elif isinstance(segment[0], GlowRun):
                h = h.permute(0, 2, 3, 1).contiguous()
                tape = Tape() if self._memory == "invert" else None
                for run in segment:
                    if learning:
                        h, log_det = run.encode(h, log_det, tape)
                        yield
                    else:
                        for step in run.steps:
                            h, log_det = ready[id(step)].encode(h, log_det)
                            yield
                h = h.permute(0, 3, 1, 2)
            else:
                inverting = learning and self._memory == "invert" and _has_coupling(segment)
                tape = Tape() if inverting else None
                if learning and not inverting:
                    h, log_det = encode_shared(segment, h, log_det)
                    yield
                    continue
                for layer in segment:
                    if tape is not None:
                        h, log_det = encode_reversibly(layer, h, log_det, tape)
                    else:
                        h, term = layer.encode(h)
                        log_det = log_det + term
                    yield
        z, term = flow.prior.whiten(h, label)
        parts.append(z.flatten(1))
        return (torch.cat(parts, 1) if len(parts) > 1 else parts[0]), log_det + term

    @torch.no_grad()
    def _weights(self, draft: bool) -> dict[int, StepWeights]:
        """What decoding needs of every step's weights, kept until one of them changes."""
        key = tuple((p._version, p.data_ptr(), p.dtype) for step in self._steps for p in step.parameters)
        held = self._ready.get(draft)
        if held is None or held[0] != key:
            precision = torch.bfloat16 if draft else None
            with torch.inference_mode(False), torch.no_grad():  # kept beyond the call that asked for them
                held = (key, {id(step): StepWeights.of(step, precision) for step in self._steps})
            self._ready[draft] = held
        return held[1]

    def decode_steps(
        self, z: Tensor, label: Tensor | None = None, draft: bool = False
    ) -> Generator[None, None, Tensor]:
        """:meth:`decode`, yielding between layers; returns x. Gradients are for :meth:`Flow.decode`."""
        flow = self.flow
        flow.check_decodable(z)
        ready = self._weights(False)
        quick = self._weights(True) if draft else ready
        parts = [z[:, level.start : level.stop].reshape(-1, *level.shape) for level in flow.levels]
        h = flow.prior.unwhiten(parts.pop(), label)
        yield
        for segment in reversed(self._segments):
            if isinstance(segment, Split):
                h = segment.join(h, parts.pop())
                yield
            elif isinstance(segment[0], GlowRun):
                h = h.permute(0, 2, 3, 1).clone(memory_format=torch.contiguous_format)
                weights = quick if h.shape[0] * h.shape[1] * h.shape[2] >= QUICK_PLACES else ready
                for step in reversed([step for run in segment for step in run.steps]):
                    h = weights[id(step)].decode(h)
                    yield
                h = h.permute(0, 3, 1, 2)
            else:
                for layer in reversed(segment):
                    h = layer.decode(h)
                    yield
        return h


def _tupled(steps: Generator) -> Generator:
    return ((yield from steps),)


Segment = Split | list[GlowRun] | list[Bijection]


def _segments(flow: Flow) -> list[Segment]:
    """The layers in runs: splits alone, steps of Glow together, other layers together."""
    units: list[Bijection | GlowRun] = []
    layers = list(flow.layers)
    while layers:
        if GlowStep.matches(layers[:3]):
            step = GlowStep(*layers[:3])
            del layers[:3]
            last = units[-1] if units else None
            if isinstance(last, GlowRun) and len(last.steps) < LONGEST and last.steps[0].like(step):
                units[-1] = GlowRun([*last.steps, step])
            else:
                units.append(GlowRun([step]))
        else:
            units.append(layers.pop(0))
    segments: list[Segment] = []
    for kind, members in groupby(units, _kind):
        run = list(members)
        segments += run if kind == "split" else [run]
    return segments


def _kind(unit: Bijection | GlowRun) -> str:
    return "split" if isinstance(unit, Split) else "steps" if isinstance(unit, GlowRun) else "layers"


def _has_coupling(layers: list[Bijection]) -> bool:
    return any(isinstance(layer, AffineCoupling | AdditiveCoupling | RationalQuadraticCoupling) for layer in layers)
