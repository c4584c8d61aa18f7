"""The walk: from the two slots' z to the strip, the curve under it, and the frame at the present position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query, same
from flow_explorer.engine.requests.explorer import BitsAt, PictureAt, WalkAt, WalkFrames, WalkPart
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.state import Walk
from flow_explorer.explorer.store import Store
from flow_explorer.explorer.view_model import WalkView, curve_ts
from flowcore.model.labels import Label, between

__all__ = ["WalkLink", "ends"]


def ends(store: Store, a: str, b: str) -> tuple[np.ndarray, np.ndarray]:
    """Both ends' z at one precision: the finer of the two."""
    first, second = store.latent(a), store.latent(b)
    dtype = np.result_type(first, second)
    return first.astype(dtype), second.astype(dtype)


class WalkLink:
    """Keeps a `WalkView` equal to the two ends, the mode and the position."""

    def __init__(self, client: Any, store: Store, on_walk: Callable[[], None], on_position: Callable[[], None]) -> None:
        self._store = store
        self._on_walk = on_walk
        self._on_position = on_position
        self._frames, self._at = Query(client, on_walk), Query(client, on_position, each=True)
        self.view = WalkView()
        self.possible = False
        self.z: np.ndarray | None = None
        """The z of the frame at the present position, once the engine has answered."""
        self.label: Label = ()
        """The class of that z, or where between the ends' classes it lies."""

    @property
    def busy(self) -> bool:
        return self._frames.busy or self.at_busy

    @property
    def at_busy(self) -> bool:
        """Whether the frame at the present position, or its bits per dimension, has not come yet."""
        return self._at.busy or (isinstance(self._at.request, WalkAt) and self._at.request.draft and not self._at.error)

    def forget(self) -> None:
        self._frames.forget()
        self._at.forget()
        self.view.fresh = [False] * len(self.view.fresh)

    def sync(self, model: Model | None, a: str, b: str, walk: Walk, t: float, labels: tuple[Label, Label] = ((), ()),
             draft: bool = False) -> None:
        """`a` and `b` are the keys of the slots' z, empty where there is none (yet), `labels` the classes of both; with `draft`
        an end is being moved, and only what follows it at once is asked for."""
        if model is None or not a or not b:
            if self.possible or self._at.request is not None:
                self._frames.want(None)
                self._at.want(None)
                self.possible, self.view, self.z, self.label = False, WalkView(), None, ()
                self._on_walk()
                self._on_position()
            return
        began, self.possible = not self.possible, True
        path, first, second, ts = str(model.path), *ends(self._store, a, b), tuple(curve_ts())
        frames = WalkFrames(path, first, second, walk.mode, ts, *labels)
        wanted = None if draft and self._frames.asks(frames) else frames
        if self._frames.asks(wanted) or began:
            # Frames of an older path stay on screen until new ones replace them, one by one; no more of them are needed.
            self.view.fresh = [False] * len(self.view.fresh)
            if not draft:
                self.view.error = self.view.details = ""
            self._frames.want(wanted, self._framed, self._failed, at_once=True)
            self._on_walk()
        request = WalkAt(path, first, second, walk.mode, t, *labels, draft)
        self._at.want(request, lambda answer, _newest: self._placed(answer, request), self._failed)

    def _framed(self, part: WalkPart, _newest: bool) -> None:
        ts = curve_ts()[part.first : part.first + len(part.pictures)]
        self.view.take(ts, [np.array(frame) for frame in part.pictures], part.bpd)

    def _placed(self, answer: PictureAt | BitsAt, request: WalkAt) -> None:
        # During a drag the answer of an older position is shown too, of these ends alone; the client keeps them in order.
        if not same(request, self._at.request, "model", "a", "b", "mode", "label_a", "label_b"):
            return
        if isinstance(answer, PictureAt):
            self.view.picture, self.view.picture_t = np.array(answer.picture), request.t
            self.z = np.array(answer.z)
            self.label = between(request.label_a, request.label_b, request.t)
            self.view.bpd = None
        elif self.view.picture_t == request.t:
            self.view.bpd = answer.bpd

    def _failed(self, sentence: str, details: str) -> None:
        self.view.error, self.view.details = sentence, details
