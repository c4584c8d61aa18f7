"""Going back through a run: which earlier moment is on screen, all its flows together. No widgets."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from flow_explorer.toylab.history.training_history import Frame, TrainingHistory
from flow_explorer.toylab.run import Run

__all__ = ["Past"]

_LASTING = ("data", "truth", "true_contours", "estimate", "estimate_contours")
"""What is the same at every moment."""
_SAME = ("entropy", "known", "estimated_from", "reach", "curve", "rate", "gradients")
_numbers = itertools.count(-1, -1)


class Past:
    """Records the run that ``present`` gives, and holds the moment that the person scrubbed to; ``changed`` is called where that
    is another.

    Training may go on meanwhile. ``shown`` is what the panels draw: the run as it is, or an earlier moment of it that looks
    like one.
    """

    def __init__(self, present: Callable[[], Run], changed: Callable[[], object]) -> None:
        self._present, self._changed = present, changed
        self._frame: Frame | None = None
        self._of: Run | None = None
        self._past: Run | None = None

    @property
    def history(self) -> TrainingHistory:
        """The present run's."""
        return self._present().history

    @property
    def frame(self) -> Frame | None:
        """The earlier moment on screen, None for the present."""
        return self._frame if self._of is self._present() else None

    @property
    def shown(self) -> Run:
        """What is to be drawn."""
        present = self._present()
        return self._past if self._past is not None and self._of is present else present

    def record(self, kind: str, heats: bool = True) -> None:
        """An answer of the engine has been taken up into the present run; ``heats``: its densities are looked at."""
        run = self._present()
        if kind == "start":
            run.history.forget_after(run.step)
            if self.frame is not None and self.frame.step > run.step:
                self.back_to_now()
        elif kind == "snapshot" and not run.is_race:
            run.history.offer_snapshot(run.entries[0].snapshot_step, run.entries[0].snapshot)
        elif kind in ("points" if run.is_race else "heat", "rest") and run.is_shown():
            run.history.offer(Frame.of(run, heats))

    def go_to(self, frame: Frame | None) -> None:
        """Show an earlier moment of the present run, None for the present."""
        if frame is None:
            self.back_to_now()
            return
        run = self._present()
        self._frame, self._of, self._past = frame, run, _recalled(run, frame)
        self._changed()

    def back_to_now(self) -> None:
        """Show the present again."""
        self._frame = self._of = self._past = None
        self._changed()

    def snapshot(self) -> tuple[int, np.ndarray] | None:
        """The weights nearest before the moment on screen, and their step."""
        frame = self.frame
        return None if frame is None else self.history.snapshot_at(frame.step)


def _recalled(run: Run, frame: Frame) -> Run:
    """A run that looks as this one did."""
    past = Run(next(_numbers), run.configs)
    past.longest_turn, past.leader, past.marked_seconds = run.longest_turn, frame.leader, frame.least_seconds
    kept = frame.arrays()
    for number, (entry, now) in enumerate(zip(past.entries, run.entries, strict=True)):
        for name in _SAME:
            setattr(entry, name, getattr(now, name))
        entry.step = entry.marked_step = frame.steps[number]
        entry.seconds, entry.nll, entry.standard_error = frame.seconds[number], frame.losses[number], frame.errors[number]
        entry.layer_bound = frame.layer_bounds[number]
        entry.arrays = {name: now.arrays[name] for name in _LASTING if name in now.arrays} | _of_entry(kept, number)
        entry.version = dict.fromkeys((*entry.arrays, "curve"), 1)
    return past


def _of_entry(arrays: dict[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    return {name[: -len(str(number))]: array for name, array in arrays.items() if name.endswith(str(number))}
