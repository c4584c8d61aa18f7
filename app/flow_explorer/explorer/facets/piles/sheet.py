"""Originals above their translations, a page of pairs; one is selected, and the one under the pointer is looked at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import icons, theme
from flow_explorer.explorer.paint import PictureCache, draw_cell, draw_outline
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import ARROWS, CellView
from flow_explorer.widgets.sameness import same

__all__ = ["PairSheet"]

MARGIN = 4
WITHIN, ACROSS, DOWN = 2, 8, 12
"""Between a pair's two pictures, between columns, between rows."""
SIDES = (112, 96, 84, 72, 64, 56, 48)
WANTED = 24
"""So many pairs are wanted on a page before they are drawn larger."""
HOVER_MS = 120


class PairSheet(CellView):
    """`original(i)` and `translation(i)` give the i-th pictures, None where they are not there yet."""

    kept_keys = (*ARROWS, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)

    picked = Signal(int)
    looked = Signal()
    """Another page is shown, or the pointer rests on another pair: see `visible` and `looked_at`."""

    def __init__(self, original: Callable[[int], np.ndarray | None], translation: Callable[[int], np.ndarray | None],
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._original, self._translation = original, translation
        self._count = 0
        self._selected = -1
        self._page = 0
        self.looked_at: int | None = None
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
        self.tell_reader()
        self._repaint(whole)

    @property
    def count(self) -> int:
        return self._count

    @property
    def current(self) -> int:
        return self._selected

    @property
    def columns(self) -> int:
        return self.layout_of()[0]

    def cell(self, index: int) -> QRectF:
        above, below = self.pair(index)
        return above.united(below)

    def places(self) -> range:
        return self.visible

    def cell_name(self, index: int) -> str:
        return tr("Pair {number}", number=index + 1)

    def cell_value(self, index: int) -> str:
        return tr("without a translation") if index in self._failed else ""

    def _repaint(self, whole: list) -> None:
        """All of it where more than pictures has changed, else the pairs whose pictures have."""
        pairs = {index: (self._original(index), self._translation(index)) for index in self.visible}
        before, self._painted = self._painted, ([*whole, self._page], pairs)
        if not same(before[0], self._painted[0]) or before[1].keys() != pairs.keys():
            self.update()
            return
        for index, pictures in pairs.items():
            if not same(before[1][index], pictures):
                self.update(self.cell(index).adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN).toAlignedRect())

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
            self.set_hovered(-1)
            self.update()
            self.looked.emit()

    def pair(self, index: int) -> tuple[QRectF, QRectF]:
        """Where a pair of this page is: its original, and its translation."""
        columns, _rows, side = self.layout_of()
        row, column = divmod(index - self.visible.start, columns)
        left, top = MARGIN + column * (side + ACROSS), MARGIN + row * (2 * side + WITHIN + DOWN)
        return QRectF(left, top, side, side), QRectF(left, top + side + WITHIN, side, side)

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
                failed = rect is below and index in self._failed
                draw_cell(painter, rect, None if failed else picture, self._cache, self.smooth)
            if index in self._failed:
                middle = below.center()
                icons.paint(painter, "warning", QRectF(middle.x() - 9, middle.y() - 9, 18, 18), theme.current().warning)
            if index == self.hovered and index != self._selected:
                painter.fillRect(above.united(below), QColor(255, 255, 255, 26))
            if index == self._selected:
                draw_outline(painter, above.united(below), theme.color("accent"), 3 if self.focus_visible else 2)
        painter.end()

    # What the person does

    def hover(self, index: int) -> None:
        self._rest.start()
        if index < 0 and self.looked_at is not None:
            self.looked_at = None
            self.looked.emit()
        self.update()

    def _hovered_long(self) -> None:
        looked_at = self.hovered if self.hovered >= 0 and self.hovered != self._selected else None
        if looked_at != self.looked_at:
            self.looked_at = looked_at
            self.looked.emit()

    def choose(self, index: int) -> None:
        self.looked_at = None
        self.picked.emit(index)

    def go_to(self, index: int) -> None:
        self.picked.emit(index)

    def target(self, key: Qt.Key) -> int:
        if key not in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            return super().target(key)
        step = self.capacity() * (-1 if key == Qt.Key.Key_PageUp else 1)
        return min(max(self._selected + step, 0), self._count - 1) if self._selected >= 0 else 0

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.pages() < 2:
            event.ignore()
            return
        self.turn(self._page + (-1 if event.angleDelta().y() > 0 else 1))
        event.accept()
