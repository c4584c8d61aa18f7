"""What the toy lab's race asks of the engine. Neither torch nor Qt here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowcore.errors import ConfigError

from .base import Priority, Request, check_number, check_whole

__all__ = ["RunRace"]


def _no_bytes() -> np.ndarray:
    return np.empty(0, np.uint8)


@dataclass(frozen=True, eq=False)
class RunRace(Request):
    """How a race should be from now on: the whole wish, so that the newest alone counts.

    `race` numbers it; another number is another race, which starts from `snapshots` (one after the other, `lengths` bytes
    each, whose racers had used `seconds`) where there are some, else from nothing. `racers` are `ToyConfig`s as
    dictionaries. While `playing` the racers train in turn, for at most `share` of the time; otherwise up to `goal` seconds
    of training time each. With `density` their densities are shown besides the samples. One that is not `seen` any more stands
    still, and its last word is a "snapshot".

    Answers, each with `{race, seconds, steps, longest_turn}`, lists of one number a racer where it is one a racer:

    - "start" `{entropy, reach}` and `data` (n, 2);
    - "truth" with `heat` √p (k, k), if it is known, or "estimate" with an `estimate` of it from points;
    - "points" with `samples0`, `samples1` … (n, 2);
    - "heat" with `heat0` … √q (k, k), of one racer or more;
    - "loss" `{nll, standard_error, curve_seconds, leader}`: a point of every racer's curve;
    - "snapshot" `{lengths}` with `snapshots`;
    - "rest" with all of it; this one is done.
    """

    kind = "race.run"
    slot = "race.run"
    priority = Priority.TOY
    adopts = True

    race: int
    racers: tuple[dict[str, Any], ...]
    playing: bool
    goal: float = 0.0
    share: float = 1.0
    density: bool = False
    snapshots: np.ndarray = field(default_factory=_no_bytes)
    lengths: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    seen: bool = True

    @property
    def background(self) -> bool:  # type: ignore[override]
        """Playing has no end to wait for; coming to rest has."""
        return self.playing

    def __post_init__(self) -> None:
        check_whole("The race's number", self.race, 0, 2**53)
        check_number("The time to stop at", self.goal, 0.0, 1e9)
        check_number("The share of the time", self.share, 0.001, 1.0)
        if not isinstance(self.racers, tuple) or not all(isinstance(racer, dict) for racer in self.racers):
            raise ConfigError("A race needs the settings of its flows.")
        if not self.racers or not all(isinstance(flag, bool) for flag in (self.playing, self.density, self.seen)):
            raise ConfigError("A race needs its flows, and whether it is on.")
        if not isinstance(self.snapshots, np.ndarray) or self.snapshots.dtype != np.uint8 or self.snapshots.ndim != 1:
            raise ConfigError("A race's snapshots must be bytes.")
        if self.snapshots.size:
            for length in self.lengths:
                check_whole("A snapshot's length", length, 1, 2**40)
            for used in self.seconds:
                check_number("A racer's time", used, 0.0, 1e9)
            fits = len(self.lengths) == len(self.seconds) == len(self.racers)
            if not fits or sum(self.lengths) != self.snapshots.size:
                raise ConfigError("A race's snapshots do not fit its flows.")
