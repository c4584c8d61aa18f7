"""The column's part: which way round, by which method, how strongly."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.piles.state import METHODS, STRENGTH_MAX
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, Heading, Label, Segmented, ValueSlider
from flow_explorer.widgets.focus import KeyboardFocus, ring

__all__ = ["MethodChoice", "Panel"]

TEXTS = {
    "mean-shift": ("Mean shift", "Moves every z by what lies between the piles' means",
                   "Plain and safe: what the piles differ in on average is added.\nT(z) = z + m_B − m_A"),
    "shrunk-shift": ("Shrunk shift", "Mean shift without what may be chance between small piles",
                     "Each coordinate's shift d shrinks by what its own standard error s explains.\n"
                     "T(z) = z + max(0, 1 − s² / d²) d,  d = m_B − m_A"),
    "transport": ("Transport", "Also bends z from the one pile's spread to the other's",
                  "The shortest way from one Gaussian to the other, in the directions in which the piles vary most.\n"
                  "T(z) = m_B + Σ_A^-½ (Σ_A^½ Σ_B Σ_A^½)^½ Σ_A^-½ (z − m_A)"),
    "conditional": ("By class", "Encodes under A's class and decodes under B's",
                    "The model itself knows what the classes differ in; a pile is of the class under which most of it is "
                    "likeliest.\ny = f_B⁻¹(f_A(x))"),
    "pair": ("By pair", "Encodes with A's own flow and decodes with B's",
             "Two flows that share one prior, as train-pair makes them; there is no way in between, so the strength is 1.\n"
             "y = f_B⁻¹(f_A(x))"),
}  # fmt: skip


class _Method(KeyboardFocus, QAbstractButton):
    """A method's name with a line that says what it does; the chosen one has a filled dot."""

    def __init__(self, title: str, line: str, tooltip: str) -> None:
        super().__init__()
        self._line = line
        self.setText(title)
        self.setAccessibleName(title)
        self.setAccessibleDescription(line)
        self.setToolTip(tooltip)
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
        for index, key in enumerate(METHODS):
            row = _Method(*(tr(text) for text in TEXTS[key]))
            self._group.addButton(row, index)
            column.addWidget(row)
        self._group.idClicked.connect(lambda index: self.chosen.emit(METHODS[index]))

    def button(self, key: str) -> QAbstractButton:
        """The row of a method."""
        return self._group.button(METHODS.index(key))

    def show_methods(self, allowed: Sequence[str], chosen: str) -> None:
        """Offer those that the model allows."""
        for index, key in enumerate(METHODS):
            self._group.button(index).setVisible(key in allowed)
        self.button(chosen).setChecked(True)


class Panel(QWidget):
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
        alone = method == "pair"
        self.pair.setVisible("pair" not in allowed)
        self.strength.setEnabled(not alone)
        self.note.setVisible(alone)
        if strength != self.strength.value():
            self.strength.set_value(strength)
