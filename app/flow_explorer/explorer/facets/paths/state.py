"""What a person has set among the paths: plain frozen data, its pictures and latents named by the store's keys."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, replace
from typing import Any, ClassVar

from flow_explorer.explorer.facets import FacetState
from flow_explorer.explorer.state import Slot
from flowcore.errors import ConfigError
from flowcore.fields import check, choice, flag, number, other, read, several, whole
from flowcore.latents.latent import MODES
from flowcore.latents.timeline import EASINGS, PATHS, PIXELS, Timeline

__all__ = ["CORNERS", "FPS_MAX", "PARTS", "SECONDS_MAX", "SECONDS_MIN", "STOPS_MAX", "WAYS", "PathsState", "Stop"]

PARTS = ("side", "pad", "keys")
WAYS = (*MODES, PIXELS)
"""The rows of the walks side by side."""
CORNERS = 4
SECONDS_MIN, SECONDS_MAX = 0.1, 10.0
STOPS_MAX = 60
FPS_MAX = 60.0


def _filled(value: Any) -> Slot:
    slot = value if isinstance(value, Slot) else Slot.from_dict(value)
    if slot.empty:
        raise ConfigError("A keyframe of the paths has no picture.")
    return slot


@dataclass(frozen=True)
class Stop:
    """A keyframe: a picture with its z, how long it is from there to the next, and how time passes on that way."""

    slot: Slot = other(MISSING, _filled)
    seconds: float = number(1.5, SECONDS_MIN, SECONDS_MAX)
    easing: str = choice("ease", EASINGS)

    def __post_init__(self) -> None:
        check(self, "A keyframe's")

    def to_dict(self) -> dict[str, Any]:
        return {"well": self.slot.to_dict(), "seconds": self.seconds, "easing": self.easing}


def _corner(value: Any) -> Slot:
    return value if isinstance(value, Slot) else Slot.from_dict(value)


def _stop(value: Any) -> Stop:
    if isinstance(value, dict) and "well" in value:  # as `to_dict` writes it
        value = {**{name: part for name, part in value.items() if name != "well"}, "slot": value["well"]}
    return value if isinstance(value, Stop) else read(Stop, value, "A keyframe's")


@dataclass(frozen=True)
class PathsState(FacetState):
    """Which part is in front, and what was set in each of the three."""

    OWNER: ClassVar[str] = "The paths'"

    part: str = choice("side", PARTS)
    t: float = number(0.5, 0.0, 1.0)
    """Where all walks side by side stand, from A (0) to B (1)."""
    way: str = choice("linear", WAYS)
    """Which of them the inspector shows."""
    corners: tuple[Slot, ...] = several((Slot(),) * CORNERS, _corner, CORNERS, low=CORNERS)
    """The pad's: top left, top right, bottom left, bottom right."""
    x: float = number(0.5, 0.0, 1.0)
    y: float = number(0.5, 0.0, 1.0)
    norm_kept: bool = flag(False)
    stops: tuple[Stop, ...] = several((), _stop, STOPS_MAX, called="keyframes")
    selected: int = whole(-1, -1, STOPS_MAX - 1, called="chosen keyframe")
    time: float = number(0.0, 0.0, SECONDS_MAX * STOPS_MAX)
    """Where the timeline stands, in seconds."""
    loop: bool = flag(True)
    path: str = choice("linear", PATHS)
    fps: float = number(15.0, 1.0, FPS_MAX)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.selected >= len(self.stops):
            raise ConfigError(f"The paths' chosen keyframe must be one of {len(self.stops)}, not {self.selected}.")

    @property
    def keys(self) -> set[str]:
        slots = [*self.corners, *(stop.slot for stop in self.stops)]
        return {key for slot in slots for key in (slot.picture, slot.latent) if key}

    @property
    def full(self) -> bool:
        """Whether every corner has a picture."""
        return not any(slot.empty for slot in self.corners)

    @property
    def first_empty_corner(self) -> int:
        """Where the next picture goes; the first corner when all are full."""
        return next((index for index, slot in enumerate(self.corners) if slot.empty), 0)

    def with_corner(self, index: int, slot: Slot) -> PathsState:
        return replace(self, corners=tuple(slot if place == index else own for place, own in enumerate(self.corners)))

    def timeline(self) -> Timeline | None:
        """The timeline of the keyframes; None without any."""
        if not self.stops:
            return None
        seconds, easings = zip(*((stop.seconds, stop.easing) for stop in self.stops), strict=True)
        return Timeline(seconds, easings, self.loop, self.path)

    @property
    def duration(self) -> float:
        timeline = self.timeline()
        return 0.0 if timeline is None else timeline.duration

    def renamed(self, keys: dict[str, str]) -> PathsState:
        def moved(slot: Slot) -> Slot:
            if slot.empty:
                return slot
            return replace(slot, picture=keys.get(slot.picture, slot.picture), latent=keys.get(slot.latent, slot.latent))

        return replace(self, corners=tuple(map(moved, self.corners)),
                       stops=tuple(replace(stop, slot=moved(stop.slot)) for stop in self.stops))  # fmt: skip

