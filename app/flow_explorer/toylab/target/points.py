"""Points of a table as a target: which two columns, a first look at them, and what was done to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.toylab.target.sheet import TargetSheet, framed
from flow_explorer.toylab.target.words import dots, note_of
from flow_explorer.toylab.target_worker import Worker
from flow_explorer.widgets import Choice, Heading, Label
from flow_explorer.widgets.plot import Cloud, Plot
from flowcore.plane.targets import targets as toy_targets

__all__ = ["SUFFIXES", "PointsSheet"]

SUFFIXES = (".csv", ".npy", ".tsv", ".txt")
_PREVIEW = 2000
_COLUMN_WIDTH = 232


class PointsSheet(TargetSheet):
    """Opened by a file that was read; "Use" gives the two columns as a target."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(tr("Points of a table"), parent, 780, 560)
        self.path, self.seed = "", 0
        self.worker: Worker = Worker(self)
        self._target: dict | None = None
        self.about = Label("", "muted", wrap=True)
        self.column_x = Choice(name=tr("Horizontal column"), tooltip=tr("The column that goes to the right."))
        self.column_y = Choice(name=tr("Vertical column"), tooltip=tr("The column that goes up."))
        self.first = self.column_x
        self.note = Label("", "muted", wrap=True)
        self.plot = Plot(tr("Preview of the points"))
        self.cloud = Cloud("a", 2.6, 0.7)
        self.plot.box.addItem(self.cloud)
        column = QWidget()
        column.setFixedWidth(_COLUMN_WIDTH)
        side = QVBoxLayout(column)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(8)
        side.addWidget(self.about)
        for title, choice in ((tr("Horizontal"), self.column_x), (tr("Vertical"), self.column_y)):
            side.addSpacing(4)
            side.addWidget(Heading(title))
            side.addWidget(choice)
        side.addSpacing(8)
        side.addWidget(self.note)
        side.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(framed(self.plot), 1)
        row.addWidget(column)
        self.body.addLayout(row, 1)
        self.column_x.chosen.connect(self._again)
        self.column_y.chosen.connect(self._again)

    def begin(self, path: str, columns: toy_targets.Columns, seed: int) -> None:
        """Open with a table's columns, the first two chosen."""
        self.path, self.seed = path, seed
        self.about.setText(tr("{name}, {rows} rows", name=Path(path).name, rows=f"{columns.rows:,}"))
        options = [(str(index), name) for index, name in enumerate(columns.names)]
        for index, choice in enumerate((self.column_x, self.column_y)):
            choice.clear()
            choice.set_options(options)
            choice.setCurrentIndex(min(index, len(options) - 1))
        self.say("")
        self.open_sheet()
        self._again()

    def close_sheet(self) -> None:
        self.worker.abandon()
        super().close_sheet()

    def target(self) -> dict | None:
        return self._target

    def _again(self, *_unused: object) -> None:
        """Other columns: read them."""
        path, x, y, seed = self.path, self.column_x.currentIndex(), self.column_y.currentIndex(), self.seed
        self._target = None
        self.allow(tr("The table is being read."))
        self.note.setText(tr("Reading…"))
        self.worker.read(path, lambda: toy_targets.from_points(path, x, y, seed), self._show)

    def _show(self, target: dict | None, sentence: str) -> None:
        self._target = target
        self.allow("" if target is not None else sentence)
        self.say(sentence)
        self.note.setText(note_of(target))
        points = np.empty((0, 2)) if target is None else dots(target, "two-moons", _PREVIEW)
        if len(points):
            self.plot.set_reach(max(3.0, min(8.0, 1.05 * float(np.quantile(np.abs(points), 0.995)))))
        self.cloud.set_points(points)
        if self.isVisible() and sentence:
            self.column_x.setFocus(Qt.FocusReason.OtherFocusReason)
