"""The Compare view's widgets: two models side by side, each with its checkpoints, and what they make of the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.compare.sides import Row, size_differs
from flow_explorer.explorer.facets.compare.state import CompareState
from flow_explorer.explorer.model import Model
from flow_explorer.explorer.model_menu import ModelMenu
from flow_explorer.explorer.samples.samples_grid import MARGIN, SamplesGrid
from flow_explorer.i18n import tr
from flow_explorer.settings import Settings
from flow_explorer.widgets import Button, EmptyState, Heading, Label, PictureLabel, Spinner, ValueSlider
from flow_explorer.widgets.form import Form, row, words
from flow_explorer.widgets.plain import plain
from flow_explorer.widgets.slider import Track
from flowcore.fields import settings as settings_of

__all__ = ["SIDES", "CompareView", "Head"]

SIDES = {"left": "Left", "right": "Right"}
GAP = 24
BETWEEN = 12
CAPTION = 24
TABLE = 440
"""What the figures' names and three columns need."""
LEAST = 190
"""A column is at least so wide, so that a model's name can be read."""
OUTLINE = 2
TICK_ROOM = 4
"""Ticks nearer to each other than this are not drawn."""


class SideMenu(ModelMenu):
    """The model of one side; `chosen("")` is the open one."""

    def __init__(self, settings: Settings, own: bool, parent: QWidget | None = None) -> None:
        super().__init__(settings, parent)
        self._own = own
        self.this: Model | None = None
        """The open model, whose picture size another must have."""
        self.path = ""

    def refusal(self, model: Model) -> str:
        return "" if self.this is None else size_differs(model, self.this)

    def fill(self) -> None:
        self._current = self.path
        super().fill()
        menu = self.menu()
        if self._own and menu.actions() and self.this is not None:
            action = QAction(tr("This model: {title}", title=self.this.title).replace("&", "&&"), menu)
            action.triggered.connect(lambda: self.chosen.emit(""))
            action.setCheckable(True)
            action.setChecked(not self.path)
            menu.insertAction(menu.actions()[0], action)
            menu.insertSeparator(menu.actions()[1])


class _Ticks(Track):
    """A slider over a run's checkpoints, with a notch at each."""

    def paintEvent(self, event: QPaintEvent) -> None:
        count = self.maximum() + 1
        if count > 1 and self.width() / count >= TICK_ROOM:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("faint"))
            for place in range(count):
                x, top = self.position_x(place / (count - 1)), self.height() / 2 + 5
                painter.drawRoundedRect(QRectF(x - 1, top, 2, 4), 1, 1)
            painter.end()
        super().paintEvent(event)


class Head(QWidget):
    """What stands above one side: which model it is and, of a training run, at which checkpoint."""

    moved = Signal(int)
    rested = Signal()

    def __init__(self, which: str, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.menu = SideMenu(settings, own=which == "left")
        side = tr(SIDES[which]).lower()
        self.menu.setToolTip(tr("Choose the model on the {side}", side=side))
        self.name = Label(tr("Checkpoint"))
        self.step = Label("", "muted")
        self.track = _Ticks()
        self.track.setAccessibleName(tr("Checkpoint on the {side}", side=side))
        self.run = QWidget()
        column = QVBoxLayout(self.run)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row(self.name, self.step))
        column.addWidget(self.track)
        self.run.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.menu)
        layout.addWidget(self.run)
        layout.addStretch(1)
        self.track.moved.connect(self.moved)
        self.track.rested.connect(self.rested)

    def show_model(self, model: Model | None, this: Model, path: str) -> None:
        """Show which model it is; `path` is what the state names."""
        self.menu.this, self.menu.path = this, path
        if model is None:
            self.menu.set_texts(Path(path).name if path else tr("Choose a model…"))
        else:
            self.menu.set_texts(model.title, model.summary if path else tr("this model"))

    def show_run(self, checkpoints: Sequence[tuple[int, Path]], place: int, unread: Sequence[str]) -> None:
        """Show a run's checkpoints and the chosen one; without any nothing is seen."""
        self.run.setVisible(bool(checkpoints))
        if not checkpoints:
            return
        steps, path = checkpoints[max(place, 0)]
        named = {"best": tr("best, step {step}", step=f"{steps:,}"), "last": tr("last, step {step}", step=f"{steps:,}")}
        text = named.get(path.stem, tr("step {step}", step=f"{steps:,}"))
        self.step.setText(text)
        self.track.setRange(0, len(checkpoints) - 1)
        self.track.setEnabled(len(checkpoints) > 1)
        self.track.setPageStep(max(1, len(checkpoints) // 10))
        if not self.track.isSliderDown():
            self.track.setValue(max(place, 0))
        self.track.setAccessibleDescription(text)
        tip = tr("{count} checkpoints; “flow-explorer train --keep-every N” keeps one every N steps.", count=len(checkpoints))
        self.run.setToolTip(plain("\n".join([tip, *(tr("Left out: {why}", why=why) for why in unread)])))


class Table(QWidget):
    """Rows of figures of both sides, and what lies between them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(16)
        self.grid.setVerticalSpacing(3)
        self.grid.setColumnStretch(0, 1)
        for column in (1, 2, 3):
            self.grid.setColumnMinimumWidth(column, 76)
        self.cells: list[list[Label]] = []
        self.rows: list[Row] = []
        self._add()
        for label, text in zip(self.cells[0], ("", tr("Left"), tr("Right"), tr("Right − left")), strict=True):
            label.setText(text)
            label.set_tone("muted")

    def _add(self) -> None:
        made = [Label() for _ in range(4)]
        for column, label in enumerate(made):
            right = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
            label.setAlignment(right | Qt.AlignmentFlag.AlignVCenter)
            self.grid.addWidget(label, len(self.cells), column)
        self.cells.append(made)

    def show_rows(self, rows: Sequence[Row], stale: Sequence[bool]) -> None:
        """Show figures; a side's that are `stale` are of what was there before."""
        self.rows = list(rows)
        while len(self.cells) <= len(rows):
            self._add()
        for number, labels in enumerate(self.cells[1:]):
            there = number < len(rows)
            shown = rows[number] if there else Row("")
            for label, text in zip(labels, (shown.name, shown.left, shown.right, shown.apart), strict=True):
                label.setText(text)
                label.setToolTip(plain(shown.tip))
                label.setVisible(there)
            old = (not shown.left, stale[0], stale[1], any(stale))
            for label, muted in zip(labels, old, strict=True):
                label.set_tone("muted" if muted else "")
        self.setAccessibleName(tr("Figures of both models"))
        self.setAccessibleDescription("; ".join(f"{each.name}: {each.left}, {each.right} {each.apart}".strip() for each in rows))


class CompareView(QWidget):
    """Lays the parts out; every act leaves as a signal."""

    model_chosen = Signal(str, str)
    """(side, bundled name, file or run folder; "" for the open model)"""
    checkpoint_moved = Signal(str, int)
    drawn_changed = Signal(int)
    rested = Signal()
    again_wanted = Signal()

    def __init__(self, settings: Settings, grids: dict[str, SamplesGrid], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = Form(CompareState(), ("look",))
        self.look = self.form.controls["look"]
        self.setting = settings_of(CompareState)["drawn"]
        self.grids = grids
        self.heads = {side: Head(side, settings) for side in SIDES}
        self.pictures = {"left": PictureLabel(tr("What the left model makes of it")),
                         "right": PictureLabel(tr("What the right model makes of it")),
                         "third": PictureLabel(tr("Difference"))}  # fmt: skip
        self.captions = {side: Label("", "muted", wrap=True) for side in self.pictures}
        for label in self.captions.values():
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.problems = {side: Label("", "warning", wrap=True) for side in SIDES}
        for label in self.problems.values():
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.third = Heading(tr("Difference"))
        self.table = Table()
        self.controls = QWidget()
        self.drawn: ValueSlider | None = None
        self.again = Button(tr("Draw again"), tooltip=tr("Draw the finest levels once more: the next seed"))
        self.drawn_at = Label("", "muted")
        self.column = QVBoxLayout(self.controls)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(12)
        self.column.addLayout(row(self.again, self.drawn_at, spacing=12, stretch=1))
        self.column.addStretch(1)
        self.note = Label("", "muted", wrap=True)
        self.spinner = Spinner(14)
        self.empty = EmptyState("", icon="explorer")
        self.levels = 1
        self._look, self._filled = "picture", False
        parts = (self.look, self.spinner, *self.heads.values(), *self.pictures.values(), *grids.values(), *self.captions.values(),
                 *self.problems.values(), self.third, self.table, self.controls, self.note, self.empty)  # fmt: skip
        for part in parts:
            part.setParent(self)
        self.spinner.hide()
        order = (self.look, *(part for head in self.heads.values() for part in (head.menu, head.track)), *grids.values())
        for before, after in zip(order, order[1:], strict=False):
            QWidget.setTabOrder(before, after)
        for side, head in self.heads.items():
            head.menu.chosen.connect(lambda name, side=side: self.model_chosen.emit(side, name))
            head.moved.connect(lambda place, side=side: self.checkpoint_moved.emit(side, place))
            head.rested.connect(self.rested)
        self.again.clicked.connect(self.again_wanted)
        for one, other in ((grids["left"], grids["right"]), (grids["right"], grids["left"])):
            one.hover_changed.connect(other.show_hovered)

    # What is shown

    def show_look(self, look: str, filled: bool) -> None:
        """Which of the three is looked at; where it is not `filled`, the empty state stands in its place."""
        self.look.set_current(look)
        self._look, self._filled = look, filled
        pages = look == "page"
        for part in (*self.pictures.values(), *self.captions.values(), self.third):
            part.setVisible(filled and not pages)
        for part in (self.third, self.pictures["third"], self.captions["third"]):
            part.setVisible(filled and look == "z")
        for grid in self.grids.values():
            grid.setVisible(filled and pages)
        self.table.setVisible(filled and not pages)
        self.controls.setVisible(filled and look == "picture" and self.levels > 1)
        self.note.setVisible(filled and pages)
        self.empty.setVisible(not filled)
        for side, label in self.problems.items():
            wrong = filled and bool(label.text())
            label.setVisible(wrong)
            for part in (self.pictures[side], self.captions[side], self.grids[side]):
                part.setVisible(part.isVisibleTo(self) and not wrong)
        self._arrange()

    def show_levels(self, levels: int, drawn: int) -> None:
        """How many levels there are, all but the coarsest of which can be drawn anew, and how many are. Without a choice none is
        offered."""
        self.levels, most = levels, levels - 1
        if self.drawn is not None and (most < 2 or self.drawn.maximum != most):
            self.drawn.setParent(None)
            self.drawn.deleteLater()
            self.drawn = None
        if most >= 2 and self.drawn is None:
            setting = self.setting
            self.drawn = ValueSlider(tr(setting.title), 1, most, min(CompareState().drawn, most), step=1, decimals=0,
                                     tooltip=words(setting.help))  # fmt: skip
            self.drawn.value_changed.connect(lambda value: self.drawn_changed.emit(int(value)))
            self.drawn.editing_finished.connect(self.rested)
            self.column.insertWidget(0, self.drawn)
        if self.drawn is not None and self.drawn.value() != min(drawn, most):
            self.drawn.set_value(min(drawn, most))

    def show_difference(self, picture: np.ndarray | None, caption: str) -> None:
        """How far the two pictures are apart, beside them."""
        self.pictures["third"].set_array(picture)
        self.captions["third"].setText(caption)

    def show_side(self, side: str, picture: np.ndarray | None, stale: bool, caption: str, problem: str) -> None:
        self.pictures[side].set_array(picture)
        self.pictures[side].set_stale(stale)
        self.captions[side].setText(caption)
        self.problems[side].setText(problem)

    def show_page(self, count: int, selected: int, note: str) -> None:
        for grid in self.grids.values():
            grid.show_page(count, selected)
            grid.refresh(0, count)
        self.note.setText(note)

    def set_smooth(self, smooth: bool) -> None:
        for picture in self.pictures.values():
            picture.set_smooth(smooth)
        for grid in self.grids.values():
            grid.smooth = smooth
            grid.update()

    # Where it stands

    def sizeHint(self) -> QSize:
        return QSize(900, 620)

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _foot(self) -> int:
        """The height of what stands below the pictures."""
        if self._look == "page":
            return self._caption()
        return self._caption() + BETWEEN + self.table.sizeHint().height()

    def _caption(self) -> int:
        """The height of the words under a picture: of the difference they may take two lines."""
        return 2 * CAPTION - 4 if self._look == "z" else CAPTION

    def _arrange(self) -> None:
        """Squares as large as both the width and the height allow, two of them or three, and the figures below."""
        width, height = self.width(), self.height()
        look = self.look.sizeHint()
        self.look.setGeometry(0, 0, look.width(), look.height())
        self.spinner.move(look.width() + BETWEEN, (look.height() - self.spinner.height()) // 2)
        columns = 3 if self._look == "z" and self._filled else 2
        top = look.height() + BETWEEN
        head = max(part.sizeHint().height() for part in self.heads.values())
        body = top + head + BETWEEN
        side = max(120, min((width - (columns - 1) * GAP) // columns, height - body - self._foot()))
        step = max(side, min(LEAST, (width - (columns - 1) * GAP) // columns)) + GAP
        for number, which in enumerate(("left", "right", "third")):
            x = number * step
            if which == "third":
                self.third.setGeometry(x, body - BETWEEN - 26, side, 20)
            else:
                self.heads[which].setGeometry(x, top, step - GAP, head)
                self.problems[which].setGeometry(x, body, side, side)
                # The grid's own margin holds the selection's outline, which must not be cut off at the view's edge either.
                square = side - OUTLINE + 2 * MARGIN
                self.grids[which].setGeometry(x - MARGIN + OUTLINE, body - MARGIN, square, square)
            self.pictures[which].setGeometry(x, body, side, side)
            self.captions[which].setGeometry(x, body + side + 4, step - GAP, self._caption())
        below, rows = body + side + self._caption() + BETWEEN, self.table.sizeHint().height()
        beside = max(TABLE + GAP, step)
        self.table.setGeometry(0, below, min(TABLE, width), rows)
        self.controls.setGeometry(beside, below, min(width - beside, 340), rows)
        self.note.setGeometry(0, body + side + 4, width, CAPTION)
        self.empty.setGeometry(0, body, width, max(height - body, 120))
