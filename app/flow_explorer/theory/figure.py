"""What the six figures share: a stage that scales, handles for mouse and keyboard, motion that eases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEasingCurve, QEvent, QPointF, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.theory.controller import TheoryController
from flow_explorer.theory.state import TheoryState
from flow_explorer.theory.typeset import draw_formula
from flow_explorer.widgets.focus import KeyboardFocus, ring

__all__ = ["Figure", "Handle"]

EASE_MS = 160
_REACH = 16.0


@dataclass(frozen=True)
class Handle:
    """Something to take hold of: ``way`` is "both", "across" (left and right) or "along" (up and down)."""

    key: str
    at: QPointF
    words: str
    way: str = "both"
    tone: str = "accent"

    @property
    def cursor(self) -> Qt.CursorShape:
        """The pointer over it."""
        shapes = {"across": Qt.CursorShape.SizeHorCursor, "along": Qt.CursorShape.SizeVerCursor}
        return shapes.get(self.way, Qt.CursorShape.SizeAllCursor)


class Figure(KeyboardFocus, QWidget):
    """Base of the figures. Subclasses give ``numbers`` (what eases), ``draw``, ``handles``, ``drag`` and ``nudge``.

    All lengths in ``draw`` are in this widget's pixels; ``unit`` is 1 at the smallest window and grows with the figure, so that
    it can be read from the last row.
    """

    id = ""

    def __init__(self, controller: TheoryController) -> None:
        super().__init__()
        self.controller = controller
        self.state: TheoryState = controller.state
        self.shown = self.numbers(self.state)
        self._from = self._to = self.shown
        self._held: str | None = None
        self._grip = QPointF()
        self._over: str | None = None
        self.active = 0
        self._motion = QVariantAnimation(self)
        self._motion.setDuration(EASE_MS)
        self._motion.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._motion.setStartValue(0.0)
        self._motion.setEndValue(1.0)
        self._motion.valueChanged.connect(self._move)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    # For subclasses

    def numbers(self, state: TheoryState) -> np.ndarray:
        """What eases from one state to the next, as one row."""
        raise TypeError(f"{type(self).__name__} does not define numbers")

    def draw(self, painter: QPainter) -> None:
        """Paint the figure for ``shown`` and ``state``."""
        raise TypeError(f"{type(self).__name__} does not define draw")

    def handles(self) -> Sequence[Handle]:
        """What can be taken hold of now."""
        return ()

    def drag(self, key: str, to: QPointF) -> None:
        """A handle was dragged to a place."""

    def nudge(self, key: str, across: float, up: float) -> None:
        """A handle was moved by arrow keys: ±1 in one direction, ±10 with Shift."""

    def press(self, at: QPointF) -> str | None:
        """The mouse went down beside every handle; the key of a handle that takes over, or None."""
        return None

    def hover(self, at: QPointF | None) -> None:
        """The pointer is there, or has left."""

    def words(self) -> str:
        """The figure in a sentence, for a screen reader."""
        return ""

    # Showing

    def sync(self, state: TheoryState) -> None:
        """Show a state; what jumps, eases."""
        self.state = state
        to = self.numbers(state)
        if to.shape != self._to.shape:
            self._motion.stop()
            self.shown = self._from = self._to = to
        elif not np.array_equal(to, self._to):
            self._to = to
            self._motion.stop()
            if self.eases():
                self._from = self.shown
                self._motion.start()
            else:
                self.shown = to
        self.setAccessibleDescription(self._description())
        self.update()

    def eases(self) -> bool:
        """Whether a change is to be seen as motion: not what the hand or the learner moves step by step."""
        return self._held is None and self.isVisible() and theme.animations_enabled() and not self.controller.learning

    def _move(self, part: float) -> None:
        self.shown = self._from + float(part) * (self._to - self._from) if part < 1 else self._to
        self.update()

    def is_still(self) -> bool:
        """Nothing moves."""
        return self._motion.state() != QVariantAnimation.State.Running

    def finish(self) -> None:
        """Show what is to be shown now, without motion."""
        self._motion.stop()
        self.shown = self._to
        self.update()

    def _description(self) -> str:
        handles = self.handles()
        if not handles:
            return self.words()
        return f"{self.words()} {handles[min(self.active, len(handles) - 1)].words}".strip()

    def sizeHint(self) -> QSize:
        return QSize(860, 420)

    def minimumSizeHint(self) -> QSize:
        return QSize(480, 280)

    @property
    def unit(self) -> float:
        """The scale of strokes and letters."""
        return max(0.85, min(2.3, self.width() / 860, self.height() / 380))

    # Drawing

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw(painter)
        handles = list(self.handles())
        for index, handle in enumerate(handles):
            lit = handle.key in (self._over, self._held)
            chosen = self.focus_visible and index == min(self.active, len(handles) - 1)
            self.knob(painter, handle.at, handle.tone, lit, chosen)
        if self.focus_visible and not handles:
            ring(painter, QRectF(self.rect()), 8)

    def knob(self, painter: QPainter, at: QPointF, tone: str = "accent", lit: bool = False, chosen: bool = False) -> None:
        """A handle: a white disc in a ring of its colour."""
        tones, radius = theme.current(), self.unit * (7.5 if lit else 6.5)
        if chosen or lit:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(tone, 0.4 if chosen else 0.22))
            painter.drawEllipse(at, radius + 5, radius + 5)
        painter.setBrush(QColor("#ffffff"))
        painter.setPen(QPen(QColor(getattr(tones, tone)), 3))
        painter.drawEllipse(at, radius, radius)

    def font_of(self, size: float = 13, bold: bool = False) -> QFont:
        """The window's face at the figure's scale."""
        return theme.font(max(10, round(size * self.unit)), bold)

    def text(
        self, painter: QPainter, words: str, at: QPointF, tone: str = "text", size: float = 13, align: float = 0.0,
        bold: bool = False, paper: bool = False,
    ) -> QRectF:
        """Words whose middle line is at ``at``; ``align`` 0 begins there, 0.5 is centred, 1 ends there. Its rectangle."""
        font = self.font_of(size, bold)
        metrics = QFontMetricsF(font)
        width = metrics.horizontalAdvance(words)
        left = at.x() - align * width
        base = at.y() + (metrics.ascent() - metrics.descent()) / 2
        area = QRectF(left - 3, at.y() - metrics.height() / 2, width + 6, metrics.height())
        if paper:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("window", 0.85))
            painter.drawRoundedRect(area, 3, 3)
        painter.setFont(font)
        painter.setPen(theme.color(tone))
        painter.drawText(QPointF(left, base), words)
        return area

    def formula(
        self, painter: QPainter, markup: str, at: QPointF, size: float = 17, align: float = 0.0, tone: str = "text"
    ) -> None:
        """A formula whose letters' middle is at ``at``."""
        pixels = size * self.unit
        draw_formula(painter, markup, at + QPointF(0, pixels * 0.3), pixels, theme.color(tone), align)

    def line(self, painter: QPainter, first: QPointF, last: QPointF, tone: str = "line", width: float = 1.0, alpha: float = 1.0,
             dashed: bool = False) -> None:  # fmt: skip
        """A stroke."""
        pen = QPen(theme.color(tone, alpha), width * self.unit)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if dashed:
            pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawLine(first, last)

    def arrow(self, painter: QPainter, first: QPointF, last: QPointF, tone: str = "muted", width: float = 1.5) -> None:
        """A stroke with a head at its end."""
        self.line(painter, first, last, tone, width)
        way = last - first
        length = (way.x() ** 2 + way.y() ** 2) ** 0.5
        if length < 1:
            return
        ahead = way / length * 7 * self.unit
        side = QPointF(-ahead.y(), ahead.x()) * 0.5
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(tone))
        painter.drawPolygon([last, last - ahead + side, last - ahead - side])

    # Mouse and keys

    def _at(self, place: QPointF) -> Handle | None:
        best, reach = None, _REACH * max(1.0, self.unit * 0.9)
        for handle in self.handles():
            gap = handle.at - place
            distance = (gap.x() ** 2 + gap.y() ** 2) ** 0.5
            if distance < reach:
                best, reach = handle, distance
        return best

    def _hover_at(self, place: QPointF) -> None:
        handle = self._at(place)
        over = handle.key if handle else None
        self.setCursor(handle.cursor if handle else self.cursor_at(place))
        if over != self._over:
            self._over = over
            self.setToolTip(handle.words if handle else "")
            self.update()
        self.hover(place)

    def cursor_at(self, at: QPointF) -> Qt.CursorShape:
        """The pointer beside every handle."""
        return Qt.CursorShape.ArrowCursor

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.finish()
        place = event.position()
        handle = self._at(place)
        key = handle.key if handle else self.press(place)
        if key is None:
            return
        # The handle stays under the pointer where it was taken, and does not jump to its middle.
        self._grip = handle.at - place if handle else QPointF()
        self._held = key
        self._activate(key)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.drag(self._held, event.position() + self._grip)
        else:
            self._hover_at(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is not None and event.button() == Qt.MouseButton.LeftButton:
            self._held = None
            self.controller.seal()
            self._hover_at(event.position())
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._over = None
        self.hover(None)
        self.update()
        super().leaveEvent(event)

    def _activate(self, key: str) -> None:
        keys = [handle.key for handle in self.handles()]
        if key in keys:
            self.active = keys.index(key)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes through the handles first."""
        count = len(self.handles())
        to = self.active + (1 if forward else -1)
        if self.hasFocus() and self.focus_visible and 0 <= to < count:
            self.active = to
            self.setAccessibleDescription(self._description())
            self.update()
            return True
        return super().focusNextPrevChild(forward)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if event.reason() == Qt.FocusReason.TabFocusReason:
            self.active = 0
        elif event.reason() == Qt.FocusReason.BacktabFocusReason:
            self.active = max(0, len(self.handles()) - 1)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways: dict[int, tuple[int, int]] = {
            Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1),
        }  # fmt: skip
        handles = self.handles()
        if event.key() not in ways or not handles:
            super().keyPressEvent(event)
            return
        across, up = ways[event.key()]
        times = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        self._by_keyboard = True
        self.nudge(handles[min(self.active, len(handles) - 1)].key, across * times, up * times)
