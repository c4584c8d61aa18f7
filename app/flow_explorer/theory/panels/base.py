"""What the figures' parts of the column share: sliders, choices and rows, made in one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from flow_explorer.theory.controller import TheoryController
from flow_explorer.theory.state import TheoryState
from flow_explorer.widgets import Heading, Segmented, Separator, ValueRow, ValueSlider

__all__ = ["Panel", "number"]


def number(value: float, digits: int = 3, unit: str = "") -> str:
    """A number with a true minus sign, infinity as its sign; no minus before a zero."""
    if value in (float("inf"), float("-inf")):
        text = "∞" if value > 0 else "−∞"
    else:
        text = f"{value:,.{digits}f}"
        text = text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")
    return f"{text} {unit}".strip()


class Panel(QWidget):
    """Base of the panels: ``show_state`` fills what ``slider``, ``choice`` and ``row`` have made."""

    def __init__(self, controller: TheoryController) -> None:
        super().__init__()
        self.controller = controller
        self.sliders: dict[str, ValueSlider] = {}
        self.choices: dict[str, Segmented] = {}
        self.rows: dict[str, ValueRow] = {}
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(12)
        self.build()

    def build(self) -> None:
        """Make the controls and the rows."""
        raise TypeError(f"{type(self).__name__} does not define build")

    def show_state(self, state: TheoryState) -> None:
        """Show a state."""
        raise TypeError(f"{type(self).__name__} does not define show_state")

    def heading(self, text: str) -> None:
        """A title above a group."""
        if self.body.count():
            self.body.addSpacing(6)
        self.body.addWidget(Heading(text))

    def slider(self, name: str, label: str, low: float, high: float, default: float, tooltip: str, *, step: float = 0.01,
               decimals: int = 2, unit: str = "", tone: str = "accent") -> ValueSlider:  # fmt: skip
        """A slider of the figure's value ``name``; ``slid`` says what it does."""
        made = ValueSlider(label, low, high, default, step, decimals, unit, tooltip=tooltip, tone=tone)
        made.value_changed.connect(lambda value: self.slid(name, value))
        made.editing_finished.connect(self.controller.seal)
        self.sliders[name] = made
        self.body.addWidget(made)
        return made

    def choice(self, name: str, label: str, options: Sequence[tuple[str, ...]], columns: int = 0) -> Segmented:
        """One of a few for the figure's value ``name``."""
        made = Segmented(options, label, columns=columns)
        made.chosen.connect(lambda key: self.chose(name, key))
        self.choices[name] = made
        self.body.addWidget(made)
        return made

    def row(self, name: str, label: str, tooltip: str = "", total: bool = False) -> ValueRow:
        """A live number; a ``total`` stands under a line."""
        if total:
            self.body.addWidget(Separator())
        made = ValueRow(label, tooltip=tooltip)
        made.label.setToolTip(tooltip)
        if total:
            made.label.set_tone("strong")
        self.rows[name] = made
        self.body.addWidget(made)
        return made

    def slid(self, name: str, value: float) -> None:
        """A slider was moved."""
        self.controller.change(self.sliders[name].label.text(), name, **{name: value})

    def chose(self, name: str, key: str) -> None:
        """A choice was made."""
        self.controller.change(self.choices[name].accessibleName(), **{name: key})

    def fill(self, part: Any) -> None:
        """Set sliders and choices to the values of the same names."""
        for name, slider in self.sliders.items():
            value = getattr(part, name, None)
            if value is not None and slider.value() != value:
                slider.set_value(float(value))
        for name, choice in self.choices.items():
            value = getattr(part, name, None)
            if value is not None and choice.current() != value:
                choice.set_current(value)

    def set(self, **values: tuple[str, str] | str) -> None:
        """Fill rows: a text, or (text, tone)."""
        for name, value in values.items():
            text, tone = value if isinstance(value, tuple) else (value, "")
            self.rows[name].set_value(text, tone)
