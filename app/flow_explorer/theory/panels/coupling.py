"""The column for figure 4: the stack, the point, and the log-determinant as a sum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flow_explorer.i18n import tr
from flow_explorer.theory.figures.coupling import jacobian_of
from flow_explorer.theory.panels.base import Panel, number
from flow_explorer.theory.state import INPUTS, CouplingState, TheoryState
from flow_explorer.widgets import ValueSlider
from flowcore.theory.coupling import passes, stack

__all__ = ["CouplingPanel"]


class CouplingPanel(Panel):
    """Sliders for x; β and γ of each layer; Σ log β against the whole Jacobian's log-determinant."""

    figure = "coupling"

    def build(self) -> None:
        self.heading(tr("Layers"))
        self.control("layers", "matrix")
        self.heading(tr("The point"))
        for index, value in enumerate(CouplingState().x):
            words = tr("Copied by the first layer.") if index < 2 else tr("Scaled and shifted by the first layer.")
            self._coordinate(index, value, words)
        self.heading(tr("Log-determinant"))
        for layer in (1, 2):
            for index in (1, 2):
                self.row(f"log-{layer}-{index}", "")
        self.row("log_det", tr("log |det ∂z/∂x|"), "Σ log β", total=True)
        self.row("det", tr("det ∂z/∂x"))
        self.row("whole", tr("det of the shown matrix"), tr("By elimination, from all sixteen entries."))
        self.heading(tr("This layer's β and γ"))
        for index in (1, 2):
            self.row(f"beta-{index}", "")
        for index in (1, 2):
            self.row(f"gamma-{index}", "")

    def _coordinate(self, index: int, value: float, words: str) -> None:
        made = ValueSlider("x" + "₁₂₃₄"[index], *INPUTS, value, 0.01, 2, tooltip=words, tone="a")
        name = self._name(index)
        made.value_changed.connect(
            lambda value: self.controller.put(self.controller.state.coupling.with_x(index, value), tr("Point"), name)
        )
        made.editing_finished.connect(self.controller.seal)
        self.controls[name] = made
        self.body.addWidget(made)

    @staticmethod
    def _name(index: int) -> str:
        return f"x-{index}"

    def changed(self, name: str, value: Any, dragging: bool) -> None:
        # Another stack shows the Jacobian of all of it.
        more = {"matrix": "first" if value == "one" else "both"} if name == "layers" else {}
        self.controller.change(tr(self.form.settings[name].label), **{name: value}, **more)

    def show_state(self, state: TheoryState) -> None:
        part = state.coupling
        self.form.show(part)
        for index, value in enumerate(part.x):
            if self.controls[self._name(index)].value() != value:
                self.controls[self._name(index)].set_value(value)
        steps = passes(part.x, part.layers)
        for layer in (1, 2):
            for order in (0, 1):
                row = self.rows[f"log-{layer}-{order + 1}"]
                row.setVisible(layer <= len(steps))
                if layer <= len(steps):
                    step = steps[layer - 1]
                    name = "₁₂₃₄"[step.changed[order]]
                    two = len(steps) == 2
                    row.label.setText(tr("layer {layer}, log β{name}", layer=layer, name=name) if two else f"log β{name}")
                    row.set_value(number(math.log(step.beta[order])))
        _, log_det = stack(steps)
        jacobian, layer = jacobian_of(steps, part.matrix)
        self.set(
            log_det=(number(log_det, 3, tr("nat")), "b"), det=number(math.exp(log_det)),
            whole=number(float(np.linalg.det(jacobian))),
        )  # fmt: skip
        chosen = layer if layer is not None else steps[-1]
        for order in (0, 1):
            name = "₁₂₃₄"[chosen.changed[order]]
            for kind, letter, values in (("beta", "β", chosen.beta), ("gamma", "γ", chosen.gamma)):
                self.rows[f"{kind}-{order + 1}"].label.setText(f"{letter}{name}")
                self.rows[f"{kind}-{order + 1}"].set_value(number(float(values[order])))
