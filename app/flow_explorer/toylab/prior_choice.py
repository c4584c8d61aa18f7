"""The prior: one of four, and what a mixture has to say further."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.toylab.state import COMPONENTS, PRIORS, ToyState
from flow_explorer.widgets import Choice, Label, Toggle, ValueSlider

__all__ = ["PriorChoice"]


class PriorChoice(QWidget):
    """One line; two more unfold for a mixture."""

    setting_changed = Signal(str, object, bool)
    """(name, value, whether it is one of many steps of a drag)"""
    rested = Signal()

    def __init__(self) -> None:
        super().__init__()
        words = tr("What z is drawn from, and measured against.") + "\nlog p(x) = log π(z) + log |det ∂z/∂x|"
        self.kind = Choice([(name, tr(title)) for name, title in PRIORS.items()], tr("Prior"), words)
        self.components = ValueSlider(
            tr("Gaussians"), *COMPONENTS, ToyState().components, 1, 0,
            tooltip=tr("How many the mixture has.") + "\nπ(z) = Σ wₖ N(z; μₖ, σₖ)",
        )  # fmt: skip
        self.learned = Toggle(tr("Learned with the flow"), tr("Let training move the Gaussians, too.") + "\nμₖ, σₖ, wₖ")
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(Label(tr("Prior")), 1)
        line.addWidget(self.kind)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(line)
        column.addWidget(self.components)
        column.addWidget(self.learned)
        self.kind.chosen.connect(lambda key: self.setting_changed.emit("prior", key, False))
        self.components.value_changed.connect(lambda value: self.setting_changed.emit("components", int(value), True))
        self.components.editing_finished.connect(self.rested)
        self.learned.clicked.connect(lambda: self.setting_changed.emit("learned", self.learned.isChecked(), False))

    def show_state(self, state: ToyState) -> None:
        """Show the settings."""
        self.kind.set_current(state.prior)
        if self.components.value() != state.components:
            self.components.set_value(state.components)
        self.learned.setChecked(state.learned)
        is_mixture = state.prior == "mixture"
        self.components.setVisible(is_mixture)
        # Flow matching looks at draws of the prior, never at its density, so nothing could be learned of it there.
        self.learned.setVisible(is_mixture and state.flow != "continuous")
