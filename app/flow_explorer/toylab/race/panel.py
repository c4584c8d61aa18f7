"""The inspector's part for a race: who races, and one more."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.toylab.race.entries import MAX_RIVALS, RaceEntry
from flow_explorer.toylab.race.marks import Swatch
from flow_explorer.toylab.state import FLOWS, ToyState
from flow_explorer.widgets import Button, Choice, Fold, Heading, IconButton
from flow_explorer.widgets.form import Form
from flowcore.fields import settings

__all__ = ["RacePanel"]


class _Row(QWidget):
    """One rival: its kind, its size folded away, and a button that takes it out."""

    changed = Signal(object, bool)
    """(`RaceEntry`, whether it is one of many steps of a drag)"""
    rested = Signal()
    removed = Signal()

    def __init__(self, number: int, rival: RaceEntry) -> None:
        super().__init__()
        self._rival = rival
        name = tr("Flow {n} of the race", n=number + 1)
        self.flow = Choice(list(FLOWS.items()), name, tr("Which flow races."))
        self.remove = IconButton("close", tr("Take this flow out of the race"), 28, 16)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(Swatch(number))
        top.addWidget(self.flow, 1)
        top.addWidget(self.remove)
        self.more = Fold(tr("Size and learning rate"))
        self.form = Form(rival, [key for key in settings(rival) if key != "flow"], self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.more)
        for place in self.form.places.values():
            self.more.add(place)
        self.form.changed.connect(lambda key, value, drag: self.changed.emit(replace(self._rival, **{key: value}), drag))
        self.form.rested.connect(self.rested)
        self.flow.chosen.connect(lambda key: self.changed.emit(replace(self._rival, flow=key), False))
        self.remove.clicked.connect(self.removed)
        self.show_rival(rival)

    def show_rival(self, rival: RaceEntry) -> None:
        """Show its settings without telling."""
        self._rival = rival
        self.flow.set_current(rival.flow)
        self.form.show(rival)


class RacePanel(QWidget):
    """Shown while there is a race."""

    added = Signal()
    removed = Signal(int)
    rival_changed = Signal(int, object, bool)
    rested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[_Row] = []
        self.add_flow = Button(
            tr("Add a flow"), "plain", "plus",
            tr("One more flow on the same points; everybody starts anew.") + "\n" + tr("Up to {n} flows", n=MAX_RIVALS + 1),
        )
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(Heading(tr("Races against")))
        layout.addLayout(self._list)
        layout.addWidget(self.add_flow)
        self.add_flow.clicked.connect(self.added)
        self.hide()

    def show_state(self, state: ToyState) -> None:
        """Show who races."""
        self.setVisible(bool(state.rivals))
        while len(self.rows) > len(state.rivals):
            row = self.rows.pop()
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        for index, rival in enumerate(state.rivals):
            if index < len(self.rows):
                self.rows[index].show_rival(rival)
                continue
            row = _Row(index + 1, rival)
            row.changed.connect(lambda rival, drag, index=index: self.rival_changed.emit(index, rival, drag))
            row.removed.connect(lambda index=index: self.removed.emit(index))
            row.rested.connect(self.rested)
            self.rows.append(row)
            self._list.addWidget(row)
        self.add_flow.setEnabled(len(state.rivals) < MAX_RIVALS)
