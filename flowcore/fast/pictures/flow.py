"""A flow, faster: the same numbers as the layers give one by one, in fewer passes over memory."""
from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Literal

import torch
from torch import Tensor

from ...errors import ConfigError, NonFiniteError
from ...model.flow import Flow
from ...work import finish
from ..threads import in_threads, shares
from .segments import Pass, segments_of

__all__ = ["FastFlow", "accelerate"]

Memory = Literal["store", "invert"]


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
        self.segments = segments_of(flow.layers)

    def __deepcopy__(self, memo: dict) -> None:
        """A copy of the flow makes its own when it is needed: what is ready here is of other weights."""

    @property
    def memory(self) -> Memory:
        """What a training step keeps: "store" or "invert"."""
        return self._memory

    @memory.setter
    def memory(self, value: str) -> None:
        if value not in ("store", "invert"):
            raise ConfigError(f"Training keeps its activations ('store') or computes them again ('invert'), not {value!r}.")
        self._memory = value

    # -- the verbs ----------------------------------------------------------------------------------------------

    def encode(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (N, *event_shape) -> z (N, D), log_det (N,) in nats; see :meth:`flowcore.model.flow.Flow.encode`."""
        if torch.is_grad_enabled():
            z, log_det = finish(self.encode_steps(x, label))
        else:
            self._prepare(draft=False)
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
            self._prepare(draft)
            (x,) = self._shared(lambda z, label: _tupled(self.decode_steps(z, label, draft)), z, label)
        if not self.flow.training and not torch.isfinite(x).all():
            if not draft:
                self.flow.decode(z, label)
            raise NonFiniteError("While decoding, a value was not finite.")
        return x

    def log_prob(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """log p(x) (N,) in nats; of pictures, the density over pixel units."""
        z, log_det = self.encode(x, label)
        return self.flow.base_log_prob(z) + log_det

    def _prepare(self, draft: bool) -> None:
        for segment in self.segments:
            segment.prepare(draft)

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
        on = Pass(learning, self._memory == "invert", x.new_zeros(x.shape[0]), [])
        h = x
        for segment in self.segments:
            h = yield from segment.encode(h, on)
        z, term = flow.prior.whiten(h, label)
        return flow.gather([*on.factored, z]), on.log_det + term

    def decode_steps(
        self, z: Tensor, label: Tensor | None = None, draft: bool = False
    ) -> Generator[None, None, Tensor]:
        """:meth:`decode`, yielding between layers; returns x. Gradients are for :meth:`Flow.decode`."""
        flow = self.flow
        flow.check_decodable(z)
        *factored, top = flow.parts(z)
        h = flow.prior.unwhiten(top, label)
        yield
        for segment in reversed(self.segments):
            h = yield from segment.decode(h, factored, draft)
        return h


def _tupled(steps: Generator[None, None, Tensor]) -> Generator[None, None, tuple[Tensor]]:
    return ((yield from steps),)
