"""The map under the hand: zoomed, dragged, pointed at, picked from, lassoed; by mouse and by keys."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from flow_explorer.explorer.facets.map.picture import MapPicture

__all__ = ["MapCanvas"]


class MapCanvas(MapPicture):
    """Every act leaves as a signal."""

    picked = Signal(int)
    """The picture that was clicked; -1 for none."""
    lassoed = Signal(object)
    """The line that was drawn, (n, 2) on the map."""
    escaped = Signal()

    def event(self, event: QEvent) -> bool:
        # The card is the tooltip of what is pointed at; the empty map has the widget's own.
        if isinstance(event, QHelpEvent) and self._hovered >= 0:
            return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        if steps and len(self._points):
            self.zoom(1.25**steps, event.position())
            self._hover(event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not len(self._points):
            return
        if self._old_points is not None:
            # What one takes hold of stands still.
            self._motion.stop()
            self._arrived()
        self._press = event.position()
        if self.lasso_tool or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._line = [event.position()]
        else:
            self._drag_from = self.camera

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._line is not None:
            if (place - self._line[-1]).manhattanLength() >= 3:
                self._line.append(place)
                self.update()
            return
        if self._press is not None and self._drag_from is not None:
            way = place - self._press
            if self._dragged or way.manhattanLength() >= QApplication.startDragDistance():
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self._hovered = -1
                self._camera = self._drag_from.moved(way.x(), way.y(), self.width(), self.height())
                self._dragged = True
                self.update()
            return
        self._hover(place)

    _dragged = False

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._press is None:
            return
        line, self._line = self._line, None
        dragged, self._dragged = self._dragged, False
        press, self._press, self._drag_from = self._press, None, None
        self._show_cursor()
        if line is not None and len(line) >= 3:
            corners = np.array([[point.x(), point.y()] for point in line])
            self.lassoed.emit(self.camera.to_map(corners, self.width(), self.height()))
        elif dragged:
            self._rest.start()
        elif line is None or len(line) < 3:
            self.picked.emit(self.row_at(press))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = self._line = self._drag_from = None
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()
        super().leaveEvent(event)

    def _hover(self, place: QPointF) -> None:
        row = self.row_at(place)
        if row != self._hovered:
            self._hovered = row
            self._show_cursor()
            self.update()

    @property
    def hovered(self) -> int:
        """The picture that is pointed at; -1 for none."""
        return self._hovered

    def _show_cursor(self) -> None:
        if self.lasso_tool:
            self.setCursor(Qt.CursorShape.CrossCursor)
        elif self._hovered >= 0:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.setCursor(Qt.CursorShape.ArrowCursor)

    def set_lasso_tool(self, on: bool) -> None:
        """Whether dragging draws a lasso."""
        self.lasso_tool = on
        self._show_cursor()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        key = Qt.Key(event.key())
        if key in steps and len(self._points):
            self._step(*steps[key])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(1.25)
        elif key == Qt.Key.Key_Minus:
            self.zoom(0.8)
        elif key == Qt.Key.Key_Home:
            self.fit()
        elif key == Qt.Key.Key_Escape:
            self._line = None
            self.escaped.emit()
            self.update()
        else:
            super().keyPressEvent(event)

    def _step(self, dx: int, dy: int) -> None:
        """Pick the nearest picture in a direction; without one picked, the one nearest to the middle."""
        self._arrange()
        screen = self._places()
        if not 0 <= self._selected < len(screen):
            away = np.hypot(*(screen - [self.width() / 2, self.height() / 2]).T)
            self.picked.emit(int(np.argmin(away)))
            return
        way = screen - screen[self._selected]
        along, across = way @ [dx, dy], np.abs(way @ [dy, dx])
        ahead = np.flatnonzero((along > 0.5) & (along >= across))
        if len(ahead):
            self.picked.emit(int(ahead[np.argmin(along[ahead] + 2 * across[ahead])]))
