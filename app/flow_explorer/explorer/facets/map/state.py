"""What a person has set on the map. Without Qt."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import dataclass
from typing import Any, ClassVar

from flow_explorer.engine.requests.map import LIMIT
from flow_explorer.explorer.facets import FacetState
from flowcore.errors import ConfigError
from flowcore.fields import Setting, changes, choice, other, shown, text, whole
from flowcore.latents.map import METHODS

__all__ = ["COLOURS", "SOURCES", "State"]

SOURCES = ("", "data", "samples")
COLOURS = ("class", "bpd", "typicality", "none")
LEVELS_MAX = 10


_LEVEL = Setting("whole", low=0, high=LEVELS_MAX - 1)
_VIEW = Setting("numbers", low=-1e9, high=1e9, count=3)


def _levels(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list | tuple):
        raise ConfigError(f"The map's levels must be a list, not {shown(values)}.")
    return tuple(sorted({_LEVEL.legal(level, "The map's level") for level in values}))


def _view(values: Any) -> tuple[float, ...]:
    view = _VIEW.legal(values, "What is seen of the map") if values else ()
    if view and view[2] <= 0:
        raise ConfigError("What is seen of the map must be more than nothing.")
    return view


def _packed(value: Any) -> bytes:
    """Bytes, or what `to_dict` wrote of them."""
    packed = value if isinstance(value, bytes) else None
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            packed = base64.b64decode(value, validate=True)
    if packed is None or len(packed) > LIMIT // 8 + 1:
        raise ConfigError("The map's lasso is damaged.")
    return packed.rstrip(b"\0")


@dataclass(frozen=True)
class State(FacetState):
    """Which pictures are on the map, how it is made, and what is picked on it.

    Pictures are named by their number on the map, which is the same for the same data.
    """

    OWNER: ClassVar[str] = "The map's"

    source: str = choice("", SOURCES)
    """Nothing yet, ``data`` of a path, or the ``samples`` on the page."""
    path: str = text("", 4096, low=0)
    """A folder, a zip, an array file, or hf:NAME."""
    limit: int = whole(0, 0, LIMIT)
    """Only so many pictures are encoded; 0 for all."""
    method: str = choice("pca", METHODS)
    levels: tuple[int, ...] = other((), _levels)
    """The levels of z that count, ascending, 0 the finest; () for all."""
    colour: str = choice("class", COLOURS)
    selected: int = whole(-1, -1, LIMIT)
    lasso: bytes = other(b"", _packed)
    """Which pictures are in the lasso, packed as `flowcore.latents.map.points.pack` does."""
    view: tuple[float, ...] = other((), _view)
    """What is seen: the middle, x and y, and how much of the map the shorter side shows; () for all of it."""

    def portable(self) -> State:
        """Without the place of the pictures, and so without the map of them."""
        return State(method=self.method, levels=self.levels, colour=self.colour) if self.path else self

    def to_dict(self) -> dict[str, Any]:
        own = changes(self)
        return {**own, "lasso": base64.b64encode(self.lasso).decode()} if self.lasso else own
