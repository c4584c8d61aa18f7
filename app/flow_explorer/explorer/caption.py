"""A caption that says the same in fewer words where there is little room."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from flow_explorer.widgets import Label

__all__ = ["Caption"]


class Caption(Label):
    """`text()` is always the whole text; `shown` is what there is room for."""

    def __init__(self, tone: str = "small", parent: QWidget | None = None) -> None:
        super().__init__("", tone, parent=parent)
        self._short = ""

    def set_words(self, text: str, short: str = "") -> None:
        """The caption, and how to say it in fewer words."""
        self._short = short or text
        self.setText(text)
        self.update()

    @property
    def shown(self) -> str:
        """The whole text, the short one, or as much of that as there is room for."""
        metrics = self.fontMetrics()
        if metrics.horizontalAdvance(self.text()) <= self.width():
            return self.text()
        return metrics.elidedText(self._short, Qt.TextElideMode.ElideRight, self.width())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.shown)
        painter.end()
