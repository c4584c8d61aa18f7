"""What the toy lab asks of the engine. Neither torch nor Qt here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowcore.errors import ConfigError

from .base import Priority, Request, check_number, check_whole
from .toy_views import DEFAULT_VIEWS, check_views

__all__ = ["MAX_ANCESTORS", "MAX_SPEED", "RunToy", "SaveToy"]

MAX_SPEED = 10_000.0
MAX_ANCESTORS = 32
MAX_SECONDS = 1e9


def _no_bytes() -> np.ndarray:
    return np.empty(0, np.uint8)


def _bytes(name: str, value: Any) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 1:
        raise ConfigError(f"{name} must be bytes.")


@dataclass(frozen=True, eq=False)
class RunToy(Request):
    """How the toy lab's run should be from now on: the whole wish, so that the newest alone counts.

    A run trains `entries`, one `ToyConfig` as a dictionary for each flow. Several flows race: they train in turn, each for the
    same training time. `run` numbers it; another number, or another number of entries, is another run, which starts from
    `snapshots` (one after the other, `lengths` bytes each, whose flows had used `seconds`) where there are some, else from
    nothing. Within a run the live settings of the entries may change (see `ToyConfig.live`).

    While `playing` it trains, at most `speed` steps a second (0: as fast as it goes) and for at most `share` of the time;
    otherwise up to `goal`, and then it comes to rest. The goal counts steps where one flow trains, and seconds of training time
    where several race. With `forward` (of one flow) it trains, without frames, until its held-out loss stands still. Only what
    `views` need is computed; the rest is left out of the answers. Where the engine is still at one of the runs `kept_from`, a
    new run of one flow begins with the weights of the layers that both have.

    Answers, each with `{run, steps, seconds, longest_turn, rate}`, of which `steps` and `seconds` have a number for each entry.
    Arrays of an entry have its number, from 0, at the end of their names: `samples0`.

    - "start" `{entropy, known, reach}` and `data` (n, 2): once a run is there;
    - "truth" with `truth`: √p of the density itself, (k, k) float32, row 0 lowest, and its `true_contours` (n, 5);
    - "estimate" `{points}` with `estimate` and `estimate_contours`: the same of a kernel density estimate from that many points,
      where nothing but points is known;
    - "points" of all entries with `samples` (n, 2) and `prior` (n, 2) or `grid` (lines, k, 2);
    - "forward" `{nll, standard_error, fraction, quiet}`: how far a fast-forward has come;
    - "heat" `{entry, gradient_names, gradient_norms}` of one entry with `heat` √q (k, k), its `contours` (n, 5), `stretch`
      log|det ∂f/∂x| (k, k), and of a flow alone `layers` (K + 1, n, 2), `displacement` (K + 1, m, 2), and `outline` (lines, k, 2)
      where the prior is learned; coarse while it trains, fine at rest;
    - "loss" `{nll, standard_error, leader}`: a point of every entry's curve, and which entry leads by more than chance, or None;
    - "snapshot" with `snapshot` bytes of all entries, now and then, and once of a run that is left for another;
    - "rest", as a loss is, when all there is to see of a run that stands still has come; this one is done.
    """

    kind = "toy.run"
    slot = "toy.run"
    priority = Priority.TOY
    adopts = True

    run: int
    entries: tuple[dict[str, Any], ...]
    playing: bool
    goal: float = 0.0
    speed: float = 0.0
    share: float = 1.0
    views: tuple[str, ...] = DEFAULT_VIEWS
    kept_from: tuple[int, ...] = ()
    forward: bool = False
    snapshots: np.ndarray = field(default_factory=_no_bytes)
    lengths: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()

    @property
    def background(self) -> bool:  # type: ignore[override]
        """Playing has no end to wait for; coming to rest has."""
        return self.playing

    @property
    def parts(self) -> list[np.ndarray]:
        """The snapshots one by one, none where it starts from nothing."""
        return np.split(self.snapshots, np.cumsum(self.lengths)[:-1]) if self.snapshots.size else []

    def __post_init__(self) -> None:
        check_whole("The run's number", self.run, 0, 2**53)
        check_number("What to stop at", self.goal, 0.0, 2.0**53)
        check_number("The speed", self.speed, 0.0, MAX_SPEED)
        check_number("The share of the time", self.share, 0.001, 1.0)
        check_views(self.views)
        if not isinstance(self.kept_from, tuple) or len(self.kept_from) > MAX_ANCESTORS:
            raise ConfigError(f"The runs to keep layers of must be at most {MAX_ANCESTORS} numbers.")
        for number in self.kept_from:
            check_whole("The number of a run to keep layers of", number, 0, 2**53)
        if not isinstance(self.entries, tuple) or not self.entries or not all(isinstance(one, dict) for one in self.entries):
            raise ConfigError("A toy run needs the settings of its flows.")
        if not isinstance(self.playing, bool) or not isinstance(self.forward, bool):
            raise ConfigError("A toy run needs to know whether it plays.")
        if self.forward and len(self.entries) > 1:
            raise ConfigError("A race cannot be wound forward.")
        self._check_snapshots()

    def _check_snapshots(self) -> None:
        _bytes("Snapshots", self.snapshots)
        if not self.snapshots.size:
            return
        for length in self.lengths:
            check_whole("A snapshot's length", length, 1, 2**40)
        for used in self.seconds:
            check_number("A flow's training time", used, 0.0, MAX_SECONDS)
        fits = len(self.lengths) == len(self.seconds) == len(self.entries)
        if not fits or sum(self.lengths) != self.snapshots.size:
            raise ConfigError("The snapshots do not fit the flows of the run.")


@dataclass(frozen=True, eq=False)
class SaveToy(Request):
    """Write the model of a snapshot as a checkpoint to `path`: must finish. Answers `{path}`."""

    kind = "toy.save"
    priority = Priority.EXPORT

    path: str
    snapshot: np.ndarray

    def __post_init__(self) -> None:
        _bytes("A snapshot", self.snapshot)
        if not isinstance(self.path, str) or not self.path:
            raise ConfigError("Saving a model needs the name of a file.")
