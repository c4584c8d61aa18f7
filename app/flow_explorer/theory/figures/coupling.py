"""Figure 4: a coupling layer on four numbers, and its Jacobian with this point's numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.theory.figure import Figure, Handle
from flow_explorer.theory.state import INPUTS, TheoryState
from flowcore.theory.coupling import Passed, passes, stack

__all__ = ["CouplingFigure", "jacobian_of"]


def jacobian_of(steps: Sequence[Passed], matrix: str) -> tuple[np.ndarray, Passed | None]:
    """The Jacobian that is shown, and the one layer it belongs to (None: all together)."""
    if len(steps) == 1 or matrix == "first":
        return steps[0].jacobian, steps[0]
    if matrix == "second":
        return steps[1].jacobian, steps[1]
    return stack(steps)[0], None


def signed(value: float, digits: int = 2) -> str:
    """A number with a true minus sign, and no minus before a zero."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


class CouplingFigure(Figure):
    """x enters at the left, passes one layer or two, and leaves as z; the matrix stands at the right."""

    id = "coupling"

    def numbers(self, state: TheoryState) -> np.ndarray:
        return np.array(state.coupling.x, float)

    @property
    def steps(self) -> list[Passed]:
        """The layers at the point that is shown."""
        return passes(self.shown, self.state.coupling.layers)

    # Where things are

    def _split(self) -> float:
        """Where the diagram ends and the matrix begins."""
        return self.width() * (0.585 if len(self.steps) == 2 else 0.5)

    def _row(self, index: int) -> float:
        unit = self.unit
        middle, step = self.height() / 2, min(64 * unit, self.height() / 6)
        return middle + (index - 1.5) * step + (-0.55 if index < 2 else 0.55) * step * 0.7

    def _columns(self) -> list[float]:
        """The middles of the columns of numbers: x, (h,) z. Between any two of them there is as much room."""
        unit, count = self.unit, len(self.steps)
        gap = (self._split() - 16 * unit - (104 + count * 84) * unit) / count
        return [68 * unit, *(68 * unit + 52 * unit + (i + 1) * gap + (i * 84 + 42) * unit for i in range(count))]

    def _track(self) -> float:
        return 84 * self.unit

    def handles(self) -> Sequence[Handle]:
        left, span = self._columns()[0] - self._track() / 2, self._track()
        low, high = INPUTS
        return [
            Handle(
                f"x-{i}", QPointF(left + (float(value) - low) / (high - low) * span, self._row(i) + 13 * self.unit),
                tr("x{index} = {value}", index="₁₂₃₄"[i], value=signed(float(value))), "across", "a",
            )
            for i, value in enumerate(self.shown)
        ]  # fmt: skip

    def drag(self, key: str, to: QPointF) -> None:
        low, high = INPUTS
        left = self._columns()[0] - self._track() / 2
        self._set(int(key[2:]), low + (to.x() - left) / self._track() * (high - low))

    def nudge(self, key: str, across: float, up: float) -> None:
        index = int(key[2:])
        self._set(index, self.state.coupling.x[index] + 0.05 * (across or up))

    def _set(self, index: int, value: float) -> None:
        value = round(max(INPUTS[0], min(INPUTS[1], value)), 2) + 0.0
        self.controller.put(self.state.coupling.with_x(index, value), tr("Point"), f"x-{index}")

    def words(self) -> str:
        _, log_det = stack(self.steps)
        return tr("Half is copied, half is scaled and shifted. The log-determinant is {value}.", value=signed(log_det, 3))

    # Drawing

    def draw(self, painter: QPainter) -> None:
        steps, columns = self.steps, self._columns()
        names = ["x", "h", "z"] if len(steps) == 2 else ["x", "z"]
        for index, step in enumerate(steps):
            self._layer(painter, step, columns[index], columns[index + 1], first=index == 0)
        never = self.state.coupling.layers == "same"
        for column, name in zip(columns, names, strict=True):
            values = steps[0].x if name == "x" else steps[-1].z if name == "z" else steps[0].z
            self._numbers(painter, column, name, values, never)
        self._verdict(painter, steps)
        self._matrix(painter, steps)

    def _numbers(self, painter: QPainter, column: float, name: str, values: np.ndarray, never: bool) -> None:
        unit = self.unit
        tone = {"x": "a_text", "h": "text", "z": "z_text"}[name]
        for index, value in enumerate(values):
            y = self._row(index)
            area = QRectF(column - 42 * unit, y - 17 * unit, 84 * unit, 34 * unit)
            if name == "x":
                area = QRectF(column - 52 * unit, y - 22 * unit, 104 * unit, 46 * unit)
            painter.setPen(QPen(theme.color("warning" if never and index < 2 else "line"), 1.5 * unit))
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(area, 7 * unit, 7 * unit)
            at = QPointF(area.left() + 9 * unit, y - (8 * unit if name == "x" else 0))
            self.formula(painter, f"{name}_{{{index + 1}}}", at, 15, 0.0, tone)
            self.text(painter, signed(float(value)), QPointF(area.right() - 8 * unit, at.y()), "text", 13, 1.0)
            if name == "x":
                left, right = column - self._track() / 2, column + self._track() / 2
                self.line(painter, QPointF(left, y + 13 * unit), QPointF(right, y + 13 * unit), "track", 3)

    def _layer(self, painter: QPainter, step: Passed, start: float, end: float, first: bool) -> None:
        unit = self.unit
        left, right = start + (52 if first else 42) * unit, end - 42 * unit
        middle = (left + right) / 2
        centre = QPointF(middle, self.height() / 2)
        for index in step.copied:
            y = self._row(index)
            self.line(painter, QPointF(left, y), QPointF(right, y), "muted", 1.6)
            away = -11 * unit if index < 2 else 11 * unit
            self.text(painter, tr("copied"), QPointF(right - 6 * unit, y + away), "muted", 11, 1.0)
            curve = QPainterPath(QPointF(left + 6 * unit, y))
            curve.cubicTo(QPointF(middle, y), QPointF(middle, y), centre)
            painter.setPen(QPen(theme.color("b", 0.6), 1.4 * unit))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(curve)
        for index in step.changed:
            y = self._row(index)
            self.line(painter, QPointF(left, y), QPointF(right, y), "b", 1.8)
            self.line(painter, centre, QPointF(middle, y), "b", 1.4, 0.6)
        for order, index in enumerate(step.changed):
            y = self._row(index)
            self._node(painter, QPointF(middle, y), float(step.beta[order]), float(step.gamma[order]), right - left)
        area = QRectF(centre.x() - 38 * unit, centre.y() - 13 * unit, 76 * unit, 26 * unit)
        painter.setPen(QPen(theme.color("b"), 1.5 * unit))
        painter.setBrush(theme.color("window"))
        painter.drawRoundedRect(area, 13 * unit, 13 * unit)
        self.text(painter, tr("network"), centre, "b_text", 12, 0.5)

    def _node(self, painter: QPainter, at: QPointF, beta: float, gamma: float, room: float) -> None:
        unit = self.unit
        wide = min(108 * unit, room - 10 * unit)
        area = QRectF(at.x() - wide / 2, at.y() - 15 * unit, wide, 30 * unit)
        painter.setPen(QPen(theme.color("b"), 1.5 * unit))
        painter.setBrush(theme.color("window"))
        painter.drawRoundedRect(area, 6 * unit, 6 * unit)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("b", 0.2))
        painter.drawRoundedRect(area, 6 * unit, 6 * unit)
        sign = "−" if gamma < -0.005 else "+"
        self.text(painter, f"× {beta:.2f} {sign} {abs(gamma):.2f}", at, "text", 12, 0.5)

    def _verdict(self, painter: QPainter, steps: Sequence[Passed]) -> None:
        """What a stack with and without the swap comes to."""
        unit = self.unit
        columns = self._columns()
        if len(steps) == 1:
            return
        place = QPointF((columns[0] + columns[-1]) / 2, self.height() - 14 * unit)
        if self.state.coupling.layers == "same":
            self.text(painter, tr("Without a swap, the first half never changes."), place, "warning_text", 13, 0.5, bold=True)
        else:
            self.text(painter, tr("With the swap, every number has changed."), place, "good_text", 13, 0.5, bold=True)

    def _matrix(self, painter: QPainter, steps: Sequence[Passed]) -> None:
        jacobian, layer = jacobian_of(steps, self.state.coupling.matrix)
        unit = self.unit
        left, right = self._split() + 30 * unit, self.width() - 8 * unit
        cell = min((right - left) / 4, (self.height() - 118 * unit) / 4, 84 * unit)
        side = 4 * cell
        x0 = left + (right - left - side) / 2
        y0 = (self.height() - side) / 2
        self._title(painter, steps, layer, QPointF(x0 + side / 2, y0 - 38 * unit))
        for row in range(4):
            name = "z" if layer is None or layer is steps[-1] else "h"
            self.formula(painter, f"{name}_{{{row + 1}}}", QPointF(x0 - 8 * unit, y0 + (row + 0.5) * cell), 14, 1.0, "muted")
            source = "x" if layer is None or layer is steps[0] else "h"
            self.formula(painter, f"{source}_{{{row + 1}}}", QPointF(x0 + (row + 0.5) * cell, y0 - 12 * unit), 14, 0.5, "muted")
            for column in range(4):
                area = QRectF(x0 + column * cell + 1.5, y0 + row * cell + 1.5, cell - 3, cell - 3)
                # Two layers that copy the same half have the blocks that each of them has.
                like = steps[0] if layer is None and self.state.coupling.layers == "same" else layer
                self._cell(painter, area, float(jacobian[row, column]), kind_of(row, column, like))
        self._product(painter, steps, layer, QPointF(x0 + side / 2, y0 + side + 24 * unit))

    def _cell(self, painter: QPainter, area: QRectF, value: float, kind: str) -> None:
        fills = {
            "copied": ("muted", 0.22), "scaled": ("b", 0.55), "below": ("b", 0.14), "zero": ("surface", 0.6), "full": ("b", 0.2),
        }  # fmt: skip
        tone, alpha = fills[kind]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(tone, alpha))
        painter.drawRoundedRect(area, 4 * self.unit, 4 * self.unit)
        exact = value in (0.0, 1.0) and kind != "full"
        self.text(
            painter, f"{value:.0f}" if exact else signed(value), area.center(), "faint" if kind == "zero" else "text",
            14 if area.width() > 52 * self.unit else 12, 0.5, bold=kind in ("scaled",),
        )  # fmt: skip

    def _title(self, painter: QPainter, steps: Sequence[Passed], layer: Passed | None, at: QPointF) -> None:
        if len(steps) == 1:
            words = tr("∂z/∂x at this point")
        elif layer is None:
            words = tr("both layers, ∂z/∂x")
        else:
            words = tr("layer 1, ∂h/∂x") if layer is steps[0] else tr("layer 2, ∂z/∂h")
        self.text(painter, words, at, "text", 13, 0.5, bold=True)

    def _product(self, painter: QPainter, steps: Sequence[Passed], layer: Passed | None, at: QPointF) -> None:
        if layer is None:
            parts = [step.det for step in steps]
        else:
            parts = [float(value) for value in layer.diagonal]
        words = " · ".join(f"{value:.0f}" if value == 1 else f"{value:.2f}" for value in parts)
        self.text(painter, f"det = {words} = {np.prod(parts):.2f}", at, "b_text", 14, 0.5, bold=True)
        what = tr("the layers' determinants, multiplied") if layer is None else tr("the product of the diagonal")
        self.text(painter, what, at + QPointF(0, 20 * self.unit), "muted", 12, 0.5)


def kind_of(row: int, column: int, layer: Passed | None) -> str:
    """Which block of a layer's Jacobian an entry belongs to: "copied" (I), "zero", "below" (*), "scaled" (diag β), or "full"."""
    if layer is None:
        return "full"
    if row in layer.copied:
        return "copied" if column in layer.copied else "zero"
    if column in layer.copied:
        return "below"
    return "scaled" if row == column else "zero"
