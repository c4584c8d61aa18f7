"""The colour scales that panels share, and the small bar that tells what they mean."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.widgets.plain import plain

__all__ = ["STRETCH", "ColourBar", "density_table", "stretch_table"]

STRETCH = 6.0
"""The scale of log|det| ends at ± so many nats, in every run and at every step."""


@cache
def _table(name: str) -> np.ndarray:
    scale = pg.colormap.get(name)
    assert scale is not None, name
    colors = np.asarray(scale.getLookupTable(0.0, 1.0, 256))[:, :3].astype(np.uint8)
    return np.ascontiguousarray(colors)


def density_table() -> np.ndarray:
    """(256, 3) uint8 for densities. Perceptually uniform; no density is the colour of the panel's own ground."""
    return _table("magma" if theme.current().dark else "CET-L17")


def stretch_table() -> np.ndarray:
    """(256, 3) uint8 for log|det|: blue shrinks, red stretches, the middle is the ground's own dark or light.

    Kovesi's diverging maps: uniform in lightness on both sides, and told apart by colour-blind eyes.
    """
    return _table("CET-D4" if theme.current().dark else "CET-D1A")


class ColourBar(QWidget):
    """A strip of colours with its ends in words; ``marks`` (0..1) are small lines in it."""

    def __init__(self, low: str, high: str, marks: tuple[float, ...] = (), tooltip: str = "") -> None:
        super().__init__()
        self._low, self._high, self.marks = low, high, marks
        self._colors: list[QColor] = []
        self._unit = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(plain(tooltip))
        self.set_ends(low, high)
        theme.changed.connect(self.update)

    def set_ends(self, low: str, high: str) -> None:
        """Change the words at the ends."""
        self._low, self._high = low, high
        self.setAccessibleName(f"{low} – {high}")
        self.update()

    def set_colors(self, colors: list[QColor] | np.ndarray) -> None:
        """Show colours from low to high: a list, or a table (n, 3)."""
        if isinstance(colors, np.ndarray):
            colors = [QColor(*(int(channel) for channel in row)) for row in colors[:: max(1, len(colors) // 32)]]
        self._colors = list(colors)
        self.update()

    def set_marks(self, marks: tuple[float, ...]) -> None:
        """Change the small lines."""
        if marks != self.marks:
            self.marks = marks
            self.update()

    def set_unit(self, unit: float) -> None:
        """Draw it so many times as large as usual."""
        if unit != self._unit:
            self._unit = unit
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, round(16 * self._unit))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, round(16 * self._unit))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        unit = self._unit
        font = theme.font(round(theme.SMALL_PIXELS * unit))
        painter.setFont(font)
        painter.setPen(QColor(theme.current().muted))
        metrics = QFontMetricsF(font)
        left, right = (metrics.horizontalAdvance(words) for words in (self._low, self._high))
        area = QRectF(self.rect())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._low)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._high)
        bar = QRectF(left + 8 * unit, self.height() / 2 - 4 * unit, self.width() - left - right - 16 * unit, 8 * unit)
        if bar.width() < 16 or not self._colors:
            return
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for place, color in zip(np.linspace(0, 1, len(self._colors)), self._colors, strict=True):
            gradient.setColorAt(float(place), color)
        outline = QPainterPath()
        outline.addRoundedRect(bar, 3, 3)
        painter.fillPath(outline, gradient)
        painter.setPen(QPen(QColor(theme.current().line), 1))
        painter.drawPath(outline)
        painter.setPen(QPen(QColor(theme.current().text), unit))
        for mark in self.marks:
            x = bar.left() + mark * bar.width()
            painter.drawLine(QPointF(x, bar.top() - 2), QPointF(x, bar.bottom() + 2))
