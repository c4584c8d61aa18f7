"""The toy lab's column on the right: density, flow, its size, how it trains, and the buttons that make it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from flow_explorer.i18n import tr
from flow_explorer.toylab.layers.list import LayerList
from flow_explorer.toylab.pace_buttons import PaceButtons
from flow_explorer.toylab.prior_choice import PriorChoice
from flow_explorer.toylab.race.panel import RacePanel
from flow_explorer.toylab.state import BATCHES, DEPTHS, FLOWS, RATES, WIDTHS, ToyState
from flow_explorer.toylab.target.density_picker import DensityPicker
from flow_explorer.toylab.target.shape import TargetShape
from flow_explorer.widgets import (
    Button,
    Heading,
    IconButton,
    Inspector,
    Label,
    NumberField,
    Segmented,
    ValueSlider,
)

__all__ = ["ToyInspector"]

_WHOLE = ("depth", "width", "batch")


class ToyInspector(Inspector):
    """Tells what the person does, by signals; shows a state, without telling."""

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
        default = ToyState()
        self.play = Button(tr("Play"), "primary", "play", tr("Train on, and watch.") + "\n" + tr("Space"))
        self.step = Button(tr("Step"), "plain", "", tr("One step of training.") + "\n" + tr("Right arrow"))
        self.reset = Button(tr("Reset"), "plain", "", tr("Begin the training anew; undo brings this one back."))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.play, 1)
        buttons.addWidget(self.step)
        buttons.addWidget(self.reset)
        self.speed = Segmented(
            [
                ("stages", tr("Stages"), tr("Slow motion: each step in its four stages, with captions")),
                ("slow", tr("Slow"), tr("8 steps a second")),
                ("medium", tr("Medium"), tr("60 steps a second")),
                ("full", tr("Full"), tr("As fast as this computer trains")),
            ],
            tr("Speed"),
        )
        self.density = DensityPicker()
        self.shape = TargetShape()
        self.flow = Segmented(
            [
                ("nice", FLOWS["nice"], tr("Additive couplings: they only shift.") + "\nz = x + m(x)"),
                ("realnvp", FLOWS["realnvp"], tr("Affine couplings: they shift and scale.") + "\nz = x · exp(s) + t"),
                ("glow", FLOWS["glow"], tr("Actnorm, a learned mixing of the axes, and affine couplings.") + "\nz = W x"),
                (
                    "spline", FLOWS["spline"],
                    tr("Spline couplings: they bend an axis along a smooth, rising curve.")
                    + "\nz = α(ξ) / β(ξ), ξ = (x − xₖ) / wₖ",
                ),
                (
                    "continuous", FLOWS["continuous"],
                    tr("One smooth motion in place of layers: points drift along a learned field, trained by flow matching.")
                    + "\ndx/dt = v(x, t), log p(x) = log π(z) − ∫ div v dt",
                ),
            ],
            tr("Flow"),
            columns=2,
        )
        self.sliders = {
            "depth": ValueSlider(
                tr("Layers"), *DEPTHS, default.depth, 1, 0,
                tooltip=tr("How many couplings follow each other, or in how many stretches of time a continuous flow is shown."),
            ),
            "width": ValueSlider(
                tr("Width"), default=default.width, decimals=0, values=WIDTHS,
                tooltip=tr("Units in each of a coupling's two hidden layers."),
            ),
            "learning_rate": ValueSlider(
                tr("Learning rate"), *RATES, default.learning_rate, decimals=5, logarithmic=True,
                tooltip=tr("How far each step goes; it changes at once, without a new start."),
            ),
            "batch": ValueSlider(
                tr("Batch"), default=default.batch, decimals=0, values=BATCHES, unit=tr("points"),
                tooltip=tr("Fresh points a step; it changes at once, without a new start."),
            ),
        }  # fmt: skip
        self.layers, self.prior = LayerList(), PriorChoice()
        self.seed = NumberField(tr("Seed"), 0, 2**31 - 1, default.seed, tooltip=tr("Decides the first weights and the points."))
        self.dice = IconButton("dice", tr("Another seed"))
        seed = QHBoxLayout()
        seed.setSpacing(4)
        seed.addWidget(Label(tr("Seed")), 1)
        seed.addWidget(self.seed)
        seed.addWidget(self.dice)

        self.pace = PaceButtons()
        self.race = RacePanel()

        self.add(buttons)
        self.add(self.speed)
        self.add(self.pace)
        self.add(Heading(tr("Density")), 6)
        self.add(self.density)
        self.add(self.shape)
        self.add(Heading(tr("Flow")), 6)
        self.add(self.flow)
        for part in (self.sliders["depth"], self.layers, self.sliders["width"], self.prior):
            self.add(part)
        self.add(self.race)
        self.add(Heading(tr("Training")), 6)
        for slider in (self.sliders["learning_rate"], self.sliders["batch"]):
            self.add(slider)
        self.add(seed)
        self._wire()

    def _wire(self) -> None:
        self.play.clicked.connect(self.play_pressed)
        self.step.clicked.connect(self.step_pressed)
        self.reset.clicked.connect(self.reset_pressed)
        for name, choice in (("speed", self.speed), ("flow", self.flow)):
            choice.chosen.connect(lambda key, name=name: self.setting_changed.emit(name, key, False))
        self.prior.setting_changed.connect(self.setting_changed)
        self.prior.rested.connect(self.rested)
        self.layers.edited.connect(self.layers_edited)
        for name, slider in self.sliders.items():
            slider.value_changed.connect(lambda value, name=name: self._slid(name, value))
            slider.editing_finished.connect(self.rested)
        self.seed.value_changed.connect(lambda value: self.setting_changed.emit("seed", value, False))
        self.dice.clicked.connect(lambda: self.setting_changed.emit("seed", self.seed.value() + 1, False))

    def _slid(self, name: str, value: float) -> None:
        self.setting_changed.emit(name, int(value) if name in _WHOLE else value, True)

    def show_state(self, state: ToyState, playing: bool) -> None:
        """Show the settings."""
        self.race.show_state(state)
        self.pace.show_state(state)
        self.density.set_current(state.density, state.target)
        self.shape.show_target(state.density, state.target)
        self.flow.set_current(state.flow)
        self.speed.set_current(state.speed)
        for name, slider in self.sliders.items():
            if slider.value() != getattr(state, name):
                slider.set_value(getattr(state, name))
        self.sliders["depth"].setVisible(state.layers is None)  # an edited list says itself how long it is
        self.prior.show_state(state)
        self.layers.show_state(state)
        if self.seed.value() != state.seed:
            self.seed.set_value(state.seed)
        self.play.setText(tr("Pause") if playing else tr("Play"))
        self.play.set_icon("pause" if playing else "play")
        self.play.setAccessibleName(self.play.text())
