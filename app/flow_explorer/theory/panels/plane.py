"""The column for figures 1 and 3."""

from __future__ import annotations

from typing import Any

from flow_explorer.i18n import tr
from flow_explorer.theory.figures.affine import legal_slope
from flow_explorer.theory.panels.base import Panel, number
from flow_explorer.theory.state import TheoryState
from flowcore.theory.affine import Affine
from flowcore.theory.parallelogram import Matrix

__all__ = ["AffinePanel", "MatrixPanel"]


class AffinePanel(Panel):
    """Figure 1: slope and offset; width times density on either side."""

    figure = "affine"

    def build(self) -> None:
        self.heading(tr("The line"))
        self.control("slope", "offset")
        self.heading(tr("Before, z"))
        self.row("z_width", tr("width"))
        self.row("z_density", tr("density π(z)"))
        self.row("z_area", tr("area, width × density"), total=True)
        self.heading(tr("After, x"))
        self.row("ends", tr("from, to"))
        self.row("width", tr("width |s|"))
        self.row("density", tr("density p(x)"), "π(z) |dz/dx|")
        self.row("area", tr("area, width × density"), total=True)
        self.heading(tr("In logarithms"))
        self.row("log_pi", "log π(z)")
        self.row("log_det", "log |dz/dx|", "−log |s|")
        self.row("log_p", "log p(x)", "log π(z) + log |dz/dx|", total=True)

    def changed(self, name: str, value: Any, dragging: bool) -> None:
        if name == "slope":
            value = legal_slope(value, self.controller.state.affine.slope)
        super().changed(name, value, dragging)
        self.show_state(self.controller.state)  # a slope that was not legal has moved on

    def show_state(self, state: TheoryState) -> None:
        self.form.show(state.affine)
        affine = Affine(state.affine.slope, state.affine.offset)
        low, high = affine.ends
        self.set(
            z_width="1.000", z_density="1.000", z_area=("1.000", "z"), ends=f"{number(low, 2)}, {number(high, 2)}",
            width=number(affine.width), density=number(affine.density), area=(number(affine.area), "b"),
            log_pi=number(0.0), log_det=number(affine.log_det), log_p=(number(affine.log_det, 3, tr("nat")), "b"),
        )  # fmt: skip


class MatrixPanel(Panel):
    """Figure 3: the four entries; the determinant as a difference of two products."""

    figure = "matrix"

    def build(self) -> None:
        self.heading(tr("First edge"))
        self.control("a", "c")
        self.heading(tr("Second edge"))
        self.control("b", "d")
        self.heading(tr("Determinant"))
        self.row("ad", "a · d")
        self.row("bc", "− b · c")
        self.row("det", "det W", "a d − b c", total=True)
        self.heading(tr("Area and density"))
        self.row("area", tr("area of the parallelogram"), tr("Measured from its corners.") + "\n|det W|")
        self.row("density", tr("density p(x)"), "1 / |det W|")
        self.row("mass", tr("area × density"), total=True)
        self.row("log_det", "log |det W|")

    def show_state(self, state: TheoryState) -> None:
        part = state.matrix
        self.form.show(part)
        matrix = Matrix(part.a, part.b, part.c, part.d)
        tone = "warning" if matrix.det < 0 or matrix.singular else "b"
        area = abs(Matrix.shoelace(matrix.corners))
        self.set(
            ad=number(part.a * part.d), bc=number(-part.b * part.c), det=(number(matrix.det), tone), area=number(area),
            density=number(matrix.density), mass=("–" if matrix.singular else number(area * matrix.density), ""),
            log_det=number(matrix.log_abs_det, 3, tr("nat")),
        )  # fmt: skip
