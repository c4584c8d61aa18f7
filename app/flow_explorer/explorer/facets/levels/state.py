"""What is set in the Levels view."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from flow_explorer.explorer.facets import FacetState
from flowcore.errors import ConfigError
from flowcore.latents.resample import ACTIONS, LOCKS, default_actions
from flowcore.model.temperature import TEMPERATURE_MAX

__all__ = ["COUNT", "ORDERS", "OTHERS", "State"]

COUNT = 16
LEVELS_MAX = 10
ORDERS = ("drawn", "likelihood")
OTHERS = ("sample", "A", "B", "walk")


@dataclass(frozen=True)
class State(FacetState):
    """Which part of the subject's z is kept, and how the rest is drawn."""

    actions: tuple[str, ...] = ()
    """What becomes of each level, the finest first, one of `flowcore.latents.resample.ACTIONS`; empty for the default."""
    other: str = "B"
    """The picture that levels of the action "other" come from."""
    region: str = ""
    """Key of the brushed places, a grey picture; empty for none."""
    lock: str = "inside"
    seed: int = 0
    temperature: float = 0.7
    selected: int = 0
    order: str = "drawn"

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

    def to_dict(self) -> dict[str, Any]:
        first = State()
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: list(value) if isinstance(value, tuple) else value
                for name, value in values.items() if value != getattr(first, name)}  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        first = cls()
        values = {name: data.get(name, getattr(first, name)) for name in cls.__dataclass_fields__}
        actions, temperature = values["actions"], values["temperature"]
        numbers = {"seed": 2**31 - 1, "selected": COUNT - 1}
        words = {"other": OTHERS, "lock": LOCKS, "order": ORDERS}
        good = (
            isinstance(actions, list | tuple) and len(actions) <= LEVELS_MAX and all(action in ACTIONS for action in actions)
            and isinstance(temperature, int | float) and not isinstance(temperature, bool) and math.isfinite(temperature)
            and 0 <= temperature <= TEMPERATURE_MAX and isinstance(values["region"], str) and len(values["region"]) < 64
            and all(type(values[name]) is int and 0 <= values[name] <= limit for name, limit in numbers.items())
            and all(values[name] in allowed for name, allowed in words.items())
        )  # fmt: skip
        if not good:
            raise ConfigError("The saved settings of the Levels view cannot be read.")
        return cls(**{**values, "actions": tuple(actions), "temperature": float(temperature)})
