"""When a training has come to a standstill: a rule that can be said in a sentence. Neither torch nor Qt here."""
from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import ConfigError

__all__ = ["EarlyStopping"]


@dataclass
class EarlyStopping:
    """Stopped once ``patience`` steps have not brought the held-out loss down by ``gain`` nats, or after ``most`` steps.

    The bar is the lowest loss by which the last progress was made, so many small gains that add up to ``gain`` within
    ``patience`` steps are progress too. ``most`` counts from the first measurement.

    Raises:
        ConfigError: for limits that are not above 0.
    """

    gain: float = 0.005
    patience: int = 1500
    most: int = 30_000

    def __post_init__(self) -> None:
        if not (self.gain > 0 and self.patience > 0 and self.most > 0):
            raise ConfigError("A rule for stopping needs a gain, a patience and a limit above 0.")
        self._first: int | None = None
        self._bar = math.inf
        self._since = 0
        self.quiet = 0
        """Steps since the last progress."""
        self.stopped = False

    def measured(self, step: int, nll: float) -> bool:
        """Take up a held-out loss in nats; whether this is the end."""
        if self._first is None:
            self._first = self._since = step
        if nll < self._bar - self.gain:
            self._bar, self._since = nll, step
        self.quiet = step - self._since
        self.stopped = self.quiet >= self.patience or step - self._first >= self.most
        return self.stopped

    @property
    def fraction(self) -> float:
        """How much of the patience is used up, 0 to 1."""
        return min(1.0, self.quiet / self.patience)
