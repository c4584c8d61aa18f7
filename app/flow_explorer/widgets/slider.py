"""A number that is slid, typed or stepped: label left, value right, a track below, a reset off its default."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.widgets.button import IconButton
from flow_explorer.widgets.field import ValueText
from flow_explorer.widgets.focus import KeyboardFocus
from flow_explorer.widgets.plain import plain

_KNOB = 7.5
_REST_MS = 350


class Track(KeyboardFocus, QSlider):
    """A horizontal slider over whole positions; pressing anywhere takes the knob there."""

    moved = Signal(int)
    """The person moved the knob to a position."""
    rested = Signal()
    """The person let go."""

    def __init__(self, tone: str = "accent", parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.tone = tone
        self.mark: float | None = None  # where the default lies, 0..1, drawn as a small notch
        self.origin: float | None = None  # where the live part begins, 0..1; None for the left end
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self.rested)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(120, 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(48, 20)

    def fraction(self) -> float:
        """Where the knob is, 0..1."""
        return (self.value() - self.minimum()) / max(1, self.maximum() - self.minimum())

    def position_x(self, fraction: float) -> float:
        """The x of ``fraction`` in this widget, logical pixels."""
        return _KNOB + fraction * (self.width() - 2 * _KNOB)

    def _at(self, event: QMouseEvent) -> int:
        fraction = (event.position().x() - _KNOB) / max(1.0, self.width() - 2 * _KNOB)
        return round(self.minimum() + min(1.0, max(0.0, fraction)) * (self.maximum() - self.minimum()))

    def _take(self, position: int) -> None:
        before = self.value()
        self.setValue(position)
        if self.value() != before:
            self.moved.emit(self.value())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._rest.stop()
            self.setSliderDown(True)
            self._take(self._at(event))
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._take(self._at(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.isSliderDown():
            self.setSliderDown(False)
            self.update()
            self.rested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        small = self.singleStep() * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        steps: dict[int, int] = {
            Qt.Key.Key_Left: -small, Qt.Key.Key_Down: -small, Qt.Key.Key_Right: small, Qt.Key.Key_Up: small,
            Qt.Key.Key_PageDown: -self.pageStep(), Qt.Key.Key_PageUp: self.pageStep(),
        }
        key = event.key()
        if key in steps:
            self._take(self.value() + steps[key])
        elif key == Qt.Key.Key_Home:
            self._take(self.minimum())
        elif key == Qt.Key.Key_End:
            self._take(self.maximum())
        else:
            event.ignore()
            return
        self._rest.start()

    def wheelEvent(self, event: QWheelEvent) -> None:
        # Scrolling the column must not turn the value that happens to pass under the pointer.
        if not self.hasFocus():
            event.ignore()
            return
        turn = event.angleDelta().y() or event.angleDelta().x()
        self._take(self.value() + (self.singleStep() if turn > 0 else -self.singleStep() if turn < 0 else 0))
        self._rest.start()
        event.accept()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        middle = self.height() / 2
        x = self.position_x(self.fraction())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tones.track))
        painter.drawRoundedRect(QRectF(0, middle - 2, self.width(), 4), 2, 2)
        live = getattr(tones, self.tone) if self.isEnabled() else tones.faint
        painter.setBrush(QColor(live))
        start = 0.0 if self.origin is None else self.position_x(self.origin)
        painter.drawRoundedRect(QRectF(min(start, x), middle - 2, abs(x - start), 4), 2, 2)
        if self.mark is not None:
            place = self.position_x(self.mark)
            if abs(place - x) > _KNOB + 3:
                painter.setBrush(QColor(tones.faint))
                painter.drawRoundedRect(QRectF(place - 1, middle + 4.5, 2, 3), 1, 1)
        centre = QPointF(x, middle)
        if self.focus_visible:
            painter.setBrush(theme.color(self.tone, 0.35))
            painter.drawEllipse(centre, _KNOB + 2.5, _KNOB + 2.5)
        shadow = QColor(0, 0, 0, 90 if tones.dark else 60)
        painter.setBrush(shadow)
        painter.drawEllipse(centre + QPointF(0, 0.6), _KNOB + 0.5, _KNOB + 0.5)
        knob = "#ffffff" if self.isEnabled() else tones.raised
        if self.isSliderDown():
            knob = theme.mix(knob, live, 0.12)
        # White on a white column needs an edge; on a dark one the knob stands out by itself.
        painter.setPen(Qt.PenStyle.NoPen if tones.dark else QPen(QColor(0, 0, 0, 44), 1))
        painter.setBrush(QColor(knob))
        painter.drawEllipse(centre, _KNOB - 0.5, _KNOB - 0.5)


class ValueSlider(QWidget):
    """A labelled number between ``minimum`` and ``maximum``.

    ``step`` is the slider's grid (a typed number may lie between); ``decimals`` is what is shown and kept.
    ``logarithmic`` spreads the track by ratio, with values rounded to two significant digits; ``values``
    gives the allowed values outright (a batch of 64, 128, 256 ...). ``value_changed(float)`` follows every
    act of the person at once, ``editing_finished()`` its end: the mouse let go, Enter, keys at rest.
    ``set_value`` emits nothing.
    """

    value_changed = Signal(float)
    editing_finished = Signal()

    def __init__(
        self, label: str, minimum: float = 0.0, maximum: float = 1.0, default: float = 0.0, step: float = 0.01,
        decimals: int = 2, unit: str = "", logarithmic: bool = False, tooltip: str = "",
        values: Sequence[float] | None = None, tone: str = "accent", parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        if values is not None:
            self._grid: list[float] | None = sorted(float(v) for v in values)
            minimum, maximum = self._grid[0], self._grid[-1]
        else:
            self._grid = None
        if not (math.isfinite(minimum) and math.isfinite(maximum) and minimum < maximum):
            raise ValueError("a slider needs a finite range with minimum < maximum")
        if logarithmic and minimum <= 0:
            raise ValueError("a logarithmic slider needs a range above 0")
        self.minimum, self.maximum, self.step, self.decimals = float(minimum), float(maximum), float(step), decimals
        self.logarithmic, self.unit = logarithmic, unit
        self._default = self._legal(default)
        self._value = self._default

        self.label = QLabel(label)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.field = ValueText(self._format(self._value), name=label)
        self.reset_button = IconButton("reset", tr("Reset {name} to its default", name=label), size=20, icon_size=14)
        self.track = Track(tone)
        self.track.setAccessibleName(label)
        self.track.setRange(0, self._positions())
        self.track.setPageStep(max(1, self._positions() // 10))
        for part in (self, self.label, self.track):
            part.setToolTip(plain(tooltip))
        self.label.setBuddy(self.track)

        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.label, 1)
        top.addWidget(self.reset_button)
        top.addWidget(self.field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.track)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFocusProxy(self.track)
        # Tab goes from slider to slider; the typed value and the reset are one Tab further each.
        QWidget.setTabOrder(self.track, self.field)
        QWidget.setTabOrder(self.field, self.reset_button)

        self.track.moved.connect(self._slid)
        self.track.rested.connect(self.editing_finished)
        self.field.typed.connect(self._typed)
        self.reset_button.clicked.connect(self.reset)
        self._show()

    def value(self) -> float:
        """The number."""
        return self._value

    @property
    def default(self) -> float:
        """What reset returns to."""
        return self._default

    def set_value(self, value: float) -> None:
        """Show ``value`` (clamped to the range) without emitting anything; raises ValueError if it is not finite."""
        if not math.isfinite(value):
            raise ValueError("a slider's value must be finite")
        self._value = self._legal(value)
        self._show()

    def set_default(self, value: float) -> None:
        """Change what reset returns to (another model has another default); the value stays."""
        self._default = self._legal(value)
        self._show()

    def set_label(self, label: str) -> None:
        """Call it otherwise: what the number is has changed."""
        if label != self.label.text():
            self.label.setText(label)
            self.track.setAccessibleName(label)
            self.field.setAccessibleName(label)

    def is_off(self) -> bool:
        """Whether the reset has anything to return from."""
        return self._value != self._default

    def reset(self) -> None:
        """Return to the default, as an act of the person."""
        self._act(self._default)
        self.editing_finished.emit()
        if self.reset_button.hasFocus():
            self.track.setFocus(Qt.FocusReason.OtherFocusReason)

    def _positions(self) -> int:
        if self._grid is not None:
            return len(self._grid) - 1
        if self.logarithmic:
            return 200
        return max(1, round((self.maximum - self.minimum) / self.step))

    def _legal(self, value: float) -> float:
        value = min(self.maximum, max(self.minimum, float(value)))
        if self._grid is not None:
            return min(self._grid, key=lambda allowed: abs(allowed - value))
        return round(value, self.decimals) + 0.0

    def _value_at(self, position: int) -> float:
        if self._grid is not None:
            return self._grid[position]
        part = position / self._positions()
        if self.logarithmic:
            value = self.minimum * (self.maximum / self.minimum) ** part
            digits = 1 - math.floor(math.log10(value))
            return self._legal(round(value, digits))
        return self._legal(self.minimum + position * self.step if position < self._positions() else self.maximum)

    def _position_of(self, value: float) -> int:
        if self._grid is not None:
            return self._grid.index(self._legal(value))
        if self.logarithmic:
            part = math.log(value / self.minimum) / math.log(self.maximum / self.minimum)
        else:
            part = (value - self.minimum) / (self.maximum - self.minimum)
        return round(part * self._positions())

    def _format(self, value: float) -> str:
        text = f"{value:,.{self.decimals}f}"
        if self.logarithmic and self.decimals > 2:
            text = text.rstrip("0").rstrip(".")
        text = text.replace("-", "\u2212")  # the sign that stands in all other figures; a typed hyphen is understood as well
        return f"{text} {self.unit}" if self.unit else text

    def _slid(self, position: int) -> None:
        self._act(self._value_at(position), from_track=True)

    def _typed(self, text: str) -> None:
        number = parse_number(text, self.unit)
        if number is not None:
            self._act(self._legal(number))
            self.editing_finished.emit()
        self._show()

    def _act(self, value: float, from_track: bool = False) -> None:
        if value == self._value:
            return
        self._value = value
        self._show(move_track=not from_track)
        self.value_changed.emit(value)

    def _show(self, move_track: bool = True) -> None:
        if move_track:
            self.track.setValue(self._position_of(self._value))
        self.field.set_shown(self._format(self._value))
        off = self.is_off()
        self.reset_button.setVisible(off)
        self.track.mark = self._position_of(self._default) / max(1, self._positions()) if off else None
        self.track.update()


def parse_number(text: str, unit: str = "") -> float | None:
    """The finite number that a person typed ("0.7", "0,7", "1,024", "70 %"), or None."""
    text = text.strip().removesuffix(unit).strip().replace("\u2212", "-").replace(" ", "").replace("\u202f", "")
    if "," in text and "." not in text:
        head, _, tail = text.rpartition(",")
        thousands = len(tail) == 3 and head.lstrip("-").replace(",", "").isdigit() and head.lstrip("-0") != ""
        text = text.replace(",", "") if thousands else f"{head.replace(',', '')}.{tail}"
    else:
        text = text.replace(",", "")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
