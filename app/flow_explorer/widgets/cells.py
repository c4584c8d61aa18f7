"""Base of the widgets that paint pictures side by side: which one is under the pointer, chosen, gone to by a key, pulled out."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from flow_explorer.widgets import cell_access
from flow_explorer.widgets.focus import ACTIVATION_KEYS, KeyboardFocus

__all__ = ["ARROWS", "CellView"]

ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class CellView(KeyboardFocus, QWidget):
    """A widget of cells, numbered from 0 and painted by the subclass.

    It says ``count``, ``cell(index)``, ``current`` (the chosen one, -1 for none) and ``cell_name(index)``, and hears `choose`,
    `activate` and `pull`. A screen reader finds every cell by its name, its value and its place.
    """

    kept_keys: tuple[Qt.Key, ...] = ()
    """The keys that it answers to, of the arrows, Home, End, Return, Enter and Space; the others are the window's."""
    caption = 0
    """Room below a cell, in pixels, that belongs to it for the pointer."""
    wraps = True
    """Whether Left and Right go on in the next row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hovered = -1
        """The cell under the pointer, where the mouse is tracked."""
        self._pressed: tuple[QPointF, int] | None = None
        cell_access.provide(CellView)

    # What a subclass says

    @property
    def count(self) -> int:
        """How many cells there are."""
        raise NotImplementedError

    @property
    def columns(self) -> int:
        """How many stand in a row."""
        return max(1, self.count)

    @property
    def current(self) -> int:
        """The cell that is chosen, where the arrow keys begin; -1 for none."""
        return -1

    def cell(self, index: int) -> QRectF:
        """Where a cell is."""
        raise NotImplementedError

    def area(self, index: int) -> QRectF:
        """Where it is for the pointer, with what belongs to it."""
        return self.cell(index).adjusted(0, 0, 0, self.caption)

    def places(self) -> Iterable[int]:
        """The cells that can be seen; of two that overlap the upper one first."""
        return range(self.count)

    def cell_name(self, index: int) -> str:
        """What a screen reader calls it."""
        raise NotImplementedError

    def cell_value(self, index: int) -> str:
        """What it says of it beside the name: a figure, a mark."""
        return ""

    # What it hears

    def choose(self, index: int) -> None:
        """A cell was clicked."""

    def go_to(self, index: int) -> None:
        """A key goes to a cell."""
        self.choose(index)

    def activate(self, index: int) -> None:
        """Return, Enter or Space on the cell that is chosen."""

    def pull(self, index: int) -> None:
        """A cell is dragged out."""

    def hover(self, index: int) -> None:
        """The pointer is over another cell; -1 for none."""

    # What is the same for all

    def index_at(self, point: QPointF) -> int:
        """The cell at a point; -1 for none."""
        return next((index for index in self.places() if self.area(index).contains(point)), -1)

    def set_hovered(self, index: int) -> None:
        """Where the pointer is."""
        if index != self.hovered:
            self.hovered = index
            self.setCursor(Qt.CursorShape.PointingHandCursor if index >= 0 else Qt.CursorShape.ArrowCursor)
            self.hover(index)

    def tell_reader(self) -> None:
        """Another cell is chosen: a screen reader that follows the keyboard goes there."""
        cell_access.tell(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self._pressed = event.position(), index
            self.choose(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and event.buttons() & Qt.MouseButton.LeftButton:
            start, index = self._pressed
            if (event.position() - start).manhattanLength() >= QApplication.startDragDistance():
                self._pressed = None
                self.pull(index)
        elif self.hasMouseTracking():
            self.set_hovered(self.index_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None

    def leaveEvent(self, event: QEvent) -> None:
        self.set_hovered(-1)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, at = Qt.Key(event.key()), self.current
        activates = key in ACTIVATION_KEYS
        if key not in self.kept_keys or not self.count or (activates and at < 0):
            super().keyPressEvent(event)
        elif activates:
            self.activate(at)
        elif 0 <= (target := self.target(key)) < self.count:
            self.go_to(target)

    def target(self, key: Qt.Key) -> int:
        """Where a key leads from the chosen cell; it may be none that there is."""
        at, columns = self.current, self.columns
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            return 0 if key == Qt.Key.Key_Home else self.count - 1
        if at < 0:
            return 0
        column = at % columns
        steps = {
            Qt.Key.Key_Left: -1 if self.wraps or column else 0,
            Qt.Key.Key_Right: 1 if self.wraps or column < columns - 1 else 0,
            Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns,
        }  # fmt: skip
        return at + steps[key]
