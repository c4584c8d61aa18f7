"""The bits per dimension along the walk as a curve, with the present position marked. Likelier is higher."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flowcore.latents.timeline import largest_dip

__all__ = ["LikelihoodCurve"]

PAD = 8
MARK = 4.5
"""Half the width of the mark at the largest dip, in pixels."""


class LikelihoodCurve(QWidget):
    """Log-likelihood of the frames over t in [0, 1], drawn between `inset` pixels from either side."""

    moved = Signal(float)
    released = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bpds: list[float | None] = []
        self._t = 0.0
        self._bpd: float | None = None
        self._dip: int | None = None
        self._limits: tuple[float, float] | None = None
        self.inset = 0.0
        self.setMinimumHeight(44)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(tr("Log-likelihood along the walk"))
        self.setToolTip(tr("How likely the model finds each picture of the walk; higher is likelier.\n"
                           "Bits per dimension = −log₂ p(x) / (height × width × channels)"))
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(400, 56)

    def set_curve(self, bpds: Sequence[float | None], limits: tuple[float, float] | None = None) -> None:
        """The bits per dimension at even steps; `limits` are the least and most of all curves that are to share a scale."""
        self._bpds, self._limits = list(bpds), limits
        self._dip = largest_dip(self._bpds)
        self.update()

    @property
    def dip(self) -> float | None:
        """Where on the walk the likelihood dips most; None where it does not, or not all of it is known."""
        return None if self._dip is None else self._dip / (len(self._bpds) - 1)

    def dip_words(self) -> str:
        """What the mark says."""
        dip = self.dip
        if self._dip is None or dip is None:
            return ""
        first, last, bpd = self._bpds[0], self._bpds[-1], self._bpds[self._dip]
        if first is None or last is None or bpd is None:
            return ""
        above = bpd - (first + dip * (last - first))
        return tr("The likelihood dips here: {bpd} bits per dimension at {t},\n{above} above the straight line between the ends",
                  bpd=f"{bpd:.2f}", t=f"{dip:.2f}", above=f"{above:.2f}")  # fmt: skip

    def set_position(self, t: float, bpd: float | None) -> None:
        self._t, self._bpd = t, bpd
        text = tr("{bpd} bits per dimension at {t}", bpd=f"{bpd:.2f}", t=f"{t:.2f}") if bpd is not None else ""
        self.setAccessibleDescription("\n".join(part for part in (text, self.dip_words()) if part))
        self.update()

    def _points(self) -> list[QPointF]:
        """The known points, in widget coordinates."""
        known = [(i / (len(self._bpds) - 1), bpd) for i, bpd in enumerate(self._bpds) if bpd is not None]
        if len(known) < 2:
            return []
        area = self._area()
        low, high = self._limits or (min(bpd for _, bpd in known), max(bpd for _, bpd in known))
        # A range of at least a tenth of a bit: a flat path must look flat, not like noise blown up.
        middle, half = (low + high) / 2, max(high - low, 0.1) / 2
        return [
            QPointF(area.left() + t * area.width(), area.center().y() + (bpd - middle) / half * area.height() / 2)
            for t, bpd in known
        ]

    def _area(self) -> QRectF:
        return QRectF(self.inset, PAD, self.width() - 2 * self.inset, self.height() - 2 * PAD)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        points = self._points()
        area = self._area()
        if points:
            path = QPainterPath(points[0])
            for point in points[1:]:
                path.lineTo(point)
            filled = QPainterPath(path)
            filled.lineTo(points[-1].x(), self.height())
            filled.lineTo(points[0].x(), self.height())
            filled.closeSubpath()
            painter.fillPath(filled, theme.color("z", 0.10))
            painter.setPen(QPen(theme.color("z"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                                Qt.PenJoinStyle.RoundJoin))
            painter.drawPath(path)
            self._paint_ends(painter, points)
            self._paint_dip(painter, points)
            self._paint_position(painter, area, points)
        painter.end()

    def _paint_ends(self, painter: QPainter, points: list[QPointF]) -> None:
        """The figures of A and B beside the curve, where there is room."""
        if self.inset < 44:
            return
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        painter.setPen(theme.color("muted"))
        line = painter.fontMetrics().height()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for bpd, point, left, side in ((self._bpds[0], points[0], 0.0, right),
                                       (self._bpds[-1], points[-1], points[-1].x() + 8, Qt.AlignmentFlag.AlignVCenter)):
            if bpd is not None:
                top = min(max(point.y() - line / 2, 0.0), self.height() - line)
                painter.drawText(QRectF(left, top, self.inset - 8, line), side, f"{bpd:.2f}")

    def dip_point(self) -> QPointF | None:
        """Where the mark points."""
        points = self._points()
        return points[self._dip] if self._dip is not None and len(points) == len(self._bpds) else None

    def _paint_dip(self, painter: QPainter, points: list[QPointF]) -> None:
        """A small triangle under the curve that points up at its largest dip."""
        tip = self.dip_point()
        if tip is None:
            return
        # At the very bottom there is no room under the curve: then it stands on it, pointing down.
        way = 1 if tip.y() + 2.6 * MARK < self.height() else -1
        below = tip.y() + way * 2.6 * MARK
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("warning"))
        painter.drawPolygon(QPolygonF([QPointF(tip.x(), tip.y() + way * 0.8 * MARK), QPointF(tip.x() + MARK, below),
                                       QPointF(tip.x() - MARK, below)]))  # fmt: skip

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            tip = self.dip_point()
            if tip is not None and (QPointF(event.pos()) - tip).manhattanLength() < 5 * MARK:
                QToolTip.showText(event.globalPos(), self.dip_words(), self)
                return True
        return super().event(event)

    def _paint_position(self, painter: QPainter, area: QRectF, points: list[QPointF]) -> None:
        x = area.left() + self._t * area.width()
        painter.setPen(QPen(theme.color("muted"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        y = _height_at(points, x)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("z"))
        painter.drawEllipse(QPointF(x, y), 4, 4)
        if self._bpd is None:
            return
        text = tr("{bpd} bits per dimension at {t}", bpd=f"{self._bpd:.2f}", t=f"{self._t:.2f}")
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        width = painter.fontMetrics().horizontalAdvance(text)
        left = x + 10 if x + 10 + width <= area.right() else x - 10 - width
        # Away from the curve: above it where there is room, else below.
        span = [_height_at(points, at) for at in (left, left + width / 2, left + width)]
        line = painter.fontMetrics().height()
        top = min(span) - line - 4
        if top < 0:
            top = min(max(span) + 4, self.height() - line)
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(left, top, width + 2, line), Qt.AlignmentFlag.AlignVCenter, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._move(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.released.emit()

    def _move(self, event: QMouseEvent) -> None:
        area = self._area()
        if area.width() > 0:
            self.moved.emit(min(max((event.position().x() - area.left()) / area.width(), 0.0), 1.0))


def _height_at(points: list[QPointF], x: float) -> float:
    """The curve's height at x, by straight lines between its points."""
    if x <= points[0].x():
        return points[0].y()
    for before, after in zip(points, points[1:], strict=False):
        if x <= after.x():
            share = (x - before.x()) / max(after.x() - before.x(), 1e-9)
            return before.y() + share * (after.y() - before.y())
    return points[-1].y()
