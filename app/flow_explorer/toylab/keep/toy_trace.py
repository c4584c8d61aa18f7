"""What ``--trace`` sees of the toy lab: which samples and densities each frame drew, and the step that training has reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow_explorer.toylab.controller import ToyController
    from flow_explorer.toylab.run import Run, RunEntry

__all__ = ["ToyTrace"]


class ToyTrace:
    """``drew`` is called once for every frame. What the events mean is in ``docs/trace.md``."""

    def __init__(self, trace: Callable[..., None]) -> None:
        self._trace = trace
        self._drawn: dict[str, tuple[int, int]] = {}

    def drew(self, controller: ToyController) -> None:
        """A frame was drawn."""
        if controller.state.rivals:
            self._drew_race(controller.run)
        else:
            self._drew_training(controller.training)

    def _drew_training(self, run: RunEntry) -> None:
        if self._is_new("samples", run.number, run.version.get("samples", 0)):
            self._trace("toy_samples", run=run.number, step=run.step)
        if self._is_new("heat", run.number, run.version.get("heat", 0)) and "heat" in run.arrays:
            self._trace("toy_heat", run=run.number, step=run.step, side=len(run.arrays["heat"]))

    def _drew_race(self, race: Run) -> None:
        if self._is_new("race", race.number, race.entries[0].version.get("samples", 0)):
            self._trace("race_samples", race=race.number, steps=race.steps, seconds=[round(s, 4) for s in race.seconds])

    def _is_new(self, what: str, number: int, version: int) -> bool:
        mark = number, version
        if not version or self._drawn.get(what) == mark:
            return False
        self._drawn[what] = mark
        return True
