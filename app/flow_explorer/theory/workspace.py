"""The theory page as the window sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from flow_explorer.dialogs.files import LastFolder, ask_save
from flow_explorer.history import History
from flow_explorer.i18n import tr
from flow_explorer.theory.canvas import TheoryCanvas
from flow_explorer.theory.controller import TheoryController
from flow_explorer.theory.inspector import TheoryInspector
from flow_explorer.theory.state import TheoryState
from flow_explorer.widgets.dropping import has_files, local_file
from flow_explorer.widgets.pixels import from_image
from flow_explorer.workspace import Command, Workspace, WorkspaceContext
from flowcore.errors import FlowError
from flowcore.pictures.images import save_png

__all__ = ["Theory", "create"]


def create(context: WorkspaceContext) -> Theory:
    """The window's way in."""
    return Theory(context)


class Theory(Workspace):
    """Wires state, controller and views; decides nothing itself. It asks nothing of the engine."""

    def __init__(self, context: WorkspaceContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.history: History[TheoryState] = History(TheoryState())
        self.controller = TheoryController(self.history, self)
        self._canvas = TheoryCanvas(self.controller)
        self._inspector = TheoryInspector(self.controller)
        self._canvas.tried.connect(self.try_this)
        self.controller.failed.connect(self.context.notify)
        self.controller.learning_changed.connect(self.idle_changed)
        self.history.subscribe(self._show)

    def _show(self, state: TheoryState) -> None:
        self._canvas.show_state(state)
        self._inspector.show_state(state)
        self.state_changed.emit()

    # The window's contract

    def canvas(self) -> QWidget:
        return self._canvas

    def inspector(self) -> QWidget:
        return self._inspector

    def commands(self) -> list[Command]:
        return [
            Command(tr("Learn the curve, or take a step of the masks"), ("Space",), self.go_on),
            Command(tr("Next figure"), ("PgDown",), lambda: self._canvas.go_to(1)),
            Command(tr("Figure before"), ("PgUp",), lambda: self._canvas.go_to(-1)),
            Command(tr("One step on"), ("Right",), lambda: self._walk(1), repeats=True),
            Command(tr("One step back"), ("Left",), lambda: self._walk(-1), repeats=True),
            Command(tr("Reset the figure"), ("R",), self.controller.reset),
            Command(tr("Copy the figure"), ("Ctrl+C",), self.copy_figure),
        ]

    def save_menu(self) -> list[tuple[str, Callable[[], object], bool]]:
        return [(tr("Save the figure as a picture…"), self.save_figure, True)]

    def can_drop(self, mime: QMimeData) -> bool:
        return has_files(mime)

    def drop(self, mime: QMimeData) -> None:
        path = local_file(mime)
        if path:
            self.controller.drop(path)

    def state(self) -> dict[str, Any]:
        return self.history.state.to_dict()

    def restore(self, state: dict[str, Any]) -> None:
        self.controller.restore(TheoryState.from_dict(state))

    def is_idle(self) -> bool:
        return not self.controller.learning and self._canvas.is_still()

    def hidden(self) -> None:
        self.controller.pause()

    def hint(self) -> str:
        return tr("Drag what is round, and click the coloured words below: every number follows.")

    # What the page does itself

    def try_this(self, act: dict | str) -> None:
        """What a click on words of the "Try this" line does."""
        if isinstance(act, dict):
            self.controller.pause()
            self.controller.change(tr("Try this"), **act)
        elif act.startswith("learn"):
            self.controller.pause()
            if target := act.partition(":")[2]:
                self.controller.change(tr("Target"), target=target)
            self.controller.learn()
        elif act == "step":
            self._walk(1)

    def go_on(self) -> None:
        """Space: learn or pause; a step, and from the last one back to the beginning."""
        state = self.history.state
        if state.figure == "curve":
            self.controller.toggle_learning()
        elif state.figure == "masks":
            before = state.masks.phase
            self.controller.walk_mask(1)
            if self.history.state.masks.phase == before:
                self.controller.walk_mask(-before)

    def _walk(self, by: int) -> None:
        if self.history.state.figure == "masks":
            self.controller.walk_mask(by)
        elif self.history.state.figure == "curve" and by > 0:
            self.controller.learn_step()

    # Saving

    def copy_figure(self) -> None:
        """Put the page, as it is, on the clipboard."""
        QGuiApplication.clipboard().setImage(self._canvas.grab().toImage())

    def save_figure(self) -> None:
        """Ask for a name and write the page as PNG."""
        start = LastFolder(self.context.settings, "folder.save", str(Path.home()))
        ask_save(self, tr("Save the figure"), f"{self.history.state.figure}.png", self.write_figure, start, tr("PNG picture"))

    def write_figure(self, path: str) -> None:
        """Write the page to ``path``; what is wrong with it is said in the window."""
        try:
            save_png(path, np.ascontiguousarray(from_image(self._canvas.grab().toImage())[:, :, :3]))
        except FlowError as error:
            self.context.notify(str(error))
        else:
            self.context.notify(tr("Saved {name}.", name=Path(path).name), kind="good")
