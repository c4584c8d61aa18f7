"""The picture that one paints on: a round brush follows the pointer, or the arrow keys."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, qGray
from PySide6.QtWidgets import QWidget

from flow_explorer.explorer.facets.pixels.easel import Easel
from flow_explorer.explorer.facets.pixels.state import POINTS
from flow_explorer.i18n import tr
from flow_explorer.widgets.focus import ACTIVATION_KEYS

__all__ = ["BrushView"]


class BrushView(Easel):
    """`drawn(points)` while a stroke grows, all of its points so far as shares of the picture; `rested` when it ends."""

    drawn = Signal(object)
    rested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._radius = 0.04
        self._colour: QColor | None = QColor("#ffffff")
        self._points: list[tuple[float, float]] = []
        self._cursor: tuple[float, float] | None = None
        self._drawing = False
        self.setAccessibleName(tr("The picture; paint on it"))
        self.setToolTip(tr("Drag to paint. By keyboard: arrow keys move the brush, Space makes a dab.\n"
                           "z(painted) − z(before) is shown beside it"))  # fmt: skip

    def show_brush(self, radius: float, colour: tuple[int, int, int] | None) -> None:
        """The brush's radius as a share of the picture, and its colour; None for the eraser."""
        self._radius, self._colour = radius, None if colour is None else QColor(*colour)
        self.setAccessibleDescription(tr("Eraser") if colour is None else QColor(*colour).name())
        self.update()

    @property
    def drawing(self) -> bool:
        """Whether a stroke is being drawn."""
        return self._drawing

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        if self._cursor is None:
            return
        centre = self.point_at(*self._cursor)
        radius = max(self._radius * max(area.width(), area.height()), 3.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, thickness in ((QColor(0, 0, 0, 150), 3.0), (QColor("#ffffff"), 1.5)):
            painter.setPen(QPen(colour, thickness))
            painter.drawEllipse(centre, radius, radius)
        if self._colour is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            grey = self.picture is not None and self.picture.shape[2] == 1
            level = qGray(self._colour.rgb())
            painter.setBrush(QColor(level, level, level) if grey else self._colour)
            painter.drawEllipse(centre, 3.0, 3.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.picture is not None:
            self._drawing, self._points = True, []
            self._to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drawing:
            self._to(event.position())
        elif self.picture is not None:
            self._cursor = self.share_at(event.position())
            self.setCursor(Qt.CursorShape.BlankCursor if self.area().contains(event.position()) else Qt.CursorShape.ArrowCursor)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._drawing:
            self._drawing = False
            self.rested.emit()

    def leaveEvent(self, event: QEvent) -> None:
        self._cursor = None
        self.update()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        step = steps.get(Qt.Key(event.key()))
        if self.picture is None or (step is None and event.key() not in ACTIVATION_KEYS):
            super().keyPressEvent(event)
            return
        height, width = self.sides
        x, y = self._cursor or (0.5, 0.5)
        if step is not None:
            far = 8 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._cursor = (min(max(x + far * step[0] / width, 0.0), 1.0), min(max(y + far * step[1] / height, 0.0), 1.0))
            self.update()
            return
        self._cursor = (x, y)
        self.drawn.emit(((x, y),))
        self.rested.emit()

    def _to(self, place: QPointF) -> None:
        x, y = (round(min(max(value, -0.5), 1.5), 5) for value in self.share_at(place))
        self._cursor = (x, y)
        height, width = self.sides
        # A quarter of a pixel is as fine as anything that is painted here.
        far = not self._points or max(abs(x - self._points[-1][0]) * width, abs(y - self._points[-1][1]) * height) >= 0.25
        if far and len(self._points) < POINTS:
            self._points.append((x, y))
            self.drawn.emit(tuple(self._points))
        self.update()
