"""How often a run of the toy lab shows what, so that showing never slows the training by more than its share."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALONE", "FRAMES_AT_LEAST", "FRAMES_AT_MOST", "SHOWING_SHARE", "Pace", "Rates", "rates_of"]

SHOWING_SHARE = 0.12
"""Of the time, what may go into frames of a flow that trains alone."""
FRAMES_AT_LEAST, FRAMES_AT_MOST = 34.0, 60.0
RACE_SHOWING_SHARE = 0.3
"""Of a race's, whose training time is shared out among the flows by itself."""
RACE_FRAMES, RACE_HEATS = 24.0, 5.0


@dataclass(frozen=True)
class Rates:
    """(At least, at most) how many of a kind a second; `share` of the time may go into them before the least rate counts."""

    points: tuple[float, float] = (FRAMES_AT_LEAST, FRAMES_AT_MOST)
    heat: tuple[float, float] = (5.5, 10.0)
    loss: tuple[float, float] = (2.0, 2.0)
    snapshot: tuple[float, float] = (1.0, 1.0)
    share: float = SHOWING_SHARE


ALONE = Rates()
CONTINUOUS = Rates(loss=(1.5, 1.5))
"""An integral for every held-out point takes ten times as long as a few layers do."""


def rates_of(flows: list[str]) -> Rates:
    """The rates of a run of these flows. In a race the densities, one flow's at a time, share out a rate a flow."""
    if len(flows) == 1:
        return CONTINUOUS if flows[0] == "continuous" else ALONE
    heats = RACE_HEATS * len(flows)
    return Rates((RACE_FRAMES / 3, RACE_FRAMES), (heats / 3, heats), (2 / 3, 2.0), (1 / 3, 1 / 3), RACE_SHOWING_SHARE)


class Pace:
    """Decides when to show: a share of the time, within limits a second. Times in seconds."""

    def __init__(self, now: float, rates: Rates = ALONE) -> None:
        self.training = self.showing = 0.0
        self.rates = rates
        self._last = {"points": now - 1.0, "heat": now - 1.0, "loss": now - 1.0, "snapshot": now}

    def spent(self, training: float = 0.0, showing: float = 0.0) -> None:
        """Account for work done; what is a second ago counts little."""
        self.training = self.training * 0.99 + training
        self.showing = self.showing * 0.99 + showing

    def has_room(self) -> bool:
        """Frames have had less than their share of late."""
        return self.showing < self.rates.share * (self.training + self.showing)

    def is_due(self, what: str, now: float) -> bool:
        """Whether the next frame of a kind is to be made now."""
        least, most = getattr(self.rates, what)
        return now - self._last[what] >= 1 / (most if self.has_room() else least)

    def made(self, what: str, now: float) -> None:
        """A frame of a kind was made."""
        self._last[what] = now
