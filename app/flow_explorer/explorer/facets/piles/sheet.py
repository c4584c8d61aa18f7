"""Originals above their translations, a page of pairs; one is selected, and the one under the pointer is looked at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import icons, theme
from flow_explorer.explorer.paint import PictureCache, draw_outline, draw_picture, draw_placeholder
from flow_explorer.i18n import tr
from flow_explorer.widgets.focus import KeyboardFocus
from flow_explorer.widgets.sameness import same

__all__ = ["PairSheet"]

MARGIN = 4
WITHIN, ACROSS, DOWN = 2, 8, 12
"""Between a pair's two pictures, between columns, between rows."""
SIDES = (112, 96, 84, 72, 64, 56, 48)
WANTED = 24
"""So many pairs are wanted on a page before they are drawn larger."""
HOVER_MS = 120


class PairSheet(KeyboardFocus, QWidget):
    """`original(i)` and `translation(i)` give the i-th pictures, None where they are not there yet."""

    kept_keys = (
        Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End,
        Qt.Key.Key_PageUp, Qt.Key.Key_PageDown,
    )  # fmt: skip

    picked = Signal(int)
    looked = Signal()
    """Another page is shown, or the pointer rests on another pair: see `visible` and `hovered`."""

    def __init__(self, original: Callable[[int], np.ndarray | None], translation: Callable[[int], np.ndarray | None],
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._original, self._translation = original, translation
        self._count = 0
        self._selected = -1
        self._page = 0
        self._under = -1
        self.hovered: int | None = None
        """The pair that the pointer has rested on for a moment."""
        self._failed: set[int] = set()
        self._painted: tuple[list, dict] = ([], {})
        self._tones = ("a", "b")
        self._cache = PictureCache()
        self.smooth = True
        self._rest = QTimer(self, interval=HOVER_MS, singleShot=True)
        self._rest.timeout.connect(self._hovered_long)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 120)
        self.setToolTip(tr("Originals above, their translations below. Click a pair to work on it; Page Up and Page Down turn "
                           "the page."))  # fmt: skip
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(560, 320)

    # What is shown

    def show_pairs(self, count: int, selected: int, failed: set[int], tones: tuple[str, str]) -> None:
        """`count` pairs, those `failed` without a translation; `tones` are the two piles' colours."""
        before, whole = self._selected, [count, selected, set(failed), tones]
        self._count, self._selected, self._failed, self._tones = count, selected, set(failed), tones
        if selected != before and selected >= 0:
            self._page = selected // self.capacity()
        self._page = min(self._page, self.pages() - 1)
        self.setAccessibleName(tr("Originals above translations"))
        chosen = tr("pair {number} selected", number=selected + 1) if selected >= 0 else tr("none selected")
        self.setAccessibleDescription(tr("{count} pairs, {chosen}", count=count, chosen=chosen))
        self._repaint(whole)

    def _repaint(self, whole: list) -> None:
        """All of it where more than pictures has changed, else the pairs whose pictures have."""
        pairs = {index: (self._original(index), self._translation(index)) for index in self.visible}
        before, self._painted = self._painted, ([*whole, self._page], pairs)
        if not same(before[0], self._painted[0]) or before[1].keys() != pairs.keys():
            self.update()
            return
        for index, pictures in pairs.items():
            if not same(before[1][index], pictures):
                above, below = self.pair(index)
                self.update(above.united(below).adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN).toAlignedRect())

    def layout_of(self) -> tuple[int, int, float]:
        """(columns, rows, side of a picture): as large as leaves room for a page of pairs."""
        width, height = self.width() - 2 * MARGIN, self.height() - 2 * MARGIN
        wanted = max(1, min(self._count, WANTED))
        for side in SIDES:
            columns = int((width + ACROSS) // (side + ACROSS))
            rows = int((height + DOWN) // (2 * side + WITHIN + DOWN))
            if columns * rows >= wanted:
                # What a row has left is shared out, where the height allows it.
                wide = (width + ACROSS) / columns - ACROSS
                high = ((height + DOWN) / rows - DOWN - WITHIN) / 2
                return columns, rows, max(side, min(wide, high, 1.25 * side))
        side = min(SIDES[-1], (height - WITHIN) / 2)
        return max(1, int((width + ACROSS) // (side + ACROSS))), max(1, int((height + DOWN) // (2 * side + WITHIN + DOWN))), side

    def capacity(self) -> int:
        """How many pairs a page has."""
        columns, rows, _side = self.layout_of()
        return columns * rows

    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self._count // self.capacity()))

    @property
    def page(self) -> int:
        """The page in front, from 0."""
        return self._page

    @property
    def visible(self) -> range:
        """The numbers of the pairs on this page."""
        first = self._page * self.capacity()
        return range(first, min(first + self.capacity(), self._count))

    def turn(self, page: int) -> None:
        """Go to a page."""
        page = min(max(page, 0), self.pages() - 1)
        if page != self._page:
            self._page = page
            self._set_hover(-1)
            self.update()
            self.looked.emit()

    def pair(self, index: int) -> tuple[QRectF, QRectF]:
        """Where a pair of this page is: its original, and its translation."""
        columns, _rows, side = self.layout_of()
        row, column = divmod(index - self.visible.start, columns)
        left, top = MARGIN + column * (side + ACROSS), MARGIN + row * (2 * side + WITHIN + DOWN)
        return QRectF(left, top, side, side), QRectF(left, top + side + WITHIN, side, side)

    def index_at(self, point: QPointF) -> int:
        for index in self.visible:
            above, below = self.pair(index)
            if above.united(below).contains(point):
                return index
        return -1

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        if self._selected >= 0:
            self._page = self._selected // self.capacity()
        self._page = min(self._page, self.pages() - 1)
        self.looked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        asked = QRectF(event.rect()).adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        for index in self.visible:
            above, below = self.pair(index)
            if not asked.intersects(above.united(below)):
                continue
            for rect, picture in ((above, self._original(index)), (below, self._translation(index))):
                if picture is None or (rect is below and index in self._failed):
                    draw_placeholder(painter, rect)
                else:
                    draw_picture(painter, rect, picture, self._cache, self.smooth)
            if index in self._failed:
                middle = below.center()
                icons.paint(painter, "warning", QRectF(middle.x() - 9, middle.y() - 9, 18, 18), theme.current().warning)
            if index == self._under and index != self._selected:
                painter.fillRect(above.united(below), QColor(255, 255, 255, 26))
            if index == self._selected:
                draw_outline(painter, above.united(below), theme.color("accent"), 3 if self.focus_visible else 2)
        painter.end()

    # Mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hover(self.index_at(event.position()))

    def leaveEvent(self, event) -> None:
        self._set_hover(-1)
        super().leaveEvent(event)

    def _set_hover(self, index: int) -> None:
        if index == self._under:
            return
        self._under = index
        self.setCursor(Qt.CursorShape.PointingHandCursor if index >= 0 else Qt.CursorShape.ArrowCursor)
        self._rest.start()
        if index < 0 and self.hovered is not None:
            self.hovered = None
            self.looked.emit()
        self.update()

    def _hovered_long(self) -> None:
        hovered = self._under if self._under >= 0 and self._under != self._selected else None
        if hovered != self.hovered:
            self.hovered = hovered
            self.looked.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self.hovered = None
            self.picked.emit(index)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.pages() < 2:
            event.ignore()
            return
        self.turn(self._page + (-1 if event.angleDelta().y() > 0 else 1))
        event.accept()

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns, rows, _side = self.layout_of()
        steps = {
            Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns,
            Qt.Key.Key_PageUp: -columns * rows, Qt.Key.Key_PageDown: columns * rows,
        }  # fmt: skip
        key, last = Qt.Key(event.key()), self._count - 1
        if not self._count:
            super().keyPressEvent(event)
        elif key in steps:
            target = self._selected + steps[key] if self._selected >= 0 else 0
            if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
                target = min(max(target, 0), last)
            if 0 <= target <= last:
                self.picked.emit(target)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.picked.emit(0 if key == Qt.Key.Key_Home else last)
        else:
            super().keyPressEvent(event)
