"""The column for figure 2: the target, learning, the strip and its numbers."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QHBoxLayout

from flow_explorer.i18n import tr
from flow_explorer.theory.panels.base import Panel, number
from flow_explorer.theory.state import TheoryState
from flow_explorer.widgets import Button, IconButton
from flowcore.theory.curve import Curve, base_log_prob
from flowcore.theory.learning import TARGETS

__all__ = ["CurvePanel"]


class CurvePanel(Panel):
    """Learning moves the same knots that the hand does."""

    figure = "curve"

    def build(self) -> None:
        words = tr("Move the knots so that the target's points are likely.") + "\nSpace"
        self.play = Button(tr("Learn"), "primary", icon="play", tooltip=words)
        self.step = IconButton("step", tr("One step of learning"))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.play, 1)
        row.addWidget(self.step)
        self.body.addLayout(row)
        self.heading(tr("Target"))
        self.control("target")
        self.heading(tr("Base density"))
        self.control("base")
        self.heading(tr("The strip"))
        self.control("z", "width")
        self.row("below", "π(z′) Δz")
        self.row("left", "p(x′) Δx")
        self.row("mass", tr("exactly, on either side"), tr("The integral over the strip, of π and of p."), total=True)
        self.heading(tr("At z′"))
        self.row("x", "x′ = g(z′)")
        self.row("log_pi", "log π(z′)")
        self.row("log_slope", "− log dx/dz")
        self.row("log_p", "log p(x′)", "log π(z′) − log dx/dz", total=True)
        self.heading(tr("How well it has learned"))
        self.row("steps", tr("steps"))
        self.row("loss", tr("loss"), tr("Mean of −log p(x) over the target, in nats.") + "\n−∫ p* log p dx")
        self.row("entropy", tr("the target's entropy"), tr("No model's loss is below it.") + "\n−∫ p* log p* dx")
        self.row("gap", tr("gap"), tr("The Kullback–Leibler divergence from the target to the model."), total=True)
        self.play.clicked.connect(self.controller.toggle_learning)
        self.step.clicked.connect(self.controller.learn_step)
        self.controller.learning_changed.connect(self._show_play)

    def _show_play(self) -> None:
        learning = self.controller.learning
        self.play.setText(tr("Pause") if learning else tr("Learn"))
        self.play.set_icon("pause" if learning else "play")
        self.play.setAccessibleName(self.play.text())

    def show_state(self, state: TheoryState) -> None:
        part = state.curve
        self.form.show(part)
        curve = Curve(part.heights)
        low, high, below, left = curve.strip(part.z, part.width, part.base)
        x = float(curve.x(part.z))
        log_pi = float(base_log_prob(curve.z(x), part.base))
        log_p = float(curve.log_prob(x, part.base))
        pi, p = math.exp(log_pi), math.exp(log_p)
        target = TARGETS[part.target]
        loss = target.loss(curve, part.base)
        self.set(
            below=(number(pi * part.width, 4), "z"), left=(number(p * (high - low), 4), "b"),
            mass=(number(below, 4) if abs(below - left) < 1e-6 else f"{number(below, 6)} / {number(left, 6)}", "good"),
            x=number(x, 3), log_pi=number(log_pi), log_slope=number(log_p - log_pi), log_p=(number(log_p, 3, tr("nat")), "b"),
            steps=f"{part.steps:,}", loss=number(loss, 3, tr("nat")), entropy=number(target.entropy, 3, tr("nat")),
            gap=(number(loss - target.entropy, 3, tr("nat")), "good" if loss - target.entropy < 0.05 else ""),
        )  # fmt: skip
        self._show_play()
