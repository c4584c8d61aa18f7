"""A timeline on its way to a file: its frames decoded by the engine, then encoded beside the window, with its recipe inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from flow_explorer.explorer.facets.base import Host
from flow_explorer.explorer.facets.paths.keys_link import KeysLink
from flow_explorer.explorer.moving.animating import Animated, AnimationSaver
from flow_explorer.explorer.moving.drag_drop import file_name
from flow_explorer.explorer.moving.recipes import make_recipe
from flow_explorer.i18n import tr
from flowcore.errors import FlowError, PictureError
from flowcore.pictures.animation import Tick, animation_bytes

__all__ = ["TimelineSaver"]

DECODING = 0.7
"""The share of the work that decoding is taken for."""


class TimelineSaver(QObject):
    """`save` a file; `share` of it is done while it is `busy`, and `cancel` gives it up."""

    changed = Signal()

    def __init__(self, host: Host, link: KeysLink, saver: AnimationSaver, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._host, self._link, self._saver = host, link, saver
        self.share = 0.0
        self.words = ""
        self._decoding = False
        saver.progressed.connect(lambda share: self._tell(DECODING + (1 - DECODING) * share, self._writing()))
        saver.done.connect(self._done)

    @property
    def busy(self) -> bool:
        return self._decoding or self._saver.busy

    def name(self, suffix: str) -> str:
        """A file name that says what is inside. Raises `PictureError` without a model."""
        model = self._host.controller.model
        if model is None:
            raise PictureError(tr("There is no model: choose one first."))
        return file_name(model.title.lower(), "timeline", suffix=suffix)

    def _writing(self) -> str:
        return tr("Writing the file")

    def save(self, path: str | Path, wanted: Animated) -> None:
        """Decode, encode and write; what fails is said in the window."""
        self.cancel(tell=False)
        controller, model = self._host.controller, self._host.controller.model
        assert model is not None  # there is no timeline without
        try:
            recipe = make_recipe("timeline", controller.state, controller.store, model, carried=("paths",))
        except FlowError as error:
            self._host.context.notify(str(error))
            return
        smooth = False

        def ready(frames: list[np.ndarray]) -> None:
            self._decoding = False

            def make(tick: Tick) -> bytes:
                return animation_bytes(wanted.suffix, frames, recipe, scale=wanted.scale, smooth=smooth, fps=wanted.fps,
                                       back=wanted.back, tick=tick)  # fmt: skip

            self._saver.save(path, make)
            self._tell(DECODING, self._writing())

        def failed(sentence: str) -> None:
            self._decoding = False
            self._host.context.notify(sentence)
            self.changed.emit()

        self._decoding = True
        self._tell(0.0, tr("Decoding"))
        self._link.export(wanted.fps, lambda share: self._tell(DECODING * share, tr("Decoding")), ready, failed)

    def cancel(self, tell: bool = True) -> None:
        """Give it up: nothing is written."""
        was = self._decoding
        self._decoding = False
        self._link.cancel_export()
        self._saver.cancel()
        if was and tell:
            self._done("", "")

    def _tell(self, share: float, words: str) -> None:
        self.share, self.words = share, words
        self.changed.emit()

    def _done(self, path: str, sentence: str) -> None:
        notify = self._host.context.notify
        if path:
            self._host.context.settings.set("explorer.save_folder", str(Path(path).parent))
            notify(tr("Saved {path}.", path=path), kind="good")
        elif sentence:
            notify(sentence)
        else:
            notify(tr("Cancelled: nothing was saved."), kind="notice")
        self.changed.emit()
