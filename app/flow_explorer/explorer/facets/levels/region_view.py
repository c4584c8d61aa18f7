"""The subject, large, with a brush for the part that is locked, and what drifts there."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_picture, draw_placeholder, picture_area
from flow_explorer.i18n import tr
from flow_explorer.widgets.focus import KeyboardFocus, ring

__all__ = ["RegionView"]


class RegionView(KeyboardFocus, QWidget):
    """`painted(mask)` when a stroke ends: bool (H, W), a new array."""

    painted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: np.ndarray | None = None
        self._mask = np.zeros((1, 1), bool)
        self._drift: np.ndarray | None = None
        self._cache = PictureCache()
        self._stroke: bool | None = None
        self._point: QPointF | None = None
        """Where the brush is, in pixels of the picture."""
        self.brush = 0.16
        """Diameter, as a share of the picture's side."""
        self.erasing = False
        self.smooth = True
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 160)
        self.setAccessibleName(tr("The picture, to brush the part that is locked"))
        self.setToolTip(tr("Brush what is to stay; the right button takes away. Arrow keys move the brush, Space paints.\n"
                           "The lock is on z: z = own where brushed, drawn elsewhere"))  # fmt: skip
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(360, 360)

    def show_picture(self, picture: np.ndarray | None, mask: np.ndarray, drift: np.ndarray | None) -> None:
        """Show the subject (H, W, C), the brushed places bool (H, W), and how far pixels drift (H, W) or None."""
        self._picture, self._drift = picture, drift
        if self._stroke is None:
            self._mask = mask
        self.update()

    def area(self) -> QRectF:
        """Where the picture is."""
        if self._picture is None:
            return QRectF()
        height, width = self._picture.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        wide, high = width * scale, height * scale
        rect = QRectF(0, 0, wide, high)
        return picture_area(rect, self._picture.shape, self.devicePixelRatioF(), self.smooth)

    def _place(self, position: QPointF) -> QPointF:
        area = self.area()
        height, width = self._mask.shape
        return QPointF((position.x() - area.left()) / area.width() * width, (position.y() - area.top()) / area.height() * height)

    def _dab(self, place: QPointF, on: bool) -> None:
        height, width = self._mask.shape
        radius = max(0.5, self.brush * min(height, width) / 2)
        rows, columns = np.mgrid[:height, :width]
        near = (rows + 0.5 - place.y()) ** 2 + (columns + 0.5 - place.x()) ** 2 <= radius**2
        # However small the brush: the pixel that it points at.
        near |= (rows == int(place.y())) & (columns == int(place.x()))
        self._mask = np.where(near, on, self._mask)
        self.update()

    def _line(self, start: QPointF, end: QPointF, on: bool) -> None:
        """Dabs from one place to the next, close enough to join."""
        step = max(0.5, self.brush * min(self._mask.shape) / 4)
        length = ((end.x() - start.x()) ** 2 + (end.y() - start.y()) ** 2) ** 0.5
        for share in np.linspace(0, 1, max(2, int(length / step) + 1)):
            self._dab(start + (end - start) * float(share), on)

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        buttons = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)
        if self._picture is None or event.button() not in buttons or not self.area().contains(event.position()):
            return
        self._stroke = not self.erasing and event.button() == Qt.MouseButton.LeftButton
        self._point = self._place(event.position())
        self._dab(self._point, self._stroke)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._picture is None:
            return
        place = self._place(event.position())
        if self._stroke is not None and self._point is not None:
            self._line(self._point, place, self._stroke)
        self._point = place
        self.setCursor(Qt.CursorShape.CrossCursor if self.area().contains(event.position()) else Qt.CursorShape.ArrowCursor)
        self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        if self._stroke is not None:
            self._stroke = None
            self.painted.emit(self._mask.copy())

    def leaveEvent(self, event) -> None:
        if self._stroke is None and not self.hasFocus():
            self._point = None
            self.update()
        super().leaveEvent(event)

    def contextMenuEvent(self, event) -> None:
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._picture is None:
            super().keyPressEvent(event)
            return
        height, width = self._mask.shape
        point = self._point or QPointF(width / 2, height / 2)
        step = 1.0 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else max(1.0, self.brush * min(height, width) / 4)
        moves = {Qt.Key.Key_Left: (-step, 0), Qt.Key.Key_Right: (step, 0), Qt.Key.Key_Up: (0, -step), Qt.Key.Key_Down: (0, step)}
        key = Qt.Key(event.key())
        if key in moves:
            across, down = moves[key]
            self._point = QPointF(min(max(point.x() + across, 0), width), min(max(point.y() + down, 0), height))
            self.update()
        elif key == Qt.Key.Key_Space:
            self._point = point
            self._dab(point, not self.erasing)
            self.painted.emit(self._mask.copy())
        else:
            super().keyPressEvent(event)

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._picture is None:
            side = min(self.width(), self.height())
            draw_placeholder(painter, QRectF(0, 0, side, side))
            return
        area = self.area()
        draw_picture(painter, area, self._picture, self._cache, self.smooth)
        if self._mask.shape == self._picture.shape[:2]:
            if self._drift is not None:
                painter.drawImage(area, _tinted(np.minimum(255, 2 * self._drift.astype(np.int32)), theme.color("warning")))
            painter.drawImage(area, _tinted(np.where(self._mask, 96, 0), theme.color("z")))
        if self._point is not None and (self.focus_visible or self.underMouse()):
            height, width = self._mask.shape
            across, down = self._point.x() / width, self._point.y() / height
            centre = QPointF(area.left() + across * area.width(), area.top() + down * area.height())
            radius = max(1.0, self.brush * min(area.width(), area.height()) / 2)
            for colour, pen in ((QColor(0, 0, 0, 160), 3), (QColor(255, 255, 255), 1)):
                painter.setPen(QPen(colour, pen))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(centre, radius, radius)
        if self.focus_visible:
            ring(painter, area, 5)
        painter.end()


def _tinted(strength: np.ndarray, colour: QColor) -> QImage:
    """An image of one colour whose opacity is `strength` (H, W), 0 to 255."""
    alpha = np.clip(strength, 0, 255).astype(np.uint16)
    pixels = np.empty((*alpha.shape, 4), np.uint8)
    for place, value in enumerate((colour.blue(), colour.green(), colour.red())):
        pixels[..., place] = value * alpha // 255
    pixels[..., 3] = alpha
    height, width = alpha.shape
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()
