"""What a person has set on the map. Without Qt."""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass, fields
from typing import Any

from flow_explorer.engine.requests.map import LIMIT
from flow_explorer.explorer.facets import FacetState
from flowcore.errors import ConfigError
from flowcore.latents.map import METHODS

__all__ = ["COLOURS", "SOURCES", "State"]

SOURCES = ("", "data", "samples")
COLOURS = ("class", "bpd", "typicality", "none")
LEVELS_MAX = 10


@dataclass(frozen=True)
class State(FacetState):
    """Which pictures are on the map, how it is made, and what is picked on it.

    Pictures are named by their number on the map, which is the same for the same data.
    """

    source: str = ""
    """Nothing yet, ``data`` of a path, or the ``samples`` on the page."""
    path: str = ""
    """A folder, a zip, an array file, or hf:NAME."""
    limit: int = 0
    """Only so many pictures are encoded; 0 for all."""
    method: str = "pca"
    levels: tuple[int, ...] = ()
    """The levels of z that count, ascending, 0 the finest; () for all."""
    colour: str = "class"
    selected: int = -1
    lasso: bytes = b""
    """Which pictures are in the lasso, packed as `flowcore.latents.map.points.pack` does."""
    view: tuple[float, ...] = ()
    """What is seen: the middle, x and y, and how much of the map the shorter side shows; () for all of it."""

    def portable(self) -> State:
        """Without the place of the pictures, and so without the map of them."""
        return State(method=self.method, levels=self.levels, colour=self.colour) if self.path else self

    def to_dict(self) -> dict[str, Any]:
        own: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value != each.default:
                own[each.name] = list(value) if isinstance(value, tuple) else value
        if self.lasso:
            own["lasso"] = base64.b64encode(self.lasso).decode()
        return own

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        path = data.get("path", "")
        if not isinstance(path, str) or len(path) > 4096:
            raise ConfigError("The saved map cannot be read: its path is not a text.")
        view = data.get("view", [])
        if view and not (isinstance(view, list) and len(view) == 3 and all(map(_is_number, view)) and view[2] > 0):
            raise ConfigError("The saved map cannot be read: what was seen of it is not three numbers.")
        levels = data.get("levels", [])
        if not isinstance(levels, list) or not all(_is_whole(level, 0, LEVELS_MAX - 1) for level in levels):
            raise ConfigError("The saved map cannot be read: its levels are not whole numbers.")
        return cls(
            source=_one_of(data, "source", SOURCES), path=path, limit=_whole(data, "limit", 0, 0),
            method=_one_of(data, "method", METHODS), levels=tuple(sorted(set(levels))),
            colour=_one_of(data, "colour", COLOURS), selected=_whole(data, "selected", -1, -1),
            lasso=_packed(data.get("lasso", "")), view=tuple(float(value) for value in view),
        )  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _whole(data: dict[str, Any], name: str, default: int, low: int) -> int:
    value = data.get(name, default)
    if not _is_whole(value, low, LIMIT):
        raise ConfigError(f"The saved map cannot be read: {name} must be a whole number up to {LIMIT}, not {value!r}.")
    return value


def _one_of(data: dict[str, Any], name: str, values: tuple[str, ...]) -> str:
    value = data.get(name, values[0])
    if value not in values:
        raise ConfigError(f"The saved map cannot be read: its {name} cannot be {value!r}.")
    return value


def _packed(text: object) -> bytes:
    try:
        packed = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (ValueError, binascii.Error):
        packed = None
    if packed is None or len(packed) > LIMIT // 8 + 1:
        raise ConfigError("The saved map cannot be read: its lasso is damaged.")
    return packed.rstrip(b"\0")
