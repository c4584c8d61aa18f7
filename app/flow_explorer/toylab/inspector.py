"""The toy lab's column on the right: density, flow, its size, how it trains, and the buttons that make it."""

from __future__ import annotations

from PySide6.QtCore import Signal

from flow_explorer.i18n import tr
from flow_explorer.toylab.layers.list import LayerList
from flow_explorer.toylab.pace_buttons import PaceButtons
from flow_explorer.toylab.race.panel import RacePanel
from flow_explorer.toylab.state import RESTARTING, ToyState
from flow_explorer.toylab.target.density_picker import DensityPicker
from flow_explorer.toylab.target.shape import TargetShape
from flow_explorer.widgets import Button, Heading, IconButton, Inspector
from flow_explorer.widgets.form import Form, row

__all__ = ["ToyInspector"]

_OWN_PLACE = ("flow", "depth", "seed", "speed")
"""What stands elsewhere than in its group's order."""


class ToyInspector(Inspector):
    """Tells what the person does, by signals; shows a state, without telling. A setting of the flow has a control here because
    it is declared in ``flowcore.plane.config``: under "Flow" where it makes another run, else under "Training"."""

    setting_changed = Signal(str, object, bool)
    """(name, value, whether it is one of many steps of a drag)"""
    rested = Signal()
    play_pressed = Signal()
    step_pressed = Signal()
    reset_pressed = Signal()
    layers_edited = Signal(object, str)
    """(a tuple of layers, or None for the flow's own; what the act is called)"""

    def __init__(self) -> None:
        super().__init__()
        self.play = Button(tr("Play"), "primary", "play", tr("Train on, and watch.") + "\n" + tr("Space"))
        self.step = Button(tr("Step"), "plain", "", tr("One step of training.") + "\n" + tr("Right arrow"))
        self.reset = Button(tr("Reset"), "plain", "", tr("Begin the training anew; undo brings this one back."))
        self.form = Form(ToyState(), parent=self)
        self.density, self.shape, self.layers = DensityPicker(), TargetShape(), LayerList()
        self.dice = IconButton("dice", tr("Another seed"))
        self.pace, self.race = PaceButtons(), RacePanel()

        places = self.form.places
        others = [name for name in places if name not in _OWN_PLACE]
        self.add(row(self.play, self.step, self.reset))
        self.add(places["speed"])
        self.add(self.pace)
        self.add(Heading(tr("Density")), 6)
        self.add(self.density)
        self.add(self.shape)
        self.add(Heading(tr("Flow")), 6)
        for part in (places["flow"], places["depth"], self.layers, *(places[name] for name in others if name in RESTARTING)):
            self.add(part)
        self.add(self.race)
        self.add(Heading(tr("Training")), 6)
        for name in others:
            if name not in RESTARTING:
                self.add(places[name])
        self.add(row(places["seed"], self.dice, spacing=4))

        self.play.clicked.connect(self.play_pressed)
        self.step.clicked.connect(self.step_pressed)
        self.reset.clicked.connect(self.reset_pressed)
        self.form.changed.connect(self.setting_changed)
        self.form.rested.connect(self.rested)
        self.layers.edited.connect(self.layers_edited)
        self.dice.clicked.connect(lambda: self.setting_changed.emit("seed", self.form.controls["seed"].value() + 1, False))

    def show_state(self, state: ToyState, playing: bool) -> None:
        """Show the settings."""
        self.race.show_state(state)
        self.pace.show_state(state)
        self.density.set_current(state.density, state.target)
        self.shape.show_target(state.density, state.target)
        self.form.show(state)
        self.layers.show_state(state)
        self.play.setText(tr("Pause") if playing else tr("Play"))
        self.play.set_icon("pause" if playing else "play")
        self.play.setAccessibleName(self.play.text())
