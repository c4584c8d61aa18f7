"""How strongly each layer is pulled: gradient norms over the steps, on a logarithmic axis."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.layers.layers import tone_at
from flow_explorer.toylab.panels.curve_plot import CurvePlot, nice_end
from flow_explorer.toylab.panels.panel import ToyPanel
from flow_explorer.toylab.run import RunEntry
from flow_explorer.toylab.views.colours import ColourBar

__all__ = ["GradientsPanel"]

_FLOOR = 1e-8
_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def powers(low: float, high: float, size: float, letters: float = 1.0) -> list[int]:
    """The whole powers of ten to be written on an axis of ``size`` pixels: as many as do not touch."""
    first, last = math.ceil(low), math.floor(high)
    every = max(1, math.ceil((last - first + 1) * 18 * letters / max(1.0, size)))
    return list(range(first, last + 1, every))


class GradientsPanel(ToyPanel):
    """A thin curve a layer, in the layers' colours, and a thick one for all together."""

    def __init__(self) -> None:
        words = tr("How hard each layer's weights are pulled at each step; thick: all together.")
        words += "\n‖∂L/∂θ‖"
        super().__init__(tr("Gradient norms"), "", tooltip=words)
        self.plot = CurvePlot(self.accessibleName())
        left = self.plot.left_axis
        left.places = lambda low, high, size: powers(low, high, size, self.plot.letters)
        left.words = lambda values: ["10" + str(round(v)).translate(_POWERS) for v in values]
        self.total = pg.PlotCurveItem(antialias=True)
        self.plot.box.addItem(self.total, ignoreBounds=True)
        self.curves: list[pg.PlotCurveItem] = []
        self.bar = ColourBar(tr("at z"), tr("at x"), tooltip=words)
        self.add(self.plot)
        self.add_bar(self.bar)
        self._mark: tuple[int, int, str, float] | None = None
        self._range = [-2, 2]
        self._number = -1

    def show_run(self, run: RunEntry) -> bool:
        curve = run.gradients
        mark = (run.number, curve.version, theme.current().name, self.plot.pixels())
        if mark == self._mark:
            return False
        if self._mark is None or self._mark[2:] != mark[2:]:
            self._paint_theme()
        self._mark = mark
        norms = curve.table()
        logs = np.log10(np.maximum(norms, _FLOOR))
        count = norms.shape[1]
        while len(self.curves) < count:
            item = pg.PlotCurveItem(antialias=True)
            self.curves.append(item)
            self.plot.box.addItem(item, ignoreBounds=True)
        steps = np.asarray(curve.steps, dtype=np.float64)
        ratio = self.plot.pixels()
        for number, item in enumerate(self.curves):
            item.setVisible(number < count and len(steps) > 0)
            if number < count:
                color = QColor(tone_at(1 - (number + 0.5) / count))  # the first layer stands at x
                color.setAlphaF(0.75)
                item.setPen(pg.mkPen(color, width=ratio))
                item.setData(steps, logs[:, number])
        whole = np.log10(np.maximum(np.linalg.norm(norms, axis=1), _FLOOR)) if len(steps) else np.empty(0)
        self.total.setData(steps, whole)
        if run.number != self._number:
            self._number, self._range = run.number, [-2, 2]
        if len(steps):
            # Only ever wider, as the frames of points are.
            low, high = float(np.quantile(logs, 0.02)), float(whole.max())
            self._range = [min(self._range[0], int(np.floor(low))), max(self._range[1], int(np.ceil(high)))]
        self.plot.box.setRange(xRange=(0, nice_end(curve.steps[-1] if curve.steps else 0)), yRange=self._range, padding=0.02)
        self.note.setText(tr("together {n}", n=f"{10 ** whole[-1]:.3g}") if len(steps) else tr("after the first step"))
        return True

    def _paint_theme(self) -> None:
        tones = theme.current()
        self.total.setPen(pg.mkPen(tones.text, width=2 * self.plot.pixels()))
        self.bar.set_colors([QColor(tone_at(part / 8)) for part in range(9)])
        self.plot.paint_axes()
