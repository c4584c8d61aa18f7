"""Quantiles of z against those of the prior, a small plot a level, each with its band."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from flow_explorer import theme
from flow_explorer.engine.requests.layers import Against
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import ARROWS, CellView
from flow_explorer.widgets.focus import ring

__all__ = ["QQView", "Tile"]

GAP = 16
HEAD = 22
FOOT = 16
"""For the axis's figures."""
SIDE = 22
LARGEST = 640

Tile = tuple[int, str, Against | None]
"""(level, -1 for all of z; its title; what is known)."""


class QQView(CellView):
    """One tile a level; `picked(level)` when one is clicked, or chosen by the arrow keys."""

    kept_keys = ARROWS

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles: list[Tile] = []
        self._level = -1
        self._note = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("z against the prior, by level"))
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(480, 400)

    def show_tiles(self, tiles: Sequence[Tile], level: int, note: str) -> None:
        """The levels, which one is chosen, and what stands where a plot makes no sense."""
        self._tiles, self._level, self._note = list(tiles), level, note
        title = next((title for number, title, _ in self._tiles if number == level), "")
        self.setAccessibleDescription(title)
        self.tell_reader()
        self.update()

    @property
    def count(self) -> int:
        return len(self._tiles)

    @property
    def current(self) -> int:
        return next((index for index, tile in enumerate(self._tiles) if tile[0] == self._level), 0)

    def cell_name(self, index: int) -> str:
        return self._tiles[index][1]

    # Geometry

    @property
    def columns(self) -> int:
        """As many as make the plots largest, or nearly so: no place left empty is worth a little of their size."""
        count = max(len(self._tiles), 1)
        largest = max(self._side(columns) for columns in range(1, count + 1))
        near = [columns for columns in range(1, count + 1) if self._side(columns) >= 0.85 * largest]
        return min(near, key=lambda columns: (-count % columns, -columns))

    def _side(self, columns: int) -> float:
        """Of a plot's square."""
        rows = -(-max(len(self._tiles), 1) // columns)
        wide = (self.width() - (columns - 1) * GAP) / columns - SIDE
        high = (self.height() - (rows - 1) * GAP) / rows - HEAD - FOOT
        return max(min(wide, high, LARGEST), 40.0)

    def cell(self, index: int) -> QRectF:
        """A whole tile, its title and figures counted."""
        columns = self.columns
        side = self._side(columns)
        row, column = divmod(index, columns)
        return QRectF(column * (side + SIDE + GAP), row * (side + HEAD + FOOT + GAP), side + SIDE, side + HEAD + FOOT)

    def plot(self, index: int) -> QRectF:
        """The square in which its curve is drawn."""
        return self.cell(index).adjusted(SIDE, HEAD, 0, -FOOT)

    @staticmethod
    def limit(found: Against) -> float:
        """Both axes go from minus to plus this: what the prior reaches, and z where it is not far beyond."""
        prior = float(max(np.abs(found.expected).max(), np.abs(found.low[len(found.low) // 2])))
        own = float(np.abs(found.found).max())
        return 1.06 * min(max(prior, own), 2 * prior)

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, (level, title, found) in enumerate(self._tiles):
            tile, plot = self.cell(index), self.plot(index)
            chosen = level == self._level
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(plot, 4, 4)
            painter.setFont(theme.font(12, bold=chosen))
            painter.setPen(theme.color("text" if chosen else "muted"))
            painter.drawText(QRectF(plot.left(), tile.top(), plot.width(), HEAD - 4),
                             Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)  # fmt: skip
            if found is not None:
                self._paint_plot(painter, plot, found)
            elif self._note:
                painter.setPen(theme.color("muted"))
                painter.setFont(theme.font(12))
                inner = plot.adjusted(12, 12, -12, -12)
                painter.drawText(inner, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._note)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent" if chosen and len(self._tiles) > 1 else "line"), 2 if chosen else 1))
            painter.drawRoundedRect(plot, 4, 4)
        if self.focus_visible:
            ring(painter, self.plot(self.current).adjusted(-4, -4, 4, 4), 7)
        painter.end()

    def _paint_plot(self, painter: QPainter, plot: QRectF, found: Against) -> None:
        limit = self.limit(found)

        def place(x: float, y: float) -> QPointF:
            return QPointF(plot.center().x() + x / limit * plot.width() / 2, plot.center().y() - y / limit * plot.height() / 2)

        painter.save()
        painter.setClipRect(plot)
        self._paint_axes(painter, plot, limit, place)
        band = [place(x, y) for x, y in zip(found.expected, found.high, strict=True)]
        band += [place(x, y) for x, y in zip(found.expected[::-1], found.low[::-1], strict=True)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("z", 0.24))
        painter.drawPolygon(QPolygonF(band))
        painter.setPen(QPen(theme.color("muted", 0.8), 1, Qt.PenStyle.DashLine))
        painter.drawLine(place(-limit, -limit), place(limit, limit))
        path = QPainterPath()
        for index, (x, y) in enumerate(zip(found.expected, found.found, strict=True)):
            if index:
                path.lineTo(place(x, y))
            else:
                path.moveTo(place(x, y))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("z_text"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPath(path)
        painter.restore()
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        painter.setPen(theme.color("faint"))
        inner = plot.adjusted(6, 3, -6, -3)
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, tr("z"))
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, tr("prior"))
        painter.setPen(theme.color("muted"))
        for value in self._ticks(limit):
            text = f"{value:g}".replace("-", "−")
            at = place(value, value)
            painter.drawText(QRectF(at.x() - 20, plot.bottom() + 2, 40, FOOT - 2), Qt.AlignmentFlag.AlignCenter, text)
            painter.drawText(QRectF(plot.left() - SIDE, at.y() - 8, SIDE - 5, 16),
                             Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)  # fmt: skip

    def _paint_axes(self, painter: QPainter, plot: QRectF, limit: float, place) -> None:
        painter.setPen(QPen(theme.color("line"), 1))
        for value in self._ticks(limit):
            at = place(value, value)
            painter.drawLine(QPointF(at.x(), plot.top()), QPointF(at.x(), plot.bottom()))
            painter.drawLine(QPointF(plot.left(), at.y()), QPointF(plot.right(), at.y()))

    @staticmethod
    def _ticks(limit: float) -> list[float]:
        steps = (1, 2, 4, 5, 10, 20, 50, 100)
        step = next((step for step in steps if limit / step < 3), 10 ** math.ceil(math.log10(limit)))
        reach = int(limit * 0.97 / step)
        return [step * number for number in range(-reach, reach + 1)]

    # The pointer and the keyboard

    def choose(self, index: int) -> None:
        self.picked.emit(self._tiles[index][0])

    def tip(self, point: QPointF) -> str:
        """What is said of a place."""
        index = self.index_at(point)
        if index < 0:
            return ""
        _, title, found = self._tiles[index]
        about = tr("If z were a draw of the prior, the curve would follow the diagonal. Each point of it lies in the band\n"
                   "in 95 of 100 draws.\nQuantiles of ε against Φ⁻¹(p); order statistics have Beta(k, n + 1 − k)")  # fmt: skip
        if found is None:
            return about
        plot, limit = self.plot(index), self.limit(found)
        expected = (point.x() - plot.center().x()) / plot.width() * 2 * limit
        nearest = int(np.abs(found.expected - expected).argmin())
        parts = (found.expected, found.found, found.low, found.high)
        values = [f"{float(part[nearest]):.2f}".replace("-", "−") for part in parts]
        here = tr("{title}: where the prior has {expected}, z has {found}; a draw has {low} to {high}", title=title,
                  expected=values[0], found=values[1], low=values[2], high=values[3])  # fmt: skip
        return f"{here}\n{about}"

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip(QPointF(event.pos())), self)
            return True
        return super().event(event)
