"""What is set in the Levels view."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from flow_explorer.explorer.facets import FacetState
from flowcore.fields import Setting, choice, number, several, text, whole
from flowcore.latents.resample import ACTIONS, LOCKS, default_actions
from flowcore.model.temperature import TEMPERATURE_MAX

__all__ = ["COUNT", "ORDERS", "OTHERS", "State"]

COUNT = 16
LEVELS_MAX = 10
ORDERS = ("drawn", "likelihood")
OTHERS = ("sample", "A", "B", "walk")
_ACTION = Setting("choice", options=dict.fromkeys(ACTIONS, ("", "")))


@dataclass(frozen=True)
class State(FacetState):
    """Which part of the subject's z is kept, and how the rest is drawn."""

    OWNER: ClassVar[str] = "The Levels view's"

    actions: tuple[str, ...] = several((), lambda action: _ACTION.legal(action, "What becomes of a level"), LEVELS_MAX)
    """What becomes of each level, the finest first, one of `flowcore.latents.resample.ACTIONS`; empty for the default."""
    other: str = choice("B", OTHERS)
    """The picture that levels of the action "other" come from."""
    region: str = text("", 63, low=0)
    """Key of the brushed places, a grey picture; empty for none."""
    lock: str = choice("inside", LOCKS)
    seed: int = whole(0, 0, 2**31 - 1)
    temperature: float = number(0.7, 0.0, TEMPERATURE_MAX)
    selected: int = whole(0, 0, COUNT - 1)
    order: str = choice("drawn", ORDERS)

    def for_levels(self, count: int) -> tuple[str, ...]:
        """The action of each of so many levels."""
        return self.actions if len(self.actions) == count else default_actions(count)

    def with_action(self, level: int, action: str, count: int) -> State:
        actions = list(self.for_levels(count))
        actions[level] = action
        return replace(self, actions=() if tuple(actions) == default_actions(count) else tuple(actions))

    @property
    def keys(self) -> set[str]:
        return {self.region} if self.region else set()

    def renamed(self, keys: dict[str, str]) -> State:
        return replace(self, region=keys.get(self.region, self.region))
