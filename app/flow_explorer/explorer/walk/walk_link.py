"""The walk: from the two wells' z to the strip, the curve under it, and the frame at the present position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.requests.base import WalkAt, WalkFrames
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
        self._client = client
        self._store = store
        self._on_walk = on_walk
        self._on_position = on_position
        self._path: tuple | None = None
        self._frames_of: tuple | None = None
        self._at: tuple | None = None
        self._turn = 0
        self._frames_id = -1
        self._frames_busy = self._at_busy = False
        self.view = WalkView()
        self.possible = False
        self.z: np.ndarray | None = None
        """The z of the frame at the present position, once the engine has answered."""
        self.label: Label = ()
        """The class of that z, or where between the ends' classes it lies."""

    @property
    def busy(self) -> bool:
        return self._frames_busy or self._at_busy

    @property
    def at_busy(self) -> bool:
        """Whether the frame at the present position, or its bits per dimension, has not come yet."""
        return self._at_busy

    def forget(self) -> None:
        self._path = self._frames_of = self._at = None
        self._turn += 1
        self._frames_busy = self._at_busy = False
        self.view.fresh = [False] * len(self.view.fresh)

    def sync(self, model: Model | None, a: str, b: str, walk: Walk, t: float, labels: tuple[Label, Label] = ((), ()),
             draft: bool = False) -> None:
        """`a` and `b` are the keys of the wells' z, empty where there is none (yet), `labels` the classes of both; with `draft`
        an end is being moved, and only what follows it at once is asked for."""
        if model is None or not a or not b:
            if self.possible or self._path is not None:
                self.forget()
                self.possible, self.view, self.z, self.label = False, WalkView(), None, ()
                self._on_walk()
                self._on_position()
            return
        path = (str(model.path), a, b, walk.mode, labels)
        if path != self._path:
            self._path, self._at = path, None
            self.possible = True
            self._leave_frames()
        if self._frames_of != path and not draft:
            self._frames_of = path
            self._ask_frames(path)
            self._on_walk()
        if (at := (path, t, draft)) != self._at:
            self._at = at
            self._ask_at(at)

    def _leave_frames(self) -> None:
        """Frames of an older path stay on screen until new ones replace them, one by one; no more of them are needed."""
        self._turn += 1
        self._frames_of = None
        if self._frames_busy:
            self._client.cancel(self._frames_id)
        self._frames_busy = False
        self.view.fresh = [False] * len(self.view.fresh)
        self._on_walk()

    def _ask_frames(self, path: tuple) -> None:
        turn = self._turn
        ts = tuple(curve_ts())
        a, b = ends(self._store, path[1], path[2])
        self._frames_busy = True
        self.view.error = self.view.details = ""

        def answered(message: Any) -> None:
            if turn != self._turn:
                return
            frames = message.arrays.get("pictures")
            if frames is not None and len(frames):
                first = int(message.data["first"])
                chosen = slice(first, first + len(frames))
                self.view.take(ts[chosen], [np.array(frame) for frame in frames], message.data["bpd"])
            self._frames_busy = not message.done
            self._on_walk()

        def failed(sentence: str, details: str = "", *_more: object) -> None:
            if turn == self._turn:
                self._frames_busy = False
                self.view.error, self.view.details = sentence, details
                self._on_walk()

        request = WalkFrames(path[0], a, b, path[3], ts, *path[4])
        self._frames_id = self._client.send(request, on_answer=answered, on_error=failed)

    def _ask_at(self, at: tuple) -> None:
        path, t, draft = at
        a, b = ends(self._store, path[1], path[2])
        self._at_busy = True

        def answered(message: Any) -> None:
            # During a drag the answer of an older position is shown too; the client keeps them in order.
            if self._path != path:
                return
            if "picture" in message.arrays:
                self.view.picture, self.view.picture_t = np.array(message.arrays["picture"]), t
                self.z = np.array(message.arrays["z"])
                self.label = between(*path[4], t)
                self.view.bpd = None
            if message.data.get("bpd") is not None and self.view.picture_t == t:
                self.view.bpd = float(message.data["bpd"])
            if self._at == at and message.done and not draft:
                self._at_busy = False
            self._on_position()

        def failed(sentence: str, details: str = "", *_more: object) -> None:
            if self._at == at:
                self._at_busy = False
                self.view.error, self.view.details = sentence, details
                self._on_position()

        self._client.send(WalkAt(path[0], a, b, path[3], t, *path[4], draft), on_answer=answered, on_error=failed)
