"""What is asked of the engine while one looks: the maps of what a pixel moves, and the map of what a z moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.pixels import MovedByPixel, MovedMaps, PixelsMoved, ReachedMap
from flow_explorer.explorer.facets.pixels.state import State, ZPlace
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent

__all__ = ["LookLink", "pixel_of"]


def pixel_of(state: State, height: int, width: int) -> tuple[int, int]:
    """(row, column) of the pixel that is looked at."""
    return min(int(state.y * height), height - 1), min(int(state.x * width), width - 1)


class LookLink:
    """Keeps `maps` and `reached` equal to what the state asks of the subject."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        # A coarse place takes seconds until it is exact.
        self._moved, self._reached = Query(client, on_change), Query(client, on_change, yields=True)
        self._of: tuple[str, np.ndarray] | None = None
        self.maps: list[np.ndarray] = []
        """One a level, the finest first: float32 (h, w)."""
        self.shares: list[float] = []
        self.sizes: list[tuple[int, int, int]] = []
        """(C, h, w) of each level."""
        self.reached: np.ndarray | None = None
        """float32 (H, W) of the z that is picked; None without one, and before anything is known."""
        self.fraction = 0.0
        """How much of it is known, 0 to 1."""

    @property
    def busy(self) -> bool:
        return self._moved.busy or self._reached.busy

    @property
    def error(self) -> str:
        return self._moved.error

    @property
    def reached_error(self) -> str:
        return self._reached.error

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._moved.forget()
        self._reached.forget()

    def stop(self) -> None:
        """Nobody looks any more: what has not come is given up, what has is kept."""
        for query in (self._moved, self._reached):
            if query.busy:
                query.want(None)

    def sync(self, model: Model, subject: Latent | None, state: State) -> None:
        if subject is None:
            self._moved.want(None)
            self._reached.want(None)
            self._of = self.reached = None
            self.maps, self.shares, self.sizes = [], [], []
            return
        path = str(model.path)
        if self._of is None or self._of[0] != path:
            self.maps, self.shares, self.sizes = [], [], []
        if self._of is None or self._of[0] != path or self._of[1] is not subject.picture:
            self.reached, self.fraction = None, 0.0
            # Of another picture not even an older answer is of use.
            self._moved.want(None)
            self._reached.want(None)
        self._of = (path, subject.picture)
        height, width = subject.picture.shape[:2]
        radius = round(state.reach * max(height, width), 2)
        self._moved.want(MovedByPixel(path, subject.picture, *pixel_of(state, height, width), radius, subject.label),
                         self._answered_moved)  # fmt: skip
        place = self.place_in(state.place)
        if place is None or self._reached.request is None:
            self.reached, self.fraction = None, 0.0
        request = None
        if place is not None:
            request = PixelsMoved(path, subject.z, place.level, place.row, place.column, place.channel, subject.label)
        self._reached.want(request, self._answered_reached, self._failed_reached)

    def place_in(self, place: ZPlace | None) -> ZPlace | None:
        """A place of the state if this model has it; levels are known once the first maps have come."""
        if place is None or place.level >= len(self.sizes):
            return None
        channels, height, width = self.sizes[place.level]
        return place if place.row < height and place.column < width and place.channel < channels else None

    def _answered_moved(self, moved: MovedMaps, _newest: bool) -> None:
        # While the point moves an older one's maps are shown.
        self.shares, self.sizes, self.maps = list(moved.shares), list(moved.sizes), [np.array(each) for each in moved.maps]

    def _answered_reached(self, reached: ReachedMap, _newest: bool) -> None:
        self.reached, self.fraction = np.array(reached.map), reached.fraction

    def _failed_reached(self, _sentence: str, _details: str) -> None:
        self.reached = None
