"""The same walk in four ways: their strips and curves, and their pictures at the one position that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flow_explorer.engine.requests.paths import PathRows, PathsAt
from flow_explorer.explorer.facets.paths.state import WAYS
from flow_explorer.explorer.latest import Latest, Newest
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.state import STRIP
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr
from flowcore.latents.timeline import PIXELS
from flowcore.model.labels import between

__all__ = ["POINTS", "Row", "SideLink"]

POINTS = 17
"""Of each row's curve; every other one is a frame of its strip."""


@dataclass
class Row:
    """What one way shows: an older path's pictures stay until this one's have come."""

    frames: list[np.ndarray | None] = field(default_factory=lambda: [None] * POINTS)
    bpds: list[float | None] = field(default_factory=lambda: [None] * POINTS)
    picture: np.ndarray | None = None
    bpd: float | None = None
    norm: float | None = None
    """How long z is at the position, as a share of what lies between the ends' lengths."""

    @property
    def strip(self) -> list[np.ndarray | None]:
        return self.frames[:: (POINTS - 1) // (STRIP - 1)]


class SideLink:
    """Keeps a `Row` a way equal to the two ends and the position, while it is synced."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._frames_lane, self._at_lane = Latest(client), Newest(client)
        self._path: tuple | None = None
        self._at: tuple | None = None
        self.rows = {way: Row() for way in WAYS}
        self.shown_t = 0.0
        """Where the rows' pictures are."""
        self._latents: dict[str, Latent] = {}
        self._bpds: dict[str, float] = {}
        self.error = ""

    @property
    def busy(self) -> bool:
        return self._frames_lane.busy or self._at_lane.busy

    def forget(self) -> None:
        self._path = self._at = None
        self._frames_lane.forget()
        self._at_lane.forget()

    def latent(self, way: str) -> Latent | None:
        """A row's picture with its z: of the cross-fade the last one that was encoded."""
        return self._latents.get(way)

    def bpd(self, way: str) -> float | None:
        """Bits per dimension of the picture of `latent`."""
        return self._bpds.get(way)

    def sync(self, model: Model, a: Latent | None, b: Latent | None, t: float) -> None:
        """`a` and `b` are the ends as they came back from z; None where there is none (yet)."""
        if a is None or b is None:
            if self._path is not None:
                self._frames_lane.drop()
                self._at_lane.drop()
                self.forget()
                self.rows, self._latents, self._bpds, self.error = {way: Row() for way in WAYS}, {}, {}, ""
                self._on_change()
            return
        path = (str(model.path), a.z.tobytes(), b.z.tobytes(), a.picture.tobytes(), b.picture.tobytes(), a.label, b.label)
        dtype = np.result_type(a.z, b.z)
        ends = (str(model.path), a.z.astype(dtype), b.z.astype(dtype), a.picture, b.picture, WAYS)
        if path != self._path:
            self._path, self._at, self.error = path, None, ""
            self._latents.clear()
            step = (POINTS - 1) // (STRIP - 1)
            order = [*range(0, POINTS, step), *(index for index in range(POINTS) if index % step)]
            ts = tuple(index / (POINTS - 1) for index in order)
            request = PathRows(*ends, ts, a.label, b.label)
            self._frames_lane.ask(request, lambda message: self._framed(message, path, ts), self._failed, at_once=True)
        if t != self._at:
            self._at = t
            request = PathsAt(*ends, t, a.label, b.label)
            self._at_lane.ask(request, lambda message: self._placed(message, path, model, a, b), self._failed)

    def _framed(self, message: Any, path: tuple, ts: tuple[float, ...]) -> None:
        pictures = message.arrays.get("pictures")
        if path != self._path or pictures is None:
            return
        row, first = self.rows[message.data["way"]], int(message.data["first"])
        for t, picture, bpd in zip(ts[first:], pictures, message.data["bpd"], strict=False):
            index = round(t * (POINTS - 1))
            row.frames[index], row.bpds[index] = np.array(picture), float(bpd)
        self._on_change()

    def _placed(self, message: Any, path: tuple, model: Model, a: Latent, b: Latent) -> None:
        # During a drag the answers of older positions are shown too: the lane keeps them in order.
        if path != self._path:
            return
        t = float(message.data["t"])
        label = between(a.label, b.label, t)
        name = tr("walk at {t}", t=f"{t:.2f}")
        if "pictures" in message.arrays:
            self.shown_t = t
            wanted = (1 - t) * np.linalg.norm(a.z) + t * np.linalg.norm(b.z)
            latents = iter(message.arrays["z"])
            for way, picture in zip(WAYS, message.arrays["pictures"], strict=True):
                row = self.rows[way]
                row.picture, row.bpd, row.norm = np.array(picture), None, None
                if way != PIXELS:
                    z = np.array(next(latents))
                    row.norm = float(np.linalg.norm(z) / wanted) if wanted > 0 else None
                    self._latents[way] = model.latent(z, row.picture, name, label)
                    self._bpds.pop(way, None)
        if message.data.get("bpd") is not None and t == self.shown_t:
            for way, bpd in zip(WAYS, message.data["bpd"], strict=True):
                self.rows[way].bpd = self._bpds[way] = float(bpd)
            if "z_pixels" in message.arrays:
                z, row = np.array(message.arrays["z_pixels"]), self.rows[PIXELS]
                wanted = (1 - t) * np.linalg.norm(a.z) + t * np.linalg.norm(b.z)
                row.norm = float(np.linalg.norm(z) / wanted) if wanted > 0 else None
                self._latents[PIXELS] = model.latent(z, row.picture, tr("cross-fade at {t}", t=f"{t:.2f}"), label)
        self._on_change()

    def _failed(self, sentence: str, _details: str) -> None:
        self.error = sentence
        self._on_change()
