"""The column on the right that holds the inspectors."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QStackedWidget

from flow_explorer import theme
from flow_explorer.workspace import INSPECTOR_WIDTH


class Column(QStackedWidget):
    """The inspector's column: a calm surface with a hairline at its left."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(INSPECTOR_WIDTH)
        self.setContentsMargins(1, 0, 0, 0)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.fillRect(0, 0, 1, self.height(), theme.color("line"))
