"""Figure 1: two rulers. A uniform on the upper one becomes a uniform on the lower one, and keeps its area."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.theory.figure import Figure, Handle
from flow_explorer.theory.state import MIN_SLOPE, OFFSETS, SLOPES, TheoryState
from flowcore.theory.affine import Affine

__all__ = ["AffineFigure", "legal_slope"]

LOW, HIGH = -5.6, 5.6
FAN = 11
BELOW = 1.0
"""Room for a density below zero, in units of density."""


def legal_slope(value: float, before: float) -> float:
    """A slope within its range; one too near to 0 jumps over it, or stays on its side until the hand is across."""
    value = max(SLOPES[0], min(SLOPES[1], value))
    if abs(value) < MIN_SLOPE:
        side = value if abs(value) > 0.15 else before
        value = MIN_SLOPE if side > 0 else -MIN_SLOPE
    return value


class AffineFigure(Figure):
    """z above, x = slope · z + offset below, true to scale in both directions."""

    id = "affine"

    def numbers(self, state: TheoryState) -> np.ndarray:
        return np.array([state.affine.slope, state.affine.offset])

    # Where things are

    def _scale(self) -> float:
        """Pixels a unit of length, and a unit of density."""
        across = (self.width() - 48 * self.unit) / (HIGH - LOW)
        # From above: π(z), room for the lines to fan out, p(x) at its highest, and below zero what the bars prevent.
        along = (self.height() - 62 * self.unit) / (1.0 + 0.9 + 1 / MIN_SLOPE + BELOW)
        return min(across, along)

    def _rulers(self) -> tuple[float, float]:
        """The y of the upper ruler and of the lower one."""
        scale, unit = self._scale(), self.unit
        return 12 * unit + scale, self.height() - 24 * unit - BELOW * scale

    def _x(self, value: float) -> float:
        return self.width() / 2 + (value - (LOW + HIGH) / 2) * self._scale()

    def _ends(self) -> tuple[QPointF, QPointF]:
        slope, offset = self.shown
        y = self._rulers()[1]
        return QPointF(self._x(offset), y), QPointF(self._x(offset + slope), y)

    def handles(self) -> Sequence[Handle]:
        affine = Affine(self.state.affine.slope, self.state.affine.offset)
        first, second = self._ends()
        return [
            Handle("offset", first, tr("Where z = 0 goes, the offset: {x}", x=f"{affine.x(0):.2f}"), "across"),
            Handle("slope", second, tr("Where z = 1 goes, slope plus offset: {x}", x=f"{affine.x(1):.2f}"), "across"),
        ]

    def drag(self, key: str, to: QPointF) -> None:
        value = (to.x() - self.width() / 2) / self._scale() + (LOW + HIGH) / 2
        self._set(key, round(value, 2) if key == "offset" else round(value - self.state.affine.offset, 2))

    def nudge(self, key: str, across: float, up: float) -> None:
        by = 0.05 * (across or up)
        before = getattr(self.state.affine, key)
        if key == "slope" and abs(before + by) < MIN_SLOPE:
            by = -2 * before if before * by < 0 else by
        self._set(key, round(before + by, 2))

    def _set(self, key: str, value: float) -> None:
        if key == "slope":
            value = legal_slope(value, self.state.affine.slope)
            self.controller.change(tr("Slope"), "slope", slope=value)
        else:
            self.controller.change(tr("Offset"), "offset", offset=max(OFFSETS[0], min(OFFSETS[1], value)))

    def words(self) -> str:
        low, high = Affine(self.state.affine.slope, self.state.affine.offset).ends
        return tr("A uniform on 0 to 1 becomes a uniform on {low} to {high}.", low=f"{low:.2f}", high=f"{high:.2f}")

    # Drawing

    def draw(self, painter: QPainter) -> None:
        slope, offset = map(float, self.shown)
        # While a negative slope eases to a positive one it passes 0, where there is no density: a very tall one stands for it.
        safe = slope if abs(slope) > 1e-3 else 1e-3
        affine = Affine(safe, offset)
        scale, (top, bottom) = self._scale(), self._rulers()
        self._fan(painter, affine, top, bottom)
        self._ruler(painter, top, "z", "z_text")
        if slope < 0:
            self._ghost(painter, affine, bottom, scale)
        self._ruler(painter, bottom, "x", "b_text")
        self._box(painter, QRectF(self._x(0), top - scale, scale, scale), "z")
        self._label(painter, "π(z) = 1", QPointF(self._x(1) + 10 * self.unit, top - scale / 2), "z_text", 0.0)
        low, high = affine.ends
        height = min(affine.density, 1 / MIN_SLOPE * 1.02) * scale
        area = QRectF(self._x(low), bottom - height, (high - low) * scale, height)
        self._box(painter, area, "b")
        self._areas(painter, affine, area, top, scale)
        if slope < 0:
            words = tr("without the bars: {value}, below zero", value=f"{affine.signed:.2f}".replace("-", "−"))
            left = area.left() - 12 * self.unit
            self.text(painter, words, QPointF(left, area.top() + 12 * self.unit), "warning_text", 12, 1.0)

    def _fan(self, painter: QPainter, affine: Affine, top: float, bottom: float) -> None:
        """Lines from z to x: they cross where the slope is negative."""
        for z in np.linspace(0, 1, FAN):
            tone = QColor(theme.mix(theme.current().z, theme.current().b, 0.5))
            tone.setAlphaF(0.75 if z in (0.0, 1.0) else 0.3)
            painter.setPen(QPen(tone, (1.6 if z in (0.0, 1.0) else 1.0) * self.unit))
            painter.drawLine(QPointF(self._x(z), top), QPointF(self._x(affine.x(z)), bottom))

    def _ruler(self, painter: QPainter, y: float, name: str, tone: str) -> None:
        self.line(painter, QPointF(self._x(LOW), y), QPointF(self._x(HIGH), y), "muted", 1.0, 0.8)
        for value in range(int(np.ceil(LOW)), int(HIGH) + 1):
            x = self._x(value)
            self.line(painter, QPointF(x, y), QPointF(x, y + 5 * self.unit), "muted", 1.0, 0.8)
            self.text(painter, str(value).replace("-", "−"), QPointF(x, y + 15 * self.unit), "muted", 11, 0.5, paper=True)
        self.formula(painter, name, QPointF(self._x(HIGH) + 14 * self.unit, y), 18, 0.5, tone)

    def _box(self, painter: QPainter, area: QRectF, tone: str) -> None:
        painter.setPen(QPen(theme.color(tone), 1.8 * self.unit))
        painter.setBrush(theme.color(tone, 0.28))
        painter.drawRect(area)

    def _label(self, painter: QPainter, words: str, at: QPointF, tone: str, align: float) -> None:
        self.formula(painter, words, at, 16, align, tone)

    def _areas(self, painter: QPainter, affine: Affine, area: QRectF, top: float, scale: float) -> None:
        unit = self.unit
        self.text(painter, "1 × 1 = 1", QPointF(self._x(0.5), top - scale / 2), "text", 13, 0.5)
        product = f"{affine.width:.2f} × {affine.density:.2f} = {affine.area:.0f}"
        inside = area.height() > 24 * unit and area.width() > 130 * unit
        place = area.center() if inside else QPointF(area.center().x(), area.top() - 12 * unit)
        self.text(painter, product, place, "text", 13, 0.5, paper=not inside)
        right = area.right() + 12 * unit
        self._label(painter, f"p(x) = {affine.density:.2f}", QPointF(right, area.top() + 12 * unit), "b_text", 0.0)

    def _ghost(self, painter: QPainter, affine: Affine, bottom: float, scale: float) -> None:
        """What the formula without bars would give: a density below zero, which there is not."""
        low, high = affine.ends
        depth = min(abs(affine.signed) * scale, self.height() - bottom - 2)
        pen = QPen(theme.color("warning"), 1.5 * self.unit)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(self._x(low), bottom, (high - low) * scale, depth))
