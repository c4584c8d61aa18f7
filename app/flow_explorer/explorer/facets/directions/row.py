"""One direction in the list: its slider, what it is known to do, and, unfolded, where it acts and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from flow_explorer.explorer.facets.directions.link import DirectionItem
from flow_explorer.explorer.facets.directions.state import AMOUNT_MAX, NAME_MAX
from flow_explorer.explorer.facets.directions.words import level_names, made_words, quality_tip, quality_words
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, IconButton, Label, ValueSlider
from flow_explorer.widgets.choice import _Segment
from flow_explorer.widgets.plain import plain, unmarked

__all__ = ["DirectionRow"]


class DirectionRow(QWidget):
    """Shows a `DirectionItem`; every act leaves as a signal."""

    amount_changed = Signal(float)
    rested = Signal()
    levels_changed = Signal(object)
    """The levels that it is limited to, ascending; None for all of its own."""
    without_changed = Signal(object)
    """Keys of the directions that it is to leave alone."""
    renamed = Signal(str)
    save_wanted = Signal()
    delete_wanted = Signal()
    touched = Signal()
    """Its details were unfolded: it is the one in hand."""

    def __init__(self, row: DirectionItem, level_count: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = row.held.key
        self._level_count = level_count
        self._levels: list[_Segment] = []
        self._own_levels: tuple[int, ...] = ()
        self._without: tuple[str, ...] = ()
        self._shown: tuple | None = None
        title = row.held.title
        self.slider = ValueSlider(title, -AMOUNT_MAX, AMOUNT_MAX, 0.0, step=0.1, decimals=1, unit="σ", tone="z",
                                  tooltip=tr("How far the picture is moved along it, in standard deviations of the pictures "
                                             "that it was measured on.\nz + a σ v"))
        self.slider.track.origin = 0.5
        self.slider.value_changed.connect(self.amount_changed)
        self.slider.editing_finished.connect(self.rested)
        self.quality = Label("", "small", wrap=True)
        self.more = IconButton("chevron-right", tr("More about {name}", name=title), size=20, icon_size=14,
                               tooltip=tr("Where it acts, what it leaves alone, and how it was made"))  # fmt: skip
        self.more.muted = True
        self.more.clicked.connect(self._fold)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.quality, 1)
        line.addWidget(self.more)
        self.details = QWidget()
        self._make_details(row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.slider)
        layout.addLayout(line)
        layout.addWidget(self.details)
        self.details.hide()

    def _make_details(self, row: DirectionItem) -> None:
        body = QVBoxLayout(self.details)
        body.setContentsMargins(0, 4, 0, 4)
        body.setSpacing(8)
        self.made = Label("", "small", wrap=True)
        body.addWidget(self.made)
        levels = QHBoxLayout()
        levels.setSpacing(4)
        levels.addWidget(Label(tr("Acts on")), 1)
        names = level_names(self._level_count)
        for number in reversed(range(self._level_count)):
            chip = _Segment(names[number], tr("Let it act on this level of z, or leave the level as it is.\n"
                                              "Only this level's part of v is added"), True)  # fmt: skip
            chip.setAccessibleName(tr("Acts on level {name}", name=names[number]))
            chip.clicked.connect(self._level_clicked)
            self._levels.append(chip)
            levels.addWidget(chip)
        self._levels.reverse()
        self.level_row = QWidget()
        self.level_row.setLayout(levels)
        levels.setContentsMargins(0, 0, 0, 0)
        body.addWidget(self.level_row)
        self.without = Button("", tooltip=tr("Take out of it what it shares with others: those then stay where they are.\n"
                                             "v minus its projections on them (Gram and Schmidt)"))  # fmt: skip
        self.menu = QMenu(self.without)
        self.without.setMenu(self.menu)
        keep = QHBoxLayout()
        keep.setSpacing(4)
        keep.addWidget(Label(tr("Leaves alone")), 1)
        keep.addWidget(self.without)
        body.addLayout(keep)
        self.name = QLineEdit()
        self.name.setMaxLength(NAME_MAX)
        self.name.setAccessibleName(tr("Name of the direction"))
        self.name.setToolTip(tr("What this direction is called"))
        self.name.editingFinished.connect(self._named)
        self.name.setVisible(row.held.own)
        body.addWidget(self.name)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        self.save = Button(tr("Save…"), tooltip=tr("Save this direction as a file that others can open"))
        self.delete = Button(tr("Delete"), "danger", tooltip=tr("Take it off the list; a file of it stays (undo brings it back)"))
        self.save.clicked.connect(self.save_wanted)
        self.delete.clicked.connect(self.delete_wanted)
        self.delete.setVisible(row.held.own)
        acts.addWidget(self.save)
        acts.addWidget(self.delete)
        acts.addStretch(1)
        body.addLayout(acts)

    def show_row(self, row: DirectionItem, others: Sequence[tuple[str, str]], in_hand: bool) -> None:
        """Show the direction as it is now; `others` are (key, title) of those that it can leave alone."""
        if row.held.amount != self.slider.value():
            self.slider.set_value(row.held.amount)
        shown = (replace(row, held=replace(row.held, amount=0.0)), tuple(others), in_hand)
        if shown == self._shown:
            return
        self._shown = shown
        held, facts = row.held, row.held.facts()
        self.slider.label.setText(self.slider.label.fontMetrics().elidedText(held.title, Qt.TextElideMode.ElideRight, 180))
        self.slider.track.setAccessibleName(held.title)
        self.slider.label.setStyleSheet("font-weight: 600;" if in_hand else "")
        usable = not row.problem
        for part in (self.slider, self.level_row, self.without):
            part.setEnabled(usable)
        self.quality.setText(row.problem or quality_words(facts))
        self.quality.set_tone("warning" if row.problem else "small")
        self.quality.setToolTip(plain(row.problem or quality_tip(facts)))
        self.made.setText(made_words(facts))
        self._own_levels = tuple(facts["levels"])
        acts_on = self._own_levels if held.levels is None else held.levels
        for number, chip in enumerate(self._levels):
            chip.setChecked(number in acts_on)
            chip.setEnabled(usable and number in self._own_levels)
        self._without = held.without
        known = dict(others)
        names = [known[key] for key in held.without if key in known]
        several = tr("{count} directions", count=len(names)) if names else tr("None")
        self.without.setText(unmarked(names[0]) if len(names) == 1 else several)
        self.without.setAccessibleName(tr("Leaves alone: {names}", names=", ".join(names) or tr("none")))
        self.menu.clear()
        for key, title in others:
            action = self.menu.addAction(unmarked(title))
            action.setCheckable(True)
            action.setChecked(key in held.without)
            action.triggered.connect(lambda _on, key=key: self._toggle_other(key))
        self.without.setEnabled(usable and bool(others))
        if not self.name.hasFocus():
            self.name.setText(held.title)

    def unfold(self, unfolded: bool) -> None:
        """Show or hide the details."""
        self.details.setVisible(unfolded)
        self.more.set_icon("chevron-down" if unfolded else "chevron-right")

    def _fold(self) -> None:
        self.unfold(self.details.isHidden())
        if not self.details.isHidden():
            self.touched.emit()

    def _level_clicked(self) -> None:
        chosen = tuple(number for number, chip in enumerate(self._levels) if chip.isChecked())
        self.levels_changed.emit(None if chosen == self._own_levels else chosen)

    def _toggle_other(self, key: str) -> None:
        kept = tuple(other for other in self._without if other != key)
        self.without_changed.emit(kept if key in self._without else (*self._without, key))

    def _named(self) -> None:
        text = self.name.text().strip()
        if text:
            self.renamed.emit(text)

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.name.hasFocus():
            self._named()
        else:
            super().keyPressEvent(event)
