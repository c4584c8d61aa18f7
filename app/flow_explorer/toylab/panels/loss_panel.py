"""The held-out loss against the density's entropy: how far there is to go."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.panels.curve_plot import CurvePlot, nice_end
from flow_explorer.toylab.panels.panel import Panel
from flow_explorer.toylab.run import RunEntry

__all__ = ["LossPanel"]


class LossPanel(Panel):
    """Curve, entropy line, and the figure at the curve's end."""

    def __init__(self) -> None:
        words = tr("Lower is better, on points never trained on; no model gets below the entropy.")
        words += "\n" + tr("The mean of −log p(x), in nats.")
        super().__init__(tr("Held-out loss"), "", tooltip=words)
        self.plot = CurvePlot(self.accessibleName())
        self.curve = pg.PlotCurveItem(antialias=True)
        self.entropy = pg.InfiniteLine(0.0, angle=0)
        self.marked = pg.InfiniteLine(0.0, angle=90)
        self.entropy_label = pg.TextItem(anchor=(1, 0))
        self.value_label = pg.TextItem(anchor=(1, 0))
        for item in (self.entropy, self.marked, self.curve, self.entropy_label, self.value_label):
            self.plot.box.addItem(item, ignoreBounds=True)
        self.add(self.plot)
        theme.changed.connect(self._paint_theme)
        self.plot.scaled.connect(self._paint_theme)
        self._paint_theme()

    def show_run(self, run: RunEntry) -> bool:
        if self.plot.pixels() != self._pixels:
            self._paint_theme()
        if not self.news(run, "curve"):
            return False
        self.marked.setVisible(run.marked_step is not None)
        self.marked.setValue(run.marked_step or 0)
        for item in (self.entropy, self.entropy_label):
            item.setVisible(run.entropy is not None)
        steps, losses = run.curve.steps, run.curve.losses
        for item in (self.curve, self.value_label):
            item.setVisible(bool(steps))
        if run.entropy is None and not steps:
            return True
        end = nice_end(steps[-1] if steps else 0)
        # Without an entropy the lowest loss so far, half a nat rounded down, stands in for it.
        floor = np.floor(2 * min(losses)) / 2 if run.entropy is None else run.entropy
        top = max(1.5, max(losses, default=0.0) - floor)
        top = min(4.0, np.ceil(top * 2) / 2)
        self.plot.box.setRange(xRange=(0, end), yRange=(floor - 0.22 * top, floor + 1.04 * top), padding=0)
        self.curve.setData(np.asarray(steps, dtype=np.float64), np.asarray(losses))
        if run.entropy is not None:
            self.entropy.setValue(run.entropy)
            self.entropy_label.setPos(end, run.entropy)
            self.entropy_label.setText(tr("entropy {value} nat", value=f"{run.entropy:.3f}"))
        if steps:
            # In the upper right corner, where a curve that falls never comes.
            self.value_label.setPos(end, floor + 1.04 * top)
            self.value_label.setText(f"{losses[-1]:.3f} nat")
        return True

    def _paint_theme(self) -> None:
        tones = theme.current()
        self._pixels = self.plot.pixels()
        self.curve.setPen(pg.mkPen(tones.b, width=2 * self._pixels))
        self.entropy.setPen(pg.mkPen(tones.a, width=1.2 * self._pixels, style=Qt.PenStyle.DashLine))
        self.marked.setPen(pg.mkPen(tones.accent, width=1.5 * self._pixels))
        for label, tone in ((self.entropy_label, tones.a_text), (self.value_label, tones.b_text)):
            label.setColor(QColor(tone))
            label.setFont(self.plot.small_font())
        self.plot.paint_axes()
