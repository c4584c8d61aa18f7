"""What a person has set in Pixels: where to look, the brush, and the strokes on each picture. Plain data, without Qt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from flow_explorer.explorer.facets import FacetState
from flowcore.errors import ConfigError
from flowcore.fields import Setting, changes, choice, flag, number, other, several
from flowcore.pictures.painting import Stroke

__all__ = ["MODES", "PAINTINGS", "POINTS", "STROKES", "State", "ZPlace", "picture_key", "scaled"]

MODES = ("look", "paint")
PAINTINGS, STROKES, POINTS = 8, 256, 4096
"""Pictures whose strokes are remembered (those painted on last), strokes on one, and points of a stroke."""
REACH_MAX, BRUSH_MAX = 0.25, 0.25

_DEFAULT_COLOUR = (214, 68, 60)
_PLACE, _RADIUS = Setting("number", low=-1.0, high=2.0), Setting("number", low=0.0, high=BRUSH_MAX)
_BYTE = Setting("whole", low=0, high=255)


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


def _stroke(data: Any) -> Stroke:
    flat = data.get("points") if isinstance(data, dict) else None
    if not isinstance(flat, list) or len(flat) % 2 or not 2 <= len(flat) <= 2 * POINTS:
        raise ConfigError(f"A stroke of Pixels has from 1 to {POINTS} points.")
    values = [_PLACE.legal(value, "A point of Pixels") for value in flat]
    colour = data.get("colour")
    return Stroke(
        tuple(zip(values[::2], values[1::2], strict=True)),
        _RADIUS.legal(data.get("radius"), "A brush of Pixels"),
        None if colour is None else _colour(colour),
    )


def _painting(entry: Any) -> tuple[str, tuple[Stroke, ...]]:
    """A picture's key and its strokes, or what `to_dict` wrote of them."""
    if isinstance(entry, tuple):
        return entry
    entry = entry if isinstance(entry, dict) else {}
    key, strokes = entry.get("picture"), entry.get("strokes")
    if not isinstance(key, str) or len(key) > 64 or not isinstance(strokes, list) or not 1 <= len(strokes) <= STROKES:
        raise ConfigError("A painting of Pixels names no picture or has no strokes.")
    return key, tuple(_stroke(stroke) for stroke in strokes)


def _z_place(data: Any) -> ZPlace | None:
    if data is None or isinstance(data, ZPlace):
        return data
    if not isinstance(data, list) or len(data) != 4:
        raise ConfigError("A place in z of Pixels is not four whole numbers.")
    lows = (0, 0, 0, -1)
    return ZPlace(*(Setting("whole", low=low, high=2**20 - 1).legal(value, "A place in z of Pixels")
                    for low, value in zip(lows, data, strict=True)))  # fmt: skip


def _colour(data: Any) -> tuple[int, int, int]:
    if not isinstance(data, list | tuple) or len(data) != 3:
        raise ConfigError("A colour of Pixels is not three bytes.")
    red, green, blue = (_BYTE.legal(value, "A byte of a colour of Pixels") for value in data)
    return red, green, blue


@dataclass(frozen=True)
class State(FacetState):
    """Places and lengths are shares of the picture's width and height, so that they mean the same for every model."""

    OWNER: ClassVar[str] = "Pixels' own"

    mode: str = choice("look", MODES)
    x: float = number(0.5, 0.0, 1.0)
    y: float = number(0.5, 0.0, 1.0)
    """The pixel that is looked at."""
    reach: float = number(0.0, 0.0, REACH_MAX)
    """Radius of the region around it that moves with it; 0 for the pixel alone."""
    place: ZPlace | None = other(None, _z_place)
    """The z whose pixels are shown; None shows those of the pixel."""
    opacity: float = number(0.8, 0.0, 1.0)
    """Of what is shown over the picture."""
    brush: float = number(0.04, 0.0, BRUSH_MAX)
    """Its radius."""
    colour: tuple[int, int, int] = other(_DEFAULT_COLOUR, _colour)
    erasing: bool = flag(False)
    amount: float = number(1.0, 0.0, 1.0)
    """How plausible what was painted is made, 0 to 1."""
    paintings: tuple[tuple[str, tuple[Stroke, ...]], ...] = several((), _painting, PAINTINGS)
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
        own, place = changes(self), self.place
        if place is not None:
            own["place"] = [place.level, place.row, place.column, place.channel]
        if self.paintings:
            own["paintings"] = [{"picture": key, "strokes": [_stroke_to_dict(stroke) for stroke in strokes]}
                                for key, strokes in self.paintings]  # fmt: skip
        return own


def scaled(strokes: tuple[Stroke, ...], height: int, width: int) -> list[Stroke]:
    """Strokes in shares as strokes in the pixels of a picture of this size."""
    return [
        Stroke(tuple((x * width, y * height) for x, y in stroke.points), stroke.radius * max(height, width), stroke.colour)
        for stroke in strokes
    ]


def _stroke_to_dict(stroke: Stroke) -> dict[str, Any]:
    flat = [round(value, 5) for point in stroke.points for value in point]
    return {"points": flat, "radius": stroke.radius, "colour": None if stroke.colour is None else list(stroke.colour)}
