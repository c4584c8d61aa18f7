"""Writes animations beside the window: encoded in a worker, cancellable, the file whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from flow_explorer.i18n import tr
from flow_explorer.one_thread import OneThread
from flowcore.errors import FlowError
from flowcore.pictures.animation import Tick
from flowcore.pictures.image_writing import write_atomically

__all__ = ["AnimationSaver", "MakeAnimation"]

MakeAnimation = Callable[[Tick], bytes]


class _Stopped(Exception):
    """The person pressed Cancel."""


class AnimationSaver(OneThread):
    """One file at a time. `done(path, sentence)` has a sentence where it failed, and both empty where it was cancelled."""

    changed = Signal()
    """`busy` may be different now."""
    progressed = Signal(float)
    done = Signal(str, str)
    _told = Signal(object, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop: threading.Event | None = None
        self._told.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return self._stop is not None

    def save(self, path: str | Path, make: MakeAnimation) -> None:
        """Encode and write; what was under way is given up."""
        self.cancel()
        stop = self._stop = threading.Event()

        def tick(share: float) -> None:
            if stop.is_set():
                raise _Stopped
            self._told.emit(stop, share)

        def work() -> str:
            data = make(tick)
            tick(1.0)
            return str(write_atomically(path, data))

        self.run_in_thread(work, lambda written: self._end(written, ""), lambda error: self._end("", _sentence(error)))
        self.changed.emit()

    def cancel(self) -> None:
        """Give it up: nothing is written. Tells so at once, before the worker has noticed."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None
            self.abandon()
            self.done.emit("", "")
            self.changed.emit()

    def wait(self) -> None:
        """Give up and let the worker end (the window closes)."""
        if self._stop is not None:
            self._stop.set()
        super().wait()

    def _tell(self, stop: threading.Event, share: float) -> None:
        if stop is self._stop:
            self.progressed.emit(share)

    def _end(self, path: str, sentence: str) -> None:
        self._stop = None
        self.done.emit(path, sentence)
        self.changed.emit()


def _sentence(error: Exception) -> str:
    if isinstance(error, FlowError):
        return str(error)
    if isinstance(error, MemoryError):
        return tr("The animation is too large for the free memory: choose a smaller size.")
    return tr("The animation could not be encoded ({error}).", error=str(error))
