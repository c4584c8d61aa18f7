"""The pad: a grid of pictures for orientation, and the picture at the point, as fast as the hand moves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.requests.paths import PadAt, PadGrid
from flow_explorer.explorer.latest import Latest, Newest
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr
from flowcore.latents.timeline import bilinear_label
from flowcore.model.labels import Label

__all__ = ["GRID", "PadLink", "stacked"]

GRID = 5


def stacked(latents: list[np.ndarray]) -> np.ndarray:
    """Latents as rows (N, D), at the finest precision among them."""
    return np.stack([z.astype(np.result_type(*latents)) for z in latents])


class PadLink:
    """Keeps the grid and the point's picture equal to the corners and the point, while it is synced."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._grid_lane, self._at_lane = Latest(client), Newest(client)
        self._pad: tuple | None = None
        self._at: tuple | None = None
        self.grid: list[np.ndarray | None] = [None] * GRID**2
        self.latent: Latent | None = None
        """The picture at `place`, with its z."""
        self.place = (0.5, 0.5)
        self.bpd: float | None = None
        self.error = ""

    @property
    def busy(self) -> bool:
        return self._grid_lane.busy or self._at_lane.busy

    def forget(self) -> None:
        self._pad = self._at = None
        self._grid_lane.forget()
        self._at_lane.forget()

    def sync(self, model: Model, keys: tuple[str, ...] | None, latents: list[np.ndarray], labels: tuple[Label, ...],
             place: tuple[float, float], norm_kept: bool) -> None:
        """`keys` name the corners' `latents`; None while not all are known."""
        if keys is None:
            if self._pad is not None or self.latent is not None:
                self._grid_lane.drop()
                self._at_lane.drop()
                self.forget()
                self.grid, self.latent, self.bpd, self.error = [None] * GRID**2, None, None, ""
                self._on_change()
            return
        pad = (str(model.path), keys, labels, norm_kept)
        corners = stacked(latents)
        if pad != self._pad:
            self._pad, self._at, self.error = pad, None, ""
            request = PadGrid(str(model.path), corners, GRID, norm_kept, labels)
            self._grid_lane.ask(request, lambda message: self._gridded(message, pad), self._failed, at_once=True)
        if place != self._at:
            self._at = place
            request = PadAt(str(model.path), corners, *place, norm_kept, labels)
            self._at_lane.ask(request, lambda message: self._placed(message, pad, model), self._failed)

    def _gridded(self, message: Any, pad: tuple) -> None:
        pictures = message.arrays.get("pictures")
        if pad != self._pad or pictures is None:
            return
        first = int(message.data["first"])
        self.grid[first : first + len(pictures)] = map(np.array, pictures)
        self._on_change()

    def _placed(self, message: Any, pad: tuple, model: Model) -> None:
        if pad != self._pad:
            return
        place = (float(message.data["x"]), float(message.data["y"]))
        if "picture" in message.arrays:
            label = bilinear_label(pad[2], *place)
            name = tr("pad at {x}, {y}", x=f"{place[0]:.2f}", y=f"{place[1]:.2f}")
            self.latent = model.latent(np.array(message.arrays["z"]), np.array(message.arrays["picture"]), name, label)
            self.place, self.bpd = place, None
        if message.data.get("bpd") is not None and place == self.place:
            self.bpd = float(message.data["bpd"])
        self._on_change()

    def _failed(self, sentence: str, _details: str) -> None:
        self.error = sentence
        self._on_change()
