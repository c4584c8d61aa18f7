"""Learning curves: bits per dimension over steps or time, linear or logarithmic. Items are made once and filled again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.training.findings import smoothed, thinned, time_words
from flow_explorer.training.record import RunSnapshot
from flow_explorer.widgets.axes_plot import AxesPlot

__all__ = ["COLOURS", "Chart", "Look", "ticks"]

COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#999999")
"""Okabe and Ito's, for runs side by side."""


POINTS = 500
"""Points drawn of a curve: antialiased lines of ten thousand take half a second to paint."""
MARKED = 60
"""So many evaluations are shown as dots."""


@dataclass(frozen=True)
class Look:
    """How curves are drawn: over ``by_time`` or steps, on ``logarithmic`` axes, smoothed by a weight from 0 to 0.99."""

    logarithmic: bool = False
    smoothing: float = 0.6
    by_time: bool = False


def ticks(low: float, high: float, count: int, logarithmic: bool = False) -> list[float]:
    """Round values from ``low`` to ``high``, about ``count`` of them; of decades 1, 2 and 5 on a logarithmic axis."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return []
    if logarithmic and low > 0 and high / low > 20:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        factors = (1, 2, 5) if len(decades) <= 3 else (1,)
        return [f * 10.0**d for d in decades for f in factors if low <= f * 10.0**d <= high]
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


class _Axis(pg.AxisItem):
    """Ticks at round values of what is shown, whether or not its logarithm is drawn."""

    def __init__(self, side: str, count: int) -> None:
        super().__init__(side)
        self.count, self.logarithmic, self.of_time = count, False, False
        self.words = lambda value: f"{value:g}"

    def tickValues(self, low: float, high: float, _size: float) -> list[tuple[float, list[float]]]:
        if not self.logarithmic:
            # Of time at whole seconds, minutes, hours or days.
            units = (86_400.0, 3600.0, 60.0, 1.0) if self.of_time else (1.0,)
            unit = next((unit for unit in units if high - low >= 2 * unit), 1.0)
            return [(1.0, [unit * value for value in ticks(low / unit, high / unit, self.count)])]
        values = ticks(10.0**low, 10.0**high, self.count, True)
        return [(1.0, [math.log10(value) for value in values if value > 0])]

    def tickStrings(self, values: Sequence[float], *_unused: object) -> list[str]:
        return [self.words(10.0**value if self.logarithmic else value) for value in values]


class _Curves:
    """The items of one run: every logged step faint, the smoothed training, the held-out points."""

    def __init__(self, box: pg.ViewBox) -> None:
        self.raw = pg.PlotCurveItem(antialias=True)
        self.train = pg.PlotCurveItem(antialias=True)
        self.held = pg.PlotDataItem(antialias=True, symbol="o", symbolSize=5)
        self.items = (self.raw, self.train, self.held)
        for item in (self.raw, self.train, self.held.curve):
            # Piece by piece a wide line is painted ten times faster than as one path.
            item.setSegmentedLineMode("on")
        for item in self.items:
            box.addItem(item, ignoreBounds=True)

    def paint(self, train: str, held: str, paper: str, ratio: float, compare: bool) -> None:
        """Pens in these colours; faint ones are mixed, because transparent pieces would show where they meet."""
        self.raw.setPen(pg.mkPen(theme.mix(paper, train, 0.35), width=1 * ratio))
        shade = theme.mix(paper, train, 0.5) if compare else train
        self.train.setPen(pg.mkPen(shade, width=(1.2 if compare else 1.8) * ratio))
        self.held.setPen(pg.mkPen(held, width=2 * ratio))
        self.held.setSymbolPen(None)
        self.held.setSymbolBrush(held)
        self.held.setSymbolSize(5 * ratio)  # pyright: ignore[reportArgumentType]  # pyqtgraph says int and takes any

    def set_visible(self, shown: bool) -> None:
        for item in self.items:
            item.setVisible(shown)


class Chart(AxesPlot):
    """``show_runs`` with one run draws training and held out in their own colours; with several a colour a run."""

    def __init__(self) -> None:
        self._left, self._bottom = _Axis("left", 7), _Axis("bottom", 6)
        super().__init__(tr("Learning curve"), self._left, self._bottom, right=14)
        self.setMinimumSize(160, 110)
        self.axes["left"].setWidth(44)
        self.axes["bottom"].setHeight(24)
        self.axes["left"].setGrid(28)
        self.marker = pg.InfiniteLine(0.0, angle=90)
        self.marker.setVisible(False)
        self.box.addItem(self.marker, ignoreBounds=True)
        self._curves: list[_Curves] = []
        self._runs: list[RunSnapshot] = []
        self._look = Look()
        self._mark: float | None = None
        self.paint_theme()

    def show_runs(self, runs: Sequence[RunSnapshot], look: Look) -> None:
        """Draw these runs."""
        self._runs, self._look = list(runs), look
        for axis in (self._left, self._bottom):
            axis.logarithmic = look.logarithmic
        self._bottom.of_time = look.by_time
        if look.by_time:
            self._bottom.words = lambda value: "0" if value == 0 else time_words(value)
        else:
            self._bottom.words = lambda value: f"{value:,.0f}"
        while len(self._curves) < len(self._runs):
            self._curves.append(_Curves(self.box))
            self.paint_theme()
        for curves in self._curves[len(self._runs) :]:
            curves.set_visible(False)
        trends = [smoothed(run.bpd, look.smoothing) for run in self._runs]
        for curves, run, trend in zip(self._curves, self._runs, trends, strict=False):
            curves.set_visible(True)
            curves.raw.setVisible(len(self._runs) == 1 and look.smoothing > 0)
            x, y = self._across(run.steps, run.seconds), run.bpd
            held = self._across(run.held_steps, run.held_seconds)
            for item, (across, values) in (
                (curves.raw, thinned(self._scaled(x), self._scaled(y), POINTS, extremes=True)),
                (curves.train, thinned(self._scaled(x), self._scaled(trend), POINTS)),
                (curves.held, thinned(self._scaled(held), self._scaled(run.held_bpd), POINTS // 2)),
            ):
                item.setData(across, values)
            few = len(run.held_bpd) <= MARKED
            curves.held.setSymbol("o" if few else None)  # pyright: ignore[reportArgumentType]  # None is none
        self._set_ranges(trends)
        self._place_marker()
        for axis in self.axes.values():
            axis.picture = None
            axis.update()

    def mark(self, step: float | None) -> None:
        """A line at a step of the only run (where its pictures are looked at); None takes it away."""
        self._mark = step
        self._place_marker()

    def _place_marker(self) -> None:
        mark = self._mark if len(self._runs) == 1 and len(self._runs[0].steps) > 0 else None
        self.marker.setVisible(mark is not None)
        if mark is not None:
            run = self._runs[0]
            at = float(np.interp(mark, run.steps, run.seconds)) if self._look.by_time else mark
            self.marker.setValue(float(self._scaled(np.array([at]))[0]))

    def _across(self, steps: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        return seconds if self._look.by_time else steps

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        if not self._look.logarithmic:
            return values
        return np.log10(np.maximum(values, 1e-3))

    def _set_ranges(self, trends: list[np.ndarray]) -> None:
        shown = [run for run in self._runs if len(run.bpd)]
        if not shown:
            self.box.setRange(xRange=(0, 1), yRange=(0, 1), padding=0)
            for axis in self.axes.values():
                axis.setStyle(showValues=False)
            return
        for axis in self.axes.values():
            axis.setStyle(showValues=True)
        across = np.concatenate([self._across(run.steps, run.seconds) for run in shown])
        values = np.concatenate([*trends, *(run.held_bpd for run in shown)])
        low, high = float(values.min()), float(values.max())
        if not self._look.logarithmic:
            # The first steps start far above the rest and would press it to the floor.
            begun = 0.05 * float(across.max())
            later = [t[self._across(r.steps, r.seconds) > begun] for t, r in zip(trends, self._runs, strict=True)]
            later += [r.held_bpd[self._across(r.held_steps, r.held_seconds) > begun] for r in shown]
            high = min(high, max(float(np.concatenate(later).max(initial=low)), low + 0.2))
        end = float(across.max())
        if self._look.logarithmic:
            low, high = math.log10(max(low, 1e-3)), math.log10(max(high, 2e-3))
            left, end = math.log10(max(float(across.min()), 1e-3)), math.log10(max(end, 2e-3))
        else:
            left = 0.0
        room = max(high - low, 1e-3)
        self.box.setRange(
            xRange=(left, end + 0.02 * max(end - left, 1e-9)), yRange=(low - 0.08 * room, high + 0.08 * room), padding=0
        )

    def paint_theme(self) -> None:
        """Take the theme's colours."""
        super().paint_theme()
        if not hasattr(self, "_curves"):
            return
        tones, ratio = theme.current(), self.devicePixelRatioF()  # pyqtgraph's pens count pixels of the screen
        compare = len(self._runs) > 1
        for index, curves in enumerate(self._curves):
            colour = COLOURS[index % len(COLOURS)]
            train, held = (colour, colour) if compare else (tones.a, tones.b)
            curves.paint(train, held, self.paper().name(), ratio, compare)
        self.marker.setPen(pg.mkPen(theme.color("z"), width=1.2 * ratio, style=Qt.PenStyle.DashLine))
        font = QFont(self.font())
        font.setPixelSize(theme.SMALL_PIXELS)
        for axis in self.axes.values():
            axis.setPen(pg.mkPen(theme.color("line")))
            axis.setTextPen(tones.muted)
            axis.setTickFont(font)
