"""The probe's ledger: log π(z), every layer's log-det, their sum, and the small square on its way through the layers."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.layers.layers import tone_at
from flow_explorer.toylab.views.probe_data import SIDE, ProbeData, stage_title
from flow_explorer.widgets import Card, IconButton, Label
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.plot import polygon
from flow_explorer.widgets.reading import enlarge

__all__ = ["LEDGER_WIDTH", "Ledger", "LedgerRows", "SquareView", "signed"]

LEDGER_WIDTH = 264
ROW = 22


def signed(hundredths: int) -> str:
    """A number of hundredths with its sign: "+1.20", "−0.07"."""
    sign = "−" if hundredths < 0 else "+"
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def _pair(point: tuple[float, float]) -> str:
    return "(" + ", ".join(f"{number:.2f}".replace("-", "−") for number in point) + ")"


class SquareView(QWidget):
    """The square around x (dashed), what it has become, and (thin) at every layer: on one scale that all fit in."""

    def __init__(self) -> None:
        super().__init__()
        self.data: ProbeData | None = None
        self.position = 0.0
        self.setMinimumHeight(64)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setToolTip(
            tr("A small square around x, and the parallelogram that it becomes, drawn to scale.") + "\n∂h/∂x · square"
        )
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(200, 140)

    def show_probe(self, data: ProbeData | None, position: float) -> None:
        """Show the square at a position of the strip."""
        self.data, self.position = data, position
        if data is not None:
            growth = data.growth(data.boundary_at(position))
            self.setAccessibleName(tr("Square of side {side}, area times {growth}", side=SIDE, growth=f"{growth:.3g}"))
        self.update()

    def reach(self) -> float:
        """Half of what must fit, in the plane's own units: the largest of all stages."""
        if self.data is None:
            return SIDE
        shapes = [self.data.parallelogram(place) - self.data.at(place)[0] for place in self.data.positions]
        far = float(np.abs(np.stack(shapes)).max())
        # Steps of a fifth of an octave, so that the scale stands still while the numbers move a little.
        return 2.0 ** (math.ceil(5 * math.log2(max(far, SIDE / 2))) / 5)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.mix(tones.surface, tones.window, 0.5)))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        if self.data is None:
            return
        scale = (min(self.width(), self.height()) / 2 - 10) / self.reach()
        middle = np.array([self.width() / 2, self.height() / 2])
        point, _ = self.data.at(self.position)
        shape = (self.data.parallelogram(self.position) - point) * [scale, -scale] + middle
        square = SIDE * scale
        whole = self.data.whole
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for number, index in enumerate(whole):
            place = self.data.positions[index]
            tone = QColor(tone_at(1 - number / max(1, len(whole) - 1)))
            tone.setAlphaF(0.55)
            painter.setPen(QPen(tone, 1))
            painter.drawPolygon(polygon((self.data.parallelogram(place) - self.data.at(place)[0]) * [scale, -scale] + middle))
        painter.setPen(QPen(QColor(tones.accent), 1.6))
        painter.setBrush(theme.color("accent", 0.3))
        painter.drawPolygon(polygon(shape))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tones.muted), 1.2, Qt.PenStyle.DashLine))
        painter.drawRect(QRectF(middle[0] - square / 2, middle[1] - square / 2, square, square))
        painter.setPen(QPen(QColor(tones.text), 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPoint(QPointF(*middle))


class LedgerRows(KeyboardFocus, QWidget):
    """A row a stage, names left, hundredths of a nat right; a click or an arrow key goes to a stage."""

    chosen = Signal(int)
    """So many stages from x."""

    def __init__(self) -> None:
        super().__init__()
        self.data: ProbeData | None = None
        self.boundary = 0
        self.setAccessibleName(tr("Ledger"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.unit = 1.0
        theme.changed.connect(self.update)

    @property
    def row(self) -> int:
        """Height of a row in pixels."""
        return round(ROW * self.unit)

    def set_unit(self, unit: float) -> None:
        """Draw it so many times as large as usual."""
        self.unit = unit
        self.updateGeometry()
        self.update()

    def count(self) -> int:
        """Rows: the prior's and one a stage."""
        return 1 + len(self.data.names) if self.data is not None else 1

    def sizeHint(self) -> QSize:
        return QSize(160, self.row * self.count() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.row * self.count() + 2)

    def show_probe(self, data: ProbeData | None, boundary: int) -> None:
        """Show the numbers; the last of the first ``boundary`` stages is marked."""
        before = self.count()
        self.data, self.boundary = data, boundary
        if self.count() != before:
            self.updateGeometry()
        if data is not None:
            self.setAccessibleDescription(", ".join(f"{title} {value}" for title, value, _ in self.rows()))
        self.update()

    def rows(self) -> list[tuple[str, str, str]]:
        """(title, hundredths, exact) of every row, in the order shown."""
        if self.data is None:
            return [("log π(z)", "", "")]
        titles = ["log π(z)", *map(stage_title, self.data.names)]
        exact = [self.data.log_prior, *self.data.log_dets]
        return [(t, signed(h), f"{e:+.8f}") for t, h, e in zip(titles, self.data.rounded, exact, strict=True)]

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        painter.setFont(theme.font(round(theme.FONT_PIXELS * self.unit)))
        for number, (title, value, _exact) in enumerate(self.rows()):
            row = QRectF(0, number * self.row, self.width(), self.row)
            if number and number == self.boundary:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(tones.raised))
                painter.drawRoundedRect(row.adjusted(0, 1, 0, -1), 4, 4)
            ink = tones.z_text if not number else tones.text
            painter.setPen(QColor(ink))
            text = row.adjusted(6, 0, -6, 0)
            room = text.width() - painter.fontMetrics().horizontalAdvance(value) - 8
            words = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, int(room))
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, value)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), 4)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tell(event)
            return True
        return super().event(event)

    def _tell(self, event: QHelpEvent) -> None:
        number = event.pos().y() // self.row
        rows = self.rows()
        if self.data is None or not 0 <= number < len(rows):
            QToolTip.hideText()
            return
        title, _, exact = rows[number]
        words = f"{title}: {exact} nat"
        if number:
            words += "\n" + tr("log |det| of this layer's Jacobian at this point")
        QToolTip.showText(event.globalPos(), words, self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = int(event.position().y() // self.row)
        if event.button() == Qt.MouseButton.LeftButton and self.data is not None and number < self.count():
            self.chosen.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is None or self.data is None:
            super().keyPressEvent(event)
            return
        whole = self.data.whole
        here = whole.index(self.boundary) if self.boundary in whole else 0
        self.chosen.emit(whole[min(len(whole) - 1, max(0, here + step))])


class Ledger(Card):
    """The panel that appears with a probe."""

    scrubbed = Signal(float)
    """The person went to a place of the strip."""
    copied = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__(margin=12)
        self.setAccessibleName(tr("Probe"))
        self.setFixedWidth(LEDGER_WIDTH)
        self.body.setContentsMargins(12, 6, 12, 12)
        self.body.setSpacing(6)
        self.copy = IconButton("copy", tr("Copy the ledger"), 28, 16, tooltip=tr("Copy the ledger as text, with all digits."))
        self.close_button = IconButton("close", tr("Put the probe away"), 28, 16, tooltip=tr("Put the probe away.") + "\nEsc")
        self.title = title = Label(tr("Probe"), "strong")
        title.setToolTip(tr("What the flow does to one point; the numbers add up.") + "\nlog p(x) = log π(z) + Σ log |det|")
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(title, 1)
        top.addWidget(self.copy)
        top.addWidget(self.close_button)
        self.body.addLayout(top)
        self.places = Label("", "muted")
        self.square = SquareView()
        self.caption = Label("", "muted", wrap=True)
        self.rows = LedgerRows()
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        for widget in (self.scroll_area, inner):  # the card shows through
            widget.setAutoFillBackground(False)
            widget.setStyleSheet("background: transparent")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.rows)
        column.addStretch(1)
        self.scroll_area.setWidget(inner)
        self.sum = _Sum()
        self.message = Label("", "warning", wrap=True)
        self.message.hide()
        for widget, stretch in ((self.places, 0), (self.square, 2), (self.caption, 0), (self.message, 0)):
            self.body.addWidget(widget, stretch)
        self.body.addWidget(self.scroll_area, 3)
        self.body.addWidget(self.sum)
        self._data: ProbeData | None = None
        self.rows.chosen.connect(self._chosen)
        self.copy.clicked.connect(self.copied)
        self.close_button.clicked.connect(self.closed)

    def set_unit(self, unit: float) -> None:
        """Draw it so many times as large as usual."""
        self.setFixedWidth(round(LEDGER_WIDTH * unit))
        for label in (self.title, self.places, self.caption, self.message):
            enlarge(label, unit)
        self.rows.set_unit(unit)
        self.sum.set_unit(unit)

    def show_probe(self, data: ProbeData | None, position: float, error: str = "") -> None:
        """Show the newest numbers at a position of the strip, or what went wrong."""
        self.message.setVisible(bool(error))
        self.message.setText(error)
        self._data = data
        boundary = data.boundary_at(position) if data is not None else 0
        moved = boundary != self.rows.boundary
        self.rows.show_probe(data, boundary)
        self.square.show_probe(data, position)
        if moved:
            self.scroll_area.ensureVisible(0, boundary * self.rows.row + self.rows.row // 2, 0, self.rows.row)
        self.copy.setEnabled(data is not None)
        if data is None:
            self.places.setText("" if error else tr("Following the point …") + "\n")
            self.caption.setText("")
            self.sum.show_total("", "")
            return
        self.places.setText(f"x = {_pair(data.x)}\nz = {_pair(data.z)}")
        self.places.setToolTip(f"x = ({data.x[0]:.8f}, {data.x[1]:.8f})\nz = ({data.z[0]:.8f}, {data.z[1]:.8f})")
        growth = data.growth(boundary)
        self.caption.setText(
            tr("square of side {side} · area × {growth}", side=SIDE, growth=f"{growth:.3g}")
            + "\n" + tr("after {n} of {count} stages towards z", n=boundary, count=len(data.names))
        )
        self.caption.setToolTip(f"|det ∂h/∂x| = {growth:.8g}")
        self.sum.show_total(signed(data.total), f"{data.log_prob:+.8f}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Where it is low, the numbers matter more than the drawing.
        self.square.setMaximumHeight(max(64, int(self.height() * 0.26)))

    def _chosen(self, boundary: int) -> None:
        if self._data is not None:
            self.scrubbed.emit(float(self._data.positions[self._data.boundary_at(self._data.positions[boundary])]))


class _Sum(QWidget):
    """The line below the rows: log p(x)."""

    def __init__(self) -> None:
        super().__init__()
        self.value = ""
        self.set_unit(1.0)
        theme.changed.connect(self.update)

    def set_unit(self, unit: float) -> None:
        """Draw it so many times as large as usual."""
        self._unit = unit
        self.setFixedHeight(round(ROW * unit) + 6)
        self.update()

    def show_total(self, value: str, exact: str) -> None:
        """Show the sum; its exact number is the tooltip."""
        self.value = value
        self.setAccessibleName(f"log p(x) {value}")
        self.setToolTip(f"log p(x) = {exact} nat" if exact else "")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        tones = theme.current()
        painter.setPen(QPen(QColor(tones.muted), 1))
        painter.drawLine(QPointF(6, 2.5), QPointF(self.width() - 6, 2.5))
        painter.setFont(theme.font(round(theme.FONT_PIXELS * self._unit), bold=True))
        painter.setPen(QColor(tones.text))
        text = QRectF(6, 4, self.width() - 12, self.height() - 6)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, "log p(x)")
        total = f"{self.value} nat" if self.value else ""
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, total)
