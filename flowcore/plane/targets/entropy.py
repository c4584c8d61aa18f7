"""An entropy that is integrated once, a piece at a time. Torch-free."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator

__all__ = ["MeasuredEntropy"]


class MeasuredEntropy(ABC):
    """Base of targets whose entropy nobody wrote down."""

    _entropy: tuple[float, float] | None = None

    @abstractmethod
    def _integrate(self) -> Generator[None, None, tuple[float, float]]:
        """The entropy and how far it may be off, in nats; yields after each piece."""

    def measure(self) -> Generator[None, None, None]:
        """Compute :attr:`entropy` unless it is known: yields after each piece."""
        if self._entropy is None:
            self._entropy = yield from self._integrate()

    @property
    def entropy(self) -> float:
        """-E[log p] in nats."""
        return self._known()[0]

    @property
    def entropy_error(self) -> float:
        """How far :attr:`entropy` may be off, in nats."""
        return self._known()[1]

    def _known(self) -> tuple[float, float]:
        for _ in self.measure():
            pass
        assert self._entropy is not None
        return self._entropy
