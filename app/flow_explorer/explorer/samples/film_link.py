"""The selected sample's own z at many temperatures, as a strip of pictures; asked for only while it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query, same
from flow_explorer.engine.requests.explorer import FramesPart, TemperatureFrames
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
        self._query = Query(client, on_change)
        self.wanted = False
        """Whether anybody looks."""
        self.frames: list[np.ndarray | None] = [None] * len(TEMPERATURES)
        self.temperatures: tuple[Temperature, ...] = TEMPERATURES
        """What each of them is drawn at."""

    @property
    def busy(self) -> bool:
        return self._query.busy

    @property
    def error(self) -> str:
        return self._query.error

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._query.forget()

    def sync(self, state: ExplorerState, model: Model | None) -> None:
        if model is None or not self.wanted:
            return
        self.temperatures = tuple(state.temperatures(model.levels, at) for at in TEMPERATURES)
        label, request, before = state.sampled_label(len(model.classes)), None, self._query.request
        if state.selected >= 0:
            request = TemperatureFrames(str(model.path), state.seed, state.selected, self.temperatures, label)
        if request is None or (before is not None and not same(before, request, "model")):
            self.frames = [None] * len(TEMPERATURES)
        if self._query.want(request, self._answered):
            self._on_change()

    def _answered(self, part: FramesPart, newest: bool) -> None:
        if newest:
            first, end = part.first, part.first + len(part.pictures)
            self.frames = [*self.frames[:first], *map(np.array, part.pictures), *self.frames[end:]]
