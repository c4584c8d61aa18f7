"""The sheet of paper that a density is drawn on: ink in the data's colour, a tool under the pointer, strokes to undo."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flowcore.plane.targets.ink import SIDE, blank, stroke

__all__ = ["SIZES", "DrawingSurface", "paper"]

SIZES = (1, 40)
"""Diameters of the tools, in cells."""
_KEPT = 200
_STILL_MS = 33
"""How often a tool that is held still goes on (air brush, magnet)."""
_KEY_STEP, _KEY_LEAP = 2.0, 8.0
_TURN: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip


def paper() -> QColor:
    """What is behind the ink: as behind the data in the panels."""
    tones = theme.current()
    return QColor(theme.mix(tones.window, "#000000", 0.25) if tones.dark else "#ffffff")


class DrawingSurface(KeyboardFocus, QWidget):
    """Draws with ``tool`` at diameter ``size``, in cells. By keys: arrows move the tool, Space puts it down and lifts it."""

    changed = Signal()
    """The ink, or what can be undone."""

    def __init__(self) -> None:
        super().__init__()
        self.tool, self.size_ = "pen", 10.0
        self._sheet = blank()
        self._undo: list[np.ndarray] = []
        self._redo: list[np.ndarray] = []
        self._before: np.ndarray | None = None
        self._last = (SIDE / 2, SIDE / 2)
        self._is_over = self._keys_down = False
        self._still = QTimer(self, interval=_STILL_MS)
        self._still.timeout.connect(lambda: self._draw_to(self._last))
        self.setAccessibleName(tr("Drawing"))
        self.setAccessibleDescription(tr("Arrow keys move the tool, Space puts it down and lifts it."))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.BlankCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 160)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(480, 480)

    # The ink

    @property
    def sheet(self) -> np.ndarray:
        """(SIDE, SIDE) float32, not to be written to."""
        return self._sheet

    def set_sheet(self, sheet: np.ndarray) -> None:
        """Begin with this; nothing to undo."""
        self._sheet = np.asarray(sheet, np.float32)
        self._undo, self._redo, self._before = [], [], None
        self._last = (SIDE / 2, SIDE / 2)
        self._tell()

    def is_blank(self) -> bool:
        """Whether there is no ink that would count."""
        return float(self._sheet.max()) < 1 / 255

    def values(self) -> np.ndarray:
        """The ink as darkness, uint8 (SIDE, SIDE); where it is piled up beyond black, the rest is lighter for it."""
        return np.rint(self._sheet * (255 / max(1.0, float(self._sheet.max())))).astype(np.uint8)

    def put(self, values: np.ndarray) -> None:
        """Ink of another sheet in place of this one, uint8 (SIDE, SIDE), as one stroke."""
        self._end()
        self._begin()
        self._sheet = values.astype(np.float32) / 255
        self._end()

    def clear(self) -> None:
        """Take all ink away, as one stroke."""
        if not self.is_blank():
            self._begin()
            self._sheet = blank()
            self._end()

    @property
    def can_undo(self) -> bool:
        """Whether there is a stroke to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether there is one to draw again."""
        return bool(self._redo)

    def undo(self) -> None:
        """Take the last stroke back."""
        self._end()
        if self._undo:
            self._redo.append(self._sheet)
            self._sheet = self._undo.pop()
            self._tell()

    def redo(self) -> None:
        """Draw it again."""
        self._end()
        if self._redo:
            self._undo.append(self._sheet)
            self._sheet = self._redo.pop()
            self._tell()

    def _begin(self) -> None:
        if self._before is None:
            self._before = self._sheet

    def _draw_to(self, place: tuple[float, float]) -> None:
        if self._before is not None:
            self._sheet = stroke(self._sheet, self.tool, self._last, place, self.size_ / 2)
        self._last = place
        self.update()

    def _end(self) -> None:
        self._still.stop()
        self._keys_down = False
        before, self._before = self._before, None
        if before is not None and not np.array_equal(before, self._sheet):
            self._undo = [*self._undo, before][-_KEPT:]
            self._redo = []
            self._tell()
        self.update()

    def _tell(self) -> None:
        self.update()
        self.changed.emit()

    # Mouse and keys

    def area(self) -> QRectF:
        """The square of the paper in this widget."""
        side = min(self.width(), self.height()) - 4
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def place(self, point: QPointF) -> tuple[float, float]:
        """A point of this widget in cells."""
        area = self.area()
        return (point.x() - area.x()) * SIDE / area.width(), (point.y() - area.y()) * SIDE / area.height()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._end()
            self._last = self.place(event.position())
            self._begin()
            self._draw_to(self._last)
            if self.tool in ("air", "magnet"):
                self._still.start()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._is_over = True
        self._draw_to(self.place(event.position()))
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._end()
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._is_over = True
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._is_over = False
        self.update()
        super().leaveEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._end()
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _TURN:
            self._by_keyboard = True
            far = _KEY_LEAP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _KEY_STEP
            x, y = (min(max(c + far * d, 0.0), float(SIDE)) for c, d in zip(self._last, _TURN[event.key()], strict=True))
            self._draw_to((x, y))
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._by_keyboard = True
            if self._keys_down:
                self._end()
            else:
                self._begin()
                self._keys_down = True
                self._draw_to(self._last)
                if self.tool in ("air", "magnet"):
                    self._still.start()
        else:
            super().keyPressEvent(event)

    # Looks

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        area, tones = self.area(), theme.current()
        path = QPainterPath()
        path.addRoundedRect(area, 6, 6)
        painter.save()
        painter.setClipPath(path)
        painter.fillRect(area, paper())
        painter.setPen(QPen(QColor(tones.line), 1))
        middle = area.center()
        painter.drawLine(QPointF(area.left(), middle.y()), QPointF(area.right(), middle.y()))
        painter.drawLine(QPointF(middle.x(), area.top()), QPointF(middle.x(), area.bottom()))
        painter.drawImage(area, ink_image(self._sheet))
        if self.is_blank() and self._before is None:
            painter.setPen(QColor(tones.muted))
            words = tr("Draw here: the more ink on a place, the more points fall on it.")
            box = QRectF(area.left() + 24, middle.y() + 16, area.width() - 48, 60)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, words)
        if self._is_over or self.focus_visible:
            self._paint_tool(painter, area)
        painter.restore()
        painter.setPen(QPen(QColor(tones.line), 1))
        painter.drawRoundedRect(area, 6, 6)
        if self.focus_visible:
            ring(painter, area.adjusted(-2, -2, 2, 2), 7)

    def _paint_tool(self, painter: QPainter, area: QRectF) -> None:
        cell = area.width() / SIDE
        middle = area.topLeft() + QPointF(self._last[0] * cell, self._last[1] * cell)
        radius = max(2.0, self.size_ / 2 * cell)
        dashes = Qt.PenStyle.DashLine if self.tool == "magnet" else Qt.PenStyle.SolidLine
        # Two tones, so that it is seen on ink and on paper.
        for tone, width in ((paper(), 3.0), (QColor(theme.current().text), 1.2)):
            painter.setPen(QPen(tone, width, dashes))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(middle, radius, radius)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.current().text))
        painter.drawEllipse(middle, 1.2, 1.2)


def ink_image(sheet: np.ndarray) -> QImage:
    """Ink in the data's colour, as thick as it is opaque; its darkest place is opaque where it is piled up beyond black."""
    shade = np.rint(sheet * (255 / max(1.0, float(sheet.max())))).astype(np.uint8)
    pixels = np.empty((*sheet.shape, 4), np.uint8)
    pixels[..., :3] = theme.rgb(theme.current().a)
    pixels[..., 3] = shade
    height, width = sheet.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
