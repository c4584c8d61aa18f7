"""The picture that one points into: the pixel that is looked at, or, over it, the pixels that a z moves."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from flow_explorer.explorer.facets.pixels.colours import overlay
from flow_explorer.explorer.facets.pixels.picture_canvas import PictureCanvas
from flow_explorer.i18n import tr
from flow_explorer.widgets.picture import paint_picture
from flow_explorer.widgets.pixels import enlarged

__all__ = ["PointView"]

FAR = 8
"""Pixels that an arrow key goes with Shift."""


class PointView(PictureCanvas):
    """`pointed(x, y)` in shares of the picture while the person points, `rested` when that ends."""

    pointed = Signal(float, float)
    rested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._x = self._y = 0.5
        self._reach = 0.0
        self._values: np.ndarray | None = None
        self._opacity = 0.8
        self._laid: tuple | None = None
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(tr("The picture; point into it"))
        self.setToolTip(tr("Click or drag to a pixel to see which z it moves; arrow keys move it, with Shift by eight.\n"
                           "|∂z/∂x · v|, v being this pixel's channels"))  # fmt: skip

    def show_point(self, x: float, y: float, reach: float) -> None:
        """The pixel that is looked at, and the radius around it that moves with it, in shares."""
        self._x, self._y, self._reach = x, y, reach
        height, width = self.sides
        self.setAccessibleDescription(tr("Row {row}, column {column}", row=min(int(y * height), height - 1) + 1,
                                         column=min(int(x * width), width - 1) + 1))  # fmt: skip
        self.update()

    def show_reached(self, values: np.ndarray | None, opacity: float) -> None:
        """How much each pixel moves with the z that is picked, (H, W); None where none is."""
        self._values, self._opacity = values, opacity
        self.update()

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        if self._values is not None:
            self._paint_overlay(painter, area, self._values)
            return
        height, width = self.sides
        row, column = min(int(self._y * height), height - 1), min(int(self._x * width), width - 1)
        centre = self.point_at((column + 0.5) / width, (row + 0.5) / height)
        radius = max((self._reach * max(height, width) + 0.5) * area.width() / width, 6.0)
        # Dark under light, so that it is seen on any picture.
        for colour, thickness in ((QColor(0, 0, 0, 170), 4.0), (QColor("#ffffff"), 2.0)):
            painter.setPen(QPen(colour, thickness))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, radius, radius)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                away = QPointF(dx, dy)
                painter.drawLine(centre + away * (radius + 3), centre + away * (radius + 9))

    def _paint_overlay(self, painter: QPainter, area: QRectF, values: np.ndarray) -> None:
        ratio = self.devicePixelRatioF()
        size = (round(area.width() * ratio), round(area.height() * ratio))
        if min(size) < 1:
            return
        wanted = (id(values), values, self._opacity, size, self.smooth)
        if self._laid is None or self._laid[0][0] != wanted[0] or self._laid[0][2:] != wanted[2:]:
            # The very strongest pixel may stand alone, far above the others.
            top = float(np.quantile(values, 0.995))
            self._laid = (wanted, enlarged(overlay(values, top, self._opacity), *size, self.smooth))
        paint_picture(painter, area, self._laid[1])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.picture is not None:
            self._point(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self.picture is not None:
            self._point(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.rested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        step = steps.get(Qt.Key(event.key()))
        if step is None or self.picture is None:
            super().keyPressEvent(event)
            return
        far = FAR if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        height, width = self.sides
        column = min(max(min(int(self._x * width), width - 1) + far * step[0], 0), width - 1)
        row = min(max(min(int(self._y * height), height - 1) + far * step[1], 0), height - 1)
        self.pointed.emit((column + 0.5) / width, (row + 0.5) / height)
        if not event.isAutoRepeat():
            self.rested.emit()

    def _point(self, place: QPointF) -> None:
        height, width = self.sides
        x, y = self.share_at(place)
        column, row = min(max(int(x * width), 0), width - 1), min(max(int(y * height), 0), height - 1)
        self.pointed.emit((column + 0.5) / width, (row + 0.5) / height)
