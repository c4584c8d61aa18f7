"""What is asked of the engine while one looks: the maps of what a pixel moves, and the map of what a z moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.requests.pixels import MovedByPixel, PixelsMoved
from flow_explorer.explorer.facets.pixels.state import State, ZPlace
from flow_explorer.explorer.latest import Latest
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent

__all__ = ["LookLink", "pixel_of"]


def pixel_of(state: State, height: int, width: int) -> tuple[int, int]:
    """(row, column) of the pixel that is looked at."""
    return min(int(state.y * height), height - 1), min(int(state.x * width), width - 1)


class LookLink:
    """Keeps `maps` and `reached` equal to what the state asks of the subject."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._moved, self._reached = Latest(client), Latest(client)
        self._asked_moved: tuple | None = None
        self._asked_reached: tuple | None = None
        self._of: tuple | None = None
        self._wanted: PixelsMoved | None = None
        self._saying = False
        """Whether what is on its way for the z has answered something already."""
        self.maps: list[np.ndarray] = []
        """One a level, the finest first: float32 (h, w)."""
        self.shares: list[float] = []
        self.sizes: list[tuple[int, int, int]] = []
        """(C, h, w) of each level."""
        self.reached: np.ndarray | None = None
        """float32 (H, W) of the z that is picked; None without one, and before anything is known."""
        self.fraction = 0.0
        """How much of it is known, 0 to 1."""
        self.error = self.reached_error = ""

    @property
    def busy(self) -> bool:
        return self._moved.busy or self._reached.busy

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._asked_moved = self._asked_reached = None
        self._moved.forget()
        self._reached.forget()

    def stop(self) -> None:
        """Nobody looks any more: what has not come is given up, what has is kept."""
        if self._moved.busy:
            self._asked_moved = None
            self._moved.drop()
        if self._reached.busy:
            self._asked_reached = None
            self._reached.drop()

    def sync(self, model: Model, subject: Latent | None, state: State) -> None:
        if subject is None:
            self.stop()
            self._asked_moved = self._asked_reached = self._of = self.reached = None
            self.maps, self.shares, self.sizes = [], [], []
            return
        of = (str(model.path), id(subject.picture))
        if self._of is None or self._of[:2] != of:
            if self._of is None or self._of[0] != of[0]:
                self.maps, self.shares, self.sizes = [], [], []
            self.reached, self.fraction = None, 0.0
            # The picture is kept, so that its id is not given to another one.
            self._of = (*of, subject.picture)
        self._sync_moved(model, subject, state)
        self._sync_reached(model, subject, state)

    def _sync_moved(self, model: Model, subject: Latent, state: State) -> None:
        height, width = subject.picture.shape[:2]
        row, column = pixel_of(state, height, width)
        radius = round(state.reach * max(height, width), 2)
        asked = (self._of[:2], row, column, radius, subject.label)
        if asked == self._asked_moved:
            return
        self._asked_moved, self.error = asked, ""
        request = MovedByPixel(str(model.path), subject.picture, row, column, radius, subject.label)
        self._moved.ask(request, lambda message: self._answered_moved(message, asked), self._failed_moved)

    def _sync_reached(self, model: Model, subject: Latent, state: State) -> None:
        place = self.place_in(state.place)
        asked = None if place is None else (self._of[:2], place, subject.label)
        if asked == self._asked_reached:
            return
        before, self._asked_reached, self.reached_error = self._asked_reached, asked, ""
        if asked is None:
            self._reached.drop()
            self.reached, self.fraction = None, 0.0
            return
        if before is None:
            self.reached, self.fraction = None, 0.0
        self._wanted = PixelsMoved(str(model.path), subject.z, place.level, place.row, place.column, place.channel, subject.label)
        self._ask_reached(asked)

    def _ask_reached(self, asked: tuple, at_once: bool = False) -> None:
        # A coarse place takes seconds until it is exact: once it has said something it makes way for a newer one, not before,
        # or a drag faster than the first answer would show nothing.
        at_once = at_once or self._saying
        self._saying = False
        answered = lambda message: self._answered_reached(message, asked)  # noqa: E731
        self._reached.ask(self._wanted, answered, self._failed_reached, at_once=at_once)

    def place_in(self, place: ZPlace | None) -> ZPlace | None:
        """A place of the state if this model has it; levels are known once the first maps have come."""
        if place is None or place.level >= len(self.sizes):
            return None
        channels, height, width = self.sizes[place.level]
        return place if place.row < height and place.column < width and place.channel < channels else None

    def _answered_moved(self, message: Any, asked: tuple) -> None:
        # While the point moves an older one's maps are shown, of this picture and model alone.
        if self._of is None or asked[0] != self._of[:2] or self._asked_moved is None:
            return
        self.shares = [float(share) for share in message.data["shares"]]
        self.sizes = [tuple(int(side) for side in size) for size in message.data["sizes"]]
        self.maps = [np.array(message.arrays[f"map{number}"]) for number in range(len(self.shares))]
        self._on_change()

    def _answered_reached(self, message: Any, asked: tuple) -> None:
        if self._asked_reached is None or self._of is None or asked[0] != self._of[:2]:
            return
        self.reached, self.fraction = np.array(message.arrays["map"]), float(message.data["fraction"])
        self._saying = not message.done
        if self._saying and asked != self._asked_reached:
            self._ask_reached(self._asked_reached, at_once=True)
        self._on_change()

    def _failed_moved(self, sentence: str, _details: str) -> None:
        self.error = sentence
        self._on_change()

    def _failed_reached(self, sentence: str, _details: str) -> None:
        self.reached_error, self.reached = sentence, None
        self._on_change()
