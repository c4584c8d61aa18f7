"""Below the picker: the sliders that reshape a built-in density, or what there is to know and to edit of one's own."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.toylab.target.words import note_of
from flow_explorer.widgets import Button, Fold, Label, ValueSlider
from flowcore.plane.densities import get
from flowcore.plane.targets import targets as toy_targets

__all__ = ["TargetShape"]


def _decimals(step: float) -> int:
    return next((digits for digits in range(5) if abs(step * 10**digits - round(step * 10**digits)) < 1e-9), 4)


class TargetShape(QWidget):
    """``changed(target, key)`` while a slider is dragged, ``rested`` at its end; ``edit`` for a drawing or a formula.

    A target of the density's own parameters holds only those off their default, and is None where all are at it: so a
    density that was put back is the same as one that was never touched.
    """

    changed = Signal(object, str)
    rested = Signal()
    edit_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.density, self.target = "", None
        self.sliders: dict[str, ValueSlider] = {}
        self.fold = Fold(tr("Shape"))
        self.fold.header.setToolTip(tr("Reshape the density: its noise, its turns, how many parts it has."))
        self.reset = Button(tr("As it was"), "plain", "reset", tr("Give the density its own shape back."))
        self.note = Label("", "muted", wrap=True)
        self.edit = Button("", "plain", "pen", tr("Change it where it is; undo brings the old one back."))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for part in (self.note, self.edit, self.fold):
            layout.addWidget(part)
        self.reset.clicked.connect(self._reset)
        self.edit.clicked.connect(self.edit_pressed)

    def show_target(self, density: str, target: dict | None) -> None:
        """Show what there is to set."""
        own = target is None or target["kind"] == "parameters"
        if density != self.density:
            self.density = density
            self._fill()
        self.target = target
        kind = "" if target is None else target["kind"]
        self.fold.setVisible(own and bool(self.sliders))
        self.note.setText(note_of(target))
        self.note.setVisible(bool(self.note.text()))
        self.edit.setVisible(kind in ("grid", "formula"))
        self.edit.set_icon("formula" if kind == "formula" else "pen")
        self.edit.setText(tr("Edit the formula…") if kind == "formula" else tr("Edit the drawing…"))
        self.edit.setAccessibleName(self.edit.text())
        if own:
            for key, slider in self.sliders.items():
                value = (target or {}).get(key, slider.default)
                if slider.value() != value:
                    slider.set_value(value)
        self.reset.setEnabled(kind == "parameters")

    def values(self) -> dict | None:
        """The target that the sliders stand for."""
        parameters = {parameter.key: parameter for parameter in toy_targets.PARAMETERS[self.density]}
        off = {
            key: int(slider.value()) if parameters[key].whole else slider.value()
            for key, slider in self.sliders.items()
            if slider.value() != slider.default
        }
        return {"kind": "parameters", **off} if off else None

    def _fill(self) -> None:
        for slider in self.sliders.values():
            self.fold.body.removeWidget(slider)
            slider.hide()
            slider.deleteLater()
        self.fold.body.removeWidget(self.reset)
        self.sliders = {}
        name = tr(get(self.density).title)
        for parameter in toy_targets.PARAMETERS.get(self.density, ()):
            slider = self.sliders[parameter.key] = ValueSlider(
                tr(parameter.title), parameter.low, parameter.high, parameter.default, parameter.step,
                0 if parameter.whole else _decimals(parameter.step),
                tooltip=tr("{title} of {name}; another shape begins another training.", title=tr(parameter.title), name=name),
            )  # fmt: skip
            slider.value_changed.connect(lambda _value, key=parameter.key: self.changed.emit(self.values(), key))
            slider.editing_finished.connect(self.rested)
            self.fold.add(slider)
        self.fold.add(self.reset)
        self.fold.body.setAlignment(self.reset, Qt.AlignmentFlag.AlignLeft)

    def _reset(self) -> None:
        self.changed.emit(None, "")
        self.rested.emit()
