"""A plot for curves over steps, whose numbers grow with it."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PySide6.QtGui import QFont

from flow_explorer import theme
from flow_explorer.widgets.axes_plot import AxesPlot, WordAxis

__all__ = ["CurvePlot", "nice_end", "step_words"]


def nice_end(step: int) -> int:
    """The right end of the axis: 200, 500, 1,000, 2,000, 5,000 … with some room, so that it moves seldom."""
    wanted, end = max(200, round(step * 1.04)), 200
    factors = (2.5, 2.0, 2.0)
    turn = 0
    while end < wanted:
        end = round(end * factors[turn % 3])
        turn += 1
    return end


def step_words(values: list[float], width: float, letters: float = 1.0) -> list[str]:
    """Numbers of steps below an axis so wide; where they would touch, those that are even multiples of the space between them."""
    every = max(1, math.ceil(len(values) * 44 * letters / max(1.0, width)))
    space = values[1] - values[0] if len(values) > 1 else 1.0
    return [f"{value:,.0f}" if round(value / space) % every == 0 else "" for value in values]


class CurvePlot(AxesPlot):
    """`axes` are "left" and "bottom"; below stand numbers of steps, unless the owner gives `bottom_axis` other words."""

    def __init__(self, name: str) -> None:
        self.left_axis, self.bottom_axis = WordAxis("left"), WordAxis("bottom")
        super().__init__(name, self.left_axis, self.bottom_axis)
        for axis in self.axes.values():
            axis.setStyle(tickAlpha=0)
        self.scaled.connect(self.paint_axes)
        self.paint_axes()
        self.bottom_axis.words = lambda values: step_words(list(values), self.bottom_axis.width(), self.letters)

    def small_font(self) -> QFont:
        """What figures in the plot are written in."""
        font = QFont(self.font())
        font.setPixelSize(round(theme.SMALL_PIXELS * self.letters))
        return font

    @property
    def letters(self) -> float:
        """How much larger than small the figures are: less than lines grow, for there must be room for the curve."""
        return min(1.8, self.unit)

    def paint_axes(self) -> None:
        """Take up the theme's colours and the screen's font."""
        for axis in self.axes.values():
            axis.setPen(pg.mkPen(None))
            axis.setTextPen(theme.current().muted)
            axis.setTickFont(self.small_font())
        # pyqtgraph says int, and takes parts of pixels.
        self.left_axis.setWidth(38 * self.letters)  # pyright: ignore[reportArgumentType]
        self.bottom_axis.setHeight(24 * self.letters)  # pyright: ignore[reportArgumentType]
