"""Between the toy lab's settings and the engine: what is asked, and what of the answers still counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from PySide6.QtCore import QObject, Signal

from flow_explorer.engine.client import EngineClient, Message
from flow_explorer.engine.query import Query, same
from flow_explorer.engine.requests.toy import MAX_ANCESTORS, RunToy, SaveToy
from flow_explorer.history import History
from flow_explorer.i18n import tr
from flow_explorer.toylab.fast_forward import FastForward
from flow_explorer.toylab.history.playback import Playback
from flow_explorer.toylab.panels.curve import Curve
from flow_explorer.toylab.race.entries import racers
from flow_explorer.toylab.race.link import SHARES, STEP_S, RaceLink
from flow_explorer.toylab.run import Run, RunEntry, Runs
from flow_explorer.toylab.slow.motion import SlowMotion
from flow_explorer.toylab.state import ToyState
from flow_explorer.toylab.views.names import needs
from flowcore.fields import settings
from flowcore.plane.layers import LayerSpec

__all__ = ["ToyController"]

_WISH = ("run", "entries", "playing", "goal", "speed", "share", "views", "forward")
"""The fields of a request that say how the run should be; the rest is what a new run begins with."""


class _Named(NamedTuple):
    """What a state names."""

    state: ToyState
    configs: tuple[dict[str, Any], ...]
    training: Run
    run: Run


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
        self._query = Query(engine, each=True)
        self._started = self._suspended = False
        self._goal = 0.0
        self._next_run = history.state.run + 1
        self._ancestors: dict[int, tuple[int, ...]] = {}  # of a run with edited layers: those it takes weights from
        self._asked: Run | None = None  # the run that the engine was asked for last
        self._there = False  # whether the engine is known to have it
        self._stint = 0  # counts the runs that were asked for: what was asked for an earlier one proves nothing
        self._named: _Named | None = None
        self.past = Playback(lambda: self.run, self.arrived.emit)
        self.race, self.forward = RaceLink(self), FastForward(self)
        self.slow = SlowMotion(self)
        history.subscribe(self._on_state)

    @property
    def state(self) -> ToyState:
        """The settings."""
        return self.history.state

    def _of_state(self) -> _Named:
        """Looked up once a state: the views ask at every frame."""
        state = self.state
        if self._named is None or self._named.state is not state:
            configs = tuple(racers(state.config(), state.rivals))
            training = self.runs.get(state.run, configs[:1])
            self._named = _Named(state, configs, training, self.runs.get(state.race, configs) if state.rivals else training)
        return self._named

    @property
    def configs(self) -> tuple[dict[str, Any], ...]:
        """What each flow trains that the settings name, their own first."""
        return self._of_state().configs

    @property
    def run(self) -> Run:
        """What the settings name: the race while there is one, else the training."""
        return self._of_state().run

    @property
    def training(self) -> RunEntry:
        """The training that the settings name; it waits while there is a race."""
        return self._of_state().training.entries[0]

    @property
    def shown(self) -> RunEntry:
        """The training as it is on screen, which may be an earlier moment of it."""
        return self.training if self.state.rivals else self.past.shown.entries[0]

    @property
    def resting(self) -> bool:
        """What was asked for last stands still, with everything of it here."""
        return self._asked is not None and not self._query.busy

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
            number = self.new_number()
            self.history.do(replace(state, run=number, race=number if state.rivals else state.race), label, merge=merge)

    def seal(self) -> None:
        """A drag has ended."""
        self.history.seal()

    def reset(self) -> None:
        """Train anew with the same settings; undo goes back to the old training."""
        what = "race" if self.state.rivals else "run"
        self.history.do(replace(self.state, **{what: self.new_number()}), tr("Reset"))

    def edit_layers(self, layers: tuple[LayerSpec, ...] | None, label: str) -> None:
        """Train another list of layers, None for the flow's own: what an edit keeps starts with the weights it has."""
        before, number = self.state.run, self.new_number()
        self._ancestors[number] = (before, *self._ancestors.get(before, ()))[:MAX_ANCESTORS]
        self.history.do(replace(self.state, layers=layers, run=number), label)

    def take_settings(self, state: ToyState) -> None:
        """Other settings altogether (a saved picture's), as one act: a training of its own."""
        number = self.new_number()
        self.history.do(replace(state, run=number, race=number), tr("Settings of a picture"))

    def know_numbers(self, states: Iterable[ToyState]) -> None:
        """Never give a number to another training that one of these states has."""
        self._next_run = max([self._next_run, *(max(state.run, state.race) + 1 for state in states)])

    def new_number(self) -> int:
        """A number that no training has yet."""
        self._next_run += 1
        return self._next_run - 1

    def play(self) -> None:
        """Train on."""
        self.playing, self._goal = True, 0.0
        self.forward.stop()
        self._ask()

    def pause(self) -> None:
        """Stand still where it is."""
        if self.playing:
            self.playing, self._goal = False, 0.0
            self._ask()

    def toggle(self) -> None:
        """Play or pause."""
        self.pause() if self.playing else self.play()

    def step(self) -> None:
        """One step more; a pause where it played. In slow motion, the next stage."""
        if self.playing:
            self.pause()
        elif self.slow.on:
            self.slow.skip()
            self.changed.emit()
        else:
            self.step_on()

    def step_on(self) -> None:
        """One step more, whether it plays (in stages) or not; in a race a slice of time for everybody."""
        run = self.run
        self._goal = max(self._goal, run.progress) + (STEP_S if run.is_race else 1)
        self._ask()

    def stand_still(self) -> None:
        """Play no further, from the next time on that anything is asked."""
        self.playing = False

    def begin_from(self, step: int, snapshot: np.ndarray) -> None:
        """Another training that goes on from kept weights of this one; undo goes back to this one."""
        number, before = self.new_number(), self.training
        self.runs.get(number, self.configs[:1]).entries[0].inherit(before, step, snapshot)
        self.history.do(replace(self.state, run=number), tr("Continue from step {n}", n=f"{step:,}"))

    def continue_from_here(self) -> None:
        """Go on from the weights kept nearest before the moment on screen."""
        found = self.past.snapshot()
        if found is not None:
            self.past.back_to_now()
            self.begin_from(*found)

    def take_up(self, state: ToyState, label: str, step: int, snapshot: np.ndarray, curve: Curve) -> None:
        """A saved training, as one act: it stands still where it was saved. ``state`` has a number that no training has yet."""
        self.pause()
        if snapshot.size:
            self.runs.get(state.run, (state.config(),)).entries[0].begin(step, snapshot, curve)
        self.history.seal()
        self.history.do(state, label)
        self.history.seal()

    def save_model(self, path: str) -> None:
        """Let the engine write the training's last snapshot as a checkpoint."""
        self.engine.send(
            SaveToy(path, self.training.snapshot),
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
        return self.training.snapshot.size > 0

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
        """Another process: it knows no run, and gets the last snapshots of this one."""
        self._there = False
        self._query.forget()
        self.slow.forget()
        if self._started:
            self._goal = min(self._goal, self.run.kept_progress)  # a step that died with the engine is not taken twice
            self._ask()

    def device_changed(self) -> None:
        """The same run on another device: asked for again."""
        self._query.forget()
        self.refresh()

    def is_idle(self) -> bool:
        """Standing still, with everything of it here."""
        return self._started and self.resting and self.slow.is_still()

    # The engine

    def _on_state(self, state: ToyState) -> None:
        self._next_run = max(self._next_run, state.run + 1, state.race + 1)
        self.refresh()

    def refresh(self) -> None:
        """Ask again, where something beside the settings has changed."""
        if self._started:
            self._ask()

    def _ask(self) -> None:
        run = self.run
        if run is not self._asked:
            before, self._asked = self._asked, run
            self._there = False
            self._stint += 1
            if before is not None:
                self._goal = 0.0
                self.past.back_to_now()
        wish = self._wish(run)
        if not same(wish, self._query.request, *_WISH):
            if not self._there:
                wish = replace(wish, **run.weights())
            self._query.want(wish, partial(self._on_answer, self._stint), self._on_error)
        self.changed.emit()

    def _wish(self, run: Run) -> RunToy:
        """How the run should be from now on."""
        state = self.state
        forward = self.forward.wanted(state)
        playing = self.playing and not self._suspended and not forward
        if run.is_race:
            return RunToy(run.number, self.configs, playing, self._goal, share=SHARES[state.speed], views=self.race.views)
        playing = playing and state.speed != "stages"
        return RunToy(
            run.number, self.configs, playing, self._goal, state.steps_a_second, views=needs(state.views),
            kept_from=self._ancestors.get(run.number, ()), forward=forward,
        )  # fmt: skip

    def _on_answer(self, stint: int, message: Message, _current: bool) -> None:
        data, run = message.data, self.run
        if (data["run"], len(data["steps"])) != (run.number, len(run.entries)):
            left = self.runs.find(data["run"], len(data["steps"]))
            if message.kind == "snapshot" and left is not None:
                # The last of a training that the person has left: undo goes back to exactly there.
                left.take(message.kind, data, message.arrays)
            return
        if stint != self._stint:
            return
        self._there = True
        run.take(message.kind, data, message.arrays)
        self.past.record(message.kind, heats=self.race.density or not run.is_race)
        self.forward.took(message)
        if message.kind == "rest":
            self._goal = min(self._goal, run.progress)
        self.arrived.emit()

    def stopped_by(self, sentence: str, details: str) -> None:
        """A training or slow motion broke down: it stops."""
        self.stand_still()
        self.changed.emit()
        self.failed.emit(sentence, details)

    def _on_error(self, sentence: str, details: str) -> None:
        self._goal = 0.0
        self._query.forget()
        self.forward.stop()
        self.stopped_by(sentence, details)
