"""The Levels view's widgets: the subject with its brush, its variations, and what becomes of each level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer.explorer.facets.levels.region_view import RegionView
from flow_explorer.explorer.facets.levels.state import COUNT, ORDERS
from flow_explorer.explorer.samples.samples_grid import MARGIN, SamplesGrid
from flow_explorer.i18n import tr
from flow_explorer.widgets import (
    Button,
    Choice,
    EmptyState,
    Heading,
    IconButton,
    Label,
    Segmented,
    Toggle,
    ValueSlider,
)
from flowcore.model.temperature import TEMPERATURE_MAX, Temperature, split

__all__ = ["LevelsPart", "LevelsView"]

GAP = 24
HEADING = 28
ROW = 32
LEFT_ROWS = 12 + ROW + 8 + 44 + 4 + 36
"""What stands under the subject: tools, brush size, words on drift."""


class LevelsView(QWidget):
    """Left the subject, right sixteen variations; every act leaves as a signal."""

    draw_wanted = Signal()
    cleared = Signal()
    lock_chosen = Signal(str)
    order_chosen = Signal(str)
    fill_wanted = Signal()

    def __init__(self, grid: SamplesGrid, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = grid
        self.region = RegionView()
        self.tool = Segmented(
            [("brush", tr("Brush"), tr("Brush what is to stay")), ("erase", tr("Erase"), tr("Take brushed places away"))],
            name=tr("Brush or eraser"), compact=True)  # fmt: skip
        self.brush_size = ValueSlider(tr("Brush"), 4, 60, 16, step=1, decimals=0, unit="%",
                                tooltip=tr("The brush's diameter, as a share of the picture's side"))  # fmt: skip
        self.lock = Segmented(
            [("inside", tr("Lock it"), tr("Keep z under the brush at all levels; elsewhere the levels say what is drawn")),
             ("outside", tr("Draw only it"), tr("Keep z everywhere but under the brush; there the levels say what is drawn"))],
            name=tr("What the brushed part means"), compact=True)  # fmt: skip
        self.clear = IconButton("close", tr("Clear the brushed part"))
        self.drift = Label("", "muted", wrap=True)
        self.show_drift = Toggle(tr("Show where pixels drift"), tr("Tint the pixels that move although their z is locked:\n"
                                                                   "z is local, the pixels it makes are not quite"))  # fmt: skip
        self.again = Button(tr("Draw again"), "primary", tooltip=tr("Draw what is not kept once more: the next seed"))
        words = {"drawn": tr("As drawn"), "likelihood": tr("Likeliest first")}
        self.order = Choice([(key, words[key]) for key in ORDERS], name=tr("Order of the variations"),
                            tooltip=tr("As drawn, or by their bits per dimension, the fewest first"))  # fmt: skip
        self.order.setFixedWidth(136)
        self.problem = Label("", "warning", wrap=True)
        self.empty = EmptyState(tr("Choose a sample, or put a picture in a well, to keep a part of it and draw the rest"),
                                (tr("Use the first sample"), self.fill_wanted.emit), icon="explorer")  # fmt: skip
        self.left_heading, self.right_heading = Heading(tr("What is kept")), Heading(tr("Variations"))
        self._build()
        self.tool.chosen.connect(lambda key: setattr(self.region, "erasing", key == "erase"))
        self.brush_size.value_changed.connect(self._resize)
        self.lock.chosen.connect(self.lock_chosen)
        self.clear.clicked.connect(self.cleared)
        self.again.clicked.connect(self.draw_wanted)
        self.order.chosen.connect(self.order_chosen)

    def _build(self) -> None:
        """The parts; where they are is `_arrange`'s."""
        self.under, self.below, self.acts = (QWidget(self) for _ in range(3))
        self.brush_size.setFixedWidth(160)
        rows = ((self.under, (self.tool, self.lock, self.clear), 8), (self.below, (self.brush_size, self.show_drift), 16),
                (self.acts, (self.again, self.order), 8))  # fmt: skip
        for holder, parts, spacing in rows:
            row = QHBoxLayout(holder)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(spacing)
            for part in parts:
                row.addWidget(part)
            row.addStretch(1)
        for part in (self.left_heading, self.region, self.drift, self.right_heading, self.problem, self.grid, self.empty):
            part.setParent(self)
        order = (self.region, self.tool, self.lock, self.clear, self.brush_size, self.show_drift, self.grid, self.again,
                 self.order)  # fmt: skip
        for before, after in zip(order, order[1:], strict=False):
            QWidget.setTabOrder(before, after)

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _arrange(self) -> None:
        """Two columns, each with its square as large as both the width and the height allow."""
        width, height = self.width(), self.height()
        self.empty.setGeometry(self.rect())
        left = min(round(0.45 * (width - GAP)), height - HEADING - LEFT_ROWS)
        right = min(width - MARGIN - GAP - max(left, self.under.sizeHint().width()), height - HEADING - ROW - 12)
        start = max(left, self.under.sizeHint().width()) + GAP
        self.left_heading.setGeometry(0, 0, left, 20)
        self.region.setGeometry(0, HEADING, left, left)
        top = HEADING + left + 12
        self.under.setGeometry(0, top, start - GAP, ROW)
        self.below.setGeometry(0, top + ROW + 8, start - GAP, 44)
        self.drift.setGeometry(0, top + ROW + 8 + 44 + 4, start - GAP, 36)
        self.right_heading.setGeometry(start, 0, 120, 20)
        self.problem.setGeometry(start + 120, -8, max(width - start - 120, 80), 36)
        # The grid's own margin holds the selection's outline; the pictures themselves stand on the column's edge.
        self.grid.setGeometry(start - MARGIN, HEADING - MARGIN, right + 2 * MARGIN, right + 2 * MARGIN)
        self.acts.setGeometry(start, HEADING + right + 12, width - start, ROW)

    def _resize(self, percent: float) -> None:
        self.region.brush = percent / 100
        self.region.update()

    def show_empty(self, empty: bool) -> None:
        """Without a subject there is one sentence and one act."""
        parts = (self.left_heading, self.region, self.under, self.below, self.drift, self.right_heading, self.problem, self.grid)
        for part in (*parts, self.acts):
            part.setVisible(not empty)
        self.empty.setVisible(empty)

    def show_region(self, picture: np.ndarray, mask: np.ndarray, drift: np.ndarray | None, words: str, lock: str) -> None:
        """The subject, the brushed places, and what is said of pixels that drift."""
        self.region.show_picture(picture, mask, drift if self.show_drift.isChecked() else None)
        self.lock.set_current(lock)
        brushed = bool(mask.any())
        for part in (self.lock, self.clear, self.show_drift):
            part.setEnabled(brushed)
        self.drift.setText(words)

    def show_page(self, selected: int, order: str, problem: str) -> None:
        """Repaint the variations; `selected` is a place on the page."""
        self.grid.show_page(COUNT, selected)
        self.grid.refresh(0, COUNT)
        self.order.set_current(order)
        self.problem.setText(problem)

    def set_smooth(self, smooth: bool) -> None:
        self.grid.smooth = self.region.smooth = smooth
        self.grid.update()
        self.region.update()


class LevelsPart(QWidget):
    """In the column on the right: each level's fate, the temperature of what is drawn, and the other picture."""

    action_chosen = Signal(int, str)
    """(level, counted from the finest; what becomes of it)"""
    preset_chosen = Signal(str)
    other_chosen = Signal(str)
    temperature_changed = Signal(float)
    rested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(8)
        self.body.addWidget(Heading(tr("Levels")))
        self.rows = QVBoxLayout()
        self.rows.setSpacing(8)
        self.body.addLayout(self.rows)
        presets = QGridLayout()
        presets.setSpacing(8)
        self.presets = {
            "coarse": Button(tr("Keep coarse"), tooltip=tr("Keep the coarsest level, draw the others")),
            "fine": Button(tr("Keep fine"), tooltip=tr("Draw the coarsest level, keep the others")),
            "swap": Button(tr("Take the other's coarse"), tooltip=tr("Keep the fine levels, take the other's coarsest")),
        }  # fmt: skip
        for place, (key, button) in enumerate(self.presets.items()):
            button.clicked.connect(lambda _checked=False, key=key: self.preset_chosen.emit(key))
            presets.addWidget(button, place // 2, place % 2, 1, 1 if place < 2 else 2)
        self.body.addLayout(presets)
        self.other_row = QWidget()
        row = QHBoxLayout(self.other_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(Label(tr("The other picture")))
        row.addStretch(1)
        self.other = Segmented([("A", "A"), ("B", "B"), ("sample", tr("Sample")), ("walk", tr("Walk"))],
                               name=tr("The picture that levels are taken from"), compact=True)  # fmt: skip
        row.addWidget(self.other)
        self.body.addWidget(self.other_row)
        self.temperature = ValueSlider(
            tr("Temperature of what is drawn"), 0.0, TEMPERATURE_MAX, 0.7, step=0.01, decimals=2,
            tooltip=tr("How far from the middle of the prior the levels that are not kept are drawn.\n"
                       "z = T ε. Of a model with a temperature for each level this is the highest of them, and the others keep "
                       "the ratios that its card gives."))  # fmt: skip
        self.body.addWidget(self.temperature)
        self.levels: list[Segmented] = []
        """The finest level's first."""
        self.numbers: list[Label] = []
        """The temperature that each is drawn at, where they differ."""
        self.other.chosen.connect(self.other_chosen)
        self.temperature.value_changed.connect(self.temperature_changed)
        self.temperature.editing_finished.connect(self.rested)

    def show_levels(self, actions: Sequence[str], other: str, temperatures: Temperature) -> None:
        """What becomes of each level, the finest first, and the temperature, or one a level, of those that are drawn."""
        if len(actions) != len(self.levels):
            self._make(len(actions))
        temperature, differing = split(temperatures)
        self.temperature.set_label(tr("Temperature, at most") if differing else tr("Temperature of what is drawn"))
        for control, number, action, own in zip(
            self.levels, self.numbers, actions, differing or (None,) * len(actions), strict=True
        ):
            control.set_current(action)
            number.setText("" if own is None or action != "draw" else f"{own:.2f}")
        self.other.set_current(other)
        self.other_row.setVisible("other" in actions)
        for button in self.presets.values():
            button.setVisible(len(actions) > 1)
        if temperature != self.temperature.value():
            self.temperature.set_value(temperature)

    def _make(self, count: int) -> None:
        while self.rows.count():
            item = self.rows.takeAt(0)
            row = item.widget() if item is not None else None
            if row is not None:
                row.setParent(None)
                row.deleteLater()
        names = {0: tr("Coarse"), count - 1: tr("Fine"), **({1: tr("Middle")} if count == 3 else {})}
        made, numbers = [], []
        for place in range(count):
            level = count - 1 - place
            name = names.get(place, tr("Level {number}", number=place + 1)) if count > 1 else tr("All of z")
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(Label(name))
            row.addStretch(1)
            number = Label("", "muted")
            number.setToolTip(tr("The temperature that this level is drawn at"))
            row.addWidget(number)
            numbers.append(number)
            control = Segmented(
                [("keep", tr("Keep"), tr("The picture's own z")), ("draw", tr("Draw"), tr("Drawn from the prior")),
                 ("other", tr("Other"), tr("The z of the other picture's level"))],
                name=tr("What becomes of {level}", level=name), compact=True)  # fmt: skip
            control.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            control.chosen.connect(lambda action, level=level: self.action_chosen.emit(level, action))
            row.addWidget(control, 0, Qt.AlignmentFlag.AlignRight)
            self.rows.addWidget(line)
            made.append(control)
        self.levels, self.numbers = made[::-1], numbers[::-1]
