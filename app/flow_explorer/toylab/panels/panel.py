"""A panel of the toy lab: a card with a title at the left, a note or a legend at the right, a sentence, and a plot below."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.toylab.panels.glide import Glide
from flow_explorer.toylab.run import RunEntry
from flow_explorer.toylab.views.colours import ColourBar
from flow_explorer.widgets import Card, Label, Legend
from flow_explorer.widgets.plain import plain
from flow_explorer.widgets.plot import Cloud, Plot
from flow_explorer.widgets.reading import enlarge

__all__ = ["HEADER", "Caption", "ToyPanel"]

HEADER = 28
"""Height of a panel's first line."""
ROOMY = QSize(300, 320)
"""A panel at least so large says below its title what it shows; a smaller one in its title's tooltip alone."""


class Elided(Label):
    """A label that says it ``short`` where there is too little room, and is cut with an ellipsis where even that is too long."""

    def __init__(
        self, text: str = "", tone: str = "", short: str = "", whole: bool = False, parent: QWidget | None = None
    ) -> None:
        """``whole``: it is shown whole or not at all, since half a number is another number."""
        super().__init__(text, tone, parent=parent)
        self.short, self.whole = short, whole

    def words(self, width: float) -> str:
        """What is written where there are so many pixels."""
        metrics = self.fontMetrics()
        fitting = (text for text in (self.text(), self.short) if text and metrics.horizontalAdvance(text) <= width)
        found = next(fitting, "")
        if found or self.whole:
            return found
        return metrics.elidedText(self.short or self.text(), Qt.TextElideMode.ElideRight, int(width))

    def write(self, text: str, short: str = "") -> None:
        """Write other words."""
        self.short = short
        self.setText(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(24, self.sizeHint().width()), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        inside = QRectF(self.contentsRect())
        words = self.words(inside.width() + 1)
        painter.setPen(self.palette().color(self.foregroundRole()))
        # A fraction of a pixel more than the rounded width, on the side where there is room.
        area = inside.adjusted(-1, 0, 0, 0) if self.alignment() & Qt.AlignmentFlag.AlignRight else inside.adjusted(0, 0, 1, 0)
        painter.drawText(area, self.alignment() | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip, words)


class Caption(Elided):
    """A few words that lie over a plot's upper left corner."""

    GAP, PAD = 8, 6

    def __init__(self, plot: QWidget) -> None:
        super().__init__("", "muted", parent=plot)
        self._plot = plot
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

    def eventFilter(self, _plot: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        wide = self.fontMetrics().horizontalAdvance(self.text()) + 2 * self.PAD + 2
        self.setGeometry(self.GAP, self.GAP, min(wide, self._plot.width() - 2 * self.GAP), 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("surface", 0.85))
        painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        painter.end()
        super().paintEvent(event)


class Sentence(Label):
    """A wrapped text that takes so many lines whether it fills them or not.

    So panels beside each other keep their plots on one line, and no panel is higher than another for its words.
    """

    def __init__(self) -> None:
        super().__init__("", "muted", wrap=True)
        self._lines = 2
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)

    def set_lines(self, lines: int) -> None:
        """Take so many lines."""
        if lines != self._lines:
            self._lines = lines
            self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        return False

    def sizeHint(self) -> QSize:
        return QSize(1, self.fontMetrics().size(0, "\n".join("x" * self._lines)).height())

    minimumSizeHint = sizeHint


class ToyPanel(Card):
    """Base of the panels. ``show_run`` is called at every frame and draws only what has changed.

    The first line of ``tooltip`` is a sentence that stands below the title where there is room; ``short`` is the title where
    there is little.
    """

    def __init__(
        self, title: str, note: str = "", right: QWidget | None = None, tooltip: str = "", short: str = ""
    ) -> None:
        super().__init__(margin=12)
        self.body.setContentsMargins(12, 6, 12, 12)
        self.body.setSpacing(6)
        self.title = Elided(title, "strong", short)
        self.note = Elided(note, "muted", whole=True)
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.sentence = Sentence()
        self.setAccessibleName(title)
        self.head = top = QHBoxLayout()
        top.setSpacing(8)
        top.addStrut(HEADER)  # the same in all panels, whatever stands at the right
        top.addWidget(self.title, 1)
        top.addWidget(right if right is not None else self.note)
        self._right = right
        self._legend = right if isinstance(right, Legend) else None
        self._bar: ColourBar | None = None
        if self._legend is not None:
            self._legend.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.body.addLayout(top)
        self.body.addWidget(self.sentence)
        self.unit = 1.0
        self.explain(tooltip)
        self._shown: dict[str, tuple[int, int]] = {}
        self._reach = 4.0

    def explain(self, words: str) -> None:
        """What the panel shows: a sentence, and on further lines what only the tooltip says."""
        self.title.setToolTip(plain(words))
        self.note.setToolTip(plain(words))
        self.sentence.setText(words.partition("\n")[0])
        self._fit_header()

    def set_unit(self, unit: float) -> None:
        """Write title, note and sentence so many times as large as usual."""
        self.unit = unit
        for label in (self.title, self.note, self.sentence):
            enlarge(label, unit)
        for part in (self._legend, self._bar):
            if part is not None:
                part.set_unit(unit)
        self._fit_header()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_header()

    def _fit_header(self) -> None:
        """The title first, and of the note what there is room for; half a legend is worse than none."""
        inside = self.width() - 34
        room = inside - self.title.sizeHint().width()
        if self._right is None:
            self.note.setMaximumWidth(max(24, room))
            self.note.setVisible(room >= min(48, self.note.sizeHint().width()))
        if self._legend is not None:
            self._legend.setVisible(room >= self._legend.sizeHint().width())  # the tooltip says the same
        roomy = self.height() >= ROOMY.height() * self.unit and self.width() >= ROOMY.width() * self.unit
        self.sentence.setVisible(bool(self.sentence.text()) and roomy)
        self.sentence.set_lines(1 if self.width() >= 2 * ROOMY.width() * self.unit else 2)

    def add(self, widget: QWidget) -> None:
        """Put the plot below the title."""
        self.body.addWidget(widget, 1)

    def add_bar(self, bar: ColourBar) -> None:
        """Put a colour scale below the plot; it grows with the letters."""
        self._bar = bar
        self.body.addWidget(bar)

    def fit(self, run: RunEntry, plot: Plot) -> None:
        """Let ``plot`` show the square of the run's density: points of a table may lie further out than the built-in ones."""
        if run.reach != self._reach:
            self._reach = run.reach
            plot.set_reach(run.reach)

    def news(self, run: RunEntry, name: str) -> bool:
        """Whether ``run`` has something newer of a kind than what this panel has drawn; counts it as drawn."""
        mark = (run.number, run.version.get(name, 0))
        if self._shown.get(name) == mark:
            return False
        self._shown[name] = mark
        return True

    def glide(self, run: RunEntry, name: str, glide: Glide, cloud: Cloud) -> bool:
        """Show points of ``run`` in ``cloud``, on their way from one frame to the next; whether they moved."""
        if self.news(run, name):
            glide.go(run.number, run.arrays.get(name, np.empty((0, 2))))
        elif not glide.moving:
            return False
        cloud.set_points(glide.points())
        return True

    def show_run(self, run: RunEntry) -> bool:
        """Draw what is new of ``run``; whether anything was."""
        raise TypeError(f"{type(self).__name__} does not define show_run")
