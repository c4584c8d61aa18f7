"""Figure 2: a rising curve takes one density to another; what is in a strip stays in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.theory.figure import Figure, Handle
from flow_explorer.theory.state import PROBES, TheoryState
from flowcore.theory.curve import KNOTS, REACH, Curve, base_log_prob
from flowcore.theory.learning import POINTS, TARGETS

__all__ = ["CurveFigure"]

Z_LOW, Z_HIGH = -3.5, 3.5
X_LOW, X_HIGH = -4.2, 4.2
TALLEST = 0.85
"""The density that fills the room left for it; a higher one is cut."""


@lru_cache(maxsize=8)
def _points(name: str) -> np.ndarray:
    return TARGETS[name].sample(POINTS)


class CurveFigure(Figure):
    """The plane of z (across) and x (along) with the curve; π(z) hangs below it, p(x) stands at its left."""

    id = "curve"

    def numbers(self, state: TheoryState) -> np.ndarray:
        return np.array([*state.curve.heights, state.curve.z, state.curve.width])

    @property
    def curve(self) -> Curve:
        """The curve as it is shown."""
        return Curve(tuple(map(float, self.shown[:KNOTS])))

    # Where things are: areas are true to scale, a unit of probability is as many pixels² at the left as below

    def _plane(self) -> QRectF:
        unit = self.unit
        left = min(self.width() * 0.3, 280 * unit)
        below = min(self.height() * 0.21, 110 * unit)
        return QRectF(left, 10 * unit, self.width() - left - 22 * unit, self.height() - below - 22 * unit)

    def _place(self, z: float | np.ndarray, x: float | np.ndarray) -> tuple:
        plane = self._plane()
        return (
            plane.left() + (z - Z_LOW) / (Z_HIGH - Z_LOW) * plane.width(),
            plane.bottom() - (x - X_LOW) / (X_HIGH - X_LOW) * plane.height(),
        )

    def _point(self, z: float, x: float) -> QPointF:
        return QPointF(*map(float, self._place(z, x)))

    def _room(self) -> tuple[float, float]:
        """Pixels a unit of density below the plane, and at its left."""
        plane, unit = self._plane(), self.unit
        across, along = plane.width() / (Z_HIGH - Z_LOW), plane.height() / (X_HIGH - X_LOW)
        below, left = self.height() - plane.bottom() - 34 * unit, plane.left() - 26 * unit
        # One area for both: as large as both rooms allow.
        area = min(across * below / 0.45, along * left / TALLEST)
        return area / across, area / along

    def handles(self) -> Sequence[Handle]:
        curve = self.curve
        at = np.linspace(-REACH, REACH, KNOTS)
        knots = [
            Handle(f"knot-{i}", self._point(z, h), tr("The curve at z = {z}: x = {x}", z=f"{z:.1f}", x=f"{h:.2f}"), "along", "b")
            for i, (z, h) in enumerate(zip(at, self.shown[:KNOTS], strict=True))
            if X_LOW <= h <= X_HIGH  # what was learned may lie beyond the page
        ]
        z = float(self.shown[KNOTS])
        strip = QPointF(self._point(z, 0).x(), self._plane().bottom())
        words = tr("The strip about z′ = {z}, x′ = {x}", z=f"{z:.2f}", x=f"{float(curve.x(z)):.2f}")
        return [*knots, Handle("strip", strip, words, "across", "z")]

    def drag(self, key: str, to: QPointF) -> None:
        plane = self._plane()
        if key == "strip":
            z = Z_LOW + (to.x() - plane.left()) / plane.width() * (Z_HIGH - Z_LOW)
            self._set_z(z)
            return
        self.controller.pause()
        height = X_LOW + (plane.bottom() - to.y()) / plane.height() * (X_HIGH - X_LOW)
        self._set_knot(int(key[5:]), round(height, 3))

    def nudge(self, key: str, across: float, up: float) -> None:
        if key == "strip":
            self._set_z(self.state.curve.z + 0.05 * (across or up))
            return
        self.controller.pause()
        index = int(key[5:])
        self._set_knot(index, self.state.curve.heights[index] + 0.05 * (up or across))

    def press(self, at: QPointF) -> str | None:
        plane = self._plane()
        if at.x() < plane.left():
            return None
        self.drag("strip", at)
        return "strip"

    def _set_z(self, z: float) -> None:
        self.controller.change(tr("Strip"), "strip", z=round(max(PROBES[0], min(PROBES[1], z)), 2))

    def _set_knot(self, index: int, height: float) -> None:
        self.controller.put(self.state.curve.with_knot(index, height), tr("Bend the curve"), f"knot-{index}")

    def words(self) -> str:
        low, high, below, left = self.curve.strip(float(self.shown[-2]), float(self.shown[-1]), self.state.curve.base)
        return tr("A rising curve from z to x. The strip holds {mass} on either side.", mass=f"{below:.4f}")

    # Drawing

    def draw(self, painter: QPainter) -> None:
        curve, state = self.curve, self.state.curve
        plane = self._plane()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(plane, 6, 6)
        self._ticks(painter, plane)
        self._densities(painter, curve, plane)
        self._strips(painter, curve, plane)
        self._curve(painter, curve, plane)
        self._samples(painter, state.target, plane)

    def _ticks(self, painter: QPainter, plane: QRectF) -> None:
        for value in range(-4, 5):
            _, y = self._place(0, value)
            self.line(painter, QPointF(plane.left(), y), QPointF(plane.right(), y), "line")
            if value % 2 == 0:
                self.text(painter, str(value).replace("-", "−"), QPointF(plane.right() + 6 * self.unit, y), "muted", 11)
        for value in range(-3, 4):
            x, _ = self._place(value, 0)
            self.line(painter, QPointF(x, plane.top()), QPointF(x, plane.bottom()), "line")
        self.formula(painter, "x", QPointF(plane.left() + 12 * self.unit, plane.top() + 14 * self.unit), 18, 0.5, "b_text")
        self.formula(painter, "z", QPointF(plane.right() - 12 * self.unit, plane.bottom() - 12 * self.unit), 18, 0.5, "z_text")

    def _densities(self, painter: QPainter, curve: Curve, plane: QRectF) -> None:
        below, left = self._room()
        z = np.linspace(Z_LOW, Z_HIGH, 240)
        x = np.linspace(X_LOW, X_HIGH, 480)
        base = np.exp(base_log_prob(z, self.state.curve.base))
        model = np.exp(curve.log_prob(x, self.state.curve.base))
        wanted = np.exp(TARGETS[self.state.curve.target].log_prob(x))
        across, _ = self._place(z, 0.0)
        _, along = self._place(0.0, x)
        cut = plane.left() - 6 * self.unit
        self._fill(painter, across, plane.bottom() + base * below, plane.bottom(), "z", False)
        self._fill(painter, plane.left() - np.minimum(model * left, cut), along, plane.left(), "b", True)
        path = _path(plane.left() - np.minimum(wanted * left, cut), along)
        pen = QPen(theme.color("a"), 1.8 * self.unit)
        pen.setDashPattern([4, 2.5])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        unit = self.unit
        self.formula(painter, "π(z)", QPointF(plane.right() - 6 * unit, plane.bottom() + 26 * unit), 16, 1.0, "z_text")
        corner = QPointF(8 * unit, plane.bottom() + 20 * unit)
        self.formula(painter, "p(x)", corner, 16, 0.0, "b_text")
        self.text(painter, tr("the model"), corner + QPointF(44 * unit, 0), "b_text", 12)
        self.line(painter, corner + QPointF(2 * unit, 24 * unit), corner + QPointF(34 * unit, 24 * unit), "a", 1.8, dashed=True)
        title = tr(TARGETS[self.state.curve.target].title)
        self.text(painter, tr("the target: {name}", name=title), corner + QPointF(44 * unit, 24 * unit), "a_text", 12)

    def _fill(self, painter: QPainter, x: np.ndarray, y: np.ndarray, base: float, tone: str, upright: bool) -> None:
        line = _path(x, y)
        area = QPainterPath(line)
        if upright:
            area.lineTo(base, float(y[-1]))
            area.lineTo(base, float(y[0]))
        else:
            area.lineTo(float(x[-1]), base)
            area.lineTo(float(x[0]), base)
        area.closeSubpath()
        painter.fillPath(area, theme.color(tone, 0.22))
        painter.setPen(QPen(theme.color(tone), 1.8 * self.unit))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(line)

    def _strips(self, painter: QPainter, curve: Curve, plane: QRectF) -> None:
        z, width = float(self.shown[KNOTS]), float(self.shown[KNOTS + 1])
        low, high = z - width / 2, z + width / 2
        at = np.linspace(low, high, 24)
        x = curve.x(at)
        below, left = self._room()
        cut = plane.left() - 6 * self.unit
        across, along = self._place(at, x)
        base = plane.bottom() + np.exp(base_log_prob(at, self.state.curve.base)) * below
        model = plane.left() - np.minimum(np.exp(curve.log_prob(x, self.state.curve.base)) * left, cut)
        # The way of the strip: up to the curve, and over to the left.
        painter.setPen(Qt.PenStyle.NoPen)
        foot = [(across[-1], plane.bottom()), (across[0], plane.bottom())]
        side = [(plane.left(), along[-1]), (plane.left(), along[0])]
        for tone, alpha, edge, end in (
            ("z", 0.16, (across, along), foot), ("b", 0.16, (across, along), side),
            ("z", 0.75, (across, base), foot), ("b", 0.75, (model, along), side),
        ):  # fmt: skip
            painter.setBrush(theme.color(tone, alpha))
            painter.drawPolygon(_polygon([*zip(*edge, strict=True), *end]))
        _, _, mass_z, mass_x = curve.strip(z, width, self.state.curve.base)
        unit = self.unit
        place = QPointF(float(across.mean()), float(base.max()) + 12 * unit)
        self.text(painter, f"{mass_z:.4f}", place, "z_text", 12, 0.5, True, True)
        place = QPointF(max(28 * unit, float(model.min()) - 6 * unit), float(along.mean()))
        self.text(painter, f"{mass_x:.4f}", place, "b_text", 12, 1.0 if place.x() > 70 * unit else 0.3, True, True)

    def _curve(self, painter: QPainter, curve: Curve, plane: QRectF) -> None:
        z = np.linspace(Z_LOW, Z_HIGH, 400)
        x, y = self._place(z, curve.x(z))
        painter.save()
        painter.setClipRect(plane)
        painter.setPen(QPen(theme.color("text"), 2.2 * self.unit))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(_path(x, y))
        painter.restore()

    def _samples(self, painter: QPainter, target: str, plane: QRectF) -> None:
        """The points that it learns from, as a rug along the x axis."""
        painter.setPen(QPen(theme.color("a", 0.5), 1.0))
        for value in _points(target)[::2]:
            if X_LOW < value < X_HIGH:
                _, y = self._place(0, value)
                painter.drawLine(QPointF(plane.left() + 1, y), QPointF(plane.left() + 7 * self.unit, y))


def _path(x: np.ndarray, y: np.ndarray) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(_polygon(list(zip(x, y, strict=True))))
    return path


def _polygon(points: Sequence[tuple[float, float]]) -> QPolygonF:
    return QPolygonF([QPointF(float(x), float(y)) for x, y in points])
