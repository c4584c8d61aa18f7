"""The selected sample's own z at many temperatures, as a strip of pictures; asked for only while it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.requests.base import TemperatureFrames
from flow_explorer.explorer.latest import Latest
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.state import ExplorerState
from flowcore.model.temperature import Temperature

__all__ = ["TEMPERATURES", "FilmLink"]

# As the temperature above it has them: where levels differ, the highest level's.
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4)


class FilmLink:
    """Keeps `frames` equal to what the state selects, while `wanted`."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._lane = Latest(client)
        self._asked: tuple | None = None
        self.wanted = False
        """Whether anybody looks."""
        self.frames: list[np.ndarray | None] = [None] * len(TEMPERATURES)
        self.temperatures: tuple[Temperature, ...] = TEMPERATURES
        """What each of them is drawn at."""
        self.error = ""

    @property
    def busy(self) -> bool:
        return self._lane.busy

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._asked = None
        self._lane.forget()

    def sync(self, state: ExplorerState, model: Model | None) -> None:
        if model is None or not self.wanted:
            return
        label = state.sampled_label(len(model.classes))
        temperatures = tuple(state.temperatures(model.levels, at) for at in TEMPERATURES)
        asked = (str(model.path), state.seed, state.selected, label, temperatures)
        if asked == self._asked:
            return
        before, self._asked, self.temperatures = self._asked, asked, temperatures
        self.error = ""
        if state.selected < 0 or (before is not None and before[0] != asked[0]):
            self.frames = [None] * len(TEMPERATURES)
        if state.selected < 0:
            self._lane.drop()
        else:
            request = TemperatureFrames(str(model.path), state.seed, state.selected, temperatures, label)
            self._lane.ask(request, lambda message: self._answered(message, asked), self._failed)
        self._on_change()

    def _answered(self, message: Any, asked: tuple) -> None:
        pictures = message.arrays.get("pictures")
        if asked != self._asked or pictures is None:
            return
        first = int(message.data["first"])
        self.frames = [*self.frames[:first], *map(np.array, pictures), *self.frames[first + len(pictures) :]]
        self._on_change()

    def _failed(self, sentence: str, _details: str) -> None:
        self.error = sentence
        self._on_change()
