"""The held-out loss against the density's entropy: how far there is to go."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont

from app import theme
from app.i18n import tr
from app.toylab.panel import Panel
from app.toylab.run import Run
from app.widgets.plot import Plot

__all__ = ["LossPanel", "nice_end"]


def nice_end(step: int) -> int:
    """The right end of the axis: 200, 500, 1,000, 2,000, 5,000 … with some room, so that it moves seldom."""
    wanted, end = max(200, round(step * 1.04)), 200
    factors = (2.5, 2.0, 2.0)
    turn = 0
    while end < wanted:
        end = round(end * factors[turn % 3])
        turn += 1
    return end


def step_words(values: list[float], width: float) -> list[str]:
    """Numbers of steps below an axis so wide, every other one left out where they would touch."""
    every = max(1, math.ceil(len(values) * 44 / max(1.0, width)))
    return [f"{value:,.0f}" if number % every == every - 1 else "" for number, value in enumerate(values)]


class LossPanel(Panel):
    """Curve, entropy line, and the figure at the curve's end."""

    def __init__(self) -> None:
        words = tr("The mean of −log p on points that are never trained on. No model can get below the entropy.")
        super().__init__(tr("Held-out loss"), "", tooltip=words)
        self.plot = Plot(self.accessibleName(), equal=False)
        grid = pg.GraphicsLayout()
        grid.setContentsMargins(2, 8, 10, 2)
        grid.setSpacing(0)
        self.plot.setCentralItem(grid)
        self.plot.box = grid.addViewBox(row=0, col=1, enableMenu=False, enableMouse=False)
        self.plot.box.disableAutoRange()
        self.axes = {"left": pg.AxisItem("left"), "bottom": pg.AxisItem("bottom")}
        grid.addItem(self.axes["left"], row=0, col=0)
        grid.addItem(self.axes["bottom"], row=1, col=1)
        self.axes["left"].setWidth(38)
        self.axes["bottom"].setHeight(24)
        for axis in self.axes.values():
            axis.linkToView(self.plot.box)
            axis.setStyle(tickLength=0, autoExpandTextSpace=False, tickTextOffset=6, maxTickLevel=0, tickAlpha=0)
            axis.enableAutoSIPrefix(False)
        self.axes["bottom"].tickStrings = lambda values, *_: step_words(values, self.axes["bottom"].width())
        self.curve = pg.PlotCurveItem(antialias=True)
        self.entropy = pg.InfiniteLine(0.0, angle=0)
        self.marked = pg.InfiniteLine(0.0, angle=90)
        self.entropy_label = pg.TextItem(anchor=(1, 0))
        self.value_label = pg.TextItem(anchor=(1, 0))
        for item in (self.entropy, self.marked, self.curve, self.entropy_label, self.value_label):
            self.plot.box.addItem(item, ignoreBounds=True)
        self.add(self.plot)
        theme.changed.connect(self._paint_theme)
        self._paint_theme()

    def show_run(self, run: Run) -> bool:
        if self.devicePixelRatioF() != self._ratio:
            self._paint_theme()
        if not self.news(run, "curve"):
            return False
        self.marked.setVisible(run.marked_step is not None)
        self.marked.setValue(run.marked_step or 0)
        for item in (self.entropy, self.entropy_label):
            item.setVisible(run.entropy is not None)
        for item in (self.curve, self.value_label):
            item.setVisible(bool(run.steps))
        if run.entropy is None and not run.steps:
            return True
        end = nice_end(run.steps[-1] if run.steps else 0)
        # Without an entropy the lowest loss so far, half a nat rounded down, stands in for it.
        floor = np.floor(2 * min(run.losses)) / 2 if run.entropy is None else run.entropy
        top = max(1.5, max(run.losses, default=0.0) - floor)
        top = min(4.0, np.ceil(top * 2) / 2)
        self.plot.box.setRange(xRange=(0, end), yRange=(floor - 0.22 * top, floor + 1.04 * top), padding=0)
        self.curve.setData(np.asarray(run.steps, dtype=np.float64), np.asarray(run.losses))
        if run.entropy is not None:
            self.entropy.setValue(run.entropy)
            self.entropy_label.setPos(end, run.entropy)
            self.entropy_label.setText(tr("entropy {value} nat", value=f"{run.entropy:.3f}"))
        if run.steps:
            # In the upper right corner, where a curve that falls never comes.
            self.value_label.setPos(end, floor + 1.04 * top)
            self.value_label.setText(f"{run.losses[-1]:.3f} nat")
        return True

    def _paint_theme(self) -> None:
        tones = theme.current()
        self._ratio = self.devicePixelRatioF()  # pyqtgraph's pens count pixels of the screen
        self.curve.setPen(pg.mkPen(tones.b, width=2 * self._ratio))
        self.entropy.setPen(pg.mkPen(tones.a, width=1.2 * self._ratio, style=Qt.PenStyle.DashLine))
        self.marked.setPen(pg.mkPen(tones.accent, width=1.5 * self._ratio))
        font = QFont(self.font())
        font.setPixelSize(theme.SMALL_PIXELS)
        for label, tone in ((self.entropy_label, tones.a_text), (self.value_label, tones.b_text)):
            label.setColor(QColor(tone))
            label.setFont(font)
        for axis in self.axes.values():
            axis.setPen(pg.mkPen(None))
            axis.setTextPen(tones.muted)
            axis.setTickFont(font)
