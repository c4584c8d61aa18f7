"""Going back through a race: all its flows together, as they were at the same training time. No widgets."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from flow_explorer.toylab.history.training_history import Frame, TrainingHistory, pack
from flow_explorer.toylab.race_run import RaceRun

__all__ = ["RaceFrame", "RacePast"]

_LASTING = ("data", "truth", "estimate")
"""What is the same at every moment."""
_numbers = itertools.count(-1, -1)


@dataclass(frozen=True, eq=False)
class RaceFrame(Frame):
    """One moment of all racers; ``step`` is the sum of their steps, which orders the moments.

    Densities are in it only where they were on screen then.
    """

    seconds: tuple[float, ...]
    steps: tuple[int, ...]
    losses: tuple[float, ...]
    errors: tuple[float, ...]
    leader: int | None

    @classmethod
    def of_race(cls, run: RaceRun, density: bool) -> RaceFrame:
        """The race as it is now, with its densities or without."""
        names = [f"samples{index}" for index in range(len(run.steps))]
        names += sorted(run.fresh_heats) if density else []
        arrays = {name: run.arrays[name] for name in names if name in run.arrays}
        return cls(
            sum(run.steps), None, 0.0, pack(arrays), tuple(run.seconds), tuple(run.steps), tuple(run.nll),
            tuple(run.standard_error), run.leader,
        )  # fmt: skip

    @property
    def least_seconds(self) -> float:
        """The training time that every racer had had."""
        return min(self.seconds, default=0.0)


class RacePast:
    """Records the race that ``present`` gives, and holds the moment that the person scrubbed to.

    The race may go on meanwhile. ``shown`` is what the panels draw: the race as it is, or a past one that looks like it.
    """

    def __init__(self, present: Callable[[], RaceRun], changed: Callable[[], None]) -> None:
        self._present, self._changed = present, changed
        self._frame: RaceFrame | None = None
        self._of: RaceRun | None = None
        self._past: RaceRun | None = None

    @property
    def history(self) -> TrainingHistory:
        """The present race's."""
        return self._present().history

    @property
    def frame(self) -> RaceFrame | None:
        """The earlier moment on screen, None for the present."""
        return self._frame if self._of is self._present() else None

    @property
    def shown(self) -> RaceRun:
        """What is to be drawn."""
        present = self._present()
        return self._past if self._past is not None and self._of is present else present

    def record(self, kind: str, density: bool) -> None:
        """An answer of the engine has been taken up into the present race."""
        run = self._present()
        if kind == "start":
            run.history.forget_after(sum(run.steps))
            if self.frame is not None and self.frame.step > sum(run.steps):
                self.back_to_now()
        elif kind in ("points", "rest") and run.is_shown():
            run.history.offer(RaceFrame.of_race(run, density))

    def go_to(self, frame: RaceFrame | None) -> None:
        """Show an earlier moment of the present race, None for the present."""
        if frame is None:
            self.back_to_now()
            return
        run = self._present()
        self._frame, self._of = frame, run
        past = self._past = RaceRun(next(_numbers), run.racers)
        for name in ("entropy", "reach", "longest_turn", "curves"):
            setattr(past, name, getattr(run, name))
        past.seconds, past.steps = list(frame.seconds), list(frame.steps)
        past.nll, past.standard_error, past.leader = list(frame.losses), list(frame.errors), frame.leader
        past.marked_seconds = frame.least_seconds
        past.arrays = {name: run.arrays[name] for name in _LASTING if name in run.arrays} | frame.arrays()
        past.version = dict.fromkeys((*past.arrays, "curve"), 1)
        self._changed()

    def back_to_now(self) -> None:
        """Show the present again."""
        self._frame = self._of = self._past = None
        self._changed()
