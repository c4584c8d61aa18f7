"""From pixels to noise: a slider over all layers, each layer's log-det as a bar above it, and their sum as a line."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.layers.names import formula, place_name, signed, title
from flow_explorer.explorer.facets.layers.view_model import LayersView, bits
from flow_explorer.i18n import tr
from flow_explorer.widgets.plain import plain
from flow_explorer.widgets.slider import Track

__all__ = ["Bars", "LayerTrack", "Scrubber"]

INSET = 7.5
"""As the track's knob has it, so that a bar stands above its place."""
HEAD = 18
"""For the levels' names."""
TALLEST = 0.94
"""Of half the height: the longest bar of the levels."""


class LayerTrack(Track):
    """The slider itself; Space plays."""

    play_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("accent", parent)
        self.setAccessibleName(tr("Layer, from pixels to noise"))
        self.setToolTip(tr("Drag from the pixels to the noise, or use the arrow keys; Page Up and Down go a step of the flow.\n"
                           "Space plays: h_i = f_i(h_(i−1)), x = h_0, z = h_n"))  # fmt: skip

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.play_wanted.emit()
            event.accept()
            return
        super().keyPressEvent(event)


class Bars(QWidget):
    """Every layer's log-det; a click goes to that layer."""

    jumped = Signal(int)
    released = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = LayersView()
        self._at = 0.0
        self._hovered = -1
        self._sums: list[float] = []
        self._scale = 1.0
        self.setMouseTracking(True)
        self.setMinimumHeight(60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(tr("Log-determinant of each layer"))
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(400, 92)

    def show_view(self, view: LayersView) -> None:
        """Show what is known by now."""
        self._view = view
        self._sums = view.sums()
        known = [(place.level, abs(value)) for place, value in zip(view.places, view.log_dets, strict=True) if value is not None]
        own, every = [value for level, value in known if level], [value for _, value in known]
        self._scale = max(own, default=0.0) or max(every, default=0.0) or 1.0
        self.update()

    def show_position(self, at: float) -> None:
        if at != self._at:
            self._at = at
            self.update()

    # Geometry

    def x_of(self, stage: float) -> float:
        """Where a stage stands."""
        return INSET + stage / max(self._view.count - 1, 1) * (self.width() - 2 * INSET)

    def stage_at(self, x: float) -> int:
        """The nearest stage."""
        span = max(self.width() - 2 * INSET, 1.0)
        return self._view.stage(round((x - INSET) / span * max(self._view.count - 1, 0)))

    def _area(self) -> QRectF:
        return QRectF(0, HEAD, self.width(), self.height() - HEAD - 2)

    def tip(self, stage: int) -> str:
        """What is said of a layer."""
        view = self._view
        if not 0 <= stage < view.count:
            return ""
        place = view.places[stage]
        lines = [tr("{layer}, {place}", layer=title(place), place=place_name(view.places, stage))]
        value = view.log_dets[stage]
        if value is not None and stage > 0:
            lines.append(tr("log-det {nats} nats: {bits} bits per dimension", nats=signed(value, 1),
                            bits=signed(bits(value, view.num_dims), 3)))  # fmt: skip
        if stage < len(self._sums) and stage > 0:
            lines.append(tr("Sum so far {nats} nats", nats=signed(self._sums[stage], 1)))
        lines.append(formula(place))
        return "\n".join(lines)

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._view.count > 1:
            self._paint_levels(painter)
            self._paint_bars(painter)
            self._paint_sum(painter)
            self._paint_position(painter)
        painter.end()

    def _paint_levels(self, painter: QPainter) -> None:
        view = self._view
        half = (self.x_of(1) - self.x_of(0)) / 2
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        metrics = painter.fontMetrics()
        depth = max(place.level for place in view.places)
        for level in range(depth + 1):
            members = [index for index, place in enumerate(view.places) if place.level == level]
            if not members:
                continue
            left = max(self.x_of(members[0]) - half, 0.0)
            right = min(self.x_of(members[-1]) + half, float(self.width()))
            band = QRectF(left, 0, right - left, self.height())
            if level:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("raised", 0.75 if level % 2 else 0.35))
                painter.drawRoundedRect(band.adjusted(0.5, 0, -0.5, 0), 3, 3)
                for text in (tr("Level {number}", number=level), str(level)):
                    if metrics.horizontalAdvance(text) + 12 <= band.width():
                        painter.setPen(theme.color("muted"))
                        painter.drawText(band.adjusted(6, 3, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text)
                        break

    def _paint_bars(self, painter: QPainter) -> None:
        view, area = self._view, self._area()
        middle, reach = area.center().y(), area.height() / 2 * TALLEST
        step = self.x_of(1) - self.x_of(0)
        width = min(max(step * 0.68, 1.5), 14.0)
        current = round(self._at)
        painter.setPen(QPen(theme.color("faint", 0.6), 1))
        painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))
        painter.setPen(Qt.PenStyle.NoPen)
        for index, value in enumerate(view.log_dets):
            if value is None or index == 0:
                continue
            x, share = self.x_of(index), abs(value) / self._scale
            cut = share > 1.0 + 1e-9
            # As roots: one layer may do a hundred times what another does, and both are to be seen.
            length = math.copysign(min(math.sqrt(share), 1 / TALLEST) * reach, value)
            bar = QRectF(x - width / 2, middle, width, -length).normalized()
            lit = index in (current, self._hovered)
            # What a layer does is the model's own colour; where it takes volume away, the picture gets less likely.
            painter.setBrush(theme.color("b" if value >= 0 else "muted", 1.0 if lit else 0.72))
            painter.drawRoundedRect(bar, min(1.5, width / 3), min(1.5, width / 3))
            if cut:  # longer than there is room for: a gap says so
                gap = middle - length * 0.72
                painter.setBrush(theme.color("window"))
                painter.drawRect(QRectF(x - width / 2 - 1, gap - 2, width + 2, 3.5))

    def _paint_sum(self, painter: QPainter) -> None:
        if len(self._sums) < 2:
            return
        area = self._area().adjusted(0, 4, 0, -4)
        low, high = min(self._sums), max(self._sums)
        span = max(high - low, 1e-9)
        path = QPainterPath()
        for index, value in enumerate(self._sums):
            point = QPointF(self.x_of(index), area.bottom() - (value - low) / span * area.height())
            if index:
                path.lineTo(point)
            else:
                path.moveTo(point)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("text", 0.55), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                            Qt.PenJoinStyle.RoundJoin))  # fmt: skip
        painter.drawPath(path)
        at = min(self._at, len(self._sums) - 1)
        before = int(at)
        after = min(before + 1, len(self._sums) - 1)
        value = self._sums[before] + (at - before) * (self._sums[after] - self._sums[before])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("text"))
        painter.drawEllipse(QPointF(self.x_of(at), area.bottom() - (value - low) / span * area.height()), 3, 3)

    def _paint_position(self, painter: QPainter) -> None:
        x = self.x_of(self._at)
        painter.setPen(QPen(theme.color("accent", 0.8), 1))
        painter.drawLine(QPointF(x, HEAD), QPointF(x, self.height()))

    # The pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._view.count:
            self.jumped.emit(self.stage_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        stage = self.stage_at(event.position().x())
        if stage != self._hovered:
            self._hovered = stage
            self.update()
        if event.buttons() & Qt.MouseButton.LeftButton and self._view.count:
            self.jumped.emit(stage)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.released.emit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()
        super().leaveEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            stage = self.stage_at(event.pos().x())
            reach = max((self.x_of(1) - self.x_of(0)) / 2, 4)
            near = QRectF(self.x_of(stage) - reach, 0, 2 * reach, self.height()).toAlignedRect()
            QToolTip.showText(event.globalPos(), plain(self.tip(stage)), self, near)
            return True
        return super().event(event)


class _Caption(QWidget):
    """The layer's name under the knob, and where there is room, what bars and line are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bold, self._rest, self._x = "", "", 0.0
        self.setFixedHeight(20)
        theme.paint_with(self)

    def show_text(self, bold: str, rest: str, x: float) -> None:
        if (bold, rest, x) != (self._bold, self._rest, self._x):
            self._bold, self._rest, self._x = bold, rest, x
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        strong, plain = theme.font(12, bold=True), theme.font(12)
        painter.setFont(strong)
        first = painter.fontMetrics().horizontalAdvance(self._bold)
        painter.setFont(plain)
        second = painter.fontMetrics().horizontalAdvance(self._rest) + (8 if self._rest else 0)
        left = min(max(self._x - (first + second) / 2, 0), max(self.width() - first - second - 1, 0))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(strong)
        painter.setPen(theme.color("text"))
        painter.drawText(QRectF(left, 0, first + 1, self.height()), middle, self._bold)
        painter.setFont(plain)
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(left + first + 8, 0, second, self.height()), middle, self._rest)
        key = tr("Bars: log-det, their heights as roots; line: its sum")
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        room = painter.fontMetrics().horizontalAdvance(key) + 24
        if self._bold and left + first + second + room <= self.width():
            painter.drawText(QRectF(self.rect()), middle | Qt.AlignmentFlag.AlignRight, key)
        elif self._bold and room <= left:
            painter.drawText(QRectF(self.rect()), middle | Qt.AlignmentFlag.AlignLeft, key)
        painter.end()


class Scrubber(QWidget):
    """Bars, slider and caption as one; `moved(stage)` while the person moves, `rested` when that ends."""

    moved = Signal(int)
    rested = Signal()
    play_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = LayersView()
        self._at = 0.0
        self.bars = Bars()
        self.track = LayerTrack()
        self.caption = _Caption()
        self.setFocusProxy(self.track)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.bars, 1)
        column.addWidget(self.track)
        column.addWidget(self.caption)
        self.bars.jumped.connect(self._jump)
        self.bars.released.connect(self.rested)
        self.track.moved.connect(self.moved)
        self.track.rested.connect(self.rested)
        self.track.play_wanted.connect(self.play_wanted)

    def show_view(self, view: LayersView) -> None:
        """Show what is known by now."""
        self._view = view
        self.track.setRange(0, max(view.count - 1, 0))
        self.track.setPageStep(max((sum(place.step == 1 and place.level == 1 for place in view.places)), 1))
        self.track.setEnabled(view.count > 1)
        self.bars.show_view(view)
        self._show_caption()

    def show_position(self, at: float) -> None:
        """Put the knob at a stage, or between two while it plays."""
        self._at = at
        self.track.setValue(self._view.stage(round(at)))
        self.bars.show_position(at)
        self._show_caption()

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._show_caption()

    def _jump(self, stage: int) -> None:
        self.track.setFocus(Qt.FocusReason.MouseFocusReason)
        self.moved.emit(stage)

    def _show_caption(self) -> None:
        view, stage = self._view, self._view.stage(round(self._at))
        if not view.count:
            self.caption.show_text("", "", 0)
            return
        place = view.places[stage]
        rest = place_name(view.places, stage)
        value = view.log_dets[stage]
        if value is not None and stage > 0:
            rest = tr("{place} · log-det {nats} nats", place=rest, nats=signed(value, 1))
        self.caption.show_text(title(place), rest, self.track.position_x(self.track.fraction()))
        self.track.setAccessibleDescription(f"{title(place)}, {rest}")
