"""The strip of frames of a walk: click one to go there, drag one out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_cell, draw_outline, picture_area
from flow_explorer.explorer.state import STRIP
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import CellView

__all__ = ["StripView"]

GAP = 6
LETTER = 20
"""Room for A on the left and B on the right, in pixels."""
MARGIN = 3
NEAR = 0.004
"""So near a frame's t the walk stands at it."""


class StripView(CellView):
    """Nine frames from A to B in one row, as high as the widget."""

    picked = Signal(float)
    dragged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames: list[np.ndarray | None] = [None] * STRIP
        self._t = 0.5
        self._cache = PictureCache()
        self.smooth = True
        self.aspect = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName(tr("Frames of the walk from A to B"))
        self.setToolTip(tr("Click a frame to go there, or drag it to a well or out of the window."))
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(600, 90)

    def show_frames(self, frames: Sequence[np.ndarray | None]) -> None:
        self._frames = list(frames)
        self.update()

    def set_position(self, t: float) -> None:
        if t != self._t:
            self._t = t
            self.update()

    def side_for(self, width: int, limit: int) -> int:
        """The height of a frame for a width of the whole strip."""
        room = (width - 2 * LETTER - (STRIP - 1) * GAP - 2 * MARGIN) / STRIP
        return max(32, min(limit, int(room / self.aspect)))

    def cell(self, index: int) -> QRectF:
        """Where a frame is: the row fills the width, and the frames stand apart where they cannot grow."""
        height = self.height() - 2 * MARGIN
        width = height * self.aspect
        room = self.width() - 2 * LETTER - 2 * MARGIN
        step = (room - width) / (STRIP - 1)
        return QRectF(LETTER + MARGIN + index * step, MARGIN, width, height)

    @property
    def inset(self) -> float:
        """Where t = 0 is, from the left edge: the first frame's middle."""
        return self.cell(0).center().x()

    @property
    def count(self) -> int:
        return STRIP

    @property
    def current(self) -> int:
        return next((index for index in range(STRIP) if abs(self._t - index / (STRIP - 1)) < NEAR), -1)

    def cell_name(self, index: int) -> str:
        return tr("Frame at {t}", t=f"{index / (STRIP - 1):.3f}")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, frame in enumerate(self._frames):
            rect = self.cell(index)
            draw_cell(painter, rect, frame, self._cache, self.smooth)
            if frame is not None and index == self.current:
                rect = picture_area(rect, frame.shape, self.devicePixelRatioF(), self.smooth)
                draw_outline(painter, rect, theme.color("z"))
        painter.setFont(theme.font(bold=True))
        for text, tone, left in (("A", "a_text", 0), ("B", "b_text", self.width() - LETTER + 4)):
            painter.setPen(theme.color(tone))
            painter.drawText(QRectF(left, 0, LETTER - 4, self.height()), Qt.AlignmentFlag.AlignCenter, text)
        painter.end()

    def choose(self, index: int) -> None:
        if self._frames[index] is not None:
            self.picked.emit(index / (STRIP - 1))

    def pull(self, index: int) -> None:
        if self._frames[index] is not None:
            self.dragged.emit(index / (STRIP - 1))
