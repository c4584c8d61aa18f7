"""A formula for the log-density: typed, checked while it is typed, with a look at what it makes."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFontDatabase
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.target.sheet import TargetSheet, framed
from flow_explorer.toylab.target.words import brightness, note_of
from flow_explorer.toylab.target_worker import Worker
from flow_explorer.toylab.views.colours import density_table
from flow_explorer.widgets import Button, Heading, Label
from flow_explorer.widgets.plot import Plot
from flowcore.plane.targets import targets as toy_targets
from flowcore.plane.targets.formula import FUNCTIONS, MAX_LENGTH

__all__ = ["EXAMPLES", "FormulaSheet"]

EXAMPLES = {
    "Two hills": "log(exp(-2*((x - 1.5)^2 + y^2)) + exp(-2*((x + 1.5)^2 + y^2)))",
    "Ring": "-8*(hypot(x, y) - 2.5)^2",
    "Banana": "-x^2/2 - 4*(y - x^2/2 + 1)^2",
    "Waves": "3*cos(2*x)*cos(2*y) - (x^2 + y^2)/5",
    "Square": "0 if max(abs(x), abs(y)) < 2 else -inf",
    "Two halves": "where(x > 0.3, -(x - 1.5)^2 - y^2, -6*abs(y - x - 1)) if hypot(x, y) < 3 else -inf",
}
_WAIT_MS = 250
_SIDE = 128
_COLUMN_WIDTH = 208


class FormulaSheet(TargetSheet):
    """The formula is the logarithm of a density up to a constant; "Use" gives it as a target."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(tr("A formula for the density"), parent, 780, 600)
        self.worker: Worker = Worker(self)
        self._target: dict | None = None
        self.line = QLineEdit()
        self.line.setAccessibleName(tr("Formula for the log-density"))
        self.line.setPlaceholderText(EXAMPLES["Ring"])
        self.line.setToolTip(tr("The logarithm of the density, up to a constant, in x and y.") + "\nlog p(x, y)")
        self.line.setFixedHeight(36)
        face = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        face.setPixelSize(14)
        self.line.setFont(face)
        self.line.setMaxLength(4 * MAX_LENGTH)
        self.first = self.line
        before = Label("log p(x, y) =", "strong")
        before.setBuddy(self.line)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(before)
        top.addWidget(self.line, 1)
        self.wrong = Label("", "warning", wrap=True)
        self.wrong.setMinimumHeight(20)
        self.wrong.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.plot = Plot(tr("Preview of the density"))
        self.image = pg.ImageItem(axisOrder="row-major")
        self.plot.box.addItem(self.image)
        column = QWidget()
        column.setFixedWidth(_COLUMN_WIDTH)
        side = QVBoxLayout(column)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(8)
        side.addWidget(Heading(tr("Examples")))
        self.examples: dict[str, Button] = {}
        grid = QGridLayout()
        grid.setSpacing(8)
        for index, (name, text) in enumerate(EXAMPLES.items()):
            button = self.examples[name] = Button(tr(name), "plain", "", text)
            button.clicked.connect(lambda _on=False, text=text: self.set_text(text))
            grid.addWidget(button, index // 2, index % 2)
        side.addLayout(grid)
        side.addSpacing(8)
        side.addWidget(Heading(tr("What it may hold")))
        words = tr("x, y, numbers, pi, e, inf, + − * / ^, brackets, and {names}.", names=", ".join(FUNCTIONS))
        side.addWidget(Label(words, "muted", wrap=True))
        words = tr("Cases: where(x > 0, a, b) or a if x > 0 else b, with < <= > >= and, or, not; −inf where there is no density.")
        side.addWidget(Label(words, "muted", wrap=True))
        side.addStretch(1)
        words = tr("A constant added to it changes nothing: the density is scaled to integrate to 1.")
        side.addWidget(Label(words, "muted", wrap=True))
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(framed(self.plot), 1)
        row.addWidget(column)
        self.body.addLayout(top)
        self.body.addWidget(self.wrong)
        self.body.addLayout(row, 1)
        self._wait = QTimer(self, interval=_WAIT_MS, singleShot=True)
        self._wait.timeout.connect(self.check)
        self.line.textEdited.connect(self._typed)
        self.line.returnPressed.connect(self._entered)
        theme.changed.connect(self._paint_theme)
        self._paint_theme()

    def begin(self, target: dict | None) -> None:
        """Open with the formula of the target, or with the first example."""
        is_formula = target is not None and target.get("kind") == "formula"
        self.set_text(str(target["text"]) if target is not None and is_formula else next(iter(EXAMPLES.values())))
        self.open_sheet()
        self.line.selectAll()

    def close_sheet(self) -> None:
        self._wait.stop()
        self.worker.abandon()
        super().close_sheet()

    def set_text(self, text: str) -> None:
        """Put a formula into the line, and check it."""
        self.line.setText(text)
        self.line.setCursorPosition(0)  # of a long one its beginning is seen
        self._target = None
        self.check()

    def target(self) -> dict | None:
        return self._target

    def is_settled(self) -> bool:
        """Whether what is in the line has been checked."""
        return not self._wait.isActive() and not self.worker.busy

    def _typed(self, _text: str) -> None:
        self._target = None
        self.allow(tr("The formula is being checked."))
        self._wait.start()

    def _entered(self) -> None:
        if self._target is not None:
            self.take()
        else:
            self.check()

    def check(self) -> None:
        """Check what is in the line now."""
        self._wait.stop()
        text = self.line.text()
        self.allow(tr("The formula is being checked."))
        if not text.strip():
            self.worker.abandon()
            self._show(None, tr("Type a formula in x and y, or take one of the examples."), "muted")
            return
        self.worker.run(lambda: _made(text), lambda made, sentence: self._show(made, sentence))

    def _show(self, made: tuple[dict, np.ndarray | None] | None, sentence: str, tone: str = "warning") -> None:
        self._target = None if made is None else made[0]
        if made is not None:
            tone, sentence = "muted", note_of(made[0])
        self.allow("" if made is not None else sentence)
        self.wrong.set_tone(tone)
        self.wrong.setText(sentence)
        level = None if made is None else made[1]
        # The last good picture stays, faint, while the formula is wrong: typing must not make it flicker.
        self.image.setOpacity(1.0 if made is not None else 0.3)
        if level is not None:
            self.image.setImage(level[::-1], autoLevels=False, levels=(0.0, 1.0))
            self.image.setRect(QRectF(-4, -4, 8, 8))

    def _paint_theme(self) -> None:
        colors = density_table()
        self.image.setLookupTable(colors)
        self.plot.ground = QColor(*(int(channel) for channel in colors[0]))
        self.plot.paint_theme()


def _made(text: str) -> tuple[dict, np.ndarray | None]:
    target = toy_targets.from_formula(text)
    return target, brightness(target, "two-moons", _SIDE)
