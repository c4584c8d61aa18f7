"""Drawing a density: the paper at the left, tools, size and the way back at the right."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.toylab.target.sheet import TargetSheet
from flow_explorer.toylab.target.surface import SIZES, DrawingSurface
from flow_explorer.toylab.target.tools import KEYS, ToolColumn
from flow_explorer.widgets import Button, Heading, IconButton, Label, ValueSlider
from flowcore.errors import FlowError
from flowcore.plane.targets import targets as toy_targets
from flowcore.plane.targets.ink import SIDE, blank

__all__ = ["DrawSheet"]

_TOOLS_WIDTH = 208
_STEP = 2.0


class DrawSheet(TargetSheet):
    """Draws; "Use" gives the ink as a target. Undo goes stroke by stroke while the sheet is open."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(tr("Draw a density"), parent, 860, 700)
        self.name = tr("Drawing")
        self.surface = DrawingSurface()
        self.first = self.surface
        self.tools = ToolColumn()
        self.size_slider = ValueSlider(
            tr("Size"), *SIZES, self.surface.size_, 1, 0, tooltip=tr("How wide the tool is, in cells of 128.") + "\n[   ]"
        )
        self.undo = IconButton("undo", tr("Take the last stroke back"), tooltip=tr("Take the last stroke back") + "\nCtrl+Z")
        self.redo = IconButton("redo", tr("Draw it again"), tooltip=tr("Draw it again") + "\nCtrl+Shift+Z")
        self.clear = Button(tr("Clear"), "plain", "", tr("Take all ink away; undo brings it back."))
        acts = QHBoxLayout()
        acts.setSpacing(4)
        acts.addWidget(self.clear, 1)
        acts.addWidget(self.undo)
        acts.addWidget(self.redo)
        column = QWidget()
        column.setFixedWidth(_TOOLS_WIDTH)
        side = QVBoxLayout(column)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(12)
        side.addWidget(Heading(tr("Tool")))
        side.addWidget(self.tools)
        side.addWidget(self.size_slider)
        side.addLayout(acts)
        side.addStretch(1)
        words = tr("The ink is the density: most points fall where it is full, none on bare paper.")
        side.addWidget(Label(words, "muted", wrap=True))
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(self.surface, 1)
        row.addWidget(column)
        self.body.addLayout(row, 1)
        self._wire()

    def _wire(self) -> None:
        self.tools.chosen.connect(self.choose_tool)
        self.size_slider.value_changed.connect(self._resize)
        self.clear.clicked.connect(self.surface.clear)
        self.undo.clicked.connect(self.surface.undo)
        self.redo.clicked.connect(self.surface.redo)
        self.surface.changed.connect(self._show)
        self._show()

    def begin(self, target: dict | None) -> None:
        """Open with the ink of a grid target, or with bare paper."""
        sheet, self.name = blank(), tr("Drawing")
        if target is not None and target.get("kind") == "grid":
            sheet = _on_the_sheet(toy_targets.grid_of(target)).astype(np.float32) / 255
            self.name = target.get("title") or self.name
        self.surface.set_sheet(sheet)
        self.say("")
        self.open_sheet()

    def put(self, target: dict) -> None:
        """A picture that came while the sheet is open: its ink in place of what is drawn, undone like a stroke."""
        self.surface.put(_on_the_sheet(toy_targets.grid_of(target)))

    def has_work(self) -> bool:
        """Whether strokes would be lost if the sheet closed now."""
        return self.isVisible() and self.surface.can_undo

    def target(self) -> dict | None:
        try:
            return toy_targets.from_grid(self.surface.values(), self.name)
        except FlowError as error:
            self.say(str(error))
            return None

    def width_at(self, height: int) -> int:
        """The paper is square: at the height that is left for it, this is its width and that of the tools."""
        around = height - (self.card.sizeHint().height() - self.surface.sizeHint().height())
        return min(super().width_at(height), around + _TOOLS_WIDTH + 60)

    def choose_tool(self, name: str) -> None:
        """Take up a tool."""
        self.surface.tool = name
        self.tools.set_current(name)
        self.surface.update()

    def _resize(self, size: float) -> None:
        self.surface.size_ = size
        self.surface.update()

    def set_size(self, size: float) -> None:
        """Another size of the tools, within what there is."""
        self.size_slider.set_value(size)
        self._resize(self.size_slider.value())

    def _show(self) -> None:
        surface = self.surface
        self.undo.setEnabled(surface.can_undo)
        self.redo.setEnabled(surface.can_redo)
        self.clear.setEnabled(not surface.is_blank())
        self.allow(tr("Draw something first.") if surface.is_blank() else "")
        if not surface.is_blank():
            self.say("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        tool = next((name for name, key in KEYS.items() if event.text().upper() == key), None)
        pressed = QKeySequence(event.keyCombination())
        if event.matches(QKeySequence.StandardKey.Undo):
            self.surface.undo()
        elif pressed in (QKeySequence("Ctrl+Y"), QKeySequence("Ctrl+Shift+Z")):
            self.surface.redo()
        elif tool is not None and not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier:
            self.choose_tool(tool)
        elif event.text() == "[":
            self.set_size(self.surface.size_ - _STEP)
        elif event.text() == "]":
            self.set_size(self.surface.size_ + _STEP)
        else:
            super().keyPressEvent(event)
            return
        event.accept()


def _on_the_sheet(grid: np.ndarray) -> np.ndarray:
    """A grid of any side at the drawing's own, by the nearest cell."""
    place = (np.arange(SIDE) + 0.5) * len(grid) / SIDE
    return grid[np.ix_(place.astype(int), place.astype(int))]
