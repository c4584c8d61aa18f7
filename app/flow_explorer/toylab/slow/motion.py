"""Slow motion: one training step in four stages, with captions. This is the clock and the data; the view only draws it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from flow_explorer.engine.client import Message
from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.pace import StepInStages

if TYPE_CHECKING:
    from flow_explorer.toylab.controller import ToyController

__all__ = ["STAGES", "STAGE_S", "SlowMotion"]

STAGES = ("forward", "log-det", "gradient", "update")
"""Of a flow of layers; a continuous one's first two are "draw times" and "velocity asked for"."""
STAGE_S = (2.4, 1.8, 1.8, 2.0)
"""Seconds that each stage takes."""


class SlowMotion(QObject):
    """Plays the next step of the present training stage by stage, takes it, and goes on with the one after.

    The stages are computed on a copy; at the end of the fourth the training itself takes the step, which is the same one.
    ``tick`` is called at every frame while it is on.
    """

    def __init__(self, controller: ToyController) -> None:
        super().__init__(controller)
        self._controller = controller
        self.detail: Message | None = None
        self.stage = 0
        self.gone = 0.0
        """Seconds into the stage."""
        self.sentence = ""
        """Why there is nothing to show, where that is so."""
        self._query = Query(controller.engine)
        self._of: tuple[int, int] | None = None  # run and step that the detail is about
        self._last: float | None = None
        self._left = 0

    @property
    def on(self) -> bool:
        """Slow motion is chosen, and there is one training to show."""
        state = self._controller.state
        return state.speed == "stages" and not state.rivals and not self._controller.forward.active

    @property
    def fraction(self) -> float:
        """How far into the stage, 0 to 1."""
        return min(1.0, self.gone / STAGE_S[self.stage])

    def is_still(self) -> bool:
        """Nothing is asked for and nothing moves."""
        return not self.on or not (self._controller.playing or self._query.busy)

    def tick(self, now: float | None = None) -> bool:
        """Go on by the time that has passed; whether anything changed."""
        now = time.monotonic() if now is None else now
        passed = 0.0 if self._last is None else min(0.1, max(0.0, now - self._last))
        self._last = now
        if not self.on:
            self.detail, self._last = None, None
            self._query.want(None)
            return False
        controller = self._controller
        here = controller.training.number, controller.training.step
        if self.detail is None or self._of != here:
            self._ask(here)
            return False
        if not controller.playing:
            return False
        self.gone += passed
        if self.gone >= STAGE_S[self.stage]:
            self._next()
        return True

    def skip(self) -> None:
        """To the next stage at once; from the last one the step is taken."""
        if self.on and self.detail is not None:
            self._next()

    def _next(self) -> None:
        if self.stage < len(STAGES) - 1:
            self.stage, self.gone = self.stage + 1, 0.0
        elif self._of is not None and self._left != self._of[1]:
            self.gone, self._left = STAGE_S[-1], self._of[1]
            self._controller.step_on()

    def _ask(self, here: tuple[int, int]) -> None:
        """Ask for the next step's stages once the training stands still with its weights here."""
        controller = self._controller
        training = controller.training
        if not controller.resting or training.snapshot_step != training.step or not training.snapshot.size:
            return
        request = StepInStages(training.snapshot, controller.state.live)
        if self._query.want(request, lambda message, current: self._on_answer(here, message, current), self._on_error):
            self.sentence = ""

    def forget(self) -> None:
        """What was asked of an engine that died is asked again."""
        self._query.forget()

    def _on_error(self, sentence: str, details: str) -> None:
        self.detail, self.sentence = None, sentence
        self._controller.stopped_by(sentence, details)

    def _on_answer(self, here: tuple[int, int], message: Message, current: bool) -> None:
        if not current:
            return
        self.detail, self._of, self._left = message, here, -1
        self.stage, self.gone = 0, 0.0
        self._controller.arrived.emit()
