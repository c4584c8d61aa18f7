"""Who races, and what is shown of a race; the controller asks the engine for it as for any other run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flow_explorer.toylab.history.past import Past
from flow_explorer.toylab.race.rivals import MAX_RIVALS, Rival, next_rival
from flow_explorer.toylab.run import Run
from flow_explorer.toylab.state import FLOWS
from flowcore.fields import settings

if TYPE_CHECKING:
    from flow_explorer.toylab.controller import ToyController

__all__ = ["SHARES", "STEP_S", "RaceLink"]

STEP_S = 0.01
"""Seconds of training that a press of "Step" gives every racer."""
SHARES = {"stages": 0.01, "slow": 0.04, "medium": 0.25, "full": 1.0}
"""Of the time, what is trained at each speed."""


class RaceLink:
    """The race's part of the controller: play, pause, step and reset are the controller's own."""

    def __init__(self, controller: ToyController) -> None:
        self._controller = controller
        self.density = False
        """Whether densities are shown instead of samples."""

    # What the person does

    def begin(self) -> None:
        """Race against another flow; the training that was there waits."""
        if not self._controller.state.rivals:
            self.add()

    def leave(self) -> None:
        """Back to the training that was there, which stands still until it is played."""
        self._controller.stand_still()
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
            if self.run.is_race:
                self.run.forget_heats()
            self._controller.refresh()

    # What there is

    @property
    def run(self) -> Run:
        """The race, while there is one."""
        return self._controller.run

    @property
    def past(self) -> Past:
        """The way back through it."""
        return self._controller.past

    def configs(self) -> Sequence[dict[str, Any]]:
        """What each trains, the settings' own flow first."""
        return self._controller.configs

    @property
    def views(self) -> tuple[str, ...]:
        """What the engine computes of a race."""
        return ("samples", "density") if self.density else ("samples",)
