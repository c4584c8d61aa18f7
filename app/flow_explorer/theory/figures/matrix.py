"""Figure 3: a square under a 2×2 matrix; its area, what happens to the density, and the flip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.theory.figure import Figure, Handle
from flow_explorer.theory.state import ENTRIES, TheoryState
from flowcore.theory.parallelogram import Matrix

__all__ = ["MatrixFigure"]

LOW, HIGH = -2.5, 2.5
_DOTS = np.random.default_rng(3).uniform(0.02, 0.98, (260, 2))
# A letter that is not its own mirror image, in the unit square.
_LETTER = np.array([
    (0.3, 0.2), (0.44, 0.2), (0.44, 0.44), (0.64, 0.44), (0.64, 0.57), (0.44, 0.57), (0.44, 0.7), (0.72, 0.7), (0.72, 0.84),
    (0.3, 0.84),
])  # fmt: skip
_SQUARE = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])


class MatrixFigure(Figure):
    """z's square at the left, x = W z at the right, both to one scale. The dots show the density: as many, on another area."""

    id = "matrix"

    def numbers(self, state: TheoryState) -> np.ndarray:
        matrix = state.matrix
        return np.array([matrix.a, matrix.b, matrix.c, matrix.d])

    @property
    def matrix(self) -> Matrix:
        """W as it is shown."""
        return Matrix(*map(float, self.shown))

    # Where things are

    def _scale(self) -> float:
        return min(self.height() - 12 * self.unit, (self.width() - 60 * self.unit) / 1.62) / (HIGH - LOW)

    def _planes(self) -> tuple[QRectF, QRectF]:
        side, unit = self._scale() * (HIGH - LOW), self.unit
        # The square's plane needs less room: it is as high, and six tenths as wide.
        gap = 60 * unit
        left = (self.width() - 1.62 * side - gap) / 2
        top = (self.height() - side) / 2
        return QRectF(left, top, 0.62 * side, side), QRectF(left + 0.62 * side + gap, top, side, side)

    def _places(self, points: np.ndarray, plane: QRectF) -> list[QPointF]:
        scale = self._scale()
        low = LOW if plane.width() >= plane.height() - 1 else -0.9
        return [QPointF(plane.left() + (x - low) * scale, plane.bottom() - (y - LOW) * scale) for x, y in points]

    def handles(self) -> Sequence[Handle]:
        plane = self._planes()[1]
        a, b, c, d = map(float, self.shown)
        first, second = self._places(np.array([(a, c), (b, d)]), plane)
        return [
            Handle("first", first, tr("The first edge, (a, c) = ({x}, {y})", x=f"{a:.2f}", y=f"{c:.2f}")),
            Handle("second", second, tr("The second edge, (b, d) = ({x}, {y})", x=f"{b:.2f}", y=f"{d:.2f}")),
        ]

    def drag(self, key: str, to: QPointF) -> None:
        plane, scale = self._planes()[1], self._scale()
        self._set(key, LOW + (to.x() - plane.left()) / scale, LOW + (plane.bottom() - to.y()) / scale)

    def nudge(self, key: str, across: float, up: float) -> None:
        state = self.state.matrix
        x, y = (state.a, state.c) if key == "first" else (state.b, state.d)
        self._set(key, x + 0.05 * across, y + 0.05 * up)

    def _set(self, key: str, x: float, y: float) -> None:
        x, y = (round(max(ENTRIES[0], min(ENTRIES[1], value)), 2) + 0.0 for value in (x, y))
        names = ("a", "c") if key == "first" else ("b", "d")
        self.controller.change(tr("Edge"), key, **dict(zip(names, (x, y), strict=True)))

    def words(self) -> str:
        return tr("A square becomes a parallelogram of signed area {det}.", det=f"{self.matrix.det:.2f}")

    # Drawing

    def draw(self, painter: QPainter) -> None:
        square, plane = self._planes()
        matrix = self.matrix
        self._plane(painter, square, "z", "z_text")
        self._plane(painter, plane, "x", "b_text")
        self._shape(painter, square, np.eye(2), "z", False)
        self._shape(painter, plane, matrix.array, "b", matrix.det < 0)
        middle = QPointF((square.right() + plane.left()) / 2, square.center().y())
        unit = self.unit
        self.arrow(painter, middle - QPointF(22 * unit, 0), middle + QPointF(22 * unit, 0), "muted", 1.8)
        self.formula(painter, "W", middle - QPointF(0, 16 * unit), 19, 0.5)
        self._edges(painter, square, np.eye(2), ("1", "1"))
        self._edges(painter, plane, matrix.array, ("(a, c)", "(b, d)"))
        self._captions(painter, square, plane, matrix)

    def _plane(self, painter: QPainter, plane: QRectF, name: str, tone: str) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(plane, 6, 6)
        painter.save()
        painter.setClipRect(plane)
        for value in range(-3, 4):
            ends = self._places(np.array([(value, -9), (value, 9), (-9, value), (9, value)], float), plane)
            alpha = 1.0 if value else 0.0
            self.line(painter, ends[0], ends[1], "line", 1.0, alpha)
            self.line(painter, ends[2], ends[3], "line", 1.0, alpha)
        axes = self._places(np.array([(0, -9), (0, 9), (-9, 0), (9, 0)], float), plane)
        self.line(painter, axes[0], axes[1], "muted", 1.0, 0.6)
        self.line(painter, axes[2], axes[3], "muted", 1.0, 0.6)
        painter.restore()
        self.formula(painter, name, plane.topLeft() + QPointF(16, 16) * self.unit, 19, 0.5, tone)

    def _shape(self, painter: QPainter, plane: QRectF, weight: np.ndarray, tone: str, flipped: bool) -> None:
        painter.save()
        painter.setClipRect(plane)
        corners = QPolygonF(self._places(_SQUARE @ weight.T, plane))
        painter.setPen(QPen(theme.color(tone), 1.8 * self.unit))
        painter.setBrush(theme.color(tone, 0.18))
        painter.drawPolygon(corners)
        path = QPainterPath()
        path.addPolygon(QPolygonF(self._places(_LETTER @ weight.T, plane)))
        path.closeSubpath()
        painter.fillPath(path, theme.color("warning" if flipped else tone, 0.5))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("text", 0.75))
        for dot in self._places(_DOTS @ weight.T, plane):
            painter.drawEllipse(dot, 1.3 * self.unit, 1.3 * self.unit)
        painter.restore()

    def _edges(self, painter: QPainter, plane: QRectF, weight: np.ndarray, names: tuple[str, str]) -> None:
        origin, first, second = self._places(np.array([(0, 0), weight[:, 0], weight[:, 1]]), plane)
        for end, name in ((first, names[0]), (second, names[1])):
            self.arrow(painter, origin, end, "text", 2.2)
            way = end - origin
            length = max(1.0, (way.x() ** 2 + way.y() ** 2) ** 0.5)
            place = end + way / length * (20 * self.unit if len(name) < 3 else 30 * self.unit)
            self.formula(painter, name, place, 14, 0.5, "muted")

    def _captions(self, painter: QPainter, square: QRectF, plane: QRectF, matrix: Matrix) -> None:
        unit = self.unit
        low = square.bottom() - 16 * unit
        self.text(painter, tr("area 1, density 1"), QPointF(square.center().x(), low), "z_text", 13, 0.5, bold=True, paper=True)
        if matrix.singular:
            words, tone = tr("area 0: a line, and no way back"), "warning_text"
        else:
            words = tr("area {area}, density {density}", area=f"{abs(matrix.det):.2f}", density=f"{matrix.density:.3f}")
            tone = "b_text"
        self.text(painter, words, QPointF(plane.center().x(), low), tone, 13, 0.5, bold=True, paper=True)
        if matrix.det < 0:
            self.text(
                painter, tr("turned over: the determinant is negative"), QPointF(plane.center().x(), plane.top() + 16 * unit),
                "warning_text", 13, 0.5, bold=True,
            )  # fmt: skip
