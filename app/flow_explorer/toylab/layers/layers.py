"""The layers: the same points after 0, 1 … K of them, as a panel that moves and a strip that is scrubbed."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.panels.panel import ToyPanel
from flow_explorer.toylab.run import RunEntry
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.plot import Cloud, Plot, polygon

__all__ = ["LayerStrip", "LayersPanel", "between", "tone_at"]


def between(layers: np.ndarray, position: float) -> np.ndarray:
    """The points at a position from 0 to K, eased from layer to layer: (n, 2)."""
    last = len(layers) - 1
    low = min(int(position), last)
    part = position - low
    if low == last or part == 0:
        return layers[low]
    eased = np.float32(part * part * (3 - 2 * part))
    return layers[low] * (1 - eased) + layers[low + 1] * eased


def tone_at(fraction: float) -> str:
    """From the prior's colour to the model's."""
    tones = theme.current()
    return theme.mix(tones.z, tones.b, fraction)


class LayersPanel(ToyPanel):
    """Noise on its way to data, at the strip's position."""

    probe_side = "path"

    def __init__(self) -> None:
        words = tr("The same noise after a number of layers: drag along the strip, or play it.") + "\nh₀ = z, h_K = x"
        super().__init__(tr("Layer by layer"), "", tooltip=words)
        self.plot = Plot(self.accessibleName())
        self.points = Cloud("z", 2.8, 0.9)
        self.plot.box.addItem(self.points)
        self.add(self.plot)
        self._at: tuple[float, str] | None = None
        self._bound = 0.0

    def show_at(self, run: RunEntry, position: float) -> bool:
        """Draw ``run`` at a position from 0 to K; whether anything changed."""
        layers = run.arrays.get("layers")
        mark = (position, theme.current().name)
        if not self.news(run, "layers") and self._at == mark:
            return False
        self._at = mark
        if layers is None:
            self.points.set_points(np.empty((0, 2)))
            return True
        if run.layer_bound != self._bound:
            self._bound = run.layer_bound
            self.plot.set_reach(self._bound)
        color = QColor(tone_at(position / max(1, len(layers) - 1)))
        color.setAlphaF(0.9)
        self.points.color = color
        self.points.set_points(between(layers, min(position, len(layers) - 1)))
        return True

    def show_run(self, run: RunEntry) -> bool:
        """The canvas calls ``show_at`` instead, since it knows the position."""
        return False


class LayerStrip(KeyboardFocus, QWidget):
    """K + 1 small pictures of the points, one a layer; drag, click or arrow keys move the position."""

    moved = Signal(float)
    """The person moved to a position, 0 to K."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Layers"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tr("The same points after 0, 1, 2 … layers: drag to follow them."))
        self.position = 0.0
        self._layers: np.ndarray | None = None
        self._bound = 4.5
        self._mark: tuple[int, int] | None = None
        self._expected = 8
        self._unit = 1.0
        theme.changed.connect(self.update)

    def count(self) -> int:
        """K, the number of layers."""
        return len(self._layers) - 1 if self._layers is not None else self._expected

    def show_run(self, run: RunEntry, expected: int) -> bool:
        """Draw what is new of ``run``; ``expected`` layers while there are none yet."""
        mark = (run.number, run.version.get("layers", 0))
        if mark == self._mark and expected == self._expected:
            return False
        self._mark, self._expected = mark, expected
        self._layers = run.arrays.get("layers")
        self._bound = run.layer_bound
        self.setAccessibleDescription(self.words())
        self.update()
        return True

    def set_position(self, position: float) -> None:
        """Show a position without telling anybody."""
        if position != self.position:
            self.position = position
            self.update()

    def words(self) -> str:
        """Where the position is, in words."""
        return tr("after {n} of {count} layers", n=round(min(self.position, self.count())), count=self.count())

    def short_words(self) -> str:
        """The same where there is little room."""
        return tr("{n} of {count}", n=round(min(self.position, self.count())), count=self.count())

    def set_unit(self, unit: float) -> None:
        """Draw it so many times as high as usual."""
        if unit != self._unit:
            self._unit = unit
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, round(62 * self._unit))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, round(62 * self._unit))

    def _cell(self, index: int) -> QRectF:
        slot = self.width() / (self.count() + 1)
        gap = 4.0 if slot > 20 else 1.0
        return QRectF(index * slot + gap / 2, 3, slot - gap, self.height() - 6)

    def _x(self, position: float) -> float:
        slot = self.width() / (self.count() + 1)
        return (position + 0.5) * slot

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        count = self.count()
        paper = QColor(theme.mix(tones.surface, tones.window, 0.5))
        chosen = round(min(self.position, count))
        dots = max(100, 4500 // (count + 1))
        for index in range(count + 1):
            cell = self._cell(index)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(paper)
            painter.drawRoundedRect(cell, 5, 5)
            if self._layers is not None:
                self._paint_points(painter, cell, self._layers[index][:dots], tone_at(index / max(1, count)))
            if index == chosen:
                painter.setPen(QPen(QColor(tones.text), 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(cell.adjusted(0.75, 0.75, -0.75, -0.75), 4.5, 4.5)
        x = self._x(min(self.position, count))
        painter.setPen(QPen(QColor(tones.accent), 2))
        painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - 1))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tones.accent))
        painter.drawEllipse(QPointF(x, self.height() - 4), 4, 4)
        self._paint_ends(painter, count)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), 6)

    def _paint_points(self, painter: QPainter, cell: QRectF, points: np.ndarray, tone: str) -> None:
        side = min(cell.width(), cell.height())
        scale = (side / 2 - 1) / self._bound
        places = points * np.array([scale, -scale], np.float32) + np.array([cell.center().x(), cell.center().y()], np.float32)
        inside = (np.abs(places[:, 0] - cell.center().x()) < cell.width() / 2 - 1) & (
            np.abs(places[:, 1] - cell.center().y()) < cell.height() / 2 - 1
        )
        # Whole screen pixels: so many dots so small need no smooth edge, and strokes would cost ten times as much.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(QColor(tone), round(self._unit)))
        painter.drawPoints(polygon(places[inside]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)

    def _paint_ends(self, painter: QPainter, count: int) -> None:
        font = self.font()
        font.setPixelSize(round(theme.SMALL_PIXELS * self._unit))
        painter.setFont(font)
        painter.setPen(QColor(theme.current().muted))
        for index, words in ((0, "z"), (count, "x")):
            cell = self._cell(index)
            width = QFontMetricsF(font).horizontalAdvance(words)
            if cell.width() > width + 8:
                painter.drawText(cell.adjusted(6, 3, -6, -3), Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, words)

    def _go(self, position: float) -> None:
        position = min(float(self.count()), max(0.0, position))
        if position != self.position:
            self.set_position(position)
            self.setAccessibleDescription(self.words())
            self.moved.emit(position)

    def _go_to(self, event: QMouseEvent) -> None:
        self._go(event.position().x() / self.width() * (self.count() + 1) - 0.5)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._go_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        here = round(self.position)
        places: dict[int, int] = {
            Qt.Key.Key_Left: here - 1, Qt.Key.Key_Down: here - 1, Qt.Key.Key_Right: here + 1, Qt.Key.Key_Up: here + 1,
            Qt.Key.Key_Home: 0, Qt.Key.Key_End: self.count(),
        }  # fmt: skip
        if event.key() in places:
            self._go(float(places[event.key()]))
        else:
            super().keyPressEvent(event)
