"""Every racer's held-out loss over the training time that it has had, on one axis, and the table that says it in figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.panels.curve_plot import CurvePlot
from flow_explorer.toylab.panels.panel import ToyPanel
from flow_explorer.toylab.race.marks import MARKS, Mark, paint_marker
from flow_explorer.toylab.run import Run
from flow_explorer.widgets.plot import polygon, unit_of

__all__ = ["RaceCurves", "RaceTable", "nice_height", "nice_seconds"]


def nice_seconds(seconds: float) -> float:
    """The right end of the axis: 5, 10, 20, 50, 100 … with some room, so that it moves seldom."""
    end, turn = 5.0, 0
    while end < 1.04 * seconds:
        end *= (2.0, 2.0, 2.5)[turn % 3]
        turn += 1
    return end


def nice_height(height: float) -> float:
    """Nats from the floor to the top of the axis: 0.1, 0.2, 0.5, 1, 2 or 4, so that it moves seldom."""
    return next((top for top in (0.1, 0.2, 0.5, 1.0, 2.0) if top >= height), 4.0)


class _Curve(pg.GraphicsObject):
    """A racer's line with its marker at the end. The dash is drawn by us: pyqtgraph's own curve loses it in segments."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self._mark = mark
        self._points = np.empty((0, 2))

    def set_points(self, points: np.ndarray) -> None:
        """(n, 2) of seconds and nats."""
        self._points = points
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(-1, -1e3, 1e5, 2e3)  # more, times a large window's pixels a second, overflows and nothing is drawn

    def paint(self, painter: QPainter, *_unused: object) -> None:
        if not len(self._points):
            return
        ratio = unit_of(self) * painter.device().devicePixelRatioF()
        world = painter.worldTransform()
        places = self._points * [world.m11(), world.m22()] + [world.dx(), world.dy()]
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._mark.pen(2.0 * ratio))
        painter.drawPolyline(polygon(np.clip(places, -1e5, 1e5)))
        paint_marker(painter, self._mark, QPointF(*np.clip(places[-1], -1e5, 1e5)), 9.0 * ratio)
        painter.restore()


class RaceCurves(ToyPanel):
    """Curves of all racers, and the entropy where it is known."""

    def __init__(self) -> None:
        words = tr("The mean of −log p on points that no flow trains on, over the training time that each has had.")
        super().__init__(tr("Held-out loss over training time"), "", tooltip=words)
        self.plot = CurvePlot(self.accessibleName())
        self.plot.setMinimumSize(120, 60)
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.plot.bottom_axis.words = lambda values: [f"{value:,.4g} s" for value in values]
        self.curves = [_Curve(mark) for mark in MARKS]
        self.entropy = pg.InfiniteLine(0.0, angle=0)
        self.entropy_label = pg.TextItem(anchor=(1, 0))
        self.marked = pg.InfiniteLine(0.0, angle=90)
        self.marked.hide()
        for item in (self.marked, self.entropy, *self.curves, self.entropy_label):
            self.plot.box.addItem(item, ignoreBounds=True)
        self.add(self.plot)
        theme.changed.connect(self._paint_theme)
        self.plot.scaled.connect(self._paint_theme)
        self._paint_theme()

    def show_race(self, run: Run) -> bool:
        """Draw what is new; whether anything was."""
        if self.plot.pixels() != self._pixels:
            self._paint_theme()
        first = run.entries[0]  # all are measured together
        if not self.news(first, "curve"):
            return False
        self.marked.setVisible(run.marked_seconds is not None)
        self.marked.setValue(run.marked_seconds or 0.0)
        entropy = first.entropy
        for item in (self.entropy, self.entropy_label):
            item.setVisible(entropy is not None)
        curves = [[(point.seconds, point.nll) for point in entry.curve.points] for entry in run.entries]
        last = max((curve[-1][0] for curve in curves if curve), default=0.0)
        end = nice_seconds(last)
        # The fall of the first tenth may leave the picture: what tells the flows apart comes after it.
        values = [nll for curve in curves for seconds, nll in curve if seconds >= 0.1 * last]
        floor = min(values, default=0.0) if entropy is None else entropy
        top = nice_height(max(values, default=0.0) - floor)
        self.plot.box.setRange(xRange=(0, end), yRange=(floor - 0.22 * top, floor + 1.04 * top), padding=0)
        for index, item in enumerate(self.curves):
            points = curves[index] if index < len(curves) else []
            item.set_points(np.asarray(points, np.float64).reshape(-1, 2))
        if entropy is not None:
            self.entropy.setValue(entropy)
            self.entropy_label.setPos(end, entropy)
            self.entropy_label.setText(tr("entropy {value} nat", value=f"{entropy:.3f}"))
        return True

    def show_run(self, run: object) -> bool:
        """The race's view calls ``show_race`` instead."""
        return False

    def _paint_theme(self) -> None:
        tones = theme.current()
        self._pixels = self.plot.pixels()
        self.entropy.setPen(pg.mkPen(tones.a, width=1.2 * self._pixels, style=Qt.PenStyle.DashLine))
        self.marked.setPen(pg.mkPen(tones.muted, width=1.2 * self._pixels))
        self.entropy_label.setColor(QColor(tones.a_text))
        self.entropy_label.setFont(self.plot.small_font())
        self.plot.paint_axes()


class RaceTable(QWidget):
    """One line a racer: marker and dash, name, held-out loss ± standard error, steps, seconds; the leader says so."""

    ROW = 46

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Figures of the race"))
        self.setToolTip(
            tr("Held-out loss ± its standard error, steps taken, training time used. A flow leads where it is below every other.")
            + "\nΔ > 2 √(σ₁² + σ₂²)"
        )
        self.rows: list[tuple[str, ...]] = []
        self._leader: int | None = None
        self._unit = 1.0
        theme.changed.connect(self.update)

    def show_race(self, run: Run, names: Sequence[str]) -> None:
        """Show the newest figures."""
        rows = []
        for name, entry in zip(names, run.entries, strict=True):
            loss = "–" if entry.nll is None else f"{entry.nll:.3f} ± {entry.standard_error:.3f} nat"
            known = entry.is_shown()
            steps = tr("{n} steps", n=f"{entry.step:,}") if known else "–"
            seconds = f"{entry.seconds:,.2f} s" if known else "–"
            rows.append((name, loss, steps, seconds))
        if (rows, run.leader) != (self.rows, self._leader):
            resized = len(rows) != len(self.rows)
            self.rows, self._leader = rows, run.leader
            self.setAccessibleDescription("; ".join(
                ", ".join(row) + (f", {tr('leads')}" if index == run.leader else "") for index, row in enumerate(rows)
            ))
            if resized:
                self.updateGeometry()
            self.update()

    def set_unit(self, unit: float) -> None:
        """Draw it so many times as large as usual."""
        self._unit = unit
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(380, round(self.ROW * self._unit) * max(1, len(self.rows)))

    def minimumSizeHint(self) -> QSize:
        return QSize(280, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        unit = self._unit
        strong, small = (theme.font(round(theme.FONT_PIXELS * unit), bold) for bold in (True, False))
        middle_left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        middle_right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        height = round(self.ROW * unit)
        line = height / 2 - 3 * unit
        for index, (name, loss, steps, seconds) in enumerate(self.rows):
            top, mark, leads = index * height, MARKS[index], index == self._leader
            if index:
                painter.setPen(QPen(QColor(tones.line), 1))
                painter.drawLine(QPointF(0, top + 0.5), QPointF(self.width(), top + 0.5))
            middle = top + height / 2
            painter.setPen(mark.pen(2.0 * unit))
            painter.drawLine(QPointF(0, middle), QPointF(30 * unit, middle))
            paint_marker(painter, mark, QPointF(15 * unit, middle), 9.0 * unit)
            first = QRectF(42 * unit, top + 3 * unit, self.width() - 42 * unit, line)
            second = first.translated(0, line)
            painter.setFont(strong)
            painter.setPen(QColor(getattr(tones, mark.text)))
            room = first.width() - QFontMetricsF(strong).horizontalAdvance(loss) - 8
            painter.drawText(first, middle_left, QFontMetricsF(strong).elidedText(name, Qt.TextElideMode.ElideRight, room))
            painter.setFont(strong if leads else small)
            painter.setPen(QColor(tones.text))
            painter.drawText(first, middle_right, loss)
            painter.setFont(small)
            painter.setPen(QColor(tones.muted))
            painter.drawText(second, middle_left, f"{steps} · {seconds}")
            if leads:
                painter.setPen(QColor(tones.good_text))
                painter.drawText(second, middle_right, tr("leads"))
