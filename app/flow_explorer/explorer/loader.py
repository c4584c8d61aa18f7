"""Decodes large pictures beside the window, so that a photograph of fifty megapixels does not hold it still."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal

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

    @property
    def busy(self) -> bool:
        return self.awaited > 0

    def read(self, data: bytes, name: str, done: Done) -> bool:
        """Decode; returns whether that goes on after this call."""
        if len(data) <= LARGE_BYTES:
            done(*_decode(data, name))
            return False

        def tell(outcome: tuple[Picture | None, str]) -> None:
            done(*outcome)
            self.changed.emit()

        self.run_in_thread(lambda: _decode(data, name), tell)
        self.changed.emit()
        return True


def _decode(data: bytes, name: str) -> tuple[Picture | None, str]:
    try:
        return read_picture(data, name=name or None), ""
    except FlowError as error:
        return None, str(error)
    except MemoryError:
        return None, f"{name} is too large for the memory that is free: make it smaller first."
