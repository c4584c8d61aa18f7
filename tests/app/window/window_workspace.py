"""A small workspace for the tests of the window: a number that is set, undone, saved and restored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flow_explorer.history import History
from flow_explorer.widgets import Button, ChipButton, Heading, Inspector, NumberField, ValueSlider
from flow_explorer.workspace import Command, Workspace, WorkspaceContext
from flowcore.errors import ConfigError


@dataclass(frozen=True)
class State:
    number: int = 0
    wrong: bool = False


class Counter(Workspace):
    def __init__(self, context: WorkspaceContext) -> None:
        super().__init__(context)
        self.history = History(State())
        self.history.subscribe(lambda _state: self.state_changed.emit())
        self.calls: list[Any] = []
        self.busy = False
        self.button = Button("Add", "primary")
        self.button.clicked.connect(self.add)
        QVBoxLayout(self).addWidget(self.button)
        self._inspector = Inspector()
        self._inspector.add(Heading("Number"))
        self.slider = self._inspector.add(ValueSlider("Number", 0, 10, 0, 1, 0))
        self.seed = self._inspector.add(NumberField("Seed"))
        self.seed.value_changed.connect(lambda number: self.set_number(number))
        self._chip = ChipButton("Counter", "a test")

    def add(self) -> None:
        self.set_number(self.history.state.number + 1)

    def set_number(self, number: int) -> None:
        self.history.do(replace(self.history.state, number=number), f"Set to {number}")

    def inspector(self) -> QWidget:
        return self._inspector

    def topbar(self) -> QWidget:
        return self._chip

    def commands(self) -> list[Command]:
        return [
            Command("Add one", ("Space",), self.add),
            Command("Add many", ("Right",), self.add, repeats=True),
            Command("Copy", ("Ctrl+Shift+C",), lambda: self.calls.append("copy")),
        ]

    def save_menu(self):
        return [
            ("Save the picture", lambda: self.calls.append("save one"), False),
            ("Save the number", lambda: self.calls.append("save two"), True),
        ]

    def can_drop(self, mime: QMimeData) -> bool:
        return mime.hasText()

    def drop(self, mime: QMimeData) -> None:
        self.calls.append(mime.text())

    def state(self) -> dict[str, Any]:
        return {"number": self.history.state.number}

    def restore(self, state: dict[str, Any]) -> None:
        if not isinstance(state.get("number"), int):
            raise ConfigError("The number in the session is no number.")
        self.history.reset(State(state["number"]))

    def is_idle(self) -> bool:
        return not self.busy

    def engine_ready(self, info):
        self.calls.append("ready")

    def engine_restarted(self):
        self.calls.append("restarted")

    def shown(self):
        self.calls.append("shown")

    def hidden(self):
        self.calls.append("hidden")

    def hint(self) -> str:
        return "Press Add.\nPress it again."


def create(context: WorkspaceContext) -> Workspace:
    return Counter(context)
