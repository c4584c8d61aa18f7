"""The picture of a slot under the model's eye: move it by dragging, zoom by the wheel, turn it. Emits crops only."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_picture, picture_area
from flow_explorer.i18n import tr
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.picture import CORNER
from flow_explorer.widgets.pixels import enlarged
from flowcore.pictures.crop import Crop, crop_size
from flowcore.pictures.images import Picture

__all__ = ["ZOOM_MAX", "ZOOM_MIN", "CropView", "moved", "zoomed"]

ZOOM_MIN, ZOOM_MAX = 0.5, 16.0
PREVIEW = 1024
"""Longest side of the copy that is painted while editing, in pixels."""
INSET = 0.14
"""Share of the view on every side of the crop, where the rest of the picture shows dimmed, while editing."""


def moved(crop: Crop, picture: Picture, dx: float, dy: float, size: tuple[int, int]) -> Crop:
    """The crop after its window moved by (dx, dy) of the picture's pixels, seen in the turned window."""
    turn = math.radians(crop.angle)
    x = dx * math.cos(turn) - dy * math.sin(turn)
    y = dx * math.sin(turn) + dy * math.cos(turn)
    return _kept(replace(crop, center_x=_near(crop.center_x + x / picture.width),
                         center_y=_near(crop.center_y + y / picture.height)), picture, size)


def zoomed(crop: Crop, picture: Picture, factor: float, size: tuple[int, int]) -> Crop:
    """The crop after zooming in by a factor about its centre."""
    zoom = round(min(max(crop.zoom * factor, ZOOM_MIN), ZOOM_MAX), 3)
    return _kept(replace(crop, zoom=zoom), picture, size)


def _near(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _kept(crop: Crop, picture: Picture, size: tuple[int, int]) -> Crop:
    """On the picture: a crop that is not turned shows no background where there is enough picture."""
    return crop.clamped(picture, *size) if crop.angle % 360 == 0 else crop


class CropView(KeyboardFocus, QWidget):
    """Shows what the model sees; while `editing`, the picture itself with the rest of it dimmed around the crop."""

    changed = Signal(object)
    """Another `Crop`, while the person drags, turns the wheel or presses a key."""
    rested = Signal()
    dragged_out = Signal()
    """The person pulls the picture away; only where it cannot be moved (a sample)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: Picture | None = None
        self._preview: QImage | None = None
        self._seen: np.ndarray | None = None
        self._crop = Crop()
        self._size = (1, 1)
        self._grab: QPointF | None = None
        self._cache = PictureCache()
        # The wheel and the keys have no release: a pause ends their step.
        self._pause = QTimer(self, interval=350, singleShot=True)
        self._pause.timeout.connect(self.rested)
        self.editing = False
        self.movable = True
        self.smooth = True
        self.inset = INSET
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(160, 160)

    def show_picture(self, picture: Picture | None, crop: Crop, seen: np.ndarray | None, size: tuple[int, int]) -> None:
        """The whole picture, its crop, what the model sees of it, and the model's (height, width)."""
        if picture is not self._picture:
            self._picture, self._preview = picture, None
        self._crop, self._seen, self._size = crop, seen, size
        self._hint()
        self.update()

    def set_editing(self, editing: bool, movable: bool) -> None:
        self.editing, self.movable = editing, movable
        self._hint()
        self.update()

    def _hint(self) -> None:
        if self._picture is None:
            return
        free = self.movable or self.editing
        self.setCursor(Qt.CursorShape.OpenHandCursor if free else Qt.CursorShape.ArrowCursor)
        self.setToolTip(tr("What the model sees. Drag to move the picture, turn the wheel to zoom.") if free
                        else tr("What the model sees."))  # fmt: skip

    def frame(self) -> QRectF:
        """Where the crop is on the widget."""
        height, width = self._size
        inset = self.inset * min(self.width(), self.height()) if self.editing else 0.0
        room = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        scale = min(room.width() / width, room.height() / height)
        if not self.smooth and not self.editing:
            return picture_area(room, self._size, self.devicePixelRatioF(), smooth=False)
        w, h = width * scale, height * scale
        return QRectF(room.center().x() - w / 2, room.center().y() - h / 2, w, h)

    def _scale(self) -> float:
        """Widget pixels to one pixel of the picture."""
        assert self._picture is not None
        return self.frame().width() / crop_size(self._picture, self._crop, *self._size)[0]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.editing and self._picture is not None:
            self._paint_editing(painter)
        elif self._seen is not None:
            draw_picture(painter, self.frame(), self._seen, self._cache, self.smooth)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), CORNER)
        painter.end()

    def paint_whole(self, painter: QPainter) -> None:
        """The picture itself, as far as it is on the widget, turned and zoomed as the crop says."""
        picture, crop, frame = self._picture, self._crop, self.frame()
        if picture is None:
            return
        if self._preview is None:
            shrink = min(1.0, PREVIEW / max(picture.width, picture.height))
            self._preview = enlarged(picture.pixels, round(picture.width * shrink), round(picture.height * shrink))
        clip = QPainterPath()
        clip.addRoundedRect(QRectF(self.rect()), CORNER, CORNER)
        painter.setClipPath(clip)
        painter.fillRect(self.rect(), QColor(crop.background))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        scale = self._scale()
        painter.translate(frame.center())
        painter.rotate(-crop.angle)
        painter.scale(scale, scale)
        painter.translate(-crop.center_x * picture.width, -crop.center_y * picture.height)
        painter.drawImage(QRectF(0, 0, picture.width, picture.height), self._preview)
        painter.restore()

    def _paint_editing(self, painter: QPainter) -> None:
        frame = self.frame()
        self.paint_whole(painter)
        outside = QPainterPath()
        outside.addRect(QRectF(self.rect()))
        outside.addRect(frame)
        painter.fillPath(outside, QColor(0, 0, 0, 150))
        painter.setPen(QPen(QColor(255, 255, 255, 230), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)

    # Mouse and keyboard

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._picture is not None:
            self._grab = event.position()
            if self.movable or self.editing:
                self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grab is None or self._picture is None:
            return
        delta = event.position() - self._grab
        if self.movable or self.editing:
            scale = self._scale()
            crop = moved(self._crop, self._picture, -delta.x() / scale, -delta.y() / scale, self._size)
            self._grab = event.position()
            self._emit(crop)
        elif delta.manhattanLength() > 10:
            self._grab = None
            self.dragged_out.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._grab is not None:
            self._grab = None
            self._hint()
            self.rested.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta().y()
        if turn and self._picture is not None and (self.movable or self.editing):
            self._emit(zoomed(self._crop, self._picture, 2 ** (turn / 720), self._size))
            event.accept()
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps: dict[int, tuple[int, int]] = {
            Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
        }  # fmt: skip
        factors: dict[int, float] = {Qt.Key.Key_Plus: 1.1, Qt.Key.Key_Equal: 1.1, Qt.Key.Key_Minus: 1 / 1.1}
        picture = self._picture if self.movable or self.editing else None
        if picture is not None and event.key() in steps:
            width = crop_size(picture, self._crop, *self._size)[0]
            # One pixel of what the model sees, but never less than one of the picture's own.
            step = max(1.0, width / self._size[1])
            dx, dy = steps[event.key()]
            self._emit(moved(self._crop, picture, dx * step, dy * step, self._size))
        elif picture is not None and event.key() in factors:
            self._emit(zoomed(self._crop, picture, factors[event.key()], self._size))
        else:
            super().keyPressEvent(event)

    def _emit(self, crop: Crop) -> None:
        if crop != self._crop:
            self._crop = crop
            self.update()
            if self._grab is None:
                self._pause.start()
            self.changed.emit(crop)
