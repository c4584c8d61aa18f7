"""How each flow of a race is told from the others: a colour, a dash and a marker, so that no one needs the colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from flow_explorer import theme

__all__ = ["MARKS", "Mark", "Swatch", "paint_marker"]


@dataclass(frozen=True)
class Mark:
    """A colour of the theme (its dots, and its text), a dash pattern in widths of the pen, and a marker."""

    tone: str
    text: str
    dash: tuple[float, ...]
    marker: str

    def pen(self, width: float) -> QPen:
        """A pen of ``width`` pixels."""
        pen = QPen(theme.color(self.tone), width)
        pen.setCosmetic(True)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if self.dash:
            pen.setDashPattern(list(self.dash))
        return pen


MARKS = (
    Mark("b", "b_text", (), "circle"),
    Mark("good", "good_text", (5, 2), "square"),
    Mark("z", "z_text", (1.5, 1.5), "triangle"),
    Mark("text", "text", (6, 2, 1.5, 2), "diamond"),
)
"""One a racer. The data's orange is not among them, since the data are on screen too."""


def paint_marker(painter: QPainter, mark: Mark, centre: QPointF, size: float = 9.0) -> None:
    """Draw a racer's marker, ``size`` logical pixels across."""
    half = size / 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(getattr(theme.current(), mark.tone)))
    if mark.marker == "circle":
        painter.drawEllipse(centre, half, half)
    elif mark.marker == "square":
        painter.drawRect(QRectF(centre.x() - 0.86 * half, centre.y() - 0.86 * half, 1.72 * half, 1.72 * half))
    else:
        corners = [(0, -1), (1, 0.8), (-1, 0.8)] if mark.marker == "triangle" else [(0, -1.1), (1.1, 0), (0, 1.1), (-1.1, 0)]
        painter.drawPolygon(QPolygonF([centre + QPointF(x * half, y * half) for x, y in corners]))


class Swatch(QWidget):
    """A racer's line and marker."""

    def __init__(self, index: int, line: bool = True) -> None:
        super().__init__()
        self._index, self._line = index, line
        self.setFixedSize(self.sizeHint())
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(32 if self._line else 12, 20)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        mark, middle = MARKS[self._index], self.height() / 2
        if self._line:
            painter.setPen(mark.pen(2.0))
            painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))
        paint_marker(painter, mark, QPointF(self.width() / 2, middle))
