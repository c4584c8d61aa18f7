"""What the figures' parts of the column share: controls from the figure's declared fields, and rows, in one line each."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtWidgets import QVBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.theory.controller import TheoryController
from flow_explorer.theory.state import TheoryState
from flow_explorer.widgets import Heading, Separator, ValueRow
from flow_explorer.widgets.form import Form

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
    """Base of the panels: ``show_state`` fills what ``control`` and ``row`` have laid out."""

    figure: ClassVar[str]
    """Whose fields the controls are of."""

    def __init__(self, controller: TheoryController) -> None:
        super().__init__()
        self.controller = controller
        self.form = Form(getattr(TheoryState(), self.figure), parent=self)
        self.form.changed.connect(self.changed)
        self.form.rested.connect(controller.seal)
        self.controls: dict[str, Any] = dict(self.form.controls)
        """By the names of their fields."""
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

    def control(self, *names: str) -> None:
        """The controls of these fields, one below the other."""
        for name in names:
            self.body.addWidget(self.form.places[name])

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

    def changed(self, name: str, value: Any, dragging: bool) -> None:
        """A control was moved."""
        self.controller.change(tr(self.form.settings[name].label), name if dragging else None, **{name: value})

    def set(self, **values: tuple[str, str] | str) -> None:
        """Fill rows: a text, or (text, tone)."""
        for name, value in values.items():
            text, tone = value if isinstance(value, tuple) else (value, "")
            self.rows[name].set_value(text, tone)
