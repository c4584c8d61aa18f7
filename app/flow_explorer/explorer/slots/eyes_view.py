"""The two-eye guide: two dots dragged onto the eyes, and the picture is turned, zoomed and moved as the model's faces were."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from flow_explorer import theme
from flow_explorer.explorer.slots.crop_editor import CropView, moved, zoomed
from flow_explorer.i18n import tr
from flow_explorer.widgets.focus import ring
from flow_explorer.widgets.picture import CORNER
from flowcore.errors import PictureError
from flowcore.pictures.crop import Crop, Point, crop_corners, crop_for_eyes, points_of_targets
from flowcore.pictures.images import Picture

__all__ = ["EyesView"]

DOT = 8.0
REACH = 16.0
"""A press this near to a dot takes it, in pixels; this near to the line between them, both."""

Eyes = tuple[Point, Point]


class EyesView(CropView):
    """Shows the picture as it was seen when marking began, with two dots, and outlines what the model sees now.

    The picture stands still while a dot is dragged; the crop that follows from both dots leaves as `changed`. Dragging the line
    between them moves both, dragging elsewhere and the wheel move and zoom only what is looked at.
    """

    def __init__(self, tone: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self._targets: Eyes | None = None
        self._marks: list[QPointF] = []
        self._result = Crop()
        self._active = 0
        self._held: tuple[int, ...] | None = None
        self.editing = True
        self.inset = 0.04
        self.setAccessibleName(tr("The two eyes"))
        self.setMouseTracking(True)

    def _hint(self) -> None:
        self.setToolTip(tr("Drag the dots onto the two eyes, or the line between them to move both. Turn the wheel to look "
                           "closer.\nKeys: arrows move a dot, Space takes the other one."))  # fmt: skip

    def begin(self, picture: Picture, crop: Crop, size: tuple[int, int], targets: Eyes) -> None:
        """Start marking: the dots lie where the model now sees its `targets`, shares of its width and height."""
        self._targets, self._result = targets, crop
        self.show_picture(picture, crop, None, size)
        self._place()

    def follow(self, crop: Crop) -> None:
        """The crop of the state: another one than the dots gave came from an undo or the sliders."""
        if self._targets is not None and self._picture is not None and crop != self._result:
            self._result = crop
            self._place()

    @property
    def marks(self) -> Eyes:
        """Both dots, in the picture's pixels."""
        first, second = self._marks
        return (first.x(), first.y()), (second.x(), second.y())

    @property
    def _whole(self) -> Picture:
        assert self._picture is not None  # dots are on a picture
        return self._picture

    def _place(self) -> None:
        assert self._targets is not None
        eyes = points_of_targets(self._whole, self._result, self._targets, *self._size)
        self._marks = [QPointF(*eye) for eye in eyes]
        self.update()

    # From the picture's pixels to the widget's, and back

    def on_widget(self, point: QPointF) -> QPointF:
        """Where a point of the picture is shown."""
        turn, scale = math.radians(-self._crop.angle), self._scale()
        x = (point.x() - self._crop.center_x * self._whole.width) * scale
        y = (point.y() - self._crop.center_y * self._whole.height) * scale
        middle = self.frame().center()
        return QPointF(middle.x() + x * math.cos(turn) - y * math.sin(turn), middle.y() + x * math.sin(turn) + y * math.cos(turn))

    def on_picture(self, point: QPointF) -> QPointF:
        """Which point of the picture is shown here."""
        turn, scale = math.radians(self._crop.angle), self._scale()
        offset = point - self.frame().center()
        x = (offset.x() * math.cos(turn) - offset.y() * math.sin(turn)) / scale
        y = (offset.x() * math.sin(turn) + offset.y() * math.cos(turn)) / scale
        return QPointF(x + self._crop.center_x * self._whole.width, y + self._crop.center_y * self._whole.height)

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._picture is not None and self._marks:
            self.paint_whole(painter)
            self._paint_result(painter)
            self._paint_marks(painter)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), CORNER)
        painter.end()

    def _paint_result(self, painter: QPainter) -> None:
        """What the model sees, bright in the dimmed rest."""
        corners = crop_corners(self._whole, self._result, *self._size)
        window = QPolygonF([self.on_widget(QPointF(*corner)) for corner in corners])
        outside, inside = QPainterPath(), QPainterPath()
        outside.addRect(QRectF(self.rect()))
        inside.addPolygon(window)
        inside.closeSubpath()
        painter.fillPath(outside.subtracted(inside), QColor(0, 0, 0, 120))
        painter.setPen(QPen(QColor(255, 255, 255, 230), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(inside)

    def _paint_marks(self, painter: QPainter) -> None:
        first, second = (self.on_widget(mark) for mark in self._marks)
        painter.setPen(QPen(QColor(255, 255, 255, 150), 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(first, second)
        for index, place in enumerate((first, second)):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(0, 0, 0, 110), 3.5))
            painter.drawEllipse(place, DOT, DOT)
            painter.setPen(QPen(theme.color(self._tone) if index != self._active else QColor("#ffffff"), 2))
            painter.drawEllipse(place, DOT, DOT)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(self._tone))
            painter.drawEllipse(place, 2, 2)

    # Mouse and keyboard

    def _at(self, point: QPointF) -> tuple[int, ...]:
        """Which dots a press here takes."""
        first, second = (self.on_widget(mark) for mark in self._marks)
        near = min((0, 1), key=lambda index: (point - (first, second)[index]).manhattanLength())
        if _distance(point, (first, second)[near]) <= REACH:
            return (near,)
        along = second - first
        length = max(_distance(first, second), 1e-6)
        offset = point - first
        share = (offset.x() * along.x() + offset.y() * along.y()) / length**2
        aside = abs(offset.x() * along.y() - offset.y() * along.x()) / length
        return (0, 1) if 0 <= share <= 1 and aside <= REACH / 2 else ()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._marks:
            self._grab, self._held = event.position(), self._at(event.position())
            if len(self._held) == 1:
                self._active = self._held[0]
                self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grab is None or self._held is None:
            if self._marks:
                self.setCursor(Qt.CursorShape.PointingHandCursor if self._at(event.position()) else Qt.CursorShape.OpenHandCursor)
            return
        if self._held:
            delta = self.on_picture(event.position()) - self.on_picture(self._grab)
            for index in self._held:
                self._marks[index] += delta
            self._tell()
        else:
            delta, scale = event.position() - self._grab, self._scale()
            self._crop = moved(self._crop, self._whole, -delta.x() / scale, -delta.y() / scale, self._size)
            self.update()
        self._grab = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._grab is not None:
            held, self._grab, self._held = self._held, None, None
            if held:
                self.rested.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.angleDelta().y() and self._picture is not None:
            self._crop = zoomed(self._crop, self._picture, 2 ** (event.angleDelta().y() / 720), self._size)
            self.update()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        if event.key() in steps and self._marks:
            step = 8 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            dx, dy = steps[Qt.Key(event.key())]
            place = self.on_widget(self._marks[self._active]) + QPointF(dx * step, dy * step)
            self._marks[self._active] = self.on_picture(place)
            self._tell()
            self._pause.start()
        elif event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._active = 1 - self._active
            self.update()
        else:
            super(CropView, self).keyPressEvent(event)

    def _tell(self) -> None:
        """The crop that both dots ask for; none while they lie on top of each other."""
        (left, right), targets, whole = sorted(self.marks), self._targets, self._whole
        assert targets is not None
        try:
            crop = crop_for_eyes(left, right, targets, (whole.width, whole.height), self._size,
                                 self._result.background)  # fmt: skip
        except PictureError:
            self.update()
            return
        self._result = crop
        self.update()
        self.changed.emit(crop)


def _distance(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())
