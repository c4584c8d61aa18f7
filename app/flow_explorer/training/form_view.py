"""The new run's column: system, size, how it trains, what it is called, and the button that starts it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from flow_explorer.i18n import tr
from flow_explorer.training.state import SIZES, Form, default_name
from flow_explorer.widgets import Button, Choice, Heading, Inspector, Label
from flow_explorer.widgets.form import Form as Controls
from flow_explorer.widgets.plain import plain

__all__ = ["FormInspector"]

CHOICES = ("system", "preset", "memory", "precision")


class FormInspector(Inspector):
    """Tells what the person does, by signals; shows a form, without telling."""

    changed = Signal(str, object)
    start = Signal()
    choose_target = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.controls = Controls(Form(), parent=self)
        shown = self.controls.controls
        self.system, self.preset, self.memory, self.precision = (shown[name] for name in CHOICES)
        self.steps, self.conditional, self.jitter = (shown[name] for name in ("steps", "conditional", "jitter"))
        self.steps.setFixedWidth(104)
        self.steps.setGroupSeparatorShown(True)
        self.picture_size = Choice([], tr("Size of the pictures"), tr("The side that pictures are cropped and reduced to."))
        self.name = QLineEdit()
        self.name.setAccessibleName(tr("Name"))
        self.name.setFixedHeight(32)
        self.target = Label("", "small", wrap=True)
        self.target.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.where = Button(tr("Change…"), "plain", tooltip=tr("Choose the folder in which runs are made."))
        self.problem = Label("", "warning", wrap=True)
        self.start_button = Button(tr("Start training"), "primary", "play")
        self.start_button.setFixedHeight(44)
        self.start_button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

        self.add(Heading(tr("Flow")))
        self.add(self.system)
        self.add(Heading(tr("Size of the model")), 4)
        self.add(self.preset)
        self.add(Heading(tr("Training")), 4)
        self.add(_row(tr("Pictures"), self.picture_size))
        self.add(_row(tr("Steps"), self.steps))
        self.add(self.conditional)
        self.add(self.jitter)
        self.add(_row(tr("Memory"), self.memory))
        self.add(_row(tr("Precision"), self.precision))
        self.add(Heading(tr("Name")), 4)
        self.add(self.name)
        self.add(_row(tr("Goes to"), self.where))
        self.add(self.target)
        self.add_stretch()
        self.add(self.problem)
        self.add(self.start_button)
        self._wire()

    def _wire(self) -> None:
        self.controls.changed.connect(lambda name, value, _dragging: self.changed.emit(name, value))
        self.picture_size.chosen.connect(lambda key: self.changed.emit("size", int(key)))
        self.name.editingFinished.connect(lambda: self.changed.emit("name", self.name.text().strip()))
        self.where.clicked.connect(self.choose_target)
        self.start_button.clicked.connect(self.start)

    def show_form(self, form: Form, found: dict[str, Any] | None, problem: str) -> None:
        """Show the form; ``found`` are the pictures, None while there are none to train on."""
        classes = bool(found and found["classes"])
        self.controls.show(form if classes else replace(form, conditional=False))
        self.conditional.setEnabled(classes)
        sizes = [(str(side), f"{side}×{side}") for side in sorted({*SIZES, form.size} - {0})]
        if form.size == 0 or (found is not None and found["one_size"]):
            sizes.insert(0, ("0", tr("as they are")))
        if [self.picture_size.itemData(i) for i in range(self.picture_size.count())] != [key for key, _ in sizes]:
            self.picture_size.set_options(sizes)
        self.picture_size.set_current(str(form.size))
        if not self.name.hasFocus() and self.name.text() != form.name:
            self.name.setText(form.name)
        self.name.setPlaceholderText(default_name(form) if form.data else tr("after the pictures"))
        home, target = str(Path.home()), str(form.target())
        self.target.setText("~" + target[len(home) :] if target.startswith(home) else target)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.start_button.setEnabled(found is not None)
        words = tr("Train on, even when this window is closed.") if found else tr("Choose pictures first.")
        self.start_button.setToolTip(plain(words))


def _row(words: str, control: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(Label(words), 1)
    row.addWidget(control)
    return row
