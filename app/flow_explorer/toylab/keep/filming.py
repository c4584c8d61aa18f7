"""A training on its way to an animation: filmed by the engine, then drawn and encoded beside the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from flow_explorer import theme
from flow_explorer.animation_saving import AnimationSaver
from flow_explorer.engine.client import EngineClient, Message
from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.toykeep import FilmToy
from flow_explorer.i18n import tr
from flow_explorer.toylab.keep.film_sheet import Filmed
from flowcore.plane.course import Course
from flowcore.plane.drawing import Look, film_bytes
from flowcore.plane.shots import CurvePoint, Scene, Shot, schedule

__all__ = ["Filming", "look_of"]

TRAINING = 0.6
"""The share of the work that training is taken for."""


def look_of(tones: theme.Theme) -> Look:
    """The theme's colours as pictures take them."""
    return Look.of(
        paper=tones.window, panel=tones.surface, line=tones.line, text=tones.text, muted=tones.muted, data=tones.a,
        model=tones.b, prior=tones.z, good=tones.good,
    )  # fmt: skip


class Filming(QObject):
    """`save` a file; `share` of it is done while it is `busy`, and `cancel` gives it up.

    `done(path, sentence)` has a sentence where it failed, and both empty where it was cancelled.
    """

    changed = Signal()
    done = Signal(str, str)

    def __init__(self, engine: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._query = Query(engine, self._progressed)
        self._saver = AnimationSaver(self)
        self._saver.progressed.connect(lambda share: self._tell(TRAINING + (1 - TRAINING) * share, tr("Drawing the animation")))
        self._saver.done.connect(self._ended)
        self.share = 0.0
        self.words = ""

    @property
    def busy(self) -> bool:
        """A file is under way."""
        return self._query.busy or self._saver.busy

    def save(self, path: str | Path, wanted: Filmed, config: dict[str, Any], course: Course, steps: int,
             recipe: dict[str, Any] | None = None) -> None:
        """Train again, draw, encode, write; what was under way is given up."""
        self._stop()
        look = look_of(theme.current())
        scene: list[Scene] = []
        shots: list[Shot] = []

        def answered(message: Message, _current: bool) -> None:
            data, arrays = message.data, {name: np.array(array) for name, array in message.arrays.items()}
            if message.kind == "scene":
                # Also where another engine begins it anew.
                shots.clear()
                scene[:] = [Scene(data["title"], data["about"], arrays["truth"], arrays["data"], data["reach"], data["entropy"])]
                return
            point = CurvePoint(data["step"], data["nll"], data["standard_error"], learning_rate=data["learning_rate"])
            shots.append(Shot(arrays["samples"], arrays["prior"], arrays["grid"], arrays["heat"], point))
            if message.done:
                self._saver.save(path, lambda tick: film_bytes(
                    wanted.suffix, scene[0], shots, wanted.seconds, wanted.side, look, recipe, tick
                ))  # fmt: skip
                self._tell(TRAINING, tr("Drawing the animation"))

        request = FilmToy(config, course.changes, tuple(schedule(steps, wanted.frames)), course.inherited)
        self._query.want(request, answered, lambda sentence, _details: self._ended("", sentence))
        self._tell(0.0, tr("Training again for the animation"))

    def cancel(self) -> None:
        """Give it up: nothing is written."""
        if self._stop():
            self._ended("", "")

    def _stop(self) -> bool:
        """Whether there was a training to give up; what is being drawn tells so itself."""
        trained = self._query.busy
        self._query.want(None)
        self._saver.cancel()
        return trained

    def _progressed(self) -> None:
        if self._query.progress is not None:
            self._tell(TRAINING * self._query.progress[0], tr("Training again for the animation"))

    def _tell(self, share: float, words: str) -> None:
        self.share, self.words = share, words
        self.changed.emit()

    def _ended(self, path: str, sentence: str) -> None:
        self.changed.emit()
        self.done.emit(path, sentence)
