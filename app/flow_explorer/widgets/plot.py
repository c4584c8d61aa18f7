"""What the panels draw with: a plot of fixed range without furniture, clouds of points, bundles of lines."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QPolygonF, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsView, QSizePolicy

from flow_explorer import theme
from flow_explorer.widgets.focus import ring

__all__ = ["Bundle", "Cloud", "Plot", "polygon", "unit_of"]

RADIUS = 6.0
PLAIN = 300.0
"""A plot so high (or wide, if that is less), in logical pixels, draws dots and lines at the size that they ask for."""
LARGEST = 2.4


def unit_of(item: pg.GraphicsObject) -> float:
    """How much larger than they ask for the dots and lines of ``item`` are drawn: its plot's ``unit``."""
    view = item.getViewWidget()
    return view.unit if isinstance(view, Plot) else 1.0


def polygon(points: np.ndarray) -> QPolygonF:
    """(n, 2) as a polygon, copied in one piece."""
    result = QPolygonF()
    result.resize(len(points))
    if len(points):
        pg.functions.ndarray_from_qpolygonf(result)[:] = points
    return result


class Cloud(pg.GraphicsObject):
    """Round dots of ``size`` logical pixels (more in a large plot) in a colour of the theme.

    A dot is drawn once and stamped: a thousand stamps cost a tenth of a thousand strokes with round ends.
    """

    def __init__(self, tone: str, size: float = 3.0, alpha: float = 0.85) -> None:
        super().__init__()
        self.tone, self.size, self.alpha = tone, size, alpha
        self.color: QColor | None = None
        self._points = np.empty((0, 2))
        self._stamps = PrimitiveArray(QPainter.PixmapFragment, 10)
        self._area = QRectF(-8, -8, 16, 16)

    def set_points(self, points: np.ndarray) -> None:
        """Show (n, 2); what lies far outside of the view is brought near, so that nothing overflows."""
        self._points = np.clip(points, -1e3, 1e3).astype(np.float64)
        self._stamps.resize(len(self._points))
        self.update()

    def count(self) -> int:
        """How many dots there are."""
        return len(self._points)

    def boundingRect(self) -> QRectF:
        return self._area

    def paint(self, painter: QPainter, *_unused: object) -> None:
        if not len(self._points):
            return
        ratio = painter.device().devicePixelRatioF()
        dot = _dot((self.color or theme.color(self.tone, self.alpha)).rgba(), self.size * unit_of(self), ratio)
        world = painter.worldTransform()
        stamps = self._stamps.ndarray()
        stamps[:, 0] = self._points[:, 0] * world.m11() + world.dx()
        stamps[:, 1] = self._points[:, 1] * world.m22() + world.dy()
        stamps[:, 2:4] = 0.0
        stamps[:, 4], stamps[:, 5] = dot.width(), dot.height()
        stamps[:, 6:8] = 1.0 / ratio
        stamps[:, 8], stamps[:, 9] = 0.0, 1.0
        painter.save()
        painter.resetTransform()
        # At whole pixels of the screen: the dot's own edge is already smooth, and only then is a stamp a copy.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        # pyqtgraph tells no types of what it hands to Qt: a pointer and a length.
        painter.drawPixmapFragments(*self._stamps.drawargs(), dot)  # pyright: ignore[reportCallIssue]
        painter.restore()


@lru_cache(maxsize=64)
def _dot(color: int, size: float, ratio: float) -> QPixmap:
    """A disc of ``size`` logical pixels in the middle of a pixmap of whole screen pixels."""
    side = math.ceil(size * ratio) + 1
    side += 1 - side % 2
    image = QPixmap(side, side)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor.fromRgba(color))
    painter.drawEllipse(QPointF(side / 2, side / 2), size * ratio / 2, size * ratio / 2)
    painter.end()
    return image


class Bundle(pg.GraphicsObject):
    """Many polylines, (lines, k, 2), in a colour of the theme."""

    def __init__(self, tone: str, width: float = 1.2, alpha: float = 0.75) -> None:
        super().__init__()
        self.tone, self.width, self.alpha = tone, width, alpha
        self._lines: list[QPolygonF] = []
        self._area = QRectF(-8, -8, 16, 16)

    def set_lines(self, lines: np.ndarray) -> None:
        """Show (lines, k, 2); what lies far outside of the view is brought near, so that nothing overflows."""
        self._lines = [polygon(line) for line in np.clip(lines, -1e3, 1e3)]
        self.update()

    def boundingRect(self) -> QRectF:
        return self._area

    def paint(self, painter: QPainter, *_unused: object) -> None:
        # A cosmetic pen is as wide as it says in pixels of the screen.
        width = self.width * unit_of(self) * painter.device().devicePixelRatioF()
        pen = QPen(theme.color(self.tone, self.alpha), width)
        pen.setCosmetic(True)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen)
        for line in self._lines:
            painter.drawPolyline(line)


class Plot(pg.GraphicsView):
    """A view on the square ±reach (equal scales, whatever the widget's shape), with rounded corners and no mouse.

    ``unit`` is 1 in a small plot and grows with it, so that dots, lines and figures can be seen from the last row.
    """

    unit = 1.0
    scaled = Signal()
    """``unit`` has changed: pens and figures that are not drawn anew at every frame have to follow."""

    def __init__(self, name: str, reach: float = 4.0, equal: bool = True) -> None:
        super().__init__(useOpenGL=False)
        self.ground: QColor | None = None
        self._with_ring = False
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 80)
        self.setAntialiasing(True)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        # One update of the whole panel a frame: what is drawn covers most of it anyway.
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.box = pg.ViewBox(enableMenu=False, enableMouse=False)
        self.setCentralItem(self.box)
        self.box.disableAutoRange()
        if equal:
            self.box.setAspectLocked(True)
        self.set_reach(reach)
        theme.changed.connect(self.paint_theme)
        self.paint_theme()

    def set_reach(self, reach: float) -> None:
        """Show the square from −reach to reach."""
        self.box.setRange(xRange=(-reach, reach), yRange=(-reach, reach), padding=0)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if event is None:  # pyqtgraph lays its items out anew
            return
        # In eighths: a drag of the window's corner must not make every size anew.
        unit = max(1.0, min(LARGEST, round(8 * min(self.width(), self.height()) / PLAIN) / 8))
        if unit != self.unit:
            self.unit = unit
            self.scaled.emit()

    def pixels(self) -> float:
        """Pixels of the screen to one of the lengths that are asked for: what pyqtgraph's pens count in."""
        return self.unit * self.devicePixelRatioF()

    def paint_theme(self) -> None:
        """Take the theme's colours."""
        self.setBackground(self.paper())
        self.viewport().update()

    def paper(self) -> QColor:
        """The colour behind the data."""
        if self.ground is not None:
            return self.ground
        tones = theme.current()
        return QColor(theme.mix(tones.window, "#000000", 0.25) if tones.dark else theme.mix(tones.window, "#ffffff", 0.35))

    def show_ring(self, on: bool) -> None:
        """Paint the keyboard's ring around, or not; for whoever gives the plot something to do with keys."""
        self._with_ring = on
        self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def drawForeground(self, painter: QPainter, _rect: QRectF) -> None:
        """Round the corners with the colour of the card around."""
        painter.save()
        painter.resetTransform()
        area = QRectF(self.viewport().rect())
        corners = QPainterPath()
        corners.addRect(area.adjusted(-1, -1, 1, 1))
        inside = QPainterPath()
        inside.addRoundedRect(area, RADIUS, RADIUS)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(corners.subtracted(inside), theme.color("surface"))
        if self._with_ring:
            ring(painter, area, RADIUS - 1)
        painter.restore()
