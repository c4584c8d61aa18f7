"""The same walk in four ways: their strips and curves, and their pictures at the one position that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query, same
from flow_explorer.engine.requests.paths import PathPart, PathRows, PathsAt, PicturesAt, WaysBits
from flow_explorer.explorer.facets.paths.state import WAYS
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.state import STRIP
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr
from flowcore.latents.timeline import PIXELS
from flowcore.model.labels import between

__all__ = ["POINTS", "Row", "SideLink"]

POINTS = 17
"""Of each row's curve; every other one is a frame of its strip."""
_STEP = (POINTS - 1) // (STRIP - 1)
TS = tuple(index / (POINTS - 1) for index in (*range(0, POINTS, _STEP), *(index for index in range(POINTS) if index % _STEP)))
"""In the order in which they are asked for: the strip's first."""


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
        return self.frames[::_STEP]


class SideLink:
    """Keeps a `Row` a way equal to the two ends and the position, while it is synced."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._frames, self._at = Query(client, on_change), Query(client, on_change, each=True)
        self.rows = {way: Row() for way in WAYS}
        self.shown_t = 0.0
        """Where the rows' pictures are."""
        self._latents: dict[str, Latent] = {}
        self._bpds: dict[str, float] = {}

    @property
    def busy(self) -> bool:
        return self._frames.busy or self._at.busy

    @property
    def error(self) -> str:
        return self._frames.error or self._at.error

    def forget(self) -> None:
        self._frames.forget()
        self._at.forget()

    def latent(self, way: str) -> Latent | None:
        """A row's picture with its z: of the cross-fade the last one that was encoded."""
        return self._latents.get(way)

    def bpd(self, way: str) -> float | None:
        """Bits per dimension of the picture of `latent`."""
        return self._bpds.get(way)

    def sync(self, model: Model, a: Latent | None, b: Latent | None, t: float) -> None:
        """`a` and `b` are the ends as they came back from z; None where there is none (yet)."""
        if a is None or b is None:
            if self._frames.request is not None:
                self._frames.want(None)
                self._at.want(None)
                self.rows, self._latents, self._bpds = {way: Row() for way in WAYS}, {}, {}
                self._on_change()
            return
        dtype = np.result_type(a.z, b.z)
        ends = (str(model.path), a.z.astype(dtype), b.z.astype(dtype), a.picture, b.picture, WAYS)
        if self._frames.want(PathRows(*ends, TS, a.label, b.label), self._framed, at_once=True):
            self._latents.clear()
        request = PathsAt(*ends, t, a.label, b.label)
        self._at.want(request, lambda answer, _newest: self._placed(answer, request, model, a, b))

    def _framed(self, part: PathPart, _newest: bool) -> None:
        row = self.rows[part.way]
        for t, picture, bpd in zip(TS[part.first :], part.pictures, part.bpd, strict=False):
            index = round(t * (POINTS - 1))
            row.frames[index], row.bpds[index] = np.array(picture), bpd

    def _placed(self, answer: PicturesAt | WaysBits, request: PathsAt, model: Model, a: Latent, b: Latent) -> None:
        # During a drag the answers of older positions are shown too, of these ends alone.
        if not same(request, self._at.request, "model", "a", "b", "picture_a", "picture_b", "label_a", "label_b"):
            return
        t = request.t
        label = between(a.label, b.label, t)
        name = tr("walk at {t}", t=f"{t:.2f}")
        wanted = (1 - t) * np.linalg.norm(a.z) + t * np.linalg.norm(b.z)
        if isinstance(answer, PicturesAt):
            self.shown_t = t
            latents = iter(answer.z)
            for way, picture in zip(WAYS, answer.pictures, strict=True):
                row = self.rows[way]
                row.picture, row.bpd, row.norm = np.array(picture), None, None
                if way != PIXELS:
                    z = np.array(next(latents))
                    row.norm = float(np.linalg.norm(z) / wanted) if wanted > 0 else None
                    self._latents[way] = model.latent(z, row.picture, name, label)
                    self._bpds.pop(way, None)
        elif t == self.shown_t:
            for way, bpd in zip(WAYS, answer.bpd, strict=True):
                self.rows[way].bpd = self._bpds[way] = bpd
            row = self.rows[PIXELS]
            if answer.z_pixels is not None and row.picture is not None:
                z = np.array(answer.z_pixels)
                row.norm = float(np.linalg.norm(z) / wanted) if wanted > 0 else None
                self._latents[PIXELS] = model.latent(z, row.picture, tr("cross-fade at {t}", t=f"{t:.2f}"), label)
