"""Going back through the training: which earlier moment is on screen, and how to go on from there. No widgets."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from flow_explorer.toylab.history.training_history import Frame, Histories, TrainingHistory
from flow_explorer.toylab.run import Run

if TYPE_CHECKING:
    from flow_explorer.toylab.controller import ToyController

__all__ = ["Past"]

_LASTING = ("data", "truth", "true_contours", "estimate", "estimate_contours")
"""What is the same at every step."""
_numbers = itertools.count(-1, -1)


class Past:
    """Records the controller's trainings, and holds the frame that the person scrubbed to.

    Training may go on meanwhile. ``shown`` is what the panels draw: the present run, or an earlier moment of it that looks
    like one.
    """

    def __init__(self, controller: ToyController) -> None:
        self._controller = controller
        self._histories = Histories()
        self._frame: Frame | None = None
        self._of = 0
        self._past: Run | None = None

    @property
    def history(self) -> TrainingHistory:
        """The present training's."""
        return self._histories.get(self._controller.run.number)

    @property
    def frame(self) -> Frame | None:
        """The earlier moment on screen, None for the present."""
        if self._frame is not None and self._of != self._controller.run.number:
            self.back_to_now()
        return self._frame

    @property
    def shown(self) -> Run:
        """What the panels are to draw."""
        if self.frame is None:
            return self._controller.run
        return self._past or self._controller.run

    def record(self, kind: str) -> None:
        """An answer of the engine has been taken up into the present run."""
        run, history = self._controller.run, self.history
        if kind == "start":
            history.forget_after(run.step)
            if self.frame is not None and self._frame.step > run.step:
                self.back_to_now()
        elif kind in ("heat", "rest") and run.is_shown():
            history.offer(Frame.of(run.step, run.arrays, run.nll, run.layer_bound))
        elif kind == "snapshot":
            history.offer_snapshot(run.snapshot_step, run.snapshot)

    def go(self, frame: Frame) -> None:
        """Show an earlier moment of the present training."""
        run = self._controller.run
        self._frame, self._of = frame, run.number
        past = self._past = Run(next(_numbers))
        for name in (
            "entropy", "known", "estimated_from", "reach", "steps", "losses", "standard_error", "rate", "gradients",
        ):  # fmt: skip
            setattr(past, name, getattr(run, name))
        past.step, past.nll, past.layer_bound, past.marked_step = frame.step, frame.nll, frame.layer_bound, frame.step
        lasting = {name: run.arrays[name] for name in _LASTING if name in run.arrays}
        past.arrays = lasting | frame.arrays()
        past.version = dict.fromkeys((*past.arrays, "curve"), 1)
        self._controller.arrived.emit()

    def go_to(self, frame: Frame | None) -> None:
        """Show an earlier moment, None for the present."""
        self.back_to_now() if frame is None else self.go(frame)

    def back_to_now(self) -> None:
        """Show the present again."""
        self._frame = self._past = None
        self._controller.arrived.emit()

    def snapshot(self) -> tuple[int, object] | None:
        """The weights nearest before the moment on screen, and their step."""
        return None if self.frame is None else self.history.snapshot_at(self._frame.step)

    def continue_from_here(self) -> None:
        """Another training that starts from the kept weights; undo goes back to the one that was there."""
        found = self.snapshot()
        if found is not None:
            step, snapshot = found
            self.back_to_now()
            self._controller.begin_from(step, snapshot)
