"""The list of layers itself: rows that are chosen, dragged to another place, and moved by the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QToolTip, QWidget

from flow_explorer import icons, theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.layers import words as layer_words
from flow_explorer.toylab.layers.edits import Layers
from flow_explorer.widgets.focus import KeyboardFocus, ring

__all__ = ["ROW", "LayerRows"]

ROW = 28


class LayerRows(KeyboardFocus, QWidget):
    """One row a layer. Tells what the person wants; shows what it is given."""

    chosen = Signal(int)
    """The person went to a row."""
    moved = Signal(int, int)
    """(a row, where it is to be)"""
    removed = Signal(int)
    revealed = Signal(QRect)
    """A part that should be in view."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("List of layers"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._layers: Layers = ()
        self._current = 0
        self._hover = -1
        self._pressed: QPointF | None = None
        self._gap: int | None = None  # while a row is dragged: before which row it would come
        theme.changed.connect(self.update)

    def set_layers(self, layers: Layers, current: int) -> None:
        """Show a list, and which row is chosen."""
        taller = len(layers) != len(self._layers)
        self._layers, self._current = layers, current
        self._pressed = self._gap = None
        if taller:
            self.setFixedHeight(ROW * len(layers))
            self.updateGeometry()
        self.setAccessibleDescription(self.words(current))
        self.update()

    def words(self, place: int) -> str:
        """A row as a screen reader says it."""
        if not 0 <= place < len(self._layers):
            return ""
        spec = self._layers[place]
        parts = [layer_words.name(spec.kind), layer_words.detail(spec), tr("frozen") if spec.frozen else ""]
        return f"{place + 1}: " + ", ".join(part for part in parts if part)

    def row_rect(self, place: int) -> QRect:
        """Where a row is."""
        return QRect(0, place * ROW, self.width(), ROW)

    def sizeHint(self) -> QSize:
        return QSize(200, ROW * max(1, len(self._layers)))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first, last = event.rect().top() // ROW, event.rect().bottom() // ROW
        for place in range(max(0, first), min(len(self._layers), last + 1)):
            self._paint_row(painter, place)
        if self._gap is not None:
            y = min(max(1.0, self._gap * ROW), self.height() - 1.0)
            painter.setPen(QPen(QColor(theme.current().accent), 2))
            painter.drawLine(QPointF(4, y), QPointF(self.width() - 4, y))
        if self.focus_visible and self._layers:
            ring(painter, QRectF(self.row_rect(self._current)), 5)

    def _paint_row(self, painter: QPainter, place: int) -> None:
        tones, spec, area = theme.current(), self._layers[place], QRectF(self.row_rect(place))
        if place in (self._current, self._hover):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.raised if place == self._current else tones.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 5, 5)
        middle = Qt.AlignmentFlag.AlignVCenter
        font = self.font()
        painter.setFont(font)
        painter.setPen(QColor(tones.muted))
        painter.drawText(QRectF(0, area.top(), 26, ROW), middle | Qt.AlignmentFlag.AlignRight, str(place + 1))
        right = area.right() - 8
        metrics, words = QFontMetricsF(font), layer_words.detail(spec)
        painter.drawText(QRectF(0, area.top(), right, ROW), middle | Qt.AlignmentFlag.AlignRight, words)
        right -= metrics.horizontalAdvance(words) + 8
        if spec.frozen:
            icons.paint(painter, "freeze", QRectF(round(right) - 16, round(area.center().y()) - 8, 16, 16), tones.link)
            right -= 24
        painter.setPen(QColor(tones.muted if spec.frozen else tones.text))
        title = metrics.elidedText(layer_words.name(spec.kind), Qt.TextElideMode.ElideRight, right - 36)
        painter.drawText(QRectF(36, area.top(), right - 36, ROW), middle, title)

    # The person

    def _row_at(self, y: float) -> int:
        return min(max(0, int(y // ROW)), len(self._layers) - 1)

    def _choose(self, place: int) -> None:
        place = min(max(0, place), len(self._layers) - 1)
        self.revealed.emit(self.row_rect(place))
        if place != self._current:
            self._current = place
            self.setAccessibleDescription(self.words(place))
            self.update()
            self.chosen.emit(place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._layers:
            self._pressed = event.position()
            self._choose(self._row_at(event.position().y()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        y = event.position().y()
        if self._pressed is not None and event.buttons() & Qt.MouseButton.LeftButton:
            if self._gap is None and abs(y - self._pressed.y()) < QApplication.startDragDistance():
                return
            self._gap = min(max(0, round(y / ROW)), len(self._layers))
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.revealed.emit(self.row_rect(self._row_at(y)))
            self.update()
            return
        hover = self._row_at(y) if self._layers else -1
        if hover != self._hover:
            self._hover = hover
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        gap, self._gap, self._pressed = self._gap, None, None
        self.unsetCursor()
        self.update()
        if gap is not None and event.button() == Qt.MouseButton.LeftButton:
            self._move_to(gap - 1 if gap > self._current else gap)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = -1
        self.update()
        super().leaveEvent(event)

    def _move_to(self, to: int) -> None:
        if to != self._current and 0 <= to < len(self._layers):
            self.moved.emit(self._current, to)
            self.revealed.emit(self.row_rect(to))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, here = event.key(), self._current
        if key == Qt.Key.Key_Escape and self._gap is not None:
            self._gap = self._pressed = None
            self.unsetCursor()
            self.update()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            to = here + (1 if key == Qt.Key.Key_Down else -1)
            if event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._move_to(to)
            else:
                self._choose(to)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._choose(0 if key == Qt.Key.Key_Home else len(self._layers) - 1)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(here)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._layers:
            spec = self._layers[self._row_at(event.pos().y())]
            QToolTip.showText(event.globalPos(), layer_words.sentence(spec.kind), self)
            return True
        return super().event(event)
