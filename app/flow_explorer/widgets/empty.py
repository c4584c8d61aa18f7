"""An empty place that says what goes here and offers the one act that fills it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer import icons, theme
from flow_explorer.widgets.button import Button
from flow_explorer.widgets.fold import Label


class EmptyState(QWidget):
    """An icon, one sentence, and up to a few buttons."""

    def __init__(
        self, sentence: str, action: tuple[str, Callable[[], object]] | None = None, icon: str = "picture",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.icon_name = icon
        self._icon = _Icon(icon)
        self.label = Label(sentence, "muted", wrap=True)
        self.label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        self.buttons.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._column = layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addStretch(1)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.label)
        layout.addLayout(self.buttons)
        layout.addStretch(1)
        if action is not None:
            self.add_action(*action)
        theme.changed.connect(self.update)

    def add_action(self, text: str, act: Callable[[], object], kind: str = "plain") -> Button:
        """Add a button that does ``act``; returns it."""
        button = Button(text, kind)
        button.clicked.connect(lambda _checked=False: act())
        self.buttons.addWidget(button)
        return button

    def add_title(self, title: Label) -> None:
        """Put a title between icon and sentence."""
        self._column.insertWidget(2, title, 0, Qt.AlignmentFlag.AlignHCenter)

    def set_sentence(self, sentence: str, tone: str = "muted") -> None:
        """Say something else (an error stands where the thing failed, in "warning")."""
        self.label.setText(sentence)
        self.label.set_tone(tone)


class _Icon(QWidget):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.setFixedSize(28, 28)

    def paintEvent(self, _event: QPaintEvent) -> None:
        icons.paint(QPainter(self), self._name, QRectF(0, 0, 28, 28), theme.current().faint)
