"""The probe over a panel's plot: its path, the small square in true size, and the hand that moves it."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
import shiboken6
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPen, QTransform
from PySide6.QtWidgets import QGraphicsView

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.widgets.plain import plain
from flow_explorer.widgets.plot import Plot, polygon, unit_of

__all__ = ["NUDGE", "ProbeHand", "ProbeMark"]

NUDGE = 0.05
"""How far an arrow key moves the probe; ten times as far with Shift."""

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1),
}  # fmt: skip


class ProbeMark(pg.GraphicsObject):
    """A path with a dot a layer, a parallelogram, and a ring where the probe is. Nothing until there is a probe."""

    def __init__(self) -> None:
        super().__init__()
        self._path = np.empty((0, 2))
        self._shape = np.empty((0, 2))
        self._here: np.ndarray | None = None
        self._area = QRectF(-8, -8, 16, 16)
        self.setZValue(10)

    def set_probe(self, path: np.ndarray, shape: np.ndarray, here: np.ndarray) -> None:
        """Show a path (n, 2), corners (4, 2) and a place (2,)."""
        self._path, self._shape, self._here = (np.clip(part, -1e3, 1e3) for part in (path, shape, here))
        self.update()

    def clear(self) -> None:
        """Show nothing."""
        if self._here is not None:
            self._here = None
            self.update()

    def is_set(self) -> bool:
        """Whether there is something to see."""
        return self._here is not None

    def shape_corners(self) -> np.ndarray:
        """The parallelogram that is drawn, (4, 2)."""
        return self._shape

    def boundingRect(self) -> QRectF:
        return self._area

    def paint(self, painter: QPainter, *_unused: object) -> None:
        if self._here is None:
            return
        tones = theme.current()
        halo = QColor("#000000" if tones.dark else "#ffffff")
        halo.setAlphaF(0.6)
        ratio = unit_of(self) * painter.device().devicePixelRatioF()
        world = painter.worldTransform()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.resetTransform()
        path = polygon(_mapped(self._path, world))
        shape = polygon(_mapped(self._shape, world))
        here = QPointF(*_mapped(self._here[None], world)[0])
        fill = theme.color("accent", 0.3)
        # Each twice: whatever lies below, dark or light, the line stands out.
        for color, extra in ((halo, 2.4), (QColor(tones.text), 0.0)):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color, (1.2 + extra) * ratio, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPolyline(path)
            painter.setPen(QPen(color, (3.6 + extra) * ratio, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(path)
        for color, extra in ((halo, 2.0), (QColor(tones.accent), 0.0)):
            painter.setPen(QPen(color, (1.6 + extra) * ratio))
            painter.setBrush(fill if not extra else Qt.BrushStyle.NoBrush)
            painter.drawPolygon(shape)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(here, 5 * ratio, 5 * ratio)
        painter.restore()


def _mapped(points: np.ndarray, world: QTransform) -> np.ndarray:
    scale, shift = np.array([world.m11(), world.m22()]), np.array([world.dx(), world.dy()])
    return points * scale + shift


class ProbeHand(QObject):
    """Clicks, drags and keys on a plot, in the plane's own units."""

    pointed = Signal(float, float, bool)
    """(x, y, whether it is one of many places of a drag)"""
    nudged = Signal(float, float)
    """An arrow key: how far."""
    rested = Signal()
    put_away = Signal()

    def __init__(self, plot: Plot) -> None:
        super().__init__(plot)
        self.plot, self._viewport = plot, plot.viewport()
        self.moves = False  # whether arrow keys have something to move
        words = tr("Click or drag to probe a point, or press Enter. Arrow keys move it, Esc puts it away.")
        plot.setToolTip(plain(words))
        plot.setAccessibleDescription(words)
        plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._viewport.setCursor(Qt.CursorShape.CrossCursor)
        plot.installEventFilter(self)
        self._viewport.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        # Events come while the plot is being taken apart, too: then nothing of it may be touched.
        if isinstance(event, QMouseEvent):
            return watched is self._viewport and self._mouse(kind, event)
        if watched is self.plot and isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyPress:
            return self._key(event)
        is_release = watched is self.plot and kind == QEvent.Type.KeyRelease
        if is_release and isinstance(event, QKeyEvent) and Qt.Key(event.key()) in _ARROWS:
            if self.moves and not event.isAutoRepeat():
                self.rested.emit()
            return self.moves
        is_focus = watched is self.plot and kind in (QEvent.Type.FocusIn, QEvent.Type.FocusOut)
        if is_focus and isinstance(event, QFocusEvent) and shiboken6.isValid(self.plot):
            by_keyboard = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
            self.plot.show_ring(event.gotFocus() and by_keyboard)
        return False

    def _mouse(self, kind: QEvent.Type, event: QMouseEvent) -> bool:
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            if event.button() == Qt.MouseButton.LeftButton:
                self.plot.setFocus(Qt.FocusReason.MouseFocusReason)
                self._point(event, True)
                return True
        elif kind == QEvent.Type.MouseMove and event.buttons() & Qt.MouseButton.LeftButton:
            self._point(event, True)
            return True
        elif kind == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
            self.rested.emit()
            return True
        return False

    def _point(self, event: QMouseEvent, drag: bool) -> None:
        place = self.plot.box.mapSceneToView(QGraphicsView.mapToScene(self.plot, event.position().toPoint()))
        self.pointed.emit(place.x(), place.y(), drag)

    def _key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self.moves:
            self.pointed.emit(0.0, 0.0, False)
            self.rested.emit()
            return True
        if not self.moves:
            return False
        if key == Qt.Key.Key_Escape:
            self.put_away.emit()
            return True
        if key in _ARROWS:
            size = NUDGE * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
            self.nudged.emit(_ARROWS[key][0] * size, _ARROWS[key][1] * size)
            return True
        return False
