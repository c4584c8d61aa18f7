"""The chip that shows what computes, with a live dot for the engine, and the menu that chooses another."""

from __future__ import annotations

import math

from PySide6.QtCore import QElapsedTimer, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from flow_explorer import theme
from flow_explorer.engine.client import EngineClient
from flow_explorer.i18n import tr
from flow_explorer.widgets.button import ChipButton
from flow_explorer.widgets.plain import plain, unmarked

_BUSY_AFTER_MS = 200
_PULSE_MS = 1200


class DeviceChip(ChipButton):
    """Follows an ``EngineClient``: green when ready, pulsing while it computes, vermilion when it is gone."""

    chosen = Signal(str)
    """The person picked a device."""

    def __init__(self, engine: EngineClient, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._engine = engine
        self.setMenu(QMenu(self))
        self.menu().aboutToShow.connect(self._fill_menu)
        self._clock = QElapsedTimer()
        self._pulse = QTimer(self, interval=50)
        self._pulse.timeout.connect(self._beat)
        # A burst of short requests must not make the dot flicker.
        self._busy = QTimer(self, singleShot=True, interval=_BUSY_AFTER_MS)
        self._busy.timeout.connect(self._start_pulse)
        engine.state_changed.connect(lambda _state: self.refresh())
        engine.trouble.connect(lambda _words, _help: self.refresh())
        engine.ready.connect(lambda _info: self.refresh())
        engine.device_changed.connect(lambda _device: self.refresh())
        self.refresh()

    def title(self) -> str:
        """The device's name for a person."""
        for device in self._engine.devices:
            if device["id"] == self._engine.device:
                return device["title"]
        return self._engine.device or ""

    def refresh(self) -> None:
        """Show the engine's state as it is."""
        state = self._engine.state
        if state in ("ready", "busy") and self._engine.silent:
            state = "silent"
        if state == "busy":
            if not self._busy.isActive() and not self._pulse.isActive():
                self._busy.start()
        else:
            self._busy.stop()
            self._pulse.stop()
        words, tone = {
            "silent": (tr("No answer"), "warning"),
            "starting": (tr("Starting…"), "faint"),
            "restarting": (tr("Restarting…"), "warning"),
            "stopped": (tr("Engine stopped"), "warning"),
        }.get(state, (self.title(), "good"))
        self.set_texts(words)
        if not self._pulse.isActive():
            self.set_dot(tone)
        tips = {
            "starting": tr("The engine is starting; samples follow in a moment"),
            "restarting": tr("The engine stopped and is being started again"),
            "stopped": tr("The engine is not running: start it again from this menu"),
            "busy": tr("The engine is computing"),
            "silent": tr("The engine does not answer: restart it from this menu"),
        }
        self.setToolTip(plain(tips.get(state, tr("What the engine computes on"))))
        self.setAccessibleName(tr("Device: {name}", name=words))

    def _start_pulse(self) -> None:
        if self._engine.state == "busy" and not self._engine.silent and theme.animations_enabled():
            self._clock.start()
            self._pulse.start()

    def _beat(self) -> None:
        phase = 0.5 + 0.5 * math.cos(2 * math.pi * self._clock.elapsed() / _PULSE_MS)
        self.set_dot("good", round(phase, 2))

    def _fill_menu(self) -> None:
        menu = self.menu()
        menu.clear()
        if self._engine.state == "stopped":
            menu.addAction(tr("Start the engine again"), self._engine.start)
            return
        group = QActionGroup(menu)
        for device in self._engine.devices:
            action = QAction(unmarked(device["title"]), menu, checkable=True)
            action.setChecked(device["id"] == self._engine.device)
            action.triggered.connect(lambda _checked=False, id=device["id"]: self.chosen.emit(id))
            group.addAction(action)
            menu.addAction(action)
        if not self._engine.devices:
            menu.addAction(tr("The engine is still starting")).setEnabled(False)
        menu.addSeparator()
        menu.addAction(tr("Restart the engine"), self._engine.restart)
