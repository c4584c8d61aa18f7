"""What a person has set among the paths: plain frozen data, its pictures and latents named by the store's keys."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, replace
from typing import Any, ClassVar

from flow_explorer.explorer.facets import FacetState
from flow_explorer.explorer.state import Well
from flowcore.errors import ConfigError
from flowcore.fields import check, choice, flag, number, other, read, several, whole
from flowcore.latents.latent import MODES
from flowcore.latents.timeline import EASINGS, PATHS, PIXELS, Timeline

__all__ = ["CORNERS", "FPS_MAX", "PARTS", "SECONDS_MAX", "SECONDS_MIN", "STOPS_MAX", "WAYS", "State", "Stop"]

PARTS = ("side", "pad", "keys")
WAYS = (*MODES, PIXELS)
"""The rows of the walks side by side."""
CORNERS = 4
SECONDS_MIN, SECONDS_MAX = 0.1, 10.0
STOPS_MAX = 60
FPS_MAX = 60.0


def _filled(value: Any) -> Well:
    well = value if isinstance(value, Well) else Well.from_dict(value)
    if well.empty:
        raise ConfigError("A keyframe of the paths has no picture.")
    return well


@dataclass(frozen=True)
class Stop:
    """A keyframe: a picture with its z, how long it is from there to the next, and how time passes on that way."""

    well: Well = other(MISSING, _filled)
    seconds: float = number(1.5, SECONDS_MIN, SECONDS_MAX)
    easing: str = choice("ease", EASINGS)

    def __post_init__(self) -> None:
        check(self, "A keyframe's")

    def to_dict(self) -> dict[str, Any]:
        return {"well": self.well.to_dict(), "seconds": self.seconds, "easing": self.easing}


def _corner(value: Any) -> Well:
    return value if isinstance(value, Well) else Well.from_dict(value)


def _stop(value: Any) -> Stop:
    return value if isinstance(value, Stop) else read(Stop, value, "A keyframe's")


@dataclass(frozen=True)
class State(FacetState):
    """Which part is in front, and what was set in each of the three."""

    OWNER: ClassVar[str] = "The paths'"

    part: str = choice("side", PARTS)
    t: float = number(0.5, 0.0, 1.0)
    """Where all walks side by side stand, from A (0) to B (1)."""
    way: str = choice("linear", WAYS)
    """Which of them the inspector shows."""
    corners: tuple[Well, ...] = several((Well(),) * CORNERS, _corner, CORNERS, low=CORNERS)
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
        wells = [*self.corners, *(stop.well for stop in self.stops)]
        return {key for well in wells for key in (well.picture, well.latent) if key}

    @property
    def full(self) -> bool:
        """Whether every corner has a picture."""
        return not any(well.empty for well in self.corners)

    @property
    def first_empty_corner(self) -> int:
        """Where the next picture goes; the first corner when all are full."""
        return next((index for index, well in enumerate(self.corners) if well.empty), 0)

    def with_corner(self, index: int, well: Well) -> State:
        return replace(self, corners=tuple(well if place == index else own for place, own in enumerate(self.corners)))

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

    def renamed(self, keys: dict[str, str]) -> State:
        def moved(well: Well) -> Well:
            if well.empty:
                return well
            return replace(well, picture=keys.get(well.picture, well.picture), latent=keys.get(well.latent, well.latent))

        return replace(self, corners=tuple(map(moved, self.corners)),
                       stops=tuple(replace(stop, well=moved(stop.well)) for stop in self.stops))  # fmt: skip

