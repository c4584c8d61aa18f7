"""The timeline: the picture at its present time, and, once somebody plays it, all of its frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.requests.paths import TimelineAt, TimelineExport, TimelineFrames
from flow_explorer.explorer.facets.paths.pad_link import stacked
from flow_explorer.explorer.latest import Latest, Newest
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.store import Latent
from flow_explorer.i18n import tr
from flowcore.errors import ConfigError
from flowcore.latents.timeline import Timeline, frame_times, sample_label
from flowcore.model.labels import Label

__all__ = ["KeysLink"]


class KeysLink:
    """Keeps the picture, and while `playing` the frames, equal to the keyframes."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._client = client
        self._on_change = on_change
        self._at_lane, self._frames_lane = Newest(client), Latest(client)
        self._keys: tuple | None = None
        self._fields: tuple | None = None
        self._at: float | None = None
        self._framed: tuple | None = None
        self._export: int | None = None
        self.latent: Latent | None = None
        self.time = 0.0
        """When the picture of `latent` is."""
        self.bpd: float | None = None
        self.frames: list[np.ndarray | None] = []
        self.times: list[float] = []
        self.error = ""

    @property
    def busy(self) -> bool:
        return self._at_lane.busy or self._frames_lane.busy or self._export is not None

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
        self._at = self._framed = None
        self._at_lane.forget()
        self._frames_lane.forget()

    def sync(self, model: Model, keys: tuple[str, ...] | None, latents: list[np.ndarray], labels: tuple[Label, ...],
             timeline: Timeline | None, time: float) -> None:
        """`keys` name the keyframes' `latents`; None while not all are known."""
        if keys is None or timeline is None:
            if self._keys is not None or self.latent is not None:
                self.stop()
                self._at_lane.drop()
                self.forget()
                self._keys = self._fields = self.latent = self.bpd = None
                self.error = ""
                self._on_change()
            return
        described = (str(model.path), keys, labels, timeline)
        if described != self._keys:
            self._keys, self._at, self.error = described, None, ""
            self._fields = (str(model.path), stacked(latents), timeline.seconds, timeline.easings, timeline.loop, timeline.path,
                            labels)  # fmt: skip
            self.stop()
        if time != self._at:
            self._at = time
            request = TimelineAt(*self._fields, time)
            self._at_lane.ask(request, lambda message: self._placed(message, described, model), self._failed)

    def play(self, fps: float) -> bool:
        """Ask for all frames at even times, unless they are there; False where that cannot be, with the `error` said."""
        if self._keys is None or self._fields is None:
            return False
        timeline, wanted = self._keys[3], (self._keys, fps)
        if wanted == self._framed:
            return True
        try:
            times = frame_times(timeline.duration, fps, timeline.loop)
        except ConfigError as error:
            self.error = str(error)
            self._on_change()
            return False
        self._framed, self.times, self.frames, self.error = wanted, times, [None] * len(times), ""
        request = TimelineFrames(*self._fields, tuple(times))
        self._frames_lane.ask(request, lambda message: self._came(message, wanted), self._failed, at_once=True)
        return True

    def stop(self) -> None:
        """The frames are of no use any more."""
        self._frames_lane.drop()
        self._framed, self.frames, self.times = None, [], []

    def export(self, fps: float, on_progress: Callable[[float], None], on_frames: Callable[[list[np.ndarray]], None],
               on_error: Callable[[str], None]) -> None:
        """Decode all frames for a file. Those that were played are taken as they are."""
        if self._keys is None or self._fields is None:
            return
        if self.complete and self._framed == (self._keys, fps):
            on_frames([frame for frame in self.frames if frame is not None])
            return
        try:
            timeline = self._keys[3]
            times = tuple(frame_times(timeline.duration, fps, timeline.loop))
        except ConfigError as error:
            on_error(str(error))
            return
        frames: list[np.ndarray | None] = [None] * len(times)

        def answered(message: Any) -> None:
            if message.arrays.get("pictures") is not None:
                for index, picture in zip(message.data["indices"], message.arrays["pictures"], strict=True):
                    frames[int(index)] = np.array(picture)
                on_progress(sum(frame is not None for frame in frames) / len(frames))
            if message.done:
                self._export = None
                on_frames([frame for frame in frames if frame is not None])

        def failed(sentence: str, _details: str = "", *_more: object) -> None:
            self._export = None
            on_error(sentence)

        self._export = -1
        self._export = self._client.send(TimelineExport(*self._fields, times), on_answer=answered, on_error=failed)

    def cancel_export(self) -> None:
        if self._export is not None:
            self._client.cancel(self._export)
            self._export = None

    def _placed(self, message: Any, described: tuple, model: Model) -> None:
        if described != self._keys:
            return
        time = float(message.data["time"])
        if "picture" in message.arrays:
            label = sample_label(described[2], described[3], time)
            name = tr("frame at {time} s", time=f"{time:.2f}")
            self.latent = model.latent(np.array(message.arrays["z"]), np.array(message.arrays["picture"]), name, label)
            self.time, self.bpd = time, None
        if message.data.get("bpd") is not None and time == self.time:
            self.bpd = float(message.data["bpd"])
        self._on_change()

    def _came(self, message: Any, wanted: tuple) -> None:
        pictures = message.arrays.get("pictures")
        if wanted != self._framed or pictures is None:
            return
        for index, picture in zip(message.data["indices"], pictures, strict=True):
            self.frames[int(index)] = np.array(picture)
        self._on_change()

    def _failed(self, sentence: str, _details: str) -> None:
        self.error = sentence
        self._on_change()
