"""The new run's column: system, size, how it trains, what it is called, and the button that starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy

from flow_explorer.cli.train import PRESETS, SYSTEMS
from flow_explorer.i18n import tr
from flow_explorer.training.state import SIZES, STEPS, Form, default_name, system_title
from flow_explorer.widgets import Button, Choice, Heading, Inspector, Label, NumberField, Segmented, Toggle
from flowcore.data.jitter import AMOUNTS

__all__ = ["FormInspector"]

_SYSTEMS = {
    "glow-plus": (
        "Glow that first gives every grey level the room it needs: far more likelihood for the same time.",
        "y = F(⌊x⌋ + T(x − ⌊x⌋)), then Glow",
    ),
    "glow": ("Mixes channels by invertible 1×1 convolutions; the sharpest of the three.", "y = W x, then affine couplings"),
    "realnvp": ("Affine couplings under checkerboard and channel masks.", "y = x · exp(s) + t"),
    "nice": ("Additive couplings, one scaling at the end; quick, and the oldest.", "y = x + m(x)"),
}
_JITTER = {"shift": f"{AMOUNTS[0]:g}", "size": f"{100 * AMOUNTS[2]:g}", "turn": f"{AMOUNTS[3]:g}"}
_PRESETS = {
    "tiny": "For trying things out: minutes.", "small": "An evening on a computer without a graphics card.",
    "medium": "A night.", "large": "A graphics card, and days.",
}  # fmt: skip


class FormInspector(Inspector):
    """Tells what the person does, by signals; shows a form, without telling."""

    changed = Signal(str, object)
    start = Signal()
    choose_target = Signal()

    def __init__(self) -> None:
        super().__init__()
        systems = [
            (name, system_title(name), "\n".join(map(tr, _SYSTEMS.get(name, (system_title(name),))))) for name in SYSTEMS
        ]
        self.system = Segmented(systems, tr("System"), columns=3 if len(systems) == 3 else 2)
        presets = [(name, tr(name.capitalize()), tr(_PRESETS.get(name, ""))) for name in PRESETS]
        self.preset = Segmented(presets, tr("Size of the model"), columns=2 if len(presets) > 4 else 4, compact=True)
        self.size = Choice([], tr("Size of the pictures"), tr("The side that pictures are cropped and reduced to."))
        words = tr("Updates of the weights; also where the learning rate ends.")
        self.steps = NumberField(tr("Steps"), *STEPS, tooltip=words, width=104)
        self.steps.setGroupSeparatorShown(True)
        self.conditional = Toggle(
            tr("Learn by class"),
            tr("One model of all classes that can be asked for each.") + "\np(x | y), with a prior π(z | y)",
        )
        self.jitter = Toggle(
            tr("Move pictures a little"),
            tr("Cut each picture anew from its source whenever it is seen: more to learn from few pictures.")
            + "\n" + tr("Up to {shift} pixels, {size} % of its size, {turn}°.", **_JITTER),
        )
        self.memory = Segmented(
            [
                ("store", tr("Store"), tr("Keep what each layer computed: quicker.")),
                ("invert", tr("Invert"), tr("Compute it again from the output: a third slower, far less memory.")),
            ],
            tr("Memory"), compact=True,
        )  # fmt: skip
        words = tr("The numbers that the couplings' networks compute in. Everything that must be exact stays in float32.")
        self.precision = Choice(
            [("auto", tr("whichever is quicker")), ("bfloat16", "bfloat16"), ("float32", "float32")], tr("Precision"), words
        )
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
        self.add(_row(tr("Pictures"), self.size))
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
        for name in ("system", "preset", "memory", "precision"):
            getattr(self, name).chosen.connect(lambda key, name=name: self.changed.emit(name, key))
        self.size.chosen.connect(lambda key: self.changed.emit("size", int(key)))
        self.steps.value_changed.connect(lambda value: self.changed.emit("steps", value))
        self.conditional.clicked.connect(lambda on: self.changed.emit("conditional", bool(on)))
        self.jitter.clicked.connect(lambda on: self.changed.emit("jitter", bool(on)))
        self.name.editingFinished.connect(lambda: self.changed.emit("name", self.name.text().strip()))
        self.where.clicked.connect(self.choose_target)
        self.start_button.clicked.connect(self.start)

    def show_form(self, form: Form, found: dict[str, Any] | None, problem: str) -> None:
        """Show the form; ``found`` are the pictures, None while there are none to train on."""
        for name in ("system", "preset", "memory", "precision"):
            getattr(self, name).set_current(getattr(form, name))
        sizes = [(str(side), f"{side}×{side}") for side in sorted({*SIZES, form.size} - {0})]
        if form.size == 0 or (found is not None and found["one_size"]):
            sizes.insert(0, ("0", tr("as they are")))
        if [self.size.itemData(i) for i in range(self.size.count())] != [key for key, _ in sizes]:
            self.size.set_options(sizes)
        self.size.set_current(str(form.size))
        if self.steps.value() != form.steps:
            self.steps.set_value(form.steps)
        classes = bool(found and found["classes"])
        self.conditional.setEnabled(classes)
        self.conditional.setChecked(form.conditional and classes)
        self.jitter.setChecked(form.jitter)
        if not self.name.hasFocus() and self.name.text() != form.name:
            self.name.setText(form.name)
        self.name.setPlaceholderText(default_name(form) if form.data else tr("after the pictures"))
        home, target = str(Path.home()), str(form.target())
        self.target.setText("~" + target[len(home) :] if target.startswith(home) else target)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.start_button.setEnabled(found is not None)
        words = tr("Train on, even when this window is closed.") if found else tr("Choose pictures first.")
        self.start_button.setToolTip(words)


def _row(words: str, control: object) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(Label(words), 1)
    row.addWidget(control)
    return row
