"""What encodes and decodes, however it computes it."""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from torch import Tensor

if TYPE_CHECKING:
    from .flow import Step

__all__ = ["Passes", "SteppedPasses"]


@runtime_checkable
class Passes(Protocol):
    """A flow's two directions and its density: :class:`~flowcore.model.flow.Flow`, the definition, and its fast paths.

    Given the same weights all agree to rounding (a continuous flow's to its number of steps), and raise the same errors:
    ConfigError for another shape, UntrainedError before training, NonFiniteError with the layer's name. Flows with classes
    take a ``label`` as well.
    """

    def encode(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """x (N, *event_shape) -> z (N, D), log_det (N,) in nats."""
        ...

    def decode(self, z: Tensor, /) -> Tensor:
        """z (N, D) -> x (N, *event_shape)."""
        ...

    def log_prob(self, x: Tensor, /) -> Tensor:
        """log p(x) (N,) in nats."""
        ...


class SteppedPasses(Passes, Protocol):
    """Passes that can be watched layer by layer on the way to x."""

    def decode_steps(self, z: Tensor, /) -> Iterator[Step]:
        """The states after the prior and after every layer; see :meth:`flowcore.model.flow.Flow.decode_steps`."""
        ...
