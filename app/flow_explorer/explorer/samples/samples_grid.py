"""The page of samples as a square grid: shows, selects, drags out. Computes nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_cell, draw_outline, picture_area
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import ARROWS, CellView

__all__ = ["SamplesGrid"]

MARGIN = 4
"""Room around the grid for the outline of a selected picture at its edge, in pixels."""


class SamplesGrid(CellView):
    """A grid of `count` pictures in as many columns as rows. `picture(i)` gives the i-th, None where not yet there."""

    kept_keys = (*ARROWS, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Return, Qt.Key.Key_Enter)
    wraps = False

    picked = Signal(int)
    activated = Signal(int)
    """Enter, or a double click: put this one in the first empty slot."""
    dragged = Signal(int)
    hover_changed = Signal(int)
    """The pointer is over another picture; -1 for none."""
    menu_wanted = Signal(int, QPoint)
    """A picture was pressed with the right button, or the menu key: its index and the global position."""

    def __init__(self, picture: Callable[[int], np.ndarray | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = picture
        self._count = 16
        self._selected = -1
        self._cache = PictureCache()
        self.smooth = True
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setToolTip(tr("Click a sample to work on it, or drag it to A or B."))
        theme.paint_with(self)
        self._describe()

    # What is shown

    @property
    def count(self) -> int:
        return self._count

    @property
    def columns(self) -> int:
        return max(1, round(self._count**0.5))

    @property
    def current(self) -> int:
        return self._selected

    def show_page(self, count: int, selected: int) -> None:
        if (count, selected) != (self._count, self._selected):
            self._count, self._selected = count, selected
            self._describe()
            self.tell_reader()
            self.update()

    def refresh(self, first: int, count: int) -> None:
        """Some pictures have changed."""
        area = QRectF()
        for index in range(first, min(first + count, self._count)):
            area = area.united(self.cell(index))
        if not area.isEmpty():
            self.update(area.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN).toAlignedRect())

    def cell(self, index: int) -> QRectF:
        """Where a picture is."""
        side = min(self.width(), self.height()) - 2 * MARGIN
        gap = 4 if self._count <= 16 else 3
        columns = self.columns
        step = (side + gap) / columns
        row, column = divmod(index, columns)
        return QRectF(MARGIN + column * step, MARGIN + row * step, step - gap, step - gap)

    def cell_name(self, index: int) -> str:
        return tr("Sample {number}", number=index + 1)

    def sizeHint(self) -> QSize:
        return QSize(440, 440)

    def _describe(self) -> None:
        self.setAccessibleName(tr("Samples"))
        chosen = tr("sample {number} selected", number=self._selected + 1) if self._selected >= 0 else tr("none selected")
        self.setAccessibleDescription(tr("{count} samples, {chosen}", count=self._count, chosen=chosen))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index in range(self._count):
            rect = self.cell(index)
            if not event.rect().intersects(rect.toAlignedRect().adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)):
                continue
            picture = self._picture(index)
            draw_cell(painter, rect, picture, self._cache, self.smooth)
            if index == self.hovered and index != self._selected:
                painter.fillRect(rect, QColor(255, 255, 255, 26))
        if 0 <= self._selected < self._count:
            rect, picture = self.cell(self._selected), self._picture(self._selected)
            if picture is not None:
                rect = picture_area(rect, picture.shape, self.devicePixelRatioF(), self.smooth)
            draw_outline(painter, rect, theme.color("accent"), 3 if self.focus_visible else 2)
        painter.end()

    # What the person does

    def choose(self, index: int) -> None:
        self.picked.emit(index)

    def activate(self, index: int) -> None:
        self.activated.emit(index)

    def pull(self, index: int) -> None:
        self.dragged.emit(index)

    def hover(self, index: int) -> None:
        self.update()
        self.hover_changed.emit(index)

    def show_hovered(self, index: int) -> None:
        """Light a picture up as if the pointer were over it; -1 for none."""
        if index != self.hovered:
            self.hovered = index
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self.activated.emit(index)

    def contextMenuEvent(self, event) -> None:
        if event.reason() == event.Reason.Keyboard:
            index = self._selected
            place = self.mapToGlobal(self.cell(max(index, 0)).center().toPoint())
        else:
            index, place = self.index_at(QPointF(event.pos())), event.globalPos()
        if index >= 0:
            self.menu_wanted.emit(index, place)
