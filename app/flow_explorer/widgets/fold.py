"""The column on the right and its parts: headings, folds, rows of a label and a value, cards."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from flow_explorer import icons, theme
from flow_explorer.settings import Settings
from flow_explorer.widgets.button import _Painted
from flow_explorer.widgets.focus import ring
from flow_explorer.widgets.plain import plain

Item = TypeVar("Item", bound=QWidget | QLayout)


class Label(QLabel):
    """A text in one of the sheet's tones: "", "muted", "small", "strong", "good", "warning", "a", "b", "z", "title"."""

    def __init__(self, text: str = "", tone: str = "", wrap: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        self.set_tone(tone)

    def set_tone(self, tone: str) -> None:
        """Change the tone."""
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            self.style().unpolish(self)
            self.style().polish(self)


class Heading(Label):
    """The muted title above a group: "Samples", "Walk in z"."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, "heading", parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)


class Separator(QWidget):
    """A hairline between groups."""

    def __init__(self, vertical: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.color("line"))


class ValueRow(QWidget):
    """A label on the left, a value on the right, on one line."""

    def __init__(self, label: str, value: str = "", tone: str = "", tooltip: str = "", parent: QWidget | None = None):
        super().__init__(parent)
        self.label = Label(label)
        self.value = Label(value, tone)
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        # Both: Qt lays out text that can be selected a pixel higher than other text, and the two would not stand on one line.
        for part in (self.label, self.value):
            part.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setToolTip(plain(tooltip))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.label)
        layout.addWidget(self.value, 1)

    def set_value(self, text: str, tone: str = "") -> None:
        """Show another value, in another tone."""
        if text != self.value.text():
            self.value.setText(text)
        self.value.set_tone(tone)


class Card(QFrame):
    """A calm surface with a hairline around it; ``body`` is its vertical layout."""

    def __init__(self, margin: int = 12, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(margin, margin, margin, margin)
        self.body.setSpacing(8)


class _Header(_Painted):
    """The clickable line of a fold: its words left, a chevron that points right or down at the right."""

    def __init__(self, text: str) -> None:
        super().__init__(text, None)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 40, 28)

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        tones = theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), 5)
        ink = tones.text if self.underMouse() else tones.muted
        painter.setPen(QColor(ink))
        painter.setFont(self.font())
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignVCenter, self.text())
        name = "chevron-down" if self.isChecked() else "chevron-right"
        icons.paint(painter, name, QRectF(self.width() - 16, round(self.height() / 2 - 8), 16, 16), ink)


class Fold(QWidget):
    """A group that unfolds where it belongs and stays as the person left it.

    With ``settings`` and ``key`` the state is remembered over sessions. Fill it through ``add``.
    """

    toggled = Signal(bool)

    def __init__(
        self, title: str, unfolded: bool = False, settings: Settings | None = None, key: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings, self._key = settings, f"fold.{key}"
        if settings is not None and key:
            unfolded = settings.get(self._key, unfolded)
        self.header = _Header(title)
        self.header.setAccessibleName(title)
        self.body_widget = QWidget()
        self.body = QVBoxLayout(self.body_widget)
        self.body.setContentsMargins(0, 4, 0, 4)
        self.body.setSpacing(12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.body_widget)
        self.header.setChecked(unfolded)
        self.body_widget.setVisible(unfolded)
        self.header.toggled.connect(self._toggle)

    def add(self, widget: QWidget) -> QWidget:
        """Put ``widget`` into the fold, below what is there; returns it."""
        self.body.addWidget(widget)
        return widget

    def set_title(self, title: str) -> None:
        """Change the words of the header."""
        if title != self.header.text():
            self.header.setText(title)
            self.header.setAccessibleName(title)

    def is_unfolded(self) -> bool:
        """Whether the content is shown."""
        return self.header.isChecked()

    def set_unfolded(self, unfolded: bool) -> None:
        """Show or hide the content."""
        self.header.setChecked(unfolded)

    def _toggle(self, unfolded: bool) -> None:
        self.body_widget.setVisible(unfolded)
        if self._settings is not None and self._key != "fold.":
            self._settings.set(self._key, unfolded)
        self.toggled.emit(unfolded)


class Inspector(QScrollArea):
    """The column's content: 16 of margin, 12 between parts, scrolled when it is too high.

    ``add`` appends a widget or a layout, ``add_stretch`` pushes what follows to the bottom.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        inner.setObjectName("inspectorBody")
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(0)
        column.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)
        self.body, self.foot = QVBoxLayout(), QVBoxLayout()
        for part in (self.body, self.foot):
            part.setSpacing(12)
        column.addLayout(self.body)
        column.addStretch(1)
        column.addLayout(self.foot)
        self._target = self.body
        self.setWidget(inner)
        self.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)

    def add(self, item: Item, space: int = 0) -> Item:
        """Append ``item`` (after ``space`` extra pixels); returns it."""
        if space:
            self._target.addSpacing(space)
        if isinstance(item, QWidget):
            self._target.addWidget(item)
        else:
            self._target.addLayout(item)
        return item

    def add_stretch(self) -> None:
        """What is added from here on sits at the bottom of the column."""
        self._target = self.foot
