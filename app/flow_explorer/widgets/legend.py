"""What tells the curves or points of a plot apart."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme

__all__ = ["Legend"]


class Legend(QWidget):
    """Dots with words, in colours of the theme."""

    def __init__(self, entries: list[tuple[str, str]]) -> None:
        super().__init__()
        self._entries: list[tuple[str, str]] = []
        self._unit = 1.0
        self.set_entries(entries)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_entries(self, entries: list[tuple[str, str]]) -> None:
        """Show others: (colour of the theme, words)."""
        self._entries = list(entries)
        self.setAccessibleName(", ".join(words for _, words in entries))
        self.updateGeometry()
        self.update()

    def set_unit(self, unit: float) -> None:
        """Draw it so many times as large as usual."""
        if unit != self._unit:
            self._unit = unit
            self.updateGeometry()
            self.update()

    def _font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(round(theme.FONT_PIXELS * self._unit))
        return font

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._font())
        width = sum(metrics.horizontalAdvance(words) + 24 * self._unit for _, words in self._entries)
        return QSize(round(width - 8 * self._unit), round(18 * self._unit))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font())
        metrics = QFontMetricsF(self._font())
        x, unit = 2.0, self._unit
        for tone, words in self._entries:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(tone))
            painter.drawEllipse(QRectF(x, self.height() / 2 - 4 * unit, 8 * unit, 8 * unit))
            painter.setPen(QColor(getattr(theme.current(), f"{tone}_text", theme.current().text)))
            width = metrics.horizontalAdvance(words)
            painter.drawText(QRectF(x + 14 * unit, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
            x += width + 24 * unit
