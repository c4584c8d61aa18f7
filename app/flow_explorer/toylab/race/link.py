"""Between the settings and the engine's race: what is asked, and what of the answers still counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from flow_explorer.engine.client import Message
from flow_explorer.engine.requests.race import RunRace
from flow_explorer.toylab.race.rivals import MAX_RIVALS, Rival, next_rival, racers
from flow_explorer.toylab.race_past import RacePast
from flow_explorer.toylab.race_run import RaceRun, RaceRuns
from flow_explorer.toylab.state import FLOWS
from flowcore.fields import settings

if TYPE_CHECKING:
    from flow_explorer.toylab.controller import ToyController

__all__ = ["STEP_S", "RaceLink"]

STEP_S = 0.01
"""Seconds of training that a press of "Step" gives every racer."""
SHARES = {"stages": 0.01, "slow": 0.04, "medium": 0.25, "full": 1.0}
"""Of the time, what is trained at each speed."""


class RaceLink:
    """The race's part of the controller: play, pause, step and reset are the controller's own."""

    def __init__(self, controller: ToyController) -> None:
        self._controller = controller
        self._runs = RaceRuns()
        self._sent: tuple[Any, ...] = ()
        self._goal = 0.0
        self._there: int | None = None  # the race that the engine is known to have
        self._first_id = 0
        self._resting = True
        self.density = False
        """Whether densities are shown instead of samples."""
        self.past = RacePast(lambda: self.run, controller.arrived.emit)

    # What the person does

    def begin(self) -> None:
        """Race against another flow; the training that was there waits."""
        if not self._controller.state.rivals:
            self.add()

    def leave(self) -> None:
        """Back to the training that was there, which stands still until it is played."""
        self._controller.playing = False
        self._set(())

    def toggle(self) -> None:
        """Begin or leave."""
        self.leave() if self._controller.state.rivals else self.begin()

    def add(self) -> None:
        """One more flow, of a kind that is not in the race yet."""
        state = self._controller.state
        if len(state.rivals) < MAX_RIVALS:
            own = Rival(**{name: getattr(state, name) for name in settings(Rival)})
            taken = [state.flow, *(rival.flow for rival in state.rivals)]
            self._set((*state.rivals, next_rival(taken, FLOWS, own)))

    def remove(self, index: int) -> None:
        """Without the rival of that number, from 0; without the last one there is no race."""
        rivals = self._controller.state.rivals
        self._set(rivals[:index] + rivals[index + 1 :])

    def change(self, index: int, rival: Rival, drag: bool = False) -> None:
        """Another flow or size for a rival."""
        rivals = list(self._controller.state.rivals)
        rivals[index] = rival
        self._set(tuple(rivals), drag)

    def _set(self, rivals: tuple[Rival, ...], drag: bool = False) -> None:
        if rivals != self._controller.state.rivals:
            self._controller.set("rivals", rivals, drag)

    def show_density(self, shown: bool) -> None:
        """Densities or samples."""
        if shown != self.density:
            self.density = shown
            self.run.fresh_heats.clear()
            self._controller.refresh()

    def step(self) -> None:
        """A slice of time for everybody."""
        self._goal = max(self._goal, self.run.least_seconds) + STEP_S
        self._controller.refresh()

    # What there is

    @property
    def run(self) -> RaceRun:
        """The race that the settings name."""
        return self._runs.get(self._controller.state.race, self.configs())

    def configs(self) -> list[dict[str, Any]]:
        """What each trains, the settings' own flow first."""
        state = self._controller.state
        return racers(state.config(), state.rivals)

    def is_idle(self) -> bool:
        """No race is asked for, or it stands still with everything here."""
        return self._resting

    # The engine

    def forget(self, another: bool = False) -> None:
        """The engine is to be asked anew; with ``another`` it is another process, and knows no race."""
        self._sent = ()
        if another:
            self._there = None
            # A slice that died with the engine is not taken twice.
            self._goal = min(self._goal, min(self.run.snapshot_seconds, default=0.0))

    def ask(self, playing: bool) -> None:
        """Let the race be as the settings say."""
        state = self._controller.state
        if not state.rivals:
            if self._sent and self._sent[2]:
                self._send((*self._sent[:2], False, 0.0, 1.0, False), seen=False)  # the one that was left stands still
            self._sent, self._goal, self._resting = (), 0.0, True
            return
        if self._sent and self._sent[:2] != (state.race, self.configs()):
            self._goal = 0.0
        self._send((state.race, self.configs(), playing, self._goal, SHARES[state.speed], self.density))

    def _send(self, wish: tuple[Any, ...], seen: bool = True) -> None:
        if wish == self._sent:
            return
        race, configs, playing, goal, share, density = wish
        is_another = not self._sent or self._sent[:2] != (race, configs)
        if is_another:
            self._there = None
        self._sent, self._resting = wish, False
        run = self._runs.get(race, configs)
        knows = self._there == race
        id_ = self._controller.engine.send(
            RunRace(
                race, tuple(configs), playing, goal, share, density,
                np.empty(0, np.uint8) if knows else run.snapshots,
                () if knows else run.lengths, () if knows else run.snapshot_seconds, seen,
            ),
            on_answer=self._on_answer, on_error=self._on_error,
        )  # fmt: skip
        if is_another:
            self._first_id = id_

    def _on_answer(self, message: Message) -> None:
        number = message.data["race"]
        state = self._controller.state
        if number != state.race or not state.rivals:
            if message.kind == "snapshot" and number in self._runs:
                self._runs.get(number).take(message.kind, message.data, message.arrays)
            return
        if message.id >= self._first_id:
            self._there = number
        self.run.take(message.kind, message.data, message.arrays)
        self.past.record(message.kind, self.density)
        if message.kind == "rest":
            self._resting = True
            self._goal = min(self._goal, self.run.least_seconds)
        self._controller.arrived.emit()

    def _on_error(self, sentence: str, details: str) -> None:
        self._sent, self._resting, self._goal = (), True, 0.0
        self._controller.stopped_by(sentence, details)
