"""The page's middle: the six tabs, the figure large, and below it what it says."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.theory.controller import TheoryController
from flow_explorer.theory.figures import ALL
from flow_explorer.theory.state import FIGURES, TheoryState
from flow_explorer.theory.texts import texts, try_line
from flow_explorer.theory.typeset import Formula
from flow_explorer.widgets import IconButton, Label, Tabs

__all__ = ["TheoryCanvas"]


class TheoryCanvas(QWidget):
    """Shows the state; acts go to the controller."""

    tried = Signal(object)
    """Words of the "Try this" line were chosen: what they change."""

    def __init__(self, controller: TheoryController) -> None:
        super().__init__()
        self.controller = controller
        self.texts = texts()
        self.tabs = Tabs([(key, text.tab, text.tip) for key, text in self.texts.items()], tr("Figures"))
        self.next = IconButton("chevron-right", tr("Next figure"), tooltip=tr("Next figure") + "\nPage Down")
        self.figures = {figure.id: figure(controller) for figure in ALL}
        for key, figure in self.figures.items():
            figure.setAccessibleName(self.texts[key].tip)
        self.stack = QStackedWidget()
        for key in FIGURES:
            self.stack.addWidget(self.figures[key])
        self.sentence = Label("", wrap=True)
        self.formula = Formula()
        self.tries = QLabel()
        self.tries.setTextFormat(Qt.TextFormat.PlainText)
        self.tries.setWordWrap(True)
        self.tries.setTextFormat(Qt.TextFormat.RichText)
        self.tries.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.tries.setAccessibleName(tr("Try this"))
        for label in (self.sentence, self.tries):
            label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._acts: list[dict | str] = []
        self._lay()
        self.tabs.chosen.connect(controller.show_figure)
        self.next.clicked.connect(lambda: self.go_to(1))
        self.tries.linkActivated.connect(self._follow)
        theme.changed.connect(self._write)
        self._shown = ""
        self.show_state(controller.state)

    def _lay(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.tabs)
        top.addStretch(1)
        top.addWidget(self.next)
        self._below = QVBoxLayout()
        self._below.setSpacing(8)
        self._below.addWidget(self.sentence)
        self._below.addWidget(self.formula, 0, Qt.AlignmentFlag.AlignLeft)
        self._below.addWidget(self.tries)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 12, 20, 16)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(self.stack, 1)
        layout.addLayout(self._below)

    def figure(self) -> QWidget:
        """The figure in front."""
        return self.figures[self.controller.state.figure]

    def go_to(self, by: int) -> None:
        """The next figure, or the one before; round and round."""
        here = FIGURES.index(self.controller.state.figure)
        self.controller.show_figure(FIGURES[(here + by) % len(FIGURES)])

    def show_state(self, state: TheoryState) -> None:
        """Show a state."""
        if state.figure != self._shown:
            self._shown = state.figure
            self.tabs.set_current(state.figure)
            self.figures[state.figure].sync(state)
            self.figures[state.figure].finish()
            self.stack.setCurrentWidget(self.figures[state.figure])
            self._write()
        else:
            self.figures[state.figure].sync(state)

    def is_still(self) -> bool:
        """Nothing moves."""
        return self.figures[self._shown].is_still()

    def _write(self) -> None:
        """The words of the figure in front, at a size that can be read from where the room is as large as the window."""
        text = self.texts[self._shown]
        self.sentence.setText(text.sentence)
        self.formula.set_text(text.formula)
        html, self._acts = try_line(text, theme.current().link)
        self.tries.setText(f"<b>{tr('Try this')}</b>&nbsp; {html}")
        self._scale()

    def _scale(self) -> None:
        unit = max(1.0, min(1.9, self.width() / 900, self.height() / 640))
        for label in (self.sentence, self.tries):
            label.setStyleSheet(f"font-size: {round(14 * unit)}px;")
            label.setMaximumWidth(round(1000 * unit))
        self.formula.set_pixels(21 * unit)
        self._below.setSpacing(round(8 * unit))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scale()

    def _follow(self, link: str) -> None:
        if link.isdigit() and int(link) < len(self._acts):
            self.tried.emit(self._acts[int(link)])
