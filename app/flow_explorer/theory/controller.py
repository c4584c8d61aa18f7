"""What the person does on the theory page, as steps that can be undone; and the curve's learning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from flow_explorer.history import History
from flow_explorer.i18n import tr
from flow_explorer.theory.pictures import Glows, Pictures
from flow_explorer.theory.state import TheoryState
from flowcore.errors import FlowError
from flowcore.theory.curve import Curve
from flowcore.theory.learning import Learner
from flowcore.theory.masking import steps_of

__all__ = ["TheoryController"]

TICK_MS = 33
STEPS_A_TICK = 2
MOST_STEPS = 1200


class TheoryController(QObject):
    """Owns the acts; figures and panels show ``state`` and call these."""

    learning_changed = Signal()
    failed = Signal(str)
    """A sentence."""

    def __init__(self, history: History[TheoryState], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history = history
        self.pictures, self.glows = Pictures(), Glows()
        self.timer = QTimer(self, interval=TICK_MS)
        self.timer.timeout.connect(self._learn_on)
        self._learner: Learner | None = None
        self._run = 0
        history.subscribe(lambda _state: self._on_state())

    @property
    def state(self) -> TheoryState:
        """The page's state."""
        return self.history.state

    # What the person does

    def show_figure(self, figure: str) -> None:
        """Another figure to the front; no step of its own, but undo goes back to where an act was done."""
        self.pause()
        self.history.seal()
        self.history.amend(replace(self.state, figure=figure))

    def change(self, words: str, merge: str | None = None, /, **values: Any) -> None:
        """Change values of the figure in front; steps with the same ``merge`` become one act until ``seal``."""
        self.history.do(self.state.changed(self.state.figure, **values), words, merge=merge)

    def put(self, part: Any, words: str, merge: str | None = None) -> None:
        """Replace the state of the figure in front."""
        self.history.do(replace(self.state, **{self.state.figure: part}), words, merge=merge)

    def seal(self) -> None:
        """A drag has ended."""
        self.history.seal()

    def reset(self) -> None:
        """The figure in front as it was at first."""
        self.pause()
        self.put(type(self.state.current)(), tr("Reset the figure"))

    def set_mask(self, mask: str) -> None:
        """Another mask, from its beginning."""
        self.change(tr("Mask"), mask=mask, phase=0)

    def walk_mask(self, by: int) -> None:
        """On or back by half steps of the masks' figure, within its bounds."""
        masks = self.state.masks
        phase = max(0, min(2 * steps_of(masks.mask), masks.phase + by))
        if self.state.figure == "masks" and phase != masks.phase:
            self.change(tr("Step"), "phase", phase=phase)

    def set_picture(self, name: str) -> None:
        """Another picture for the figure in front; what cannot be read is said, and nothing changes."""
        sentence = self.pictures.check(name)
        if sentence:
            self.failed.emit(sentence)
            return
        self.change(tr("Picture"), picture=name)

    # Learning the curve

    @property
    def learning(self) -> bool:
        """Whether the curve is learning."""
        return self.timer.isActive()

    def toggle_learning(self) -> None:
        """Learn on, or stay."""
        self.pause() if self.learning else self.learn()

    def learn(self) -> None:
        """Let the curve learn its target from where it is; the whole run is one act."""
        if self.state.figure != "curve" or self.learning:
            return
        self._prepare()
        self._run += 1
        self.history.seal()
        self.timer.start()
        self.learning_changed.emit()

    def pause(self) -> None:
        """Stop learning where it is."""
        if self.learning:
            self.timer.stop()
            self.history.seal()
            self.learning_changed.emit()

    def learn_step(self) -> None:
        """One step of the optimiser."""
        if self.state.figure == "curve":
            self.pause()
            self._prepare()
            self._advance(1, None)

    def _prepare(self) -> None:
        """A learner that stands where the state does: the one there is, if nobody has moved anything since."""
        curve, learner = self.state.curve, self._learner
        asked = (curve.heights, curve.target, curve.base)
        if learner is None or asked != (learner.curve.heights, learner.target, learner.base):
            self._learner = Learner(Curve(curve.heights), curve.target, curve.base)

    def _learn_on(self) -> None:
        self._advance(STEPS_A_TICK, f"learn-{self._run}")
        if self.state.curve.steps >= MOST_STEPS:
            self.pause()

    def _advance(self, steps: int, merge: str | None) -> None:
        learner, curve = self._learner, self.state.curve
        assert learner is not None
        for _ in range(steps):
            learner.step()
        heights = learner.curve.heights
        self.change(tr("Learn the curve"), merge, heights=heights, steps=curve.steps + steps)

    def _on_state(self) -> None:
        """Undo, a moved knot or another target while it learns: learn on from there, or stop where the figure has gone."""
        if not self.learning or self._learner is None:
            return
        curve, learner = self.state.curve, self._learner
        if self.state.figure != "curve":
            self.pause()
        elif (curve.heights, curve.target, curve.base) != (learner.curve.heights, learner.target, learner.base):
            if (curve.target, curve.base) != (learner.target, learner.base):
                self._prepare()
            else:
                self.pause()

    def restore(self, state: TheoryState) -> None:
        """Take up a session's state with nothing to undo."""
        self.pause()
        self.history.reset(state)

    def drop(self, path: str) -> bool:
        """A file was dropped: the picture of the figure in front, where it has one; whether it was taken."""
        if self.state.figure not in ("masks", "convolution"):
            self.failed.emit(tr("The figures Masks and 1×1 convolution take pictures: open one of them, then drop it."))
            return False
        try:
            self.set_picture(path)
        except FlowError as error:
            self.failed.emit(str(error))
            return False
        return self.state.current.picture == path
