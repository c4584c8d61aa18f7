"""The pad: a grid of pictures for orientation, and the picture at the point, as fast as the hand moves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query, same
from flow_explorer.engine.requests.explorer import BitsAt, FramesPart, PictureAt
from flow_explorer.engine.requests.paths import PadAt, PadGrid
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
        self._grid, self._at = Query(client, on_change), Query(client, on_change, each=True)
        self.grid: list[np.ndarray | None] = [None] * GRID**2
        self.latent: Latent | None = None
        """The picture at `place`, with its z."""
        self.place = (0.5, 0.5)
        self.bpd: float | None = None

    @property
    def busy(self) -> bool:
        return self._grid.busy or self._at.busy

    @property
    def error(self) -> str:
        return self._grid.error or self._at.error

    def forget(self) -> None:
        self._grid.forget()
        self._at.forget()

    def sync(self, model: Model, keys: tuple[str, ...] | None, latents: list[np.ndarray], labels: tuple[Label, ...],
             place: tuple[float, float], norm_kept: bool) -> None:
        """`keys` name the corners' `latents`; None while not all are known."""
        if keys is None:
            if self._grid.request is not None or self.latent is not None:
                self._grid.want(None)
                self._at.want(None)
                self.grid, self.latent, self.bpd = [None] * GRID**2, None, None
                self._on_change()
            return
        path, corners = str(model.path), stacked(latents)
        self._grid.want(PadGrid(path, corners, GRID, norm_kept, labels), self._gridded, at_once=True)
        request = PadAt(path, corners, *place, norm_kept, labels)
        self._at.want(request, lambda answer, _newest: self._placed(answer, request, model))

    def _gridded(self, part: FramesPart, _newest: bool) -> None:
        self.grid[part.first : part.first + len(part.pictures)] = map(np.array, part.pictures)

    def _placed(self, answer: PictureAt | BitsAt, request: PadAt, model: Model) -> None:
        # During a drag the answers of older places are shown too, of these corners alone.
        if not same(request, self._at.request, "model", "corners", "norm_kept", "labels"):
            return
        place = (request.x, request.y)
        if isinstance(answer, PictureAt):
            label = bilinear_label(request.labels, *place)
            name = tr("pad at {x}, {y}", x=f"{place[0]:.2f}", y=f"{place[1]:.2f}")
            self.latent = model.latent(np.array(answer.z), np.array(answer.picture), name, label)
            self.place, self.bpd = place, None
        elif place == self.place:
            self.bpd = answer.bpd
