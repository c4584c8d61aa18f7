"""Between the toy lab's settings and the engine: what is asked, and what of the answers still counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from flow_explorer.engine.client import EngineClient, Message
from flow_explorer.engine.requests.toy import MAX_ANCESTORS, RunToy, SaveToy
from flow_explorer.history import History
from flow_explorer.i18n import tr
from flow_explorer.toylab.forward import Forward
from flow_explorer.toylab.history.past import Past
from flow_explorer.toylab.race.link import RaceLink
from flow_explorer.toylab.run import Run, Runs
from flow_explorer.toylab.slow.motion import SlowMotion
from flow_explorer.toylab.state import RESTARTING, ToyState
from flow_explorer.toylab.views.names import needs
from flowcore.fields import settings
from flowcore.plane.layers import LayerSpec

__all__ = ["ToyController"]

class ToyController(QObject):
    """Owns the trainings; the views ask ``run`` for the newest of everything, at their own pace."""

    changed = Signal()
    """The settings, or whether it plays."""
    arrived = Signal()
    """Something of the present run has come."""
    failed = Signal(str, str)
    """(a sentence, a traceback)"""
    saved = Signal(str)

    def __init__(self, engine: EngineClient, history: History[ToyState], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine, self.history = engine, history
        self.runs = Runs()
        self.playing = False
        self.resting = False
        self._started = self._suspended = False
        self._goal = 0
        self._next_run = history.state.run + 1
        self._ancestors: dict[int, tuple[int, ...]] = {}  # of a run with edited layers: those it takes weights from
        self._there: int | None = None  # the run that the engine is known to have
        self._first_id = 0  # of the requests for the present run: what earlier ones answer proves nothing
        self._sent: tuple[Any, ...] = ()
        self.race, self.past, self.forward = RaceLink(self), Past(self), Forward(self)
        self.slow = SlowMotion(self)
        history.subscribe(self._on_state)

    @property
    def state(self) -> ToyState:
        """The settings."""
        return self.history.state

    @property
    def run(self) -> Run:
        """The training that the settings name."""
        return self.runs.get(self.state.run)

    # What the person does

    def set(self, name: str, value: Any, drag: bool = False) -> None:
        """Change a setting; steps of one drag become one act."""
        state = self.state.changed(name, value, self._next_run)
        if self._next_run in (state.run, state.race):
            self._next_run += 1
        self.history.do(state, tr(settings(state)[name].label), merge=name if drag else None)

    def set_target(self, target: dict | None, label: str, density: str | None = None, merge: str | None = None) -> None:
        """Another target (None: a built-in density itself), as one act; steps with the same ``merge`` are one drag."""
        state = replace(self.state, target=target, density=self.state.density if density is None else density)
        if state != self.state:
            self._next_run += 1
            self.history.do(replace(state, run=self._next_run - 1), label, merge=merge)

    def seal(self) -> None:
        """A drag has ended."""
        self.history.seal()

    def reset(self) -> None:
        """Train anew with the same settings; undo goes back to the old training."""
        self._next_run += 1
        what = "race" if self.state.rivals else "run"
        self.history.do(replace(self.state, **{what: self._next_run - 1}), tr("Reset"))

    def edit_layers(self, layers: tuple[LayerSpec, ...] | None, label: str) -> None:
        """Train another list of layers, None for the flow's own: what an edit keeps starts with the weights it has."""
        before, number = self.state.run, self._next_run
        self._ancestors[number] = (before, *self._ancestors.get(before, ()))[:MAX_ANCESTORS]
        self._next_run += 1
        self.history.do(replace(self.state, layers=layers, run=number), label)

    def take_settings(self, state: ToyState) -> None:
        """Other settings altogether (a saved picture's), as one act: a training of its own."""
        self._next_run += 1
        self.history.do(replace(state, run=self._next_run - 1, race=self._next_run - 1), tr("Settings of a picture"))

    def new_number(self) -> int:
        """A number that no training has yet."""
        self._next_run += 1
        return self._next_run - 1

    def play(self) -> None:
        """Train on."""
        self.playing, self._goal = True, 0
        self.forward.stop()
        self._ask()

    def pause(self) -> None:
        """Stand still where it is."""
        if self.playing:
            self.playing, self._goal = False, 0
            self._ask()

    def toggle(self) -> None:
        """Play or pause."""
        self.pause() if self.playing else self.play()

    def step(self) -> None:
        """One step more; a pause where it played. In slow motion, the next stage."""
        if self.playing:
            self.pause()
            return
        if self.state.rivals:
            self.race.step()
            return
        if self.slow.on:
            self.slow.skip()
            self.changed.emit()
            return
        self._goal = max(self._goal, self.run.step) + 1
        self._ask()

    def step_on(self) -> None:
        """One step more, whether it plays (in stages) or not."""
        self._goal = max(self._goal, self.run.step) + 1
        self._ask()

    def begin_from(self, step: int, snapshot: np.ndarray) -> None:
        """Another training that goes on from kept weights of this one; undo goes back to this one."""
        number, before = self._next_run, self.run
        self._next_run += 1
        self.runs.get(number).inherit(before, step, snapshot)
        self.history.do(replace(self.state, run=number), tr("Continue from step {n}", n=f"{step:,}"))

    def save_model(self, path: str) -> None:
        """Let the engine write the training's last snapshot as a checkpoint."""
        self.engine.send(
            SaveToy(path, self.run.snapshot),
            on_answer=lambda message: self.saved.emit(message.data["path"]),
            on_error=self.failed.emit,
        )

    @property
    def is_seen(self) -> bool:
        """Whether the toy lab is in front."""
        return not self._suspended

    @property
    def can_save(self) -> bool:
        """There is a model to save."""
        return self.run.snapshot.size > 0

    # The workspace's life

    def start(self) -> None:
        """Show the run of the settings as it is."""
        if not self._started:
            self._started = True
            self._ask()

    def suspend(self) -> None:
        """Not seen any more: training stops until ``resume``."""
        if self._started and (self.playing or self.forward.active) and not self._suspended:
            self._suspended = True
            self._ask()

    def resume(self) -> None:
        """Seen again."""
        if self._suspended:
            self._suspended = False
            self._ask()

    def engine_restarted(self) -> None:
        """Another process: it knows no run, and gets the last snapshot of this one."""
        self._there, self._sent = None, ()
        self.race.forget(another=True)
        self.slow.forget()
        if self._started:
            if self._goal > self.run.snapshot_step:
                self._goal = self.run.snapshot_step  # a step that died with the engine is not taken twice
            self._ask()

    def device_changed(self) -> None:
        """The same run on another device: asked for again."""
        self._sent = ()
        self.race.forget()
        if self._started:
            self._ask()

    def is_idle(self) -> bool:
        """Standing still, with everything of it here."""
        return self._started and self.resting and self.race.is_idle() and self.slow.is_still()

    # The engine

    def _on_state(self, state: ToyState) -> None:
        self._next_run = max(self._next_run, state.run + 1, state.race + 1)
        if self._sent and self._sent[0] != state.run:
            self._goal = 0
        if self._started:
            self._ask()

    def _ask(self) -> None:
        state = self.state
        playing = self.playing and not self._suspended
        self.race.ask(playing)
        playing = playing and not state.rivals and state.speed != "stages"
        forward = self.forward.wanted(state)
        playing = playing and not forward
        views = needs(state.views)
        wish = (state.run, state.config(), playing, self._goal, state.speed, views, forward)
        if wish != self._sent:
            is_another = not self._sent or self._sent[0] != state.run
            if is_another:
                self._there = None
            self._sent = wish
            self.resting = False
            snapshot = self.run.snapshot if self._there is None else np.empty(0, np.uint8)
            id_ = self.engine.send(
                RunToy(
                    state.run, state.config(), playing, self._goal, state.steps_a_second, snapshot, views,
                    self._ancestors.get(state.run, ()), forward,
                ),  # fmt: skip
                on_answer=self._on_answer,
                on_error=self._on_error,
            )
            if is_another:
                self._first_id = id_
        self.changed.emit()

    def _on_answer(self, message: Message) -> None:
        number = message.data["run"]
        if number != self.state.run:
            if message.kind == "snapshot" and number in self.runs:
                # The last of a training that the person has left: undo goes back to exactly there.
                self.runs.get(number).take(message.kind, message.data, message.arrays)
            return
        if not self._is_of_present_shape(message):
            return
        if message.id >= self._first_id:
            self._there = number
        self.run.take(message.kind, message.data, message.arrays)
        self.past.record(message.kind)
        self.forward.took(message)
        if message.kind == "rest":
            self.resting = True
            self._goal = min(self._goal, self.run.step)
        self.arrived.emit()

    def _is_of_present_shape(self, message: Message) -> bool:
        if message.kind != "start":
            return True
        config, wanted = message.data["config"], self.state.config()
        return all(config[name] == wanted[name] for name in RESTARTING)

    def refresh(self) -> None:
        """Ask again, where something beside the settings has changed."""
        if self._started:
            self._ask()

    def stopped_by(self, sentence: str, details: str) -> None:
        """A race or slow motion broke down: it stops."""
        self.playing = False
        self.changed.emit()
        self.failed.emit(sentence, details)

    def _on_error(self, sentence: str, details: str) -> None:
        self.playing, self._goal, self._sent = False, 0, ()
        self.resting = True
        self.forward.stop()
        self.changed.emit()
        self.failed.emit(sentence, details)
