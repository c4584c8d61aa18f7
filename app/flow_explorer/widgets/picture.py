"""One picture: enlarged smoothly or by whole pixels, corners barely rounded, selectable, draggable."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QMimeData, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QDrag,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QTransform,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.widgets.focus import ACTIVATION_KEYS, KeyboardFocus
from flow_explorer.widgets.pixels import enlarged, from_image, to_rgb

CORNER = 4


def paint_picture(
    painter: QPainter, area: QRectF, image: QImage, corner: float = CORNER, opacity: float = 1.0
) -> None:
    """Paint ``image`` (already at device resolution) into ``area`` with rounded, antialiased corners."""
    if image.isNull() or area.isEmpty():
        return
    brush = QBrush(QPixmap.fromImage(image))
    brush.setTransform(
        QTransform().translate(area.x(), area.y()).scale(area.width() / image.width(), area.height() / image.height())
    )
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(opacity)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    painter.drawRoundedRect(area, corner, corner)
    painter.restore()


def rounded(image: QImage, ratio: float, corner: float = CORNER) -> QPixmap:
    """A picture at device resolution, its corners cut already: painting it is a copy, where `paint_picture` fills a path.

    ``corner`` is in logical pixels, of which one is ``ratio`` device pixels; the pixmap itself is in device pixels.
    """
    cut = QPixmap(image.size())
    cut.fill(Qt.GlobalColor.transparent)
    painter = QPainter(cut)
    paint_picture(painter, QRectF(cut.rect()), image, corner * ratio)
    painter.end()
    return cut


def paint_rounded(painter: QPainter, area: QRectF, picture: QPixmap, opacity: float = 1.0) -> None:
    """Paint what :func:`rounded` made into ``area``, whose edges fall on device pixels."""
    before = painter.opacity()
    painter.setOpacity(opacity * before)
    painter.drawPixmap(area, picture, QRectF(picture.rect()))
    painter.setOpacity(before)


class PictureLabel(KeyboardFocus, QWidget):
    """Shows a uint8 picture as large as it fits, centred, at its own proportions.

    ``outline`` is a theme colour's name ("a", "b", "accent") or None. With a ``drag_data`` function the
    picture can be dragged out; it is called when the drag begins and returns the QMimeData (or None for no
    drag).
    """

    clicked = Signal()
    activated = Signal()
    """Double click, Enter or Space."""

    def __init__(
        self, name: str = "", smooth: bool = True, margin: int = 0, interactive: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.margin = margin
        self.drag_data: Callable[[], QMimeData | None] | None = None
        self._array: np.ndarray | None = None
        self._smooth = smooth
        self._outline: str | None = None
        self._given: np.ndarray | None = None
        self._cache: tuple[QSize, float, QImage, QPixmap] | None = None
        self._press: QPoint | None = None
        self._dim = 1.0
        self.interactive = interactive
        if interactive:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    def set_array(self, array: np.ndarray | None) -> None:
        """Show a uint8 (H,W), (H,W,1), (H,W,3) or (H,W,4) picture; None shows nothing.

        The array is not copied, and must not change afterwards: the same one given again is not painted again.
        """
        if array is self._given:
            return
        self._array = None if array is None else to_rgb(array)
        self._given = array
        self._cache = None
        self.update()

    def set_image(self, image: QImage | None) -> None:
        """Show a QImage; None shows nothing."""
        self.set_array(None if image is None or image.isNull() else from_image(image))

    def array(self) -> np.ndarray | None:
        """The picture shown, (H,W,3) or (H,W,4)."""
        return self._array

    def set_smooth(self, smooth: bool) -> None:
        """Enlarge smoothly, or by whole pixels."""
        if smooth != self._smooth:
            self._smooth, self._cache = smooth, None
            self.update()

    def set_outline(self, tone: str | None) -> None:
        """Draw an outline in the theme's colour ``tone`` around the picture, or none."""
        if tone != self._outline:
            self._outline = tone
            self.update()

    def set_stale(self, stale: bool) -> None:
        """Dim the picture a little while a newer one is being computed."""
        dim = 0.55 if stale else 1.0
        if dim != self._dim:
            self._dim = dim
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(128, 128)

    def hasHeightForWidth(self) -> bool:
        return False

    def picture_rect(self) -> QRectF:
        """Where the picture is painted, logical pixels; edges fall on device pixels."""
        if self._array is None:
            return QRectF()
        ratio = self.devicePixelRatioF()
        room_w, room_h = self.width() - 2 * self.margin, self.height() - 2 * self.margin
        height, width = self._array.shape[:2]
        scale = max(0.0, min(room_w / width, room_h / height)) * ratio
        if not self._smooth and scale >= 1:
            scale = int(scale)  # whole pixels need a whole factor in device pixels
        wide, high = max(1, round(width * scale)) / ratio, max(1, round(height * scale)) / ratio
        left = round((self.width() - wide) / 2 * ratio) / ratio
        top = round((self.height() - high) / 2 * ratio) / ratio
        return QRectF(left, top, wide, high)

    def rendered(self) -> QImage:
        """The picture at the device resolution it is shown at (null when there is none)."""
        return self._render()[0]

    def _render(self) -> tuple[QImage, QPixmap]:
        area = self.picture_rect()
        if self._array is None or area.isEmpty():
            return QImage(), QPixmap()
        ratio = self.devicePixelRatioF()
        size = QSize(round(area.width() * ratio), round(area.height() * ratio))
        if self._cache is None or self._cache[0] != size or self._cache[1] != ratio:
            image = enlarged(self._array, size.width(), size.height(), self._smooth)
            self._cache = (size, ratio, image, rounded(image, ratio))
        return self._cache[2:]

    def paintEvent(self, _event: QPaintEvent) -> None:
        _image, picture = self._render()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.picture_rect()
        if not area.isEmpty():
            paint_rounded(painter, area, picture, self._dim)
        tone = "accent" if self.focus_visible else self._outline
        if tone and not area.isEmpty():
            painter.setPen(QPen(theme.color(tone), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), CORNER - 1, CORNER - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = event.position().toPoint()
            event.setAccepted(self.interactive or self.drag_data is not None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None or self.drag_data is None:
            return
        far = (event.position().toPoint() - self._press).manhattanLength() >= QApplication.startDragDistance()
        if far and self._array is not None:
            self._press = None
            start_drag(self, self.drag_data(), self._array)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._press is not None:
            self._press = None
            if self.rect().contains(event.position().toPoint()):
                self.clicked.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.activated.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ACTIVATION_KEYS:
            self.clicked.emit()
            self.activated.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._cache = None
        super().changeEvent(event)


def start_drag(source: QWidget, data: QMimeData | None, array: np.ndarray) -> None:
    """Begin a drag of ``data`` with a thumbnail of ``array`` at the pointer; does nothing without data."""
    if data is None:
        return
    ratio = source.devicePixelRatioF()
    height, width = array.shape[:2]
    scale = 72 * ratio / max(height, width)
    thumb = QPixmap.fromImage(enlarged(array, round(width * scale), round(height * scale)))
    thumb.setDevicePixelRatio(ratio)
    drag = QDrag(source)
    drag.setMimeData(data)
    drag.setPixmap(thumb)
    drag.setHotSpot(QPoint(12, 12))
    drag.exec(Qt.DropAction.CopyAction)
