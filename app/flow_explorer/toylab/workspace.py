"""The toy lab as the window sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from flow_explorer.dialogs.files import LastFolder, ask_save
from flow_explorer.engine.requests.toy_views import DEFAULT_VIEWS
from flow_explorer.history import History
from flow_explorer.i18n import tr
from flow_explorer.settings import state_folder
from flow_explorer.toylab.canvas import ToyCanvas
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.inspector import ToyInspector
from flow_explorer.toylab.keep.kept_runs import KeptRuns
from flow_explorer.toylab.keep.toy_trace import ToyTrace
from flow_explorer.toylab.keep.training_export import TrainingExport
from flow_explorer.toylab.keep.training_file import from_part, is_training, to_part
from flow_explorer.toylab.keep.writing import read_settings, save_panels
from flow_explorer.toylab.state import FLOWS, ToyState
from flow_explorer.toylab.target.link import TargetLink
from flow_explorer.toylab.target.words import file_stem, title_of
from flow_explorer.toylab.views.names import switched
from flow_explorer.widgets import ChipButton
from flow_explorer.workspace import Command, Workspace, WorkspaceContext
from flowcore.errors import FlowError

__all__ = ["ToyLab", "create"]


KEEP_MS = 10_000
"""A training that goes on is in the session as it was so long ago at most; where it stands still, as it is."""


def create(context: WorkspaceContext) -> ToyLab:
    """The window's way in."""
    return ToyLab(context)


class ToyLab(Workspace):
    """Wires state, controller and views; decides nothing itself."""

    def __init__(self, context: WorkspaceContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.history: History[ToyState] = History(ToyState())
        self.controller = ToyController(context.engine, self.history, self)
        self._canvas = ToyCanvas(self.controller)
        self._canvas.trace = ToyTrace(context.trace) if getattr(context.trace, "wanted", False) else None
        self._inspector = ToyInspector()
        self.keeping = TrainingExport(self.controller, context, self._canvas, lambda *what: self.ask_path(*what), self)
        self._canvas.add_below(self.keeping.progress)
        self._kept = KeptRuns(self.controller, state_folder() / "toylab")
        self._kept_version = 0
        self._restored: object = None
        self._keep_soon = QTimer(self, singleShot=True, interval=KEEP_MS)
        self._keep_soon.timeout.connect(self.state_changed)
        self.targets = TargetLink(self.controller, self._canvas, self._inspector, context)
        self._chip = ChipButton()
        self._chip.setEnabled(True)
        self._chip.setToolTip(tr("Held-out loss, and in brackets how far it is above the density's entropy."))
        self._wire()
        self._show()
        # The window restores the last session right after making the workspace: nothing is asked before that.
        QTimer.singleShot(0, self, self.controller.start)

    def _wire(self) -> None:
        controller, panel = self.controller, self._inspector
        panel.setting_changed.connect(controller.set)
        panel.rested.connect(controller.seal)
        panel.play_pressed.connect(controller.toggle)
        panel.step_pressed.connect(controller.step)
        panel.reset_pressed.connect(controller.reset)
        self._wire_pace()
        panel.layers_edited.connect(controller.edit_layers)
        self._canvas.dropped.connect(self.take_file)
        self._canvas.views.switched.connect(lambda name: controller.set("views", switched(controller.state.views, name)))
        self._canvas.views.restored.connect(lambda: controller.set("views", DEFAULT_VIEWS))
        controller.changed.connect(self._show)
        controller.arrived.connect(self._show_figures)
        controller.arrived.connect(self._on_arrived)
        controller.failed.connect(lambda sentence, details: self.context.notify(sentence, details))
        controller.saved.connect(self._tell_saved)
        self.history.subscribe(lambda _state: self.state_changed.emit())

    def _wire_pace(self) -> None:
        race, panel, pace = self.controller.race, self._inspector.race, self._inspector.pace
        pace.race_pressed.connect(race.toggle)
        pace.forward_pressed.connect(self.controller.forward.begin)
        panel.added.connect(race.add)
        panel.removed.connect(race.remove)
        panel.rival_changed.connect(race.change)
        panel.rested.connect(self.controller.seal)

    # The window's contract

    def canvas(self) -> ToyCanvas:
        return self._canvas

    def inspector(self) -> ToyInspector:
        return self._inspector

    def topbar(self) -> QWidget:
        return self._chip

    def commands(self) -> list[Command]:
        return [
            Command(tr("Play or pause the training"), ("Space",), self.controller.toggle),
            Command(tr("One step of training"), ("Right",), self.controller.step, repeats=True),
            Command(tr("Begin the training anew"), ("R",), self.controller.reset),
            Command(tr("Race against other flows, or leave the race"), ("Shift+R",), self.controller.race.toggle),
            Command(tr("Fast-forward the training"), ("F",), self.controller.forward.begin),
            Command(tr("Play the layers, there and back"), ("L",), self._canvas.toggle_layers),
            Command(tr("Copy the panels"), ("Ctrl+C",), self.copy_panels),
            Command(tr("Switch views on or off"), ("V",), self._canvas.views.showMenu),
            Command(tr("Put the probe away"), ("Esc",), self._canvas.probing.put_away),
            *self.keeping.commands(),
        ]

    def save_menu(self) -> list[tuple[str, Callable[[], object], bool]]:
        return [
            (tr("Save the panels as a picture…"), self.save_panels, self.controller.run.is_shown()),
            (tr("Save the model as a checkpoint…"), self.keeping.save_model, self.controller.can_save),
            *self.keeping.save_menu(),
        ]

    def keep_contents(self) -> None:
        self._kept.write()

    def state(self) -> dict[str, Any]:
        return {**self.history.state.to_dict(), **({"runs": self._kept.written} if self._kept.written else {})}

    def portable(self) -> dict[str, Any]:
        return to_part(self.keeping.training())

    def prepare(self, data: dict[str, Any], _folder: Path) -> Callable[[], list[str]]:
        training = from_part(data)

        def take() -> list[str]:
            self.keeping.take(training)
            return []

        return take

    def restore(self, state: dict[str, Any]) -> list[str]:
        self.history.reset(ToyState.from_dict(state))
        self._restored = state.get("runs")
        return self._kept.read(self._restored, [self.history.state])

    def restore_past(self, past: dict[str, Any]) -> None:
        super().restore_past(past)
        states = [self.history.state, *(moment.state for moment in self.history.moments())]
        self.controller.know_numbers(states)
        self._kept.read(self._restored, states)

    def _on_arrived(self) -> None:
        """A training that goes on is kept every few seconds, as its snapshots come."""
        version = self.controller.run.version_of("snapshot")
        if version == self._kept_version:
            return
        self._kept_version = version
        if not self.controller.playing:
            self.state_changed.emit()
        elif not self._keep_soon.isActive():
            self._keep_soon.start()

    def is_idle(self) -> bool:
        return self.controller.is_idle() and self._canvas.probing.link.is_idle() and self._canvas.is_still()

    def engine_restarted(self) -> None:
        self._canvas.probing.link.engine_restarted()
        self.controller.engine_restarted()

    def device_changed(self, device: str) -> None:
        self.controller.device_changed()

    def shown(self) -> None:
        self.controller.resume()

    def hidden(self) -> None:
        self._canvas.stop_layers()
        self._canvas.sleep()
        self.controller.suspend()

    def hint(self) -> str:
        return tr("Press play and watch the flow learn; drag along the strip below, or click a point to probe it.")

    # Showing

    def _show(self) -> None:
        self._inspector.show_state(self.controller.state, self.controller.playing)
        self._inspector.pace.forward.setEnabled(not self.controller.forward.active)
        self._show_figures()

    def _show_figures(self) -> None:
        state, run = self.controller.state, self.controller.training
        count = tr("{n} stages", n=state.stages) if state.flow == "continuous" else tr("{n} layers", n=state.stages)
        parts = [f"{FLOWS[state.flow]}", count + ("" if state.layers is None else ", " + tr("edited"))]
        if run.nll is not None and run.entropy is not None:
            parts.append(f"{run.nll:.2f} nat (+{max(0.0, run.nll - run.entropy):.2f})")
        elif run.nll is not None and not run.known:
            parts.append(tr("held-out loss {value} nat", value=f"{run.nll:.2f}"))
        if state.rivals:
            parts = [tr("race of {n} flows", n=len(state.rivals) + 1)]
        self._chip.set_texts(title_of(state), " · ".join(parts))

    # Saving

    def take_file(self, path: str) -> None:
        """Take up a saved training, a target, or the settings in a saved picture; what is wrong is said in the window."""
        if is_training(path):
            self.keeping.read_training(path)
            return
        if self.targets.take_file(path):
            return
        try:
            self.controller.take_settings(read_settings(path))
        except FlowError as error:
            self.context.notify(str(error))

    def copy_panels(self) -> None:
        """Put the panels on the clipboard."""
        QGuiApplication.clipboard().setImage(self._canvas.picture())

    def save_panels(self) -> None:
        """Ask for a name and write the panels as PNG."""
        self.ask_path(tr("Save the panels"), ".png", tr("PNG picture"), self.write_panels)

    def write_panels(self, path: str) -> None:
        """Write the panels to ``path``; what is wrong with it is said in the window."""
        try:
            save_panels(self._canvas.picture(), path, self.controller.state, self.controller.shown)
        except FlowError as error:
            self.context.notify(str(error))
        else:
            self._tell_saved(path)

    def ask_path(self, title: str, suffix: str, kind: str, done: Callable[[str], object]) -> None:
        """Ask where the person wants a file of that suffix; ``done(path)`` follows."""
        state = self.controller.state
        start = LastFolder(self.context.settings, "folder.save", str(Path.home()))
        ask_save(self._canvas, title, f"{file_stem(state)}-{state.flow}{suffix}", done, start, kind)

    def _tell_saved(self, path: str) -> None:
        self.context.notify(tr("Saved {name}.", name=Path(path).name), kind="good")
