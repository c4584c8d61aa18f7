"""Decodes large pictures beside the window, so that a photograph of fifty megapixels does not hold it still."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from flow_explorer.one_thread import OneThread
from flowcore.errors import FlowError
from flowcore.pictures.images import Picture, read_picture

__all__ = ["LARGE_BYTES", "Loader"]

LARGE_BYTES = 600_000
"""Files up to this size are decoded at once: that takes a few milliseconds."""

Done = Callable[[Picture | None, str], None]


class Loader(OneThread):
    """`read` calls back with the picture, or None and a sentence; at once, or when a worker is done."""

    changed = Signal()
    """`busy` may be different now."""
    _finished = Signal(int, object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[int, Done] = {}
        self._next = 0
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def read(self, data: bytes, name: str, done: Done) -> bool:
        """Decode; returns whether that goes on after this call."""
        if len(data) <= LARGE_BYTES:
            done(*_decode(data, name))
            return False
        self._next += 1
        number = self._next
        self._waiting[number] = done
        self._pool.start(lambda: self._finished.emit(number, *_decode(data, name)))
        self.changed.emit()
        return True

    def _deliver(self, number: int, picture: Picture | None, sentence: str) -> None:
        done = self._waiting.pop(number, None)
        if done is not None:
            done(picture, sentence)
        self.changed.emit()

    def wait(self) -> None:
        """Let the worker end (the window closes); its answer is not delivered."""
        self._waiting.clear()
        super().wait()


def _decode(data: bytes, name: str) -> tuple[Picture | None, str]:
    try:
        return read_picture(data, name=name or None), ""
    except FlowError as error:
        return None, str(error)
    except MemoryError:
        return None, f"{name} is too large for the memory that is free: make it smaller first."
