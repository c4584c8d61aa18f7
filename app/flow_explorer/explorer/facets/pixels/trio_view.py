"""Before, painted and plausible side by side, with their figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_cell
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import CellView

__all__ = ["TrioPart", "TrioView"]

GAP = 12
TITLE = 24
LINE = 18
LINES = 2


@dataclass(frozen=True, eq=False)
class TrioPart:
    """One of the pictures: uint8 (H, W, C), None while it has not come, with its title and two lines of figures."""

    title: str
    picture: np.ndarray | None
    lines: tuple[str, str]


class TrioView(CellView):
    """Paints three pictures in a row, as large as it has room for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: list[TrioPart] = []
        self._cache = PictureCache()
        self.smooth = True
        self.setAccessibleName(tr("Before, painted and plausible"))
        self.setToolTip(tr("The picture before, as you painted it, and made plausible, each with what the model says of it.\n"
                           "Bits per dimension at the bytes' bin centres; typicality 2 · min(F, 1 − F)"))  # fmt: skip
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(360, 120 + TITLE + LINES * LINE)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 60 + TITLE + LINES * LINE)

    def show_parts(self, parts: Sequence[TrioPart]) -> None:
        self._parts = list(parts)
        said = (f"{self.cell_name(index)}: {self.cell_value(index)}" for index in range(self.count))
        self.setAccessibleDescription("; ".join(said))
        self.update()

    @property
    def count(self) -> int:
        return len(self._parts)

    def cell_name(self, index: int) -> str:
        return self._parts[index].title

    def cell_value(self, index: int) -> str:
        return ", ".join(filter(None, self._parts[index].lines))

    def set_smooth(self, smooth: bool) -> None:
        if smooth != self.smooth:
            self.smooth = smooth
            self.update()

    def cell(self, index: int) -> QRectF:
        """Where a picture is, without its title and figures."""
        count = max(self.count, 1)
        known = next((part.picture for part in self._parts if part.picture is not None), None)
        aspect = 1.0 if known is None else known.shape[1] / known.shape[0]
        wide = (self.width() - (count - 1) * GAP) / count
        width = max(8.0, min(wide, (self.height() - TITLE - LINES * LINE - 4) * aspect))
        return QRectF(index * (wide + GAP), TITLE, round(width), round(width / aspect))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        wide = (self.width() - (self.columns - 1) * GAP) / self.columns
        for index, part in enumerate(self._parts):
            cell = self.cell(index)
            painter.setFont(theme.font(12))
            painter.setPen(theme.color("muted"))
            left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(cell.left(), 0, wide, TITLE - 2), left, part.title)
            draw_cell(painter, cell, part.picture, self._cache, self.smooth)
            for number, line in enumerate(part.lines):
                painter.setPen(theme.color("text" if number == 0 else "muted"))
                painter.drawText(QRectF(cell.left(), cell.bottom() + 4 + number * LINE, wide, LINE), left, line)
        painter.end()
