"""The toy lab's settings as plain data: no Qt, no mathematics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from flow_explorer.engine.requests.toy_views import DEFAULT_VIEWS, check_point
from flow_explorer.toylab.race.entries import RaceEntry, read_rivals
from flow_explorer.toylab.views.names import check_shown
from flowcore.fields import choice, other, read, settings, to_dict, whole
from flowcore.plane.config import LIVE, ToyConfig

__all__ = ["FLOWS", "PRIORS", "RESTARTING", "SPEEDS", "ToyState"]

SPEEDS = {"stages": 0.5, "slow": 8.0, "medium": 60.0, "full": 0.0}
"""Steps a second; 0 is as fast as it goes. "stages" shows each step in its four stages."""
_SPEED_WORDS = {
    "stages": ("Stages", "Slow motion: each step in its four stages, with captions"), "slow": ("Slow", "8 steps a second"),
    "medium": ("Medium", "60 steps a second"), "full": ("Full", "As fast as this computer trains"),
}  # fmt: skip

RESTARTING = tuple(name for name, setting in settings(ToyConfig).items() if setting.title and setting.restarts)
"""A change of one of these is another run; of the rest, the same run goes on."""
_TERMS = (*RESTARTING, *LIVE)
"""A race is another race once one of these changes."""
FLOWS = settings(ToyConfig)["flow"].titles
PRIORS = settings(ToyConfig)["prior"].titles


def _views(value: Any) -> Any:
    value = tuple(value) if isinstance(value, list) else value
    check_shown(value)
    return value


def _probe(value: Any) -> Any:
    value = tuple(value) if isinstance(value, list) else value
    if value is not None:
        check_point("The probe's place", value)
    return value


@dataclass(frozen=True)
class ToyState(ToyConfig):
    """What the person chose: what is trained, a ``ToyConfig``, and how it is shown. ``run`` numbers the training: another
    number is another training from the start, and going back to an old number (undo) goes back to that training where it was
    left. ``layers`` is an edited list of layers, which takes the place of ``depth`` times the flow's own; None where nobody
    edited any.

    Raises:
        ConfigError: for a value out of range.
    """

    speed: str = choice("full", _SPEED_WORDS, "Speed")
    run: int = whole(1, 1, 2**50)
    rivals: tuple[RaceEntry, ...] = other((), read_rivals, "Race")
    """With whom the flow races; while there are some, the race is on screen and ``run`` waits."""
    race: int = whole(1, 1, 2**50)
    """Numbers the race as ``run`` numbers the training."""
    views: tuple[str, ...] = other(DEFAULT_VIEWS, _views, "Views")
    probe: tuple[float, float] | None = other(None, _probe, "Probe")
    """Where x is probed."""
    OWNER: ClassVar[str] = "The toy lab's"

    def changed(self, name: str, value: Any, run: int) -> ToyState:
        """The state after a setting was changed; ``run`` is the number to take if that begins another run."""
        if getattr(self, name) == value:
            return self
        race = {"race": run} if name == "rivals" or (self.rivals and name in _TERMS) else {}
        # Another flow, or another number of its layers, is that flow's own again: an edited list would hide the choice.
        own = {"layers": None} if name in ("flow", "depth") else {}
        return replace(self, **{**own, name: value}, **race, **({"run": run} if name in RESTARTING else {}))

    def config(self) -> dict[str, Any]:
        """What the engine trains: the fields of ``flowcore``'s toy configuration that a person can choose."""
        values = to_dict(self)
        return {name: values[name] for name in _TERMS}

    @property
    def steps_a_second(self) -> float:
        """The speed as a number, 0 without a limit."""
        return SPEEDS[self.speed]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        shown = settings(self)
        return {name: value for name, value in to_dict(self).items() if shown[name].title or name in ("run", "race")}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ToyState:
        """The opposite of ``to_dict``; what is unknown is left out, what is missing takes its default.

        Raises:
            ConfigError: for a value out of range.
        """
        return read(cls, values, cls.OWNER)
