"""What the Explorer's views paint: what the engine has answered so far, beside the state that it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from flow_explorer.explorer.state import STRIP
from flow_explorer.explorer.store import Latent
from flowcore.model.labels import Label
from flowcore.model.temperature import Temperature

__all__ = ["CURVE", "Figures", "InspectorPicture", "PageView", "SlotView", "WalkView", "curve_ts", "strip_indices"]

CURVE = 33
"""Points of the curve under the strip; every fourth one is a frame of the strip."""


def curve_ts() -> list[float]:
    """Positions of the curve's points, the strip's frames first so that they are decoded first."""
    first = strip_indices()
    rest = [index for index in range(CURVE) if index not in set(first)]
    return [index / (CURVE - 1) for index in (*first, *rest)]


def strip_indices() -> list[int]:
    """Which points of the curve the strip shows."""
    step = (CURVE - 1) // (STRIP - 1)
    return list(range(0, CURVE, step))


@dataclass(frozen=True)
class Figures:
    """How a model judges one picture; None where it is not known (yet)."""

    bpd: float | None = None
    likelier_than: float | None = None
    """Percent of held-out pictures that have a higher bpd, so are less likely."""
    typicality: float | None = None
    """Percent, two-sided: 100 in the middle of the held-out pictures, 0 far out on either side."""


@dataclass
class PageView:
    """The page of samples; a slot keeps its older picture until the new one has come."""

    slots: list[Latent | None] = field(default_factory=list)
    temperatures: list[Temperature] = field(default_factory=list)
    """The temperature that each slot's picture was drawn at: during a drag, not yet that of the state."""
    fresh: list[bool] = field(default_factory=list)
    cached: list[np.ndarray] = field(default_factory=list)
    """Pictures of the bundled first page, shown where the engine has not answered yet."""
    bpds: list[float] = field(default_factory=list)
    """Of the page that was scored last; empty where none of this seed was."""
    error: str = ""
    details: str = ""

    def order(self, by: str) -> list[int]:
        """Which sample stands in which place: as drawn, or by likelihood, the likeliest first, as far as it is known.

        While a temperature moves, samples stand where they stood: they are sorted again when the page has come to rest.
        """
        count = len(self.slots)
        if by != "likelihood" or len(self.bpds) != count:
            return list(range(count))
        return sorted(range(count), key=lambda index: (self.bpds[index], index))

    def picture(self, index: int) -> np.ndarray | None:
        """What slot `index` shows now, uint8 (H, W, C)."""
        slot = self.slots[index] if 0 <= index < len(self.slots) else None
        if slot is not None:
            return slot.picture
        return self.cached[index] if 0 <= index < len(self.cached) else None

    @property
    def complete(self) -> bool:
        return bool(self.fresh) and all(self.fresh)


@dataclass
class SlotView:
    """One slot: what the model sees, what comes back from z, and its figures."""

    seen: np.ndarray | None = None
    reconstruction: np.ndarray | None = None
    z: str = ""
    """Key of the z that stands for it in the walk."""
    weights: str = ""
    """Fingerprint of the weights that this z is of."""
    label: Label = ()
    """The class that this z is of; () without a z, or where the model knows no classes."""
    chosen: Label = ()
    """The class that it came with, or that the person chose; () where the likeliest is taken."""
    differing: int | None = None
    max_error: float | None = None
    precise: bool = False
    """Whether float64 was needed for the exact round trip."""
    own: bool = False
    """Whether the z is one that the picture came with, and what was proved is that this z decodes to it."""
    figures: Figures = Figures()
    busy: bool = False
    moving: bool = False
    """Whether its crop was moved and the round trip of where it is now has not been proved yet."""
    error: str = ""
    details: str = ""


@dataclass
class WalkView:
    """The path from A to B: the strip's frames, the curve, and the frame at the present position."""

    frames: list[np.ndarray | None] = field(default_factory=lambda: [None] * CURVE)
    bpds: list[float | None] = field(default_factory=lambda: [None] * CURVE)
    fresh: list[bool] = field(default_factory=lambda: [False] * CURVE)
    """Which frames are of the present path; the others are an older one's, shown until these have come."""
    picture: np.ndarray | None = None
    picture_t: float = 0.0
    bpd: float | None = None
    error: str = ""
    details: str = ""

    @property
    def strip(self) -> list[np.ndarray | None]:
        return [self.frames[index] for index in strip_indices()]

    @property
    def complete(self) -> bool:
        return all(self.fresh)

    def bpd_now(self) -> float | None:
        """Bits per dimension at the present position: exact at rest, read off the curve while it moves."""
        if self.bpd is not None:
            return self.bpd
        place = self.picture_t * (CURVE - 1)
        low = min(int(place), CURVE - 2)
        before, after = self.bpds[low], self.bpds[low + 1]
        if before is None or after is None:
            return None
        return before + (place - low) * (after - before)

    def take(self, ts: Sequence[float], frames: Sequence[np.ndarray], bpds: Sequence[float]) -> None:
        """Put answered frames where their positions say."""
        for t, frame, bpd in zip(ts, frames, bpds, strict=True):
            index = round(t * (CURVE - 1))
            self.frames[index], self.bpds[index], self.fresh[index] = frame, bpd, True


@dataclass(frozen=True, eq=False)
class InspectorPicture:
    """What the inspector shows large."""

    kind: str = "none"
    title: str = ""
    picture: np.ndarray | None = None
    figures: Figures = Figures()
    note: str = ""
    label: Label = ()
    """The class that it is of, or where between classes it lies; () where the model knows none."""
