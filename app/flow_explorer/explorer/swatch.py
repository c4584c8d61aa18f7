"""A button that shows a colour."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from flow_explorer import theme
from flow_explorer.widgets import IconButton

__all__ = ["Swatch"]


class Swatch(IconButton):
    """Shows its colour as a disc; `clicked` as of any button."""

    def __init__(self, name: str, tooltip: str = "", parent: QWidget | None = None) -> None:
        super().__init__("picture", name, size=28, tooltip=tooltip, parent=parent)
        self._colour = "#ffffff"

    def set_colour(self, colour: str) -> None:
        if colour != self._colour:
            self._colour = colour
            self.setAccessibleDescription(colour)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(28, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._background(painter, "quiet")
        painter.setBrush(QColor(self._colour))
        painter.setPen(QPen(theme.color("muted"), 1.5))
        painter.drawEllipse(QRectF(self.rect()).adjusted(6, 6, -6, -6))
        painter.end()
