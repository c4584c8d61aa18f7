"""A panel of the toy lab: a card with a title at the left, a note or a legend at the right, and a plot below."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app import theme
from app.toylab.run import Run
from app.widgets import Card, Label, Legend

__all__ = ["HEADER", "Caption", "Panel"]

HEADER = 28
"""Height of a panel's first line."""


class Elided(Label):
    """A label that is cut short with an ellipsis where there is too little room for it."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(min(24, self.sizeHint().width()), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        inside = QRectF(self.contentsRect())
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(inside.width()) + 1)
        painter.setPen(self.palette().color(self.foregroundRole()))
        # A fraction of a pixel more than the rounded width, on the side where there is room.
        area = inside.adjusted(-1, 0, 0, 0) if self.alignment() & Qt.AlignmentFlag.AlignRight else inside.adjusted(0, 0, 1, 0)
        painter.drawText(area, self.alignment() | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip, words)


class Caption(Elided):
    """A few words that lie over a plot's upper left corner."""

    GAP, PAD = 8, 6

    def __init__(self, plot: QWidget) -> None:
        super().__init__("", "muted", parent=plot)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setContentsMargins(self.PAD, 0, self.PAD, 0)
        self.setMinimumHeight(20)
        self.hide()
        plot.installEventFilter(self)

    def say(self, words: str) -> None:
        """Show words, "" for none."""
        if words != self.text():
            self.setText(words)
            self._place()
        self.setVisible(bool(words))

    def eventFilter(self, _plot: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        wide = self.fontMetrics().horizontalAdvance(self.text()) + 2 * self.PAD + 2
        self.setGeometry(self.GAP, self.GAP, min(wide, self.parentWidget().width() - 2 * self.GAP), 20)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("surface", 0.85))
        painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        painter.end()
        super().paintEvent(event)


class Panel(Card):
    """Base of the panels. ``show_run`` is called at every frame and draws only what has changed."""

    def __init__(self, title: str, note: str = "", right: QWidget | None = None, tooltip: str = "") -> None:
        super().__init__(margin=12)
        self.body.setContentsMargins(12, 6, 12, 12)
        self.body.setSpacing(6)
        self.title = Elided(title, "strong")
        self.note = Elided(note, "muted")
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.title.setToolTip(tooltip)
        self.note.setToolTip(tooltip)
        self.setAccessibleName(title)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addStrut(HEADER)  # the same in all panels, whatever stands at the right
        top.addWidget(self.title, 1)
        top.addWidget(right if right is not None else self.note)
        self._has_note = right is None
        self._legend = right if isinstance(right, Legend) else None
        if self._legend is not None:
            self._legend.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.body.addLayout(top)
        self._shown: dict[str, tuple[int, int]] = {}
        self._reach = 4.0

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        # The title first, and of the note what there is room for.
        room = self.width() - 34 - self.title.sizeHint().width()
        self.note.setMaximumWidth(max(24, room))
        if self._legend is None and self._has_note:
            self.note.setVisible(room >= 48 or room >= self.note.sizeHint().width())
        if self._legend is not None:
            # Half a legend is worse than none; the tooltip says the same.
            self._legend.setVisible(self.width() - 34 >= self.title.sizeHint().width() + self._legend.sizeHint().width())

    def add(self, widget: QWidget) -> None:
        """Put the plot below the title."""
        self.body.addWidget(widget, 1)

    def fit(self, run: Run) -> None:
        """Let ``plot`` show the square of the run's density: points of a table may lie further out than the built-in ones."""
        if run.reach != self._reach:
            self._reach = run.reach
            self.plot.set_reach(run.reach)

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
