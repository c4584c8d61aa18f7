"""The timeline: the picture at its present time, and, once somebody plays it, all of its frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.explorer import BitsAt, PictureAt
from flow_explorer.engine.requests.paths import TimelineAt, TimelineExport, TimelineFrames, TimelinePart
from flow_explorer.explorer.facets.paths.pad_link import stacked
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr
from flowcore.errors import ConfigError
from flowcore.latents.timeline import Timeline, frame_times, sample_label
from flowcore.model.labels import Label

__all__ = ["KeysLink"]

Fields = tuple[str, np.ndarray, tuple[float, ...], tuple[str, ...], bool, str, tuple[Label, ...]]
"""(model, keys (K, D), seconds, easings, loop, path, labels): what every request of a timeline says."""


class KeysLink:
    """Keeps the picture, and while `playing` the frames, equal to the keyframes."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._at, self._frames = Query(client, on_change, each=True), Query(client, on_change)
        self._export = Query(client)
        self._keys: tuple | None = None
        self._fields: Fields | None = None
        self.latent: Latent | None = None
        self.time = 0.0
        """When the picture of `latent` is."""
        self.bpd: float | None = None
        self.frames: list[np.ndarray | None] = []
        self.times: list[float] = []
        self._problem = ""

    @property
    def busy(self) -> bool:
        return self._at.busy or self._frames.busy or self._export.busy

    @property
    def error(self) -> str:
        return self._problem or self._frames.error or self._at.error

    @property
    def ready(self) -> bool:
        """Whether every keyframe's z is known."""
        return self._fields is not None

    @property
    def described(self) -> tuple | None:
        """(model, keys of z, labels, timeline) that it is about; None while not all are known."""
        return self._keys

    @property
    def decoded(self) -> int:
        """How many frames have come."""
        return sum(frame is not None for frame in self.frames)

    @property
    def complete(self) -> bool:
        return bool(self.frames) and self.decoded == len(self.frames)

    def forget(self) -> None:
        self._at.forget()
        self._frames.forget()

    def sync(self, model: Model, keys: tuple[str, ...] | None, latents: list[np.ndarray], labels: tuple[Label, ...],
             timeline: Timeline | None, time: float) -> None:
        """`keys` name the keyframes' `latents`; None while not all are known."""
        if keys is None or timeline is None:
            if self._keys is not None or self.latent is not None:
                self.stop()
                self._at.want(None)
                self._keys = self._fields = self.latent = self.bpd = None
                self._on_change()
            return
        described = (str(model.path), keys, labels, timeline)
        fields = self._fields
        if fields is None or described != self._keys:
            self._keys = described
            fields = (str(model.path), stacked(latents), timeline.seconds, timeline.easings, timeline.loop, timeline.path, labels)
            self._fields = fields
            self.stop()
        request = TimelineAt(*fields, time)
        self._at.want(request, lambda answer, _newest: self._placed(answer, request.time, described, model))

    def play(self, fps: float) -> bool:
        """Ask for all frames at even times, unless they are there; False where that cannot be, with the `error` said."""
        if self._keys is None or self._fields is None:
            return False
        timeline = self._keys[3]
        try:
            times = frame_times(timeline.duration, fps, timeline.loop)
        except ConfigError as error:
            self._problem = str(error)
            self._on_change()
            return False
        if self._frames.want(TimelineFrames(*self._fields, tuple(times)), self._came, at_once=True):
            self.times, self._problem = times, ""
            self.frames = [None] * len(times)
        return True

    def stop(self) -> None:
        """The frames are of no use any more."""
        self._frames.want(None)
        self.frames, self.times, self._problem = [], [], ""

    def export(self, fps: float, on_progress: Callable[[float], None], on_frames: Callable[[list[np.ndarray]], None],
               on_error: Callable[[str], None]) -> None:
        """Decode all frames for a file. Those that were played are taken as they are."""
        if self._keys is None or self._fields is None:
            return
        try:
            timeline = self._keys[3]
            times = tuple(frame_times(timeline.duration, fps, timeline.loop))
        except ConfigError as error:
            on_error(str(error))
            return
        if self.complete and tuple(self.times) == times:
            on_frames([frame for frame in self.frames if frame is not None])
            return
        frames: list[np.ndarray | None] = [None] * len(times)

        def answered(part: TimelinePart, _newest: bool) -> None:
            for index, picture in zip(part.indices, part.pictures, strict=True):
                frames[index] = np.array(picture)
            on_progress(sum(frame is not None for frame in frames) / len(frames))
            if part.done:
                on_frames([frame for frame in frames if frame is not None])

        self._export.forget()  # the same may be saved again
        self._export.want(TimelineExport(*self._fields, times), answered, lambda sentence, _details: on_error(sentence))

    def cancel_export(self) -> None:
        self._export.want(None)

    def _placed(self, answer: PictureAt | BitsAt, time: float, described: tuple, model: Model) -> None:
        if described != self._keys:
            return
        if isinstance(answer, PictureAt):
            label = sample_label(described[2], described[3], time)
            name = tr("frame at {time} s", time=f"{time:.2f}")
            self.latent = model.latent(np.array(answer.z), np.array(answer.picture), name, label)
            self.time, self.bpd = time, None
        elif time == self.time:
            self.bpd = answer.bpd

    def _came(self, part: TimelinePart, _newest: bool) -> None:
        for index, picture in zip(part.indices, part.pictures, strict=True):
            self.frames[index] = np.array(picture)
