"""The timeline: keyframes as pictures on a band of time, how time passes between them, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_cell, draw_outline
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import CellView
from flow_explorer.widgets.focus import ring
from flowcore.latents.timeline import Timeline, ease

__all__ = ["TimelineView"]

RULER = 22
SIDE = 60
PAD = 36
BAND = 34
"""Under the pictures: how time passes."""
NUDGE = 0.1
DRAG = 5
TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)


class TimelineView(CellView):
    """Shows keyframes; every act leaves as a signal. Times are in seconds."""

    kept_keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)

    scrubbed = Signal(float)
    rested = Signal()
    selected = Signal(int)
    key_moved = Signal(int, float)
    """A keyframe is dragged, or nudged, to a time."""
    reordered = Signal(int, int)
    """A keyframe trades places: (which, with which)."""
    deleted = Signal(int)
    duplicated = Signal(int)
    menu_wanted = Signal(int, QPoint)
    dropped = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._timeline: Timeline | None = None
        self._pictures: list[np.ndarray | None] = []
        self._names: list[str] = []
        self._chosen = -1
        self._time = 0.0
        self._press: QPointF | None = None
        self._grabbed = -1
        self._scrubbing = False
        self._frozen: float | None = None
        self._cache = PictureCache()
        self.smooth = True
        self.aspect = 1.0
        self._pause = QTimer(self, interval=350, singleShot=True)
        self._pause.timeout.connect(self.rested)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName(tr("Timeline of the keyframes"))
        self.setToolTip(tr("Drag a keyframe in time, or anywhere else to scrub. Arrow keys choose one, with Shift move it in "
                           "time, with Alt trade places; Delete takes it away, Ctrl+D doubles it."))  # fmt: skip
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(600, RULER + SIDE + BAND + 8)

    minimumSizeHint = sizeHint

    def show_timeline(self, timeline: Timeline | None, pictures: Sequence[np.ndarray | None], names: Sequence[str], selected: int,
                      time: float) -> None:
        """The keyframes, their pictures and names, the chosen one, and where time stands."""
        self._timeline, self._pictures, self._names = timeline, list(pictures), list(names)
        self._chosen, self._time = selected, time
        chosen = tr("keyframe {n} of {count} chosen: {name}", n=selected + 1, count=len(names), name=names[selected]) \
            if 0 <= selected < len(names) else ""
        self.setAccessibleDescription(tr("{time} s of {all} s", time=f"{time:.2f}", all=f"{self._whole():.2f}") + "\n" + chosen)
        self.tell_reader()
        self.update()

    @property
    def count(self) -> int:
        return len(self._pictures)

    @property
    def current(self) -> int:
        return self._chosen if self._chosen < self.count else -1

    def cell_name(self, index: int) -> str:
        return self._names[index]

    def cell_value(self, index: int) -> str:
        return tr("{n} s", n=f"{self._timeline.starts[index]:.2f}") if self._timeline is not None else ""

    # Where things are

    def _whole(self) -> float:
        """Seconds that the view spans: a lone keyframe has some too, so that the next finds a place."""
        if self._timeline is None:
            return 1.0
        return max(self._timeline.duration, 0.1)

    def _span(self) -> float:
        return self._frozen if self._frozen is not None else self._whole()

    def x_of(self, time: float) -> float:
        """Where a time is."""
        return PAD + time / self._span() * (self.width() - 2 * PAD)

    def time_at(self, x: float) -> float:
        """The time that is at x, kept on the timeline."""
        time = (x - PAD) / max(self.width() - 2 * PAD, 1) * self._span()
        return min(max(time, 0.0), self._whole() if self._frozen is None else 1e6)

    def cell(self, index: int) -> QRectF:
        """Where a keyframe's picture is."""
        wide = SIDE * min(self.aspect, 1.0)
        high = SIDE / max(self.aspect, 1.0)
        start = self._timeline.starts[index] if self._timeline is not None else 0.0
        return QRectF(self.x_of(start) - wide / 2, RULER + (SIDE - high) / 2 + 2, wide, high)

    def places(self) -> list[int]:
        return sorted(range(self.count), key=lambda index: index != self._chosen)

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        if self._timeline is not None:
            self._paint_ruler(painter)
            self._paint_ways(painter)
            for index in reversed(self.places()):
                rect = self.cell(index)
                draw_cell(painter, rect, self._pictures[index], self._cache, self.smooth)
                draw_outline(painter, rect, theme.color("accent" if index == self._chosen else "surface"), 2)
            self._paint_time(painter)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), 5)
        painter.end()

    def _paint_ruler(self, painter: QPainter) -> None:
        span, room = self._span(), self.width() - 2 * PAD
        step = next((tick for tick in TICKS if tick / span * room >= 56), TICKS[-1])
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        count = int(span / step + 1e-6)
        for index in range(count + 1):
            x = self.x_of(index * step)
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawLine(QPointF(x, RULER - 4), QPointF(x, self.height() - 6))
            painter.setPen(theme.color("muted"))
            words = tr("{n} s", n=f"{index * step:g}")
            painter.drawText(QRectF(x - 28, 2, 56, RULER - 6), Qt.AlignmentFlag.AlignCenter, words)

    def _paint_ways(self, painter: QPainter) -> None:
        """How time passes from key to key, as a curve from low to high."""
        timeline = self._timeline
        if timeline is None:
            return
        top, high = RULER + SIDE + 10, BAND - 12
        for index in range(timeline.segments):
            left, right = self.x_of(timeline.starts[index]), self.x_of(timeline.starts[index] + timeline.seconds[index])
            path = QPainterPath(QPointF(left, top + high))
            steps = 1 if timeline.easings[index] == "linear" else 24
            for step in range(1, steps + 1):
                share = ease(step / steps, timeline.easings[index])
                if timeline.easings[index] == "hold" and step == steps:
                    path.lineTo(right, top + high)
                path.lineTo(left + (right - left) * step / steps, top + high * (1 - share))
            painter.setPen(QPen(theme.color("z", 1.0 if index == self._chosen else 0.55), 2 if index == self._chosen else 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(path)

    def _paint_time(self, painter: QPainter) -> None:
        x = self.x_of(min(self._time, self._span()))
        painter.setPen(QPen(theme.color("text"), 1.5))
        painter.drawLine(QPointF(x, RULER - 2), QPointF(x, self.height() - 4))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("text"))
        painter.drawEllipse(QPointF(x, RULER - 4), 4.5, 4.5)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._timeline is None:
            return
        self._press = event.position()
        self._grabbed = self.index_at(event.position())
        if self._grabbed >= 0:
            self.selected.emit(self._grabbed)
        else:
            self._scrubbing = True
            self.scrubbed.emit(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._scrubbing:
            self.scrubbed.emit(self.time_at(event.position().x()))
        elif self._press is not None and self._grabbed > 0:
            if self._frozen is None and abs(event.position().x() - self._press.x()) < DRAG:
                return
            # The last keyframe's drag makes the whole longer: the scale stays while it lasts, or it would run away.
            if self._frozen is None:
                self._frozen = self._whole()
            self.key_moved.emit(self._grabbed, max(self.time_at(event.position().x()), 0.0))
        elif self._press is None:
            self.set_hovered(self.index_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._press is not None:
            self._press, self._frozen, self._scrubbing, self._grabbed = None, None, False, -1
            self.update()
            self.rested.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self._chosen if keyboard else self.index_at(QPointF(event.pos()))
        if index >= 0:
            self.selected.emit(index)
            place = self.mapToGlobal(self.cell(index).bottomLeft().toPoint()) if keyboard else event.globalPos()
            self.menu_wanted.emit(index, place)

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        count, chosen, key, held = self.count, self._chosen, event.key(), event.modifiers()
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(key), 0)
        if not count:
            super().keyPressEvent(event)
        elif step and held & Qt.KeyboardModifier.AltModifier:
            if chosen >= 0 and 0 <= chosen + step < count:
                self.reordered.emit(chosen, chosen + step)
        elif step and held & Qt.KeyboardModifier.ShiftModifier:
            if chosen > 0 and self._timeline is not None:
                self.key_moved.emit(chosen, self._timeline.starts[chosen] + step * NUDGE)
                self._pause.start()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and chosen >= 0:
            self.deleted.emit(chosen)
        elif key == Qt.Key.Key_D and held & Qt.KeyboardModifier.ControlModifier and chosen >= 0:
            self.duplicated.emit(chosen)
        else:
            super().keyPressEvent(event)

    def choose(self, index: int) -> None:
        self.selected.emit(index)
