"""The picture at −3 to +3 standard deviations of one direction; a click takes that amount."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.directions.words import amount_text
from flow_explorer.explorer.paint import PictureCache, draw_captioned
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import CellView
from flow_explorer.widgets.focus import ring
from flow_explorer.widgets.sameness import same

__all__ = ["PLACES", "StripView"]

PLACES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
GAP = 8
CAPTION = 20
MARGIN = 3


class StripView(CellView):
    """`picked(amount)` when a picture is clicked, or chosen by the arrow keys."""

    kept_keys = (Qt.Key.Key_Left, Qt.Key.Key_Right)
    caption = CAPTION

    picked = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames: dict[float, np.ndarray] = {}
        self._amount = 0.0
        self._painted: list = []
        self._cache = PictureCache()
        self.smooth = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("The picture along the direction in hand"))
        self.setToolTip(tr("The same picture at −3 to +3 standard deviations of the direction in hand; click one to take it.\n"
                           "z + a σ v, all other directions as they are"))
        theme.paint_with(self)

    def show_frames(self, frames: Mapping[float, np.ndarray], amount: float) -> None:
        """The pictures that are there, by amount, and where the slider stands."""
        chosen = [abs(place - amount) < 0.05 for place in PLACES]
        if not same(self._painted, painted := [[frames.get(place) for place in PLACES], chosen]):
            self._painted = painted
            self.update()
        self._frames, self._amount = dict(frames), amount
        self.setAccessibleDescription(tr("It stands at {amount}", amount=amount_text(amount)))
        self.tell_reader()

    @property
    def count(self) -> int:
        return len(PLACES)

    @property
    def current(self) -> int:
        return min(range(self.count), key=lambda index: abs(PLACES[index] - self._amount))

    def cell_name(self, index: int) -> str:
        return amount_text(PLACES[index])

    def side_for(self, width: int) -> int:
        """The side of a picture in a strip of this width."""
        return max(24, min(104, (width - 2 * MARGIN - (len(PLACES) - 1) * GAP) // len(PLACES)))

    def height_for(self, width: int) -> int:
        return self.side_for(width) + CAPTION + 2 * MARGIN

    def sizeHint(self) -> QSize:
        return QSize(480, self.height_for(480))

    def cell(self, index: int) -> QRectF:
        """Where a picture is, without its caption."""
        side = self.side_for(self.width())
        return QRectF(MARGIN + index * (side + GAP), MARGIN, side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        for index, place in enumerate(PLACES):
            rect = self.cell(index)
            below = QRectF(rect.left() - GAP / 2, rect.bottom() + 2, rect.width() + GAP, CAPTION - 2)
            chosen = abs(place - self._amount) < 0.05
            draw_captioned(painter, rect, below, self._frames.get(place), amount_text(place), chosen, self._cache, self.smooth)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), 5)
        painter.end()

    def choose(self, index: int) -> None:
        self.picked.emit(PLACES[index])
