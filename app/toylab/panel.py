"""A panel of the toy lab: a card with a title at the left, a note or a legend at the right, and a plot below."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app import theme
from app.toylab.run import Run
from app.widgets import Card, Label

__all__ = ["HEADER", "Legend", "Panel"]

HEADER = 28
"""Height of a panel's first line."""


class Legend(QWidget):
    """Dots with words, in colours of the theme."""

    def __init__(self, entries: list[tuple[str, str]]) -> None:
        super().__init__()
        self._entries = entries
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(", ".join(words for _, words in entries))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802
        metrics = QFontMetricsF(self.font())
        width = sum(metrics.horizontalAdvance(words) + 28 for _, words in self._entries)
        return QSize(round(width - 8), 20)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        metrics = QFontMetricsF(self.font())
        x = 2.0
        for tone, words in self._entries:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(tone))
            painter.drawEllipse(QRectF(x, self.height() / 2 - 4, 8, 8))
            painter.setPen(QColor(getattr(theme.current(), f"{tone}_text")))
            width = metrics.horizontalAdvance(words)
            painter.drawText(QRectF(x + 14, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
            x += width + 28


class Panel(Card):
    """Base of the panels. ``show_run`` is called at every frame and draws only what has changed."""

    def __init__(self, title: str, note: str = "", right: QWidget | None = None, tooltip: str = "") -> None:
        super().__init__(margin=12)
        self.body.setContentsMargins(12, 6, 12, 12)
        self.body.setSpacing(6)
        self.title = Label(title, "strong")
        self.note = Label(note, "muted")
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.title.setToolTip(tooltip)
        self.note.setToolTip(tooltip)
        self.setAccessibleName(title)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addStrut(HEADER)  # the same in all panels, whatever stands at the right
        top.addWidget(self.title)
        top.addStretch(1)
        top.addWidget(right if right is not None else self.note)
        self.body.addLayout(top)
        self._shown: dict[str, tuple[int, int]] = {}

    def add(self, widget: QWidget) -> None:
        """Put the plot below the title."""
        self.body.addWidget(widget, 1)

    def news(self, run: Run, name: str) -> bool:
        """Whether ``run`` has something newer of a kind than what this panel has drawn; counts it as drawn."""
        mark = (run.number, run.version.get(name, 0))
        if self._shown.get(name) == mark:
            return False
        self._shown[name] = mark
        return True

    def show_run(self, run: Run) -> bool:
        """Draw what is new of ``run``; whether anything was."""
        raise TypeError(f"{type(self).__name__} does not define show_run")
