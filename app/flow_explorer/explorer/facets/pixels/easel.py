"""A picture as large as it fits, on which places have coordinates: what looking and painting share."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_picture, draw_placeholder
from flow_explorer.widgets.focus import KeyboardFocus, ring

__all__ = ["Easel"]


class Easel(KeyboardFocus, QWidget):
    """Shows a picture; derived classes paint over it (`paint_over`) and take the pointer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture: np.ndarray | None = None
        self.smooth = True
        self._cache = PictureCache()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(420, 420)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 120)

    def show_picture(self, picture: np.ndarray | None) -> None:
        """Show another picture, uint8 (H, W, C)."""
        if picture is not self.picture:
            self.picture = picture
            self.update()

    def set_smooth(self, smooth: bool) -> None:
        if smooth != self.smooth:
            self.smooth = smooth
            self.update()

    @property
    def sides(self) -> tuple[int, int]:
        """(H, W) of the picture; of none a square's."""
        return self.picture.shape[:2] if self.picture is not None else (1, 1)

    def area(self) -> QRectF:
        """Where the picture is, at the upper left of the widget."""
        height, width = self.sides
        factor = max(0.0, min(self.width() / width, self.height() / height))
        if not self.smooth and factor * self.devicePixelRatioF() >= 1:
            factor = int(factor * self.devicePixelRatioF()) / self.devicePixelRatioF()
        return QRectF(0, 0, round(width * factor), round(height * factor))

    def share_at(self, point: QPointF) -> tuple[float, float]:
        """(x, y) of a point of the widget as shares of the picture; beyond 0 to 1 where it is outside."""
        area = self.area()
        return (point.x() - area.left()) / max(area.width(), 1.0), (point.y() - area.top()) / max(area.height(), 1.0)

    def point_at(self, x: float, y: float) -> QPointF:
        """Where shares of the picture are in the widget."""
        area = self.area()
        return QPointF(area.left() + x * area.width(), area.top() + y * area.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.area()
        if self.picture is None:
            draw_placeholder(painter, area)
        else:
            draw_picture(painter, area, self.picture, self._cache, self.smooth)
            self.paint_over(painter, area)
        if self.focus_visible:
            ring(painter, area, 4)
        painter.end()

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Paint what stands on the picture."""
