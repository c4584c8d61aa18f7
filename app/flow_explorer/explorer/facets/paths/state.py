"""What a person has set among the paths: plain frozen data, its pictures and latents named by the store's keys."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from flow_explorer.explorer.facets import FacetState
from flow_explorer.explorer.state import Well
from flowcore.errors import ConfigError
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


@dataclass(frozen=True)
class Stop:
    """A keyframe: a picture with its z, how long it is from there to the next, and how time passes on that way."""

    well: Well
    seconds: float = 1.5
    easing: str = "ease"

    def to_dict(self) -> dict[str, Any]:
        return {"well": self.well.to_dict(), "seconds": self.seconds, "easing": self.easing}

    @classmethod
    def from_dict(cls, data: object) -> Stop:
        data = _object(data, "a keyframe")
        well = Well.from_dict(data.get("well", {}))
        if well.empty:
            raise ConfigError("The saved settings cannot be read: a keyframe has no picture.")
        return cls(well, _number(data, "seconds", 1.5, SECONDS_MIN, SECONDS_MAX), _choice(data, "easing", "ease", EASINGS))


@dataclass(frozen=True)
class State(FacetState):
    """Which part is in front, and what was set in each of the three."""

    part: str = "side"
    t: float = 0.5
    """Where all walks side by side stand, from A (0) to B (1)."""
    way: str = "linear"
    """Which of them the inspector shows."""
    corners: tuple[Well, ...] = (Well(),) * CORNERS
    """The pad's: top left, top right, bottom left, bottom right."""
    x: float = 0.5
    y: float = 0.5
    norm_kept: bool = False
    stops: tuple[Stop, ...] = ()
    selected: int = -1
    time: float = 0.0
    """Where the timeline stands, in seconds."""
    loop: bool = True
    path: str = "linear"
    fps: float = 15.0

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

    def to_dict(self) -> dict[str, Any]:
        plain = ("part", "t", "way", "x", "y", "norm_kept", "selected", "time", "loop", "path", "fps")
        first = State()
        data = {name: getattr(self, name) for name in plain if getattr(self, name) != getattr(first, name)}
        if any(not well.empty for well in self.corners):
            data["corners"] = [well.to_dict() for well in self.corners]
        if self.stops:
            data["stops"] = [stop.to_dict() for stop in self.stops]
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        data = _object(data, "the paths")
        corners, stops = data.get("corners", [{}] * CORNERS), data.get("stops", [])
        if not isinstance(corners, list) or len(corners) != CORNERS:
            raise ConfigError(f"The saved settings cannot be read: a pad has {CORNERS} corners.")
        if not isinstance(stops, list) or len(stops) > STOPS_MAX:
            raise ConfigError(f"The saved settings cannot be read: a timeline has up to {STOPS_MAX} keyframes.")
        selected = data.get("selected", -1)
        if type(selected) is not int or not -1 <= selected < len(stops):
            raise ConfigError("The saved settings cannot be used: there is no such keyframe.")
        return cls(
            part=_choice(data, "part", "side", PARTS),
            t=_number(data, "t", 0.5, 0.0, 1.0),
            way=_choice(data, "way", "linear", WAYS),
            corners=tuple(Well.from_dict(corner) for corner in corners),
            x=_number(data, "x", 0.5, 0.0, 1.0),
            y=_number(data, "y", 0.5, 0.0, 1.0),
            norm_kept=_flag(data, "norm_kept", False),
            stops=tuple(Stop.from_dict(stop) for stop in stops),
            selected=selected,
            time=_number(data, "time", 0.0, 0.0, SECONDS_MAX * STOPS_MAX),
            loop=_flag(data, "loop", True),
            path=_choice(data, "path", "linear", PATHS),
            fps=_number(data, "fps", 15.0, 1.0, FPS_MAX),
        )

    def renamed(self, keys: dict[str, str]) -> State:
        def moved(well: Well) -> Well:
            if well.empty:
                return well
            return replace(well, picture=keys.get(well.picture, well.picture), latent=keys.get(well.latent, well.latent))

        return replace(self, corners=tuple(map(moved, self.corners)),
                       stops=tuple(replace(stop, well=moved(stop.well)) for stop in self.stops))  # fmt: skip


def _object(data: object, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ConfigError(f"The saved settings cannot be read: {what} is not an object.")
    return data


def _number(data: dict[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"The saved settings cannot be used: {name} must be a number in {low:g} to {high:g}.")
    return float(value)


def _choice(data: dict[str, Any], name: str, default: str, choices: tuple[str, ...]) -> str:
    value = data.get(name, default)
    if value not in choices:
        raise ConfigError(f"The saved settings cannot be used: {name} can be {', '.join(choices)}, not {value!r}.")
    return value


def _flag(data: dict[str, Any], name: str, default: bool) -> bool:
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise ConfigError(f"The saved settings cannot be used: {name} must be true or false.")
    return value
