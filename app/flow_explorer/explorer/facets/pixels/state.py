"""What a person has set in Pixels: where to look, the brush, and the strokes on each picture. Plain data, without Qt."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flow_explorer.explorer.facets import FacetState
from flowcore.errors import ConfigError
from flowcore.pictures.painting import Stroke

__all__ = ["MODES", "PAINTINGS", "POINTS", "STROKES", "State", "ZPlace", "picture_key", "scaled"]

MODES = ("look", "paint")
PAINTINGS, STROKES, POINTS = 8, 256, 4096
"""Pictures whose strokes are remembered (those painted on last), strokes on one, and points of a stroke."""
REACH_MAX, BRUSH_MAX = 0.25, 0.25

_DEFAULT_COLOUR = (214, 68, 60)


def picture_key(model: str, picture: np.ndarray) -> str:
    """What a picture's strokes are remembered by: the model that it is of, and its bytes."""
    return hashlib.sha256(model.encode() + repr(picture.shape).encode() + picture.tobytes()).hexdigest()[:32]


@dataclass(frozen=True)
class ZPlace:
    """One place of a level's z, or one number of it. A level is counted from the finest."""

    level: int
    row: int
    column: int
    channel: int = -1
    """Which of the place's numbers; -1 for all of them."""


@dataclass(frozen=True)
class State(FacetState):
    """Places and lengths are shares of the picture's width and height, so that they mean the same for every model."""

    mode: str = "look"
    x: float = 0.5
    y: float = 0.5
    """The pixel that is looked at."""
    reach: float = 0.0
    """Radius of the region around it that moves with it; 0 for the pixel alone."""
    place: ZPlace | None = None
    """The z whose pixels are shown; None shows those of the pixel."""
    opacity: float = 0.8
    """Of what is shown over the picture."""
    brush: float = 0.04
    """Its radius."""
    colour: tuple[int, int, int] = _DEFAULT_COLOUR
    erasing: bool = False
    amount: float = 1.0
    """How plausible what was painted is made, 0 to 1."""
    paintings: tuple[tuple[str, tuple[Stroke, ...]], ...] = ()
    """By `picture_key`, the one painted on last at the end. A stroke's lengths are shares too."""

    def strokes(self, key: str) -> tuple[Stroke, ...]:
        """The strokes on a picture."""
        return dict(self.paintings).get(key, ())

    def with_strokes(self, key: str, strokes: tuple[Stroke, ...]) -> State:
        """The same with other strokes on a picture; none forgets it."""
        others = tuple(entry for entry in self.paintings if entry[0] != key)
        own = ((key, strokes[-STROKES:]),) if strokes else ()
        return replace(self, paintings=(others + own)[-PAINTINGS:])

    def to_dict(self) -> dict[str, Any]:
        default = State()
        plain = {name: getattr(self, name) for name in ("mode", "x", "y", "reach", "opacity", "brush", "erasing", "amount")
                 if getattr(self, name) != getattr(default, name)}  # fmt: skip
        place = self.place
        return {
            **plain,
            **({"colour": list(self.colour)} if self.colour != default.colour else {}),
            **({"place": [place.level, place.row, place.column, place.channel]} if place is not None else {}),
            **({"paintings": [{"picture": key, "strokes": [_stroke_to_dict(stroke) for stroke in strokes]}
                              for key, strokes in self.paintings]} if self.paintings else {}),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        default = cls()
        mode, erasing = data.get("mode", "look"), data.get("erasing", False)
        if mode not in MODES or not isinstance(erasing, bool):
            raise ConfigError(f"The saved settings of Pixels cannot be read: the mode {mode!r} is none of {', '.join(MODES)}.")
        limits = {"x": 1.0, "y": 1.0, "reach": REACH_MAX, "opacity": 1.0, "brush": BRUSH_MAX, "amount": 1.0}
        numbers = {name: _number(data.get(name, getattr(default, name)), name, 0.0, high) for name, high in limits.items()}
        colour = _colour(data["colour"]) if "colour" in data else default.colour
        return cls(mode=mode, erasing=erasing, colour=colour, place=_place(data.get("place")),
                   paintings=_paintings(data.get("paintings", [])), **numbers)


def scaled(strokes: tuple[Stroke, ...], height: int, width: int) -> list[Stroke]:
    """Strokes in shares as strokes in the pixels of a picture of this size."""
    return [
        Stroke(tuple((x * width, y * height) for x, y in stroke.points), stroke.radius * max(height, width), stroke.colour)
        for stroke in strokes
    ]


def _stroke_to_dict(stroke: Stroke) -> dict[str, Any]:
    flat = [round(value, 5) for point in stroke.points for value in point]
    return {"points": flat, "radius": stroke.radius, "colour": None if stroke.colour is None else list(stroke.colour)}


def _stroke(data: Any) -> Stroke:
    if not isinstance(data, dict) or not isinstance(data.get("points"), list):
        raise ConfigError("The saved settings of Pixels cannot be read: a stroke is not an object with points.")
    flat = data["points"]
    if len(flat) % 2 or not 2 <= len(flat) <= 2 * POINTS:
        raise ConfigError(f"The saved settings of Pixels cannot be read: a stroke has from 1 to {POINTS} points.")
    values = [_number(value, "a stroke's point", -1.0, 2.0) for value in flat]
    colour = data.get("colour")
    return Stroke(
        tuple(zip(values[::2], values[1::2], strict=True)),
        _number(data.get("radius"), "a stroke's radius", 0.0, BRUSH_MAX),
        None if colour is None else _colour(colour),
    )


def _paintings(data: Any) -> tuple[tuple[str, tuple[Stroke, ...]], ...]:
    if not isinstance(data, list) or len(data) > PAINTINGS:
        raise ConfigError("The saved settings of Pixels cannot be read: the paintings are not a short list.")
    found: dict[str, tuple[Stroke, ...]] = {}
    for entry in data:
        entry = entry if isinstance(entry, dict) else {}
        key, strokes = entry.get("picture"), entry.get("strokes")
        if not isinstance(key, str) or len(key) > 64 or not isinstance(strokes, list) or not 1 <= len(strokes) <= STROKES:
            raise ConfigError("The saved settings of Pixels cannot be read: a painting names no picture or has no strokes.")
        found[key] = tuple(_stroke(stroke) for stroke in strokes)
    return tuple(found.items())


def _place(data: Any) -> ZPlace | None:
    if data is None:
        return None
    whole = isinstance(data, list) and len(data) == 4 and all(type(value) is int and -1 <= value < 2**20 for value in data)
    if not whole or min(data[:3]) < 0:
        raise ConfigError("The saved settings of Pixels cannot be read: a place in z is not four whole numbers.")
    return ZPlace(*data)


def _colour(data: Any) -> tuple[int, int, int]:
    if not isinstance(data, list) or len(data) != 3 or not all(type(value) is int and 0 <= value <= 255 for value in data):
        raise ConfigError("The saved settings of Pixels cannot be read: a colour is not three bytes.")
    return tuple(data)


def _number(value: Any, name: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"The saved settings of Pixels cannot be used: {name} must lie in {low:g} to {high:g}.")
    return float(value)
