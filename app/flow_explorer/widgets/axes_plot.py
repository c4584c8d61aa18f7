"""A plot with numbers at the left and below, no lines of axes, and a range that only its owner sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyqtgraph as pg

from flow_explorer.widgets.plot import Plot

__all__ = ["AxesPlot", "WordAxis"]


class WordAxis(pg.AxisItem):
    """An axis whose owner may say where numbers stand on it, and what they say."""

    places: Callable[[float, float, float], Sequence[float]] | None = None
    """Of the lowest and the highest value that are shown, and the axis' length in pixels."""
    words: Callable[[Sequence[float]], list[str]] | None = None

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, Sequence[float]]]:
        if self.places is None:
            return super().tickValues(minVal, maxVal, size)
        return [(1.0, self.places(minVal, maxVal, size))]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return super().tickStrings(values, scale, spacing) if self.words is None else self.words(values)


class AxesPlot(Plot):
    """``box`` is where curves go, ``axes`` are "left" and "bottom"; ``right`` is the room beside the last number, in pixels."""

    def __init__(self, name: str, left: pg.AxisItem, bottom: pg.AxisItem, right: int = 10) -> None:
        super().__init__(name, equal=False)
        grid = pg.GraphicsLayout()
        grid.setContentsMargins(2, 8, right, 2)
        grid.setSpacing(0)
        self.setCentralItem(grid)
        self.box = grid.addViewBox(row=0, col=1, enableMenu=False, enableMouse=False)
        self.box.disableAutoRange()
        self.axes = {"left": left, "bottom": bottom}
        grid.addItem(left, row=0, col=0)
        grid.addItem(bottom, row=1, col=1)
        for axis in self.axes.values():
            axis.linkToView(self.box)
            axis.setStyle(tickLength=0, autoExpandTextSpace=False, tickTextOffset=6, maxTickLevel=0)
            axis.enableAutoSIPrefix(False)
