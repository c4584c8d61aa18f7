"""The page of samples, small, where a click marks one as more of this, a second click as less, a third takes the mark away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_outline, draw_picture, draw_placeholder
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import ARROWS, CellView
from flow_explorer.widgets.focus import ACTIVATION_KEYS
from flow_explorer.widgets.sameness import same

__all__ = ["LESS", "MORE", "NONE", "MarksGrid"]

NONE, MORE, LESS = 0, 1, -1
MARGIN = 3
GAP = 4


class MarksGrid(CellView):
    """`clicked(index)` when one is to get its next mark."""

    kept_keys = (*ARROWS, *ACTIVATION_KEYS)

    clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures: list[np.ndarray | None] = []
        self._marks: list[int] = []
        self._at = 0
        self._cache = PictureCache()
        self.smooth = True
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(tr("Samples to mark"))
        self.setToolTip(tr("Click a sample for more of it, again for less of it, once more for neither."))
        theme.paint_with(self)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return width

    def sizeHint(self) -> QSize:
        return QSize(276, 276)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 160)

    def show_page(self, pictures: Sequence[np.ndarray | None], marks: Sequence[int]) -> None:
        """The page's pictures, None where one has not come, and the mark of each."""
        pictures, marks = list(pictures), list(marks)
        if same([self._pictures, self._marks], [pictures, marks]):
            return
        self._pictures, self._marks = pictures, marks
        self._at = min(self._at, max(0, len(self._pictures) - 1))
        self._describe()
        self.update()

    def _describe(self) -> None:
        if self._marks:
            self.setAccessibleDescription(f"{self.cell_name(self._at)}, {self.cell_value(self._at)}")
            self.tell_reader()

    def cell_name(self, index: int) -> str:
        return tr("Sample {number}", number=index + 1)

    def cell_value(self, index: int) -> str:
        return {NONE: tr("no mark"), MORE: tr("more of this"), LESS: tr("less of this")}[self._marks[index]]

    @property
    def count(self) -> int:
        return len(self._pictures)

    @property
    def current(self) -> int:
        return self._at

    @property
    def columns(self) -> int:
        return max(1, round(len(self._pictures) ** 0.5))

    def cell(self, index: int) -> QRectF:
        step = (min(self.width(), self.height()) - 2 * MARGIN + GAP) / self.columns
        row, column = divmod(index, self.columns)
        return QRectF(MARGIN + column * step, MARGIN + row * step, step - GAP, step - GAP)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, picture in enumerate(self._pictures):
            rect, mark = self.cell(index), self._marks[index]
            if picture is None:
                draw_placeholder(painter, rect)
                continue
            draw_picture(painter, rect, picture, self._cache, self.smooth)
            if mark:
                tone = "good" if mark == MORE else "warning"
                draw_outline(painter, rect, theme.color(tone), 3)
                self._badge(painter, rect, mark, tone)
            if self.focus_visible and index == self._at:
                draw_outline(painter, rect.adjusted(3, 3, -3, -3), theme.color("accent"), 2)
        painter.end()

    @staticmethod
    def _badge(painter: QPainter, rect: QRectF, mark: int, tone: str) -> None:
        """A plus or a minus, so that the mark is not told by colour alone."""
        side = min(16.0, rect.width() / 2)
        area = QRectF(rect.right() - side - 2, rect.top() + 2, side, side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(tone))
        painter.drawEllipse(area)
        painter.setPen(QPen(QColor("#ffffff"), 2))
        middle, arm = area.center(), side * 0.26
        painter.drawLine(QPointF(middle.x() - arm, middle.y()), QPointF(middle.x() + arm, middle.y()))
        if mark == MORE:
            painter.drawLine(QPointF(middle.x(), middle.y() - arm), QPointF(middle.x(), middle.y() + arm))

    def choose(self, index: int) -> None:
        self._at = index
        self.clicked.emit(index)

    def go_to(self, index: int) -> None:
        self._at = index
        self._describe()
        self.update()

    def activate(self, index: int) -> None:
        self.clicked.emit(index)
