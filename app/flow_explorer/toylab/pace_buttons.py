"""Two ways on from a single training at its own pace: against others, or straight to its end."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.toylab.fast_forward import rule_in_words
from flow_explorer.toylab.state import ToyState
from flow_explorer.widgets import Button

__all__ = ["PaceButtons"]


class PaceButtons(QWidget):
    """Race, and fast-forward."""

    race_pressed = Signal()
    forward_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.race = Button(
            tr("Race"), "plain", "",
            tr("Let up to four flows learn the same points side by side, each with the same training time.")
            + "\n" + tr("Shift+R"),
        )
        words = tr("Train without frames, as fast as it goes.") + "\n" + rule_in_words()
        self.forward = Button(tr("Fast-forward"), "plain", "", words)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.race, 1)
        layout.addWidget(self.forward, 1)
        self.race.clicked.connect(self.race_pressed)
        self.forward.clicked.connect(self.forward_pressed)

    def show_state(self, state: ToyState) -> None:
        """There is nothing to begin twice."""
        racing = bool(state.rivals)
        self.race.setText(tr("Leave the race") if racing else tr("Race"))
        self.race.setAccessibleName(self.race.text())
        self.forward.setVisible(not racing)
