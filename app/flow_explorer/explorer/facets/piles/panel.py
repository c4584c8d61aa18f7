"""The column's part: which way round, by which method, how strongly."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, Heading, Label, Segmented, ValueSlider
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.plain import plain
from flowcore.latents.translation_methods import METHODS, STRENGTH_MAX

__all__ = ["MethodChoice", "PilesPanel"]


class _Method(KeyboardFocus, QAbstractButton):
    """A method's name with a line that says what it does; the chosen one has a filled dot."""

    def __init__(self, title: str, line: str, tooltip: str) -> None:
        super().__init__()
        self._line = line
        self.setText(title)
        self.setAccessibleName(title)
        self.setAccessibleDescription(line)
        self.setToolTip(plain(tooltip))
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(240, 52)

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones, area = theme.current(), QRectF(self.rect())
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.raised if self.isChecked() else tones.hover))
            painter.drawRoundedRect(area, 7, 7)
        if self.focus_visible:
            ring(painter, area, 6)
        painter.setPen(QColor(tones.accent if self.isChecked() else tones.faint))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(10.5, 9.5, 11, 11))
        if self.isChecked():
            painter.setBrush(QColor(tones.accent))
            painter.drawEllipse(QRectF(13.5, 12.5, 5, 5))
        painter.setPen(QColor(tones.text))
        painter.setFont(theme.font(bold=self.isChecked()))
        painter.drawText(QRectF(30, 4, area.width() - 36, 20), Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setPen(QColor(tones.muted))
        painter.setFont(theme.font(11))
        painter.drawText(QRectF(30, 23, area.width() - 36, 28), Qt.TextFlag.TextWordWrap, self._line)
        painter.end()


class MethodChoice(QWidget):
    """The methods as rows, of which one is chosen; arrow keys move the choice."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Method"))
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self._rows = {each.name: _Method(tr(each.title), tr(each.line), tr(each.details)) for each in METHODS.values()}
        for key, row in self._rows.items():
            self._group.addButton(row)
            column.addWidget(row)
            row.clicked.connect(lambda _on, key=key: self.chosen.emit(key))

    def button(self, key: str) -> QAbstractButton:
        """The row of a method."""
        return self._rows[key]

    def show_methods(self, allowed: Sequence[str], chosen: str) -> None:
        """Offer those that the model allows."""
        for key, row in self._rows.items():
            row.setVisible(key in allowed)
        self.button(chosen).setChecked(True)


class PilesPanel(QWidget):
    """Direction, method, strength."""

    direction_chosen = Signal(str)
    method_chosen = Signal(str)
    strength_changed = Signal(float)
    rested = Signal()
    pair_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.direction = Segmented(
            [("ab", "A → B", tr("Turn the pictures of A into what they were in B")),
             ("ba", "B → A", tr("Turn the pictures of B into what they were in A"))], name=tr("Direction"))  # fmt: skip
        self.methods = MethodChoice()
        self.pair = Button(tr("Open a pair…"), "quiet", "folder",
                           tooltip=tr("A folder of train-pair: one flow for each pile, which share a prior"))  # fmt: skip
        self.strength = ValueSlider(
            tr("Strength"), 0.0, STRENGTH_MAX, 1.0, step=0.01, decimals=2, tone="z",
            tooltip=tr("0 changes nothing, 1 goes all the way, more goes beyond.\nz′ = z + s (T(z) − z)"),
        )  # fmt: skip
        self.note = Label(tr("Between the two flows of a pair there is no way: the strength is 1."), "small", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Heading(tr("From pile to pile")))
        column.addWidget(self.direction)
        column.addSpacing(4)
        column.addWidget(self.strength)
        column.addWidget(self.note)
        column.addSpacing(4)
        column.addWidget(Heading(tr("Method")))
        column.addWidget(self.methods)
        column.addWidget(self.pair, 0, Qt.AlignmentFlag.AlignLeft)
        self.direction.chosen.connect(self.direction_chosen)
        self.methods.chosen.connect(self.method_chosen)
        self.pair.clicked.connect(self.pair_wanted)
        self.strength.value_changed.connect(self.strength_changed)
        self.strength.editing_finished.connect(self.rested)

    def show_state(self, direction: str, method: str, allowed: Sequence[str], strength: float) -> None:
        """`method` is the one in effect, one of `allowed`."""
        self.direction.set_current(direction)
        self.methods.show_methods(allowed, method)
        alone = METHODS[method].needs == "pair"
        self.pair.setVisible("pair" not in allowed)
        self.strength.setEnabled(not alone)
        self.note.setVisible(alone)
        if strength != self.strength.value():
            self.strength.set_value(strength)
