"""Waiting: a turning arc for what is short, a bar with words and a cancel button for what is long."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.widgets.button import Button
from flow_explorer.widgets.fold import Label


class Spinner(QWidget):
    """A small turning arc; it moves only while it is seen, and stands still where the system asks for less motion."""

    def __init__(self, size: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = size
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, interval=33)
        self._timer.timeout.connect(self.update)
        self.setFixedSize(size, size)
        self.setAccessibleName(tr("Working"))
        theme.changed.connect(self.update)

    def showEvent(self, event: QShowEvent) -> None:
        self._clock.start()
        if theme.animations_enabled():
            self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(2, 2, self._size - 4, self._size - 4)
        painter.setPen(QPen(theme.color("track"), 2))
        painter.drawEllipse(area)
        turn = self._clock.elapsed() * 0.36 if self._clock.isValid() else 0.0
        pen = QPen(theme.color("accent"), 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(area, round(-turn * 16), 100 * 16)


class _Bar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.fraction: float | None = None
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, interval=33)
        self._timer.timeout.connect(self.update)
        self.setFixedHeight(4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(120, 4)

    def _run(self) -> None:
        moving = self.isVisible() and self.fraction is None and theme.animations_enabled()
        if moving and not self._timer.isActive():
            self._clock.start()
            self._timer.start()
        elif not moving:
            self._timer.stop()

    def set_fraction(self, fraction: float | None) -> None:
        self.fraction = fraction
        self._run()
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("track"))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)
        painter.setBrush(theme.color("accent"))
        if self.fraction is None:
            phase = (self._clock.elapsed() % 1400) / 1400 if self._clock.isValid() else 0.35
            width = self.width() * 0.3
            left = phase * (self.width() + width) - width
            part = QRectF(left, 0, width, 4).intersected(QRectF(self.rect()))
        else:
            part = QRectF(0, 0, self.width() * min(1.0, max(0.0, self.fraction)), 4)
        painter.drawRoundedRect(part, 2, 2)


class ProgressView(QWidget):
    """A bar with words above it and, where the work can be stopped, a Cancel button."""

    cancelled = Signal()

    def __init__(self, text: str = "", cancellable: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = Label(text, "muted")
        self.figure = Label("", "muted")
        self.bar = _Bar()
        self.cancel_button = Button(tr("Cancel"), "quiet")
        self.cancel_button.setVisible(cancellable)
        self.cancel_button.clicked.connect(self.cancelled)
        words = QHBoxLayout()
        words.setSpacing(8)
        words.addWidget(self.label, 1)
        words.addWidget(self.figure)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addLayout(words)
        column.addWidget(self.bar)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(column, 1)
        layout.addWidget(self.cancel_button)

    def set_progress(self, fraction: float | None, text: str | None = None) -> None:
        """Show ``fraction`` of 1 done (None: unknown, the bar wanders) and, if given, other words."""
        self.bar.set_fraction(fraction)
        self.figure.setText("" if fraction is None else f"{100 * min(1.0, max(0.0, fraction)):.0f} %")
        if text is not None:
            self.label.setText(text)
