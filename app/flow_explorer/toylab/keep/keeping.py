"""What the toy lab keeps: the training as a file, its animation, its curve, its script. Its acts, for the menu and for keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from flow_explorer.dialogs.files import LastFolder, ask_file
from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.toykeep import CheckToy
from flow_explorer.i18n import tr
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.keep import training_file
from flow_explorer.toylab.keep.as_python import training_script
from flow_explorer.toylab.keep.film_sheet import Filmed, FilmSheet
from flow_explorer.toylab.keep.filming import Filming
from flow_explorer.toylab.keep.training_file import SUFFIX, Training
from flow_explorer.toylab.state import FLOWS, ToyState
from flow_explorer.toylab.target.words import title_of_target
from flow_explorer.widgets import Progress
from flow_explorer.workspace import Command, Context
from flowcore.errors import ConfigError, FlowError
from flowcore.pictures import recipe
from flowcore.pictures.image_writing import write_atomically
from flowcore.plane.course import snapshot_config, snapshot_course, snapshot_step
from flowcore.plane.shots import curve_csv

__all__ = ["Keeping"]

Entry = tuple[str, Callable[[], object], bool]
AskPath = Callable[[str, str, str, Callable[[str], object]], object]
"""Asks where the person wants a file (title, suffix, what it is), and hands the path on."""
_NUMBERS = ("run", "race")
"""Fields of the settings that number trainings of this window: a file's are other trainings."""
QUICK_HELD_OUT = 2048
"""On how many held-out points the window's losses are measured (as `flowcore.plane.race` has it, which needs torch)."""


class Keeping(QObject):
    """Acts on the controller's present training. ``progress`` stands below the panels while an animation is made.

    ``canvas`` is whose window the dialogs lie over.
    """

    def __init__(self, controller: ToyController, context: Context, canvas: QWidget, ask_path: AskPath,
                 parent: QObject | None = None) -> None:  # fmt: skip
        super().__init__(parent)
        self._controller, self._context, self._canvas, self._ask_path = controller, context, canvas, ask_path
        self._check = Query(context.engine)
        self._filmed = Filmed()
        self.filming = Filming(context.engine, self)
        self.progress = Progress("", cancellable=True)
        self.progress.setAccessibleName(tr("The animation that is being made"))
        self.progress.hide()
        self.progress.cancelled.connect(self.filming.cancel)
        self.filming.changed.connect(self._show)
        self.filming.done.connect(self._filmed_to)

    # Where it is offered

    def save_menu(self) -> list[Entry]:
        """What Save offers beside the panels and the model."""
        return [
            (tr("Save the training as a file…"), self.save_training, True),
            (tr("Save an animation of the training…"), self.save_animation, self.can_film),
            (tr("Save the curve as CSV…"), self.save_curve, bool(self._controller.training.curve.points)),
            (tr("Copy the training as Python"), self.copy_script, self._controller.can_save),
            (tr("Open a saved training…"), self.open_training, True),
        ]

    def commands(self) -> list[Command]:
        """The same by keys."""
        return [
            Command(tr("Save the training as a file"), ("Ctrl+T",), self.save_training),
            Command(tr("Open a saved training"), ("Ctrl+O",), self.open_training),
            Command(tr("Save an animation of the training"), ("Ctrl+E",), self.save_animation),
            Command(tr("Save the curve as CSV"), ("Ctrl+Shift+E",), self.save_curve),
            Command(tr("Save the model as a checkpoint"), ("Ctrl+M",), self.save_model),
            Command(tr("Copy the training as Python"), ("Ctrl+Shift+C",), self.copy_script),
        ]

    @property
    def can_film(self) -> bool:
        """There is a training with steps to film."""
        snapshot = self._snapshot
        return bool(snapshot) and snapshot_step(snapshot) > 0

    # The training as a file

    def training(self) -> Training:
        """The present training, as far as its last snapshot goes."""
        return Training(self._controller.state, self._snapshot, self._controller.training.curve)

    def save_training(self) -> None:
        """Ask for a name and write the training."""
        self._ask_path(tr("Save the training"), SUFFIX, tr("Training of the toy lab"), self.write_training)

    def write_training(self, path: str) -> None:
        """Write the training to ``path``; says where it is, or why not."""
        training = self.training()
        try:
            training_file.write(Path(path), training)
        except FlowError as error:
            self._notify(str(error))
        else:
            name = Path(path).name
            self._notify(tr("Saved {name}, at step {n}.", name=name, n=f"{training.step:,}"), kind="good")

    def open_training(self) -> None:
        """Ask for a training to open."""
        start = LastFolder(self._context.settings, "folder.save", str(Path.home()))
        kinds = [tr("Trainings of the toy lab (*{suffix})", suffix=SUFFIX)]
        ask_file(self._canvas, tr("Open a saved training"), self.read_training, start, kinds)

    def read_training(self, path: str) -> None:
        """Take up a saved training as one act, once the engine has found its weights sound; or say what is wrong."""
        try:
            training = training_file.read(path)
        except FlowError as error:
            self._refuse(str(error))
            return
        if not training.snapshot:
            self.take(training, Path(path).name)
            return
        self._check.forget()  # of two files that are opened one after the other the second is wanted, and the same one again
        self._check.want(
            CheckToy(training.state.config(), np.frombuffer(training.snapshot, np.uint8)),
            lambda _message, _current: self.take(training, Path(path).name),
            lambda sentence, _details: self._refuse(sentence),
        )

    def take(self, training: Training, name: str = "") -> None:
        """Take up a training as one act that Undo takes back: it stands still at the step where it was saved."""
        state = numbered(training.state, self._controller.new_number())
        snapshot = np.frombuffer(training.snapshot, np.uint8)
        self._controller.take_up(state, tr("Open a training"), training.step, snapshot, training.curve)
        if name:
            words = tr("{name} is open at step {n}; Undo returns to what was here.", name=name, n=f"{training.step:,}")
            self._notify(words, kind="good")

    def _refuse(self, sentence: str) -> None:
        self._notify(tr("{why} Nothing was changed.", why=sentence))

    # The animation

    def save_animation(self) -> None:
        """Ask how the training is to be filmed, then where to."""
        if not self.can_film:
            self._notify(tr("There is nothing to film yet: let the flow learn for a while."), kind="notice")
            return
        course = snapshot_course(self._snapshot)
        if course.inherited:
            self._notify(tr("This training began with another one's weights, so it cannot be filmed from its seed."))
            return
        sheet = FilmSheet(self._filmed, snapshot_step(self._snapshot), self._canvas.window())
        sheet.wanted.connect(self._ask_film)
        sheet.open()

    def _ask_film(self, wanted: Filmed) -> None:
        self._filmed = wanted
        self._ask_path(tr("Save the animation"), wanted.suffix, wanted.suffix[1:].upper(),
                       lambda path: self.write_animation(path, wanted))  # fmt: skip

    def write_animation(self, path: str, wanted: Filmed) -> None:
        """Film the training up to its last snapshot into ``path``."""
        snapshot, state = self._snapshot, self._controller.state
        step = snapshot_step(snapshot)
        made = recipe.new("toylab", state=state.to_dict(), step=step)
        self.filming.save(path, wanted, snapshot_config(snapshot), snapshot_course(snapshot), step, made)

    def _show(self) -> None:
        self.progress.setVisible(self.filming.busy)
        self.progress.set_progress(self.filming.share, self.filming.words)

    def _filmed_to(self, path: str, sentence: str) -> None:
        if path:
            self._notify(tr("Saved {name}.", name=Path(path).name), kind="good")
        elif sentence:
            self._notify(sentence)
        else:
            self._notify(tr("Cancelled: nothing was saved."), kind="notice")

    # The curve and the script

    def save_curve(self) -> None:
        """Ask for a name and write the curve."""
        self._ask_path(tr("Save the curve"), ".csv", tr("Table"), self.write_curve)

    def write_curve(self, path: str) -> None:
        """Write the curve as CSV; says where it is, or why not."""
        run = self._controller.training
        try:
            course = snapshot_course(self._snapshot) if self._snapshot else None
            write_atomically(path, curve_csv(run.curve.with_rates(course), run.entropy).encode())
        except FlowError as error:
            self._notify(str(error))
        else:
            self._notify(tr("Saved {name}.", name=Path(path).name), kind="good")

    def script(self) -> str:
        """The training as a script. Raises `FlowError`."""
        run, state = self._controller.training, self._controller.state
        if not self._snapshot:
            raise ConfigError(tr("There is no training yet: a moment more."))
        points = [point for point in run.curve.points if point.step == run.snapshot_step]
        target = title_of_target(snapshot_config(self._snapshot).get("target"), state.density)
        title = tr("{flow} learns for {n} steps: {density}.", flow=FLOWS[state.flow], density=target, n=f"{run.snapshot_step:,}")
        return training_script(title, self._snapshot, QUICK_HELD_OUT, points[-1].nll if points else None)

    def copy_script(self) -> None:
        """Put the script on the clipboard."""
        try:
            QGuiApplication.clipboard().setText(self.script())
        except FlowError as error:
            self._notify(str(error))
        else:
            self._notify(tr("The training is on the clipboard as a Python script."), kind="good")

    # Help

    @property
    def _snapshot(self) -> bytes:
        return self._controller.training.snapshot.tobytes()

    def save_model(self) -> None:
        """Ask for a name and let the engine write the model."""
        if self._controller.can_save:
            self._ask_path(tr("Save the model"), ".safetensors", tr("Checkpoint"), self._controller.save_model)

    def _notify(self, sentence: str, kind: str = "error") -> None:
        self._context.notify(sentence, kind=kind)


def numbered(state: ToyState, number: int) -> ToyState:
    """The settings with this window's own number for their trainings."""
    known = {field.name for field in fields(state)}
    return replace(state, **{name: number for name in _NUMBERS if name in known})
