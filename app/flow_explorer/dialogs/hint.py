"""The first steps: a line over the canvas, in nobody's way, that goes for good when it is understood."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from flow_explorer import icons, theme
from flow_explorer.i18n import tr
from flow_explorer.widgets.button import Button
from flow_explorer.widgets.fold import Label


class HintStrip(QWidget):
    """Words, "Show the keys" and "Got it"; hidden until ``show_hint``.

    It pushes the canvas down instead of floating over it: what it speaks of must stay visible.
    """

    understood = Signal()
    keys_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = Label("", wrap=True)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.keys_button = Button(tr("Show the keys"), "quiet", icon="keyboard")
        self.done_button = Button(tr("Got it"), "primary")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(48, 8, 24, 9)
        layout.setSpacing(8)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.keys_button)
        layout.addWidget(self.done_button)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.keys_button.clicked.connect(self.keys_wanted)
        self.done_button.clicked.connect(self._dismiss)
        theme.changed.connect(self.update)
        self.hide()

    def show_hint(self, words: str) -> None:
        """Show ``words`` (several lines are joined)."""
        self.label.setText(" ".join(words.split()))
        self.setAccessibleName(self.label.text())
        self.show()

    def _dismiss(self) -> None:
        self.hide()
        self.understood.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        tones = theme.current()
        painter.fillRect(self.rect(), QColor(theme.mix(tones.surface, tones.accent, 0.08)))
        painter.fillRect(0, self.height() - 1, self.width(), 1, QColor(tones.line))
        icons.paint(painter, "help", QRectF(20, round(self.height() / 2 - 9), 18, 18), tones.link)
