"""A small picture for every moment of the history: what was in hand when it came to rest. Bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from flow_explorer.widgets.pixels import enlarged, to_image

if TYPE_CHECKING:
    from flow_explorer.explorer.controller import Controller

__all__ = ["CAP_BYTES", "SIDE", "Thumbnails"]

SIDE = 80
"""Pixels of a thumbnail's longer side; a smaller picture is kept as it is."""
CAP_BYTES = 8 * 2**20
"""Of all thumbnails; those that were made or seen longest ago are dropped, and made again when one returns there."""
SETTLE_MS = 30


class Thumbnails(QObject):
    """Follows an Explorer's controller; `get(serial)` is a moment's picture, None where none was seen at rest."""

    changed = Signal(int)
    """The thumbnail of this moment is another one."""

    def __init__(self, controller: Controller, cap: int = CAP_BYTES, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller, self._cap = controller, cap
        self._kept: OrderedDict[int, QImage] = OrderedDict()
        self._source: tuple[int, np.ndarray] | None = None
        # Not during an answer: the picture is looked at when all that listens to it has been told.
        self._timer = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._timer.timeout.connect(self.take)
        for signal in (controller.shown_changed, controller.busy_changed):
            signal.connect(self._soon)

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def get(self, serial: int) -> QImage | None:
        found = self._kept.get(serial)
        if found is not None:
            self._kept.move_to_end(serial)
        return found

    @property
    def bytes(self) -> int:
        """What they take."""
        return sum(image.sizeInBytes() for image in self._kept.values())

    def take(self) -> None:
        """Keep the picture in hand for the present moment, if what is on screen is that moment's own and exact."""
        self._timer.stop()
        picture = self._in_hand()
        serial = self._controller.history.serial
        if picture is None or (self._source is not None and self._source[0] == serial and self._source[1] is picture):
            return
        self._source = (serial, picture)
        scale = min(1.0, SIDE / max(picture.shape[:2]))
        height, width = (max(1, round(scale * side)) for side in picture.shape[:2])
        self._kept[serial] = to_image(picture) if scale == 1.0 else enlarged(picture, width, height)
        self._kept.move_to_end(serial)
        within = {moment.serial for moment in self._controller.history.moments()}
        for gone in [kept for kept in self._kept if kept not in within]:
            del self._kept[gone]
        while len(self._kept) > 1 and self.bytes > self._cap:
            self._kept.popitem(last=False)
        self.changed.emit(serial)

    def _in_hand(self) -> np.ndarray | None:
        controller = self._controller
        state, page = controller.state, controller.page.view
        if not controller.started or controller.model is None or controller.play_position is not None:
            return None
        subject = state.shown
        if controller.facet is not None:
            own = controller.facet.shown()
            if controller.facet.busy or own is not None:
                return own.picture if own is not None and not controller.facet.busy else None
            subject = state.subject
        if subject in ("A", "B"):
            slot = controller.slots[subject].view
            return None if slot.busy else slot.reconstruction
        if subject == "walk" and controller.walk.possible:
            walk = controller.walk.view
            return walk.picture if walk.picture_t == state.walk.t and not controller.walk.at_busy else None
        index = max(0, state.selected)
        slot = page.slots[index] if index < len(page.fresh) and page.fresh[index] else None
        return slot.picture if slot is not None else None
